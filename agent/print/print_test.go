package print_test

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/print"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/route"
	"github.com/counterproof/counterproof/agent/slip"
	"github.com/counterproof/counterproof/devices"
)

var lines = []slip.Line{
	{Style: slip.Head, Text: "Identity check"}, {Style: slip.Rule}, {Style: slip.Plain, Text: "Gwirio’r tŷ, £5 - 日"},
	{Style: slip.Space}, {Style: slip.Big, Text: "ABCD-EFGH-JKM"},
}

func TestJobTakesTheBestKind(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		accepts []devices.JobKind
		want    devices.JobKind
		fault   devices.Kind
	}{
		{[]devices.JobKind{devices.ESCPOS, devices.PDF}, devices.ESCPOS, devices.KindNone},
		{[]devices.JobKind{"zpl", devices.PDF}, devices.PDF, devices.KindNone},
		{[]devices.JobKind{devices.Text}, devices.Text, devices.KindNone},
		{[]devices.JobKind{"zpl"}, "", devices.Unsupported},
		{nil, "", devices.Missing},
	} {
		job, err := print.Job(c.accepts, lines)
		if devices.KindOf(err) != c.fault || job.Kind != c.want && c.fault == devices.KindNone {
			t.Errorf("accepting %v: job %q, %v; want %q, %q", c.accepts, job.Kind, err, c.want, c.fault)
		}
		if c.fault == devices.KindNone && len(job.Data) == 0 {
			t.Errorf("accepting %v: an empty job", c.accepts)
		}
		if strings.Contains(job.Title, "ABCD") {
			t.Error("the job's title shows in the print queue and tells the reference")
		}
	}
}

func TestESCPOS(t *testing.T) {
	t.Parallel()
	got := print.ESCPOS(lines)
	for what, want := range map[string][]byte{
		"initialised":      []byte("\x1b@"),
		"cut":              []byte("\x1dV\x42\x00"),
		"large reference":  []byte("\x1d!\x11ABCD-EFGH-JKM\n"),
		"Welsh and pounds": []byte("Gwirio'r ty, \xa35 - ?\n"),
	} {
		if !bytes.Contains(got, want) {
			t.Errorf("%s: %q is not in %q", what, want, got)
		}
	}
}

func TestControlCharactersDoNotReachThePrinter(t *testing.T) {
	t.Parallel()
	// A site's name comes from configuration; it must not command the printer.
	got := print.ESCPOS([]slip.Line{{Style: slip.Plain, Text: "A\x1b@\x1dV\x00B"}})
	if !bytes.Contains(got, []byte("A?@?V?B")) {
		t.Errorf("control characters went through: %q", got)
	}
}

func TestPDF(t *testing.T) {
	t.Parallel()
	one, err := print.PDF(lines)
	if err != nil || !bytes.HasPrefix(one, []byte("%PDF-")) || !bytes.Contains(one, []byte("%%EOF")) {
		t.Fatalf("no PDF: %v", err)
	}
	two, err := print.PDF(lines)
	if err != nil || !bytes.Equal(one, two) {
		t.Errorf("the same slip gives other bytes: %v", err)
	}
	var long []slip.Line
	for range 60 {
		long = append(long, slip.Line{Style: slip.Plain, Text: "one more line"})
	}
	many, err := print.PDF(long)
	if err != nil || bytes.Count(many, []byte("/Type /Page\n"))+bytes.Count(many, []byte("/Type /Page>")) < 2 {
		t.Errorf("a long slip does not go on to a second page: %v", err)
	}
}

// paper is a printer of the tests.
type paper struct {
	devices.NoDevice
	accepts []devices.JobKind
	job     devices.Job
}

// Accepts lists what the test wants.
func (p *paper) Accepts() []devices.JobKind { return p.accepts }

// Print keeps the job.
func (p *paper) Print(_ context.Context, job devices.Job) error {
	p.job = job
	return nil
}

func TestSlips(t *testing.T) {
	t.Parallel()
	visit := route.State{Ref: "ABCD-EFGH-JKM", Outcome: &proof.Outcome{Result: proof.Proved, Level: proof.Low, Profile: "L1B"}}
	printer := &paper{accepts: []devices.JobKind{devices.Text}}
	slips := print.Slips{Printer: printer, Site: "FWC87"}
	if err := slips.Print(t.Context(), visit); err != nil {
		t.Fatalf("printing: %v", err)
	}
	shown := strings.Join(slips.Lines(visit), "\n")
	for _, text := range []string{string(printer.job.Data), shown} {
		if !strings.Contains(text, "ABCD-EFGH-JKM") || !strings.Contains(text, "FWC87") {
			t.Errorf("reference or site is missing in\n%s", text)
		}
	}
	if err := (print.Slips{Printer: devices.NoDevice{}}).Print(t.Context(), visit); devices.KindOf(err) != devices.Missing {
		t.Errorf("without a printer: %v", err)
	}
}

func TestReport(t *testing.T) {
	t.Parallel()
	printer := &paper{accepts: []devices.JobKind{devices.Text}}
	noon := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	record := api.Activity{Deeds: []api.Deed{{At: noon, Who: "kim", Did: api.DidSignIn}}}
	slips := print.Slips{Printer: printer, Site: "FWC87", Training: true}
	if err := slips.Report(t.Context(), api.Report{From: noon, Language: "en"}, "kim", record); err != nil {
		t.Fatalf("printing: %v", err)
	}
	for _, want := range []string{"FWC87", "TRAINING", "01/07/2026 13:00", "01/07 13:00 kim", "signed in"} {
		if !strings.Contains(string(printer.job.Data), want) {
			t.Errorf("%q is not in\n%s", want, printer.job.Data)
		}
	}
}

package devicetest

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/counterproof/counterproof/devices"
)

// PrinterRig is a printer that works, with hands on it.
type PrinterRig struct {
	Printer devices.Printer
	// Printed gives the jobs that came out, in order, as they were sent; nil
	// where only a person can see them.
	Printed func() [][]byte
	// Fail puts the printer into a trouble, PaperOut or CoverOpen, and with
	// KindNone out of it; nil where only a person can.
	Fail func(devices.Kind)
	// Unplug pulls the printer out; nil where nobody can.
	Unplug func()
}

// RunPrinter holds a printer to the contract of devices.Printer. On a real one
// it uses a page for each kind of job and some more.
func RunPrinter(t *testing.T, in Time, open func(testing.TB) PrinterRig) {
	t.Helper()
	run(t, in, open, printerChecks)
}

var printerChecks = []check[PrinterRig]{
	{"accepts-known-kinds", acceptsKnown},
	{"accepts-is-the-callers", acceptsKept},
	{"prints-what-it-accepts", printsAccepted},
	{"prints-each-job-once", printsOnce},
	{"job-is-the-callers", jobKept},
	{"other-kind-is-unsupported", otherKind},
	{"ended-context-prints-nothing", endedPrint},
	{"paper-out", trouble(devices.PaperOut)},
	{"cover-open", trouble(devices.CoverOpen)},
	{"unplugged-prints-nothing", unpluggedPrint},
}

var knownKinds = []devices.JobKind{devices.ESCPOS, devices.PDF, devices.Text}

// page is a small job of a kind.
func page(kind devices.JobKind) devices.Job {
	job := devices.Job{Title: "test", Kind: kind}
	switch kind {
	case devices.ESCPOS:
		job.Data = []byte("\x1b@A test page\n\n\x1dVB\x00")
	case devices.PDF:
		job.Data = []byte("%PDF-1.4\n" +
			"1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n" +
			"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n" +
			"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 298 420]>>endobj\n" +
			"trailer<</Root 1 0 R>>\n%%EOF\n")
	default:
		job.Data = []byte("A test page: ŵ € é\n")
	}
	return job
}

// print prints a job in time.
func (rig PrinterRig) print(tb testing.TB, job devices.Job) error {
	tb.Helper()
	return within(tb, patience, "printing", func() error { return rig.Printer.Print(tb.Context(), job) })
}

// first is a page of the kind that the printer likes best.
func (rig PrinterRig) first(tb testing.TB) devices.Job {
	tb.Helper()
	kinds := rig.Printer.Accepts()
	if len(kinds) == 0 {
		tb.Fatal("the printer accepts nothing")
	}
	return page(kinds[0])
}

// wantPrinted compares what came out, where that can be seen.
func (rig PrinterRig) wantPrinted(tb testing.TB, want ...[]byte) {
	tb.Helper()
	if rig.Printed == nil {
		return
	}
	if got := rig.Printed(); !slices.EqualFunc(got, want, bytes.Equal) {
		tb.Errorf("%d jobs came out, want these %d as they were sent", len(got), len(want))
	}
}

func acceptsKnown(tb testing.TB, rig PrinterRig) {
	kinds := rig.Printer.Accepts()
	if len(kinds) == 0 {
		tb.Error("the printer accepts nothing")
	}
	for i, k := range kinds {
		if !slices.Contains(knownKinds, k) {
			tb.Errorf("the printer accepts %q, which is no kind of job", k)
		}
		if slices.Contains(kinds[:i], k) {
			tb.Errorf("the printer accepts %q twice", k)
		}
	}
}

func acceptsKept(tb testing.TB, rig PrinterRig) {
	before := slices.Clone(rig.Printer.Accepts())
	clear(rig.Printer.Accepts())
	if after := rig.Printer.Accepts(); !slices.Equal(before, after) {
		tb.Errorf("the printer accepted %q, and %q after its answer was written over", before, after)
	}
}

func printsAccepted(tb testing.TB, rig PrinterRig) {
	var want [][]byte
	for _, kind := range rig.Printer.Accepts() {
		job := page(kind)
		if err := rig.print(tb, job); err != nil {
			tb.Errorf("printing %q, which it accepts: %v", kind, err)
		}
		want = append(want, job.Data)
	}
	rig.wantPrinted(tb, want...)
}

func printsOnce(tb testing.TB, rig PrinterRig) {
	job := rig.first(tb)
	for range 2 {
		if err := rig.print(tb, job); err != nil {
			tb.Errorf("printing: %v", err)
		}
	}
	wait(tb, time.Second)
	rig.wantPrinted(tb, job.Data, job.Data)
}

func jobKept(tb testing.TB, rig PrinterRig) {
	job := rig.first(tb)
	data := bytes.Clone(job.Data)
	if err := rig.print(tb, job); err != nil {
		tb.Errorf("printing: %v", err)
	}
	if !bytes.Equal(job.Data, data) {
		tb.Error("the printer wrote into the job")
	}
	clear(job.Data)
	rig.wantPrinted(tb, data)
}

func otherKind(tb testing.TB, rig PrinterRig) {
	accepts := rig.Printer.Accepts()
	for _, kind := range append([]devices.JobKind{"papyrus"}, knownKinds...) {
		if slices.Contains(accepts, kind) {
			continue
		}
		job := page(kind)
		wantKind(tb, "printing "+string(kind), rig.print(tb, job), devices.Unsupported)
	}
	rig.wantPrinted(tb)
}

func endedPrint(tb testing.TB, rig PrinterRig) {
	job := rig.first(tb)
	err := within(tb, promptly, "printing with an ended context", func() error {
		return rig.Printer.Print(gaveUp(tb), job)
	})
	wantKind(tb, "the context had ended", err, devices.Cancelled)
	rig.wantPrinted(tb)
}

// trouble makes a check of a state in which the printer cannot print: the job
// is refused with its Kind, is not printed later by itself, and the next one
// comes out when the trouble is over.
func trouble(kind devices.Kind) func(testing.TB, PrinterRig) {
	return func(tb testing.TB, rig PrinterRig) {
		if rig.Fail == nil {
			tb.Skip("SKIPPED: nobody can put this printer into trouble by program")
		}
		job := rig.first(tb)
		rig.Fail(kind)
		wantKind(tb, "printing in trouble", rig.print(tb, job), kind)
		rig.Fail(devices.KindNone)
		wait(tb, time.Second)
		rig.wantPrinted(tb)
		if err := rig.print(tb, job); err != nil {
			tb.Errorf("printing when the trouble was over: %v", err)
		}
		rig.wantPrinted(tb, job.Data)
	}
}

func unpluggedPrint(tb testing.TB, rig PrinterRig) {
	if rig.Unplug == nil {
		tb.Skip("SKIPPED: nobody can pull this printer out by program")
	}
	job := rig.first(tb)
	rig.Unplug()
	wait(tb, time.Second)
	wantKind(tb, "printing after unplugging", rig.print(tb, job), devices.Gone, devices.Missing)
	rig.wantPrinted(tb)
}

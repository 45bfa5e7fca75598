package slip_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/clerklog"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/slip"
)

// report is a printed record with every kind of deed in it.
func report(language string, change func(*slip.Deeds)) string {
	at := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	d := slip.Deeds{From: at, At: at, Site: "FWC87", Language: language, Local: func(t time.Time) time.Time { return t.Add(time.Hour) }}
	for _, kind := range clerklog.Kinds() {
		d.Record.Deeds = append(d.Record.Deeds, api.Deed{At: at, Who: "robin", Did: kind, Whom: "averyveryverylongfir12", Case: "0123456789abcdef"})
	}
	if change != nil {
		change(&d)
	}
	return strings.Join(slip.Text(slip.Report(d)), "\n")
}

func TestEveryDeedHasItsLine(t *testing.T) {
	t.Parallel()
	for _, language := range []string{"en", "cy"} {
		text := report(language, nil)
		for line := range strings.SplitSeq(text, "\n") {
			if utf8.RuneCountInString(line) > slip.Width {
				t.Errorf("%s: %q does not fit", language, line)
			}
		}
		if strings.Count(text, "22/11 11:00 robin") != len(clerklog.Kinds()) {
			t.Errorf("%s: not every line has its time and who:\n%s", language, text)
		}
	}
	if report("en", nil) == report("cy", nil) {
		t.Error("Welsh is English")
	}
}

func TestAReportSaysWhoseAndWhatIsWrong(t *testing.T) {
	t.Parallel()
	whole := report("en", nil)
	if !strings.Contains(whole, "everybody") || strings.Contains(whole, "missing") || strings.Contains(whole, "older") || strings.Contains(whole, "TRAINING") {
		t.Errorf("got:\n%s", whole)
	}
	harmed := report("en", func(d *slip.Deeds) {
		d.About, d.Training, d.Record.More, d.Record.Problem = "kim", true, true, proof.KindLogDamaged
		d.Record.Deeds = []api.Deed{
			{Who: "robin", Did: api.DidChange, Whom: "kim", Role: proof.Clerk, Training: &proof.Training{Impostor: proof.Date{Year: 2026, Month: 3, Day: 1}}},
			{Who: "kim", Did: api.DidEnd, Case: "c1", Ref: "CP-7K2M-49QX"}, {Did: "something_new"},
		}
	})
	for _, want := range []string{"kim", "missing or were", "more that is older", "TRAINING", "clerk", "2026-03-01 / - / -", "CP-7K2M-49QX", "something new"} {
		if !strings.Contains(harmed, want) {
			t.Errorf("%q is not in:\n%s", want, harmed)
		}
	}
	if strings.Contains(harmed, "everybody") {
		t.Errorf("one clerk's record says that it is everybody's:\n%s", harmed)
	}
}

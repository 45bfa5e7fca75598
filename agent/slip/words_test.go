package slip

import (
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/counterproof/counterproof/agent/clerklog"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/sync/wire"
)

// missing lists what a catalogue lacks.
func missing(w words) []string {
	var out []string
	v := reflect.ValueOf(w)
	for i := range v.NumField() {
		if v.Field(i).IsZero() {
			out = append(out, v.Type().Field(i).Name)
		}
	}
	for _, r := range []proof.Result{proof.Proved, proof.Review, proof.NotProved, proof.Abandoned, proof.Pending, proof.Requested} {
		if w.result[r] == "" || len(w.next[r]) == 0 {
			out = append(out, string(r))
		}
	}
	for _, l := range []proof.Level{proof.NoLevel, proof.Low, proof.Medium, proof.High, proof.VeryHigh} {
		if w.levels[l] == "" {
			out = append(out, string(l))
		}
	}
	for _, k := range wire.NoticeKinds() {
		if w.news[k] == "" {
			out = append(out, string(k))
		}
	}
	for _, k := range clerklog.Kinds() {
		if w.deeds[k] == "" {
			out = append(out, string(k))
		}
	}
	return out
}

func TestCataloguesAreWhole(t *testing.T) {
	t.Parallel()
	for name, w := range map[string]words{"en": english, "cy": welsh} {
		if lacks := missing(w); len(lacks) > 0 {
			t.Errorf("%s lacks %v", name, lacks)
		}
	}
	if len(missing(words{title: "only this"})) == 0 {
		t.Error("an empty catalogue passes: the check is blind")
	}
}

func TestNewsIsTold(t *testing.T) {
	t.Parallel()
	for language, want := range map[string]string{"en": "prepared", "cy": "baratoi", "pl": "prepared"} {
		text := strings.Join(Text(Tell(News{Kind: wire.NoticeAccountReady, Ref: "ABCD-EFGH-JKM", Site: "FWC87", Language: language})), "\n")
		if !strings.Contains(text, want) || !strings.Contains(text, "ABCD-EFGH-JKM") {
			t.Errorf("%s: the second slip says\n%s", language, text)
		}
	}
	strange := strings.Join(Text(Tell(News{Kind: "a_kind_of_next_year", Ref: "ABCD-EFGH-JKM"})), " ")
	if !strings.Contains(strange, "helpdesk") || strings.Contains(strange, "next_year") {
		t.Errorf("news of an unknown kind says %s", strange)
	}
}

func TestOnlyThePatientsSlipHasTheToken(t *testing.T) {
	t.Parallel()
	facts := Facts{Outcome: proof.Outcome{Result: proof.Pending}, Ref: "ABCD-EFGH-JKM"}
	without := strings.Join(Text(Make(facts)), "\n")
	facts.Token, facts.Until = "WXYZ-2345", proof.Date{Year: 2027, Month: 2, Day: 1}
	with := strings.Join(Text(Make(facts)), "\n")
	if strings.Contains(without, "claim code") || !strings.Contains(with, "WXYZ-2345") || !strings.Contains(with, "2027-02-01") {
		t.Errorf("without a token\n%s\nwith one\n%s", without, with)
	}
}

// TestNewsFitsTheRoll holds that every second slip fits an 80 mm roll, says
// what to do next and names no level that it does not mean.
func TestNewsFitsTheRoll(t *testing.T) {
	t.Parallel()
	for _, language := range []string{"en", "cy"} {
		for _, kind := range wire.NoticeKinds() {
			lines := Tell(News{Kind: kind, Ref: "ABCD-EFGH-JKM", Site: "FWC87", Language: language, Training: true})
			said := strings.Join(Text(lines), " ")
			for _, l := range lines {
				if n := utf8.RuneCountInString(l.Text); n > Width {
					t.Errorf("%s, %s: a line of %d characters", language, kind, n)
				}
			}
			if p9 := strings.Contains(said, "P9"); p9 != (kind == wire.NoticeNHSP9) {
				t.Errorf("%s, %s: says P9: %t", language, kind, p9)
			}
			if !strings.Contains(said, "TRAINING") && !strings.Contains(said, "HYFFORDDIANT") {
				t.Errorf("%s, %s: a training slip does not say so", language, kind)
			}
		}
	}
}

// TestEveryResultIsASlip makes the slip of every result in both languages.
func TestEveryResultIsASlip(t *testing.T) {
	t.Parallel()
	seen := map[string]proof.Result{}
	for _, language := range []string{"en", "cy"} {
		for _, r := range []proof.Result{proof.Proved, proof.Review, proof.NotProved, proof.Abandoned, proof.Pending, proof.Requested} {
			said := strings.Join(Text(Make(Facts{Outcome: proof.Outcome{Result: r, Level: proof.Low, Profile: "L1B"}, Ref: "ABCD-EFGH-JKM", Language: language})), " ")
			if other, twice := seen[said]; twice {
				t.Errorf("%s: the slips of %s and %s are the same", language, r, other)
			}
			seen[said] = r
			if level := strings.Contains(said, "L1B"); level != (r == proof.Proved) {
				t.Errorf("%s: the slip of %s tells a level: %t", language, r, level)
			}
		}
	}
}

package slip_test

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/slip"
)

func facts(result proof.Result, language string) slip.Facts {
	level, profile := proof.NoLevel, ""
	if result == proof.Proved {
		level, profile = proof.Low, "L1B"
	}
	return slip.Facts{
		Outcome:  proof.Outcome{Result: result, Level: level, Profile: profile, Provisional: true},
		Ref:      "ABCD-EFGH-JKM",
		Site:     "FWC87",
		At:       time.Date(2026, 11, 22, 10, 5, 0, 0, time.UTC),
		Language: language,
		Training: true,
	}
}

func TestEverySlip(t *testing.T) {
	t.Parallel()
	for _, language := range []string{"en", "cy", "cy-GB", "pl"} {
		for _, result := range []proof.Result{proof.Proved, proof.Review, proof.NotProved, proof.Abandoned} {
			t.Run(language+"/"+string(result), func(t *testing.T) {
				lines := slip.Make(facts(result, language))
				big := slices.IndexFunc(lines, func(l slip.Line) bool { return l.Style == slip.Big })
				if big < 0 || lines[big].Text != "ABCD-EFGH-JKM" {
					t.Errorf("the reference does not stand large by itself: %v", lines)
				}
				for _, l := range slip.Text(lines) {
					if utf8.RuneCountInString(l) > slip.Width {
						t.Errorf("%q is wider than the paper", l)
					}
				}
				if lines[1].Style != slip.Head {
					t.Errorf("a training slip begins with %v", lines[:2])
				}
			})
		}
	}
}

func TestTrainingIsSaidOnlyInTraining(t *testing.T) {
	t.Parallel()
	f := facts(proof.Proved, "en")
	said := func() bool { return strings.Contains(strings.Join(slip.Text(slip.Make(f)), " "), "TRAINING") }
	if !said() {
		t.Error("a training slip does not say so")
	}
	f.Training = false
	if said() {
		t.Error("a real slip says training")
	}
}

func TestLevelIsNamedOnlyWhereThereIsOne(t *testing.T) {
	t.Parallel()
	text := func(r proof.Result) string { return strings.Join(slip.Text(slip.Make(facts(r, "en"))), " ") }
	if !strings.Contains(text(proof.Proved), "low (L1B)") || !strings.Contains(text(proof.Proved), "provisional") {
		t.Errorf("a proved visit says %s", text(proof.Proved))
	}
	for _, r := range []proof.Result{proof.Review, proof.NotProved, proof.Abandoned} {
		if strings.Contains(text(r), "Level") {
			t.Errorf("a visit without a level names one: %s", text(r))
		}
	}
}

func TestReviewBlamesNobody(t *testing.T) {
	t.Parallel()
	text := strings.ToLower(strings.Join(slip.Text(slip.Make(facts(proof.Review, "en"))), " "))
	for _, word := range []string{"fraud", "different", "fake", "fail", "suspect"} {
		if strings.Contains(text, word) {
			t.Errorf("the slip of a review says %q", word)
		}
	}
}

func TestLongWordsAreCut(t *testing.T) {
	t.Parallel()
	f := facts(proof.Proved, "en")
	f.Site = strings.Repeat("Q", 100)
	for _, l := range slip.Text(slip.Make(f)) {
		if utf8.RuneCountInString(l) > slip.Width {
			t.Errorf("%q is wider than the paper", l)
		}
	}
}

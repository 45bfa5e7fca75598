package plan

import (
	"slices"
	"strings"
	"testing"

	"github.com/counterproof/counterproof/agent/gpg45"
	"github.com/counterproof/counterproof/agent/proof"
)

// today of all facts in these tests.
var today = proof.Date{Year: 2026, Month: 11, Day: 22}

// trained 10 months before today.
var trained = proof.Training{
	Impostor: proof.Date{Year: 2026, Month: 1, Day: 22},
	Document: proof.Date{Year: 2026, Month: 1, Day: 22},
	UVIR:     proof.Date{Year: 2026, Month: 1, Day: 22},
}

// current is the default policy.
func current(t testing.TB) *gpg45.Policy {
	t.Helper()
	p, err := gpg45.Load("")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// passportFacts is a passport without chip reading, examined and compared by an
// operator trained within the year.
func passportFacts() gpg45.Facts {
	return gpg45.Facts{Today: today, Documents: []gpg45.Document{{
		Type: proof.Passport, Event: 4, Source: proof.FromCamera, Digits: gpg45.GoodDigits,
		Expiry: proof.Date{Year: 2031, Month: 5, Day: 1},
		Exam: &gpg45.Exam{Event: 5, DocumentExamined: proof.DocumentExamined{
			Original: true, Details: proof.Agree, Trained: trained, Features: []string{"hologram", "intaglio", "ghost_image"}}},
		Person: &gpg45.PersonCheck{Event: 8, PersonCompared: proof.PersonCompared{
			Answer: proof.Same, Method: proof.PersonInPerson, Trained: trained}},
	}}}
}

// raises are the suggestions for facts as "steps > profile".
func raises(t *testing.T, f gpg45.Facts) ([]string, gpg45.Assessment) {
	t.Helper()
	a, err := current(t).Assess(f)
	if err != nil {
		t.Fatal(err)
	}
	suggested := Raise(current(t), f, a)
	if suggested == nil {
		t.Error("the list is nil, which is written as null")
	}
	var got []string
	for _, r := range suggested {
		got = append(got, r.Params["steps"]+" > "+r.Params["profile"])
		if !strings.HasPrefix(r.Params["steps"], string(r.Code)) || !proof.Level(r.Params["level"]).Above(a.Level) {
			t.Errorf("suggestion %+v above %s", r, a.Level)
		}
		if text := Explain(r); strings.ContainsAny(text, "{}") || !strings.HasPrefix(text, "To reach level") {
			t.Errorf("suggestion %+v reads %q", r, text)
		}
	}
	if len(got) > maxRaises {
		t.Errorf("%d suggestions", len(got))
	}
	return got, a
}

func TestRaise(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(f *gpg45.Facts)
		first  string   // steps > profile of the first suggestion
		others []string // among the suggestions
	}{
		{"L1B/recent-training", func(*gpg45.Facts) {}, "read_chip > M1C", []string{"uv_ir_examination > M1C", "second_document,fraud_check_after_sync > M2C", "fraud_check_after_sync,activity_after_sync > M1B"}},
		{"L1B/older-training", func(f *gpg45.Facts) { f.Documents[0].Person.Trained.Impostor.Year = 2024 }, "read_chip,training_refresh > M1C", []string{"read_chip,fraud_check_after_sync > M1A"}},
		{"M1C/chip", func(f *gpg45.Facts) {
			f.Documents[0].Chip = &gpg45.ChipCheck{Verdict: proof.ChipGenuine, Revocation: proof.RevocationGood, Clone: proof.CloneExcluded}
		}, "fraud_check_after_sync > H1A", nil},
		{"none/not-examined", func(f *gpg45.Facts) { f.Documents[0].Exam = nil }, "read_chip > M1C", []string{"examine_document > L1B", "record_check_after_sync > L1B"}},
		{"none/not-compared", func(f *gpg45.Facts) { f.Documents[0].Person = nil }, "compare_person > L1B", nil},
		{"none/expired", func(f *gpg45.Facts) { f.Documents[0].Expiry.Year = 2020 }, "show_document,compare_person > L1B", nil},
		{"none/nothing-shown", func(f *gpg45.Facts) { f.Documents = nil }, "show_document,compare_person > L1B", nil},
		{"none/vouch", func(f *gpg45.Facts) {
			f.Documents = nil
			f.Vouches = []gpg45.Vouch{{Proved: proof.Medium, Confirmed: true, KnownSince: proof.Date{Year: 2001}, Given: today}}
		}, "second_document > L1B", []string{"fraud_check_after_sync > L1A"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := passportFacts()
			c.change(&f)
			got, _ := raises(t, f)
			if len(got) == 0 || got[0] != c.first {
				t.Errorf("suggestions %q, want %q first", got, c.first)
			}
			for _, other := range c.others {
				if !slices.Contains(got, other) {
					t.Errorf("%q is not suggested, only %q", other, got)
				}
			}
		})
	}
}

// TestRaiseAfterSync suggests nothing that the sources have already answered.
func TestRaiseAfterSync(t *testing.T) {
	t.Parallel()
	f := passportFacts()
	f.Sources = &gpg45.Sources{}
	got, _ := raises(t, f)
	if len(got) == 0 || strings.Contains(strings.Join(got, " "), "after_sync") {
		t.Errorf("suggests %q", got)
	}
}

func TestRaiseOfAWithheldLevel(t *testing.T) {
	t.Parallel()
	f := passportFacts()
	f.Documents[0].Machine = &gpg45.MachineCheck{Decision: proof.NoMatch}
	if got, a := raises(t, f); len(got) > 0 || len(a.Hold) == 0 {
		t.Errorf("the counter is told how to raise a withheld level: %v (%v)", got, a.Hold)
	}
}

func TestRaiseLeavesTheFactsAlone(t *testing.T) {
	t.Parallel()
	f := passportFacts()
	f.Vouches = []gpg45.Vouch{{Event: 9, Proved: proof.Low, KnownSince: proof.Date{Year: 2001}, Given: today}}
	a, err := current(t).Assess(f)
	if err != nil {
		t.Fatal(err)
	}
	Raise(current(t), f, a)
	d, want := f.Documents[0], passportFacts().Documents[0]
	if len(f.Documents) != 1 || d.Chip != nil || !slices.Equal(d.Exam.Features, want.Exam.Features) || d.Exam.UVIR ||
		d.Person.Trained != trained || f.Vouches[0].Confirmed || f.Sources != nil {
		t.Errorf("the facts became %+v", f)
	}
}

func TestRaiseOfImpossibleFacts(t *testing.T) {
	t.Parallel()
	if got := Raise(current(t), gpg45.Facts{}, gpg45.Assessment{Level: proof.NoLevel}); got == nil || len(got) > 0 {
		t.Errorf("facts without a day came to %v", got)
	}
}

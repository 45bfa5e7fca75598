package gpg45

import (
	"slices"
	"strings"
	"testing"

	"github.com/counterproof/counterproof/agent/nhs"
	"github.com/counterproof/counterproof/agent/proof"
)

// goodVouch is a declaration by somebody who was proved to medium at this desk.
func goodVouch() Vouch {
	return Vouch{Event: 6, By: clerk, Proved: proof.Medium, Confirmed: true,
		KnownSince: proof.Date{Year: 2019, Month: 4, Day: 1}, Given: today}
}

// TestOneVouch changes one fact of a good vouch at a time.
func TestOneVouch(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		change  func(v *Vouch)
		want    string // strength/validity verification
		because proof.Code
	}{
		{"good", func(*Vouch) {}, "2/2 1", codeVouchDigital},
		{"good/confirmed", func(*Vouch) {}, "2/2 1", codeVouchConfirmed},
		{"high", func(v *Vouch) { v.Proved = proof.High }, "3/2 1", codeVouchHigh},
		{"very-high", func(v *Vouch) { v.Proved = proof.VeryHigh }, "3/2 1", codeVouchHigh},
		{"low", func(v *Vouch) { v.Proved = proof.Low }, "2/1 1", codeVouchPaper},
		{"not-proved", func(v *Vouch) { v.Proved = proof.NoLevel }, "2/1 0", codeVoucherNotProved},
		{"level-not-told", func(v *Vouch) { v.Proved = "" }, "2/1 0", codeVoucherNotProved},
		{"level-of-another-world", func(v *Vouch) { v.Proved = "platinum" }, "2/1 0", codeVoucherNotProved},
		{"paper", func(v *Vouch) { v.Paper, v.Confirmed = true, false }, "2/1 0", codeVouchNotConfirmed},
		{"paper/voucher-proved-high", func(v *Vouch) { v.Paper, v.Proved = true, proof.High }, "2/1 1", codeVouchPaper},
		{"confirms-nobody", func(v *Vouch) { v.Confirmed = false }, "2/2 0", codeVouchNotConfirmed},
		{"known/not-told", func(v *Vouch) { v.KnownSince = proof.Date{} }, "- 0", codeVouchKnownTooShort},
		{"known/impossible", func(v *Vouch) { v.KnownSince = proof.Date{Year: 2001, Month: 2, Day: 30} }, "- 0", codeVouchKnownTooShort},
		{"known/in-the-future", func(v *Vouch) { v.KnownSince.Year = 2027 }, "- 0", codeVouchKnownTooShort},
		{"known/year-only-counts-to-its-end", func(v *Vouch) { v.KnownSince = proof.Date{Year: 2024} }, "- 0", codeVouchKnownTooShort},
		{"known/an-earlier-year", func(v *Vouch) { v.KnownSince = proof.Date{Year: 2023} }, "2/2 1", codeVouchDigital},
		{"known/month-only-counts-to-its-end", func(v *Vouch) { v.KnownSince = proof.Date{Year: 2024, Month: 11} }, "- 0", codeVouchKnownTooShort},
		{"known/the-month-before", func(v *Vouch) { v.KnownSince = proof.Date{Year: 2024, Month: 10} }, "2/2 1", codeVouchDigital},
		{"known/by-the-day-of-the-letter", func(v *Vouch) {
			v.KnownSince, v.Given = proof.Date{Year: 2024, Month: 11, Day: 1}, proof.Date{Year: 2026, Month: 10, Day: 1}
		}, "- 0", codeVouchKnownTooShort},
		{"given/not-told", func(v *Vouch) { v.Given = proof.Date{} }, "- 0", codeVouchDateWrong},
		{"given/no-day", func(v *Vouch) { v.Given.Day = 0 }, "- 0", codeVouchDateWrong},
		{"given/impossible", func(v *Vouch) { v.Given = proof.Date{Year: 2026, Month: 2, Day: 29} }, "- 0", codeVouchDateWrong},
		{"given/tomorrow", func(v *Vouch) { v.Given.Day++ }, "- 0", codeVouchDateWrong},
		{"given/last-summer", func(v *Vouch) { v.Given.Month = 7 }, "- 0", codeVouchTooOld},
		{"problem/related", func(v *Vouch) { v.Problems = []proof.Code{proof.VouchRelated} }, "- 0", proof.VouchRelated},
		{"problem/one-of-two", func(v *Vouch) { v.Problems = []proof.Code{proof.VouchRelated, proof.VouchNotSigned} }, "- 0", proof.VouchNotSigned},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := goodVouch()
			c.change(&v)
			a, err := current(t).Assess(Facts{Today: today, Vouches: []Vouch{v}})
			if err != nil {
				t.Fatal(err)
			}
			evidence, verification, _ := strings.Cut(c.want, " ")
			if want := scores(t, evidence, "0 0 "+verification); !sameScores(a.Scores, want) {
				t.Errorf("scores %+v, want %s", a.Scores, c.want)
			}
			if !tells(a, c.because) {
				t.Errorf("%s is not among the reasons %+v", c.because, a.Reasons)
			}
			for _, check := range a.Checks {
				if check.Method == MethodVouch && (check.By != clerk || check.Event != 6) {
					t.Errorf("the check %+v does not say who took the vouch", check)
				}
			}
			if tells(a, codeNoEvidence) || len(a.Hold) > 0 {
				t.Errorf("a vouch is taken for nothing, or for a crime: %+v %v", a.Reasons, a.Hold)
			}
		})
	}
}

// TestVouchAlone: without a photo document a vouch gives low at most, and only
// with a fraud check or a voucher proved to high.
func TestVouchAlone(t *testing.T) {
	t.Parallel()
	f := Facts{Today: today, Vouches: []Vouch{goodVouch()}}
	for fraud := range maxFraud + 1 {
		for activity := range maxActivity + 1 {
			f.Sources = &Sources{Fraud: fraud, Activity: activity}
			a, err := current(t).Assess(f)
			if err != nil || a.Level.Above(proof.Low) || (a.Level == proof.Low) != (fraud > 0) {
				t.Errorf("fraud %d and activity %d give %s (%v)", fraud, activity, a.Level, err)
			}
		}
	}
}

// TestVouchComparesNobody: whatever a policy gives a vouch for verification, it
// is no comparison with a photo, so it never comes to P9.
func TestVouchComparesNobody(t *testing.T) {
	t.Parallel()
	text, err := files.ReadFile("policy/" + Default + ".json")
	if err != nil {
		t.Fatal(err)
	}
	p, err := Parse([]byte(strings.NewReplacer(
		`"vouch_verification": 1`, `"vouch_verification": 4`, `"vouch_ceiling": [3, 2]`, `"vouch_ceiling": [4, 4]`).Replace(string(text))))
	if err != nil {
		t.Fatal(err)
	}
	v := goodVouch()
	v.Proved = proof.High
	a, err := p.Assess(Facts{Today: today, Vouches: []Vouch{v}})
	if err != nil || a.Scores.Verification != 4 || !a.Level.Above(proof.Medium) {
		t.Fatalf("the generous policy gives %s, verification %d (%v)", a.Level, a.Scores.Verification, err)
	}
	s := p.NHS().Assess(nhs.Facts{Birth: proof.Date{Year: 1980, Month: 1, Day: 1}, Today: today, Level: a.Level, Checks: a.Checks, Record: nhs.OneExact})
	if s.Level != proof.P5 {
		t.Errorf("a vouch gives %s, want P5 at most", s.Level)
	}
}

// TestVouchBesideDocuments: a vouch is a piece of its own, counts once, and its
// verification does not hide that nobody compared a photo.
func TestVouchBesideDocuments(t *testing.T) {
	t.Parallel()
	paper := goodVouch()
	paper.Paper, paper.Confirmed = true, false
	f := passportFacts()
	f.Vouches = []Vouch{paper, goodVouch()}
	a, err := current(t).Assess(f)
	if err != nil {
		t.Fatal(err)
	}
	if want := scores(t, "3/2 2/2", "0 0 3"); !sameScores(a.Scores, want) {
		t.Errorf("scores %+v", a.Scores)
	}
	if !tells(a, codeSameTypeOnce) {
		t.Error("the second vouch is not said to be the same piece")
	}
	f.Vouches, f.Documents[0].Person = nil, nil
	if a, err = current(t).Assess(f); err != nil || !tells(a, proof.FaceNotCompared) {
		t.Errorf("nobody compared, and it is not said: %+v (%v)", a.Reasons, err)
	}
	f.Vouches = []Vouch{goodVouch()}
	if a, err = current(t).Assess(f); err != nil || tells(a, proof.FaceNotCompared) || a.Scores.Verification != 1 {
		t.Errorf("the voucher confirmed, and verification is said to be 0: %+v (%v)", a.Reasons, err)
	}
}

// TestVouchActivity: a policy may count a vouch as a known life.
func TestVouchActivity(t *testing.T) {
	t.Parallel()
	text, err := files.ReadFile("policy/" + Default + ".json")
	if err != nil {
		t.Fatal(err)
	}
	p, err := Parse([]byte(strings.Replace(string(text), `"vouch_activity": 0`, `"vouch_activity": 2`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	f := Facts{Today: today, Vouches: []Vouch{goodVouch()}}
	a, err := p.Assess(f)
	if err != nil || a.Scores.Activity != 2 || !tells(a, codeVouchActivity) || tells(a, codeActivityNotChecked) {
		t.Errorf("activity %d, reasons %+v (%v)", a.Scores.Activity, a.Reasons, err)
	}
	f.Sources = &Sources{Activity: 1}
	if a, err = p.Assess(f); err != nil || a.Scores.Activity != 2 {
		t.Errorf("a source that knows less takes activity away: %d (%v)", a.Scores.Activity, err)
	}
	f.Vouches[0].Problems = []proof.Code{proof.VouchRelated}
	if a, err = p.Assess(f); err != nil || a.Scores.Activity != 1 {
		t.Errorf("a vouch that counts for nothing gives activity %d (%v)", a.Scores.Activity, err)
	}
}

// TestVouchIsNoDocument: whoever shows a vouch as a document shows nothing.
func TestVouchIsNoDocument(t *testing.T) {
	t.Parallel()
	f := passportFacts()
	f.Documents[0].Type = proof.Vouch
	a, err := current(t).Assess(f)
	if err != nil || len(a.Scores.Evidence) > 0 || a.Scores.Verification > 0 || !tells(a, codeVouchNoDocument) {
		t.Errorf("it came to %+v (%v)", a, err)
	}
}

func TestTypesAsThePolicyTellsThem(t *testing.T) {
	t.Parallel()
	p := current(t)
	for _, c := range []struct {
		kind proof.EvidenceType
		want TypeInfo
	}{
		{"passport", TypeInfo{Type: "passport", Strength: 3, Family: "passport", Form: proof.ByZone, Photo: true, Expires: true, Chip: "passport_chip", Features: "booklet"}},
		{"uk_dl", TypeInfo{Type: "uk_dl", Strength: 3, Family: "driving_licence", Form: proof.ByField, Photo: true, Expires: true, Features: "card"}},
		{"tenancy", TypeInfo{Type: "tenancy", Strength: 2, Family: "tenancy", Form: proof.ByField}},
		{"vouch", TypeInfo{Type: "vouch", Family: "vouch", Form: proof.ByVouch}},
		{"nino_card", TypeInfo{Type: "nino_card", Family: "nino_card", Form: proof.ByField, Refused: true}},
		{"library_card", TypeInfo{Type: "other", Strength: 1, Family: "other", Form: proof.ByField, Photo: true}},
	} {
		if got := p.Type(c.kind); got != c.want {
			t.Errorf("%s is %+v, want %+v", c.kind, got, c.want)
		}
	}
	if got, want := p.Months(), (Months{Examined: 36, UVIR: 12, Compared: 36, Recent: 12}); got != want {
		t.Errorf("months %+v, want %+v", got, want)
	}
	if !slices.Contains(p.Types(), proof.Vouch) {
		t.Error("a vouch is not among the kinds of evidence")
	}
}

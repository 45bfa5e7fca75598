package nhs

import (
	"slices"
	"strings"
	"testing"

	"github.com/counterproof/counterproof/agent/proof"
	"pgregory.net/rapid"
)

// checks of a comparison by an operator that scored so much.
func checks(score int) []proof.Check {
	return []proof.Check{
		{Method: proof.PhysicalInPerson, Part: "validity", Score: 2},
		{Method: proof.BiometricPresent, Part: "verification", Score: 0},
		{Method: proof.PersonInPerson, Part: "verification", Score: score},
	}
}

// adult facts: M1C at a counter without a line.
func adult() Facts {
	return Facts{Birth: proof.Date{Year: 1980, Month: 2, Day: 29}, Today: proof.Date{Year: 2026, Month: 11, Day: 22},
		Level: proof.Medium, Checks: checks(3)}
}

func TestAssess(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(f *Facts)
		level  proof.NHSLevel
		later  bool // provisional
		now    proof.NHSLevel
		says   string // first reason
	}{
		{"offline/medium", func(*Facts) {}, proof.P9, true, proof.NHSNone, "nhs_p9_if_record_matches"},
		{"offline/contact-confirmed", func(f *Facts) { f.Contact = true }, proof.P9, true, proof.P0, "nhs_p9_if_record_matches"},
		{"offline/L1B", func(f *Facts) { f.Level = proof.Low }, proof.P5, true, proof.NHSNone, "nhs_p5_if_record_matches"},
		{"offline/medium-by-verification-2", func(f *Facts) { f.Checks = checks(2) }, proof.P5, true, proof.NHSNone, "nhs_p5_if_record_matches"},
		{"offline/nothing-proved", func(f *Facts) { f.Level, f.Checks = proof.NoLevel, nil }, proof.P5, true, proof.NHSNone, "nhs_p5_if_record_matches"},
		{"offline/details-pending", func(f *Facts) { f.Level, f.Details = proof.NoLevel, DetailsPending }, proof.P9, true, proof.NHSNone, "nhs_p9_if_details_accepted"},
		{"remote-comparison-is-not-physical", func(f *Facts) { f.Checks[2].Method = proof.PersonRemote }, proof.P5, true, proof.NHSNone, "nhs_p5_if_record_matches"},

		{"matched/high", func(f *Facts) { f.Level, f.Record = proof.High, OneExact }, proof.P9, false, proof.P9, "nhs_p9_proved"},
		{"matched/medium", func(f *Facts) { f.Record = OneExact }, proof.P9, false, proof.P9, "nhs_p9_proved"},
		{"matched/low", func(f *Facts) { f.Level, f.Record = proof.Low, OneExact }, proof.P5, false, proof.P5, "nhs_p5_record_matched"},
		{"matched/low-details-pending", func(f *Facts) { f.Level, f.Record, f.Details = proof.Low, OneExact, DetailsPending }, proof.P9, true, proof.P5, "nhs_p9_if_details_accepted"},
		{"matched/review", func(f *Facts) { f.Record, f.Review = OneExact, true }, proof.NHSNone, false, proof.NHSNone, "nhs_review_first"},
		{"review/contact-stays", func(f *Facts) { f.Review, f.Contact = true, true }, proof.P0, false, proof.P0, "nhs_review_first"},
		{"partly-matched", func(f *Facts) { f.Record = OnePartial }, proof.NHSNone, false, proof.NHSNone, "nhs_record_needs_one_more_detail"},
		{"not-found", func(f *Facts) { f.Record, f.Contact = NoMatch, true }, proof.P0, false, proof.P0, "nhs_record_not_found"},
		{"many", func(f *Facts) { f.Record = Many }, proof.NHSNone, false, proof.NHSNone, "nhs_record_not_found"},
		{"not-found/details-pending", func(f *Facts) { f.Record, f.Details = NoMatch, DetailsPending }, proof.P9, true, proof.NHSNone, "nhs_p9_if_details_accepted"},
		{"details-accepted", func(f *Facts) { f.Level, f.Details = proof.NoLevel, DetailsAccepted }, proof.P9, false, proof.P9, "nhs_p9_by_details"},
		{"details-accepted/review", func(f *Facts) { f.Review, f.Details = true, DetailsAccepted }, proof.NHSNone, false, proof.NHSNone, "nhs_review_first"},

		{"age/16-today", func(f *Facts) { f.Birth = proof.Date{Year: 2010, Month: 11, Day: 22} }, proof.P9, true, proof.NHSNone, "nhs_p9_if_record_matches"},
		{"age/16-tomorrow", func(f *Facts) { f.Birth = proof.Date{Year: 2010, Month: 11, Day: 23} }, proof.ParentAttested, false, proof.ParentAttested, "nhs_under_age"},
		{"age/year-only-counts-as-its-last-day", func(f *Facts) { f.Birth = proof.Date{Year: 2010} }, proof.ParentAttested, false, proof.ParentAttested, "nhs_under_age"},
		{"age/child-matched", func(f *Facts) { f.Birth.Year, f.Birth.Day, f.Record = 2019, 1, OneExact }, proof.ParentAttested, false, proof.ParentAttested, "nhs_under_age"},
		{"age/not-known", func(f *Facts) { f.Birth = proof.Date{} }, proof.NHSNone, false, proof.NHSNone, "nhs_birth_not_known"},
		{"age/not-born", func(f *Facts) { f.Birth.Year, f.Birth.Day = 2031, 1 }, proof.NHSNone, false, proof.NHSNone, "nhs_birth_not_known"},
		{"age/impossible", func(f *Facts) { f.Birth.Day = 30 }, proof.NHSNone, false, proof.NHSNone, "nhs_birth_not_known"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := adult()
			c.change(&f)
			s := rules.Assess(f)
			if s.Level != c.level || s.Provisional != c.later || s.Now != c.now {
				t.Errorf("got %+v, want %s provisional %v, now %s", s, c.level, c.later, c.now)
			}
			if string(s.Reasons[0].Code) != c.says {
				t.Errorf("says %v, want %s first", s.Reasons, c.says)
			}
		})
	}
}

// TestStoppedLooksLikeNoMatch: a record that must stay hidden cannot be told
// from none by anything in the answer.
func TestStoppedLooksLikeNoMatch(t *testing.T) {
	t.Parallel()
	f := adult()
	f.Record = Stopped
	hidden := rules.Assess(f)
	f.Record = NoMatch
	none := rules.Assess(f)
	if hidden.Level != none.Level || hidden.Provisional != none.Provisional || hidden.Now != none.Now ||
		!slices.EqualFunc(hidden.Reasons, none.Reasons, func(a, b proof.Reason) bool { return a.Code == b.Code }) {
		t.Errorf("hidden %+v, none %+v", hidden, none)
	}
}

func TestReasonsOfTheShortfall(t *testing.T) {
	t.Parallel()
	f := adult()
	f.Level, f.Checks = proof.Low, checks(2)
	var said []string
	for _, r := range rules.Assess(f).Reasons {
		said = append(said, Explain(r))
	}
	want := "NHS level P5 if the NHS record matches. The NHS record is asked for after the record is sent. " +
		"Not P9: the identity is proved to level low; medium is needed. Not P9: the comparison with a photo scored 2; 3 is needed."
	if got := strings.Join(said, " "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestYoungChildIsBelowEveryAge(t *testing.T) {
	t.Parallel()
	f := adult()
	f.Birth = proof.Date{Year: 2016, Month: 3, Day: 1}
	s := rules.Assess(f)
	if len(s.Reasons) != 2 || s.Reasons[0].Params["age"] != "16" || s.Reasons[1].Params["age"] != "13" {
		t.Errorf("reasons %+v", s.Reasons)
	}
}

// TestNothingIsOverstated: whatever the facts, P9 that is not provisional has
// its comparison and its record, or the practice's word, and no one under 16
// or in review has more than P0.
func TestNothingIsOverstated(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := Facts{
			Birth:   proof.Date{Year: rapid.IntRange(2000, 2027).Draw(t, "year"), Month: rapid.IntRange(0, 12).Draw(t, "month"), Day: rapid.IntRange(0, 28).Draw(t, "day")},
			Today:   proof.Date{Year: 2026, Month: 11, Day: 22},
			Level:   rapid.SampledFrom([]proof.Level{proof.NoLevel, proof.Low, proof.Medium, proof.VeryHigh, "?"}).Draw(t, "level"),
			Checks:  checks(rapid.IntRange(0, 4).Draw(t, "verification")),
			Review:  rapid.Bool().Draw(t, "review"),
			Record:  rapid.SampledFrom([]Record{NotAsked, OneExact, OnePartial, NoMatch, Many, Stopped, "?"}).Draw(t, "record"),
			Details: rapid.SampledFrom([]GPDetails{"", DetailsPending, DetailsAccepted, "?"}).Draw(t, "details"),
			Contact: rapid.Bool().Draw(t, "contact"),
		}
		s := rules.Assess(f)
		proved := f.Level.Above(proof.Low) && f.Checks[2].Score >= 3
		if s.Now == proof.P9 && f.Details != DetailsAccepted && (f.Record != OneExact || !proved) {
			t.Fatalf("P9 for %+v", f)
		}
		if s.Now == proof.P5 && f.Record != OneExact {
			t.Fatalf("P5 for %+v", f)
		}
		if s.Now == proof.P0 && !f.Contact {
			t.Fatalf("P0 for %+v", f)
		}
		if high := s.Level == proof.P5 || s.Level == proof.P9; high && (f.Review || 2026-f.Birth.Year < 16) {
			t.Fatalf("%s for %+v", s.Level, f)
		}
		if !s.Provisional && s.Now != s.Level {
			t.Fatalf("%+v for %+v", s, f)
		}
		for _, r := range s.Reasons {
			if !slices.Contains(Codes(), r.Code) || strings.ContainsAny(Explain(r), "{}") {
				t.Fatalf("reason %+v reads %q", r, Explain(r))
			}
		}
	})
}

func TestRulesThatGiveForNothing(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(r *Rules){
		"level/none":      func(r *Rules) { r.P9Level = proof.NoLevel },
		"level/unknown":   func(r *Rules) { r.P9Level = "P9" },
		"verification/0":  func(r *Rules) { r.P9Verification = 0 },
		"verification/5":  func(r *Rules) { r.P9Verification = 5 },
		"age/none":        func(r *Rules) { r.P5Age = 0 },
		"age/wrong-order": func(r *Rules) { r.P9Age = 12 },
	} {
		t.Run(name, func(t *testing.T) {
			r := rules
			change(&r)
			if r.Validate() == nil {
				t.Errorf("%+v was taken", r)
			}
		})
	}
	if err := rules.Validate(); err != nil {
		t.Error(err)
	}
	if got := Explain(proof.Reason{Code: "never_heard_of"}); got != "never_heard_of" {
		t.Errorf("an unknown code reads %q", got)
	}
}

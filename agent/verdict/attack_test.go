package verdict_test

import (
	"slices"
	"testing"

	"github.com/counterproof/counterproof/agent/gpg45"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/route"
	"github.com/counterproof/counterproof/agent/verdict"
)

// then joins facts, with a result between them that lets more evidence begin.
func then(lists ...[]proof.Fact) []proof.Fact {
	var out []proof.Fact
	for i, l := range lists {
		if i > 0 {
			out = append(out, decided)
		}
		out = append(out, l...)
	}
	return out
}

// with changes the fact of a piece at a place: 1 is its fields, 2 its
// examination, 4 the comparison.
func with[F proof.Fact](facts []proof.Fact, at int, change func(*F)) []proof.Fact {
	out := slices.Clone(facts)
	f := out[at].(F)
	change(&f)
	out[at] = f
	return out
}

// TestWhatSpeaksAgainstUnlinkedEvidence holds that a forgery, or somebody
// else's document, is not forgotten because it tells another name.
func TestWhatSpeaksAgainstUnlinkedEvidence(t *testing.T) {
	t.Parallel()
	own, theirs := card(t, "forces_id", wren, "F1"), card(t, "tacho_card", tal, "T1")
	for rule, c := range map[string]struct {
		second []proof.Fact
		reason proof.Code
	}{
		"looked wrong":    {with(theirs[:3], 2, func(f *proof.DocumentExamined) { f.Doubts = []string{"hologram"} }), proof.DocCounterfeit},
		"contradicted":    {with(theirs[:3], 2, func(f *proof.DocumentExamined) { f.Details = proof.Contradicts }), proof.DataMismatch},
		"another person":  {slices.Concat(theirs[:3], []proof.Fact{proof.PersonCompared{Answer: proof.Different, Method: proof.PersonInPerson, Trained: trained}}), proof.FaceDifferent},
		"nothing against": {slices.Concat(theirs[:3], []proof.Fact{same}), ""},
	} {
		out := verdict.Decide(visit(proof.AnyEvidence, then(own, c.second)...), policy(t))
		want := proof.Review
		if c.reason == "" {
			want = proof.Proved
		}
		if out.Result != want || c.reason != "" && !tells(out, c.reason) || !tells(out, proof.UnlinkedEvidence) {
			t.Errorf("%s: %s at %s, want %s: %+v", rule, out.Result, out.Level, want, out.Reasons)
		}
	}
	s := visit(proof.AnyEvidence, then(own, slices.Concat(theirs[:3], []proof.Fact{same}))...)
	stolen := verdict.Known{Documents: map[int]gpg45.RecordCheck{s.Entered.Event: {Hit: true}}}
	if out := verdict.Final(s, policy(t), stolen); out.Result != proof.Review {
		t.Errorf("a stolen document of another name: %s at %s", out.Result, out.Level)
	}
}

// TestEvidenceOfTwoPeople holds that an initial does not join the evidence of
// two people who share it.
func TestEvidenceOfTwoPeople(t *testing.T) {
	t.Parallel()
	initial := proof.Person{Surname: wren.Surname, Given: proof.NewName("W")}
	willa := person("SPECIMEN", "WILLA", day(1990, 5, 1))
	out := verdict.Decide(visit(proof.AnyEvidence, then(card(t, "bank_account", initial, "1234"), card(t, "forces_id", wren, "F1"),
		card(t, "birth_cert", willa, ""))...), policy(t))
	if len(out.Scores.Evidence) != 2 || !tells(out, proof.UnlinkedEvidence) {
		t.Errorf("a bank card joins two people: %+v", out.Scores.Evidence)
	}
	if out.NHS != proof.P5 {
		t.Errorf("NHS %s: the birth date that the second document tells is not known", out.NHS)
	}
}

// TestACertificateOfSomebodyElse holds that another's change of name joins no
// names of the patient's.
func TestACertificateOfSomebodyElse(t *testing.T) {
	t.Parallel()
	married := person("OTHER", "KAI", day(1990, 5, 1))
	certificate := with(card(t, "marriage_cert", married, ""), 1, func(f *proof.EvidenceEntered) { f.Former = wren.Surname })
	under := proof.Person{Surname: proof.NewName("OTHER"), Given: wren.Given, Birth: wren.Birth}
	out := verdict.Decide(visit(proof.AnyEvidence, then(card(t, "forces_id", wren, "F1"), certificate, card(t, "bus_pass", under, "B1"))...), policy(t))
	if len(out.Scores.Evidence) != 1 {
		t.Errorf("another's certificate joins a name: %+v", out.Scores.Evidence)
	}
}

// TestEvidenceThatNamesNobody holds that a document without a name is nobody's.
func TestEvidenceThatNamesNobody(t *testing.T) {
	t.Parallel()
	for _, facts := range [][]proof.Fact{
		card(t, "forces_id", proof.Person{}, "F1"),
		then(card(t, "bus_pass", wren, "B1"), card(t, "forces_id", proof.Person{}, "F1")),
	} {
		if out := verdict.Decide(visit(proof.AnyEvidence, facts...), policy(t)); out.Level != proof.NoLevel {
			t.Errorf("a document that names nobody gives %s: %+v", out.Level, out.Scores.Evidence)
		}
	}
}

// TestACopyTellsNobody holds that a copy neither says who somebody is nor keeps
// their own documents from counting.
func TestACopyTellsNobody(t *testing.T) {
	t.Parallel()
	copied := with(card(t, "birth_cert", tal, ""), 2, func(f *proof.DocumentExamined) { f.Original = false })
	s := visit(proof.AnyEvidence, then(copied, card(t, "forces_id", wren, "F1"))...)
	if out := verdict.Decide(s, policy(t)); out.Level != proof.Low || s.Claimed().Surname != wren.Surname {
		t.Errorf("after a copy of another name: %s at %s for %s", out.Result, out.Level, s.Claimed().Surname.Key)
	}
}

// TestASecondPersonHasNoPartInIt holds that whoever took the visit over, or had
// it before, is no second person to themselves.
func TestASecondPersonHasNoPartInIt(t *testing.T) {
	t.Parallel()
	facts := card(t, "forces_id", wren, "F1")
	confirms := func(op proof.OperatorID) proof.Fact { return proof.SecondPersonAnswered{Operator: op, Confirms: true} }
	byOne := []proof.Fact{proof.ColleagueNoticed{}, confirms("sam"), proof.HandedOver{To: "sam", Trained: trained}}
	takesOver := proof.HandedOver{To: "sam", Trained: trained}
	self := []proof.Fact{proof.ColleagueNoticed{Self: true}, takesOver, confirms("robin")}
	denied := []proof.Fact{proof.ColleagueNoticed{}, proof.SecondPersonAnswered{Operator: "sam"}, takesOver}
	for rule, c := range map[string]struct {
		facts []proof.Fact
		want  proof.Result
	}{
		"they take the visit over":       {slices.Concat(byOne, facts), proof.Review},
		"they are the patient":           {slices.Concat(facts[:2], self, facts[2:]), proof.Review},
		"they made a check before":       {slices.Concat(facts[:3], []proof.Fact{proof.ColleagueNoticed{}, takesOver, confirms("robin")}, facts[3:]), proof.Review},
		"they denied, and took it over":  {slices.Concat(denied, facts[:4], []proof.Fact{confirms("lin"), same, confirms("lin")}), proof.Review},
		"they only had the visit before": {slices.Concat(facts[:2], []proof.Fact{takesOver, proof.ColleagueNoticed{}, confirms("robin")}, facts[2:]), proof.Proved},
		"they have no part in the visit": {slices.Concat([]proof.Fact{proof.ColleagueNoticed{}, confirms("sam")}, facts), proof.Proved},
	} {
		out := verdict.Decide(handed(proof.AnyEvidence, c.facts...), policy(t))
		if out.Result != c.want || c.want == proof.Review && !tells(out, proof.NeedsSecondPerson) {
			t.Errorf("%s: %s at %s, want %s: %+v", rule, out.Result, out.Level, c.want, out.Reasons)
		}
	}
}

// handed is visit, with each fact by whoever has the visit then.
func handed(way proof.RouteName, facts ...proof.Fact) route.State {
	all := append([]proof.Fact{
		proof.VisitStarted{Case: "case0001", Record: "00", Route: way, Training: true, Operator: trained},
		proof.ConsentAnswered{Purpose: proof.ForProofing, Given: true},
	}, facts...)
	var events []proof.Event
	clerk := proof.OperatorID("robin")
	for i, f := range all {
		by := proof.Actor{Kind: proof.ByPerson, ID: clerk}
		switch f := f.(type) {
		case proof.HandedOver:
			clerk = f.To
		case proof.SecondPersonAnswered:
			by.ID = f.Operator
		}
		events = append(events, proof.Event{Seq: i + 1, At: started, By: by, Fact: f})
	}
	return route.Fold(events)
}

// TestThePartiesAreThreePeople holds that nobody acts for themselves, and that
// whoever wants to act for somebody does not vouch for them.
func TestThePartiesAreThreePeople(t *testing.T) {
	t.Parallel()
	request := proof.ProxyRequested{Relationship: "carer_consented", Basis: "consent", Agreed: true, Alone: true, Actions: []proof.Code{"appointments"}}
	choose := proof.WayChosen{Way: proof.ChooseEvidence}
	claimed := proof.IdentityClaimed{Person: wren}
	self := slices.Concat([]proof.Fact{claimed}, card(t, "forces_id", wren, "F1"), []proof.Fact{choose}, card(t, "bus_pass", wren, "B1"), []proof.Fact{request})
	if out := verdict.Decide(visit(proof.ProxyAccess, self...), policy(t)); out.Result != proof.Review {
		t.Errorf("somebody acts for themselves: %s %+v", out.Result, out.Reasons)
	}
	vouching := slices.Concat([]proof.Fact{claimed, proof.EvidenceChosen{Type: proof.Vouch, Form: proof.ByVouch}, choose},
		card(t, "forces_id", tal, "F1"), []proof.Fact{declared, choose}, card(t, "bus_pass", tal, "B1"), []proof.Fact{request})
	s := visit(proof.ProxyAccess, vouching...)
	if s.Vouch == nil || s.Request == nil {
		t.Fatalf("the visit did not come so far: %+v", route.Asks(s))
	}
	out := verdict.Final(s, policy(t), verdict.Known{Sources: &gpg45.Sources{Fraud: 2}, Vouchers: map[int]proof.Level{s.Vouch.Event: proof.High}})
	if !tells(out, proof.VouchRelated) || out.Level != proof.NoLevel {
		t.Errorf("the proxy vouches for the patient: %s at %s %+v", out.Result, out.Level, out.Reasons)
	}
}

// TestTypedSpecimens holds that a specimen is one however its fields came in.
func TestTypedSpecimens(t *testing.T) {
	t.Parallel()
	real := person("WALTERS", "WREN", day(1985, 3, 12))
	for rule, c := range map[string]struct {
		facts []proof.Fact
		level proof.Level
	}{
		"a name of specimens":   {card(t, "forces_id", wren, "F1"), proof.NoLevel},
		"a number of specimens": {card(t, "forces_id", real, "C01X00T47"), proof.NoLevel},
		"Utopia, written small": {with(card(t, "forces_id", real, "F1"), 1, func(f *proof.EvidenceEntered) { f.Issuer = "uto" }), proof.NoLevel},
		"none of these":         {card(t, "forces_id", real, "F1"), proof.Low},
	} {
		s := visit(proof.AnyEvidence, c.facts...)
		s.Visit.Training = false
		if out := verdict.Decide(s, policy(t)); out.Level != c.level || c.level == proof.NoLevel && !tells(out, proof.DocSpecimen) {
			t.Errorf("%s: %s, want %s: %+v", rule, out.Level, c.level, out.Reasons)
		}
	}
}

// TestAPhotoOfOnesOwnMaking is a slip that was found, or a genuine document of
// somebody else, with a card that anybody may print beside it.
func TestAPhotoOfOnesOwnMaking(t *testing.T) {
	t.Parallel()
	lit := with(card(t, "forces_id", wren, "F1"), 2, func(f *proof.DocumentExamined) {
		f.UVIR, f.Templates, f.Trained.UVIR = true, day(2026, 6, 1), day(2026, 5, 1)
	})
	lin := proof.HandedOver{To: "lin", Trained: lit[2].(proof.DocumentExamined).Trained}
	unsure := func(facts []proof.Fact) []proof.Fact {
		return with(facts, 4, func(f *proof.PersonCompared) { f.Answer, f.Trained = proof.NotSure, lin.Trained })
	}
	printed := func(by proof.Training) []proof.Fact {
		facts := with(card(t, proof.OtherDocument, wren, ""), 2, func(f *proof.DocumentExamined) { f.Trained = by })
		return with(facts, 4, func(f *proof.PersonCompared) { f.Trained = by })
	}
	before := handed(proof.AnyEvidence, slices.Concat([]proof.Fact{lin}, unsure(lit), []proof.Fact{decided})...)
	now := visit(proof.AnyEvidence, printed(trained)...)
	if out := verdict.Final(now, policy(t), verdict.Known{Earlier: []route.State{before}}); out.Level != proof.NoLevel {
		t.Errorf("a slip and a card of one's own making: %s, NHS %s, %+v", out.Level, out.NHS, out.Scores)
	}
	second := printed(lin.Trained)
	second = slices.Concat(second[:3], second[4:]) // consent to the machine was asked before
	both := handed(proof.AnyEvidence, slices.Concat([]proof.Fact{lin}, then(unsure(lit), second))...)
	if out := verdict.Decide(both, policy(t)); out.Level != proof.NoLevel || len(out.Scores.Evidence) != 2 {
		t.Errorf("somebody's document and a card of one's own making: %s, NHS %s, %+v", out.Level, out.NHS, out.Scores)
	}
}

// TestAReviewSaysNoLevel holds that what is told of a visit under review agrees
// with it: no sentence gives a level, and nobody of the visit has one.
func TestAReviewSaysNoLevel(t *testing.T) {
	t.Parallel()
	own := card(t, "forces_id", wren, "F1")
	request := proof.ProxyRequested{Relationship: "carer_consented", Basis: "consent", Agreed: true, Alone: true, Actions: []proof.Code{"appointments"}}
	proxied := slices.Concat([]proof.Fact{proof.IdentityClaimed{Person: wren}}, own, []proof.Fact{proof.WayChosen{Way: proof.ChooseEvidence}},
		card(t, "tacho_card", tal, "T1"), []proof.Fact{request})
	forged := with(card(t, "bus_pass", tal, "B1")[:3], 2, func(f *proof.DocumentExamined) { f.Doubts = []string{"hologram"} })
	for rule, s := range map[string]route.State{
		"a concern": visit(proof.ProxyAccess, append(slices.Clone(proxied), proof.ConcernRaised{})...),
		"a concern, and no ground": visit(proof.ProxyAccess, append(with(proxied, len(proxied)-1, func(f *proof.ProxyRequested) { f.Basis = "parental_responsibility" }),
			proof.ConcernRaised{})...),
		"no second person":        visit(proof.AnyEvidence, append([]proof.Fact{proof.ColleagueNoticed{}, proof.SecondPersonAnswered{Operator: "sam"}}, own...)...),
		"nobody spoke to them":    visit(proof.ProxyAccess, with(proxied, len(proxied)-1, func(f *proof.ProxyRequested) { f.Alone = false })...),
		"a forgery of other name": visit(proof.AnyEvidence, then(own, forged)...),
	} {
		out := verdict.Decide(s, policy(t))
		if out.Result != proof.Review || tells(out, "profile_met") || !tells(out, "level_withheld") || out.Computed != "L1B" {
			t.Errorf("%s: %s, computed %q: %+v", rule, out.Result, out.Computed, out.Reasons[:min(len(out.Reasons), 4)])
		}
		for _, p := range out.Parties {
			if p.Level != proof.NoLevel || p.Profile != "" || len(p.Scores.Evidence) == 0 {
				t.Errorf("%s: the %s has level %s (%s), %d pieces", rule, p.Party, p.Level, p.Profile, len(p.Scores.Evidence))
			}
		}
	}
	if out := verdict.Decide(visit(proof.ProxyAccess, proxied...), policy(t)); out.Result != proof.Requested || out.Parties[0].Level != proof.Low || !tells(out, "profile_met") {
		t.Errorf("the same with nothing against it: %s %+v", out.Result, out.Parties)
	}
}

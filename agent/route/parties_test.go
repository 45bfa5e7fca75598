package route_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/counterproof/counterproof/agent/mrz"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/route"
	"github.com/counterproof/counterproof/agent/verdict"
)

// walk folds facts of which every one must be allowed.
func walk(t *testing.T, r proof.RouteName, facts ...proof.Fact) route.State {
	t.Helper()
	s := route.State{}
	for i, e := range log(append([]proof.Fact{starts(r), agree}, facts...)...) {
		if !route.Allowed(s, e.Fact) {
			t.Fatalf("step %d (%s) is not allowed; the asks are %+v", i+1, e.Fact.FactKind(), route.Asks(s))
		}
		s, _ = route.Next(s, e)
	}
	return s
}

// TestAfterAResultThePatientShows holds that what the patient shows after a visit
// was ended in somebody else's turn is the patient's.
func TestAfterAResultThePatientShows(t *testing.T) {
	t.Parallel()
	own := append([]proof.Fact{chosen(proof.Passport, proof.ByZone, true)}, passportOf(t, document)...)
	for rule, s := range map[string]route.State{
		"the voucher's turn": walk(t, proof.Vouching, slices.Concat([]proof.Fact{claims(wren), way(proof.Finish), decided(t)}, own)...),
		"the proxy's turn": walk(t, proof.ProxyAccess, slices.Concat([]proof.Fact{claims(wren), chosen("birth_cert", proof.ByField, false),
			of(wren, "", proof.Date{}), seen(t, "birth_cert"), way(proof.Finish), decided(t)}, own)...),
	} {
		if s.Document == nil || len(s.Voucher.Pieces())+len(s.Proxy.Pieces()) > 0 {
			t.Errorf("%s: the patient's passport is another's: voucher %d, proxy %d pieces", rule, len(s.Voucher.Pieces()), len(s.Proxy.Pieces()))
		}
		if out := verdict.Decide(s, policy(t)); out.Level != proof.Low {
			t.Errorf("%s: the patient's passport gives %s", rule, out.Level)
		}
	}
	// The voucher may still be asked again after all.
	s := walk(t, proof.Vouching, claims(wren), way(proof.Finish), decided(t), chosen(proof.Vouch, proof.ByVouch, false))
	if route.Turn(s) != proof.Voucher || first(s) != proof.CaptureDocument {
		t.Errorf("a vouch begun again asks %s of %q", first(s), route.Turn(s))
	}
}

// TestTakingBackTheLastStep holds that the step that is taken back is that of the
// person who took it last.
func TestTakingBackTheLastStep(t *testing.T) {
	t.Parallel()
	both := slices.Concat([]proof.Fact{claims(wren), chosen(proof.Passport, proof.ByZone, true)}, passportOf(t, document), passportOf(t, other))
	s := walk(t, proof.ProxyAccess, append(both, proof.StepReopened{Step: proof.ComparePerson})...)
	if s.Person == nil || s.Proxy.Person != nil || route.Turn(s) != proof.Proxy || first(s) != proof.ComparePerson {
		t.Errorf("taking the proxy's comparison back asks %s of %q; the patient's is there: %t", first(s), route.Turn(s), s.Person != nil)
	}
	s = walk(t, proof.Vouching, append(append([]proof.Fact{claims(wren)}, passportOf(t, other)...), proof.StepReopened{Step: proof.ExamineDocument})...)
	if s.Voucher.Exam != nil || route.Turn(s) != proof.Voucher || first(s) != proof.ExamineDocument {
		t.Errorf("taking the voucher's examination back asks %s of %q", first(s), route.Turn(s))
	}
	patient := walk(t, proof.ProxyAccess, append(both[:6:6], proof.StepReopened{Step: proof.ComparePerson})...)
	if patient.Person != nil || route.Turn(patient) != proof.Patient {
		t.Error("the patient's own comparison is not taken back in their turn")
	}
	// A vouch was given for what the voucher had shown: it goes with it.
	s = walk(t, proof.Vouching, append(append([]proof.Fact{claims(wren)}, passportOf(t, other)...), declared, proof.StepReopened{Step: proof.ExamineDocument})...)
	if s.Vouch != nil || s.Voucher.Exam != nil {
		t.Errorf("the vouch outlives the voucher's examination: %t", s.Vouch != nil)
	}
}

// TestGoingOnCanBeTakenBack holds that whoever went on without evidence of
// somebody can come back to it.
func TestGoingOnCanBeTakenBack(t *testing.T) {
	t.Parallel()
	letter := declared
	letter.Paper, letter.Voucher = true, tal
	s := walk(t, proof.Vouching, claims(wren), way(proof.GiveVouch), letter, proof.StepReopened{Step: proof.GiveVouch})
	if route.Turn(s) != proof.Voucher {
		t.Errorf("after the letter was taken back the turn is %q's, and the asks are %+v", route.Turn(s), route.Asks(s))
	}
	s = walk(t, proof.ProxyAccess, claims(kit), way(proof.RequestProxy), way(proof.RequestProxy), wanted, proof.StepReopened{Step: proof.RequestProxy})
	if !slices.ContainsFunc(route.Asks(s), func(a proof.Ask) bool { return a.Kind == proof.CaptureDocument && a.Party == proof.Proxy }) {
		t.Errorf("after the request was taken back the proxy cannot be proved: %+v", route.Asks(s))
	}
	s = walk(t, proof.Vouching, append(append([]proof.Fact{claims(wren)}, passportOf(t, other)...), way(proof.GiveVouch))...)
	if first(s) != proof.GiveVouch {
		t.Errorf("who goes on to the vouch is asked for %s", first(s))
	}
}

// TestDoubtsAreNotMisread holds that what looked wrong counts, whatever is said
// of the details beside it.
func TestDoubtsAreNotMisread(t *testing.T) {
	t.Parallel()
	exam := examined(t)
	exam.Details, exam.Doubts = proof.Misread, []string{"hologram"}
	s := walk(t, proof.PhotoDocument, document, exam)
	if out := verdict.Decide(s, policy(t)); out.Result != proof.Review {
		t.Errorf("a doubtful feature beside a misreading: %s", out.Result)
	}
}

// TestPiecesHaveAnEnd holds that no route takes more pieces than can be scored.
func TestPiecesHaveAnEnd(t *testing.T) {
	t.Parallel()
	s := walk(t, proof.PracticeDetails, claims(wren))
	at := 10
	fold := func(f proof.Fact) bool {
		if !route.Allowed(s, f) {
			return false
		}
		at++
		s, _ = route.Next(s, proof.Event{Seq: at, At: started, By: proof.Actor{Kind: proof.ByPerson, ID: "robin"}, Fact: f})
		return true
	}
	for range route.MaxPieces + 1 {
		if !fold(chosen("birth_cert", proof.ByField, false)) {
			break
		}
		fold(of(wren, "", proof.Date{}))
		fold(seen(t, "birth_cert"))
	}
	if n := len(s.Pieces()); n != route.MaxPieces {
		t.Errorf("%d pieces, want %d", n, route.MaxPieces)
	}
	if !fold(practice) || first(s) != proof.Decide {
		t.Errorf("after the last piece the codes are not taken: %+v", route.Asks(s))
	}
}

// TestTypesByTheZone holds what counts as a passport or an identity card.
func TestTypesByTheZone(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rule, code, issuer, nationality string
		format                          string
		want                            proof.EvidenceType
	}{
		{"a passport", "P", "GBR", "GBR", "TD3", proof.Passport},
		{"a passport of a British overseas citizen", "P", "GBR", "GBO", "TD3", proof.Passport},
		{"a passport of a state's overseas part", "P", "BMU", "GBD", "TD3", proof.Passport},
		{"a British travel document of a refugee", "PT", "GBR", "XXB", "TD3", "ho_travel"},
		{"a British travel document of a foreigner", "P", "GBR", "SOM", "TD3", "ho_travel"},
		{"a nationality that was misread", "P", "GBR", "CBR", "TD3", proof.Passport},
		{"another state's travel document", "P", "D", "XXA", "TD3", proof.OtherDocument},
		{"an identity card", "ID", "D", "D", "TD1", proof.EEAIdentityCard},
		{"an identity card without a second letter", "I", "NLD", "NLD", "TD1", proof.EEAIdentityCard},
		{"a residence permit", "AR", "D", "SOM", "TD1", proof.OtherDocument},
		{"a residence permit of another letter", "IR", "FRA", "SOM", "TD1", proof.OtherDocument},
		{"a card of an aircraft's crew", "AC", "FRA", "FRA", "TD1", proof.OtherDocument},
		{"a card of another state", "ID", "UTO", "UTO", "TD1", proof.EEAIdentityCard},
	} {
		if got := zoned(c.format, c.code, c.issuer, c.nationality).Type(); got != c.want {
			t.Errorf("%s: %s, want %s", c.rule, got, c.want)
		}
	}
}

// zoned is a piece with a zone that tells its kind, its issuer and a nationality.
func zoned(format, code, issuer, nationality string) route.Piece {
	return route.Piece{Document: &route.Document{MRZ: mrz.Document{
		Format: mrz.Format(format), Fields: mrz.Fields{DocumentCode: code, IssuingState: issuer, Nationality: nationality},
	}}}
}

// ending answers an ask on the shortest way to the end.
func ending(t testing.TB, s route.State, asks []proof.Ask) proof.Fact {
	if slices.ContainsFunc(asks, func(a proof.Ask) bool { return a.Kind == proof.Finish }) {
		return way(proof.Finish)
	}
	switch asks[0].Kind {
	case proof.AskProofingConsent:
		return agree
	case proof.ClaimIdentity:
		return claims(wren)
	case proof.ExamineDocument:
		return proof.DocumentExamined{Details: proof.Agree, Trained: s.Trained}
	case proof.AskFaceConsent:
		return faceNo
	case proof.CompareFaces:
		return proof.CompareFailed{Kind: proof.KindFaceUnavailable}
	case proof.CaptureFace:
		return way(proof.ComparePerson)
	case proof.ComparePerson:
		return proof.PersonCompared{Answer: proof.NotSure, Method: proof.PersonInPerson, Trained: s.Trained}
	case proof.Decide:
		return proof.VisitDecided{Outcome: verdict.Decide(s, policy(t))}
	case proof.MakeClaim:
		return proof.ClaimMade{Token: "T"}
	case proof.SealRecord:
		return proof.RecordQueued{Ref: "R"}
	case proof.PrintSlip:
		return proof.SlipMade{}
	case proof.EndVisit:
		return proof.VisitEnded{}
	}
	return proof.ResultConfirmed{} // also where wishes or feedback come first
}

// TestNobodyIsStranded leads every visit to its end, whatever happened before.
func TestNobodyIsStranded(t *testing.T) {
	t.Parallel()
	exam := examined(t)
	rapid.Check(t, func(rt *rapid.T) {
		facts := []proof.Fact{starts(rapid.SampledFrom(route.Routes()).Draw(rt, "route"))}
		for range rapid.IntRange(0, 40).Draw(rt, "n") {
			facts = append(facts, anyFact(rt, exam))
		}
		s := visit(facts...)
		for at := 1000; s.Open(); at++ {
			asks := route.Asks(s)
			if at == 1040 || len(asks) == 0 {
				rt.Fatalf("the visit does not end: %+v", asks)
			}
			s, _ = route.Next(s, proof.Event{Seq: at, At: started, By: proof.Actor{Kind: proof.ByPerson, ID: s.Operator}, Fact: ending(t, s, asks)})
		}
	})
}

// TestASecondPersonConfirmsWhatStands holds that who confirmed one identity has
// not confirmed the next.
func TestASecondPersonConfirmsWhatStands(t *testing.T) {
	t.Parallel()
	confirmed := []proof.Fact{claims(wren), proof.ColleagueNoticed{}, proof.SecondPersonAnswered{Operator: "sam", Confirms: true}}
	s := walk(t, proof.PracticeDetails, append(confirmed, proof.StepReopened{Step: proof.ClaimIdentity})...)
	if s.Second != nil || first(s) != proof.SecondPerson {
		t.Errorf("with another claim to come it asks %s", first(s))
	}
	denied := append(slices.Clone(confirmed[:2]), proof.SecondPersonAnswered{Operator: "sam"}, proof.StepReopened{Step: proof.ClaimIdentity})
	if s := walk(t, proof.PracticeDetails, denied...); s.Second == nil {
		t.Error("taking the claim back takes the denial back")
	}
}

// A visit that an older program sealed, before there were claim tokens, stays
// sealed: a token made afterwards would stand in no record.
func TestSealedWithoutAToken(t *testing.T) {
	t.Parallel()
	robin := proof.Actor{Kind: proof.ByPerson, ID: "robin"}
	facts := []proof.Fact{
		proof.VisitStarted{Case: "case0001", Record: "00", Route: proof.PhotoDocument, Training: true},
		proof.ConsentAnswered{Purpose: proof.ForProofing, Given: true}, proof.WayChosen{Way: proof.Finish},
		proof.VisitDecided{Outcome: proof.Outcome{Result: proof.Proved, Level: proof.Medium, NHS: proof.P9, Provisional: true}},
		proof.ResultConfirmed{}, proof.RecordQueued{Ref: "ABCD-EFGH-JKM"}, proof.SlipMade{},
	}
	var events []proof.Event
	for i, f := range facts {
		events = append(events, proof.Event{Seq: i + 1, At: time.Date(2026, 11, 22, 10, i, 0, 0, time.UTC), By: robin, Fact: f})
	}
	s := route.Fold(events)
	if s.Ref != "ABCD-EFGH-JKM" || slices.ContainsFunc(route.Asks(s), func(a proof.Ask) bool { return a.Kind == proof.MakeClaim }) {
		t.Errorf("the record is %q; asked is %+v", s.Ref, route.Asks(s))
	}
}

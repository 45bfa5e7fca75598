package verdict_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/gpg45"
	"github.com/counterproof/counterproof/agent/nhs"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/route"
	"github.com/counterproof/counterproof/agent/verdict"
)

var (
	started = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	trained = proof.Training{Impostor: day(2026, 3, 1), Document: day(2025, 1, 10)}
)

func day(y, m, d int) proof.Date { return proof.Date{Year: y, Month: m, Day: d} }

func policy(t testing.TB) *gpg45.Policy {
	t.Helper()
	p, err := gpg45.Load(gpg45.Default)
	if err != nil {
		t.Fatalf("loading the policy: %v", err)
	}
	return p
}

// The invented people of these tests.
var (
	wren = person("SPECIMEN", "WREN", day(1985, 3, 12))
	tal  = person("VAUGHN", "TAL", day(1979, 6, 2))
)

func person(surname, given string, birth proof.Date) proof.Person {
	return proof.Person{Surname: proof.NewName(surname), Given: proof.NewName(given), Birth: birth}
}

// visit folds a visit of one clerk by a route; consent is given.
func visit(way proof.RouteName, facts ...proof.Fact) route.State {
	all := append([]proof.Fact{
		proof.VisitStarted{Case: "case0001", Record: "00", Route: way, Training: true, Operator: trained},
		proof.ConsentAnswered{Purpose: proof.ForProofing, Given: true},
	}, facts...)
	var events []proof.Event
	for i, f := range all {
		by := proof.Actor{Kind: proof.ByPerson, ID: "robin"}
		if second, ok := f.(proof.SecondPersonAnswered); ok {
			by.ID = second.Operator
		}
		events = append(events, proof.Event{Seq: i + 1, At: started.Add(time.Duration(i) * time.Minute), By: by, Fact: f})
	}
	return route.Fold(events)
}

// card is a piece of evidence of a person, examined, and compared by eye where it
// has a photograph.
func card(t testing.TB, kind proof.EvidenceType, p proof.Person, number string) []proof.Fact {
	photo := policy(t).Type(kind).Photo
	facts := []proof.Fact{
		proof.EvidenceChosen{Type: kind, Form: proof.ByField, Photo: photo},
		proof.EvidenceEntered{Source: proof.FromKeys, Person: p, Number: number, Issuer: "GBR", Expires: day(2032, 1, 1)},
		proof.DocumentExamined{Original: true, Details: proof.Agree, Features: policy(t).Features(kind), Trained: trained},
	}
	if photo {
		facts = append(facts, proof.ConsentAnswered{Purpose: proof.ForFace}, same)
	}
	return facts
}

var same = proof.PersonCompared{Answer: proof.Same, Method: proof.PersonInPerson, Trained: trained}

// decided lets another piece begin.
var decided = proof.VisitDecided{Outcome: proof.Outcome{Result: proof.Proved, NHS: proof.NHSNone}}

// tells reports whether an outcome gives a reason.
func tells(o proof.Outcome, c proof.Code) bool {
	return slices.ContainsFunc(o.Reasons, func(r proof.Reason) bool { return r.Code == c })
}

func TestWhatTheOpenerKnows(t *testing.T) {
	t.Parallel()
	s := visit(proof.AnyEvidence, card(t, "forces_id", wren, "F1")...)
	at := s.Entered.Event
	for _, c := range []struct {
		rule    string
		known   verdict.Known
		result  proof.Result
		profile string
		nhs     proof.NHSLevel
		final   bool
	}{
		{"nothing: what the counter said", verdict.Known{}, proof.Proved, "L1B", proof.P5, false},
		{"good sources and a matching record", verdict.Known{Sources: &gpg45.Sources{Activity: 1, Fraud: 2}, Record: nhs.OneExact}, proof.Proved, "M1B", proof.P9, true},
		{"the same without a record", verdict.Known{Sources: &gpg45.Sources{Activity: 1, Fraud: 2}, Record: nhs.NoMatch}, proof.Proved, "M1B", proof.NHSNone, true},
		{"a record that ends release", verdict.Known{Sources: &gpg45.Sources{}, Record: nhs.Stopped}, proof.Proved, "L1B", proof.NHSNone, true},
		{"contact details alone", verdict.Known{Sources: &gpg45.Sources{}, Record: nhs.NoMatch, Contact: true}, proof.Proved, "L1B", proof.P0, true},
		{"a fraud hit", verdict.Known{Sources: &gpg45.Sources{Hits: []proof.Code{"theft_flag"}}, Record: nhs.OneExact}, proof.Review, "", proof.NHSNone, true},
		{"a stolen document", verdict.Known{Sources: &gpg45.Sources{}, Documents: map[int]gpg45.RecordCheck{at: {Hit: true}}}, proof.Review, "", proof.NHSNone, true},
		{"people asked to look", verdict.Known{Hold: []proof.Code{proof.SentToTeam}, Record: nhs.OneExact}, proof.Review, "", proof.NHSNone, true},
	} {
		t.Run(c.rule, func(t *testing.T) {
			out := verdict.Final(s, policy(t), c.known)
			if out.Result != c.result || out.Profile != c.profile || out.NHS != c.nhs || c.final && out.Result != proof.Review && out.Provisional {
				t.Errorf("%s %s, NHS %s, provisional %t; want %s %s, %s: %+v",
					out.Result, out.Profile, out.NHS, out.Provisional, c.result, c.profile, c.nhs, out.Reasons)
			}
			if out.Result == proof.Review && (out.Level != proof.NoLevel || len(out.Raise) > 0) {
				t.Errorf("a review at level %s tells how to raise it: %v", out.Level, out.Raise)
			}
		})
	}
}

func TestPracticeAnswers(t *testing.T) {
	t.Parallel()
	s := visit(proof.PracticeDetails, proof.IdentityClaimed{Person: wren},
		proof.PracticeDetailsGiven{Source: proof.FromKeys, ODS: "B85036", Account: "1", Key: "k"})
	for _, c := range []struct {
		known  verdict.Known
		result proof.Result
		nhs    proof.NHSLevel
		reason proof.Code
	}{
		{verdict.Known{}, proof.Pending, proof.P9, proof.DetailsPending},
		{verdict.Known{Details: nhs.DetailsAccepted}, proof.Proved, proof.P9, ""},
		{verdict.Known{Refused: true}, proof.NotProved, proof.NHSNone, proof.DetailsRefused},
	} {
		out := verdict.Final(s, policy(t), c.known)
		if out.Result != c.result || out.NHS != c.nhs || c.reason != "" && !tells(out, c.reason) {
			t.Errorf("%+v: %s, NHS %s, %+v", c.known, out.Result, out.NHS, out.Reasons)
		}
	}
}

// TestAContinuedVisit joins evidence of an earlier visit; who was compared then
// counts for nothing now.
func TestAContinuedVisit(t *testing.T) {
	t.Parallel()
	before := visit(proof.AnyEvidence, append(card(t, "forces_id", wren, "F1"), decided)...)
	known := verdict.Known{Earlier: []route.State{before}, Sources: &gpg45.Sources{Fraud: 1}}
	now := visit(proof.AnyEvidence, card(t, "bus_pass", wren, "B1")...)
	if alone := verdict.Final(now, policy(t), verdict.Known{Sources: known.Sources}); alone.Profile != "L1A" {
		t.Fatalf("the second visit alone: %s", alone.Profile)
	}
	joined := verdict.Final(now, policy(t), known)
	if joined.Profile != "M2C" {
		t.Errorf("both together: %s, want M2C: %+v", joined.Profile, joined.Scores)
	}
	paper := visit(proof.AnyEvidence, card(t, "birth_cert", wren, "")...)
	if out := verdict.Final(paper, policy(t), known); out.Level != proof.NoLevel {
		t.Errorf("a slip and a certificate give %s: nobody was compared today", out.Level)
	}
	stranger := visit(proof.AnyEvidence, card(t, "bus_pass", tal, "B2")...)
	if out := verdict.Final(stranger, policy(t), known); len(out.Scores.Evidence) != 1 {
		t.Errorf("evidence of somebody else was joined: %+v", out.Scores)
	}
	held := visit(proof.AnyEvidence, append(card(t, "forces_id", wren, "F1"), proof.VisitDecided{Outcome: proof.Outcome{Result: proof.Review}})...)
	if verdict.Continues(now, held) {
		t.Error("a visit that people look at may be continued")
	}
}

func TestNamesAcrossDocuments(t *testing.T) {
	t.Parallel()
	first := card(t, "forces_id", wren, "F1")
	with := func(p proof.Person, change func(*proof.EvidenceEntered)) proof.Outcome {
		second := card(t, "birth_cert", p, "")
		entered := second[1].(proof.EvidenceEntered)
		if change != nil {
			change(&entered)
		}
		second[1] = entered
		return verdict.Decide(visit(proof.AnyEvidence, slices.Concat(first, []proof.Fact{decided}, second)...), policy(t))
	}
	other := wren
	other.Surname = proof.NewName("MAIDEN")
	swapped := proof.Person{Surname: wren.Given, Given: wren.Surname, Birth: wren.Birth}
	later := wren
	later.Birth = day(1985, 3, 13)
	year := wren
	year.Birth = proof.Date{Year: 1985}
	initial := wren
	initial.Given = proof.NewName("W J")
	for rule, c := range map[string]struct {
		out  proof.Outcome
		want proof.Code
	}{
		"the same":                {with(wren, nil), ""},
		"an initial":              {with(initial, nil), ""},
		"only the year":           {with(year, nil), ""},
		"another surname":         {with(other, nil), proof.UnlinkedEvidence},
		"joined by a certificate": {with(other, func(e *proof.EvidenceEntered) { e.Former = wren.Surname }), ""},
		"a day apart":             {with(later, nil), proof.UnlinkedEvidence},
		"names changed places":    {with(swapped, nil), proof.NameTransposed},
	} {
		pieces := 2
		if c.want != "" {
			pieces = 1
		}
		if len(c.out.Scores.Evidence) != pieces || c.want != "" && !tells(c.out, c.want) {
			t.Errorf("%s: %d pieces count, %+v", rule, len(c.out.Scores.Evidence), c.out.Reasons)
		}
	}
}

func TestALicenceAgainstItself(t *testing.T) {
	t.Parallel()
	facts := card(t, proof.UKLicence, wren, "OTHER853125W99AB")
	if out := verdict.Decide(visit(proof.AnyEvidence, facts...), policy(t)); out.Result != proof.Review || !tells(out, proof.DataMismatch) {
		t.Errorf("a number made from another name: %s %+v", out.Result, out.Reasons)
	}
	facts = card(t, proof.UKLicence, wren, "SPECI853125W99AB")
	facts[1] = proof.EvidenceEntered{Source: proof.FromKeys, Person: proof.Person{Surname: wren.Surname, Given: wren.Given, Birth: wren.Birth, Sex: "F"},
		Number: "SPECI853125W99AB", Expires: day(2032, 1, 1)}
	if out := verdict.Decide(visit(proof.AnyEvidence, facts...), policy(t)); out.Result != proof.Proved {
		t.Errorf("a licence that agrees: %s %+v", out.Result, out.Reasons)
	}
}

func TestOneDocumentForTwoPeople(t *testing.T) {
	t.Parallel()
	request := proof.ProxyRequested{Relationship: "carer_consented", Basis: "consent", Agreed: true, Alone: true, Actions: []proof.Code{"appointments"}}
	facts := func(number string) []proof.Fact {
		theirs := append([]proof.Fact{proof.WayChosen{Way: proof.ChooseEvidence}}, card(t, "forces_id", tal, number)...)
		return slices.Concat([]proof.Fact{proof.IdentityClaimed{Person: wren}}, card(t, "forces_id", wren, "F1"), theirs, []proof.Fact{request})
	}
	if out := verdict.Decide(visit(proof.ProxyAccess, facts("F1")...), policy(t)); out.Result != proof.Review || !tells(out, proof.SameDocumentTwice) {
		t.Errorf("one document for two people: %s %+v", out.Result, out.Reasons)
	}
	if out := verdict.Decide(visit(proof.ProxyAccess, facts("F2")...), policy(t)); out.Result != proof.Requested || out.Level != proof.Low {
		t.Errorf("two documents: %s at %s", out.Result, out.Level)
	}
}

// TestWithdrawingNeedsThePatient holds that somebody who was not proved does not
// end another's access by themselves: people look at it.
func TestWithdrawingNeedsThePatient(t *testing.T) {
	t.Parallel()
	end := proof.ProxyRequested{Withdraw: true}
	claimed := proof.IdentityClaimed{Person: wren}
	stranger := visit(proof.ProxyAccess, claimed, proof.WayChosen{Way: proof.RequestProxy}, end)
	if out := verdict.Decide(stranger, policy(t)); out.Result != proof.Review || !tells(out, proof.ProxyNotIdentified) {
		t.Errorf("by somebody who showed nothing: %s %+v", out.Result, out.Reasons)
	}
	proved := slices.Concat([]proof.Fact{claimed}, card(t, "forces_id", wren, "F1"), []proof.Fact{proof.WayChosen{Way: proof.RequestProxy}, end})
	if out := verdict.Decide(visit(proof.ProxyAccess, proved...), policy(t)); out.Result != proof.Requested {
		t.Errorf("by the patient: %s %+v", out.Result, out.Reasons)
	}
}

func TestGroundsByAge(t *testing.T) {
	t.Parallel()
	today := day(2026, 11, 22)
	for birth, want := range map[proof.Date]int{
		day(2010, 11, 22): 16, day(2010, 11, 23): 15, day(2012, 2, 29): 14, {Year: 2010}: 15, {Year: 2010, Month: 11}: 15,
	} {
		if got := verdict.Age(birth, today); got != want {
			t.Errorf("born %s: %d, want %d", birth, got, want)
		}
	}
	if slices.Contains(verdict.Bases(16), "parental_responsibility") || !slices.Contains(verdict.Bases(15), "parental_responsibility") {
		t.Error("parental responsibility is not a ground for a child alone")
	}
	if slices.Contains(verdict.Bases(12), "lasting_power_attorney") || !slices.Contains(verdict.Bases(16), "consent") {
		t.Error("grounds of adults")
	}
}

func TestEveryCodeOfItsOwnIsExplained(t *testing.T) {
	t.Parallel()
	for _, c := range []proof.Code{proof.UnlinkedEvidence, proof.SentToTeam, proof.ProxySuspendsAt, proof.DetailsRefused, "profile_met", "fraud_check_after_sync"} {
		text := verdict.Explain(proof.Reason{Code: c, Params: map[string]string{"age": "16"}})
		if text == string(c) || strings.Contains(text, "{age}") {
			t.Errorf("%s is explained as %q", c, text)
		}
	}
	if text := verdict.Explain(proof.Reason{Code: "of_next_year"}); text != "of_next_year" {
		t.Errorf("a strange code is explained as %q", text)
	}
}

package route_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/route"
	"github.com/counterproof/counterproof/agent/verdict"
)

var update = flag.Bool("update", false, "write the golden event logs anew")

// The invented people of these visits.
var (
	wren = proof.Person{Surname: proof.NewName("SPECIMEN"), Given: proof.NewName("MORGAN WREN"), Birth: day(1985, 3, 12), Sex: "X"}
	tal  = proof.Person{Surname: proof.NewName("VAUGHN"), Given: proof.NewName("TAL"), Birth: day(1979, 6, 2)}
	kit  = proof.Person{Surname: proof.NewName("SPECIMEN"), Given: proof.NewName("KIT"), Birth: day(2014, 5, 9)}
)

// The invented voucher's and parent's passport of Utopia.
var secondPassport = []string{
	"P<UTOVAUGHN<<TAL<<<<<<<<<<<<<<<<<<<<<<<<<<<<",
	"U7654321<4UTO7906020X3106305<<<<<<<<<<<<<<06",
}

// starts begins a visit by a route.
func starts(r proof.RouteName) proof.VisitStarted {
	v := begin
	v.Route = r
	return v
}

// of makes the fields of a piece of evidence of a person.
func of(p proof.Person, number string, expires proof.Date) proof.EvidenceEntered {
	return proof.EvidenceEntered{Source: proof.FromKeys, Person: p, Number: number, Issuer: "GBR", Issued: day(2022, 1, 5), Expires: expires}
}

// seen is an examination that ticks every feature of a type.
func seen(t testing.TB, kind proof.EvidenceType) proof.DocumentExamined {
	return proof.DocumentExamined{Original: true, Details: proof.Agree, Features: policy(t).Features(kind), Trained: trained}
}

// chosen begins a piece.
func chosen(kind proof.EvidenceType, form proof.Form, photo bool) proof.EvidenceChosen {
	return proof.EvidenceChosen{Type: kind, Form: form, Photo: photo}
}

// The facts of these visits.
var (
	way      = func(k proof.AskKind) proof.Fact { return proof.WayChosen{Way: k} }
	claims   = func(p proof.Person) proof.Fact { return proof.IdentityClaimed{Person: p} }
	other    = proof.DocumentRead{Source: proof.FromCamera, Lines: secondPassport, Score: -0.04, Page: "page-9", Portrait: "portrait-9"}
	declared = proof.VouchGiven{Occupation: "teacher", Organisation: "Afon School", Contact: "01632 960001", KnownSince: day(2019, 9, 1),
		Statement: "1", Signed: true, Present: true}
	practice = proof.PracticeDetailsGiven{Source: proof.FromKeys, ODS: "B85036", Account: "9422353604", Key: "invented-key"}
	wanted   = proof.ProxyRequested{Relationship: "parent", Basis: "parental_responsibility", Seen: []proof.EvidenceType{"birth_cert"},
		Actions: []proof.Code{"appointments"}, Text: "1", Language: "en", Alone: true}
	agreed = proof.ProxyRequested{Relationship: "carer_consented", Basis: "consent", Agreed: true, Actions: []proof.Code{"prescriptions"},
		Text: "1", Language: "en", Alone: true}
	redeemed = proof.ClaimRedeemed{Token: "TOKEN", Email: "wren@example.org", Mobile: "+447700900123"}
)

// licence shows a photocard of a person up to the comparison.
func licence(t testing.TB, p proof.Person) []proof.Fact {
	return []proof.Fact{of(p, "", day(2030, 1, 4)), seen(t, proof.UKLicence), faceNo, same}
}

// document shows the passport of these tests up to the comparison.
func passportOf(t testing.TB, read proof.DocumentRead) []proof.Fact {
	return []proof.Fact{read, seen(t, proof.Passport), faceNo, same}
}

// journey is a visit and what it comes to.
type journey struct {
	name    string
	route   proof.RouteName
	facts   []proof.Fact
	result  proof.Result
	level   proof.Level
	nhs     proof.NHSLevel
	reason  proof.Code // one that must be told
	request proof.ProxyState
}

// journeys are every route with every outcome that it can have.
func journeys(t testing.TB) []journey {
	join := func(lists ...[]proof.Fact) []proof.Fact { return slices.Concat(lists...) }
	f := func(facts ...proof.Fact) []proof.Fact { return facts }
	changed := wanted
	changed.Seen = nil
	unfit := agreed
	unfit.Basis = "parental_responsibility"
	refused, crowd, withdrawn := agreed, agreed, agreed
	refused.Agreed, crowd.Alone, withdrawn.Withdraw = false, false, true
	related, alone, failed := declared, declared, declared
	related.Related, alone.Paper, failed.CallBack = true, true, proof.CallFailed
	alone.Voucher = tal
	lit := seen(t, proof.Passport)
	lit.UVIR, lit.Templates, lit.Trained.UVIR = true, day(2026, 6, 1), day(2026, 5, 1)
	specialist := proof.HandedOver{To: "lin", Trained: lit.Trained}
	byLin := same
	byLin.Trained = lit.Trained
	elsewhere := wren
	elsewhere.Surname = proof.NewName("DIFFERENT")
	married := of(elsewhere, "", proof.Date{})
	married.Former = wren.Surname
	doubtful := seen(t, proof.UKLicence)
	doubtful.Doubts = []string{"photo_position"}
	unknown, forged := chipRead, chipRead
	unknown.Verdict, forged.Verdict = proof.ChipIssuerUnknown, proof.ChipSignatureFailed
	return []journey{
		{"photo-chip", proof.PhotoDocument, f(document, chipRead, seen(t, proof.Passport), faceNo, same), proof.Proved, proof.Medium, proof.P9, "validity_chip", ""},
		{"photo-chip-unknown", proof.PhotoDocument, f(document, unknown, seen(t, proof.Passport), faceNo, same), proof.Proved, proof.Low, proof.P5, "chip_unverified_no_trust_anchor", ""},
		{"photo-chip-forged", proof.PhotoDocument, f(document, forged), proof.Review, proof.NoLevel, proof.NHSNone, "chip_signature_failed", ""},
		{"photo-proved", proof.PhotoDocument, passportOf(t, document), proof.Proved, proof.Low, proof.P5, "", ""},
		{"photo-not-proved", proof.PhotoDocument, f(way(proof.Finish)), proof.NotProved, proof.NoLevel, proof.NHSNone, proof.NoSuitableDocument, ""},
		{"photo-review", proof.PhotoDocument, f(document, examined(t), faceYes, taken, noMatch, way(proof.Finish)), proof.Review, proof.NoLevel, proof.NHSNone, proof.FaceDifferent, ""},
		{"photo-abandoned", proof.PhotoDocument, f(document, proof.VisitAbandoned{Reason: proof.PatientLeft}), proof.Abandoned, proof.NoLevel, proof.NHSNone, proof.PatientLeft, ""},
		{"photo-concern", proof.PhotoDocument, join(f(proof.ConcernRaised{}), passportOf(t, document)), proof.Review, proof.NoLevel, proof.NHSNone, proof.SentToTeam, ""},
		{"licence-proved", proof.DrivingLicence, licence(t, wren), proof.Proved, proof.Low, proof.P5, "", ""},
		{"licence-expired", proof.DrivingLicence, f(of(wren, "", day(2026, 1, 1)), way(proof.Finish)), proof.NotProved, proof.NoLevel, proof.NHSNone, proof.DocExpired, ""},
		{"licence-doubtful", proof.DrivingLicence, f(of(wren, "", day(2030, 1, 4)), doubtful), proof.Review, proof.NoLevel, proof.NHSNone, proof.DocCounterfeit, ""},
		{"evidence-two-documents", proof.AnyEvidence, join(f(chosen(proof.Passport, proof.ByZone, true)), passportOf(t, document),
			f(decided(t), chosen(proof.UKLicence, proof.ByField, true), of(wren, "", day(2030, 1, 4)), seen(t, proof.UKLicence), same)), proof.Proved, proof.Low, proof.P5, "", ""},
		{"evidence-unlinked", proof.AnyEvidence, join(f(chosen(proof.Passport, proof.ByZone, true)), passportOf(t, document),
			f(decided(t), chosen("birth_cert", proof.ByField, false), of(elsewhere, "", proof.Date{}), seen(t, "birth_cert"))), proof.Proved, proof.Low, proof.P5, proof.UnlinkedEvidence, ""},
		{"evidence-nothing", proof.AnyEvidence, f(way(proof.Finish)), proof.NotProved, proof.NoLevel, proof.NHSNone, proof.NoSuitableDocument, ""},
		{"certificates-only", proof.AnyEvidence, join(f(chosen("birth_cert", proof.ByField, false), of(wren, "", proof.Date{}), seen(t, "birth_cert"),
			decided(t), chosen("marriage_cert", proof.ByField, false), married, seen(t, "marriage_cert"))), proof.NotProved, proof.NoLevel, proof.NHSNone, "", ""},
		{"vouch-pending", proof.Vouching, f(claims(wren), specialist, other, lit, faceNo, byLin, declared), proof.Pending, proof.NoLevel, proof.P5, "", ""},
		{"vouch-too-weak", proof.Vouching, join(f(claims(wren)), passportOf(t, other), f(declared)), proof.NotProved, proof.NoLevel, proof.NHSNone, "", ""},
		{"photo-under-uv", proof.PhotoDocument, f(specialist, document, lit, faceNo, byLin), proof.Proved, proof.Medium, proof.P9, "", ""},
		{"vouch-on-paper", proof.Vouching, f(claims(wren), way(proof.GiveVouch), alone), proof.NotProved, proof.NoLevel, proof.NHSNone, "", ""},
		{"vouch-related", proof.Vouching, join(f(claims(wren)), passportOf(t, other), f(related)), proof.NotProved, proof.NoLevel, proof.NHSNone, proof.VouchRelated, ""},
		{"vouch-by-self", proof.Vouching, join(f(claims(tal)), passportOf(t, other), f(declared)), proof.Review, proof.NoLevel, proof.NHSNone, proof.SentToTeam, ""},
		{"vouch-contradicted", proof.Vouching, f(claims(wren), way(proof.GiveVouch), failed), proof.Review, proof.NoLevel, proof.NHSNone, proof.SentToTeam, ""},
		{"practice-pending", proof.PracticeDetails, f(claims(wren), practice), proof.Pending, proof.NoLevel, proof.P9, proof.DetailsPending, ""},
		{"practice-none", proof.PracticeDetails, f(claims(wren), way(proof.Finish)), proof.NotProved, proof.NoLevel, proof.NHSNone, "", ""},
		{"proxy-child", proof.ProxyAccess, join(f(claims(kit), way(proof.RequestProxy)), passportOf(t, other), f(wanted)), proof.Requested, proof.NoLevel, proof.ParentAttested, proof.ProxySubmitted, proof.ProxySent},
		{"proxy-adult", proof.ProxyAccess, join(f(claims(wren), chosen(proof.Passport, proof.ByZone, true)), passportOf(t, document), passportOf(t, other), f(agreed)), proof.Requested, proof.Low, proof.P5, proof.ProxyNeedsHigh, proof.ProxySent},
		{"proxy-no-evidence", proof.ProxyAccess, join(f(claims(kit), way(proof.RequestProxy)), passportOf(t, other), f(changed)), proof.NotProved, proof.NoLevel, proof.NHSNone, proof.ProxyBasisUnfit, proof.ProxyDraft},
		{"proxy-unfit", proof.ProxyAccess, join(f(claims(wren), way(proof.RequestProxy)), passportOf(t, other), f(unfit)), proof.NotProved, proof.NoLevel, proof.NHSNone, proof.ProxyBasisUnfit, proof.ProxyDraft},
		{"proxy-refused", proof.ProxyAccess, join(f(claims(wren), way(proof.RequestProxy)), passportOf(t, other), f(refused)), proof.NotProved, proof.NoLevel, proof.NHSNone, proof.ProxyNoConsent, proof.ProxyDraft},
		{"proxy-not-alone", proof.ProxyAccess, join(f(claims(wren), way(proof.RequestProxy)), passportOf(t, other), f(crowd)), proof.Review, proof.NoLevel, proof.NHSNone, proof.ProxyNotAlone, proof.ProxyConsented},
		{"proxy-withdrawn", proof.ProxyAccess, join(f(claims(wren), chosen(proof.Passport, proof.ByZone, true)), passportOf(t, document), f(way(proof.RequestProxy), withdrawn)), proof.Requested, proof.Low, proof.P5, proof.ProxyWithdrawn, proof.ProxySent},
		{"proxy-one-document", proof.ProxyAccess, join(f(claims(wren), chosen(proof.Passport, proof.ByZone, true)), passportOf(t, document), passportOf(t, document), f(agreed)), proof.Review, proof.NoLevel, proof.NHSNone, proof.SameDocumentTwice, proof.ProxySent},
		{"colleague-unconfirmed", proof.DrivingLicence, join(f(proof.ColleagueNoticed{}, way(proof.Finish))), proof.Review, proof.NoLevel, proof.NHSNone, proof.NeedsSecondPerson, ""},
		{"colleague-confirmed", proof.DrivingLicence, join(f(proof.ColleagueNoticed{}, proof.SecondPersonAnswered{Operator: "sam", Confirms: true}), licence(t, wren)), proof.Proved, proof.Low, proof.P5, "", ""},
		{"claim-redeemed", proof.ClaimAccount, f(redeemed), proof.Pending, proof.NoLevel, proof.NHSNone, proof.ClaimPending, ""},
	}
}

// decided is the result of a visit so far; what it says does not matter to the
// way that follows.
func decided(t testing.TB) proof.Fact {
	return proof.VisitDecided{Outcome: proof.Outcome{Result: proof.Proved, NHS: proof.NHSNone}}
}

func TestEveryRouteAndOutcome(t *testing.T) {
	t.Parallel()
	for _, j := range journeys(t) {
		t.Run(j.name, func(t *testing.T) {
			facts := append([]proof.Fact{starts(j.route), agree}, j.facts...)
			s := route.State{}
			for i, e := range log(facts...) {
				if !route.Allowed(s, e.Fact) {
					t.Fatalf("step %d (%s) is not allowed; the asks are %v", i+1, e.Fact.FactKind(), route.Asks(s))
				}
				s, _ = route.Next(s, e)
			}
			if got := first(s); got != proof.Decide {
				t.Fatalf("asks %v, want %s", route.Asks(s), proof.Decide)
			}
			out := verdict.Decide(s, policy(t))
			if out.Result != j.result || out.Level != j.level || out.NHS != j.nhs || out.Request != j.request {
				t.Errorf("result %s, level %s, NHS %s, request %q; want %s, %s, %s, %q: %+v",
					out.Result, out.Level, out.NHS, out.Request, j.result, j.level, j.nhs, j.request, out.Reasons)
			}
			for _, r := range append(out.Reasons, out.Raise...) {
				if text := verdict.Explain(r); text == string(r.Code) || strings.Contains(text, "{") {
					t.Errorf("%s is explained as %q", r.Code, text)
				}
			}
			told := func(r proof.Reason) bool { return r.Code == j.reason }
			if j.reason != "" && !slices.ContainsFunc(out.Reasons, told) {
				t.Errorf("the reasons do not tell %s: %+v", j.reason, out.Reasons)
			}
		})
	}
}

// TestGoldenLogs folds the event logs in testdata, as they were written once,
// and must find the outcome that they were written with.
func TestGoldenLogs(t *testing.T) {
	t.Parallel()
	for _, j := range journeys(t) {
		path := filepath.Join("testdata", "logs", j.name+".jsonl")
		if *update {
			writeLog(t, path, append([]proof.Fact{starts(j.route), agree}, j.facts...))
		}
		t.Run(j.name, func(t *testing.T) {
			s := route.Fold(readLog(t, path))
			out := verdict.Decide(s, policy(t))
			if s.Outcome == nil || s.Outcome.Result != out.Result || s.Outcome.Level != out.Level || s.Outcome.NHS != out.NHS {
				t.Errorf("the log comes to %s, %s, %s; it was written with %+v", out.Result, out.Level, out.NHS, s.Outcome)
			}
		})
	}
}

// writeLog writes a visit's log with its result at the end.
func writeLog(t *testing.T, path string, facts []proof.Fact) {
	t.Helper()
	out := verdict.Decide(visit(facts...), policy(t))
	out.Raise = nil
	var b bytes.Buffer
	for _, e := range log(append(facts, proof.VisitDecided{Outcome: out})...) {
		line, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(append(line, '\n'))
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// readLog reads a log.
func readLog(t *testing.T, path string) []proof.Event {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var events []proof.Event
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e proof.Event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		events = append(events, e)
	}
	return events
}

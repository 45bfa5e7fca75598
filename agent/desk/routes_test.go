package desk_test

import (
	"context"
	"image"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/desk"
	"github.com/counterproof/counterproof/agent/draft"
	"github.com/counterproof/counterproof/agent/gpg45"
	"github.com/counterproof/counterproof/agent/packet"
	"github.com/counterproof/counterproof/agent/proof"
)

// withRoutes opens a desk that reads bar codes and knows its clerks.
func (r *room) withRoutes(symbol string, clerks ...proof.Operator) *desk.Desk {
	r.t.Helper()
	drafts, err := draft.Open(r.dir, keeper{})
	if err != nil {
		r.t.Fatal(err)
	}
	policy, err := gpg45.Load(gpg45.Default)
	if err != nil {
		r.t.Fatal(err)
	}
	read, err := reader()
	if err != nil {
		r.t.Fatal(err)
	}
	d, err := desk.Open(r.t.Context(), desk.Config{
		Drafts: drafts, Cameras: r, Reader: read, Matcher: r, Recorder: r, Slips: r, Policy: policy,
		Site: "FWC87", App: "test", Training: true, Capture: 5 * time.Second, Templates: lately(), Notify: r.notify,
		Symbols: func(image.Image) []proof.EvidenceScanned {
			return []proof.EvidenceScanned{{Symbology: "Code128", Text: "8910 0000 4417 2261"}, {Symbology: "PDF417", Text: symbol}}
		},
		Clerks: func() []proof.Operator { return clerks }, Readers: r.readers,
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return d
}

// begin starts a visit by a route and agrees to it.
func begin(t *testing.T, d *desk.Desk, route proof.RouteName) api.Visit {
	t.Helper()
	v, err := d.Start(t.Context(), robin, api.NewVisit{Route: route, Language: "en"})
	if err != nil {
		t.Fatalf("starting: %v", err)
	}
	return say(t, d, v, api.Answer{Ask: proof.AskProofingConsent, Given: true})
}

// say answers and must be taken.
func say(t *testing.T, d *desk.Desk, v api.Visit, a api.Answer) api.Visit {
	t.Helper()
	a.Seen = v.Events
	v, err := d.Answer(t.Context(), robin, a)
	if err != nil {
		t.Fatalf("answering %s: %v; the asks are %v", a.Ask, err, v.Asks)
	}
	return v
}

// asks names the asks of a visit.
func asks(v api.Visit) []proof.AskKind {
	var out []proof.AskKind
	for _, a := range v.Asks {
		out = append(out, a.Kind)
	}
	return out
}

// The invented patient, as a clerk types her.
var typed = api.Identity{Surname: "Specimen", Given: "Morgan", Birth: proof.Date{Year: 1985, Month: 3, Day: 12}, Sex: "F"}

// card is her licence.
func card() *api.Fields {
	return &api.Fields{Identity: typed, Number: "SPECI 853125 M99AB", Issuer: "GBR", Expires: lately().AddDays(2000)}
}

// finish goes from the first comparison of a licence to the end of the visit.
func finish(t *testing.T, d *desk.Desk, v api.Visit) api.Visit {
	t.Helper()
	v = goTo(t, d, v, proof.ConfirmResult)
	return goTo(t, d, v, proof.EndVisit)
}

func TestALicenceIsCrossChecked(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	d := r.withRoutes("")
	v := begin(t, d, proof.DrivingLicence)
	wrong := card()
	wrong.Number = "OTHER853125M99AB"
	_, err := d.Answer(t.Context(), robin, api.Answer{Seen: v.Events, Ask: proof.EnterEvidence, Fields: wrong})
	if proof.KindOf(err) != proof.KindNumberWrong {
		t.Fatalf("a number of somebody else gives %v", err)
	}
	if now, err := d.Visit(); err != nil || now.Events != v.Events {
		t.Errorf("a slip of the finger was recorded: %d events, %d before, %v", now.Events, v.Events, err)
	}
	sure := *wrong
	sure.Sure = true
	v = say(t, d, v, api.Answer{Ask: proof.EnterEvidence, Fields: &sure})
	v = goTo(t, d, v, proof.ConfirmResult)
	if v.Outcome.Result != proof.Review {
		t.Errorf("a licence that contradicts itself is %s, want people to look at it", v.Outcome.Result)
	}
}

func TestALicenceIsProved(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	d := r.withRoutes("")
	v := say(t, d, begin(t, d, proof.DrivingLicence), api.Answer{Ask: proof.EnterEvidence, Fields: card()})
	v = goTo(t, d, v, proof.ConfirmResult)
	if v.Outcome.Profile != "L1B" || len(v.People) != 1 || v.People[0].Evidence[0].Type != proof.UKLicence {
		t.Fatalf("outcome %s, people %+v", v.Outcome.Profile, v.People)
	}
	v = goTo(t, d, v, proof.EndVisit)
	for _, parts := range r.records {
		for _, p := range parts {
			if p.Name == packet.Audit && strings.Contains(strings.ToUpper(string(p.Bytes)), "SPECIMEN") {
				t.Error("the auditors' part names the patient")
			}
		}
	}
	if len(r.records) != 1 || v.Ref == "" {
		t.Errorf("%d records", len(r.records))
	}
}

func TestACardsBarCodeFillsTheForm(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	d := r.withRoutes("@\n\x1e\rANSI 636000100002DL00410278ZV03190008DLDAQT64235789\nDCSSAMPLE\nDACMICHAEL\nDBB06061986\nDBA12102034\nDCGUSA\r")
	v := say(t, d, begin(t, d, proof.DrivingLicence), api.Answer{Ask: proof.ScanEvidence})
	if v.Prefill == nil || v.Prefill.Surname != "SAMPLE" || asks(v)[0] != proof.EnterEvidence {
		t.Errorf("asks %v with %+v filled in", asks(v), v.Prefill)
	}
}

func TestAVouchByAVoucherProvedHere(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	d := r.withRoutes("")
	v := say(t, d, begin(t, d, proof.Vouching), api.Answer{Ask: proof.ClaimIdentity, Identity: &api.Identity{
		Surname: "Quill", Given: "Ira", Birth: proof.Date{Year: 1950, Month: 2, Day: 28}}})
	if v.Party != proof.Voucher || asks(v)[0] != proof.CaptureDocument {
		t.Fatalf("after the claim it is the turn of %q, who is asked %v", v.Party, asks(v))
	}
	v = goTo(t, d, v, proof.GiveVouch)
	v = say(t, d, v, api.Answer{Ask: proof.GiveVouch, Vouch: &api.VouchForm{VouchGiven: proof.VouchGiven{
		Occupation: "teacher", Organisation: "Afon School", Contact: "01632 960001",
		KnownSince: proof.Date{Year: 2015, Month: 9, Day: 1}, Statement: "1", Signed: true, Present: true}}})
	v = goTo(t, d, v, proof.ConfirmResult)
	if len(v.Outcome.Parties) != 1 || v.Outcome.Parties[0].Profile != "L1B" || v.Outcome.Scores.Verification != 1 {
		t.Errorf("outcome %+v", v.Outcome)
	}
	v = say(t, d, v, api.Answer{Ask: proof.GiveFeedback, Feedback: &proof.FeedbackGiven{Score: 5, Text: "kind"}})
	v = finish(t, d, v)
	if v.Ref == "" || len(r.records) != 1 {
		t.Errorf("%d records", len(r.records))
	}
}

func TestPracticeDetailsWaitForThePractice(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	d := r.withRoutes("B85036\n9422353604\ninventedKey1")
	v := say(t, d, begin(t, d, proof.PracticeDetails), api.Answer{Ask: proof.ClaimIdentity, Identity: &typed})
	_, err := d.Answer(t.Context(), robin, api.Answer{Seen: v.Events, Ask: proof.GivePractice, Practice: &api.Practice{ODS: "?", Account: "1", Key: "2"}})
	if proof.KindOf(err) != proof.KindPracticeCodes {
		t.Errorf("codes in no form give %v", err)
	}
	v = say(t, d, v, api.Answer{Ask: proof.ScanEvidence})
	if v.Letter == nil || v.Letter.Account != "9422353604" {
		t.Errorf("the letter's code fills in %+v", v.Letter)
	}
	v = say(t, d, v, api.Answer{Ask: proof.GivePractice, Practice: &api.Practice{ODS: "b85036", Account: "9422353604", Key: "inventedKey1"}})
	v = goTo(t, d, v, proof.ConfirmResult)
	if v.Outcome.Result != proof.Pending || v.Outcome.NHS != proof.P9 || !v.Outcome.Provisional {
		t.Errorf("outcome %s, NHS %s", v.Outcome.Result, v.Outcome.NHS)
	}
	v = goTo(t, d, v, proof.EndVisit)
	for _, parts := range r.records {
		read, err := packet.Read(parts)
		if err != nil {
			t.Fatal(err)
		}
		made := slices.ContainsFunc(read.Events, func(e proof.Event) bool { _, ok := e.Fact.(proof.ClaimMade); return ok })
		if !made {
			t.Error("a patient without e-mail and mobile got no claim token")
		}
		for _, p := range parts {
			if p.Name == packet.Audit && (strings.Contains(string(p.Bytes), "inventedKey1") || strings.Contains(string(p.Bytes), `"token"`)) && strings.Contains(string(p.Bytes), `"token":"`+"0") {
				t.Error("the auditors' part has a secret")
			}
		}
	}
	if v.Ref == "" {
		t.Error("no reference")
	}
}

func TestAColleagueNeedsASecondPerson(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	sam := proof.Operator{ID: "sam", Name: "Morgan Specimen"}
	lin := proof.Operator{ID: "lin", Name: "Lin Afon"}
	d := r.withRoutes("", robin, sam, lin)
	v := say(t, d, begin(t, d, proof.DrivingLicence), api.Answer{Ask: proof.EnterEvidence, Fields: card()})
	if asks(v)[0] != proof.SecondPerson {
		t.Fatalf("asks %v, want a second person", asks(v))
	}
	for _, op := range []proof.Operator{robin, sam} {
		if _, err := d.Second(t.Context(), op, v.Events, true); proof.KindOf(err) != proof.KindSameOperator {
			t.Errorf("%s confirms what they are part of: %v", op.ID, err)
		}
	}
	v, err := d.Second(t.Context(), lin, v.Events, true)
	if err != nil {
		t.Fatal(err)
	}
	if v = goTo(t, d, v, proof.ConfirmResult); v.Outcome.Result != proof.Proved {
		t.Errorf("with a second person: %s", v.Outcome.Result)
	}
}

func TestAConcernIsSilent(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	d := r.withRoutes("")
	v := say(t, d, begin(t, d, proof.DrivingLicence), api.Answer{Ask: proof.EnterEvidence, Fields: card()})
	before := asks(v)
	v = say(t, d, v, api.Answer{Do: api.DoConcern})
	if !slices.Equal(asks(v), before) {
		t.Errorf("after a concern asks %v, before %v: somebody who watches sees it", asks(v), before)
	}
	if v = goTo(t, d, v, proof.ConfirmResult); v.Outcome.Result != proof.Review {
		t.Errorf("a concern ends in %s", v.Outcome.Result)
	}
}

func TestMoreEvidenceAfterTheResult(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	d := r.withRoutes("")
	v := goTo(t, d, begin(t, d, proof.PhotoDocument), proof.ConfirmResult)
	v = say(t, d, v, api.Answer{Do: api.DoChoose, Ask: proof.ChooseEvidence})
	if asks(v)[0] != proof.ChooseEvidence || len(v.Choices) == 0 {
		t.Fatalf("asks %v with %d choices", asks(v), len(v.Choices))
	}
	v = say(t, d, v, api.Answer{Do: api.DoTable, Ask: proof.ChooseEvidence, Table: &proof.EvidenceTable{Here: []proof.EvidenceType{"birth_cert", "no_such"}}})
	if len(v.Plans) == 0 || len(v.Plans[0].Steps) == 0 || v.Plans[0].Level == "" {
		t.Errorf("what else have you got: no plan in %+v", v.Plans)
	}
	first := func(v api.Visit, kind proof.EvidenceType) bool {
		return slices.ContainsFunc(v.Plans, func(p api.Plan) bool {
			return slices.ContainsFunc(p.Steps, func(s api.PlanStep) bool { return s.Type == kind && s.Code == "step_key" })
		})
	}
	if !first(v, "birth_cert") {
		t.Errorf("a certificate that lies here is in no plan: %+v", v.Plans)
	}
	v = say(t, d, v, api.Answer{Ask: proof.ChooseEvidence, Type: "birth_cert"})
	v = say(t, d, v, api.Answer{Ask: proof.EnterEvidence, Fields: &api.Fields{Identity: api.Identity{Surname: "Else", Given: "Someone"}}})
	if first(v, "birth_cert") {
		t.Errorf("what was shown is asked for again: %+v", v.Plans)
	}
	v = goTo(t, d, v, proof.ConfirmResult)
	told := slices.ContainsFunc(v.Outcome.Reasons, func(r proof.Reason) bool { return r.Code == proof.UnlinkedEvidence })
	if !told || v.Outcome.Profile != "L1B" || len(v.People[0].Evidence) != 2 || len(v.People[0].Evidence[1].Problems) == 0 {
		t.Errorf("a certificate of somebody else: %s, people %+v", v.Outcome.Profile, v.People)
	}
}

// TestACancelledRequestStillSeals is a window that dies right after the clerk
// has confirmed.
func TestACancelledRequestStillSeals(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	d := r.withRoutes("")
	v := goTo(t, d, begin(t, d, proof.PhotoDocument), proof.ConfirmResult)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.Answer(gone, robin, reply(v)); err != nil {
		t.Fatal(err)
	}
	if len(r.records) != 1 {
		t.Errorf("%d records: the visit hangs on the window's connection", len(r.records))
	}
}

// TestAPanicUnderAFrameLeavesTheVisit makes the matcher panic on a frame: the
// visit goes on with the comparison by eye.
func TestAPanicUnderAFrameLeavesTheVisit(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	r.look = func(image.Image) (proof.Kind, error) { panic("a frame nobody thought of") }
	d := r.withRoutes("")
	v := goTo(t, d, begin(t, d, proof.PhotoDocument), proof.CaptureFace)
	func() {
		defer func() { recover() }()
		d.Answer(t.Context(), robin, api.Answer{Seen: v.Events, Ask: proof.CaptureFace})
	}()
	v = say(t, d, v, api.Answer{Ask: proof.ComparePerson, Do: api.DoChoose})
	if asks(v)[0] != proof.ComparePerson {
		t.Errorf("asks %v", asks(v))
	}
}

package desk_test

import (
	"bytes"
	"context"
	"encoding/json"
	"image"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/packet"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/devices"
)

// kim is another clerk of the counter, who has not got the visit.
var kim = proof.Operator{ID: "kim", Name: "Kim Afon", Role: proof.Clerk}

// tells reports whether a visit, as a screen gets it, names the patient.
func tells(t *testing.T, v api.Visit) bool {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Contains(bytes.ToUpper(b), []byte("SPECIMEN"))
}

// TestAnEndedVisitTellsNobody asks for the visit that ended last, as the window
// does when the next patient stands there already.
func TestAnEndedVisitTellsNobody(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	d := r.withRoutes("")
	v := say(t, d, begin(t, d, proof.DrivingLicence), api.Answer{Ask: proof.EnterEvidence, Fields: card()})
	v = goTo(t, d, v, proof.EndVisit)
	if !tells(t, v) {
		t.Fatal("the open visit does not name the patient: the search is blind")
	}
	ended := say(t, d, v, api.Answer{Ask: proof.EndVisit})
	last, err := d.Visit()
	if err != nil || !last.Ended || tells(t, ended) || tells(t, last) {
		t.Errorf("the visit that ended still tells %+v, %v", last.People, err)
	}
}

// TestOnlyWhoHasTheVisitIsAnswered is a request that was let through before the
// visit changed hands.
func TestOnlyWhoHasTheVisitIsAnswered(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	d := r.open()
	v := goTo(t, d, start(t, d), proof.ExamineDocument)
	for _, a := range []api.Answer{reply(v), {Ask: proof.CaptureDocument}, {Do: api.DoAbandon}} {
		a.Seen = v.Events
		if now, err := d.Answer(t.Context(), kim, a); proof.KindOf(err) != proof.KindNotAllowed || now.Events != v.Events {
			t.Errorf("%s %s of a clerk without the visit: %v", a.Do, a.Ask, err)
		}
	}
	page := v.Document.Page
	if b, err := d.Picture(robin.ID, v.ID, page); err != nil || len(b) == 0 {
		t.Errorf("the own picture: %v", err)
	}
	if _, err := d.Picture(kim.ID, v.ID, page); proof.KindOf(err) != proof.KindNotAllowed {
		t.Errorf("another clerk's picture: %v", err)
	}
	if _, err := d.Picture(robin.ID, "an earlier visit", page); proof.KindOf(err) != proof.KindNoVisit {
		t.Errorf("a picture of the same name of another visit: %v", err)
	}
}

// TestFramesWaitForNobodyElse has a second clerk at the preview, whose stream is
// slow: no frame of the patient lies ready for them.
func TestFramesWaitForNobodyElse(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	d := r.open()
	v := goTo(t, d, start(t, d), proof.CaptureDocument)
	ctx, leave := context.WithCancel(t.Context())
	var own, others atomic.Int32
	var watching sync.WaitGroup
	for op, count := range map[proof.OperatorID]*atomic.Int32{robin.ID: &own, kim.ID: &others} {
		watching.Go(func() {
			_ = d.Preview(ctx, op, func([]byte) error { count.Add(1); return nil })
		})
	}
	for own.Load() == 0 && t.Context().Err() == nil {
		v = say(t, d, v, api.Answer{Ask: proof.CaptureDocument})
		v = say(t, d, v, api.Answer{Ask: proof.CaptureDocument, Do: api.DoReopen})
	}
	leave()
	watching.Wait()
	if others.Load() != 0 {
		t.Errorf("another clerk got %d frames", others.Load())
	}
}

// stuck is a camera that delivers nothing and does not stop when it is told to.
type stuck struct {
	devices.Camera
	began, release chan struct{}
}

// Frames waits for the test.
func (s stuck) Frames(context.Context, func(devices.Frame) bool) error {
	close(s.began)
	<-s.release
	return nil
}

func TestACameraThatDoesNotStop(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	camera := stuck{r.document, make(chan struct{}), make(chan struct{})}
	r.document = camera
	d := r.open()
	v := goTo(t, d, start(t, d), proof.CaptureDocument)
	ended := make(chan error, 1)
	go func() {
		_, err := d.Answer(context.Background(), robin, reply(v))
		ended <- err
	}()
	<-camera.began
	if _, err := d.Answer(t.Context(), kim, api.Answer{Do: api.DoCancel}); err != nil {
		t.Fatal(err)
	}
	key := api.Answer{Seen: v.Events, Ask: proof.KeyDocument, Lines: []string{
		"P<UTOSPECIMEN<<MORGAN<WREN<<<<<<<<<<<<<<<<<<", "U1234567<6UTO8503127X3106305<<<<<<<<<<<<<<04",
	}}
	if _, err := d.Answer(t.Context(), robin, key); proof.KindOf(err) != proof.KindAskNotOpen {
		t.Errorf("another clerk ended the capture: %v", err)
	}
	if _, err := d.Answer(t.Context(), robin, api.Answer{Do: api.DoCancel}); err != nil {
		t.Fatal(err)
	}
	v, err := d.Answer(t.Context(), robin, key)
	if err != nil || v.Document == nil {
		t.Errorf("typing while the camera hangs: %v", err)
	}
	close(camera.release)
	if err := <-ended; proof.KindOf(err) != proof.KindCancelled {
		t.Errorf("the camera's late answer: %v", err)
	}
	if now, err := d.Visit(); err != nil || now.Events != v.Events {
		t.Errorf("the camera's late answer left %d events, was %d: %v", now.Events, v.Events, err)
	}
}

// TestOneCaptureDoesNotEndTheNext begins a capture in the very moment in which
// one ends: a screen that hears of the first asks for the second.
func TestOneCaptureDoesNotEndTheNext(t *testing.T) {
	t.Parallel()
	const aamva = "@\n\x1e\rANSI 636000100002DL00410278ZV03190008DLDAQT64235789\nDCSSAMPLE\nDACMICHAEL\nDBB06061986\nDBA12102034\nDCGUSA\r"
	r := newRoom(t)
	second := make(chan error, 1)
	var d interface {
		Answer(context.Context, proof.Operator, api.Answer) (api.Visit, error)
	}
	var begun atomic.Int32
	r.notify = func(e api.Event) {
		if e.Kind != api.EventVisit || begun.Add(1) != 3 { // started, agreed, scanned
			return
		}
		go func() {
			_, err := d.Answer(context.Background(), robin, api.Answer{Seen: 3, Ask: proof.ScanEvidence})
			second <- err
		}()
		for since := time.Now(); time.Since(since) < 5*time.Millisecond; { // whoever waited as long gets the desk next
		}
	}
	opened := r.withRoutes(aamva)
	d = opened
	v := begin(t, opened, proof.DrivingLicence)
	var screens sync.WaitGroup
	for range 4 { // screens that read the visit make the desk's lock fair
		screens.Go(func() {
			for begun.Load() < 4 {
				if _, err := opened.Visit(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	say(t, opened, v, api.Answer{Ask: proof.ScanEvidence})
	if err := <-second; err != nil {
		t.Errorf("the second capture: %v", err)
	}
	screens.Wait()
}

// TestOtherCodesAreNotKept scans a bank statement: its code holds a whole account
// number, of which the desk may keep no more than the last four digits.
func TestOtherCodesAreNotKept(t *testing.T) {
	t.Parallel()
	pictures, err := passport()
	if err != nil {
		t.Fatal(err)
	}
	r := newRoom(t)
	r.document = camera(pictures[0]) // it lies still
	d := r.withRoutes("8910 0000 4417 2261")
	v := begin(t, d, proof.AnyEvidence)
	v = say(t, d, v, api.Answer{Ask: proof.ChooseEvidence, Type: "bank_account"})
	v = say(t, d, v, api.Answer{Ask: proof.ScanEvidence})
	v = say(t, d, v, api.Answer{Ask: proof.EnterEvidence, Fields: &api.Fields{Identity: typed, Number: "4417 2261", Issuer: "Afon Bank"}})
	v = goTo(t, d, goTo(t, d, v, proof.ExamineDocument), proof.ConfirmResult)
	goTo(t, d, v, proof.EndVisit)
	for _, parts := range r.records {
		read, err := packet.Read(parts)
		if err != nil || len(read.Pictures) != 1 {
			t.Errorf("%d pictures of the statement, want one: %v", len(read.Pictures), err)
		}
		for _, p := range parts {
			if bytes.Contains(p.Bytes, []byte("8910")) {
				t.Errorf("part %s holds the account's number", p.Name)
			}
		}
	}
	if len(r.records) != 1 {
		t.Errorf("%d records", len(r.records))
	}
}

// TestWordsThatAuditorsRead holds free words out of facts that are packed for
// auditors as they are.
func TestWordsThatAuditorsRead(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	d := r.open()
	v := start(t, d)
	for _, text := range []string{"Morgan Specimen agreed", "\u202e1", strings.Repeat("1", 41)} {
		if _, err := d.Answer(t.Context(), robin, api.Answer{Seen: v.Events, Ask: proof.AskProofingConsent, Given: true, Text: text}); proof.KindOf(err) != proof.KindBadRequest {
			t.Errorf("consent to %q: %v", text, err)
		}
	}
	v = goTo(t, d, v, proof.ExamineDocument)
	known := v.Document.Features[0]
	for rule, exam := range map[string]api.Examination{
		"a free word":   {Features: []string{"Morgan Specimen"}},
		"a free doubt":  {Doubts: []string{"she is Morgan Specimen"}},
		"a word twice":  {Features: []string{known, known}},
		"an empty word": {Doubts: []string{""}},
	} {
		exam.Original, exam.Details = true, proof.Agree
		if _, err := d.Answer(t.Context(), robin, api.Answer{Seen: v.Events, Ask: proof.ExamineDocument, Exam: &exam}); proof.KindOf(err) != proof.KindBadRequest {
			t.Errorf("%s: %v", rule, err)
		}
	}
	say(t, d, v, api.Answer{Ask: proof.ExamineDocument, Exam: &api.Examination{Original: true, Details: proof.Agree, Doubts: []string{known}}})
}

// TestWhatIsOfferedIsTaken holds that a clerk is offered no kind of evidence that
// is refused when they choose it.
func TestWhatIsOfferedIsTaken(t *testing.T) {
	t.Parallel()
	vouches := func(v api.Visit) bool {
		return slices.ContainsFunc(v.Choices, func(c api.Choice) bool { return c.Type == proof.Vouch })
	}
	r := newRoom(t)
	d := r.withRoutes("")
	v := begin(t, d, proof.AnyEvidence)
	if !vouches(v) {
		t.Error("nobody may vouch for a patient")
	}
	v = say(t, d, v, api.Answer{Ask: proof.ChooseEvidence, Type: proof.Vouch})
	v = say(t, d, v, api.Answer{Ask: proof.ClaimIdentity, Identity: &typed})
	if v.Party != proof.Voucher || vouches(v) || len(v.Choices) == 0 {
		t.Fatalf("the %s may choose %v", v.Party, v.Choices)
	}
	for _, c := range v.Choices {
		v = say(t, d, v, api.Answer{Ask: proof.ChooseEvidence, Type: c.Type})
	}
}

// TestASecondPersonWhoCheckedThemselves is told that another one must sign in,
// not that the visit moved on.
func TestASecondPersonWhoCheckedThemselves(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	sam := proof.Operator{ID: "sam", Name: "Morgan Specimen"}
	d := r.withRoutes("", robin, kim, sam)
	v := say(t, d, begin(t, d, proof.AnyEvidence), api.Answer{Ask: proof.ChooseEvidence, Type: "birth_cert"})
	v = say(t, d, v, api.Answer{Ask: proof.EnterEvidence, Fields: &api.Fields{Identity: api.Identity{Surname: "Specimen"}}})
	v = goTo(t, d, v, proof.ConfirmResult)
	v = say(t, d, v, api.Answer{Ask: proof.ChooseEvidence, Type: proof.UKLicence})
	v = say(t, d, v, api.Answer{Ask: proof.EnterEvidence, Fields: card()})
	if asks(v)[0] != proof.SecondPerson {
		t.Fatalf("asks %v", asks(v))
	}
	v, err := d.HandOver(t.Context(), robin, kim)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Second(t.Context(), robin, v.Events, true); proof.KindOf(err) != proof.KindSameOperator {
		t.Errorf("robin, who examined the certificate: %v", err)
	}
}

// TestPicturesTooLargeForARecord shows more evidence than a record holds in full:
// the pictures are made smaller, and the visit ends.
func TestPicturesTooLargeForARecord(t *testing.T) {
	t.Parallel()
	const aamva = "@\n\x1e\rANSI 636000100002DL00410278ZV03190008DLDAQT64235789\nDCSSAMPLE\nDACMICHAEL\nDBB06061986\nDBA12102034\nDCGUSA\r"
	pictures, err := passport()
	if err != nil {
		t.Fatal(err)
	}
	huge := append(bytes.Clone(pictures[0]), make([]byte, 4<<20-len(pictures[0]))...) // a camera that compresses badly
	r := newRoom(t)
	r.document = camera(huge)
	d := r.withRoutes(aamva)
	v := begin(t, d, proof.AnyEvidence)
	for range 8 {
		v = say(t, d, v, api.Answer{Ask: proof.ChooseEvidence, Type: proof.UKLicence})
		v = say(t, d, v, api.Answer{Ask: proof.ScanEvidence})
		v = say(t, d, v, api.Answer{Ask: proof.EnterEvidence, Fields: card()})
		v = goTo(t, d, v, proof.ConfirmResult)
	}
	goTo(t, d, v, proof.EndVisit)
	for _, parts := range r.records {
		read, err := packet.Read(parts)
		size := 0
		for _, p := range read.Pictures {
			size += len(p.JPEG)
			if _, _, err := image.DecodeConfig(bytes.NewReader(p.JPEG)); err != nil {
				t.Errorf("picture %s: %v", p.ID, err)
			}
		}
		if err != nil || len(read.Pictures) != 8 || size > packet.MaxEvidence {
			t.Errorf("%d pictures of %d bytes: %v", len(read.Pictures), size, err)
		}
	}
}

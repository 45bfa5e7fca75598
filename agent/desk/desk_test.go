package desk_test

import (
	"cmp"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"encoding/hex"
	"errors"
	"image"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/desk"
	"github.com/counterproof/counterproof/agent/draft"
	"github.com/counterproof/counterproof/agent/gpg45"
	"github.com/counterproof/counterproof/agent/ocr"
	"github.com/counterproof/counterproof/agent/ocr/specimen"
	"github.com/counterproof/counterproof/agent/packet"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/route"
	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/sim"
)

// passport is two photographs of one specimen passport, made once.
var passport = sync.OnceValues(func() ([][]byte, error) {
	today := route.Today(time.Now())
	o := specimen.Options{Seed: 7, Person: specimen.Utopian(7, today), Width: 1600}
	page, err := specimen.Page(o)
	if err != nil {
		return nil, err
	}
	var out [][]byte
	for i := range uint64(2) {
		o.Seed = 7 + i
		photo, err := specimen.Photograph(page, o)
		if err != nil {
			return nil, err
		}
		out = append(out, photo.JPEG)
		printed = photo.Lines
	}
	return out, nil
})

// printed are the lines of that passport, once it was made.
var printed []string

// reader is the reader of all tests.
var reader = sync.OnceValues(ocr.NewReader)

// robin is a clerk who was trained lately.
var robin = proof.Operator{ID: "robin", Name: "Robin Vale", Role: proof.Supervisor, Training: proof.Training{
	Impostor: lately(), Document: lately(),
}}

func lately() proof.Date { return route.Today(time.Now().AddDate(0, -2, 0)) }

// keeper wraps draft keys with a fixed key.
type keeper struct{}

func aead() (cipher.AEAD, error) {
	block, err := aes.NewCipher(make([]byte, 32))
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

func (keeper) Wrap(purpose string, key []byte) ([]byte, error) {
	a, err := aead()
	if err != nil {
		return nil, err
	}
	return a.Seal(nil, make([]byte, 12), key, []byte(purpose)), nil
}

func (keeper) Unwrap(purpose string, wrapped []byte) ([]byte, error) {
	a, err := aead()
	if err != nil {
		return nil, err
	}
	return a.Open(nil, make([]byte, 12), wrapped, []byte(purpose))
}

// room is what the desk of a test works with. A test changes it to make things
// fail.
type room struct {
	t        *testing.T
	dir      string
	document devices.Camera
	face     devices.Camera
	look     func(image.Image) (proof.Kind, error)
	decision proof.FaceDecision
	compare  error
	consents []int // events that comparisons were told

	recordFails error
	records     map[[16]byte][]packet.Part
	slipFails   error
	printed     int
	notify      func(api.Event)
	readers     desk.Readers
	chips       desk.Chips
	capture     time.Duration // 0 is 5 s
}

func newRoom(t *testing.T) *room {
	t.Helper()
	pictures, err := passport()
	if err != nil {
		t.Fatalf("making a passport: %v", err)
	}
	return &room{
		t: t, dir: t.TempDir(), document: camera(pictures...),
		face:     camera(pictures[0]), // the matcher of these tests looks at nothing
		look:     func(image.Image) (proof.Kind, error) { return proof.KindNone, nil },
		decision: proof.Match, records: map[[16]byte][]packet.Part{},
	}
}

// camera is a simulated camera that shows pictures in turn.
func camera(pictures ...[]byte) *sim.Camera {
	return sim.NewCamera(sim.CameraConfig{Pictures: sim.Loop(pictures...)})
}

// garbled is a camera whose frames are no pictures.
func garbled() *sim.Camera {
	c := camera()
	c.Garble(true)
	return c
}

// Camera is the camera of a role.
func (r *room) Camera(role devices.Role) devices.Camera {
	if role == devices.FaceCamera {
		return r.face
	}
	return r.document
}

// Look judges a face as the test wants it.
func (r *room) Look(img image.Image) (proof.Kind, error) { return r.look(img) }

// Compare answers as the test wants it and notes the consent.
func (r *room) Compare(consent int, _, _ image.Image) (proof.FacesCompared, error) {
	r.consents = append(r.consents, consent)
	return proof.FacesCompared{Score: 3.3, Decision: r.decision, Profile: "test"}, r.compare
}

// Record keeps the parts once for a name.
func (r *room) Record(_ context.Context, record [16]byte, _ bool, parts []packet.Part) (proof.Ref, error) {
	if r.recordFails != nil {
		return "", r.recordFails
	}
	if _, ok := r.records[record]; !ok {
		r.records[record] = parts
	}
	return proof.Ref("REF-" + hex.EncodeToString(record[:4])), nil
}

// Lines is a slip of one line.
func (r *room) Lines(v route.State) []string { return []string{string(v.Ref)} }

// Print counts slips.
func (r *room) Print(context.Context, route.State) error {
	if r.slipFails == nil {
		r.printed++
	}
	return r.slipFails
}

// open opens a desk over the room's folder, as a daemon does when it starts.
func (r *room) open() *desk.Desk {
	r.t.Helper()
	d, err := r.tryOpen()
	if err != nil {
		r.t.Fatalf("opening the desk: %v", err)
	}
	return d
}

func (r *room) tryOpen() (*desk.Desk, error) {
	r.t.Helper()
	drafts, err := draft.Open(r.dir, keeper{})
	if err != nil {
		r.t.Fatalf("opening the drafts: %v", err)
	}
	policy, err := gpg45.Load(gpg45.Default)
	if err != nil {
		r.t.Fatalf("loading the policy: %v", err)
	}
	read, err := reader()
	if err != nil {
		r.t.Fatalf("making a reader: %v", err)
	}
	return desk.Open(r.t.Context(), desk.Config{
		Drafts: drafts, Cameras: r, Reader: read, Matcher: r, Recorder: r, Slips: r, Policy: policy,
		Site: "FWC87", App: "test", Training: true, Capture: cmp.Or(r.capture, 5*time.Second), Notify: r.notify, Readers: r.readers, Chips: r.chips,
	})
}

// start begins a visit.
func start(t *testing.T, d *desk.Desk) api.Visit {
	t.Helper()
	v, err := d.Start(t.Context(), robin, api.NewVisit{Route: proof.PhotoDocument, Language: "en"})
	if err != nil {
		t.Fatalf("starting: %v", err)
	}
	return v
}

// reply is the answer of a clerk with whom all goes well.
func reply(v api.Visit) api.Answer {
	a := api.Answer{Seen: v.Events, Ask: v.Asks[0].Kind}
	switch a.Ask {
	case proof.AskProofingConsent, proof.AskFaceConsent:
		a.Given = true
	case proof.ExamineDocument:
		a.Exam = &api.Examination{Original: true, Details: proof.Agree, Features: v.Document.Features}
	case proof.ComparePerson:
		a.Same = proof.Same
	}
	return a
}

// goTo answers until the wanted ask comes first.
func goTo(t *testing.T, d *desk.Desk, v api.Visit, want proof.AskKind) api.Visit {
	t.Helper()
	for range 20 {
		if len(v.Asks) > 0 && v.Asks[0].Kind == want {
			return v
		}
		if len(v.Asks) == 0 {
			t.Fatalf("the visit ended before it asked %s", want)
		}
		var err error
		if v, err = d.Answer(t.Context(), robin, reply(v)); err != nil {
			t.Fatalf("answering %s: %v", v.Asks[0].Kind, err)
		}
	}
	t.Fatalf("%s is never asked", want)
	return v
}

func TestWholeVisit(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	d := r.open()
	v := goTo(t, d, start(t, d), proof.ConfirmResult)
	if v.Outcome.Profile != "L1B" || v.Outcome.Result != proof.Proved {
		t.Fatalf("outcome %s %s, want proved L1B: %+v", v.Outcome.Result, v.Outcome.Profile, v.Outcome.Reasons)
	}
	if len(r.consents) != 1 || r.consents[0] == 0 {
		t.Errorf("comparisons under consents %v, want one", r.consents)
	}
	if len(r.records) != 0 {
		t.Error("the record was sealed before the clerk saw the result")
	}
	v = goTo(t, d, v, proof.EndVisit)
	if len(r.records) != 1 || r.printed != 1 || v.Ref == "" || !v.Slip.Printed {
		t.Errorf("%d records, %d slips, reference %q", len(r.records), r.printed, v.Ref)
	}
	v, err := d.Answer(t.Context(), robin, reply(v))
	if err != nil || !v.Ended || v.Document != nil {
		t.Errorf("the end: ended %t, document still shown %t, %v", v.Ended, v.Document != nil, err)
	}
	if left, err := filepath.Glob(filepath.Join(r.dir, "*")); err != nil || len(left) != 0 {
		t.Errorf("the visit left %v: %v", left, err)
	}
	for _, parts := range r.records {
		read, err := packet.Read(parts)
		if err != nil || read.Claims.Person.Surname.ICAO != "SPECIMEN" {
			t.Errorf("the record does not read: %v", err)
		}
	}
}

func TestInterruptedAnywhereResumes(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	d := r.open()
	v := start(t, d)
	for range 20 {
		// A new desk over the same folder is what starts after a power cut.
		d = r.open()
		resumed, err := d.Visit()
		if err != nil {
			t.Fatalf("after %d events: %v", v.Events, err)
		}
		if resumed.Events < v.Events || resumed.ID != v.ID {
			t.Fatalf("resumed at event %d of visit %s, was at %d of %s", resumed.Events, resumed.ID, v.Events, v.ID)
		}
		if v, err = d.Answer(t.Context(), robin, reply(resumed)); err != nil {
			t.Fatalf("answering after a resume: %v", err)
		}
		if v.Ended {
			break
		}
	}
	if !v.Ended || len(r.records) != 1 {
		t.Errorf("ended %t with %d records, want one", v.Ended, len(r.records))
	}
}

func TestAnswersHappenOnce(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	d := r.open()
	v := start(t, d)
	first := reply(v)
	if _, err := d.Answer(t.Context(), robin, first); err != nil {
		t.Fatal(err)
	}
	again, err := d.Answer(t.Context(), robin, first)
	if proof.KindOf(err) != proof.KindAskNotOpen || again.Events != v.Events+1 {
		t.Errorf("the same answer twice gives %v at event %d", err, again.Events)
	}
	if _, err := d.Start(t.Context(), robin, api.NewVisit{Route: proof.PhotoDocument}); proof.KindOf(err) != proof.KindVisitOpen {
		t.Errorf("a second visit beside the first: %v", err)
	}
}

func TestWhatIsRefused(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	d := r.open()
	if _, err := d.Visit(); proof.KindOf(err) != proof.KindNoVisit {
		t.Errorf("a visit before any: %v", err)
	}
	if _, err := d.Start(t.Context(), robin, api.NewVisit{Route: "astrology"}); proof.KindOf(err) != proof.KindBadRequest {
		t.Errorf("an unknown route: %v", err)
	}
	v := start(t, d)
	for rule, c := range map[string]struct {
		answer api.Answer
		kind   proof.Kind
	}{
		"an ask that is not open":     {api.Answer{Ask: proof.ComparePerson, Same: proof.Same}, proof.KindAskNotOpen},
		"sealing out of turn":         {api.Answer{Ask: proof.SealRecord}, proof.KindAskNotOpen},
		"a capture that is not asked": {api.Answer{Ask: proof.CaptureFace}, proof.KindAskNotOpen},
		"something that nobody does":  {api.Answer{Ask: proof.AskProofingConsent, Do: "dance"}, proof.KindBadRequest},
		"an examination of nothing":   {api.Answer{Ask: proof.ExamineDocument}, proof.KindBadRequest},
		"a comparison without words":  {api.Answer{Ask: proof.ComparePerson}, proof.KindBadRequest},
		"a way that is not offered":   {api.Answer{Ask: proof.Finish, Do: api.DoChoose}, proof.KindAskNotOpen},
		"taking back what is not":     {api.Answer{Ask: proof.ExamineDocument, Do: api.DoReopen}, proof.KindAskNotOpen},
	} {
		c.answer.Seen = v.Events
		got, err := d.Answer(t.Context(), robin, c.answer)
		if proof.KindOf(err) != c.kind || got.Events != v.Events {
			t.Errorf("%s: %v, %d events more", rule, err, got.Events-v.Events)
		}
	}
}

func TestImpostor(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	r.decision = proof.NoMatch
	d := r.open()
	v := goTo(t, d, start(t, d), proof.CaptureFace)
	v, err := d.Answer(t.Context(), robin, reply(v))
	if err != nil || v.Asks[0].Why != proof.FaceDifferent {
		t.Fatalf("after another person asks %+v: %v", v.Asks, err)
	}
	if v, err = d.Answer(t.Context(), robin, api.Answer{Seen: v.Events, Ask: proof.Finish, Do: api.DoChoose}); err != nil {
		t.Fatal(err)
	}
	if v.Outcome == nil || v.Outcome.Result != proof.Review || v.Outcome.Level != proof.NoLevel {
		t.Fatalf("outcome %+v, want a review without a level", v.Outcome)
	}
	goTo(t, d, v, proof.EndVisit)
	for _, parts := range r.records {
		read, err := packet.Read(parts)
		if err != nil || !slices.ContainsFunc(read.Pictures, func(p packet.Picture) bool { return strings.HasPrefix(string(p.ID), "live-") }) {
			t.Errorf("the reviewers get no live face: %v", err)
		}
	}
}

func TestRefusedFaceIsNeverCompared(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	d := r.open()
	v := goTo(t, d, start(t, d), proof.AskFaceConsent)
	v, err := d.Answer(t.Context(), robin, api.Answer{Seen: v.Events, Ask: proof.AskFaceConsent, Given: false})
	if err != nil || v.Asks[0].Kind != proof.ComparePerson || v.Asks[0].Why != proof.FaceRefused {
		t.Fatalf("after a refusal asks %+v: %v", v.Asks, err)
	}
	v = goTo(t, d, v, proof.ConfirmResult)
	if len(r.consents) != 0 || v.Outcome.Profile != "L1B" {
		t.Errorf("%d comparisons, profile %q; want none and no penalty", len(r.consents), v.Outcome.Profile)
	}
}

func TestFailuresLeaveAWay(t *testing.T) {
	t.Parallel()
	t.Run("no document camera", func(t *testing.T) {
		t.Parallel()
		r := newRoom(t)
		r.document = devices.NoDevice{Op: "filming"}
		d := r.open()
		v := goTo(t, d, start(t, d), proof.CaptureDocument)
		v, err := d.Answer(t.Context(), robin, reply(v))
		if err != nil || v.Asks[0].Kind != proof.KeyDocument || v.Asks[0].Why != proof.DeviceNotThere {
			t.Errorf("asks %+v: %v", v.Asks, err)
		}
		bad := api.Answer{Seen: v.Events, Ask: proof.KeyDocument, Lines: []string{"NOT A ZONE"}}
		if _, err := d.Answer(t.Context(), robin, bad); proof.KindOf(err) != proof.KindNoMRZ {
			t.Errorf("keying nonsense: %v", err)
		}
		good := api.Answer{Seen: v.Events, Ask: proof.KeyDocument, Lines: []string{
			"p<utospecimen<<morgan<wren<<<<<<<<<<<<<<<<<<", " U1234567<6UTO8503127X3106305<<<<<<<<<<<<<<04 ", "",
		}}
		typo := good
		typo.Lines = []string{good.Lines[0], strings.Replace(good.Lines[1], "8503", "8504", 1)}
		if _, err := d.Answer(t.Context(), robin, typo); proof.KindOf(err) != proof.KindChecksFailed {
			t.Errorf("keying a wrong digit: %v", err)
		}
		if v, err = d.Answer(t.Context(), robin, good); err != nil || v.Document == nil || v.Document.Source != proof.FromKeys {
			t.Errorf("keying the lines: %v", err)
		}
	})
	t.Run("no matcher", func(t *testing.T) {
		t.Parallel()
		r := newRoom(t)
		r.look = func(image.Image) (proof.Kind, error) {
			return "", &proof.Error{Op: "looking", Kind: proof.KindFaceUnavailable}
		}
		d := r.open()
		v := goTo(t, d, start(t, d), proof.CaptureFace)
		v, err := d.Answer(t.Context(), robin, reply(v))
		if err != nil || v.Asks[0].Kind != proof.ComparePerson {
			t.Errorf("asks %+v: %v", v.Asks, err)
		}
	})
	t.Run("disk full at the end", func(t *testing.T) {
		t.Parallel()
		r := newRoom(t)
		r.recordFails = &proof.Error{Op: "queueing", Kind: proof.KindDiskFull}
		d := r.open()
		v := goTo(t, d, start(t, d), proof.ConfirmResult)
		v, err := d.Answer(t.Context(), robin, reply(v))
		if proof.KindOf(err) != proof.KindDiskFull || v.Asks[0].Kind != proof.SealRecord {
			t.Fatalf("%v, asks %+v", err, v.Asks)
		}
		d, err = r.tryOpen() // and the counter is switched off and on
		if proof.KindOf(err) != proof.KindDiskFull {
			t.Errorf("starting with a full disk says %v", err)
		}
		r.recordFails = nil
		if v, err = d.Answer(t.Context(), robin, api.Answer{Seen: v.Events, Ask: proof.SealRecord}); err != nil || v.Ref == "" {
			t.Errorf("trying again: %v, reference %q", err, v.Ref)
		}
	})
	t.Run("paper out", func(t *testing.T) {
		t.Parallel()
		r := newRoom(t)
		r.slipFails = &devices.Fault{Op: "printing", Kind: devices.PaperOut}
		d := r.open()
		v := goTo(t, d, start(t, d), proof.PrintSlip)
		if v.Slip == nil || v.Slip.Problem != proof.KindPaperOut || len(r.records) != 1 {
			t.Fatalf("slip %+v with %d records", v.Slip, len(r.records))
		}
		r.slipFails = nil
		v, err := d.Answer(t.Context(), robin, api.Answer{Seen: v.Events, Ask: proof.PrintSlip})
		if err != nil || !v.Slip.Printed {
			t.Errorf("printing again: %v", err)
		}
	})
}

func TestCapture(t *testing.T) {
	t.Parallel()
	t.Run("cancelled", func(t *testing.T) {
		t.Parallel()
		r := newRoom(t)
		r.document = camera() // nothing lies before it
		d := r.open()
		v := goTo(t, d, start(t, d), proof.CaptureDocument)
		ended := make(chan error)
		go func() {
			_, err := d.Answer(context.Background(), robin, reply(v))
			ended <- err
		}()
		for err := error(nil); ; {
			select {
			case err = <-ended:
			default:
				_, err := d.Answer(t.Context(), robin, api.Answer{Do: api.DoCancel})
				if err != nil {
					t.Fatalf("cancelling: %v", err)
				}
				continue
			}
			if proof.KindOf(err) != proof.KindCancelled {
				t.Errorf("a cancelled capture says %v", err)
			}
			break
		}
		if now, err := d.Visit(); err != nil || now.Events != v.Events {
			t.Errorf("cancelling left %d events, was %d: %v", now.Events, v.Events, err)
		}
	})
	t.Run("corrupt frames", func(t *testing.T) {
		t.Parallel()
		r := newRoom(t)
		r.document = garbled()
		d := r.open()
		v := goTo(t, d, start(t, d), proof.CaptureDocument)
		v, err := d.Answer(t.Context(), robin, reply(v))
		if err != nil || v.Asks[0].Problem != proof.KindPictureCorrupt {
			t.Errorf("asks %+v: %v", v.Asks, err)
		}
	})
	t.Run("unplugged", func(t *testing.T) {
		t.Parallel()
		r := newRoom(t)
		away := camera()
		away.Unplug()
		r.document = away
		d := r.open()
		v := goTo(t, d, start(t, d), proof.CaptureDocument)
		v, err := d.Answer(t.Context(), robin, reply(v))
		if err != nil || v.Asks[0].Why != proof.DeviceNotThere {
			t.Errorf("asks %+v: %v", v.Asks, err)
		}
	})
}

func TestStepsTakenBackAndHandOver(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	d := r.open()
	v := goTo(t, d, start(t, d), proof.ConfirmResult)
	v, err := d.Answer(t.Context(), robin, api.Answer{Seen: v.Events, Ask: proof.ComparePerson, Do: api.DoReopen})
	if err != nil || v.Outcome != nil || v.Asks[0].Kind != proof.ComparePerson {
		t.Fatalf("taking the comparison back: %+v, %v", v.Asks, err)
	}
	sam := proof.Operator{ID: "sam", Training: proof.Training{}}
	if v, err = d.HandOver(t.Context(), robin, sam); err != nil || v.Operator != "sam" {
		t.Fatalf("handing over: %v to %s", err, v.Operator)
	}
	v, err = d.Answer(t.Context(), sam, api.Answer{Seen: v.Events, Ask: proof.ComparePerson, Same: proof.Same})
	if err != nil || v.Outcome == nil || v.Outcome.Level != proof.NoLevel {
		t.Errorf("an untrained colleague's comparison gives %+v: %v", v.Outcome, err)
	}
}

func TestAbandoned(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	d := r.open()
	v := goTo(t, d, start(t, d), proof.ExamineDocument)
	v, err := d.Answer(t.Context(), robin, api.Answer{Seen: v.Events, Ask: proof.ExamineDocument, Do: api.DoAbandon, Reason: proof.PatientLeft})
	if err != nil || !v.Ended || v.Outcome.Result != proof.Abandoned {
		t.Fatalf("abandoning: ended %t, %v", v.Ended, err)
	}
	if len(r.records) != 1 || r.printed != 0 {
		t.Errorf("%d records and %d slips, want the auditors' record alone", len(r.records), r.printed)
	}
	for _, parts := range r.records {
		for _, p := range parts {
			if p.Name == packet.Evidence {
				t.Error("an abandoned visit's pictures are sealed")
			}
		}
	}
}

func TestPreviewShowsTheCapture(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	d := r.open()
	v := goTo(t, d, start(t, d), proof.CaptureDocument)
	seen := make(chan int, 1)
	enough := errors.New("seen enough")
	watching := make(chan error, 1)
	go func() {
		watching <- d.Preview(context.Background(), robin.ID, func(jpeg []byte) error {
			seen <- len(jpeg)
			return enough
		})
	}()
	for len(seen) == 0 {
		if _, err := d.Answer(t.Context(), robin, reply(v)); err != nil {
			t.Fatal(err)
		}
		now, err := d.Answer(t.Context(), robin, api.Answer{Seen: v.Events + 1, Ask: proof.CaptureDocument, Do: api.DoReopen})
		if err != nil {
			t.Fatal(err)
		}
		v = now
	}
	if n := <-seen; n == 0 {
		t.Error("an empty frame")
	}
	if err := <-watching; !errors.Is(err, enough) {
		t.Errorf("the preview ended with %v", err)
	}
}

func TestDeviceKind(t *testing.T) {
	t.Parallel()
	for kind, want := range map[devices.Kind]proof.Kind{
		devices.Missing: proof.KindDeviceMissing, devices.Gone: proof.KindDeviceGone, devices.InUse: proof.KindDeviceBusy,
		devices.Permission: proof.KindDevicePermission, devices.Timeout: proof.KindDeviceTimeout,
		devices.Protocol: proof.KindDeviceProtocol, devices.Unsupported: proof.KindDeviceUnsupported,
		devices.PaperOut: proof.KindPaperOut, devices.CoverOpen: proof.KindCoverOpen, devices.Cancelled: proof.KindCancelled,
	} {
		if got := desk.DeviceKind(&devices.Fault{Kind: kind}); got != want {
			t.Errorf("%s is shown as %s, want %s", kind, got, want)
		}
	}
	if got := desk.DeviceKind(errors.New("foreign")); got != proof.KindInternal {
		t.Errorf("a foreign error is shown as %s", got)
	}
}

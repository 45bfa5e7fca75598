package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/api/client"
	"github.com/counterproof/counterproof/agent/face"
	"github.com/counterproof/counterproof/agent/ocr/specimen"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/route"
	"github.com/counterproof/counterproof/devices"
)

// needFaces skips where set-up has not fetched the networks and photographs.
func needFaces(t *testing.T) {
	t.Helper()
	dir, ok := face.Models()
	if _, err := os.Stat(filepath.Join(dir, "photos", livePhoto)); !ok || err != nil {
		t.Skip("the face networks and photographs were not fetched (make setup does it)")
	}
}

// show runs the command and gives what it told.
func show(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	cmd := Command()
	cmd.SetArgs(append([]string{"--no-window"}, args...))
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	err := cmd.ExecuteContext(ctx)
	return out.String(), err
}

// tells checks that every text is told, in this order.
func tells(t *testing.T, out string, texts ...string) {
	t.Helper()
	rest := out
	for _, text := range texts {
		i := strings.Index(rest, text)
		if i < 0 {
			t.Errorf("%q is not told, or not in its place, in\n%s", text, out)
			return
		}
		rest = rest[i+len(text):]
	}
}

func TestSamePersonReachesL1B(t *testing.T) {
	needFaces(t)
	out, err := show(t)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	tells(t, out,
		"is in training", "signs in", "agrees to the check", "lies before the camera", "  camera: ", "camera: good", "Read: a passport of UTO",
		"agrees that a machine compares", "machine's view of the two faces: match", "RESULT: proved",
		"GPG 45: low, profile L1B (policy gpg45-0.4)", "provisional: true", "Because:", "an aid and scores nothing",
		"What would raise it:", "Reference ", "TRAINING ONLY", "signed receipt", "proved, level low L1B; it agrees with the counter: true",
		"NEWS from the centre, signed by the opener: final raised", "NEWS from the centre, signed by the opener: nhs p5",
	)
}

func TestImpostorGetsNoLevelAndAReview(t *testing.T) {
	needFaces(t)
	out, err := show(t, "--impostor")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	tells(t, out, "The machine says another person", "RESULT: review", "Because:", "does not look like the photo", "review, level none", "NEWS from the centre, signed by the opener: review open")
	if strings.Contains(out, "GPG 45:") {
		t.Errorf("an impostor is told a level:\n%s", out)
	}
}

func TestPatientWithoutAFaceInThePicture(t *testing.T) {
	needFaces(t)
	// A picture without a face stands for a covered lens: the clerk compares.
	blank := image.NewGray(image.Rect(0, 0, 640, 480))
	for i := range blank.Pix {
		blank.Pix[i] = color.Gray{Y: uint8(i)}.Y
	}
	name := filepath.Join(t.TempDir(), "wall.jpg")
	var b bytes.Buffer
	if err := jpeg.Encode(&b, blank, nil); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	w := &world{cfg: Config{Face: name}}
	got, err := w.faceFrames()
	if err != nil || len(got) != 1 || !bytes.Equal(got[0], b.Bytes()) {
		t.Errorf("the caller's photograph is not shown: %v", err)
	}
	a := w.faceAnswerQuietly(proof.Ask{Kind: proof.CaptureFace, Attempt: 1, Problem: proof.KindNoFace})
	if a.Ask != proof.ComparePerson || a.Do != api.DoChoose {
		t.Errorf("after no face the clerk answers %+v", a)
	}
}

// faceAnswerQuietly is faceAnswer without telling.
func (w *world) faceAnswerQuietly(ask proof.Ask) api.Answer {
	w.cfg.Out = &bytes.Buffer{}
	return w.faceAnswer(api.Answer{Ask: ask.Kind}, ask)
}

func TestPicturesThatAreNone(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "letter.txt")
	if err := os.WriteFile(text, []byte("Dear patient"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"--document", text}, {"--document", filepath.Join(dir, "absent.jpg")}, {"--face", text}} {
		if out, err := show(t, args...); err == nil {
			t.Errorf("%v was taken:\n%s", args, out)
		}
	}
	if _, err := photograph(text); proof.KindOf(err) != proof.KindNotPicture {
		t.Errorf("a letter as a photograph gives %v", err)
	}
}

func TestOwnDocumentPhotograph(t *testing.T) {
	// --document takes any photograph of a data page from disk.
	o := specimen.Options{Seed: 3, Person: specimen.Utopian(3, route.Today(time.Now()))}
	page, err := specimen.Page(o)
	if err != nil {
		t.Fatal(err)
	}
	photo, err := specimen.Photograph(page, o)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "page.jpg")
	if err := os.WriteFile(name, photo.JPEG, 0o600); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "kept")
	out, err := show(t, "--document", name, "--dir", dir, "--language", "cy", "--models", t.TempDir())
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	// Its slip and those of the news are printed. Without the face networks the clerk compares by eye; the level is the same.
	tells(t, out, "Read: a passport of UTO", "the clerk compares by eye", "RESULT: proved", "profile L1B", "Eich cyfeirnod")
	slips, err := filepath.Glob(filepath.Join(dir, "slips", "*.pdf"))
	if err != nil || len(slips) != 1+strings.Count(out, "NEWS from") {
		t.Errorf("slips %v: %v", slips, err)
	}
}

func TestHoldKeepsTheCounterRunning(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	file := filepath.Join(t.TempDir(), "counter.json")
	ended := make(chan error, 1)
	go func() {
		cmd := Command()
		cmd.SetArgs([]string{"--hold", "--socket-file", file, "--models", t.TempDir()})
		cmd.SetOut(&bytes.Buffer{})
		ended <- cmd.ExecuteContext(ctx)
	}()
	var h held
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for h.Socket == "" {
		select {
		case err := <-ended:
			t.Fatalf("it ended: %v", err)
		case <-tick.C:
		}
		b, err := os.ReadFile(file)
		if errors.Is(err, os.ErrNotExist) || len(b) == 0 {
			continue
		}
		if err != nil || json.Unmarshal(b, &h) != nil {
			continue // half written
		}
	}
	c := client.New(h.Socket)
	if _, err := c.SignIn(ctx, api.SignIn{Operator: proof.OperatorID(h.Operator), Secret: h.Secret}); err != nil {
		t.Errorf("signing in with what the file says: %v", err)
	}
	status, err := c.Status(ctx)
	if err != nil || !status.Training || !status.Enrolled || len(status.Devices) != 3 {
		t.Errorf("status %+v: %v", status, err)
	}
	newsComes(ctx, t, c)
	stop()
	if err := <-ended; err != nil {
		t.Errorf("stopping: %v", err)
	}
	if _, err := os.Stat(h.Dir); !errors.Is(err, os.ErrNotExist) {
		t.Error("the demonstration's folder is left behind")
	}
}

// newsComes ends a visit at once and waits until the opener, which works beside
// the counter, has sent word of it.
func newsComes(ctx context.Context, t *testing.T, c *client.Client) {
	t.Helper()
	v, err := c.StartVisit(ctx, api.NewVisit{Route: proof.PhotoDocument, Language: "en"})
	for i := 0; err == nil && !v.Ended && i < maxSteps; i++ {
		ask := proof.Finish
		if k := v.Asks[0].Kind; k == proof.AskProofingConsent || k == proof.ConfirmResult || k == proof.EndVisit || k == proof.PrintSlip {
			ask = k
		}
		a := api.Answer{Seen: v.Events, Ask: ask, Given: true, Text: "demo"}
		if ask == proof.Finish {
			a.Do = api.DoChoose
		}
		v, err = c.Answer(ctx, v.ID, a)
	}
	if err != nil || !v.Ended {
		t.Fatalf("the visit ends: %t, %v", v.Ended, err)
	}
	until, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		list, err := c.LookForNews(until)
		if err != nil {
			t.Fatalf("looking for news: %v", err)
		}
		if len(list.Notices) > 0 && list.Notices[0].Ref == v.Ref {
			return
		}
		<-tick.C
	}
}

func TestTheHandFollowsTheGuidance(t *testing.T) {
	w := &world{dir: t.TempDir(), next: [][]byte{[]byte("two"), []byte("three"), []byte("four")}}
	if err := frames(w.folder("document"), [][]byte{[]byte("one")}); err != nil {
		t.Fatal(err)
	}
	lies := func() (all string) {
		names, err := filepath.Glob(filepath.Join(w.folder("document"), "*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range names {
			b, err := os.ReadFile(n)
			if err != nil {
				t.Fatal(err)
			}
			all += string(b) + " "
		}
		return all
	}
	says := func(k proof.Kind, role devices.Role) {
		if err := w.moves(api.Event{Kind: api.EventGuidance, Guidance: k, Role: string(role)}); err != nil {
			t.Fatal(err)
		}
	}
	says(proof.KindHoldStill, devices.DocumentCamera)
	says(proof.KindTooSmall, devices.FaceCamera)
	if got := lies(); got != "one " {
		t.Errorf("without a reason there lies %q", got)
	}
	says(proof.KindTooSmall, devices.DocumentCamera)
	if got := lies(); got != "two " {
		t.Errorf("after the first guidance there lies %q", got)
	}
	says(proof.KindBlurred, devices.DocumentCamera)
	says(proof.KindBlurred, devices.DocumentCamera)
	if got := lies(); got != "three four " {
		t.Errorf("at the end there lies %q", got)
	}
}

// TestEveryRouteIsShown goes through a visit by every route, to the centre, to
// the opener and back to the counter's second slip.
func TestEveryRouteIsShown(t *testing.T) {
	needFaces(t)
	const agrees, news = "agrees with the counter: true", "NEWS from the centre, signed by the opener: "
	for name, texts := range map[string][]string{
		"chip": {"lies on the chip reader", "chip: 100 %", "opened by PACE-GM: its data are genuine; a copy is excluded", "profile M1C", "NHS login: P9, provisional: true",
			"Validity 3: the chip is genuine", agrees, news + "final raised"},
		"forged": {"lies on the chip reader", "RESULT: review", "failed the check against copies", agrees, news + "review open"},
		"licence": {"a driving licence", "keys the licence", "RESULT: proved", "profile L1B", "Your claim code", agrees,
			news + "final raised", "About your reference", news + "nhs p5", "contact", news + "letter sent"},
		"vouch": {"whom a teacher knows", "passport's data page of the voucher", "declares to know", "RESULT: pending", "The voucher: GPG 45 medium M1C",
			"a vouch by somebody who was proved here", agrees, news + "final raised", news + "nhs p5"},
		"gp": {"GP practice's letter", "three codes", "RESULT: pending", "NHS login: P9, provisional: true", agrees,
			news + "details accepted", news + "nhs p9", news + "claim ready", news + "letter sent"},
		"proxy": {"a carer", "data page of the proxy", "Spoken to alone", "RESULT: requested", "proxy access: submitted", agrees,
			news + "proxy submitted", "passed on", news + "final raised"},
		"child": {"a parent", "no document; the parent attests", "birth certificate", "parent_attested", "Access stops when the child is 16", agrees,
			news + "proxy submitted"},
		"unplugged": {"pulls the document camera out", "key the two lines instead (device missing)", "It is plugged in again", "pulls the chip reader out", "go on without the chip (device missing)", "chip: 100 %", "Read: a passport of UTO",
			"pulls the face camera out", "compares by eye", "RESULT: proved", "pulls the printer out", "was not printed (device missing)",
			"TRAINING ONLY", agrees, news + "final raised"},
		"return": {"of site FWC87", "The passport is at home", "RESULT: not_proved", news + "more needed", "of site PO123", "the same patient at another site",
			"RESULT: proved", agrees, news + "joined", "counts together", news + "final raised"},
		"claim": {"of site FWC87", "Your claim code", news + "claim ready", "of site PO123", news + "claim used", news + "account ready",
			"somebody with a claim code", news + "claim refused", "somebody with a claim code", news + "claim refused"},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := show(t, "--route", name)
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			tells(t, out, texts...)
			for _, secret := range []string{"inventedKey7", "1029384756", "SPECI853125", "01632 960001", "wren@example.org", "BXCA123456"} {
				if strings.Contains(out, secret) {
					t.Errorf("%s is told", secret)
				}
			}
		})
	}
	if out, err := show(t, "--route", "astrology"); err == nil || !strings.Contains(err.Error(), "licence") {
		t.Errorf("an unknown route: %v\n%s", err, out)
	}
}

package demo

import (
	"bytes"
	"image"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/route"
)

// quiet is a world that tells into a buffer.
func quiet(t *testing.T) (*world, *bytes.Buffer) {
	t.Helper()
	var out bytes.Buffer
	return &world{cfg: Config{Out: &out, Models: t.TempDir()}, dir: t.TempDir()}, &out
}

func TestOutcomeIsTold(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rule    string
		outcome proof.Outcome
		says    []string
		never   []string
	}{
		{"proved", proof.Outcome{
			Result: proof.Proved, Level: proof.Low, Profile: "L1B", Policy: "gpg45-0.4", NHS: proof.P5, Provisional: true,
			Reasons: []proof.Reason{{Code: "verification_0_not_compared"}, {Code: "a_word_of_tomorrow"}},
			Raise:   []proof.Reason{{Code: proof.DocExpired}},
		}, []string{"RESULT: proved", "low, profile L1B", "P5, provisional: true", "Because:", "a word of tomorrow", "What would raise it:"}, nil},
		{"review", proof.Outcome{Result: proof.Review, Level: proof.NoLevel, NHS: proof.NHSNone},
			[]string{"RESULT: review"}, []string{"GPG 45:", "What would raise it:"}},
		{"not proved", proof.Outcome{Result: proof.NotProved, Reasons: []proof.Reason{{Code: proof.NoSuitableDocument}}},
			[]string{"RESULT: not_proved", "  - "}, []string{"GPG 45:"}},
	} {
		t.Run(c.rule, func(t *testing.T) {
			w, out := quiet(t)
			w.tellOutcome(c.outcome)
			for _, text := range c.says {
				if !strings.Contains(out.String(), text) {
					t.Errorf("%q is not told in\n%s", text, out)
				}
			}
			for _, text := range c.never {
				if strings.Contains(out.String(), text) {
					t.Errorf("%q is told in\n%s", text, out)
				}
			}
		})
	}
}

func TestSlipIsTold(t *testing.T) {
	t.Parallel()
	w, out := quiet(t)
	w.tellSlip(api.Visit{Ref: "ABCD", Slip: &api.Slip{Lines: []string{"one", "two"}, Problem: proof.KindPaperOut}})
	for _, text := range []string{"Reference ABCD", "not printed: paper_out", "| one", "| two"} {
		if !strings.Contains(out.String(), text) {
			t.Errorf("%q is not told in\n%s", text, out)
		}
	}
	out.Reset()
	w.tellSlip(api.Visit{Ref: "ABCD"})
	if strings.Contains(out.String(), "|") {
		t.Errorf("a slip is told that is not there:\n%s", out)
	}
}

func TestMachineIsCalledAnAid(t *testing.T) {
	t.Parallel()
	w, out := quiet(t)
	w.tellFace(&api.Face{Decision: proof.ClerkDecides, Score: 2.2}, proof.Ask{})
	if !strings.Contains(out.String(), "an aid and scores nothing") {
		t.Errorf("told\n%s", out)
	}
	out.Reset()
	w.tellFace(nil, proof.Ask{Why: proof.FaceRefused})
	if !strings.Contains(out.String(), "face refused") || strings.Contains(out.String(), "score") {
		t.Errorf("without a comparison told\n%s", out)
	}
}

func TestFaceAnswers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rule string
		ask  proof.Ask
		want api.Answer
	}{
		{"first photograph", proof.Ask{Kind: proof.CaptureFace}, api.Answer{Ask: proof.CaptureFace}},
		{"another person: the visit ends", proof.Ask{Kind: proof.CaptureFace, Why: proof.FaceDifferent, Attempt: 1},
			api.Answer{Ask: proof.Finish, Do: api.DoChoose}},
		{"no face: by eye", proof.Ask{Kind: proof.CaptureFace, Attempt: 1}, api.Answer{Ask: proof.ComparePerson, Do: api.DoChoose}},
	} {
		w, _ := quiet(t)
		got := w.faceAnswer(api.Answer{Ask: proof.CaptureFace}, c.ask)
		if got.Ask != c.want.Ask || got.Do != c.want.Do {
			t.Errorf("%s: %s %s, want %s %s", c.rule, got.Do, got.Ask, c.want.Do, c.want.Ask)
		}
	}
}

func TestGuidanceInWords(t *testing.T) {
	t.Parallel()
	for kind, want := range map[proof.Kind]string{proof.KindNone: "good", proof.KindTooSmall: "too small", proof.KindGlare: "glare"} {
		if got := guidance(kind); got != want {
			t.Errorf("%q is told as %q, want %q", kind, got, want)
		}
	}
}

func TestHeadIsCutWithRoomAroundTheFace(t *testing.T) {
	t.Parallel()
	img := image.NewRGBA(image.Rect(0, 0, 600, 800))
	cut := head(img, image.Rect(250, 300, 350, 420)).Bounds()
	if !image.Rect(250, 300, 350, 420).In(cut) {
		t.Errorf("the face is not whole in %v", cut)
	}
	if ratio := float64(cut.Dx()) / float64(cut.Dy()); ratio < 0.74 || ratio > 0.82 {
		t.Errorf("the cut's proportion is %.2f, a photo box has 0.78", ratio)
	}
	if got := head(img, image.Rect(0, 0, 100, 120)).Bounds(); got != img.Bounds() {
		t.Errorf("a face at the edge gives %v, want the whole picture", got)
	}
}

func TestWithoutFetchedPhotographs(t *testing.T) {
	t.Parallel()
	w, out := quiet(t)
	img, err := w.portrait()
	if err != nil || img != nil || !strings.Contains(out.String(), "make setup") {
		t.Errorf("portrait %v, %v, told %q", img != nil, err, out)
	}
	faces, err := w.faceFrames()
	if err != nil || faces != nil {
		t.Errorf("%d faces, %v", len(faces), err)
	}
	if err := w.pictures(); err != nil {
		t.Fatalf("making pictures: %v", err)
	}
	shown, err := filepath.Glob(filepath.Join(w.folder("document"), "*.jpg"))
	if err != nil || len(shown) != 1 || len(w.next) != 3 {
		t.Errorf("%d pictures lie there and %d follow: %v", len(shown), len(w.next), err)
	}
	if _, err := os.Stat(w.folder("face")); err != nil {
		t.Errorf("the face camera has no folder: %v", err)
	}
}

func TestNoWindowWithoutADisplay(t *testing.T) {
	t.Setenv("DISPLAY", "")
	t.Setenv("WAYLAND_DISPLAY", "")
	if got := windowProgram(); got != "" {
		t.Errorf("without a display the window would be %s", got)
	}
}

// TestStoriesAreWhole holds that every story that the command line offers is a
// route that a visit may begin with, is told in a line, and answers with people
// that are invented.
func TestStoriesAreWhole(t *testing.T) {
	for _, name := range storyNames() {
		s, err := storyOf(name)
		if err != nil || s.told == "" || !slices.Contains(route.Routes(), s.route) {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
	}
	if _, err := storyOf("astrology"); err == nil || !strings.Contains(err.Error(), "vouch") {
		t.Errorf("an unknown story: %v", err)
	}
	if got := words([]proof.Code{"best_interests", "consent"}); got != "best interests, consent" {
		t.Errorf("codes are told as %q", got)
	}
	if who(proof.Ask{}) != "patient" || who(proof.Ask{Party: proof.Voucher}) != "voucher" {
		t.Error("whom an ask is about")
	}
}

// TestReasonsAreSentences tells codes of every room in words, and a strange one
// without its underscores.
func TestReasonsAreSentences(t *testing.T) {
	for code, want := range map[proof.Code]string{
		proof.ProxySubmitted: "clinician decides", "fraud_not_checked": "Fraud 0", "nhs_nothing_yet": "No NHS level yet",
		"a_code_of_next_year": "a code of next year",
	} {
		if got := explain(proof.Reason{Code: code}); !strings.Contains(got, want) {
			t.Errorf("%s is told as %q, want %q in it", code, got, want)
		}
	}
}

// TestClaimsAreOfOnePerson holds that a story's clerk types the same person in
// every form, so that its evidence is linked.
func TestClaimsAreOfOnePerson(t *testing.T) {
	w := &world{cfg: Config{Out: &bytes.Buffer{}}}
	claimed := claims(patient)(w, api.Visit{}).Identity
	keyed := enterLicence(w, api.Visit{}).Fields
	if keyed.Surname != claimed.Surname || keyed.Given != claimed.Given || keyed.Birth != claimed.Birth {
		t.Errorf("claimed %+v, keyed %+v", claimed, keyed.Identity)
	}
}

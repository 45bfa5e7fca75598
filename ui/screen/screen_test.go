package screen_test

import (
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/ui/form"
	"github.com/counterproof/counterproof/ui/look"
	"github.com/counterproof/counterproof/ui/parts"
	"github.com/counterproof/counterproof/ui/screen"
	"github.com/counterproof/counterproof/ui/view"
	"github.com/counterproof/counterproof/ui/words"
)

// stage is a screen in a window of the test driver.
type stage struct {
	*screen.Built
	window fyne.Window
	form   *form.Typed
	did    []view.Intent
}

// put builds a screen at a text scale in a window of a size.
func put(t *testing.T, s view.State, scale float32, size fyne.Size) *stage {
	t.Helper()
	app := test.NewTempApp(t)
	app.Settings().SetTheme(look.New(scale))
	st := &stage{form: &form.Typed{}}
	c := screen.Context{Words: s.Words, Form: st.form, Scale: scale, Switch: func() {}, Do: func(i view.Intent) { st.did = append(st.did, i) }}
	st.Built = screen.Build(c, view.Heading(s), view.Show(s))
	st.window = test.NewTempWindow(t, st.Object())
	st.window.SetPadded(false)
	st.window.Resize(size)
	st.Enter(st.window.Canvas(), -1)
	return st
}

// each calls f for every visible object with its place on the canvas.
func each(o fyne.CanvasObject, at fyne.Position, f func(o fyne.CanvasObject, at fyne.Position)) {
	if !o.Visible() {
		return
	}
	at = at.Add(o.Position())
	f(o, at)
	switch o := o.(type) {
	case *fyne.Container:
		for _, inner := range o.Objects {
			each(inner, at, f)
		}
	case fyne.Widget:
		for _, inner := range test.WidgetRenderer(o).Objects() {
			each(inner, at, f)
		}
	}
}

// cut lists texts that are wider than their room or leave the canvas.
func cut(root fyne.CanvasObject, width float32) []string {
	var bad []string
	each(root, fyne.Position{}, func(o fyne.CanvasObject, at fyne.Position) {
		text, ok := o.(*canvas.Text)
		if !ok {
			return
		}
		need := text.MinSize()
		if at.X < 0 || at.X+need.Width > width+1 || need.Width > text.Size().Width+1 && text.Size().Width > 0 {
			bad = append(bad, fmt.Sprintf("%q needs %.0f of %.0f at %.0f", text.Text, need.Width, text.Size().Width, at.X))
		}
	})
	return bad
}

// overlap lists texts that stand on each other.
func overlap(root fyne.CanvasObject) []string {
	type placed struct {
		text   string
		at, to fyne.Position
	}
	var all []placed
	var bad []string
	each(root, fyne.Position{}, func(o fyne.CanvasObject, at fyne.Position) {
		text, ok := o.(*canvas.Text)
		if !ok || strings.TrimSpace(text.Text) == "" {
			return
		}
		p := placed{text.Text, at.AddXY(0, 2), at.AddXY(text.MinSize().Width, text.MinSize().Height-2)}
		for _, q := range all {
			if p.at.X < q.to.X && q.at.X < p.to.X && p.at.Y < q.to.Y && q.at.Y < p.to.Y {
				bad = append(bad, fmt.Sprintf("%q on %q", p.text, q.text))
			}
		}
		all = append(all, p)
	})
	return bad
}

// shoot writes what the software driver draws, where pictures are wanted.
func shoot(t *testing.T, st *stage, name string) {
	t.Helper()
	dir := os.Getenv("COUNTERPROOF_SCREENSHOTS")
	if dir == "" {
		return
	}
	f, err := os.Create(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, st.window.Canvas().Capture()); err != nil {
		t.Fatal(err)
	}
}

func TestEveryScreenInBothLanguagesAtBothSizes(t *testing.T) {
	for _, tag := range words.Languages() {
		for _, percent := range []int{100, 200} {
			for i, s := range samples(tag) {
				t.Run(fmt.Sprintf("%s/%s/%d", s.name, tag, percent), func(t *testing.T) {
					if got := view.Show(s.state).Base().Name; got != s.name {
						t.Fatalf("the state leads to %s", got)
					}
					st := put(t, s.state, look.Scale(percent), fyne.NewSize(1024, 740))
					for _, id := range st.Wanted() {
						st.Show(id, drawing(640, 480))
					}
					st.Frame(drawing(640, 480))
					st.window.Resize(fyne.NewSize(1024, st.Height(1024)))
					for _, bad := range cut(st.Object(), 1024) {
						t.Error("cut:", bad)
					}
					for _, bad := range overlap(st.Object()) {
						t.Error("overlap:", bad)
					}
					shoot(t, st, fmt.Sprintf("%02d %s_%s_%d.png", i, s.name, tag, percent))
				})
			}
		}
	}
}

func TestCutAndOverlapSeeWhatIsWrong(t *testing.T) {
	test.NewTempApp(t)
	wide := canvas.NewText("much too wide for its room", look.Ink)
	wide.Resize(fyne.NewSize(20, 20))
	second := canvas.NewText("on top", look.Ink)
	second.Resize(fyne.NewSize(400, 20))
	box := &fyne.Container{Objects: []fyne.CanvasObject{wide, second}}
	if len(cut(box, 1024)) != 1 || len(overlap(box)) != 1 {
		t.Errorf("cut %v, overlap %v", cut(box, 1024), overlap(box))
	}
}

// find gives the part with a label.
func find[T parts.Spoken](t *testing.T, st *stage, label string) T {
	t.Helper()
	var found []T
	each(st.Object(), fyne.Position{}, func(o fyne.CanvasObject, _ fyne.Position) {
		if p, ok := o.(T); ok && p.Label() == label {
			found = append(found, p)
		}
	})
	if len(found) != 1 {
		t.Fatalf("%d parts with the label %q", len(found), label)
	}
	return found[0]
}

// hold presses a key down and lets it go on what has the focus.
func hold(st *stage, k fyne.KeyName) {
	if f, ok := st.window.Canvas().Focused().(desktop.Keyable); ok {
		f.KeyDown(&fyne.KeyEvent{Name: k})
	}
	if f := st.window.Canvas().Focused(); f != nil {
		f.TypedKey(&fyne.KeyEvent{Name: k})
	}
	if f, ok := st.window.Canvas().Focused().(desktop.Keyable); ok {
		f.KeyUp(&fyne.KeyEvent{Name: k})
	}
}

var room = fyne.NewSize(1024, 740)

func TestSignInByKeyboardAlone(t *testing.T) {
	s := view.State{Words: words.In("en"), Now: now, Status: status()}
	st := put(t, s, 1, room)
	st.window.Canvas().Focused().TypedRune('s')
	st.window.Canvas().FocusNext()
	for _, r := range "271828" {
		st.window.Canvas().Focused().TypedRune(r)
	}
	if len(st.did) != 0 {
		t.Fatalf("digits in a field did %v", st.did)
	}
	hold(st, fyne.KeyReturn)
	want := api.SignIn{Operator: "s", Secret: "271828"}
	if got := form.SignIn(st.form); len(st.did) != 1 || st.did[0].Verb != view.DoSignIn || got != want {
		t.Errorf("did %v with %v", st.did, got)
	}
}

func TestConsentByDigitAndByEnter(t *testing.T) {
	st := put(t, inVisit("en", proof.Ask{Kind: proof.AskFaceConsent}), 1, room)
	hold(st, fyne.Key2)
	if len(st.did) != 1 || st.did[0].Answer.Given || st.did[0].Answer.Text != "consent-en-2" {
		t.Fatalf("2 did %+v, want a refusal", st.did)
	}
	hold(st, fyne.KeyReturn)
	if len(st.did) != 2 || !st.did[1].Answer.Given {
		t.Errorf("enter on the first button did %+v", st.did)
	}
}

func TestKeyThatIsStillDownFromTheScreenBeforeDoesNothing(t *testing.T) {
	st := put(t, inVisit("en", proof.Ask{Kind: proof.AskProofingConsent}), 1, room)
	focus := st.window.Canvas().Focused()
	for range 20 { // what a key that repeats sends
		focus.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
		focus.TypedRune('1')
	}
	focus.(desktop.Keyable).KeyUp(&fyne.KeyEvent{Name: fyne.KeyReturn})
	if len(st.did) != 0 {
		t.Errorf("a key held down since before did %v", st.did)
	}
}

func TestEscapeGoesBack(t *testing.T) {
	s := inVisit("en", proof.Ask{Kind: proof.ExamineDocument})
	s.Side = view.SideHandOver
	st := put(t, s, 1, room)
	hold(st, fyne.KeyEscape) // inside a field
	if len(st.did) != 1 || st.did[0].Verb != view.DoClose {
		t.Errorf("escape did %v", st.did)
	}
	running := inVisit("en", proof.Ask{Kind: proof.CaptureDocument})
	running.Capturing = proof.CaptureDocument
	st = put(t, running, 1, room)
	hold(st, fyne.KeyEscape)
	if len(st.did) != 1 || st.did[0].Answer.Do != api.DoCancel {
		t.Errorf("escape while the camera runs did %v", st.did)
	}
}

func TestEveryActionIsReachedByTabAndThenSeen(t *testing.T) {
	for _, s := range samples("cy") {
		st := put(t, s.state, 2, room)
		want := view.Show(s.state).Base().Actions
		seen := map[string]bool{}
		for range 20 + len(want) + controls(st) {
			if b, ok := st.window.Canvas().Focused().(*parts.Button); ok {
				seen[b.Label()] = true
				at := fyne.CurrentApp().Driver().AbsolutePositionForObject(b)
				if at.Y < 0 || at.Y+b.Size().Height > room.Height+1 {
					t.Errorf("%s: %q has the focus at %.0f, outside the window", s.name, b.Label(), at.Y)
				}
				if b.Size().Height < look.MinHeight {
					t.Errorf("%s: %q is %.0f high", s.name, b.Label(), b.Size().Height)
				}
			}
			st.window.Canvas().FocusNext()
		}
		for _, a := range want {
			if !seen[a.Label] {
				t.Errorf("%s: %q is not reached by tab", s.name, a.Label)
			}
		}
	}
}

// controls counts the parts of a screen that take the focus.
func controls(st *stage) int {
	n := 0
	each(st.Object(), fyne.Position{}, func(o fyne.CanvasObject, _ fyne.Position) {
		if _, ok := o.(fyne.Focusable); ok {
			n++
		}
	})
	return n
}

func TestTypedLinesTellTheirLength(t *testing.T) {
	st := put(t, inVisit("en", proof.Ask{Kind: proof.KeyDocument}), 1, room)
	first := find[*parts.Field](t, st, "Line 1")
	if got := first.Note(); got != "nothing typed yet" {
		t.Errorf("empty line says %q", got)
	}
	for _, r := range "p<utospecimen<<nia<angharad<<<<<<<<<<<<<<<<" {
		st.window.Canvas().Focused().TypedRune(r)
	}
	if got := first.Note(); got != "43 characters: 1 missing" {
		t.Errorf("43 characters say %q", got)
	}
	st.window.Canvas().Focused().TypedRune('<')
	if got := first.Note(); got != "44 characters: the length is right" {
		t.Errorf("44 characters say %q", got)
	}
	a, _ := form.Answer(api.Answer{Ask: proof.KeyDocument}, st.form, &api.Visit{Events: 3})
	if len(a.Lines) != 1 || !strings.HasPrefix(a.Lines[0], "P<UTOSPECIMEN<<") || a.Seen != 3 {
		t.Errorf("answer is %+v", a)
	}
}

func TestExaminationByTicks(t *testing.T) {
	s := inVisit("en", proof.Ask{Kind: proof.ExamineDocument})
	s.Visit.Document = document()
	st := put(t, s, 1, room)
	st.window.Canvas().Focus(find[*parts.Toggle](t, st, "I have the original in my hand, not a copy and not a screen"))
	hold(st, fyne.KeySpace)
	agree := find[*parts.Toggle](t, st, "agree")
	test.Tap(agree)
	each(st.Object(), fyne.Position{}, func(o fyne.CanvasObject, _ fyne.Position) {
		if b, ok := o.(*parts.Toggle); ok && strings.HasPrefix(b.Label(), "Watermark") && !st.form.Ticked("seen.watermark") {
			test.Tap(b)
		}
	})
	a, hint := form.Answer(api.Answer{Ask: proof.ExamineDocument}, st.form, s.Visit)
	if hint.Key != "" || !a.Exam.Original || a.Exam.Details != proof.Agree || fmt.Sprint(a.Exam.Features) != "[watermark]" {
		t.Errorf("hint %q, examination %+v", hint, a.Exam)
	}
	st.window.Canvas().Focus(agree)
	hold(st, fyne.KeyDown)
	if st.form.Text("details") != "misread" || agree.On() {
		t.Errorf("the arrow chose %q", st.form.Text("details"))
	}
}

func TestPicturesComeIntoTheirPlace(t *testing.T) {
	s := inVisit("en", proof.Ask{Kind: proof.ComparePerson})
	s.Visit.Document, s.Visit.Face = document(), &api.Face{Live: "face-1", Decision: proof.Match}
	st := put(t, s, 1, room)
	if len(st.Wanted()) != 2 {
		t.Fatalf("wants %v", st.Wanted())
	}
	live := find[*parts.Picture](t, st, "The person now")
	if live.Shown() || len(live.States()) == 0 {
		t.Error("a picture before it was fetched")
	}
	st.Show("face-1", drawing(4, 4))
	st.Show("of-another-screen", drawing(4, 4))
	if !live.Shown() {
		t.Error("no picture after it was fetched")
	}
}

func TestGuidanceChangesInPlace(t *testing.T) {
	s := inVisit("en", proof.Ask{Kind: proof.CaptureDocument})
	s.Capturing = proof.CaptureDocument
	st := put(t, s, 1, room)
	focus := st.window.Canvas().Focused()
	st.Guide("Turn it straight.")
	st.Frame(drawing(640, 480))
	find[*parts.Text](t, st, "Turn it straight.")
	if st.window.Canvas().Focused() != focus {
		t.Error("the focus moved")
	}
	other := put(t, inVisit("en", proof.Ask{Kind: proof.KeyDocument}), 1, room)
	other.Guide("nobody sees this")
	other.Frame(drawing(4, 4))
}

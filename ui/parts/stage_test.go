package parts

import (
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"

	"github.com/counterproof/counterproof/ui/look"
)

// stage is a page in a window of the test driver.
type stage struct {
	*Page
	window fyne.Window
}

// themed makes an app with the look at a scale.
func themed(t *testing.T, scale float32) {
	t.Helper()
	test.NewTempApp(t).Settings().SetTheme(look.New(scale))
}

// put puts a body and its actions on a page of 800 × 600.
func put(t *testing.T, body fyne.CanvasObject, actions ...*Button) *stage {
	t.Helper()
	themed(t, 1)
	all := []fyne.CanvasObject{body}
	for _, b := range actions {
		all = append(all, b)
	}
	s := &stage{Page: NewPage(NewText("head"), Column(all...), actions)}
	s.window = test.NewTempWindow(t, s.Object())
	s.window.SetPadded(false)
	s.window.Resize(fyne.NewSize(800, 600))
	s.Enter(s.window.Canvas(), -1)
	return s
}

// focused is what has the focus.
func (s *stage) focused() fyne.Focusable { return s.window.Canvas().Focused() }

// down presses a key on what has the focus, up lets it go.
func (s *stage) down(k fyne.KeyName) {
	if f, ok := s.focused().(desktop.Keyable); ok {
		f.KeyDown(&fyne.KeyEvent{Name: k})
	}
	s.typed(k)
}

func (s *stage) up(k fyne.KeyName) {
	if f, ok := s.focused().(desktop.Keyable); ok {
		f.KeyUp(&fyne.KeyEvent{Name: k})
	}
}

// typed sends a key as its repeats come.
func (s *stage) typed(k fyne.KeyName) {
	if f := s.focused(); f != nil {
		f.TypedKey(&fyne.KeyEvent{Name: k})
	}
}

// shown are the texts that an object draws, line by line.
func shown(o fyne.CanvasObject) []string {
	var out []string
	for _, inner := range test.WidgetRenderer(o.(fyne.Widget)).Objects() {
		if line, ok := inner.(*canvas.Text); ok {
			out = append(out, line.Text)
		}
	}
	return out
}

package parts

import (
	"fmt"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"

	"github.com/counterproof/counterproof/ui/look"
)

// block is an object of a size.
func block(w, h float32) *canvas.Rectangle {
	r := canvas.NewRectangle(look.Ink)
	r.SetMinSize(fyne.NewSize(w, h))
	return r
}

// places lists where objects stand after a layout.
func places(c *fyne.Container, width float32) []string {
	c.Resize(fyne.NewSize(width, heightFor(c, width)))
	var out []string
	for _, o := range c.Objects {
		out = append(out, fmt.Sprintf("%.0f,%.0f %.0fx%.0f", o.Position().X, o.Position().Y, o.Size().Width, o.Size().Height))
	}
	return append(out, fmt.Sprintf("= %.0f", c.Size().Height))
}

func TestLayouts(t *testing.T) {
	themed(t, 1)
	a, b, c := block(100, 20), block(100, 30), block(100, 40)
	for _, l := range []struct {
		rule string
		made *fyne.Container
		wide float32
		want string
	}{
		{"column", Column(a, nil, b), 300, "[0,0 300x20 0,34 300x30 = 64]"},
		{"column/empty", Column(), 300, "[= 0]"},
		{"columns/two", Columns(100, a, b, c), 228, "[0,0 100x30 128,0 100x30 0,44 100x40 = 84]"},
		{"columns/too-narrow", Columns(200, a, b), 228, "[0,0 228x20 0,34 228x30 = 64]"},
		{"flow/one-row", Flow(a, b), 300, "[0,0 100x20 114,0 100x30 = 30]"},
		{"flow/two-rows", Flow(a, b, c), 220, "[0,0 100x20 114,0 100x30 0,44 100x40 = 84]"},
		{"flow/wider-than-all", Flow(a), 60, "[0,0 60x20 = 20]"},
		{"beside", Beside(b, a), 300, "[0,0 186x30 200,0 100x20 = 30]"},
		{"inset", Inset(10, 5, a), 300, "[10,5 280x20 = 30]"},
		{"inset/not-too-wide", Inset(10, 0, a), 1500, "[110,0 1280x20 = 20]"},
		{"card", Card(a), 300, "[0,0 300x52 18,16 264x20 = 52]"},
	} {
		if got := fmt.Sprint(places(l.made, l.wide)); got != l.want {
			t.Errorf("%s:\n got %s\nwant %s", l.rule, got, l.want)
		}
	}
}

func TestLayoutsKnowTheirHeightBeforeTheyAreLaidOut(t *testing.T) {
	themed(t, 2)
	text := "A sentence that takes several lines where there is little room for it."
	for name, c := range map[string]*fyne.Container{
		"column": Column(NewText(text), NewButton(text, Plain, nil)), "lines": Lines(300, [][2]string{{"Label", text}, {"", text}}),
		"bullets": Bullets([]string{text, text}), "banner": Column(NewBanner(Info, text, []string{text})),
	} {
		narrow, wide := heightFor(c, 320), heightFor(c, 2000)
		if narrow <= wide {
			t.Errorf("%s: %.0f narrow, %.0f wide", name, narrow, wide)
		}
		c.Resize(fyne.NewSize(320, narrow))
		if got := c.MinSize().Height; got != narrow {
			t.Errorf("%s: %.0f after the layout, %.0f foretold", name, got, narrow)
		}
	}
}

func TestTabGoesThroughThePageInReadingOrder(t *testing.T) {
	f, box := NewField(FieldOf{Label: "f"}, nil), NewCheckbox("box", false, func(bool) {})
	one, two := NewButton("one", Strong, nil), NewButton("two", Plain, nil)
	s := put(t, Column(f, box), one, two)
	for i, want := range []fyne.Focusable{f.entry, box, one, two, f.entry} {
		if s.focused() != want || s.Focused() != i%4 {
			t.Errorf("step %d: index %d", i, s.Focused())
		}
		s.window.Canvas().FocusNext()
	}
	s.Enter(s.window.Canvas(), 2)
	if s.focused() != fyne.Focusable(one) {
		t.Error("the focus does not come back to its index")
	}
}

func TestALongPageIsReadFromItsTop(t *testing.T) {
	b := NewButton("seal", Strong, func() { t.Error("sealed unseen") })
	s := put(t, block(100, 2000), b)
	if s.focused() != nil || s.Offset() != 0 {
		t.Fatalf("focus %v at %.0f", s.focused(), s.Offset())
	}
	s.down(fyne.KeyReturn)
	s.up(fyne.KeyReturn)
	s.window.Canvas().FocusNext()
	if s.focused() != fyne.Focusable(b) || s.Offset() < 1400 {
		t.Errorf("after tab: at %.0f", s.Offset())
	}
	short := put(t, block(100, 100), NewButton("go", Strong, nil))
	if short.focused() == nil {
		t.Error("a short page gives nobody the focus")
	}
	field := put(t, Column(block(100, 2000), NewField(FieldOf{Label: "x"}, nil)))
	if field.focused() == nil || field.Offset() == 0 {
		t.Error("a field far below is not shown")
	}
}

func TestFocusIsScrolledIntoViewBothWays(t *testing.T) {
	first, last := NewCheckbox("first", false, nil), NewCheckbox("last", false, nil)
	s := put(t, Column(first, block(100, 1500), Column(last)))
	s.window.Canvas().Focus(last)
	bottom := s.Offset()
	s.window.Canvas().Focus(first)
	if bottom < 1000 || s.Offset() > first.Size().Height {
		t.Errorf("last at %.0f, first at %.0f", bottom, s.Offset())
	}
}

func TestKeysScroll(t *testing.T) {
	s := put(t, block(100, 3000))
	for _, c := range []struct {
		key  fyne.KeyName
		grow bool
	}{{fyne.KeyPageDown, true}, {fyne.KeyDown, true}, {fyne.KeyUp, false}, {fyne.KeyPageUp, false}} {
		before := s.Offset()
		s.Key(&fyne.KeyEvent{Name: c.key})
		if grew := s.Offset() > before; grew != c.grow {
			t.Errorf("%s: from %.0f to %.0f", c.key, before, s.Offset())
		}
	}
	s.ScrollTo(1e6)
	if limit := s.body.Size().Height - s.scroll.Size().Height; s.Offset() != limit {
		t.Errorf("scrolled to %.0f of %.0f", s.Offset(), limit)
	}
	s.ScrollTo(-5)
	if s.Offset() != 0 {
		t.Errorf("scrolled above the top: %.0f", s.Offset())
	}
}

func TestKeysThatNobodyWantsReachTheWindow(t *testing.T) {
	var heard []fyne.KeyName
	used := 0
	s := put(t, NewText("body"), NewButton("one", Strong, func() {}))
	s.OnKey = func(k *fyne.KeyEvent) { heard = append(heard, k.Name) }
	s.OnUse = func() { used++ }
	s.down(fyne.KeyF2)
	s.Key(&fyne.KeyEvent{Name: fyne.KeyEscape}) // nobody to hear it
	if fmt.Sprint(heard) != "[F2]" || used == 0 {
		t.Errorf("heard %v, used %d", heard, used)
	}
	s.shortcut(&desktop.CustomShortcut{}) // nobody to hear it
	s.KeyDown(&fyne.KeyEvent{Name: "LeftShift"})
	s.KeyDown(&fyne.KeyEvent{Name: fyne.Key0})
	s.KeyDown(&fyne.KeyEvent{Name: fyne.Key9})
}

func TestTheTenthActionHasNoDigit(t *testing.T) {
	pressed := ""
	var all []*Button
	for i := range 11 {
		name := fmt.Sprint("action ", i+1)
		all = append(all, NewButton(name, Plain, func() { pressed = name }))
	}
	s := put(t, NewText("body"), all...)
	for k, want := range map[fyne.KeyName]string{fyne.Key9: "action 9", fyne.Key1: "action 1"} {
		s.KeyDown(&fyne.KeyEvent{Name: k})
		if pressed != want {
			t.Errorf("%s pressed %s", k, pressed)
		}
	}
	if all[9].digit != 0 || all[8].digit != 9 {
		t.Errorf("digits %d and %d", all[8].digit, all[9].digit)
	}
}

func TestTheHeadStaysAndTheBodyFillsTheRest(t *testing.T) {
	s := put(t, block(100, 3000))
	head := s.root.Objects[1]
	if head.Position().Y != 0 || s.scroll.Position().Y != head.Size().Height || s.scroll.Size().Height+head.Size().Height != 600 {
		t.Errorf("head %v, body at %v with %v", head.Size(), s.scroll.Position(), s.scroll.Size())
	}
	if got := s.Height(800); got < 3000+head.Size().Height {
		t.Errorf("the whole page is %.0f high", got)
	}
	s.Relayout()
	s.window.Resize(fyne.NewSize(500, 330))
	if s.body.Size().Width != 500 {
		t.Errorf("after a smaller window the body is %.0f wide", s.body.Size().Width)
	}
}

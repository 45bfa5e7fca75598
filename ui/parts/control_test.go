package parts

import (
	"fmt"
	"image"
	"slices"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"

	"github.com/counterproof/counterproof/ui/look"
)

func TestButtonIsPressedByTapEnterSpaceAndDigit(t *testing.T) {
	n := 0
	b := NewButton("Go on", Strong, func() { n++ })
	s := put(t, NewText("body"), b)
	for i, press := range []func(){
		func() { test.Tap(b) },
		func() { s.down(fyne.KeyReturn); s.up(fyne.KeyReturn) },
		func() { s.down(fyne.KeyEnter); s.up(fyne.KeyEnter) },
		func() { s.down(fyne.KeySpace); s.up(fyne.KeySpace) },
		func() { s.down(fyne.Key1); s.up(fyne.Key1) },
		b.Press,
	} {
		press()
		if n != i+1 {
			t.Fatalf("press %d: %d times", i, n)
		}
	}
	for _, k := range []fyne.KeyName{fyne.Key2, fyne.KeyA, fyne.KeyTab, fyne.KeyF5} {
		s.down(k)
		s.up(k)
	}
	if n != 6 {
		t.Errorf("another key pressed the button: %d", n)
	}
}

func TestAKeyHeldDownPressesOnce(t *testing.T) {
	n := 0
	b := NewButton("Go on", Plain, func() { n++ })
	s := put(t, NewText("body"), b)
	s.down(fyne.KeyReturn)
	for range 30 {
		s.typed(fyne.KeyReturn)
		b.TypedRune('1')
	}
	if n != 0 {
		t.Fatalf("%d times before it was let go", n)
	}
	s.up(fyne.KeyReturn)
	s.up(fyne.KeyReturn)
	if n != 1 {
		t.Errorf("%d times, want once", n)
	}
	s.down(fyne.KeySpace)
	s.window.Canvas().Unfocus() // the focus leaves while the key is down
	b.KeyUp(&fyne.KeyEvent{Name: fyne.KeySpace})
	if n != 1 {
		t.Errorf("pressed though the focus had left: %d", n)
	}
}

func TestFocusIsYellowWithDarkTextOnEveryControl(t *testing.T) {
	themed(t, 1)
	for _, weight := range []Weight{Plain, Strong, Danger} {
		b := NewButton("x", weight, func() {})
		before := b.colours()
		b.FocusGained()
		if got := b.colours(); got != (colours{look.Focus, look.Ink, look.Ink}) || before == got {
			t.Errorf("weight %d: %v then %v", weight, before, got)
		}
		if look.Contrast(before.ground, before.ink) < 4.5 {
			t.Errorf("weight %d: contrast %.1f", weight, look.Contrast(before.ground, before.ink))
		}
		b.FocusLost()
		if b.colours() != before {
			t.Error("the focus stays")
		}
	}
	box := NewCheckbox("x", false, func(bool) {})
	box.FocusGained()
	if box.colours().ground != look.Focus {
		t.Error("a box's focus is not seen")
	}
	f := NewField(FieldOf{Label: "x"}, nil)
	test.WidgetRenderer(f)
	f.entry.FocusGained()
	if f.frame.FillColor != look.Focus || f.frame.StrokeColor != look.Ink {
		t.Error("a field's focus is not seen")
	}
	f.entry.FocusLost()
	if f.frame.FillColor == look.Focus {
		t.Error("a field's focus stays")
	}
}

func TestEverythingThatCanBePressedIsHighEnough(t *testing.T) {
	for _, scale := range []float32{1, 2} {
		themed(t, scale)
		field := NewField(FieldOf{Label: "x"}, nil)
		for name, high := range map[string]float32{
			"button":   NewButton("x", Plain, nil).HeightFor(200),
			"checkbox": NewCheckbox("x", false, nil).HeightFor(200),
			"radio":    NewChoice([]string{"x"}, 0, nil)[0].HeightFor(200),
			"field":    field.entryHigh(),
		} {
			if high < look.MinHeight {
				t.Errorf("%s at %.0f: %.0f high", name, scale, high)
			}
		}
		long := NewButton("A text that does not fit one line of this button", Plain, nil)
		if long.HeightFor(200) <= long.HeightFor(2000) {
			t.Error("a long text makes the button no higher")
		}
	}
}

func TestCheckbox(t *testing.T) {
	var heard []bool
	box := NewCheckbox("I saw it", false, func(on bool) { heard = append(heard, on) })
	s := put(t, box)
	s.down(fyne.KeySpace)
	s.up(fyne.KeySpace)
	if !box.On() || !slices.Contains(box.States(), "checked") || !slices.Contains(box.States(), "focused") {
		t.Errorf("after space: %v %v", box.On(), box.States())
	}
	for _, o := range box.frame.inside {
		if !o.Visible() {
			t.Error("the tick is not drawn")
		}
	}
	test.Tap(box)
	if box.On() || fmt.Sprint(heard) != "[true false]" {
		t.Errorf("after a tap: %v, heard %v", box.On(), heard)
	}
	if box.Role() != RoleCheckbox || box.Label() != "I saw it" || box.AccessibilityLabel() != "I saw it" || box.AccessibilityRole() == "" {
		t.Error("the box does not say what it is")
	}
}

func TestChoiceHoldsOne(t *testing.T) {
	chosen := -1
	group := NewChoice([]string{"a", "b", "c"}, -1, func(i int) { chosen = i })
	s := put(t, Column(group[0], group[1], group[2]))
	on := func() string {
		out := ""
		for _, g := range group {
			if g.On() {
				out += g.Label()
			}
		}
		return out
	}
	if on() != "" {
		t.Fatalf("%q is chosen before anybody chose", on())
	}
	for _, step := range []struct {
		key  fyne.KeyName
		want string
	}{{fyne.KeyDown, "b"}, {fyne.KeyRight, "c"}, {fyne.KeyDown, "a"}, {fyne.KeyUp, "c"}, {fyne.KeyLeft, "b"}} {
		s.typed(step.key)
		if on() != step.want || group[chosen].Label() != step.want || s.focused() != fyne.Focusable(group[chosen]) {
			t.Errorf("%s: %q is chosen, heard %d", step.key, on(), chosen)
		}
	}
	test.Tap(group[0])
	test.Tap(group[0]) // again changes nothing
	if on() != "a" || group[0].Role() != RoleRadio {
		t.Errorf("after a tap: %q", on())
	}
}

func TestFieldTakesTextAndPassesKeysOn(t *testing.T) {
	pressed, escaped, text := 0, 0, ""
	f := NewField(FieldOf{Label: "Name", Noted: true}, func(s string) { text = s })
	s := put(t, f, NewButton("Go", Strong, func() { pressed++ }))
	s.Escape = func() { escaped++ }
	test.Type(f.entry, "Ŵyn 12")
	if text != "Ŵyn 12" || pressed != 0 {
		t.Fatalf("typed %q, pressed %d", text, pressed)
	}
	s.typed(fyne.KeyBackspace)
	s.typed(fyne.KeyReturn)
	s.typed(fyne.KeyEscape)
	if text != "Ŵyn 1" || pressed != 1 || escaped != 1 {
		t.Errorf("text %q, pressed %d, escaped %d", text, pressed, escaped)
	}
	f.SetNote("too short")
	if f.Note() != "too short" || f.Role() != RoleTextbox || f.Label() != "Name" || fmt.Sprint(f.States()) != "[focusable editable focused]" {
		t.Errorf("%q %v", f.Note(), f.States())
	}
}

func TestSecretAndCapitalFields(t *testing.T) {
	themed(t, 1)
	text := ""
	secret := NewField(FieldOf{Label: "PIN", Secret: true}, nil)
	if !secret.entry.Password || !slices.Contains(secret.States(), "protected") {
		t.Error("the secret is readable")
	}
	secret.SetNote("nowhere to stand")
	if secret.Note() != "" {
		t.Error("a note without a place")
	}
	mrz := NewField(FieldOf{Label: "Line", Mono: true, Text: "P<"}, func(s string) { text = s })
	for _, r := range "utoß" {
		mrz.entry.TypedRune(r)
	}
	if text != "P<UTOSS" && text != "P<UTOß" {
		t.Errorf("%q: what was there stands first and letters are capitals", text)
	}
}

func TestFieldKeepsTheWindowsShortcutsAwayFromItsText(t *testing.T) {
	var heard []fyne.KeyName
	f := NewField(FieldOf{Label: "x", Text: "abc"}, nil)
	s := put(t, f)
	s.OnShortcut = func(c *desktop.CustomShortcut) { heard = append(heard, c.KeyName) }
	f.entry.TypedShortcut(&desktop.CustomShortcut{KeyName: fyne.KeyPlus, Modifier: fyne.KeyModifierControl})
	f.entry.TypedShortcut(&fyne.ShortcutSelectAll{})
	if len(heard) != 1 || f.entry.SelectedText() != "abc" {
		t.Errorf("heard %v, selected %q", heard, f.entry.SelectedText())
	}
}

func TestBannerAndPictureSayWhatTheyAre(t *testing.T) {
	themed(t, 1)
	b := NewBanner(Bad, "There is a problem", []string{"It is dark.", "Put on a light."})
	if b.Role() != RoleAlert || b.Label() != "There is a problem" || b.States() != nil {
		t.Error("the banner does not say what it is")
	}
	if toneColour(Info) == toneColour(Bad) || toneColour(Good) == toneColour(Bad) {
		t.Error("tones look alike")
	}
	if b.HeightFor(200) <= b.HeightFor(1000) {
		t.Error("a narrow banner is no higher")
	}
	p := NewPicture("Photo", "No picture", 300)
	test.WidgetRenderer(p).Layout(fyne.NewSize(400, p.HeightFor(400)))
	if p.Role() != RoleImage || p.Label() != "Photo" || p.Shown() || fmt.Sprint(p.States()) != "[busy]" || !p.empty.Visible() {
		t.Error("an empty picture")
	}
	high := p.HeightFor(400)
	p.SetImage(image.NewGray(image.Rect(0, 0, 3000, 20)))
	if !p.Shown() || p.States() != nil || p.empty.Visible() || p.HeightFor(400) != high {
		t.Error("a picture that came moved the page or is not seen")
	}
}

func TestButtonSaysWhatItIs(t *testing.T) {
	themed(t, 1)
	b := NewButton("Go", Danger, func() {})
	b.number(3)
	if b.Role() != RoleButton || b.Label() != "Go" || b.AccessibilityLabel() != "Go" || b.AccessibilityRole() != fyne.AccessibleRoleButton {
		t.Error("the button does not say what it is")
	}
	if got := b.plate.text.Label(); got != "3   Go" {
		t.Errorf("the digit reads %q", got)
	}
	if b.Cursor() != desktop.PointerCursor || fmt.Sprint(b.States()) != "[focusable]" {
		t.Error("cursor or states")
	}
}

func TestPressingWithoutAPageDoesNoHarm(t *testing.T) {
	themed(t, 1)
	n := 0
	b := NewButton("alone", Plain, func() { n++ })
	group := NewChoice([]string{"a", "b"}, 0, func(int) { n++ })
	f := NewField(FieldOf{Label: "alone"}, nil)
	b.FocusGained()
	b.TypedKey(&fyne.KeyEvent{Name: fyne.KeyEscape})
	b.KeyDown(&fyne.KeyEvent{Name: fyne.Key1})
	b.Tapped(nil)
	group[0].TypedKey(&fyne.KeyEvent{Name: fyne.KeyDown})
	for _, k := range []fyne.KeyName{fyne.KeyReturn, fyne.KeyEscape, fyne.KeyF2, fyne.KeyPageUp} {
		f.entry.TypedKey(&fyne.KeyEvent{Name: k})
	}
	f.entry.FocusGained()
	f.entry.TypedRune('x')
	f.entry.TypedShortcut(&desktop.CustomShortcut{KeyName: fyne.KeyPlus})
	if n != 2 || !group[1].On() || f.entry.Text != "x" {
		t.Errorf("%d presses, text %q", n, f.entry.Text)
	}
}

package parts

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"

	"github.com/counterproof/counterproof/ui/look"
)

func TestLayoutsOfForms(t *testing.T) {
	themed(t, 1)
	a, b, c := block(100, 20), block(100, 30), block(100, 40)
	for _, l := range []struct {
		rule string
		made *fyne.Container
		wide float32
		want string
	}{
		{"close", Close(a, b), 300, "[0,0 300x20 0,20 300x30 = 50]"},
		{"grid/narrow-parts", Grid(300, a, b, c), 400, "[0,0 115x40 143,0 115x40 285,0 115x40 = 40]"},
		{"grid/no-wider-than", Grid(50, a, b, c), 210, "[0,0 51x40 79,0 51x40 159,0 51x40 = 40]"},
		{"beside/row-as-wide-as-its-parts", Beside(c, Flow(a, b)), 400, "[0,0 172x40 186,0 214x30 = 40]"},
		{"beside/row-that-is-too-wide", Beside(c, Flow(a, b)), 240, "[0,0 66x40 80,0 160x64 = 64]"},
		{"beside/empty-row", Beside(c, Flow()), 240, "[0,0 226x40 240,0 0x0 = 40]"},
	} {
		if got := fmt.Sprint(places(l.made, l.wide)); got != l.want {
			t.Errorf("%s:\n got %s\nwant %s", l.rule, got, l.want)
		}
	}
}

func TestNoteWrapsAndMovesWhatIsBelow(t *testing.T) {
	f := NewField(FieldOf{Label: "Number", Noted: true}, func(string) {})
	below := NewButton("Go", Strong, func() {})
	s := put(t, f, below)
	before, line := below.Position().Y, f.note.measure("My").Height
	f.SetNote(strings.Repeat("a long sentence of what is wrong ", 8))
	if moved := below.Position().Y - before; moved < line {
		t.Errorf("the button moved by %.0f under a note of several lines", moved)
	}
	if got := shown(f.note); len(got) < 2 {
		t.Errorf("the note is drawn as %q", got)
	}
	f.SetNote("")
	if below.Position().Y != before {
		t.Errorf("the button stands at %.0f, before at %.0f", below.Position().Y, before)
	}
	if s.Offset() != 0 {
		t.Error("the page scrolled")
	}
}

func TestWrongFieldsSayAndShowIt(t *testing.T) {
	right, wrong := NewField(FieldOf{Label: "Name"}, nil), NewField(FieldOf{Label: "Date", Noted: true, Note: "Write it so.", Wrong: true}, nil)
	s := put(t, Column(right, wrong))
	if slices.Contains(right.States(), "invalid") || !slices.Contains(wrong.States(), "invalid") || wrong.Note() != "Write it so." {
		t.Errorf("states %v and %v", right.States(), wrong.States())
	}
	test.WidgetRenderer(right).Refresh()
	test.WidgetRenderer(wrong).Refresh()
	if wrong.frame.StrokeWidth <= right.frame.StrokeWidth || wrong.frame.StrokeColor != look.Stop {
		t.Errorf("its edge is %.0f wide, the other's %.0f", wrong.frame.StrokeWidth, right.frame.StrokeWidth)
	}
	if c := look.Contrast(look.Stop, look.Page); c < 4.5 {
		t.Errorf("the note has a contrast of %.1f", c)
	}
	s.ToWrong()
	if s.focused() != wrong.entry {
		t.Error("the wrong field has not the focus")
	}
	other := put(t, NewField(FieldOf{Label: "Name"}, nil), NewButton("Go", Strong, func() {}))
	before := other.focused()
	if other.ToWrong(); other.focused() != before {
		t.Error("the focus moved where nothing is wrong")
	}
}

func TestConcernIsHeardEverywhereAndOnce(t *testing.T) {
	heard := 0
	f, b := NewField(FieldOf{Label: "Name"}, nil), NewButton("Go", Strong, func() {})
	s := put(t, f, b)
	s.Concern = func() { heard++ }
	for _, where := range []fyne.Focusable{f.entry, b} {
		s.window.Canvas().Focus(where)
		s.down(fyne.KeyF9)
		for range 5 {
			s.typed(fyne.KeyF9) // held down
		}
		s.up(fyne.KeyF9)
	}
	s.KeyDown(&fyne.KeyEvent{Name: fyne.KeyF9}) // nothing has the focus
	if heard != 3 || f.entry.Text != "" {
		t.Errorf("heard %d times, text %q", heard, f.entry.Text)
	}
	s.Concern = nil
	s.KeyDown(&fyne.KeyEvent{Name: fyne.KeyF9})
	f.entry.KeyDown(&fyne.KeyEvent{Name: desktop.KeyShiftLeft})
	f.page = nil
	f.entry.KeyDown(&fyne.KeyEvent{Name: fyne.KeyF9})
	if heard != 3 {
		t.Error("heard without anybody to hear")
	}
}

func TestTogglesThatLookAlikeAreToldApart(t *testing.T) {
	themed(t, 1)
	b := NewCheckbox("Here", false, func(bool) {})
	b.Speak("Passport: Here")
	if b.Label() != "Passport: Here" || b.AccessibilityLabel() != "Passport: Here" || b.plate.text.Label() != "Here" {
		t.Errorf("spoken %q, seen %q", b.Label(), b.plate.text.Label())
	}
}

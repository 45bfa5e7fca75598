package parts

import (
	"strings"
	"unicode/utf8"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"

	"github.com/counterproof/counterproof/ui/look"
)

// Field is a labelled text field.
type Field struct {
	widget.BaseWidget
	label *Text
	note  *Text // below the field, nil for none
	wrong bool  // the note says what is wrong
	frame *canvas.Rectangle
	entry *input
	page  *Page
}

// FieldOf says what a field is to be.
type FieldOf struct {
	Label  string
	Text   string // what it begins with
	Secret bool   // shown as dots
	Mono   bool   // letters of one width; small letters become capitals
	Noted  bool   // has a note below, see SetNote
	Note   string // what the note begins with
	Wrong  bool   // the note says what is wrong with the text
}

// NewField makes a field; changed hears every change.
func NewField(of FieldOf, changed func(text string)) *Field {
	f := &Field{label: NewBold(of.Label), frame: canvas.NewRectangle(look.Paper), entry: &input{mono: of.Mono}}
	f.entry.field = f
	f.entry.ExtendBaseWidget(f.entry)
	f.entry.Password = of.Secret
	f.entry.TextStyle.Monospace = of.Mono
	f.entry.Text = of.Text
	f.entry.CursorColumn = utf8.RuneCountInString(of.Text)
	f.entry.OnChanged = changed
	f.frame.CornerRadius = 4
	f.frame.StrokeColor = look.Muted
	if f.wrong = of.Wrong; of.Noted {
		f.note = NewText(of.Note)
		f.note.SetInk(look.Muted)
	}
	if f.wrong && of.Noted {
		f.note = NewBold(of.Note)
		f.note.SetInk(look.Stop)
	}
	f.ExtendBaseWidget(f)
	return f
}

// SetNote changes the note. Where it takes more lines than before, or fewer, the
// page is laid out again.
func (f *Field) SetNote(text string) {
	if f.note == nil {
		return
	}
	before := f.noteHigh(f.Size().Width)
	f.note.SetText(text)
	if f.page != nil && f.noteHigh(f.Size().Width) != before {
		f.page.Relayout()
	}
}

// noteHigh is the height of the note in a width, a line at least.
func (f *Field) noteHigh(width float32) float32 {
	if f.note == nil {
		return 0
	}
	return max(f.note.HeightFor(width), f.note.measure("My").Height)
}

// Note is what stands below.
func (f *Field) Note() string {
	if f.note == nil {
		return ""
	}
	return f.note.Label()
}

// stand tells the field which page it is on.
func (f *Field) stand(p *Page) { f.page = p }

// focusable is the field's inside.
func (f *Field) focusable() fyne.Focusable { return f.entry }

// Role is textbox.
func (f *Field) Role() Role { return RoleTextbox }

// Label is what is to be typed.
func (f *Field) Label() string { return f.label.Label() }

// States tells the focus, whether the text is hidden and whether it is wrong.
func (f *Field) States() []string {
	states := []string{"focusable", "editable"}
	if f.entry.focused {
		states = append(states, "focused")
	}
	if f.entry.Password {
		states = append(states, "protected")
	}
	if f.wrong {
		states = append(states, "invalid")
	}
	return states
}

// fieldPad is the width of the focus frame.
const fieldPad = 5

// entryHigh is the height of the part that is typed into.
func (f *Field) entryHigh() float32 {
	return max(f.entry.MinSize().Height+2*fieldPad, look.MinHeight)
}

// HeightFor is the height in a width.
func (f *Field) HeightFor(width float32) float32 {
	return f.label.HeightFor(width) + f.entryHigh() + f.noteHigh(width)
}

// CreateRenderer draws the field.
func (f *Field) CreateRenderer() fyne.WidgetRenderer { return &fieldDrawing{f} }

// fieldDrawing draws a field: label, frame, entry, note.
type fieldDrawing struct{ f *Field }

// Layout places the field's parts.
func (d *fieldDrawing) Layout(s fyne.Size) {
	f := d.f
	top := f.label.HeightFor(s.Width)
	f.label.Resize(fyne.NewSize(s.Width, top))
	f.frame.Resize(fyne.NewSize(s.Width, f.entryHigh()))
	f.frame.Move(fyne.NewPos(0, top))
	f.entry.Resize(fyne.NewSize(s.Width-2*fieldPad, f.entryHigh()-2*fieldPad))
	f.entry.Move(fyne.NewPos(fieldPad, top+fieldPad))
	if f.note != nil {
		f.note.Resize(fyne.NewSize(s.Width, f.noteHigh(s.Width)))
		f.note.Move(fyne.NewPos(0, top+f.entryHigh()))
	}
}

// MinSize is narrow.
func (d *fieldDrawing) MinSize() fyne.Size {
	return fyne.NewSize(120, d.f.HeightFor(max(d.f.Size().Width, 120)))
}

// Refresh shows the focus, yellow with a dark edge, and what is wrong by a thick
// red one.
func (d *fieldDrawing) Refresh() {
	f := d.f
	f.frame.FillColor, f.frame.StrokeColor, f.frame.StrokeWidth = look.Paper, look.Muted, 2
	if f.wrong {
		f.frame.StrokeColor, f.frame.StrokeWidth = look.Stop, 4
	}
	if f.entry.focused {
		f.frame.FillColor, f.frame.StrokeColor, f.frame.StrokeWidth = look.Focus, look.Ink, 3
	}
	canvas.Refresh(f.frame)
	f.label.Refresh()
	f.entry.Refresh()
	if f.note != nil {
		f.note.Refresh()
	}
}

// Objects are the field's parts.
func (d *fieldDrawing) Objects() []fyne.CanvasObject {
	all := []fyne.CanvasObject{d.f.label, d.f.frame, d.f.entry}
	if d.f.note != nil {
		all = append(all, d.f.note)
	}
	return all
}

// Destroy has nothing to let go.
func (d *fieldDrawing) Destroy() {}

// input is the toolkit's entry with our focus and keys.
type input struct {
	widget.Entry
	field   *Field
	focused bool
	mono    bool
}

// FocusGained marks the field and scrolls it into view.
func (e *input) FocusGained() {
	e.focused = true
	e.Entry.FocusGained()
	e.field.Refresh()
	if e.field.page != nil {
		e.field.page.reveal(e.field)
	}
}

// FocusLost takes the mark away.
func (e *input) FocusLost() {
	e.focused = false
	e.Entry.FocusLost()
	e.field.Refresh()
}

// KeyDown passes the key that is the same everywhere on to the page.
func (e *input) KeyDown(k *fyne.KeyEvent) {
	if k.Name == concernKey && e.field.page != nil {
		e.field.page.KeyDown(k)
		return
	}
	e.Entry.KeyDown(k)
}

// TypedRune writes a character, as a capital where the field wants capitals.
func (e *input) TypedRune(r rune) {
	if e.field.page != nil {
		e.field.page.used()
	}
	if e.mono {
		for _, up := range strings.ToUpper(string(r)) {
			e.Entry.TypedRune(up)
		}
		return
	}
	e.Entry.TypedRune(r)
}

// TypedKey sends enter to the page's first action and keys that a field has no
// use for to the page.
func (e *input) TypedKey(k *fyne.KeyEvent) {
	page := e.field.page
	switch k.Name {
	case fyne.KeyReturn, fyne.KeyEnter:
		if page != nil {
			page.submit()
		}
	case fyne.KeyEscape, fyne.KeyF1, fyne.KeyF2, fyne.KeyPageUp, fyne.KeyPageDown, fyne.KeyUp, fyne.KeyDown:
		if page != nil {
			page.Key(k)
		}
	default:
		e.Entry.TypedKey(k)
	}
}

// TypedShortcut sends the window's shortcuts to the page, and keeps those for
// editing; what is secret is not copied.
func (e *input) TypedShortcut(s fyne.Shortcut) {
	if custom, ok := s.(*desktop.CustomShortcut); ok {
		if e.field.page != nil {
			e.field.page.shortcut(custom)
		}
		return
	}
	e.Entry.TypedShortcut(s)
}

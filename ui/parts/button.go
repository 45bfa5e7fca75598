package parts

import (
	"image/color"
	"slices"
	"strconv"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"github.com/counterproof/counterproof/ui/look"
)

// Weight says how a button looks.
type Weight int

// The weights: another action, the recommended one, one that ends something.
const (
	Plain Weight = iota
	Strong
	Danger
)

// Button is pressed by tap, enter, space or its digit.
type Button struct {
	control
	label  string
	weight Weight
	digit  int // 1 to 9, 0 for none
	plate  *plate
}

// NewButton makes a button.
func NewButton(label string, weight Weight, press func()) *Button {
	b := &Button{label: label, weight: weight}
	b.plate = newPlate(NewBold(label), nil, b.colours)
	b.begin(b, press)
	return b
}

// number gives the button a digit, which its text then begins with.
func (b *Button) number(digit int) {
	b.digit = digit
	b.plate.text.SetText(strconv.Itoa(digit) + "   " + b.label)
}

// Press acts as if the button was pressed.
func (b *Button) Press() { b.act() }

// colours are those of the moment.
func (b *Button) colours() colours {
	switch {
	case b.focused:
		return colours{look.Focus, look.Ink, look.Ink}
	case b.weight == Strong:
		return colours{look.Go, look.GoEdge, look.OnGo}
	case b.weight == Danger:
		return colours{look.Stop, look.StopEdge, look.OnStop}
	}
	return colours{look.Plain, look.PlainEdge, look.Ink}
}

// HeightFor is the height in a width.
func (b *Button) HeightFor(width float32) float32 { return b.plate.heightFor(width) }

// natural is the width without wrapping.
func (b *Button) natural() float32 { return b.plate.natural() }

// Role is button.
func (b *Button) Role() Role { return RoleButton }

// Label is the text without its digit.
func (b *Button) Label() string { return b.label }

// States tells the focus.
func (b *Button) States() []string { return b.states() }

// AccessibilityLabel tells the toolkit's screen reader the label.
func (b *Button) AccessibilityLabel() string { return b.label }

// AccessibilityRole tells the toolkit's screen reader the role.
func (b *Button) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleButton }

// CreateRenderer draws the button.
func (b *Button) CreateRenderer() fyne.WidgetRenderer { return b.plate }

// Toggle is a box to tick, or one option of a choice.
type Toggle struct {
	control
	label string // as it is spoken
	on    bool
	round bool // an option
	group []*Toggle
	frame *mark
	plate *plate
	set   func(on bool)
}

// NewCheckbox makes a box to tick; set hears every change.
func NewCheckbox(label string, on bool, set func(on bool)) *Toggle {
	return newToggle(label, on, false, set)
}

// NewChoice makes the options of a choice, of which the one at chosen is set,
// none for -1; set hears which is chosen. The arrow keys go through them.
func NewChoice(labels []string, chosen int, set func(i int)) []*Toggle {
	var group []*Toggle
	for i, label := range labels {
		group = append(group, newToggle(label, i == chosen, true, func(bool) { set(i) }))
	}
	for _, t := range group {
		t.group = group
	}
	return group
}

func newToggle(label string, on, round bool, set func(bool)) *Toggle {
	t := &Toggle{label: label, on: on, round: round, set: set}
	t.frame = newMark(round)
	t.plate = newPlate(NewText(label), t.frame.box, t.colours)
	t.begin(t, t.flip)
	t.frame.paint(on)
	return t
}

// Speak gives the toggle a longer label for a screen reader, where others on the
// page look the same. It must begin or end with what is seen (WCAG 2.2, 2.5.3).
func (t *Toggle) Speak(label string) { t.label = label }

// flip ticks or chooses.
func (t *Toggle) flip() {
	for _, other := range t.group {
		other.put(false)
	}
	t.put(t.round || !t.on)
	t.set(t.on)
}

// put changes what is drawn.
func (t *Toggle) put(on bool) {
	t.on = on
	t.frame.paint(on)
	t.Refresh()
}

// TypedKey goes through the options of a choice with the arrow keys.
func (t *Toggle) TypedKey(k *fyne.KeyEvent) {
	i := slices.Index(t.group, t)
	step := map[fyne.KeyName]int{fyne.KeyDown: 1, fyne.KeyRight: 1, fyne.KeyUp: -1, fyne.KeyLeft: -1}[k.Name]
	if i < 0 || step == 0 {
		t.control.TypedKey(k)
		return
	}
	next := t.group[(i+step+len(t.group))%len(t.group)]
	next.flip()
	if t.page != nil {
		t.page.give(next)
	}
}

// On reports whether it is ticked or chosen.
func (t *Toggle) On() bool { return t.on }

func (t *Toggle) colours() colours {
	if t.focused {
		return colours{look.Focus, look.Ink, look.Ink}
	}
	return colours{look.Paper, look.Muted, look.Ink}
}

// HeightFor is the height in a width.
func (t *Toggle) HeightFor(width float32) float32 { return t.plate.heightFor(width) }

// natural is the width without wrapping.
func (t *Toggle) natural() float32 { return t.plate.natural() }

// Role is checkbox or radio.
func (t *Toggle) Role() Role {
	if t.round {
		return RoleRadio
	}
	return RoleCheckbox
}

// Label is the text.
func (t *Toggle) Label() string { return t.label }

// States tells the focus and the tick.
func (t *Toggle) States() []string {
	if t.on {
		return append(t.states(), "checked")
	}
	return t.states()
}

// AccessibilityLabel tells the toolkit's screen reader the label.
func (t *Toggle) AccessibilityLabel() string { return t.label }

// AccessibilityRole tells the toolkit's screen reader the nearest role it has.
func (t *Toggle) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleButton }

// CreateRenderer draws the toggle.
func (t *Toggle) CreateRenderer() fyne.WidgetRenderer { return t.plate }

// mark is the square or circle of a toggle; ticked, it holds a cross or a dot.
type mark struct {
	box    *fyne.Container
	inside []fyne.CanvasObject
}

// newMark draws an empty mark.
func newMark(round bool) *mark {
	m := &mark{}
	frame := canvas.NewRectangle(look.Paper)
	frame.StrokeColor, frame.StrokeWidth = look.Ink, 3
	if round {
		frame.CornerRadius = 16
		dot := canvas.NewCircle(look.Ink)
		m.inside = []fyne.CanvasObject{dot}
	} else {
		m.inside = []fyne.CanvasObject{stroke(look.Ink), stroke(look.Ink)}
	}
	m.box = &fyne.Container{Layout: markLayout{round}, Objects: append([]fyne.CanvasObject{frame}, m.inside...)}
	return m
}

// stroke is one line of a tick.
func stroke(c color.NRGBA) *canvas.Line {
	l := canvas.NewLine(c)
	l.StrokeWidth = 4
	return l
}

// paint shows or hides what is inside.
func (m *mark) paint(on bool) {
	for _, o := range m.inside {
		if on {
			o.Show()
		} else {
			o.Hide()
		}
	}
}

// markLayout places a mark's frame and what is inside: the dot of an option, the
// two lines of a tick.
type markLayout struct{ round bool }

// Layout places a mark.
func (l markLayout) Layout(objs []fyne.CanvasObject, s fyne.Size) {
	objs[0].Resize(s)
	if l.round {
		objs[1].Resize(s.Subtract(fyne.NewSquareSize(16)))
		objs[1].Move(fyne.NewPos(8, 8))
		return
	}
	short, _ := objs[1].(*canvas.Line)
	long, _ := objs[2].(*canvas.Line)
	corner := fyne.NewPos(s.Width*0.42, s.Height*0.75)
	short.Position1, short.Position2 = fyne.NewPos(s.Width*0.2, s.Height*0.52), corner
	long.Position1, long.Position2 = corner, fyne.NewPos(s.Width*0.82, s.Height*0.25)
}

// MinSize is the mark's.
func (l markLayout) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSquareSize(markWide - 12) }

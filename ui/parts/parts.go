// Package parts holds the screens' own widgets: text that wraps, button, field,
// choice, box to tick, picture, banner, the layouts that stack them and the page
// that they stand on.
//
// It knows no visit and no words: texts come in as they are shown.
//
// # The laws
//
//   - Every part tells its role, its label and its states, for a screen reader.
//   - Everything works by keyboard. Enter and space act when they are let go, so
//     that a key held down never answers the next screen's question too.
//   - What has the focus is yellow with dark text and a thick dark edge, and is
//     scrolled into view.
//   - What can be pressed is at least look.MinHeight high; text wraps and is never
//     cut, whatever its size.
//   - State is said in words or by shape, never by colour alone.
package parts

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"

	"github.com/counterproof/counterproof/ui/look"
)

// Role is what a part is to a screen reader (ARIA role names).
type Role string

// The roles.
const (
	RoleButton   Role = "button"
	RoleTextbox  Role = "textbox"
	RoleRadio    Role = "radio"
	RoleCheckbox Role = "checkbox"
	RoleImage    Role = "img"
	RoleAlert    Role = "alert"
	RoleText     Role = "text"
	RoleHeading  Role = "heading"
)

// Spoken is a part that a screen reader can tell of.
type Spoken interface {
	Role() Role
	Label() string
	States() []string // "focused", "checked", "protected" …
}

// control is what all parts have that take the focus.
type control struct {
	widget.BaseWidget
	page    *Page
	focused bool
	held    fyne.KeyName // the acting key that went down here
	self    fyne.Widget
	act     func() // what enter, space and a tap do
}

// begin finishes the making of a control.
func (c *control) begin(self fyne.Widget, act func()) {
	c.self, c.act = self, act
	c.ExtendBaseWidget(self)
}

// stand tells the control which page it is on.
func (c *control) stand(p *Page) { c.page = p }

// focusable is what the page gives the focus to.
func (c *control) focusable() fyne.Focusable {
	f, _ := c.self.(fyne.Focusable)
	return f
}

// FocusGained marks the control and scrolls it into view.
func (c *control) FocusGained() {
	c.focused = true
	c.Refresh()
	if c.page != nil {
		c.page.used()
		c.page.reveal(c.self)
	}
}

// FocusLost takes the mark away.
func (c *control) FocusLost() {
	c.focused, c.held = false, ""
	c.Refresh()
}

// TypedRune does nothing: digits act when their key goes down.
func (c *control) TypedRune(rune) {}

// TypedKey passes keys on to the page; those that act wait for KeyUp.
func (c *control) TypedKey(k *fyne.KeyEvent) {
	if !acts(k.Name) && c.page != nil {
		c.page.Key(k)
	}
}

// KeyDown notes an acting key, and passes digits on to the page.
func (c *control) KeyDown(k *fyne.KeyEvent) {
	if acts(k.Name) {
		c.held = k.Name
		return
	}
	if c.page != nil {
		c.page.KeyDown(k)
	}
}

// KeyUp acts, if the key went down on this control.
func (c *control) KeyUp(k *fyne.KeyEvent) {
	if c.held != "" && c.held == k.Name {
		c.held = ""
		c.act()
	}
}

// Tapped acts.
func (c *control) Tapped(*fyne.PointEvent) {
	if c.page != nil {
		c.page.used()
	}
	c.act()
}

// Cursor shows that the control can be pressed.
func (c *control) Cursor() desktop.Cursor { return desktop.PointerCursor }

// states begins the states of a control.
func (c *control) states() []string {
	if c.focused {
		return []string{"focusable", "focused"}
	}
	return []string{"focusable"}
}

// acts reports a key that presses what has the focus.
func acts(k fyne.KeyName) bool {
	return k == fyne.KeySpace || k == fyne.KeyReturn || k == fyne.KeyEnter
}

// plate draws a control: a coloured ground with a dark edge below, a mark and a
// text that wraps.
type plate struct {
	ground, edge *canvas.Rectangle
	mark         fyne.CanvasObject // nil for none
	text         *Text
	look         func() colours // as it is now
}

// colours are those of a plate.
type colours struct{ ground, edge, ink color.NRGBA }

// Paddings inside a plate, and the width of a mark with its gap.
const (
	padX     = 18
	padY     = 12
	edgeHigh = 5
	markWide = 44
)

// newPlate makes the drawing of a control.
func newPlate(text *Text, mark fyne.CanvasObject, colours func() colours) *plate {
	p := &plate{ground: canvas.NewRectangle(look.Paper), edge: canvas.NewRectangle(look.Ink), mark: mark, text: text, look: colours}
	p.ground.CornerRadius, p.edge.CornerRadius = 4, 4
	p.paint()
	return p
}

// left is where the text begins.
func (p *plate) left() float32 {
	if p.mark == nil {
		return padX
	}
	return padX + markWide
}

// heightFor is the height that the text needs in a width.
func (p *plate) heightFor(width float32) float32 {
	return max(p.text.HeightFor(width-p.left()-padX)+2*padY+edgeHigh, look.MinHeight)
}

// natural is the width in which nothing wraps.
func (p *plate) natural() float32 { return p.text.natural() + p.left() + padX + 1 }

// Layout places the drawing.
func (p *plate) Layout(s fyne.Size) {
	p.edge.Resize(s)
	p.ground.Resize(fyne.NewSize(s.Width, s.Height-edgeHigh))
	wide := s.Width - p.left() - padX
	high := p.text.HeightFor(wide)
	p.text.Resize(fyne.NewSize(wide, high))
	p.text.Move(fyne.NewPos(p.left(), (s.Height-edgeHigh-high)/2))
	if p.mark != nil {
		p.mark.Resize(fyne.NewSquareSize(markWide - 12))
		p.mark.Move(fyne.NewPos(padX, (s.Height-edgeHigh-markWide+12)/2))
	}
}

// MinSize is the least size: narrow, since the text wraps.
func (p *plate) MinSize() fyne.Size {
	return fyne.NewSize(p.left()+padX+60, p.heightFor(max(p.ground.Size().Width, p.left()+padX+60)))
}

// paint takes the colours of the moment.
func (p *plate) paint() {
	c := p.look()
	p.ground.FillColor, p.edge.FillColor = c.ground, c.edge
	p.text.SetInk(c.ink)
}

// Refresh draws again.
func (p *plate) Refresh() {
	p.paint()
	canvas.Refresh(p.ground)
	canvas.Refresh(p.edge)
	p.text.Refresh()
	if p.mark != nil {
		p.mark.Refresh()
	}
}

// Objects are what is drawn, from the back.
func (p *plate) Objects() []fyne.CanvasObject {
	all := []fyne.CanvasObject{p.edge, p.ground, p.text}
	if p.mark != nil {
		all = append(all, p.mark)
	}
	return all
}

// Destroy has nothing to let go.
func (p *plate) Destroy() {}

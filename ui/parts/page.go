package parts

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"

	"github.com/counterproof/counterproof/ui/look"
)

// Page is a whole window's content: a head that stays and a body that scrolls.
// It gives the focus, scrolls to it and hears the keys that no part wants.
type Page struct {
	root    *fyne.Container
	scroll  *container.Scroll
	body    *fyne.Container
	parts   []part    // that take the focus, in reading order
	actions []*Button // with digits
	canvas  fyne.Canvas

	// Escape hears the escape key; nil for nothing.
	Escape func()
	// Concern hears F9, which does the same on every page; nil for nothing.
	Concern func()
	// OnKey hears the keys that the page has no use for.
	OnKey func(*fyne.KeyEvent)
	// OnUse hears of every sign that somebody is there.
	OnUse func()
	// OnShortcut hears the window's shortcuts typed inside a field.
	OnShortcut func(*desktop.CustomShortcut)
}

// part is a part that takes the focus.
type part interface {
	fyne.CanvasObject
	stand(*Page)
	focusable() fyne.Focusable
}

// NewPage makes a page. The actions get the digits 1 to 9 in their order; they
// must stand in the body too.
func NewPage(head, body fyne.CanvasObject, actions []*Button) *Page {
	p := &Page{actions: actions, body: Inset(28, 22, body)}
	for i, b := range actions {
		if i < 9 {
			b.number(i + 1)
		}
	}
	p.gather(body)
	p.gather(head)
	p.scroll = container.NewVScroll(p.body)
	strip := canvas.NewRectangle(look.Head)
	top := onGround(strip, 20, 10, head)
	p.root = &fyne.Container{Layout: sheet{p, top}, Objects: []fyne.CanvasObject{p.scroll, top}}
	return p
}

// gather finds the parts that take the focus.
func (p *Page) gather(o fyne.CanvasObject) {
	if c, ok := o.(*fyne.Container); ok {
		for _, inner := range c.Objects {
			p.gather(inner)
		}
	}
	if c, ok := o.(part); ok {
		c.stand(p)
		p.parts = append(p.parts, c)
	}
}

// Object is what the window shows.
func (p *Page) Object() fyne.CanvasObject { return p.root }

// Height is the height in which the whole page shows without scrolling.
func (p *Page) Height(width float32) float32 {
	l, _ := p.root.Layout.(sheet)
	return heightFor(l.head, width) + heightFor(p.body, width)
}

// Relayout places everything anew after a text has changed.
func (p *Page) Relayout() { p.root.Refresh() }

// Enter gives the focus to the part at index i of the page, counted in reading
// order; the first for an index that there is not. On a page so long that its
// first button cannot be seen nobody gets it, so that the page is read from its
// top and enter does nothing unseen; tab then goes to the first part, and the
// digits work all the same.
func (p *Page) Enter(c fyne.Canvas, i int) {
	p.canvas = c
	if len(p.parts) == 0 {
		return
	}
	if i >= 0 && i < len(p.parts) {
		c.Focus(p.parts[i].focusable())
		return
	}
	if _, field := p.parts[0].(*Field); field || p.seen(p.parts[0]) {
		c.Focus(p.parts[0].focusable())
		return
	}
	c.Unfocus()
}

// seen reports whether a part can be seen without scrolling; those of the head
// always can.
func (p *Page) seen(o fyne.CanvasObject) bool {
	top, inBody := offset(p.body, o)
	return !inBody || top+o.Size().Height <= p.scroll.Size().Height
}

// Focused is the index of the part that has the focus, -1 for none.
func (p *Page) Focused() int {
	for i, c := range p.parts {
		if p.canvas != nil && p.canvas.Focused() == c.focusable() {
			return i
		}
	}
	return -1
}

// ToWrong gives the focus to the first field that something is wrong with, if
// there is one.
func (p *Page) ToWrong() {
	for _, c := range p.parts {
		if f, ok := c.(*Field); ok && f.wrong {
			p.give(f)
			return
		}
	}
}

// give moves the focus.
func (p *Page) give(c part) {
	if p.canvas != nil {
		p.canvas.Focus(c.focusable())
	}
}

// submit presses the page's first action.
func (p *Page) submit() {
	if len(p.actions) > 0 {
		p.actions[0].Press()
	}
}

// Key does what a key does on any page: escape goes back, page keys and arrows
// scroll; the rest goes to the window.
func (p *Page) Key(k *fyne.KeyEvent) {
	screenful := p.scroll.Size().Height * 0.8
	switch k.Name {
	case fyne.KeyEscape:
		if p.Escape != nil {
			p.Escape()
		}
	case fyne.KeyPageDown:
		p.scrollBy(screenful)
	case fyne.KeyPageUp:
		p.scrollBy(-screenful)
	case fyne.KeyDown:
		p.scrollBy(60)
	case fyne.KeyUp:
		p.scrollBy(-60)
	default:
		if p.OnKey != nil {
			p.OnKey(k)
		}
	}
}

// concernKey is the key of Page.Concern.
const concernKey = fyne.KeyF9

// KeyDown presses the action of a digit, and hears F9 going down: a key that is
// held says nothing twice.
func (p *Page) KeyDown(k *fyne.KeyEvent) {
	p.used()
	if k.Name == concernKey && p.Concern != nil {
		p.Concern()
		return
	}
	if len(k.Name) != 1 {
		return
	}
	if i := int(k.Name[0] - '1'); i >= 0 && i < min(len(p.actions), 9) {
		p.actions[i].Press()
	}
}

// used tells that somebody is there.
func (p *Page) used() {
	if p.OnUse != nil {
		p.OnUse()
	}
}

// Offset is how far the body is scrolled.
func (p *Page) Offset() float32 { return p.scroll.Offset.Y }

// ScrollTo scrolls the body, within its bounds.
func (p *Page) ScrollTo(y float32) { p.scrollTo(y) }

// shortcut passes a shortcut on.
func (p *Page) shortcut(s *desktop.CustomShortcut) {
	if p.OnShortcut != nil {
		p.OnShortcut(s)
	}
}

// scrollBy moves the body.
func (p *Page) scrollBy(dy float32) { p.scrollTo(p.scroll.Offset.Y + dy) }

// scrollTo moves the body, within its bounds.
func (p *Page) scrollTo(y float32) {
	limit := max(p.body.Size().Height-p.scroll.Size().Height, 0)
	p.scroll.ScrollToOffset(fyne.NewPos(0, min(max(y, 0), limit)))
}

// reveal scrolls until a part can be seen.
func (p *Page) reveal(o fyne.CanvasObject) {
	top, ok := offset(p.body, o)
	if !ok || p.scroll.Size().Height <= 0 {
		return
	}
	const margin = 16
	switch bottom := top + o.Size().Height; {
	case top-margin < p.scroll.Offset.Y:
		p.scrollTo(top - margin)
	case bottom+margin > p.scroll.Offset.Y+p.scroll.Size().Height:
		p.scrollTo(bottom + margin - p.scroll.Size().Height)
	}
}

// offset is how far below the top of a container something inside it stands.
func offset(in *fyne.Container, o fyne.CanvasObject) (float32, bool) {
	for _, inner := range in.Objects {
		if inner == o {
			return inner.Position().Y, true
		}
		if c, ok := inner.(*fyne.Container); ok {
			if y, found := offset(c, o); found {
				return y + c.Position().Y, true
			}
		}
	}
	return 0, false
}

// sheet lays a page out: the head at its height, the body below.
type sheet struct {
	page *Page
	head *fyne.Container
}

// Layout places head and body. The body learns its width first, so that its
// height is right when the scroll asks.
func (s sheet) Layout(_ []fyne.CanvasObject, size fyne.Size) {
	top := heightFor(s.head, size.Width)
	s.head.Resize(fyne.NewSize(size.Width, top))
	s.page.scroll.Move(fyne.NewPos(0, top))
	s.page.body.Resize(fyne.NewSize(size.Width, heightFor(s.page.body, size.Width)))
	s.page.scroll.Resize(fyne.NewSize(size.Width, max(size.Height-top, 0)))
	s.page.scroll.Refresh()
}

// MinSize is small: everything wraps and scrolls.
func (s sheet) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(480, 320) }

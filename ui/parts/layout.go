package parts

import (
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"github.com/counterproof/counterproof/ui/look"
)

// Gap is the space between two parts.
const Gap = 14

// tall is what can tell its height for a width.
type tall interface{ HeightFor(width float32) float32 }

// stacking is a layout that can tell its height for a width.
type stacking interface {
	heightFor(objs []fyne.CanvasObject, width float32) float32
}

// natural is what can tell the width in which nothing wraps.
type natural interface{ natural() float32 }

// across is the width of parts in one row.
func (s *stack) across(objs []fyne.CanvasObject) float32 {
	wide := -float32(Gap)
	for _, o := range objs {
		wide += wanted(o) + Gap
	}
	return max(wide, 0)
}

// heightFor is the height that an object needs in a width.
func heightFor(o fyne.CanvasObject, width float32) float32 {
	if c, ok := o.(*fyne.Container); ok {
		if l, ok := c.Layout.(stacking); ok {
			return l.heightFor(c.Objects, width)
		}
	}
	if t, ok := o.(tall); ok {
		return t.HeightFor(width)
	}
	return o.MinSize().Height
}

// stack remembers the width that it was laid out in, so that its least height is
// known before the next layout.
type stack struct {
	width float32
	rule  rule
	row   bool // the parts stand in a row where there is room
}

// rule places objects in a width and gives the height that they take.
type rule func(objs []fyne.CanvasObject, width float32, place func(o fyne.CanvasObject, pos fyne.Position, size fyne.Size)) float32

// heightFor is the height in a width.
func (s *stack) heightFor(objs []fyne.CanvasObject, width float32) float32 {
	return s.rule(objs, width, func(fyne.CanvasObject, fyne.Position, fyne.Size) {})
}

// Layout places the objects.
func (s *stack) Layout(objs []fyne.CanvasObject, size fyne.Size) {
	s.width = size.Width
	s.rule(objs, size.Width, func(o fyne.CanvasObject, pos fyne.Position, size fyne.Size) {
		o.Resize(size)
		o.Move(pos)
	})
}

// MinSize is the least size.
func (s *stack) MinSize(objs []fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(200, s.heightFor(objs, max(s.width, 200)))
}

// stacked makes a container of a rule; nil objects are left out.
func stacked(r rule, objs []fyne.CanvasObject) *fyne.Container {
	var all []fyne.CanvasObject
	for _, o := range objs {
		if o != nil {
			all = append(all, o)
		}
	}
	return &fyne.Container{Layout: &stack{rule: r}, Objects: all}
}

// Column puts parts below each other, each as wide as the column.
func Column(objs ...fyne.CanvasObject) *fyne.Container { return column(Gap, objs) }

// Close is a column without space between its parts, for what belongs together.
func Close(objs ...fyne.CanvasObject) *fyne.Container { return column(0, objs) }

func column(gap float32, objs []fyne.CanvasObject) *fyne.Container {
	return stacked(func(objs []fyne.CanvasObject, width float32, place func(fyne.CanvasObject, fyne.Position, fyne.Size)) float32 {
		var y float32
		for i, o := range objs {
			if i > 0 {
				y += gap
			}
			high := heightFor(o, width)
			place(o, fyne.NewPos(0, y), fyne.NewSize(width, high))
			y += high
		}
		return y
	}, objs)
}

// Columns puts parts beside each other, all equally wide, or below each other
// where a column would be narrower than least.
func Columns(least float32, objs ...fyne.CanvasObject) *fyne.Container {
	return stacked(func(objs []fyne.CanvasObject, width float32, place func(fyne.CanvasObject, fyne.Position, fyne.Size)) float32 {
		across := max(1, min(len(objs), int((width+2*Gap)/(least+2*Gap))))
		wide := (width - float32(across-1)*2*Gap) / float32(across)
		var y float32
		for row := range slices.Chunk(objs, across) {
			var high float32
			for _, o := range row {
				high = max(high, heightFor(o, wide))
			}
			for col, o := range row {
				place(o, fyne.NewPos(float32(col)*(wide+2*Gap), y), fyne.NewSize(wide, high))
			}
			y += high + Gap
		}
		return max(y-Gap, 0)
	}, objs)
}

// Grid is Columns as wide as the widest part wants to be, at most a width.
func Grid(most float32, objs ...fyne.CanvasObject) *fyne.Container {
	var wide float32
	for _, o := range objs {
		wide = max(wide, wanted(o))
	}
	return Columns(min(most, wide), objs...)
}

// Beside puts a part at the right edge, as wide as it wants to be but no more
// than two thirds, and the other to its left.
func Beside(left, right fyne.CanvasObject) *fyne.Container {
	return stacked(func(objs []fyne.CanvasObject, width float32, place func(fyne.CanvasObject, fyne.Position, fyne.Size)) float32 {
		wide := min(wanted(objs[1]), width*2/3)
		rest := width - wide - Gap
		high, other := heightFor(objs[0], rest), heightFor(objs[1], wide)
		place(objs[0], fyne.Position{}, fyne.NewSize(rest, high))
		place(objs[1], fyne.NewPos(rest+Gap, 0), fyne.NewSize(wide, other))
		return max(high, other)
	}, []fyne.CanvasObject{left, right})
}

// Flow puts parts beside each other as wide as they want to be, and goes on in
// the next row where they do not fit.
func Flow(objs ...fyne.CanvasObject) *fyne.Container {
	flow := stacked(func(objs []fyne.CanvasObject, width float32, place func(fyne.CanvasObject, fyne.Position, fyne.Size)) float32 {
		var x, y, row float32
		for _, o := range objs {
			wide := min(wanted(o), width)
			if x > 0 && x+wide > width {
				x, y, row = 0, y+row+Gap, 0
			}
			high := heightFor(o, wide)
			place(o, fyne.NewPos(x, y), fyne.NewSize(wide, high))
			x, row = x+wide+Gap, max(row, high)
		}
		return y + row
	}, objs)
	if s, ok := flow.Layout.(*stack); ok {
		s.row = true
	}
	return flow
}

// wanted is the width that a part wants.
func wanted(o fyne.CanvasObject) float32 {
	if c, ok := o.(*fyne.Container); ok {
		if s, ok := c.Layout.(*stack); ok && s.row {
			return s.across(c.Objects)
		}
	}
	if n, ok := o.(natural); ok {
		return n.natural()
	}
	return o.MinSize().Width
}

// Inset keeps a part away from the edges, and no wider than it is good to read.
func Inset(x, y float32, o fyne.CanvasObject) *fyne.Container {
	const widest = 1280
	return stacked(func(objs []fyne.CanvasObject, width float32, place func(fyne.CanvasObject, fyne.Position, fyne.Size)) float32 {
		wide := min(width-2*x, widest)
		high := heightFor(objs[0], wide)
		place(objs[0], fyne.NewPos((width-wide)/2, y), fyne.NewSize(wide, high))
		return high + 2*y
	}, []fyne.CanvasObject{o})
}

// Lines is a table of labels and values, a label above or beside its value.
func Lines(least float32, pairs [][2]string) *fyne.Container {
	var all []fyne.CanvasObject
	for _, p := range pairs {
		value := NewText(p[1])
		if p[0] == "" {
			all = append(all, value)
			continue
		}
		label := NewBold(p[0])
		all = append(all, Columns(least, label, value))
	}
	return Column(all...)
}

// Bullets is a list of sentences.
func Bullets(texts []string) *fyne.Container {
	var all []fyne.CanvasObject
	for _, t := range texts {
		all = append(all, NewText("•  "+t))
	}
	return Column(all...)
}

// ground is a rule that puts the second object on the first with a padding.
func onGround(ground *canvas.Rectangle, x, y float32, o fyne.CanvasObject) *fyne.Container {
	return stacked(func(objs []fyne.CanvasObject, width float32, place func(fyne.CanvasObject, fyne.Position, fyne.Size)) float32 {
		high := heightFor(objs[1], width-2*x)
		place(objs[0], fyne.Position{}, fyne.NewSize(width, high+2*y))
		place(objs[1], fyne.NewPos(x, y), fyne.NewSize(width-2*x, high))
		return high + 2*y
	}, []fyne.CanvasObject{ground, o})
}

// Card puts a part on white paper.
func Card(o fyne.CanvasObject) *fyne.Container {
	paper := canvas.NewRectangle(look.Paper)
	paper.CornerRadius = 4
	return onGround(paper, 18, 16, o)
}

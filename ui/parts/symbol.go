package parts

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"github.com/counterproof/counterproof/ui/look"
)

// shape is a filled or an outlined part of a drawing of 100 by 100 points.
type shape struct {
	x, y, to, down float32
	round, empty   bool
}

// symbols are simple drawings of what a device can do, by its code; "" is the
// computer itself. What stands beside a symbol says the same in words.
var symbols = map[string][]shape{
	"":                 {{10, 14, 90, 68, false, true}, {42, 68, 58, 80, false, false}, {26, 80, 74, 88, false, false}},
	"camera":           {{8, 28, 92, 84, false, true}, {34, 40, 66, 72, true, false}, {36, 14, 64, 28, false, false}},
	"mrz_reader":       {{12, 10, 88, 90, false, true}, {24, 24, 48, 54, false, false}, {22, 64, 78, 69, false, false}, {22, 75, 78, 80, false, false}},
	"chip_reader":      {{12, 10, 88, 90, false, true}, {34, 34, 66, 66, false, false}, {46, 20, 54, 34, false, false}, {46, 66, 54, 80, false, false}},
	"barcode_reader":   {{10, 16, 18, 84, false, false}, {26, 16, 30, 84, false, false}, {38, 16, 52, 84, false, false}, {60, 16, 64, 84, false, false}, {70, 16, 76, 84, false, false}, {84, 16, 90, 84, false, false}},
	"printer":          {{26, 10, 74, 40, false, true}, {8, 40, 92, 74, false, false}, {26, 66, 74, 92, false, true}},
	"document_scanner": {{8, 62, 92, 86, false, false}, {8, 46, 92, 54, false, false}, {16, 18, 84, 24, false, false}},
}

// NewSymbol draws what a device can do, by its code, in a square of a side. A code
// that is not known is a dot.
func NewSymbol(code string, ink color.NRGBA, side float32) *fyne.Container {
	shapes, known := symbols[code]
	if !known {
		shapes = []shape{{30, 30, 70, 70, true, false}}
	}
	d := drawing{side: side}
	c := &fyne.Container{}
	for _, s := range shapes {
		fill, edge, width := ink, color.NRGBA{}, float32(0)
		if s.empty {
			fill, edge, width = look.Paper, ink, max(2, side/18)
		}
		var o fyne.CanvasObject = &canvas.Rectangle{FillColor: fill, StrokeColor: edge, StrokeWidth: width, CornerRadius: side / 25}
		if s.round {
			o = &canvas.Circle{FillColor: fill, StrokeColor: edge, StrokeWidth: width}
		}
		c.Objects = append(c.Objects, o)
		d.places = append(d.places, s)
	}
	c.Layout = d
	return c
}

// drawing places the shapes of a symbol.
type drawing struct {
	side   float32
	places []shape
}

// MinSize is the square.
func (d drawing) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSquareSize(d.side) }

// Layout gives each shape its place, whatever room there is.
func (d drawing) Layout(objs []fyne.CanvasObject, _ fyne.Size) {
	for i, o := range objs {
		s, point := d.places[i], d.side/100
		o.Move(fyne.NewPos(s.x*point, s.y*point))
		o.Resize(fyne.NewSize((s.to-s.x)*point, (s.down-s.y)*point))
	}
}

// Aside puts a part of a width to the left of another.
func Aside(wide float32, left, right fyne.CanvasObject) *fyne.Container {
	return stacked(func(objs []fyne.CanvasObject, width float32, place func(fyne.CanvasObject, fyne.Position, fyne.Size)) float32 {
		rest := max(width-wide-Gap, 0)
		high, other := objs[0].MinSize().Height, heightFor(objs[1], rest)
		place(objs[0], fyne.Position{}, fyne.NewSize(wide, high))
		place(objs[1], fyne.NewPos(wide+Gap, 0), fyne.NewSize(rest, other))
		return max(high, other)
	}, []fyne.CanvasObject{left, right})
}

// gaugeHigh is the height of a gauge.
const gaugeHigh = 34

// NewGauge draws a level from 0 to 1 on a scale whose good part is from low to
// high. The sentence beside it says the same in words.
func NewGauge(level, low, high float64, good bool) *fyne.Container {
	needle := look.Stop
	if good {
		needle = look.Go
	}
	scale := &canvas.Rectangle{FillColor: look.Plain, CornerRadius: 4}
	right := &canvas.Rectangle{FillColor: look.Paper, StrokeColor: look.Go, StrokeWidth: 2, CornerRadius: 4}
	now := &canvas.Rectangle{FillColor: needle, CornerRadius: 3}
	return &fyne.Container{Layout: gauge{level, low, high}, Objects: []fyne.CanvasObject{scale, right, now}}
}

// gauge places the parts of a gauge: scale, good part, needle.
type gauge struct{ level, low, high float64 }

// MinSize is narrow.
func (gauge) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(160, gaugeHigh) }

// Layout places the parts.
func (g gauge) Layout(objs []fyne.CanvasObject, s fyne.Size) {
	at := func(v float64) float32 { return s.Width * float32(min(max(v, 0), 1)) }
	const thin, needle = 6, 12
	objs[0].Move(fyne.NewPos(0, thin))
	objs[0].Resize(fyne.NewSize(s.Width, s.Height-2*thin))
	objs[1].Move(fyne.NewPos(at(g.low), thin))
	objs[1].Resize(fyne.NewSize(at(g.high)-at(g.low), s.Height-2*thin))
	objs[2].Move(fyne.NewPos(min(max(at(g.level)-needle/2, 0), s.Width-needle), 0))
	objs[2].Resize(fyne.NewSize(needle, s.Height))
}

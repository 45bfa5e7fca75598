package specimen

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"math"
	"math/rand/v2"
	"strings"

	xdraw "golang.org/x/image/draw"
	"golang.org/x/image/font"
	"golang.org/x/image/math/fixed"

	"github.com/counterproof/counterproof/agent/mrz"
	"github.com/counterproof/counterproof/agent/proof"
)

// perMM is the scale of a page in pixels a millimetre.
const perMM = 16

// Sizes of the zone's type in millimetres (ICAO 9303-3 §4.4): the advance of a
// character, the height of the type, the distance between lines and from the
// last line's middle to the lower edge.
const (
	pitchMM   = 2.54
	typeMM    = 3.45
	lineMM    = 6.35
	lastMM    = 6.75
	cardLast  = 4.6
	marginMM  = 0.3 // the zone stands a little right of the middle
	headingMM = 3
)

// Document is a page lying flat, and where everything on it is.
type Document struct {
	Image    *image.RGBA
	Format   mrz.Format
	Lines    []string // of the machine-readable zone
	Person   Person
	PerMM    float64
	Zone     image.Rectangle // the cells of the machine-readable zone
	Portrait image.Rectangle // the photo box
}

// layout is where things go on a document, in millimetres.
type layout struct {
	width, height float64
	photo         [4]float64 // left, top, width, height
	fields, step  float64    // top of the first printed field, distance between fields
	last          float64    // middle of the last line above the lower edge
	title         string
}

// layoutOf gives the layout of a format (ICAO 9303-4 to -7, ISO/IEC 7810).
func layoutOf(f mrz.Format) layout {
	switch f {
	case mrz.TD1, mrz.CHDL, mrz.DL30:
		return layout{85.6, 53.98, [4]float64{4, 7.5, 21, 26}, 8, 4.4, cardLast, "IDENTITY CARD"}
	case mrz.TD2, mrz.FRID:
		return layout{105, 74, [4]float64{5, 13, 32, 41}, 13, 6.3, lastMM, "IDENTITY CARD"}
	case mrz.MRVB:
		return layout{105, 74, [4]float64{5, 13, 32, 41}, 13, 6.3, lastMM, "VISA"}
	case mrz.MRVA:
		return layout{120, 80, [4]float64{5, 14, 35, 45}, 14, 6.6, lastMM, "VISA"}
	}
	return layout{125, 88, [4]float64{5, 16, 35, 45}, 15, 6.9, lastMM, "PASSPORT"}
}

// Page draws a document lying flat, at 16 pixels a millimetre. It fails only
// where OCR-B is missing (ErrNoFont) or unreadable.
func Page(o Options) (Document, error) {
	o = o.normal()
	f, err := openFaces(o.Font)
	if err != nil {
		return Document{}, err
	}
	l := layoutOf(o.Format)
	r := o.random(forPaper)
	d := Document{
		Image: paper(r, int(l.width*perMM), int(l.height*perMM)), Format: o.Format,
		Lines: o.zone(), Person: o.Person, PerMM: perMM,
		Portrait: boxMM(l.photo[0], l.photo[1], l.photo[2], l.photo[3]),
	}
	drawPortrait(d.Image, d.Portrait, o.Portrait)
	if err := drawPrint(d, l, f); err != nil {
		return Document{}, fmt.Errorf("printing the fields: %w", err)
	}
	ink := uint8(5 + r.IntN(55))
	if d.Zone, err = drawZone(d, l, f, ink); err != nil {
		return Document{}, fmt.Errorf("printing the zone: %w", err)
	}
	return d, nil
}

// boxMM is a rectangle given in millimetres.
func boxMM(x, y, w, h float64) image.Rectangle {
	return image.Rect(int(x*perMM), int(y*perMM), int((x+w)*perMM), int((y+h)*perMM))
}

// wave is one sine of the pattern printed on the paper.
type wave struct{ kx, ky, bend, slow, height float64 }

// waves invents a pattern.
func waves(r *rand.Rand, strength float64) []wave {
	out := make([]wave, 1+r.IntN(3))
	for i := range out {
		sin, cos := math.Sincos(r.Float64() * math.Pi)
		k := 2 * math.Pi / (6 + 54*r.Float64())
		out[i] = wave{cos * k, sin * k, 20 * r.Float64() * k, 2 * math.Pi / (80 + 320*r.Float64()), strength * (0.2 + 0.8*r.Float64())}
	}
	return out
}

// sines is a table of one turn, since patterns take millions of them.
type sines [1024]float32

// newSines fills the table.
func newSines() *sines {
	var s sines
	for i := range s {
		s[i] = float32(math.Sin(2 * math.Pi * float64(i) / float64(len(s))))
	}
	return &s
}

// at is the sine of an angle in radians.
func (s *sines) at(a float64) float32 {
	return s[int(math.Floor(a*(float64(len(s))/(2*math.Pi))))&(len(s)-1)]
}

// paint adds the pattern to one plane of a picture.
func paint(plane []float32, width int, ws []wave) {
	table := newSines()
	for y := range len(plane) / width {
		row := plane[y*width:][:width]
		for _, w := range ws {
			start := float64(y)*w.ky + w.bend*float64(table.at(float64(y)*w.slow))
			for x := range row {
				row[x] += float32(w.height) * table.at(start+float64(x)*w.kx)
			}
		}
	}
}

// paper is a sheet with a faint pattern, each colour with its own.
func paper(r *rand.Rand, w, h int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	plane := make([]float32, w*h)
	for c := range 3 {
		tone := float32(195 + 50*r.Float64())
		for i := range plane {
			plane[i] = tone
		}
		paint(plane, w, waves(r, 2+5*r.Float64()))
		for i, v := range plane {
			img.Pix[4*i+c] = toByte(v)
			img.Pix[4*i+3] = 255
		}
	}
	return img
}

// toByte rounds a brightness into range.
func toByte(v float32) uint8 { return uint8(min(max(v+0.5, 0), 255)) }

// drawPortrait fills the photo box with a picture, cut to its proportions, or
// with a drawing of a person.
func drawPortrait(dst *image.RGBA, box image.Rectangle, portrait image.Image) {
	if portrait == nil || portrait.Bounds().Empty() {
		drawFigure(dst, box)
		return
	}
	from := portrait.Bounds()
	want := float64(box.Dx()) / float64(box.Dy())
	if w := int(float64(from.Dy()) * want); w < from.Dx() {
		from.Min.X += (from.Dx() - w) / 2
		from.Max.X = from.Min.X + w
	} else {
		// Heads are at the top, so what is too tall loses its lower end.
		from.Max.Y = from.Min.Y + min(from.Dy(), int(float64(from.Dx())/want))
	}
	xdraw.CatmullRom.Scale(dst, box, portrait, from, draw.Src, nil)
}

// drawFigure draws shoulders, neck and head.
func drawFigure(dst *image.RGBA, box image.Rectangle) {
	fill := func(c color.RGBA, inside func(u, v float64) bool) {
		for y := box.Min.Y; y < box.Max.Y; y++ {
			for x := box.Min.X; x < box.Max.X; x++ {
				u := (float64(x)+0.5-float64(box.Min.X))/float64(box.Dx()) - 0.5
				v := (float64(y) + 0.5 - float64(box.Min.Y)) / float64(box.Dy())
				if inside(u, v) {
					dst.SetRGBA(x, y, c)
				}
			}
		}
	}
	ellipse := func(cu, cv, ru, rv float64) func(u, v float64) bool {
		return func(u, v float64) bool {
			return (u-cu)*(u-cu)/(ru*ru)+(v-cv)*(v-cv)/(rv*rv) < 1
		}
	}
	fill(color.RGBA{190, 200, 205, 255}, func(_, _ float64) bool { return true })
	fill(color.RGBA{60, 66, 92, 255}, ellipse(0, 1.06, 0.46, 0.34))
	fill(color.RGBA{165, 132, 112, 255}, ellipse(0, 0.74, 0.12, 0.14))
	fill(color.RGBA{70, 50, 40, 255}, ellipse(0, 0.40, 0.27, 0.29))
	fill(color.RGBA{178, 142, 120, 255}, ellipse(0, 0.45, 0.22, 0.25))
	for _, side := range [...]float64{-0.09, 0.09} {
		fill(color.RGBA{50, 40, 40, 255}, ellipse(side, 0.41, 0.03, 0.014))
	}
	fill(color.RGBA{150, 90, 85, 255}, ellipse(0, 0.58, 0.06, 0.012))
}

// pen draws text of one face and colour.
type pen struct {
	dst  *image.RGBA
	face font.Face
	ink  color.RGBA
}

// write puts text with its baseline at y and returns where it ends.
func (p pen) write(x, y float64, text string) float64 {
	d := font.Drawer{Dst: p.dst, Src: image.NewUniform(p.ink), Face: p.face, Dot: fixed.Point26_6{X: fixed.Int26_6(x * 64), Y: fixed.Int26_6(y * 64)}}
	d.DrawString(text)
	return float64(d.Dot.X) / 64
}

// drawPrint prints the heading and the fields that people read.
func drawPrint(d Document, l layout, f faces) error {
	heading, err := sized(f.heavy, headingMM*perMM)
	if err != nil {
		return err
	}
	label, err := sized(f.plain, 1.35*perMM)
	if err != nil {
		return err
	}
	value, err := sized(f.heavy, 2.3*perMM)
	if err != nil {
		return err
	}
	x := (l.photo[0] + l.photo[2] + 4) * perMM
	pen{d.Image, heading, color.RGBA{60, 40, 90, 255}}.write(l.photo[0]*perMM, 5.2*perMM, "SPECIMEN · UTOPIA · "+l.title)
	y := l.fields * perMM
	column := (l.width*perMM - x) / 2
	for i, row := range printed(d.Person) {
		left := x + float64(i%2)*column
		if i < 2 { // names take a line each
			left = x
		}
		pen{d.Image, label, color.RGBA{90, 90, 110, 255}}.write(left, y+1.3*perMM, row[0])
		pen{d.Image, value, color.RGBA{25, 25, 30, 255}}.write(left, y+3.7*perMM, row[1])
		if i < 2 || i%2 == 1 {
			y += l.step * perMM
		}
	}
	return nil
}

// printed lists labels and values as they stand on the page; the first two take
// the whole width.
func printed(p Person) [][2]string {
	return [][2]string{
		{"Surname / Nom", strings.ToUpper(p.Surname)},
		{"Given names / Prénoms", strings.ToUpper(p.Given)},
		{"Document No.", p.Number}, {"Nationality", p.Nationality},
		{"Date of birth", printedDate(p.Birth)}, {"Sex", p.Sex},
		{"Place of birth", strings.ToUpper(p.Place)}, {"Issued by", p.State},
		{"Date of issue", printedDate(p.Issued)}, {"Date of expiry", printedDate(p.Expiry)},
	}
}

// printedDate writes a date as passports do, "12 AUG 1974".
func printedDate(d proof.Date) string {
	const months = "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC"
	if d.Month < 1 || d.Month > 12 {
		return d.String()
	}
	return fmt.Sprintf("%02d %s %04d", d.Day, months[3*d.Month-3:3*d.Month], d.Year)
}

// drawZone prints the machine-readable zone and returns its cells.
func drawZone(d Document, l layout, f faces, ink uint8) (image.Rectangle, error) {
	face, err := sized(f.zone, typeMM*perMM)
	if err != nil {
		return image.Rectangle{}, err
	}
	longest := 0
	for _, s := range d.Lines {
		longest = max(longest, len(s))
	}
	const pitch = pitchMM * perMM
	left := ((l.width-pitchMM*float64(longest))/2 + marginMM) * perMM
	bounds, _, _ := face.GlyphBounds('H')
	height := float64(bounds.Max.Y-bounds.Min.Y) / 64
	p := pen{d.Image, face, color.RGBA{ink, ink, ink, 255}}
	first := 0.0
	for i, s := range d.Lines {
		middle := (l.height - l.last - lineMM*float64(len(d.Lines)-1-i)) * perMM
		if i == 0 {
			first = middle
		}
		for k, c := range s {
			advance, _ := face.GlyphAdvance(c)
			p.write(left+float64(k)*pitch+(pitch-float64(advance)/64)/2, middle+height/2, string(c))
		}
	}
	last := (l.height - l.last) * perMM
	return image.Rect(int(left), int(first-pitch/2), int(left+pitch*float64(longest)), int(last+pitch/2)), nil
}

package specimen

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"math"
	"math/rand/v2"

	"github.com/counterproof/counterproof/agent/mrz"
)

// Corners are four places in a photograph in pixels, in the order top left, top
// right, bottom right, bottom left of the document held upright.
type Corners [4][2]float64

// Points rounds the corners.
func (c Corners) Points() (out [4]image.Point) {
	for i, p := range c {
		out[i] = image.Pt(int(math.Round(p[0])), int(math.Round(p[1])))
	}
	return out
}

// Photo is a photograph of a document and what is true of it.
type Photo struct {
	JPEG      []byte
	Lines     []string
	Format    mrz.Format
	Condition Condition
	Size      image.Point
	Outline   Corners // of the whole document
	Zone      Corners // of the cells of the machine-readable zone
	Portrait  Corners // of the photo box
	Pitch     float64 // mean width of a character of the zone, in pixels
	Turn      int     // how far upright text is turned clockwise in the picture
}

// homography maps places of one plane to another (projective, 3 × 3, row by
// row, the last element 1).
type homography [9]float64

// at maps a place.
func (h homography) at(x, y float64) (float64, float64) {
	w := h[6]*x + h[7]*y + h[8]
	return (h[0]*x + h[1]*y + h[2]) / w, (h[3]*x + h[4]*y + h[5]) / w
}

// mapping finds the homography that takes four places to four others; four
// places on a line have none, which gives NaN.
func mapping(from, to Corners) homography {
	var m [8][9]float64
	for i := range 4 {
		x, y, u, v := from[i][0], from[i][1], to[i][0], to[i][1]
		m[2*i] = [9]float64{x, y, 1, 0, 0, 0, -u * x, -u * y, u}
		m[2*i+1] = [9]float64{0, 0, 0, x, y, 1, -v * x, -v * y, v}
	}
	for c := range 8 {
		pivot := c
		for r := c + 1; r < 8; r++ {
			if math.Abs(m[r][c]) > math.Abs(m[pivot][c]) {
				pivot = r
			}
		}
		m[c], m[pivot] = m[pivot], m[c]
		for r := range 8 {
			if r == c {
				continue
			}
			f := m[r][c] / m[c][c]
			for k := c; k < 9; k++ {
				m[r][k] -= f * m[c][k]
			}
		}
	}
	h := homography{8: 1}
	for i := range 8 {
		h[i] = m[i][8] / m[i][i]
	}
	return h
}

// rect lists the corners of a rectangle.
func rect(r image.Rectangle) Corners {
	x0, y0, x1, y1 := float64(r.Min.X), float64(r.Min.Y), float64(r.Max.X), float64(r.Max.Y)
	return Corners{{x0, y0}, {x1, y0}, {x1, y1}, {x0, y1}}
}

// through maps corners.
func (h homography) through(c Corners) (out Corners) {
	for i, p := range c {
		out[i][0], out[i][1] = h.at(p[0], p[1])
	}
	return out
}

// Photograph takes a picture of a page lying on a desk.
func Photograph(d Document, o Options) (Photo, error) {
	o = o.normal()
	if o.Width < 64 || o.Width > 6000 {
		return Photo{}, fmt.Errorf("a photograph of %d pixels cannot be taken", o.Width)
	}
	if o.Turn%90 != 0 {
		return Photo{}, fmt.Errorf("a camera turned by %d degrees is not known", o.Turn)
	}
	r := o.random(forCamera)
	w, h := o.Width, int(float64(o.Width)*[...]float64{0.75, 0.66, 0.5625}[r.IntN(3)])
	page := rect(d.Image.Rect)
	outline, scale := o.place(r, d, w, h)
	toPhoto := mapping(page, outline)
	f := newFrame(w, h)
	f.desk(r)
	f.lay(d.Image, toPhoto, mapping(outline, page), scale)
	quality := f.spoil(r, o, scale*pitchMM*d.PerMM)
	p := Photo{
		Lines: d.Lines, Format: d.Format, Condition: o.Condition, Turn: (o.Turn%360 + 360) % 360, Size: image.Pt(w, h),
		Outline: outline, Zone: toPhoto.through(rect(d.Zone)), Portrait: toPhoto.through(rect(d.Portrait)),
	}
	p.Pitch = p.Zone.pitch(d.Lines)
	img := f.image()
	for range p.Turn / 90 {
		img = p.turn(img)
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: quality}); err != nil {
		return Photo{}, fmt.Errorf("writing a photograph: %w", err)
	}
	p.JPEG = out.Bytes()
	return p, nil
}

// pitch is the mean width of a character along the zone's upper and lower edge.
func (c Corners) pitch(lines []string) float64 {
	longest := 1
	for _, s := range lines {
		longest = max(longest, len(s))
	}
	upper := math.Hypot(c[1][0]-c[0][0], c[1][1]-c[0][1])
	lower := math.Hypot(c[2][0]-c[3][0], c[2][1]-c[3][1])
	return (upper + lower) / 2 / float64(longest)
}

// place lays the page before the camera: how much of the picture it fills, how
// it is turned and how the camera leans. It also returns the scale in
// photograph pixels a page pixel.
func (o Options) place(r *rand.Rand, d Document, w, h int) (Corners, float64) {
	pw, ph := float64(d.Image.Rect.Dx()), float64(d.Image.Rect.Dy())
	fill, swing, lean := between(r, 0.72, 0.95), 12.0, 0.0
	switch o.Condition {
	case Clean, JPEG:
		swing = 2
	case Perspective:
		fill, lean = between(r, 0.6, 0.8), 0.22*o.Severity
	case Mix:
		lean = 0.22 * o.Severity
	}
	scale := min(float64(w)*fill/pw, float64(h)*0.95*fill/ph)
	sin, cos := math.Sincos(between(r, -swing, swing) * math.Pi / 180)
	leanX, leanY := between(r, -lean, lean), between(r, -lean, lean)
	var out Corners
	reachX, reachY := 0.0, 0.0
	for i, c := range rect(d.Image.Rect) {
		x, y := (c[0]-pw/2)*scale, (c[1]-ph/2)*scale
		x, y = x*cos-y*sin, x*sin+y*cos
		depth := 1 + (leanX*x+leanY*y)/(scale*pw/2)
		out[i] = [2]float64{x / depth, y / depth}
		reachX, reachY = max(reachX, math.Abs(out[i][0])), max(reachY, math.Abs(out[i][1]))
	}
	shrink := min(1, 0.48*float64(w)/reachX, 0.48*float64(h)/reachY)
	shiftX := between(r, -0.01, 0.01) * float64(w)
	for i := range out {
		out[i][0] = out[i][0]*shrink + float64(w)/2 + shiftX
		out[i][1] = out[i][1]*shrink + float64(h)/2
	}
	return out, scale * shrink
}

// between picks a number from a range.
func between(r *rand.Rand, low, high float64) float64 { return low + (high-low)*r.Float64() }

// turn turns the picture and the truth a quarter clockwise.
func (p *Photo) turn(img *image.RGBA) *image.RGBA {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	out := image.NewRGBA(image.Rect(0, 0, h, w))
	for y := range h {
		for x := range w {
			copy(out.Pix[x*out.Stride+4*(h-1-y):][:4], img.Pix[y*img.Stride+4*x:][:4])
		}
	}
	for _, c := range [...]*Corners{&p.Outline, &p.Zone, &p.Portrait} {
		for i, at := range c {
			c[i] = [2]float64{float64(h) - 1 - at[1], at[0]}
		}
	}
	p.Size = image.Pt(h, w)
	return out
}

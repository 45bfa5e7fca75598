package specimen

import (
	"image"
	"math"
	"math/rand/v2"
)

// frame is what falls on the camera's sensor, a plane a colour.
type frame struct {
	w, h   int
	planes [3][]float32
}

// newFrame makes a black frame.
func newFrame(w, h int) *frame {
	f := &frame{w: w, h: h}
	for c := range f.planes {
		f.planes[c] = make([]float32, w*h)
	}
	return f
}

// desk fills the frame with a surface of one colour and a faint pattern.
func (f *frame) desk(r *rand.Rand) {
	pattern := waves(r, between(r, 0, 12))
	for c := range f.planes {
		tone := float32(between(r, 20, 200))
		for i := range f.planes[c] {
			f.planes[c][i] = tone
		}
		paint(f.planes[c], f.w, pattern)
	}
}

// lay puts the page on the desk. The page is smoothed first by as much as it is
// shrunk, so that fine print does not turn into noise.
func (f *frame) lay(page *image.RGBA, toPhoto, toPage homography, scale float64) {
	w, h := page.Rect.Dx(), page.Rect.Dy()
	src := newFrame(w, h)
	for i := range w * h {
		for c := range src.planes {
			src.planes[c][i] = float32(page.Pix[4*i+c])
		}
	}
	src.soften(max(0.3, 0.4/scale))
	box := toPhoto.through(rect(page.Rect)).box().Intersect(image.Rect(0, 0, f.w, f.h))
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			u, v := toPage.at(float64(x), float64(y))
			cover := edge(u, w, scale) * edge(v, h, scale)
			if cover > 0 {
				f.blend(y*f.w+x, src, u, v, cover)
			}
		}
	}
}

// edge is how far a place is inside the page, 0 to 1 within about a photograph's
// pixel, so that the page's edge is as soft as a lens makes it.
func edge(at float64, size int, scale float64) float32 {
	inside := min(at, float64(size)-at) * scale
	return float32(min(max(inside+0.5, 0), 1))
}

// blend lays one place of the page over a pixel.
func (f *frame) blend(i int, src *frame, u, v float64, cover float32) {
	u, v = min(max(u-0.5, 0), float64(src.w)-1.001), min(max(v-0.5, 0), float64(src.h)-1.001)
	x, y := int(u), int(v)
	a, b := float32(u-float64(x)), float32(v-float64(y))
	k := y*src.w + x
	for c, p := range src.planes {
		upper := p[k]*(1-a) + p[k+1]*a
		lower := p[k+src.w]*(1-a) + p[k+src.w+1]*a
		f.planes[c][i] += cover * (upper*(1-b) + lower*b - f.planes[c][i])
	}
}

// box is the upright rectangle around corners.
func (c Corners) box() image.Rectangle {
	x0, y0, x1, y1 := c[0][0], c[0][1], c[0][0], c[0][1]
	for _, p := range c[1:] {
		x0, y0, x1, y1 = min(x0, p[0]), min(y0, p[1]), max(x1, p[0]), max(y1, p[1])
	}
	return image.Rect(int(math.Floor(x0))-1, int(math.Floor(y0))-1, int(math.Ceil(x1))+2, int(math.Ceil(y1))+2)
}

// spoil does to the frame what the condition says; pitch is the width of a
// character of the zone in pixels, by which faults are measured. It returns the
// quality to compress with.
func (f *frame) spoil(r *rand.Rand, o Options, pitch float64) int {
	f.light(between(r, -0.15, 0.15), between(r, -0.15, 0.15))
	hard := o.Severity
	switch o.Condition {
	case Blur:
		f.soften(pitch * between(r, 0.06, 0.14) * hard)
	case Motion:
		f.smear(max(3, pitch*between(r, 0.15, 0.35)*hard), r.Float64()*math.Pi)
	case Glare:
		f.glare(r, between(r, 60, 190)*hard)
	case LowLight:
		f.darken(r, between(r, 0.10, 0.30)/hard)
	case Mix:
		f.soften(pitch * between(r, 0.03, 0.07) * hard)
		f.glare(r, between(r, 30, 90)*hard)
	}
	f.noise(r, between(r, 1, 4))
	if o.Condition == JPEG {
		return max(2, int(float64(12+r.IntN(19))/hard))
	}
	return 70 + r.IntN(23)
}

// light falls unevenly from one side.
func (f *frame) light(across, down float64) {
	for y := range f.h {
		base := 1 + down*(float64(y)/float64(f.h)-0.5)
		for x := range f.w {
			k := float32(base + across*(float64(x)/float64(f.w)-0.5))
			for c := range f.planes {
				f.planes[c][y*f.w+x] *= k
			}
		}
	}
}

// glare adds one or two reflections of a lamp.
func (f *frame) glare(r *rand.Rand, height float64) {
	for range 1 + r.IntN(2) {
		cx, cy := between(r, 0.2, 0.8)*float64(f.w), between(r, 0.45, 0.95)*float64(f.h)
		rx, ry := between(r, 0.03, 0.10)*float64(f.w), between(r, 0.03, 0.10)*float64(f.w)
		for y := range f.h {
			down := (float64(y) - cy) / ry
			if math.Abs(down) > 3 {
				continue
			}
			for x := max(0, int(cx-3*rx)); x < min(f.w, int(cx+3*rx)); x++ {
				along := (float64(x) - cx) / rx
				v := float32(height * math.Exp(-along*along-down*down))
				for c := range f.planes {
					f.planes[c][y*f.w+x] += v
				}
			}
		}
	}
}

// darken takes light away and adds the grain of few photons; the camera then
// brightens by half.
func (f *frame) darken(r *rand.Rand, gain float64) {
	photons := gain * between(r, 0.6, 2.5)
	for c := range f.planes {
		for i, v := range f.planes[c] {
			n := float64(max(v, 0)) * photons
			f.planes[c][i] = float32((n + math.Sqrt(n)*r.NormFloat64()) / 1.5)
		}
	}
}

// noise adds the sensor's own.
func (f *frame) noise(r *rand.Rand, sigma float64) {
	for c := range f.planes {
		for i := range f.planes[c] {
			f.planes[c][i] += float32(sigma * r.NormFloat64())
		}
	}
}

// image rounds the frame to bytes.
func (f *frame) image() *image.RGBA {
	out := image.NewRGBA(image.Rect(0, 0, f.w, f.h))
	for i := range f.w * f.h {
		for c := range f.planes {
			out.Pix[4*i+c] = toByte(f.planes[c][i])
		}
		out.Pix[4*i+3] = 255
	}
	return out
}

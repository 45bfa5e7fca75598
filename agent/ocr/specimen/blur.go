package specimen

import "math"

// boxes is how many box filters in a row stand for a Gaussian one.
const boxes = 3

// box is a mean over 2·whole+1 pixels and a part of the next on either side
// (extended box filter: Gwosdek and others, 2011). A fraction lets it meet any
// width exactly.
type box struct {
	whole int
	part  float32
}

// boxFor is the filter of which three in a row have a standard deviation.
func boxFor(sigma float64) box {
	v := sigma * sigma / boxes
	whole := int(math.Floor((math.Sqrt(12*v+1) - 1) / 2))
	n := float64(whole)
	part := (2*n + 1) * (n*(n+1) - 3*v) / (6 * (v - (n+1)*(n+1)))
	return box{whole, float32(part)}
}

// soften blurs the frame as a lens out of focus does; sigma is in pixels.
func (f *frame) soften(sigma float64) {
	b := boxFor(sigma)
	line := make([]float32, max(f.w, f.h))
	for _, p := range f.planes {
		for range boxes {
			for y := range f.h {
				b.run(p[y*f.w:], 1, line[:f.w])
			}
			for x := range f.w {
				b.run(p[x:], f.w, line[:f.h])
			}
		}
	}
}

// run filters one row or column in place; old is room for a copy of it. Beyond
// the ends the last pixel goes on.
func (b box) run(p []float32, stride int, old []float32) {
	n := len(old)
	for i := range old {
		old[i] = p[i*stride]
	}
	at := func(i int) float32 { return old[min(max(i, 0), n-1)] }
	var sum float32
	for i := -b.whole; i <= b.whole; i++ {
		sum += at(i)
	}
	scale := 1 / (float32(2*b.whole+1) + 2*b.part)
	for i := range n {
		p[i*stride] = (sum + b.part*(at(i-b.whole-1)+at(i+b.whole+1))) * scale
		sum += at(i+b.whole+1) - at(i-b.whole)
	}
}

// smear blurs the frame as a moving hand does: a mean along a straight way of
// some pixels.
func (f *frame) smear(length, angle float64) {
	sin, cos := math.Sincos(angle)
	n := int(length)
	type step struct{ x, y int }
	steps := make([]step, n)
	for i := range steps {
		t := float64(i) - float64(n-1)/2
		steps[i] = step{int(math.Round(t * cos)), int(math.Round(t * sin))}
	}
	for c, p := range f.planes {
		out := make([]float32, len(p))
		for _, s := range steps {
			for y := range f.h {
				from := p[min(max(y+s.y, 0), f.h-1)*f.w:][:f.w]
				to := out[y*f.w:][:f.w]
				for x := range to {
					to[x] += from[min(max(x+s.x, 0), f.w-1)]
				}
			}
		}
		for i := range out {
			out[i] /= float32(n)
		}
		f.planes[c] = out
	}
}

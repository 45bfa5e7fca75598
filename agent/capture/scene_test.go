package capture

import (
	"image"
	"math"
	"math/rand/v2"
)

// scene is a frame drawn for a test: a page with a photo box and lines of print
// on a table.
type scene struct {
	w, h         int
	corners      [4]point // of the page, clockwise
	paper, table float64
	ink          float64
	light        float64 // brightness factor of everything; 1 if 0
	blur         int     // radius of a box blur, pixels
	glareX       float64 // middle of a reflection, as a share of the page
	glareY       float64
	glare        float64 // its radius as a share of the page's width; 0 is none
	noise        float64
	withoutPage  bool
	glareOnTable bool
}

// upright is a page of 125 × 88 mm in the middle of a frame, as wide as a share
// of it.
func upright(w, h int, share float64) scene {
	pw := share * float64(w)
	ph := pw * 88 / 125
	x, y := (float64(w)-pw)/2, (float64(h)-ph)/2
	return scene{
		w: w, h: h, paper: 205, table: 70, ink: 25, noise: 2,
		corners: [4]point{{x, y}, {x + pw, y}, {x + pw, y + ph}, {x, y + ph}},
	}
}

// turned turns the page about the frame's middle, in degrees clockwise.
func (s scene) turned(degrees float64) scene {
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	cx, cy := float64(s.w)/2, float64(s.h)/2
	for i, p := range s.corners {
		x, y := p.x-cx, p.y-cy
		s.corners[i] = point{cx + x*cos - y*sin, cy + x*sin + y*cos}
	}
	return s
}

// draw paints the scene.
func (s scene) draw(seed uint64) *image.Gray {
	r := rand.New(rand.NewPCG(seed, 1))
	px := make([]float64, s.w*s.h)
	at := squareFrom(s.corners)
	for y := range s.h {
		for x := range s.w {
			px[y*s.w+x] = s.shade(at, float64(x)+0.5, float64(y)+0.5)
		}
	}
	for range 2 {
		px = boxBlur(px, s.w, s.h, s.blur)
	}
	light := s.light
	if light == 0 {
		light = 1
	}
	out := image.NewGray(image.Rect(0, 0, s.w, s.h))
	for i, v := range px {
		out.Pix[i] = uint8(min(max(v*light+s.noise*r.NormFloat64(), 0), 255))
	}
	return out
}

// shade is the brightness of one place before blur and light.
func (s scene) shade(at func(x, y float64) (u, v float64), x, y float64) float64 {
	u, v := at(x, y)
	if s.withoutPage || u < 0 || v < 0 || u > 1 || v > 1 {
		if s.glareOnTable && math.Hypot(u-1.15, v-0.5) < 0.06 {
			return 400
		}
		return s.table
	}
	shade := s.paper
	if (u > 0.04 && u < 0.32 && v > 0.18 && v < 0.66) || print(u, v) {
		shade = s.ink
	}
	if s.glare > 0 {
		d := math.Hypot(u-s.glareX, (v-s.glareY)*88/125) / s.glare
		shade += 400 * math.Exp(-d*d*d*d)
	}
	return shade
}

// print tells whether a place of the page holds ink of a line of print: bars
// whose pattern changes from one character to the next.
func print(u, v float64) bool {
	line := int(v * 26)
	inside := v*26-float64(line) < 0.5
	if !inside || (line != 21 && line != 23 && (line < 5 || line > 16 || u < 0.38 || u > 0.7)) || u < 0.05 || u > 0.95 {
		return false
	}
	cell := u * 125 / 2.54
	n := uint64(cell)*2654435761 + uint64(line)*40503
	in := cell - math.Floor(cell)
	return in > 0.15 && in < 0.3 || in > 0.55 && in < 0.7 && n>>13&1 == 1
}

// squareFrom maps a place of the frame to the page's unit square.
func squareFrom(c [4]point) func(x, y float64) (u, v float64) {
	// The map from the square is (a x + b y + c) / (g x + h y + 1), solved by the
	// closed form of Heckbert (1989); its inverse is the adjugate.
	dx1, dx2, sx := c[1].x-c[2].x, c[3].x-c[2].x, c[0].x-c[1].x+c[2].x-c[3].x
	dy1, dy2, sy := c[1].y-c[2].y, c[3].y-c[2].y, c[0].y-c[1].y+c[2].y-c[3].y
	det := dx1*dy2 - dx2*dy1
	g, h := (sx*dy2-dx2*sy)/det, (dx1*sy-sx*dy1)/det
	a, b, e := c[1].x-c[0].x+g*c[1].x, c[3].x-c[0].x+h*c[3].x, c[0].x
	d, f, i := c[1].y-c[0].y+g*c[1].y, c[3].y-c[0].y+h*c[3].y, c[0].y
	return func(x, y float64) (float64, float64) {
		u := (f-i*h)*x + (e*h-b)*y + (b*i - e*f)
		v := (i*g-d)*x + (a-e*g)*y + (e*d - a*i)
		w := (d*h-f*g)*x + (b*g-a*h)*y + (a*f - b*d)
		return u / w, v / w
	}
}

// boxBlur takes means over squares.
func boxBlur(px []float64, w, h, radius int) []float64 {
	if radius == 0 {
		return px
	}
	run := func(in []float64, n, stride, lines, lineStride int) []float64 {
		out := make([]float64, len(in))
		for l := range lines {
			for i := range n {
				sum := 0.0
				for k := -radius; k <= radius; k++ {
					sum += in[l*lineStride+min(max(i+k, 0), n-1)*stride]
				}
				out[l*lineStride+i*stride] = sum / float64(2*radius+1)
			}
		}
		return out
	}
	return run(run(px, w, 1, h, w), h, w, w, 1)
}

// overlap is the intersection over the union of two outlines.
func overlap(a, b [4]point) float64 {
	clip := a[:]
	for i := range b {
		clip = cutBy(clip, b[i], b[(i+1)%4])
	}
	both := polygonArea(clip)
	return both / (polygonArea(a[:]) + polygonArea(b[:]) - both)
}

// cutBy keeps what lies to the right of a line, seen along it.
func cutBy(poly []point, from, to point) []point {
	side := func(p point) float64 { return (to.x-from.x)*(p.y-from.y) - (to.y-from.y)*(p.x-from.x) }
	var out []point
	for i, p := range poly {
		q := poly[(i+1)%len(poly)]
		a, b := side(p), side(q)
		if a >= 0 {
			out = append(out, p)
		}
		if (a >= 0) != (b >= 0) {
			t := a / (a - b)
			out = append(out, point{p.x + t*(q.x-p.x), p.y + t*(q.y-p.y)})
		}
	}
	return out
}

// polygonArea by the shoelace formula.
func polygonArea(poly []point) float64 {
	sum := 0.0
	for i, p := range poly {
		q := poly[(i+1)%len(poly)]
		sum += p.x*q.y - q.x*p.y
	}
	return math.Abs(sum) / 2
}

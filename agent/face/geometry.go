package face

import "math"

// point is a place in a picture; a pixel's middle has whole coordinates.
type point struct{ x, y float64 }

// distance between two points.
func (p point) distance(q point) float64 { return math.Hypot(p.x-q.x, p.y-q.y) }

// similarity turns, scales and moves: (x, y) goes to (a·x − b·y + tx,
// b·x + a·y + ty). It leads from a network's picture to the one that was taken.
type similarity struct{ a, b, tx, ty float64 }

// apply moves a point.
func (s similarity) apply(p point) point {
	return point{s.a*p.x - s.b*p.y + s.tx, s.b*p.x + s.a*p.y + s.ty}
}

// scale is how many pixels one pixel becomes.
func (s similarity) scale() float64 { return math.Hypot(s.a, s.b) }

// halved is the same for a picture of which each side was halved so many times:
// pixel 0 of it stands in the middle of pixels 0 to 2ⁿ−1.
func (s similarity) halved(times int) similarity {
	k := 1 / float64(int(1)<<times)
	return similarity{s.a * k, s.b * k, (s.tx+0.5)*k - 0.5, (s.ty+0.5)*k - 0.5}
}

// fit is the similarity that leads from one list of points to the other with
// the least sum of squares; reflections are left out. ok is false where the
// points do not tell one.
func fit(from, to []point) (s similarity, ok bool) {
	n := float64(len(from))
	var f, t point
	for i := range from {
		f.x, f.y = f.x+from[i].x/n, f.y+from[i].y/n
		t.x, t.y = t.x+to[i].x/n, t.y+to[i].y/n
	}
	var square, along, across float64
	for i := range from {
		dx, dy := from[i].x-f.x, from[i].y-f.y
		ex, ey := to[i].x-t.x, to[i].y-t.y
		square += dx*dx + dy*dy
		along += dx*ex + dy*ey
		across += dx*ey - dy*ex
	}
	s.a, s.b = along/square, across/square
	s.tx, s.ty = t.x-s.a*f.x+s.b*f.y, t.y-s.b*f.x-s.a*f.y
	size := s.scale()
	return s, size > 1e-6 && !math.IsInf(size, 0) && !math.IsNaN(s.tx+s.ty)
}

// turned is the similarity of a square of a side around a middle, turned by an
// angle in radians, that becomes size × size pixels.
func turned(middle point, side, angle float64, size int) similarity {
	k := side / float64(size)
	s := similarity{a: k * math.Cos(angle), b: k * math.Sin(angle)}
	half := float64(size-1) / 2
	s.tx = middle.x - s.a*half + s.b*half
	s.ty = middle.y - s.b*half - s.a*half
	return s
}

// vector is a direction in space; the third part is depth.
type vector [3]float64

// minus is the way from w to v.
func (v vector) minus(w vector) vector { return vector{v[0] - w[0], v[1] - w[1], v[2] - w[2]} }

// cross is at right angles to both.
func (v vector) cross(w vector) vector {
	return vector{v[1]*w[2] - v[2]*w[1], v[2]*w[0] - v[0]*w[2], v[0]*w[1] - v[1]*w[0]}
}

// unit has the length one; a vector without length stays.
func (v vector) unit() vector {
	n := math.Sqrt(v[0]*v[0] + v[1]*v[1] + v[2]*v[2])
	if n == 0 {
		return v
	}
	return vector{v[0] / n, v[1] / n, v[2] / n}
}

// sigmoid squeezes a number between 0 and 1.
func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// degrees from radians.
func degrees(rad float64) float64 { return rad * 180 / math.Pi }

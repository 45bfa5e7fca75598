package capture

import (
	"image"
	"math"
)

// point is a place in a picture.
type point struct{ x, y float64 }

// quad is an outline, clockwise from the corner nearest to the top left.
type quad [4]point

// Proportions of long to short side between which an outline may be a document,
// seen at a slant (ID-1 is 1.586, ID-2 and ID-3 are 1.42).
const minAspect, maxAspect = 1.15, 1.95

// leastArea is the share of the picture that an outline must cover.
const leastArea = 0.06

// findOutline finds the corners of a document in frame pixels. cut says that
// part of it lies outside the picture.
func findOutline(g *image.Gray) (q quad, cut, ok bool) {
	e := findEdges(g)
	q, sides, ok := e.best(append(e.findLines(), e.borders()...))
	if !ok {
		return quad{}, false, false
	}
	q = e.refine(q, sides)
	cut = e.touches(q)
	for i := range q {
		q[i] = point{(q[i].x+0.5)*e.scale - 0.5, (q[i].y+0.5)*e.scale - 0.5}
	}
	return q.sorted(), cut, true
}

// borders are the four borders of the picture as lines, for a document that
// runs out of it.
func (e edgeMap) borders() []line {
	reach := int(math.Hypot(float64(e.w), float64(e.h))) + 2
	out := []line{
		{nx: 1, rho: 1, bin: 0, border: true},
		{nx: 1, rho: float64(e.w - 2), bin: 0, border: true},
		{ny: 1, rho: 1, bin: bins / 2, border: true},
		{ny: 1, rho: float64(e.h - 2), bin: bins / 2, border: true},
	}
	for i := range out {
		e.walk(&out[i], reach)
	}
	return out
}

// mostBorders is how many sides may be borders of the picture: of a document
// that runs out of it, two sides are seen and the third shows where it ends.
const mostBorders = 1

// best tries every two pairs of opposite sides.
func (e edgeMap) best(lines []line) (q quad, sides [4]*line, ok bool) {
	pairs := opposite(lines)
	top := 0.0
	for i, p := range pairs {
		for _, r := range pairs[i+1:] {
			s := [4]*line{p[0], r[0], p[1], r[1]}
			if countBorders(s) > mostBorders {
				continue
			}
			c, score := e.rate(s)
			if score > top {
				top, q, sides, ok = score, c, s, true
			}
		}
	}
	return q, sides, ok
}

// mostLean is the most that two opposite sides differ in direction, in bins.
const mostLean = 34

// opposite lists the pairs of lines that may be two opposite sides.
func opposite(lines []line) [][2]*line {
	var out [][2]*line
	for i := range lines {
		for j := i + 1; j < len(lines); j++ {
			if apart(lines[i].bin, lines[j].bin) <= mostLean {
				out = append(out, [2]*line{&lines[i], &lines[j]})
			}
		}
	}
	return out
}

// countBorders counts sides that are borders of the picture.
func countBorders(sides [4]*line) int {
	n := 0
	for _, s := range sides {
		if s.border {
			n++
		}
	}
	return n
}

// rate scores four lines as an outline, 0 if they cannot be one.
func (e edgeMap) rate(s [4]*line) (quad, float64) {
	if apart(s[0].bin, s[1].bin) < 60 || apart(s[2].bin, s[3].bin) < 60 {
		return quad{}, 0
	}
	var q quad
	for i := range s {
		p, ok := cross(s[i], s[(i+1)%4])
		if !ok || !e.near(p) {
			return quad{}, 0
		}
		q[i] = p
	}
	area := q.area()
	a, b := q.sides()
	aspect := max(a, b) / max(1, min(a, b))
	least := minAspect
	if countBorders(s) > 0 {
		least = 1 // part of the document is out of sight
	}
	if !q.convex() || area < leastArea*float64(e.w*e.h) || aspect < least || aspect > maxAspect {
		return quad{}, 0
	}
	return q, q.evidence(s) * math.Pow(area, 0.25)
}

// beyond is how far past its corners a side must end, as a share of its length.
const beyond = 0.12

// evidence is how much of each side is edge, less how much of it goes on past
// the corners: frames and lines printed on a document do, its outline does not.
// It is 0 for four lines that are no outline.
func (q quad) evidence(s [4]*line) float64 {
	worst, sum, past := 1.0, 0.0, 0.0
	for i, l := range s {
		from, to := l.along(q[(i+3)%4]), l.along(q[i])
		edge, inside := l.support(from, to)
		if l.border {
			sum += 0.5
			continue
		}
		if inside < 0.6 || edge < 0.35 {
			return 0
		}
		reach := beyond * (to - from)
		before, _ := l.support(from-reach, from-reach/6)
		after, _ := l.support(to+reach/6, to+reach)
		worst, sum, past = min(worst, edge), sum+edge, past+before+after
	}
	return max(0, sum+2*worst-past/2)
}

// near reports whether p is in the picture or not far outside.
func (e edgeMap) near(p point) bool {
	m := float64(max(e.w, e.h)) / 10
	return p.x > -m && p.y > -m && p.x < float64(e.w)+m && p.y < float64(e.h)+m
}

// touches reports whether a corner lies at the border of the picture or
// outside.
func (e edgeMap) touches(q quad) bool {
	const m = 1.5
	for _, p := range q {
		if p.x < m || p.y < m || p.x > float64(e.w-1)-m || p.y > float64(e.h-1)-m {
			return true
		}
	}
	return false
}

// cross is where two lines meet; not for lines nearly parallel.
func cross(a, b *line) (point, bool) {
	d := a.nx*b.ny - a.ny*b.nx
	if math.Abs(d) < 0.3 {
		return point{}, false
	}
	return point{(a.rho*b.ny - b.rho*a.ny) / d, (b.rho*a.nx - a.rho*b.nx) / d}, true
}

// along is the place of p along the line.
func (l *line) along(p point) float64 { return -l.ny*p.x + l.nx*p.y }

// refine fits each side to the edge pixels beside it, weighed by their
// strength, which is finer than the cells of the Hough table.
func (e edgeMap) refine(q quad, sides [4]*line) quad {
	var fit [4]line
	for i, l := range sides {
		fit[i] = *l
		if !l.border {
			fit[i] = e.fit(l, q[(i+3)%4], q[i])
		}
	}
	out := q
	for i := range fit {
		p, ok := cross(&fit[i], &fit[(i+1)%4])
		if !ok || math.Hypot(p.x-q[i].x, p.y-q[i].y) > 8 {
			return q
		}
		out[i] = p
	}
	return out
}

// fit places a line through the edge pixels within two pixels of it between two
// corners: least squares of the distance from l as a function of the place
// along it.
func (e edgeMap) fit(l *line, from, to point) line {
	var sw, st, sd, stt, std float64
	t0, t1 := min(l.along(from), l.along(to)), max(l.along(from), l.along(to))
	for t := t0 + 3; t <= t1-3; t++ {
		for off := -2.0; off <= 2; off++ {
			x, y := l.nx*(l.rho+off)-l.ny*t, l.ny*(l.rho+off)+l.nx*t
			px, py := int(math.Round(x)), int(math.Round(y))
			if px < 0 || py < 0 || px >= e.w || py >= e.h {
				continue
			}
			i := py*e.w + px
			if e.dir[i] == noEdge || apart(int(e.dir[i]), l.bin) > 15 {
				continue
			}
			w := float64(e.mag[i])
			d := l.nx*float64(px) + l.ny*float64(py) - l.rho
			sw, st, sd, stt, std = sw+w, st+w*t, sd+w*d, stt+w*t*t, std+w*t*d
		}
	}
	det := sw*stt - st*st
	if det < 1 {
		return *l
	}
	slope, base := (sw*std-st*sd)/det, (sd*stt-st*std)/det
	// d = base + slope·t turns the line by atan(slope).
	n := math.Hypot(1, slope)
	out := *l
	out.nx, out.ny = (l.nx+slope*l.ny)/n, (l.ny-slope*l.nx)/n
	out.rho = (l.rho + base) / n
	return out
}

// area is the outline's area in square pixels.
func (q quad) area() float64 {
	sum := 0.0
	for i, p := range q {
		n := q[(i+1)%4]
		sum += p.x*n.y - n.x*p.y
	}
	return math.Abs(sum) / 2
}

// convex reports whether the four corners turn one way.
func (q quad) convex() bool {
	turns := 0
	for i := range q {
		a, b, c := q[i], q[(i+1)%4], q[(i+2)%4]
		if (b.x-a.x)*(c.y-b.y)-(b.y-a.y)*(c.x-b.x) > 0 {
			turns++
		}
	}
	return turns == 0 || turns == 4
}

// sides gives the mean lengths of the two pairs of opposite sides.
func (q quad) sides() (a, b float64) {
	return (q.side(0) + q.side(2)) / 2, (q.side(1) + q.side(3)) / 2
}

// side is the length from corner i to the next.
func (q quad) side(i int) float64 {
	return math.Hypot(q[(i+1)%4].x-q[i].x, q[(i+1)%4].y-q[i].y)
}

// sorted turns the corners clockwise, as seen, from the one nearest to the top
// left.
func (q quad) sorted() quad {
	signed := 0.0
	for i, p := range q {
		n := q[(i+1)%4]
		signed += p.x*n.y - n.x*p.y
	}
	if signed < 0 {
		q[1], q[3] = q[3], q[1]
	}
	first := 0
	for i := range q {
		if q[i].x+q[i].y < q[first].x+q[first].y {
			first = i
		}
	}
	return quad{q[first], q[(first+1)%4], q[(first+2)%4], q[(first+3)%4]}
}

// points rounds the corners to pixels.
func (q quad) points() (out [4]image.Point) {
	for i, p := range q {
		out[i] = image.Pt(int(math.Round(p.x)), int(math.Round(p.y)))
	}
	return out
}

// pitch estimates how wide one machine-readable character is, in pixels.
func (q quad) pitch(want Shape) float64 {
	a, b := q.sides()
	width := pageWidth
	if want == Card || want == AnyDocument && max(a, b)/max(1, min(a, b)) > cardAspect {
		width = cardWidth
	}
	return max(a, b) / width * pitchWidth
}

// facing is the worse ratio of two opposite sides.
func (q quad) facing() float64 {
	ratio := func(a, b float64) float64 { return min(a, b) / max(1, a, b) }
	return min(ratio(q.side(0), q.side(2)), ratio(q.side(1), q.side(3)))
}

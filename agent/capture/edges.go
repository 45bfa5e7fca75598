package capture

import (
	"cmp"
	"image"
	"math"
	"slices"
)

// thumbSide is the longer side of the small picture in which the outline is
// looked for.
const thumbSide = 320

// bins divides the half circle of line directions: one bin is one degree.
const bins = 180

// noEdge marks a pixel of edgeMap without an edge.
const noEdge = -1

// edgeMap is the edges of a small copy of a frame.
type edgeMap struct {
	w, h  int
	scale float64 // frame pixels for one of its pixels
	dir   []int16 // direction of the gradient in bins, noEdge where flat
	mag   []int32 // its strength, for weighing
}

// findEdges shrinks a frame and finds its edges. How strong an edge must be
// follows from the frame: the strongest pixels may be one, up to a share of all,
// but nothing below the noise of a dark camera picture.
func findEdges(g *image.Gray) edgeMap {
	px, w, h := shrink(g)
	e := edgeMap{w: w, h: h, scale: float64(g.Rect.Dx()) / float64(w), dir: make([]int16, w*h), mag: make([]int32, w*h)}
	gx, gy := make([]int32, w*h), make([]int32, w*h)
	var strengths [6000 / strengthStep]int // the gradient is below 16 · 255 · √2
	for y := 1; y < h-1; y++ {
		for x := 1; x < w-1; x++ {
			i := y*w + x
			gx[i] = px[i-w+1] + 2*px[i+1] + px[i+w+1] - px[i-w-1] - 2*px[i-1] - px[i+w-1]
			gy[i] = px[i+w-1] + 2*px[i+w] + px[i+w+1] - px[i-w-1] - 2*px[i-w] - px[i-w+1]
			e.mag[i] = int32(math.Sqrt(float64(gx[i])*float64(gx[i]) + float64(gy[i])*float64(gy[i])))
			strengths[e.mag[i]/strengthStep]++
		}
	}
	least := strongest(strengths[:], w*h/edgeShare)
	for i := range e.dir {
		e.dir[i] = noEdge
		if e.mag[i] > least {
			a := math.Atan2(float64(gy[i]), float64(gx[i])) * bins / math.Pi
			e.dir[i] = int16((int(math.Round(a)) + 2*bins) % bins)
		}
	}
	return e
}

// edgeShare bounds the pixels that count as edges: one in so many.
const edgeShare = 6

// leastEdge is the gradient of pure noise in a small copy of a dark frame, in
// quarters of a brightness step.
const leastEdge = 24

// strengthStep is the width of the classes in which gradients are counted.
const strengthStep = 4

// strongest finds the strength that about n pixels exceed.
func strongest(histogram []int, n int) int32 {
	for s := len(histogram) - 1; s > leastEdge/strengthStep; s-- {
		if n -= histogram[s]; n < 0 {
			return int32(s * strengthStep)
		}
	}
	return leastEdge
}

// shrink averages the frame down to thumbSide, over every second row of large
// frames. Values are in quarters of a brightness step, so that averages of dark
// frames keep their detail.
func shrink(g *image.Gray) (px []int32, w, h int) {
	fw, fh := g.Rect.Dx(), g.Rect.Dy()
	f := min(1, thumbSide/float64(max(fw, fh)))
	w, h = max(3, int(float64(fw)*f)), max(3, int(float64(fh)*f))
	px = make([]int32, w*h)
	columns := make([]int32, fw)
	step := 1 + min(1, fh/h/3)
	for y := range h {
		clear(columns)
		rows := int32(0)
		for yy := y * fh / h; yy < max((y+1)*fh/h, y*fh/h+1); yy += step {
			for x, v := range g.Pix[yy*g.Stride:][:fw] {
				columns[x] += int32(v)
			}
			rows++
		}
		for x := range w {
			x0, x1 := x*fw/w, max((x+1)*fw/w, x*fw/w+1)
			var sum int32
			for _, v := range columns[x0:x1] {
				sum += v
			}
			px[y*w+x] = 4 * sum / (rows * int32(x1-x0))
		}
	}
	return px, w, h
}

// line is a straight edge: the points p with p·n = rho.
type line struct {
	nx, ny, rho float64
	bin         int
	votes       int
	border      bool  // a border of the picture, not an edge
	hits        []int // hits[i] counts edge pixels along the line up to i - origin
	seen        []int // seen[i] counts points within the picture likewise
	origin      int
}

// swing is how far, in bins, the direction of an edge pixel may be off that of
// its edge.
const swing = 4

// leastVotes is the length of the shortest line that is looked at: one part in so
// many of the shorter side of the picture. A line between two directions of the
// table has its votes spread.
const leastVotes = 11

// maxLines bounds how many straight edges are combined into outlines.
const maxLines = 26

// findLines collects straight edges by a Hough transform in which every edge
// pixel votes only for directions near its own.
func (e edgeMap) findLines() []line {
	reach := int(math.Hypot(float64(e.w), float64(e.h))) + 2
	votes := make([]int32, bins*2*reach)
	var cos, sin [bins]float64
	for k := range bins {
		sin[k], cos[k] = math.Sincos(float64(k) * math.Pi / bins)
	}
	for i, d := range e.dir {
		if d == noEdge {
			continue
		}
		x, y := float64(i%e.w), float64(i/e.w)
		for k := int(d) - swing; k <= int(d)+swing; k++ {
			b := (k + bins) % bins
			votes[b*2*reach+reach+int(math.Round(x*cos[b]+y*sin[b]))]++
		}
	}
	var out []line
	for _, p := range peaks(votes, reach, min(e.w, e.h)/leastVotes) {
		l := line{nx: cos[p.bin], ny: sin[p.bin], rho: float64(p.rho), bin: p.bin, votes: p.votes}
		e.walk(&l, reach)
		out = append(out, l)
	}
	return out
}

// peak is a cell of the Hough table.
type peak struct{ bin, rho, votes int }

// peaks takes the best cells, leaving out those beside a better one.
func peaks(votes []int32, reach, least int) []peak {
	var all []peak
	for i, v := range votes {
		if int(v) >= least {
			all = append(all, peak{i / (2 * reach), i%(2*reach) - reach, int(v)})
		}
	}
	slices.SortStableFunc(all, func(a, b peak) int { return cmp.Compare(b.votes, a.votes) })
	var out []peak
	for _, p := range all {
		if len(out) == maxLines {
			break
		}
		if !slices.ContainsFunc(out, p.beside) {
			out = append(out, p)
		}
	}
	return out
}

// beside reports whether q is the same edge as p, seen in a cell nearby. A line
// turned by half a circle has its distance negated.
func (p peak) beside(q peak) bool {
	turn, away := p.bin-q.bin, p.rho-q.rho
	if turn > bins/2 || turn < -bins/2 {
		turn, away = bins-max(turn, -turn), p.rho+q.rho
	}
	return max(turn, -turn) <= 7 && max(away, -away) <= 7
}

// walk counts edge pixels along a line, so that the support of any part of it
// is one subtraction.
func (e edgeMap) walk(l *line, reach int) {
	l.origin = reach
	l.hits, l.seen = make([]int, 2*reach+1), make([]int, 2*reach+1)
	for i := 1; i <= 2*reach; i++ {
		t := float64(i - reach)
		x, y := l.nx*l.rho-l.ny*t, l.ny*l.rho+l.nx*t
		l.hits[i], l.seen[i] = l.hits[i-1], l.seen[i-1]
		if x < 1 || y < 1 || x >= float64(e.w-1) || y >= float64(e.h-1) {
			continue
		}
		l.seen[i]++
		if l.border || e.edgeAt(x, y, l) {
			l.hits[i]++
		}
	}
}

// edgeAt reports whether an edge of the line's direction is within a pixel.
func (e edgeMap) edgeAt(x, y float64, l *line) bool {
	for _, off := range [...]float64{0, -1, 1} {
		px, py := int(math.Round(x+off*l.nx)), int(math.Round(y+off*l.ny))
		if px < 0 || py < 0 || px >= e.w || py >= e.h {
			continue
		}
		if d := e.dir[py*e.w+px]; d != noEdge && apart(int(d), l.bin) <= 12 {
			return true
		}
	}
	return false
}

// apart is the angle between two directions in bins, 0 to 90.
func apart(a, b int) int {
	d := max(a-b, b-a)
	return min(d, bins-d)
}

// support is the share of the line between two places along it that is edge,
// and the share that lies in the picture.
func (l *line) support(t0, t1 float64) (edge, inside float64) {
	a := min(max(int(math.Round(min(t0, t1)))+l.origin, 0), len(l.hits)-1)
	b := min(max(int(math.Round(max(t0, t1)))+l.origin, 0), len(l.hits)-1)
	seen := l.seen[b] - l.seen[a]
	if seen == 0 {
		return 0, 0
	}
	return float64(l.hits[b]-l.hits[a]) / float64(seen), float64(seen) / max(1, math.Abs(t1-t0))
}

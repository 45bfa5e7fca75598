package strip

import (
	"image"
	"slices"
)

// mark is a connected dark spot of about a character's size.
type mark struct {
	x, y float64 // middle of its box
	w, h float64
}

// window is a local threshold: a pixel is dark if it is below the mean of the
// pixels within radius by percent.
type window struct{ radius, percent int }

// windows are tried one after the other: the first finds small and pale print,
// the second large print on patterned paper.
var windows = [...]window{{14, 10}, {30, 16}}

// Sizes in pixels of the working picture between which a spot may be a
// character, and the number of pixels it must have.
const (
	leastMark  = 4
	mostMark   = 90
	leastInk   = 6
	thinnest   = 1.5
	mostMarks  = 12000 // more is noise; the rest is left out
	blackPoint = 9     // darkness in sixths of a step that is noise at any brightness
)

// run is dark pixels side by side in one row.
type run struct{ x0, x1, spot int }

// spot is what is known of connected dark pixels so far.
type spot struct {
	parent         int
	x0, y0, x1, y1 int
	ink            int
}

// inker finds dark spots; its buffers are used again.
type inker struct {
	soft      []uint16 // 6 × the brightness, lightly smoothed
	columns   []int32  // sums over the rows of the window
	above, on []run
	spots     []spot
}

// smooth prepares a working picture. The middle counts twice, its four
// neighbours once; beyond the picture the border goes on.
func (n *inker) smooth(g *image.Gray) {
	w, h := g.Rect.Dx(), g.Rect.Dy()
	n.soft = sized(n.soft, w*h)
	for y := range h {
		row := g.Pix[y*g.Stride:][:w]
		up := g.Pix[max(y-1, 0)*g.Stride:][:w]
		down := g.Pix[min(y+1, h-1)*g.Stride:][:w]
		out := n.soft[y*w:][:w]
		for x := range out {
			l, r := row[max(x-1, 0)], row[min(x+1, w-1)]
			out[x] = 2*uint16(row[x]) + uint16(l) + uint16(r) + uint16(up[x]) + uint16(down[x])
		}
	}
}

// marks lists the dark spots of a character's size under one window. smooth
// must have been called with the same picture.
func (n *inker) marks(g *image.Gray, win window) []mark {
	w, h := g.Rect.Dx(), g.Rect.Dy()
	n.columns = sized(n.columns, w)
	clear(n.columns)
	n.spots, n.above = n.spots[:0], n.above[:0]
	for y := range min(win.radius, h) {
		n.add(g, y, 1)
	}
	for y := range h {
		if y+win.radius < h {
			n.add(g, y+win.radius, 1)
		}
		if y-win.radius-1 >= 0 {
			n.add(g, y-win.radius-1, -1)
		}
		rows := min(y+win.radius, h-1) - max(y-win.radius, 0) + 1
		n.on = n.on[:0]
		n.darkRuns(n.soft[y*w:][:w], rows, win)
		n.connect(y)
		n.above, n.on = n.on, n.above
	}
	return n.collect()
}

// add takes a row into the columns' sums, or out of them.
func (n *inker) add(g *image.Gray, y int, sign int32) {
	cols := n.columns
	row := g.Pix[y*g.Stride:][:len(cols)]
	if sign > 0 {
		for x, v := range row {
			cols[x] += int32(v)
		}
		return
	}
	for x, v := range row {
		cols[x] -= int32(v)
	}
}

// darkRuns finds the dark pixels of a row, given how many rows the columns' sums
// stand for.
func (n *inker) darkRuns(soft []uint16, rows int, win window) {
	cols, w := n.columns, len(soft)
	sum := 0
	for x := range min(win.radius, w) {
		sum += int(cols[x])
	}
	keep := 6 * (100 - win.percent)
	start := -1
	for x, v := range soft {
		if x+win.radius < w {
			sum += int(cols[x+win.radius])
		}
		if x-win.radius-1 >= 0 {
			sum -= int(cols[x-win.radius-1])
		}
		area := rows * (min(x+win.radius, w-1) - max(x-win.radius, 0) + 1)
		dark := 100*(int(v)+blackPoint)*area < keep*sum
		switch {
		case dark && start < 0:
			start = x
		case !dark && start >= 0:
			n.on = append(n.on, run{start, x - 1, -1})
			start = -1
		}
	}
	if start >= 0 {
		n.on = append(n.on, run{start, w - 1, -1})
	}
}

// connect joins the runs of a row with those above, corners included.
func (n *inker) connect(y int) {
	first := 0
	for i := range n.on {
		r := &n.on[i]
		for first < len(n.above) && n.above[first].x1 < r.x0-1 {
			first++
		}
		for j := first; j < len(n.above) && n.above[j].x0 <= r.x1+1; j++ {
			r.spot = n.join(r.spot, n.above[j].spot)
		}
		if r.spot < 0 {
			r.spot = len(n.spots)
			n.spots = append(n.spots, spot{parent: r.spot, x0: r.x0, y0: y, x1: r.x1, y1: y})
		}
		s := &n.spots[n.root(r.spot)]
		s.x0, s.x1, s.y1 = min(s.x0, r.x0), max(s.x1, r.x1), y
		s.ink += r.x1 - r.x0 + 1
	}
}

// root finds what a spot has become part of, shortening the way for the next
// time.
func (n *inker) root(i int) int {
	for n.spots[i].parent != i {
		n.spots[i].parent = n.spots[n.spots[i].parent].parent
		i = n.spots[i].parent
	}
	return i
}

// join makes one spot of two; a is -1 where there is none yet.
func (n *inker) join(a, b int) int {
	b = n.root(b)
	if a < 0 {
		return b
	}
	a = n.root(a)
	if a == b {
		return a
	}
	s, t := &n.spots[a], &n.spots[b]
	t.parent = a
	s.x0, s.x1 = min(s.x0, t.x0), max(s.x1, t.x1)
	s.y0, s.y1 = min(s.y0, t.y0), max(s.y1, t.y1)
	s.ink += t.ink
	return a
}

// collect keeps the spots that may be characters, lying or standing.
func (n *inker) collect() []mark {
	var out []mark
	for i, s := range n.spots {
		w, h := float64(s.x1-s.x0+1), float64(s.y1-s.y0+1)
		if s.parent != i || s.ink < leastInk || len(out) == mostMarks {
			continue
		}
		if max(w, h) < leastMark || max(w, h) > 2*mostMark || min(w, h) > mostMark || min(w, h) < thinnest {
			continue
		}
		out = append(out, mark{float64(s.x0+s.x1) / 2, float64(s.y0+s.y1) / 2, w, h})
	}
	return out
}

// turned lists the marks of a picture turned a quarter clockwise; height is that
// of the picture before the turn.
func turned(marks []mark, height int) []mark {
	out := make([]mark, len(marks))
	for i, m := range marks {
		out[i] = mark{float64(height-1) - m.y, m.x, m.h, m.w}
	}
	return out
}

// sized returns a slice of n elements, in old if it has room. What is in it is
// left over.
func sized[T any](old []T, n int) []T { return slices.Grow(old[:0], n)[:n] }

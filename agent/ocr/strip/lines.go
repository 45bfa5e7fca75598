package strip

import (
	"cmp"
	"math"
	"slices"
)

// Line is a row of marks at even distances.
type Line struct {
	Curve
	From, To float64 // numbers of the first and last character seen
	marks    int
	miss     float64 // mean distance of the marks from their places, in pitches
}

// Bounds of what counts as a line of a machine-readable zone.
const (
	leastChain = 6    // neighbours in a row that start a line
	leastCells = 14   // characters from first to last
	mostMiss   = 0.15 // pitches; marks at any distance have 0.175
	leastKept  = 0.7  // share of the marks that stand in their places
	mostChains = 80
)

// Cells is how many characters stand between the ends, both included.
func (l Line) Cells() float64 { return l.To - l.From + 1 }

// Worth rates a line by how full and how even it is.
func (l Line) Worth() float64 {
	return float64(l.marks) / l.Cells() * (1 - 3*l.miss) * min(l.Cells(), 44)
}

// middle is the line's middle and the direction it runs in there.
func (l Line) middle() (x, y, dx, dy, pitch float64) {
	k := (l.From + l.To) / 2
	x, y = l.At(k)
	dx, dy = l.Slope(k)
	pitch = math.Hypot(dx, dy)
	return x, y, dx / pitch, dy / pitch, pitch
}

// findLines finds lines that run from left to right, give or take 20 degrees.
func findLines(marks []mark) []Line {
	ms := slices.DeleteFunc(slices.Clone(marks), func(m mark) bool {
		return m.h < leastMark || m.h > mostMark || m.w > 2*m.h+6
	})
	slices.SortFunc(ms, func(a, b mark) int { return cmp.Or(cmp.Compare(a.x, b.x), cmp.Compare(a.y, b.y)) })
	var out []Line
	for _, chain := range chains(ms) {
		if l, ok := growLine(ms, chain); ok {
			out = append(out, l)
		}
	}
	return out
}

// chains links every mark with its nearest neighbour to the right where that
// has it as its nearest to the left, and lists the chains this makes, the
// longest first. Elements are places in ms, which is sorted by x.
func chains(ms []mark) [][]int {
	right, left := links(ms)
	var out [][]int
	for i := range ms {
		if j := left[i]; j >= 0 && right[j] == i {
			continue // not the first of its chain
		}
		chain := []int{i}
		for j := right[i]; j >= 0 && left[j] == chain[len(chain)-1]; j = right[j] {
			chain = append(chain, j)
		}
		if len(chain) >= leastChain {
			out = append(out, chain)
		}
	}
	slices.SortStableFunc(out, func(a, b []int) int { return cmp.Compare(len(b), len(a)) })
	return out[:min(len(out), mostChains)]
}

// rowHeight is the height of the bands in which neighbours are looked for.
const rowHeight = 32

// links finds each mark's nearest neighbour to the right and to the left, -1 if
// none.
func links(ms []mark) (right, left []int) {
	bands := map[int][]int{}
	for i, m := range ms {
		b := int(m.y) / rowHeight
		bands[b] = append(bands[b], i)
	}
	right, left = make([]int, len(ms)), make([]int, len(ms))
	cost := make([]float64, len(ms))
	for i := range ms {
		right[i], left[i], cost[i] = -1, -1, math.Inf(1)
	}
	for i, m := range ms {
		best := math.Inf(1)
		reach := 3.2*m.h + 4
		for b := int(m.y-0.42*reach) / rowHeight; b <= int(m.y+0.42*reach)/rowHeight; b++ {
			row := bands[b]
			from, _ := slices.BinarySearch(row, i+1)
			for _, j := range row[from:] {
				if ms[j].x-m.x > reach {
					break
				}
				if c := apart(m, ms[j]); c < best {
					best, right[i] = c, j
				}
			}
		}
		if j := right[i]; j >= 0 && best < cost[j] {
			cost[j], left[j] = best, i
		}
	}
	return right, left
}

// apart rates b as the next character after a; infinite if it cannot be.
func apart(a, b mark) float64 {
	dx, dy := b.x-a.x, math.Abs(b.y-a.y)
	tall := max(a.h, b.h)
	if dx < 0.45*tall || dx > 2.6*tall || dy > 0.42*dx || tall > 2*min(a.h, b.h) {
		return math.Inf(1)
	}
	return dx + 2*dy + 1.2*math.Abs(a.h-b.h)
}

// growLine takes in every mark along a chain and fits the even distances.
func growLine(ms []mark, chain []int) (Line, bool) {
	members := make([]mark, len(chain))
	for i, j := range chain {
		members[i] = ms[j]
	}
	middle := members[len(members)/2].x
	for range 4 {
		var ok bool
		if members, ok = alongside(ms, members, middle); !ok {
			return Line{}, false
		}
	}
	if len(members) < 12 {
		return Line{}, false
	}
	return fitCells(members)
}

// alongside lists the marks along the line through members, without a gap of six
// heights, around middle.
func alongside(ms, members []mark, middle float64) ([]mark, bool) {
	n := len(members)
	xs, ys, hs := make([]float64, n), make([]float64, n), make([]float64, n)
	for i, m := range members {
		xs[i], ys[i], hs[i] = m.x-middle, m.y, m.h
	}
	degree := 1
	if n > 14 {
		degree = 2
	}
	p, ok := Fit(xs, ys, degree)
	tall := median(hs)
	if !ok {
		return nil, false
	}
	var out []mark
	for _, m := range ms {
		if m.h > 0.45*tall && m.h < 1.7*tall && math.Abs(m.y-poly(p, m.x-middle)) < 0.38*tall {
			out = append(out, m)
		}
	}
	if len(out) < 8 {
		return nil, false
	}
	at := 0
	for at < len(out)-1 && out[at].x < middle {
		at++
	}
	from, to := at, at
	for from > 0 && out[from].x-out[from-1].x < 6*tall {
		from--
	}
	for to < len(out)-1 && out[to+1].x-out[to].x < 6*tall {
		to++
	}
	return out[from : to+1], true
}

// median of values, which are put in order.
func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// fitCells numbers the marks by the pitch and fits the curve; marks far from
// their place are left out and the fit repeated.
func fitCells(members []mark) (Line, bool) {
	ks, xs, ys, pitch := number(members)
	numbered := len(ks)
	tall := make([]float64, len(members))
	for i, m := range members {
		tall[i] = m.h
	}
	if t := median(tall); pitch < 0.6*t || pitch > 2.4*t {
		return Line{}, false
	}
	var c Curve
	for range 3 {
		var okX, okY bool
		c.X, okX = Fit(ks, xs, 2)
		c.Y, okY = Fit(ks, ys, 2)
		if !okX || !okY {
			return Line{}, false
		}
		n := 0
		for i, k := range ks {
			x, y := c.At(k)
			if math.Abs(xs[i]-x) < 0.35*pitch && math.Abs(ys[i]-y) < 0.3*pitch {
				ks[n], xs[n], ys[n] = k, xs[i], ys[i]
				n++
			}
		}
		if n < 10 {
			return Line{}, false
		}
		ks, xs, ys = ks[:n], xs[:n], ys[:n]
	}
	l := Line{Curve: c, From: ks[0], To: ks[len(ks)-1], marks: len(ks)}
	for i, k := range ks {
		l.miss += math.Abs(xs[i]-poly(c.X, k)) / (pitch * float64(len(ks)))
	}
	kept := float64(len(ks)) > leastKept*float64(numbered)
	return l, kept && l.Cells() >= leastCells && l.miss < mostMiss && l.Worth() > 0
}

// number gives each mark the number of its cell, following the pitch as it
// changes along the line. Of two marks in one cell the first counts.
func number(members []mark) (ks, xs, ys []float64, pitch float64) {
	steps := make([]float64, 0, len(members))
	for i := 1; i < len(members); i++ {
		steps = append(steps, members[i].x-members[i-1].x)
	}
	pitch = max(median(steps), 1)
	local := pitch
	last := members[0]
	ks, xs, ys = []float64{0}, []float64{last.x}, []float64{last.y}
	for _, m := range members[1:] {
		step := m.x - last.x
		n := math.Round(step / local)
		if n < 1 {
			continue
		}
		if n == 1 {
			local += 0.15 * (step - local)
		}
		ks, xs, ys = append(ks, ks[len(ks)-1]+n), append(xs, m.x), append(ys, m.y)
		last = m
	}
	return ks, xs, ys, pitch
}

// distinct keeps the better of any two lines in one place, best first.
func distinct(lines []Line) []Line {
	slices.SortStableFunc(lines, func(a, b Line) int { return cmp.Compare(b.Worth(), a.Worth()) })
	var out []Line
	for _, l := range lines {
		if !slices.ContainsFunc(out, l.same) {
			out = append(out, l)
		}
	}
	return out
}

// same reports whether two lines lie over each other.
func (l Line) same(m Line) bool {
	x, y, _, _, _ := l.middle()
	mx, my, dx, dy, pitch := m.middle()
	off := math.Abs((y-my)*dx - (x-mx)*dy)
	along := math.Abs((x-mx)*dx + (y-my)*dy)
	return off < 0.6*pitch && along < 0.5*pitch*max(l.Cells(), m.Cells())
}

// Fellow reports whether m may be a line of the same zone: parallel, of the same
// pitch and near. off is how far m lies below l in pitches, from and to where it
// starts and ends in l's numbers.
func (l Line) Fellow(m Line) (off, from, to float64, ok bool) {
	x, y, dx, dy, pitch := l.middle()
	mx, my, mdx, mdy, mpitch := m.middle()
	off = ((my-y)*dx - (mx-x)*dy) / pitch
	if dx*mdx+dy*mdy < 0.97 || max(pitch, mpitch) > 1.3*min(pitch, mpitch) || math.Abs(off) > 8 || math.Abs(off) < 0.6 {
		return 0, 0, 0, false
	}
	k := (l.From + l.To) / 2
	number := func(mk float64) float64 {
		ex, ey := m.At(mk)
		return k + ((ex-x)*dx+(ey-y)*dy)/pitch
	}
	return off, number(m.From), number(m.To), true
}

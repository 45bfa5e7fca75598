package ocr

import (
	"cmp"
	"image"
	"math"
	"slices"

	"github.com/counterproof/counterproof/agent/capture"
	"github.com/counterproof/counterproof/agent/mrz"
	"github.com/counterproof/counterproof/agent/ocr/strip"
	"github.com/counterproof/counterproof/agent/proof"
)

// workingSides are the longer sides, in pixels, of the copies in which lines are
// looked for, until a reading is accepted. With two directions of lines and two
// ways round each that is at most twelve passes.
var workingSides = [...]float64{1300, 2000, 800}

// Bounds of one pass.
const (
	mostEnlarged = 3.0 // a copy larger than that shows nothing more
	mostGroups   = 8   // that are read
	mostFormats  = 2   // in which a group is looked at twice
	endRoom      = 1.4 // characters laid straight beyond either end
	// worthLooking is the score from which a candidate is worth a second look,
	// and from which it is told at all.
	worthLooking = -1.2
	// worstLine is the score below which a line is not worth settling.
	worstLine = -4.0
	// bandReach is how far from its place a second look lets a character stand,
	// in cells.
	bandReach = 0.6
	// upright is the mean logarithm of probability a frame below which a line is
	// perhaps upside down.
	upright = -0.35
)

// reading is one line as the network saw it.
type reading struct {
	curve   strip.Curve
	k0      float64 // where the strip starts
	frames  []float32
	clarity float64
	length  int // characters, read without a grammar
}

// session is the reading of one picture.
type session struct {
	*Reader
	desk *desk
	g    *image.Gray
	ref  proof.Date
	best *candidate
}

// Read reads the machine-readable zone in a picture of any colour model. The
// reference date, the day of the visit, settles centuries. It takes about 65 ms
// of one processor for 1920 pixels, and up to a second where nothing is found.
// Pictures above capture.MaxPixels must be refused before they are decoded
// (capture.Decode).
func (r *Reader) Read(img image.Image, ref proof.Date) Reading {
	return r.read(img, ref, len(workingSides))
}

// Glance is Read for live frames: it looks in the first working size alone,
// which misses zones much smaller than the picture, so that a frame in which
// nothing can be read holds up the next ones a third as long.
func (r *Reader) Glance(img image.Image, ref proof.Date) Reading {
	return r.read(img, ref, 1)
}

// read looks in so many working sizes.
func (r *Reader) read(img image.Image, ref proof.Date, sizes int) Reading {
	g := capture.Gray(img)
	if min(g.Rect.Dx(), g.Rect.Dy()) < capture.MinSide {
		return Reading{Format: mrz.Unknown, Guidance: []proof.Kind{proof.KindPictureTiny}}
	}
	d := r.desks.Get().(*desk)
	defer r.desks.Put(d)
	s := &session{Reader: r, desk: d, g: g, ref: ref}
	accepted := s.search(sizes)
	out := s.reading(accepted)
	if !accepted {
		out.Guidance = s.guidance()
	}
	return out
}

// search tries so many working sizes, one after the other.
func (s *session) search(sizes int) bool {
	side := float64(max(s.g.Rect.Dx(), s.g.Rect.Dy()))
	last := 0.0
	for _, want := range workingSides[:sizes] {
		f := min(want/side, mostEnlarged)
		if f > 0.95 && f < 1.25 {
			f = 1
		}
		if f != last && s.searchAt(f) {
			return true
		}
		last = f
	}
	return false
}

// searchAt looks for lines in a copy f times as large, lying ones first.
func (s *session) searchAt(f float64) bool {
	lying, standing := s.desk.finder.Find(s.g, f)
	return s.bothWays(lying) || s.bothWays(standing)
}

// bothWays reads lines as they run and, unless that is accepted, the other way
// round. Where a line is clear only the other way round, that way goes first.
func (s *session) bothWays(lines []strip.Line) bool {
	if len(lines) == 0 {
		return false
	}
	back := make([]strip.Line, len(lines))
	for i, l := range lines {
		back[i] = l.Reversed()
	}
	there, here := map[int]reading{}, map[int]reading{0: s.lay(lines[0], lines)}
	if here[0].clarity < upright {
		there[0] = s.lay(back[0], back)
		if there[0].clarity > here[0].clarity {
			lines, back = back, lines
			here, there = there, here
		}
	}
	return s.pass(lines, here) || s.pass(back, there)
}

// lay lays a line straight and reads it, as far as the lines parallel to it
// reach.
func (s *session) lay(l strip.Line, all []strip.Line) reading {
	k0, k1 := l.From, l.To
	for _, m := range all {
		if _, from, to, ok := l.Fellow(m); ok {
			if from < k0 && from > l.From-16 {
				k0 = from
			}
			if to > k1 && to < l.To+30 {
				k1 = to
			}
		}
	}
	return s.laid(l.Curve, k0-endRoom, k1+endRoom)
}

// laid lays a curve straight from one number to another and reads it.
func (s *session) laid(c strip.Curve, from, to float64) reading {
	r := reading{curve: c, k0: from}
	var width int
	s.desk.strip, width = strip.Lay(s.g, c, from, to, s.desk.strip)
	r.frames = s.net.read(s.desk.strip, width, &s.desk.tape)
	r.clarity, r.length = plainly(r.frames)
	return r
}

// plainly takes the likeliest class of every frame: how likely those are on
// average, and how many characters they come to.
func plainly(frames []float32) (clarity float64, length int) {
	last, steps := 0, len(frames)/classes
	for t := range steps {
		frame := frames[t*classes:][:classes]
		best := 0
		for c, v := range frame {
			if v > frame[best] {
				best = c
			}
		}
		clarity += float64(frame[best]) / float64(steps)
		if best != last && best != 0 {
			length++
		}
		last = best
	}
	return clarity, length
}

// pass reads the groups of lines that may be a zone, in one direction. seen are
// the lines that were read already, by their place.
func (s *session) pass(lines []strip.Line, seen map[int]reading) bool {
	for _, group := range groups(lines) {
		strips := make([]reading, len(group))
		for i, at := range group {
			r, ok := seen[at]
			if !ok {
				r = s.lay(lines[at], lines)
				seen[at] = r
			}
			strips[i] = r
		}
		var found []*candidate
		for i := range s.grammars {
			if c, ok := s.try(&s.grammars[i], strips); ok {
				found = append(found, c)
			}
		}
		slices.SortStableFunc(found, func(a, b *candidate) int { return cmp.Compare(b.rank(), a.rank()) })
		if slices.ContainsFunc(found[:min(len(found), mostFormats)], s.settled) {
			return true
		}
	}
	return false
}

// groups lists sets of lines, from top to bottom as they are read, that lie as
// the lines of a zone do; larger sets and better lines first.
func groups(lines []strip.Line) [][]int {
	below := make([]int, len(lines))
	for i, l := range lines {
		below[i] = -1
		nearest := 4.5
		for j, m := range lines {
			if off, _, _, ok := l.Fellow(m); ok && off > 1.2 && off < nearest {
				nearest, below[i] = off, j
			}
		}
	}
	var out [][]int
	for i, l := range lines {
		if j := below[i]; j >= 0 {
			out = append(out, []int{i, j})
			if k := below[j]; k >= 0 {
				out = append(out, []int{i, j, k})
			}
		} else if n := l.Cells(); n > 24 && n < 34 {
			out = append(out, []int{i})
		}
	}
	worth := func(g []int) float64 {
		sum := 0.0
		for _, i := range g {
			sum += lines[i].Worth()
		}
		return sum
	}
	slices.SortStableFunc(out, func(a, b []int) int { return cmp.Compare(worth(b), worth(a)) })
	return out[:min(len(out), mostGroups)]
}

// settled keeps a candidate if it is the best so far and reports whether it can
// be believed, if need be after a second look.
func (s *session) settled(c *candidate) bool {
	if !c.believable(s.ref) && c.score > worthLooking {
		if second, ok := s.again(c); ok && second.better(c) {
			c = second
		}
	}
	if c.better(s.best) {
		s.best = c
	}
	return s.best == c && c.believable(s.ref)
}

// try reads a group of lines as a format.
func (s *session) try(g *grammar, strips []reading) (*candidate, bool) {
	if len(strips) != len(g.lines) {
		return nil, false
	}
	lines := make([]lineRead, len(strips))
	for i, sets := range g.lines {
		if n := len(sets); strips[i].length < n*3/4-2 || strips[i].length > n+10 {
			return nil, false
		}
		var ok bool
		if lines[i], ok = s.line(strips[i], sets, anywhere()); !ok {
			return nil, false
		}
	}
	return s.candidate(g, lines), true
}

// again lays a candidate's lines straight once more, exactly as long as the
// format has them, and reads each character in its place. It mends lines whose
// ends were not found or that run on into something else.
func (s *session) again(first *candidate) (*candidate, bool) {
	lines := make([]lineRead, len(first.lines))
	for i, sets := range first.grammar.lines {
		at := first.lines[i].at
		r := s.laid(first.lines[i].curve, at.from-2*at.step, at.from+float64(len(sets)+1)*at.step)
		step := at.step / perCell
		for shift := -1.0; shift <= 1; shift++ {
			where := band{r.frame(at.from + shift*at.step), step, bandReach * step}
			if l, ok := s.line(r, sets, where); ok && (lines[i].cells == nil || l.score > lines[i].score) {
				lines[i] = l
			}
		}
		if lines[i].cells == nil {
			return nil, false
		}
	}
	return s.candidate(first.grammar, lines), true
}

// line reads a line as so many characters.
func (s *session) line(r reading, sets []set, where band) (lineRead, bool) {
	cells, score, ok := s.desk.lattice.best(r.frames, sets, where)
	if !ok || score < worstLine {
		return lineRead{}, false
	}
	at, bend := level(cells, r)
	return lineRead{r.curve, cells, score, at, bend}, true
}

// candidate settles on what the lines say together.
func (s *session) candidate(g *grammar, lines []lineRead) *candidate {
	c := &candidate{grammar: g, lines: lines}
	for _, l := range lines {
		c.score += l.score * float64(len(l.cells))
		c.cells = append(c.cells, l.cells...)
	}
	c.score /= float64(len(c.cells))
	for _, cell := range c.cells {
		c.text = append(c.text, byte(cell.char))
	}
	c.settle(s.codes, s.ref)
	return c
}

// reading tells what was found.
func (s *session) reading(accepted bool) Reading {
	c := s.best
	if c == nil || c.score < worthLooking {
		return Reading{Format: mrz.Unknown}
	}
	out := Reading{
		Accepted: accepted, Document: c.doc, Lines: c.written(c.text), Format: c.grammar.format, Score: c.score,
	}
	top, bottom := c.lines[0], c.lines[len(c.lines)-1]
	out.Corners = [4]image.Point{top.edge(0, -0.5), top.edge(1, -0.5), bottom.edge(1, 0.5), bottom.edge(0, 0.5)}
	across := out.Corners[1].Sub(out.Corners[0])
	out.Pitch = math.Hypot(float64(across.X), float64(across.Y)) / float64(len(c.grammar.lines[0]))
	turn := math.Round(math.Atan2(float64(across.Y), float64(across.X)) / (math.Pi / 2))
	out.Upright = (int(turn)*90 + 360) % 360
	return out
}

// edge is the place at the start (0) or end (1) of a line, off pitches below its
// middle.
func (l lineRead) edge(end int, off float64) image.Point {
	k := l.at.from + l.at.step*(float64(end*len(l.cells))-0.5)
	return l.curve.Beside(k, off)
}

// readable is the score above which a zone was read well enough to say that its
// digits disagree.
const readable = -0.25

// guidance says why a picture was not accepted.
func (s *session) guidance() []proof.Kind {
	var out []proof.Kind
	verdict := capture.Judge(s.g, capture.AnyDocument)
	found := s.best != nil && s.best.passed > 0 && s.best.score > 4*s.best.grammar.floor
	if found && !s.best.valid() && s.best.score > readable {
		out = append(out, proof.KindChecksFailed)
	}
	if k := verdict.Guidance.Kind(); k != proof.KindNone && !(found && verdict.Guidance == capture.NoDocument) {
		out = append(out, k)
	}
	if !found {
		out = append(out, proof.KindNoMRZ)
	}
	if len(out) == 0 {
		out = append(out, proof.KindBlurred) // a zone is there but it is not clear enough
	}
	return out
}

package ocr

import (
	"math"
	"math/bits"
	"strings"
)

// alphabet is every character of a machine-readable zone (ICAO 9303-3 §4.3), in
// the order of the network's classes.
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789<"

// letters is the number of characters of the alphabet.
const letters = len(alphabet)

// set is a set of characters, a bit for each place in the alphabet.
type set uint64

// place is a character's place in the alphabet; -1 if it has none.
func place(b byte) int { return strings.IndexByte(alphabet, b) }

// cell is what was read at one place of a line.
type cell struct {
	char int // place in the alphabet
	// peak holds the best logarithm of probability of every character in the
	// frames that the place covers.
	peak [letters]float32
	// frame is the middle of those frames.
	frame float32
}

// never is the logarithm of no probability.
const never = float32(-1e30)

// The ways into a state: from the state itself, from the blank before, or from
// another character right before it (its place plus fromChar).
const (
	stay = iota
	fromBlank
	fromChar
)

// lattice finds the most probable way of a line of fixed length through the
// network's frames; its buffers are used again.
type lattice struct {
	now, next           []float32 // by cell and character
	blankNow, blankNext []float32 // after so many cells
	ways                []uint8   // by frame, cell and character
	blankWays           []uint8   // by frame and cell: the character before the blank plus 1; 0 is a blank
}

// band is where characters may stand: character i within reach frames of
// from + i·step.
type band struct{ from, step, reach float64 }

// anywhere is a band that leaves characters where they are found.
func anywhere() band { return band{reach: math.Inf(1)} }

// holds reports whether character i may stand at a frame.
func (b band) holds(i, frame int) bool {
	return math.Abs(float64(frame)-b.from-b.step*float64(i)) <= b.reach
}

// best reads exactly len(allowed) characters, each from its set and in its band.
// frames holds the network's answer. The score is the mean logarithm of
// probability a character; false where there is no such way.
func (l *lattice) best(frames []float32, allowed []set, where band) ([]cell, float64, bool) {
	n, steps := len(allowed), len(frames)/classes
	if steps < n || n == 0 {
		return nil, 0, false
	}
	l.reset(n, steps)
	for t := range steps {
		l.step(frames[t*classes:][:classes], t, allowed, where)
	}
	last, total := -1, l.blankNow[n]
	for c, v := range l.now[n*letters:][:letters] {
		if v > total {
			last, total = c, v
		}
	}
	if total <= never/2 {
		return nil, 0, false
	}
	return l.trace(frames, n, last), float64(total) / float64(n), true
}

// reset makes room for n cells and so many frames. Cell 0 stands before the
// line.
func (l *lattice) reset(n, steps int) {
	l.now, l.next = sized(l.now, (n+1)*letters), sized(l.next, (n+1)*letters)
	l.blankNow, l.blankNext = sized(l.blankNow, n+1), sized(l.blankNext, n+1)
	l.ways, l.blankWays = sized(l.ways, steps*(n+1)*letters), sized(l.blankWays, steps*(n+1))
	for i := range l.now {
		l.now[i], l.next[i] = never, never
	}
	for i := range l.blankNow {
		l.blankNow[i] = never
	}
	l.blankNow[0] = 0
}

// step takes in one frame.
func (l *lattice) step(frame []float32, t int, allowed []set, where band) {
	n := len(allowed)
	ways, blankWays := l.ways[t*(n+1)*letters:], l.blankWays[t*(n+1):][:n+1]
	best, second := -1, -1 // characters of the cell before, by probability
	// At frame t no more than t+1 characters can have begun.
	for i := 0; i <= min(n, t+1); i++ {
		row := l.now[i*letters:][:letters]
		switch {
		case i == 0:
		case where.holds(i-1, t):
			before := l.now[(i-1)*letters:][:letters]
			l.enter(frame, i, allowed[i-1], ends{before, l.blankNow[i-1], best, second}, ways[i*letters:][:letters])
		default:
			for c := range letters {
				l.next[i*letters+c] = never
			}
		}
		best, second = topTwo(row)
		l.blankNext[i], blankWays[i] = l.blankNow[i]+frame[0], 0
		if best >= 0 && row[best] > l.blankNow[i] {
			l.blankNext[i], blankWays[i] = row[best]+frame[0], uint8(best+1)
		}
	}
	for i := min(n, t+1) + 1; i <= n; i++ {
		l.blankNext[i] = never
	}
	l.now, l.next = l.next, l.now
	l.blankNow, l.blankNext = l.blankNext, l.blankNow
}

// ends is how the cell before may have ended.
type ends struct {
	chars        []float32
	blank        float32
	best, second int
}

// enter computes one cell's characters for the next frame.
func (l *lattice) enter(frame []float32, i int, allowed set, from ends, ways []uint8) {
	row, next := l.now[i*letters:][:letters], l.next[i*letters:][:letters]
	for m := allowed; m != 0; m &= m - 1 {
		c := bits.TrailingZeros64(uint64(m))
		v, way := row[c], uint8(stay)
		if from.blank > v {
			v, way = from.blank, fromBlank
		}
		other := from.best
		if other == c {
			other = from.second // the same character again needs a blank between
		}
		if other >= 0 && from.chars[other] > v {
			v, way = from.chars[other], uint8(fromChar+other)
		}
		next[c] = v + frame[c+1]
		ways[c] = way
	}
}

// topTwo finds the two most probable characters; -1 where there is none.
func topTwo(row []float32) (best, second int) {
	best, second = -1, -1
	top, next := never, never
	for c, v := range row {
		switch {
		case v > top:
			second, next = best, top
			best, top = c, v
		case v > next:
			second, next = c, v
		}
	}
	return best, second
}

// trace walks back from the last frame; last is the character it ends in, -1 for
// a blank.
func (l *lattice) trace(frames []float32, n, last int) []cell {
	out := make([]cell, n)
	var begin, end [64]int // frames of each cell
	for i := range out {
		for c := range out[i].peak {
			out[i].peak[c] = float32(math.Inf(-1))
		}
	}
	i, c := n, last
	for t := len(frames)/classes - 1; t >= 0; t-- {
		if c < 0 {
			c = int(l.blankWays[t*(n+1)+i]) - 1
			continue
		}
		o := &out[i-1]
		if end[i-1] == 0 {
			end[i-1] = t
		}
		begin[i-1], o.char = t, c
		for k, v := range frames[t*classes+1:][:letters] {
			o.peak[k] = max(o.peak[k], v)
		}
		switch way := l.ways[(t*(n+1)+i)*letters+c]; way {
		case stay:
		case fromBlank:
			i, c = i-1, -1
		default:
			i, c = i-1, int(way)-fromChar
		}
	}
	for k := range out {
		out[k].frame = float32(begin[k]+end[k]) / 2
	}
	return out
}

package ocr

import (
	"math"
	"slices"
	"strings"

	"github.com/counterproof/counterproof/agent/ocr/strip"
	"github.com/counterproof/counterproof/agent/proof"
)

// believable reports whether a candidate may be taken for what the document
// says: every check digit agrees, it is likely enough as a whole, no character
// was left out or read twice, and no other reading that the digits would let
// pass is nearly as likely.
func (c *candidate) believable(ref proof.Date) bool {
	return c.valid() && c.score >= c.grammar.floor && !c.unsure && c.even() && c.plain() && !c.rivalled(ref)
}

// even reports whether every character stands in its place, as on a page where
// none was left out or read twice.
func (c *candidate) even() bool {
	for _, l := range c.lines {
		for i := 1; i < len(l.cells); i++ {
			if float64(l.cells[i].frame-l.cells[i-1].frame)*perCell < leastStep {
				return false
			}
		}
		if l.bend > mostBend {
			return false
		}
	}
	return true
}

// plain reports whether the network saw every character, or nearly so: none was
// forced upon it by the format against what it saw.
func (c *candidate) plain() bool {
	at := 0
	for _, sets := range c.grammar.lines {
		for _, allowed := range sets {
			peak, char := &c.cells[at].peak, int(c.text[at])
			seen := peak[char]
			if twin := twin(char); twin >= 0 && allowed>>twin&1 == 0 {
				seen = max(seen, peak[twin]) // the format tells it from its twin
			}
			if slices.Max(peak[:])-seen > mostForce || seen < faintest {
				return false
			}
			at++
		}
	}
	return true
}

// twin is the character that looks like one across the border of letters and
// digits; -1 if there is none.
func twin(char int) int {
	const twins = "O0I1Z2S5G6B8"
	if i := strings.IndexByte(twins, alphabet[char]); i >= 0 {
		return place(twins[i^1])
	}
	return -1
}

// rivalled reports whether another reading with one character replaced comes
// within rivalMargin and satisfies the check digits too. Most of a name, the sex
// and the states have no check digit, and some pairs of characters (1 and L, 0
// and K) count alike.
func (c *candidate) rivalled(ref proof.Date) bool {
	try := append([]byte(nil), c.text...)
	for _, s := range c.swaps(rivalMargin) {
		if c.inState(s.at) {
			continue // settle compared whole codes
		}
		try[s.at] = s.char
		if _, ok := c.agrees(try, ref); ok {
			return true
		}
		try[s.at] = c.text[s.at]
	}
	return false
}

// inState reports whether a place of the text belongs to a state's code.
func (c *candidate) inState(at int) bool {
	for _, f := range c.grammar.states {
		if from := c.offset(f.line) + f.from; at >= from && at < from+f.to-f.from {
			return true
		}
	}
	return false
}

// level finds where a line's characters stand, as a straight relation of their
// number and their frame, and how far the worst is off it, in cells. It starts
// from the pitch of the curve and fits those that are in place, so a few that
// are not do not move it.
func level(cells []cell, r reading) (at span, bend float64) {
	step := 1 / perCell
	starts := make([]float64, len(cells))
	for i, c := range cells {
		starts[i] = float64(c.frame) - step*float64(i)
	}
	slices.Sort(starts)
	start := starts[len(starts)/2]
	for range 3 {
		var is, frames []float64
		for i, c := range cells {
			if math.Abs(float64(c.frame)-start-step*float64(i)) < inPlace/perCell {
				is, frames = append(is, float64(i)), append(frames, float64(c.frame))
			}
		}
		if p, ok := strip.Fit(is, frames, 1); ok && len(is) > len(cells)/2 {
			start, step = p[0], p[1]
		}
	}
	for i, c := range cells {
		bend = max(bend, math.Abs(float64(c.frame)-start-step*float64(i)))
	}
	return span{r.number(start), step * perCell}, bend * perCell
}

// inPlace is how far from its place a character may be to count for the fit, in
// cells.
const inPlace = 0.45

// perCell is how many characters one frame stands for.
const perCell = float64(frameColumns) / strip.CellWidth

// number is the number in the line's curve of a frame's middle.
func (r reading) number(frame float64) float64 { return r.k0 + (frame+0.5)*perCell }

// frame is the frame over a number of the line's curve.
func (r reading) frame(number float64) float64 { return (number-r.k0)/perCell - 0.5 }

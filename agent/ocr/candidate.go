package ocr

import (
	"cmp"
	"math"
	"slices"

	"github.com/counterproof/counterproof/agent/mrz"
	"github.com/counterproof/counterproof/agent/ocr/strip"
	"github.com/counterproof/counterproof/agent/proof"
)

// Bounds of what may be believed. All logarithms are natural.
const (
	// mostRepair is how much less likely the repaired reading may be than the
	// one that was seen.
	mostRepair = 7.0
	// mostLoss is how much less likely one repaired character may be.
	mostLoss = 5.0
	// mostTries bounds how many replacements a repair looks at.
	mostTries = 60
	// rivalMargin is how much less likely every other reading must be that the
	// check digits and the list of states would let pass as well.
	rivalMargin = 2.0
	// codeLoss is how much less likely a state's code may be than the letters
	// seen in its place, to be read there.
	codeLoss = 6.0
	// mostBend is how far a character may stand from its even place, in cells: a
	// character that was left out or read twice moves all after it by one.
	mostBend = 0.6
	// leastStep is how far two neighbours must stand apart, in cells: where the
	// end of a line was not seen, its characters crowd.
	leastStep = 0.6
	// mostForce is how much less likely a character may be than the one that was
	// seen, where the format leaves no other choice.
	mostForce = 4.5
	// faintest is the least logarithm of probability of a character.
	faintest = -5.0
)

// candidate is one way to read some lines as a format.
type candidate struct {
	grammar *grammar
	cells   []cell
	text    []byte // places in the alphabet, line after line
	score   float64
	cost    float64 // of the repair
	doc     mrz.Document
	passed  float64 // share of checks that agree
	unsure  bool    // a state's code that is not on the list, or hardly told from another
	lines   []lineRead
}

// lineRead is one line read as a format has it.
type lineRead struct {
	curve strip.Curve
	cells []cell
	score float64
	at    span
	bend  float64 // the farthest that a character stands from its even place, in cells
}

// span is where the characters of a line stand in the numbers of its curve:
// character i at from + i·step.
type span struct{ from, step float64 }

// written gives a text, line after line, as lines.
func (c *candidate) written(text []byte) []string {
	out := make([]string, len(c.grammar.lines))
	for i, sets := range c.grammar.lines {
		b := make([]byte, len(sets))
		for j := range b {
			b[j] = alphabet[text[j]]
		}
		out[i], text = string(b), text[len(sets):]
	}
	return out
}

// offset is where a line starts in the text.
func (c *candidate) offset(line int) int {
	n := 0
	for _, sets := range c.grammar.lines[:line] {
		n += len(sets)
	}
	return n
}

// agrees parses a text and tells whether all its check digits agree.
func (c *candidate) agrees(text []byte, ref proof.Date) (mrz.Document, bool) {
	doc := mrz.Parse(c.written(text), ref)
	valid, known := doc.ChecksValid()
	return doc, valid && known && doc.Format == c.grammar.format
}

// settle reads the states, parses, and repairs what the check digits refuse.
func (c *candidate) settle(codes []code, ref proof.Date) {
	for _, f := range c.grammar.states {
		at := c.offset(f.line) + f.from
		cells := c.cells[at:][:f.to-f.from]
		best, cost, gap := nearestCode(cells, codes)
		if cost > codeLoss {
			c.unsure = true
			continue
		}
		for i, char := range best {
			c.text[at+i] = byte(char)
		}
		c.score -= cost / float64(len(c.text))
		c.unsure = c.unsure || gap < rivalMargin
	}
	doc, ok := c.agrees(c.text, ref)
	c.doc = doc
	c.passed = passed(doc)
	if !ok && c.score > 2*c.grammar.floor {
		c.repair(ref)
	}
}

// passed is the share of the checks that agree. A single digit agrees by chance
// once in ten, so it counts as one of three.
func passed(doc mrz.Document) float64 {
	n := len(doc.Checks)
	return float64(n-len(doc.FailingChecks())) / float64(max(n, 3))
}

// better reports whether c is to be preferred; d may be nil.
func (c *candidate) better(d *candidate) bool {
	return d == nil || c.rank() > d.rank()
}

// rank weighs agreeing digits before likelihood. What had to be forced upon the
// network counts for less.
func (c *candidate) rank() float64 {
	rank := 3*c.passed + c.score - 0.05*c.cost
	if c.unsure || !c.plain() {
		rank -= 0.5
	}
	return rank
}

// valid reports whether every check digit agrees.
func (c *candidate) valid() bool {
	valid, known := c.doc.ChecksValid()
	return valid && known && c.doc.Format == c.grammar.format
}

// swap is one replacement of a character and what it costs in likelihood.
type swap struct {
	at   int
	char byte
	cost float64
}

// swaps lists the replacements that cost less than limit, the cheapest first.
func (c *candidate) swaps(limit float64) []swap {
	var out []swap
	at := 0
	for _, sets := range c.grammar.lines {
		for _, allowed := range sets {
			cell := &c.cells[at]
			for char := range letters {
				loss := float64(cell.peak[c.text[at]] - cell.peak[char])
				if loss < limit && char != int(c.text[at]) && allowed>>char&1 == 1 {
					out = append(out, swap{at, byte(char), loss})
				}
			}
			at++
		}
	}
	slices.SortStableFunc(out, func(a, b swap) int { return cmp.Compare(a.cost, b.cost) })
	return out
}

// repair looks for the likeliest one or two replacements after which every check
// digit agrees. Where another repair is nearly as likely the reading is unsure.
func (c *candidate) repair(ref proof.Date) {
	swaps := c.swaps(mostLoss)
	try := slices.Clone(c.text)
	best, found := math.Inf(1), c.text
	swaps = slices.DeleteFunc(swaps, func(s swap) bool { return s.cost < 0 }) // seen in another character's frames
	for _, r := range repairs(swaps[:min(len(swaps), mostTries)]) {
		if r.cost > best+rivalMargin {
			break
		}
		for _, s := range r.swaps {
			try[s.at] = s.char
		}
		if doc, ok := c.agrees(try, ref); ok && math.IsInf(best, 1) {
			best = r.cost
			c.doc, c.passed, c.cost = doc, passed(doc), r.cost
			c.score -= r.cost / float64(len(c.text))
			found = slices.Clone(try)
		} else if ok {
			c.unsure = true
			break
		}
		for _, s := range r.swaps {
			try[s.at] = c.text[s.at]
		}
	}
	c.text = found
}

// repairs lists single replacements and pairs of them that cost less than
// mostRepair, the cheapest first.
func repairs(swaps []swap) []repair {
	var out []repair
	for i, a := range swaps {
		out = append(out, repair{[]swap{a}, a.cost})
		for _, b := range swaps[i+1:] {
			if a.cost+b.cost >= mostRepair {
				break
			}
			if a.at != b.at {
				out = append(out, repair{[]swap{a, b}, a.cost + b.cost})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b repair) int { return cmp.Compare(a.cost, b.cost) })
	return out
}

// repair is one or two replacements and what they cost.
type repair struct {
	swaps []swap
	cost  float64
}

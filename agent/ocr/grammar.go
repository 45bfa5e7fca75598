package ocr

import (
	"math"
	"slices"

	"github.com/counterproof/counterproof/agent/mrz"
)

// field is a run of places on one line.
type field struct{ line, from, to int }

// grammar is what a format allows to be read.
type grammar struct {
	format mrz.Format
	lines  [][]set
	states []field // issuing state and nationality
	floor  float64 // least score
}

// code is the code of a state with fillers, as places in the alphabet.
type code [3]int

// stateFields tells where a format has state codes (ICAO 9303-4 to -7,
// ISO/IEC 18013-3).
func stateFields(f mrz.Format) []field {
	switch f {
	case mrz.TD1:
		return []field{{0, 2, 5}, {1, 15, 18}}
	case mrz.FRID, mrz.DL30:
		return []field{{0, 2, 5}}
	}
	return []field{{0, 2, 5}, {1, 10, 13}}
}

// grammars lists the formats that are read: all but CHDL, which has no check
// digit and so nothing that would tell a good reading from a bad one.
func grammars() []grammar {
	var out []grammar
	for _, f := range mrz.Formats() {
		if f == mrz.CHDL {
			continue
		}
		g := grammar{format: f, states: stateFields(f), floor: ScoreFloor}
		if f == mrz.MRVA || f == mrz.MRVB || f == mrz.DL30 {
			g.floor = LooseFloor
		}
		for line, n := range f.Lines() {
			sets := make([]set, n)
			for col := range sets {
				sets[col] = allowedAt(f, line, col)
			}
			g.lines = append(g.lines, sets)
		}
		out = append(out, g)
	}
	return out
}

// allowedAt is the set of characters that a place of a zone may hold.
func allowedAt(f mrz.Format, line, col int) set {
	var out set
	class := f.Class(line, col)
	for i := range letters {
		if class.Allows(alphabet[i]) {
			out |= 1 << i
		}
	}
	return out
}

// stateCodes lists the codes that documents carry.
func stateCodes() []code {
	var out []code
	for _, s := range mrz.StateCodes() {
		if len(s) > 3 {
			continue
		}
		c := code{letters - 1, letters - 1, letters - 1}
		for i := range len(s) {
			c[i] = place(s[i])
		}
		if !slices.Contains(c[:], -1) {
			out = append(out, c)
		}
	}
	return out
}

// nearestCode finds the code that the cells are most likely to show, how much
// less likely it is than what was read there, and how much less likely again
// the next code is; all in logarithms of probability, as positive numbers.
func nearestCode(cells []cell, codes []code) (best code, cost, gap float64) {
	cost, gap = math.Inf(1), math.Inf(1)
	for _, c := range codes {
		loss := 0.0
		for i := range cells {
			loss += float64(cells[i].peak[cells[i].char] - cells[i].peak[c[i]])
		}
		switch {
		case loss < cost:
			best, cost, gap = c, loss, cost
		case loss < gap:
			gap = loss
		}
	}
	return best, cost, gap - cost
}

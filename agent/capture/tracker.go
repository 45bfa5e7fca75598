package capture

import (
	"math"
	"slices"
)

// Tracker folds the verdicts and readings of successive frames. It is a value:
// every step returns the next one, and the zero Tracker has seen nothing.
//
// A document counts as still when two frames in a row show it at one place, and
// its lines as agreed when two readings are letter for letter the same: names
// have no check digit, so one reading of them is not enough.
type Tracker struct {
	last     Verdict
	seen     bool
	readings []reading
	agreed   []string
}

// reading is the lines of one accepted frame.
type reading struct {
	lines []string
	score float64
}

// keptReadings bounds how many readings a Tracker remembers.
const keptReadings = 8

// See adds the verdict of a frame and returns the verdict to show: an OK turns
// into HoldStill unless the document was in the same place one frame before.
func (t Tracker) See(v Verdict) (Tracker, Verdict) {
	steady := t.seen && t.last.Found && v.Found && v.still(t.last)
	t.last, t.seen = v, true
	if v.Guidance == OK && !steady {
		v.Guidance = HoldStill
	}
	return t, v
}

// still reports whether the outline stayed within MaxDrift of another.
func (v Verdict) still(w Verdict) bool {
	if v.Size != w.Size {
		return false
	}
	limit := MaxDrift * math.Hypot(float64(v.Size.X), float64(v.Size.Y))
	for i, p := range v.Outline {
		d := p.Sub(w.Outline[i])
		if math.Hypot(float64(d.X), float64(d.Y)) > limit {
			return false
		}
	}
	return true
}

// Read adds the lines of a frame that the reader accepted, with their score.
func (t Tracker) Read(lines []string, score float64) Tracker {
	if len(lines) == 0 {
		return t
	}
	r := reading{slices.Clone(lines), score}
	for _, old := range t.readings {
		if slices.Equal(old.lines, r.lines) {
			t.agreed = r.lines
		}
	}
	kept := t.readings[max(0, len(t.readings)-keptReadings+1):]
	t.readings = append(slices.Clone(kept), r)
	return t
}

// Agreed returns the lines that two readings had in common, the latest such
// pair; nil before there is one.
func (t Tracker) Agreed() []string { return slices.Clone(t.agreed) }

// Best returns the lines of the reading with the best score so far, for a
// counter that has only one picture; nil before there is one.
func (t Tracker) Best() []string {
	var best reading
	for i, r := range t.readings {
		if i == 0 || r.score > best.score {
			best = r
		}
	}
	return slices.Clone(best.lines)
}

package mrz

import (
	"slices"
	"strings"
)

// Repair corrects lines by the alphabet of each place: a digit where only
// letters stand becomes the letter that looks like it, and the other way round.
// With Unknown the format is found from the lines. Lines that differ from a
// format by fillers at their ends alone are filled or cut, where all check
// digits then agree.
//
// What it gives is a suggestion to show, not a reading to trust. Where nothing
// can be corrected the lines come back as they are, without spaces at their
// ends; repairing twice changes nothing more.
func Repair(lines []string, format Format) []string {
	lines = trimmed(lines)
	z, ok := newZone(format, places(lines))
	if format == Unknown {
		z, ok = read(lines)
	}
	if ok {
		return overlay(lines, z.repaired())
	}
	if fitted, ok := refit(lines); ok && (format == Unknown || format == fitted.format) {
		return fitted.lines()
	}
	return lines
}

// overlay writes a zone over the lines it came from and keeps characters that no
// zone has.
func overlay(lines []string, z zone) []string {
	out := make([]string, len(lines))
	for i, l := range lines {
		runes := []rune(l)
		for j, b := range z.rows[i] {
			if b != foulMark {
				runes[j] = rune(b)
			}
		}
		out[i] = string(runes)
	}
	return out
}

// refit tries lines with fillers added or cut at their ends, and takes them only
// where the format has check digits and all agree.
func refit(lines []string) (zone, bool) {
	for _, f := range Formats() {
		fitted, ok := fill(lines, f.Lines())
		if !ok {
			continue
		}
		if z, ok := read(fitted); ok && z.format == f && z.repaired().passes() {
			return z.repaired(), true
		}
	}
	return zone{}, false
}

// fill brings lines to their lengths by fillers at the end alone.
func fill(lines []string, lengths []int) ([]string, bool) {
	if len(lines) != len(lengths) {
		return nil, false
	}
	out := make([]string, len(lines))
	for i, l := range lines {
		if len(strings.TrimRight(l, "<")) > lengths[i] {
			return nil, false
		}
		out[i] = (l + strings.Repeat("<", max(0, lengths[i]-len(l))))[:lengths[i]]
	}
	return out, true
}

// repaired is the zone corrected by the alphabet of each place.
func (z zone) repaired() zone {
	out := z.clone()
	for i, row := range out.rows {
		for j, b := range row {
			row[j] = z.layout.class(i, j).correct(b)
		}
	}
	return out
}

// clone is a copy that may be changed.
func (z zone) clone() zone {
	rows := make([][]byte, len(z.rows))
	for i, row := range z.rows {
		rows[i] = slices.Clone(row)
	}
	z.rows = rows
	return z
}

// settle takes over those corrections that may change the fields: in places
// that no digit guards the alphabet decides, in the others the digit must agree.
// A zone with characters that no zone has is left alone.
func (z zone) settle() zone {
	if z.foul() {
		return z
	}
	fixed, out := z.repaired(), z.clone()
	for i, row := range out.rows {
		for j := range row {
			if !z.layout.guarded(i, j) {
				row[j] = fixed.rows[i][j]
			}
		}
	}
	for _, r := range z.layout.rules {
		if trial := out.take(fixed, r.guards()); trial.agrees(r) {
			out = trial
		}
	}
	return out.settleNumber()
}

// guards lists the places that a rule decides on. A composite covers fields that
// have digits of their own, so it decides only on its own digit.
func (r rule) guards() []span {
	if r.name == checkComposite {
		return []span{r.digit}
	}
	return append([]span{r.digit}, r.cover...)
}

// guarded reports whether a rule decides on a place.
func (l *layout) guarded(line, col int) bool {
	return slices.ContainsFunc(l.rules, func(r rule) bool {
		return slices.ContainsFunc(r.guards(), func(s span) bool { return s.holds(line, col) })
	})
}

// take copies spans from another zone of the same format.
func (z zone) take(from zone, spans []span) zone {
	out := z.clone()
	for _, s := range spans {
		copy(out.rows[s.line][s.from:s.to], from.rows[s.line][s.from:s.to])
	}
	return out
}

// settleNumber corrects one character of a document number, whose places allow
// letters and digits alike, where its digit fails, the composite fails and there
// is exactly one lookalike that makes both agree. Formats without a composite
// have too little to tell a right correction from a lucky one.
func (z zone) settleNumber() zone {
	number, hasNumber := z.layout.rule(checkNumber)
	composite, hasComposite := z.layout.rule(checkComposite)
	if !hasNumber || !hasComposite || z.agrees(number) || z.agrees(composite) {
		return z
	}
	s := z.layout.number
	var found []zone
	for col := s.from; col < s.to; col++ {
		other := lookalike(z.rows[s.line][col])
		if other == 0 || !z.layout.class(s.line, col).Allows(other) {
			continue
		}
		trial := z.clone()
		trial.rows[s.line][col] = other
		if trial.agrees(number) && trial.agrees(composite) {
			found = append(found, trial)
		}
	}
	if len(found) != 1 {
		return z
	}
	return found[0]
}

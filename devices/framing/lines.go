package framing

import (
	"bytes"
	"slices"
)

// lines reads lines that CR, LF or both end, or that a set ending ends. A line
// is a barcode, or part of a zone: imagers that read MRZ send it as one line
// (Honeywell), others line by line.
//
// Ours: the length of its first line says how many lines a zone has; an empty
// line is nothing; a line above the limit is dropped up to its end.
type lines struct {
	limit      int
	start, end []byte
	mrz, aim   bool
	in         []byte
	zone       [][]byte
	dropping   bool
}

// Feed takes bytes.
func (d *lines) Feed(read []byte) []Frame { return each(read, d.push) }

// push takes one byte.
func (d *lines) push(b byte) Frame {
	d.in = append(d.in, b)
	line, ended := d.ended()
	switch {
	case ended && d.dropping:
		d.in, d.dropping = d.in[:0], false
		return nil
	case ended:
		f := d.line(bytes.TrimPrefix(line, d.start))
		d.in = d.in[:0]
		return f
	case len(line) < d.limit+max(1, len(d.end)): // a part of the ending may be among them
		return nil
	case d.dropping:
		d.in = slices.Delete(d.in, 0, max(0, len(d.in)-len(d.end))) // the ending may have begun
		return nil
	}
	d.dropping, d.zone = true, nil
	return Error{Code: Overflow, Limit: d.limit}
}

// ended is the line so far without its ending, and whether that came.
func (d *lines) ended() ([]byte, bool) {
	if len(d.end) > 0 {
		return bytes.CutSuffix(d.in, d.end)
	}
	if n := len(d.in) - 1; lineEnd(d.in[n]) {
		return d.in[:n], true
	}
	return d.in, false
}

// line takes a line that is complete.
func (d *lines) line(line []byte) Frame {
	switch {
	case len(line) == 0:
		return nil
	case !d.mrz:
		return readCode(line, d.aim)
	}
	if at := badLetter(line); at >= 0 {
		d.zone = nil
		return Error{Code: BadCharacter, Offset: at}
	}
	var odd Frame
	if len(d.zone) > 0 && len(line) != len(d.zone[0]) {
		odd = Error{Code: BadLineLength, Line: len(d.zone) + 1, Length: len(line)}
		d.zone = nil
	}
	want := linesAfter(line)
	if want == 0 {
		d.zone = nil
		return Error{Code: BadLineLength, Line: 1, Length: len(line)}
	}
	d.zone = append(d.zone, slices.Clone(line))
	if len(d.zone) < want {
		return odd
	}
	f := readZone(bytes.Join(d.zone, []byte{'\r'}))
	d.zone = nil
	return f
}

// linesAfter is how many lines a zone has that begins with this one; 0 where
// none begins so. A licence has one line that begins with D (ISO/IEC 18013-2).
func linesAfter(first []byte) int {
	switch len(first) {
	case lengthTD1:
		if first[0] == 'D' {
			return 1
		}
		return 3
	case lengthTD2, lengthTD3:
		return 2
	case 2 * lengthTD2, 2 * lengthTD3, 3 * lengthTD1:
		return 1
	}
	return 0
}

// Expire gives a begun line or zone up.
func (d *lines) Expire() []Frame {
	have, told := len(d.in), d.dropping
	for _, l := range d.zone {
		have += len(l)
	}
	d.in, d.zone, d.dropping = d.in[:0], nil, false
	if have == 0 || told {
		return nil
	}
	return partial(have)
}

// Pending tells that a line or a zone has begun.
func (d *lines) Pending() bool { return len(d.in) > 0 || len(d.zone) > 0 || d.dropping }

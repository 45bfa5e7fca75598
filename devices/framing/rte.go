package framing

import (
	"bytes"
	"fmt"
	"slices"
)

// The control characters of block framings (ISO 646).
const (
	soh = 0x01
	stx = 0x02
	etx = 0x03
)

// headRTE is SOH, two bytes of length, "OU" and STX.
const headRTE = 6

// padRTE fills a line up to 30 or 44 characters.
const padRTE = "_"

// rte reads "RTE native" (3M RTE6701-OEM integration manual, pages 25 and 26):
// SOH, a length word with the low byte first and 14 significant bits, "OU", STX,
// a flag, three lines each with a CR, ETX and a check byte. The bottom line is
// the third; absent lines send their CR alone; "_" pads a line, so that those
// at its end are no letters.
//
// Which bytes length and check byte cover is not public: both are tolerated
// unless a profile names the span. Seven bits of each length byte are counted.
type rte struct {
	limit         int
	checked       bool // a check byte follows ETX
	length, check Span
	in            []byte
	skipped       int
	closed        bool // just behind ETX, where the check byte may stand
	awaiting      bool // in is complete but for the check byte
}

// openRTE checks the spans.
func openRTE(checked bool, s Settings) (Decoder, error) {
	for _, span := range []Span{s.Length, s.Check} {
		if !slices.Contains([]Span{Unchecked, SpanText, SpanBlock, SpanAfter, SpanLengths}, span) {
			return nil, fmt.Errorf("no such span: %q", span)
		}
	}
	return &rte{limit: s.max(ownMax), checked: checked, length: s.Length, check: s.Check}, nil
}

// Feed takes bytes.
func (d *rte) Feed(read []byte) []Frame { return each(read, d.push) }

// push takes one byte.
func (d *rte) push(b byte) Frame {
	if d.awaiting {
		return d.finish(b)
	}
	d.in = append(d.in, b)
	d.align()
	if len(d.in) <= headRTE {
		return nil
	}
	switch {
	case b == soh:
		d.in = append(d.in[:0], soh)
		return Error{Code: FrameRestart}
	case b == etx && d.checked && d.check != Unchecked:
		d.awaiting = true
		return nil
	case b == etx:
		return d.finish(0)
	case len(d.in)-headRTE > d.limit:
		d.in = d.in[:0]
		return Error{Code: Overflow, Limit: d.limit}
	}
	return nil
}

// align drops bytes from the front until what is left can be a frame.
func (d *rte) align() {
	for len(d.in) > 0 && !headFits(d.in) {
		if !d.closed {
			d.skipped++
		}
		d.closed = false
		d.in = append(d.in[:0], d.in[1:]...)
	}
	if len(d.in) >= headRTE {
		d.closed = false
	}
}

// headFits tells that a frame can begin like this.
func headFits(in []byte) bool {
	for i, want := range []int{soh, -1, -1, 'O', 'U', stx} {
		if i == len(in) {
			return true
		}
		if want >= 0 && int(in[i]) != want {
			return false
		}
	}
	return true
}

// finish reads a frame that is complete, with the check byte where it counts.
func (d *rte) finish(check byte) Frame {
	f := after(d.read(check), d.skipped)
	d.in, d.skipped = d.in[:0], 0
	d.closed, d.awaiting = d.checked && !d.awaiting, false
	return f
}

// read reads the frame in hand.
func (d *rte) read(check byte) Frame {
	if said := int(d.in[1]&0x7f) | int(d.in[2]&0x7f)<<7; d.length != Unchecked && said != len(d.span(d.length)) {
		return Error{Code: BadLength, Length: said}
	}
	if d.awaiting {
		for _, b := range d.span(d.check) {
			check ^= b
		}
		if check != 0 {
			return Error{Code: BadCheck}
		}
	}
	return unpad(d.span(SpanText))
}

// span is the part of the frame in hand that s names.
func (d *rte) span(s Span) []byte {
	switch s {
	case SpanText:
		return d.in[headRTE : len(d.in)-1]
	case SpanBlock:
		return d.in[headRTE-1:]
	case SpanAfter:
		return d.in[3:]
	}
	return d.in[1:]
}

// unpad reads flag and lines. Pads at the end of a line go first; one inside a
// line is no letter, and its place is told within the text.
func unpad(text []byte) Frame {
	if len(text) == 0 {
		return Error{Code: NoDocument}
	}
	offset := 1 // of the line, behind the flag
	var kept [][]byte
	for line := range bytes.SplitSeq(text[1:], []byte{'\r'}) {
		plain := bytes.TrimRight(line, padRTE)
		if at := badLetter(plain); at >= 0 {
			return Error{Code: BadCharacter, Offset: offset + at}
		}
		kept = append(kept, plain)
		offset += len(line) + 1
	}
	f := readZone(bytes.Join(kept, []byte{'\r'}))
	if m, ok := f.(MRZ); ok {
		m.Raw = slices.Clone(text)
		return m
	}
	return f
}

// Expire gives a begun frame up. A lone SOH right behind a frame was its check
// byte.
func (d *rte) Expire() []Frame {
	have, check := len(d.in), d.closed
	d.in, d.closed, d.awaiting = d.in[:0], false, false
	if have == 0 || have == 1 && check {
		return nil
	}
	return partial(have)
}

// Pending tells that a frame has begun.
func (d *rte) Pending() bool { return len(d.in) > 0 }

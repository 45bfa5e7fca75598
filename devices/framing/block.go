package framing

// Bounds of a CUTE line, in characters: more than the first, fewer than the
// second (DESKO 7 000 310 001).
const (
	lineAboveCUTE = 6
	lineBelowCUTE = 45
)

// block reads STX, content, ETX. For CUTE readers (DESKO 7 000 310 001) the
// content is two or three lines within bounds; a station may set what comes
// before STX and after ETX.
//
// Ours: an STX inside a block begins it anew, content above the limit ends it,
// and bytes outside blocks are counted.
type block struct {
	limit        int
	zone, strict bool // a zone; its lines within the CUTE bounds
	aim          bool
	before       tail   // what a station sends before STX
	after        []byte // what it sends after ETX
	in           []byte
	open         bool
	behind       int // bytes of after that came
	skipped      int
}

// tail tells whether the last bytes were those wanted.
type tail struct {
	want []byte
	seen int
}

// push takes a byte.
func (t *tail) push(b byte) {
	if t.seen == len(t.want) || b != t.want[t.seen] {
		t.seen = 0
	}
	if t.seen < len(t.want) && b == t.want[t.seen] {
		t.seen++
	}
}

// take is how many bytes were wanted, if the last ones were they.
func (t *tail) take() int {
	n := t.seen
	t.seen = 0
	if n < len(t.want) {
		return 0
	}
	return n
}

// Feed takes bytes.
func (d *block) Feed(read []byte) []Frame { return each(read, d.push) }

// push takes one byte.
func (d *block) push(b byte) Frame {
	switch {
	case b == stx:
		return d.begin()
	case !d.open:
		d.outside(b)
		return nil
	case b == etx:
		f := after(d.read(), d.skipped)
		d.open, d.in, d.skipped, d.behind = false, d.in[:0], 0, 0
		return f
	case len(d.in) == d.limit:
		d.open, d.in, d.behind = false, d.in[:0], len(d.after)
		d.before.take()
		return Error{Code: Overflow, Limit: d.limit}
	}
	d.in = append(d.in, b)
	return nil
}

// begin begins a block.
func (d *block) begin() Frame {
	lost := d.open && len(d.in) > 0
	d.skipped -= d.before.take()
	d.open, d.in = true, d.in[:0]
	if lost {
		return Error{Code: FrameRestart}
	}
	return nil
}

// outside takes a byte between two blocks.
func (d *block) outside(b byte) {
	if d.behind < len(d.after) && b == d.after[d.behind] {
		d.behind++
		return
	}
	d.behind = len(d.after)
	d.skipped++
	d.before.push(b)
}

// read reads the block in hand.
func (d *block) read() Frame {
	if len(d.in) == 0 {
		return Error{Code: NoDocument}
	}
	if !d.zone {
		return readCode(d.in, d.aim)
	}
	f := readZone(d.in)
	m, ok := f.(MRZ)
	if !ok || !d.strict {
		return f
	}
	for i, l := range m.Lines {
		if len(l) <= lineAboveCUTE || len(l) >= lineBelowCUTE {
			return Error{Code: BadLineLength, Line: i + 1, Length: len(l)}
		}
	}
	return f
}

// Expire gives a begun block up.
func (d *block) Expire() []Frame {
	open, have := d.open, 1+len(d.in)
	d.open, d.in = false, d.in[:0]
	if !open {
		return nil
	}
	return partial(have)
}

// Pending tells that a block has begun.
func (d *block) Pending() bool { return d.open }

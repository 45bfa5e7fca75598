package framing

import "bytes"

// Characters of Honeywell's menu commands: the three answers, and the prefix
// SYN M CR that a reply may repeat.
const (
	enq       = 0x05
	ack       = 0x06
	nak       = 0x15
	syn       = 0x16
	menuStart = "\x16M\r"
)

// menu reads replies to menu commands (Honeywell 2020-5 manual page 10-3): the
// command again, with ACK, ENQ or NAK before each punctuation mark. A tag and a
// subtag have three characters each; after a comma the tag is the one before.
//
// Ours: an answer without its mark, as the manual prints it, counts at the
// deadline; a part above the limit or with another control character is dropped
// up to its answer.
type menu struct {
	limit    int
	in       []byte
	tag      string // carried over a comma
	answer   byte
	dropping bool
}

// Feed takes bytes.
func (d *menu) Feed(read []byte) []Frame {
	var out []Frame
	for _, b := range read {
		out = append(out, d.push(b)...)
	}
	return out
}

// push takes one byte. A part that nothing closes is told by the next one.
func (d *menu) push(b byte) []Frame {
	if d.answer != 0 {
		out := d.part(b == ',')
		if mark(b) {
			return out
		}
		return append(out, d.push(b)...)
	}
	switch {
	case b == ack || b == nak || b == enq:
		d.answer = b
	case d.dropping, len(d.in) == 0 && (b == ' ' || lineEnd(b)):
	case b < ' ' && !lineEnd(b) && b != '\t' && (b != syn || len(d.in) > 0):
		return d.refuse(Error{Code: BadCharacter, Offset: len(d.in)})
	case len(d.in) == d.limit:
		return d.refuse(Error{Code: Overflow, Limit: d.limit})
	default:
		d.in = append(d.in, b)
	}
	return nil
}

// mark tells a punctuation mark.
func mark(b byte) bool { return b == ',' || b == ';' || b == '.' || b == '!' }

// refuse drops the part in hand.
func (d *menu) refuse(e Error) []Frame {
	d.in, d.dropping = d.in[:0], true
	return []Frame{e}
}

// part is the part in hand with its answer.
func (d *menu) part(sameTag bool) []Frame {
	text := string(bytes.TrimPrefix(d.in, []byte(menuStart)))
	s := Setting{Tag: d.tag, Status: map[byte]string{ack: "ack", nak: "nak", enq: "enq"}[d.answer]}
	if d.tag == "" {
		s.Tag, text = threeOf(text)
	}
	s.Subtag, s.Value = threeOf(text)
	told := d.dropping
	d.in, d.answer, d.dropping, d.tag = d.in[:0], 0, false, ""
	if sameTag {
		d.tag = s.Tag
	}
	if told {
		return nil
	}
	return []Frame{s}
}

// threeOf cuts the first three characters off.
func threeOf(s string) (head, rest string) {
	n := min(3, len(s))
	return s[:n], s[n:]
}

// Expire ends a reply.
func (d *menu) Expire() []Frame {
	if d.answer != 0 {
		return d.part(false)
	}
	have := len(d.in)
	d.in, d.tag, d.dropping = d.in[:0], "", false
	if have == 0 {
		return nil
	}
	return partial(have)
}

// Pending tells that a reply has begun and is not over.
func (d *menu) Pending() bool { return len(d.in) > 0 || d.answer != 0 || d.tag != "" || d.dropping }

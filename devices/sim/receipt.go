package sim

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// receiptWidth is the characters of a line of a receipt printer with 80 mm
// paper, font A.
const receiptWidth = 42

// maxReceipt bounds the rendering in bytes: a few bytes of ESC/POS can feed
// metres of paper.
const maxReceipt = 1 << 20

// Bytes that begin a command (Epson ESC/POS Application Programming Guide).
const (
	dle = 0x10
	esc = 0x1b
	fsp = 0x1c
	gs  = 0x1d
)

// operands are the bytes that follow a command's two, where their number is
// fixed; a command that stands nowhere has none.
func operands(lead, letter byte) int {
	one, two, three := "", "", ""
	switch lead {
	case esc:
		one, two, three = "!-3ERGJMQSTUV ct{a=d", "$\\", "p"
	case gs:
		one, two = "!BHIabfhrw", "LWP$\\"
	case fsp:
		one, two = "!-CW", "Sp"
	case dle:
		one = "\x04\x05"
	}
	switch {
	case strings.IndexByte(one, letter) >= 0:
		return 1
	case strings.IndexByte(two, letter) >= 0:
		return 2
	case strings.IndexByte(three, letter) >= 0:
		return 3
	}
	return 0
}

// receipt shows an ESC/POS job as text: what a person would read on the paper,
// centred where it is, with a mark where a picture or a code stands. Hostile
// bytes give a short or a strange text, nothing else.
func receipt(job []byte) []byte {
	r := &roll{in: job}
	for len(r.in) > 0 && r.out.Len() < maxReceipt {
		switch b := r.next(); b {
		case '\n':
			r.feed(1)
		case esc, gs, fsp, dle:
			r.command(b, r.next())
		case '\t':
			r.line.WriteByte(' ')
		default:
			r.print(b)
		}
	}
	if r.line.Len() > 0 {
		r.feed(1)
	}
	return r.out.Bytes()
}

// roll is the paper while it is printed.
type roll struct {
	in      []byte
	out     bytes.Buffer
	line    strings.Builder
	justify byte // 0 left, 1 centre, 2 right
}

// next takes a byte; after the end there are only zeros.
func (r *roll) next() byte {
	if len(r.in) == 0 {
		return 0
	}
	b := r.in[0]
	r.in = r.in[1:]
	return b
}

// skip takes n bytes, or as many as there are.
func (r *roll) skip(n int) []byte {
	n = min(n, len(r.in))
	taken := r.in[:n]
	r.in = r.in[n:]
	return taken
}

// number takes a number of two bytes, the low one first.
func (r *roll) number() int {
	low := r.next()
	return int(low) | int(r.next())<<8
}

// windows1252 are the characters 80 to 9F of the code page; a space stands
// where it has none.
const windows1252 = "€ ‚ƒ„…†‡ˆ‰Š‹Œ Ž  ‘’“”•–—˜™š›œ žŸ"

// print puts a character of code page 1252 on the line.
func (r *roll) print(b byte) {
	switch {
	case b < 0x20 || b == 0x7f:
	case b >= 0x80 && b < 0xa0:
		r.line.WriteRune([]rune(windows1252)[b-0x80])
	default:
		r.line.WriteRune(rune(b))
	}
	if r.line.Len() > maxReceipt {
		r.feed(1)
	}
}

// mark puts a line of its own for what is no text.
func (r *roll) mark(what string) {
	if r.line.Len() > 0 {
		r.feed(1)
	}
	r.line.WriteString(what)
	r.feed(1)
}

// feed ends the line and moves the paper n lines, at least one where something
// stands on the line.
func (r *roll) feed(n int) {
	text := strings.TrimRight(r.line.String(), " ")
	r.line.Reset()
	room := max(0, receiptWidth-utf8.RuneCountInString(text))
	switch {
	case text == "":
		r.out.WriteString(strings.Repeat("\n", n))
		return
	case r.justify == 1:
		r.out.WriteString(strings.Repeat(" ", room/2))
	case r.justify == 2:
		r.out.WriteString(strings.Repeat(" ", room))
	}
	r.out.WriteString(text)
	r.out.WriteString(strings.Repeat("\n", max(1, n)))
}

// command does or passes over one command.
func (r *roll) command(lead, letter byte) {
	switch [2]byte{lead, letter} {
	case [2]byte{esc, '@'}:
		r.justify = 0
	case [2]byte{esc, 'a'}:
		r.justify = r.next() & 3 // "0" to "2" mean the same as 0 to 2
	case [2]byte{esc, 'd'}:
		r.feed(int(r.next()))
	case [2]byte{esc, 'D'}: // tab stops, ended by a zero
		for len(r.in) > 0 && r.next() != 0 {
		}
	case [2]byte{esc, '*'}:
		r.columns()
	case [2]byte{gs, 'V'}:
		if r.next() >= 'A' {
			r.next()
		}
		r.mark(strings.TrimSpace(strings.Repeat("- ", receiptWidth/2)))
	case [2]byte{gs, 'k'}:
		r.barcode()
	case [2]byte{gs, '('}, [2]byte{fsp, '('}:
		r.extended()
	case [2]byte{gs, 'v'}:
		r.skip(2)
		r.skip(r.number() * r.number())
		r.mark("[picture]")
	default:
		r.skip(operands(lead, letter))
	}
}

// columns passes over a picture of columns: 8 dots high in modes 0 and 1, else
// 24 dots.
func (r *roll) columns() {
	mode := r.next()
	n := r.number()
	if mode > 1 {
		n *= 3
	}
	r.skip(n)
	r.mark("[picture]")
}

// barcode passes over a barcode: systems 0 to 6 end with a zero, the others
// begin with their length.
func (r *roll) barcode() {
	if system := r.next(); system > 6 {
		r.skip(int(r.next()))
	} else {
		for len(r.in) > 0 && r.next() != 0 {
		}
	}
	r.mark("[barcode]")
}

// extended passes over a command that says its own length. Function 81 of GS ( k
// prints the code that was stored before.
func (r *roll) extended() {
	kind := r.next()
	n := r.number()
	if body := r.skip(n); kind == 'k' && len(body) > 1 && body[1] == 81 {
		r.mark("[code]")
	}
}

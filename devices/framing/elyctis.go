package framing

import "strings"

// headElyctis is a command letter and two bytes of length, the high one first.
const headElyctis = 3

// elyctis reads the ID BOX family (Elyctis, Scanner Command Set 1.7): a command
// letter, the length of the data, the data. I and L answer an inquiry with the
// lines of a zone or with all of it on one line; C tells the state of the
// continuous mode. The letters of presence notices are not published, so a
// profile may name them; they are told as Ack, like C.
//
// Ours, not the maker's: a byte that is no letter is skipped once three bytes
// are there; a length above the limit is told once, and from then on what makes
// no frame is dropped without a word until a frame or a pause.
type elyctis struct {
	limit   int
	letters string
	in      []byte
	skipped int
	lost    bool // behind a length that cannot be
}

// Feed takes bytes.
func (d *elyctis) Feed(read []byte) []Frame {
	d.in = append(d.in, read...)
	var out []Frame
	rest := d.in
	for len(rest) >= headElyctis {
		used, f := d.next(rest)
		if used == 0 {
			break
		}
		if f != nil {
			out = append(out, f)
		}
		rest = rest[used:]
	}
	d.in = append(d.in[:0], rest...)
	return out
}

// next judges what begins at in: how many bytes it uses up, 0 where more must
// come, and the frame, if any.
func (d *elyctis) next(in []byte) (int, Frame) {
	length := int(in[1])<<8 | int(in[2])
	switch {
	case !d.letter(in[0]):
		if !d.lost {
			d.skipped++
		}
		return 1, nil
	case length > d.limit:
		told := d.lost
		d.lost = true
		if told {
			return 1, nil
		}
		return 1, Error{Code: BadLength}
	case len(in) < headElyctis+length:
		return 0, nil
	}
	f := d.read(in[0], in[headElyctis:headElyctis+length])
	f = after(f, d.skipped)
	d.skipped, d.lost = 0, false
	return headElyctis + length, f
}

// letter tells a command letter.
func (d *elyctis) letter(b byte) bool {
	return strings.IndexByte(d.letters, b) >= 0
}

// read reads the data of a complete frame.
func (d *elyctis) read(letter byte, data []byte) Frame {
	if letter == 'I' || letter == 'L' {
		return readZone(data)
	}
	value := -1
	if len(data) > 0 {
		value = int(data[0])
	}
	return Ack{Command: string(rune(letter)), Value: value}
}

// Expire gives a begun frame up. Behind a bad length only a frame whose head
// is sound is worth telling.
func (d *elyctis) Expire() []Frame {
	have, lost := len(d.in), d.lost
	e := Error{Code: TimeoutPartial, Have: have}
	if have >= headElyctis {
		e.Want = headElyctis + (int(d.in[1])<<8 | int(d.in[2]))
	}
	d.in, d.lost = d.in[:0], false
	if have == 0 || lost && have < headElyctis {
		return nil
	}
	return []Frame{e}
}

// Pending tells that bytes wait, or that a pause must end what is lost.
func (d *elyctis) Pending() bool { return len(d.in) > 0 || d.lost }

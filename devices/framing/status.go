package framing

import (
	"bytes"
	"errors"
)

// Fixed bits of an answer to DLE EOT: bits 1 and 4 are set, 0 and 7 are not.
const (
	fixedMask = 0x93
	fixedBits = 0x12
)

// dleEOT begins a printer's status command, of which 1 to 4 are answered with
// one byte each (Epson ESC/POS, DLE EOT n).
const dleEOT = "\x10\x04"

// status reads a printer's answers to DLE EOT. With several commands sent, the
// answers come in their order; the last one takes all that follow. A byte that
// is no status answers nothing.
type status struct{ asked []byte }

// openStatus finds which answers are due.
func openStatus(sent []byte) (Decoder, error) {
	d := &status{}
	for len(sent) > 0 {
		n, ok := bytes.CutPrefix(sent, []byte(dleEOT))
		if !ok || len(n) == 0 || n[0] < 1 || n[0] > 4 {
			return nil, errors.New("what was sent is not DLE EOT 1, 2, 3 or 4")
		}
		d.asked, sent = append(d.asked, n[0]), n[1:]
	}
	if len(d.asked) == 0 {
		return nil, errors.New("a status byte means nothing without the command that was sent")
	}
	return d, nil
}

// Feed takes bytes.
func (d *status) Feed(read []byte) []Frame { return each(read, d.push) }

// push takes one byte.
func (d *status) push(b byte) Frame {
	if b&fixedMask != fixedBits {
		return Error{Code: NotAStatus}
	}
	n := d.asked[0]
	if len(d.asked) > 1 {
		d.asked = d.asked[1:]
	}
	bit := func(i int) bool { return b>>i&1 == 1 }
	switch n {
	case 1:
		return PrinterStatus{Online: !bit(3), DrawerPin3High: bit(2)}
	case 2:
		return OfflineStatus{CoverOpen: bit(2), StoppedByPaperEnd: bit(5)}
	case 3:
		return FailureStatus{Cutter: bit(3), Unrecoverable: bit(5), Recoverable: bit(2) || bit(6)}
	}
	return PaperStatus{NearEnd: bit(2) || bit(3), End: bit(5) || bit(6)}
}

// Expire has nothing to give up: each byte is a frame.
func (d *status) Expire() []Frame { return nil }

// Pending is never so.
func (d *status) Pending() bool { return false }

// Package lp is the port of printers that the system's own printer driver has
// taken: /dev/usb/lp0 of Linux (usblp). On other systems it refuses.
//
// It knows no printer's language, starts no goroutine and never prints again
// what failed.
//
// # The laws
//
//   - A Write ends when the printer has taken the last byte, not when the kernel
//     has: closing the node would drop what the printer had not taken.
//   - A printer that takes nothing, because it is out of paper or open, ends a
//     Write with the context. What was sent before stays printed.
//   - The driver below tells a transfer that failed only where the printer was
//     pulled out. Status tells the rest, and is asked while nothing is written:
//     some printers print the answer otherwise.
//   - What a printer says of itself is bounded and may be a lie.
package lp

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/counterproof/counterproof/devices"
)

// MaxID is the longest IEEE 1284 device id that is read, in bytes.
const MaxID = 1024

// What is being done, for a fault.
const (
	opening  = "opening the printer"
	reading  = "reading from the printer"
	writing  = "writing to the printer"
	flushing = "dropping old answers of the printer"
	asking   = "asking the printer how it is"
	naming   = "asking the printer what it is"
)

// errID is why a device id is none.
var errID = errors.New("the device id has no length")

// Status is a printer's port status (USB Printer Class 1.1 §4.2.2).
type Status byte

// PaperOut tells that the printer has no paper.
func (s Status) PaperOut() bool { return s&0x20 != 0 }

// Selected tells that the printer is on line.
func (s Status) Selected() bool { return s&0x10 != 0 }

// Failed tells that the printer has a fault of any kind.
func (s Status) Failed() bool { return s&0x08 == 0 }

// parseID takes a device id as GET_DEVICE_ID gives it: its length, which counts
// itself, high byte first, and the text (IEEE 1284 §7.6). A text that is shorter
// than the length is taken as it is.
func parseID(b []byte) (string, error) {
	if len(b) < 2 {
		return "", errID
	}
	told := int(binary.BigEndian.Uint16(b))
	if told < 2 {
		return "", errID
	}
	text, _, _ := strings.Cut(string(b[2:min(told, len(b), MaxID)]), "\x00")
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, strings.ToValidUTF8(text, "")), nil
}

func fault(op string, kind devices.Kind, err error) error {
	return &devices.Fault{Op: op, Kind: kind, Err: err}
}

func openFault(node string, err error) error {
	return fault(opening, openKind(err), fmt.Errorf("%s: %w", node, err))
}

func cancelled(ctx context.Context, op string) error {
	if ctx.Err() == nil {
		return nil
	}
	return fault(op, devices.Cancelled, context.Cause(ctx))
}

// Package chip reads the chip of a travel document over a function that sends
// one command: it opens it with a key that is printed in the booklet, reads the
// files that a counter needs and hands them on as bytes, for others to judge
// (package trust).
//
// It starts nothing, waits for nothing, keeps no file after the reading and draws
// no random number: those come in.
//
// # The laws
//
//   - What comes from a chip is hostile: bounded before it is taken, and never a
//     panic.
//   - After secure messaging has begun every answer is authenticated; one that is
//     not ends the reading.
//   - A chip that refuses long commands is asked again with short ones before
//     anything else is concluded.
//   - Nothing that was read stands in an error.
//
// The numbers of sections are those of ICAO Doc 9303-11 (8th edition) unless
// another text is named.
package chip

import (
	"context"
	"errors"
	"fmt"
)

// Transmit sends one command APDU and returns the response with its status
// words. An error ends the reading: a removed card, a reader that failed.
type Transmit func(ctx context.Context, command []byte) ([]byte, error)

// Status is the two status words of a response (ISO 7816-4 §5.6).
type Status uint16

// The status words that matter here.
const (
	OK            Status = 0x9000
	WrongLength   Status = 0x6700
	NotSatisfied  Status = 0x6982 // security status
	FileMissing   Status = 0x6a82
	WrongP1P2     Status = 0x6b00 // beyond the end of the file
	SMMissing     Status = 0x6987
	SMIncorrect   Status = 0x6988
	UnknownCLA    Status = 0x6e00
	UnknownINS    Status = 0x6d00
	EndOfFile     Status = 0x6282 // fewer bytes than asked for
	moreAvailable        = 0x61
	otherLength          = 0x6c
)

// Error is a status that a chip answered with and that ends what was done.
type Error struct {
	Op     string
	Status Status
}

// Error writes it with the status words as they are printed in the standard.
func (e *Error) Error() string {
	return fmt.Sprintf("%s: the chip answers %04X", e.Op, uint16(e.Status))
}

// Reasons that are no status.
var (
	// ErrProtocol says that an answer makes no sense.
	ErrProtocol = errors.New("the chip's answer makes no sense")
	// ErrAuthentic says that an answer under secure messaging is not the chip's:
	// somebody stands between, or the chip has lost the session.
	ErrAuthentic = errors.New("the chip's answer is not authentic")
	// ErrKey says that the chip did not take the access key: another booklet, or
	// a misread zone.
	ErrKey = errors.New("the chip does not take the key of this document")
	// ErrBudget says that the chip gave more than a document has.
	ErrBudget = errors.New("the chip gives more than a document has")
)

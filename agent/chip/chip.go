// Package chip reads the chip of a travel document over a function that sends
// one command: it opens it with a key that is printed in the booklet, reads the
// files that a counter needs and hands them on as bytes, for others to judge
// (package trust).
//
// It starts nothing, waits for nothing, keeps no file after the reading and draws
// no random number: those come in. Every command may wait as long as the chip asks
// for; whoever sends it bounds the wait by the context.
//
// # The laws
//
//   - What comes from a chip is hostile: bounded before it is taken, and never a
//     panic.
//   - After secure messaging has begun every answer is authenticated; one that is
//     not ends the reading.
//   - A chip that refuses long commands is asked again with short ones before
//     anything else is concluded.
//   - A chip that offers PACE is opened by it. What a chip offers in an unsigned
//     file is held against its signed copy.
//   - A chip that announces a proof and does not give it has failed; nothing turns
//     that into a proof that was not tried.
//   - Nothing that was read stands in an error.
//
// The numbers of sections are those of ICAO Doc 9303-11 (8th edition) unless
// another text is named.
package chip

import (
	"context"
	"errors"
	"fmt"

	"github.com/counterproof/counterproof/agent/chip/access"
	"github.com/counterproof/counterproof/agent/chip/sm"
)

// Transmit sends one command APDU and returns the response with its status
// words. An error ends the reading: a removed card, a reader that failed.
type Transmit func(ctx context.Context, command []byte) ([]byte, error)

// Error is a status that a chip answered with and that ends what was done.
type Error struct {
	Op     string
	Status sm.Status
}

// Error writes it with the status words as they are printed in the standard.
func (e *Error) Error() string {
	return fmt.Sprintf("%s: the chip answers %04X", e.Op, uint16(e.Status))
}

// Reasons that are no status.
var (
	// ErrProtocol says that an answer makes no sense.
	ErrProtocol = sm.ErrProtocol
	// ErrAuthentic says that an answer under secure messaging is not the chip's:
	// somebody stands between, or the chip has lost the session.
	ErrAuthentic = sm.ErrAuthentic
	// ErrBudget says that the chip gave more than a document has.
	ErrBudget = sm.ErrBudget
	// ErrKey says that the chip did not take the access key: another booklet, or
	// a misread zone.
	ErrKey = access.ErrKey
	// ErrDowngrade says that a chip offers the newer access protocol and does not
	// do it: the older one is not taken in its place.
	ErrDowngrade = errors.New("the chip offers PACE and does not do it")
	// ErrClone says that the chip did not prove that it is the one that its data
	// were written for. It is a sign of fraud.
	ErrClone = errors.New("the chip does not prove its key: it may be a copy")
)

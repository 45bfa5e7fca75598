// Package sm writes what passes between a terminal and a chip: data objects,
// commands and responses, and secure messaging around them, from either side.
//
// It sends nothing, keeps no more than a session's keys and counter, and draws no
// random number.
//
// # The laws
//
//   - What comes from the other side is bounded before it is taken, and never a
//     panic.
//   - A response that is not authentic gives no data.
//   - A session counts every message once; it never goes back.
//
// The numbers of sections are those of ICAO Doc 9303-11 (8th edition) unless
// another text is named.
package sm

import "errors"

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
	Failed        Status = 0x6300 // an authentication
	WrongData     Status = 0x6a80
	NoReference   Status = 0x6a88 // a key or parameters that are not there
	MoreAvailable Status = 0x6100 // with the number of bytes in the low byte
	OtherLength   Status = 0x6c00 // with the length that is wanted in the low byte
)

// Reasons for refusing what came.
var (
	// ErrProtocol says that an answer makes no sense.
	ErrProtocol = errors.New("the chip's answer makes no sense")
	// ErrAuthentic says that an answer under secure messaging is not the chip's:
	// somebody stands between, or the chip has lost the session.
	ErrAuthentic = errors.New("the chip's answer is not authentic")
	// ErrBudget says that the chip gave more than a document has.
	ErrBudget = errors.New("the chip gives more than a document has")
)

// Package framing turns the bytes of counter hardware into frames: a zone that
// a document reader read, a barcode, an answer to a setting, a printer's state.
//
// It does no I/O, knows no clock and keeps nothing but the frame that has
// begun. It judges the shape of what came, never the document: a zone with
// wrong check digits is a frame like any other.
//
// # The laws
//
//   - A byte stream gives the same frames however it is cut into reads. HID
//     reports are whole: there one read is one report.
//   - What is held is bounded: the frame's limit and one read.
//   - Time comes in as a call: Expire says that the deadline between bytes
//     passed, and what was incomplete is given up and told.
//   - A barcode is bytes. Whoever wants text decides how to read them.
//   - An error says what was wrong and where, never what was there.
//   - Where a maker's text is silent (line ends, limits, finding the next frame
//     after garbage), the rule is ours and is said at the decoder.
package framing

import (
	"fmt"
	"slices"
)

// Decoder takes the bytes of one port and gives frames. It has one user.
type Decoder interface {
	// Feed takes what one read gave and returns the frames that are complete
	// with it; a read of nothing gives nothing. It keeps no part of read.
	Feed(read []byte) []Frame
	// Expire says that the deadline between bytes passed.
	Expire() []Frame
	// Pending tells that a frame has begun, so that the deadline runs.
	Pending() bool
}

// Names of the framings.
const (
	Elyctis      = "elyctis"               // command, length, data
	RTE          = "3m-rte-native"         // SOH … ETX and a check byte
	RTEText      = "3m-rte-native/text"    // the same without the check byte
	CUTE         = "cute-ocr"              // STX lines ETX, with bounds for lines
	HIDPOS       = "hid-pos"               // HID barcode reports, layout from the descriptor
	HIDPOSAIM5   = "hid-pos/aim5"          // the same with an AIM identifier, data from byte 5
	HIDPOSPlain2 = "hid-pos/plain2"        // the same without, data from byte 2
	HIDLen0      = "hid-raw/len0"          // 64-byte blocks, first byte the length
	HoneywellHID = "honeywell-hid-command" // commands inside HID reports, replies as hid-pos/aim5
	Honeywell    = "honeywell-menu"        // replies to menu commands
	HoneywellOCR = "honeywell-ocr"         // a zone on one line, ended by CR
	Status       = "escpos-status"         // a printer's answer to DLE EOT n
	CRLF         = "crlf"                  // lines
	STXETX       = "stx-etx"               // blocks
)

// Content is what a line or a block of a general framing holds.
type Content string

// The contents. The zero value leaves it to the framing: a barcode for crlf and
// stx-etx, a zone for the others.
const (
	HoldsMRZ     Content = "mrz"
	HoldsBarcode Content = "barcode"
)

// Span is the part of an RTE frame that its length word or check byte covers.
type Span string

// The spans. The public copy of the manual does not say which it is, so the
// zero value checks nothing.
const (
	Unchecked   Span = ""
	SpanText    Span = "text"         // between STX and ETX
	SpanBlock   Span = "block"        // STX to ETX
	SpanAfter   Span = "after_length" // all from behind the length word to ETX
	SpanLengths Span = "after_start"  // all from behind SOH to ETX
)

// Settings are what a profile says about a framing; zero values mean the
// framing's own.
type Settings struct {
	MaxBytes  int        // bound of a frame's content, at most 65535
	Layout    *HIDLayout // of HID barcode reports, instead of the framing's
	Start     []byte     // what comes before STX, or before each line
	End       []byte     // what comes after ETX, or ends a line instead of CR and LF
	Content   Content    // of crlf and stx-etx
	AIMPrefix bool       // a barcode of crlf and stx-etx begins with its AIM identifier
	Length    Span       // what the length word of RTE counts
	Check     Span       // what the check byte of RTE (exclusive or) covers
	Letters   string     // further command letters of Elyctis that bring notices
	Sent      []byte     // the commands that a printer answers, each DLE EOT n
}

// maxBytes bounds the bound: a length word can say no more.
const maxBytes = 1<<16 - 1

// The framings' own bounds of content, in bytes.
const (
	ownMax     = 1024
	ownMaxCode = 8192 // the largest symbols hold 7,089 digits
)

// New makes the decoder of a framing. It fails on an unknown name and on
// settings that make no sense for it.
func New(name string, s Settings) (Decoder, error) {
	if s.MaxBytes < 0 || s.MaxBytes > maxBytes {
		return nil, fmt.Errorf("framing %s: a limit of %d bytes is not between 0 and %d", name, s.MaxBytes, maxBytes)
	}
	if !slices.Contains([]Content{"", HoldsMRZ, HoldsBarcode}, s.Content) {
		return nil, fmt.Errorf("framing %s: no such content: %q", name, s.Content)
	}
	d, err := open(name, s)
	if err != nil {
		return nil, fmt.Errorf("framing %s: %w", name, err)
	}
	return d, nil
}

// open picks the decoder.
func open(name string, s Settings) (Decoder, error) {
	switch name {
	case Elyctis:
		return &elyctis{limit: s.max(ownMax), letters: "ILC" + s.Letters}, nil
	case RTE, RTEText:
		return openRTE(name == RTE, s)
	case CUTE:
		return &block{limit: s.max(ownMax), before: tail{want: s.Start}, after: s.End, zone: true, strict: true}, nil
	case STXETX:
		return &block{limit: s.max(ownMax), before: tail{want: s.Start}, after: s.End, zone: s.Content == HoldsMRZ, aim: s.AIMPrefix}, nil
	case CRLF, HoneywellOCR:
		zone := s.Content == HoldsMRZ || name == HoneywellOCR && s.Content == ""
		return &lines{limit: s.max(ownMax), start: s.Start, end: s.End, mrz: zone, aim: s.AIMPrefix}, nil
	case HIDPOS, HIDPOSAIM5, HIDPOSPlain2, HIDLen0, HoneywellHID:
		return openReports(name, s)
	case Honeywell:
		return &menu{limit: s.max(ownMax)}, nil
	case Status:
		return openStatus(s.Sent)
	}
	return nil, fmt.Errorf("there is no such framing")
}

// max is the bound set, or the framing's own.
func (s Settings) max(own int) int {
	if s.MaxBytes > 0 {
		return s.MaxBytes
	}
	return own
}

// Names lists the framings.
func Names() []string {
	return []string{
		Elyctis, RTE, RTEText, CUTE, HIDPOS, HIDPOSAIM5, HIDPOSPlain2, HIDLen0, HoneywellHID, Honeywell, HoneywellOCR,
		Status, CRLF, STXETX,
	}
}

// ByReport tells that a framing works on HID reports: one read is one report,
// and a read of nothing says nothing about time.
func ByReport(name string) bool {
	return slices.Contains([]string{HIDPOS, HIDPOSAIM5, HIDPOSPlain2, HIDLen0, HoneywellHID}, name)
}

// each feeds a decoder that works byte by byte.
func each(read []byte, push func(b byte) Frame) []Frame {
	var out []Frame
	for _, b := range read {
		if f := push(b); f != nil {
			out = append(out, f)
		}
	}
	return out
}

// partial is the frame that was given up at the deadline.
func partial(have int) []Frame {
	return []Frame{Error{Code: TimeoutPartial, Have: have}}
}

package framing

import (
	"fmt"
	"slices"
	"strings"
)

// Frame is one thing that a device said: MRZ, Barcode, Ack, Setting,
// PrinterStatus, OfflineStatus, FailureStatus, PaperStatus or Error.
type Frame interface{ frame() }

// MRZ is a machine-readable zone as the reader sent it: its letters are those
// of ICAO Doc 9303, nothing else about it was checked.
type MRZ struct {
	Lines   []string
	Raw     []byte // the content of the frame, separators included
	Skipped int    // bytes before the frame that belonged to none
}

// Barcode is the content of one symbol.
type Barcode struct {
	Bytes []byte
	AIM   string // AIM identifier such as "]Q0" (ISO/IEC 15424), or ""
}

// Ack is a device's answer to a command, or a notice of its own.
type Ack struct {
	Command string // its letter
	Value   int    // first byte of the data; -1 where there is none
	Skipped int
}

// Setting is the answer to one part of a menu command.
type Setting struct {
	Tag, Subtag string
	Value       string
	Status      string // "ack" done, "nak" value out of range, "enq" no such tag
}

// PrinterStatus answers DLE EOT 1.
type PrinterStatus struct{ Online, DrawerPin3High bool }

// OfflineStatus answers DLE EOT 2: why a printer is offline.
type OfflineStatus struct{ CoverOpen, StoppedByPaperEnd bool }

// FailureStatus answers DLE EOT 3: what is broken.
type FailureStatus struct{ Cutter, Unrecoverable, Recoverable bool }

// PaperStatus answers DLE EOT 4.
type PaperStatus struct{ NearEnd, End bool }

// Code says in one word what was wrong with a frame.
type Code string

// The codes, each with the numbers that an Error of it carries.
const (
	TimeoutPartial Code = "timeout_partial" // Have; Want where it is known
	NoDocument     Code = "no_document"     // a frame without a line
	BadCharacter   Code = "bad_character"   // Offset in the content, from 0
	BadLineLength  Code = "bad_line_length" // Line from 1, Length
	BadLength      Code = "bad_length"      // Length, in HID reports and RTE
	BadCheck       Code = "bad_check"       // the check byte disagrees
	FrameRestart   Code = "frame_restart"   // a frame began inside another
	Overflow       Code = "overflow"        // Limit
	UnknownReport  Code = "unknown_report"  // Report, the number
	ShortReport    Code = "short_report"    // Have, Want
	Empty          Code = "empty"           // a report without content
	AIMChanged     Code = "aim_changed"     // the parts are of two symbols
	NotAStatus     Code = "not_a_status"    // no byte of a printer's status
)

// Error is something that came and is no frame. It holds numbers only, so that
// it may be logged.
type Error struct {
	Code         Code
	Have, Want   int // bytes
	Offset       int // in the content, from 0
	Line, Length int // which line, from 1; a length in characters or bytes
	Limit        int // bytes
	Report       int // number of a HID report
	Skipped      int // bytes before the frame that belonged to none
}

// Error writes the error for a log.
func (e Error) Error() string {
	var b strings.Builder
	b.WriteString(string(e.Code))
	for _, n := range e.Numbers() {
		fmt.Fprintf(&b, " %s=%d", n.Name, n.Value)
	}
	return b.String()
}

// Number is one number of an Error under its name.
type Number struct {
	Name  string
	Value int
}

// Numbers are the numbers that belong to the error's code, in the order of the
// struct. Those that a code always has are there also when they are 0.
func (e Error) Numbers() []Number {
	var out []Number
	for _, n := range []struct {
		Number
		of []Code
	}{
		{Number{"have", e.Have}, []Code{TimeoutPartial, ShortReport}},
		{Number{"want", e.Want}, []Code{ShortReport}},
		{Number{"offset", e.Offset}, []Code{BadCharacter}},
		{Number{"line", e.Line}, []Code{BadLineLength}},
		{Number{"length", e.Length}, []Code{BadLineLength}},
		{Number{"limit", e.Limit}, []Code{Overflow}},
		{Number{"report", e.Report}, []Code{UnknownReport}},
		{Number{"skipped", e.Skipped}, nil},
	} {
		if n.Value != 0 || slices.Contains(n.of, e.Code) {
			out = append(out, n.Number)
		}
	}
	return out
}

func (MRZ) frame()           {}
func (Barcode) frame()       {}
func (Ack) frame()           {}
func (Setting) frame()       {}
func (PrinterStatus) frame() {}
func (OfflineStatus) frame() {}
func (FailureStatus) frame() {}
func (PaperStatus) frame()   {}
func (Error) frame()         {}

// after counts the bytes that were skipped before a frame.
func after(f Frame, skipped int) Frame {
	switch f := f.(type) {
	case MRZ:
		f.Skipped = skipped
		return f
	case Ack:
		f.Skipped = skipped
		return f
	case Error:
		f.Skipped = skipped
		return f
	}
	return f
}

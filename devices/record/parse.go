package record

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/counterproof/counterproof/devices"
)

// Recording is what was recorded. It may be changed, to make a test of a part or
// of a fault that did not come.
type Recording struct {
	Header Header
	Events []Event // in the order of their times
}

// maxLine is the longest line: a piece in hexadecimal and the rest.
const maxLine = 2*MaxPiece + 4096

// maxTime is how long a recording lasts at most.
const maxTime = 31 * 24 * time.Hour

// Why a line is none.
var (
	errEmpty   = errors.New("there is no recording")
	errVersion = errors.New("its version is not 1")
	errLong    = errors.New("it is too long")
	errTime    = errors.New("its time is before the line above or out of bounds")
	errDir     = errors.New("its direction is neither in nor out")
	errContent = errors.New("it has not one of hex, hash and fault")
	errLen     = errors.New("its length is not that of its bytes, or out of bounds")
	errHex     = errors.New("it has what is not hexadecimal")
	errHidden  = errors.New("it holds what was read, and the recording says that it does not")
	errFault   = errors.New("its fault is no kind of fault")
)

// kinds are the faults that a port can have.
var kinds = map[devices.Kind]bool{
	devices.Missing: true, devices.Gone: true, devices.InUse: true, devices.Permission: true, devices.Timeout: true,
	devices.Protocol: true, devices.Unsupported: true, devices.PaperOut: true, devices.CoverOpen: true,
}

// Parse reads a recording, at most MaxBytes and MaxEvents of it. An error names
// the line and nothing that stands in it, which may be a document.
func Parse(r io.Reader) (Recording, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 4096), maxLine)
	var out Recording
	total := 0
	for n := 1; lines.Scan(); n++ {
		if n == 1 {
			if err := out.Header.parse(lines.Bytes()); err != nil {
				return Recording{}, fmt.Errorf("line 1 of a recording: %w", err)
			}
			continue
		}
		e, err := parseEvent(lines.Bytes())
		total += e.Len
		switch {
		case err != nil:
		case e.At < out.end():
			err = errTime
		case e.Bytes != nil && !e.Out && !out.Header.Clear:
			err = errHidden
		case n > MaxEvents+1 || total > MaxBytes:
			err = errLong
		}
		if err != nil {
			return Recording{}, fmt.Errorf("line %d of a recording: %w", n, err)
		}
		out.Events = append(out.Events, e)
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return Recording{}, fmt.Errorf("a line of a recording: %w", errLong)
	case err != nil:
		return Recording{}, fmt.Errorf("reading a recording: %w", err)
	case out.Header.Version == 0:
		return Recording{}, errEmpty
	}
	return out, nil
}

// end is the time of the last event.
func (r Recording) end() time.Duration {
	if len(r.Events) == 0 {
		return 0
	}
	return r.Events[len(r.Events)-1].At
}

// strictly reads a line that has no key but those that are known. The error of
// the standard library would quote the line.
func strictly(b []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil || d.InputOffset() != int64(len(bytes.TrimRight(b, " \t\r"))) {
		return errors.New("it is not one object of the keys that are known")
	}
	return nil
}

// parse reads the first line.
func (h *Header) parse(b []byte) error {
	if err := strictly(b, h); err != nil {
		return err
	}
	if h.Version != version {
		return errVersion
	}
	return nil
}

// parseEvent reads any other line.
func parseEvent(b []byte) (Event, error) {
	var l line
	if err := strictly(b, &l); err != nil {
		return Event{}, err
	}
	e := Event{At: time.Duration(l.Micros) * time.Microsecond, Out: l.Dir == outward, Len: l.Len, Hash: l.Hash, Fault: l.Fault}
	has := 0
	for _, text := range []string{l.Hex, l.Hash, string(l.Fault)} {
		if text != "" {
			has++
		}
	}
	switch {
	case l.Micros < 0 || l.Micros > maxTime.Microseconds():
		return Event{}, errTime
	case l.Dir != inward && l.Dir != outward:
		return Event{}, errDir
	case has != 1:
		return Event{}, errContent
	case l.Fault != "" && !kinds[l.Fault]:
		return Event{}, errFault
	case l.Fault != "" && l.Len != 0, l.Fault == "" && (l.Len < 1 || l.Len > MaxPiece):
		return Event{}, errLen
	}
	return e, e.fill(l.Hex)
}

// fill takes the bytes, or checks the hash.
func (e *Event) fill(text string) error {
	if e.Hash != "" {
		if sum, err := hex.DecodeString(e.Hash); err != nil || len(sum) != 32 {
			return errHex
		}
	}
	if text == "" {
		return nil
	}
	var err error
	if e.Bytes, err = hex.DecodeString(text); err != nil {
		e.Bytes = nil
		return errHex
	}
	if len(e.Bytes) != e.Len {
		return errLen
	}
	return nil
}

// Write writes the recording as Parse reads it: a line of JSON for the header and
// one for each event.
func (r Recording) Write(w io.Writer) error {
	lines := json.NewEncoder(w)
	if err := lines.Encode(r.Header); err != nil {
		return fmt.Errorf("writing a recording: %w", err)
	}
	for _, e := range r.Events {
		if err := lines.Encode(e.line()); err != nil {
			return fmt.Errorf("writing a recording: %w", err)
		}
	}
	return nil
}

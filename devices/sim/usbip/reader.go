package usbip

import (
	"encoding/binary"
	"time"
)

// Reader is a reader of machine-readable zones that appears as a serial line:
// CDC-ACM, as in the PSTN subclass 1.2 of the Communications Device Class.
type Reader struct {
	*Device
	spec ReaderSpec
	line Line
	// heard is what came and was not dealt with.
	heard []byte
}

// ReaderSpec is how a reader speaks.
type ReaderSpec struct {
	// Frame turns the lines of a document into what is sent for it.
	Frame func(lines []string) []byte
	// Answer is what the reader says to bytes of the host; nil is a reader that
	// is deaf. It is called with what came, after what it has left over before,
	// and returns how many of these bytes it has dealt with. Of the others the
	// last 4,096 are kept.
	Answer func(heard []byte) (answer []byte, used int)
	// SplitAt cuts every frame there, with Pause between the pieces, as slow
	// readers do; zero sends it whole.
	SplitAt int
	Pause   time.Duration
}

// Line is how the host has set the serial line.
type Line struct {
	Baud  uint32
	Bits  byte
	Stop  byte // 0 = 1, 1 = 1½, 2 = 2
	Odd   byte // parity: 0 none, 1 odd, 2 even, 3 mark, 4 space
	Ready bool // the host raises DTR
}

// The reader's endpoints.
const (
	readerIn     = 0x81
	readerOut    = 0x02
	readerNotice = 0x83
	maxHeard     = 4096
)

// Requests of the PSTN subclass, §6.3.
const (
	setLineCoding   = 0x20
	getLineCoding   = 0x21
	setControlLines = 0x22
)

// NewReader makes a reader with no document on it.
func NewReader(id Identity, s ReaderSpec) *Reader {
	r := &Reader{spec: s, line: Line{Baud: 9600, Bits: 8}}
	body := join(
		iface(0, 1, 2, 2, 0),
		// Functional descriptors: without the union Linux takes the device for a
		// broken modem.
		[]byte{5, 0x24, 0, 0x10, 0x01}, // header
		[]byte{5, 0x24, 1, 0, 1},       // no calls to manage
		[]byte{4, 0x24, 2, 2},          // line coding and state
		[]byte{5, 0x24, 6, 0, 1},       // union of both interfaces
		endpoint(readerNotice, interrupt, 16, 9),
		iface(1, 2, 10, 0, 0),
		endpoint(readerOut, bulk, bulkPacket, 0),
		endpoint(readerIn, bulk, bulkPacket, 0),
	)
	r.Device = New(Spec{
		Identity: id, Class: [3]byte{2, 0, 0}, Interfaces: 2, Body: body,
		Control: r.control, Out: r.hear,
	})
	return r
}

// hear takes what came from the host.
func (r *Reader) hear(_ byte, data []byte) []Transfer {
	if r.spec.Answer == nil {
		return nil
	}
	r.heard = append(r.heard, data...)
	answer, used := r.spec.Answer(r.heard)
	used = max(used, 0, len(r.heard)-maxHeard)
	r.heard = r.heard[min(used, len(r.heard)):]
	return r.cut(answer)
}

// Show lays a document on the reader, which sends it unasked.
func (r *Reader) Show(lines ...string) {
	r.Send(r.cut(r.spec.Frame(lines))...)
}

// Say sends bytes as they are.
func (r *Reader) Say(b []byte) {
	r.Send(Transfer{Endpoint: readerIn, Data: b})
}

// Line tells how the host has set the line.
func (r *Reader) Line() Line {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.line
}

// cut makes transfers of a frame.
func (r *Reader) cut(frame []byte) []Transfer {
	n := r.spec.SplitAt
	switch {
	case len(frame) == 0:
		return nil
	case n <= 0 || n >= len(frame):
		return []Transfer{{Endpoint: readerIn, Data: frame}}
	}
	return []Transfer{
		{Endpoint: readerIn, Data: frame[:n]},
		{Endpoint: readerIn, Data: frame[n:], After: r.spec.Pause},
	}
}

// control keeps how the host sets the line; nothing of it changes what is sent.
func (r *Reader) control(s Setup, data []byte) ([]byte, bool) {
	switch s.Request {
	case setLineCoding:
		if len(data) < 7 {
			return nil, false
		}
		r.line.Baud = binary.LittleEndian.Uint32(data)
		r.line.Stop, r.line.Odd, r.line.Bits = data[4], data[5], data[6]
	case getLineCoding:
		return append(le32(r.line.Baud), r.line.Stop, r.line.Odd, r.line.Bits), true
	case setControlLines:
		r.line.Ready = s.Value&1 != 0
	}
	return nil, true
}

// Package record keeps what goes through a port, plays it again as a port, and
// writes it as a USB capture for other tools: a fault at a counter becomes a test
// at a desk.
//
// It is told by a person to record and never by itself, knows no framing, sends
// nothing anywhere and starts no goroutine.
//
// # The laws
//
//   - What was read or written may be a document, so by default a recording has
//     its length and a keyed hash, and no byte of it. Only commands that the
//     profile names are kept, and everything only if a person says so.
//   - The hash is of the place in the recording too: equal pieces, such as equal
//     letters that came one by one, do not look alike. Without the key, which is
//     never written, a hash tells nothing.
//   - A recording that cannot be written stops and never harms the port.
//   - The file is its owner's alone.
//   - A recording is hostile when it is read: bounded, checked line by line.
package record

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/counterproof/counterproof/devices"
)

// Bounds of a recording.
const (
	// MaxPiece is the longest piece of a recording, in bytes: what one Read gave
	// or one Write took. A longer Write is recorded as several.
	MaxPiece = 64 << 10
	// MaxBytes is how much a recording holds, in bytes that went through the port.
	MaxBytes = 16 << 20
	// MaxEvents is how many lines it has.
	MaxEvents = 1 << 17
)

// version of the lines.
const version = 1

// Header is the first line of a recording.
type Header struct {
	Version int        `json:"recording"`         // of this format: 1
	Clear   bool       `json:"clear"`             // it may hold documents
	Reports bool       `json:"reports,omitempty"` // a Read gives one report
	Device  devices.ID `json:"device,omitempty"`
	Profile string     `json:"profile,omitempty"`
}

// Event is one piece that went through the port, or how a call failed.
type Event struct {
	At    time.Duration // since the recording began, to the microsecond
	Out   bool          // it was written; else it was read
	Len   int           // bytes
	Bytes []byte        // nil where only the hash was kept
	Hash  string        // 64 hexadecimal digits
	Fault devices.Kind  // how a call failed; then there are no bytes
}

// line is an event as it is written: t in microseconds, dir "in" or "out", len in
// bytes, and one of hex, hash and fault.
type line struct {
	Micros int64        `json:"t"`
	Dir    string       `json:"dir"`
	Hex    string       `json:"hex,omitempty"`
	Hash   string       `json:"hash,omitempty"`
	Len    int          `json:"len,omitempty"`
	Fault  devices.Kind `json:"fault,omitempty"`
}

// The directions as they are written.
const (
	inward  = "in"
	outward = "out"
)

// line is the event as it is written.
func (e Event) line() line {
	l := line{Micros: e.At.Microseconds(), Dir: inward, Hex: hex.EncodeToString(e.Bytes), Hash: e.Hash, Len: e.Len, Fault: e.Fault}
	if e.Out {
		l.Dir = outward
	}
	return l
}

// Options say what a recording keeps.
type Options struct {
	// Clear keeps every byte, of documents too. Somebody must have said so.
	Clear bool
	// Commands are kept where one Write sends just one of them: what the profile
	// names, which is nobody's.
	Commands [][]byte
	// Key lets its owner tell whether a piece is one that they know. Nil is a new
	// one that is forgotten.
	Key []byte
	// Reports, Device and Profile go into the header.
	Reports bool
	Device  devices.ID
	Profile string
}

// Recorder is a port that records what goes through it, a devices.Port. It reads
// and writes as the port below does, and flushes and closes it.
type Recorder struct {
	devices.Port
	opts  Options
	began time.Time

	mu     sync.Mutex
	to     io.Writer
	places [2]uint64 // bytes that went through, in and out
	events int
	err    error // why it stopped
}

// errFull is why a recording stopped.
var errFull = errors.New("the recording is full")

// Create makes the file of a recording, for its owner alone, where none is yet.
func Create(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("making a recording: %w", err)
	}
	return f, nil
}

// Wrap records what goes through a port to w, as lines of JSON, and begins now.
// Closing the recorder closes the port; w is the caller's.
func Wrap(port devices.Port, w io.Writer, opts Options) *Recorder {
	if opts.Key == nil {
		opts.Key = make([]byte, sha256.Size)
		_, _ = rand.Read(opts.Key) // which never fails: it ends the program before
	}
	r := &Recorder{Port: port, opts: opts, began: time.Now(), to: w}
	r.put(Header{Version: version, Clear: opts.Clear, Reports: opts.Reports, Device: opts.Device, Profile: opts.Profile})
	return r
}

// Err is why the recording stopped; nil while it goes on.
func (r *Recorder) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// Read reads from the port.
func (r *Recorder) Read(ctx context.Context, p []byte) (int, error) {
	n, err := r.Port.Read(ctx, p)
	r.keep(false, p[:min(max(n, 0), len(p))], err)
	return n, err
}

// Write writes to the port.
func (r *Recorder) Write(ctx context.Context, p []byte) error {
	if ctx.Err() == nil { // written down before, or the answer would stand above it
		r.keep(true, p, nil)
	}
	err := r.Port.Write(ctx, p)
	r.keep(true, nil, err)
	return err
}

// keep writes down what went through and how it failed. A context that ended is
// no failure of the device.
func (r *Recorder) keep(out bool, b []byte, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	command := out && slices.ContainsFunc(r.opts.Commands, func(c []byte) bool { return string(c) == string(b) })
	// What is a document cannot be told from what is not by its looks, so all but
	// a known command is hidden.
	for piece := range slices.Chunk(b, MaxPiece) {
		e := Event{At: time.Since(r.began), Out: out, Len: len(piece)}
		if r.opts.Clear || command {
			e.Bytes = piece
		} else {
			e.Hash = digest(r.opts.Key, out, r.places[way(out)], piece)
		}
		r.places[way(out)] += uint64(len(piece))
		r.event(e)
	}
	if kind := devices.KindOf(err); kind != devices.KindNone && kind != devices.Cancelled {
		r.event(Event{At: time.Since(r.began), Out: out, Fault: kind})
	}
}

// way is the number of a direction.
func way(out bool) int {
	if out {
		return 1
	}
	return 0
}

// event writes an event, while there is room.
func (r *Recorder) event(e Event) {
	if r.err != nil {
		return
	}
	if r.events++; r.events > MaxEvents || r.places[0]+r.places[1] > MaxBytes {
		r.err = errFull
		return
	}
	r.put(e.line())
}

// put writes one line, whole.
func (r *Recorder) put(v any) {
	b, err := json.Marshal(v)
	if err == nil {
		_, err = r.to.Write(append(b, '\n'))
	}
	if err != nil {
		r.err = fmt.Errorf("writing a recording: %w", err)
	}
}

// digest is the keyed hash of a piece in its place.
func digest(key []byte, out bool, place uint64, piece []byte) string {
	h := hmac.New(sha256.New, key)
	h.Write(binary.BigEndian.AppendUint64([]byte{byte(way(out))}, place)) // a hash never fails
	h.Write(piece)
	return hex.EncodeToString(h.Sum(nil))
}

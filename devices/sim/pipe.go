package sim

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/counterproof/counterproof/devices"
)

// What is being done, for a fault.
const (
	readingLine = "reading from the simulated line"
	writingLine = "writing to the simulated line"
	flushing    = "flushing the simulated line"
)

// Room is how many bytes of one direction wait to be read before Write waits.
const Room = 4096

// Why a call was refused.
var (
	errNoBuffer = errors.New("there is no room to read into")
	errTooLong  = errors.New("the report is longer than the buffer")
)

// PipeEnd is one end of a simulated line, a devices.Port. Its methods may be
// called from any goroutine; one call of each kind goes on at a time.
type PipeEnd struct {
	line *line
	in   *stream // what comes to this end
	out  *stream

	closed           bool // under the line's lock
	reading, writing bool
}

// line is what the two ends share.
type line struct {
	mu      sync.Mutex
	changed chan struct{} // closed, and made anew, when anything changes
	cut     bool
	reports bool
}

// stream is one direction. A line without reports has its bytes as one piece.
type stream struct {
	pieces [][]byte
	bytes  int
}

// NewPipe makes a line and gives its ends: near for the one who reads a device,
// far for the one who plays it. With reports a Read gives what one Write wrote,
// as with HID; without, bytes run together, as on a serial line.
func NewPipe(reports bool) (near, far *PipeEnd) {
	l := &line{changed: make(chan struct{}), reports: reports}
	a, b := &stream{}, &stream{}
	return &PipeEnd{line: l, in: a, out: b}, &PipeEnd{line: l, in: b, out: a}
}

// Unplug cuts the line: from now on each call at either end is Gone, and what
// was under way is lost.
func (e *PipeEnd) Unplug() { e.set(func() { e.line.cut = true }) }

// set changes the line and wakes whoever waits for a change.
func (e *PipeEnd) set(change func()) {
	e.line.mu.Lock()
	defer e.line.mu.Unlock()
	change()
	e.wake()
}

// wake is called with the lock held.
func (e *PipeEnd) wake() {
	close(e.line.changed)
	e.line.changed = make(chan struct{})
}

// Read waits for what comes, or for the end of ctx.
func (e *PipeEnd) Read(ctx context.Context, p []byte) (n int, err error) {
	if len(p) == 0 {
		return 0, &devices.Fault{Op: readingLine, Kind: devices.Unsupported, Err: errNoBuffer}
	}
	err = e.wait(ctx, readingLine, &e.reading, func() (bool, error) {
		if len(e.in.pieces) == 0 {
			return false, nil
		}
		first := e.in.pieces[0]
		n = copy(p, first)
		e.in.bytes -= len(first)
		switch {
		case n == len(first):
			e.in.pieces = e.in.pieces[1:]
		case e.line.reports:
			e.in.pieces, n = e.in.pieces[1:], 0
			return true, &devices.Fault{Op: readingLine, Kind: devices.Protocol, Err: errTooLong}
		default:
			e.in.pieces[0] = first[n:]
			e.in.bytes += len(first) - n
		}
		return true, nil
	})
	return n, err
}

// Write waits until the line has taken all of p. What was taken before ctx
// ended stays sent.
func (e *PipeEnd) Write(ctx context.Context, p []byte) error {
	return e.wait(ctx, writingLine, &e.writing, func() (bool, error) {
		n := min(len(p), Room-e.out.bytes)
		if e.line.reports && n < len(p) && e.out.bytes > 0 {
			n = 0 // a report goes whole, a long one alone
		} else if e.line.reports {
			n = len(p)
		}
		if n > 0 {
			e.out.pieces = append(e.out.pieces, slices.Clone(p[:n]))
			e.out.bytes += n
			p = p[n:]
			e.wake()
		}
		return len(p) == 0, nil
	})
}

// wait tries until it is done, each time that the line has changed. It refuses
// a second caller.
func (e *PipeEnd) wait(ctx context.Context, op string, busy *bool, try func() (done bool, err error)) error {
	e.line.mu.Lock()
	defer e.line.mu.Unlock()
	if *busy {
		return &devices.Fault{Op: op, Kind: devices.InUse, Holder: holder}
	}
	*busy = true
	defer func() { *busy = false }()
	for {
		if err := e.well(ctx, op); err != nil {
			return err
		}
		if done, err := try(); done || err != nil {
			e.wake() // there may be room, or something to read
			return err
		}
		changed := e.line.changed
		e.line.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
		}
		e.line.mu.Lock()
	}
}

// well is nil while the end can be used. It is called with the lock held.
func (e *PipeEnd) well(ctx context.Context, op string) error {
	switch {
	case e.closed:
		return &devices.Fault{Op: op, Kind: devices.Gone, Err: errClosed}
	case e.line.cut:
		return &devices.Fault{Op: op, Kind: devices.Gone}
	case ctx.Err() != nil:
		return &devices.Fault{Op: op, Kind: devices.Cancelled, Err: context.Cause(ctx)}
	}
	return nil
}

// Flush forgets what came to this end and was not read.
func (e *PipeEnd) Flush() error {
	e.line.mu.Lock()
	defer e.line.mu.Unlock()
	if err := e.well(context.Background(), flushing); err != nil {
		return err
	}
	*e.in = stream{}
	e.wake()
	return nil
}

// Close ends what goes on at this end. It may be called twice. The other end
// is not told, as with a real line.
func (e *PipeEnd) Close() error {
	e.set(func() { e.closed = true })
	return nil
}

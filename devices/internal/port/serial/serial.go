// Package serial is the port of serial lines: a reader on a real one, on an
// adapter cable, or on a USB device that calls itself one (CDC ACM).
//
// It never writes of its own accord, never looks into what passes, and starts
// no goroutine. Which line belongs to which reader is for others to know.
//
// # The laws
//
//   - The library below has neither contexts nor a way to end a Read: it is
//     always given a time-out of 100 ms and asked again until ctx ends.
//   - Its time-out and a line that hung up look the same, an end of file. One
//     that comes sooner than half the time-out makes the port look whether the
//     line is still there. It is never asked in a busy loop.
//   - A line has one user: it is locked by the identity of the device, and a
//     program that has it open is named.
//   - The line is set raw before a byte is written, and what came before it was
//     opened is forgotten.
//   - Gone stays gone, also if another device takes over the node.
package serial

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/counterproof/counterproof/devices"
)

// silence is the time-out of the library, the shortest that Linux has (VTIME).
const silence = 100 * time.Millisecond

// What is being done, for a fault.
const (
	opening  = "opening the serial line"
	reading  = "reading from the serial line"
	writing  = "writing to the serial line"
	flushing = "flushing the serial line"
)

// Why a call was refused.
var (
	errClosed   = errors.New("it was closed")
	errNoBuffer = errors.New("there is no room to read into")
	errHungUp   = errors.New("the line hung up")
	errBusy     = errors.New("another call is under way")
)

// Settings say how a line is set and whose it is. The zero value is 9600 8N1.
type Settings struct {
	Baud     int    // bits a second; 0 is 9600
	DataBits int    // 5 to 8; 0 is 8
	Parity   string // none, odd, even; "" is none
	StopBits int    // 1 or 2; 0 is 1
	// Device is what the line is locked by, and what faults name. If it is empty
	// the line itself is locked.
	Device devices.ID
	// Locks is the folder of the locks, the same for all programs that share the
	// counter's devices; "" is /run/lock. Windows locks lines itself.
	Locks string
}

// filled is the settings with what was left out.
func (s Settings) filled() Settings {
	s.Baud = cmp.Or(s.Baud, 9600)
	s.DataBits = cmp.Or(s.DataBits, 8)
	s.Parity = cmp.Or(s.Parity, "none")
	s.StopBits = cmp.Or(s.StopBits, 1)
	return s
}

// check refuses what no line has, before the line is touched. What this
// system's library cannot do shows on opening.
func (s Settings) check() error {
	switch {
	case s.Baud < 50 || s.Baud > 4_000_000:
		return fmt.Errorf("%d baud", s.Baud)
	case s.DataBits < 5 || s.DataBits > 8:
		return fmt.Errorf("%d data bits", s.DataBits)
	case s.Parity != "none" && s.Parity != "odd" && s.Parity != "even":
		return fmt.Errorf("parity %q", s.Parity)
	case s.StopBits != 1 && s.StopBits != 2:
		return fmt.Errorf("%d stop bits", s.StopBits)
	}
	return nil
}

// line is what the port asks of an opened line. Tests put one of their own in
// its place.
type line interface {
	// Read gives what came, or nothing with or without io.EOF after the
	// time-out; a line that hung up gives nothing at once.
	Read(p []byte) (int, error)
	// Write writes all of p, unless stop ends it; stop(false) takes that back.
	Write(p []byte) (int, error)
	stop(now bool)
	// there fails when the line hung up, or its node is no more.
	there() error
	// forget drops what came.
	forget() error
	Close() error
}

// Port is an open serial line, a devices.Port. One Read and one Write may go on
// at a time, a second is refused with a Fault of Kind InUse.
type Port struct {
	line   line
	device devices.ID
	unlock func() error

	readTurn, writeTurn sync.Mutex
	gone                atomic.Bool
	closing             sync.Once
	closed              chan struct{}
}

// Open opens a line: "/dev/ttyACM0", "COM3". Its faults are Missing, InUse with
// the holder if that can be known, Permission naming the node, and Unsupported
// where the settings, or the node, are none of a serial line here.
func Open(path string, s Settings) (*Port, error) {
	s = s.filled()
	if err := s.check(); err != nil {
		return nil, &devices.Fault{Op: opening, Kind: devices.Unsupported, Device: s.Device, Err: fmt.Errorf("%s: %w", path, err)}
	}
	unlock, err := lock(path, s)
	if err != nil {
		return nil, openFault(path, s, err)
	}
	l, err := openLine(path, s)
	if err != nil {
		return nil, errors.Join(openFault(path, s, err), unlock())
	}
	p := newPort(l, s.Device, unlock)
	if err := p.Flush(); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

func newPort(l line, device devices.ID, unlock func() error) *Port {
	return &Port{line: l, device: device, unlock: unlock, closed: make(chan struct{})}
}

// openFault says why a line could not be opened. What is no error of the
// system is the library's, about settings that it does not know.
func openFault(path string, s Settings, err error) error {
	f := &devices.Fault{Op: opening, Kind: openKind(err), Device: s.Device, Err: fmt.Errorf("%s: %w", path, err)}
	if f.Kind == devices.InUse {
		f.Holder = holder(path)
	}
	return f
}

// fault makes a fault of the port.
func (p *Port) fault(op string, kind devices.Kind, err error) error {
	return &devices.Fault{Op: op, Kind: kind, Device: p.device, Err: err}
}

// well is nil while the port can be used.
func (p *Port) well(ctx context.Context, op string) error {
	select {
	case <-p.closed:
		return p.fault(op, devices.Gone, errClosed)
	default:
	}
	switch {
	case p.gone.Load():
		return p.fault(op, devices.Gone, errHungUp)
	case ctx.Err() != nil:
		return p.fault(op, devices.Cancelled, context.Cause(ctx))
	}
	return nil
}

// Read waits for what comes, or for the end of ctx, which it sees within 100 ms.
// A buffer without room is refused as Unsupported.
func (p *Port) Read(ctx context.Context, b []byte) (int, error) {
	if len(b) == 0 {
		return 0, p.fault(reading, devices.Unsupported, errNoBuffer)
	}
	if !p.readTurn.TryLock() {
		if err := p.well(ctx, reading); err != nil {
			return 0, err
		}
		return 0, p.fault(reading, devices.InUse, errBusy)
	}
	defer p.readTurn.Unlock()
	for {
		if err := p.well(ctx, reading); err != nil {
			return 0, err
		}
		asked := time.Now()
		n, err := p.line.Read(b)
		if n > 0 {
			return n, nil
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, p.failed(reading, err)
		}
		if waited := time.Since(asked); waited < silence/2 {
			if err := p.line.there(); err != nil {
				p.gone.Store(true)
				return 0, p.fault(reading, devices.Gone, err)
			}
			p.pause(ctx, silence-waited)
		}
	}
}

// pause waits, for a line that says that it is there and yet does not wait.
func (p *Port) pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	case <-p.closed:
	}
}

// failed is the fault of a transfer: of a closed port, of a line that is gone,
// or of one that is there and does not work.
func (p *Port) failed(op string, err error) error {
	if closed := p.well(context.Background(), op); closed != nil {
		return closed
	}
	if lost(err) || p.line.there() != nil {
		p.gone.Store(true)
		return p.fault(op, devices.Gone, err)
	}
	return p.fault(op, devices.Protocol, err)
}

// Write sends all of b. If ctx ends while the device takes nothing, a part may
// have been sent.
func (p *Port) Write(ctx context.Context, b []byte) error {
	if err := p.well(ctx, writing); err != nil {
		return err
	}
	if !p.writeTurn.TryLock() {
		return p.fault(writing, devices.InUse, errBusy)
	}
	defer p.writeTurn.Unlock()
	if len(b) == 0 {
		return nil
	}
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		p.line.stop(true)
	})
	n, err := p.line.Write(b)
	if !stop() { // or the next Write would be ended by this one's context
		<-ended
		p.line.stop(false)
	}
	if err == nil && n == len(b) {
		return nil
	}
	if gone := p.well(ctx, writing); gone != nil {
		return gone
	}
	return p.failed(writing, cmp.Or(err, io.ErrShortWrite))
}

// Flush forgets what came and was not read. What was written is still sent.
func (p *Port) Flush() error {
	if err := p.well(context.Background(), flushing); err != nil {
		return err
	}
	if err := p.line.forget(); err != nil {
		return p.failed(flushing, err)
	}
	return nil
}

// Close frees the line. A Read that waits ends within 100 ms, before Close
// does: so that it cannot take a byte from who opens the line next.
func (p *Port) Close() (err error) {
	p.closing.Do(func() {
		close(p.closed)
		p.line.stop(true)
		p.readTurn.Lock()
		defer p.readTurn.Unlock()
		p.writeTurn.Lock()
		defer p.writeTurn.Unlock()
		err = errors.Join(p.line.Close(), p.unlock())
	})
	return err
}

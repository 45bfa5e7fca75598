// Package hid is the port of HID devices that are no keyboards: barcode
// scanners and readers that send reports.
//
// It never looks into a report, keeps none and starts no goroutine. What the
// bytes of a report mean is for the descriptor and the framing to say.
//
// # The laws
//
//   - One Read gives one report, with its number before it if the device numbers
//     its reports. A report that does not fit is refused whole, never cut.
//   - One Write takes one report. Its number always stands before it, 0 where
//     the device has none.
//   - A report without a byte is no message.
//   - Closing the port, and the end of a context, end a Read that waits at once.
//   - What a device says of itself is bounded and may be a lie.
package hid

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"

	"github.com/counterproof/counterproof/devices"
)

// MaxReport is the longest report that the system carries, in bytes.
const MaxReport = 16384

// maxWaiting bounds how many reports Flush drops: a device may send faster than
// they can be dropped.
const maxWaiting = 4096

// A device that failed is watched this many times, after a pause each.
const (
	grace = 20
	pause = 25 * time.Millisecond
)

// What is being done, for a fault.
const (
	opening  = "opening the HID device"
	reading  = "reading a report"
	writing  = "writing a report"
	flushing = "dropping old reports"
)

// Why a call was refused.
var (
	errClosed   = errors.New("it was closed")
	errNoBuffer = errors.New("there is no room to read into")
	errTooLong  = errors.New("the report is longer than the buffer")
	errNoReport = errors.New("a report has a number and up to 16 KiB")
	errBusy     = errors.New("another call is under way")
	errUnplug   = errors.New("it was pulled out")
)

// Info is what the device says it is.
type Info struct {
	Bus             uint32 // 3 is USB, 5 Bluetooth (linux/input.h); 0 where that is not told
	Vendor, Product uint16
	Name            string // at most 128 bytes
	Path            string // the system's, of the place where it is plugged in; may be empty
}

// handle is what the port asks of an opened device. Tests put one of their own
// in its place.
type handle interface {
	// read waits for a report. It gives nothing and no error for a report
	// without a byte, and fails with os.ErrDeadlineExceeded after the deadline.
	read(p []byte) (int, error)
	write(p []byte) (int, error)
	// drop drops one report that waits; false when none does.
	drop(p []byte) (bool, error)
	// there is false when the device was pulled out.
	there() bool
	// deadline is that of read, or of write.
	deadline(of way, at time.Time) error
	Close() error
}

// way is one of the two directions.
type way bool

const (
	inward  way = false
	outward way = true
)

// setter sets the deadline of one way of a file.
func (w way) setter(f *os.File) func(time.Time) error {
	if w == outward {
		return f.SetWriteDeadline
	}
	return f.SetReadDeadline
}

// Port is an open HID device, a devices.Port. One Read and one Write may go on
// at a time, a second is refused with a Fault of Kind InUse.
type Port struct {
	handle     handle
	info       Info
	descriptor []byte

	readTurn, writeTurn sync.Mutex
	report              []byte // under readTurn
	gone, closed        atomic.Bool
	closing             sync.Once
}

// Open opens a device: "/dev/hidraw0", or the path of a Windows device
// interface. Its faults are Missing, Permission naming the node, InUse, and
// Unsupported where the node is no HID device.
func Open(node string) (*Port, error) {
	h, info, descriptor, err := openHandle(node)
	if err != nil {
		return nil, &devices.Fault{Op: opening, Kind: openKind(err), Err: fmt.Errorf("%s: %w", node, err)}
	}
	return newPort(h, info, descriptor), nil
}

func newPort(h handle, info Info, descriptor []byte) *Port {
	info.Name, info.Path = printable(info.Name), printable(info.Path)
	return &Port{handle: h, info: info, descriptor: descriptor, report: make([]byte, MaxReport+1)}
}

// printable is what a device says of itself, as it may stand on a screen.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, strings.ToValidUTF8(s, ""))
}

// Info is what the device says it is.
func (p *Port) Info() Info { return p.info }

// Descriptor is the device's report descriptor (HID 1.11 §6.2.2), at most 4096
// bytes. It is nil on Windows, which does not give it away.
func (p *Port) Descriptor() []byte { return bytes.Clone(p.descriptor) }

func fault(op string, kind devices.Kind, err error) error {
	return &devices.Fault{Op: op, Kind: kind, Err: err}
}

// well is nil while the port can be used.
func (p *Port) well(ctx context.Context, op string) error {
	switch {
	case p.closed.Load():
		return fault(op, devices.Gone, errClosed)
	case p.gone.Load():
		return fault(op, devices.Gone, errUnplug)
	case ctx.Err() != nil:
		return fault(op, devices.Cancelled, context.Cause(ctx))
	}
	return nil
}

// take makes the caller the one who reads, or writes.
func (p *Port) take(ctx context.Context, op string, turn *sync.Mutex) error {
	if err := p.well(ctx, op); err != nil {
		return err
	}
	if !turn.TryLock() {
		return fault(op, devices.InUse, errBusy)
	}
	return nil
}

// ended is a deadline that has passed.
var ended = time.Unix(1, 0)

// until lets a deadline pass when ctx ends, and takes that back afterwards, so
// that it does not end the next call. A deadline that cannot be set is one of a
// closed device.
func (p *Port) until(ctx context.Context, of way, do func()) {
	passed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(passed)
		_ = p.handle.deadline(of, ended)
	})
	do()
	if !stop() {
		<-passed
		_ = p.handle.deadline(of, time.Time{})
	}
}

// Read waits for the next report, or for the end of ctx. A buffer without room
// is refused as Unsupported; a report longer than b is dropped, as Protocol.
func (p *Port) Read(ctx context.Context, b []byte) (n int, err error) {
	if len(b) == 0 {
		return 0, fault(reading, devices.Unsupported, errNoBuffer)
	}
	if err := p.take(ctx, reading, &p.readTurn); err != nil {
		return 0, err
	}
	defer p.readTurn.Unlock()
	p.until(ctx, inward, func() {
		for n == 0 && err == nil && p.well(ctx, reading) == nil {
			n, err = p.handle.read(p.report)
		}
	})
	defer clear(p.report[:max(n, 0)]) // it may hold a person's data
	switch {
	case n > len(b):
		return 0, fault(reading, devices.Protocol, errTooLong)
	case n > 0:
		return copy(b, p.report[:n]), nil
	}
	return 0, p.failed(ctx, reading, err)
}

// failed is the fault of a transfer.
func (p *Port) failed(ctx context.Context, op string, err error) error {
	if closed := p.well(context.Background(), op); closed != nil {
		return closed
	}
	if err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		if cancelled := p.well(ctx, op); cancelled != nil {
			return cancelled
		}
	}
	if lost(err) || p.vanishes() {
		p.gone.Store(true)
		return fault(op, devices.Gone, err)
	}
	return fault(op, devices.Protocol, err)
}

// vanishes watches a device of which a transfer failed: pulled out, it fails a
// moment before the system says so.
func (p *Port) vanishes() bool {
	for range grace {
		if p.closed.Load() || !p.handle.there() {
			return true
		}
		time.Sleep(pause)
	}
	return false
}

// Write sends one report, with its number first. On Linux the kernel may take up
// to 5 s for a device that does not answer, whatever ctx says.
func (p *Port) Write(ctx context.Context, b []byte) error {
	if err := p.take(ctx, writing, &p.writeTurn); err != nil {
		return err
	}
	defer p.writeTurn.Unlock()
	if len(b) < 2 || len(b) > MaxReport {
		return fault(writing, devices.Unsupported, errNoReport)
	}
	var n int
	var err error
	p.until(ctx, outward, func() { n, err = p.handle.write(b) })
	if err == nil && n >= len(b) {
		return nil
	}
	return p.failed(ctx, writing, cmp.Or(err, io.ErrShortWrite))
}

// Flush forgets the reports that came and were not read.
func (p *Port) Flush() error {
	if err := p.take(context.Background(), flushing, &p.readTurn); err != nil {
		return err
	}
	defer p.readTurn.Unlock()
	defer clear(p.report)
	for range maxWaiting {
		dropped, err := p.handle.drop(p.report)
		if err != nil {
			return p.failed(context.Background(), flushing, err)
		}
		if !dropped {
			break
		}
	}
	if !p.handle.there() {
		return p.failed(context.Background(), flushing, errUnplug)
	}
	return nil
}

// Close frees the device and ends what waits for it.
func (p *Port) Close() (err error) {
	p.closing.Do(func() {
		p.closed.Store(true)
		err = p.handle.Close()
	})
	return err
}

package lp

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/counterproof/counterproof/devices"
)

// Questions of linux/lp.h and drivers/usb/class/usblp.c. The newer ones carry
// the length of the answer (_IOC(_IOC_READ, 'P', n, length)).
const (
	getStatus = 0x060b
	getID     = 2<<30 | MaxID<<16 | 'P'<<8 | 1
	getNumber = 2<<30 | 8<<16 | 'P'<<8 | 6
)

// block is the most that the driver sends in one transfer.
const block = 8192

// A printer that failed is watched this many times, after a pause each.
const (
	grace = 20
	pause = 25 * time.Millisecond
)

// maxAnswers bounds how many answers Flush drops.
const maxAnswers = 4096

// Why a call was refused.
var (
	errClosed   = errors.New("it was closed")
	errNoBuffer = errors.New("there is no room to read into")
	errBusy     = errors.New("another call is under way")
	errUnplug   = errors.New("it was pulled out")
)

// Port is an open printer, a devices.Port. One Read, and one of Write, Status
// and DeviceID, may go on at a time; a second is refused with a Fault of Kind
// InUse.
type Port struct {
	file *os.File // which the runtime's poller waits for
	raw  syscall.RawConn

	readTurn, writeTurn sync.Mutex
	gone, closed        atomic.Bool
	closing             sync.Once
}

// Open opens a printer's node: "/dev/usb/lp0". Its faults are Missing, InUse,
// Permission naming the node, and Unsupported where the node is no printer's.
func Open(node string) (*Port, error) {
	f, err := os.OpenFile(node, os.O_RDWR|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, openFault(node, err)
	}
	p, err := newPort(f)
	if err == nil {
		_, err = p.ask(getNumber, 8) // which only this driver answers
	}
	if err != nil {
		return nil, errors.Join(openFault(node, err), f.Close())
	}
	return p, nil
}

func newPort(f *os.File) (*Port, error) {
	raw, err := f.SyscallConn()
	return &Port{file: f, raw: raw}, err
}

// ask asks the driver a question with an answer of at most n bytes.
func (p *Port) ask(question uintptr, n int) ([]byte, error) {
	answer := make([]byte, max(n, 8))
	var e syscall.Errno
	failed := p.raw.Control(func(fd uintptr) {
		_, _, e = unix.Syscall(unix.SYS_IOCTL, fd, question, uintptr(unsafe.Pointer(&answer[0])))
	})
	switch {
	case failed != nil:
		return nil, failed
	case e != 0:
		return nil, e
	}
	return answer[:n], nil
}

// well is nil while the port can be used.
func (p *Port) well(ctx context.Context, op string) error {
	switch {
	case p.closed.Load():
		return fault(op, devices.Gone, errClosed)
	case p.gone.Load():
		return fault(op, devices.Gone, errUnplug)
	}
	return cancelled(ctx, op)
}

// take makes the caller the one who has a direction.
func (p *Port) take(ctx context.Context, op string, turn *sync.Mutex) error {
	if err := p.well(ctx, op); err != nil {
		return err
	}
	if !turn.TryLock() {
		return fault(op, devices.InUse, errBusy)
	}
	return nil
}

// until lets a deadline pass when ctx ends, and takes that back afterwards, so
// that it does not end the next call. A deadline that cannot be set is one of a
// closed node.
func until(ctx context.Context, deadline func(time.Time) error, do func()) {
	passed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(passed)
		_ = deadline(time.Unix(1, 0))
	})
	do()
	if !stop() {
		<-passed
		_ = deadline(time.Time{})
	}
}

// Read waits for bytes that the printer sends by itself or in answer, or for the
// end of ctx. A printer that sends nothing by its nature is Unsupported.
func (p *Port) Read(ctx context.Context, b []byte) (n int, err error) {
	if len(b) == 0 {
		return 0, fault(reading, devices.Unsupported, errNoBuffer)
	}
	if err := p.take(ctx, reading, &p.readTurn); err != nil {
		return 0, err
	}
	defer p.readTurn.Unlock()
	until(ctx, p.file.SetReadDeadline, func() {
		for n == 0 && err == nil && p.well(ctx, reading) == nil {
			n, err = p.wait(p.raw.Read, func(fd int) (int, error) { return readNow(fd, b) })
		}
	})
	if n > 0 {
		return n, nil
	}
	return 0, p.failed(ctx, reading, err)
}

// wait tries a transfer each time that the node may be ready for it.
func (p *Port) wait(ready func(func(fd uintptr) bool) error, try func(fd int) (int, error)) (n int, err error) {
	waited := ready(func(fd uintptr) bool {
		for {
			if n, err = try(int(fd)); !errors.Is(err, unix.EINTR) {
				return !errors.Is(err, unix.EAGAIN)
			}
		}
	})
	if waited != nil {
		return 0, waited
	}
	return max(n, 0), err
}

// readNow reads without waiting. Nothing is no message, unless the node hung up.
func readNow(fd int, b []byte) (int, error) {
	n, err := unix.Read(fd, b)
	if n <= 0 && (err == nil || errors.Is(err, unix.EAGAIN)) && hungUp(fd) {
		return 0, unix.ENODEV
	}
	return n, err
}

func hungUp(fd int) bool {
	polled := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	_, err := unix.Poll(polled, 0)
	return err == nil && polled[0].Revents&(unix.POLLHUP|unix.POLLNVAL) != 0
}

// failed is the fault of a transfer.
func (p *Port) failed(ctx context.Context, op string, err error) error {
	if closed := p.well(context.Background(), op); closed != nil {
		return closed
	}
	if err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		if ended := cancelled(ctx, op); ended != nil {
			return ended
		}
	}
	kind := devices.Protocol
	switch {
	case lost(err) || !p.there():
		kind = devices.Gone
	case errors.Is(err, unix.ENOSPC):
		kind = devices.PaperOut
	case errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENOTTY):
		kind = devices.Unsupported
	case p.vanishes():
		kind = devices.Gone
	}
	if kind == devices.Gone {
		p.gone.Store(true)
	}
	return fault(op, kind, err)
}

// vanishes watches a printer of which a transfer failed: pulled out, it fails
// up to 100 ms before the system says so.
func (p *Port) vanishes() bool {
	for range grace {
		if p.closed.Load() || !p.there() {
			return true
		}
		time.Sleep(pause)
	}
	return false
}

// there is false when the printer was pulled out.
func (p *Port) there() bool {
	gone := true
	failed := p.raw.Control(func(fd uintptr) { gone = hungUp(int(fd)) })
	_, err := p.ask(getNumber, 8)
	return failed == nil && !gone && !lost(err)
}

// Write sends all of b and waits until the printer has taken it. If ctx ends
// before, a part may have been printed.
func (p *Port) Write(ctx context.Context, b []byte) (err error) {
	if err := p.take(ctx, writing, &p.writeTurn); err != nil {
		return err
	}
	defer p.writeTurn.Unlock()
	if len(b) == 0 {
		return nil
	}
	until(ctx, p.file.SetWriteDeadline, func() { err = p.writeAll(b) })
	if err != nil {
		return p.failed(ctx, writing, err)
	}
	return nil
}

// writeAll writes by blocks, and at last nothing: which the driver lets wait
// until the last transfer has ended, and which a printer that is gone refuses.
func (p *Port) writeAll(b []byte) error {
	for len(b) > 0 {
		n, err := p.wait(p.raw.Write, func(fd int) (int, error) { return unix.Write(fd, b[:min(len(b), block)]) })
		if err != nil {
			return err
		}
		if n == 0 {
			return io.ErrShortWrite
		}
		b = b[n:]
	}
	_, err := p.wait(p.raw.Write, func(fd int) (int, error) { return unix.Write(fd, nil) })
	return err
}

// Status asks the printer how it is; the kernel waits at most 5 s for it.
func (p *Port) Status() (Status, error) {
	if err := p.take(context.Background(), asking, &p.writeTurn); err != nil {
		return 0, err
	}
	defer p.writeTurn.Unlock()
	b, err := p.ask(getStatus, 1) // an int, of which one byte counts
	if err != nil {
		return 0, p.failed(context.Background(), asking, err)
	}
	return Status(b[0]), nil
}

// DeviceID asks the printer for its IEEE 1284 id: "MFG:…;MDL:…;CMD:…;", at most
// MaxID bytes.
func (p *Port) DeviceID() (string, error) {
	if err := p.take(context.Background(), naming, &p.writeTurn); err != nil {
		return "", err
	}
	defer p.writeTurn.Unlock()
	b, err := p.ask(getID, MaxID)
	if err != nil {
		return "", p.failed(context.Background(), naming, err)
	}
	id, err := parseID(b)
	if err != nil {
		return "", fault(naming, devices.Protocol, err)
	}
	return id, nil
}

// Flush forgets what the printer sent and was not read.
func (p *Port) Flush() error {
	if err := p.take(context.Background(), flushing, &p.readTurn); err != nil {
		return err
	}
	defer p.readTurn.Unlock()
	var b [block]byte
	var err error
	failed := p.raw.Control(func(fd uintptr) {
		for range maxAnswers {
			if _, err = readNow(int(fd), b[:]); err != nil {
				return
			}
		}
	})
	switch {
	case failed != nil:
		return p.failed(context.Background(), flushing, failed)
	case err == nil, errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR), errors.Is(err, unix.EINVAL):
		return nil // also where it sends nothing by its nature
	}
	return p.failed(context.Background(), flushing, err)
}

// Close frees the printer and ends what waits for it.
func (p *Port) Close() (err error) {
	p.closing.Do(func() {
		p.closed.Store(true)
		err = p.file.Close()
	})
	return err
}

// openKind says what the kernel's errors mean on opening.
func openKind(err error) devices.Kind {
	for kind, errs := range map[devices.Kind][]unix.Errno{
		devices.Missing:    {unix.ENOENT, unix.ENXIO, unix.ENODEV, unix.EIO},
		devices.Permission: {unix.EACCES, unix.EPERM, unix.EROFS},
		devices.InUse:      {unix.EBUSY},
	} {
		for _, e := range errs {
			if errors.Is(err, e) {
				return kind
			}
		}
	}
	return devices.Unsupported
}

// lost tells whether an error says by itself that the printer is gone. EIO does
// not: this driver gives it for each transfer that failed.
func lost(err error) bool {
	for _, e := range []unix.Errno{unix.ENODEV, unix.ENXIO, unix.ESHUTDOWN} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

package lp

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
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
//
// It waits for the node by itself, never through the poller of Go's runtime: the
// driver keeps whoever polls the node waiting while a sulking printer is asked
// something, up to 5 s, and the runtime's poller waits for everything else that
// the program does.
type Port struct {
	fd                  int
	readBell, writeBell int // eventfds that end a wait

	readTurn, writeTurn sync.Mutex
	gone, closed        atomic.Bool
	closing             sync.Once
}

// Open opens a printer's node: "/dev/usb/lp0". Its faults are Missing, InUse,
// Permission naming the node, and Unsupported where the node is no printer's.
func Open(node string) (*Port, error) {
	fd, err := unix.Open(node, unix.O_RDWR|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, openFault(node, err)
	}
	p, err := newPort(fd)
	if err == nil {
		_, err = p.ask(getNumber, 8) // which only this driver answers
	}
	if err != nil {
		return nil, errors.Join(openFault(node, err), p.Close())
	}
	return p, nil
}

// newPort makes a port of an opened node, which is the port's to close.
func newPort(fd int) (*Port, error) {
	p := &Port{fd: fd, readBell: -1, writeBell: -1}
	var err error
	if p.readBell, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return p, err
	}
	p.writeBell, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	return p, err
}

// ask asks the driver a question with an answer of at most n bytes. The caller
// has a turn, so that the node stays open.
func (p *Port) ask(question uintptr, n int) ([]byte, error) {
	answer := make([]byte, max(n, 8))
	_, _, e := unix.Syscall(unix.SYS_IOCTL, uintptr(p.fd), question, uintptr(unsafe.Pointer(&answer[0])))
	if e != 0 {
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
	if err := p.well(ctx, op); err != nil { // it was closed meanwhile
		turn.Unlock()
		return err
	}
	return nil
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
	w := waiter{p, p.readBell, unix.POLLIN}
	for n == 0 && err == nil && p.well(ctx, reading) == nil {
		n, err = w.wait(ctx, func() (int, error) { return readNow(p.fd, b) })
	}
	if n > 0 {
		return n, nil
	}
	return 0, p.failed(ctx, reading, err)
}

// waiter waits in one direction.
type waiter struct {
	p      *Port
	bell   int
	events int16
}

// ring ends a wait, the present one or the next.
func ring(bell int) {
	_, _ = unix.Write(bell, []byte{1, 0, 0, 0, 0, 0, 0, 0}) // a full counter rings too
}

// wait tries a transfer each time that the node may be ready for it, until it is
// done, fails, ctx ends or the port is closed; then it gives nothing.
func (w waiter) wait(ctx context.Context, try func() (int, error)) (int, error) {
	defer context.AfterFunc(ctx, func() { ring(w.bell) })()
	for ctx.Err() == nil && !w.p.closed.Load() {
		n, err := try()
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case !errors.Is(err, unix.EAGAIN):
			return max(n, 0), err
		}
		polled := []unix.PollFd{{Fd: int32(w.p.fd), Events: w.events}, {Fd: int32(w.bell), Events: unix.POLLIN}}
		if _, err := unix.Poll(polled, -1); err != nil && !errors.Is(err, unix.EINTR) {
			return 0, err
		}
		if polled[1].Revents != 0 {
			var b [8]byte
			_, _ = unix.Read(w.bell, b[:]) // whoever rang has said why before
		}
		if polled[0].Revents&(unix.POLLHUP|unix.POLLNVAL) != 0 {
			if n, err := try(); !errors.Is(err, unix.EAGAIN) { // what came last
				return max(n, 0), err
			}
			return 0, unix.ENODEV
		}
	}
	return 0, nil
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
	if err == nil {
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
	_, err := p.ask(getNumber, 8)
	return !hungUp(p.fd) && !lost(err)
}

// Write sends all of b and waits until the printer has taken it. If ctx ends
// before, a part may have been printed.
func (p *Port) Write(ctx context.Context, b []byte) error {
	if err := p.take(ctx, writing, &p.writeTurn); err != nil {
		return err
	}
	defer p.writeTurn.Unlock()
	if len(b) == 0 {
		return nil
	}
	if err := p.writeAll(ctx, b); err != nil || p.well(ctx, writing) != nil {
		return p.failed(ctx, writing, err)
	}
	return nil
}

// writeAll writes by blocks, and at last nothing: which the driver lets wait
// until the last transfer has ended, and which a printer that is gone refuses.
func (p *Port) writeAll(ctx context.Context, b []byte) error {
	w := waiter{p, p.writeBell, unix.POLLOUT}
	for len(b) > 0 {
		n, err := w.wait(ctx, func() (int, error) { return unix.Write(p.fd, b[:min(len(b), block)]) })
		if err != nil || p.well(ctx, writing) != nil {
			return err
		}
		if n == 0 {
			return io.ErrShortWrite
		}
		b = b[n:]
	}
	_, err := w.wait(ctx, func() (int, error) { return unix.Write(p.fd, nil) })
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
	for range maxAnswers {
		if _, err = readNow(p.fd, b[:]); err != nil {
			break
		}
	}
	switch {
	case err == nil, errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR), errors.Is(err, unix.EINVAL):
		return nil // also where it sends nothing by its nature
	}
	return p.failed(context.Background(), flushing, err)
}

// Close frees the printer and ends what waits for it.
func (p *Port) Close() (err error) {
	p.closing.Do(func() {
		p.closed.Store(true)
		for _, bell := range []int{p.readBell, p.writeBell} {
			ring(bell)
		}
		p.readTurn.Lock()
		defer p.readTurn.Unlock()
		p.writeTurn.Lock()
		defer p.writeTurn.Unlock()
		for _, fd := range []int{p.fd, p.readBell, p.writeBell} {
			if fd >= 0 {
				err = errors.Join(err, unix.Close(fd))
			}
		}
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

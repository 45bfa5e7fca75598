package usb

import (
	"context"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/counterproof/counterproof/devices"
)

// Times.
const (
	patience = 2 * time.Second       // for a control transfer, which no context ends
	quiet    = 20 * time.Millisecond // without a byte, after which Flush has dropped all
	drained  = time.Second           // after which Flush gives up on a device that sends on and on
	grace    = 20                    // looks at a device of which a transfer failed
	pause    = 25 * time.Millisecond // between them
)

// block is the most that is sent in one transfer, in bytes.
const block = 16 << 10

// Port is an interface that was taken, a devices.Port: the stream of bytes of
// its two endpoints. One Read, one Write and one Control may go on at a time; a
// second is refused with a Fault of Kind InUse.
type Port struct {
	host   *Host
	device Device
	iface  Interface
	pipe   pipe
	stirs  bool // a driver of the kernel comes back after it

	life context.Context // ends with Close, and with it what is under way
	end  context.CancelFunc
	used sync.RWMutex // held by calls under way, which Close waits for

	readTurn, writeTurn, askTurn sync.Mutex
	packet, rest                 []byte // under readTurn: the last that came, and what of it was not read
	gone, closed                 atomic.Bool
	closing                      sync.Once
}

// newPort has room for one packet, which is all that one transfer asks for.
func newPort(h *Host, d Device, i Interface, taken pipe) *Port {
	p := &Port{host: h, device: d, iface: i, pipe: taken, packet: make([]byte, i.In.Packet)}
	p.life, p.end = context.WithCancel(context.Background())
	return p
}

// Device is the device as it was found when it was opened.
func (p *Port) Device() Device { return p.device }

// Interface is the interface that was taken.
func (p *Port) Interface() Interface { return p.iface }

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

// take makes the caller the one who has a direction until it calls leave.
func (p *Port) take(ctx context.Context, op string, turn *sync.Mutex) (leave func(), err error) {
	p.used.RLock()
	if err := p.well(ctx, op); err != nil {
		p.used.RUnlock()
		return nil, err
	}
	if !turn.TryLock() {
		p.used.RUnlock()
		return nil, fault(op, devices.InUse, errBusy)
	}
	return func() {
		turn.Unlock()
		p.used.RUnlock()
	}, nil
}

// transfer runs a transfer until it ends, ctx does, or the port is closed. A
// stall is cleared, once for each call of which stalled is the note.
func (p *Port) transfer(ctx context.Context, e Endpoint, stalled *bool, move func(context.Context) (int, error)) (int, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(p.life, cancel)()
	n, err := move(ctx)
	if troubleOf(err) == troubleStall && !*stalled {
		*stalled = true
		err = p.pipe.clear(e.Address)
	}
	return max(n, 0), err
}

// Read gives what came, up to the end of a packet. A buffer that is too small
// leaves the rest for the next Read.
func (p *Port) Read(ctx context.Context, b []byte) (int, error) {
	switch {
	case len(b) == 0:
		return 0, fault(reading, devices.Unsupported, errNoBuffer)
	case p.iface.In.Packet == 0:
		return 0, fault(reading, devices.Unsupported, errOneWay)
	}
	leave, err := p.take(ctx, reading, &p.readTurn)
	if err != nil {
		return 0, err
	}
	defer leave()
	for stalled := false; len(p.rest) == 0; {
		if err := p.fill(ctx, &stalled); err != nil {
			return 0, err
		}
	}
	n := copy(b, p.rest)
	clear(p.rest[:n]) // it may be a person's
	p.rest = p.rest[n:]
	return n, nil
}

// fill reads a packet. Bytes count whatever became of their transfer: one that
// was taken back may have been under way.
func (p *Port) fill(ctx context.Context, stalled *bool) error {
	if err := p.well(ctx, reading); err != nil {
		return err
	}
	n, err := p.transfer(ctx, p.iface.In, stalled, func(ctx context.Context) (int, error) {
		return p.pipe.read(ctx, p.packet)
	})
	if n > 0 && troubleOf(err) != troubleOverflow {
		p.rest = p.packet[:min(n, len(p.packet))]
		return nil
	}
	if err != nil {
		return p.failed(ctx, reading, err)
	}
	return nil
}

// Write sends all of b. If ctx ends before, a part may have been sent.
func (p *Port) Write(ctx context.Context, b []byte) error {
	if p.iface.Out.Packet == 0 {
		return fault(writing, devices.Unsupported, errOneWay)
	}
	leave, err := p.take(ctx, writing, &p.writeTurn)
	if err != nil {
		return err
	}
	defer leave()
	for stalled := false; len(b) > 0; {
		if err := p.well(ctx, writing); err != nil {
			return err
		}
		before := stalled
		n, err := p.transfer(ctx, p.iface.Out, &stalled, func(ctx context.Context) (int, error) {
			return p.pipe.write(ctx, b[:min(len(b), block)])
		})
		// A transfer that moves nothing would be tried for ever, unless a stall
		// was cleared just now.
		if err == nil && n == 0 && before == stalled {
			err = io.ErrShortWrite
		}
		b = b[min(n, len(b)):]
		if err != nil {
			return p.failed(ctx, writing, err)
		}
	}
	return nil
}

// failed is the fault of a transfer. It leaves the port gone if the device is.
func (p *Port) failed(ctx context.Context, op string, err error) error {
	if closed := p.well(context.Background(), op); closed != nil {
		return closed
	}
	t := troubleOf(err)
	if t == troubleCancelled || t == troubleTimeout {
		if ended := cancelled(ctx, op); ended != nil {
			return ended
		}
	}
	kind := t.kind()
	if kind == devices.Gone || p.vanishes(t.unsure()) {
		p.gone.Store(true)
		return fault(op, devices.Gone, err)
	}
	return fault(op, kind, err)
}

// vanishes looks whether the device is there; for a while, where it may only be
// about to go.
func (p *Port) vanishes(unsure bool) bool {
	for range grace {
		if p.closed.Load() || !p.host.there(p.device) {
			return true
		}
		if !unsure {
			return false
		}
		time.Sleep(pause)
	}
	return false
}

// Flush forgets what came and was not read: it reads until nothing has come for
// a moment.
func (p *Port) Flush() error {
	leave, err := p.take(context.Background(), flushing, &p.readTurn)
	if err != nil {
		return err
	}
	defer leave()
	clear(p.packet)
	p.rest = nil
	if p.iface.In.Packet == 0 {
		return nil
	}
	defer clear(p.packet)
	enough := time.Now().Add(drained)
	for stalled := false; time.Now().Before(enough); {
		n, err := p.sip(&stalled)
		if troubleOf(err) == troubleCancelled && n == 0 {
			break
		}
		if err != nil && n == 0 {
			return p.failed(context.Background(), flushing, err)
		}
	}
	return p.well(context.Background(), flushing)
}

// sip reads what comes within a moment, at the pace at which the device is asked.
func (p *Port) sip(stalled *bool) (int, error) {
	ctx, cancel := context.WithTimeout(context.Background(), quiet+2*min(p.iface.In.Interval, drained/4))
	defer cancel()
	return p.transfer(ctx, p.iface.In, stalled, func(ctx context.Context) (int, error) {
		return p.pipe.read(ctx, p.packet)
	})
}

// Request is the head of a control transfer (USB 2.0 §9.3).
type Request struct {
	Type, Request uint8 // bmRequestType, of which bit 7 is inward, and bRequest
	Value, Index  uint16
}

// Control runs a control transfer: it sends data, or fills it and tells how much
// came. It waits for the device up to two seconds, or to ctx's deadline if that
// is sooner, and is not cancelled before. A request that the device does not know
// is Unsupported.
func (p *Port) Control(ctx context.Context, r Request, data []byte) (int, error) {
	if len(data) > MaxControl {
		return 0, fault(asking, devices.Unsupported, errTooLong)
	}
	leave, err := p.take(ctx, asking, &p.askTurn)
	if err != nil {
		return 0, err
	}
	defer leave()
	wait := patience
	if until, ok := ctx.Deadline(); ok {
		wait = max(min(wait, time.Until(until)), time.Millisecond)
	}
	n, err := p.pipe.control(r, data, wait)
	switch {
	case troubleOf(err) == troubleStall: // which ends by itself (USB 2.0 §8.5.3.4)
		return 0, fault(asking, devices.Unsupported, err)
	case err != nil:
		return 0, p.failed(ctx, asking, err)
	}
	return min(max(n, 0), len(data)), nil
}

// Close gives the interface back and ends what waits for it.
func (p *Port) Close() (err error) {
	p.closing.Do(func() {
		p.closed.Store(true)
		p.end()
		p.used.Lock()
		defer p.used.Unlock()
		clear(p.packet)
		p.host.leaving(p)
		defer p.host.left(p)
		failed := p.pipe.close()
		if kind := troubleOf(failed).kind(); failed != nil && kind != devices.Gone { // which is as good
			err = fault(closing, kind, failed)
		}
	})
	return err
}

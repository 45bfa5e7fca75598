package usb

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// said is an error as gousb writes it.
func said(t trouble) error {
	for _, x := range transfers {
		if x.trouble == t {
			return errors.New(x.text)
		}
	}
	return errors.New("claiming: libusb: words [code " + itoa(int(t)) + "]")
}

func itoa(n int) string {
	if n < 0 {
		return "-" + itoa(-n)
	}
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + itoa(n%10)
}

// fakeBus is a library with devices made of software.
type fakeBus struct {
	mu       sync.Mutex
	plugged  []Device
	listErr  error
	openErr  error
	fakes    map[string]*fakePipe // by port path
	detached []string
	closes   int
}

func newBus(devices ...Device) *fakeBus {
	b := &fakeBus{plugged: devices, fakes: map[string]*fakePipe{}}
	for _, d := range devices {
		b.fakes[d.PortPath] = newPipe(b)
	}
	return b
}

func (b *fakeBus) start() (library, error) { return b, nil }

func (b *fakeBus) list(inUse func(string) int) ([]Device, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := slices.Clone(b.plugged)
	for i := range all {
		if n := inUse(all[i].PortPath); n > 0 {
			all[i].Configuration = n
		}
	}
	return all, b.listErr
}

func (b *fakeBus) open(d Device, i Interface, detach bool) (pipe, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.openErr != nil {
		return nil, b.openErr
	}
	if detach {
		b.detached = append(b.detached, d.PortPath)
	}
	return b.fakes[d.PortPath], nil
}

func (b *fakeBus) close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closes++
	return nil
}

func (b *fakeBus) unplug(portPath string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.plugged = slices.DeleteFunc(b.plugged, func(d Device) bool { return d.PortPath == portPath })
	b.fakes[portPath].once.Do(func() { close(b.fakes[portPath].pulled) })
}

// fakePipe is the device behind an interface: what it sends lies in packets,
// what it is sent in a buffer with an end.
type fakePipe struct {
	in      chan []byte
	out     chan byte
	pulled  chan struct{}
	once    sync.Once
	dying   error // of transfers when it is pulled out
	script  []move
	cleared []uint8
	asked   []Request
	answer  func(r Request, data []byte) (int, error)
	waited  time.Duration
	closed  bool
}

// move is what a read or write gives before anything else.
type move struct {
	bytes string
	err   error
}

const packetSize = 64

func newPipe(*fakeBus) *fakePipe {
	return &fakePipe{
		in: make(chan []byte, 4096), out: make(chan byte, 96<<10), pulled: make(chan struct{}), dying: said(troubleIO),
	}
}

// send sends what the device has to say, in packets.
func (f *fakePipe) send(b []byte) error {
	for part := range slices.Chunk(b, packetSize) {
		f.in <- slices.Clone(part)
	}
	return nil
}

// take gives what the device was sent.
func (f *fakePipe) take(ctx context.Context, most int) (got []byte, err error) {
	for len(got) < most {
		select {
		case b := <-f.out:
			got = append(got, b)
			continue
		default:
		}
		if len(got) > 0 {
			break
		}
		select {
		case b := <-f.out:
			got = append(got, b)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return got, nil
}

func (f *fakePipe) next() (move, bool) {
	if len(f.script) == 0 {
		return move{}, false
	}
	m := f.script[0]
	f.script = f.script[1:]
	return m, true
}

func (f *fakePipe) read(ctx context.Context, p []byte) (int, error) {
	if m, ok := f.next(); ok {
		return copy(p, m.bytes), m.err
	}
	select {
	case <-ctx.Done():
		return 0, said(troubleCancelled)
	case <-f.pulled:
		return 0, f.dying
	case b := <-f.in:
		return copy(p, b), nil
	}
}

func (f *fakePipe) write(ctx context.Context, p []byte) (int, error) {
	if m, ok := f.next(); ok {
		for _, c := range []byte(m.bytes) {
			f.out <- c
		}
		return len(m.bytes), m.err
	}
	select {
	case <-f.pulled:
		return 0, f.dying
	default:
	}
	for i, b := range p {
		select {
		case f.out <- b:
		case <-ctx.Done():
			return i, said(troubleCancelled)
		case <-f.pulled:
			return i, f.dying
		}
	}
	return len(p), nil
}

func (f *fakePipe) control(r Request, data []byte, patience time.Duration) (int, error) {
	f.asked, f.waited = append(f.asked, r), patience
	if f.answer == nil {
		return 0, said(troubleStall)
	}
	return f.answer(r, data)
}

func (f *fakePipe) clear(endpoint uint8) error {
	f.cleared = append(f.cleared, endpoint)
	return nil
}

func (f *fakePipe) close() error {
	f.closed = true
	return nil
}

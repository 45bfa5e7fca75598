package hub_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/hub"
)

// start runs a hub until the test ends, and holds that nothing is left of it.
// It must be called in a bubble.
func start(tb testing.TB, cfg hub.Config) *hub.Hub {
	tb.Helper()
	h, stop := startStop(tb, cfg)
	tb.Cleanup(stop)
	synctest.Wait()
	return h
}

// startStop runs a hub until stop is called, which may be done twice.
func startStop(tb testing.TB, cfg hub.Config) (h *hub.Hub, stop func()) {
	tb.Helper()
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	h = hub.New(cfg)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- h.Run(ctx) }()
	return h, sync.OnceFunc(func() {
		began := time.Now()
		cancel()
		if err := <-ended; err != nil {
			tb.Errorf("Run ended with %v", err)
		}
		if took := time.Since(began); took > 5*time.Second {
			tb.Errorf("Run took %v to end", took)
		}
		synctest.Wait()
		wantNoGoroutine(tb)
	})
}

// wantNoGoroutine holds that nothing that the hub started is still there.
func wantNoGoroutine(tb testing.TB) {
	tb.Helper()
	for _, stack := range goroutines() {
		tb.Errorf("a goroutine is left:\n%s", stack)
	}
}

// goroutines gives the other goroutines of this bubble that are in the hub.
func goroutines() []string {
	b := make([]byte, 1<<20)
	all := string(b[:runtime.Stack(b, true)])
	mine := bubble(all)
	var left []string
	for i, stack := range strings.Split(all, "\n\n") {
		if i > 0 && bubble(stack) == mine && strings.Contains(stack, "devices/hub.(*Hub)") {
			left = append(left, stack)
		}
	}
	return left
}

// bubble names the bubble of the first goroutine of some stacks: other tests
// run beside this one.
func bubble(stacks string) string {
	head, _, _ := strings.Cut(stacks, "\n")
	if i := strings.Index(head, "synctest bubble"); i >= 0 {
		return strings.TrimSuffix(head[i:], "]:")
	}
	return ""
}

// ports is a source of devices that a test plugs by hand.
type ports struct {
	// open is called for each opening, with its number from 1.
	open func(ctx context.Context, id devices.ID, n int) (io.Closer, error)

	mu       sync.Mutex
	here     []devices.Device
	listErr  error
	watchErr error
	life     time.Duration // of a Watch; 0 is as long as its context
	changed  func(devices.ID)
	opened   []time.Time
	lists    int
	watches  int
	began    time.Time
}

// newPorts gives ports with devices in them; each opens as a driver that does
// nothing until open is set.
func newPorts(here ...devices.Device) *ports {
	return &ports{here: here, began: time.Now(), open: func(context.Context, devices.ID, int) (io.Closer, error) {
		return &driver{}, nil
	}}
}

func (p *ports) Watch(ctx context.Context, changed func(devices.ID)) error {
	p.mu.Lock()
	p.changed = changed
	p.watches++
	err, life := p.watchErr, p.life
	p.mu.Unlock()
	if err != nil {
		return err
	}
	if life > 0 {
		limited, cancel := context.WithTimeout(ctx, life)
		defer cancel()
		ctx = limited
	}
	<-ctx.Done()
	return nil
}

func (p *ports) Devices(context.Context) ([]devices.Device, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lists++
	return slices.Clone(p.here), p.listErr
}

func (p *ports) Open(ctx context.Context, id devices.ID) (io.Closer, error) {
	p.mu.Lock()
	p.opened = append(p.opened, time.Now())
	n := len(p.opened)
	p.mu.Unlock()
	return p.open(ctx, id, n)
}

// set changes the source and tells of the devices given.
func (p *ports) set(change func(), ids ...devices.ID) {
	p.mu.Lock()
	change()
	changed := p.changed
	p.mu.Unlock()
	for _, id := range ids {
		changed(id)
	}
}

// count reads one of the source's counters.
func (p *ports) count(n *int) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return *n
}

// openings gives when it was opened, since it was made.
func (p *ports) openings() []time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	var times []time.Duration
	for _, at := range p.opened {
		times = append(times, at.Sub(p.began))
	}
	return times
}

// driver is an opened camera and printer that does what a test says.
type driver struct {
	frames func(ctx context.Context, deliver func(devices.Frame) bool) error
	print  func(ctx context.Context, job devices.Job) error
	health devices.Health

	mu     sync.Mutex
	closed int
}

func (d *driver) Frames(ctx context.Context, deliver func(devices.Frame) bool) error {
	if d.frames == nil {
		deliver(devices.Frame{Seq: 1})
		return nil
	}
	return d.frames(ctx, deliver)
}

func (d *driver) Print(ctx context.Context, job devices.Job) error {
	if d.print == nil {
		return nil
	}
	return d.print(ctx, job)
}

func (d *driver) Accepts() []devices.JobKind { return []devices.JobKind{devices.Text} }

func (d *driver) Health() devices.Health { return d.health }

func (d *driver) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed++
	return nil
}

func (d *driver) closings() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.closed
}

// usb is a camera and printer in a USB port.
func usb(port string, roles ...devices.Role) devices.Device {
	return devices.Device{
		ID: devices.ID("usb:" + port), Name: "Device in " + port, Roles: roles,
		Can: []devices.Capability{devices.CanFilm, devices.CanPrint},
	}
}

// shot films one frame.
func shot(tb testing.TB, c devices.Camera) error {
	return c.Frames(tb.Context(), func(devices.Frame) bool { return false })
}

// state gives how a device stands: "ready", "faulted/timeout".
func state(tb testing.TB, h *hub.Hub, id devices.ID) string {
	tb.Helper()
	for _, d := range h.Devices() {
		if d.ID == id {
			return stands(d)
		}
	}
	return "unknown"
}

func stands(d devices.Device) string {
	if d.Kind == devices.KindNone {
		return string(d.State)
	}
	return fmt.Sprintf("%s/%s", d.State, d.Kind)
}

func wantState(tb testing.TB, h *hub.Hub, id devices.ID, want string) {
	tb.Helper()
	synctest.Wait()
	if got := state(tb, h, id); got != want {
		tb.Errorf("%s is %s, want %s", id, got, want)
	}
}

func wantKind(tb testing.TB, what string, err error, want devices.Kind) {
	tb.Helper()
	if got := devices.KindOf(err); err == nil || got != want {
		tb.Errorf("%s: got %v, want a Fault of kind %q", what, err, want)
	}
}

// listen collects a hub's events as text, "usb:1 ready", until the test ends.
type listener struct {
	mu     sync.Mutex
	events []devices.Event
}

func listen(tb testing.TB, h *hub.Hub) *listener {
	tb.Helper()
	l := &listener{}
	ctx, cancel := context.WithCancel(context.Background())
	tb.Cleanup(cancel)
	go func() {
		for e := range h.Events(ctx) {
			l.mu.Lock()
			l.events = append(l.events, e)
			l.mu.Unlock()
		}
	}()
	synctest.Wait()
	return l
}

// take gives what came since the last call.
func (l *listener) take() []string {
	synctest.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	var words []string
	for _, e := range l.events {
		words = append(words, strings.TrimPrefix(string(e.Device.ID), "usb:")+" "+stands(e.Device))
	}
	l.events = nil
	return words
}

func wantWords(tb testing.TB, what string, got []string, want ...string) {
	tb.Helper()
	if !slices.Equal(got, want) {
		tb.Errorf("%s: got\n\t%q, want\n\t%q", what, got, want)
	}
}

// settle gives the hub the time to notice what was plugged.
func settle() {
	time.Sleep(time.Second)
	synctest.Wait()
}

// bubbled runs a test in a bubble, beside others.
func bubbled(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, test)
}

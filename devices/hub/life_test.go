package hub_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/hub"
	"github.com/counterproof/counterproof/devices/sim"
)

// TestLife leads a camera once through its life.
func TestLife(t *testing.T) {
	bubbled(t, func(t *testing.T) {
		c := sim.NewCamera(sim.CameraConfig{ID: "usb:1"})
		c.Unplug()
		h := bench(t, c)
		l := listen(t, h)
		wantWords(t, "nothing there", l.take())
		c.Plug()
		settle()
		wantWords(t, "plugged in", l.take(), "1 found", "1 opening", "1 ready")
		if err := shot(t, h.Camera(devices.FaceCamera)); err != nil {
			t.Fatal(err)
		}
		wantWords(t, "used", l.take(), "1 busy", "1 ready")
		c.Stall(true)
		wantKind(t, "stalled", shot(t, h.Camera(devices.FaceCamera)), devices.Timeout)
		c.Stall(false)
		settle()
		wantWords(t, "failed", l.take(), "1 busy", "1 faulted/timeout", "1 opening/timeout", "1 ready")
		c.Unplug()
		settle()
		wantWords(t, "pulled out", l.take(), "1 absent/missing")
	})
}

// TestBackoff watches the pauses between openings that all fail.
func TestBackoff(t *testing.T) {
	bubbled(t, func(t *testing.T) {
		p := newPorts(usb("1"))
		p.open = func(context.Context, devices.ID, int) (io.Closer, error) {
			return nil, &devices.Fault{Op: "opening", Kind: devices.Permission, Rule: "60-counter.rules"}
		}
		h := start(t, hub.Config{Sources: []hub.Source{p}})
		time.Sleep(5 * time.Minute)
		wantState(t, h, "usb:1", "faulted/permission")
		times := p.openings()
		if times[0] != 0 {
			t.Errorf("it was first opened after %v, want at once", times[0])
		}
		for i := range times[1:] {
			least := min(24*time.Second, 250*time.Millisecond<<min(i, 10))
			got := times[i+1] - times[i]
			if got < least || got > least*5/4 || got > 30*time.Second {
				t.Errorf("pause %d is %v, want %v and up to a quarter more", i+1, got, least)
			}
		}
		if n := len(times); n < 14 || n > 20 {
			t.Errorf("it was opened %d times in five minutes", n)
		}
	})
}

// TestBackoffStartsAnew holds what makes the pause short again: plugging in
// again, and an opening that went well.
func TestBackoffStartsAnew(t *testing.T) {
	bubbled(t, func(t *testing.T) {
		var refuse atomic.Bool
		refuse.Store(true)
		p := newPorts(usb("1"))
		p.open = func(context.Context, devices.ID, int) (io.Closer, error) {
			if refuse.Load() {
				return nil, &devices.Fault{Op: "opening", Kind: devices.InUse, Holder: "cheese"}
			}
			return &driver{frames: func(context.Context, func(devices.Frame) bool) error {
				return &devices.Fault{Op: "filming", Kind: devices.Protocol}
			}}, nil
		}
		h := start(t, hub.Config{Sources: []hub.Source{p}})
		time.Sleep(2 * time.Minute) // the pause is 24 s by now
		before := len(p.openings())
		p.set(func() {}, "usb:1") // out and in again, quicker than anybody lists
		time.Sleep(2 * time.Second)
		if got := len(p.openings()) - before; got < 3 {
			t.Errorf("in two seconds after plugging in it was opened %d times, want 3 or 4", got)
		}
		time.Sleep(2 * time.Minute)
		refuse.Store(false)
		time.Sleep(30 * time.Second)
		wantState(t, h, "usb:1", "ready")
		for range 5 {
			wantKind(t, "filming", shot(t, h.Camera("")), devices.Protocol)
			wantState(t, h, "usb:1", "faulted/protocol")
			time.Sleep(320 * time.Millisecond)
			wantState(t, h, "usb:1", "ready")
		}
	})
}

// TestAskedWhileFaulted holds that a person who asks need not wait for the
// pause to end.
func TestAskedWhileFaulted(t *testing.T) {
	bubbled(t, func(t *testing.T) {
		var refuse atomic.Bool
		refuse.Store(true)
		p := newPorts(usb("1"))
		p.open = func(context.Context, devices.ID, int) (io.Closer, error) {
			if refuse.Load() {
				return nil, &devices.Fault{Op: "opening", Kind: devices.Permission, Rule: "60-counter.rules"}
			}
			return &driver{}, nil
		}
		h := start(t, hub.Config{Sources: []hub.Source{p}})
		time.Sleep(90 * time.Second)
		before, began := len(p.openings()), time.Now()
		err := shot(t, h.Camera(devices.FaceCamera))
		wantKind(t, "still forbidden", err, devices.Permission)
		if f, ok := errors.AsType[*devices.Fault](err); !ok || f.Rule == "" || f.Device != "usb:1" {
			t.Errorf("the fault is %+v, want the rule and the device in it", f)
		}
		if got := len(p.openings()) - before; got != 1 {
			t.Errorf("it was opened %d times for one wish, want 1", got)
		}
		refuse.Store(false)
		if err := shot(t, h.Camera(devices.FaceCamera)); err != nil {
			t.Errorf("allowed by now: %v", err)
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("the two calls took %v, want no time", took)
		}
	})
}

// TestAskedWhileOpening holds that a call made right after plugging in waits for
// the opening, and not for longer than its own context.
func TestAskedWhileOpening(t *testing.T) {
	bubbled(t, func(t *testing.T) {
		p := newPorts(usb("1"))
		p.open = func(context.Context, devices.ID, int) (io.Closer, error) {
			time.Sleep(3 * time.Second)
			return &driver{}, nil
		}
		h := start(t, hub.Config{Sources: []hub.Source{p}})
		wantState(t, h, "usb:1", "opening")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := h.Camera("").Frames(ctx, func(devices.Frame) bool { t.Error("a frame came"); return false })
		wantKind(t, "given up", err, devices.Cancelled)
		if err := shot(t, h.Camera("")); err != nil {
			t.Errorf("waiting for the opening: %v", err)
		}
		if got := p.openings(); len(got) != 1 {
			t.Errorf("it was opened %d times, want once", len(got))
		}
	})
}

// TestUnpluggedWhileOpening asks for a device that leaves before it is open.
func TestUnpluggedWhileOpening(t *testing.T) {
	bubbled(t, func(t *testing.T) {
		p := newPorts(usb("1"))
		p.open = func(ctx context.Context, _ devices.ID, _ int) (io.Closer, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		h := start(t, hub.Config{Sources: []hub.Source{p}})
		time.AfterFunc(time.Second, func() { p.set(func() { p.here = nil }, "usb:1") })
		wantKind(t, "pulled out", shot(t, h.Camera("")), devices.Missing)
		wantState(t, h, "usb:1", "absent/missing")
		health, _ := h.Health("usb:1")
		if len(health.Faults) != 0 {
			t.Errorf("pulling out counts as the fault %v", health.Faults)
		}
	})
}

// TestOpeningFaults holds the Kind of everything that an opening can come to.
func TestOpeningFaults(t *testing.T) {
	tests := map[string]struct {
		open func(ctx context.Context) (io.Closer, error)
		want string
	}{
		"fault":      {func(context.Context) (io.Closer, error) { return nil, &devices.Fault{Op: "x", Kind: devices.InUse} }, "faulted/in_use"},
		"permission": {func(context.Context) (io.Closer, error) { return nil, fs.ErrPermission }, "faulted/permission"},
		"no-file":    {func(context.Context) (io.Closer, error) { return nil, fs.ErrNotExist }, "faulted/missing"},
		"strange":    {func(context.Context) (io.Closer, error) { return nil, errors.New("stall") }, "faulted/protocol"},
		"kindless":   {func(context.Context) (io.Closer, error) { return nil, &devices.Fault{Op: "x"} }, "faulted/protocol"},
		"nothing":    {func(context.Context) (io.Closer, error) { return nil, nil }, "faulted/protocol"},
		"for-ever":   {func(ctx context.Context) (io.Closer, error) { <-ctx.Done(); return nil, ctx.Err() }, "faulted/timeout"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			bubbled(t, func(t *testing.T) {
				p := newPorts(usb("1"))
				p.open = func(ctx context.Context, _ devices.ID, n int) (io.Closer, error) {
					if n > 1 {
						time.Sleep(time.Hour) // hold the state to look at
					}
					return tt.open(ctx)
				}
				h := hub.New(hub.Config{Sources: []hub.Source{p}, Patience: time.Second, Log: slog.New(slog.DiscardHandler)})
				ctx, cancel := context.WithCancel(t.Context())
				l := listen(t, h)
				go h.Run(ctx)
				time.Sleep(1100 * time.Millisecond)
				words := l.take()
				isFault := func(word string) bool { return strings.Contains(word, "faulted") }
				if i := slices.IndexFunc(words, isFault); i < 0 || words[i] != "1 "+tt.want {
					t.Errorf("got %q, want %s", words, tt.want)
				}
				cancel()
				time.Sleep(2 * time.Hour)
			})
		})
	}
}

// TestDebounce plugs as a loose cable does.
func TestDebounce(t *testing.T) {
	bubbled(t, func(t *testing.T) {
		c := sim.NewCamera(sim.CameraConfig{ID: "usb:1"})
		c.Unplug()
		h := bench(t, c)
		l := listen(t, h)
		for range 5 {
			c.Plug()
			time.Sleep(100 * time.Millisecond)
			c.Unplug()
			time.Sleep(100 * time.Millisecond)
		}
		settle()
		wantWords(t, "bounced and left out", l.take())
		for range 5 {
			c.Unplug()
			time.Sleep(100 * time.Millisecond)
			c.Plug()
			time.Sleep(100 * time.Millisecond)
		}
		settle()
		wantWords(t, "bounced and left in", l.take(), "1 found", "1 opening", "1 ready")
		c.Unplug()
		time.Sleep(299 * time.Millisecond)
		wantWords(t, "just pulled out", l.take())
		time.Sleep(time.Millisecond)
		wantWords(t, "quiet for 300 ms", l.take(), "1 absent/missing")
	})
}

// TestDebounceIsBounded holds that a source which never rests is listed all the
// same.
func TestDebounceIsBounded(t *testing.T) {
	bubbled(t, func(t *testing.T) {
		p := newPorts()
		h := start(t, hub.Config{Sources: []hub.Source{p}})
		for range 40 {
			p.set(func() { p.here = []devices.Device{usb("1")} }, "usb:2")
			time.Sleep(100 * time.Millisecond)
		}
		wantState(t, h, "usb:1", "ready")
	})
}

// TestPluggedInAgain holds that a device which left and came between two
// listings is opened anew, and that its user hears that it went.
func TestPluggedInAgain(t *testing.T) {
	bubbled(t, func(t *testing.T) {
		p := newPorts(usb("1"))
		first := &driver{frames: func(ctx context.Context, _ func(devices.Frame) bool) error {
			<-ctx.Done() // a driver that notices nothing
			return ctx.Err()
		}}
		p.open = func(_ context.Context, _ devices.ID, n int) (io.Closer, error) {
			if n == 1 {
				return first, nil
			}
			if first.closings() != 1 {
				t.Errorf("opened again when the first was closed %d times", first.closings())
			}
			return &driver{}, nil
		}
		h := start(t, hub.Config{Sources: []hub.Source{p}})
		l := listen(t, h)
		l.take()
		time.AfterFunc(time.Second, func() { p.set(func() {}, "usb:1") })
		wantKind(t, "pulled out in use", shot(t, h.Camera("")), devices.Gone)
		wantWords(t, "in use", l.take(), "1 busy", "1 absent/missing", "1 found", "1 opening", "1 ready")
		if err := shot(t, h.Camera("")); err != nil {
			t.Errorf("the next call: %v", err)
		}
	})
}

// TestOthersStay holds that one device's coming and going does not touch
// another.
func TestOthersStay(t *testing.T) {
	bubbled(t, func(t *testing.T) {
		p := newPorts(usb("1"), usb("2"))
		h := start(t, hub.Config{Sources: []hub.Source{p}})
		l := listen(t, h)
		l.take()
		p.set(func() { p.here = []devices.Device{usb("2"), usb("3")} }, "usb:1", "usb:3")
		settle()
		got := l.take()
		if len(got) != 4 {
			t.Errorf("got %q, want one to leave and one to come", got)
		}
		if n := len(p.openings()); n != 3 {
			t.Errorf("devices were opened %d times, want 3", n)
		}
	})
}

// TestListingFails holds that nobody is thrown out because a bus could not be
// read, and that what changed meanwhile is not forgotten.
func TestListingFails(t *testing.T) {
	bubbled(t, func(t *testing.T) {
		p := newPorts(usb("1"))
		h := start(t, hub.Config{Sources: []hub.Source{p}})
		p.set(func() { p.here, p.listErr = nil, errors.New("bus error") }, "usb:1")
		time.Sleep(20 * time.Second)
		wantState(t, h, "usb:1", "ready")
		if err := shot(t, h.Camera("")); err != nil {
			t.Errorf("filming while the bus cannot be read: %v", err)
		}
		if n := p.count(&p.lists); n < 5 || n > 12 {
			t.Errorf("in 20 s it was listed %d times", n)
		}
		p.set(func() { p.here, p.listErr = []devices.Device{usb("1")}, nil })
		time.Sleep(40 * time.Second)
		if n := len(p.openings()); n != 2 {
			t.Errorf("opened %d times, want a second time: it had been plugged in again", n)
		}
	})
}

// TestWatchingFails holds that a source which cannot watch is still looked at.
func TestWatchingFails(t *testing.T) {
	bubbled(t, func(t *testing.T) {
		p := newPorts()
		p.watchErr = &devices.Fault{Op: "watching", Kind: devices.Unsupported}
		h := start(t, hub.Config{Sources: []hub.Source{p}})
		time.Sleep(5 * time.Minute)
		if n := p.count(&p.watches); n < 12 || n > 25 {
			t.Errorf("in five minutes it was watched %d times", n)
		}
		p.set(func() { p.here = []devices.Device{usb("1")} })
		time.Sleep(31 * time.Second)
		wantState(t, h, "usb:1", "ready")
	})
}

// TestWatchingBreaksNowAndThen holds that a source which watched well for a while
// is not made to wait long when it breaks.
func TestWatchingBreaksNowAndThen(t *testing.T) {
	bubbled(t, func(t *testing.T) {
		p := newPorts()
		p.life = time.Minute
		start(t, hub.Config{Sources: []hub.Source{p}})
		time.Sleep(time.Hour)
		if n := p.count(&p.watches); n < 59 {
			t.Errorf("in an hour it was watched %d times, want 60 or nearly", n)
		}
	})
}

// TestRunOnce holds the life of the hub itself.
func TestRunOnce(t *testing.T) {
	bubbled(t, func(t *testing.T) {
		p := newPorts(usb("1"))
		d := &driver{}
		p.open = func(context.Context, devices.ID, int) (io.Closer, error) { return d, nil }
		h, stop := startStop(t, hub.Config{Sources: []hub.Source{p}})
		synctest.Wait()
		if err := h.Run(t.Context()); err == nil {
			t.Error("a hub runs twice at a time")
		}
		wantState(t, h, "usb:1", "ready")
		stop()
		wantState(t, h, "usb:1", "absent/missing")
		if n := d.closings(); n != 1 {
			t.Errorf("after Run the device was closed %d times, want once", n)
		}
		if got := h.Printer("").Accepts(); got != nil {
			t.Errorf("after Run the printer accepts %q", got)
		}
		p.set(func() { p.here = []devices.Device{usb("2")} }, "usb:2") // a late source harms nobody
		if err := h.Run(t.Context()); err == nil {
			t.Error("a hub runs twice")
		}
	})
}

// TestNothingIsLeft shows that the look-around at the end of every test sees the
// hub's goroutines while they run: Run, two of the source, one of each device.
func TestNothingIsLeft(t *testing.T) {
	bubbled(t, func(t *testing.T) {
		_, stop := startStop(t, hub.Config{Sources: []hub.Source{newPorts(usb("1"), usb("2"))}})
		synctest.Wait()
		if n := len(goroutines()); n != 5 {
			t.Errorf("while it runs %d goroutines are seen, want 5", n)
		}
		stop()
		if n := len(goroutines()); n != 0 {
			t.Errorf("after it %d are seen, want none", n)
		}
	})
}

// TestStopped holds how calls end when the program stops, also with a driver
// that hears nothing.
func TestStopped(t *testing.T) {
	for name, deaf := range map[string]bool{"hears": false, "deaf": true} {
		t.Run(name, func(t *testing.T) {
			bubbled(t, func(t *testing.T) {
				p := newPorts(usb("1"))
				d := &driver{frames: func(ctx context.Context, _ func(devices.Frame) bool) error {
					if deaf {
						time.Sleep(time.Minute)
					}
					<-ctx.Done()
					return ctx.Err()
				}}
				p.open = func(context.Context, devices.ID, int) (io.Closer, error) { return d, nil }
				h, stop := startStop(t, hub.Config{Sources: []hub.Source{p}})
				synctest.Wait()
				result := make(chan error, 1)
				go func() { result <- shot(t, h.Camera("")) }()
				synctest.Wait()
				stop()
				if n := d.closings(); n != 1 {
					t.Errorf("closed %d times when Run had ended, want once", n)
				}
				wantKind(t, "the call", <-result, devices.Cancelled)
			})
		})
	}
}

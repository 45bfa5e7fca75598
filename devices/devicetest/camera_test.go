package devicetest

import (
	"bytes"
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/sim"
)

// framesFunc is a camera made of one function.
type framesFunc func(ctx context.Context, deliver func(devices.Frame) bool) error

func (f framesFunc) Frames(ctx context.Context, deliver func(devices.Frame) bool) error {
	return f(ctx, deliver)
}

// goodCamera is a simulated camera; it is pulled out when the check is over, so
// that a film which nothing else ends ends then.
func goodCamera(tb testing.TB) CameraRig {
	c := sim.NewCamera(sim.CameraConfig{})
	tb.Cleanup(c.Unplug)
	return CameraRig{Camera: c, Unplug: c.Unplug, Plug: func() devices.Camera { c.Plug(); return c }}
}

// spoilt gives a good camera whose Frames go through spoil.
func spoilt(spoil func(good devices.Camera) framesFunc) func(testing.TB) CameraRig {
	return func(tb testing.TB) CameraRig {
		rig := goodCamera(tb)
		rig.Camera = spoil(rig.Camera)
		again := rig.Plug
		rig.Plug = func() devices.Camera { return spoil(again()) }
		return rig
	}
}

// each spoils every frame.
func each(spoil func(n int, f devices.Frame) devices.Frame) func(testing.TB) CameraRig {
	return spoilt(func(good devices.Camera) framesFunc {
		return func(ctx context.Context, deliver func(devices.Frame) bool) error {
			n := 0
			return good.Frames(ctx, func(f devices.Frame) bool {
				n++
				return deliver(spoil(n, f))
			})
		}
	})
}

// ending spoils what a film ends with.
func ending(spoil func(error) error) func(testing.TB) CameraRig {
	return spoilt(func(good devices.Camera) framesFunc {
		return func(ctx context.Context, deliver func(devices.Frame) bool) error {
			return spoil(good.Frames(ctx, deliver))
		}
	})
}

func goodEnd(error) error { return nil }

// deaf goes on filming after its context has ended.
var deaf = spoilt(func(good devices.Camera) framesFunc {
	return func(ctx context.Context, deliver func(devices.Frame) bool) error {
		return good.Frames(context.WithoutCancel(ctx), deliver)
	}
})

// late delivers one more frame after Frames has returned.
var late = spoilt(func(good devices.Camera) framesFunc {
	return func(ctx context.Context, deliver func(devices.Frame) bool) error {
		err := good.Frames(ctx, deliver)
		if err != nil {
			go func() {
				time.Sleep(100 * time.Millisecond)
				deliver(devices.Frame{})
			}()
		}
		return err
	}
})

// queueing keeps every frame for a slow reader.
var queueing = spoilt(func(good devices.Camera) framesFunc {
	return func(ctx context.Context, deliver func(devices.Frame) bool) error {
		filming, stop := context.WithCancel(ctx)
		queue := make(chan devices.Frame, 100)
		ended := make(chan error, 1)
		go func() {
			defer close(queue)
			ended <- good.Frames(filming, func(f devices.Frame) bool { queue <- f; return true })
		}()
		for f := range queue {
			if !deliver(f) {
				stop()
				<-ended
				return nil
			}
		}
		stop()
		return <-ended
	}
})

// many calls from a goroutine for each frame.
var many = spoilt(func(good devices.Camera) framesFunc {
	return func(ctx context.Context, deliver func(devices.Frame) bool) error {
		return good.Frames(ctx, func(f devices.Frame) bool {
			more := make(chan bool)
			go func() { more <- deliver(f) }()
			return <-more
		})
	}
})

// overlapping calls again while deliver works.
var overlapping = spoilt(func(good devices.Camera) framesFunc {
	return func(ctx context.Context, deliver func(devices.Frame) bool) error {
		return good.Frames(ctx, func(f devices.Frame) bool {
			more := make(chan bool, 2)
			for range 2 {
				go func() { more <- deliver(f) }()
			}
			a, b := <-more, <-more
			return a && b
		})
	}
})

// restarting counts its frames from one in every film.
var restarting = spoilt(func(good devices.Camera) framesFunc {
	return func(ctx context.Context, deliver func(devices.Frame) bool) error {
		n := uint64(0)
		return good.Frames(ctx, func(f devices.Frame) bool {
			n++
			f.Seq = n
			return deliver(f)
		})
	}
})

// insistent delivers each frame twice, whatever the answer was.
var insistent = spoilt(func(good devices.Camera) framesFunc {
	return func(ctx context.Context, deliver func(devices.Frame) bool) error {
		return good.Frames(ctx, func(f devices.Frame) bool { deliver(f); return deliver(f) })
	}
})

// shared films for as many as ask, each with a camera of his own.
func shared(tb testing.TB) CameraRig {
	rig := goodCamera(tb)
	rig.Camera = framesFunc(func(ctx context.Context, deliver func(devices.Frame) bool) error {
		return goodCamera(tb).Camera.Frames(ctx, deliver)
	})
	return rig
}

// waiting lets a second user wait for the first.
func waiting(tb testing.TB) CameraRig {
	turn := make(chan struct{}, 1)
	return spoilt(func(good devices.Camera) framesFunc {
		return func(ctx context.Context, deliver func(devices.Frame) bool) error {
			select {
			case turn <- struct{}{}:
			case <-ctx.Done():
				return &devices.Fault{Op: "filming", Kind: devices.Cancelled}
			}
			defer func() { <-turn }()
			return good.Frames(ctx, deliver)
		}
	})(tb)
}

// ghost films on after it was pulled out.
func ghost(tb testing.TB) CameraRig {
	rig := goodCamera(tb)
	rig.Unplug = func() {}
	return rig
}

// silent hangs when it is pulled out, until its context ends.
var silent = spoilt(func(good devices.Camera) framesFunc {
	return func(ctx context.Context, deliver func(devices.Frame) bool) error {
		if err := good.Frames(ctx, deliver); devices.KindOf(err) != devices.Gone {
			return err
		}
		<-ctx.Done()
		return &devices.Fault{Op: "filming", Kind: devices.Cancelled}
	}
})

// dead stays gone when it is plugged in again.
func dead(tb testing.TB) CameraRig {
	rig := goodCamera(tb)
	rig.Plug = func() devices.Camera { return rig.Camera }
	return rig
}

// mute never sends a frame and never fails.
var mute = spoilt(func(devices.Camera) framesFunc {
	return func(ctx context.Context, _ func(devices.Frame) bool) error {
		<-ctx.Done()
		return &devices.Fault{Op: "filming", Kind: devices.Cancelled}
	}
})

func TestCameraSuite(t *testing.T) {
	t.Parallel()
	var buffer []byte
	prove(t, cameraChecks, goodCamera, []control[CameraRig]{
		{"frame-is-a-picture", "half", "is no JPEG", each(func(_ int, f devices.Frame) devices.Frame {
			f.JPEG = f.JPEG[:len(f.JPEG)/2]
			return f
		})},
		{"frame-is-a-picture", "nothing", "is no JPEG", each(func(_ int, f devices.Frame) devices.Frame {
			f.JPEG = nil
			return f
		})},
		{"frame-is-a-picture", "mute", "got 0 and", mute},
		{"frames-in-order", "same-number", "follows frame", each(func(_ int, f devices.Frame) devices.Frame {
			f.Seq = 7
			return f
		})},
		{"frames-in-order", "no-time", "follows frame", each(func(_ int, f devices.Frame) devices.Frame {
			f.At = 0
			return f
		})},
		{"frames-in-order", "before-opening", "before the opening", each(func(n int, f devices.Frame) devices.Frame {
			if n == 1 {
				f.At = -1
			}
			return f
		})},
		{"stops-when-told", "insistent", "2 came", insistent},
		{"stops-when-told", "error", "want nil", ending(func(err error) error {
			return &devices.Fault{Op: "filming", Kind: devices.Cancelled, Err: err}
		})},
		{"films-again", "restarting", "of the same opening", restarting},
		{"ends-with-context", "deaf", "did not end within", deaf},
		{"ends-with-context", "no-fault", "want a Fault", ending(goodEnd)},
		{"ends-with-context", "plain-error", "want a Fault", ending(func(error) error { return context.Canceled })},
		{"ends-with-context", "no-op", "what was done", ending(func(error) error {
			return &devices.Fault{Kind: devices.Cancelled}
		})},
		{"ends-with-context", "late", "after Frames had returned", late},
		{"ended-context-films-nothing", "deaf", "although the context had ended", deaf},
		{"ended-context-films-nothing", "no-fault", "want a Fault", ending(goodEnd)},
		{"one-goroutine", "many", "5 goroutines", many},
		{"one-goroutine", "overlapping", "while it worked", overlapping},
		{"slow-reader-sees-the-newest", "queueing", "waited in a queue", queueing},
		{"slow-reader-sees-the-newest", "no-time", "took no time", each(func(_ int, f devices.Frame) devices.Frame {
			f.At = 0
			return f
		})},
		{"bytes-are-the-callees", "one-buffer", "has changed", each(func(_ int, f devices.Frame) devices.Frame {
			if buffer == nil {
				buffer = make([]byte, len(f.JPEG))
			}
			copy(buffer, f.JPEG)
			f.JPEG = buffer
			return f
		})},
		{"bytes-are-the-callees", "spoilt-source", "is no JPEG", func(tb testing.TB) CameraRig {
			var one []byte
			return each(func(_ int, f devices.Frame) devices.Frame {
				if one == nil {
					one = bytes.Clone(f.JPEG)
				}
				f.JPEG = one
				return f
			})(tb)
		}},
		{"second-user-is-refused", "shared", "films for two", shared},
		{"second-user-is-refused", "waiting", `kind "cancelled"`, waiting},
		{"unplugged-is-gone", "ghost", `kind "cancelled"`, ghost},
		{"unplugged-is-gone", "silent", `kind "cancelled"`, silent},
		{"unplugged-is-gone", "no-fault", "want a Fault", ending(goodEnd)},
		{"unplugged-is-gone", "late", "after Frames had returned", late},
		{"unplugged-films-nothing", "ghost", "pulled out", ghost},
		{"unplugged-films-nothing", "silent", "did not end within", silent},
		{"plugged-in-again-films", "dead", "filming 1 frames", dead},
	})
}

// TestNoHands holds that a rig without hands skips, and does not pass.
func TestNoHands(t *testing.T) {
	t.Parallel()
	bareCamera := func(tb testing.TB) CameraRig { return CameraRig{Camera: goodCamera(tb).Camera} }
	barePrinter := func(tb testing.TB) PrinterRig { return PrinterRig{Printer: goodPrinter(tb).Printer} }
	bareSource := func(tb testing.TB) SourceRig {
		rig := goodSource(tb)
		rig.Plug, rig.Unplug = nil, nil
		return rig
	}
	wantSkips(t, 3, cameraChecks, bareCamera)
	wantSkips(t, 3, printerChecks, barePrinter)
	wantSkips(t, 2, sourceChecks, bareSource)
}

func wantSkips[R any](t *testing.T, want int, checks []check[R], open func(testing.TB) R) {
	t.Helper()
	skips := 0
	for _, c := range checks {
		synctest.Test(t, func(t *testing.T) {
			r := record(t, func(tb testing.TB) { c.look(tb, open(tb)) })
			if len(r.failures) > 0 {
				t.Errorf("%s: %q", c.name, r.failures)
			}
			if r.skipped {
				skips++
			}
		})
	}
	if skips != want {
		t.Errorf("%d checks were skipped, want %d", skips, want)
	}
}

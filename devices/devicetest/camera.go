package devicetest

import (
	"bytes"
	"context"
	"image"
	_ "image/jpeg" // frames are JPEG
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/counterproof/counterproof/devices"
)

// CameraRig is a camera that works, with hands on its plug.
type CameraRig struct {
	Camera devices.Camera
	// Unplug pulls the camera out; nil where nobody can.
	Unplug func()
	// Plug puts it back and gives the camera to use from then on, which may be
	// the same one. It is needed where Unplug is.
	Plug func() devices.Camera
}

// RunCamera holds a camera to the contract of devices.Camera.
func RunCamera(t *testing.T, in Time, open func(testing.TB) CameraRig) {
	t.Helper()
	run(t, in, open, cameraChecks)
}

var cameraChecks = []check[CameraRig]{
	{"frame-is-a-picture", framePicture},
	{"frames-in-order", framesInOrder},
	{"stops-when-told", stopsWhenTold},
	{"films-again", filmsAgain},
	{"ends-with-context", endsWithContext},
	{"ended-context-films-nothing", endedContext},
	{"one-goroutine", oneGoroutine},
	{"slow-reader-sees-the-newest", slowReader},
	{"bytes-are-the-callees", bytesKept},
	{"second-user-is-refused", secondUser},
	{"unplugged-is-gone", unpluggedGone},
	{"unplugged-films-nothing", unpluggedNothing},
	{"plugged-in-again-films", pluggedAgain},
}

// film collects frames until look returns false. It fails the check when no
// frame ends the film in time.
func film(tb testing.TB, camera devices.Camera, look func(devices.Frame) bool) error {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), patience)
	defer cancel()
	return within(tb, patience+promptly, "filming", func() error { return camera.Frames(ctx, look) })
}

// take films n frames.
func take(tb testing.TB, camera devices.Camera, n int) []devices.Frame {
	tb.Helper()
	var frames []devices.Frame
	err := film(tb, camera, func(f devices.Frame) bool {
		frames = append(frames, f)
		return len(frames) < n
	})
	if err != nil || len(frames) != n {
		tb.Fatalf("filming %d frames: got %d and %v", n, len(frames), err)
	}
	return frames
}

func framePicture(tb testing.TB, rig CameraRig) {
	for _, f := range take(tb, rig.Camera, 3) {
		wantPicture(tb, f)
	}
}

func wantPicture(tb testing.TB, f devices.Frame) {
	tb.Helper()
	_, format, err := image.Decode(bytes.NewReader(f.JPEG))
	if err != nil || format != "jpeg" {
		tb.Errorf("frame %d of %d bytes is no JPEG: %q, %v", f.Seq, len(f.JPEG), format, err)
	}
}

func framesInOrder(tb testing.TB, rig CameraRig) {
	frames := take(tb, rig.Camera, 10)
	for i, f := range frames[1:] {
		if before := frames[i]; f.Seq <= before.Seq || f.At <= before.At {
			tb.Errorf("frame %d at %v follows frame %d at %v", f.Seq, f.At, before.Seq, before.At)
		}
	}
	if frames[0].At < 0 {
		tb.Errorf("the first frame is from before the opening: %v", frames[0].At)
	}
}

func stopsWhenTold(tb testing.TB, rig CameraRig) {
	n := 0
	if err := film(tb, rig.Camera, func(devices.Frame) bool { n++; return false }); err != nil {
		tb.Errorf("told to stop: got %v, want nil", err)
	}
	if n != 1 {
		tb.Errorf("told to stop at the first frame, %d came", n)
	}
}

func filmsAgain(tb testing.TB, rig CameraRig) {
	first := take(tb, rig.Camera, 2)
	again := take(tb, rig.Camera, 2)
	if again[0].Seq <= first[1].Seq {
		tb.Errorf("filming again: frame %d follows frame %d of the same opening", again[0].Seq, first[1].Seq)
	}
}

// after watches that nothing is delivered once Frames has returned.
type after struct {
	mu       sync.Mutex
	returned bool
	late     int
}

func (a *after) delivered() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.returned {
		a.late++
	}
}

// end waits long enough for a frame to come too late.
func (a *after) end(tb testing.TB) {
	tb.Helper()
	a.mu.Lock()
	a.returned = true
	a.mu.Unlock()
	wait(tb, time.Second)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.late > 0 {
		tb.Errorf("%d frames came after Frames had returned", a.late)
	}
}

func wait(tb testing.TB, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-tb.Context().Done():
	}
}

func endsWithContext(tb testing.TB, rig CameraRig) {
	ctx, cancel := context.WithCancel(tb.Context())
	defer cancel()
	var a after
	err := within(tb, patience, "filming after its context had ended", func() error {
		return rig.Camera.Frames(ctx, func(devices.Frame) bool {
			a.delivered()
			cancel()
			return true
		})
	})
	wantKind(tb, "the context ended", err, devices.Cancelled)
	a.end(tb)
}

func endedContext(tb testing.TB, rig CameraRig) {
	err := within(tb, promptly, "filming with an ended context", func() error {
		return rig.Camera.Frames(gaveUp(tb), func(devices.Frame) bool {
			tb.Error("a frame came although the context had ended")
			return false
		})
	})
	wantKind(tb, "the context had ended", err, devices.Cancelled)
}

func oneGoroutine(tb testing.TB, rig CameraRig) {
	seen := map[string]bool{}
	var mu sync.Mutex
	inside, n := 0, 0
	err := film(tb, rig.Camera, func(devices.Frame) bool {
		mu.Lock()
		inside++
		n++
		if inside > 1 {
			tb.Error("deliver was called while it worked")
		}
		seen[goroutine()] = true
		more := n < 5
		mu.Unlock()
		wait(tb, 10*time.Millisecond)
		mu.Lock()
		defer mu.Unlock()
		inside--
		return more
	})
	if err != nil {
		tb.Errorf("filming five frames: %v", err)
	}
	if len(seen) != 1 {
		tb.Errorf("frames came from %d goroutines, want 1", len(seen))
	}
}

// goroutine names the goroutine that calls, "goroutine 18".
func goroutine() string {
	b := make([]byte, 64)
	b = b[:runtime.Stack(b, false)]
	name, _, _ := bytes.Cut(b, []byte(" ["))
	return string(name)
}

// slowReader looks at one frame for the time of ten. The frame after it must be
// new, and none of the nine in between may follow.
func slowReader(tb testing.TB, rig CameraRig) {
	frames := take(tb, rig.Camera, 4)
	interval := (frames[3].At - frames[0].At) / time.Duration(max(1, frames[3].Seq-frames[0].Seq))
	if interval <= 0 {
		tb.Fatalf("four frames took no time")
	}
	var slow []devices.Frame
	err := film(tb, rig.Camera, func(f devices.Frame) bool {
		slow = append(slow, f)
		if len(slow) == 1 {
			wait(tb, 10*interval)
		}
		return len(slow) < 4
	})
	if err != nil || len(slow) != 4 {
		tb.Fatalf("filming with a slow reader: got %d frames and %v", len(slow), err)
	}
	if got := slow[1].At - slow[0].At; got < 7*interval {
		tb.Errorf("after ten frames' time the next frame is %v younger, want at least %v: it waited in a queue", got, 7*interval)
	}
	if got := slow[1].Seq - slow[0].Seq; got < 7 {
		tb.Errorf("after ten frames' time the next frame counts %d on, want at least 7", got)
	}
}

// bytesKept spoils each frame after it came: neither a later frame nor a frame
// that was put aside may change.
func bytesKept(tb testing.TB, rig CameraRig) {
	var kept, spare []byte
	n := 0
	err := film(tb, rig.Camera, func(f devices.Frame) bool {
		wantPicture(tb, f)
		if n == 0 {
			kept, spare = f.JPEG, bytes.Clone(f.JPEG)
		} else {
			clear(f.JPEG)
		}
		n++
		return n < 5
	})
	if err != nil {
		tb.Errorf("filming five frames: %v", err)
	}
	if !bytes.Equal(kept, spare) {
		tb.Error("a frame that was kept has changed")
	}
}

// secondUser films from within a film: the second is refused at once, the first
// goes on.
func secondUser(tb testing.TB, rig CameraRig) {
	var second error
	n := 0
	err := film(tb, rig.Camera, func(devices.Frame) bool {
		n++
		if n == 1 {
			ctx, cancel := context.WithTimeout(tb.Context(), promptly)
			defer cancel()
			second = rig.Camera.Frames(ctx, func(devices.Frame) bool {
				tb.Error("the camera films for two")
				return false
			})
		}
		return n < 3
	})
	if err != nil || n != 3 {
		tb.Errorf("the first user got %d frames and %v, want 3", n, err)
	}
	wantKind(tb, "the second user", second, devices.InUse)
}

// needPlug skips the check of a camera that nobody can pull out.
func (rig CameraRig) needPlug(tb testing.TB) {
	tb.Helper()
	if rig.Unplug == nil || rig.Plug == nil {
		tb.Skip("SKIPPED: nobody can pull this camera out by program")
	}
}

func unpluggedGone(tb testing.TB, rig CameraRig) {
	rig.needPlug(tb)
	var a after
	pulled := false
	err := film(tb, rig.Camera, func(devices.Frame) bool {
		a.delivered()
		if !pulled {
			pulled = true
			rig.Unplug()
		}
		return true
	})
	wantKind(tb, "unplugged while filming", err, devices.Gone)
	a.end(tb)
}

func unpluggedNothing(tb testing.TB, rig CameraRig) {
	rig.needPlug(tb)
	rig.Unplug()
	wait(tb, time.Second)
	err := within(tb, promptly, "filming without a camera", func() error {
		return rig.Camera.Frames(tb.Context(), func(devices.Frame) bool {
			tb.Error("a camera films that was pulled out")
			return false
		})
	})
	wantKind(tb, "filming after unplugging", err, devices.Gone, devices.Missing)
}

func pluggedAgain(tb testing.TB, rig CameraRig) {
	rig.needPlug(tb)
	take(tb, rig.Camera, 1)
	rig.Unplug()
	wait(tb, time.Second)
	again := rig.Plug()
	wait(tb, time.Second)
	wantPicture(tb, take(tb, again, 1)[0])
}

package sim_test

import (
	"bytes"
	"context"
	"errors"
	"image/jpeg"
	"testing"
	"testing/synctest"
	"time"

	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/devicetest"
	"github.com/counterproof/counterproof/devices/sim"
)

const interval = time.Second / sim.DefaultRate

func TestCameraContract(t *testing.T) {
	t.Parallel()
	devicetest.RunCamera(t, synctest.Test, func(testing.TB) devicetest.CameraRig {
		c := sim.NewCamera(sim.CameraConfig{})
		return devicetest.CameraRig{
			Camera: c, Unplug: c.Unplug, Plug: func() devices.Camera { c.Plug(); return c },
		}
	})
}

// TestOpenedCameraContract holds the camera as a hub opens it.
func TestOpenedCameraContract(t *testing.T) {
	t.Parallel()
	devicetest.RunCamera(t, synctest.Test, func(tb testing.TB) devicetest.CameraRig {
		c := sim.NewCamera(sim.CameraConfig{Rate: 30})
		bench := sim.NewBench(c)
		open := func() devices.Camera { return openCamera(tb, bench, "sim:camera") }
		return devicetest.CameraRig{
			Camera: open(), Unplug: c.Unplug, Plug: func() devices.Camera { c.Plug(); return open() },
		}
	})
}

func openCamera(tb testing.TB, bench *sim.Bench, id devices.ID) devices.Camera {
	tb.Helper()
	opened, err := bench.Open(tb.Context(), id)
	if err != nil {
		tb.Fatal(err)
	}
	return opened.(devices.Camera)
}

// look films n frames and gives their pictures as text.
func look(t *testing.T, c devices.Camera, n int) []string {
	t.Helper()
	var seen []string
	err := c.Frames(t.Context(), func(f devices.Frame) bool {
		seen = append(seen, string(f.JPEG))
		return len(seen) < n
	})
	if err != nil {
		t.Fatalf("filming: %v", err)
	}
	return seen
}

func equal(t *testing.T, what string, got, want []string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: got %.60q, want %.60q", what, got, want)
		return
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%s, number %d: got %.60q, want %.60q", what, i, got[i], want[i])
		}
	}
}

func TestFrameRate(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		rate float64
		want time.Duration
	}{
		"default": {0, time.Second / 15},
		"thirty":  {30, time.Second / 30},
		"slow":    {0.5, 2 * time.Second},
		"absurd":  {1e12, time.Millisecond},
		"none":    {-3, 1000 * time.Second},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := sim.NewCamera(sim.CameraConfig{Rate: tt.rate})
				began := time.Now()
				look(t, c, 4)
				if got := time.Since(began); got != 4*tt.want {
					t.Errorf("four frames took %v, want %v", got, 4*tt.want)
				}
			})
		})
	}
}

// TestDropped holds what a slow reader gets, frame by frame: after each look of
// two and a half frames' time the newest frame there is.
func TestDropped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := sim.NewCamera(sim.CameraConfig{Rate: 10})
		var seqs []uint64
		err := c.Frames(t.Context(), func(f devices.Frame) bool {
			seqs = append(seqs, f.Seq)
			if got, want := f.At, time.Duration(f.Seq)*100*time.Millisecond; got != want {
				t.Errorf("frame %d was taken at %v, want %v", f.Seq, got, want)
			}
			time.Sleep(250 * time.Millisecond)
			return len(seqs) < 4
		})
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []uint64{1, 3, 6, 8} {
			if seqs[i] != want {
				t.Fatalf("frames %d came, want 1, 3, 6, 8", seqs)
			}
		}
	})
}

func TestEmptyDesk(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		scene := &sim.Scene{}
		for name, pictures := range map[string]sim.Pictures{
			"none": nil, "empty-loop": sim.Loop(), "empty-scene": scene.Picture,
		} {
			desk := look(t, sim.NewCamera(sim.CameraConfig{Pictures: pictures}), 1)[0]
			img, err := jpeg.Decode(bytes.NewReader([]byte(desk)))
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if img.Bounds().Dx() < 640 || img.Bounds().Dy() < 480 {
				t.Errorf("%s: the desk is %v", name, img.Bounds())
			}
		}
	})
}

func TestScene(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		scene := &sim.Scene{}
		c := sim.NewCamera(sim.CameraConfig{Pictures: scene.Picture})
		desk := look(t, c, 1)[0]
		scene.Show([]byte("page"))
		equal(t, "one picture", look(t, c, 3), []string{"page", "page", "page"})
		scene.Show([]byte("front"), []byte("back"))
		equal(t, "two pictures", look(t, c, 3), []string{"front", "back", "front"})
		scene.Clear()
		equal(t, "cleared", look(t, c, 1), []string{desk})

		var seen []string
		err := c.Frames(t.Context(), func(f devices.Frame) bool {
			seen = append(seen, string(f.JPEG))
			scene.Show([]byte("laid down while it films"))
			return len(seen) < 2
		})
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "changed while filming", seen, []string{desk, "laid down while it films"})
	})
}

// trouble films until the film ends, and tells how long that took.
func trouble(t *testing.T, c devices.Camera, begin func()) (frames int, took time.Duration, err error) {
	t.Helper()
	began := time.Now()
	err = c.Frames(t.Context(), func(devices.Frame) bool {
		frames++
		if frames == 1 {
			began = time.Now()
			begin()
		}
		return frames < 100
	})
	return frames, time.Since(began), err
}

func TestFail(t *testing.T) {
	t.Parallel()
	for _, kind := range []devices.Kind{devices.Timeout, devices.InUse, devices.Permission, devices.Protocol} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := sim.NewCamera(sim.CameraConfig{ID: "sim:x"})
				frames, took, err := trouble(t, c, func() { c.Fail(kind) })
				if frames != 1 || took != 0 {
					t.Errorf("in trouble it sent %d frames in %v, want 1 in no time", frames, took)
				}
				wantFault(t, err, kind)
				wantFault(t, c.Frames(t.Context(), func(devices.Frame) bool { return true }), kind)
				_, err = sim.NewBench(c).Open(t.Context(), "sim:x")
				wantFault(t, err, kind)
				if got := c.Device().Kind; got != kind {
					t.Errorf("it says of itself %q, want %q", got, kind)
				}
				c.Fail(devices.KindNone)
				look(t, c, 1)
			})
		})
	}
}

func wantFault(t *testing.T, err error, kind devices.Kind) {
	t.Helper()
	f, ok := errors.AsType[*devices.Fault](err)
	switch {
	case !ok || f.Kind != kind:
		t.Errorf("got %v, want a Fault of kind %q", err, kind)
	case f.Device != "sim:x" || f.Op == "":
		t.Errorf("the fault tells of %q on %q", f.Op, f.Device)
	case (f.Holder != "") != (kind == devices.InUse):
		t.Errorf("the holder of a device in trouble %q is %q", kind, f.Holder)
	}
}

func TestStall(t *testing.T) {
	t.Parallel()
	t.Run("for-ever", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			c := sim.NewCamera(sim.CameraConfig{ID: "sim:x"})
			frames, took, err := trouble(t, c, func() { c.Stall(true) })
			wantFault(t, err, devices.Timeout)
			if frames != 1 || took < sim.Patience || took > sim.Patience+time.Second {
				t.Errorf("stalled it sent %d frames and failed after %v, want 1 and %v", frames, took, sim.Patience)
			}
		})
	})
	t.Run("for-a-while", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			c := sim.NewCamera(sim.CameraConfig{ID: "sim:x"})
			frames, took, err := trouble(t, c, func() {
				c.Stall(true)
				time.AfterFunc(sim.Patience-time.Second, func() { c.Stall(false) })
			})
			if err != nil || frames != 100 {
				t.Errorf("got %d frames and %v, want 100", frames, err)
			}
			if took < sim.Patience-time.Second {
				t.Errorf("a hundred frames took %v although it stalled", took)
			}
		})
	})
	t.Run("given-up", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			c := sim.NewCamera(sim.CameraConfig{ID: "sim:x"})
			c.Stall(true)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			wantFault(t, c.Frames(ctx, func(devices.Frame) bool { return true }), devices.Cancelled)
		})
	})
}

func TestGarble(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := sim.NewCamera(sim.CameraConfig{})
		c.Garble(true)
		bad := look(t, c, 3)
		c.Garble(false)
		good := look(t, c, 1)[0]
		for _, b := range bad {
			if _, err := jpeg.Decode(bytes.NewReader([]byte(b))); err == nil {
				t.Error("a garbled frame can be read")
			}
			if b == "" {
				t.Error("a garbled frame is empty")
			}
		}
		if _, err := jpeg.Decode(bytes.NewReader([]byte(good))); err != nil {
			t.Errorf("mended, it sends %v", err)
		}
	})
}

// TestClosed holds that closing ends a film, and that what was closed or pulled
// out stays dead although the camera is there again.
func TestClosed(t *testing.T) {
	t.Parallel()
	ends := map[string]func(c *sim.Camera, opened devices.Camera){
		"closed":   func(_ *sim.Camera, opened devices.Camera) { opened.(interface{ Close() error }).Close() },
		"replaced": func(c *sim.Camera, _ devices.Camera) { c.Unplug(); c.Plug() },
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := sim.NewCamera(sim.CameraConfig{ID: "sim:x"})
				opened := openCamera(t, sim.NewBench(c), "sim:x")
				_, _, err := trouble(t, opened, func() { end(c, opened) })
				wantFault(t, err, devices.Gone)
				wantFault(t, opened.Frames(t.Context(), func(devices.Frame) bool { return true }), devices.Gone)
				look(t, c, 1)
			})
		})
	}
}

func TestDevice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		roles := []devices.Role{devices.FaceCamera}
		c := sim.NewCamera(sim.CameraConfig{ID: "sim:x", Name: "Left camera", Roles: roles})
		roles[0] = "changed afterwards"
		d := c.Device()
		d.Roles[0], d.Can[0] = "changed", "changed"
		d = c.Device()
		if d.ID != "sim:x" || d.Name != "Left camera" || d.Roles[0] != devices.FaceCamera || d.Can[0] != devices.CanFilm {
			t.Errorf("got %+v", d)
		}
		p := sim.NewPrinter(sim.PrinterConfig{}).Device()
		if p.ID != "sim:printer" || p.Can[0] != devices.CanPrint || len(p.Roles) != 0 {
			t.Errorf("got %+v", p)
		}
		if !d.Training || !p.Training {
			t.Error("a simulated device does not say that it counts only in training")
		}
		if d.State != devices.Found {
			t.Errorf("plugged in it is %q", d.State)
		}
		c.Unplug()
		if d := c.Device(); d.State != devices.Absent || d.Kind != devices.Missing {
			t.Errorf("pulled out it is %q of kind %q", d.State, d.Kind)
		}
	})
}

func TestBenchContract(t *testing.T) {
	t.Parallel()
	devicetest.RunSource(t, synctest.Test, func(tb testing.TB) devicetest.SourceRig {
		c := sim.NewCamera(sim.CameraConfig{Roles: []devices.Role{devices.FaceCamera}})
		p := sim.NewPrinter(sim.PrinterConfig{Folder: tb.TempDir()})
		return devicetest.SourceRig{
			Source: sim.NewBench(c, p), ID: c.Device().ID, Plug: c.Plug, Unplug: c.Unplug,
		}
	})
}

// TestWatchEnds holds that nobody is told who does not listen any more.
func TestWatchEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := sim.NewCamera(sim.CameraConfig{})
		ctx, cancel := context.WithCancel(t.Context())
		told := make(chan devices.ID, 10)
		ended := make(chan error)
		go func() { ended <- sim.NewBench(c).Watch(ctx, func(id devices.ID) { told <- id }) }()
		synctest.Wait()
		c.Unplug()
		c.Unplug() // it is out already
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("watching ended with %v", err)
		}
		c.Plug()
		if n := len(told); n != 1 {
			t.Errorf("it was told %d times, want once", n)
		}
	})
}

// TestHealth holds what an opened device counts: the hub shows it.
func TestHealth(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := sim.NewCamera(sim.CameraConfig{})
		p := sim.NewPrinter(sim.PrinterConfig{Folder: t.TempDir()})
		bench := sim.NewBench(c, p)
		n := 0
		err := openCamera(t, bench, "sim:camera").Frames(t.Context(), func(devices.Frame) bool {
			n++
			time.Sleep(5 * interval / 2)
			return n < 2
		})
		if err != nil {
			t.Fatal(err)
		}
		wantDetails(t, bench, "sim:camera", map[string]int{"frames": 2, "dropped": 1})
		if err := p.Print(t.Context(), devices.Job{Kind: devices.Text, Data: []byte("x")}); err != nil {
			t.Fatal(err)
		}
		wantDetails(t, bench, "sim:printer", map[string]int{"jobs": 1})
	})
}

func wantDetails(t *testing.T, bench *sim.Bench, id devices.ID, want map[string]int) {
	t.Helper()
	opened, err := bench.Open(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	h := opened.(interface{ Health() devices.Health }).Health()
	if h.Firmware == "" {
		t.Errorf("%s tells no firmware", id)
	}
	for name, n := range want {
		if h.Details[name] != n {
			t.Errorf("%s counts %v, want %v", id, h.Details, want)
		}
	}
}

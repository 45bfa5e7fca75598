package camera

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/devicetest"
	"github.com/counterproof/counterproof/devices/internal/port/video"
)

// chart is a picture with edges and colours.
func chart(w, h int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.Set(x, y, color.RGBA{uint8(x * 255 / w), uint8(y * 255 / h), uint8((x / 16 % 2) * 200), 255})
		}
	}
	return img
}

func encoded(tb testing.TB, img image.Image) []byte {
	tb.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 90}); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// bare is a picture as many cameras send it: without tables, filled with zeros.
func bare(tb testing.TB, b []byte) []byte {
	tb.Helper()
	at := bytes.Index(b, []byte{0xff, markHuffman})
	n := 2 + int(b[at+2])<<8 + int(b[at+3])
	out := slices.Concat(b[:at], b[at+n:], make([]byte, 700))
	if _, err := jpeg.Decode(bytes.NewReader(out)); err == nil {
		tb.Fatal("it can be read without its tables")
	}
	return out
}

func TestCompletesPictures(t *testing.T) {
	t.Parallel()
	whole := encoded(t, chart(64, 48))
	want, err := jpeg.Decode(bytes.NewReader(whole))
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{
		"whole": whole, "with-zeros-behind": slices.Concat(whole, make([]byte, 999)), "without-tables": bare(t, whole),
	} {
		out, err := complete(b)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got, err := jpeg.Decode(bytes.NewReader(out))
		if err != nil || got.Bounds() != want.Bounds() || got.At(40, 20) != want.At(40, 20) {
			t.Errorf("%s: another picture, %v", name, err)
		}
	}
	for name, b := range map[string][]byte{
		"nothing": nil, "no-picture": []byte("GIF89a, not a picture"), "no-scan": whole[:30], "no-end": whole[:len(whole)-2],
		"length-beyond": {0xff, 0xd8, 0xff, 0xe0, 0xff, 0xff, 1}, "no-length": {0xff, 0xd8, 0xff},
	} {
		if out, err := complete(b); err == nil {
			t.Errorf("%s: %d bytes were made of it", name, len(out))
		}
	}
}

func FuzzComplete(f *testing.F) {
	whole := encoded(f, chart(16, 16))
	f.Add(whole)
	f.Add(bare(f, whole))
	f.Add([]byte{0xff, 0xd8, 0xff, 0xff, 0xff, 0xda})
	f.Fuzz(func(t *testing.T, b []byte) {
		out, err := complete(b)
		if err == nil && (len(out) > len(b)+len(usualTables()) || !bytes.HasSuffix(out, []byte{0xff, markEnd})) {
			t.Errorf("of %d bytes %d were made", len(b), len(out))
		}
	})
}

// raw is a picture as pairs of pixels, with some bytes beyond each line.
func raw(w, h, beyond int) video.Picture {
	img := chart(w, h)
	p := video.Picture{Mode: video.Mode{Format: video.YUYV, Width: w, Height: h, Stride: 2*w + beyond}}
	p.Data = make([]byte, h*p.Stride)
	for y := range h {
		for x := range w {
			c := img.RGBAAt(x, y)
			luma, cb, cr := color.RGBToYCbCr(c.R, c.G, c.B)
			p.Data[y*p.Stride+2*x] = luma
			p.Data[y*p.Stride+2*x+1] = []byte{cb, cr}[x%2]
		}
	}
	return p
}

func TestRawPictures(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ w, h, beyond int }{{64, 48, 0}, {64, 48, 32}, {63, 47, 1}} {
		b, err := picture(raw(c.w, c.h, c.beyond))
		if err != nil {
			t.Fatalf("%+v: %v", c, err)
		}
		got, err := jpeg.Decode(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		r, g, _, _ := got.At(8, 40).RGBA()
		want := chart(c.w, c.h).RGBAAt(8, 40)
		if near := func(a uint32, b uint8) bool { return max(int(a>>8), int(b))-min(int(a>>8), int(b)) < 16 }; !near(r, want.R) || !near(g, want.G) {
			t.Errorf("%+v: at a point it is %d %d, want %d %d", c, r>>8, g>>8, want.R, want.G)
		}
	}
	for name, spoil := range map[string]func(*video.Picture){
		"short":  func(p *video.Picture) { p.Data = p.Data[:len(p.Data)-8] },
		"stride": func(p *video.Picture) { p.Stride = 3 },
		"empty":  func(p *video.Picture) { p.Width, p.Height = 0, 0 },
	} {
		p := raw(64, 48, 0)
		spoil(&p)
		if _, err := picture(p); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// reel is a camera's film of one picture.
type reel struct {
	frame video.Picture
	has   []video.Control

	began  time.Time
	left   int // frames until it is pulled out; negative for no end
	set    map[video.ControlID]int
	closed chan struct{}
	once   sync.Once
}

func newReel(tb testing.TB) *reel {
	return &reel{
		frame: video.Picture{Mode: video.Mode{Format: video.MJPEG, Width: 64, Height: 48}, Data: encoded(tb, chart(64, 48))},
		began: time.Now(), left: -1, set: map[video.ControlID]int{}, closed: make(chan struct{}),
		has: []video.Control{{ID: video.AutoExposure, Max: 3}, {ID: video.AutoFocus, Max: 1}, {ID: video.Focus, Min: 10, Max: 250}},
	}
}

func (r *reel) Next(ctx context.Context) (video.Picture, error) {
	frame := time.NewTimer(time.Second / 30)
	defer frame.Stop()
	select {
	case <-r.closed:
	case <-ctx.Done():
		return video.Picture{}, &devices.Fault{Kind: devices.Cancelled, Err: context.Cause(ctx)}
	case <-frame.C:
		if r.left != 0 {
			r.left--
			p := r.frame
			p.Seq = uint32(time.Since(r.began) * 30 / time.Second)
			p.Data = slices.Clone(p.Data)
			return p, nil
		}
	}
	return video.Picture{}, &devices.Fault{Kind: devices.Gone}
}

func (r *reel) Controls() []video.Control { return r.has }

func (r *reel) Set(id video.ControlID, value int) error {
	if id == video.AutoFocus {
		return &devices.Fault{Kind: devices.Unsupported}
	}
	r.set[id] = value
	return nil
}

func (r *reel) Close() error {
	r.once.Do(func() { close(r.closed) })
	return nil
}

func TestCameraSettings(t *testing.T) {
	t.Parallel()
	r := newReel(t)
	c := wrap(Config{ID: "usb:1-2", Settings: map[string]int{"focus": 900, "exposure": 5}}, r)
	if r.set[video.AutoExposure] != 3 || r.set[video.Focus] != 250 || len(r.set) != 2 {
		t.Errorf("put were %v", r.set)
	}
	if got := c.Health().Details["settings_refused"]; got != 1 {
		t.Errorf("%d refusals are counted, want 1", got)
	}
	if !slices.Contains(SettingNames(), "focus") {
		t.Errorf("the names are %v", SettingNames())
	}
}

func TestCameraDamage(t *testing.T) {
	t.Parallel()
	r := newReel(t)
	r.frame.Data = r.frame.Data[:200]
	c := wrap(Config{ID: "usb:1-2"}, r)
	err := c.Frames(t.Context(), func(devices.Frame) bool {
		t.Error("a torn picture is delivered")
		return true
	})
	if devices.KindOf(err) != devices.Protocol || c.Health().Details["damaged_frames"] != maxBad {
		t.Errorf("got %v, %v", err, c.Health().Details)
	}
	r = newReel(t)
	r.frame.Broken, r.left = true, 3
	if err := wrap(Config{}, r).Frames(t.Context(), nil); devices.KindOf(err) != devices.Gone {
		t.Errorf("frames that the camera calls broken: %v", err)
	}
}

// TestCamera holds the driver to what every camera keeps.
func TestCamera(t *testing.T) {
	t.Parallel()
	in := func(t *testing.T, check func(*testing.T)) { synctest.Test(t, check) }
	devicetest.RunCamera(t, in, func(tb testing.TB) devicetest.CameraRig {
		r := newReel(tb)
		open := func() devices.Camera { return wrap(Config{ID: "usb:1-2"}, r) }
		return devicetest.CameraRig{
			Camera: open(), Unplug: func() { close(r.closed) },
			Plug: func() devices.Camera {
				r = newReel(tb)
				return open()
			},
		}
	})
}

func TestFramesAreCounted(t *testing.T) {
	t.Parallel()
	c := &Camera{}
	var got []uint64
	for _, n := range []uint32{7, 8, 11, 11, 0, 4294967295, 1} {
		c.advance(n)
		got = append(got, c.seq)
	}
	if want := []uint64{1, 2, 5, 6, 7, 8, 10}; !slices.Equal(got, want) {
		t.Errorf("counted %v, want %v", got, want)
	}
}

func TestClosedCamera(t *testing.T) {
	t.Parallel()
	c := wrap(Config{ID: "usb:1-2"}, newReel(t))
	if err := errors.Join(c.Close(), c.Close()); err != nil {
		t.Error(err)
	}
	if err := c.Frames(t.Context(), nil); devices.KindOf(err) != devices.Gone {
		t.Errorf("a closed camera films: %v", err)
	}
	if _, err := Open(Config{ID: "usb:1-2", Node: t.TempDir() + "/video0"}); devices.KindOf(err) != devices.Missing {
		t.Errorf("a node that is not there: %v", err)
	}
}

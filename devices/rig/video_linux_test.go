package rig

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/internal/port/video"
	"github.com/counterproof/counterproof/devices/sim/usbip"
)

// Size of the pictures of the camera of Go code.
const width, height = 640, 480

// newCamera makes a camera whose nth picture has one grey all over.
func newCamera(t *testing.T) *usbip.Camera {
	t.Helper()
	var pictures [][]byte
	for n := range 4 {
		grey := image.NewGray(image.Rect(0, 0, width, height))
		for i := range grey.Pix {
			grey.Pix[i] = byte(40 * n)
		}
		var b bytes.Buffer
		if err := jpeg.Encode(&b, grey, nil); err != nil {
			t.Fatal(err)
		}
		pictures = append(pictures, b.Bytes())
	}
	return usbip.NewCamera(someone("CAMERA"), usbip.CameraSpec{
		Width: width, Height: height, Every: 50 * time.Millisecond,
		Picture: func(n int) []byte { return pictures[n%len(pictures)] },
	})
}

// openVideo opens a camera as the counter does.
func openVideo(t *testing.T, node string, w video.Wish) *video.Camera {
	t.Helper()
	c, err := video.Open(node, w)
	if err != nil {
		t.Fatalf("opening %s: %v", node, err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// TestCamera films with a camera of Go code through the kernel's USB video
// driver, and pulls its cable.
func TestCamera(t *testing.T) {
	Enter(t)
	t.Parallel()
	cable := Attach(t, newCamera(t).Device)
	c := openVideo(t, cable.Port().Node(t, "video4linux"), video.Wish{})
	if m := c.Mode(); m.Format != video.MJPEG || m.Width != width || m.Height != height {
		t.Errorf("it films as %+v", m)
	}
	shades := map[byte]bool{}
	for range 10 {
		p, err := c.Next(t.Context())
		if err != nil {
			t.Fatalf("filming: %v", err)
		}
		picture, err := jpeg.Decode(bytes.NewReader(p.Data))
		if err != nil || p.Broken {
			t.Fatalf("a picture of %d bytes, broken %v: %v", len(p.Data), p.Broken, err)
		}
		shades[color.GrayModel.Convert(picture.At(9, 9)).(color.Gray).Y] = true
	}
	if len(shades) < 2 {
		t.Errorf("every picture is the same: %v", shades)
	}
	cable.Unplug(t)
	holdGone(t, c)
}

// holdGone holds a camera to notice that it was pulled out, and to stay so.
func holdGone(t *testing.T, c *video.Camera) {
	t.Helper()
	began := time.Now()
	var err error
	for err == nil && time.Since(began) < patience {
		_, err = c.Next(t.Context())
	}
	if devices.KindOf(err) != devices.Gone {
		t.Errorf("after pulling: %v, want gone", err)
	}
	t.Logf("noticed after %v", time.Since(began).Round(time.Millisecond))
	if _, err := c.Next(t.Context()); devices.KindOf(err) != devices.Gone {
		t.Errorf("asked again: %v, want gone", err)
	}
}

// TestCameraPulled pulls the cable in the middle of a picture.
func TestCameraPulled(t *testing.T) {
	Enter(t)
	t.Parallel()
	camera := newCamera(t)
	camera.Script(usbip.Trouble{Endpoint: usbip.CameraIn, At: 9_000, Kind: usbip.Unplug})
	cable := Attach(t, camera.Device)
	holdGone(t, openVideo(t, cable.Port().Node(t, "video4linux"), video.Wish{}))
	cable.Plug(t)
	c := openVideo(t, cable.Port().Node(t, "video4linux"), video.Wish{})
	if _, err := c.Next(t.Context()); err != nil {
		t.Errorf("plugged in again: %v", err)
	}
}

// TestVivid films with the kernel's camera that has no USB: raw pictures.
func TestVivid(t *testing.T) {
	Enter(t)
	t.Parallel()
	all, err := filepath.Glob("/sys/devices/platform/vivid.0/video4linux/video*")
	if err != nil || len(all) == 0 {
		t.Fatalf("the machine has no vivid camera: %v", err)
	}
	node := nodeName(all[0])
	if _, err := os.Stat(node); err != nil {
		t.Fatal(err)
	}
	c := openVideo(t, node, video.Wish{Width: 640, Height: 360})
	m := c.Mode()
	for range 5 {
		p, err := c.Next(t.Context())
		if err != nil || p.Broken || len(p.Data) != m.Stride*m.Height {
			t.Fatalf("%d bytes of %+v, broken %v: %v", len(p.Data), m, p.Broken, err)
		}
	}
}

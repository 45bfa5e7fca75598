package doctor_test

import (
	"image"
	"image/color"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/doctor"
)

// plain is a picture of one brightness, a share of which is washed out.
func plain(level uint8, washed float64) image.Image {
	img := image.NewGray(image.Rect(0, 0, 160, 120))
	for i := range img.Pix {
		img.Pix[i] = level + uint8(i%20)
		if float64(i) < washed*float64(len(img.Pix)) {
			img.Pix[i] = 255
		}
	}
	return img
}

// filmed is what a meter says of frames at a rate.
func filmed(rate float64, frames ...image.Image) api.Light {
	var m doctor.Meter
	for i, f := range frames {
		m.Add(f, time.Duration(float64(i)/rate*float64(time.Second)))
	}
	return m.Light("document_camera")
}

// times repeats pictures.
func times(n int, of ...image.Image) (all []image.Image) {
	for i := range n {
		all = append(all, of[i%len(of)])
	}
	return all
}

func TestTheMeterJudgesAPlace(t *testing.T) {
	t.Parallel()
	good := plain(130, 0)
	for _, c := range []struct {
		name   string
		frames []image.Image
		rate   float64
		want   api.FindingCode
	}{
		{"good", times(20, good), 15, ""},
		{"dark", times(20, plain(12, 0)), 15, api.CameraDark},
		{"dark-though-a-lamp-is-in-sight", times(20, plain(12, 0.05)), 15, api.CameraDark},
		{"bright", times(20, plain(225, 0)), 15, api.CameraBright},
		{"washed-out", times(20, plain(130, 0.4)), 15, api.CameraBright},
		{"glare", times(20, plain(130, 0.1)), 15, api.CameraGlare},
		{"flicker", times(20, good, plain(160, 0)), 15, api.CameraFlicker},
		{"slow", times(20, good), 3, api.CameraSlow},
		{"too-few-to-tell", times(3, good, plain(160, 0)), 3, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if l := filmed(c.rate, c.frames...); l.Finding != c.want {
				t.Errorf("got %q, want %q: %+v", l.Finding, c.want, l)
			}
		})
	}
}

func TestTheMeterMeasures(t *testing.T) {
	t.Parallel()
	l := filmed(10, times(40, plain(100, 0))...)
	if l.Mean < 106 || l.Mean > 111 || l.Contrast < 12 || l.Contrast > 19 || l.Glare != 0 || l.Flicker != 0 || l.Rate < 9.9 || l.Rate > 10.1 || l.Frames != 30 {
		t.Errorf("got %+v", l)
	}
}

func TestTheMeterForgetsWhatWasBefore(t *testing.T) {
	t.Parallel()
	frames := append(times(30, plain(5, 0)), times(30, plain(130, 0))...)
	if l := filmed(15, frames...); l.Finding != "" {
		t.Errorf("after the lamp was switched on: %+v", l)
	}
}

func TestTheMeterTakesAnyPicture(t *testing.T) {
	t.Parallel()
	var m doctor.Meter
	if l := m.Light("x"); l.Finding != "" || l.Frames != 0 {
		t.Errorf("without a frame: %+v", l)
	}
	for _, img := range []image.Image{
		image.NewGray(image.Rectangle{}), image.NewRGBA(image.Rect(-3, -3, 1, 1)), image.NewUniform(color.White),
	} {
		if _, endless := img.(*image.Uniform); !endless {
			m.Add(img, 0)
		}
	}
	if l := m.Light("x"); l.Frames != 2 || l.Rate != 0 {
		t.Errorf("got %+v", l)
	}
}

func BenchmarkMeter(b *testing.B) {
	img := image.NewYCbCr(image.Rect(0, 0, 1920, 1080), image.YCbCrSubsampleRatio420)
	var m doctor.Meter
	for b.Loop() {
		m.Add(img, 0)
	}
}

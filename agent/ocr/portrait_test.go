package ocr

import (
	"image"
	"image/color"
	"math"
	"testing"

	"github.com/counterproof/counterproof/agent/mrz"
)

// placed is a reading of a format whose zone starts at a place, runs at an angle
// in degrees and has so many pixels a millimetre.
func placed(f mrz.Format, x, y, angle, scale float64) Reading {
	sin, cos := math.Sincos(angle * math.Pi / 180)
	width := float64(f.Lines()[0]) * 2.54 * scale
	at := func(right, down float64) image.Point {
		return image.Pt(int(math.Round(x+right*cos-down*sin)), int(math.Round(y+right*sin+down*cos)))
	}
	return Reading{
		Accepted: true, Format: f, Lines: []string{"x"},
		Corners: [4]image.Point{at(0, 0), at(width, 0), at(width, 9*scale), at(0, 9*scale)},
	}
}

func TestPortraitZoneHoldsThePhotoBox(t *testing.T) {
	t.Parallel()
	r := newReader(t)
	for _, tr := range truths(t) {
		img := photograph(t, tr.File)
		zone := PortraitZone(r.Read(img, today), img.Bounds())
		if zone.Empty() {
			t.Errorf("%s: no zone", tr.File)
		}
		for i, p := range tr.Portrait {
			if !p.In(zone.Inset(-4)) {
				t.Errorf("%s: corner %d of the photo box at %v is outside %v", tr.File, i, p, zone)
			}
		}
	}
}

func TestPortraitIsUpright(t *testing.T) {
	t.Parallel()
	const scale = 4.0
	for _, angle := range []float64{0, 90, 180, 270, 7, -11} {
		// Green above the zone's left end, where heads are, red at its right.
		img := image.NewRGBA(image.Rect(0, 0, 1000, 1000))
		r := placed(mrz.TD3, 500, 500, angle, scale)
		o, ok := page(r)
		if !ok {
			t.Fatal("no page")
		}
		for up := 0.0; up < 70; up += 0.2 {
			for right := -8.0; right < 45; right += 0.2 {
				x, y := o.at(right, up)
				c := color.RGBA{200, 30, 30, 255}
				if right < 17 && up > 30 {
					c = color.RGBA{30, 200, 30, 255}
				}
				img.SetRGBA(int(math.Round(x)), int(math.Round(y)), c)
			}
		}
		cut, ok := Portrait(img, r)
		if !ok {
			t.Errorf("at %.0f degrees: nothing was cut out", angle)
			continue
		}
		b := cut.Bounds()
		green := func(u, v float64) bool {
			r, g, _, _ := cut.At(int(u*float64(b.Dx())), int(v*float64(b.Dy()))).RGBA()
			return g > r
		}
		if !green(0.2, 0.2) || green(0.8, 0.2) || green(0.2, 0.9) {
			t.Errorf("at %.0f degrees: the portrait is not upright", angle)
		}
		if want := math.Round(54 * scale); math.Abs(float64(b.Dx())-want) > 2 {
			t.Errorf("at %.0f degrees: %d pixels wide, want %.0f", angle, b.Dx(), want)
		}
	}
}

func TestPortraitRefuses(t *testing.T) {
	t.Parallel()
	img := image.NewGray(image.Rect(0, 0, 1000, 800))
	for name, r := range map[string]Reading{
		"nothing read":               {Format: mrz.Unknown},
		"a zone without lines":       {Format: mrz.TD3},
		"a zone of no width":         {Format: mrz.TD3, Lines: []string{"x"}},
		"a format without portraits": placed(mrz.CHDL, 200, 600, 0, 4),
		"too far away":               placed(mrz.TD1, 200, 600, 0, 1),
		"outside of the picture":     placed(mrz.TD3, 200, -500, 0, 4),
		"mostly above the picture":   placed(mrz.TD3, 200, 60, 0, 4),
	} {
		if _, ok := Portrait(img, r); ok {
			t.Errorf("%s: a portrait was cut out", name)
		}
	}
	huge := placed(mrz.TD3, 3000, 9000, 0, 120)
	if cut, ok := Portrait(image.NewGray(image.Rect(0, 0, 9999, 9999)), huge); !ok || cut.Bounds().Dy() > mostPortrait {
		t.Errorf("of a huge picture: %v, cut out %v", ok, cut.Bounds())
	}
}

func TestPortraitOfAShiftedPicture(t *testing.T) {
	t.Parallel()
	r := placed(mrz.TD3, 300, 500, 0, 4)
	plain := image.NewGray(image.Rect(0, 0, 1000, 700))
	for i := range plain.Pix {
		plain.Pix[i] = uint8(i*31 + i/1000*7)
	}
	shifted := &image.Gray{Pix: plain.Pix, Stride: plain.Stride, Rect: plain.Rect.Add(image.Pt(40, 90))}
	a, okA := Portrait(plain, r)
	b, okB := Portrait(shifted, r)
	if !okA || !okB || a.Bounds() != b.Bounds() {
		t.Fatalf("cut out %v and %v", okA, okB)
	}
	for _, p := range []image.Point{{10, 10}, {90, 200}, {150, 30}} {
		if a.At(p.X, p.Y) != b.At(p.X, p.Y) {
			t.Errorf("at %v: %v and %v", p, a.At(p.X, p.Y), b.At(p.X, p.Y))
		}
	}
}

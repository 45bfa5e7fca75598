package specimen

import (
	"image"
	"math"
	"math/rand/v2"
	"testing"
)

func TestMappingTakesCornersToCorners(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	from := rect(image.Rect(0, 0, 200, 100))
	for range 50 {
		to := from
		for i := range to {
			to[i][0] += between(r, -30, 30)
			to[i][1] += between(r, -30, 30)
		}
		there, back := mapping(from, to), mapping(to, from)
		got := there.through(from)
		for i := range got {
			if math.Hypot(got[i][0]-to[i][0], got[i][1]-to[i][1]) > 1e-6 {
				t.Fatalf("corner %d: got %v, want %v", i, got[i], to[i])
			}
		}
		x, y := back.at(there.at(70, 40))
		if math.Hypot(x-70, y-40) > 1e-6 {
			t.Fatalf("there and back: %f,%f", x, y)
		}
	}
}

func TestSoftenSpreadsAPoint(t *testing.T) {
	t.Parallel()
	for _, sigma := range []float64{0.35, 0.8, 1.7, 4, 9} {
		f := newFrame(121, 101)
		f.planes[1][50*121+60] = 1000
		f.soften(sigma)
		var sum, across, down float64
		for i, v := range f.planes[1] {
			x, y := float64(i%121)-60, float64(i/121)-50
			sum += float64(v)
			across += float64(v) * x * x
			down += float64(v) * y * y
		}
		if math.Abs(sum-1000) > 1 {
			t.Errorf("sigma %.2f: %.1f of 1000 is left", sigma, sum)
		}
		for _, got := range []float64{math.Sqrt(across / sum), math.Sqrt(down / sum)} {
			if math.Abs(got-sigma) > 0.02*sigma+0.01 {
				t.Errorf("sigma %.2f: spread by %.3f", sigma, got)
			}
		}
	}
}

func TestSoftenKeepsAnEvenPicture(t *testing.T) {
	t.Parallel()
	f := newFrame(20, 10)
	for i := range f.planes[0] {
		f.planes[0][i] = 77
	}
	f.soften(6)
	for i, v := range f.planes[0] {
		if math.Abs(float64(v)-77) > 0.01 {
			t.Fatalf("pixel %d is %f", i, v)
		}
	}
}

func TestSmearDrawsALine(t *testing.T) {
	t.Parallel()
	f := newFrame(41, 41)
	f.planes[2][20*41+20] = 90
	f.smear(9, 0)
	lit := 0
	for i, v := range f.planes[2] {
		if v > 1 {
			lit++
			if i/41 != 20 {
				t.Errorf("a level smear reached row %d", i/41)
			}
		}
	}
	if lit != 9 {
		t.Errorf("%d pixels are lit, want 9", lit)
	}
}

func TestLightFallsUnevenly(t *testing.T) {
	t.Parallel()
	f := newFrame(100, 50)
	for i := range f.planes[0] {
		f.planes[0][i] = 100
	}
	f.light(0.2, 0)
	if left, right := f.planes[0][0], f.planes[0][99]; left > 91 || right < 109 {
		t.Errorf("from %.0f to %.0f, want 90 to 110", left, right)
	}
}

func TestLayCoversWhatTheOutlineSays(t *testing.T) {
	t.Parallel()
	page := image.NewRGBA(image.Rect(0, 0, 60, 40))
	for i := range page.Pix {
		page.Pix[i] = 200
	}
	outline := Corners{{20, 20}, {80, 20}, {80, 60}, {20, 60}}
	f := newFrame(100, 80)
	f.lay(page, mapping(rect(page.Rect), outline), mapping(outline, rect(page.Rect)), 1)
	if v := f.planes[0][40*100+50]; math.Abs(float64(v)-200) > 1 {
		t.Errorf("the middle is %.0f, want 200", v)
	}
	if v := f.planes[0][40*100+10]; v != 0 {
		t.Errorf("beside the page is %.0f, want the desk", v)
	}
}

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

func TestBoxFilterMeetsAnyWidth(t *testing.T) {
	t.Parallel()
	for _, sigma := range []float64{0.3, 0.5, 1, 1.41, 2.7, 6, 20} {
		b := boxFor(sigma)
		if b.whole < 0 || b.part < 0 || b.part > 1.001 {
			t.Errorf("sigma %.2f: %+v", sigma, b)
		}
		n, part := float64(b.whole), float64(b.part)
		sum := 0.0 // of the squared distances, weighed
		for i := 1.0; i <= n; i++ {
			sum += 2 * i * i
		}
		sum += 2 * part * (n + 1) * (n + 1)
		if got := math.Sqrt(boxes * sum / (2*n + 1 + 2*part)); math.Abs(got-sigma) > 1e-3*sigma {
			t.Errorf("sigma %.2f: three boxes come to %.4f", sigma, got)
		}
	}
}

func TestNoiseAndDarkness(t *testing.T) {
	t.Parallel()
	even := func() *frame {
		f := newFrame(200, 100)
		for c := range f.planes {
			for i := range f.planes[c] {
				f.planes[c][i] = 120
			}
		}
		return f
	}
	spread := func(f *frame) (mean, sigma float64) {
		n := float64(len(f.planes[0]))
		for _, v := range f.planes[0] {
			mean += float64(v) / n
		}
		for _, v := range f.planes[0] {
			sigma += (float64(v) - mean) * (float64(v) - mean) / n
		}
		return mean, math.Sqrt(sigma)
	}
	noisy := even()
	noisy.noise(rand.New(rand.NewPCG(1, 1)), 3)
	if mean, sigma := spread(noisy); math.Abs(mean-120) > 0.2 || math.Abs(sigma-3) > 0.2 {
		t.Errorf("noise of 3: mean %.2f, sigma %.2f", mean, sigma)
	}
	dark := even()
	dark.darken(rand.New(rand.NewPCG(1, 1)), 0.2)
	mean, sigma := spread(dark)
	if mean > 45 || sigma < 1 || sigma > mean {
		t.Errorf("a fifth of the light: mean %.1f, sigma %.1f", mean, sigma)
	}
}

func TestGlareIsLocal(t *testing.T) {
	t.Parallel()
	f := newFrame(400, 300)
	f.glare(rand.New(rand.NewPCG(2, 2)), 150)
	lit, most := 0, float32(0)
	for _, v := range f.planes[0] {
		if v > 20 {
			lit++
		}
		most = max(most, v)
	}
	if share := float64(lit) / (400 * 300); share == 0 || share > 0.3 || most < 120 {
		t.Errorf("%.2f of the frame is lit, at most %.0f", share, most)
	}
}

func TestWavesRepeatAndStayFaint(t *testing.T) {
	t.Parallel()
	const strength = 6.0
	plane := make([]float32, 300*200)
	ws := waves(rand.New(rand.NewPCG(4, 4)), strength)
	paint(plane, 300, ws)
	low, high := float32(0), float32(0)
	for _, v := range plane {
		low, high = min(low, v), max(high, v)
	}
	if bound := float32(strength * float64(len(ws))); high > bound || low < -bound || high-low < 1 {
		t.Errorf("from %.1f to %.1f with %d waves", low, high, len(ws))
	}
	s := newSines()
	for _, a := range []float64{-7, -0.5, 0, 1, 3.1, 100} {
		if got := float64(s.at(a)); math.Abs(got-math.Sin(a)) > 0.01 {
			t.Errorf("the sine of %.1f is %.3f", a, got)
		}
	}
}

func TestEdgeIsAPixelWide(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		at, scale float64
		want      float32
	}{{50, 1, 1}, {-3, 1, 0}, {0, 1, 0.5}, {100, 1, 0.5}, {104, 1, 0}, {1, 0.1, 0.6}} {
		if got := edge(test.at, 100, test.scale); math.Abs(float64(got-test.want)) > 1e-6 {
			t.Errorf("at %.0f of 100, scale %.1f: %f, want %f", test.at, test.scale, got, test.want)
		}
	}
}

func TestCornersAndTheirBox(t *testing.T) {
	t.Parallel()
	c := Corners{{10.4, 20.6}, {110.2, 25}, {100, 80.5}, {5.5, 70}}
	if got, want := c.box(), image.Rect(4, 19, 113, 83); got != want {
		t.Errorf("box %v, want %v", got, want)
	}
	if got := c.Points(); got[0] != image.Pt(10, 21) || got[3] != image.Pt(6, 70) {
		t.Errorf("points %v", got)
	}
	if got := rect(image.Rect(0, 0, 30, 10)).pitch([]string{"ABC", "ABCDEF"}); got != 5 {
		t.Errorf("pitch %f, want 5", got)
	}
}

func TestEveryPlaceIsInThePicture(t *testing.T) {
	t.Parallel()
	d := Document{Image: image.NewRGBA(image.Rect(0, 0, 2000, 1408)), PerMM: perMM}
	for seed := range uint64(40) {
		for _, c := range Conditions() {
			o := Options{Seed: seed, Condition: c, Severity: 1.5}.normal()
			out, scale := o.place(o.random(forCamera), d, 1600, 1000)
			if scale <= 0 || !out.box().Inset(2).In(image.Rect(-20, 0, 1620, 1000)) {
				t.Fatalf("seed %d, %s: scale %f, %v", seed, c, scale, out)
			}
		}
	}
}

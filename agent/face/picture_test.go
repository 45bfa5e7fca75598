package face

import (
	"image"
	"image/color"
	"image/draw"
	"math"
	"testing"

	"github.com/counterproof/counterproof/agent/proof"
)

// flat is a picture of one colour.
func flat(w, h int, c color.Color) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(m, m.Rect, image.NewUniform(c), image.Point{}, draw.Src)
	return m
}

// ramp is a picture whose red grows to the right and whose green grows
// downward, by one a pixel.
func ramp(w, h int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.SetRGBA(x, y, color.RGBA{uint8(x), uint8(y), 0, 255})
		}
	}
	return m
}

func worked(t testing.TB, img image.Image) *picture {
	t.Helper()
	p, err := newPicture(img)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// pixel is the colour at a place.
func (p *picture) pixel(x, y int) [3]uint8 {
	at := 4 * (y*p.w + x)
	return [3]uint8(p.pix[at : at+3])
}

func TestPictureKinds(t *testing.T) {
	want := [3]uint8{200, 100, 50}
	solid := color.NRGBA{200, 100, 50, 255}
	nrgba := image.NewNRGBA(image.Rect(0, 0, 40, 40))
	draw.Draw(nrgba, nrgba.Rect, image.NewUniform(solid), image.Point{}, draw.Src)
	paletted := image.NewPaletted(image.Rect(0, 0, 40, 40), color.Palette{solid})
	gray := image.NewGray(image.Rect(0, 0, 40, 40))
	draw.Draw(gray, gray.Rect, image.NewUniform(color.Gray{77}), image.Point{}, draw.Src)
	half := image.NewNRGBA(image.Rect(0, 0, 40, 40))
	draw.Draw(half, half.Rect, image.NewUniform(color.NRGBA{200, 100, 50, 128}), image.Point{}, draw.Src)
	for _, c := range []struct {
		name string
		img  image.Image
		want [3]uint8
	}{
		{"RGBA", flat(40, 40, solid), want},
		{"NRGBA", nrgba, want},
		{"paletted", paletted, want},
		{"grey", gray, [3]uint8{77, 77, 77}},
		{"see-through-is-over-black", half, [3]uint8{100, 50, 25}},
		{"part-of-a-larger-one", flat(100, 100, solid).SubImage(image.Rect(30, 20, 70, 60)), want},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := worked(t, c.img)
			if p.w != 40 || p.h != 40 || p.pixel(39, 39) != c.want {
				t.Errorf("got %d × %d of %v, want 40 × 40 of %v", p.w, p.h, p.pixel(39, 39), c.want)
			}
		})
	}
}

func TestPictureRefused(t *testing.T) {
	for _, c := range []struct {
		name string
		img  image.Image
		want proof.Kind
	}{
		{"none", nil, proof.KindNotPicture},
		{"empty", image.NewRGBA(image.Rectangle{}), proof.KindPictureTiny},
		{"too-small", flat(31, 100, color.White), proof.KindPictureTiny},
		{"a-thread", image.NewUniform(color.White), proof.KindPictureHuge},
		{"too-large", bounds{image.Rect(0, 0, 10001, 10000)}, proof.KindPictureHuge},
		{"too-long-and-thin", bounds{image.Rect(0, 0, 2_000_000, 40)}, proof.KindPictureTiny},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := newPicture(c.img); proof.KindOf(err) != c.want {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

// bounds is a black picture that takes no memory.
type bounds struct{ r image.Rectangle }

func (b bounds) ColorModel() color.Model { return color.GrayModel }
func (b bounds) Bounds() image.Rectangle { return b.r }
func (b bounds) At(int, int) color.Color { return color.Gray{} }

func TestLargePictureIsShrunk(t *testing.T) {
	img := flat(4100, 3000, color.Black)
	draw.Draw(img, image.Rect(3000, 0, 4100, 3000), image.NewUniform(color.White), image.Point{}, draw.Src)
	p := worked(t, img)
	if p.shrunk != 3 || p.w != 1366 || p.h != 1000 {
		t.Fatalf("got %d × %d by %d, want 1366 × 1000 by 3", p.w, p.h, p.shrunk)
	}
	if p.pixel(999, 500) != [3]uint8{} || p.pixel(1000, 500) != [3]uint8{255, 255, 255} {
		t.Errorf("the edge moved: %v and %v", p.pixel(999, 500), p.pixel(1000, 500))
	}
	if got, want := p.rectangle(box{100, 200, 20, 40}), image.Rect(270, 540, 330, 660); got != want {
		t.Errorf("a box in the picture that was given: got %v, want %v", got, want)
	}
}

func TestBoxKeepsTheOrigin(t *testing.T) {
	p := worked(t, flat(200, 200, color.White).SubImage(image.Rect(50, 60, 150, 160)))
	if got, want := p.rectangle(box{10, 10, 20, 20}), image.Rect(50, 60, 70, 80); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestWarp(t *testing.T) {
	p := worked(t, ramp(200, 200))
	size := 16
	out := make([]float32, 3*size*size)
	at := func(x, y int) (float64, float64) {
		return float64(out[3*(y*size+x)]), float64(out[3*(y*size+x)+1])
	}
	for _, c := range []struct {
		name string
		s    similarity
	}{
		{"same-size", similarity{a: 1, tx: 20, ty: 30}},
		{"between-pixels", similarity{a: 1, tx: 20.25, ty: 30.5}},
		{"larger", similarity{a: 0.5, tx: 20, ty: 30}},
		{"smaller", similarity{a: 3, tx: 20, ty: 30}},
		{"much-smaller", similarity{a: 10, tx: 20, ty: 20}},
		{"turned", turned(point{100, 90}, 40, 0.7, size)},
		{"upside-down", turned(point{100, 90}, 60, math.Pi, size)},
	} {
		t.Run(c.name, func(t *testing.T) {
			p.warp(c.s, size, out)
			for _, q := range []point{{0, 0}, {15, 0}, {0, 15}, {15, 15}, {7, 9}} {
				want := c.s.apply(q)
				x, y := at(int(q.x), int(q.y))
				if math.Abs(x-want.x) > 0.8 || math.Abs(y-want.y) > 0.8 {
					t.Errorf("at %v: got %.2f and %.2f, want %.2f and %.2f", q, x, y, want.x, want.y)
				}
			}
		})
	}
	t.Run("outside-is-black", func(t *testing.T) {
		p.warp(similarity{a: 1, tx: 192, ty: 10}, size, out)
		if x, _ := at(7, 5); x != 199 {
			t.Errorf("last pixel: got %v, want 199", x)
		}
		if x, y := at(8, 5); x != 0 || y != 0 {
			t.Errorf("behind it: got %v and %v, want black", x, y)
		}
		p.warp(similarity{a: 1, tx: -1e12, ty: 1e12}, size, out)
		p.warp(similarity{a: 1e9, tx: math.NaN(), ty: 0}, size, out)
		if x, _ := at(8, 8); x != 0 {
			t.Errorf("nowhere: got %v", x)
		}
	})
}

func TestSmallerKeepsTheMean(t *testing.T) {
	img := image.NewRGBA(image.Rect(0, 0, 256, 256))
	for i := range img.Pix {
		img.Pix[i] = uint8(i / 4 % 2 * 255) // single columns of black and white
	}
	p := worked(t, img)
	out := make([]float32, 3*32*32)
	p.warp(similarity{a: 8, tx: 3.5, ty: 3.5}, 32, out)
	for i, v := range out {
		if math.Abs(float64(v)-128) > 2 {
			t.Fatalf("value %d: got %v, want the mean 128: single columns must not show", i, v)
		}
	}
}

func TestWipe(t *testing.T) {
	p := worked(t, flat(100, 100, color.White))
	p.level(3)
	p.wipe()
	for i, level := range append([]raster{p.raster}, p.halves...) {
		for _, v := range level.pix {
			if v != 0 {
				t.Fatalf("level %d still holds the picture", i)
			}
		}
	}
	if len(p.halves) != 3 {
		t.Errorf("got %d levels, want 3", len(p.halves))
	}
}

func TestFit(t *testing.T) {
	from := []point{{38, 51}, {73, 51}, {56, 71}, {41, 92}, {70, 92}}
	want := similarity{a: 1.5 * math.Cos(0.3), b: 1.5 * math.Sin(0.3), tx: 40, ty: -20}
	to := make([]point, len(from))
	for i, p := range from {
		to[i] = want.apply(p)
	}
	got, ok := fit(from, to)
	if !ok || math.Abs(got.a-want.a)+math.Abs(got.b-want.b)+math.Abs(got.tx-want.tx)+math.Abs(got.ty-want.ty) > 1e-9 {
		t.Errorf("got %+v, %v, want %+v", got, ok, want)
	}
	for _, c := range []struct {
		name string
		to   []point
	}{
		{"one-place", []point{{1, 1}, {1, 1}, {1, 1}, {1, 1}, {1, 1}}},
		{"no-numbers", []point{{math.NaN(), 1}, {1, 2}, {3, 1}, {1, 4}, {5, 1}}},
		{"no-end", []point{{math.Inf(1), 1}, {1, 2}, {3, 1}, {1, 4}, {5, 1}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, ok := fit(from, c.to); ok {
				t.Errorf("got %+v, want none", got)
			}
		})
	}
	if _, ok := fit([]point{{1, 1}, {1, 1}}, []point{{1, 1}, {2, 2}}); ok {
		t.Error("a template of one place fits nothing")
	}
}

func TestTurned(t *testing.T) {
	s := turned(point{50, 60}, 32, 0, 16)
	if got := s.apply(point{7.5, 7.5}); got.distance(point{50, 60}) > 1e-9 {
		t.Errorf("middle: got %v", got)
	}
	if got := s.scale(); math.Abs(got-2) > 1e-9 {
		t.Errorf("scale: got %v, want 2", got)
	}
	s = turned(point{50, 60}, 32, math.Pi/2, 16)
	if got := s.apply(point{15, 7.5}); got.y < 70 || math.Abs(got.x-50) > 1e-9 {
		t.Errorf("a quarter turn leads the right side down: got %v", got)
	}
}

func TestHalvedPlaces(t *testing.T) {
	s := similarity{a: 1, tx: 0, ty: 0}
	for times, want := range []point{{3, 7}, {1.25, 3.25}, {0.375, 1.375}} {
		if got := s.halved(times).apply(point{3, 7}); got.distance(want) > 1e-9 {
			t.Errorf("halved %d times: got %v, want %v", times, got, want)
		}
	}
}

func FuzzWarp(f *testing.F) {
	f.Add(1.0, 0.0, 0.0, 0.0)
	f.Add(1e9, 1e-9, -1e300, 1e300)
	p := worked(f, ramp(50, 40))
	out := make([]float32, 3*16*16)
	f.Fuzz(func(t *testing.T, a, b, tx, ty float64) {
		p.warp(similarity{a, b, tx, ty}, 16, out)
		for _, v := range out {
			if !(v >= 0 && v <= 255.01) {
				t.Fatalf("%v is no pixel", v)
			}
		}
	})
}

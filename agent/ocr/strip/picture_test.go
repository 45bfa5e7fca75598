package strip

import (
	"image"
	"math/rand/v2"
	"testing"
)

// bars draws rows of n bars at a pitch on bright paper; standing draws columns.
func bars(w, h, n, pitch int, rows []int, standing bool) *image.Gray {
	img := image.NewGray(image.Rect(0, 0, w, h))
	for i := range img.Pix {
		img.Pix[i] = 210
	}
	for _, row := range rows {
		for k := range n {
			for v := range pitch * 9 / 10 {
				for u := range pitch * 4 / 10 {
					x, y := 60+k*pitch+u, row+v
					if standing {
						x, y = row+v, h-60-k*pitch-u
					}
					img.Pix[y*img.Stride+x] = 30
				}
			}
		}
	}
	return img
}

func TestFindInAPicture(t *testing.T) {
	t.Parallel()
	var f Finder
	for _, test := range []struct {
		name     string
		img      *image.Gray
		scale    float64
		lying    int
		standing int
	}{
		{"two lying lines", bars(1000, 700, 40, 20, []int{500, 550}, false), 1, 2, 0},
		{"three standing lines", bars(700, 1000, 30, 20, []int{200, 250, 300}, true), 1, 0, 3},
		{"in a smaller copy", bars(2000, 1400, 44, 40, []int{1000, 1100}, false), 0.5, 2, 0},
		{"in a larger copy", bars(500, 300, 36, 10, []int{200, 230}, false), 2, 2, 0},
		{"blank", bars(1000, 700, 0, 20, nil, false), 1, 0, 0},
	} {
		lying, standing := f.Find(test.img, test.scale)
		if len(lying) != test.lying || len(standing) != test.standing {
			t.Errorf("%s: %d lying and %d standing lines, want %d and %d", test.name, len(lying), len(standing), test.lying, test.standing)
		}
	}
}

func TestFoundLinesAreInPixelsOfThePicture(t *testing.T) {
	t.Parallel()
	var f Finder
	lying, _ := f.Find(bars(2000, 1400, 44, 40, []int{1000}, false), 0.5)
	if len(lying) != 1 {
		t.Fatalf("%d lines", len(lying))
	}
	x, y := lying[0].At(lying[0].From)
	if !near(x, 60+7.5, 2) || !near(y, 1000+17.5, 2) {
		t.Errorf("the first character is at %.1f,%.1f, want 67.5,1017.5", x, y)
	}
	_, standing := f.Find(bars(1400, 2000, 44, 40, []int{1000}, true), 0.5)
	if len(standing) != 1 {
		t.Fatalf("%d standing lines", len(standing))
	}
	x, y = standing[0].At(standing[0].From)
	if !near(x, 1000+17.5, 2) || !near(y, 2000-60-7.5, 3) {
		t.Errorf("the first character of the standing line is at %.1f,%.1f, want 1017.5,1932.5", x, y)
	}
	if dx, dy := standing[0].Slope(0); dy > -30 || dx > 3 {
		t.Errorf("the standing line runs by %.1f,%.1f, want upwards", dx, dy)
	}
}

func TestAFinderForgets(t *testing.T) {
	t.Parallel()
	var used, fresh Finder
	used.Find(bars(1300, 900, 44, 20, []int{300, 350, 400}, false), 1)
	used.Find(bars(200, 100, 10, 10, []int{20}, false), 2)
	img := bars(700, 500, 30, 20, []int{200}, false)
	a, _ := used.Find(img, 1)
	b, _ := fresh.Find(img, 1)
	if len(a) != 1 || len(b) != 1 || a[0] != b[0] {
		t.Errorf("a used finder found %+v, a fresh one %+v", a, b)
	}
}

func TestMarks(t *testing.T) {
	t.Parallel()
	img := bars(400, 300, 0, 20, nil, false)
	dot := func(x0, y0, x1, y1 int) {
		for y := y0; y < y1; y++ {
			for x := x0; x < x1; x++ {
				img.Pix[y*img.Stride+x] = 20
			}
		}
	}
	dot(50, 50, 58, 68)    // a character
	dot(100, 50, 104, 60)  // two parts that touch at a corner …
	dot(104, 60, 110, 70)  // … are one mark
	dot(150, 50, 170, 56)  // a ring of four strokes
	dot(150, 50, 156, 75)  //
	dot(164, 50, 170, 75)  //
	dot(150, 69, 170, 75)  //
	dot(250, 50, 251, 51)  // a speck
	dot(0, 290, 400, 300)  // a bar along the border
	dot(300, 70, 302, 280) // a rule
	var n inker
	n.smooth(img)
	got := n.marks(img, windows[1])
	if len(got) != 3 {
		t.Fatalf("%d marks, want 3: %+v", len(got), got)
	}
	for i, want := range []mark{{53.5, 58.5, 8, 18}, {104.5, 59.5, 10, 20}, {159.5, 62, 20, 25}} {
		m := got[i]
		if !near(m.x, want.x, 1) || !near(m.y, want.y, 1) || !near(m.w, want.w, 3) || !near(m.h, want.h, 3) {
			t.Errorf("mark %d: got %+v, want %+v", i, m, want)
		}
	}
}

func TestMarksAreBounded(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 1))
	img := image.NewGray(image.Rect(0, 0, 1600, 1400))
	for i := range img.Pix {
		img.Pix[i] = uint8(r.Uint32())
	}
	var n inker
	n.smooth(img)
	if got := len(n.marks(img, windows[0])); got > mostMarks {
		t.Errorf("%d marks", got)
	}
}

func TestResize(t *testing.T) {
	t.Parallel()
	img := image.NewGray(image.Rect(0, 0, 40, 20))
	for y := range 20 {
		for x := range 40 {
			img.Pix[y*40+x] = uint8(5*x + y)
		}
	}
	for _, f := range []float64{0.5, 0.31, 1.7, 3} {
		got := resize(img, f, nil)
		w, h := got.Rect.Dx(), got.Rect.Dy()
		if !near(float64(w), 40*f, 1) || !near(float64(h), 20*f, 1) {
			t.Errorf("%.2f: size %d × %d", f, w, h)
		}
		x, y := w/2, h/2
		sx, sy := (float64(x)+0.5)*40/float64(w)-0.5, (float64(y)+0.5)*20/float64(h)-0.5
		if want := 5*sx + sy; !near(float64(got.GrayAt(x, y).Y), want, 4) {
			t.Errorf("%.2f: the middle is %d, want %.1f", f, got.GrayAt(x, y).Y, want)
		}
	}
	if tiny := resize(img, 0.001, nil); tiny.Rect.Dx() != 1 || tiny.Rect.Dy() != 1 {
		t.Errorf("the smallest copy is %v", tiny.Rect)
	}
}

func TestLay(t *testing.T) {
	t.Parallel()
	// Brightness grows along the line and, more slowly, across it.
	img := image.NewGray(image.Rect(0, 0, 600, 400))
	for y := range 400 {
		for x := range 600 {
			img.Pix[y*600+x] = uint8(x/4 + y/8)
		}
	}
	c := Curve{X: [3]float64{100, 17, 0}, Y: [3]float64{200, 0, 0}}
	pix, width := Lay(img, c, 2, 12, nil)
	if width != 168 || len(pix) != Height*width {
		t.Fatalf("%d columns, %d pixels", width, len(pix))
	}
	// A cell is as wide in the picture as in the strip: pixels map one to one.
	for _, u := range []int{0, 50, width - 1} {
		x := 100 + 17*(2+(float64(u)+0.5)/CellWidth)
		if got, want := float64(pix[12*width+u]), x/4+200.5/8; !near(got, want, 2) {
			t.Errorf("column %d: %.0f, want %.1f", u, got, want)
		}
	}
	if top, bottom := pix[10], pix[(Height-1)*width+10]; bottom < top+1 {
		t.Errorf("from %d above to %d below, want it growing", top, bottom)
	}
	back, _ := Lay(img, c.Reversed(), -12, -2, nil)
	if back[12*width] < pix[12*width+width-1]-3 || back[10] <= back[(Height-1)*width+10] {
		t.Error("upside down the strip is not turned round")
	}
	if _, width := Lay(img, c, 0, 1e6, nil); width > mostColumns {
		t.Errorf("%d columns of an endless line", width)
	}
	if _, width := Lay(img, c, 5, 5, nil); width != 4 {
		t.Errorf("%d columns of nothing", width)
	}
}

func FuzzFind(f *testing.F) {
	f.Add([]byte{255, 255, 0, 0, 255, 0}, uint16(200), 1.0)
	f.Add([]byte{9}, uint16(1), 0.5)
	f.Add(bars(300, 60, 20, 12, []int{20}, false).Pix, uint16(300), 2.0)
	var finder Finder
	f.Fuzz(func(t *testing.T, pix []byte, width uint16, scale float64) {
		w := 1 + int(width)%400
		h := min(len(pix)/w, 300)
		if h < 1 || !(scale > 0.1 && scale < 3) {
			return
		}
		img := &image.Gray{Pix: pix[:w*h], Stride: w, Rect: image.Rect(0, 0, w, h)}
		lying, standing := finder.Find(img, scale)
		for _, l := range append(lying, standing...) {
			if l.Cells() < leastCells || l.Cells() > float64(w+h)*3 {
				t.Fatalf("a line of %f characters in %d × %d pixels", l.Cells(), w, h)
			}
			if pix, width := Lay(img, l.Curve, l.From, l.To, nil); len(pix) != Height*width {
				t.Fatal("a strip of the wrong size")
			}
		}
	})
}

func BenchmarkFind(b *testing.B) {
	img := bars(1920, 1440, 44, 38, []int{1100, 1200}, false)
	var f Finder
	for b.Loop() {
		f.Find(img, 1300.0/1920)
	}
}

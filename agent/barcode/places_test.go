package barcode

import (
	"image"
	"math"
	"testing"

	"github.com/counterproof/counterproof/agent/capture"
)

// lies reports whether a frame holds all corners of a symbol and not much more.
func lies(f frame, s shot, d drawing) bool {
	w, h := d.size()
	for _, c := range s.corners(d) {
		if !f.holds(c) {
			return false
		}
	}
	return f.half < 0.75*w*s.module+6*tileSide && f.across < 0.75*math.Max(w, h)*s.module+6*tileSide
}

func TestPlaces(t *testing.T) {
	t.Parallel()
	for _, one := range samples(t) {
		stripes := setOf(one.kind)&striped != 0
		for _, degrees := range []float64{0, 2, 24, 44, -37, 90} {
			if one.kind == EAN8 || one.kind == EAN13 {
				continue // so high that their ends count as well
			}
			s := shot{w: 1100, h: 1050, module: 3.3, tilt: degrees * math.Pi / 180, blur: 1, noise: 3, seed: 9}
			found := tilesOf(capture.Gray(s.take(t, one.d))).places(stripes)
			ok := false
			for _, f := range found {
				off := turn(math.Atan2(f.along.y, f.along.x), s.tilt)
				if !stripes {
					off = math.Min(off, math.Abs(off-math.Pi/2)) // along either side
				}
				ok = ok || lies(f, s, one.d) && off < 2.5*math.Pi/180
			}
			if !ok {
				t.Errorf("%s at %.0f°: no place among %+v", one.kind, degrees, found)
			}
		}
	}
}

// TestPlacesJoin breaks a symbol in two by a wide space.
func TestPlacesJoin(t *testing.T) {
	t.Parallel()
	a := frame{middle: vector{100, 100}, along: vector{1, 0}, half: 50, across: 30}
	tests := []struct {
		name string
		b    frame
		ok   bool
	}{
		{"follows", frame{vector{220, 104}, direction(0.05), 50, 28}, true},
		{"follows/turned-about", frame{vector{220, 104}, direction(math.Pi + 0.05), 50, 28}, true},
		{"overlaps", frame{vector{130, 100}, vector{1, 0}, 50, 30}, true},
		{"far-away", frame{vector{320, 100}, vector{1, 0}, 50, 30}, false},
		{"lower", frame{vector{220, 140}, vector{1, 0}, 50, 30}, false},
		{"an-edge-of-the-paper", frame{vector{180, 100}, vector{1, 0}, 8, 200}, false},
		{"across", frame{vector{180, 100}, vector{0, 1}, 50, 30}, false},
	}
	for _, c := range tests {
		whole, ok := a.join(c.b)
		if ok != c.ok {
			t.Errorf("%s: got %v", c.name, ok)
		}
		if ok && (!whole.holds(a.middle) || !whole.holds(c.b.middle) || !whole.holds(vector{51, 100})) {
			t.Errorf("%s: %+v does not hold both", c.name, whole)
		}
	}
	if got := joined([]frame{a, {vector{340, 100}, vector{1, 0}, 50, 30}, {vector{220, 100}, vector{1, 0}, 50, 30}}); len(got) != 1 {
		t.Errorf("three that follow each other: %d", len(got))
	}
}

// TestPlacesAreBounded gives a picture full of places.
func TestPlacesAreBounded(t *testing.T) {
	t.Parallel()
	img := texture(1600, 1600, func(x, y int) uint8 {
		if x%160 < 80 && y%160 < 80 && x/4%2 == 0 {
			return 0
		}
		return 255
	})
	for _, kind := range []bool{true, false} {
		if n := len(tilesOf(img).places(kind)); n > maxPlaces {
			t.Errorf("%d places, want at most %d", n, maxPlaces)
		}
	}
	if got := tilesOf(image.NewGray(image.Rect(0, 0, 15, 15))).places(true); len(got) != 0 {
		t.Errorf("of less than a tile: %v", got)
	}
	if got := tilesOf(image.NewGray(image.Rect(0, 0, 300, 300))).places(true); len(got) != 0 {
		t.Errorf("of nothing: %v", got)
	}
}

func TestCutOut(t *testing.T) {
	t.Parallel()
	img := texture(200, 160, func(x, y int) uint8 { return uint8(x + y/2) })
	f := frame{middle: vector{100, 80}, along: direction(0.4), half: 40, across: 20}
	c := cutOut(img, f, 2)
	if c.Rect != image.Rect(0, 0, 160, 80) {
		t.Fatalf("got %v", c.Rect)
	}
	for _, p := range []image.Point{{0, 0}, {159, 0}, {159, 79}, {0, 79}, {80, 40}} {
		from := c.back(p)
		got, want := int(c.GrayAt(p.X, p.Y).Y), int(img.GrayAt(from.X, from.Y).Y)
		if abs(got-want) > 2 {
			t.Errorf("%v lies at %v: %d, want %d", p, from, got, want)
		}
	}
	outside := cutOut(img, frame{middle: vector{-500, 80}, along: vector{1, 0}, half: 20, across: 20}, 1)
	if outside.GrayAt(3, 3).Y != 255 {
		t.Error("outside a picture is not white")
	}
}

func TestShrunk(t *testing.T) {
	t.Parallel()
	img := texture(10, 7, func(x, y int) uint8 { return uint8(10*x + y) })
	if shrunk(img, 1) != img {
		t.Error("by one: not the picture itself")
	}
	got := shrunk(img, 3)
	if got.Rect != image.Rect(0, 0, 3, 2) || got.GrayAt(1, 1).Y != 44 {
		t.Errorf("by three: %v, %d, want 3 × 2 and 44", got.Rect, got.GrayAt(1, 1).Y)
	}
}

func TestSharpened(t *testing.T) {
	t.Parallel()
	edge := texture(40, 20, func(x, _ int) uint8 { return uint8(max(80, min(160, 80+16*(x-17)))) })
	got := sharpened(edge, 4)
	if a, b := got.GrayAt(2, 10).Y, got.GrayAt(37, 10).Y; a != 80 || b != 160 {
		t.Errorf("flat parts became %d and %d", a, b)
	}
	before := int(edge.GrayAt(20, 10).Y) - int(edge.GrayAt(19, 10).Y)
	if after := int(got.GrayAt(20, 10).Y) - int(got.GrayAt(19, 10).Y); after < 2*before {
		t.Errorf("the edge rises by %d, before by %d", after, before)
	}
}

func TestSets(t *testing.T) {
	t.Parallel()
	for n, one := range every() {
		if s := setOf(one); s != 1<<n || len(s.list()) != 1 || s.list()[0] != one {
			t.Errorf("%s: set %b, list %v", one, s, s.list())
		}
	}
	if all := matrix | striped; all.list() == nil || len(all.list()) != len(every()) || matrix&striped != 0 {
		t.Errorf("matrix and striped do not share out all of %v", every())
	}
	if setOf("Codabar", "") != 0 {
		t.Error("an unknown symbology is in a set")
	}
}

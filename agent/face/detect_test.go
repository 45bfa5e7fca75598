package face

import (
	"math"
	"slices"
	"testing"
)

func builtInProfile(t testing.TB) *Profile {
	t.Helper()
	p, err := ParseProfile(builtIn)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAnchors(t *testing.T) {
	d := builtInProfile(t).Detector
	all := anchorsOf(d.Grids)
	if len(all) != 896 {
		t.Fatalf("got %d anchors, want 896", len(all))
	}
	for i, want := range map[int]point{
		0: {0.5 / 16, 0.5 / 16}, 1: {0.5 / 16, 0.5 / 16}, 2: {1.5 / 16, 0.5 / 16}, 32: {0.5 / 16, 1.5 / 16},
		511: {15.5 / 16, 15.5 / 16}, 512: {0.5 / 8, 0.5 / 8}, 517: {0.5 / 8, 0.5 / 8}, 518: {1.5 / 8, 0.5 / 8}, 895: {7.5 / 8, 7.5 / 8},
	} {
		if all[i] != want {
			t.Errorf("anchor %d: got %v, want %v", i, all[i], want)
		}
	}
}

// said is what a detector says: nothing, but for some anchors.
func said(anchors int, at map[int][]float32, score float32) (boxes, scores []float32) {
	boxes, scores = make([]float32, anchors*valuesPerAnchor), make([]float32, anchors)
	for i := range scores {
		scores[i] = -20
	}
	for i, v := range at {
		copy(boxes[i*valuesPerAnchor:], v)
		scores[i] = score
	}
	return boxes, scores
}

func TestCandidates(t *testing.T) {
	d := Detector{Size: 128, MinScore: 0.5}
	anchors := []point{{0.25, 0.25}, {0.5, 0.5}, {0.75, 0.75}}
	nan := float32(math.NaN())
	for _, c := range []struct {
		name  string
		value []float32
		score float32
		want  int
	}{
		{"a-face", []float32{0, 0, 32, 40, -8, -8, 8, -8}, 2, 1},
		{"not-sure-enough", []float32{0, 0, 32, 40, -8, -8, 8, -8}, -0.1, 0},
		{"score-is-no-number", []float32{0, 0, 32, 40}, nan, 0},
		{"no-size", []float32{0, 0, 0, 0, -8, -8, 8, -8}, 2, 0},
		{"negative-size", []float32{0, 0, -32, -40, -8, -8, 8, -8}, 2, 0},
		{"larger-than-its-sight", []float32{0, 0, 900, 40, -8, -8, 8, -8}, 2, 0},
		{"far-away", []float32{1e6, 0, 32, 40, -8, -8, 8, -8}, 2, 0},
		{"no-numbers", []float32{nan, nan, nan, nan, nan, nan, nan, nan}, 2, 0},
		{"eyes-far-away", []float32{0, 0, 32, 40, 1e9, -8, 8, -8}, 2, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			boxes, scores := said(3, map[int][]float32{1: c.value}, c.score)
			if got := d.candidates(anchors, boxes, scores, square{100, 200, 256}); len(got) != c.want {
				t.Errorf("got %d candidates, want %d", len(got), c.want)
			}
		})
	}
	boxes, scores := said(3, map[int][]float32{1: {4, -4, 32, 40, -8, -8, 8, -8}}, 2)
	got := d.candidates(anchors, boxes, scores, square{100, 200, 256})[0]
	want := candidate{box{236, 320, 64, 80}, [2]point{{212, 312}, {244, 312}}, sigmoid(2)}
	if got != want {
		t.Errorf("in the picture: got %+v, want %+v", got, want)
	}
}

func TestMerge(t *testing.T) {
	at := func(x, y, w, score float64) candidate {
		return candidate{box{x, y, w, w}, [2]point{{x - 5, y}, {x + 5, y}}, score}
	}
	bySize := func(c candidate) float64 { return c.w }
	t.Run("neighbours-become-their-mean", func(t *testing.T) {
		got := merge([]candidate{at(100, 100, 40, 0.6), at(104, 100, 44, 0.9)}, bySize)
		if len(got) != 1 {
			t.Fatalf("got %d faces, want 1", len(got))
		}
		if want := (100*0.6 + 104*0.9) / 1.5; math.Abs(got[0].x-want) > 1e-9 || math.Abs(got[0].eyes[1].x-want-5) > 1e-9 {
			t.Errorf("got %+v, want its middle at %v", got[0], want)
		}
		if got[0].score != 0.9 {
			t.Errorf("score: got %v, want that of the most prominent", got[0].score)
		}
	})
	t.Run("two-people-stay-two", func(t *testing.T) {
		got := merge([]candidate{at(300, 100, 30, 0.9), at(100, 100, 40, 0.6), at(302, 101, 28, 0.7)}, bySize)
		if len(got) != 2 || got[0].x != 100 || got[1].x < 300 {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("nothing", func(t *testing.T) {
		if got := merge(nil, bySize); got != nil {
			t.Errorf("got %v", got)
		}
	})
}

func TestOverlap(t *testing.T) {
	a := box{10, 10, 10, 10}
	for _, c := range []struct {
		name string
		b    box
		want float64
	}{
		{"itself", a, 1}, {"apart", box{30, 10, 10, 10}, 0}, {"touching", box{20, 10, 10, 10}, 0},
		{"half-moved", box{15, 10, 10, 10}, 1.0 / 3}, {"inside", box{10, 10, 5, 5}, 0.25},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := a.overlap(c.b); math.Abs(got-c.want) > 1e-9 || got != c.b.overlap(a) {
				t.Errorf("got %v, want %v both ways", got, c.want)
			}
		})
	}
}

func TestProminence(t *testing.T) {
	rank := prominence(400, 300)
	middle := candidate{box: box{200, 150, 60, 60}, score: 0.9}
	edge := candidate{box: box{380, 150, 70, 70}, score: 0.9}
	huge := candidate{box: box{380, 150, 140, 140}, score: 0.9}
	if !(rank(middle) > rank(edge)) {
		t.Error("a face in the middle comes before one of about its size at the edge")
	}
	if !(rank(huge) > rank(middle)) {
		t.Error("a far larger face comes first wherever it is")
	}
}

func TestSteps(t *testing.T) {
	for _, c := range []struct {
		name         string
		length, side float64
		want         []float64
	}{
		{"longer-than-the-picture", 100, 160, []float64{-30}},
		{"as-long", 100, 100, []float64{0}},
		{"a-little-shorter", 100, 90, []float64{0, 10}},
		{"half", 100, 50, []float64{0, 25, 50}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := steps(c.length, c.side); !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

// Every place of a picture must lie well inside some part of each pass, or a
// face there is cut by the edges of all of them.
func TestPassesCoverThePicture(t *testing.T) {
	for _, size := range [][2]int{{1280, 720}, {720, 1280}, {640, 480}, {2048, 300}, {64, 64}} {
		w, h := size[0], size[1]
		all := passes(w, h)
		if len(all) != 4 || len(all[0]) != 1 || len(all[3]) > 60 {
			t.Errorf("%d × %d: %d passes of %d and %d parts", w, h, len(all), len(all[0]), len(all[3]))
		}
		for n, pass := range all {
			for y := 0; y <= h; y += h / 16 {
				for x := 0; x <= w; x += w / 16 {
					if !coveredBy(pass, float64(x), float64(y), float64(w), float64(h)) {
						t.Errorf("%d × %d: pass %d misses %d, %d", w, h, n, x, y)
					}
				}
			}
		}
	}
}

// coveredBy reports whether some part has the place at least a quarter of its
// side from its own edges, the picture's edges not counted.
func coveredBy(pass []square, x, y, w, h float64) bool {
	inside := func(v, from, side, length float64) bool {
		return (v >= from+0.24*side || from <= 0) && (v <= from+0.76*side || from+side >= length) && v >= from && v <= from+side
	}
	return slices.ContainsFunc(pass, func(s square) bool {
		return inside(x, s.x, s.side, w) && inside(y, s.y, s.side, h)
	})
}

func TestPlaceLandmarks(t *testing.T) {
	c := candidate{box: box{100, 80, 60, 40}, eyes: [2]point{{85, 75}, {115, 75}}}
	s := c.landmarkSquare(1.5, 192)
	raw := make([]float32, 3*meshPoints)
	for i := range meshPoints {
		raw[3*i], raw[3*i+1], raw[3*i+2] = 95.5, 95.5, 10
	}
	f := located{candidate: c}
	if err := f.place(raw, s); err != nil {
		t.Fatal(err)
	}
	k := 90.0 / 192
	if got := f.mesh[467]; math.Abs(got[0]-100) > 1e-6 || math.Abs(got[1]-80) > 1e-6 || math.Abs(got[2]-10*k) > 1e-6 {
		t.Errorf("the middle: got %v, want 100, 80 and its depth in pixels", got)
	}
	raw[5] = float32(math.NaN())
	if err := f.place(raw, s); err == nil {
		t.Error("landmarks that are no numbers were taken")
	}
}

func TestAlign(t *testing.T) {
	var f located
	for i := range f.mesh {
		f.mesh[i] = vector{float64(i), float64(i%7) * 3, 0}
	}
	template := []Anchor{{[]int{10, 12}, 20, 30}, {[]int{40}, 60, 35}, {[]int{90}, 50, 80}}
	s, ok := f.align(template)
	if !ok {
		t.Fatal("no alignment")
	}
	from := []point{{20, 30}, {60, 35}, {50, 80}}
	to := []point{f.mean(10, 12), f.mean(40), f.mean(90)}
	best := residual(s, from, to)
	for _, d := range []similarity{{a: 0.01}, {b: 0.01}, {tx: 0.5}, {ty: 0.5}, {a: -0.01}, {b: -0.01}, {tx: -0.5}, {ty: -0.5}} {
		if residual(similarity{s.a + d.a, s.b + d.b, s.tx + d.tx, s.ty + d.ty}, from, to) < best {
			t.Errorf("moving the alignment by %+v makes it better", d)
		}
	}
	if _, ok := (&located{}).align(template); ok {
		t.Error("a face of one point was aligned")
	}
}

func residual(s similarity, from, to []point) float64 {
	sum := 0.0
	for i := range from {
		d := s.apply(from[i]).distance(to[i])
		sum += d * d
	}
	return sum
}

func FuzzCandidates(f *testing.F) {
	f.Add([]byte{0, 0, 0, 64, 127, 127, 127, 127}, 100.0)
	d := Detector{Size: 128, MinScore: 0.5}
	anchors := []point{{0.5, 0.5}}
	f.Fuzz(func(t *testing.T, b []byte, side float64) {
		boxes := make([]float32, valuesPerAnchor)
		for i := 0; i < len(boxes) && 4*i+4 <= len(b); i++ {
			boxes[i] = math.Float32frombits(uint32(b[4*i]) | uint32(b[4*i+1])<<8 | uint32(b[4*i+2])<<16 | uint32(b[4*i+3])<<24)
		}
		for _, c := range d.candidates(anchors, boxes, []float32{9}, square{0, 0, side}) {
			if s := c.landmarkSquare(1.5, 192); !(s.scale() > 0) || math.IsInf(s.scale(), 0) || math.IsNaN(s.tx+s.ty) {
				t.Errorf("%+v leads to %+v", c, s)
			}
		}
	})
}

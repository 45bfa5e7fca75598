package strip

import (
	"cmp"
	"image"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// near reports whether two numbers differ by less than a bound.
func near(a, b, bound float64) bool { return math.Abs(a-b) < bound }

// line draws marks along a curve, as characters of a size with a little jitter,
// leaving out every skip-th.
func line(c Curve, n, skip int, size, jitter float64, seed uint64) []mark {
	r := rand.New(rand.NewPCG(seed, 1))
	var out []mark
	for k := range n {
		if skip > 0 && k%skip == skip-1 {
			continue
		}
		x, y := c.At(float64(k))
		out = append(out, mark{
			x: x + jitter*(r.Float64()-0.5), y: y + jitter*(r.Float64()-0.5),
			w: size * (0.4 + 0.4*r.Float64()), h: size * (0.9 + 0.2*r.Float64()),
		})
	}
	return out
}

func TestFindLines(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		c    Curve
		n    int
		skip int
	}{
		{"level", Curve{X: [3]float64{100, 20, 0}, Y: [3]float64{300, 0, 0}}, 44, 0},
		{"falling", Curve{X: [3]float64{100, 19, 0}, Y: [3]float64{200, 5, 0}}, 44, 0},
		{"rising", Curve{X: [3]float64{100, 19, 0}, Y: [3]float64{500, -5, 0}}, 36, 0},
		{"leaning away", Curve{X: [3]float64{100, 20, -0.08}, Y: [3]float64{300, 1, 0.01}}, 36, 0},
		{"bent", Curve{X: [3]float64{100, 20, 0}, Y: [3]float64{300, 2, -0.04}}, 44, 0},
		{"with gaps", Curve{X: [3]float64{100, 20, 0}, Y: [3]float64{300, 1, 0}}, 44, 9},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := distinct(findLines(line(test.c, test.n, test.skip, 18, 1.5, 3)))
			if len(got) != 1 {
				t.Fatalf("%d lines, want 1", len(got))
			}
			l := got[0]
			if n := l.Cells(); n != float64(test.n) {
				t.Errorf("%.0f characters, want %d", n, test.n)
			}
			for k := l.From; k <= l.To; k += 5 {
				x, y := l.At(k)
				wx, wy := test.c.At(k - l.From)
				if !near(x, wx, 1.5) || !near(y, wy, 1.5) {
					t.Errorf("character %.0f at %.1f,%.1f, want %.1f,%.1f", k, x, y, wx, wy)
				}
			}
		})
	}
}

func TestFindLinesRefuses(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 5))
	var scattered, proportional []mark
	for range 500 {
		scattered = append(scattered, mark{1300 * r.Float64(), 900 * r.Float64(), 10, 15})
	}
	x := 100.0
	for range 50 { // letters of a book face stand at all distances
		proportional = append(proportional, mark{x, 300, 8, 18})
		x += 9 + 26*r.Float64()
	}
	level := Curve{X: [3]float64{100, 20, 0}, Y: [3]float64{300, 0, 0}}
	for name, marks := range map[string][]mark{
		"nothing":         nil,
		"one mark":        {{10, 10, 5, 8}},
		"scattered marks": scattered,
		"a book face":     proportional,
		"a short line":    line(level, 11, 0, 18, 1, 1),
		"specks":          line(level, 44, 0, 2, 0, 1),
		"far too large":   line(level, 44, 0, 120, 0, 1),
		"one place":       {{5, 5, 9, 9}, {5, 5, 9, 9}, {5, 5, 9, 9}, {5, 5, 9, 9}, {5, 5, 9, 9}, {5, 5, 9, 9}, {5, 5, 9, 9}},
	} {
		if got := findLines(marks); len(got) > 0 {
			t.Errorf("%s: found %d lines, the first of %.0f characters", name, len(got), got[0].Cells())
		}
	}
}

func TestFellows(t *testing.T) {
	t.Parallel()
	at := func(y, pitch, slope float64) Line {
		return Line{Curve: Curve{X: [3]float64{100, pitch, 0}, Y: [3]float64{y, slope, 0}}, From: 0, To: 43}
	}
	upper := at(300, 20, 0)
	short := at(350, 20, 0)
	short.From, short.To = 5, 30
	off, from, to, ok := upper.Fellow(short)
	if !ok || !near(off, 2.5, 0.01) || !near(from, 5, 0.01) || !near(to, 30, 0.01) {
		t.Errorf("below: %.2f pitches, from %.1f to %.1f, %v", off, from, to, ok)
	}
	if off, _, _, ok := short.Fellow(upper); !ok || !near(off, -2.5, 0.01) {
		t.Errorf("above: %.2f pitches, %v", off, ok)
	}
	for name, m := range map[string]Line{
		"itself": upper, "another pitch": at(350, 14, 0), "another direction": at(350, 20, 8), "far away": at(800, 20, 0),
		"upside down": upper.Reversed(),
	} {
		if _, _, _, ok := upper.Fellow(m); ok {
			t.Errorf("%s is a fellow", name)
		}
	}
}

func TestDistinctKeepsTheBetterOfTwo(t *testing.T) {
	t.Parallel()
	c := Curve{X: [3]float64{100, 20, 0}, Y: [3]float64{300, 0, 0}}
	good, poor := Line{c, 0, 43, 44, 0.02}, Line{c, 0, 40, 30, 0.15}
	below := good
	below.Y[0] += 50
	got := distinct([]Line{poor, below, good})
	if len(got) != 2 || got[0].marks != 44 || got[1].marks != 44 {
		t.Errorf("got %+v", got)
	}
}

func TestCurves(t *testing.T) {
	t.Parallel()
	c := Curve{X: [3]float64{10, 7, 0.02}, Y: [3]float64{40, -2, 0.01}}
	x, y := c.At(5)
	if rx, ry := c.Reversed().At(-5); rx != x || ry != y {
		t.Errorf("reversed: %f,%f, want %f,%f", rx, ry, x, y)
	}
	// A picture twice as large has the middle of pixel 0 at 0.5.
	if sx, sy := c.scaled(2).At(5); !near(sx, 2*x+0.5, 1e-9) || !near(sy, 2*y+0.5, 1e-9) {
		t.Errorf("scaled: %f,%f", sx, sy)
	}
	// Turned a quarter clockwise, pixel x,y of a picture 100 high is at 99-y,x.
	m := turned([]mark{{x: x, y: y, w: 3, h: 9}}, 100)[0]
	on := Curve{X: [3]float64{m.x, 0, 0}, Y: [3]float64{m.y, 0, 0}}
	if ux, uy := on.unturned(100).At(0); !near(ux, x, 1e-9) || !near(uy, y, 1e-9) || m.w != 9 || m.h != 3 {
		t.Errorf("unturned: %f,%f, want %f,%f; size %v × %v", ux, uy, x, y, m.w, m.h)
	}
	level := Curve{X: [3]float64{0, 10, 0}, Y: [3]float64{50, 0, 0}}
	if p := level.Beside(3, 0.5); p != image.Pt(30, 55) {
		t.Errorf("half a pitch below: %v", p)
	}
	if p := level.Reversed().Beside(-3, 0.5); p != image.Pt(30, 45) {
		t.Errorf("half a pitch below, upside down: %v", p)
	}
}

func TestFit(t *testing.T) {
	t.Parallel()
	ks := []float64{0, 1, 2, 5, 9, 12}
	values := make([]float64, len(ks))
	for i, k := range ks {
		values[i] = 3 - 2*k + 0.5*k*k
	}
	p, ok := Fit(ks, values, 2)
	if !ok || !near(p[0], 3, 1e-6) || !near(p[1], -2, 1e-6) || !near(p[2], 0.5, 1e-6) {
		t.Errorf("got %v, %v", p, ok)
	}
	if p, ok := Fit([]float64{1, 3}, []float64{10, 20}, 1); !ok || !near(p[0], 5, 1e-9) || !near(p[1], 5, 1e-9) || p[2] != 0 {
		t.Errorf("a straight line: %v, %v", p, ok)
	}
	for name, ks := range map[string][]float64{"one place": {4, 4, 4}, "none": nil, "two places": {1, 2, 2}} {
		if _, ok := Fit(ks, make([]float64, len(ks)), 2); ok {
			t.Errorf("%s: fitted", name)
		}
	}
}

func TestChains(t *testing.T) {
	t.Parallel()
	upper := line(Curve{X: [3]float64{100, 20, 0}, Y: [3]float64{300, 0, 0}}, 12, 0, 18, 0, 1)
	lower := line(Curve{X: [3]float64{105, 20, 0}, Y: [3]float64{350, 0, 0}}, 9, 0, 18, 0, 2)
	both := append(append([]mark{}, upper...), lower...)
	slices.SortFunc(both, func(a, b mark) int { return cmp.Compare(a.x, b.x) })
	got := chains(both)
	if len(got) != 2 || len(got[0]) != 12 || len(got[1]) != 9 {
		t.Fatalf("chains of %v", got)
	}
	for _, chain := range got {
		for i := 1; i < len(chain); i++ {
			if a, b := both[chain[i-1]], both[chain[i]]; b.x <= a.x || !near(a.y, b.y, 1) {
				t.Errorf("%+v follows %+v", b, a)
			}
		}
	}
}

func TestApart(t *testing.T) {
	t.Parallel()
	a := mark{100, 100, 10, 20}
	for name, test := range map[string]struct {
		b    mark
		near bool
	}{
		"the next character":  {mark{120, 101, 10, 19}, true},
		"the one after next":  {mark{140, 100, 10, 20}, true},
		"on top of it":        {mark{103, 100, 10, 20}, false},
		"far to the right":    {mark{170, 100, 10, 20}, false},
		"on another line":     {mark{120, 125, 10, 20}, false},
		"a speck":             {mark{120, 100, 4, 6}, false},
		"a letter of a title": {mark{120, 100, 40, 60}, false},
	} {
		if got := !math.IsInf(apart(a, test.b), 1); got != test.near {
			t.Errorf("%s: %v, want %v", name, got, test.near)
		}
	}
	if apart(a, mark{120, 100, 10, 20}) >= apart(a, mark{140, 100, 10, 20}) {
		t.Error("the one after next is nearer than the next")
	}
}

func TestNumberFollowsAChangingPitch(t *testing.T) {
	t.Parallel()
	var marks []mark
	x, pitch := 100.0, 24.0
	for k := range 44 {
		if k != 10 && k != 11 { // two characters were not seen
			marks = append(marks, mark{x, 300, 10, 20})
		}
		x += pitch
		pitch *= 0.985 // a page that leans away: half as wide at its end
	}
	ks, xs, _, _ := number(marks)
	if last := ks[len(ks)-1]; last != 43 || len(xs) != 42 {
		t.Errorf("the last of %d marks has number %.0f, want 43", len(xs), last)
	}
	twice := append([]mark{{100, 300, 10, 20}, {101, 300, 10, 20}}, marks[1:]...)
	if ks, _, _, _ := number(twice); ks[len(ks)-1] != 43 {
		t.Errorf("with two marks in one cell the last has number %.0f", ks[len(ks)-1])
	}
}

func TestWorthPrefersFullAndEvenLines(t *testing.T) {
	t.Parallel()
	full := Line{From: 0, To: 43, marks: 44, miss: 0.02}
	holes := Line{From: 0, To: 43, marks: 25, miss: 0.02}
	uneven := Line{From: 0, To: 43, marks: 44, miss: 0.14}
	short := Line{From: 0, To: 15, marks: 16, miss: 0.02}
	for name, l := range map[string]Line{"with holes": holes, "uneven": uneven, "short": short} {
		if l.Worth() >= full.Worth() {
			t.Errorf("a line %s is worth %.1f, a full one %.1f", name, l.Worth(), full.Worth())
		}
	}
	if r := full.Reversed(); r.From != -43 || r.To != 0 || r.Cells() != 44 {
		t.Errorf("reversed: %+v", r)
	}
}

func TestMedian(t *testing.T) {
	t.Parallel()
	if got := median([]float64{9, 1, 5}); got != 5 {
		t.Errorf("got %f", got)
	}
}

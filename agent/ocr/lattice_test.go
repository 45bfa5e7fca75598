package ocr

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// all is the set of every character.
const all = set(1)<<letters - 1

// setOf is the set of some characters.
func setOf(chars string) set {
	var out set
	for i := range len(chars) {
		out |= 1 << place(chars[i])
	}
	return out
}

// spoken makes the network's answer for a text: every character for two frames
// and a blank between, at a confidence, which is shared out as others says.
func spoken(text string, confidence float64, others map[int]string) []float32 {
	var out []float32
	frame := func(class int, also string) {
		f := make([]float32, classes)
		rest := (1 - confidence) / float64(classes-1)
		for c := range f {
			f[c] = float32(math.Log(rest))
		}
		f[class] = float32(math.Log(confidence))
		for i := range len(also) {
			f[1+place(also[i])] = float32(math.Log(confidence) - 1)
		}
		out = append(out, f...)
	}
	frame(0, "")
	for i := range len(text) {
		frame(1+place(text[i]), others[i])
		frame(1+place(text[i]), others[i])
		frame(0, "")
	}
	return out
}

// textOf spells cells.
func textOf(cells []cell) string {
	b := make([]byte, len(cells))
	for i, c := range cells {
		b[i] = alphabet[c.char]
	}
	return string(b)
}

// anything allows every character at n places.
func anything(n int) []set { return slices.Repeat([]set{all}, n) }

func TestLatticeReads(t *testing.T) {
	t.Parallel()
	var l lattice
	digits := setOf("0123456789")
	tests := []struct {
		name    string
		frames  []float32
		allowed []set
		want    string
	}{
		{"plain", spoken("P<UTO", 0.9, nil), anything(5), "P<UTO"},
		{"the same character twice", spoken("LL<<<00", 0.9, nil), anything(7), "LL<<<00"},
		{"a format decides between twins", spoken("O1S", 0.6, map[int]string{0: "0", 2: "5"}), []set{digits, digits, digits}, "015"},
		{"too short a text is filled", spoken("AB", 0.7, nil), anything(3), ""},
		{"too long a text is thinned", spoken("ABCD", 0.7, nil), anything(3), ""},
	}
	for _, test := range tests {
		cells, score, ok := l.best(test.frames, test.allowed, anywhere())
		if !ok || score > 0 || len(cells) != len(test.allowed) {
			t.Errorf("%s: %d cells, score %f, %v", test.name, len(cells), score, ok)
			continue
		}
		if got := textOf(cells); test.want != "" && got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
		for i, c := range cells {
			if test.allowed[i]>>c.char&1 == 0 {
				t.Errorf("%s: %c is not allowed at %d", test.name, alphabet[c.char], i)
			}
		}
	}
}

// The lattice's score is that of the best of all ways, found by trying them.
func TestLatticeFindsTheBestWay(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 3))
	allowed := []set{setOf("AB"), setOf("AB"), setOf("B0")}
	var l lattice
	for range 60 {
		steps := 3 + r.IntN(4)
		frames := make([]float32, steps*classes)
		for i := range frames {
			frames[i] = float32(math.Log(0.01 + r.Float64()))
		}
		_, score, ok := l.best(frames, allowed, anywhere())
		want := bestWay(frames, allowed)
		if ok != !math.IsInf(want, -1) {
			t.Fatalf("%d frames: found %v, best %f", steps, ok, want)
		}
		if ok && math.Abs(score*3-want) > 1e-4 {
			t.Fatalf("%d frames: score %f, want %f", steps, score*3, want)
		}
	}
}

// bestWay tries every sequence of classes.
func bestWay(frames []float32, allowed []set) float64 {
	steps := len(frames) / classes
	options := []int{0, 1 + place('A'), 1 + place('B'), 1 + place('0')}
	best := math.Inf(-1)
	path := make([]int, steps)
	var walk func(t int, sum float64)
	walk = func(t int, sum float64) {
		if t == steps {
			if spells(path, allowed) {
				best = max(best, sum)
			}
			return
		}
		for _, c := range options {
			path[t] = c
			walk(t+1, sum+float64(frames[t*classes+c]))
		}
	}
	walk(0, 0)
	return best
}

// spells reports whether a sequence of classes comes to one allowed character
// for each place: runs of one class are one character, blanks none.
func spells(path []int, allowed []set) bool {
	n, last := 0, 0
	for _, c := range path {
		if c != last && c != 0 {
			if n == len(allowed) || allowed[n]>>(c-1)&1 == 0 {
				return false
			}
			n++
		}
		last = c
	}
	return n == len(allowed)
}

func TestLatticeKeepsToItsBand(t *testing.T) {
	t.Parallel()
	var l lattice
	// Characters stand at frames 1.5, 4.5, 7.5 …; the band is one character on.
	frames := spoken("ABCDE", 0.8, nil)
	in, _, _ := l.best(frames, anything(3), band{1.5, 3, 1})
	on, _, _ := l.best(frames, anything(3), band{4.5, 3, 1})
	if textOf(in) != "ABC" || textOf(on) != "BCD" {
		t.Errorf("in its band %q, one further on %q", textOf(in), textOf(on))
	}
	if _, _, ok := l.best(frames, anything(3), band{500, 3, 1}); ok {
		t.Error("read beyond the strip")
	}
}

func TestLatticeRefuses(t *testing.T) {
	t.Parallel()
	var l lattice
	if _, _, ok := l.best(spoken("A", 0.9, nil), anything(9), anywhere()); ok {
		t.Error("nine characters in four frames")
	}
	if _, _, ok := l.best(nil, anything(1), anywhere()); ok {
		t.Error("a character in no frames")
	}
	if _, _, ok := l.best(spoken("AB", 0.9, nil), nil, anywhere()); ok {
		t.Error("no characters at all")
	}
	if _, _, ok := l.best(spoken("AB", 0.9, nil), []set{all, 0}, anywhere()); ok {
		t.Error("a place that allows nothing")
	}
}

func TestPeaksTellTheAlternatives(t *testing.T) {
	t.Parallel()
	var l lattice
	cells, _, _ := l.best(spoken("A0B", 0.6, map[int]string{1: "O"}), anything(3), anywhere())
	loss := cells[1].peak[place('0')] - cells[1].peak[place('O')]
	if math.Abs(float64(loss)-1) > 0.01 {
		t.Errorf("O is less likely than 0 by %f, want 1", loss)
	}
	if math.Abs(float64(cells[1].frame)-4.5) > 0.01 {
		t.Errorf("the second character is at frame %f, want 4.5", cells[1].frame)
	}
}

func FuzzLattice(f *testing.F) {
	f.Add([]byte(strings.Repeat("\x00\xff\x10", 60)), uint8(5), int64(3), 0.5)
	f.Add([]byte{1, 2, 3}, uint8(44), int64(-1), 9.0)
	var l lattice
	f.Fuzz(func(t *testing.T, answer []byte, n uint8, mask int64, reach float64) {
		frames := make([]float32, len(answer)/4*classes)
		for i := range frames {
			frames[i] = -float32(answer[(i*7+i/classes)%len(answer)]) / 16
		}
		allowed := slices.Repeat([]set{set(mask) & all}, int(n)%45)
		where := band{from: 2, step: 4, reach: reach}
		cells, score, ok := l.best(frames, allowed, where)
		if !ok {
			return
		}
		if len(cells) != len(allowed) || score > 0 || math.IsNaN(score) {
			t.Fatalf("%d cells of %d, score %f", len(cells), len(allowed), score)
		}
		for _, c := range cells {
			if set(mask)>>c.char&1 == 0 {
				t.Fatalf("%c is not allowed", alphabet[c.char])
			}
		}
	})
}

package barcode

import (
	"errors"
	"image"
	"image/color"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/proof"
	"github.com/makiuchi-d/gozxing"
)

// endless is a picture that claims a size and has no pixels.
type endless struct{ r image.Rectangle }

func (e endless) ColorModel() color.Model { return color.GrayModel }
func (e endless) Bounds() image.Rectangle { return e.r }
func (e endless) At(int, int) color.Color { return color.Gray{} }

func TestRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		img  image.Image
		want proof.Kind
	}{
		{"none", nil, proof.KindNotPicture},
		{"empty", image.NewGray(image.Rectangle{}), proof.KindPictureTiny},
		{"narrow", image.NewGray(image.Rect(0, 0, MinSide-1, 400)), proof.KindPictureTiny},
		{"low", image.NewGray(image.Rect(0, 0, 400, MinSide-1)), proof.KindPictureTiny},
		{"huge", endless{image.Rect(0, 0, 10_000, 10_000)}, proof.KindPictureHuge},
		{"huge/beyond-32-bits", endless{image.Rect(0, 0, 1<<31, 1<<31)}, proof.KindPictureHuge},
	}
	for _, c := range tests {
		found, err := Read(c.img, Options{})
		if proof.KindOf(err) != c.want || found != nil {
			t.Errorf("%s: got %v, %v, want %s", c.name, found, err, c.want)
		}
	}
	if _, err := Read(image.NewGray(image.Rect(0, 0, MinSide, MinSide)), Options{}); err != nil {
		t.Errorf("at the bound: %v", err)
	}
}

// texture fills a picture by a rule.
func texture(w, h int, rule func(x, y int) uint8) *image.Gray {
	g := image.NewGray(image.Rect(0, 0, w, h))
	for i := range g.Pix {
		g.Pix[i] = rule(i%w, i/w)
	}
	return g
}

// TestReadsNothing gives pictures without a symbol, and symbols that are spoilt:
// whatever is read in them is invented.
func TestReadsNothing(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	dark := func(is bool) uint8 {
		if is {
			return 20
		}
		return 235
	}
	words := make([]bool, 4096) // strokes, as of printed lines
	for i := range words {
		words[i] = r.IntN(3) == 0
	}
	pictures := map[string]image.Image{
		"white":        texture(480, 360, func(int, int) uint8 { return 255 }),
		"black":        texture(480, 360, func(int, int) uint8 { return 0 }),
		"noise":        texture(480, 360, func(int, int) uint8 { return uint8(r.Uint32()) }),
		"gradient":     texture(480, 360, func(x, _ int) uint8 { return uint8(x * 255 / 480) }),
		"checkers":     texture(480, 360, func(x, y int) uint8 { return dark((x/9+y/9)%2 == 0) }),
		"even-bars":    texture(480, 360, func(x, _ int) uint8 { return dark(x/5%2 == 0) }),
		"random-bars":  texture(480, 360, func(x, _ int) uint8 { return dark(words[x/4]) }),
		"strokes":      texture(480, 360, func(x, y int) uint8 { return dark(y%24 < 14 && words[(x/4+y/24*131)%4096]) }),
		"only-finders": finders(480, 360),
	}
	for _, s := range samples(t) {
		pictures["spoilt "+string(s.kind)] = spoilt(t, s.d)
	}
	eachEngine(t, func(t *testing.T, e engine) {
		for name, img := range pictures {
			// zxing-cpp takes a minute for the finder patterns, so it gets no more
			// time than at a counter.
			found, err := read(e, img, nil, time.Now().Add(Budget))
			if len(found) > 0 || err != nil {
				t.Errorf("%s: got %s, %v", name, brief(found), err)
			}
		}
	})
}

// finders is a sheet full of the finder patterns of QR codes.
func finders(w, h int) *image.Gray {
	return texture(w, h, func(x, y int) uint8 {
		ring := max(abs(x%18-9)/2, abs(y%18-9)/2) // of 2 pixels each
		if ring == 2 || ring > 3 {
			return 235
		}
		return 20
	})
}

func abs(n int) int { return max(n, -n) }

// spoilt turns every other module of a symbol's middle: more than any error
// correction bears.
func spoilt(tb testing.TB, d drawing) image.Image {
	tb.Helper()
	bad := drawing{rowHeight: d.rowHeight}
	w := len(d.modules[0])
	for y, row := range d.modules {
		row := append([]bool(nil), row...)
		for x := w / 4; x < w*3/4; x += 2 {
			row[x] = (x/2+y)%2 == 0
		}
		bad.modules = append(bad.modules, row)
	}
	return upright(bad, 4).take(tb, bad)
}

// TestManyFinderPatterns holds the bound that keeps a sheet of finder patterns
// from taking days.
func TestManyFinderPatterns(t *testing.T) {
	t.Parallel()
	bitmap, err := bitmapOf(finders(1800, 1800)) // 10,000 of them
	if err != nil {
		t.Fatal(err)
	}
	bits, err := bitmap.GetBlackMatrix()
	if err != nil {
		t.Fatal(err)
	}
	l := pureLook{until: time.Now().Add(time.Hour)}
	found := l.patterns(bits)
	if len(found) != maxPatterns {
		t.Errorf("%d patterns, want %d", len(found), maxPatterns)
	}
	if n := len(triples(found)); n > maxTriples {
		t.Errorf("%d sets of three, want at most %d", n, maxTriples)
	}
}

// TestManySymbols gives more symbols than are reported.
func TestManySymbols(t *testing.T) {
	t.Parallel()
	at := map[image.Point]drawing{}
	for i := range 25 {
		at[image.Pt(60+i%5*220, 60+i/5*220)] = written(t, QR, string(rune('A'+i)))
	}
	img := sheet(1200, 1200, 5, at)
	eachEngine(t, func(t *testing.T, e engine) {
		if found := mustRead(t, e, img); len(found) < 8 || len(found) > MaxSymbols {
			t.Errorf("%d symbols, want up to %d", len(found), MaxSymbols)
		}
	})
}

// TestAnyCodewords draws PDF417 symbols of any codewords, whose error correction
// holds: what a forger can print. Nothing may break; most of them say something.
func TestAnyCodewords(t *testing.T) {
	t.Parallel()
	const extended, fileID, macro, macroEnd, eciUser, eciGeneral, eciCharset = 920, 922, 928, 923, 925, 926, 927
	fixed := map[string][]int{
		"nothing":               {},
		"macro-without-end":     {65, 66, macro},
		"macro-cut-off":         {65, 66, macro, 111},
		"macro-optional-cut":    {65, macro, 111, 100, 1, macroEnd},
		"file-without-end":      {65, macro, 111, 100, 1, fileID},
		"charset-cut-off":       {65, eciCharset},
		"charset-unknown":       {eciCharset, 899, 65, 66},
		"general-cut-off":       {65, eciGeneral, 1},
		"user-cut-off":          {65, eciUser},
		"bytes-with-charset":    {toBytesBy6, 1, 2, 3, 4, eciCharset, 26, 5},
		"byte-shift-at-the-end": {65, shiftByte},
		"digits-only-of-zero":   {toDigits, 0, 0, 0},
		"reserved":              {extended, 903, 912, 914},
	}
	r := rand.New(rand.NewPCG(5, 6))
	for i := range 12 {
		words := make([]int, 5+r.IntN(60))
		for k := range words {
			words[k] = r.IntN(pdf417Base)
		}
		fixed[string(rune('a'+i))+" at random"] = words
	}
	eachEngine(t, func(t *testing.T, e engine) {
		for name, words := range fixed {
			d := pdf417(t, words, 4+len(words)%3, 1)
			for _, s := range mustRead(t, e, upright(d, 3).take(t, d)) {
				if s.Symbology != PDF417 || len(s.Bytes) > MaxContent {
					t.Errorf("%s: got %s of %d bytes", name, s.Symbology, len(s.Bytes))
				}
			}
		}
	})
}

// broken is an engine that always fails, or says nonsense.
type broken struct{ says []Symbol }

// hurried is an engine that fails and keeps the time that it was given.
type hurried struct{ until *time.Time }

func (hurried) offers() set { return matrix }

func (h hurried) look(_ *image.Gray, _ set, until time.Time) ([]Symbol, error) {
	*h.until = until
	return nil, errors.New("no time")
}

func (b broken) offers() set { return matrix }

func (b broken) look(*image.Gray, set, time.Time) ([]Symbol, error) {
	if b.says == nil {
		return nil, errors.New("broken")
	}
	return b.says, nil
}

func TestEither(t *testing.T) {
	t.Parallel()
	d := written(t, QR, "ONE")
	img := upright(d, 4).take(t, d)
	if found := mustRead(t, either{broken{}, pure{}}, img); !says(found, sample{kind: QR, text: "ONE"}) {
		t.Errorf("after the first engine failed: got %s", brief(found))
	}
	if found := mustRead(t, either{broken{[]Symbol{}}, pure{}}, img); len(found) > 0 {
		t.Errorf("an answer of nothing was not believed: got %s", brief(found))
	}
	if found := mustRead(t, broken{}, img); len(found) > 0 {
		t.Errorf("of an engine that fails: got %s", brief(found))
	}
}

// TestEitherSharesTheTime: a picture that takes the first engine all its time
// must leave the second one some.
func TestEitherSharesTheTime(t *testing.T) {
	t.Parallel()
	var first, second time.Time
	begun := time.Now()
	if _, err := (either{hurried{&first}, hurried{&second}}).look(nil, matrix, begun.Add(time.Hour)); err == nil {
		t.Error("no error, though both failed")
	}
	if got := first.Sub(begun); got < 20*time.Minute || got > 40*time.Minute || second != begun.Add(time.Hour) {
		t.Errorf("of an hour the first has %v, the second %v", got, second.Sub(begun))
	}
}

// TestEngineOutOfBounds gives corners and numbers that no decoder should.
func TestEngineOutOfBounds(t *testing.T) {
	t.Parallel()
	far := [4]image.Point{{-1 << 31, 5}, {1<<31 - 1, 5}, {50, 1<<31 - 1}, {5, -1 << 31}}
	var many []Symbol
	for i := range 40 {
		many = append(many, Symbol{Symbology: QR, Bytes: []byte{byte(i)}, Corners: far})
	}
	img := image.NewGray(image.Rect(100, 100, 300, 300))
	found := mustRead(t, broken{many}, img)
	if len(found) != MaxSymbols {
		t.Errorf("%d symbols, want %d", len(found), MaxSymbols)
	}
	for _, s := range found {
		for _, c := range s.Corners {
			if !c.In(img.Rect) {
				t.Fatalf("corners %v are not in %v", s.Corners, img.Rect)
			}
		}
	}
}

func TestPureSurvivesPanics(t *testing.T) {
	t.Parallel()
	l := pureLook{until: time.Now().Add(time.Hour)}
	l.step(onlyQR, func() { panic("a decoder's index") })
	after := false
	l.step(onlyQR, func() { after = true })
	l.step(0, func() { t.Error("a step that is not wanted was done") })
	late := pureLook{until: time.Now().Add(-time.Second)}
	late.step(onlyQR, func() { t.Error("a step was done after the time") })
	if !after {
		t.Error("the step after a panic was not done")
	}
}

func TestWithin(t *testing.T) {
	t.Parallel()
	for within, want := range map[time.Duration]time.Duration{0: Budget, -1: Budget, time.Second: time.Second, time.Hour: Budget} {
		if got := (Options{Within: within}).within(); got != want {
			t.Errorf("%v: got %v, want %v", within, got, want)
		}
	}
	d := written(t, QR, "ONE")
	img := upright(d, 4).take(t, d)
	if found, err := Read(img, Options{Within: time.Nanosecond}); len(found) > 0 || err != nil {
		t.Errorf("without time: got %s, %v", brief(found), err)
	}
	eachEngine(t, func(t *testing.T, e engine) {
		if found, err := read(e, img, nil, time.Now().Add(-time.Second)); len(found) > 0 || err != nil {
			t.Errorf("after the time: got %s, %v", brief(found), err)
		}
	})
}

func TestContentOf(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text string
		segments   [][]byte
		want       string
	}{
		{"no-segments", "Siân", nil, "Si\xe2n"},
		{"all-in-segments", "Siân", [][]byte{[]byte("Si"), []byte("ân")}, "Siân"},
		{"some-in-segments", "12Siân", [][]byte{[]byte("Si\xe2n")}, "12Si\xe2n"},
		{"beyond-Latin-1", "Ŵyn", nil, "Ŵyn"},
		{"no-UTF-8", "Si\xe2n", nil, "Si\xe2n"},
		{"empty", "", nil, ""},
	}
	for _, c := range tests {
		if got := string(contentOf(c.text, c.segments)); got != c.want {
			t.Errorf("%s: got % x, want % x", c.name, got, c.want)
		}
	}
	if got := fourCorners([]gozxing.ResultPoint{gozxing.NewResultPoint(1, 2)}); got != [4]image.Point{{1, 2}} {
		t.Errorf("corners of one point: %v", got)
	}
}

// FuzzRead reads symbols whose modules are changed: of each three bytes of
// changes two say where, one says what the next eight modules are. Symbols that
// still hold are read, and those that nearly do reach deepest into a decoder.
func FuzzRead(f *testing.F) {
	all := samples(f)
	for i := range all {
		f.Add(uint8(i), []byte{})
		f.Add(uint8(i), []byte{0, 9, 0x5a, 1, 7, 0xff, 0, 40, 0})
	}
	f.Fuzz(func(t *testing.T, which uint8, changes []byte) {
		d := all[int(which)%len(all)].d.changed(changes[:min(len(changes), 300)])
		img := upright(d, 2).take(t, d)
		for _, e := range engines() {
			found, err := read(e, img, nil, time.Now().Add(100*time.Millisecond))
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range found {
				if len(s.Bytes) > MaxContent || setOf(s.Symbology) == 0 {
					t.Fatalf("%q with %d bytes", s.Symbology, len(s.Bytes))
				}
			}
		}
	})
}

// changed is a drawing with some modules changed.
func (d drawing) changed(by []byte) drawing {
	w := len(d.modules[0])
	flat := slices.Concat(d.modules...)
	for ; len(by) >= 3; by = by[3:] {
		at := int(by[0])<<8 | int(by[1])
		for bit := range 8 {
			flat[(at+bit)%len(flat)] = by[2]>>bit&1 == 1
		}
	}
	return drawing{modules: slices.Collect(slices.Chunk(flat, w)), rowHeight: d.rowHeight}
}

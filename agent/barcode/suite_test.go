package barcode

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

// licence is the sample payload of the AAMVA card design standard, annex D: an
// invented person.
const licence = "@\n\x1e\rANSI 636000100102DL00410278ZV03190008DLDAQT64235789\nDCSSAMPLE\nDDEN\n" +
	"DACMICHAEL\nDDFN\nDADJOHN\nDDGN\nDCUJR\nDCAD\nDCBK\nDCDPH\nDBD06062019\nDBB06061986\nDBA12102024\n" +
	"DBC1\nDAU068 in\nDAYBRO\nDAG2300 WEST BROAD STREET\nDAIRICHMOND\nDAJVA\nDAK232690000  \n" +
	"DCF2424244747474786102204\nDCGUSA\nDCK123456789\nDDAF\nDDB06062018\nDDC06062020\nDDD1\rZVZVA01\r"

// sample is a symbol with what it says.
type sample struct {
	kind Symbology
	text string
	d    drawing
}

// samples has one symbol of each kind, as they come at a counter.
func samples(tb testing.TB) []sample {
	tb.Helper()
	text, code := aztecCode(tb, "aztec-compact.txt")
	all := []sample{
		{PDF417, licence, pdf417(tb, pdf417Text(licence), 13, 4)},
		{Aztec, text, code},
	}
	for kind, text := range map[Symbology]string{
		QR: "https://counter.example/r/402P-EJ7F-AC4", DataMatrix: "402P-EJ7F-AC4", Code128: "402P-EJ7F-AC4",
		Code39: "402PEJ7F", EAN13: "5901234123457", EAN8: "96385074",
	} {
		all = append(all, sample{kind, text, written(tb, kind, text)})
	}
	slices.SortFunc(all, func(a, b sample) int { return strings.Compare(string(a.kind), string(b.kind)) })
	return all
}

// mustRead reads a picture that is within bounds, with time enough for a busy
// machine.
func mustRead(tb testing.TB, e engine, img image.Image, among ...Symbology) []Symbol {
	tb.Helper()
	found, err := read(e, img, among, time.Now().Add(time.Minute))
	if err != nil {
		tb.Fatal(err)
	}
	return found
}

// says reports whether the symbols are exactly the wanted ones, in any order.
func says(found []Symbol, want ...sample) bool {
	if len(found) != len(want) {
		return false
	}
	for _, w := range want {
		if !slices.ContainsFunc(found, func(s Symbol) bool { return s.Symbology == w.kind && s.Text == w.text }) {
			return false
		}
	}
	return true
}

// brief lists symbols for a failure's message.
func brief(found []Symbol) string {
	var b strings.Builder
	for _, s := range found {
		fmt.Fprintf(&b, "%s %.40q ", s.Symbology, s.Text)
	}
	return b.String()
}

// eachEngine runs a test for every engine.
func eachEngine(t *testing.T, run func(*testing.T, engine)) {
	t.Helper()
	for name, e := range engines() {
		t.Run(name, func(t *testing.T) { run(t, e) })
	}
}

func TestReadsEachSymbology(t *testing.T) {
	t.Parallel()
	turns := map[string]float64{"upright": 0, "askew": 24, "quarter-turn": 90, "headstand": 180, "three-quarters": 270, "little": -3}
	eachEngine(t, func(t *testing.T, e engine) {
		for _, want := range samples(t) {
			if e.offers()&setOf(want.kind) == 0 {
				continue
			}
			for name, degrees := range turns {
				s := shot{w: 760, h: 740, module: 3, tilt: degrees * math.Pi / 180}
				if want.kind == PDF417 {
					s.module = 2.3
				}
				found := mustRead(t, e, s.take(t, want.d))
				if !says(found, want) {
					t.Errorf("%s/%s: got %s", want.kind, name, brief(found))
					continue
				}
				checkCorners(t, want, s, found[0])
			}
		}
	})
}

// checkCorners compares corners with the true ones, whichever comes first. The
// decoders differ by the quiet zone and by how many lines they read.
func checkCorners(t *testing.T, want sample, s shot, got Symbol) {
	t.Helper()
	true4 := s.corners(want.d)
	best := math.Inf(1)
	for turn := range 4 {
		worst := 0.0
		for i, c := range got.Corners {
			w := true4[(i+turn)%4]
			worst = max(worst, math.Hypot(float64(c.X)-w.x, float64(c.Y)-w.y))
		}
		best = min(best, worst)
	}
	w, h := want.d.size()
	if best > 0.12*s.module*max(w, h) {
		t.Errorf("%s tilted %.0f°: corners %v, want about %.0f", want.kind, s.tilt*180/math.Pi, got.Corners, true4)
	}
	if area(got.Corners) <= 0 {
		t.Errorf("%s tilted %.0f°: corners %v do not run clockwise", want.kind, s.tilt*180/math.Pi, got.Corners)
	}
}

func TestContents(t *testing.T) {
	t.Parallel()
	latin1 := []byte("Si\xe2n")
	digits := strings.Repeat("0123456789", 9)
	tests := []struct {
		name  string
		kind  Symbology
		d     drawing
		text  string
		bytes []byte
	}{
		{"QR/digits", QR, written(t, QR, digits), digits, []byte(digits)},
		{"QR/bytes-are-Latin-1", QR, writtenAs(t, QR, "Siân", "ISO-8859-1"), "Siân", latin1},
		{"QR/UTF-8-by-ECI", QR, writtenAs(t, QR, "Siân Ŵyn", "UTF-8"), "Siân Ŵyn", []byte("Siân Ŵyn")},
		{"QR/control-characters", QR, written(t, QR, "a\x1d\x00\r\n"), "a\x1d\x00\r\n", []byte("a\x1d\x00\r\n")},
		{"DataMatrix/bytes-are-Latin-1", DataMatrix, written(t, DataMatrix, "Siân"), "Siân", latin1},
		{"Code128/letters-and-digits", Code128, written(t, Code128, "ab12345678Z"), "ab12345678Z", []byte("ab12345678Z")},
		{"Code39/all-signs", Code39, written(t, Code39, "A-1. $/+%"), "A-1. $/+%", []byte("A-1. $/+%")},
		{"EAN13/UPC-A-begins-with-0", EAN13, written(t, EAN13, "0036000291452"), "0036000291452", []byte("0036000291452")},
		{"PDF417/licence-as-text", PDF417, pdf417(t, pdf417Text(licence), 12, 3), licence, []byte(licence)},
		{"PDF417/licence-as-bytes", PDF417, pdf417(t, pdf417Bytes([]byte(licence)), 14, 5), licence, []byte(licence)},
		{"PDF417/digits", PDF417, pdf417(t, pdf417Digits(digits), 5, 2), digits, []byte(digits)},
		{"PDF417/bytes-are-Latin-1", PDF417, pdf417(t, pdf417Bytes(latin1), 3, 2), "Siân", latin1},
		{"PDF417/bytes-that-are-UTF-8", PDF417, pdf417(t, pdf417Bytes([]byte("Ŵyn")), 3, 2), "Ŵyn", []byte("Ŵyn")},
	}
	eachEngine(t, func(t *testing.T, e engine) {
		for _, c := range tests {
			if e.offers()&setOf(c.kind) == 0 {
				continue
			}
			found := mustRead(t, e, upright(c.d, 4).take(t, c.d))
			if !says(found, sample{c.kind, c.text, c.d}) || !bytes.Equal(found[0].Bytes, c.bytes) {
				t.Errorf("%s: got %s, want %.40q as % x", c.name, brief(found), c.text, c.bytes[:min(len(c.bytes), 16)])
			}
		}
	})
}

func TestReadsAztecWithManyLayers(t *testing.T) {
	t.Parallel()
	text, d := aztecCode(t, "aztec-full.txt")
	eachEngine(t, func(t *testing.T, e engine) {
		if found := mustRead(t, e, upright(d, 5).take(t, d)); !says(found, sample{Aztec, text, d}) {
			t.Errorf("got %s", brief(found))
		}
	})
}

// sheet lays symbols on one paper, with their upper left corners in pixels.
func sheet(w, h, module int, at map[image.Point]drawing) *image.Gray {
	img := image.NewGray(image.Rect(0, 0, w, h))
	draw.Draw(img, img.Rect, image.White, image.Point{}, draw.Src)
	for p, d := range at {
		dw, dh := d.size()
		for y := range int(dh) * module {
			for x := range int(dw) * module {
				if d.dark(float64(x)/float64(module), float64(y)/float64(module)) {
					img.SetGray(p.X+x, p.Y+y, color.Gray{20})
				}
			}
		}
	}
	return img
}

func TestReadsSeveral(t *testing.T) {
	t.Parallel()
	one, two := written(t, QR, "ONE"), written(t, QR, "TWO")
	three := written(t, Code128, "THREE 3")
	img := sheet(1200, 1200, 4, map[image.Point]drawing{
		image.Pt(900, 100): one, image.Pt(100, 150): one, image.Pt(120, 900): two, image.Pt(300, 600): three,
	})
	eachEngine(t, func(t *testing.T, e engine) {
		found := mustRead(t, e, img)
		var texts []string
		for _, s := range found {
			texts = append(texts, s.Text)
		}
		if want := []string{"ONE", "THREE 3", "TWO"}; !slices.Equal(texts, want) {
			t.Errorf("got %q, want %q: each content once, from top to bottom", texts, want)
		}
	})
}

func TestReadsLicenceBack(t *testing.T) {
	t.Parallel()
	front := pdf417(t, pdf417Text(licence), 13, 4)
	inventory := written(t, Code128, "0123456789")
	img := sheet(1400, 900, 4, map[image.Point]drawing{image.Pt(100, 500): front, image.Pt(300, 150): inventory})
	eachEngine(t, func(t *testing.T, e engine) {
		want := []sample{{kind: Code128, text: "0123456789"}}
		if e.offers()&onlyPDF417 != 0 {
			want = append(want, sample{kind: PDF417, text: licence})
		}
		if found := mustRead(t, e, img); !says(found, want...) {
			t.Errorf("got %s", brief(found))
		}
	})
}

func TestAmong(t *testing.T) {
	t.Parallel()
	img := sheet(900, 700, 4, map[image.Point]drawing{
		image.Pt(100, 100): written(t, QR, "ONE"), image.Pt(100, 400): written(t, Code128, "THREE 3"),
	})
	tests := []struct {
		name  string
		among []Symbology
		want  []sample
	}{
		{"all", nil, []sample{{kind: QR, text: "ONE"}, {kind: Code128, text: "THREE 3"}}},
		{"one", []Symbology{QR}, []sample{{kind: QR, text: "ONE"}}},
		{"two", []Symbology{Code128, EAN8}, []sample{{kind: Code128, text: "THREE 3"}}},
		{"not-there", []Symbology{DataMatrix, PDF417}, nil},
		{"unknown", []Symbology{"Codabar"}, nil},
	}
	eachEngine(t, func(t *testing.T, e engine) {
		for _, c := range tests {
			if found := mustRead(t, e, img, c.among...); !says(found, c.want...) {
				t.Errorf("%s: got %s", c.name, brief(found))
			}
		}
	})
}

// TestKindsOfPicture reads one symbol from pictures of several kinds, one of
// which does not begin at 0,0.
func TestKindsOfPicture(t *testing.T) {
	t.Parallel()
	d := written(t, QR, "ONE")
	gray := sheet(300, 280, 5, map[image.Point]drawing{image.Pt(60, 50): d})
	rgba := image.NewRGBA(image.Rect(1000, -500, 1300, -220))
	draw.Draw(rgba, rgba.Rect, gray, image.Point{}, draw.Src)
	wide := image.NewGray(image.Rect(0, 0, 700, 300))
	draw.Draw(wide, image.Rect(390, 10, 690, 290), gray, image.Point{}, draw.Src)
	pictures := map[string]struct {
		image.Image
		corner image.Point
	}{
		"gray":            {gray, image.Pt(60, 50)},
		"begins-anywhere": {rgba, image.Pt(1060, -450)},
		"part-of-larger":  {wide.SubImage(image.Rect(390, 10, 690, 290)), image.Pt(450, 60)},
	}
	eachEngine(t, func(t *testing.T, e engine) {
		for name, p := range pictures {
			found := mustRead(t, e, p)
			if !says(found, sample{kind: QR, text: "ONE"}) {
				t.Errorf("%s: got %s", name, brief(found))
				continue
			}
			if c := found[0].Corners[0].Sub(p.corner); max(c.X, c.Y) > 4 || min(c.X, c.Y) < -4 {
				t.Errorf("%s: first corner %v, want about %v", name, found[0].Corners[0], p.corner)
			}
		}
	})
}

// TestLargePicture shrinks the picture first and must still read what is small.
func TestLargePicture(t *testing.T) {
	t.Parallel()
	d := written(t, Code128, "402P-EJ7F-AC4")
	s := shot{w: 4608, h: 3456, module: 3.6, tilt: 0.3, offX: 900, offY: -700, noise: 3}
	img := s.take(t, d)
	eachEngine(t, func(t *testing.T, e engine) {
		if found := mustRead(t, e, img); !says(found, sample{kind: Code128, text: "402P-EJ7F-AC4"}) {
			t.Errorf("got %s", brief(found))
		}
	})
}

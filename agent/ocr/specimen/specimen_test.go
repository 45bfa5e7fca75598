package specimen

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/counterproof/counterproof/agent/mrz"
	"github.com/counterproof/counterproof/agent/proof"
)

// today is the day of every test.
var today = proof.Date{Year: 2026, Month: 11, Day: 22}

// page makes a page, or skips where OCR-B is not installed.
func page(t testing.TB, o Options) Document {
	t.Helper()
	d, err := Page(o)
	if errors.Is(err, ErrNoFont) {
		t.Skip("SKIPPED: nothing can be drawn without OCR-B; install fonts-ocr-b")
	}
	if err != nil {
		t.Fatalf("making a page: %v", err)
	}
	return d
}

// photo photographs a page.
func photo(t testing.TB, d Document, o Options) (Photo, image.Image) {
	t.Helper()
	p, err := Photograph(d, o)
	if err != nil {
		t.Fatalf("photographing: %v", err)
	}
	img, err := jpeg.Decode(bytes.NewReader(p.JPEG))
	if err != nil {
		t.Fatalf("the photograph is no JPEG: %v", err)
	}
	if img.Bounds().Size() != p.Size {
		t.Fatalf("size %v, want %v", img.Bounds().Size(), p.Size)
	}
	return p, img
}

// luma is the brightness of a pixel.
func luma(img image.Image, x, y float64) float64 {
	return float64(color.GrayModel.Convert(img.At(int(x), int(y))).(color.Gray).Y)
}

func TestPageTellsWhereEverythingIs(t *testing.T) {
	t.Parallel()
	for _, f := range []mrz.Format{mrz.TD3, mrz.TD1, mrz.TD2, mrz.MRVA, mrz.MRVB, mrz.FRID, mrz.DL30, mrz.CHDL} {
		t.Run(string(f), func(t *testing.T) {
			t.Parallel()
			d := page(t, Options{Seed: 5, Format: f})
			if got := mrz.Parse(d.Lines, today); got.Format != f || len(got.FailingChecks()) > 0 {
				t.Errorf("the zone reads as %s with failing checks %v", got.Format, got.FailingChecks())
			}
			if !d.Zone.In(d.Image.Rect) || !d.Portrait.In(d.Image.Rect) || d.Zone.Overlaps(d.Portrait) {
				t.Errorf("zone %v and portrait %v on %v", d.Zone, d.Portrait, d.Image.Rect)
			}
			pitch := pitchMM * d.PerMM
			for i, line := range d.Lines {
				top := float64(d.Zone.Min.Y) + float64(i)*lineMM*d.PerMM
				for k := range line {
					x := float64(d.Zone.Min.X) + (float64(k)+0.5)*pitch
					if darkest(d.Image, x-pitch/2, top, x+pitch/2, top+pitch) > 70 {
						t.Fatalf("line %d, character %d: no ink in its cell", i, k)
					}
				}
			}
			above := float64(d.Zone.Min.Y) - 0.3*pitch
			if darkest(d.Image, float64(d.Zone.Min.X), above, float64(d.Zone.Max.X), above+3) < 120 {
				t.Error("ink right above the zone")
			}
		})
	}
}

// darkest is the least brightness in a rectangle.
func darkest(img image.Image, x0, y0, x1, y1 float64) float64 {
	least := 255.0
	for y := y0; y < y1; y++ {
		for x := x0; x < x1; x++ {
			least = min(least, luma(img, x, y))
		}
	}
	return least
}

func TestPageIsTheSameForTheSameOptions(t *testing.T) {
	t.Parallel()
	o := Options{Seed: 11, Width: 800, Condition: Mix}
	d := page(t, o)
	first, _ := photo(t, d, o)
	again, _ := photo(t, page(t, o), o)
	if !bytes.Equal(first.JPEG, again.JPEG) {
		t.Error("the same options gave another photograph")
	}
	o.Seed++
	other, _ := photo(t, page(t, o), o)
	if bytes.Equal(first.JPEG, other.JPEG) || slices.Equal(first.Lines, other.Lines) {
		t.Error("another seed gave the same photograph or person")
	}
}

func TestPortraitFillsTheBox(t *testing.T) {
	t.Parallel()
	// Red above, green below, blue at the sides: the sides are cut off.
	wide := image.NewRGBA(image.Rect(10, 20, 410, 220))
	for y := 20; y < 220; y++ {
		for x := 10; x < 410; x++ {
			c := color.RGBA{200, 20, 20, 255}
			switch {
			case x < 100 || x > 320:
				c = color.RGBA{20, 20, 200, 255}
			case y > 120:
				c = color.RGBA{20, 200, 20, 255}
			}
			wide.SetRGBA(x, y, c)
		}
	}
	d := page(t, Options{Portrait: wide})
	at := func(u, v float64) color.RGBA {
		return d.Image.RGBAAt(d.Portrait.Min.X+int(u*float64(d.Portrait.Dx())), d.Portrait.Min.Y+int(v*float64(d.Portrait.Dy())))
	}
	if c := at(0.5, 0.2); c.R < 150 {
		t.Errorf("above: %v, want red", c)
	}
	if c := at(0.5, 0.8); c.G < 150 {
		t.Errorf("below: %v, want green", c)
	}
	if c := at(0.03, 0.3); c.B > 100 {
		t.Errorf("at the side: %v, want it cut off", c)
	}
	tall := page(t, Options{Portrait: wide.SubImage(image.Rect(150, 20, 200, 220))})
	if c := tall.Image.RGBAAt(tall.Portrait.Max.X-5, tall.Portrait.Max.Y-5); c.G > 100 {
		t.Errorf("a tall picture kept its lower end: %v", c)
	}
	drawn := page(t, Options{})
	if c := drawn.Image.RGBAAt((drawn.Portrait.Min.X+drawn.Portrait.Max.X)/2, drawn.Portrait.Min.Y+drawn.Portrait.Dy()/2); c.R < c.B {
		t.Errorf("the drawing has no face in its middle: %v", c)
	}
}

func TestTruthIsWhereThePictureShowsIt(t *testing.T) {
	t.Parallel()
	blue := image.NewUniform(color.RGBA{20, 20, 230, 255})
	portrait := image.NewRGBA(image.Rect(0, 0, 70, 90))
	for i := 0; i < len(portrait.Pix); i += 4 {
		copy(portrait.Pix[i:], []uint8{20, 20, 230, 255})
	}
	for i, turn := range []int{0, 90, 180, 270, -90} {
		o := Options{Seed: uint64(30 + i), Width: 1000, Condition: Perspective, Turn: turn, Portrait: portrait}
		d := page(t, o)
		p, img := photo(t, d, o)
		middle := func(c Corners) (x, y float64) {
			return (c[0][0] + c[1][0] + c[2][0] + c[3][0]) / 4, (c[0][1] + c[1][1] + c[2][1] + c[3][1]) / 4
		}
		x, y := middle(p.Portrait)
		if r, g, b, _ := img.At(int(x), int(y)).RGBA(); b < 2*r || b < 2*g {
			t.Errorf("turned by %d: the portrait is not at %.0f,%.0f like %v", turn, x, y, blue.C)
		}
		want := float64((turn + 360) % 360)
		across := math.Atan2(p.Zone[1][1]-p.Zone[0][1], p.Zone[1][0]-p.Zone[0][0]) * 180 / math.Pi
		if off := math.Mod(across-want+540, 360) - 180; math.Abs(off) > 25 {
			t.Errorf("turned by %d: the zone runs at %.0f degrees", turn, across)
		}
		if p.Turn != int(want) {
			t.Errorf("turn %d is told as %d", turn, p.Turn)
		}
		if i < 4 && turn%180 == 90 && p.Size.X > p.Size.Y {
			t.Errorf("turned by %d: size %v", turn, p.Size)
		}
		inside := image.Rectangle{Max: p.Size}
		for _, c := range p.Outline.Points() {
			if !c.In(inside) {
				t.Errorf("turned by %d: a corner at %v of %v", turn, c, p.Size)
			}
		}
	}
}

func TestConditionsSpoilWhatTheySay(t *testing.T) {
	t.Parallel()
	measure := func(c Condition, severity float64) (mean, bright, detail, bytes float64) {
		o := Options{Seed: 3, Width: 900, Condition: c, Severity: severity}
		d := page(t, o)
		p, img := photo(t, d, o)
		n := 0.0
		for y := 1; y < p.Size.Y-1; y += 2 {
			for x := 1; x < p.Size.X-1; x += 2 {
				v := luma(img, float64(x), float64(y))
				mean += v
				if v > 251 {
					bright++
				}
				detail += math.Abs(2*v - luma(img, float64(x-1), float64(y)) - luma(img, float64(x+1), float64(y)))
				n++
			}
		}
		return mean / n, bright / n, detail / n, float64(len(p.JPEG))
	}
	mean, bright, detail, size := measure(Clean, 1)
	if m, _, _, _ := measure(LowLight, 1); m > 0.6*mean {
		t.Errorf("low light: brightness %.0f of %.0f", m, mean)
	}
	if _, b, _, _ := measure(Glare, 1.5); b < bright+0.005 {
		t.Errorf("glare: %.3f of the picture is white, without %.3f", b, bright)
	}
	if _, _, d, _ := measure(Blur, 2); d > 0.8*detail {
		t.Errorf("blur: detail %.1f of %.1f", d, detail)
	}
	if _, _, d, _ := measure(Motion, 2); d > 0.9*detail {
		t.Errorf("motion: detail %.1f of %.1f", d, detail)
	}
	if _, _, _, b := measure(JPEG, 1); b > 0.6*size {
		t.Errorf("jpeg: %.0f bytes of %.0f", b, size)
	}
}

func TestPhotographRefuses(t *testing.T) {
	t.Parallel()
	d := page(t, Options{})
	for _, o := range []Options{{Width: 20}, {Width: 1 << 20}, {Turn: 45}} {
		if _, err := Photograph(d, o); err == nil {
			t.Errorf("%d pixels, turned by %d: photographed", o.Width, o.Turn)
		}
	}
}

func TestGivenLinesArePrinted(t *testing.T) {
	t.Parallel()
	lines := []string{"P<UTOSPECIMEN<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<11"}
	d := page(t, Options{Lines: lines})
	if !slices.Equal(d.Lines, lines) {
		t.Errorf("got %q", d.Lines)
	}
}

func TestSetCoversEverything(t *testing.T) {
	t.Parallel()
	set := Set(64, 9)
	pairs, formats, widths := map[string]int{}, map[mrz.Format]int{}, map[int]int{}
	for _, o := range set {
		pairs[string(o.Format)+string(o.Condition)]++
		formats[o.Format]++
		widths[o.Width]++
	}
	if len(pairs) != 5*len(Conditions()) || len(formats) != 5 || len(widths) != 8 {
		t.Errorf("%d pairs of format and condition, formats %v, widths %v", len(pairs), formats, widths)
	}
	least, most := slices.Min(slices.Collect(maps.Keys(widths))), slices.Max(slices.Collect(maps.Keys(widths)))
	if least != 640 || most != 3000 {
		t.Errorf("widths from %d to %d", least, most)
	}
	for i, o := range Set(10, 9) {
		if o.Seed != set[i].Seed || o.Name(i) != set[i].Name(i) {
			t.Errorf("%d: a shorter set begins otherwise", i)
		}
	}
	if Set(1, 10)[0].Seed == set[0].Seed {
		t.Error("another seed gives the same set")
	}
	if got := set[8].Name(8); got != "0008_TD3_blur_1920.jpg" {
		t.Errorf("name %q", got)
	}
}

func TestInventedPeople(t *testing.T) {
	t.Parallel()
	seen := map[rune]bool{}
	for seed := range uint64(200) {
		p := Invent(seed, mrz.TD3)
		if !p.Birth.Valid() || !p.Expiry.Valid() || !p.Issued.Before(p.Expiry) || p.Given == "" || p.Number == "" {
			t.Fatalf("seed %d: %+v", seed, p)
		}
		for _, c := range strings.Join(mrz.Compose(fields(p, mrz.TD3), mrz.TD3), "") {
			seen[c] = true
		}
	}
	if len(seen) != len(zoneAlphabet) {
		t.Errorf("200 people use %d of the zone's %d characters", len(seen), len(zoneAlphabet))
	}
	for seed := range uint64(50) {
		p := Utopian(seed, today)
		d := mrz.Parse(mrz.Compose(fields(p, mrz.TD3), mrz.TD3), today)
		if !d.Specimen || d.Fields.Surname != "SPECIMEN" || d.Fields.IssuingState != "UTO" {
			t.Errorf("seed %d: not known as a specimen: %v", seed, d.Problems)
		}
		if !today.Before(p.Expiry) || !p.Issued.Before(today) || p.Birth.Year > today.Year-18 {
			t.Errorf("seed %d: born %s, issued %s, expires %s", seed, p.Birth, p.Issued, p.Expiry)
		}
	}
	if Invent(1, mrz.FRID).State != "FRA" {
		t.Error("a French card of another state")
	}
}

func TestPrintedDates(t *testing.T) {
	t.Parallel()
	for want, d := range map[string]proof.Date{
		"12 AUG 1974": {Year: 1974, Month: 8, Day: 12},
		"01 DEC 2030": {Year: 2030, Month: 12, Day: 1},
		"1974-??-??":  {Year: 1974},
		"":            {},
	} {
		if got := printedDate(d); got != want {
			t.Errorf("%+v: got %q, want %q", d, got, want)
		}
	}
}

func BenchmarkPhotograph(b *testing.B) {
	d := page(b, Options{})
	for b.Loop() {
		_, _ = Photograph(d, Options{Condition: Mix})
	}
}

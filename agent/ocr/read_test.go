package ocr

import (
	"bufio"
	"bytes"
	"encoding/json"
	"image"
	"image/color"
	"image/draw"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/counterproof/counterproof/agent/capture"
	"github.com/counterproof/counterproof/agent/mrz"
	"github.com/counterproof/counterproof/agent/ocr/specimen"
	"github.com/counterproof/counterproof/agent/proof"
	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// today is the day of every test.
var today = proof.Date{Year: 2026, Month: 11, Day: 22}

// newReader makes a reader for a test.
func newReader(t testing.TB) *Reader {
	t.Helper()
	r, err := NewReader()
	if err != nil {
		t.Fatalf("making a reader: %v", err)
	}
	return r
}

// truth is what is true of a photograph in testdata, which package specimen
// made.
type truth struct {
	File     string         `json:"file"`
	Format   mrz.Format     `json:"format"`
	Lines    []string       `json:"lines"`
	Turn     int            `json:"turn"`
	Zone     [4]image.Point `json:"zone"`
	Portrait [4]image.Point `json:"portrait"`
}

// truths reads the list of photographs.
func truths(t testing.TB) []truth {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "truth.json"))
	if err != nil {
		t.Fatal(err)
	}
	var out []truth
	lines := bufio.NewScanner(bytes.NewReader(b))
	for lines.Scan() {
		var tr truth
		if err := json.Unmarshal(lines.Bytes(), &tr); err != nil {
			t.Fatal(err)
		}
		out = append(out, tr)
	}
	return out
}

// photograph opens a picture of testdata.
func photograph(t testing.TB, name string) image.Image {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	img, err := capture.Decode(b)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return img
}

// wrongDigits is the photograph whose check digits disagree.
const wrongDigits = "wrong_digits.jpg"

func TestReadPhotographs(t *testing.T) {
	t.Parallel()
	r := newReader(t)
	for _, tr := range truths(t) {
		if tr.File == wrongDigits {
			continue
		}
		t.Run(tr.File, func(t *testing.T) {
			t.Parallel()
			got := r.Read(photograph(t, tr.File), today)
			if !got.Accepted || !slices.Equal(got.Lines, tr.Lines) || got.Format != tr.Format {
				t.Fatalf("accepted %v, format %s, score %.2f, guidance %v\n got %q\nwant %q",
					got.Accepted, got.Format, got.Score, got.Guidance, got.Lines, tr.Lines)
			}
			if len(got.Guidance) > 0 || got.Score < ScoreFloor || got.Document.Format != tr.Format {
				t.Errorf("guidance %v, score %.2f, document of format %s", got.Guidance, got.Score, got.Document.Format)
			}
			if got.Upright != tr.Turn {
				t.Errorf("turned by %d, want %d", got.Upright, tr.Turn)
			}
			for i, p := range got.Corners {
				if d := p.Sub(tr.Zone[i]); math.Hypot(float64(d.X), float64(d.Y)) > 1.2*got.Pitch {
					t.Errorf("corner %d at %v, want %v (a character is %.0f wide)", i, p, tr.Zone[i], got.Pitch)
				}
			}
		})
	}
}

func TestReadRefusesWrongDigits(t *testing.T) {
	t.Parallel()
	got := newReader(t).Read(photograph(t, wrongDigits), today)
	if got.Accepted || !slices.Contains(got.Document.FailingChecks(), "expiry_date") {
		t.Errorf("accepted %v, failing checks %v", got.Accepted, got.Document.FailingChecks())
	}
	if len(got.Guidance) == 0 || got.Guidance[0] != proof.KindChecksFailed {
		t.Errorf("guidance %v, want %s first", got.Guidance, proof.KindChecksFailed)
	}
}

func TestReadAnyWayUp(t *testing.T) {
	t.Parallel()
	r := newReader(t)
	tr := truths(t)[0]
	img := photograph(t, tr.File)
	for turn := 0; turn < 360; turn += 90 {
		got := r.Read(img, today)
		if !got.Accepted || !slices.Equal(got.Lines, tr.Lines) || got.Upright != turn {
			t.Errorf("turned by %d: accepted %v, upright %d, %q", turn, got.Accepted, got.Upright, got.Lines)
		}
		img = quarter(img)
	}
}

// quarter turns a picture a quarter clockwise.
func quarter(img image.Image) image.Image {
	b := img.Bounds()
	out := image.NewRGBA(image.Rect(0, 0, b.Dy(), b.Dx()))
	for y := range b.Dy() {
		for x := range b.Dx() {
			out.Set(b.Dy()-1-y, x, img.At(b.Min.X+x, b.Min.Y+y))
		}
	}
	return out
}

func TestReadDoesNotMindTheColourModel(t *testing.T) {
	t.Parallel()
	r := newReader(t)
	tr := truths(t)[0]
	src := photograph(t, tr.File)
	shifted := src.Bounds().Add(image.Pt(7, 11))
	for _, dst := range []draw.Image{image.NewRGBA(shifted), image.NewNRGBA(shifted), image.NewGray(shifted), image.NewRGBA64(shifted)} {
		draw.Draw(dst, shifted, src, src.Bounds().Min, draw.Src)
		if got := r.Read(dst, today); !got.Accepted || !slices.Equal(got.Lines, tr.Lines) {
			t.Errorf("%T: accepted %v, %q", dst, got.Accepted, got.Lines)
		}
	}
}

func TestGlanceReadsWhatIsPlain(t *testing.T) {
	t.Parallel()
	r := newReader(t)
	for _, tr := range truths(t)[:3] {
		img := photograph(t, tr.File)
		if got := r.Glance(img, today); !got.Accepted || !slices.Equal(got.Lines, tr.Lines) {
			t.Errorf("%s: accepted %v, %q", tr.File, got.Accepted, got.Lines)
		}
	}
	if got := r.Glance(typed(t, prose), today); got.Accepted || len(got.Guidance) == 0 {
		t.Errorf("prose: accepted %v, guidance %v", got.Accepted, got.Guidance)
	}
}

func TestReadByManyAtOnce(t *testing.T) {
	t.Parallel()
	r := newReader(t)
	var all sync.WaitGroup
	for _, tr := range truths(t)[:4] {
		img := photograph(t, tr.File)
		for range 2 {
			all.Go(func() {
				if got := r.Read(img, today); !slices.Equal(got.Lines, tr.Lines) {
					t.Errorf("%s: got %q", tr.File, got.Lines)
				}
			})
		}
	}
	all.Wait()
}

func TestReadAcceptsNothingElse(t *testing.T) {
	t.Parallel()
	r := newReader(t)
	for name, img := range map[string]image.Image{
		"blank":             image.NewGray(image.Rect(0, 0, 1200, 900)),
		"noise":             noise(1200, 900),
		"stripes":           stripes(1200, 900),
		"typewritten prose": typed(t, prose),
		"a table of codes":  typed(t, codes),
		"empty":             image.NewGray(image.Rectangle{}),
		"a point":           image.NewGray(image.Rect(0, 0, 1, 1)),
		"a thread":          image.NewGray(image.Rect(0, 0, 5000, 2)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := r.Read(img, today)
			if got.Accepted || len(got.Guidance) == 0 {
				t.Errorf("accepted %v, score %.2f, guidance %v, %q", got.Accepted, got.Score, got.Guidance, got.Lines)
			}
		})
	}
}

// noise is a picture of nothing.
func noise(w, h int) image.Image {
	r := rand.New(rand.NewPCG(1, 2))
	img := image.NewGray(image.Rect(0, 0, w, h))
	for i := range img.Pix {
		img.Pix[i] = uint8(r.Uint32())
	}
	return img
}

// stripes are rows of bars at even distances, which lines of characters are too.
func stripes(w, h int) image.Image {
	img := image.NewGray(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.Pix[y*w+x] = 220
			if y%50 < 20 && x%20 < 8 && x > 80 && x < w-80 {
				img.Pix[y*w+x] = 20
			}
		}
	}
	return img
}

// Pages in a typeface of even width that is not OCR-B.
var (
	prose = []string{
		"The bearer of this letter called on us on Tuesday",
		"and asked that the parcel be kept for her until",
		"the end of the month, as she would be away. Please",
		"hand it over to nobody else, whatever they may say,",
		"and send word when it has been fetched.",
	}
	codes = []string{
		"A1B2C3D4E5F6G7H8I9J0K1L2M3N4O5P6Q7R8S9T0U1V2",
		"V3W4X5Y6Z7A8B9C0D1E2F3G4H5I6J7K8L9M0N1O2P3Q4",
		"1234567890<<ABCDEFGHIJ<<1234567890<<ABCDEFGH",
	}
)

// typed is a page with lines of a typewriter's face.
func typed(t testing.TB, lines []string) image.Image {
	t.Helper()
	f, err := opentype.Parse(gomono.TTF)
	if err != nil {
		t.Fatal(err)
	}
	face, err := opentype.NewFace(f, &opentype.FaceOptions{Size: 34, DPI: 72})
	if err != nil {
		t.Fatal(err)
	}
	img := image.NewGray(image.Rect(0, 0, 1300, 900))
	draw.Draw(img, img.Rect, image.NewUniform(color.Gray{225}), image.Point{}, draw.Src)
	d := font.Drawer{Dst: img, Src: image.NewUniform(color.Gray{30}), Face: face}
	for i, l := range lines {
		d.Dot = fixed.P(100, 300+52*i)
		d.DrawString(l)
	}
	return img
}

// Every condition and format, made here so that what is read has never been seen
// before. Wrong readings must not be accepted, and few may be refused.
func TestReadFreshSpecimens(t *testing.T) {
	t.Parallel()
	r := newReader(t)
	const n = 24
	read, wrong := 0, 0
	for i, o := range specimen.Set(n*2, 2026)[n:] {
		o.Width = min(o.Width, 1280)
		d, err := specimen.Page(o)
		if err != nil {
			t.Skip("SKIPPED: fresh photographs cannot be made here: ", err)
		}
		p, err := specimen.Photograph(d, o)
		if err != nil {
			t.Fatal(err)
		}
		img, err := capture.Decode(p.JPEG)
		if err != nil {
			t.Fatal(err)
		}
		got := r.Read(img, today)
		right := slices.Equal(got.Lines, p.Lines)
		if got.Accepted && right {
			read++
		}
		if got.Accepted && !right {
			wrong++
			t.Errorf("%s: accepted\n got %q\nwant %q", o.Name(i), got.Lines, p.Lines)
		}
	}
	t.Logf("%d of %d read, %d accepted wrongly", read, n, wrong)
	if read < n*95/100 {
		t.Errorf("%d of %d were read", read, n)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("some bytes that become pixels"), 200, false)
	f.Add([]byte{0, 255, 0, 0, 255, 255}, 333, true)
	f.Add(photoBytes(f), 320, false)
	r := newReader(f)
	f.Fuzz(func(t *testing.T, pix []byte, width int, standing bool) {
		width = min(max(width, 1), 330)
		img := image.NewGray(image.Rect(0, 0, width, 100))
		for i := range img.Pix {
			if len(pix) > 0 {
				img.Pix[i] = pix[i%len(pix)]
			}
		}
		var in image.Image = img
		if standing {
			in = quarter(img)
		}
		got := r.Read(in, today)
		if got.Accepted {
			t.Fatalf("accepted %q", got.Lines)
		}
		if len(got.Guidance) == 0 {
			t.Fatal("refused without guidance")
		}
		if _, ok := Portrait(in, got); ok && len(got.Lines) == 0 {
			t.Fatal("a portrait without a zone")
		}
	})
}

// photoBytes is the brightness of part of a photograph with a zone, of which a
// piece makes a good start for fuzzing.
func photoBytes(t testing.TB) []byte {
	g := capture.Gray(photograph(t, truths(t)[0].File))
	var out []byte
	for y := g.Rect.Dy() * 3 / 5; y < g.Rect.Dy()*9/10; y++ {
		out = append(out, g.Pix[y*g.Stride+300:][:320]...)
	}
	return out
}

// BenchmarkRead reads a photograph 1920 pixels wide, once decoded; the second
// figure is with decoding.
func BenchmarkRead(b *testing.B) {
	r := newReader(b)
	o := specimen.Options{Seed: 77, Width: 1920}
	d, err := specimen.Page(o)
	if err != nil {
		b.Skip("SKIPPED: photographs cannot be made here: ", err)
	}
	p, err := specimen.Photograph(d, o)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("1920", func(b *testing.B) {
		img, err := capture.Decode(p.JPEG)
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if !r.Read(img, today).Accepted {
				b.Fatal("not accepted")
			}
		}
	})
	b.Run("1920 with decoding", func(b *testing.B) {
		for b.Loop() {
			img, err := capture.Decode(p.JPEG)
			if err != nil {
				b.Fatal(err)
			}
			r.Read(img, today)
		}
	})
	b.Run("1920 without a document", func(b *testing.B) {
		img := typed(b, prose)
		for b.Loop() {
			r.Read(img, today)
		}
	})
}

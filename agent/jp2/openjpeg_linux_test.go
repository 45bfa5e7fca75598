//go:build cgo && !nojp2

package jp2

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"os"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/chip/lds"
	"github.com/counterproof/counterproof/agent/proof"
)

// scene is a picture with something like a face in it: an oval with shades, and
// some grain.
func scene(w, h int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	grain := uint32(1)
	for y := range h {
		for x := range w {
			grain = grain*1664525 + 1013904223
			dx, dy := 4*x-2*w, 3*y-3*h/2
			level := 230 - 60*y/h
			if dx*dx+dy*dy < w*w {
				level = 200 - 90*x/w
			}
			level += int(grain >> 29)
			img.SetRGBA(x, y, color.RGBA{uint8(level), uint8(level * 4 / 5), uint8(level * 3 / 4), 255})
		}
	}
	return img
}

// grayScene is scene without colours.
func grayScene(w, h int) *image.Gray {
	from, to := scene(w, h), image.NewGray(image.Rect(0, 0, w, h))
	for i := range to.Pix {
		to.Pix[i] = from.Pix[4*i]
	}
	return to
}

// encoded writes a picture, or ends the test.
func encoded(t testing.TB, img image.Image, how Coding) []byte {
	t.Helper()
	b, err := Encode(img, how)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// far is the greatest difference of two pictures in a channel.
func far(a, b image.Image) int {
	most := 0
	for y := range a.Bounds().Dy() {
		for x := range a.Bounds().Dx() {
			p, q := color.RGBAModel.Convert(a.At(x, y)).(color.RGBA), color.RGBAModel.Convert(b.At(x, y)).(color.RGBA)
			for _, d := range []int{int(p.R) - int(q.R), int(p.G) - int(q.G), int(p.B) - int(q.B)} {
				most = max(most, d, -d)
			}
		}
	}
	return most
}

func TestDecode(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		img  image.Image
		how  Coding
		most int // difference
	}{
		"colour, boxed":      {scene(413, 531), Coding{}, 0},
		"colour, bare":       {scene(120, 160), Coding{Bare: true}, 0},
		"colour, with loss":  {scene(413, 531), Coding{Bytes: 16_000}, 40},
		"gray, boxed":        {grayScene(240, 320), Coding{}, 0},
		"gray, bare":         {grayScene(33, 65), Coding{Bare: true}, 0},
		"one-pixel":          {grayScene(1, 1), Coding{}, 0},
		"one-row":            {scene(50, 1), Coding{Bare: true}, 0},
		"part-of-a-picture":  {scene(200, 200).SubImage(image.Rect(50, 60, 120, 150)), Coding{}, 0},
		"more-than-portrait": {scene(1200, 1600), Coding{Bytes: 100_000}, 60},
	} {
		b := encoded(t, c.img, c.how)
		got, err := Decode(t.Context(), b, Limits{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if sub, is := c.img.(*image.RGBA); is && sub.Rect.Min != (image.Point{}) {
			c.img = moved{sub}
		}
		if _, gray := c.img.(*image.Gray); gray != (got.ColorModel() == color.GrayModel) {
			t.Errorf("%s: the colours are %T", name, got)
		}
		if got.Bounds().Size() != c.img.Bounds().Size() || far(got, c.img) > c.most {
			t.Errorf("%s: %v, %d apart, want %v and at most %d", name, got.Bounds(), far(got, c.img), c.img.Bounds(), c.most)
		}
		if c.how.Bytes > 0 && len(b) > c.how.Bytes*11/10 {
			t.Errorf("%s: %d bytes", name, len(b))
		}
	}
}

// moved is a picture seen from its own corner.
type moved struct{ *image.RGBA }

func (m moved) At(x, y int) color.Color { return m.RGBA.At(x+m.Rect.Min.X, y+m.Rect.Min.Y) }

// The colours of a file are what its boxes say they are.
func TestColourSpaces(t *testing.T) {
	t.Parallel()
	img := scene(64, 64)
	good := encoded(t, img, Coding{})
	at := bytes.Index(good, []byte("colr\x01\x00\x00")) + 7
	first := img.RGBAAt(0, 0)
	r, g, b := color.YCbCrToRGB(first.R, first.G, first.B)
	for name, c := range map[string]struct {
		code uint32
		want color.Color // of the first pixel; nil is refused
	}{
		"sRGB": {16, first}, "gray": {17, color.Gray{first.R}}, "sYCC": {18, color.RGBA{r, g, b, 255}}, "CMYK": {12, nil}, "e-sYCC": {24, nil},
	} {
		file := slices.Clone(good)
		binary.BigEndian.PutUint32(file[at:], c.code)
		got, err := Decode(t.Context(), file, Limits{})
		if (err == nil) != (c.want != nil) || err == nil && got.At(0, 0) != c.want {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
}

// A portrait comes out of a chip's file as it went in, by either standard.
func TestPortraitOfChip(t *testing.T) {
	t.Parallel()
	img := scene(240, 320)
	for _, by := range []lds.Standard{lds.ISO19794, lds.ISO39794} {
		for _, bare := range []bool{false, true} {
			face, err := lds.Face(lds.BuildDG2(encoded(t, img, Coding{Bare: bare}), 240, 320, by))
			if err != nil {
				t.Fatal(err)
			}
			got, err := Portrait(t.Context(), face.Picture, Limits{})
			if err != nil || got.Partial || far(got, img) > 0 {
				t.Errorf("%s, bare %t: %v, partial %t", by, bare, err, got.Partial)
			}
		}
	}
}

func TestEncodeRefuses(t *testing.T) {
	t.Parallel()
	for name, img := range map[string]image.Image{"nil": nil, "empty": image.NewGray(image.Rectangle{}), "too-wide": image.NewGray(image.Rect(0, 0, maxSide+1, 1))} {
		if b, err := Encode(img, Coding{}); err == nil {
			t.Errorf("%s: %d bytes", name, len(b))
		}
	}
}

// Pictures that are cut off are refused; a portrait shows what there is, and says
// so.
func TestCutOff(t *testing.T) {
	t.Parallel()
	for _, bare := range []bool{false, true} {
		b := encoded(t, scene(413, 531), Coding{Bytes: 16_000, Bare: bare})
		for _, n := range []int{len(b) - 100, len(b) * 9 / 10, len(b) / 2, len(b) / 4} {
			if _, err := Decode(t.Context(), b[:n], Limits{}); proof.KindOf(err) != proof.KindPictureCorrupt {
				t.Errorf("bare %t, %d of %d bytes: %v", bare, n, len(b), err)
			}
			got, err := Portrait(t.Context(), lds.Picture{Format: lds.FormatOf(b), Bytes: b[:n]}, Limits{})
			if err != nil || !got.Partial || got.Bounds().Dx() != 413 {
				t.Errorf("bare %t, %d of %d bytes as portrait: partial %t, %v", bare, n, len(b), got.Partial, err)
			}
		}
		if got, err := Portrait(t.Context(), lds.Picture{Format: lds.FormatOf(b), Bytes: b}, Limits{}); err != nil || got.Partial {
			t.Errorf("bare %t, whole: partial %t, %v", bare, got.Partial, err)
		}
	}
}

func TestRefuses(t *testing.T) {
	t.Parallel()
	good := encoded(t, scene(413, 531), Coding{Bytes: 16_000})
	at := bytes.Index(good, []byte(start)) + len(start) + 4
	tall := slices.Clone(good) // the header says more than there is
	binary.BigEndian.PutUint32(tall[at+4:], 1900)
	binary.BigEndian.PutUint32(tall[at+20:], 1900)
	large := encoded(t, scene(1900, 2000), Coding{Bytes: 100_000})
	for name, c := range map[string]struct {
		bytes []byte
		limit Limits
		want  proof.Kind
	}{
		"empty":            {nil, Limits{}, proof.KindNotPicture},
		"JPEG":             {[]byte("\xff\xd8\xff\xe0"), Limits{}, proof.KindNotPicture},
		"header-only":      {sized(portrait(), rgb...), Limits{}, proof.KindPictureCorrupt},
		"too-many-bytes":   {make([]byte, MaxBytes+1), Limits{}, proof.KindPictureHuge},
		"too-many-pixels":  {good, Limits{Pixels: 413*531 - 1}, proof.KindPictureHuge},
		"pixels-that-fit":  {good, Limits{Pixels: 413 * 531}, proof.KindNone},
		"too-little-room":  {large, Limits{Memory: 8 << 20, Time: time.Minute}, proof.KindPictureCorrupt},
		"no-time":          {good, Limits{Time: time.Nanosecond}, proof.KindPictureCorrupt},
		"header-says-more": {tall, Limits{}, proof.KindPictureCorrupt},
	} {
		img, err := Decode(t.Context(), c.bytes, c.limit)
		if proof.KindOf(err) != c.want || (img == nil) != (err != nil) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Decode(ctx, good, Limits{}); !errors.Is(err, context.Canceled) {
		t.Errorf("given up: %v", err)
	}
}

// The largest picture that the limits let through can be decoded within them.
func TestDefaultsSuffice(t *testing.T) {
	t.Parallel()
	b := encoded(t, scene(2000, 2000), Coding{Bytes: 200_000})
	if _, err := Decode(t.Context(), b, Limits{Time: time.Minute}); err != nil {
		t.Error(err)
	}
}

// started begins to decode a picture that takes a while.
func started(t *testing.T, ctx context.Context) *child {
	t.Helper()
	b := encoded(t, scene(2000, 1900), Coding{Bytes: 900_000})
	h, err := readHeader(b)
	if err != nil {
		t.Fatal(err)
	}
	c, err := begin(ctx, b, h, Limits{Memory: defaultMemory, Time: time.Minute}, false)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestProcessDies kills the process at work, as a fault in the library would.
func TestProcessDies(t *testing.T) {
	t.Parallel()
	for _, signal := range []syscall.Signal{syscall.SIGSEGV, syscall.SIGABRT, syscall.SIGKILL} {
		c := started(t, t.Context())
		if err := c.cmd.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		b, err := c.answer(t.Context(), 1<<20)
		if _, err := parseAnswer(b, header{width: 2000, height: 1900}); err == nil {
			t.Errorf("%v: a picture", signal)
		}
		if err != nil {
			t.Errorf("%v: %v", signal, err)
		}
		if err := c.cmd.Process.Signal(syscall.Signal(0)); err == nil {
			t.Errorf("%v: the process is still there", signal)
		}
	}
}

// TestProcessHangs stops the process: the caller's giving up ends it.
func TestProcessHangs(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	c := started(t, ctx)
	if err := c.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := c.answer(ctx, 1<<20); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if err := c.cmd.Process.Signal(syscall.Signal(0)); err == nil {
		t.Error("the process is still there")
	}
}

// TestProcessIsConfined looks at the process at work: it has its three pipes,
// can open nothing more, nothing of the environment, and its memory and its calls are bounded.
func TestProcessIsConfined(t *testing.T) {
	t.Parallel()
	c := started(t, t.Context())
	defer c.end()
	proc := fmt.Sprintf("/proc/%d/", c.cmd.Process.Pid)
	limits := []*regexp.Regexp{
		regexp.MustCompile(`Max core file size +0 +0 `), regexp.MustCompile(`Max open files +0 +0 `),
		regexp.MustCompile(`Max file size +0 +0 `), regexp.MustCompile(`Max address space +\d+ +\d+ `),
		regexp.MustCompile(`Max cpu time +61 +61 `),
	}
	for end := time.Now().Add(10 * time.Second); ; { // it takes a moment to begin
		told, err := os.ReadFile(proc + "limits")
		if err != nil {
			t.Fatal(err)
		}
		status, err := os.ReadFile(proc + "status")
		if err != nil {
			t.Fatal(err)
		}
		open, err := os.ReadDir(proc + "fd")
		if err != nil {
			t.Fatal(err)
		}
		environ, err := os.ReadFile(proc + "environ")
		if err != nil {
			t.Fatal(err)
		}
		bare := string(environ) == decodes+"\x00"
		bounded := !slices.ContainsFunc(limits, func(r *regexp.Regexp) bool { return !r.Match(told) })
		filtered := strings.Contains(string(status), "Seccomp:\t2") && strings.Contains(string(status), "NoNewPrivs:\t1")
		if len(open) == 3 && bare && bounded && (filtered || !filters()) {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%d descriptors are open, calls filtered %t; limits:\n%s", len(open), filtered, told)
		}
	}
	if !filters() {
		t.Skip("SKIPPED: this kernel cannot filter the calls of a process; the limits alone were checked")
	}
}

// filters reports whether the kernel can filter calls.
func filters() bool {
	b, err := os.ReadFile("/proc/sys/kernel/seccomp/actions_avail")
	return err == nil && strings.Contains(string(b), "errno")
}

// noise changes a picture in some places, which the seed chooses.
func noise(b []byte, seed uint32, places int) []byte {
	b = slices.Clone(b)
	for range places {
		seed = seed*1664525 + 1013904223
		b[int(seed>>8)%len(b)] ^= byte(seed>>3) | 1
	}
	return b
}

// Broken pictures of every kind end in an error or a picture of the size that the
// header tells, and never harm the program.
func TestBroken(t *testing.T) {
	t.Parallel()
	for _, how := range []Coding{{Bytes: 4000}, {Bytes: 4000, Bare: true}} {
		good := encoded(t, scene(120, 160), how)
		for seed := range uint32(60) {
			b := noise(good, seed, 1+int(seed)%5)
			img, err := Portrait(t.Context(), lds.Picture{Format: lds.J2K, Bytes: b}, Limits{Pixels: 1 << 20, Time: 3 * time.Second})
			h, headErr := readHeader(b)
			if err == nil && (headErr != nil || img.Bounds().Dx() != h.width || img.Bounds().Dy() != h.height) {
				t.Errorf("seed %d: %v out of a header of %+v, %v", seed, img.Bounds(), h, headErr)
			}
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, how := range []Coding{{Bytes: 600}, {Bytes: 600, Bare: true}} {
		f.Add(encoded(f, scene(40, 50), how))
		f.Add(encoded(f, grayScene(30, 30), how))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		img, _, err := decode(t.Context(), b, Limits{Pixels: 1 << 16, Memory: 64 << 20, Time: time.Second}, true)
		if (err == nil) == (img == nil) {
			t.Fatalf("%v, %v", img, err)
		}
		if err == nil && img.Bounds().Dx()*img.Bounds().Dy() > 1<<16 {
			t.Fatalf("%v", img.Bounds())
		}
	})
}

// FuzzBroken changes bytes behind the header, so that most pictures reach the
// library.
func FuzzBroken(f *testing.F) {
	var good [][]byte
	for _, how := range []Coding{{Bytes: 900}, {Bytes: 900, Bare: true}, {}} {
		good = append(good, encoded(f, scene(40, 50), how), encoded(f, grayScene(30, 30), how))
	}
	f.Add(byte(0), uint32(1), byte(1), uint16(0))
	f.Add(byte(1), uint32(99), byte(9), uint16(300))
	f.Fuzz(func(t *testing.T, which byte, seed uint32, places byte, cut uint16) {
		b := good[int(which)%len(good)]
		from := bytes.Index(b, []byte(start)) + len(start) + sizeBytes + 9
		b = append(slices.Clone(b[:from]), noise(b[from:], seed, int(places)%16)...)
		b = b[:len(b)-int(cut)%(len(b)-from)]
		img, _, err := decode(t.Context(), b, Limits{Pixels: 1 << 16, Memory: 64 << 20, Time: time.Second}, true)
		if (err == nil) == (img == nil) {
			t.Fatalf("%v, %v", img, err)
		}
	})
}

// BenchmarkPortrait is a usual portrait, with the start of its process.
func BenchmarkPortrait(b *testing.B) {
	file := encoded(b, scene(413, 531), Coding{Bytes: 16_000})
	for b.Loop() {
		if _, err := Decode(b.Context(), file, Limits{}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkLargeProgram is BenchmarkPortrait in a program that holds as much memory
// as the daemon does with the networks of faces loaded.
func BenchmarkLargeProgram(b *testing.B) {
	held := make([]byte, 400<<20)
	for i := 0; i < len(held); i += 4096 {
		held[i] = 1
	}
	file := encoded(b, scene(413, 531), Coding{Bytes: 16_000})
	for b.Loop() {
		if _, err := Decode(b.Context(), file, Limits{}); err != nil {
			b.Fatal(err)
		}
	}
	held[0]++
}

// BenchmarkProcess is what a process of its own costs: next to no picture.
func BenchmarkProcess(b *testing.B) {
	file := encoded(b, grayScene(1, 1), Coding{Bare: true})
	for b.Loop() {
		if _, err := Decode(b.Context(), file, Limits{}); err != nil {
			b.Fatal(err)
		}
	}
}

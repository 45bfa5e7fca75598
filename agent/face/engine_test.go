package face

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/counterproof/counterproof/agent/proof"
)

// opened is the Engine that the tests share, opened when one first asks.
var opened = sync.OnceValues(func() (*Engine, error) { return Open(Config{}) })

// engine opens the networks, or skips where this machine has none.
func engine(t testing.TB) *Engine {
	t.Helper()
	if dir, ok := Models(); !ok {
		t.Skipf("the networks are not on this machine (%s): run make setup; until then no face is compared and this is NOT tested", dir)
	}
	e, err := opened()
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// photo opens one of the photographs that set-up fetches.
func photo(t testing.TB, name string) image.Image {
	t.Helper()
	dir, _ := Models()
	b, err := os.ReadFile(filepath.Join(dir, "photos", name))
	if err != nil {
		t.Skip("the photographs are not on this machine: run make setup; until then this is NOT tested")
	}
	img, err := jpeg.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// resized is a picture in another size.
func resized(t testing.TB, img image.Image, w int) *image.RGBA {
	t.Helper()
	p := worked(t, img)
	h := p.h * w / p.w
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	k := float64(p.w) / float64(w)
	s := similarity{a: k, tx: k/2 - 0.5, ty: k/2 - 0.5}
	side := max(w, h)
	buf := make([]float32, 3*side*side)
	p.warp(s, side, buf)
	for y := range h {
		for x := range w {
			at := 3 * (y*side + x)
			out.SetRGBA(x, y, color.RGBA{uint8(buf[at] + 0.5), uint8(buf[at+1] + 0.5), uint8(buf[at+2] + 0.5), 255})
		}
	}
	return out
}

// grey takes the colours out.
func grey(img image.Image) *image.Gray {
	out := image.NewGray(img.Bounds())
	draw.Draw(out, out.Rect, img, img.Bounds().Min, draw.Src)
	return out
}

// cut is a part of a picture.
func cut(img image.Image, r image.Rectangle) image.Image {
	out := image.NewRGBA(image.Rect(0, 0, r.Dx(), r.Dy()))
	draw.Draw(out, out.Rect, img, r.Min, draw.Src)
	return out
}

// beside puts two pictures next to each other.
func beside(a, b image.Image) image.Image {
	w := a.Bounds().Dx()
	out := image.NewRGBA(image.Rect(0, 0, w+b.Bounds().Dx(), max(a.Bounds().Dy(), b.Bounds().Dy())))
	draw.Draw(out, out.Rect, a, a.Bounds().Min, draw.Src)
	draw.Draw(out, image.Rect(w, 0, out.Rect.Max.X, out.Rect.Max.Y), b, b.Bounds().Min, draw.Src)
	return out
}

func TestTwoPeopleAndOne(t *testing.T) {
	e := engine(t)
	portrait := photo(t, "obama.jpg")
	for _, c := range []struct {
		name, live string
		low, high  float64
		want       proof.FaceDecision
	}{
		{"same-person-another-day", "obama2.jpg", 4.2, 5.1, proof.Match},
		{"same-person-seen-from-below", "obama3.jpg", 4.3, 5.3, proof.Match},
		{"another-man", "biden.jpg", -2, 0.5, proof.NoMatch},
	} {
		t.Run(c.name, func(t *testing.T) {
			live := photo(t, c.live)
			got, err := e.Compare(Given(1), portrait, live)
			if err != nil {
				t.Fatal(err)
			}
			if got.Score < c.low || got.Score > c.high || got.Decision != c.want || got.Faces != [2]int{1, 1} || got.Profile != Default {
				t.Errorf("got %.3f %s %v %s", got.Score, got.Decision, got.Faces, got.Profile)
			}
			turned, err := e.Compare(Given(1), live, portrait)
			if err != nil || turned.Score != got.Score {
				t.Errorf("the other way round: got %v, %v, want %v", turned.Score, err, got.Score)
			}
		})
	}
}

func TestNothingStaysBehind(t *testing.T) {
	e := engine(t)
	if _, err := e.Compare(Given(1), photo(t, "obama.jpg"), photo(t, "obama2.jpg")); err != nil {
		t.Fatal(err)
	}
	all := append([]*network{e.nets.detector, e.nets.mesh}, e.nets.embedders...)
	for i, n := range all {
		for _, values := range append([][]float32{n.in.GetData()}, n.out[0].GetData()) {
			for _, v := range values {
				if v != 0 {
					t.Fatalf("network %d still holds the face", i)
				}
			}
		}
	}
	for _, v := range e.nets.scratch {
		if v != 0 {
			t.Fatal("the aligned face is still in memory")
		}
	}
}

// A portrait on a document is a tight, small, grey crop.
func TestPrintedPortraits(t *testing.T) {
	e := engine(t)
	whole, live := photo(t, "obama.jpg"), photo(t, "obama2.jpg")
	faces, err := e.Detect(whole)
	if err != nil || len(faces) != 1 {
		t.Fatalf("got %d faces, %v", len(faces), err)
	}
	b := faces[0].Box
	for _, c := range []struct {
		name   string
		margin int // per cent of the face's width around it
		width  int
		least  float64
	}{
		{"320-pixels", 40, 320, 3.5},
		{"150-pixels", 40, 150, 3.09},
		{"tight", 12, 240, 3.09},
		{"only-the-face", 0, 240, 2.03},
	} {
		t.Run(c.name, func(t *testing.T) {
			portrait := grey(resized(t, cut(whole, b.Inset(-b.Dx()*c.margin/100)), c.width))
			got, err := e.Compare(Given(1), portrait, live)
			if err != nil {
				t.Fatal(err)
			}
			if got.Faces[0] != 1 || got.Score < c.least {
				t.Errorf("got %d faces and %.2f, want one and at least %v", got.Faces[0], got.Score, c.least)
			}
			other, err := e.Compare(Given(1), portrait, photo(t, "biden.jpg"))
			if err != nil || other.Decision != proof.NoMatch {
				t.Errorf("another man: got %+v, %v", other.Decision, err)
			}
		})
	}
}

func TestSeveralFaces(t *testing.T) {
	e := engine(t)
	one, other := resized(t, photo(t, "obama.jpg"), 500), photo(t, "biden.jpg")
	part := cut(other, image.Rect(200, 100, 970, 1100))
	t.Run("two-people", func(t *testing.T) {
		crowd := beside(one, resized(t, part, 430))
		got, err := e.Compare(Given(1), crowd, one)
		if err != nil || got.Decision != proof.ManyFaces || got.Faces != [2]int{2, 1} || got.Score != 0 {
			t.Errorf("got %+v, %v, want two faces and no score", got, err)
		}
		if kind, err := e.Look(crowd); kind != proof.KindManyFaces || err != nil {
			t.Errorf("guidance: got %q, %v", kind, err)
		}
	})
	t.Run("somebody-far-behind", func(t *testing.T) {
		crowd := beside(one, resized(t, part, 150))
		got, err := e.Compare(Given(1), one, crowd)
		if err != nil || got.Faces != [2]int{1, 1} || got.Decision != proof.Match {
			t.Errorf("got %+v, %v, want the one face in front", got, err)
		}
	})
}

func TestNobody(t *testing.T) {
	e := engine(t)
	noise := image.NewRGBA(image.Rect(0, 0, 320, 240))
	r := rand.New(rand.NewPCG(3, 4))
	for i := range noise.Pix {
		noise.Pix[i] = uint8(r.Uint32())
	}
	for name, img := range map[string]image.Image{
		"grey": flat(640, 480, color.Gray{128}), "noise": noise, "long-and-thin": flat(2000, 40, color.White), "smallest": flat(32, 32, color.White),
	} {
		t.Run(name, func(t *testing.T) {
			faces, err := e.Detect(img)
			if err != nil || len(faces) != 0 {
				t.Errorf("got %d faces, %v", len(faces), err)
			}
			got, err := e.Compare(Given(1), img, photo(t, "obama.jpg"))
			if err != nil || got.Decision != proof.NoFace || got.Score != 0 || got.Faces != [2]int{0, 1} {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
	if _, err := e.Compare(Given(1), flat(10, 10, color.White), noise); proof.KindOf(err) != proof.KindPictureTiny {
		t.Errorf("a picture of 10 pixels: got %v", err)
	}
}

// A face that is small in a large picture is found by its parts.
func TestSmallFace(t *testing.T) {
	e := engine(t)
	scene := flat(1600, 1200, color.Gray{110})
	small := resized(t, cut(photo(t, "obama.jpg"), image.Rect(200, 0, 800, 700)), 240)
	at := image.Pt(1250, 800)
	draw.Draw(scene, small.Rect.Add(at), small, image.Point{}, draw.Src)
	faces, err := e.Detect(scene)
	if err != nil || len(faces) != 1 {
		t.Fatalf("got %d faces, %v, want one", len(faces), err)
	}
	if middle := faces[0].Box.Min.Add(faces[0].Box.Max).Div(2).Sub(at); !middle.In(image.Rect(80, 70, 150, 150)) {
		t.Errorf("found at %v of the small picture", middle)
	}
	if q := faces[0].Quality; q.EyeDistance < 30 || q.EyeDistance > 60 {
		t.Errorf("eye distance: got %.0f pixels, want about 42", q.EyeDistance)
	}
}

func TestLook(t *testing.T) {
	e := engine(t)
	good := resized(t, photo(t, "obama2.jpg"), 500)
	dark := flat(good.Rect.Dx(), good.Rect.Dy(), color.Black)
	draw.DrawMask(dark, dark.Rect, good, image.Point{}, image.NewUniform(color.Alpha{60}), image.Point{}, draw.Over)
	blurred := resized(t, resized(t, good, 60), 500)
	for _, c := range []struct {
		name string
		img  image.Image
		want proof.Kind
	}{
		{"good", good, proof.KindNone},
		{"good-portrait", photo(t, "obama.jpg"), proof.KindNone},
		{"good-from-below", photo(t, "obama3.jpg"), proof.KindNone},
		{"another-man", photo(t, "biden.jpg"), proof.KindNone},
		{"too-far-away", resized(t, photo(t, "obama2.jpg"), 150), proof.KindFaceTooSmall},
		{"dark", dark, proof.KindFaceDark},
		{"blurred", blurred, proof.KindFaceBlurred},
		{"tilted", tilted(t, good, 0.7), proof.KindFaceTurned},
		{"nobody", flat(640, 480, color.White), proof.KindNoFace},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := e.Look(c.img)
			if got != c.want || err != nil {
				faces, _ := e.Detect(c.img)
				t.Errorf("got %q, %v, want %q: %+v", got, err, c.want, faces)
			}
		})
	}
}

// tilted turns a picture around its middle.
func tilted(t testing.TB, img image.Image, angle float64) image.Image {
	p := worked(t, img)
	side := max(p.w, p.h)
	buf := make([]float32, 3*side*side)
	p.warp(turned(point{float64(p.w) / 2, float64(p.h) / 2}, float64(side), angle, side), side, buf)
	out := image.NewRGBA(image.Rect(0, 0, side, side))
	for i := range side * side {
		out.SetRGBA(i%side, i/side, color.RGBA{uint8(buf[3*i]), uint8(buf[3*i+1]), uint8(buf[3*i+2]), 255})
	}
	return out
}

func TestTrialWithPhotographs(t *testing.T) {
	trial, err := engine(t).Trial(Measuring())
	if err != nil {
		t.Fatal(err)
	}
	defer trial.Close()
	for i, name := range []string{"obama.jpg", "obama2.jpg", "biden.jpg"} {
		if n, faces, err := trial.Add(photo(t, name)); n != i || faces != 1 || err != nil {
			t.Fatalf("%s: got number %d, %d faces, %v", name, n, faces, err)
		}
	}
	if n, faces, err := trial.Add(flat(100, 100, color.White)); n != 3 || faces != 0 || err != nil {
		t.Errorf("nobody: got number %d, %d faces, %v", n, faces, err)
	}
	if _, _, err := trial.Add(nil); proof.KindOf(err) != proof.KindNotPicture {
		t.Errorf("no picture: got %v", err)
	}
	direct, err := engine(t).Compare(Given(1), photo(t, "obama.jpg"), photo(t, "obama2.jpg"))
	if got := trial.Compare(0, 1); err != nil || got != direct {
		t.Errorf("got %+v, a visit's comparison gives %+v, %v", got, direct, err)
	}
	s := trial.Strangers([]int{1, 1, 2, 3}, 0.001)
	if s.Pairs != 2 || s.Threshold > 2.03 {
		t.Errorf("strangers: got %+v", s)
	}
}

func TestOnlyTheMeasuredNetworksAreLoaded(t *testing.T) {
	engine(t)
	dir, _ := Models()
	copied := t.TempDir()
	p := builtInProfile(t)
	for _, f := range []string{p.Detector.File.File, p.Landmarks.File.File, p.Embedders[0].File.File, p.Embedders[1].File.File, library} {
		if err := os.Symlink(mustAbs(t, filepath.Join(dir, f)), filepath.Join(copied, f)); err != nil {
			t.Fatal(err)
		}
	}
	e, err := Open(Config{Models: copied})
	if err != nil {
		t.Fatal(err)
	}
	e.Close()
	name := filepath.Join(copied, p.Landmarks.File.File)
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 1
	os.Remove(name)
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	e, err = Open(Config{Models: copied})
	if !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), "SHA-256") || e.Available() {
		t.Errorf("a changed network: got %v", err)
	}
	os.Remove(name)
	if _, err = Open(Config{Models: copied}); !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), p.Landmarks.File.File) {
		t.Errorf("a network that is not there: got %v", err)
	}
}

func mustAbs(t testing.TB, path string) string {
	t.Helper()
	abs, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return abs
}

func TestAnotherProfile(t *testing.T) {
	engine(t)
	path := filepath.Join(t.TempDir(), "one.json")
	p := builtInProfile(t)
	text := changed(t, []any{map[string]any{
		"name": p.Embedders[1].Name, "file": p.Embedders[1].File.File, "sha256": p.Embedders[1].Hash,
		"input": "input", "output": "output", "dimension": 128, "size": 150, "layout": "nchw", "order": "rgb",
		"mean": p.Embedders[1].Mean, "divisor": 256, "template": p.Embedders[1].Template,
		"strangers": map[string]any{"mean": 0.8355, "deviation": 0.0345},
	}}, "embedders")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	e, err := Open(Config{Profile: path})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	got, err := e.Compare(Given(1), photo(t, "obama.jpg"), photo(t, "obama2.jpg"))
	if err != nil || got.Decision != proof.Match {
		t.Errorf("got %+v, %v", got, err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Detect(photo(t, "obama.jpg")); !errors.Is(err, ErrUnavailable) {
		t.Errorf("after Close: got %v", err)
	}
}

func TestManyAtOnce(t *testing.T) {
	e := engine(t)
	a, b := resized(t, photo(t, "obama.jpg"), 300), resized(t, photo(t, "biden.jpg"), 300)
	want, err := e.Compare(Given(1), a, b)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if got, err := e.Compare(Given(1), a, b); err != nil || got != want {
				t.Errorf("got %+v, %v, want %+v", got, err, want)
			}
		})
	}
	all.Wait()
}

// BenchmarkDetectAndEmbed is what one picture of a comparison takes: a frame of
// a camera, and a press photograph of 250 pixels.
func BenchmarkDetectAndEmbed(b *testing.B) {
	e := engine(b)
	for _, c := range []struct {
		name  string
		width int
	}{{"portrait-250", 250}, {"frame-720", 720}} {
		b.Run(c.name, func(b *testing.B) {
			img := resized(b, photo(b, "obama.jpg"), c.width)
			var out Comparison
			for b.Loop() {
				t, err := e.templateOf(img, &out, 0)
				if err != nil || t == nil {
					b.Fatal(err)
				}
				t.wipe()
			}
		})
	}
}

// BenchmarkLook is what one frame of guidance takes, with a face and without.
func BenchmarkLook(b *testing.B) {
	e := engine(b)
	for name, img := range map[string]image.Image{
		"face": resized(b, photo(b, "obama.jpg"), 720), "nobody": flat(1280, 720, color.Gray{90}),
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := e.Look(img); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

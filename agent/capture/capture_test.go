package capture

import (
	"image"
	"image/color"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/counterproof/counterproof/agent/proof"
)

func TestJudge(t *testing.T) {
	t.Parallel()
	good := upright(1280, 960, 0.8)
	with := func(change func(*scene)) scene {
		s := good
		change(&s)
		return s
	}
	tests := []struct {
		name string
		s    scene
		want Guidance
	}{
		{"ok/straight", good, OK},
		{"ok/turned", good.turned(11), OK},
		{"ok/upside down", good.turned(180), OK},
		{"ok/dark page on a bright table", with(func(s *scene) { s.paper, s.table = 110, 215 }), OK},
		{"ok/white paper is no glare", with(func(s *scene) { s.paper = 255 }), OK},
		{"ok/glare beside the document", with(func(s *scene) { s.glareOnTable = true; s.corners = upright(1280, 960, 0.7).corners }), OK},
		{"no_document/empty table", with(func(s *scene) { s.withoutPage = true }), NoDocument},
		{"too_small/far away", upright(1280, 960, 0.42), TooSmall},
		{"cut_off/to the right", with(func(s *scene) { move(s, 180, 0) }), CutOff},
		{"cut_off/below", with(func(s *scene) { move(s, 0, 170) }), CutOff},
		{"tilted/right side away", with(func(s *scene) { s.corners[1].y += 100; s.corners[2].y -= 100 }), Tilted},
		{"tilted/upper side away", with(func(s *scene) { s.corners[0].x += 130; s.corners[1].x -= 130 }), Tilted},
		{"glare/on the lines", with(func(s *scene) { s.glare, s.glareX, s.glareY = 0.1, 0.5, 0.85 }), Glare},
		{"glare/on the photo", with(func(s *scene) { s.glare, s.glareX, s.glareY = 0.1, 0.18, 0.4 }), Glare},
		{"too_dark/lamp off", with(func(s *scene) { s.light, s.noise = 0.12, 1.5 }), TooDark},
		{"too_dark/lens covered", with(func(s *scene) { s.withoutPage, s.light = true, 0.03 }), TooDark},
		{"blurred/out of focus", with(func(s *scene) { s.blur = 6 }), Blurred},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := Judge(test.s.draw(1), Page)
			if got.Guidance != test.want {
				t.Errorf("got %s, want %s: %+v", got.Guidance, test.want, got)
			}
		})
	}
}

// move shifts the page in the frame.
func move(s *scene, dx, dy float64) {
	for i := range s.corners {
		s.corners[i].x += dx
		s.corners[i].y += dy
	}
}

func TestJudgeSaysTheFirstFault(t *testing.T) {
	t.Parallel()
	s := upright(1280, 960, 0.42) // too small …
	s.blur, s.light = 5, 0.15     // … blurred and dark
	if got := Judge(s.draw(1), Page).Guidance; got != TooSmall {
		t.Errorf("small, dark and blurred: got %s, want %s", got, TooSmall)
	}
	s = upright(1280, 960, 0.8)
	s.blur, s.light = 6, 0.15
	if got := Judge(s.draw(1), Page).Guidance; got != TooDark {
		t.Errorf("dark and blurred: got %s, want %s", got, TooDark)
	}
}

func TestOutlineLiesOverTheDocument(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(7, 7))
	for i := range 24 {
		s := upright(1000, 750, 0.55+0.25*r.Float64()).turned(24*r.Float64() - 12)
		for k := range s.corners {
			s.corners[k].x += 30 * (r.Float64() - 0.5)
			s.corners[k].y += 30 * (r.Float64() - 0.5)
		}
		s.table = 30 + 110*r.Float64()
		v := Judge(s.draw(uint64(i)), Page)
		if !v.Found {
			t.Errorf("%d: no outline found", i)
			continue
		}
		var got [4]point
		for k, p := range v.Outline {
			got[k] = point{float64(p.X), float64(p.Y)}
		}
		if o := overlap(got, s.corners); o < 0.95 {
			t.Errorf("%d: overlap %.3f, want 0.95", i, o)
		}
	}
}

func TestVerdictMeasures(t *testing.T) {
	t.Parallel()
	v := Judge(upright(1250, 900, 0.8).draw(1), Page)
	if want := 0.8 * 1250 / 125 * 2.54; v.Pitch < want*0.97 || v.Pitch > want*1.03 {
		t.Errorf("pitch %.1f, want %.1f", v.Pitch, want)
	}
	if v.Facing < 0.97 || v.Size != image.Pt(1250, 900) || v.Glare != 0 {
		t.Errorf("straight on: %+v", v)
	}
	dim := upright(1250, 900, 0.8)
	dim.light = 0.5
	if d := Judge(dim.draw(1), Page); d.Luma > 0.6*v.Luma || d.Sharpness < 0.6*v.Sharpness {
		t.Errorf("half the light: luma %.0f of %.0f, sharpness %.2f of %.2f", d.Luma, v.Luma, d.Sharpness, v.Sharpness)
	}
	last := v.Sharpness
	for _, blur := range []int{1, 2, 4} {
		s := upright(1250, 900, 0.8)
		s.blur = blur
		b := Judge(s.draw(1), Page)
		if b.Sharpness >= last {
			t.Errorf("blur %d: sharpness %.3f did not fall below %.3f", blur, b.Sharpness, last)
		}
		last = b.Sharpness
	}
}

func TestShapeSetsTheScale(t *testing.T) {
	t.Parallel()
	s := upright(1280, 960, 0.7)
	page, card := Judge(s.draw(1), Page), Judge(s.draw(1), Card)
	if ratio := card.Pitch / page.Pitch; ratio < 1.45 || ratio > 1.47 {
		t.Errorf("the same outline as a card and a page: ratio of pitches %.3f, want 125/85.6", ratio)
	}
	for i := 2; i < 4; i++ { // cut the page to the proportions of a card
		s.corners[i].y = s.corners[0].y + (s.corners[1].x-s.corners[0].x)*53.98/85.6
	}
	frame := s.draw(1)
	if any, card := Judge(frame, AnyDocument), Judge(frame, Card); any.Pitch != card.Pitch {
		t.Errorf("a card among any documents: pitch %.1f, want %.1f", any.Pitch, card.Pitch)
	}
}

func TestJudgeOddPictures(t *testing.T) {
	t.Parallel()
	noise := image.NewGray(image.Rect(0, 0, 640, 480))
	r := rand.New(rand.NewPCG(1, 1))
	for i := range noise.Pix {
		noise.Pix[i] = uint8(r.Uint32())
	}
	white := image.NewUniform(color.White)
	for name, img := range map[string]image.Image{
		"empty":  image.NewGray(image.Rectangle{}),
		"point":  image.NewRGBA(image.Rect(5, 5, 6, 6)),
		"thin":   image.NewGray(image.Rect(0, 0, 4000, 3)),
		"noise":  noise,
		"blank":  crop{white, image.Rect(0, 0, 300, 200)},
		"offset": noise.SubImage(image.Rect(100, 100, 400, 300)),
	} {
		if v := Judge(img, AnyDocument); v.Guidance == OK || v.Size != img.Bounds().Size() {
			t.Errorf("%s: got %+v", name, v)
		}
	}
}

// crop bounds a picture that has no bounds.
type crop struct {
	image.Image
	r image.Rectangle
}

// Bounds of the part.
func (c crop) Bounds() image.Rectangle { return c.r }

func TestOrderAndKinds(t *testing.T) {
	t.Parallel()
	order := Order()
	if order[len(order)-1] != OK || OK.Kind() != proof.KindNone {
		t.Errorf("OK is not last or is a failure")
	}
	if Guidance("else").Kind() != proof.KindNone {
		t.Errorf("an unknown word has a Kind")
	}
	for _, g := range order[:len(order)-1] {
		if string(g.Kind()) != string(g) {
			t.Errorf("%s is shown as %q", g, g.Kind())
		}
		if !slices.Contains(proof.Kinds(), g.Kind()) {
			t.Errorf("%s has no Kind of the vocabulary", g)
		}
	}
}

func BenchmarkJudge(b *testing.B) {
	frame := upright(1920, 1440, 0.8).draw(1)
	for b.Loop() {
		Judge(frame, AnyDocument)
	}
}

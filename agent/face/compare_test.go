package face

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"image/color"
	"log/slog"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/counterproof/counterproof/agent/proof"
)

func TestWithoutNetworks(t *testing.T) {
	img := flat(100, 100, color.White)
	for name, e := range map[string]*Engine{"nil": nil, "zero": {}} {
		t.Run(name, func(t *testing.T) {
			_, detect := e.Detect(img)
			_, compare := e.Compare(Given(1), img, img)
			kind, look := e.Look(img)
			_, trial := e.Trial(Measuring())
			for what, err := range map[string]error{"Detect": detect, "Compare": compare, "Look": look, "Trial": trial} {
				if !errors.Is(err, ErrUnavailable) || proof.KindOf(err) != proof.KindFaceUnavailable {
					t.Errorf("%s: got %v, want a refusal that says so", what, err)
				}
			}
			if kind != proof.KindFaceUnavailable {
				t.Errorf("Look: got %q", kind)
			}
			if e.Available() || e.Profile() != nil {
				t.Error("it claims to be able to compare")
			}
			if err := e.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
	}
}

func TestOpenSaysWhatIsMissing(t *testing.T) {
	empty := t.TempDir()
	for _, c := range []struct {
		name, says string
		cfg        Config
	}{
		{"no-profile", "profile cannot be read", Config{Profile: empty + "/none.json"}},
		{"no-runtime-and-no-networks", "", Config{Models: empty}},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, err := Open(c.cfg)
			if !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v", err)
			}
			if e == nil || e.Available() {
				t.Error("want an Engine that refuses")
			}
		})
	}
	t.Setenv(Environment, empty+"/none")
	if _, err := Open(Config{}); !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), "is not there") {
		t.Errorf("folder that is not there: got %v", err)
	}
}

func TestConsent(t *testing.T) {
	img := flat(100, 100, color.White)
	e := &Engine{profile: builtInProfile(t)}
	for name, c := range map[string]Consent{"none": {}, "event-0": Given(0), "negative": Given(-4), "measuring": Measuring()} {
		t.Run(name, func(t *testing.T) {
			if _, err := e.Compare(c, img, img); proof.KindOf(err) != proof.KindNoConsent {
				t.Errorf("got %v, want no comparison", err)
			}
		})
	}
	if _, err := e.Compare(Given(1), img, img); proof.KindOf(err) != proof.KindFaceUnavailable {
		t.Errorf("with consent: got %v, want it to go on to the networks", err)
	}
	for name, c := range map[string]Consent{"none": {}, "given": Given(3)} {
		if _, err := e.Trial(c); proof.KindOf(err) != proof.KindNoConsent {
			t.Errorf("trial with %s: got %v", name, err)
		}
	}
}

func TestCountDecision(t *testing.T) {
	for _, c := range []struct {
		faces [2]int
		want  proof.FaceDecision
	}{
		{[2]int{1, 1}, ""}, {[2]int{0, 1}, proof.NoFace}, {[2]int{1, 0}, proof.NoFace}, {[2]int{0, 3}, proof.NoFace},
		{[2]int{2, 1}, proof.ManyFaces}, {[2]int{1, 2}, proof.ManyFaces},
	} {
		if got := countDecision(c.faces); got != c.want {
			t.Errorf("%v: got %q, want %q", c.faces, got, c.want)
		}
	}
}

func TestScore(t *testing.T) {
	p := builtInProfile(t)
	a := template{{1, 0}, {1, 0}}
	same := p.score(a, template{{1, 0}, {1, 0}})
	want := ((1-0.0110)/0.1441 + (1-0.8355)/0.0345) / 2
	if math.Abs(same-want) > 1e-9 {
		t.Errorf("alike in all: got %v, want %v", same, want)
	}
	// Two strangers, whose cosines are exactly the strangers' means, score 0.
	angle := func(cos float64) []float32 { return []float32{float32(cos), float32(math.Sqrt(1 - cos*cos))} }
	if got := p.score(a, template{angle(0.0110), angle(0.8355)}); math.Abs(got) > 1e-5 {
		t.Errorf("strangers: got %v, want 0", got)
	}
}

func TestUnitLength(t *testing.T) {
	got, ok := unitLength([]float32{3, 4})
	if !ok || math.Abs(float64(got[0])-0.6) > 1e-6 || math.Abs(cosine(got, got)-1) > 1e-6 {
		t.Errorf("got %v, %v", got, ok)
	}
	for name, v := range map[string][]float32{"nothing": {}, "zeros": {0, 0}, "no-number": {float32(nan()), 1}, "no-end": {float32(math.Inf(1)), 1}} {
		if _, ok := unitLength(v); ok {
			t.Errorf("%s: a direction was found", name)
		}
	}
}

func TestFill(t *testing.T) {
	rgb := []float32{10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120}
	e := Embedder{Size: 2, Order: "rgb", Layout: "nhwc", Mean: [3]float64{10, 20, 30}, Divisor: 10}
	to := make([]float32, 12)
	e.fill(to, rgb)
	if !slices.Equal(to, []float32{0, 0, 0, 3, 3, 3, 6, 6, 6, 9, 9, 9}) {
		t.Errorf("pixel by pixel: got %v", to)
	}
	e.Layout = "nchw"
	e.Order = "bgr"
	e.Mean = [3]float64{30, 20, 10}
	e.fill(to, rgb)
	if !slices.Equal(to, []float32{0, 3, 6, 9, 0, 3, 6, 9, 0, 3, 6, 9}) {
		t.Errorf("channel by channel: got %v", to)
	}
	e.Mean = [3]float64{}
	e.fill(to, rgb)
	if to[0] != 3 || to[8] != 1 {
		t.Errorf("blue first: got %v", to)
	}
}

// A template must not come out by any way that a program prints or stores
// things.
func TestTemplatesStayInside(t *testing.T) {
	s := template{{0.123456, -0.654321}}
	var logged bytes.Buffer
	slog.New(slog.NewTextHandler(&logged, nil)).Info("x", "t", s)
	trial := &Trial{items: []sample{{template: s}}}
	slog.New(slog.NewTextHandler(&logged, nil)).Info("x", "trial", trial, "copy", *trial)
	stored, err := json.Marshal(map[string]any{"trial": trial})
	if err != nil {
		t.Fatal(err)
	}
	all := fmt.Sprint(s, trial, *trial) + fmt.Sprintf("%v %+v %#v %s %x %d", s, s, s, s, s, s) + logged.String() + string(stored)
	for _, digits := range []string{"123456", "654321"} {
		if strings.Contains(all, digits) {
			t.Errorf("%q is in %q", digits, all)
		}
	}
	s.wipe()
	if s[0][0] != 0 || s[0][1] != 0 {
		t.Error("wiping left numbers behind")
	}
}

// crowd is a trial of people with so many pictures each: templates around a
// direction of their own.
func crowd(t *testing.T, people, pictures int, noise float64) (*Trial, []int) {
	t.Helper()
	p := builtInProfile(t)
	r := rand.New(rand.NewPCG(1, 2))
	trial := &Trial{engine: &Engine{profile: p}}
	var who []int
	for person := range people {
		var middle [2][]float32
		for i, e := range p.Embedders {
			middle[i] = gauss(r, e.Dimension, 1)
		}
		for range pictures {
			var s sample
			s.faces = 1
			for _, m := range middle {
				v := gauss(r, len(m), noise)
				for k := range v {
					v[k] += m[k]
				}
				unit, _ := unitLength(v)
				s.template = append(s.template, unit)
			}
			trial.items = append(trial.items, s)
			who = append(who, person)
		}
	}
	return trial, who
}

func gauss(r *rand.Rand, n int, scale float64) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(r.NormFloat64() * scale)
	}
	return v
}

func TestStrangers(t *testing.T) {
	trial, who := crowd(t, 20, 3, 0.5)
	var all []float64
	for i := range who {
		for j := range i {
			if who[i] != who[j] {
				all = append(all, trial.Compare(i, j).Score)
			}
		}
	}
	slices.Sort(all)
	slices.Reverse(all)
	for _, rate := range []float64{0, 0.001, 0.01, 0.1, 1} {
		t.Run(fmt.Sprint(rate), func(t *testing.T) {
			got := trial.Strangers(who, rate)
			if got.Pairs != 20*19/2*9 || got.Pairs != len(all) {
				t.Errorf("pairs: got %d, want %d", got.Pairs, len(all))
			}
			matches := 0
			for _, s := range all {
				if s >= got.Threshold {
					matches++
				}
			}
			if float64(matches) > rate*float64(len(all)) || math.Abs(got.Rate-float64(matches)/float64(len(all))) > 1e-12 {
				t.Errorf("got %+v, counted %d matches", got, matches)
			}
			if next := min(int(rate*float64(len(all))), len(all)-1); got.Threshold <= all[next] || got.Threshold > all[next]+1e-9 {
				t.Errorf("threshold: got %v, want the least above %v", got.Threshold, all[next])
			}
		})
	}
	t.Run("one-person", func(t *testing.T) {
		if got := trial.Strangers(make([]int, len(who)), 0.001); got.Pairs != 0 || !math.IsInf(got.Threshold, 1) {
			t.Errorf("got %+v", got)
		}
	})
}

func TestTrialDecisions(t *testing.T) {
	trial, _ := crowd(t, 2, 2, 0.2)
	if c := trial.Compare(0, 1); c.Decision != proof.Match {
		t.Errorf("one person: got %+v", c)
	}
	if c := trial.Compare(0, 2); c.Decision != proof.NoMatch {
		t.Errorf("two people: got %+v", c)
	}
	trial.items[1].faces = 2
	if c := trial.Compare(0, 1); c.Decision != proof.ManyFaces || c.Score < 3 || c.Faces != [2]int{1, 2} {
		t.Errorf("somebody in the background: got %+v, want its score all the same", c)
	}
	trial.items[1] = sample{}
	if c := trial.Compare(0, 1); c.Decision != proof.NoFace || c.Score != 0 {
		t.Errorf("nobody: got %+v", c)
	}
	trial.items[1] = sample{faces: 1}
	if c := trial.Compare(0, 1); c.Decision != proof.NoFace {
		t.Errorf("a face without a template: got %+v", c)
	}
	kept := trial.items[0].template
	trial.Close()
	if kept[0][0] != 0 || len(trial.items) != 0 {
		t.Error("closing left templates behind")
	}
}

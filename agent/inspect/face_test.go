package inspect

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/counterproof/counterproof/agent/face"
	"github.com/counterproof/counterproof/agent/proof"
)

func TestReadPairs(t *testing.T) {
	text := "# a set\nA_1.jpg A_2.jpg 1\n\n  x/b.png   c.png\t0\r\nd.jpg e.jpg\n"
	want := []facePair{
		{"A_1.jpg", "A_2.jpg", true, true}, {"x/b.png", "c.png", true, false}, {"d.jpg", "e.jpg", false, false},
	}
	if got, err := readPairs(strings.NewReader(text)); err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	for _, c := range []struct{ name, text, says string }{
		{"empty", "", "no pair"},
		{"only-remarks", "# a\n\n", "no pair"},
		{"one-picture", "a b 1\nc\n", "line 2"},
		{"too-many-words", "a b 1 x", "line 1"},
		{"unknown-mark", "a b yes", "line 1"},
		{"endless-line", strings.Repeat("a", maxPairLine+1), "line 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := readPairs(strings.NewReader(c.text)); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want an error that says %q", err, c.says)
			}
		})
	}
}

func TestNameOf(t *testing.T) {
	for file, want := range map[string]string{
		"set/Ann_Lee_0001.jpg": "set/Ann_Lee", "set/Ann_Lee_0012.png": "set/Ann_Lee", "ann2.jpg": "ann", "ann.jpg": "ann",
		"people/0001.jpg": "people/", "Ann-3.jpeg": "Ann", "Ann (3).jpg": "Ann (3)",
	} {
		if got := nameOf(file); got != want {
			t.Errorf("%s: got %q, want %q", file, got, want)
		}
	}
}

func TestPeople(t *testing.T) {
	for _, c := range []struct {
		name  string
		files []string
		pairs []facePair
		want  []int
	}{
		{"by-name", []string{"Ann_1.jpg", "Bob_1.jpg", "Ann_2.jpg"}, nil, []int{0, 1, 0}},
		{"by-mark", []string{"p.jpg", "q.jpg", "r.jpg", "s.jpg"},
			[]facePair{{"p.jpg", "q.jpg", true, true}, {"q.jpg", "s.jpg", true, true}}, []int{0, 0, 1, 0}},
		{"by-both", []string{"Ann_1.jpg", "Ann_2.jpg", "x.jpg"}, []facePair{{"Ann_2.jpg", "x.jpg", true, true}}, []int{0, 0, 0}},
		{"names-that-number-pictures", []string{"IMG_1.jpg", "IMG_2.jpg", "IMG_3.jpg"},
			[]facePair{{"IMG_1.jpg", "IMG_2.jpg", true, false}, {"IMG_2.jpg", "IMG_3.jpg", true, true}}, []int{0, 1, 1}},
		{"one-name-in-two-folders", []string{"a/1.jpg", "b/1.jpg", "a/2.jpg"}, nil, []int{0, 1, 0}},
		{"an-unmarked-pair-says-nothing", []string{"x.jpg", "y.jpg"}, []facePair{{"x.jpg", "y.jpg", false, false}}, []int{0, 1}},
		{"a-picture-with-itself", []string{"x.jpg", "y.jpg"}, []facePair{{"x.jpg", "x.jpg", true, true}}, []int{0, 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := people(c.files, c.pairs); !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestSummarise(t *testing.T) {
	pairs := []facePair{
		{"a", "b", true, true}, {"a", "c", true, true}, {"a", "d", true, true}, {"a", "e", true, true},
		{"a", "f", true, false}, {"a", "g", true, false}, {"a", "h", false, false},
	}
	scores := []float64{5, 2.7, 1, math.Inf(-1), 0.5, 2.65, 9}
	got := summarise(pairs, scores, 2.63, face.Strangers{Pairs: 1000, Threshold: 3, Rate: 0.001})
	line, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	// Right: 5, 2.7 and 0.5 of six. Missed at 3: 2.7, 1 and the one not compared.
	if want := `{"pairs":7,"accuracy":0.5,"fnmr":0.75,"fmr":0.001,"threshold":3}`; string(line) != want {
		t.Errorf("got %s, want %s", line, want)
	}
	got = summarise(pairs[6:], scores[6:], 2.63, face.Strangers{Threshold: math.Inf(1)})
	if line, err = json.Marshal(got); err != nil || string(line) != `{"pairs":1,"accuracy":null,"fnmr":null,"fmr":null,"threshold":null}` {
		t.Errorf("nothing known: got %s, %v", line, err)
	}
}

// matcher opens the networks, or skips where this machine has none.
func matcher(t *testing.T) (e *face.Engine, photos string) {
	t.Helper()
	dir, ok := face.Models()
	photos = filepath.Join(dir, "photos")
	if _, err := os.Stat(photos); !ok || err != nil {
		t.Skip("the networks and photographs are not on this machine: run make setup; until then inspect face is NOT tested")
	}
	e, err := face.Open(face.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	photos, err = filepath.Abs(photos)
	if err != nil {
		t.Fatal(err)
	}
	return e, photos
}

func TestFacePairs(t *testing.T) {
	e, photos := matcher(t)
	dir := t.TempDir()
	for _, name := range []string{"obama.jpg", "obama2.jpg", "biden.jpg"} {
		if err := os.Symlink(filepath.Join(photos, name), filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	list := filepath.Join(dir, "list.txt")
	write := func(path, text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(filepath.Join(dir, "broken.jpg"), "\xff\xd8 no picture")
	write(list, "obama.jpg obama2.jpg 1\nbiden.jpg obama.jpg 0\nobama.jpg broken.jpg\n")
	var out bytes.Buffer
	if err := facePairs(e, list, &out); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 4 {
		t.Fatalf("got %d lines, want three answers and the summary:\n%s", len(lines), out.String())
	}
	var answers [3]facePairAnswer
	for i := range answers {
		if err := json.Unmarshal([]byte(lines[i]), &answers[i]); err != nil {
			t.Fatal(err)
		}
	}
	if a := answers[0]; a.Decision != proof.Match || a.Faces != [2]int{1, 1} || a.A != "obama.jpg" {
		t.Errorf("one person: got %+v", a)
	}
	if a := answers[1]; a.Decision != proof.NoMatch || a.A != "biden.jpg" {
		t.Errorf("two people: got %+v", a)
	}
	if a := answers[2]; a.Decision != proof.NoFace || a.Faces != [2]int{1, 0} || a.Score != 0 {
		t.Errorf("no picture: got %+v", a)
	}
	var sum map[string]float64
	if err := json.Unmarshal([]byte(lines[3]), &sum); err != nil {
		t.Fatal(err)
	}
	if sum["pairs"] != 3 || sum["accuracy"] != 1 || sum["fnmr"] != 0 || sum["fmr"] != 0 || sum["threshold"] > 1 || len(sum) != 5 {
		t.Errorf("summary: got %v", sum)
	}
	t.Run("missing-file", func(t *testing.T) {
		write(list, "obama.jpg obama2.jpg 1\nobama.jpg nobody.jpg 1\n")
		out.Reset()
		err := facePairs(e, list, &out)
		if ExitCode(err) != 2 || !strings.Contains(err.Error(), "nobody.jpg") {
			t.Errorf("got %v, want exit 2 and the file's name", err)
		}
		if strings.Count(out.String(), "\n") != 1 {
			t.Errorf("what came before it: got %q, want its answer", out.String())
		}
	})
}

func TestFacePairsRefusals(t *testing.T) {
	dir := t.TempDir()
	list := filepath.Join(dir, "list.txt")
	if err := facePairs(nil, list, &bytes.Buffer{}); ExitCode(err) != 2 {
		t.Errorf("no list: got %v", err)
	}
	if err := os.WriteFile(list, []byte("a b 2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := facePairs(nil, list, &bytes.Buffer{}); ExitCode(err) != 2 {
		t.Errorf("no list of pairs: got %v", err)
	}
	if err := os.WriteFile(list, []byte("a b 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := facePairs(nil, list, &bytes.Buffer{}); ExitCode(err) != 1 || !errors.Is(err, face.ErrUnavailable) {
		t.Errorf("no networks: got %v, want exit 1 with the reason", err)
	}
}

func FuzzReadPairs(f *testing.F) {
	f.Add("a b 1\nc d 0\n")
	f.Add("# x\n\na b\n")
	f.Fuzz(func(t *testing.T, text string) {
		pairs, err := readPairs(strings.NewReader(text))
		if (len(pairs) == 0) != (err != nil) {
			t.Fatalf("got %d pairs and %v", len(pairs), err)
		}
		var files []string
		for _, p := range pairs {
			if p.a == "" || p.b == "" || p.same && !p.known {
				t.Fatalf("got %+v", p)
			}
			files = append(files, p.a, p.b)
		}
		if got := people(files, pairs); len(got) != len(files) {
			t.Fatalf("got %d people for %d files", len(got), len(files))
		}
	})
}

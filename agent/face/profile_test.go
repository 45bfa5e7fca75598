package face

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/counterproof/counterproof/agent/proof"
)

func TestBuiltInProfile(t *testing.T) {
	p := builtInProfile(t)
	if p.Name != Default {
		t.Errorf("name: got %q, want %q", p.Name, Default)
	}
	if len(p.Embedders) != 2 || p.Embedders[0].Dimension != 192 || p.Embedders[1].Dimension != 128 {
		t.Errorf("embedders: got %d", len(p.Embedders))
	}
	if len(anchorsOf(p.Detector.Grids)) != 896 {
		t.Error("the detector has 896 anchors")
	}
}

func TestDecide(t *testing.T) {
	th := builtInProfile(t).Thresholds
	for _, c := range []struct {
		name  string
		score float64
		want  proof.FaceDecision
	}{
		{"far-above", 5, proof.Match},
		{"at-match", 3.09, proof.Match},
		{"below-match", 3.0899, proof.MatchConfirm},
		{"at-confirm", 2.63, proof.MatchConfirm},
		{"below-confirm", 2.6299, proof.ClerkDecides},
		{"at-refer", 2.03, proof.ClerkDecides},
		{"below-refer", 2.0299, proof.NoMatch},
		{"negative", -1, proof.NoMatch},
		{"no-number", nan(), proof.NoMatch},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := th.Decide(c.score); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func nan() float64 { zero := 0.0; return zero / zero }

// changed is the built-in profile with one value, by its path, replaced.
func changed(t testing.TB, value any, path ...any) []byte {
	t.Helper()
	var root any
	if err := json.Unmarshal(builtIn, &root); err != nil {
		t.Fatal(err)
	}
	at := root
	for _, step := range path[:len(path)-1] {
		switch s := step.(type) {
		case string:
			at = at.(map[string]any)[s]
		case int:
			at = at.([]any)[s]
		}
	}
	at.(map[string]any)[path[len(path)-1].(string)] = value
	b, err := json.Marshal(root)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestProfileRefused(t *testing.T) {
	for _, c := range []struct {
		name string
		text []byte
	}{
		{"empty", nil},
		{"no-json", []byte("thresholds: none")},
		{"unknown-key", changed(t, 1, "treshold")},
		{"too-long", []byte(strings.Repeat(" ", maxProfile+1))},
		{"no-name", changed(t, "", "name")},
		{"no-embedder", changed(t, []any{}, "embedders")},
		{"thresholds-upside-down", changed(t, 1.0, "thresholds", "match")},
		{"thresholds-without-source", changed(t, "", "thresholds", "source")},
		{"file-in-another-folder", changed(t, "../evil.onnx", "detector", "file")},
		{"file-by-an-absolute-path", changed(t, "/evil.onnx", "embedders", 0, "file")},
		{"hash-missing", changed(t, "", "landmarks", "sha256")},
		{"hash-in-capitals", changed(t, strings.Repeat("A", 64), "landmarks", "sha256")},
		{"detector-size", changed(t, 1<<20, "detector", "size")},
		{"detector-score", changed(t, 0, "detector", "min_score")},
		{"grid-of-nothing", changed(t, []any{[]int{0, 2}}, "detector", "grids")},
		{"grids-missing", changed(t, []any{}, "detector", "grids")},
		{"margin", changed(t, 99, "landmarks", "margin")},
		{"dimension", changed(t, 0, "embedders", 0, "dimension")},
		{"layout", changed(t, "hwc", "embedders", 0, "layout")},
		{"order", changed(t, "grb", "embedders", 1, "order")},
		{"divisor", changed(t, 0, "embedders", 1, "divisor")},
		{"strangers-all-alike", changed(t, 0, "embedders", 1, "strangers", "deviation")},
		{"template-of-one-anchor", changed(t, []any{map[string]any{"mesh": []int{1}, "x": 1, "y": 1}}, "embedders", 0, "template")},
		{"landmark-that-is-not", changed(t, []int{468}, "embedders", 0, "template", 0, "mesh")},
		{"anchor-of-nothing", changed(t, []int{}, "embedders", 0, "template", 0, "mesh")},
	} {
		t.Run(c.name, func(t *testing.T) {
			if p, err := ParseProfile(c.text); err == nil || p != nil {
				t.Errorf("got %v, %v, want an error", p, err)
			}
		})
	}
	if _, err := ParseProfile(changed(t, "renamed", "name")); err != nil {
		t.Errorf("a sound change: %v", err)
	}
}

func TestOpenProfile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "other.json")
	if err := os.WriteFile(path, changed(t, "other", "name"), 0o600); err != nil {
		t.Fatal(err)
	}
	if p, err := openProfile(path); err != nil || p.Name != "other" {
		t.Errorf("got %v, %v", p, err)
	}
	if _, err := openProfile(path + ".not"); err == nil {
		t.Error("a file that is not there was opened")
	}
}

func FuzzParseProfile(f *testing.F) {
	f.Add(builtIn)
	f.Add(changed(f, 3, "detector", "size"))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := ParseProfile(b)
		if (p == nil) == (err == nil) {
			t.Fatalf("got %v and %v", p, err)
		}
		if p != nil && len(anchorsOf(p.Detector.Grids)) > 8*128*128*16 {
			t.Error("the detector's anchors are out of bounds")
		}
	})
}

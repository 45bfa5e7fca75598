package inspect

import (
	"bytes"
	"encoding/json"
	"errors"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/counterproof/counterproof/agent/ocr/specimen"
)

// documentLine is one answer of "inspect document", as another program reads it.
type documentLine struct {
	File      string         `json:"file"`
	Accepted  bool           `json:"accepted"`
	Lines     []string       `json:"lines"`
	Format    string         `json:"format"`
	Score     float64        `json:"score"`
	Fields    map[string]any `json:"fields"`
	Guidance  []string       `json:"guidance"`
	CPUMillis float64        `json:"cpu_millis"`
}

// documentLines runs "inspect document" over files.
func documentLines(t *testing.T, files ...string) []documentLine {
	t.Helper()
	out, err := runCommand(t, "", append([]string{"document"}, files...)...)
	if err != nil {
		t.Fatalf("inspect document: %v", err)
	}
	var all []documentLine
	for text := range strings.Lines(out) {
		var l documentLine
		dec := json.NewDecoder(strings.NewReader(text))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&l); err != nil {
			t.Fatalf("an answer that is not understood: %v", err)
		}
		all = append(all, l)
	}
	return all
}

// specimens makes photographs in a folder, or skips where OCR-B is missing, and
// reads their truths.
func specimens(t *testing.T, n int) (dir string, truths []specimenTruth) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "made", "here")
	_, err := runCommand(t, "", "specimen", "--out", dir, "--count", itoa(n), "--seed", "5")
	if errors.Is(err, specimen.ErrNoFont) {
		t.Skip("SKIPPED: no photograph can be made without OCR-B; install fonts-ocr-b")
	}
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, truthFile))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var truth specimenTruth
		if err := json.Unmarshal([]byte(line), &truth); err != nil {
			t.Fatal(err)
		}
		truths = append(truths, truth)
	}
	return dir, truths
}

// itoa writes a small number.
func itoa(n int) string {
	b, _ := json.Marshal(n)
	return string(b)
}

func TestDocumentReadsSpecimens(t *testing.T) {
	t.Parallel()
	dir, truths := specimens(t, 3)
	var files []string
	for _, truth := range truths {
		files = append(files, filepath.Join(dir, truth.File))
	}
	for i, got := range documentLines(t, files...) {
		want := truths[i]
		if got.File != files[i] || !got.Accepted || !slices.Equal(got.Lines, want.Lines) || got.Format != string(want.Format) {
			t.Errorf("%s: got %+v, want %q", want.File, got, want.Lines)
		}
		if got.Fields["document_number"] == nil || len(got.Guidance) != 0 || got.Score > 0 || got.Score < -0.3 {
			t.Errorf("%s: fields %v, guidance %v, score %f", want.File, got.Fields, got.Guidance, got.Score)
		}
	}
}

func TestDocumentAnswersWhatIsNoDocument(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	asPNG := func(w, h int) []byte {
		var b bytes.Buffer
		if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, w, h))); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	whole := asPNG(300, 200)
	tests := []struct {
		file, want string
	}{
		{write("letter.txt", []byte("Dear Sir")), "not_a_picture"},
		{write("nothing.jpg", nil), "not_a_picture"},
		{write("cut.png", whole[:len(whole)/2]), "picture_corrupt"},
		{write("tiny.png", asPNG(20, 20)), "picture_too_small"},
		{write("huge.png", asPNG(10_000, 10_000)), "picture_too_large"},
		{write("black.png", whole), "too_dark"},
	}
	var files []string
	for _, test := range tests {
		files = append(files, test.file)
	}
	for i, got := range documentLines(t, files...) {
		if got.Accepted || !slices.Contains(got.Guidance, tests[i].want) {
			t.Errorf("%s: accepted %v, guidance %v, want %s", filepath.Base(got.File), got.Accepted, got.Guidance, tests[i].want)
		}
		if got.Lines == nil || got.Fields == nil || len(got.Lines)+len(got.Fields) > 0 || got.Format != "?" {
			t.Errorf("%s: lines %q, fields %v, format %q", filepath.Base(got.File), got.Lines, got.Fields, got.Format)
		}
	}
}

func TestDocumentThatCannotBeOpened(t *testing.T) {
	t.Parallel()
	missing := filepath.Join(t.TempDir(), "none.jpg")
	for _, args := range [][]string{{"document", missing}, {"document", t.TempDir()}, {"document"}} {
		out, err := runCommand(t, "", args...)
		if ExitCode(err) != 2 || out != "" {
			t.Errorf("%d arguments: exit code %d, output %q", len(args), ExitCode(err), out)
		}
	}
}

func TestCPUMillisGrows(t *testing.T) {
	t.Parallel()
	before, sum := cpuMillis(), 0
	for i := range 50_000_000 {
		sum += i & 7
	}
	if after := cpuMillis(); after < before || sum == 0 {
		t.Errorf("from %f to %f", before, after)
	}
}

package opener

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/counterproof/counterproof/sync/wire"
)

var silent = slog.New(slog.DiscardHandler)

func TestCursorFile(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text string
		want       uint64
		ok         bool
	}{
		{"plain", "12", 12, true},
		{"with-line-end", "12\n", 12, true},
		{"largest", "18446744073709551615", 1<<64 - 1, true},
		{"with-its-record", "12 " + strings.Repeat("ab", 32) + "\n", 12, true},
		{"record-cut-short", "12 abab", 0, false},
		{"record-missing", "12 ", 0, false},
		{"empty", "", 0, false},
		{"negative", "-1", 0, false},
		{"too-large", "18446744073709551616", 0, false},
		{"two-lines", "1\n2\n", 0, false},
		{"words", "twelve", 0, false},
		{"torn-by-zeros", "\x00\x00", 0, false},
		{"long", strings.Repeat("1", 100), 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), cursorFile)
			if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			got, rec, err := readCursor(path)
			if named := strings.Contains(c.text, " "); err == nil && rec.IsZero() == named {
				t.Errorf("the record is %s", rec)
			}
			if got != c.want || (err == nil) != c.ok {
				t.Errorf("got %d, %v; want %d and ok %t", got, err, c.want, c.ok)
			}
			if err != nil && len(c.text) < 64 && !strings.Contains(err.Error(), "remove it") {
				t.Errorf("the error does not say what to do: %v", err)
			}
		})
	}
	if n, _, err := readCursor(filepath.Join(t.TempDir(), cursorFile)); n != 0 || err != nil {
		t.Errorf("no cursor: got %d, %v; want the beginning", n, err)
	}
}

// A file that was torn by a crash goes on, and what was whole in it is known.
func TestTornResults(t *testing.T) {
	t.Parallel()
	line := func(n byte) string {
		return `{"rec_hash":"` + wire.Hash{n}.String() + `","record":"` + strconv.Itoa(int(n)) + `"}`
	}
	long := strings.Repeat("x", 3*maxLine)
	for _, c := range []struct {
		name, text string
		known      int
	}{
		{"none", "", 0},
		{"whole", line(1) + "\n" + line(2) + "\n", 2},
		{"end-torn", line(1) + "\n" + line(2)[:40], 1},
		{"end-without-line-end", line(1) + "\n" + line(2), 2},
		{"middle-damaged", line(1) + "\n\x00\x00\x00\n" + line(2) + "\n", 2},
		{"line-too-long", line(1) + "\n" + long + "\n" + line(2) + "\n", 2},
		{"end-too-long", line(1) + "\n" + long, 1},
		{"end-too-long-by-a-buffer", line(1) + "\n" + strings.Repeat("x", 2*maxLine), 1},
		{"empty-lines", "\n\n" + line(1) + "\n\n", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := filepath.Join(dir, resultFile)
			if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			j, err := openJournal(dir, silent)
			if err != nil {
				t.Fatal(err)
			}
			if len(j.known) != c.known {
				t.Errorf("%d results are known, want %d", len(j.known), c.known)
			}
			if _, err := j.note(Result{RecHash: wire.Hash{9}, header: wire.Header{Record: wire.RecordID{9}}}); err != nil {
				t.Fatal(err)
			}
			if err := j.close(); err != nil {
				t.Fatal(err)
			}
			if j, err = openJournal(dir, silent); err != nil {
				t.Fatal(err)
			}
			defer j.close()
			if len(j.known) != c.known+1 || !j.known[wire.Hash{9}] {
				t.Errorf("after adding one, %d are known; want %d", len(j.known), c.known+1)
			}
			if after, err := os.ReadFile(path); err != nil || !bytes.HasPrefix(after, []byte(c.text)) {
				t.Errorf("what was there was changed: %v", err)
			}
		})
	}
}

// A defect that is mended, as by a key that was found, gets its result.
func TestDefectThenResult(t *testing.T) {
	t.Parallel()
	w := newWorld(t, true)
	w.add(sealing{})
	path := filepath.Join(w.dir, "keys", "claims.key")
	key, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path, filepath.Join(w.dir, "claims.key")); err != nil {
		t.Fatal(err)
	}
	other, err := Keygen(w.dir, w.keys[0].Suite)
	if err != nil || other[0].Key == w.keys[0].Key {
		t.Fatalf("no other key: %v", err)
	}
	if got := w.once(); got[0].Kind != KindUnknownKey {
		t.Fatalf("kind %q, want an unknown key", got[0].Kind)
	}
	if err := os.WriteFile(filepath.Join(w.dir, "keys", "claims-older.key"), key, 0o600); err != nil {
		t.Fatal(err)
	}
	w.rewind()
	if got := w.once(); got[0].Kind != KindNone || got[0].Again || !got[0].Agrees {
		t.Errorf("with the key again: %+v", got[0])
	}
	if r, d := len(w.results()), len(w.defects()); r != 1 || d != 1 {
		t.Errorf("%d results and %d defects, want one each", r, d)
	}
}

// FuzzReadLines reads damaged files of results and defects: nothing panics, no
// line is counted twice, and adding to them works.
func FuzzReadLines(f *testing.F) {
	f.Add([]byte(`{"rec_hash":"` + wire.Hash{1}.String() + `","log_index":3,"level":"low","at":"2026-11-22T10:00:00Z"}` + "\n"))
	f.Add([]byte(`{"rec_hash":"00"}` + "\n{"))
	f.Add([]byte("\n\n\x00"))
	f.Add(bytes.Repeat([]byte("x"), maxLine+1))
	f.Fuzz(func(t *testing.T, text []byte) {
		taken := 0
		damaged, whole, err := readLines(bytes.NewReader(text), func(resultLine) { taken++ })
		if err != nil {
			t.Fatalf("reading from memory failed: %v", err)
		}
		if lines := bytes.Count(text, []byte("\n")) + 1; taken+damaged > lines {
			t.Errorf("%d lines taken and %d damaged of %d", taken, damaged, lines)
		}
		if ended := len(text) == 0 || bytes.HasSuffix(text, []byte("\n")); whole != ended {
			t.Errorf("whole is %t, want %t", whole, ended)
		}
		_, _, _ = readLines(bytes.NewReader(text), func(defectLine) {})
	})
}

// FuzzCursor reads damaged cursors.
func FuzzCursor(f *testing.F) {
	for _, s := range []string{"0", "12\n", "-1", "18446744073709551616", "\x00"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		n, rec, err := parseCursor(text)
		if err != nil {
			return
		}
		again, same, err := parseCursor(fmt.Appendf(nil, "%d %s", n, rec))
		if err != nil || again != n || same != rec {
			t.Errorf("%d came back as %d, %v", n, again, err)
		}
	})
}

package ledger_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/counterproof/counterproof/agent/ledger"
)

// entry is a line of these ledgers.
type entry struct {
	Word string `json:"word"`
}

// folder is a ledger's folder.
type folder struct {
	t   testing.TB
	dir string
}

func (f folder) path(name string) string { return filepath.Join(f.dir, name) }

func (f folder) read(name string) []byte {
	f.t.Helper()
	b, err := os.ReadFile(f.path(name))
	if err != nil {
		f.t.Fatal(err)
	}
	return b
}

func (f folder) put(name string, b []byte) {
	f.t.Helper()
	if err := os.WriteFile(f.path(name), b, 0o600); err != nil {
		f.t.Fatal(err)
	}
}

// rows are the lines of the file.
func (f folder) rows() [][]byte { return slices.Collect(bytes.Lines(f.read("ledger.jsonl"))) }

// open opens the ledger and lists its words.
func (f folder) open() (*ledger.Ledger, []string, error) {
	f.t.Helper()
	key, err := ledger.Key(f.dir)
	if err != nil {
		return nil, nil, err
	}
	var words []string
	l, err := ledger.Open(f.dir, key, collect(&words))
	return l, words, err
}

func collect(words *[]string) func([]byte) error {
	return func(line []byte) error {
		var e entry
		*words = append(*words, "")
		err := json.Unmarshal(line, &e)
		(*words)[len(*words)-1] = e.Word
		return err
	}
}

// filled makes a ledger of words.
func filled(t testing.TB, words ...string) folder {
	t.Helper()
	f := folder{t, t.TempDir()}
	l, got, err := f.open()
	if err != nil || len(got) > 0 {
		t.Fatalf("a new ledger has %v, %v", got, err)
	}
	for _, w := range words {
		if err := l.Add(entry{w}); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestWhatIsAddedIsThere(t *testing.T) {
	t.Parallel()
	f := filled(t, "one", "two", "<&>", "four")
	for range 2 {
		l, got, err := f.open()
		if err != nil || !slices.Equal(got, []string{"one", "two", "<&>", "four"}) {
			t.Fatalf("it holds %v, %v", got, err)
		}
		_ = l.Close()
	}
	for _, name := range []string{"ledger.jsonl", "ledger.mark", "tags.key"} {
		if fi, err := os.Stat(f.path(name)); err != nil || fi.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, fi.Mode(), err)
		}
	}
}

// Whatever is changed stops the start; what a crash leaves does not.
func TestTampering(t *testing.T) {
	t.Parallel()
	join := func(f folder, rows [][]byte) { f.put("ledger.jsonl", bytes.Join(rows, nil)) }
	swap := func(old, new string) func(folder) {
		return func(f folder) {
			f.put("ledger.jsonl", bytes.Replace(f.read("ledger.jsonl"), []byte(old), []byte(new), 1))
		}
	}
	add := func(text string) func(folder) {
		return func(f folder) { f.put("ledger.jsonl", append(f.read("ledger.jsonl"), text...)) }
	}
	for name, c := range map[string]struct {
		change func(f folder)
		want   []string // nil where it is refused
	}{
		"untouched":       {func(folder) {}, []string{"one", "two", "three"}},
		"first-line-gone": {func(f folder) { join(f, f.rows()[1:]) }, nil},
		"middle-gone":     {func(f folder) { join(f, slices.Delete(f.rows(), 1, 2)) }, nil},
		"last-line-gone":  {func(f folder) { join(f, f.rows()[:2]) }, nil},
		"all-gone":        {func(f folder) { join(f, nil) }, nil},
		"file-gone":       {func(f folder) { _ = os.Remove(f.path("ledger.jsonl")) }, nil},
		"word-changed":    {swap(`"two"`, `"six"`), nil},
		"space-put-in":    {swap(`"word":"two"`, `"word": "two"`), nil},
		"code-changed":    {swap(`"mac":"`, `"mac":"0`), nil},
		"lines-swapped":   {func(f folder) { r := f.rows(); join(f, [][]byte{r[1], r[0], r[2]}) }, nil},
		"line-twice":      {func(f folder) { join(f, append(f.rows(), f.rows()[2])) }, nil},
		"mark-of-another": {func(f folder) { f.put("ledger.mark", []byte(`{"n":3,"mac":"00"}`)) }, nil},
		"mark-ahead":      {func(f folder) { f.put("ledger.mark", []byte(`{"n":4,"mac":"00"}`)) }, nil},
		"mark-unreadable": {func(f folder) { f.put("ledger.mark", []byte(`{`)) }, nil},
		"mark-too-long":   {func(f folder) { f.put("ledger.mark", make([]byte, 2<<10)) }, nil},
		"mark-behind":     {func(f folder) { f.put("ledger.mark", []byte(`{"n":0,"mac":""}`)) }, []string{"one", "two", "three"}},
		"torn-last-line":  {add(`{"line":{"wo`), []string{"one", "two", "three"}},
		"torn-and-marked": {func(f folder) { b := f.read("ledger.jsonl"); f.put("ledger.jsonl", b[:len(b)-1]) }, nil},
		"rubbish-at-end":  {add("rubbish\n"), nil},
		"line-of-no-end":  {add(strings.Repeat("x", 70_000)), nil},
		"another-key":     {func(f folder) { f.put("tags.key", []byte(hex.EncodeToString(make([]byte, ledger.KeySize)))) }, nil},
		"key-damaged":     {func(f folder) { f.put("tags.key", []byte("00")) }, nil},
		"key-no-hex":      {func(f folder) { f.put("tags.key", []byte(strings.Repeat("x", 2*ledger.KeySize))) }, nil},
		"key-gone":        {func(f folder) { _ = os.Remove(f.path("tags.key")) }, nil},
		"key-open-to-all": {func(f folder) { _ = os.Chmod(f.path("tags.key"), 0o644) }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := filled(t, "one", "two", "three")
			c.change(f)
			l, got, err := f.open()
			if err != nil {
				if c.want != nil {
					t.Fatal(err)
				}
				return
			}
			if c.want == nil || !slices.Equal(got, c.want) {
				t.Errorf("it is read as %v, want %v", got, c.want)
			}
			// What follows stands on a line of its own.
			if err := l.Add(entry{"four"}); err != nil {
				t.Fatal(err)
			}
			_ = l.Close()
			if _, got, err := f.open(); err != nil || !slices.Equal(got, append(slices.Clone(c.want), "four")) {
				t.Errorf("after one more line it is %v, %v", got, err)
			}
		})
	}
}

// Read sees what is there, beside whoever adds to it.
func TestReadBesideAnother(t *testing.T) {
	t.Parallel()
	f := filled(t, "one")
	l, _, err := f.open()
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := l.Add(entry{"two"}); err != nil {
		t.Fatal(err)
	}
	key, err := ledger.Key(f.dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	if err := ledger.Read(f.dir, key, collect(&got)); err != nil || !slices.Equal(got, []string{"one", "two"}) {
		t.Errorf("it reads %v, %v", got, err)
	}
	if err := ledger.Read(t.TempDir(), key, collect(&got)); err != nil || len(got) != 2 {
		t.Errorf("an empty folder is %v", err)
	}
	f.put("ledger.jsonl", append(f.read("ledger.jsonl"), "rubbish\n"...))
	if err := ledger.Read(f.dir, key, collect(&got)); !errors.Is(err, ledger.ErrTampered) {
		t.Errorf("rubbish is %v", err)
	}
	stop := errors.New("enough")
	if err := ledger.Read(f.dir, key, func([]byte) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("a line that is not taken is %v", err)
	}
}

// After one failed write nothing is added until the ledger is opened again.
func TestNothingIsAddedAfterAFailure(t *testing.T) {
	t.Parallel()
	f := filled(t, "one")
	l, _, err := f.open()
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	write, full := l.Write, errors.New("no space")
	l.Write = func(_, _ []byte) error { return full }
	if err := l.Add(entry{"two"}); !errors.Is(err, full) {
		t.Fatalf("a full disk is %v", err)
	}
	l.Write = write
	if err := l.Add(entry{"three"}); !errors.Is(err, full) {
		t.Errorf("after a failure: %v", err)
	}
	if _, got, err := f.open(); err != nil || !slices.Equal(got, []string{"one"}) {
		t.Errorf("it holds %v, %v", got, err)
	}
}

// What would not be read again is not written.
func TestWhatIsNoLine(t *testing.T) {
	t.Parallel()
	f := filled(t)
	for name, value := range map[string]any{"too-long": entry{strings.Repeat("x", 70_000)}, "no-JSON": func() {}} {
		l, _, err := f.open()
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Add(value); err == nil {
			t.Errorf("%s is added", name)
		}
		_ = l.Close()
	}
	if _, got, err := f.open(); err != nil || len(got) != 0 {
		t.Errorf("it holds %v, %v", got, err)
	}
}

func TestKeyIsMadeOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	one, err := ledger.Key(dir)
	if err != nil || len(one) != ledger.KeySize {
		t.Fatalf("a key of %d bytes, %v", len(one), err)
	}
	if two, err := ledger.Key(dir); err != nil || !bytes.Equal(one, two) {
		t.Errorf("another key, %v", err)
	}
	if other, err := ledger.Key(t.TempDir()); err != nil || bytes.Equal(one, other) {
		t.Errorf("two folders have one key, %v", err)
	}
}

func TestReplaceLeavesNothingBeside(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	for _, text := range []string{"one", "two"} {
		if err := ledger.Replace(path, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if b, err := ledger.ReadSmall(path, 3); err != nil || string(b) != text {
			t.Errorf("it holds %q, %v", b, err)
		}
	}
	if _, err := ledger.ReadSmall(path, 2); err == nil {
		t.Error("a longer file is read")
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
		t.Errorf("%d files are there, %v", len(files), err)
	}
	if err := ledger.Replace(filepath.Join(dir, "none", "a"), nil); err == nil {
		t.Error("a folder that is not there is written to")
	}
}

// Whatever a ledger holds, it is read or refused; what is read was written under
// the key.
func FuzzRead(f *testing.F) {
	made := filled(f, "one", "two", "three")
	key, err := ledger.Key(made.dir)
	if err != nil {
		f.Fatal(err)
	}
	good := made.read("ledger.jsonl")
	f.Add(good)
	f.Add(good[:len(good)-1])
	f.Add(bytes.Replace(good, []byte("two"), []byte("six"), 1))
	f.Add([]byte("{}\n{}\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		dir := folder{t, t.TempDir()}
		dir.put("ledger.jsonl", text)
		var got []string
		if ledger.Read(dir.dir, key, collect(&got)) == nil && !chained(text, key, len(got)) {
			t.Errorf("a ledger that nobody wrote is read: %q", text)
		}
	})
}

// chained reports whether the first lines carry their codes, worked out apart
// from the ledger's own reading.
func chained(text, key []byte, n int) bool {
	derive := hmac.New(sha256.New, key)
	derive.Write([]byte("counterproof ledger v1"))
	var last []byte
	for line := range bytes.Lines(text) {
		if n--; n < 0 {
			break
		}
		var s struct {
			Line json.RawMessage
			MAC  string
		}
		if json.Unmarshal(line, &s) != nil {
			return false
		}
		mac := hmac.New(sha256.New, derive.Sum(nil))
		mac.Write(slices.Concat(last, s.Line))
		if last = mac.Sum(nil); hex.EncodeToString(last) != strings.ToLower(s.MAC) {
			return false
		}
	}
	return true
}

package attack

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	_ "github.com/mattn/go-sqlite3"
)

// planted are secrets of nobody.
func planted() []Secret {
	return []Secret{
		{Name: "surname", Bytes: []byte("Thornquist"), Text: true},
		{Name: "number", Bytes: []byte("HK7294513"), Text: true},
		{Name: "picture", Bytes: []byte{0xff, 0xda, 0, 12, 3, 1, 0, 2, 17, 3, 17, 0, 63, 0, 0xa7, 0x51, 0x93, 0x44}},
	}
}

// secretsIn are the names of what was found, each once.
func secretsIn(found []Find) (names []string) {
	for _, f := range found {
		names = append(names, f.Secret)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// zipped is what a packer makes of bytes.
func zipped(t *testing.T, how string, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	switch how {
	case "gzip":
		w := gzip.NewWriter(&out)
		_, _ = w.Write(b)
		_ = w.Close()
	case "zlib":
		w := zlib.NewWriter(&out)
		_, _ = w.Write(b)
		_ = w.Close()
	case "zip":
		w := zip.NewWriter(&out)
		f, err := w.Create("page")
		if err != nil {
			t.Fatal(err)
		}
		_, _ = f.Write(b)
		_ = w.Close()
	case "zstd":
		cmd := exec.Command("zstd", "-c", "-q", "-19")
		cmd.Stdin, cmd.Stdout = bytes.NewReader(b), &out
		if err := cmd.Run(); err != nil {
			t.Fatal(err)
		}
	}
	return out.Bytes()
}

// The searcher finds what a careless counter might leave, however it is written.
func TestSearchFinds(t *testing.T) {
	t.Parallel()
	name := "Thornquist"
	line := base64.StdEncoding.EncodeToString([]byte(`{"visit":7,"who":"` + name + `","ok":true}`))
	backwards := []byte("HK7294513")
	slices.Reverse(backwards)
	long := []byte(strings.Repeat("an innocent line of text\n", 400) + name + strings.Repeat("\nmore of it", 400))
	for _, s := range []struct {
		rule string
		hay  []byte
		want string
	}{
		{"plain", []byte("before Thornquist after"), "surname"},
		{"capitals", []byte("P<UTOTHORNQUIST<<WILHELMINA"), "surname"},
		{"small", []byte("thornquist@example.org"), "surname"},
		{"utf-16le", wide("x Thornquist y", binary.LittleEndian), "surname"},
		{"utf-16be", wide("x Thornquist y", binary.BigEndian), "surname"},
		{"backwards", backwards, "number"},
		{"base64-in-a-log", []byte(`{"level":"INFO","body":"` + line + `"}`), "surname"},
		{"base64-picture", []byte(base64.RawURLEncoding.EncodeToString(append([]byte("ab"), planted()[2].Bytes...)) + "abcd"), "picture"},
		{"hex", []byte(hex.EncodeToString([]byte("at HK7294513."))), "number"},
		{"gzip", slices.Concat([]byte("head"), zipped(t, "gzip", long), []byte("tail")), "surname"},
		{"zlib", slices.Concat([]byte("stream\n"), zipped(t, "zlib", long), []byte("\nendstream")), "surname"},
		{"zip", zipped(t, "zip", long), "surname"},
		{"gzip-cut", zipped(t, "gzip", long)[:len(zipped(t, "gzip", long))-12], "surname"},
		{"zlib-in-gzip", zipped(t, "gzip", zipped(t, "zlib", long)), "surname"},
	} {
		if got := secretsIn(NewSearch(planted()...).Bytes(s.hay)); !slices.Equal(got, []string{s.want}) {
			t.Errorf("%s: found %v, want %s", s.rule, got, s.want)
		}
	}
}

func TestSearchFindsInZstd(t *testing.T) {
	t.Parallel()
	s := NewSearch(planted()...)
	if !s.Zstd() {
		t.Skip("NOT SEARCHED: zstd streams. The program zstd is not on this machine")
	}
	hay := slices.Concat([]byte("a file with "), zipped(t, "zstd", []byte(strings.Repeat("line ", 99)+"Thornquist")), []byte(" in it"))
	if got := secretsIn(s.Bytes(hay)); !slices.Equal(got, []string{"surname"}) {
		t.Errorf("found %v", got)
	}
}

// What is no secret is not found, or every search would fail.
func TestSearchFindsNothing(t *testing.T) {
	t.Parallel()
	for rule, hay := range map[string][]byte{
		"empty": nil, "another-name": []byte("Thornqvist"), "half": []byte("Thornqui"), "half-in-gzip": zipped(t, "gzip", []byte("Thornqui")),
		"no-stream": {0x1f, 0x8b, 8, 0x78, 0x9c, 0x78, 0x01, 'P', 'K', 3, 4, 0x28, 0xb5, 0x2f, 0xfd, 9, 9},
	} {
		if got := NewSearch(planted()...).Bytes(hay); len(got) != 0 {
			t.Errorf("%s: found %v", rule, got)
		}
	}
}

// A name that was written to a database and deleted, or only stands in the
// write-ahead log, is found in the files.
func TestSearchFindsInWAL(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(dir, "some.db")+"?_journal_mode=WAL")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, do := range []string{
		"CREATE TABLE t(a TEXT)", "INSERT INTO t VALUES('Thornquist')", "DELETE FROM t",
	} {
		if _, err := db.ExecContext(context.Background(), do); err != nil {
			t.Fatal(err)
		}
	}
	found, err := NewSearch(planted()...).Folders(dir)
	if err != nil || !slices.ContainsFunc(found, func(f Find) bool { return f.File == "some.db-wal" }) {
		t.Errorf("found %v (%v), want the write-ahead log", found, err)
	}
}

func TestSearchFolders(t *testing.T) {
	t.Parallel()
	s, dir := NewSearch(planted()...), t.TempDir()
	if _, err := s.Folders(dir); err == nil {
		t.Error("a folder without files was searched")
	}
	if err := os.WriteFile(filepath.Join(dir, "HK7294513.pdf"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	found, err := s.Folders(dir, filepath.Join(dir, "absent"))
	if err != nil || len(found) == 0 || found[0].Secret != "number" {
		t.Errorf("found %v (%v), want the number in a file's name", found, err)
	}
}

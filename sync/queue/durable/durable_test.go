package durable

import (
	"database/sql"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// dial opens one connection with the given keys, judged by the writer's list.
func dial(t *testing.T, path string, keys url.Values, sets []setting) error {
	t.Helper()
	db := sql.OpenDB(connector{path, keys, sets, writerWants()})
	defer db.Close()
	return db.PingContext(t.Context())
}

// newFile is the path of a database that is not there yet.
func newFile(t *testing.T) string { return filepath.Join(t.TempDir(), "x.db") }

// A setting that would lose records is noticed by reading it back, wherever it
// comes from: the driver's default, a misspelt key, or the key itself.
func TestSettingsAreReadBack(t *testing.T) {
	t.Parallel()
	sets := append(append([]setting{}, guarded...), synced...)
	if err := dial(t, newFile(t), writerKeys(), sets); err != nil {
		t.Fatalf("the right settings: %v", err)
	}
	for name, c := range map[string]struct{ key, value, word string }{
		"synchronous/off":      {"_synchronous", "OFF", "synchronous is 0"},
		"synchronous/normal":   {"_synchronous", "NORMAL", "synchronous is 1"},
		"synchronous/extra":    {"_synchronous", "EXTRA", "synchronous is 3"},
		"synchronous/default":  {"_synchronous", "", "synchronous is 1"},
		"journal/default":      {"_journal_mode", "", "journal_mode is delete"},
		"journal/truncate":     {"_journal_mode", "TRUNCATE", "journal_mode is truncate"},
		"foreign-keys/default": {"_foreign_keys", "", "foreign_keys is 0"},
		"busy-timeout/none":    {"_busy_timeout", "0", "busy_timeout is 0"},
		"auto-vacuum/default":  {"_auto_vacuum", "", "auto_vacuum is 0"},
	} {
		keys := writerKeys()
		keys.Set(c.key, c.value)
		if c.value == "" {
			keys.Del(c.key)
		}
		if err := dial(t, newFile(t), keys, sets); !errors.Is(err, ErrSettings) || !strings.Contains(err.Error(), c.word) {
			t.Errorf("%s: got %v, want that %s", name, err, c.word)
		}
	}
	for i, s := range sets {
		without := append(append([]setting{}, sets[:i]...), sets[i+1:]...)
		err := dial(t, newFile(t), writerKeys(), without)
		if s.name == "mmap_size" { // 0 unless SQLite was built otherwise
			continue
		}
		if !errors.Is(err, ErrSettings) || !strings.Contains(err.Error(), s.name) {
			t.Errorf("%s left out: got %v", s.name, err)
		}
	}
}

// The driver itself says nothing about a key that it does not know.
func TestMisspeltKeys(t *testing.T) {
	t.Parallel()
	for right, wrong := range map[string]string{
		"_synchronous": "_syncronous", "_journal_mode": "_jornal_mode", "_txlock": "_tx_lock",
		"_busy_timeout": "_busytimeout", "_foreign_keys": "_foreignkeys",
	} {
		keys := writerKeys()
		keys[wrong] = keys[right]
		keys.Del(right)
		err := dial(t, newFile(t), keys, nil)
		if !errors.Is(err, ErrSettings) || !strings.Contains(err.Error(), wrong) {
			t.Errorf("%s: got %v, want that there is no such key", wrong, err)
		}
	}
}

// made is a database with a table of n rows, open for writing.
func made(t testing.TB, path string, n int) *sql.DB {
	t.Helper()
	db := Writer(path)
	t.Cleanup(func() { _ = db.Close() })
	if _, err := db.ExecContext(t.Context(), `CREATE TABLE row (n INTEGER PRIMARY KEY, b BLOB)`); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if _, err := db.ExecContext(t.Context(), `INSERT INTO row VALUES (?, zeroblob(5000))`, i); err != nil {
			t.Fatal(err)
		}
	}
	return db
}

// count is how many rows a database has.
func count(t testing.TB, path string) (n int) {
	t.Helper()
	db := Reader(path)
	defer db.Close()
	if err := db.QueryRowContext(t.Context(), `SELECT count(*) FROM row`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// A copy is whole, also while somebody writes, and is put in place at once.
func TestCopy(t *testing.T) {
	t.Parallel()
	path := newFile(t)
	db := made(t, path, 50)
	to := path + ".copy"
	writing, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := writing.ExecContext(t.Context(), `DELETE FROM row WHERE n < 10`); err != nil {
		t.Fatal(err)
	}
	from := Reader(path)
	defer from.Close()
	if err := Copy(t.Context(), from, to); err != nil {
		t.Fatal(err)
	}
	if got := count(t, to); got != 50 {
		t.Errorf("the copy has %d rows, want the 50 that were there", got)
	}
	if err := writing.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := Copy(t.Context(), from, to); err != nil {
		t.Fatal(err)
	}
	if got := count(t, to); got != 40 {
		t.Errorf("copied again it has %d rows, want 40", got)
	}
	if left, err := filepath.Glob(to + ".new*"); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if fi, err := os.Stat(to); err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("the copy may be read by others: %v, %v", fi.Mode(), err)
	}
	if err := Copy(t.Context(), from, filepath.Join(path, "below", "a", "file")); err == nil {
		t.Error("copied to a place that cannot be")
	}
}

func TestSpace(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	free, err := Space(filepath.Join(dir, "not", "there", "yet"))
	if err != nil || free <= 0 {
		t.Fatalf("got %d, %v", free, err)
	}
	again, err := Space(dir)
	if err != nil || again < free/2 || again > free*2 {
		t.Errorf("the folder itself: %d where the path says %d, %v", again, free, err)
	}
}

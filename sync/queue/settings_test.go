package queue

import (
	"database/sql"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/counterproof/counterproof/sync/wire"
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

// A transaction takes the write lock when it begins, not at its first write.
func TestTransactionsBeginWithTheLock(t *testing.T) {
	t.Parallel()
	q := openQueue(t, place(t))
	tx, err := q.writer.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	var path string
	if err := q.reader.QueryRowContext(t.Context(), `SELECT file FROM pragma_database_list`).Scan(&path); err != nil {
		t.Fatal(err)
	}
	other, err := sql.Open("sqlite3", (&url.URL{Scheme: "file", Path: path, RawQuery: "_busy_timeout=1"}).String())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if _, err := other.ExecContext(t.Context(), `DELETE FROM damage`); err == nil || !strings.Contains(err.Error(), "locked") {
		t.Errorf("somebody else writing: got %v, want that it is locked", err)
	}
}

func TestReaderCannotWrite(t *testing.T) {
	t.Parallel()
	q := openQueue(t, place(t))
	if _, err := q.reader.ExecContext(t.Context(), `DELETE FROM record`); err == nil {
		t.Error("wrote through a reading connection")
	}
}

// A file that is not this program's queue is left alone.
func TestForeignFiles(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]string{
		"another-program": `PRAGMA application_id = 7`,
		"newer-version":   `PRAGMA user_version = 99`,
	} {
		t.Run(name, func(t *testing.T) {
			path := place(t)
			q := openQueue(t, path)
			enqueue(t, q, 1)
			if _, err := q.writer.ExecContext(t.Context(), change); err != nil {
				t.Fatal(err)
			}
			q.Close()
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if _, damage, err := Open(path); !errors.Is(err, ErrForeign) || damage != nil {
				t.Errorf("got %v, %v; want ErrForeign", damage, err)
			}
			if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
				t.Errorf("the file was changed, %v", err)
			}
		})
	}
}

func TestFaultKinds(t *testing.T) {
	t.Parallel()
	own := errors.New("own")
	for name, c := range map[string]struct {
		err  error
		want wire.Kind
	}{
		"damage":   {errDamage, wire.KindDamaged},
		"settings": {ErrSettings, wire.KindDisk},
		"own":      {own, wire.KindNone},
		"unknown":  {ErrUnknown, wire.KindNone},
		"kept":     {&wire.Error{Op: "x", Kind: wire.KindShed}, wire.KindShed},
	} {
		got := fault("trying", c.err)
		if wire.KindOf(got) != c.want || !errors.Is(got, c.err) {
			t.Errorf("%s: got %v of kind %q, want kind %q", name, got, wire.KindOf(got), c.want)
		}
	}
	if fault("trying", nil) != nil {
		t.Error("a fault without an error")
	}
}

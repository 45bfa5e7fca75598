package queue

import (
	"database/sql"
	"errors"
	"net/url"
	"os"
	"strings"
	"testing"
)

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

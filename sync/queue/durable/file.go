package durable

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Querier is a database or a transaction.
type Querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// Each calls f for every row; scan reads the row.
func Each(ctx context.Context, db Querier, f func(scan func(...any) error) error, query string, args ...any) error {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Transact runs f in one transaction, which begins with the write lock.
func Transact(ctx context.Context, db *sql.DB, f func(tx *sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := f(tx); err != nil {
		// SQLite has rolled back by itself where the disk was full, so
		// the answer to the second rollback tells nothing.
		_ = tx.Rollback()
		return err
	}
	return tx.Commit()
}

// QuickCheck is SQLite's own look at every page, or at those of some tables.
func QuickCheck(ctx context.Context, db *sql.DB, tables ...string) error {
	if len(tables) == 0 {
		tables = []string{"1"} // everything, up to one error
	}
	for _, table := range tables {
		err := Each(ctx, db, func(scan func(...any) error) error {
			var said string
			if err := scan(&said); err != nil {
				return err
			}
			if said != "ok" {
				return fmt.Errorf("%w: %s", ErrDamage, said)
			}
			return nil
		}, `PRAGMA quick_check(`+table+`)`)
		if err != nil {
			return err
		}
	}
	return nil
}

// OwnFiles are the endings of the files that make up one database.
func OwnFiles() []string { return []string{"", "-wal", "-shm"} }

// Build makes a database at path with what fill puts into it, closed and
// synced. A leftover of an earlier try is a copy only and is removed.
func Build(ctx context.Context, path string, fill func(*sql.Tx) error) error {
	for _, end := range OwnFiles() {
		if err := os.Remove(path + end); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	// SQLite gives its log the mode that the file has.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	db := Writer(path)
	err = Transact(ctx, db, fill)
	if err := errors.Join(err, db.Close()); err != nil {
		return err
	}
	// Closing moves the log into the file; a file renamed without its log
	// would lose what is in there.
	n, err := FileSize(path + "-wal")
	if err == nil && n > 0 {
		err = fmt.Errorf("the new file's log holds %d bytes after closing", n)
	}
	return err
}

// Rename puts a file in place for good: without the folder's sync a power cut
// could bring the old name back.
func Rename(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	return SyncFolder(filepath.Dir(to))
}

// FileSize is the file's length, 0 where there is none.
func FileSize(path string) (int64, error) {
	fi, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return fi.Size(), nil
}

// Move gives a folder another name, for good, in a parent that is made if missing.
func Move(from, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	if err := os.Rename(from, to); err != nil {
		return err
	}
	return errors.Join(SyncFolder(filepath.Dir(to)), SyncFolder(filepath.Dir(from)))
}

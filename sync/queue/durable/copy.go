package durable

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/mattn/go-sqlite3"
)

// Copy makes a copy of the database that from reads, as it is at one moment,
// and puts it at path, over an older one. Whoever writes goes on meanwhile.
func Copy(ctx context.Context, from *sql.DB, path string) error {
	if err := copyTo(ctx, from, path); err != nil {
		return fmt.Errorf("copying the database: %w", err)
	}
	return nil
}

func copyTo(ctx context.Context, from *sql.DB, path string) error {
	half := path + ".new"
	f, err := os.OpenFile(half, os.O_CREATE|os.O_TRUNC|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer os.Remove(half)
	err = pages(ctx, from, half)
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(half, path); err != nil {
		return err
	}
	return SyncFolder(filepath.Dir(path))
}

// pages copies all pages by SQLite's own backup, in one read transaction.
func pages(ctx context.Context, from *sql.DB, to string) error {
	source, err := from.Conn(ctx)
	if err != nil {
		return err
	}
	defer source.Close()
	return source.Raw(func(conn any) (err error) {
		reading, ok := conn.(*sqlite3.SQLiteConn)
		if !ok {
			return ErrSettings
		}
		opened, err := (&sqlite3.SQLiteDriver{}).Open(connector{path: to}.dsn())
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, opened.Close()) }()
		writing, ok := opened.(*sqlite3.SQLiteConn)
		if !ok {
			return ErrSettings
		}
		backup, err := writing.Backup("main", reading, "main")
		if err != nil {
			return err
		}
		_, err = backup.Step(-1)
		return errors.Join(err, backup.Finish())
	})
}

// Space is how many bytes a program of this user may still write on the
// filesystem of path, which need not be there yet.
func Space(path string) (int64, error) {
	for {
		_, err := os.Stat(path)
		if up := filepath.Dir(path); err != nil && up != path {
			path = up
			continue
		}
		free, err := free(path)
		if err != nil {
			return 0, fmt.Errorf("asking for the disk's space: %w", err)
		}
		return free, nil
	}
}

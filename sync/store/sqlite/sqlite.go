// Package sqlite is the central store for one machine: package store's
// contract on one SQLite file, with the large parts inside it, so that one
// file is the whole backup, or beside it as objects.
//
// It never deletes a record, a receipt or a complete blob, but for what the
// office erases.
//
// # The laws
//
//   - Write-ahead log with synchronous FULL: in simulated power cuts it lost no
//     acknowledged record, where the driver's own default (NORMAL) did.
//   - Every pragma is read back on every connection; one that differs refuses
//     the connection, because the driver ignores a misspelt setting silently.
//   - With objects, a blob is stored there before the transaction that calls it
//     complete commits, and taken away after the one that drops it: an object too
//     many is swept, one too few cannot be. Both hold the write lock meanwhile.
//   - One writer connection whose transactions take the write lock at once;
//     readers are a pool of their own that cannot write. Records that arrive
//     together share a transaction.
package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/mattn/go-sqlite3"

	"github.com/counterproof/counterproof/sync/object"
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/store/group"
)

// readers is how many connections read at the same time.
const readers = 4

// Store is a central store in one SQLite file. Open makes it; the zero value
// is of no use.
type Store struct {
	writer, reader *sql.DB
	accept         *group.Group[*arrival]
	objects        object.Store // nil: blobs lie in the file
}

// Config is what a store is opened with; the zero value will do.
type Config struct {
	// Objects takes what is uploaded from now on, once it is complete. Blobs that
	// lie in the file already stay there and are read there.
	Objects object.Store
}

var _ store.Store = (*Store)(nil)

// Open opens the store in the file at path and creates it where there is none,
// readable by its owner only. A file of an older schema is refused with
// ErrSchema until Migrate has brought it up to date.
func Open(ctx context.Context, path string) (*Store, error) {
	return OpenWith(ctx, path, Config{})
}

// OpenWith is Open for a store whose blobs may lie outside. What lies in objects
// needs the same objects again: without them, or with others, it is refused with
// object.ErrOther.
func OpenWith(ctx context.Context, path string, cfg Config) (*Store, error) {
	if err := createFile(path); err != nil {
		return nil, fmt.Errorf("opening the store: %w", err)
	}
	s := &Store{writer: connect(path, false), reader: connect(path, true), objects: cfg.Objects}
	s.accept = group.New(together, s.acceptAll)
	s.writer.SetMaxOpenConns(1)
	s.reader.SetMaxOpenConns(readers)
	if err := s.prepare(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("opening the store: %w", err), s.Close())
	}
	return s, nil
}

// prepare creates an empty file's tables, checks an older one's version and
// proves that a reader can be had.
func (s *Store) prepare(ctx context.Context) error {
	_, version, err := migrate(ctx, s.writer, 0)
	if err != nil {
		return err
	}
	if err := checkVersion(version); err != nil {
		return err
	}
	if err := s.reader.PingContext(ctx); err != nil {
		return err
	}
	return s.checkObjects(ctx)
}

// Close ends all connections. What was answered is on the disk already.
func (s *Store) Close() error {
	return errors.Join(s.reader.Close(), s.writer.Close())
}

// createFile makes an empty private file where there is none; SQLite gives its
// side files the same mode.
func createFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// write runs fn in one immediate transaction and commits it if fn succeeds.
func (s *Store) write(ctx context.Context, fn func(*sql.Tx) error) error {
	tx, err := s.writer.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("beginning a transaction: %w", err)
	}
	defer tx.Rollback()
	if err := fn(tx); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("committing: %w", err)
	}
	return nil
}

// connector opens connections whose pragmas are checked. It stands in for the
// driver's global name, which would need an init.
type connector struct {
	dsn    string
	driver *sqlite3.SQLiteDriver
}

// Connect opens one connection.
func (c connector) Connect(context.Context) (driver.Conn, error) { return c.driver.Open(c.dsn) }

// Driver returns the driver.
func (c connector) Driver() driver.Driver { return c.driver }

// connect makes a pool of checked connections; none is opened yet.
func connect(path string, readOnly bool) *sql.DB {
	return sql.OpenDB(connector{
		dsn: dataSource(path, readOnly),
		driver: &sqlite3.SQLiteDriver{ConnectHook: func(c *sqlite3.SQLiteConn) error {
			return checkPragmas(c, readOnly)
		}},
	})
}

// dataSource writes the connection's name with the settings that the driver
// sets itself; the others are set by checkPragmas.
func dataSource(path string, readOnly bool) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	q := url.Values{
		"_busy_timeout": {"5000"},
		"_synchronous":  {"FULL"},
		"_foreign_keys": {"1"},
	}
	if readOnly {
		q.Set("mode", "ro")
		q.Set("_query_only", "1")
	} else {
		q.Set("_txlock", "immediate")
		q.Set("_auto_vacuum", "incremental")
		q.Set("_journal_mode", "WAL")
	}
	u := url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: q.Encode()}
	return u.String()
}

// pragmas are the settings that a connection must have, with the values that
// they are read back as.
var pragmas = [...]struct{ name, set, want string }{
	{"trusted_schema", "OFF", "0"},
	{"cell_size_check", "ON", "1"},
	{"mmap_size", "0", "0"},
	{"fullfsync", "ON", "1"},
	{"checkpoint_fullfsync", "ON", "1"},
	{"journal_mode", "", "wal"},
	{"synchronous", "", "2"},
	{"foreign_keys", "", "1"},
	{"busy_timeout", "", "5000"},
	{"auto_vacuum", "", "2"},
}

// checkPragmas sets what the connection's name cannot and reads all back.
func checkPragmas(c *sqlite3.SQLiteConn, readOnly bool) error {
	queryOnly := "0"
	if readOnly {
		queryOnly = "1"
	}
	for _, p := range append(pragmas[:len(pragmas):len(pragmas)], struct{ name, set, want string }{"query_only", "", queryOnly}) {
		if p.set != "" {
			if _, err := c.Exec("PRAGMA "+p.name+"="+p.set, nil); err != nil {
				return fmt.Errorf("setting %s: %w", p.name, err)
			}
		}
		got, err := readPragma(c, p.name)
		if err != nil {
			return fmt.Errorf("reading back %s: %w", p.name, err)
		}
		if !strings.EqualFold(got, p.want) {
			return fmt.Errorf("the database runs with %s=%s, not %s", p.name, got, p.want)
		}
	}
	return nil
}

// readPragma asks one connection for a setting's value.
func readPragma(c *sqlite3.SQLiteConn, name string) (string, error) {
	rows, err := c.Query("PRAGMA "+name, nil)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	row := make([]driver.Value, 1)
	if err := rows.Next(row); err != nil {
		return "", err
	}
	return fmt.Sprint(row[0]), nil
}

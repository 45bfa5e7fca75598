package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// applicationID marks the file as Counterproof's central store ("CPcs"), so
// that no other SQLite file is taken for one.
const applicationID = 0x43506373

// ErrSchema is wrapped when a file's schema is not this program's.
var ErrSchema = errors.New("the store's schema is of another version")

// steps bring a file from version i to i+1. A step is never changed once it
// has been in use; a new one is added at the end.
var steps = [...]string{
	`CREATE TABLE agent(
		id TEXT PRIMARY KEY, site TEXT NOT NULL, role TEXT NOT NULL,
		public BLOB NOT NULL, grade TEXT NOT NULL, enrolled INTEGER NOT NULL,
		expect INTEGER NOT NULL, head BLOB NOT NULL, quarantined INTEGER NOT NULL
	) STRICT, WITHOUT ROWID;
	CREATE TABLE code(
		hash BLOB PRIMARY KEY, site TEXT NOT NULL, role TEXT NOT NULL,
		expires INTEGER NOT NULL, agent TEXT REFERENCES agent(id)
	) STRICT, WITHOUT ROWID;
	CREATE TABLE record(
		log_index INTEGER PRIMARY KEY, agent TEXT NOT NULL REFERENCES agent(id),
		seq INTEGER NOT NULL, header BLOB NOT NULL, signature BLOB NOT NULL,
		UNIQUE(agent, seq)
	) STRICT;
	-- Small and never pruned: that a record is held exactly once lives here.
	CREATE TABLE accepted(
		agent TEXT NOT NULL REFERENCES agent(id), seq INTEGER NOT NULL,
		rec_hash BLOB NOT NULL, answer TEXT NOT NULL, PRIMARY KEY(agent, seq)
	) STRICT, WITHOUT ROWID;
	-- A part is either inside (sealed) or names its blob.
	CREATE TABLE part(
		log_index INTEGER NOT NULL REFERENCES record(log_index), n INTEGER NOT NULL,
		sealed BLOB, sha256 BLOB, UNIQUE(log_index, n)
	) STRICT;
	CREATE TABLE blob(
		id INTEGER PRIMARY KEY, sha256 BLOB NOT NULL, agent TEXT NOT NULL,
		size INTEGER NOT NULL, complete INTEGER NOT NULL, UNIQUE(sha256, agent)
	) STRICT;
	CREATE TABLE chunk(
		blob INTEGER NOT NULL REFERENCES blob(id) ON DELETE CASCADE,
		start INTEGER NOT NULL, data BLOB NOT NULL, UNIQUE(blob, start)
	) STRICT;
	-- Refused records (without parts) and the second versions of forks.
	CREATE TABLE aside(
		agent TEXT NOT NULL REFERENCES agent(id), seq INTEGER NOT NULL,
		rec_hash BLOB NOT NULL, reason TEXT NOT NULL, at INTEGER NOT NULL,
		envelope BLOB NOT NULL
	) STRICT;
	CREATE TABLE bundle(
		id INTEGER PRIMARY KEY CHECK(id = 1), signed TEXT NOT NULL
	) STRICT;`,
	// A notice stands at place seq of its opener's list and at place n of its
	// counter's, who need not be enrolled here any more.
	`CREATE TABLE notice(
		opener TEXT NOT NULL, seq INTEGER NOT NULL, agent TEXT NOT NULL, n INTEGER NOT NULL,
		number INTEGER NOT NULL, ref TEXT NOT NULL, kind TEXT NOT NULL, at INTEGER NOT NULL,
		key TEXT NOT NULL, sig BLOB NOT NULL,
		PRIMARY KEY(opener, seq), UNIQUE(agent, n), UNIQUE(opener, agent, number)
	) STRICT;
	CREATE TABLE notice_ack(
		agent TEXT PRIMARY KEY, n INTEGER NOT NULL
	) STRICT, WITHOUT ROWID;`,
	logSchema + officeSchema,
}

// Migrate checks the file's integrity and brings its schema to this program's
// version, in one transaction. It returns the versions before and after. A
// file that does not exist is created.
func Migrate(ctx context.Context, path string) (from, to int, err error) {
	if err := createFile(path); err != nil {
		return 0, 0, fmt.Errorf("migrating the store: %w", err)
	}
	db := connect(path, false)
	db.SetMaxOpenConns(1)
	defer db.Close()
	var sound string
	if err := db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&sound); err != nil {
		return 0, 0, fmt.Errorf("the store's file cannot be read, bring back a backup: %w", err)
	}
	if sound != "ok" {
		return 0, 0, fmt.Errorf("the store's file is damaged, bring back a backup: %s", sound)
	}
	if from, to, err = migrate(ctx, db, len(steps)); err != nil {
		return from, to, fmt.Errorf("migrating the store: %w", err)
	}
	return from, to, nil
}

// migrate applies the missing steps to a file whose version is at most newest,
// and leaves any other file as it is. An empty file has version 0.
func migrate(ctx context.Context, db *sql.DB, newest int) (from, to int, err error) {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return 0, 0, err
	}
	defer tx.Rollback()
	from, err = version(ctx, tx)
	if err != nil || from > newest {
		return from, from, err
	}
	for _, step := range steps[from:] {
		if _, err := tx.ExecContext(ctx, step); err != nil {
			return from, from, err
		}
	}
	mark := fmt.Sprintf("PRAGMA application_id=%d; PRAGMA user_version=%d", applicationID, len(steps))
	if _, err := tx.ExecContext(ctx, mark); err != nil {
		return from, from, err
	}
	return from, len(steps), tx.Commit()
}

// checkVersion refuses a file of an older version; the next step is a person's,
// who may want a copy first.
func checkVersion(got int) error {
	if got < len(steps) {
		return fmt.Errorf("%w: it has %d, the program needs %d: run counterproof-central migrate", ErrSchema, got, len(steps))
	}
	return nil
}

// querier is what a transaction and a pool have in common.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// version reads the schema's version, 0 for an empty file, and refuses a file
// that is no store or made by a newer program.
func version(ctx context.Context, q querier) (int, error) {
	var id, version, tables int
	err := q.QueryRowContext(ctx, `SELECT (SELECT application_id FROM pragma_application_id),
		(SELECT user_version FROM pragma_user_version), (SELECT count(*) FROM sqlite_master)`).Scan(&id, &version, &tables)
	switch {
	case err != nil:
		return 0, fmt.Errorf("reading the schema's version: %w", err)
	case id == 0 && version == 0 && tables == 0:
		return 0, nil
	case id != applicationID || version == 0:
		return 0, fmt.Errorf("%w: the file is no central store", ErrSchema)
	case version > len(steps):
		return 0, fmt.Errorf("%w: it has %d, a newer program made it", ErrSchema, version)
	}
	return version, nil
}

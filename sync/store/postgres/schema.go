package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// ErrSchema is wrapped when a database's tables are not this program's.
var ErrSchema = errors.New("the store's schema is of another version")

// lock names the advisory locks of this program in a database ("CPcs").
const lock = 0x43506373

// steps bring a database from version i to i+1. A step is never changed once it
// has been in use; a new one is added at the end. Names sort by their bytes.
// Times are in milliseconds since 1970, months as 202611.
var steps = [...]string{
	`CREATE TABLE agent(
		id TEXT COLLATE "C" PRIMARY KEY, site TEXT NOT NULL, role TEXT NOT NULL,
		public BYTEA NOT NULL, grade TEXT NOT NULL, enrolled BIGINT NOT NULL,
		expect BIGINT NOT NULL, head BYTEA NOT NULL, quarantined BOOLEAN NOT NULL,
		status TEXT NOT NULL, approved TEXT NOT NULL, invited TEXT NOT NULL
	);
	CREATE TABLE code(
		hash BYTEA PRIMARY KEY, site TEXT NOT NULL, role TEXT NOT NULL, expires BIGINT NOT NULL,
		by TEXT NOT NULL, second BOOLEAN NOT NULL, grades TEXT[] NOT NULL, agent TEXT NOT NULL DEFAULT ''
	);
	CREATE TABLE record(
		month INTEGER NOT NULL, log_index BIGINT NOT NULL, agent TEXT COLLATE "C" NOT NULL, seq BIGINT NOT NULL,
		record_id BYTEA NOT NULL, header BYTEA NOT NULL, signature BYTEA NOT NULL,
		erased BOOLEAN NOT NULL DEFAULT false, PRIMARY KEY(month, log_index)
	) PARTITION BY RANGE(month);
	CREATE INDEX record_by_index ON record(log_index);
	CREATE INDEX record_by_id ON record(record_id);
	-- A part is either inside (sealed) or names its blob.
	CREATE TABLE part(
		month INTEGER NOT NULL, log_index BIGINT NOT NULL, n INTEGER NOT NULL,
		sealed BYTEA, sha256 BYTEA, PRIMARY KEY(month, log_index, n)
	) PARTITION BY RANGE(month);
	CREATE INDEX part_by_index ON part(log_index);
	CREATE INDEX part_by_blob ON part(sha256) WHERE sha256 IS NOT NULL;
	-- Small, never partitioned and never pruned: that a record is held exactly
	-- once lives here.
	CREATE TABLE accepted(
		agent TEXT COLLATE "C" NOT NULL, seq BIGINT NOT NULL, rec_hash BYTEA NOT NULL, answer TEXT NOT NULL,
		leaf BIGINT, PRIMARY KEY(agent, seq)
	);
	CREATE TABLE blob(
		id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, sha256 BYTEA NOT NULL, agent TEXT NOT NULL,
		size BIGINT NOT NULL, complete BOOLEAN NOT NULL, UNIQUE(sha256, agent)
	);
	CREATE TABLE chunk(
		blob BIGINT NOT NULL REFERENCES blob(id) ON DELETE CASCADE, start BIGINT NOT NULL,
		data BYTEA NOT NULL, PRIMARY KEY(blob, start)
	);
	ALTER TABLE chunk ALTER COLUMN data SET STORAGE EXTERNAL; -- sealed bytes do not shrink
	-- Refused records (without parts) and the second versions of forks.
	CREATE TABLE aside(
		agent TEXT NOT NULL, seq BIGINT NOT NULL, rec_hash BYTEA NOT NULL,
		reason TEXT NOT NULL, at BIGINT NOT NULL, envelope BYTEA NOT NULL
	);
	CREATE TABLE bundle(id INTEGER PRIMARY KEY CHECK(id = 1), signed TEXT NOT NULL);
	CREATE TABLE notice(
		opener TEXT NOT NULL, seq BIGINT NOT NULL, agent TEXT NOT NULL, n BIGINT NOT NULL,
		number BIGINT NOT NULL, ref TEXT NOT NULL, kind TEXT NOT NULL, at BIGINT NOT NULL,
		key TEXT NOT NULL, sig BYTEA NOT NULL,
		PRIMARY KEY(opener, seq), UNIQUE(agent, n), UNIQUE(opener, agent, number)
	);
	CREATE TABLE notice_ack(agent TEXT PRIMARY KEY, n BIGINT NOT NULL);
	-- How many records and leaves there are; locked last, until the commit.
	CREATE TABLE counter(id INTEGER PRIMARY KEY CHECK(id = 1), records BIGINT NOT NULL, leaves BIGINT NOT NULL);
	INSERT INTO counter VALUES(1, 0, 0);
	CREATE TABLE leaf(
		number BIGINT PRIMARY KEY, kind TEXT NOT NULL, at BIGINT NOT NULL, by TEXT NOT NULL,
		subject BYTEA NOT NULL, log_index BIGINT NOT NULL, word TEXT NOT NULL
	);
	CREATE TABLE tree(idx BIGINT PRIMARY KEY, hash BYTEA NOT NULL);
	CREATE TABLE checkpoint(size BIGINT PRIMARY KEY, root BYTEA NOT NULL, note BYTEA NOT NULL);
	CREATE TABLE flag(
		number BIGINT PRIMARY KEY, hash BYTEA NOT NULL UNIQUE, by TEXT NOT NULL,
		flag TEXT NOT NULL, settled TEXT NOT NULL DEFAULT '', closed BIGINT NOT NULL DEFAULT 0
	);`,
}

// Migrate brings a database's tables to this program's version, in one
// transaction, and returns the versions before and after.
func Migrate(ctx context.Context, source string) (from, to int, err error) {
	pool, err := connect(ctx, source)
	if err != nil {
		return 0, 0, fmt.Errorf("migrating the store: %w", err)
	}
	defer pool.Close()
	from, to, err = migrate(ctx, pool, len(steps))
	if err != nil {
		return from, to, fmt.Errorf("migrating the store: %w", err)
	}
	return from, to, nil
}

// prepare makes an empty database's tables and refuses those of another version.
func prepare(ctx context.Context, pool *pgxpool.Pool) error {
	_, version, err := migrate(ctx, pool, 0)
	if err == nil && version < len(steps) {
		err = fmt.Errorf("%w: it has %d, the program needs %d: run counterproof-central migrate --database …", ErrSchema, version, len(steps))
	}
	return err
}

// migrate applies the missing steps to a database whose version is at most
// newest, and leaves any other as it is. One without our tables has version 0.
func migrate(ctx context.Context, pool *pgxpool.Pool, newest int) (from, to int, err error) {
	err = pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, lock); err != nil {
			return err
		}
		if from, err = version(ctx, tx); err != nil || from > newest {
			to = from
			return err
		}
		for i, step := range steps[from:] {
			if _, err := tx.Exec(ctx, step); err != nil {
				return fmt.Errorf("step %d: %w", from+i+1, err)
			}
		}
		to = len(steps)
		_, err := tx.Exec(ctx, `UPDATE counterproof_schema SET version=$1`, to)
		return err
	})
	return from, to, err
}

// version reads the schema's version and makes the place for it where there is
// none. Another program's tables are refused by the first step that meets them.
func version(ctx context.Context, tx pgx.Tx) (int, error) {
	_, err := tx.Exec(ctx, `CREATE TABLE IF NOT EXISTS counterproof_schema(id INTEGER PRIMARY KEY CHECK(id = 1), version INTEGER NOT NULL);
		INSERT INTO counterproof_schema VALUES(1, 0) ON CONFLICT DO NOTHING`)
	if err != nil {
		return 0, fmt.Errorf("reading the schema's version: %w", err)
	}
	var v int
	if err := tx.QueryRow(ctx, `SELECT version FROM counterproof_schema`).Scan(&v); err != nil {
		return 0, fmt.Errorf("reading the schema's version: %w", err)
	}
	if v > len(steps) {
		return v, fmt.Errorf("%w: it has %d, a newer program made it", ErrSchema, v)
	}
	return v, nil
}

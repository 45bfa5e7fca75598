package postgres

import (
	"context"
	_ "embed"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// ErrSchema is wrapped when a database's tables are not this program's.
var ErrSchema = errors.New("the store's schema is of another version")

// lock names the advisory locks of this program in a database ("CPcs").
const lock = 0x43506373

// first makes the tables of an empty database.
//
//go:embed schema_1.sql
var first string

// steps bring a database from version i to i+1. A step is never changed once it
// has been in use; a new one is added at the end. Names sort by their bytes.
// Times are in milliseconds since 1970, months as 202611.
var steps = [...]string{
	first,
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

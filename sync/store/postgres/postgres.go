// Package postgres is the central store for a fleet: package store's contract on
// PostgreSQL 15 or newer, with or without a synchronous standby.
//
// It never deletes a record, a receipt or a complete blob, but for what the
// office erases.
//
// # The laws
//
//   - What a transaction wrote is on the server's disk, and on its synchronous
//     standby's, before anybody is told. The settings that do this are read back
//     on every connection, and a weaker one refuses it.
//   - Locks are taken in one order: agents by their id, other rows, blobs by
//     their name, the log's counter last. So nobody waits in a circle, and what
//     the counter gives out is committed in its order, without a hole.
//   - Records that arrive together share a transaction (package group).
//   - With objects, a blob is stored there before the transaction that calls it
//     complete commits, and taken away after the one that drops it: an object too
//     many is swept, one too few cannot be. Both hold the blob's lock meanwhile.
//   - A lost answer to COMMIT is an error. The same again finds what was written.
package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/counterproof/counterproof/sync/object"
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/store/group"
)

// together is how many records share a transaction at most.
const together = 64

// Store is a central store in one PostgreSQL database. Open makes it; the zero
// value is of no use.
type Store struct {
	pool   *pgxpool.Pool
	accept *group.Group[*arrival]
	months *months

	objects object.Store // nil: blobs lie in the database
}

// Config is what a store is opened with; the zero value will do.
type Config struct {
	// Objects takes what is uploaded from now on, once it is complete. All
	// machines of a centre use the same. Blobs that lie in the database already
	// stay there and are read there.
	Objects object.Store
}

var _ store.Store = (*Store)(nil)

// Open opens the store in the database that a connection string names (a URL or
// keywords, as libpq takes them) and makes its tables where the database has
// none. Tables of an older version are refused with ErrSchema until Migrate has
// brought them up to date.
func Open(ctx context.Context, source string) (*Store, error) {
	return OpenWith(ctx, source, Config{})
}

// OpenWith is Open for a store whose blobs may lie outside. What lies in objects
// needs the same objects again: without them, or with others, it is refused with
// object.ErrOther.
func OpenWith(ctx context.Context, source string, cfg Config) (*Store, error) {
	pool, err := connect(ctx, source)
	if err != nil {
		return nil, fmt.Errorf("opening the store: %w", err)
	}
	if err := prepare(ctx, pool); err != nil {
		pool.Close()
		return nil, fmt.Errorf("opening the store: %w", err)
	}
	s := &Store{pool: pool, months: &months{known: map[int]bool{}}, objects: cfg.Objects}
	if err := s.checkObjects(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("opening the store: %w", err)
	}
	s.accept = group.New(together, s.acceptAll)
	return s, nil
}

// Close ends all connections. What was answered is on the disk already.
func (s *Store) Close() error {
	s.pool.Close()
	return nil
}

// connect makes a pool of checked connections and proves that one can be had.
func connect(ctx context.Context, source string) (*pgxpool.Pool, error) {
	cfg, err := pgxpool.ParseConfig(source)
	if err != nil {
		return nil, errors.New("the connection string does not read") // it may hold a password
	}
	cfg.AfterConnect = checkSettings
	cfg.ConnConfig.RuntimeParams["application_name"] = "counterproof-central"
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, err
	}
	return pool, nil
}

// settings are those without which acknowledged records can be lost, with the
// values that will do.
var settings = [...]struct{ name, want, or string }{
	{"fsync", "on", "on"},
	{"full_page_writes", "on", "on"},
	{"synchronous_commit", "on", "remote_apply"},
}

// checkSettings reads a new connection's settings back.
func checkSettings(ctx context.Context, c *pgx.Conn) error {
	for _, s := range settings {
		var got string
		if err := c.QueryRow(ctx, `SELECT current_setting($1)`, s.name).Scan(&got); err != nil {
			return fmt.Errorf("reading back %s: %w", s.name, err)
		}
		if got != s.want && got != s.or {
			return fmt.Errorf("the database runs with %s=%s, not %s: acknowledged records could be lost", s.name, got, s.want)
		}
	}
	return nil
}

// write runs fn in one transaction and commits it if fn succeeds.
func (s *Store) write(ctx context.Context, fn func(pgx.Tx) error) error {
	tx, err := s.pool.Begin(ctx)
	if err != nil {
		return fmt.Errorf("beginning a transaction: %w", err)
	}
	defer tx.Rollback(context.WithoutCancel(ctx))
	if err := fn(tx); err != nil {
		return err
	}
	if err := tx.Commit(ctx); err != nil {
		return fmt.Errorf("committing: %w", err)
	}
	return nil
}

// read runs fn on one moment's state.
func (s *Store) read(ctx context.Context, fn func(pgx.Tx) error) error {
	tx, err := s.pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return fmt.Errorf("beginning to read: %w", err)
	}
	defer tx.Rollback(context.WithoutCancel(ctx))
	return fn(tx)
}

// querier is what a transaction and a pool have in common.
type querier interface {
	QueryRow(ctx context.Context, query string, args ...any) pgx.Row
	Query(ctx context.Context, query string, args ...any) (pgx.Rows, error)
}

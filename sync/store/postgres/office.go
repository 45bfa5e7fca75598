package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// Agents lists who is enrolled; see store.Office.
func (s *Store) Agents(ctx context.Context, after wire.AgentID, limit int) ([]store.Agent, error) {
	rows, err := s.pool.Query(ctx, `SELECT `+agentColumns+` FROM agent WHERE id>$1 ORDER BY id LIMIT $2`, after, limit)
	if err != nil {
		return nil, fmt.Errorf("listing the agents: %w", err)
	}
	agents, err := pgx.CollectRows(rows, scanAgent)
	if err != nil {
		return nil, fmt.Errorf("listing the agents: %w", err)
	}
	return agents, nil
}

// Change changes what the office may change of an agent; see store.Office.
func (s *Store) Change(ctx context.Context, id wire.AgentID, leaf wire.Leaf, change func(store.Agent) (store.Agent, error)) (store.Agent, error) {
	var a store.Agent
	err := s.write(ctx, func(tx pgx.Tx) error {
		var err error
		if a, err = findAgent(ctx, tx, id, "FOR UPDATE"); err != nil {
			return err
		}
		next, err := change(a)
		if err != nil {
			return err
		}
		a.Site, a.Status, a.Approved, a.Quarantined = next.Site, next.Status, next.Approved, next.Quarantined
		_, err = tx.Exec(ctx, `UPDATE agent SET site=$1, status=$2, approved=$3, quarantined=$4 WHERE id=$5`,
			a.Site, a.Status, a.Approved, a.Quarantined, id)
		if err != nil {
			return err
		}
		return addLeaves(ctx, tx, leaf)
	})
	if err != nil {
		return store.Agent{}, fmt.Errorf("changing an agent: %w", err)
	}
	return a, nil
}

// Find finds records by the reference of their slip; see store.Office.
func (s *Store) Find(ctx context.Context, ref wire.Ref) ([]store.Entry, error) {
	low, high, err := store.RefRange(ref)
	if err != nil {
		return nil, fmt.Errorf("finding a record: %w", err)
	}
	rows, err := s.pool.Query(ctx, `SELECT r.record_id, r.erased, a.answer FROM record r
		JOIN accepted a ON a.agent=r.agent AND a.seq=r.seq WHERE r.record_id BETWEEN $1 AND $2 ORDER BY r.log_index`, low[:], high[:])
	if err != nil {
		return nil, fmt.Errorf("finding a record: %w", err)
	}
	entries, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (e store.Entry, err error) {
		var id, text []byte
		var first wire.Answer
		if err := row.Scan(&id, &e.Erased, &text); err != nil {
			return e, err
		}
		copy(e.Record[:], id)
		if err := json.Unmarshal(text, &first); err != nil || first.Receipt == nil {
			return e, errors.Join(errors.New("its receipt is damaged"), err)
		}
		e.Receipt = *first.Receipt
		return e, nil
	})
	if err != nil {
		return nil, fmt.Errorf("finding a record: %w", err)
	}
	return entries, nil
}

// Erase destroys what a record holds sealed; see store.Office. The server's own
// log and its backups have the sealed bytes until they are recycled; whoever must
// be sure of those destroys the month's key.
func (s *Store) Erase(ctx context.Context, logIndex uint64, leaf wire.Leaf) error {
	var dropped []wire.Hash
	err := s.write(ctx, func(tx pgx.Tx) (err error) {
		if dropped, err = erase(ctx, tx, int64(min(logIndex, 1<<62))); err != nil {
			return err
		}
		return addLeaves(ctx, tx, leaf)
	})
	if err != nil {
		return fmt.Errorf("erasing a record: %w", err)
	}
	if err := s.dropObjects(context.WithoutCancel(ctx), dropped); err != nil {
		return fmt.Errorf("the record is erased, and what is left of its objects goes with the next sweep: %w", err)
	}
	return nil
}

// erase removes the parts of a record and the blobs that are its alone, whose
// names it returns.
func erase(ctx context.Context, tx pgx.Tx, index int64) (dropped []wire.Hash, err error) {
	var before bool
	err = tx.QueryRow(ctx, `SELECT erased FROM record WHERE log_index=$1 FOR UPDATE`, index).Scan(&before)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return nil, store.ErrPlace
	case err != nil:
		return nil, err
	case before:
		return nil, store.ErrErased
	}
	// What a record names and is complete; halves belong to whoever sends them.
	// Locked first, in the order in which records that arrive lock them.
	const mine = `SELECT sha256 FROM part WHERE log_index=$1 AND sha256 IS NOT NULL`
	_, err = tx.Exec(ctx, `SELECT 1 FROM blob WHERE complete AND sha256 IN (`+mine+`) ORDER BY sha256 FOR UPDATE`, index)
	if err != nil {
		return nil, err
	}
	dropped, err = queryHashes(ctx, tx, `DELETE FROM blob WHERE complete AND sha256 IN (`+mine+`)
		AND NOT EXISTS (SELECT 1 FROM part p WHERE p.sha256=blob.sha256 AND p.log_index<>$1) RETURNING sha256`, index)
	if err != nil {
		return nil, err
	}
	if _, err = tx.Exec(ctx, `UPDATE part SET sealed=NULL, sha256=NULL WHERE log_index=$1`, index); err != nil {
		return nil, err
	}
	_, err = tx.Exec(ctx, `UPDATE record SET erased=true WHERE log_index=$1`, index)
	return dropped, err
}

// flagLock is the advisory lock under which flags are numbered.
const flagLock = 3

// Raise keeps an opener's flags; see store.Flags.
func (s *Store) Raise(ctx context.Context, by wire.AgentID, flags []wire.Flag) error {
	err := s.write(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1, $2)`, lock, flagLock); err != nil {
			return err
		}
		for _, f := range flags {
			text, err := json.Marshal(f)
			if err != nil {
				return err
			}
			hash := f.Hash()
			_, err = tx.Exec(ctx, `INSERT INTO flag(number, hash, by, flag)
				SELECT (SELECT coalesce(max(number), 0) + 1 FROM flag), $1::bytea, $2::text, $3::text WHERE NOT EXISTS (SELECT 1 FROM flag WHERE hash=$1)`,
				hash[:], by, string(text))
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("keeping flags: %w", err)
	}
	return nil
}

// Flags lists what was raised; see store.Flags.
func (s *Store) Flags(ctx context.Context, after uint64, limit int) ([]store.Raised, error) {
	rows, err := s.pool.Query(ctx, `SELECT number, by, flag, settled, closed FROM flag WHERE number>$1 ORDER BY number LIMIT $2`,
		int64(min(after, 1<<62)), limit)
	if err != nil {
		return nil, fmt.Errorf("listing flags: %w", err)
	}
	flags, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (r store.Raised, err error) {
		var number, closed int64
		var text []byte
		if err := row.Scan(&number, &r.By, &text, &r.Settled, &closed); err != nil {
			return r, err
		}
		if r.Number = uint64(number); r.Settled != "" {
			r.Closed = time.UnixMilli(closed).UTC()
		}
		return r, json.Unmarshal(text, &r.Flag)
	})
	if err != nil {
		return nil, fmt.Errorf("listing flags: %w", err)
	}
	return flags, nil
}

// Settle closes an open flag; see store.Flags.
func (s *Store) Settle(ctx context.Context, number uint64, word string, leaf wire.Leaf) error {
	err := s.write(ctx, func(tx pgx.Tx) error {
		done, err := tx.Exec(ctx, `UPDATE flag SET settled=$1, closed=$2 WHERE number=$3 AND settled=''`,
			word, leaf.At.UnixMilli(), int64(min(number, 1<<62)))
		if err != nil {
			return err
		}
		if done.RowsAffected() == 0 {
			return store.ErrPlace
		}
		return addLeaves(ctx, tx, leaf)
	})
	if err != nil {
		return fmt.Errorf("settling a flag: %w", err)
	}
	return nil
}

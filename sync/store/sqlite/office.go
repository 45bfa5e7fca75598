package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// Agents lists who is enrolled; see store.Office.
func (s *Store) Agents(ctx context.Context, after wire.AgentID, limit int) ([]store.Agent, error) {
	rows, err := s.reader.QueryContext(ctx, `SELECT `+agentColumns+` FROM agent WHERE id>? ORDER BY id LIMIT ?`, after, limit)
	if err != nil {
		return nil, fmt.Errorf("listing the agents: %w", err)
	}
	defer rows.Close()
	var agents []store.Agent
	for rows.Next() {
		var a store.Agent
		var head []byte
		var enrolled int64
		if err := rows.Scan(agentFields(&a, &head, &enrolled)...); err != nil {
			return nil, fmt.Errorf("listing the agents: %w", err)
		}
		copy(a.Head[:], head)
		a.Enrolled = time.UnixMilli(enrolled).UTC()
		agents = append(agents, a)
	}
	return agents, rows.Err()
}

// Change changes what the office may change of an agent; see store.Office.
func (s *Store) Change(ctx context.Context, id wire.AgentID, leaf wire.Leaf, change func(store.Agent) (store.Agent, error)) (store.Agent, error) {
	var a store.Agent
	err := s.write(ctx, func(tx *sql.Tx) error {
		var err error
		if a, err = findAgent(ctx, tx, id); err != nil {
			return err
		}
		next, err := change(a)
		if err != nil {
			return err
		}
		a.Site, a.Status, a.Approved, a.Quarantined = next.Site, next.Status, next.Approved, next.Quarantined
		_, err = tx.ExecContext(ctx, `UPDATE agent SET site=?, status=?, approved=?, quarantined=? WHERE id=?`,
			a.Site, a.Status, a.Approved, a.Quarantined, id)
		if err != nil {
			return err
		}
		return addLeaf(ctx, tx, leaf)
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
	rows, err := s.reader.QueryContext(ctx, `SELECT r.record_id, r.erased, a.answer FROM record r
		JOIN accepted a ON a.agent=r.agent AND a.seq=r.seq WHERE r.record_id BETWEEN ? AND ? ORDER BY r.log_index`, low[:], high[:])
	if err != nil {
		return nil, fmt.Errorf("finding a record: %w", err)
	}
	defer rows.Close()
	var entries []store.Entry
	for rows.Next() {
		var e store.Entry
		var id, text []byte
		if err := rows.Scan(&id, &e.Erased, &text); err != nil {
			return nil, fmt.Errorf("finding a record: %w", err)
		}
		copy(e.Record[:], id)
		var first wire.Answer
		if err := json.Unmarshal(text, &first); err != nil || first.Receipt == nil {
			return nil, fmt.Errorf("finding a record: its receipt is damaged: %w", err)
		}
		e.Receipt = *first.Receipt
		entries = append(entries, e)
	}
	return entries, rows.Err()
}

// Erase destroys what a record holds sealed; see store.Office. SQLite writes
// zeros over what was there, and the write-ahead log, which has it too, is
// emptied as soon as nobody reads in it.
func (s *Store) Erase(ctx context.Context, logIndex uint64, leaf wire.Leaf) error {
	var dropped []wire.Hash
	err := s.write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `PRAGMA secure_delete=ON`); err != nil {
			return err
		}
		var err error
		if dropped, err = erase(ctx, tx, logIndex); err != nil {
			return err
		}
		return addLeaf(ctx, tx, leaf)
	})
	if err != nil {
		return fmt.Errorf("erasing a record: %w", err)
	}
	// The record is erased; a busy log is emptied at the next such chance.
	_, _ = s.writer.ExecContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`)
	if err := s.dropObjects(context.WithoutCancel(ctx), dropped); err != nil {
		return fmt.Errorf("the record is erased, and what is left of its objects goes with the next sweep: %w", err)
	}
	return nil
}

// erase removes the parts of a record and the blobs that are its alone, whose
// names it returns.
func erase(ctx context.Context, tx *sql.Tx, index uint64) (dropped []wire.Hash, err error) {
	var before bool
	err = tx.QueryRowContext(ctx, `SELECT erased FROM record WHERE log_index=?`, index).Scan(&before)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, store.ErrPlace
	case err != nil:
		return nil, err
	case before:
		return nil, store.ErrErased
	}
	// What a record names and is complete; halves belong to whoever sends them.
	dropped, err = queryHashes(ctx, tx, `DELETE FROM blob WHERE complete=1
		AND sha256 IN (SELECT sha256 FROM part WHERE log_index=? AND sha256 IS NOT NULL)
		AND sha256 NOT IN (SELECT sha256 FROM part WHERE log_index<>? AND sha256 IS NOT NULL) RETURNING sha256`, index, index)
	if err != nil {
		return nil, err
	}
	if _, err = tx.ExecContext(ctx, `UPDATE part SET sealed=NULL, sha256=NULL WHERE log_index=?`, index); err != nil {
		return nil, err
	}
	_, err = tx.ExecContext(ctx, `UPDATE record SET erased=1 WHERE log_index=?`, index)
	return dropped, err
}

// Raise keeps an opener's flags; see store.Flags.
func (s *Store) Raise(ctx context.Context, by wire.AgentID, flags []wire.Flag) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		for _, f := range flags {
			if err := raise(ctx, tx, by, f); err != nil {
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

// raise keeps one flag, if it is new.
func raise(ctx context.Context, tx *sql.Tx, by wire.AgentID, f wire.Flag) error {
	text, err := json.Marshal(f)
	if err != nil {
		return err
	}
	hash := f.Hash()
	_, err = tx.ExecContext(ctx, `INSERT INTO flag(number, hash, by, flag)
		SELECT coalesce(max(number), 0) + 1, ?, ?, ? FROM flag HAVING NOT EXISTS (SELECT 1 FROM flag WHERE hash=?)`,
		hash[:], by, string(text), hash[:])
	return err
}

// Flags lists what was raised; see store.Flags.
func (s *Store) Flags(ctx context.Context, after uint64, limit int) ([]store.Raised, error) {
	rows, err := s.reader.QueryContext(ctx, `SELECT number, by, flag, settled, closed FROM flag WHERE number>? ORDER BY number LIMIT ?`,
		int64(min(after, 1<<62)), limit)
	if err != nil {
		return nil, fmt.Errorf("listing flags: %w", err)
	}
	defer rows.Close()
	var flags []store.Raised
	for rows.Next() {
		var r store.Raised
		var text []byte
		var closed int64
		if err := rows.Scan(&r.Number, &r.By, &text, &r.Settled, &closed); err != nil {
			return nil, fmt.Errorf("listing flags: %w", err)
		}
		if err := json.Unmarshal(text, &r.Flag); err != nil {
			return nil, fmt.Errorf("reading flag %d: %w", r.Number, err)
		}
		if r.Settled != "" {
			r.Closed = time.UnixMilli(closed).UTC()
		}
		flags = append(flags, r)
	}
	return slices.Clip(flags), rows.Err()
}

// Settle closes an open flag; see store.Flags.
func (s *Store) Settle(ctx context.Context, number uint64, word string, leaf wire.Leaf) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, `UPDATE flag SET settled=?, closed=? WHERE number=? AND settled=''`,
			word, leaf.At.UnixMilli(), int64(min(number, 1<<62)))
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return errors.Join(store.ErrPlace, err)
		}
		return addLeaf(ctx, tx, leaf)
	})
	if err != nil {
		return fmt.Errorf("settling a flag: %w", err)
	}
	return nil
}

package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/tlog"
	"github.com/counterproof/counterproof/sync/wire"
)

// addLeaf writes the log's next leaf, in the transaction of what it stands for.
func addLeaf(ctx context.Context, tx *sql.Tx, l wire.Leaf) error {
	if err := l.Check(); err != nil {
		return fmt.Errorf("adding a leaf to the log: %w", err)
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO leaf(number, kind, at, by, subject, log_index, word)
		VALUES((SELECT coalesce(max(number)+1, 0) FROM leaf),?,?,?,?,?,?)`,
		l.Kind, l.At.UnixMilli(), l.By, l.Subject[:], l.Index, l.Word)
	if err != nil {
		return fmt.Errorf("adding a leaf to the log: %w", err)
	}
	return nil
}

// Append adds leaves; see store.Log.
func (s *Store) Append(ctx context.Context, leaves ...wire.Leaf) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		for _, l := range leaves {
			if err := addLeaf(ctx, tx, l); err != nil {
				return err
			}
		}
		return nil
	})
}

// Sequence grows the tree over all leaves; see store.Log.
func (s *Store) Sequence(ctx context.Context, sign func(uint64, wire.Hash) ([]byte, error)) (wire.Checkpoint, error) {
	var c wire.Checkpoint
	err := s.write(ctx, func(tx *sql.Tx) error {
		var err error
		if c, err = findCheckpoint(ctx, tx, 0); err != nil {
			return err
		}
		var size uint64
		if err := tx.QueryRowContext(ctx, `SELECT coalesce(max(number)+1, 0) FROM leaf`).Scan(&size); err != nil {
			return err
		}
		if c.Note != nil && size == c.Size {
			return nil
		}
		if err := grow(ctx, tx, c.Size, size); err != nil {
			return err
		}
		c, err = commit(ctx, tx, size, sign)
		return err
	})
	if err != nil {
		return wire.Checkpoint{}, fmt.Errorf("sequencing the log: %w", err)
	}
	return c, nil
}

// growStep is how many leaves the tree grows by at a time, to bound memory.
const growStep = 4096

// grow stores the tree's hashes for the leaves from number old up to size.
func grow(ctx context.Context, tx *sql.Tx, old, size uint64) error {
	insert, err := tx.PrepareContext(ctx, `INSERT INTO tree(idx, hash) VALUES(?,?)`)
	if err != nil {
		return err
	}
	defer insert.Close()
	for at := old; at < size; {
		leaves, err := readLeaves(ctx, tx, at, growStep)
		if err != nil {
			return err
		}
		if uint64(len(leaves)) != min(growStep, size-at) {
			return fmt.Errorf("the log has lost leaves behind number %d", at)
		}
		var hashes []wire.Hash
		for _, l := range leaves {
			hashes = append(hashes, tlog.LeafHash(l))
		}
		grown, err := tlog.Grow(at, hashes, reading(ctx, tx))
		if err != nil {
			return err
		}
		for i, h := range grown {
			if _, err := insert.ExecContext(ctx, tlog.Stored(at)+int64(i), h[:]); err != nil {
				return err
			}
		}
		at += uint64(len(leaves))
	}
	return nil
}

// commit signs and keeps the checkpoint of a tree whose hashes are stored.
func commit(ctx context.Context, tx *sql.Tx, size uint64, sign func(uint64, wire.Hash) ([]byte, error)) (wire.Checkpoint, error) {
	c := wire.Checkpoint{Size: size}
	var err error
	if c.Root, err = tlog.Root(size, reading(ctx, tx)); err != nil {
		return c, err
	}
	if c.Note, err = sign(size, c.Root); err != nil {
		return c, err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO checkpoint(size, root, note) VALUES(?,?,?)`, size, c.Root[:], c.Note)
	return c, err
}

// reading reads the tree's hashes through q.
func reading(ctx context.Context, q querier) tlog.Reader {
	return func(indexes []int64) ([]wire.Hash, error) {
		out := make([]wire.Hash, len(indexes))
		for i, index := range indexes {
			var hash []byte
			err := q.QueryRowContext(ctx, `SELECT hash FROM tree WHERE idx=?`, index).Scan(&hash)
			if err != nil || len(hash) != len(out[i]) {
				return nil, fmt.Errorf("reading hash %d of the tree: %d bytes, %w", index, len(hash), err)
			}
			out[i] = wire.Hash(hash)
		}
		return out, nil
	}
}

// Hashes reads hashes of the tree; see store.Log.
func (s *Store) Hashes(ctx context.Context, indexes []int64) ([]wire.Hash, error) {
	return reading(ctx, s.reader)(indexes)
}

// Checkpoint returns the newest checkpoint; see store.Log.
func (s *Store) Checkpoint(ctx context.Context, size uint64) (wire.Checkpoint, error) {
	c, err := findCheckpoint(ctx, s.reader, size)
	if err != nil {
		return wire.Checkpoint{}, fmt.Errorf("reading the checkpoint: %w", err)
	}
	return c, nil
}

// findCheckpoint reads the newest checkpoint of at most size leaves; of any for 0.
func findCheckpoint(ctx context.Context, q querier, size uint64) (wire.Checkpoint, error) {
	var c wire.Checkpoint
	var root []byte
	err := q.QueryRowContext(ctx, `SELECT size, root, note FROM checkpoint WHERE ?1=0 OR size<=?1 ORDER BY size DESC LIMIT 1`, size).
		Scan(&c.Size, &root, &c.Note)
	if errors.Is(err, sql.ErrNoRows) {
		return wire.Checkpoint{}, nil
	}
	copy(c.Root[:], root)
	return c, err
}

// Leaves reads leaves by their number; see store.Log.
func (s *Store) Leaves(ctx context.Context, from uint64, limit int) ([]wire.Leaf, error) {
	leaves, err := readLeaves(ctx, s.reader, from, limit)
	if err != nil {
		return nil, fmt.Errorf("reading the log's leaves: %w", err)
	}
	return leaves, nil
}

// readLeaves reads leaves that follow on one another from number from on.
func readLeaves(ctx context.Context, q querier, from uint64, limit int) ([]wire.Leaf, error) {
	rows, err := q.QueryContext(ctx, `SELECT number, kind, at, by, subject, log_index, word FROM leaf WHERE number>=? ORDER BY number LIMIT ?`, from, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var leaves []wire.Leaf
	for rows.Next() {
		var l wire.Leaf
		var number uint64
		var at int64
		var subject []byte
		if err := rows.Scan(&number, &l.Kind, &at, &l.By, &subject, &l.Index, &l.Word); err != nil {
			return nil, err
		}
		if number != from+uint64(len(leaves)) {
			return nil, fmt.Errorf("the log has lost leaf %d", from+uint64(len(leaves)))
		}
		l.At = time.UnixMilli(at).UTC()
		copy(l.Subject[:], subject)
		leaves = append(leaves, l)
	}
	return leaves, rows.Err()
}

// Places tells where an agent's records stand; see store.Log.
func (s *Store) Places(ctx context.Context, agent wire.AgentID, seq wire.Seq, limit int) ([]store.Place, error) {
	rows, err := s.reader.QueryContext(ctx, `SELECT r.seq, l.subject, l.number FROM record r JOIN leaf l ON l.log_index=r.log_index AND l.kind='record'
		WHERE r.agent=? AND r.seq>=? ORDER BY r.seq LIMIT ?`, agent, seq, limit)
	if err != nil {
		return nil, fmt.Errorf("finding records in the log: %w", err)
	}
	defer rows.Close()
	var places []store.Place
	for rows.Next() {
		var p store.Place
		var subject []byte
		if err := rows.Scan(&p.Seq, &subject, &p.Leaf); err != nil {
			return nil, fmt.Errorf("finding records in the log: %w", err)
		}
		copy(p.RecHash[:], subject)
		places = append(places, p)
	}
	return places, rows.Err()
}

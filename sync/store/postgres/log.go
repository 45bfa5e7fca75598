package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/tlog"
	"github.com/counterproof/counterproof/sync/wire"
)

// sequenceLock is the advisory lock under which the tree grows.
const sequenceLock = 2

// addLeaves writes the log's next leaves, in the transaction of what they stand
// for and as its last step.
func addLeaves(ctx context.Context, tx pgx.Tx, leaves ...wire.Leaf) error {
	for _, l := range leaves {
		if err := l.Check(); err != nil {
			return fmt.Errorf("adding a leaf to the log: %w", err)
		}
	}
	_, number, err := advanceCounter(ctx, tx, 0, len(leaves))
	if err != nil {
		return err
	}
	var b pgx.Batch
	for i, l := range leaves {
		queueLeaf(&b, number+int64(i), l)
	}
	if err := tx.SendBatch(ctx, &b).Close(); err != nil {
		return fmt.Errorf("adding a leaf to the log: %w", err)
	}
	return nil
}

// Append adds leaves; see store.Log.
func (s *Store) Append(ctx context.Context, leaves ...wire.Leaf) error {
	if len(leaves) == 0 {
		return nil
	}
	return s.write(ctx, func(tx pgx.Tx) error { return addLeaves(ctx, tx, leaves...) })
}

// Sequence grows the tree over all leaves; see store.Log.
func (s *Store) Sequence(ctx context.Context, sign func(uint64, wire.Hash) ([]byte, error)) (wire.Checkpoint, error) {
	var c wire.Checkpoint
	err := s.write(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1, $2)`, lock, sequenceLock); err != nil {
			return err
		}
		var err error
		if c, err = findCheckpoint(ctx, tx, 0); err != nil {
			return err
		}
		var size int64
		if err := tx.QueryRow(ctx, `SELECT leaves FROM counter`).Scan(&size); err != nil {
			return err
		}
		if c.Note != nil && uint64(size) == c.Size {
			return nil
		}
		if err := grow(ctx, tx, c.Size, uint64(size)); err != nil {
			return err
		}
		c, err = commit(ctx, tx, uint64(size), sign)
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
func grow(ctx context.Context, tx pgx.Tx, old, size uint64) error {
	for at := old; at < size; {
		leaves, err := readLeaves(ctx, tx, at, int(min(growStep, size-at)))
		if err != nil {
			return err
		}
		if uint64(len(leaves)) != min(growStep, size-at) {
			return fmt.Errorf("the log has lost leaves behind number %d", at)
		}
		hashes := make([]wire.Hash, len(leaves))
		for i, l := range leaves {
			hashes[i] = tlog.LeafHash(l)
		}
		grown, err := tlog.Grow(at, hashes, reading(ctx, tx))
		if err != nil {
			return err
		}
		first := tlog.Stored(at)
		_, err = tx.CopyFrom(ctx, pgx.Identifier{"tree"}, []string{"idx", "hash"},
			pgx.CopyFromSlice(len(grown), func(i int) ([]any, error) { return []any{first + int64(i), grown[i][:]}, nil }))
		if err != nil {
			return err
		}
		at += uint64(len(leaves))
	}
	return nil
}

// commit signs and keeps the checkpoint of a tree whose hashes are stored.
func commit(ctx context.Context, tx pgx.Tx, size uint64, sign func(uint64, wire.Hash) ([]byte, error)) (wire.Checkpoint, error) {
	c := wire.Checkpoint{Size: size}
	var err error
	if c.Root, err = tlog.Root(size, reading(ctx, tx)); err != nil {
		return c, err
	}
	if c.Note, err = sign(size, c.Root); err != nil {
		return c, err
	}
	_, err = tx.Exec(ctx, `INSERT INTO checkpoint(size, root, note) VALUES($1,$2,$3)`, int64(size), c.Root[:], c.Note)
	return c, err
}

// reading reads the tree's hashes through q.
func reading(ctx context.Context, q querier) tlog.Reader {
	return func(indexes []int64) ([]wire.Hash, error) {
		rows, err := q.Query(ctx, `SELECT idx, hash FROM tree WHERE idx=ANY($1)`, indexes)
		if err != nil {
			return nil, err
		}
		found := map[int64]wire.Hash{}
		var index int64
		var hash []byte
		_, err = pgx.ForEachRow(rows, []any{&index, &hash}, func() error {
			if len(hash) != len(wire.Hash{}) {
				return fmt.Errorf("reading hash %d of the tree: %d bytes", index, len(hash))
			}
			found[index] = wire.Hash(hash)
			return nil
		})
		if err != nil {
			return nil, err
		}
		out := make([]wire.Hash, len(indexes))
		for i, index := range indexes {
			var ok bool
			if out[i], ok = found[index]; !ok {
				return nil, fmt.Errorf("reading hash %d of the tree: it is not there", index)
			}
		}
		return out, nil
	}
}

// Hashes reads hashes of the tree; see store.Log.
func (s *Store) Hashes(ctx context.Context, indexes []int64) ([]wire.Hash, error) {
	return reading(ctx, s.pool)(indexes)
}

// Checkpoint returns the newest checkpoint; see store.Log.
func (s *Store) Checkpoint(ctx context.Context, size uint64) (wire.Checkpoint, error) {
	c, err := findCheckpoint(ctx, s.pool, size)
	if err != nil {
		return wire.Checkpoint{}, fmt.Errorf("reading the checkpoint: %w", err)
	}
	return c, nil
}

// findCheckpoint reads the newest checkpoint of at most size leaves; of any for 0.
func findCheckpoint(ctx context.Context, q querier, size uint64) (wire.Checkpoint, error) {
	var c wire.Checkpoint
	var count int64
	var root []byte
	err := q.QueryRow(ctx, `SELECT size, root, note FROM checkpoint WHERE $1=0 OR size<=$1 ORDER BY size DESC LIMIT 1`, int64(min(size, 1<<62))).
		Scan(&count, &root, &c.Note)
	if errors.Is(err, pgx.ErrNoRows) {
		return wire.Checkpoint{}, nil
	}
	c.Size = uint64(count)
	copy(c.Root[:], root)
	return c, err
}

// Leaves reads leaves by their number; see store.Log.
func (s *Store) Leaves(ctx context.Context, from uint64, limit int) ([]wire.Leaf, error) {
	leaves, err := readLeaves(ctx, s.pool, from, limit)
	if err != nil {
		return nil, fmt.Errorf("reading the log's leaves: %w", err)
	}
	return leaves, nil
}

// readLeaves reads leaves that follow on one another from number from on.
func readLeaves(ctx context.Context, q querier, from uint64, limit int) ([]wire.Leaf, error) {
	rows, err := q.Query(ctx, `SELECT number, kind, at, by, subject, log_index, word FROM leaf WHERE number>=$1 ORDER BY number LIMIT $2`,
		int64(min(from, 1<<62)), limit)
	if err != nil {
		return nil, err
	}
	next := from
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (l wire.Leaf, err error) {
		var number, at, index int64
		var subject []byte
		if err := row.Scan(&number, &l.Kind, &at, &l.By, &subject, &index, &l.Word); err != nil {
			return l, err
		}
		if uint64(number) != next {
			return l, fmt.Errorf("the log has lost leaf %d", next)
		}
		next++
		l.At, l.Index = time.UnixMilli(at).UTC(), uint64(index)
		copy(l.Subject[:], subject)
		return l, nil
	})
}

// Places tells where an agent's records stand; see store.Log.
func (s *Store) Places(ctx context.Context, agent wire.AgentID, seq wire.Seq, limit int) ([]store.Place, error) {
	rows, err := s.pool.Query(ctx, `SELECT seq, rec_hash, leaf FROM accepted WHERE agent=$1 AND seq>=$2 AND leaf IS NOT NULL ORDER BY seq LIMIT $3`,
		agent, int64(min(seq, 1<<62)), limit)
	if err != nil {
		return nil, fmt.Errorf("finding records in the log: %w", err)
	}
	places, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (p store.Place, err error) {
		var seq, leaf int64
		var hash []byte
		err = row.Scan(&seq, &hash, &leaf)
		p.Seq, p.Leaf = wire.Seq(seq), uint64(leaf)
		copy(p.RecHash[:], hash)
		return p, err
	})
	if err != nil {
		return nil, fmt.Errorf("finding records in the log: %w", err)
	}
	return places, nil
}

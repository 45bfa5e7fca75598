package postgres

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// PutBlob appends a piece to an upload; see store.Store.
func (s *Store) PutBlob(ctx context.Context, p store.Piece) (store.Progress, error) {
	var progress store.Progress
	var verdict error // decided, and what was decided must be committed
	err := s.write(ctx, func(tx pgx.Tx) error {
		var err error
		progress, verdict, err = s.putBlob(ctx, tx, p)
		return err
	})
	if err != nil {
		return store.Progress{}, fmt.Errorf("writing a blob: %w", err)
	}
	return progress, verdict
}

// putBlob appends, checks and completes. The verdict is one of the store's
// errors; err means that nothing may be committed.
func (s *Store) putBlob(ctx context.Context, tx pgx.Tx, p store.Piece) (got store.Progress, verdict, err error) {
	// One at a time for each blob: its uploads are counted and dropped together.
	if err := lockBlob(ctx, tx, p.SHA256); err != nil {
		return got, nil, err
	}
	id, got, err := upload(ctx, tx, p.Agent, p.SHA256)
	if err != nil || got.Complete {
		return got, nil, err
	}
	if p.Offset != got.Offset {
		return got, store.ErrOffset, nil
	}
	if got.Offset+int64(len(p.Data)) > wire.MaxPart {
		return got, store.ErrTooLarge, nil
	}
	if id == 0 {
		err := tx.QueryRow(ctx, `INSERT INTO blob(sha256, agent, size, complete) VALUES($1,$2,0,false) RETURNING id`, p.SHA256[:], p.Agent).Scan(&id)
		if err != nil {
			return got, nil, fmt.Errorf("beginning the upload: %w", err)
		}
	}
	if p.Last && s.objects != nil {
		return s.completeOutside(ctx, tx, id, p)
	}
	if err := appendChunk(ctx, tx, id, p); err != nil {
		return got, nil, err
	}
	got.Offset += int64(len(p.Data))
	if !p.Last {
		return got, nil, nil
	}
	return completeUpload(ctx, tx, id, got, p.SHA256)
}

// upload finds the complete blob or else the agent's own upload; id is 0 where
// there is neither.
func upload(ctx context.Context, q querier, agent wire.AgentID, sha wire.Hash) (id int64, got store.Progress, err error) {
	err = q.QueryRow(ctx, `SELECT id, size, complete FROM blob WHERE sha256=$1 AND (agent=$2 OR complete) ORDER BY complete DESC LIMIT 1`,
		sha[:], agent).Scan(&id, &got.Offset, &got.Complete)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, store.Progress{}, nil
	}
	if err != nil {
		return 0, store.Progress{}, fmt.Errorf("looking for the blob: %w", err)
	}
	return id, got, nil
}

// appendChunk writes the piece's bytes, if it has any.
func appendChunk(ctx context.Context, tx pgx.Tx, id int64, p store.Piece) error {
	if len(p.Data) == 0 {
		return nil
	}
	var b pgx.Batch
	b.Queue(`INSERT INTO chunk(blob, start, data) VALUES($1,$2,$3)`, id, p.Offset, p.Data)
	b.Queue(`UPDATE blob SET size=size+$1 WHERE id=$2`, int64(len(p.Data)), id)
	if err := tx.SendBatch(ctx, &b).Close(); err != nil {
		return fmt.Errorf("writing the piece: %w", err)
	}
	return nil
}

// completeUpload checks the whole blob's hash and marks it complete for every
// agent, or drops it.
func completeUpload(ctx context.Context, tx pgx.Tx, id int64, got store.Progress, sha wire.Hash) (_ store.Progress, verdict, err error) {
	sum := sha256.New()
	err = eachChunk(ctx, tx, id, func(data []byte) { sum.Write(data) })
	if err != nil {
		return got, nil, err
	}
	if wire.Hash(sum.Sum(nil)) != sha {
		_, err = tx.Exec(ctx, `DELETE FROM blob WHERE id=$1`, id)
		return store.Progress{}, store.ErrAltered, err
	}
	got.Complete = true
	return got, nil, markComplete(ctx, tx, id, sha, got.Offset)
}

// lockBlob keeps others, until the transaction ends, from completing or dropping
// a blob of that name.
func lockBlob(ctx context.Context, tx pgx.Tx, sha wire.Hash) error {
	_, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1, hashtext(encode($2, 'hex')))`, lock, sha[:])
	return err
}

// markComplete makes an upload the one that every agent has.
func markComplete(ctx context.Context, tx pgx.Tx, id int64, sha wire.Hash, size int64) error {
	if _, err := tx.Exec(ctx, `DELETE FROM blob WHERE sha256=$1 AND id<>$2`, sha[:], id); err != nil {
		return fmt.Errorf("dropping other uploads of the blob: %w", err)
	}
	if _, err := tx.Exec(ctx, `UPDATE blob SET complete=true, size=$1 WHERE id=$2`, size, id); err != nil {
		return fmt.Errorf("completing the blob: %w", err)
	}
	return nil
}

// eachChunk hands out a blob's bytes in order; each slice is good until use
// returns.
func eachChunk(ctx context.Context, q querier, id int64, use func([]byte)) error {
	rows, err := q.Query(ctx, `SELECT data FROM chunk WHERE blob=$1 ORDER BY start`, id)
	if err != nil {
		return fmt.Errorf("reading the blob: %w", err)
	}
	var data []byte
	_, err = pgx.ForEachRow(rows, []any{&data}, func() error {
		use(data)
		return nil
	})
	if err != nil {
		return fmt.Errorf("reading the blob: %w", err)
	}
	return nil
}

// Blob tells how far an upload has come; see store.Store.
func (s *Store) Blob(ctx context.Context, agent wire.AgentID, sha wire.Hash) (store.Progress, error) {
	_, got, err := upload(ctx, s.pool, agent, sha)
	return got, err
}

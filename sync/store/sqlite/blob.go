package sqlite

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"

	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// PutBlob appends a piece to an upload; see store.Store.
func (s *Store) PutBlob(ctx context.Context, p store.Piece) (store.Progress, error) {
	var progress store.Progress
	var verdict error // decided, and what was decided must be committed
	err := s.write(ctx, func(tx *sql.Tx) error {
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
func (s *Store) putBlob(ctx context.Context, tx *sql.Tx, p store.Piece) (got store.Progress, verdict, err error) {
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
		if id, err = beginUpload(ctx, tx, p); err != nil {
			return got, nil, err
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
	err = q.QueryRowContext(ctx, `SELECT id, size, complete FROM blob WHERE sha256=? AND (agent=? OR complete=1) ORDER BY complete DESC LIMIT 1`,
		sha[:], agent).Scan(&id, &got.Offset, &got.Complete)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, store.Progress{}, nil
	}
	if err != nil {
		return 0, store.Progress{}, fmt.Errorf("looking for the blob: %w", err)
	}
	return id, got, nil
}

// beginUpload makes an empty upload of the agent.
func beginUpload(ctx context.Context, tx *sql.Tx, p store.Piece) (int64, error) {
	r, err := tx.ExecContext(ctx, `INSERT INTO blob(sha256, agent, size, complete) VALUES(?,?,0,0)`, p.SHA256[:], p.Agent)
	if err != nil {
		return 0, fmt.Errorf("beginning the upload: %w", err)
	}
	return r.LastInsertId()
}

// appendChunk writes the piece's bytes, if it has any.
func appendChunk(ctx context.Context, tx *sql.Tx, id int64, p store.Piece) error {
	if len(p.Data) == 0 {
		return nil
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO chunk(blob, start, data) VALUES(?,?,?)`, id, p.Offset, p.Data); err != nil {
		return fmt.Errorf("writing the piece: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `UPDATE blob SET size=size+? WHERE id=?`, len(p.Data), id); err != nil {
		return fmt.Errorf("counting the piece: %w", err)
	}
	return nil
}

// completeUpload checks the whole blob's hash and marks it complete for every
// agent, or drops it.
func completeUpload(ctx context.Context, tx *sql.Tx, id int64, got store.Progress, sha wire.Hash) (_ store.Progress, verdict, err error) {
	sum := sha256.New()
	err = eachChunk(ctx, tx, id, func(data []byte) { sum.Write(data) })
	if err != nil {
		return got, nil, err
	}
	if wire.Hash(sum.Sum(nil)) != sha {
		_, err = tx.ExecContext(ctx, `DELETE FROM blob WHERE id=?`, id)
		return store.Progress{}, store.ErrAltered, err
	}
	got.Complete = true
	return got, nil, markComplete(ctx, tx, id, sha, got.Offset)
}

// markComplete makes an upload the one that every agent has.
func markComplete(ctx context.Context, tx *sql.Tx, id int64, sha wire.Hash, size int64) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM blob WHERE sha256=? AND id<>?`, sha[:], id); err != nil {
		return fmt.Errorf("dropping other uploads of the blob: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `UPDATE blob SET complete=1, size=? WHERE id=?`, size, id); err != nil {
		return fmt.Errorf("completing the blob: %w", err)
	}
	return nil
}

// eachChunk hands out a blob's bytes in order; each slice is the receiver's.
func eachChunk(ctx context.Context, q querier, id int64, use func([]byte)) error {
	rows, err := q.QueryContext(ctx, `SELECT data FROM chunk WHERE blob=? ORDER BY start`, id)
	if err != nil {
		return fmt.Errorf("reading the blob: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var data []byte
		if err := rows.Scan(&data); err != nil {
			return fmt.Errorf("reading the blob: %w", err)
		}
		use(data)
	}
	return rows.Err()
}

// blobHeld reports whether a complete blob of that name is held.
func blobHeld(ctx context.Context, q querier, sha wire.Hash) (bool, error) {
	var n int
	if err := q.QueryRowContext(ctx, `SELECT count(*) FROM blob WHERE sha256=? AND complete=1`, sha[:]).Scan(&n); err != nil {
		return false, fmt.Errorf("looking for a blob: %w", err)
	}
	return n > 0, nil
}

// Blob tells how far an upload has come; see store.Store.
func (s *Store) Blob(ctx context.Context, agent wire.AgentID, sha wire.Hash) (store.Progress, error) {
	_, got, err := upload(ctx, s.reader, agent, sha)
	return got, err
}

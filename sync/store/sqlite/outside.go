package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/counterproof/counterproof/sync/object"
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// completeOutside takes an upload's last piece, which never touches the file,
// and hands the whole to the objects before the blob counts as complete.
func (s *Store) completeOutside(ctx context.Context, tx *sql.Tx, id int64, p store.Piece) (got store.Progress, verdict, err error) {
	data := make([]byte, 0, p.Offset+int64(len(p.Data)))
	if err := eachChunk(ctx, tx, id, func(piece []byte) { data = append(data, piece...) }); err != nil {
		return got, nil, err
	}
	data = append(data, p.Data...)
	if wire.HashOf(data) != p.SHA256 {
		_, err = tx.ExecContext(ctx, `DELETE FROM blob WHERE id=?`, id)
		return store.Progress{}, store.ErrAltered, err
	}
	if err := s.objects.Put(ctx, p.SHA256, data); err != nil {
		return got, nil, err
	}
	// Nobody could erase later what these pages would go on to hold.
	if _, err := tx.ExecContext(ctx, `PRAGMA secure_delete=ON`); err != nil {
		return got, nil, err
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM chunk WHERE blob=?`, id); err != nil {
		return got, nil, fmt.Errorf("dropping the pieces: %w", err)
	}
	got = store.Progress{Offset: int64(len(data)), Complete: true}
	return got, nil, markComplete(ctx, tx, id, p.SHA256, got.Offset)
}

// checkObjects refuses objects that cannot be those of this file.
func (s *Store) checkObjects(ctx context.Context) error {
	names, err := queryHashes(ctx, s.reader, `SELECT sha256 FROM (SELECT id, sha256 FROM blob WHERE complete=1 AND size>0 ORDER BY id DESC LIMIT 1000) b
		WHERE NOT EXISTS (SELECT 1 FROM chunk WHERE blob=b.id) LIMIT ?`, object.Samples)
	if err != nil {
		return err
	}
	return object.Recognise(ctx, s.objects, names)
}

// queryHashes reads one column of hashes.
func queryHashes(ctx context.Context, q querier, query string, args ...any) ([]wire.Hash, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var names []wire.Hash
	for rows.Next() {
		var name []byte
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		var h wire.Hash
		copy(h[:], name)
		names = append(names, h)
	}
	return names, rows.Err()
}

// dropObjects removes the objects of dropped blobs.
func (s *Store) dropObjects(ctx context.Context, names []wire.Hash) error {
	if s.objects == nil {
		return nil
	}
	for _, name := range names {
		if _, err := s.dropObject(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// dropObject removes an object that no complete blob names, and tells whether it
// did. The write lock keeps one from being completed meanwhile.
func (s *Store) dropObject(ctx context.Context, name wire.Hash) (gone bool, err error) {
	err = s.write(ctx, func(tx *sql.Tx) error {
		held, err := blobHeld(ctx, tx, name)
		if err != nil || held {
			return err
		}
		gone = true
		return s.objects.Delete(ctx, name)
	})
	return gone && err == nil, err
}

// Sweep removes the objects that no complete blob names, as a crash leaves them
// between object and commit, or between erasing a record and its objects. It
// counts them. It may run at any time.
func (s *Store) Sweep(ctx context.Context) (removed int, err error) {
	if s.objects == nil {
		return 0, nil
	}
	return object.Sweep(ctx, s.objects, func(name wire.Hash) (bool, error) {
		held, err := blobHeld(ctx, s.reader, name)
		if err != nil || held {
			return false, err
		}
		return s.dropObject(ctx, name)
	})
}

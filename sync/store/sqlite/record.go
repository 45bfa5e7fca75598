package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// Records returns stored records in log order; see store.Store.
func (s *Store) Records(ctx context.Context, after uint64, limit int) ([]store.Record, error) {
	tx, err := s.reader.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, fmt.Errorf("reading the log: %w", err)
	}
	defer tx.Rollback()
	records, err := readRecords(ctx, tx, int64(min(after, 1<<62)), limit)
	if err != nil {
		return nil, fmt.Errorf("reading the log: %w", err)
	}
	for i := range records {
		if err := readParts(ctx, tx, &records[i]); err != nil {
			return nil, fmt.Errorf("reading record %d of the log: %w", records[i].Receipt.LogIndex, err)
		}
	}
	return records, nil
}

// readRecords reads headers, signatures and receipts.
func readRecords(ctx context.Context, q querier, after int64, limit int) ([]store.Record, error) {
	rows, err := q.QueryContext(ctx, `SELECT r.header, r.signature, a.answer, g.site, g.public, g.grade
		FROM record r JOIN accepted a ON a.agent=r.agent AND a.seq=r.seq JOIN agent g ON g.id=r.agent
		WHERE r.log_index>? ORDER BY r.log_index LIMIT ?`, after, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var records []store.Record
	for rows.Next() {
		var r store.Record
		var text []byte
		if err := rows.Scan(&r.Envelope.Header, &r.Envelope.Signature, &text, &r.Origin.Site, &r.Origin.Public, &r.Origin.Grade); err != nil {
			return nil, err
		}
		var first wire.Answer
		if err := json.Unmarshal(text, &first); err != nil {
			return nil, err
		}
		if first.Receipt == nil {
			return nil, errors.New("a logged record has no receipt")
		}
		r.Receipt = *first.Receipt
		records = append(records, r)
	}
	return records, rows.Err()
}

// readParts fills in a record's parts, from inside or from their blobs.
func readParts(ctx context.Context, q querier, r *store.Record) error {
	h, err := wire.DecodeHeader(r.Envelope.Header)
	if err != nil {
		return err
	}
	for i, p := range h.Parts {
		var sealed, sha []byte
		err := q.QueryRowContext(ctx, `SELECT sealed, sha256 FROM part WHERE log_index=? AND n=?`, r.Receipt.LogIndex, i).Scan(&sealed, &sha)
		if err != nil {
			return err
		}
		if sha != nil {
			if sealed, err = readBlob(ctx, q, p); err != nil {
				return err
			}
		}
		r.Envelope.Parts = append(r.Envelope.Parts, wire.Part{Name: p.Name, Sealed: sealed})
	}
	return nil
}

// readBlob reads a complete blob whole.
func readBlob(ctx context.Context, q querier, p wire.PartInfo) ([]byte, error) {
	var id int64
	if err := q.QueryRowContext(ctx, `SELECT id FROM blob WHERE sha256=? AND complete=1`, p.SHA256[:]).Scan(&id); err != nil {
		return nil, err
	}
	sealed := make([]byte, 0, p.Len)
	err := eachChunk(ctx, q, id, func(data []byte) { sealed = append(sealed, data...) })
	return slices.Clip(sealed), err
}

// Bundle reads and changes the signed bundle; see store.Store.
func (s *Store) Bundle(ctx context.Context, change func(wire.Signed) (wire.Signed, error)) (wire.Signed, error) {
	if change == nil {
		return readBundle(ctx, s.reader)
	}
	var bundle wire.Signed
	err := s.write(ctx, func(tx *sql.Tx) error {
		old, err := readBundle(ctx, tx)
		if err != nil {
			return err
		}
		if bundle, err = change(old); err != nil {
			return err
		}
		text, err := json.Marshal(bundle)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO bundle(id, signed) VALUES(1,?) ON CONFLICT(id) DO UPDATE SET signed=excluded.signed`, string(text))
		return err
	})
	if err != nil {
		return wire.Signed{}, fmt.Errorf("changing the bundle: %w", err)
	}
	return bundle, nil
}

// readBundle reads the bundle; none is the zero Signed.
func readBundle(ctx context.Context, q querier) (wire.Signed, error) {
	var text []byte
	err := q.QueryRowContext(ctx, `SELECT signed FROM bundle`).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return wire.Signed{}, nil
	}
	if err != nil {
		return wire.Signed{}, fmt.Errorf("reading the bundle: %w", err)
	}
	var bundle wire.Signed
	if err := json.Unmarshal(text, &bundle); err != nil {
		return wire.Signed{}, fmt.Errorf("reading the bundle: %w", err)
	}
	return bundle, nil
}

package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/mattn/go-sqlite3"

	"github.com/counterproof/counterproof/sync/object"
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
	var last uint64
	if err := tx.QueryRowContext(ctx, `SELECT coalesce(max(log_index), 0) FROM record`).Scan(&last); err != nil {
		return nil, fmt.Errorf("reading the log's end: %w", err)
	}
	var records []store.Record
	for ; after < last && len(records) < limit; after++ {
		r, err := s.readRecord(ctx, tx, after+1)
		if err == nil && r.Damaged && s.objects != nil {
			r, err = s.readRecord(ctx, s.reader, after+1) // objects know no moment: it may have been erased since
		}
		if err != nil {
			return nil, fmt.Errorf("reading record %d of the log: %w", after+1, err)
		}
		records = append(records, r)
	}
	return records, nil
}

// readRecord reads the record at a log index that is not beyond the end. What
// the disk has lost or altered of it makes it damaged; an error is another
// failure, which may pass.
func (s *Store) readRecord(ctx context.Context, q querier, index uint64) (store.Record, error) {
	r := store.Record{Receipt: wire.Receipt{LogIndex: index}}
	var e wire.Envelope
	var hash, text []byte
	var site, grade sql.NullString
	err := q.QueryRowContext(ctx, `SELECT r.agent, r.seq, r.header, r.signature, r.erased, a.rec_hash, a.answer, g.site, g.public, g.grade
		FROM record r LEFT JOIN accepted a ON a.agent=r.agent AND a.seq=r.seq LEFT JOIN agent g ON g.id=r.agent
		WHERE r.log_index=?`, index).
		Scan(&r.Receipt.Agent, &r.Receipt.Seq, &e.Header, &e.Signature, &r.Erased, &hash, &text, &site, &r.Origin.Public, &grade)
	if lost(err) {
		r.Damaged = true
		return r, nil
	}
	if err != nil {
		return r, err
	}
	r.Origin.Site, r.Origin.Grade = wire.SiteID(site.String), grade.String
	name := e.RecHash()
	r.Receipt.RecHash = name
	copy(r.Receipt.RecHash[:], hash) // none where that row is gone
	r.Damaged = !site.Valid || !store.Promised(text, &r.Receipt)
	h, err := wire.DecodeHeader(e.Header)
	if err != nil || r.Receipt.RecHash != name {
		r.Damaged = true
		return r, nil
	}
	r.Envelope = e
	return r, s.readParts(ctx, q, h, &r)
}

// lost reports whether an error says that the disk has not kept what was there.
func lost(err error) bool {
	e, ok := errors.AsType[sqlite3.Error](err)
	return errors.Is(err, sql.ErrNoRows) || object.Gone(err) || ok && e.Code == sqlite3.ErrCorrupt
}

// readParts fills in a record's parts, from inside or from their blobs. One that
// is not what the header names is left out.
func (s *Store) readParts(ctx context.Context, q querier, h wire.Header, r *store.Record) error {
	for i, p := range h.Parts {
		if r.Erased {
			r.Envelope.Parts = append(r.Envelope.Parts, wire.Part{Name: p.Name})
			continue
		}
		sealed, err := s.readPart(ctx, q, p, r.Receipt.LogIndex, i)
		if err != nil && !lost(err) {
			return err
		}
		if err != nil || uint64(len(sealed)) != p.Len || wire.HashOf(sealed) != p.SHA256 {
			sealed, r.Damaged = nil, true
		}
		r.Envelope.Parts = append(r.Envelope.Parts, wire.Part{Name: p.Name, Sealed: sealed})
	}
	return nil
}

// readPart reads the nth part of a record.
func (s *Store) readPart(ctx context.Context, q querier, p wire.PartInfo, index uint64, n int) ([]byte, error) {
	var sealed, sha []byte
	err := q.QueryRowContext(ctx, `SELECT sealed, sha256 FROM part WHERE log_index=? AND n=?`, index, n).Scan(&sealed, &sha)
	if err == nil && sha != nil {
		return s.readBlob(ctx, q, p)
	}
	return sealed, err
}

// readBlob reads a complete blob whole, from its rows or else from the objects.
func (s *Store) readBlob(ctx context.Context, q querier, p wire.PartInfo) ([]byte, error) {
	var id int64
	if err := q.QueryRowContext(ctx, `SELECT id FROM blob WHERE sha256=? AND complete=1`, p.SHA256[:]).Scan(&id); err != nil {
		return nil, err
	}
	sealed := make([]byte, 0, p.Len)
	err := eachChunk(ctx, q, id, func(data []byte) { sealed = append(sealed, data...) })
	if err == nil && len(sealed) == 0 && s.objects != nil {
		return s.objects.Get(ctx, p.SHA256)
	}
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
		if err != nil {
			return err
		}
		return addLeaf(ctx, tx, store.BundleLeaf(bundle))
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

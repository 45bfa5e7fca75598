package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/counterproof/counterproof/sync/object"
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// Records returns stored records in log order; see store.Store.
func (s *Store) Records(ctx context.Context, after uint64, limit int) ([]store.Record, error) {
	var records []store.Record
	err := s.read(ctx, func(tx pgx.Tx) error {
		var last int64
		if err := tx.QueryRow(ctx, `SELECT records FROM counter`).Scan(&last); err != nil {
			return fmt.Errorf("reading the log's end: %w", err)
		}
		for ; after < uint64(last) && len(records) < limit; after++ {
			r, err := s.readRecord(ctx, tx, after+1)
			if err == nil && r.Damaged && s.objects != nil {
				err = s.read(ctx, func(now pgx.Tx) (err error) { // objects know no moment: it may have been erased since
					r, err = s.readRecord(ctx, now, after+1)
					return err
				})
			}
			if err != nil {
				return fmt.Errorf("reading record %d of the log: %w", after+1, err)
			}
			records = append(records, r)
		}
		return nil
	})
	return records, err
}

// readRecord reads the record at a log index that is not beyond the end. What
// is lost or altered of it makes it damaged; an error is another failure, which
// may pass.
func (s *Store) readRecord(ctx context.Context, tx pgx.Tx, index uint64) (store.Record, error) {
	r := store.Record{Receipt: wire.Receipt{LogIndex: index}}
	var e wire.Envelope
	var seq int64
	var hash, text []byte
	var site, grade *string
	err := tx.QueryRow(ctx, `SELECT r.agent, r.seq, r.header, r.signature, r.erased, a.rec_hash, a.answer, g.site, g.public, g.grade
		FROM record r LEFT JOIN accepted a ON a.agent=r.agent AND a.seq=r.seq LEFT JOIN agent g ON g.id=r.agent
		WHERE r.log_index=$1`, int64(index)).
		Scan(&r.Receipt.Agent, &seq, &e.Header, &e.Signature, &r.Erased, &hash, &text, &site, &r.Origin.Public, &grade)
	if errors.Is(err, pgx.ErrNoRows) {
		r.Damaged = true
		return r, nil
	}
	if err != nil {
		return r, err
	}
	name := e.RecHash()
	r.Receipt.Seq, r.Receipt.RecHash = wire.Seq(seq), name
	copy(r.Receipt.RecHash[:], hash) // none where that row is gone
	if r.Damaged = site == nil || !store.Promised(text, &r.Receipt); site != nil {
		r.Origin.Site, r.Origin.Grade = wire.SiteID(*site), *grade
	}
	h, err := wire.DecodeHeader(e.Header)
	if err != nil || r.Receipt.RecHash != name {
		r.Damaged = true
		return r, nil
	}
	r.Envelope = e
	return r, s.readParts(ctx, tx, h, &r)
}

// readParts fills in a record's parts, from inside or from their blobs. One that
// is not what the header names is left out.
func (s *Store) readParts(ctx context.Context, tx pgx.Tx, h wire.Header, r *store.Record) error {
	held, err := heldParts(ctx, tx, r.Receipt.LogIndex)
	if err != nil {
		return err
	}
	for i, p := range h.Parts {
		if r.Erased {
			r.Envelope.Parts = append(r.Envelope.Parts, wire.Part{Name: p.Name})
			continue
		}
		sealed := held[i].sealed
		if held[i].blob {
			if sealed, err = s.readBlob(ctx, tx, p); err != nil {
				return err
			}
		}
		if uint64(len(sealed)) != p.Len || wire.HashOf(sealed) != p.SHA256 {
			sealed, r.Damaged = nil, true
		}
		r.Envelope.Parts = append(r.Envelope.Parts, wire.Part{Name: p.Name, Sealed: sealed})
	}
	return nil
}

// heldPart is a part's row.
type heldPart struct {
	sealed []byte
	blob   bool
}

// heldParts reads the rows of a record's parts by their place.
func heldParts(ctx context.Context, tx pgx.Tx, index uint64) (map[int]heldPart, error) {
	rows, err := tx.Query(ctx, `SELECT n, sealed, sha256 IS NOT NULL FROM part WHERE log_index=$1`, int64(index))
	if err != nil {
		return nil, err
	}
	held := map[int]heldPart{}
	var n int
	var p heldPart
	_, err = pgx.ForEachRow(rows, []any{&n, &p.sealed, &p.blob}, func() error {
		held[n] = p
		return nil
	})
	return held, err
}

// readBlob reads a complete blob whole, from its rows or else from the objects;
// nil where there is none.
func (s *Store) readBlob(ctx context.Context, tx pgx.Tx, p wire.PartInfo) ([]byte, error) {
	var id int64
	err := tx.QueryRow(ctx, `SELECT id FROM blob WHERE sha256=$1 AND complete`, p.SHA256[:]).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	sealed := make([]byte, 0, p.Len)
	err = eachChunk(ctx, tx, id, func(data []byte) { sealed = append(sealed, data...) })
	if err == nil && len(sealed) == 0 && s.objects != nil {
		if sealed, err = s.objects.Get(ctx, p.SHA256); object.Gone(err) {
			return nil, nil
		}
	}
	return sealed, err
}

// Bundle reads and changes the signed bundle; see store.Store.
func (s *Store) Bundle(ctx context.Context, change func(wire.Signed) (wire.Signed, error)) (wire.Signed, error) {
	if change == nil {
		return readBundle(ctx, s.pool)
	}
	var bundle wire.Signed
	err := s.write(ctx, func(tx pgx.Tx) error {
		// A row that is not there cannot be locked.
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1, 0)`, lock); err != nil {
			return err
		}
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
		_, err = tx.Exec(ctx, `INSERT INTO bundle(id, signed) VALUES(1,$1) ON CONFLICT(id) DO UPDATE SET signed=excluded.signed`, string(text))
		if err != nil {
			return err
		}
		return addLeaves(ctx, tx, store.BundleLeaf(bundle))
	})
	if err != nil {
		return wire.Signed{}, fmt.Errorf("changing the bundle: %w", err)
	}
	return bundle, nil
}

// readBundle reads the bundle; none is the zero Signed.
func readBundle(ctx context.Context, q querier) (wire.Signed, error) {
	var text []byte
	err := q.QueryRow(ctx, `SELECT signed FROM bundle`).Scan(&text)
	if errors.Is(err, pgx.ErrNoRows) {
		return wire.Signed{}, nil
	}
	var bundle wire.Signed
	if err == nil {
		err = json.Unmarshal(text, &bundle)
	}
	if err != nil {
		return wire.Signed{}, fmt.Errorf("reading the bundle: %w", err)
	}
	return bundle, nil
}

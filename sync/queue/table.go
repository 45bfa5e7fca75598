package queue

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/counterproof/counterproof/sync/wire"
)

// schema makes the tables, each step those of one more version. A step is never
// changed once a counter runs with it. The hash stands beside header and signature though
// it follows from them: where the three do not agree, one of them was altered.
// The parts lie in the same file as the record, so that one commit stores all
// and no file is left without its record. A gap is a run of numbers whose records damage cost,
// with the hash of the last of them; the chain goes on after it. A notice is
// found by its content; the place is the one in the counter's list at the centre,
// and news is up to which place of that list an agent's notices are here.
var schema = [...]string{`
CREATE TABLE record (
	seq       INTEGER PRIMARY KEY,
	id        BLOB NOT NULL UNIQUE,
	hash      BLOB NOT NULL,
	header    BLOB NOT NULL,
	signature BLOB NOT NULL,
	size      INTEGER NOT NULL,
	created   INTEGER NOT NULL, -- Unix seconds, whole minutes
	state     TEXT NOT NULL,
	attempts  INTEGER NOT NULL DEFAULT 0,
	next      INTEGER NOT NULL DEFAULT 0, -- Unix milliseconds
	kind      TEXT NOT NULL DEFAULT '',
	receipt   BLOB, -- JSON
	refusal   BLOB  -- JSON
) STRICT;
CREATE INDEX record_state ON record (state, seq, created);
CREATE TABLE part (
	seq    INTEGER NOT NULL REFERENCES record (seq),
	place  INTEGER NOT NULL,
	name   TEXT NOT NULL,
	sealed BLOB NOT NULL,
	PRIMARY KEY (seq, place)
) STRICT;
CREATE TABLE gap (
	first INTEGER PRIMARY KEY,
	last  INTEGER NOT NULL,
	hash  BLOB NOT NULL
) STRICT;
CREATE TABLE damage (
	at    INTEGER NOT NULL, -- Unix seconds, whole minutes
	aside TEXT NOT NULL
) STRICT;
`, `
CREATE TABLE notice (
	id      INTEGER PRIMARY KEY,
	name    BLOB NOT NULL UNIQUE, -- SHA-256 of the signed bytes
	agent   TEXT NOT NULL,
	number  INTEGER NOT NULL,
	ref     TEXT NOT NULL,
	kind    TEXT NOT NULL,
	at      INTEGER NOT NULL, -- Unix milliseconds
	key     TEXT NOT NULL,    -- '' where it did not verify
	sig     BLOB NOT NULL,
	kept    INTEGER NOT NULL, -- Unix seconds, whole minutes
	seen    INTEGER NOT NULL DEFAULT 0,
	printed INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX notice_ref ON notice (ref);
CREATE INDEX notice_unseen ON notice (id) WHERE seen = 0;
CREATE TABLE news (
	agent TEXT PRIMARY KEY,
	place INTEGER NOT NULL
) STRICT;
`}

// waiting is the condition for records that the centre does not have yet.
const waiting = `state IN ('sealed', 'blobs_sent')`

// querier is a database or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// each calls f for every row; scan reads the row.
func each(ctx context.Context, db querier, f func(scan func(...any) error) error, query string, args ...any) error {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// itemColumns are what scanItem reads.
const itemColumns = `SELECT seq, id, hash, state, created, size, attempts, next, kind, receipt, refusal FROM record `

// scanItem reads a row of itemColumns.
func scanItem(scan func(...any) error) (Item, error) {
	var it Item
	var id, hash, receipt, refusal []byte
	var created, next int64
	err := scan(&it.Seq, &id, &hash, &it.State, &created, &it.Size, &it.Attempts, &next, &it.Kind, &receipt, &refusal)
	if err != nil {
		return Item{}, err
	}
	if !known(it.State) {
		return Item{}, fmt.Errorf("%w: record %d is in no state", errDamage, it.Seq)
	}
	if len(id) != len(it.ID) || len(hash) != len(it.Hash) {
		return Item{}, fmt.Errorf("%w: record %d has no name", errDamage, it.Seq)
	}
	copy(it.ID[:], id)
	copy(it.Hash[:], hash)
	it.Ref, it.At = it.ID.Ref(), time.Unix(created, 0).UTC()
	if next != 0 {
		it.NextTry = time.UnixMilli(next).UTC()
	}
	if it.Receipt, err = unmarshal[wire.Receipt](receipt); err != nil {
		return Item{}, fmt.Errorf("%w: the receipt of record %d: %w", errDamage, it.Seq, err)
	}
	if it.Refusal, err = unmarshal[wire.Refusal](refusal); err != nil {
		return Item{}, fmt.Errorf("%w: the refusal of record %d: %w", errDamage, it.Seq, err)
	}
	return it, nil
}

// unmarshal reads a stored answer of the centre; nil where there is none.
func unmarshal[T any](b []byte) (*T, error) {
	if b == nil {
		return nil, nil
	}
	v := new(T)
	return v, json.Unmarshal(b, v)
}

// itemWhere reads one item, ErrUnknown where there is none.
func itemWhere(ctx context.Context, db querier, where string, args ...any) (Item, error) {
	it, err := scanItem(db.QueryRowContext(ctx, itemColumns+where, args...).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return Item{}, ErrUnknown
	}
	return it, err
}

// readEnvelope reads a record with its parts and checks that it is whole: what
// is sent, or carried over from a damaged file, has always been held against
// its own header. Where it is not whole, what was read of it comes with the error.
func readEnvelope(ctx context.Context, db querier, seq wire.Seq) (wire.Envelope, wire.Header, error) {
	var e wire.Envelope
	err := db.QueryRowContext(ctx, `SELECT header, signature FROM record WHERE seq = ?`, seq).Scan(&e.Header, &e.Signature)
	if errors.Is(err, sql.ErrNoRows) {
		return e, wire.Header{}, ErrUnknown
	}
	if err != nil {
		return e, wire.Header{}, err
	}
	err = each(ctx, db, func(scan func(...any) error) error {
		var p wire.Part
		err := scan(&p.Name, &p.Sealed)
		e.Parts = append(e.Parts, p)
		return err
	}, `SELECT name, sealed FROM part WHERE seq = ? ORDER BY place`, seq)
	if err != nil {
		return e, wire.Header{}, err
	}
	h, err := e.Check()
	if err != nil {
		return e, h, fmt.Errorf("%w: record %d: %w", errDamage, seq, err)
	}
	return e, h, nil
}

// insert stores a record with its parts.
func insert(ctx context.Context, db querier, it Item, e wire.Envelope) error {
	receipt, err := marshal(it.Receipt)
	if err != nil {
		return err
	}
	refusal, err := marshal(it.Refusal)
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, `INSERT INTO record
		(seq, id, hash, header, signature, size, created, state, attempts, next, kind, receipt, refusal)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		it.Seq, it.ID[:], it.Hash[:], e.Header, e.Signature, it.Size, it.At.Unix(),
		it.State, it.Attempts, millis(it.NextTry), it.Kind, receipt, refusal)
	if err != nil {
		return err
	}
	for place, p := range e.Parts {
		if _, err := db.ExecContext(ctx, `INSERT INTO part (seq, place, name, sealed) VALUES (?, ?, ?, ?)`,
			it.Seq, place, p.Name, p.Sealed); err != nil {
			return err
		}
	}
	return nil
}

// marshal writes an answer of the centre for storing; nil where there is none.
func marshal[T any](v *T) ([]byte, error) {
	if v == nil {
		return nil, nil
	}
	return json.Marshal(v)
}

// millis is a time for storing, 0 for none.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// head is the chain's end: the newest record, or the gap after it. Both tables
// are asked because damage may have cost the newest records.
func head(ctx context.Context, db querier) (wire.Seq, wire.Hash, error) {
	var seq wire.Seq
	var hash []byte
	err := db.QueryRowContext(ctx, `
		SELECT seq, hash FROM (SELECT seq, hash FROM record ORDER BY seq DESC LIMIT 1)
		UNION ALL SELECT last, hash FROM (SELECT last, hash FROM gap ORDER BY first DESC LIMIT 1)
		ORDER BY 1 DESC LIMIT 1`).Scan(&seq, &hash)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, wire.Hash{}, nil
	}
	if err != nil {
		return 0, wire.Hash{}, err
	}
	if len(hash) != len(wire.Hash{}) {
		return 0, wire.Hash{}, fmt.Errorf("%w: the newest record has no name", errDamage)
	}
	return seq, wire.Hash(hash), nil
}

package queue

import (
	"context"
	"database/sql"
	_ "embed" // the tables
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/counterproof/counterproof/sync/queue/durable"
	"github.com/counterproof/counterproof/sync/wire"
)

const (
	// applicationID marks the file as a queue of this program: "CPRQ".
	applicationID = 0x43505251
	// schemaVersion is the version of the tables, in user_version.
	schemaVersion = len(schema)
)

// schema makes the tables, each step those of one more version. A step is never
// changed once a counter runs with it. The hash stands beside header and signature though
// it follows from them: where the three do not agree, one of them was altered.
// The parts lie in the same file as the record, so that one commit stores all
// and no file is left without its record. A gap is a run of numbers whose records damage cost,
// with the hash of the last of them; the chain goes on after it. A notice is
// found by its content; the place is the one in the counter's list at the centre,
// and news is up to which place of that list an agent's notices are here.
var schema = [...]string{tables, newsTables, settledColumn}

//go:embed schema/1.sql
var tables string

//go:embed schema/2.sql
var newsTables string

//go:embed schema/3.sql
var settledColumn string

// waiting is the condition for records that the centre does not have yet.
const waiting = `state IN ('sealed', 'blobs_sent')`

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
		return Item{}, fmt.Errorf("%w: record %d is in no state", durable.ErrDamage, it.Seq)
	}
	if len(id) != len(it.ID) || len(hash) != len(it.Hash) {
		return Item{}, fmt.Errorf("%w: record %d has no name", durable.ErrDamage, it.Seq)
	}
	copy(it.ID[:], id)
	copy(it.Hash[:], hash)
	it.Ref, it.At = it.ID.Ref(), time.Unix(created, 0).UTC()
	if next != 0 {
		it.NextTry = time.UnixMilli(next).UTC()
	}
	if it.Receipt, err = unmarshal[wire.Receipt](receipt); err != nil {
		return Item{}, fmt.Errorf("%w: the receipt of record %d: %w", durable.ErrDamage, it.Seq, err)
	}
	if it.Refusal, err = unmarshal[wire.Refusal](refusal); err != nil {
		return Item{}, fmt.Errorf("%w: the refusal of record %d: %w", durable.ErrDamage, it.Seq, err)
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
func itemWhere(ctx context.Context, db durable.Querier, where string, args ...any) (Item, error) {
	it, err := scanItem(db.QueryRowContext(ctx, itemColumns+where, args...).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return Item{}, ErrUnknown
	}
	return it, err
}

// readEnvelope reads a record with its parts and checks that it is whole: what
// is sent, or carried over from a damaged file, has always been held against
// its own header. Where it is not whole, what was read of it comes with the error.
func readEnvelope(ctx context.Context, db durable.Querier, seq wire.Seq) (wire.Envelope, wire.Header, error) {
	var e wire.Envelope
	err := db.QueryRowContext(ctx, `SELECT header, signature FROM record WHERE seq = ?`, seq).Scan(&e.Header, &e.Signature)
	if errors.Is(err, sql.ErrNoRows) {
		return e, wire.Header{}, ErrUnknown
	}
	if err != nil {
		return e, wire.Header{}, err
	}
	err = durable.Each(ctx, db, func(scan func(...any) error) error {
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
		return e, h, fmt.Errorf("%w: record %d: %w", durable.ErrDamage, seq, err)
	}
	return e, h, nil
}

// insert stores a record with its parts.
func insert(ctx context.Context, db durable.Querier, it Item, e wire.Envelope) error {
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
func head(ctx context.Context, db durable.Querier) (wire.Seq, wire.Hash, error) {
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
		return 0, wire.Hash{}, fmt.Errorf("%w: the newest record has no name", durable.ErrDamage)
	}
	return seq, wire.Hash(hash), nil
}

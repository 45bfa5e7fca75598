package queue

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/counterproof/counterproof/sync/wire"
)

// Enqueue stores a record and returns once it is safe on the disk.
//
// Where a record of this id is there already, it is returned as it is and build
// is not called: the caller crashed after storing it, or asks twice. Otherwise
// build is told the record's place in the chain, and the envelope that it signs
// for that place is stored with its parts, all or nothing. Build runs while the
// queue is held, so it signs and does not wait for anybody; its error comes
// back as it is, wrapped. A full or failing disk is Kind disk.
func (q *Queue) Enqueue(ctx context.Context, id wire.RecordID, build func(seq wire.Seq, prev wire.Hash) (wire.Envelope, error)) (Item, error) {
	var it Item
	err := transact(ctx, q.writer, func(tx *sql.Tx) error {
		var err error
		it, err = itemWhere(ctx, tx, `WHERE id = ?`, id[:])
		if !errors.Is(err, ErrUnknown) {
			return err
		}
		it, err = add(ctx, tx, id, build)
		return err
	})
	if err != nil {
		return Item{}, fault("storing a record", err)
	}
	return it, nil
}

// add puts a new record at the end of the chain.
func add(ctx context.Context, tx *sql.Tx, id wire.RecordID, build func(wire.Seq, wire.Hash) (wire.Envelope, error)) (Item, error) {
	last, prev, err := head(ctx, tx)
	if err != nil {
		return Item{}, err
	}
	e, err := build(last+1, prev)
	if err != nil {
		return Item{}, err
	}
	if err := fits(ctx, tx, e, wire.Header{Seq: last + 1, Prev: prev, Record: id}); err != nil {
		return Item{}, fmt.Errorf("the record does not fit its place: %w", err)
	}
	it := Item{
		Seq: last + 1, ID: id, Ref: id.Ref(), Hash: e.RecHash(), State: wire.Sealed,
		At: time.Now().UTC().Truncate(time.Minute), Size: size(e),
	}
	return it, insert(ctx, tx, it, e)
}

// fits checks that the envelope is whole and made for this place of this
// counter's chain: one that is not would stop the chain at the centre.
func fits(ctx context.Context, tx *sql.Tx, e wire.Envelope, want wire.Header) error {
	h, err := e.Check()
	if err != nil {
		return err
	}
	if len(e.Signature) == 0 || len(e.Signature) > wire.MaxSignature {
		return fmt.Errorf("its signature has %d bytes", len(e.Signature))
	}
	if h.Seq != want.Seq || h.Prev != want.Prev || h.Record != want.Record {
		return errors.New("its header names another place")
	}
	var before []byte
	err = tx.QueryRowContext(ctx, `SELECT header FROM record ORDER BY seq DESC LIMIT 1`).Scan(&before)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	if b, err := wire.DecodeHeader(before); err != nil || b.Agent != h.Agent {
		return errors.New("the queue holds another counter's chain")
	}
	return nil
}

// size is what a record takes, without the database's own.
func size(e wire.Envelope) int64 {
	n := len(e.Header) + len(e.Signature)
	for _, p := range e.Parts {
		n += len(p.Sealed)
	}
	return int64(n)
}

// transact runs f in one transaction, which begins with the write lock.
func transact(ctx context.Context, db *sql.DB, f func(tx *sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := f(tx); err != nil {
		// SQLite has rolled back by itself where the disk was full, so
		// the answer to the second rollback tells nothing.
		_ = tx.Rollback()
		return err
	}
	return tx.Commit()
}

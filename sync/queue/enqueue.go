package queue

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/counterproof/counterproof/sync/queue/durable"
	"github.com/counterproof/counterproof/sync/queue/spool"
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
	it, err := q.enqueue(ctx, id, build)
	if durable.IsFull(err) && durable.GiveBack(q.path) {
		it, err = q.enqueue(ctx, id, build)
	}
	if err != nil {
		return Item{}, durable.Fault("storing a record", err)
	}
	return it, nil
}

// enqueue tries it once. What was spooled for nothing goes again.
func (q *Queue) enqueue(ctx context.Context, id wire.RecordID, build func(wire.Seq, wire.Hash) (wire.Envelope, error)) (it Item, err error) {
	var spooled spool.Entry
	err = durable.Transact(ctx, q.writer, func(tx *sql.Tx) error {
		it, err = itemWhere(ctx, tx, `WHERE id = ?`, id[:])
		if !errors.Is(err, ErrUnknown) {
			return err
		}
		e, err := atEnd(ctx, tx, id, build)
		if err != nil {
			return err
		}
		it = newItem(e)
		spooled = spool.Entry{Seq: it.Seq, Hash: it.Hash}
		// Without the second copy there is still the first.
		q.unspooled.Store(q.spool.Put(it.Seq, e.Envelope) != nil)
		return insert(ctx, tx, it, e.Envelope)
	})
	if err != nil && spooled.Seq != 0 {
		_ = q.spool.Drop(spooled) // the error that is told is the database's
	}
	return it, err
}

// placed is an envelope with its header.
type placed struct {
	wire.Envelope
	header wire.Header
}

// atEnd has a new record built for the end of the chain.
func atEnd(ctx context.Context, tx *sql.Tx, id wire.RecordID, build func(wire.Seq, wire.Hash) (wire.Envelope, error)) (placed, error) {
	last, prev, err := head(ctx, tx)
	if err != nil {
		return placed{}, err
	}
	e, err := build(last+1, prev)
	if err != nil {
		return placed{}, err
	}
	h, err := fits(ctx, tx, e, wire.Header{Seq: last + 1, Prev: prev, Record: id})
	if err != nil {
		return placed{}, fmt.Errorf("the record does not fit its place: %w", err)
	}
	return placed{e, h}, nil
}

// newItem is what the queue knows of a record that was just made.
func newItem(e placed) Item {
	return Item{
		Seq: e.header.Seq, ID: e.header.Record, Ref: e.header.Record.Ref(), Hash: e.RecHash(), State: wire.Sealed,
		At: time.Now().UTC().Truncate(time.Minute), Size: size(e.Envelope),
	}
}

// fits checks that the envelope is whole and made for this place of this
// counter's chain: one that is not would stop the chain at the centre.
func fits(ctx context.Context, tx *sql.Tx, e wire.Envelope, want wire.Header) (wire.Header, error) {
	h, err := e.Check()
	if err != nil {
		return h, err
	}
	if len(e.Signature) == 0 || len(e.Signature) > wire.MaxSignature {
		return h, fmt.Errorf("its signature has %d bytes", len(e.Signature))
	}
	if h.Seq != want.Seq || h.Prev != want.Prev || h.Record != want.Record {
		return h, errors.New("its header names another place")
	}
	var before []byte
	err = tx.QueryRowContext(ctx, `SELECT header FROM record ORDER BY seq DESC LIMIT 1`).Scan(&before)
	if errors.Is(err, sql.ErrNoRows) {
		return h, nil
	}
	if err != nil {
		return h, err
	}
	if b, err := wire.DecodeHeader(before); err != nil || b.Agent != h.Agent {
		return h, errors.New("the queue holds another counter's chain")
	}
	return h, nil
}

// size is what a record takes, without the database's own.
func size(e wire.Envelope) int64 {
	n := len(e.Header) + len(e.Signature)
	for _, p := range e.Parts {
		n += len(p.Sealed)
	}
	return int64(n)
}

package queue

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/counterproof/counterproof/sync/queue/durable"
	"github.com/counterproof/counterproof/sync/queue/spool"
	"github.com/counterproof/counterproof/sync/wire"
)

// Item gives the record of this number, or ErrUnknown.
func (v *View) Item(ctx context.Context, seq wire.Seq) (Item, error) {
	it, err := itemWhere(ctx, v.reader, `WHERE seq = ?`, seq)
	return it, durable.Fault("looking up a record", err)
}

// Find gives the record of this id, or ErrUnknown.
func (v *View) Find(ctx context.Context, id wire.RecordID) (Item, error) {
	it, err := itemWhere(ctx, v.reader, `WHERE id = ?`, id[:])
	return it, durable.Fault("looking up a record", err)
}

// Items gives the newest records, newest first, limit of them at most.
func (v *View) Items(ctx context.Context, limit int) ([]Item, error) {
	var items []Item
	err := durable.Each(ctx, v.reader, func(scan func(...any) error) error {
		it, err := scanItem(scan)
		items = append(items, it)
		return err
	}, itemColumns+`ORDER BY seq DESC LIMIT ?`, max(limit, 0))
	if err != nil {
		return nil, durable.Fault("listing records", err)
	}
	return items, nil
}

// Envelope gives the record as it was stored, checked against its header. Where
// the database has not kept it whole the spool's copy is given, and the next Open
// looks at everything; Kind damaged where neither has it.
func (v *View) Envelope(ctx context.Context, seq wire.Seq) (wire.Envelope, error) {
	e, _, err := readEnvelope(ctx, v.reader, seq)
	if err == nil {
		return e, nil
	}
	if durable.IsDamage(err) {
		durable.Suspect(v.path)
		var name []byte
		_ = v.reader.QueryRowContext(ctx, `SELECT hash FROM record WHERE seq = ?`, seq).Scan(&name)
		if len(name) == len(wire.Hash{}) {
			if e, spooled := v.spool.Get(spool.Entry{Seq: seq, Hash: wire.Hash(name)}); spooled == nil {
				return e, nil
			}
		}
	}
	return wire.Envelope{}, durable.Fault("reading a record", err)
}

// Records yields the records of these states, in the chain's order, of all states
// if none is named. An error with a number concerns that record alone, and the
// next follows; one without a number ends it.
func (v *View) Records(ctx context.Context, states ...wire.RecordState) iter.Seq2[wire.Seq, func() (wire.Envelope, error)] {
	return func(yield func(wire.Seq, func() (wire.Envelope, error)) bool) {
		var seqs []wire.Seq
		err := durable.Each(ctx, v.reader, func(scan func(...any) error) error {
			var seq wire.Seq
			var state wire.RecordState
			err := scan(&seq, &state)
			if state != wire.Purged && (len(states) == 0 || slices.Contains(states, state)) {
				seqs = append(seqs, seq)
			}
			return err
		}, `SELECT seq, state FROM record ORDER BY seq`)
		for _, seq := range seqs {
			if !yield(seq, func() (wire.Envelope, error) { return v.Envelope(ctx, seq) }) {
				return
			}
		}
		if err != nil {
			yield(0, func() (wire.Envelope, error) { return wire.Envelope{}, durable.Fault("listing records", err) })
		}
	}
}

// Newest is the header of the newest record; ErrUnknown where there is none.
func (v *View) Newest(ctx context.Context) (wire.Header, error) {
	const op = "reading the newest record"
	var b []byte
	err := v.reader.QueryRowContext(ctx, `SELECT header FROM record ORDER BY seq DESC LIMIT 1`).Scan(&b)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrUnknown
	}
	if err != nil {
		return wire.Header{}, durable.Fault(op, err)
	}
	h, err := wire.DecodeHeader(b)
	if err != nil {
		err = fmt.Errorf("%w: %w", durable.ErrDamage, err)
	}
	return h, durable.Fault(op, err)
}

// Due gives the record to send next: the oldest that the centre does not have,
// and true if its time has come. The chain is sent in order, so nothing behind
// it is due before it; a refused one is skipped. Where it has to wait, false
// comes with the record, whose NextTry says until when. While any record is
// quarantined nothing is due: the centre would take none. False with the zero
// Item means that there is nothing to send.
func (v *View) Due(ctx context.Context, now time.Time) (Item, bool, error) {
	it, err := itemWhere(ctx, v.reader, `WHERE `+waiting+`
		AND NOT EXISTS (SELECT 1 FROM record WHERE state = ?) ORDER BY seq LIMIT 1`, wire.QuarantinedState)
	if errors.Is(err, ErrUnknown) {
		return Item{}, false, nil
	}
	if err != nil {
		return Item{}, false, durable.Fault("looking for work", err)
	}
	return it, !now.Before(it.NextTry), nil
}

// Run lists records that can be sent together with the one that is due: those from
// a number on that follow each other, that the centre does not have, and of which
// none has failed before; at most limit.
func (v *View) Run(ctx context.Context, from wire.Seq, limit int) (run []Item, err error) {
	err = durable.Each(ctx, v.reader, func(scan func(...any) error) error {
		it, err := scanItem(scan)
		if it.Seq == from+wire.Seq(len(run)) && it.Attempts == 0 {
			run = append(run, it)
		}
		return err
	}, itemColumns+`WHERE seq >= ? AND `+waiting+` ORDER BY seq LIMIT ?`, from, limit)
	return run, durable.Fault("looking for work", err)
}

// Head is the end of the chain: the newest number and its hash; 0 and the zero
// hash before the first record.
func (v *View) Head(ctx context.Context) (wire.Seq, wire.Hash, error) {
	seq, hash, err := head(ctx, v.reader)
	return seq, hash, durable.Fault("looking up the chain's end", err)
}

// Status sums up the queue.
func (v *View) Status(ctx context.Context) (Status, error) {
	const op = "summing up the queue"
	tx, err := v.reader.BeginTx(ctx, nil) // one moment for all figures
	if err != nil {
		return Status{}, durable.Fault(op, err)
	}
	defer tx.Rollback()
	var s Status
	err = durable.Each(ctx, tx, func(scan func(...any) error) error {
		var state wire.RecordState
		var n int
		var oldest int64
		err := scan(&state, &n, &oldest)
		s.count(state, n, time.Unix(oldest, 0).UTC())
		return err
	}, `SELECT state, count(*), min(created) FROM record GROUP BY state`)
	if err != nil {
		return Status{}, durable.Fault(op, err)
	}
	var damaged sql.NullInt64
	err = tx.QueryRowContext(ctx, `SELECT
		(SELECT coalesce(sum(last - first + 1), 0) FROM gap), (SELECT max(at) FROM damage),
		(SELECT count(*) FROM notice WHERE seen = 0), (SELECT coalesce(sum(missing), 0) FROM
			(SELECT max(number) - count(DISTINCT number) AS missing FROM notice WHERE key <> '' GROUP BY agent, key))`).
		Scan(&s.Missing, &damaged, &s.News, &s.NewsMissing)
	if err != nil {
		return Status{}, durable.Fault(op, err)
	}
	if damaged.Valid {
		s.Damaged = time.Unix(damaged.Int64, 0).UTC()
	}
	it, err := itemWhere(ctx, tx, `WHERE state IN (?, ?, ?) ORDER BY seq DESC LIMIT 1`, wire.Acked, wire.Proven, wire.Purged)
	if err == nil && it.Receipt != nil {
		s.LastReceipt = it.Receipt.At
	}
	if errors.Is(err, ErrUnknown) {
		err = nil
	}
	s.Free, s.Room = durable.RoomAt(v.path)
	return s, durable.Fault(op, err)
}

// Status sums up the queue.
func (q *Queue) Status(ctx context.Context) (Status, error) {
	s, err := q.View.Status(ctx)
	s.Unspooled = q.unspooled.Load()
	return s, err
}

// count adds n records of a state.
func (s *Status) count(state wire.RecordState, n int, oldest time.Time) {
	s.Total += n
	switch state {
	case wire.Sealed, wire.BlobsSent:
		s.Waiting += n
		if s.Oldest.IsZero() || oldest.Before(s.Oldest) {
			s.Oldest = oldest
		}
	case wire.RefusedState:
		s.Refused += n
	case wire.QuarantinedState:
		s.Quarantined += n
	}
}

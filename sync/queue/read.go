package queue

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/counterproof/counterproof/sync/wire"
)

// Item gives the record of this number, or ErrUnknown.
func (q *Queue) Item(ctx context.Context, seq wire.Seq) (Item, error) {
	it, err := itemWhere(ctx, q.reader, `WHERE seq = ?`, seq)
	return it, fault("looking up a record", err)
}

// Find gives the record of this id, or ErrUnknown.
func (q *Queue) Find(ctx context.Context, id wire.RecordID) (Item, error) {
	it, err := itemWhere(ctx, q.reader, `WHERE id = ?`, id[:])
	return it, fault("looking up a record", err)
}

// Items gives the newest records, newest first, limit of them at most.
func (q *Queue) Items(ctx context.Context, limit int) ([]Item, error) {
	var items []Item
	err := each(ctx, q.reader, func(scan func(...any) error) error {
		it, err := scanItem(scan)
		items = append(items, it)
		return err
	}, itemColumns+`ORDER BY seq DESC LIMIT ?`, max(limit, 0))
	if err != nil {
		return nil, fault("listing records", err)
	}
	return items, nil
}

// Envelope gives the record as it was stored, checked against its header; Kind
// damaged where it is not whole any more.
func (q *Queue) Envelope(ctx context.Context, seq wire.Seq) (wire.Envelope, error) {
	e, _, err := readEnvelope(ctx, q.reader, seq)
	if err != nil {
		return wire.Envelope{}, fault("reading a record", err)
	}
	return e, nil
}

// Due gives the record to send next: the oldest that the centre does not have,
// and true if its time has come. The chain is sent in order, so nothing behind
// it is due before it; a refused one is skipped. Where it has to wait, false
// comes with the record, whose NextTry says until when. While any record is
// quarantined nothing is due: the centre would take none. False with the zero
// Item means that there is nothing to send.
func (q *Queue) Due(ctx context.Context, now time.Time) (Item, bool, error) {
	it, err := itemWhere(ctx, q.reader, `WHERE `+waiting+`
		AND NOT EXISTS (SELECT 1 FROM record WHERE state = ?) ORDER BY seq LIMIT 1`, wire.QuarantinedState)
	if errors.Is(err, ErrUnknown) {
		return Item{}, false, nil
	}
	if err != nil {
		return Item{}, false, fault("looking for work", err)
	}
	return it, !now.Before(it.NextTry), nil
}

// Head is the end of the chain: the newest number and its hash; 0 and the zero
// hash before the first record.
func (q *Queue) Head(ctx context.Context) (wire.Seq, wire.Hash, error) {
	seq, hash, err := head(ctx, q.reader)
	return seq, hash, fault("looking up the chain's end", err)
}

// Status sums up the queue.
func (q *Queue) Status(ctx context.Context) (Status, error) {
	const op = "summing up the queue"
	tx, err := q.reader.BeginTx(ctx, nil) // one moment for all figures
	if err != nil {
		return Status{}, fault(op, err)
	}
	defer tx.Rollback()
	var s Status
	err = each(ctx, tx, func(scan func(...any) error) error {
		var state wire.RecordState
		var n int
		var oldest int64
		err := scan(&state, &n, &oldest)
		s.count(state, n, time.Unix(oldest, 0).UTC())
		return err
	}, `SELECT state, count(*), min(created) FROM record GROUP BY state`)
	if err != nil {
		return Status{}, fault(op, err)
	}
	var damaged sql.NullInt64
	err = tx.QueryRowContext(ctx, `SELECT
		(SELECT coalesce(sum(last - first + 1), 0) FROM gap), (SELECT max(at) FROM damage),
		(SELECT count(*) FROM notice WHERE seen = 0), (SELECT coalesce(sum(missing), 0) FROM
			(SELECT max(number) - count(DISTINCT number) AS missing FROM notice WHERE key <> '' GROUP BY agent, key))`).
		Scan(&s.Missing, &damaged, &s.News, &s.NewsMissing)
	if err != nil {
		return Status{}, fault(op, err)
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
	return s, fault(op, err)
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

package queue

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/counterproof/counterproof/sync/queue/durable"
	"github.com/counterproof/counterproof/sync/queue/spool"
	"github.com/counterproof/counterproof/sync/wire"
)

// spoolEmpty reports whether no record lies in the spool.
func spoolEmpty(path string) bool {
	s, err := spool.Open(spoolDir(path))
	if err != nil {
		return true
	}
	entries, err := s.Entries()
	return err != nil || len(entries) == 0
}

// level brings database and spool to the same: what was spooled and never
// answered, as after a crash or where an older database was put in place, goes
// on the chain, and what the centre holds is dropped from the spool.
func (q *Queue) level(ctx context.Context) error {
	entries, err := q.spool.Entries()
	if err != nil || len(entries) == 0 {
		return err
	}
	last, prev, err := head(ctx, q.reader)
	if err != nil {
		return err
	}
	for _, e := range q.spool.Chain(last+1, prev) {
		h, err := e.Check()
		if err != nil {
			return err
		}
		if _, err := q.Find(ctx, h.Record); !errors.Is(err, ErrUnknown) {
			return err // it is here already, under another number
		}
		err = durable.Transact(ctx, q.writer, func(tx *sql.Tx) error { return insert(ctx, tx, newItem(placed{e, h}), e) })
		if err != nil {
			return err
		}
	}
	held := []wire.RecordState{wire.Acked, wire.Proven, wire.Purged}
	for _, entry := range entries {
		it, err := q.Item(ctx, entry.Seq)
		if err != nil || it.Hash != entry.Hash || !slices.Contains(held, it.State) {
			continue
		}
		if err := q.spool.Drop(entry); err != nil {
			return err
		}
	}
	return nil
}

// Backup makes a copy of the queue at path while it is used. It holds nothing
// that the queue's own file does not show.
func (v *View) Backup(ctx context.Context, path string) error {
	return durable.Fault("backing the queue up", durable.Copy(ctx, v.reader, path))
}

// MarkProven notes that a record is in the centre's log, by a proof that the
// caller has verified against a signed checkpoint. Without it nothing is purged.
func (q *Queue) MarkProven(ctx context.Context, seq wire.Seq) error {
	err := durable.Transact(ctx, q.writer, func(tx *sql.Tx) error {
		_, err := step(ctx, tx, seq, wire.Proven)
		return err
	})
	return durable.Fault("noting a proof", err)
}

// purged is how many records one transaction purges.
const purged = 50

// Purge removes the parts of records that have been proven since before a time,
// some at a time, and returns how many; their headers and receipts stay. Call it
// until it returns 0.
func (q *Queue) Purge(ctx context.Context, before time.Time) (n int, err error) {
	err = durable.Transact(ctx, q.writer, func(tx *sql.Tx) error {
		var seqs []wire.Seq
		err := durable.Each(ctx, tx, func(scan func(...any) error) error {
			var seq wire.Seq
			err := scan(&seq)
			seqs = append(seqs, seq)
			return err
		}, `SELECT seq FROM record WHERE state = ? AND settled > 0 AND settled < ? ORDER BY seq LIMIT ?`, wire.Proven, before.UnixMilli(), purged)
		if err != nil {
			return err
		}
		for _, seq := range seqs {
			if _, err := step(ctx, tx, seq, wire.Purged); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, `DELETE FROM part WHERE seq = ?`, seq); err != nil {
				return err
			}
		}
		n = len(seqs)
		return nil
	})
	if err == nil && n > 0 {
		_, err = q.writer.ExecContext(ctx, `PRAGMA incremental_vacuum`)
	}
	return n, durable.Fault("purging records", err)
}

// SetAside takes a record that neither the database nor the spool has whole any
// more off the chain, so that those behind it go on (Reissue). The file is copied
// as it is before, under the name that is returned: what is left of the record is
// in there. Where the file does not even let go of it, the next Open mends it.
func (q *Queue) SetAside(ctx context.Context, seq wire.Seq) (aside string, err error) {
	const op = "setting a damaged record aside"
	if _, err := q.Envelope(ctx, seq); wire.KindOf(err) != wire.KindDamaged {
		return "", fmt.Errorf("%s: %w: it is whole or not here", op, errors.Join(err, ErrState))
	}
	now := time.Now().UTC()
	aside = q.path + damagedSuffix + now.Format(stampLayout)
	if err := q.Backup(ctx, aside); err != nil {
		return "", err
	}
	err = durable.Transact(ctx, q.writer, func(tx *sql.Tx) error {
		it, err := itemWhere(ctx, tx, `WHERE seq = ?`, seq)
		if err != nil {
			return err
		}
		for _, table := range []string{"part", "record"} {
			if _, err := tx.ExecContext(ctx, `DELETE FROM `+table+` WHERE seq = ?`, seq); err != nil {
				return err
			}
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO damage (at, aside) VALUES (?, ?)`, now.Truncate(time.Minute).Unix(), filepath.Base(aside))
		return errors.Join(err, writeGap(ctx, tx, gap{seq, seq, it.Hash}))
	})
	return filepath.Base(aside), durable.Fault(op, err)
}

// Reissue writes every record from a number on anew, in order and without a gap,
// and makes them ready to be sent: sign is given the record as it is and the place
// that it takes, and returns it signed for that. It is for records that the centre
// never took and cannot take as they are: they stand behind one that was lost, or
// a key signed them that is not the counter's. All or none are changed. A purged
// record cannot be, and a quarantined chain is in doubt: ErrState.
func (q *Queue) Reissue(ctx context.Context, from wire.Seq, prev wire.Hash, sign func(e wire.Envelope, seq wire.Seq, prev wire.Hash) (wire.Envelope, error)) (n int, err error) {
	var old, fresh []spool.Entry
	after := prev
	err = durable.Transact(ctx, q.writer, func(tx *sql.Tx) error {
		items, err := reissued(ctx, tx, from)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `PRAGMA defer_foreign_keys = ON`); err != nil {
			return err
		}
		for i, it := range items {
			seq := from + wire.Seq(i)
			e, err := q.Envelope(ctx, it.Seq) // what waited before is there for readers
			if err == nil {
				e, err = sign(e, seq, prev)
			}
			if err == nil {
				err = renumber(ctx, tx, it.Seq, seq, e)
			}
			if err != nil {
				return err
			}
			old, prev = append(old, spool.Entry{Seq: it.Seq, Hash: it.Hash}), e.RecHash()
			fresh = append(fresh, spool.Entry{Seq: seq, Hash: prev})
			q.unspooled.Store(q.spool.Put(seq, e) != nil)
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM gap WHERE first >= ?`, from); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE gap SET last = ?1 - 1, hash = ?2 WHERE last >= ?1`, from, after[:])
		return err
	})
	gone := old
	if err != nil {
		gone = fresh
	}
	for _, entry := range gone {
		_ = q.spool.Drop(entry) // one that stays follows nothing
	}
	return len(old), durable.Fault("writing records anew", err)
}

// reissued lists the records from a number on.
func reissued(ctx context.Context, tx *sql.Tx, from wire.Seq) (items []Item, err error) {
	err = durable.Each(ctx, tx, func(scan func(...any) error) error {
		it, err := scanItem(scan)
		if it.State == wire.Purged || it.State == wire.QuarantinedState {
			return fmt.Errorf("%w: record %d is %s", ErrState, it.Seq, it.State)
		}
		items = append(items, it)
		return err
	}, itemColumns+`WHERE seq >= ? ORDER BY seq`, from)
	return items, err
}

// renumber puts a record that was signed anew in its old one's place.
func renumber(ctx context.Context, tx *sql.Tx, old, seq wire.Seq, e wire.Envelope) error {
	h, err := e.Check()
	if err != nil || h.Seq != seq {
		return errors.Join(err, errors.New("it was signed for another place"))
	}
	name := e.RecHash()
	_, err = tx.ExecContext(ctx, `UPDATE record SET seq = ?, hash = ?, header = ?, signature = ?, size = ?, state = ?,
		attempts = 0, next = 0, kind = '', receipt = NULL, refusal = NULL, settled = 0 WHERE seq = ?`,
		seq, name[:], e.Header, e.Signature, size(e), wire.Sealed, old)
	if err == nil {
		_, err = tx.ExecContext(ctx, `UPDATE part SET seq = ? WHERE seq = ?`, seq, old)
	}
	return err
}

// CopyNews takes over the news of another queue of this counter, an earlier one,
// seen or not. What is here already stays.
func (q *Queue) CopyNews(ctx context.Context, from *View) error {
	all, err := from.News(ctx, NewsFilter{})
	if err != nil {
		return err
	}
	err = durable.Transact(ctx, q.writer, func(tx *sql.Tx) error {
		for _, n := range all {
			if _, err := insertNews(ctx, tx, n); err != nil {
				return err
			}
		}
		return nil
	})
	return durable.Fault("taking over news", err)
}

package queue

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/counterproof/counterproof/sync/queue/durable"
	"github.com/counterproof/counterproof/sync/queue/spool"
	"github.com/counterproof/counterproof/sync/wire"
)

// move is one step of a record.
type move struct{ from, to wire.RecordState }

// moves are all steps that there are, but for Rewind's. What is not here does
// not happen, whatever the centre says.
var moves = []move{
	{wire.Sealed, wire.BlobsSent},
	{wire.Sealed, wire.Acked},
	{wire.Sealed, wire.RefusedState},
	{wire.Sealed, wire.QuarantinedState},
	{wire.BlobsSent, wire.Acked},
	{wire.BlobsSent, wire.RefusedState},
	{wire.BlobsSent, wire.QuarantinedState},
	{wire.Acked, wire.Proven},
	{wire.Proven, wire.Purged},
}

// rewinds are the steps back, by Rewind alone. A quarantined record stays: its
// chain is in doubt. A purged one cannot be sent again.
var rewinds = []move{
	{wire.Sealed, wire.Sealed},
	{wire.BlobsSent, wire.Sealed},
	{wire.Acked, wire.Sealed},
	{wire.Proven, wire.Sealed},
	{wire.RefusedState, wire.Sealed},
}

// known reports whether a state is one of the table.
func known(s wire.RecordState) bool {
	return slices.ContainsFunc(moves, func(m move) bool { return m.from == s || m.to == s })
}

// answer is what the centre says about one record: whose it names.
type answer struct {
	agent wire.AgentID
	seq   wire.Seq
	hash  wire.Hash
}

// MarkBlobs notes that the record's large parts are at the centre.
func (q *Queue) MarkBlobs(ctx context.Context, seq wire.Seq) error {
	err := durable.Transact(ctx, q.writer, func(tx *sql.Tx) error {
		_, err := step(ctx, tx, seq, wire.BlobsSent)
		return err
	})
	return durable.Fault("noting the parts as sent", err)
}

// MarkAcked stores the receipt for a record, which the caller has verified. One
// that names another agent, number or hash is Kind protocol and changes nothing.
// The same record acknowledged again keeps its first receipt.
func (q *Queue) MarkAcked(ctx context.Context, seq wire.Seq, r wire.Receipt) error {
	err := q.settle(ctx, seq, settled{answer{r.Agent, r.Seq, r.RecHash}, wire.Acked, "receipt", r})
	if err == nil {
		_ = q.spool.Drop(spool.Entry{Seq: seq, Hash: r.RecHash}) // the next Open clears what stays
	}
	return durable.Fault("storing a receipt", err)
}

// MarkRefused stores the centre's word that it never takes a record, verified
// by the caller, as MarkAcked does a receipt. The record is kept and skipped.
func (q *Queue) MarkRefused(ctx context.Context, seq wire.Seq, r wire.Refusal) error {
	err := q.settle(ctx, seq, settled{answer{r.Agent, r.Seq, r.RecHash}, wire.RefusedState, "refusal", r})
	return durable.Fault("storing a refusal", err)
}

// MarkQuarantined puts every record that the centre does not have into
// quarantine. Later visits are enqueued all the same and wait.
func (q *Queue) MarkQuarantined(ctx context.Context) error {
	err := durable.Transact(ctx, q.writer, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE record SET state = ? WHERE `+waiting, wire.QuarantinedState)
		return err
	})
	return durable.Fault("putting the queue into quarantine", err)
}

// Retry notes that sending failed, why, and when to try again.
func (q *Queue) Retry(ctx context.Context, seq wire.Seq, next time.Time, kind wire.Kind) error {
	err := durable.Transact(ctx, q.writer, func(tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, `UPDATE record SET attempts = attempts + 1, next = ?, kind = ?
			WHERE seq = ? AND `+waiting, millis(next), kind, seq)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 1 {
			return err
		}
		if _, err := itemWhere(ctx, tx, `WHERE seq = ?`, seq); err != nil {
			return err
		}
		return ErrState
	})
	return durable.Fault("noting a failed try", err)
}

// Rewind makes every record from seq on ready to be sent again: the centre,
// restored from a backup, expects seq. Blobs are sent again too, and a refused
// record is offered again, because its refusal may be lost with the rest. Old
// receipts stay until new ones come: they prove what the centre had promised.
// Seq may be one past the end, which changes nothing. Where the record itself
// is not here any more, Kind damaged says so and nothing changes; a later gap
// does not hinder what is before it.
func (q *Queue) Rewind(ctx context.Context, seq wire.Seq) error {
	err := durable.Transact(ctx, q.writer, func(tx *sql.Tx) error {
		last, _, err := head(ctx, tx)
		if err != nil {
			return err
		}
		if seq < 1 || seq > last+1 {
			return fmt.Errorf("%w: %d, the newest is %d", ErrUnknown, seq, last)
		}
		var lost int
		err = tx.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM gap WHERE ? BETWEEN first AND last)
			+ (SELECT count(*) FROM record WHERE seq = ? AND state = ?)`, seq, seq, wire.Purged).Scan(&lost)
		if err != nil {
			return err
		}
		if lost > 0 {
			return fmt.Errorf("%w: record %d is not here any more", durable.ErrDamage, seq)
		}
		for _, m := range rewinds {
			if _, err := tx.ExecContext(ctx, `UPDATE record SET state = ?, attempts = 0, next = 0, kind = ''
				WHERE seq >= ? AND state = ?`, m.to, seq, m.from); err != nil {
				return err
			}
		}
		return nil
	})
	return durable.Fault("going back in the queue", err)
}

// settled is an answer for storing: the column that it goes into.
type settled struct {
	answer
	to     wire.RecordState
	column string
	signed any
}

// settle stores an answer that names the record and moves it.
func (q *Queue) settle(ctx context.Context, seq wire.Seq, a settled) error {
	b, err := json.Marshal(a.signed)
	if err != nil {
		return err
	}
	return durable.Transact(ctx, q.writer, func(tx *sql.Tx) error {
		if err := a.names(ctx, tx, seq); err != nil {
			return err
		}
		moved, err := step(ctx, tx, seq, a.to)
		if err == nil && moved {
			_, err = tx.ExecContext(ctx, `UPDATE record SET `+a.column+` = ? WHERE seq = ?`, b, seq)
		}
		return err
	})
}

// names checks that the answer is about the record of this number.
func (a answer) names(ctx context.Context, tx *sql.Tx, seq wire.Seq) error {
	var header, hash []byte
	err := tx.QueryRowContext(ctx, `SELECT header, hash FROM record WHERE seq = ?`, seq).Scan(&header, &hash)
	if errors.Is(err, sql.ErrNoRows) {
		return ErrUnknown
	}
	if err != nil {
		return err
	}
	h, err := wire.DecodeHeader(header)
	if err != nil {
		return fmt.Errorf("%w: record %d: %w", durable.ErrDamage, seq, err)
	}
	if a.seq != seq || a.agent != h.Agent || !slices.Equal(a.hash[:], hash) {
		return &wire.Error{Op: "reading an answer", Kind: wire.KindProtocol, Err: errors.New("it names another record")}
	}
	return nil
}

// step moves one record along the table, and says whether it moved: one that
// is there already stays, so that a repeated answer does no harm.
func step(ctx context.Context, tx *sql.Tx, seq wire.Seq, to wire.RecordState) (bool, error) {
	var from wire.RecordState
	err := tx.QueryRowContext(ctx, `SELECT state FROM record WHERE seq = ?`, seq).Scan(&from)
	if errors.Is(err, sql.ErrNoRows) {
		return false, ErrUnknown
	}
	if err != nil || from == to {
		return false, err
	}
	if !slices.Contains(moves, move{from, to}) {
		return false, fmt.Errorf("%w: %s to %s", ErrState, from, to)
	}
	_, err = tx.ExecContext(ctx, `UPDATE record SET state = ?, attempts = 0, next = 0, kind = '', settled = ? WHERE seq = ?`,
		to, time.Now().UnixMilli(), seq)
	return err == nil, err
}

package queue

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/counterproof/counterproof/sync/queue/durable"
	"github.com/counterproof/counterproof/sync/wire"
)

// News is a notice as this counter keeps it.
type News struct {
	ID      int64       // names it in this queue, for marking it
	Notice  wire.Notice // verified; or of kind wire.NoticeUnreadable, with no reference
	Kept    time.Time   // when it came, to the minute, UTC
	Seen    bool        // somebody has taken note of it
	Printed bool        // it stands on a slip that was printed
}

// NewsFilter says which news is meant; the zero value means all.
type NewsFilter struct {
	Ref    wire.Ref // of this slip alone
	Unseen bool     // that was not marked as seen
	Limit  int      // the newest so many; 1000 if 0
}

// newsLimit is how many notices are listed by default.
const newsLimit = 1000

// unreadableLimit bounds what is kept of news that does not verify: it says
// nothing but that it came, and a thousand times are enough for an alarm.
const unreadableLimit = 1000

// KeepNews stores a page of the agent's list at the centre, whose notices the
// caller has verified, with the place up to which the list is here, all in one
// transaction, and returns how many are new. What is here already stays as it
// is, seen or not. Once this has returned the page may be acknowledged.
func (q *Queue) KeepNews(ctx context.Context, agent wire.AgentID, page []wire.Placed) (fresh int, err error) {
	if len(page) == 0 {
		return 0, nil
	}
	err = durable.Transact(ctx, q.writer, func(tx *sql.Tx) error {
		fresh = 0
		for _, p := range page {
			n := News{Notice: p.Notice, Kept: time.Now().UTC().Truncate(time.Minute)}
			if n.Notice.Kind == wire.NoticeUnreadable {
				n.Notice = wire.Notice{Agent: agent, Number: p.N, Kind: wire.NoticeUnreadable}
			}
			added, err := insertNews(ctx, tx, n)
			if err != nil {
				return err
			}
			fresh += added
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO news (agent, place) VALUES (?, ?)
			ON CONFLICT (agent) DO UPDATE SET place = excluded.place`, agent, page[len(page)-1].N)
		return err
	})
	if err != nil {
		return 0, durable.Fault("keeping news", err)
	}
	return fresh, nil
}

// NewsCursor is up to which place of the agent's list at the centre its notices
// are here; 0 for none.
func (q *Queue) NewsCursor(ctx context.Context, agent wire.AgentID) (place uint64, err error) {
	err = q.reader.QueryRowContext(ctx, `SELECT place FROM news WHERE agent = ?`, agent).Scan(&place)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return place, durable.Fault("looking up what news came", err)
}

// News lists what came, oldest first.
func (v *View) News(ctx context.Context, f NewsFilter) ([]News, error) {
	if f.Limit <= 0 {
		f.Limit = newsLimit
	}
	var all []News
	err := durable.Each(ctx, v.reader, func(scan func(...any) error) error {
		n, err := scanNews(scan)
		all = append(all, n)
		return err
	}, `SELECT * FROM (`+newsColumns+` WHERE (?1 = '' OR ref = ?1) AND (seen = 0 OR NOT ?2)
		ORDER BY id DESC LIMIT ?3) ORDER BY id`, f.Ref, f.Unseen, f.Limit)
	if err != nil {
		return nil, durable.Fault("listing news", err)
	}
	return all, nil
}

// MarkSeen notes that somebody has taken note of news: it is not told again.
func (q *Queue) MarkSeen(ctx context.Context, ids ...int64) error {
	return q.markNews(ctx, `UPDATE notice SET seen = 1 WHERE id = ?`, ids)
}

// MarkPrinted notes that news stands on a slip that came out of the printer.
func (q *Queue) MarkPrinted(ctx context.Context, ids ...int64) error {
	return q.markNews(ctx, `UPDATE notice SET printed = 1 WHERE id = ?`, ids)
}

// markNews marks all or none; ErrUnknown where one is not here.
func (q *Queue) markNews(ctx context.Context, update string, ids []int64) error {
	err := durable.Transact(ctx, q.writer, func(tx *sql.Tx) error {
		for _, id := range ids {
			done, err := tx.ExecContext(ctx, update, id)
			if err != nil {
				return err
			}
			if n, err := done.RowsAffected(); err != nil || n == 0 {
				return errors.Join(err, fmt.Errorf("%w: news %d", ErrUnknown, id))
			}
		}
		return nil
	})
	return durable.Fault("marking news", err)
}

// newsColumns are what scanNews reads.
const newsColumns = `SELECT id, agent, number, ref, kind, at, key, sig, kept, seen, printed FROM notice`

// scanNews reads a row of newsColumns.
func scanNews(scan func(...any) error) (News, error) {
	var n News
	var at, kept int64
	m := &n.Notice
	err := scan(&n.ID, &m.Agent, &m.Number, &m.Ref, &m.Kind, &at, &m.Key, &m.Sig, &kept, &n.Seen, &n.Printed)
	if err != nil {
		return News{}, err
	}
	m.At, n.Kept = time.UnixMilli(at).UTC(), time.Unix(kept, 0).UTC()
	if m.Kind == wire.NoticeUnreadable {
		m.At = time.Time{}
		return n, nil
	}
	if err := m.Check(); err != nil {
		return News{}, fmt.Errorf("%w: news %d: %w", durable.ErrDamage, n.ID, err)
	}
	return n, nil
}

// insertNews stores a notice that is not here yet, and returns how many it
// stored: 1 or 0.
func insertNews(ctx context.Context, db durable.Querier, n News) (added int, err error) {
	m, name := n.Notice, n.Notice.Hash()
	limit := -1
	if m.Kind == wire.NoticeUnreadable {
		m.At, m.Key, m.Sig, limit = time.UnixMilli(0), "", []byte{}, unreadableLimit
	}
	done, err := db.ExecContext(ctx, `INSERT INTO notice (name, agent, number, ref, kind, at, key, sig, kept, seen, printed)
		SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?
		WHERE ?12 < 0 OR (SELECT count(*) FROM notice WHERE key = '') < ?12 ON CONFLICT (name) DO NOTHING`,
		name[:], m.Agent, m.Number, m.Ref, m.Kind, m.At.UnixMilli(), m.Key, m.Sig, n.Kept.Unix(), n.Seen, n.Printed, limit)
	if err != nil {
		return 0, err
	}
	count, err := done.RowsAffected()
	return int(count), err
}

package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// errUndone undoes a posting of which one notice was not taken.
var errUndone = errors.New("a notice was not taken")

// noticeLock is the advisory lock under which notices are given their places.
const noticeLock = 1

// PostNotices adds notices to their two lists; see store.Notices.
func (s *Store) PostNotices(ctx context.Context, p store.Posting) (wire.Answer, error) {
	answer := wire.Answer{Verdict: wire.Replayed}
	err := s.write(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1, $2)`, lock, noticeLock); err != nil {
			return err
		}
		for _, n := range p.Notices {
			one, err := postNotice(ctx, tx, p.Opener, n)
			if err != nil {
				return err
			}
			if one.Verdict != wire.Replayed {
				answer = one
			}
			if one.Verdict == wire.Fork || one.Verdict == wire.Gap {
				return errUndone
			}
		}
		return nil
	})
	if err != nil && !errors.Is(err, errUndone) {
		return wire.Answer{}, fmt.Errorf("taking notices: %w", err)
	}
	return answer, nil
}

// postNotice is the decision about one.
func postNotice(ctx context.Context, tx pgx.Tx, opener wire.AgentID, p wire.Placed) (wire.Answer, error) {
	var last, number, n uint64
	err := tx.QueryRow(ctx, `SELECT
		(SELECT coalesce(max(seq), 0) FROM notice WHERE opener=$1),
		(SELECT coalesce(max(number), 0) FROM notice WHERE opener=$1 AND agent=$2),
		(SELECT coalesce(max(n), 0) FROM notice WHERE agent=$2)`, opener, p.Notice.Agent).Scan(&last, &number, &n)
	if err != nil {
		return wire.Answer{}, fmt.Errorf("looking for its place: %w", err)
	}
	switch {
	case p.N <= last:
		held, err := noticesWhere(ctx, tx, `seq`, `opener=$1 AND seq=$2`, opener, int64(p.N))
		if err != nil {
			return wire.Answer{}, err
		}
		if len(held) == 1 && held[0].Notice.Hash() == p.Notice.Hash() {
			return wire.Answer{Verdict: wire.Replayed}, nil
		}
		return wire.Answer{Verdict: wire.Fork}, nil
	case p.N > last+1:
		return wire.Answer{Verdict: wire.Gap, Expect: wire.Seq(last + 1)}, nil
	case p.Notice.Number != number+1:
		return wire.Answer{Verdict: wire.Fork}, nil
	}
	m := p.Notice
	_, err = tx.Exec(ctx, `INSERT INTO notice(opener, seq, agent, n, number, ref, kind, at, key, sig) VALUES($1,$2,$3,$4,$5,$6,$7,$8,$9,$10)`,
		opener, int64(p.N), m.Agent, int64(n+1), int64(m.Number), m.Ref, m.Kind, m.At.UnixMilli(), m.Key, m.Sig)
	if err != nil {
		return wire.Answer{}, fmt.Errorf("writing it: %w", err)
	}
	return wire.Answer{Verdict: wire.Stored}, nil
}

// noticesWhere reads notices with their place, which is the named column, in
// the places' order.
func noticesWhere(ctx context.Context, q querier, place, where string, args ...any) ([]wire.Placed, error) {
	rows, err := q.Query(ctx, `SELECT `+place+`, agent, number, ref, kind, at, key, sig FROM notice WHERE `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("reading notices: %w", err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (p wire.Placed, err error) {
		var n, number, at int64
		m := &p.Notice
		err = row.Scan(&n, &m.Agent, &number, &m.Ref, &m.Kind, &at, &m.Key, &m.Sig)
		p.N, m.Number, m.At = uint64(n), uint64(number), time.UnixMilli(at).UTC()
		return p, err
	})
	if err != nil {
		return nil, fmt.Errorf("reading notices: %w", err)
	}
	return all, nil
}

// NoticesBy reads an opener's list; see store.Notices.
func (s *Store) NoticesBy(ctx context.Context, opener wire.AgentID, after uint64, limit int) (wire.NoticePage, error) {
	return s.noticePage(ctx, noticeList{"seq", "opener", opener}, after, limit)
}

// NoticesFor reads a counter's list; see store.Notices.
func (s *Store) NoticesFor(ctx context.Context, agent wire.AgentID, after uint64, limit int) (wire.NoticePage, error) {
	return s.noticePage(ctx, noticeList{"n", "agent", agent}, after, limit)
}

// noticeList names one of the lists: the column with its places, the column
// that says whose it is, and whose.
type noticeList struct {
	place, owner string
	id           wire.AgentID
}

// noticePage reads a run of a list and how far it reaches, of one moment.
func (s *Store) noticePage(ctx context.Context, l noticeList, after uint64, limit int) (wire.NoticePage, error) {
	page := wire.NoticePage{Notices: []wire.Placed{}}
	err := s.read(ctx, func(tx pgx.Tx) error {
		var err error
		if page.Last, err = lastNotice(ctx, tx, l); err != nil {
			return err
		}
		if l.owner == "agent" {
			if page.Acked, err = ackedNotice(ctx, tx, l.id); err != nil {
				return err
			}
		}
		if after >= page.Last || limit < 1 {
			return nil
		}
		held, err := noticesWhere(ctx, tx, l.place, l.owner+`=$1 AND `+l.place+`>$2 ORDER BY `+l.place+` LIMIT $3`, l.id, int64(after), limit)
		if err == nil {
			page.Notices = withoutHoles(held, after, limit)
		}
		return err
	})
	if err != nil {
		return wire.NoticePage{}, err
	}
	return page, nil
}

// withoutHoles puts an empty notice wherever one was lost, so that those behind
// it are still delivered.
func withoutHoles(held []wire.Placed, after uint64, limit int) []wire.Placed {
	all := make([]wire.Placed, 0, len(held))
	for _, p := range held {
		for n := after + uint64(len(all)) + 1; n < p.N && len(all) < limit; n++ {
			all = append(all, wire.Placed{N: n})
		}
		if len(all) < limit {
			all = append(all, p)
		}
	}
	return all
}

// lastNotice is the place of a list's newest notice, 0 for none.
func lastNotice(ctx context.Context, q querier, l noticeList) (last uint64, err error) {
	err = q.QueryRow(ctx, `SELECT coalesce(max(`+l.place+`), 0) FROM notice WHERE `+l.owner+`=$1`, l.id).Scan(&last)
	if err != nil {
		return 0, fmt.Errorf("reading how many notices there are: %w", err)
	}
	return last, nil
}

// ackedNotice is up to which place a counter has its notices.
func ackedNotice(ctx context.Context, q querier, agent wire.AgentID) (n uint64, err error) {
	err = q.QueryRow(ctx, `SELECT n FROM notice_ack WHERE agent=$1`, agent).Scan(&n)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return 0, fmt.Errorf("reading what is acknowledged: %w", err)
	}
	return n, nil
}

// AckNotices notes what a counter has; see store.Notices.
func (s *Store) AckNotices(ctx context.Context, agent wire.AgentID, n uint64) error {
	err := s.write(ctx, func(tx pgx.Tx) error {
		last, err := lastNotice(ctx, tx, noticeList{"n", "agent", agent})
		if err != nil {
			return err
		}
		if n > last {
			return store.ErrPlace
		}
		_, err = tx.Exec(ctx, `INSERT INTO notice_ack AS a(agent, n) VALUES($1,$2)
			ON CONFLICT(agent) DO UPDATE SET n=greatest(a.n, excluded.n)`, agent, int64(n))
		return err
	})
	if err != nil {
		return fmt.Errorf("acknowledging notices: %w", err)
	}
	return nil
}

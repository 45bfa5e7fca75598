package queue

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/counterproof/counterproof/sync/queue/durable"
	"github.com/counterproof/counterproof/sync/queue/spool"
	"github.com/counterproof/counterproof/sync/wire"
)

// rescue carries records from a damaged file into a new one.
type rescue struct {
	from  *sql.DB // nil where there is nothing to read
	spool *spool.Spool
	into  *sql.Tx
	chain chain
	seen  map[wire.RecordID]bool
	tail  gap // the newest record whose name is known and that is not whole

	saved, missing int
}

// salvage copies every record of the damaged file that verifies, and notes the
// gaps between them. A file that cannot be read at all gives none.
func (d *Damage) salvage(ctx context.Context, path string, into *sql.Tx) error {
	n, err := durable.FileSize(path)
	if err != nil {
		return err
	}
	copies, err := spool.Open(spoolDir(path))
	if err != nil {
		return err
	}
	r := rescue{spool: copies, into: into, chain: chain{next: 1}, seen: map[wire.RecordID]bool{}}
	if n == 0 { // reading it would cost the log that is there
		err = r.leap(ctx)
	} else if err = durable.Lengthen(path, n); err == nil {
		err = r.search(ctx, path)
	}
	d.Saved, d.Missing = r.saved, r.missing
	return err
}

// search goes through the damaged file and the spool, and notes what is gone.
func (r *rescue) search(ctx context.Context, path string) error {
	r.from = durable.Reader(path)
	defer r.from.Close()
	seqs := survivors(ctx, r.from)
	for _, seq := range seqs {
		if err := r.take(ctx, seq); err != nil {
			return err
		}
	}
	if err := r.leap(ctx); err != nil {
		return err
	}
	if old, err := readGaps(ctx, r.from); err == nil && len(old) > 0 {
		if g := old[len(old)-1]; g.last > r.tail.last {
			r.tail = g
		}
	}
	if r.tail.last >= r.chain.next {
		if err := r.skip(ctx, r.tail.last, r.tail.hash); err != nil {
			return err
		}
	}
	for _, seq := range seqs { // newer ones of which not even the name is left
		if seq >= r.chain.next {
			r.missing++
		}
	}
	return r.takeNews(ctx)
}

// takeNews carries over what can be read of the news. What cannot comes again:
// where this counter stands in the centre's list is not carried over.
func (r *rescue) takeNews(ctx context.Context) error {
	var all []News
	_ = durable.Each(ctx, r.from, func(scan func(...any) error) error {
		if n, err := scanNews(scan); err == nil {
			all = append(all, n)
		}
		return nil
	}, newsColumns)
	for _, n := range all {
		if _, err := insertNews(ctx, r.into, n); err != nil {
			return err
		}
	}
	return nil
}

// take carries one record over if it verifies and follows what went before.
// Only a failure of the new file is an error.
func (r *rescue) take(ctx context.Context, seq wire.Seq) error {
	var hash []byte
	_ = r.from.QueryRowContext(ctx, `SELECT hash FROM record WHERE seq = ?`, seq).Scan(&hash)
	e, h, err := readEnvelope(ctx, r.from, seq)
	name := e.RecHash()
	whole := bytes.Equal(hash, name[:]) && err == nil && h.Seq == seq
	if !whole || seq > r.chain.next {
		if err := r.refill(ctx); err != nil || seq < r.chain.next {
			return err
		}
	}
	if !bytes.Equal(hash, name[:]) {
		return nil // header, signature or hash were altered
	}
	if !whole {
		r.tail = gap{seq, seq, name}
		return nil
	}
	if seq < r.chain.next || seq == r.chain.next && h.Prev != r.chain.prev || r.seen[h.Record] {
		return nil // no place in this chain
	}
	if seq > r.chain.next {
		if err := r.skip(ctx, seq-1, h.Prev); err != nil {
			return err
		}
	}
	return r.keep(ctx, h, e)
}

// keep carries a record over, the next of the chain.
func (r *rescue) keep(ctx context.Context, h wire.Header, e wire.Envelope) error {
	if err := insert(ctx, r.into, r.item(ctx, h, e), e); err != nil {
		return err
	}
	r.chain = chain{next: h.Seq + 1, prev: e.RecHash()}
	r.seen[h.Record] = true
	r.saved++
	return nil
}

// refill takes from the spool what goes on where the chain stands.
func (r *rescue) refill(ctx context.Context) error {
	for _, e := range r.spool.Chain(r.chain.next, r.chain.prev) {
		h, err := e.Check()
		if err != nil || r.seen[h.Record] {
			return nil
		}
		if err := r.keep(ctx, h, e); err != nil {
			return err
		}
	}
	return nil
}

// leap takes all that is left in the spool, over the numbers of which nothing is:
// a record names the one before it, so the chain goes on.
func (r *rescue) leap(ctx context.Context) error {
	entries, err := r.spool.Entries()
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if err := r.refill(ctx); err != nil {
			return err
		}
		if entry.Seq < r.chain.next {
			continue
		}
		e, err := r.spool.Get(entry)
		if err != nil {
			continue
		}
		if h, err := e.Check(); err == nil && h.Seq == entry.Seq && !r.seen[h.Record] {
			if err := r.skip(ctx, entry.Seq-1, h.Prev); err != nil {
				return err
			}
		}
	}
	return r.refill(ctx)
}

// item is what the damaged file knows of a record. Where that cannot be read,
// the record counts as not sent: the centre knows one that it has already.
func (r *rescue) item(ctx context.Context, h wire.Header, e wire.Envelope) Item {
	if r.from != nil {
		l, err := scanLink(r.from.QueryRowContext(ctx, linkColumns+`WHERE seq = ?`, h.Seq).Scan)
		if err == nil {
			_, err = l.check()
		}
		if err == nil && l.item.Hash == e.RecHash() {
			return l.item
		}
	}
	return Item{
		Seq: h.Seq, ID: h.Record, Hash: e.RecHash(), State: wire.Sealed,
		At: h.Wall.Truncate(time.Minute), Size: size(e),
	}
}

// skip notes that the records up to last are gone.
func (r *rescue) skip(ctx context.Context, last wire.Seq, hash wire.Hash) error {
	g := gap{r.chain.next, last, hash}
	r.missing += int(g.last - g.first + 1)
	r.chain = chain{next: last + 1, prev: hash}
	return writeGap(ctx, r.into, g)
}

// writeGap notes a gap in the chain.
func writeGap(ctx context.Context, db durable.Querier, g gap) error {
	_, err := db.ExecContext(ctx, `INSERT INTO gap (first, last, hash) VALUES (?, ?, ?)`, g.first, g.last, g.hash[:])
	return err
}

// survivors lists the numbers that can still be found, by reading the table
// from both ends: a damaged page in the middle hides neither side.
func survivors(ctx context.Context, db durable.Querier) []wire.Seq {
	var seqs []wire.Seq
	for _, order := range []string{"ASC", "DESC"} {
		_ = durable.Each(ctx, db, func(scan func(...any) error) error {
			var seq wire.Seq
			err := scan(&seq)
			if err == nil && seq > 0 {
				seqs = append(seqs, seq)
			}
			return err
		}, `SELECT seq FROM record NOT INDEXED WHERE seq > 0 ORDER BY seq `+order)
	}
	slices.Sort(seqs)
	return slices.Compact(seqs)
}

// Adopt takes the centre's word (wire.State) for where the chain stands, after
// damage has cost its newest records: the next record becomes number expect and
// follows head. It is refused with ErrState on a file that was never damaged,
// and while records wait, because they stand at numbers that the centre has
// given to others. Where the centre knows no more than the queue it does
// nothing.
func (q *Queue) Adopt(ctx context.Context, expect wire.Seq, centre wire.Hash) error {
	err := durable.Transact(ctx, q.writer, func(tx *sql.Tx) error {
		last, _, err := head(ctx, tx)
		if err != nil || expect <= last+1 {
			return err
		}
		var damaged, unsent int
		err = tx.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM damage),
			(SELECT count(*) FROM record WHERE `+waiting+`)`).Scan(&damaged, &unsent)
		if err != nil {
			return err
		}
		if damaged == 0 || unsent > 0 || centre.IsZero() {
			return fmt.Errorf("%w: %d times damaged, %d records waiting", ErrState, damaged, unsent)
		}
		return writeGap(ctx, tx, gap{last + 1, expect - 1, centre})
	})
	return durable.Fault("taking over the centre's place in the chain", err)
}

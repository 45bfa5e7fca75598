package queue

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/counterproof/counterproof/sync/wire"
)

// rescue carries records from a damaged file into a new one.
type rescue struct {
	from  *sql.DB
	into  *sql.Tx
	chain chain
	seen  map[wire.RecordID]bool
	tail  gap // the newest record whose name is known and that is not whole

	saved, missing int
}

// salvage copies every record of the damaged file that verifies, and notes the
// gaps between them. A file that cannot be read at all gives none.
func (d *Damage) salvage(ctx context.Context, path string, into *sql.Tx) error {
	n, err := fileSize(path)
	if err != nil || n == 0 {
		return err
	}
	if err := lengthen(path, n); err != nil {
		return err
	}
	r := rescue{from: openReader(path), into: into, chain: chain{next: 1}, seen: map[wire.RecordID]bool{}}
	defer r.from.Close()
	seqs := survivors(ctx, r.from)
	for _, seq := range seqs {
		if err := r.take(ctx, seq); err != nil {
			return err
		}
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
	d.Saved, d.Missing = r.saved, r.missing
	return r.takeNews(ctx)
}

// takeNews carries over what can be read of the news. What cannot comes again:
// where this counter stands in the centre's list is not carried over.
func (r *rescue) takeNews(ctx context.Context) error {
	var all []News
	_ = each(ctx, r.from, func(scan func(...any) error) error {
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

// maxCut is the most that lengthen adds, in bytes.
const maxCut = 1 << 30

// lengthen adds zeros to a file that was cut short, up to the length that its
// first page names: SQLite reads nothing at all of a shorter one. The bytes
// that are there stay as they are.
func lengthen(path string, n int64) error {
	first, err := readFirst(path)
	if err != nil || !first.database || first.size <= n || first.size > n+maxCut {
		return err
	}
	return os.Truncate(path, first.size)
}

// take carries one record over if it verifies and follows what went before.
// Only a failure of the new file is an error.
func (r *rescue) take(ctx context.Context, seq wire.Seq) error {
	var hash []byte
	_ = r.from.QueryRowContext(ctx, `SELECT hash FROM record WHERE seq = ?`, seq).Scan(&hash)
	e, h, err := readEnvelope(ctx, r.from, seq)
	name := e.RecHash()
	if !bytes.Equal(hash, name[:]) {
		return nil // header, signature or hash were altered
	}
	if err != nil || h.Seq != seq {
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
	if err := insert(ctx, r.into, r.item(ctx, h, e), e); err != nil {
		return err
	}
	r.chain = chain{next: seq + 1, prev: name}
	r.seen[h.Record] = true
	r.saved++
	return nil
}

// item is what the damaged file knows of a record. Where that cannot be read,
// the record counts as not sent: the centre knows one that it has already.
func (r *rescue) item(ctx context.Context, h wire.Header, e wire.Envelope) Item {
	l, err := scanLink(r.from.QueryRowContext(ctx, linkColumns+`WHERE seq = ?`, h.Seq).Scan)
	if err == nil {
		_, err = l.check()
	}
	if err == nil {
		return l.item
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
func writeGap(ctx context.Context, db querier, g gap) error {
	_, err := db.ExecContext(ctx, `INSERT INTO gap (first, last, hash) VALUES (?, ?, ?)`, g.first, g.last, g.hash[:])
	return err
}

// survivors lists the numbers that can still be found, by reading the table
// from both ends: a damaged page in the middle hides neither side.
func survivors(ctx context.Context, db querier) []wire.Seq {
	var seqs []wire.Seq
	for _, order := range []string{"ASC", "DESC"} {
		_ = each(ctx, db, func(scan func(...any) error) error {
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
	err := transact(ctx, q.writer, func(tx *sql.Tx) error {
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
	return fault("taking over the centre's place in the chain", err)
}

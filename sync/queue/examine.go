package queue

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/counterproof/counterproof/sync/queue/durable"
	"github.com/counterproof/counterproof/sync/wire"
)

// chain is where a walk through the records stands.
type chain struct {
	next wire.Seq  // the number that must come
	prev wire.Hash // the hash that it must name
	gaps []gap     // still to come, in order
}

// gap is a run of numbers whose records are not here any more.
type gap struct {
	first, last wire.Seq
	hash        wire.Hash // of the last
}

// link is a record as the chain sees it.
type link struct {
	item      Item
	header    []byte
	signature []byte
}

// add takes the next record into the chain, or says why it does not belong
// there.
func (c *chain) add(l link) error {
	c.pass()
	seq := l.item.Seq
	if seq != c.next {
		return fmt.Errorf("%w: record %d follows where %d was to come", durable.ErrDamage, seq, c.next)
	}
	h, err := l.check()
	if err != nil {
		return fmt.Errorf("%w: record %d: %w", durable.ErrDamage, seq, err)
	}
	if h.Prev != c.prev {
		return fmt.Errorf("%w: record %d does not follow the one before it", durable.ErrDamage, seq)
	}
	c.next, c.prev = seq+1, l.item.Hash
	return nil
}

// pass goes over the gap that stands here, if one does.
func (c *chain) pass() {
	for len(c.gaps) > 0 && c.gaps[0].first == c.next {
		c.next, c.prev = c.gaps[0].last+1, c.gaps[0].hash
		c.gaps = c.gaps[1:]
	}
}

// check holds the columns of a record against its signed header.
func (l link) check() (wire.Header, error) {
	if (wire.Envelope{Header: l.header, Signature: l.signature}).RecHash() != l.item.Hash {
		return wire.Header{}, errors.New("its hash is another one")
	}
	h, err := wire.DecodeHeader(l.header)
	if err != nil {
		return wire.Header{}, err
	}
	if h.Seq != l.item.Seq || h.Record != l.item.ID {
		return wire.Header{}, errors.New("its header names another record")
	}
	return h, nil
}

// Up to what size a file is read through at every start, in bytes; of a larger
// one all but the parts is, and of these the newest of this size. The others are
// held against their hashes when they are sent, and the spool has them, too.
const (
	wholeFile  = 384 << 20
	wholeParts = 128 << 20
)

// examine reads a queue's file: SQLite's own check of the pages, the chain, and
// the parts of the records that the centre does not have yet; through and through
// if thorough says so or it is small. It writes nothing, so that a damaged file
// stays as it was found.
func examine(ctx context.Context, path string, thorough bool) error {
	first, err := durable.ReadFirst(path)
	if err != nil {
		return err
	}
	if first.Database && first.WriteVersion > 2 {
		return fmt.Errorf("%w: its format has write version %d", durable.ErrDamage, first.WriteVersion)
	}
	db := durable.Reader(path)
	defer db.Close()
	size, err := durable.FileSize(path)
	if err != nil {
		return err
	}
	chain, pages := checkChain(wholeParts), checkPages
	if thorough {
		chain = checkChain(math.MaxInt64)
	} else if size > wholeFile {
		pages = checkPagesButParts
	}
	for _, check := range []func(context.Context, *sql.DB) error{checkPurpose, pages, chain, checkNews} {
		err := check(ctx, db)
		if durable.IsStatement(err) {
			err = fmt.Errorf("%w: its tables are not ours: %w", durable.ErrDamage, err)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func checkPages(ctx context.Context, db *sql.DB) error { return durable.QuickCheck(ctx, db) }

func checkPagesButParts(ctx context.Context, db *sql.DB) error {
	tables := []string{"record", "gap", "damage"}
	if v, err := version(ctx, db); err != nil || v >= 2 {
		tables = append(tables, "notice", "news")
	}
	return durable.QuickCheck(ctx, db, tables...)
}

// checkPurpose asks whether the file is a queue that this program can read.
func checkPurpose(ctx context.Context, db *sql.DB) error {
	var id int
	if err := db.QueryRowContext(ctx, `PRAGMA application_id`).Scan(&id); err != nil {
		return err
	}
	v, err := version(ctx, db)
	if err != nil {
		return err
	}
	if id != applicationID || v < 1 || v > schemaVersion {
		return fmt.Errorf("%w: application %x, version %d", ErrForeign, id, v)
	}
	return nil
}

// version is that of a file's tables.
func version(ctx context.Context, db durable.Querier) (v int, err error) {
	return v, db.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&v)
}

// checkNews reads every notice, where the file is of a version that has them.
func checkNews(ctx context.Context, db *sql.DB) error {
	v, err := version(ctx, db)
	if err != nil || v < 2 {
		return err
	}
	return durable.Each(ctx, db, func(scan func(...any) error) error {
		_, err := scanNews(scan)
		return err
	}, newsColumns)
}

// checkChain walks through the records, then reads the newest waiting ones whole,
// up to a limit in bytes.
func checkChain(limit int64) func(context.Context, *sql.DB) error {
	return func(ctx context.Context, db *sql.DB) error {
		unsent, err := walk(ctx, db)
		if err != nil {
			return err
		}
		for _, it := range slices.Backward(unsent) {
			if limit -= it.Size; limit < 0 {
				break
			}
			if _, _, err := readEnvelope(ctx, db, it.Seq); err != nil {
				return err
			}
		}
		return nil
	}
}

// walk goes along the chain and returns the records that wait.
func walk(ctx context.Context, db *sql.DB) (unsent []Item, err error) {
	gaps, err := readGaps(ctx, db)
	if err != nil {
		return nil, err
	}
	c := chain{next: 1, gaps: gaps}
	err = durable.Each(ctx, db, func(scan func(...any) error) error {
		l, err := scanLink(scan)
		if err != nil {
			return err
		}
		if s := l.item.State; s == wire.Sealed || s == wire.BlobsSent {
			unsent = append(unsent, Item{Seq: l.item.Seq, Size: l.item.Size})
		}
		return c.add(l)
	}, linkColumns+`ORDER BY seq`)
	if err != nil {
		return nil, err
	}
	if c.pass(); len(c.gaps) > 0 {
		return nil, fmt.Errorf("%w: a gap stands outside the chain", durable.ErrDamage)
	}
	return unsent, nil
}

// linkColumns are what scanLink reads.
const linkColumns = `SELECT header, signature, seq, id, hash, state, created, size, attempts, next, kind, receipt, refusal FROM record `

// scanLink reads a row of linkColumns.
func scanLink(scan func(...any) error) (link, error) {
	var l link
	var err error
	l.item, err = scanItem(func(into ...any) error {
		return scan(append([]any{&l.header, &l.signature}, into...)...)
	})
	return l, err
}

// readGaps reads the gaps in order.
func readGaps(ctx context.Context, db durable.Querier) ([]gap, error) {
	var gaps []gap
	err := durable.Each(ctx, db, func(scan func(...any) error) error {
		var g gap
		var hash []byte
		if err := scan(&g.first, &g.last, &hash); err != nil {
			return err
		}
		if g.first < 1 || g.last < g.first || len(hash) != len(g.hash) {
			return fmt.Errorf("%w: a gap from %d to %d", durable.ErrDamage, g.first, g.last)
		}
		copy(g.hash[:], hash)
		gaps = append(gaps, g)
		return nil
	}, `SELECT first, last, hash FROM gap ORDER BY first`)
	return gaps, err
}

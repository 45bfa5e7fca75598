package queue

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/counterproof/counterproof/sync/wire"
	"github.com/mattn/go-sqlite3"
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
		return fmt.Errorf("%w: record %d follows where %d was to come", errDamage, seq, c.next)
	}
	h, err := l.check()
	if err != nil {
		return fmt.Errorf("%w: record %d: %w", errDamage, seq, err)
	}
	if h.Prev != c.prev {
		return fmt.Errorf("%w: record %d does not follow the one before it", errDamage, seq)
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

// examine reads a queue's file through and through: SQLite's own check of the
// pages, the chain, and the parts of every record that the centre does not have
// yet. It writes nothing, so that a damaged file stays as it was found.
func examine(ctx context.Context, path string) error {
	first, err := readFirst(path)
	if err != nil {
		return err
	}
	if first.database && first.writeVersion > 2 {
		return fmt.Errorf("%w: its format has write version %d", errDamage, first.writeVersion)
	}
	db := openReader(path)
	defer db.Close()
	for _, check := range []func(context.Context, *sql.DB) error{checkPurpose, quickCheck, checkChain, checkNews} {
		if err := check(ctx, db); err != nil {
			if e, ok := errors.AsType[sqlite3.Error](err); ok && e.Code == sqlite3.ErrError {
				return fmt.Errorf("%w: its tables are not ours: %w", errDamage, err)
			}
			return err
		}
	}
	return nil
}

// firstPage is what is needed of a file's beginning (SQLite file format, §1.3).
type firstPage struct {
	database     bool // it begins as a database does
	size         int64
	writeVersion byte // above 2 SQLite takes the file for read-only
}

// readFirst reads the beginning of a file; the size is the one that it names.
func readFirst(path string) (firstPage, error) {
	f, err := os.Open(path)
	if err != nil {
		return firstPage{}, err
	}
	defer f.Close()
	var b [32]byte
	n, err := io.ReadFull(f, b[:])
	if err != nil && n == 0 {
		return firstPage{}, err
	}
	page := int64(binary.BigEndian.Uint16(b[16:]))
	if page == 1 {
		page = 1 << 16
	}
	return firstPage{
		database:     bytes.HasPrefix(b[:], []byte("SQLite format 3\x00")),
		size:         page * int64(binary.BigEndian.Uint32(b[28:])),
		writeVersion: b[18],
	}, nil
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
func version(ctx context.Context, db querier) (v int, err error) {
	return v, db.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&v)
}

// checkNews reads every notice, where the file is of a version that has them.
func checkNews(ctx context.Context, db *sql.DB) error {
	v, err := version(ctx, db)
	if err != nil || v < 2 {
		return err
	}
	return each(ctx, db, func(scan func(...any) error) error {
		_, err := scanNews(scan)
		return err
	}, newsColumns)
}

// quickCheck is SQLite's own look at every page.
func quickCheck(ctx context.Context, db *sql.DB) error {
	return each(ctx, db, func(scan func(...any) error) error {
		var said string
		if err := scan(&said); err != nil {
			return err
		}
		if said != "ok" {
			return fmt.Errorf("%w: %s", errDamage, said)
		}
		return nil
	}, `PRAGMA quick_check(1)`)
}

// checkChain walks through the records, then reads the waiting ones whole.
func checkChain(ctx context.Context, db *sql.DB) error {
	gaps, err := readGaps(ctx, db)
	if err != nil {
		return err
	}
	c := chain{next: 1, gaps: gaps}
	var unsent []wire.Seq
	err = each(ctx, db, func(scan func(...any) error) error {
		l, err := scanLink(scan)
		if err != nil {
			return err
		}
		if s := l.item.State; s == wire.Sealed || s == wire.BlobsSent {
			unsent = append(unsent, l.item.Seq)
		}
		return c.add(l)
	}, linkColumns+`ORDER BY seq`)
	if err != nil {
		return err
	}
	if c.pass(); len(c.gaps) > 0 {
		return fmt.Errorf("%w: a gap stands outside the chain", errDamage)
	}
	for _, seq := range unsent {
		if _, _, err := readEnvelope(ctx, db, seq); err != nil {
			return err
		}
	}
	return nil
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
func readGaps(ctx context.Context, db querier) ([]gap, error) {
	var gaps []gap
	err := each(ctx, db, func(scan func(...any) error) error {
		var g gap
		var hash []byte
		if err := scan(&g.first, &g.last, &hash); err != nil {
			return err
		}
		if g.first < 1 || g.last < g.first || len(hash) != len(g.hash) {
			return fmt.Errorf("%w: a gap from %d to %d", errDamage, g.first, g.last)
		}
		copy(g.hash[:], hash)
		gaps = append(gaps, g)
		return nil
	}, `SELECT first, last, hash FROM gap ORDER BY first`)
	return gaps, err
}

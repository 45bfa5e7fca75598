package fleet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/counterproof/counterproof/sync/fleet/ledger"
	"github.com/counterproof/counterproof/sync/seal"
	"github.com/counterproof/counterproof/sync/store"
)

// judge holds what the counters know against what the centre stored.
func (f *fleet) judge(ctx context.Context) (Report, error) {
	r := f.report()
	sealed, err := f.compare(ctx, &r)
	if err != nil {
		return r, err
	}
	if err := f.search(sealed, &r); err != nil {
		return r, err
	}
	r.Total = seconds(time.Since(f.begun))
	return r, nil
}

// page is how many records are read from the store at once, and largePage where
// they have a large part.
const page, largePage = 500, 20

// compare reads the whole log past the checker, and returns sealed bytes that
// must be on the centre's disk.
func (f *fleet) compare(ctx context.Context, r *Report) (sealed []byte, err error) {
	s, err := openStore(ctx, f.cfg.Store, f.base.source, centreDir(f.cfg.Dir))
	if err != nil {
		return nil, err
	}
	defer s.Close()
	log, err := breakStore(s, f.cfg.Break, centreDir(f.cfg.Dir))
	if err != nil {
		return nil, err
	}
	var ledgers []*ledger.Ledger
	for _, a := range f.agents {
		if a.id != "" {
			ledgers = append(ledgers, a.ledger)
		}
	}
	believed, err := f.whole.Ledgers(ctx)
	if err != nil {
		return nil, err
	}
	ledgers = append(ledgers, believed...)
	c := ledger.NewChecker(ledgers)
	limit := page
	if f.cfg.Blob > 0 {
		limit = largePage
	}
	for after := uint64(0); ; {
		records, err := log.Records(ctx, after, limit)
		if err != nil {
			return nil, err
		}
		if len(records) == 0 {
			break
		}
		for _, rec := range records {
			c.Add(rec)
			after = max(after, rec.Receipt.LogIndex)
			f.open(rec, r)
			if len(rec.Envelope.Parts) > 0 {
				sealed = rec.Envelope.Parts[0].Sealed
			}
		}
	}
	r.Findings = c.Findings()
	return sealed, nil
}

// open opens one stored record with the key that the counters never had.
func (f *fleet) open(rec store.Record, r *Report) {
	r.Opened++
	h, err := rec.Envelope.Check()
	if err != nil {
		r.Unopened++
		return
	}
	plain, err := seal.Open(f.key, rec.Envelope.Parts[0], h.Parts[0], seal.Binding(h.Record, f.to.Part, true))
	if err != nil || !bytes.Contains(plain, h.Record[:]) || !bytes.Contains(plain, f.marks[0]) {
		r.Unopened++
	}
}

// marks are what stands in clear inside every record: a name, a number and the
// beginning of a picture, of an invented person of this run alone.
func marks(seed uint64) [][]byte {
	return [][]byte{
		fmt.Appendf(nil, "SPECIMEN<<FLEET<%08X<<<<", seed),
		fmt.Appendf(nil, "Z9%012d", seed),
		fmt.Appendf([]byte{0xff, 0xd8, 0xff, 0xe0, 0, 16}, "JFIF fleet %d", seed),
	}
}

// search looks for the markers, and for sealed bytes, in every file that the
// centre or its database wrote.
func (f *fleet) search(sealed []byte, r *Report) error {
	if len(sealed) > 64 {
		sealed = sealed[32:64]
	}
	for _, dir := range f.base.dirs(f.cfg.Dir) {
		if err := f.searchDir(dir, sealed, r); err != nil {
			return fmt.Errorf("searching the centre's disk: %w", err)
		}
	}
	return nil
}

func (f *fleet) searchDir(dir string, sealed []byte, r *Report) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, os.ErrNotExist) {
			return nil // a database that runs removes files
		}
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		r.Searched += int64(len(b))
		for _, m := range f.marks {
			r.Readable += bytes.Count(b, m)
		}
		r.Sighted = r.Sighted || len(sealed) == 32 && bytes.Contains(b, sealed)
		return err
	})
}

// Package spool keeps a second copy of every record that waits, beside the
// queue's database: one file a record, written once, synced before the database
// answers, and removed when the centre holds the record. Where the database is
// damaged, it is rebuilt from here.
//
// It changes no file after it was written, opens no record and has no order of
// its own but the chain's numbers.
//
// # The laws
//
//   - Put returns after the bytes and the name are on the disk.
//   - A file's damage concerns that record alone, and shows: each is a parcel of
//     one record with its digest.
//   - A file that does not read is left where it is.
package spool

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/counterproof/counterproof/sync/queue/durable"
	"github.com/counterproof/counterproof/sync/queue/parcel"
	"github.com/counterproof/counterproof/sync/wire"
)

// Endings of the files: a record, and one that is being written.
const (
	suffix     = ".record"
	halfSuffix = ".half"
)

// Spool is a folder of records. It is safe for use by several goroutines.
type Spool struct{ dir string }

// Entry names one record of the spool.
type Entry struct {
	Seq  wire.Seq
	Hash wire.Hash
}

// Open opens the folder, and makes it for its owner only. A link to a folder on
// another disk is as good, and safer. Halves that a crash left are removed:
// nobody was answered.
func Open(dir string) (*Spool, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("opening the spool: %w", err)
	}
	half, err := filepath.Glob(filepath.Join(dir, "*"+halfSuffix))
	if err != nil {
		return nil, fmt.Errorf("opening the spool: %w", err)
	}
	for _, path := range half {
		if err := os.Remove(path); err != nil {
			return nil, fmt.Errorf("opening the spool: %w", err)
		}
	}
	return &Spool{dir}, nil
}

// path is where a record lies.
func (s *Spool) path(e Entry) string {
	return filepath.Join(s.dir, fmt.Sprintf("%012d-%s%s", e.Seq, e.Hash, suffix))
}

// Put stores a record. One that is there already stays.
func (s *Spool) Put(seq wire.Seq, e wire.Envelope) error {
	if err := s.put(s.path(Entry{seq, e.RecHash()}), e); err != nil {
		return fmt.Errorf("spooling a record: %w", err)
	}
	return nil
}

func (s *Spool) put(path string, e wire.Envelope) error {
	f, err := os.OpenFile(path+halfSuffix, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer os.Remove(path + halfSuffix)
	var b bytes.Buffer
	_, err = parcel.Write(&b, func(yield func(wire.Envelope, error) bool) { yield(e, nil) })
	if err == nil {
		_, err = f.Write(b.Bytes())
	}
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(path+halfSuffix, path); err != nil {
		return err
	}
	return durable.SyncFolder(s.dir)
}

// Get reads a record and checks that it is the named one.
func (s *Spool) Get(e Entry) (wire.Envelope, error) {
	f, err := os.Open(s.path(e))
	if err != nil {
		return wire.Envelope{}, fmt.Errorf("reading the spool: %w", err)
	}
	defer f.Close()
	for got, err := range parcel.Read(f) {
		if err == nil && got.RecHash() != e.Hash {
			err = errors.New("it holds another record")
		}
		if err != nil {
			return wire.Envelope{}, fmt.Errorf("reading the spool: %w", err)
		}
		return got, nil
	}
	return wire.Envelope{}, fmt.Errorf("reading the spool: %w", io.ErrUnexpectedEOF)
}

// Drop removes a record. One that is not there is no error.
func (s *Spool) Drop(e Entry) error {
	if err := os.Remove(s.path(e)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("clearing the spool: %w", err)
	}
	return nil
}

// Entries lists the records by their names, in the chain's order. Several may
// have one number: storing one of them failed later.
func (s *Spool) Entries() ([]Entry, error) {
	files, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, fmt.Errorf("listing the spool: %w", err)
	}
	var all []Entry
	for _, f := range files {
		if e, ok := parseName(f.Name()); ok {
			all = append(all, e)
		}
	}
	slices.SortStableFunc(all, func(a, b Entry) int { return int(min(max(int64(a.Seq)-int64(b.Seq), -1), 1)) })
	return all, nil
}

// parseName reads a record's file name.
func parseName(name string) (Entry, bool) {
	name, ok := strings.CutSuffix(name, suffix)
	number, digest, ok2 := strings.Cut(name, "-")
	seq, err := strconv.ParseUint(number, 10, 63)
	sum, err2 := wire.ParseHash(digest)
	return Entry{wire.Seq(seq), sum}, ok && ok2 && err == nil && err2 == nil && seq > 0
}

// Chain yields the records that go on from a place in the chain: the one that
// follows prev under the number next, then the one after it, and so on while
// there are any that read.
func (s *Spool) Chain(next wire.Seq, prev wire.Hash) iter.Seq2[Entry, wire.Envelope] {
	return func(yield func(Entry, wire.Envelope) bool) {
		all, err := s.Entries()
		if err != nil {
			return // no spool helps no less than an empty one
		}
		for _, entry := range all {
			if entry.Seq != next {
				continue
			}
			e, err := s.Get(entry)
			if err != nil {
				continue
			}
			h, err := e.Check()
			if err != nil || h.Seq != next || h.Prev != prev {
				continue
			}
			if !yield(entry, e) {
				return
			}
			next, prev = next+1, entry.Hash
		}
	}
}

package spool

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/counterproof/counterproof/sync/wire"
)

// open opens a spool in a new folder.
func open(t testing.TB) *Spool {
	t.Helper()
	s, err := Open(filepath.Join(t.TempDir(), "spool"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// record makes a record that follows another; salt tells records of one place
// apart. Nobody here looks at signatures.
func record(seq wire.Seq, prev wire.Hash, salt byte) wire.Envelope {
	part := wire.Part{Name: "claims", Sealed: bytes.Repeat([]byte{salt}, 500)}
	h := wire.Header{Version: 1, Agent: "agent-1", Seq: seq, Prev: prev, Record: wire.RecordID{byte(seq), salt},
		Parts: []wire.PartInfo{{Name: "claims", Recipient: "k", Len: 500, SHA256: wire.HashOf(part.Sealed)}}}
	return wire.Envelope{Header: h.Encode(), Signature: []byte{salt}, Parts: []wire.Part{part}}
}

// put stores a chain of n records and names them.
func put(t testing.TB, s *Spool, n int) (chain []Entry) {
	t.Helper()
	var prev wire.Hash
	for i := range n {
		e := record(wire.Seq(i+1), prev, 1)
		if err := s.Put(wire.Seq(i+1), e); err != nil {
			t.Fatal(err)
		}
		prev = e.RecHash()
		chain = append(chain, Entry{wire.Seq(i + 1), prev})
	}
	return chain
}

// follow names what goes on from a place.
func follow(s *Spool, next wire.Seq, prev wire.Hash) (all []Entry) {
	for entry, e := range s.Chain(next, prev) {
		if e.RecHash() == entry.Hash {
			all = append(all, entry)
		}
	}
	return all
}

func TestPutAndGet(t *testing.T) {
	t.Parallel()
	s := open(t)
	chain := put(t, s, 3)
	if err := s.Put(1, record(1, wire.Hash{}, 1)); err != nil {
		t.Errorf("the same again: %v", err)
	}
	got, err := s.Entries()
	if err != nil || !slices.Equal(got, chain) {
		t.Errorf("got %v, %v", got, err)
	}
	e, err := s.Get(chain[1])
	if err != nil || e.RecHash() != chain[1].Hash || len(e.Parts) != 1 || len(e.Parts[0].Sealed) != 500 {
		t.Errorf("got %v with %d parts", err, len(e.Parts))
	}
	if err := errors.Join(s.Drop(chain[1]), s.Drop(chain[1])); err != nil {
		t.Error(err)
	}
	if _, err := s.Get(chain[1]); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("dropped: %v", err)
	}
	fi, err := os.Stat(s.path(chain[0]))
	if err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("others may read it: %v, %v", fi.Mode(), err)
	}
}

func TestChain(t *testing.T) {
	t.Parallel()
	s := open(t)
	chain := put(t, s, 4)
	// Storing this one failed later, and another took its place.
	if err := s.Put(3, record(3, chain[1].Hash, 9)); err != nil {
		t.Fatal(err)
	}
	if err := s.Drop(chain[3]); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		next wire.Seq
		prev wire.Hash
		want int
	}{
		"from-the-beginning": {1, wire.Hash{}, 3},
		"from-the-middle":    {2, chain[0].Hash, 2},
		"another-chain":      {2, wire.HashOf(nil), 0},
		"after-the-end":      {5, chain[3].Hash, 0},
	} {
		if got := follow(s, c.next, c.prev); len(got) != c.want {
			t.Errorf("%s: got %d, want %d", name, len(got), c.want)
		}
	}
}

// Whatever happens to a file, no other record suffers, and nothing altered is
// taken for a record.
func TestDamagedFiles(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(path string) error{
		"cut":     func(path string) error { return os.Truncate(path, 300) },
		"empty":   func(path string) error { return os.Truncate(path, 0) },
		"altered": func(path string) error { return alter(path) },
		"folder":  func(path string) error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o700)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			chain := put(t, s, 3)
			if err := change(s.path(chain[1])); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Get(chain[1]); err == nil {
				t.Error("it was taken for a record")
			}
			if _, err := s.Get(chain[2]); err != nil {
				t.Errorf("the next one: %v", err)
			}
			if got := follow(s, 1, wire.Hash{}); len(got) != 1 {
				t.Errorf("followed %d records", len(got))
			}
			if _, err := os.Stat(s.path(chain[1])); err != nil {
				t.Errorf("it was removed: %v", err)
			}
		})
	}
}

// alter changes one byte in the middle.
func alter(path string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	b[len(b)/2] ^= 1
	return os.WriteFile(path, b, 0o600)
}

// A crash in the middle of Put leaves a half that is no record and is cleared.
func TestHalves(t *testing.T) {
	t.Parallel()
	s := open(t)
	chain := put(t, s, 1)
	half := s.path(Entry{2, wire.HashOf(nil)}) + halfSuffix
	for _, path := range []string{half, filepath.Join(s.dir, "notes.txt")} {
		if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, err := Open(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.Entries(); err != nil || !slices.Equal(got, chain) {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := os.Stat(half); !errors.Is(err, os.ErrNotExist) {
		t.Error("the half is there")
	}
	if _, err := os.Stat(filepath.Join(s.dir, "notes.txt")); err != nil {
		t.Errorf("somebody else's file: %v", err)
	}
}

func TestNoPlace(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(filepath.Join(file, "spool")); err == nil {
		t.Error("opened")
	}
	s := open(t)
	if err := os.RemoveAll(s.dir); err != nil {
		t.Fatal(err)
	}
	if err := s.Put(1, record(1, wire.Hash{}, 1)); err == nil {
		t.Error("stored nowhere")
	}
	if got := follow(s, 1, wire.Hash{}); got != nil {
		t.Errorf("followed %v", got)
	}
}

package fetch_test

import (
	"bytes"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/counterproof/counterproof/sync/uplink/fetch"
	"github.com/counterproof/counterproof/sync/wire"
)

// shelf keeps what it takes in memory.
type shelf struct {
	got  [][]byte
	held map[wire.Hash]bool
	err  error
}

func (s *shelf) Has(f wire.File) bool { return s.held[f.SHA256] }

func (s *shelf) Take(f wire.File, data []byte) error {
	s.got = append(s.got, data)
	if s.err == nil {
		s.held[f.SHA256] = true
	}
	return s.err
}

// centre has files, and counts what it is asked.
type centre struct {
	files map[wire.Hash][]byte
	asked int
	fails bool
	lies  bool
}

// name puts a file into the centre and gives its entry.
func (c *centre) name(data []byte) wire.File {
	sha := wire.HashOf(data)
	c.files[sha] = data
	return wire.File{Name: wire.FileChips, Version: 1, SHA256: sha, Len: uint64(len(data))}
}

func (c *centre) ask(f wire.File, at, end uint64) ([]byte, error) {
	c.asked++
	if c.fails {
		return nil, errors.New("the line is down")
	}
	got := bytes.Clone(c.files[f.SHA256][at:end])
	if c.lies {
		got[0] ^= 1
	}
	return got, nil
}

// rig is a fetcher with a shelf and a centre.
func rig() (*fetch.Files, *shelf, *centre) {
	s := &shelf{held: map[wire.Hash]bool{}}
	return &fetch.Files{Shelf: s, Log: slog.New(slog.DiscardHandler)}, s, &centre{files: map[wire.Hash][]byte{}}
}

// all fetches until there is nothing more to do at once.
func all(k *fetch.Files, c *centre, named ...wire.File) {
	for k.Piece(named, c.ask) {
	}
}

// TestPieces: a file comes in pieces of half a megabyte, whole, once.
func TestPieces(t *testing.T) {
	t.Parallel()
	for size, pieces := range map[int]int{1: 1, 512 << 10: 1, 512<<10 + 1: 2, 3_000_000: 6} {
		k, s, c := rig()
		data := bytes.Repeat([]byte{7}, size)
		f := c.name(data)
		all(k, c, f)
		all(k, c, f)
		if c.asked != pieces || len(s.got) != 1 || !bytes.Equal(s.got[0], data) {
			t.Errorf("%d bytes: asked %d times, took %d files", size, c.asked, len(s.got))
		}
	}
}

// TestNothingToDo: without a shelf, and for what is on it or can be no file,
// nothing is asked.
func TestNothingToDo(t *testing.T) {
	t.Parallel()
	k, s, c := rig()
	f := c.name([]byte("held"))
	s.held[f.SHA256] = true
	all(k, c, f, wire.File{Name: wire.FileChips, SHA256: wire.Hash{1}, Len: wire.MaxFile + 1}, wire.File{})
	all(new(fetch.Files), c, c.name([]byte("unwanted")))
	if c.asked != 0 {
		t.Errorf("asked %d times", c.asked)
	}
}

// TestRefused: what the shelf refuses is not asked for again, and the next file
// is.
func TestRefused(t *testing.T) {
	t.Parallel()
	k, s, c := rig()
	s.err = errors.New("it is older")
	f := c.name([]byte("older"))
	all(k, c, f)
	all(k, c, f)
	s.err = nil
	all(k, c, c.name([]byte("newer")))
	if len(s.got) != 2 || string(s.got[1]) != "newer" {
		t.Errorf("took %q", s.got)
	}
}

// TestFailure: a line that is down, or that alters what it carries, is asked again
// after minutes, not at once; what had come before the cut is kept.
func TestFailure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k, s, c := rig()
		f := c.name(bytes.Repeat([]byte{7}, 1<<20))
		if !k.Piece([]wire.File{f}, c.ask) {
			t.Fatal("the first piece did not come")
		}
		c.fails = true
		for range 5 {
			all(k, c, f)
		}
		if c.asked != 2 {
			t.Errorf("asked %d times of a line that is down", c.asked)
		}
		time.Sleep(11 * time.Minute)
		c.fails, c.lies = false, true
		all(k, c, f)
		if len(s.got) != 0 || c.asked != 3 {
			t.Errorf("took %d files that were altered, asked %d times", len(s.got), c.asked)
		}
		time.Sleep(11 * time.Minute)
		c.lies = false
		all(k, c, f)
		if len(s.got) != 1 || c.asked != 5 {
			t.Errorf("took %d files, asked %d times", len(s.got), c.asked)
		}
	})
}

// TestChanged: where the bundle names another file in the middle, that one comes.
func TestChanged(t *testing.T) {
	t.Parallel()
	k, s, c := rig()
	k.Piece([]wire.File{c.name(bytes.Repeat([]byte{7}, 1<<20))}, c.ask)
	all(k, c, c.name([]byte("next")))
	if len(s.got) != 1 || string(s.got[0]) != "next" {
		t.Errorf("took %d files", len(s.got))
	}
}

package sqlite

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// TestErasedFromTheDisk: what was erased is not left in the file's free pages, nor
// in the write-ahead log, while the store is open.
func TestErasedFromTheDisk(t *testing.T) {
	t.Parallel()
	s, path, stored := three(t)
	found := func(marker string) bool {
		files, err := filepath.Glob(path + "*")
		if err != nil || len(files) < 2 {
			t.Fatalf("got %v (%v)", files, err)
		}
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(b, []byte(marker)) {
				return true
			}
		}
		return false
	}
	if !found("marker of record 2") {
		t.Fatal("the control: the record is not to be found at all")
	}
	leaf := wire.Leaf{Kind: wire.LeafTombstone, At: time.UnixMilli(1_800_000_000_000), By: "pat", Subject: stored[1].Envelope.RecHash(), Index: 2, Word: "erase_request"}
	if err := s.Erase(t.Context(), 2, leaf); err != nil {
		t.Fatal(err)
	}
	if found("marker of record 2") {
		t.Error("the erased record is still on the disk")
	}
	if !found("marker of record 1") || !found("marker of record 3") {
		t.Error("its neighbours are gone")
	}
}

// TestFoundAfterMigrating: records of a file that was made before there was an
// office are found by their slips.
func TestFoundAfterMigrating(t *testing.T) {
	t.Parallel()
	s, newest, stored := three(t)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	path := older(t, newest, 2)
	if _, _, err := Migrate(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	got, err := s.Find(t.Context(), stored[0].Header.Record.Ref())
	if err != nil || len(got) != 3 || got[0].Record != stored[0].Header.Record || got[0].Receipt.RecHash != stored[0].Envelope.RecHash() {
		t.Errorf("got %+v, %v", got, err)
	}
	agents, err := s.Agents(t.Context(), "", 10)
	if err != nil || len(agents) != 1 || agents[0].Status != store.Active {
		t.Errorf("got %+v, %v", agents, err)
	}
}

// TestClosedOffice: the office of a closed store fails and does nothing.
func TestClosedOffice(t *testing.T) {
	t.Parallel()
	s, _ := openTemp(t)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, leaf := t.Context(), wire.Leaf{Kind: wire.LeafDeed, By: "pat", At: time.UnixMilli(0)}
	_, agents := s.Agents(ctx, "", 1)
	_, change := s.Change(ctx, "a", leaf, func(a store.Agent) (store.Agent, error) { return a, nil })
	_, find := s.Find(ctx, wire.RecordID{}.Ref())
	_, wrong := s.Find(ctx, "no reference")
	_, flags := s.Flags(ctx, 0, 1)
	raise := s.Raise(ctx, "o", []wire.Flag{{Kind: wire.FlagPace}})
	for i, err := range []error{agents, change, find, wrong, flags, raise, s.Erase(ctx, 1, leaf), s.Settle(ctx, 1, "fraud", leaf)} {
		if err == nil || errors.Is(err, store.ErrUnknown) || errors.Is(err, store.ErrPlace) {
			t.Errorf("call %d on a closed store: got %v", i, err)
		}
	}
}

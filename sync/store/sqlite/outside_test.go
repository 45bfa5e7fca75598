package sqlite

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/counterproof/counterproof/sync/object"
	"github.com/counterproof/counterproof/sync/object/dir"
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/store/storetest"
	"github.com/counterproof/counterproof/sync/wire"
)

func TestContractOutside(t *testing.T) {
	t.Parallel()
	storetest.RunOutside(t, func(ctx context.Context, dir string, o object.Store) (storetest.Store, error) {
		return OpenWith(ctx, filepath.Join(dir, "centre.db"), Config{Objects: o})
	})
}

// openOutside opens a store whose blobs lie beside it.
func openOutside(t *testing.T, folder string, wrap func(object.Store) object.Store) *Store {
	t.Helper()
	o, err := dir.Open(filepath.Join(folder, "objects"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := OpenWith(t.Context(), filepath.Join(folder, "centre.db"), Config{Objects: wrap(o)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// plain leaves objects as they are.
func plain(o object.Store) object.Store { return o }

// deadly ends the process, without a word, as soon as an object is stored.
type deadly struct{ object.Store }

func (d deadly) Put(ctx context.Context, name wire.Hash, data []byte) error {
	if err := d.Store.Put(ctx, name, data); err != nil {
		return err
	}
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		return err
	}
	if err := self.Kill(); err != nil {
		return err
	}
	select {} // until it strikes
}

// killedIn names the folder for the process that is to be killed.
const killedIn = "COUNTERPROOF_TEST_KILLED_IN"

// TestKilledBetween: a centre that is killed after the object and before the
// commit has lost nothing that it answered, and the object too many is swept.
func TestKilledBetween(t *testing.T) {
	first, second := []byte("picture one"), []byte("picture two")
	piece := func(data []byte) store.Piece {
		return store.Piece{Agent: "a", SHA256: wire.HashOf(data), Data: data, Last: true}
	}
	if folder := os.Getenv(killedIn); folder != "" {
		_, err := openOutside(t, folder, func(o object.Store) object.Store { return deadly{o} }).PutBlob(t.Context(), piece(second))
		t.Fatalf("outlived its end: %v", err)
	}
	folder := t.TempDir()
	s := openOutside(t, folder, plain)
	if _, err := s.PutBlob(t.Context(), piece(first)); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilledBetween$")
	child.Env = append(os.Environ(), killedIn+"="+folder)
	if out, err := child.CombinedOutput(); err == nil || bytes.Contains(out, []byte("outlived")) {
		t.Fatalf("the process was not killed (%v): %s", err, out)
	}
	s = openOutside(t, folder, plain)
	for i, c := range []struct {
		data []byte
		held bool
	}{{first, true}, {second, false}} {
		got, err := s.Blob(t.Context(), "a", wire.HashOf(c.data))
		if err != nil || got.Complete != c.held {
			t.Errorf("blob %d: got %+v (%v), want complete %v", i+1, got, err, c.held)
		}
		if _, err := s.objects.Get(t.Context(), wire.HashOf(c.data)); err != nil {
			t.Errorf("object %d: %v", i+1, err)
		}
	}
	if removed, err := s.Sweep(t.Context()); err != nil || removed != 1 {
		t.Errorf("swept: got %d (%v), want 1", removed, err)
	}
	if got, err := s.PutBlob(t.Context(), piece(second)); err != nil || !got.Complete {
		t.Errorf("sent again: got %+v (%v)", got, err)
	}
}

// TestNothingOfItInside: what went outside is in none of the database's files,
// so that erasing the object erases it.
func TestNothingOfItInside(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	s := openOutside(t, folder, plain)
	data := bytes.Repeat([]byte("sealed picture "), 20_000)
	if _, err := s.PutBlob(t.Context(), store.Piece{Agent: "a", SHA256: wire.HashOf(data), Data: data, Last: true}); err != nil {
		t.Fatal(err)
	}
	for _, suffix := range []string{"", "-wal"} {
		raw, err := os.ReadFile(filepath.Join(folder, "centre.db"+suffix))
		if err != nil || bytes.Contains(raw, []byte("sealed picture")) {
			t.Errorf("the file %q has some of it (%v)", suffix, err)
		}
	}
}

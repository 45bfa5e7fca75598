package dir

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/counterproof/counterproof/sync/object"
	"github.com/counterproof/counterproof/sync/object/objecttest"
	"github.com/counterproof/counterproof/sync/wire"
)

// world is an empty directory.
func world(t *testing.T) objecttest.World {
	root := filepath.Join(t.TempDir(), "a [b] *?")
	return objecttest.World{
		Open: func(context.Context) (object.Store, error) { return Open(root) },
		Spoil: func(_ context.Context, name wire.Hash, data []byte) error {
			return os.WriteFile((&Store{root: root}).place(name), data, 0o600)
		},
	}
}

func TestContract(t *testing.T) {
	t.Parallel()
	objecttest.Run(t, world)
}

// opened is a store in an empty directory with one object.
func opened(t *testing.T) (s *Store, name wire.Hash) {
	t.Helper()
	s, err := Open(filepath.Join(t.TempDir(), "objects"))
	if err != nil {
		t.Fatal(err)
	}
	data := []byte("sealed")
	name = wire.HashOf(data)
	if err := s.Put(t.Context(), name, data); err != nil {
		t.Fatal(err)
	}
	return s, name
}

// TestPrivate: objects, though sealed, are nobody else's.
func TestPrivate(t *testing.T) {
	t.Parallel()
	s, name := opened(t)
	for path, want := range map[string]os.FileMode{
		s.root: 0o700, filepath.Dir(s.place(name)): 0o700, s.place(name): 0o600,
	} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: got %v (%v), want %v", filepath.Base(path), info.Mode().Perm(), err, want)
		}
	}
}

// TestHalves: what a crash left half is never an object, and goes once it is old.
func TestHalves(t *testing.T) {
	t.Parallel()
	s, name := opened(t)
	young, old := filepath.Join(s.root, half+"1"), filepath.Join(s.root, half+"2")
	for _, path := range []string{young, old} {
		if err := os.WriteFile(path, []byte("seal"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	past := time.Now().Add(-2 * halfAge)
	if err := os.Chtimes(old, past, past); err != nil {
		t.Fatal(err)
	}
	s, err := Open(s.root)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(young); err != nil {
		t.Errorf("what may still be written was removed: %v", err)
	}
	if _, err := os.Stat(old); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an old half stayed: %v", err)
	}
	names, err := s.List(t.Context(), wire.Hash{}, 10)
	if err != nil || len(names) != 1 || names[0] != name {
		t.Errorf("got %v (%v), want the one object", names, err)
	}
}

// TestNoDisk: a directory that cannot be there is refused, not taken for empty.
func TestNoDisk(t *testing.T) {
	t.Parallel()
	if _, err := Open(filepath.Join(t.TempDir(), "unmounted", "objects")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got error %v, want %v", err, os.ErrNotExist)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(file); err == nil {
		t.Error("a file was taken for a directory")
	}
}

// TestOutOfReach: a disk that fails is no missing object.
func TestOutOfReach(t *testing.T) {
	t.Parallel()
	s, name := opened(t)
	if err := errors.Join(os.Remove(s.place(name)), os.Mkdir(s.place(name), 0o700)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(t.Context(), name); err == nil || object.Gone(err) {
		t.Errorf("got error %v, want one that may pass", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Get(ended, name)
	_, err2 := s.List(ended, wire.Hash{}, 1)
	for i, err := range []error{err, err2, s.Put(ended, name, nil), s.Delete(ended, name)} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("call %d: got error %v, want %v", i, err, context.Canceled)
		}
	}
}

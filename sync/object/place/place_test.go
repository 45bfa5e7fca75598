package place

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/counterproof/counterproof/sync/wire"
)

// TestOpen: a setting names exactly one place, or is refused.
func TestOpen(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		setting string
		store   bool
		want    error
	}{
		"empty":     {"", false, nil},
		"database":  {Database, false, nil},
		"directory": {filepath.Join(t.TempDir(), "blobs"), true, nil},
		"relative":  {"blobs", false, ErrScheme},
		"bucket":    {"s3://host/bucket", false, ErrS3},
		"scheme":    {"gs://bucket", false, ErrScheme},
	} {
		got, err := Open(c.setting)
		if !errors.Is(err, c.want) || (got != nil) != c.store {
			t.Errorf("%s: got store %v and error %v, want %v and %v", name, got != nil, err, c.store, c.want)
		}
	}
	if got, err := Open(filepath.Join(t.TempDir(), "away", "blobs")); err == nil || got != nil {
		t.Errorf("a disk that is not there: got store %v and error %v", got != nil, err)
	}
}

// TestDirectoryHolds: what was put is there for whoever opens the place again.
func TestDirectoryHolds(t *testing.T) {
	t.Parallel()
	setting := filepath.Join(t.TempDir(), "blobs")
	data := []byte("sealed")
	for i := range 2 {
		s, err := Open(setting)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			err = s.Put(t.Context(), wire.HashOf(data), data)
		}
		got, err2 := s.Get(t.Context(), wire.HashOf(data))
		if err != nil || err2 != nil || string(got) != string(data) {
			t.Errorf("opening %d: got %q (%v, %v)", i+1, got, err, err2)
		}
	}
}

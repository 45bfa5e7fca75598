package central_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"github.com/counterproof/counterproof/sync/central"
	"github.com/counterproof/counterproof/sync/object"
	"github.com/counterproof/counterproof/sync/object/dir"
	"github.com/counterproof/counterproof/sync/wire"
)

// told passes on what is deleted.
type told struct {
	object.Store
	deleted chan wire.Hash
}

func (o told) Delete(ctx context.Context, name wire.Hash) error {
	err := o.Store.Delete(ctx, name)
	o.deleted <- name
	return err
}

// TestSweptWhileServing: what a crash has left among the blobs is gone once the
// centre has served for a moment, and a command alone sweeps nothing.
func TestSweptWhileServing(t *testing.T) {
	t.Parallel()
	blobs, err := dir.Open(filepath.Join(t.TempDir(), "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	orphan := []byte("sealed")
	if err := blobs.Put(t.Context(), wire.HashOf(orphan), orphan); err != nil {
		t.Fatal(err)
	}
	o := told{blobs, make(chan wire.Hash, 1)}
	c, err := central.Open(t.Context(), central.Config{Dir: filepath.Join(t.TempDir(), "centre"), Objects: o})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := blobs.Get(t.Context(), wire.HashOf(orphan)); err != nil {
		t.Errorf("swept by opening: %v", err)
	}
	ln, err := central.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- c.Serve(ctx, ln) }()
	if got := <-o.deleted; got != wire.HashOf(orphan) {
		t.Errorf("got %v removed, want %v", got, wire.HashOf(orphan))
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if _, err := blobs.Get(t.Context(), wire.HashOf(orphan)); !errors.Is(err, object.ErrMissing) {
		t.Errorf("got error %v, want %v", err, object.ErrMissing)
	}
}

package object

import (
	"errors"
	"fmt"
	"testing"

	"github.com/counterproof/counterproof/sync/wire"
)

// TestCheck: only the bytes that a name stands for may have it.
func TestCheck(t *testing.T) {
	t.Parallel()
	data := []byte("sealed")
	long := make([]byte, wire.MaxPart+1)
	for name, c := range map[string]struct {
		name wire.Hash
		data []byte
		want error
	}{
		"its-own":  {wire.HashOf(data), data, nil},
		"empty":    {wire.HashOf(nil), nil, nil},
		"altered":  {wire.HashOf(data), []byte("seal"), ErrName},
		"too-long": {wire.HashOf(long), long, ErrName},
	} {
		if got := Check(c.name, c.data); !errors.Is(got, c.want) {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}

// TestGone: only what is lost for good counts as lost.
func TestGone(t *testing.T) {
	t.Parallel()
	for err, want := range map[error]bool{
		fmt.Errorf("reading: %w", ErrMissing): true,
		fmt.Errorf("reading: %w", ErrDamaged): true,
		errors.New("the network is down"):     false,
	} {
		if got := Gone(err); got != want {
			t.Errorf("%v: got %v, want %v", err, got, want)
		}
	}
}

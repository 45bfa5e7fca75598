//go:build !cgo

package hsm

import (
	"errors"
	"testing"
)

// Without cgo there is no token, and it is said.
func TestUnsupported(t *testing.T) {
	t.Parallel()
	cfg := Config{Module: "m", Token: "t", PIN: func() ([]byte, error) { return []byte("1"), nil }}
	if token, err := Open(cfg); !errors.Is(err, ErrUnsupported) || token != nil {
		t.Errorf("got %v, want ErrUnsupported", err)
	}
}

package rig

import (
	"bytes"
	"context"
	"fmt"
	"sync"
)

// Inbox keeps what a device was sent until a test takes it. The zero value is
// empty.
type Inbox struct {
	mu      sync.Mutex
	pieces  [][]byte
	arrived chan struct{} // closed by the next piece; nil while nobody waits
}

// Put adds a piece.
func (b *Inbox) Put(piece []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pieces = append(b.pieces, bytes.Clone(piece))
	if b.arrived != nil {
		close(b.arrived)
		b.arrived = nil
	}
}

// Take gives the oldest piece, at most so many bytes of it; the rest stays. It
// waits until ctx ends.
func (b *Inbox) Take(ctx context.Context, most int) ([]byte, error) {
	for {
		piece, arrived := b.oldest(most)
		if arrived == nil {
			return piece, nil
		}
		select {
		case <-arrived:
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for what the device is sent: %w", ctx.Err())
		}
	}
}

// oldest is the oldest piece, or where to wait for one.
func (b *Inbox) oldest(most int) ([]byte, <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.pieces) == 0 {
		if b.arrived == nil {
			b.arrived = make(chan struct{})
		}
		return nil, b.arrived
	}
	piece := b.pieces[0]
	if len(piece) > most {
		b.pieces[0] = piece[most:]
		return piece[:most], nil
	}
	b.pieces = b.pieces[1:]
	return piece, nil
}

// Empty forgets all.
func (b *Inbox) Empty() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pieces = nil
}

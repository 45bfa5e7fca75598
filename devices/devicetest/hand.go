package devicetest

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/counterproof/counterproof/devices/sim"
	"github.com/counterproof/counterproof/devices/sim/vpcd"
)

// Hand lays cards of software on a virtual reader of the real smart-card service,
// and takes them away. At the end of the test nothing lies there.
type Hand struct {
	tb      testing.TB
	address string
	begun   atomic.Int64
	ends    atomic.Bool

	mu     sync.Mutex
	remove func()
}

// NewHand gives a hand on the reader whose driver waits at an address.
func NewHand(tb testing.TB, address string) *Hand {
	h := &Hand{tb: tb, address: address}
	tb.Cleanup(h.Take)
	return h
}

// Lay lays a card there, in place of what lies there. The service sees it within
// half a second.
func (h *Hand) Lay(chip sim.Chip) {
	h.Take()
	h.mu.Lock()
	defer h.mu.Unlock()
	ctx, cancel := context.WithCancel(context.Background())
	lies, ended := make(chan struct{}), make(chan struct{})
	var once sync.Once
	laid := func() { once.Do(func() { close(lies) }) }
	counted := func() sim.Card { h.begun.Add(1); return chip() }
	go func() {
		defer close(ended)
		defer laid()
		err := vpcd.Insert(ctx, vpcd.Config{Address: h.address, Chip: counted}, laid)
		if err != nil && !h.ends.Load() {
			h.tb.Errorf("laying a card: %v", err)
		}
	}()
	<-lies
	h.remove = func() { cancel(); <-ended }
}

// Take takes away what lies there.
func (h *Hand) Take() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.remove != nil {
		h.remove()
	}
	h.remove = nil
}

// Begun counts how often a card was powered up or reset.
func (h *Hand) Begun() int { return int(h.begun.Load()) }

// Ends says that the service is about to end, which takes the reader from under
// the card.
func (h *Hand) Ends() { h.ends.Store(true) }

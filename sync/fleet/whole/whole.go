// Package whole runs counters as the product has them: keys and queue on a disk,
// and the client that sends. A fleet of simulated counters has a few of them
// among it. Their waits are the shortest that a real one has.
//
// It judges nothing: it hands out what each counter believes.
package whole

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"time"

	"github.com/counterproof/counterproof/sync/custody"
	"github.com/counterproof/counterproof/sync/fleet/ledger"
	"github.com/counterproof/counterproof/sync/queue"
	"github.com/counterproof/counterproof/sync/seal"
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/uplink"
	"github.com/counterproof/counterproof/sync/wire"
)

// Counter is a whole counter. One goroutine at a time uses it.
type Counter struct {
	keeper  *custody.Keeper
	queue   *queue.Queue
	client  *uplink.Client
	address string
	wrap    func(http.RoundTripper) http.RoundTripper
	ledger  *ledger.Ledger
}

// Open makes a counter in a folder of its own. All that it asks goes over wrap.
func Open(dir string, wrap func(http.RoundTripper) http.RoundTripper) (*Counter, error) {
	k, err := custody.Open(filepath.Join(dir, "keys"))
	if err != nil {
		return nil, fmt.Errorf("making a counter: %w", err)
	}
	q, _, err := queue.Open(filepath.Join(dir, "queue", "queue.db"))
	if err != nil {
		return nil, fmt.Errorf("making a counter: %w", err)
	}
	return &Counter{keeper: k, queue: q, wrap: wrap}, nil
}

// hurry divides the part of a wait that the counter draws by lot; its least, and
// what the centre asks for, are kept.
const hurry = 100

// fresh is a client as it is after a start of the program.
func (c *Counter) fresh() *uplink.Client {
	return uplink.New(uplink.Config{
		Keeper: c.keeper, Queue: c.queue, Address: c.address, Wrap: c.wrap,
		Rand: func(n int64) int64 { return rand.Int64N(n) / hurry },
	})
}

// Enrol spends an invitation, and tries again while the line is bad.
func (c *Counter) Enrol(ctx context.Context, invite store.Invite) error {
	c.address = invite.Address
	c.client = c.fresh()
	for {
		id, err := c.client.Enrol(ctx, invite.String())
		if err == nil {
			public, ok := c.keeper.Signer().Public().(*ecdsa.PublicKey)
			if !ok {
				return errors.New("enrolling a counter: its key is of no known kind")
			}
			c.ledger = ledger.New(id.Agent, public)
			return nil
		}
		if ctx.Err() != nil || wire.KindOf(err) == wire.KindCode {
			return fmt.Errorf("enrolling a counter: %w", err)
		}
	}
}

// Make is how the parts of the next record come about; the header has the rest.
type Make func(h *wire.Header) ([]wire.Part, error)

// Enqueue makes a record and queues it.
func (c *Counter) Enqueue(ctx context.Context, h wire.Header, parts Make) error {
	h.Agent = c.ledger.Agent
	made, err := parts(&h)
	if err != nil {
		return fmt.Errorf("making a record: %w", err)
	}
	it, err := c.queue.Enqueue(ctx, h.Record, func(seq wire.Seq, prev wire.Hash) (wire.Envelope, error) {
		h.Seq, h.Prev = seq, prev
		return seal.Envelope(h, made, c.keeper.Signer())
	})
	if err != nil {
		return fmt.Errorf("queueing a record: %w", err)
	}
	c.ledger.Sent[it.Hash] = it.Seq
	return nil
}

// lookTime is how often a counter that sends is looked at.
const lookTime = 20 * time.Millisecond

// Send starts the counter's program and lets it run until it has asked where the
// centre stands and nothing waits.
func (c *Counter) Send(ctx context.Context) error {
	client, begun := c.fresh(), time.Now()
	running, cancel := context.WithCancel(ctx)
	defer cancel()
	var look func()
	look = func() {
		s, err := c.queue.Status(running)
		reached := client.Status().Reached
		if running.Err() != nil || err == nil && s.Waiting == 0 && reached.After(begun) {
			cancel()
			return
		}
		client.Wake()
		time.AfterFunc(lookTime, look)
	}
	time.AfterFunc(lookTime, look)
	return errors.Join(client.Run(running), ctx.Err())
}

// Ledger is what the counter believes now: what it sent, and the receipts in its
// queue.
func (c *Counter) Ledger(ctx context.Context) (*ledger.Ledger, error) {
	items, err := c.queue.Items(ctx, len(c.ledger.Sent)+1)
	if err != nil {
		return nil, fmt.Errorf("reading a counter's queue: %w", err)
	}
	for _, it := range items {
		if it.Receipt != nil && it.State != wire.Sealed && it.State != wire.BlobsSent {
			c.ledger.Acked[it.Seq] = *it.Receipt
		}
	}
	return c.ledger, nil
}

// Close closes the queue.
func (c *Counter) Close() error { return c.queue.Close() }

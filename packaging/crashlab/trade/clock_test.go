package trade

import (
	"context"
	"time"

	"github.com/counterproof/counterproof/sync/custody"
	"github.com/counterproof/counterproof/sync/queue"
	"github.com/counterproof/counterproof/sync/seal"
	"github.com/counterproof/counterproof/sync/wire"
)

// clock is what a right clock would say.
var clock = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// enqueueAt stores the nth record as a counter does whose clock is wrong by so
// many years.
func enqueueAt(ctx context.Context, q *queue.Queue, k *custody.Keeper, agent wire.AgentID, n, years int) (queue.Item, error) {
	h, parts := header(agent, n)
	h.Wall = clock.AddDate(years, 0, 0)
	return q.Enqueue(ctx, h.Record, func(seq wire.Seq, prev wire.Hash) (wire.Envelope, error) {
		h.Seq, h.Prev = seq, prev
		return seal.Envelope(h, parts, k.Signer())
	})
}

package trade

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/counterproof/counterproof/sync/custody"
	"github.com/counterproof/counterproof/sync/queue"
	"github.com/counterproof/counterproof/sync/seal"
	"github.com/counterproof/counterproof/sync/wire"
)

// crashAgent is who has the queue where there is no centre.
const crashAgent = wire.AgentID("agent-crash")

// openQueue opens the queue; damage is an error here.
func openQueue(dir string) (*queue.Queue, error) {
	q, damage, err := queue.Open(queueFile(dir))
	if err == nil && damage != nil {
		err = errors.Join(fmt.Errorf("the queue was found damaged: %+v", *damage), q.Close())
	}
	return q, err
}

// enqueue stores the nth record.
func enqueue(ctx context.Context, q *queue.Queue, k *custody.Keeper, agent wire.AgentID, n int) (queue.Item, error) {
	h, parts := header(agent, n)
	return q.Enqueue(ctx, h.Record, func(seq wire.Seq, prev wire.Hash) (wire.Envelope, error) {
		h.Seq, h.Prev = seq, prev
		return seal.Envelope(h, parts, k.Signer())
	})
}

// receipt is what a centre says of a record; the queue looks at no signature.
func receipt(it queue.Item) wire.Receipt {
	return wire.Receipt{
		Agent: crashAgent, Seq: it.Seq, RecHash: it.Hash, LogIndex: 100 + uint64(it.Seq),
		At: time.UnixMilli(1_700_000_000_000).UTC(), Key: "k", Sig: []byte{1},
	}
}

// fillQueue queues records, some of which the centre acknowledges.
func fillQueue(ctx context.Context, dir string, say Say) error {
	k, err := again(func() (*custody.Keeper, error) { return custody.Open(keysDir(dir)) })
	if err != nil {
		return err
	}
	q, err := again(func() (*queue.Queue, error) { return openQueue(dir) })
	if err != nil {
		return err
	}
	for n := range amount {
		it, err := again(func() (queue.Item, error) { return enqueue(ctx, q, k, crashAgent, n) })
		if err != nil {
			return err
		}
		say("queued", n, it.Hash)
		if n%2 == 1 {
			continue
		}
		if err := insist(func() error { return q.MarkAcked(ctx, it.Seq, receipt(it)) }); err != nil {
			return err
		}
		say("acked", n)
	}
	return q.Close()
}

// checkQueue looks for every record that was answered, and queues another.
func checkQueue(ctx context.Context, dir string, said Said) error {
	k, err := custody.Open(keysDir(dir))
	if err != nil {
		return fmt.Errorf("opening the keys again: %w", err)
	}
	q, err := openQueue(dir)
	if err != nil {
		return fmt.Errorf("opening the queue again: %w", err)
	}
	defer q.Close()
	var wrong problems
	queued := said.each("queued")
	for _, words := range queued {
		wrong = append(wrong, checkQueued(ctx, q, words, said)...)
	}
	s, err := q.Status(ctx)
	if err != nil || s.Total < len(queued) || s.Total > len(queued)+1 || s.Missing > 0 {
		wrong.add("%d records are there, %d were answered, %d are missing: %v", s.Total, len(queued), s.Missing, err)
	}
	it, err := enqueue(ctx, q, k, crashAgent, amount)
	if err != nil || int(it.Seq) != s.Total+1 {
		wrong.add("going on gave number %d after %d: %v", it.Seq, s.Total, err)
	}
	return wrong.err()
}

// checkQueued looks for one record: its name, its bytes and its receipt.
func checkQueued(ctx context.Context, q *queue.Queue, words []string, said Said) (wrong problems) {
	n, err := strconv.Atoi(words[0])
	if err != nil {
		return problems{err}
	}
	it, err := q.Find(ctx, record(n))
	if err != nil || it.Hash.String() != words[1] {
		wrong.add("record %d is not there as it was answered: %v", n, err)
		return wrong
	}
	if said.has("acked", n) && it.State != wire.Acked {
		wrong.add("record %d was acknowledged and is %s", n, it.State)
	}
	_, parts := header(crashAgent, n)
	e, err := q.Envelope(ctx, it.Seq)
	if err != nil || len(e.Parts) != len(parts) {
		wrong.add("record %d does not read: %v", n, err)
		return wrong
	}
	for i, p := range e.Parts {
		if !bytes.Equal(p.Sealed, parts[i].Sealed) {
			wrong.add("record %d has other bytes", n)
		}
	}
	return wrong
}

package trade

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/counterproof/counterproof/sync/custody"
	"github.com/counterproof/counterproof/sync/queue"
	"github.com/counterproof/counterproof/sync/uplink"
	"github.com/counterproof/counterproof/sync/wire"
)

// sendRecords queues records and lets the counter send them to a centre in the
// same house: the power fails for both.
func sendRecords(ctx context.Context, dir string, say Say) error {
	k, err := again(func() (*custody.Keeper, error) { return custody.Open(keysDir(dir)) })
	if err != nil {
		return err
	}
	id, _, err := k.Identity()
	if err != nil {
		return err
	}
	q, err := again(func() (*queue.Queue, error) { return openQueue(dir) })
	if err != nil {
		return err
	}
	for n := range amount / 2 {
		it, err := again(func() (queue.Item, error) { return enqueue(ctx, q, k, id.Agent, n) })
		if err != nil {
			return err
		}
		say("queued", n, it.Hash)
	}
	if err := send(ctx, dir, k, q); err != nil {
		return err
	}
	items, err := q.Items(ctx, amount)
	if err != nil {
		return err
	}
	for _, it := range items {
		say("sent", it.Seq, it.Hash, it.Receipt.LogIndex)
	}
	return q.Close()
}

// Sending is given up after so long, and looked at so often.
const sendTime, lookTime = 20 * time.Second, 3 * time.Millisecond

// send lets the counter send until nothing waits. It waits for nothing longer
// than it must.
func send(ctx context.Context, dir string, k *custody.Keeper, q *queue.Queue) error {
	c, err := again(func() (*uplinkCentre, error) { return newUplinkCentre(ctx, dir, k, q) })
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	var look func()
	look = func() {
		s, err := q.Status(ctx)
		if ctx.Err() != nil || err == nil && s.Waiting == 0 {
			cancel()
			return
		}
		c.client.Wake()
		time.AfterFunc(lookTime, look)
	}
	time.AfterFunc(lookTime, look)
	err = c.client.Run(ctx)
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		err = errors.Join(err, fmt.Errorf("the records are not sent: %+v", c.client.Status()))
	}
	return errors.Join(err, c.close())
}

// uplinkCentre is a centre with a client that speaks to it.
type uplinkCentre struct {
	client *uplink.Client
	close  func() error
}

func newUplinkCentre(ctx context.Context, dir string, k *custody.Keeper, q *queue.Queue) (*uplinkCentre, error) {
	c, err := openCentre(ctx, dir)
	if err != nil {
		return nil, err
	}
	client := uplink.New(uplink.Config{
		Keeper: k, Queue: q, Rand: func(int64) int64 { return 0 },
		Wrap: func(http.RoundTripper) http.RoundTripper { return inside{c.Handler(), k} },
	})
	return &uplinkCentre{client, c.Close}, nil
}

// checkSent sends what still waits and holds the queue against the centre.
func checkSent(ctx context.Context, dir string, said Said) error {
	k, err := custody.Open(keysDir(dir))
	if err != nil {
		return fmt.Errorf("opening the keys again: %w", err)
	}
	q, err := openQueue(dir)
	if err != nil {
		return fmt.Errorf("opening the queue again: %w", err)
	}
	defer q.Close()
	if err := send(ctx, dir, k, q); err != nil {
		return fmt.Errorf("sending the rest: %w", err)
	}
	items, err := q.Items(ctx, 1000)
	if err != nil {
		return err
	}
	records, err := log(ctx, dir)
	if err != nil {
		return err
	}
	var wrong problems
	if len(items) != len(records) {
		wrong.add("%d records are queued, %d are at the centre", len(items), len(records))
	}
	for _, it := range items {
		i := int(it.Seq) - 1
		if it.State != wire.Acked || i >= len(records) || records[i].Receipt.RecHash != it.Hash || records[i].Damaged ||
			records[i].Receipt.LogIndex != it.Receipt.LogIndex {
			wrong.add("record %d is not at the centre as the queue believes", it.Seq)
		}
	}
	return errors.Join(wrong.err(), checkPromises(ctx, q, said))
}

// checkPromises looks for what the counter said before it was stopped.
func checkPromises(ctx context.Context, q *queue.Queue, said Said) error {
	var wrong problems
	for _, words := range said.each("queued") {
		n, err := strconv.Atoi(words[0])
		if err != nil {
			return err
		}
		it, err := q.Find(ctx, record(n))
		if err != nil || it.Hash.String() != words[1] {
			wrong.add("record %d is not there as it was answered: %v", n, err)
		}
	}
	for _, words := range said.each("sent") {
		seq, err := strconv.ParseUint(words[0], 10, 64)
		if err != nil {
			return err
		}
		it, err := q.Item(ctx, wire.Seq(seq))
		if err != nil || fmt.Sprint(it.Receipt.LogIndex) != words[2] {
			wrong.add("record %d has another place in the log than it had: %v", seq, err)
		}
	}
	return wrong.err()
}

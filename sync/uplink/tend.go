package uplink

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"github.com/counterproof/counterproof/sync/uplink/ask"
	"github.com/counterproof/counterproof/sync/uplink/network"
	"github.com/counterproof/counterproof/sync/wire"
)

// Bounds on how often the client looks after itself, whatever the centre asks.
const (
	tendMin = time.Minute
	tendMax = time.Hour
)

// tend renews what is due, asks where the centre stands, brings the queue there
// and collects news. The kind says what failed.
func (c *Client) tend(ctx context.Context, k *care) wire.Kind {
	state, err := c.look(ask.Sparing(ctx, k.failed))
	if ctx.Err() != nil {
		return wire.KindNone
	}
	if err != nil {
		kind := cmp.Or(wire.KindOf(err), wire.KindDisk) // what has no kind is the queue's
		if c.blocked(ctx, kind) {
			kind = KindPortal
		}
		c.note(kind)
		if kind == wire.KindClock && c.learnTime(ctx) {
			k.next = time.Now()
			return wire.KindNone
		}
		wait := network.Backoff(k.failed, 0, c.cfg.Rand)
		k.failed, k.next = k.failed+1, time.Now().Add(wait)
		c.log.Warn("looking after the way to the centre failed", "kind", string(kind), "wait", wait.String(), "err", err)
		return kind
	}
	k.failed = 0
	k.next = time.Now().Add(min(max(time.Duration(state.NextSync)*time.Second, c.pace(), tendMin), tendMax))
	return wire.KindNone
}

// pace is how long the centre's settings have an idle counter wait at least.
func (c *Client) pace() time.Duration {
	l, err := c.open()
	if err != nil {
		return 0
	}
	return time.Duration(l.bundle.Settings.Pace) * time.Second
}

// look is one round of looking after.
func (c *Client) look(ctx context.Context) (wire.State, error) {
	if err := c.Refresh(ctx); err != nil {
		return wire.State{}, err
	}
	state, err := c.State(ctx)
	if err != nil {
		return wire.State{}, err
	}
	if err := c.compare(ctx, state); err != nil {
		return state, err
	}
	if err := c.hear(ctx, state); err != nil {
		return state, err
	}
	return state, c.watch(ctx)
}

// State asks where the centre stands with this counter, and notes the
// difference of the clocks.
func (c *Client) State(ctx context.Context) (wire.State, error) {
	l, err := c.open()
	if err != nil {
		return wire.State{}, err
	}
	var s wire.State
	before := time.Now()
	err = l.JSON(ctx, ask.Request{Method: http.MethodGet, Path: "/v1/agents/" + string(l.id.Agent) + "/state"}, nil, &s)
	if err != nil {
		return wire.State{}, fault("asking for the state", wire.KindProtocol, err)
	}
	after := time.Now()
	c.note(wire.KindNone)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.status.Offset = s.Now.Sub(before.Add(after.Sub(before) / 2)).Round(time.Millisecond)
	return s, nil
}

// compare brings the queue to where the centre stands: a centre that was
// restored gets its records again though nothing is waiting, and a queue that
// lost its end to damage goes on after the centre's.
func (c *Client) compare(ctx context.Context, s wire.State) error {
	q := c.cfg.Queue
	figures, err := q.Status(ctx)
	switch {
	case err != nil:
		return err
	case s.Quarantined:
		c.note(wire.KindQuarantined)
		return q.MarkQuarantined(ctx)
	case figures.Quarantined > 0:
		c.note(wire.KindQuarantined)
		return nil
	}
	head, _, err := q.Head(ctx)
	if err != nil {
		return err
	}
	waiting, _, err := q.Due(ctx, time.Now())
	if err != nil {
		return err
	}
	next := waiting.Seq
	if next == 0 {
		next = head + 1
	}
	switch {
	case s.Expect > head+1:
		c.log.Error("the centre knows records that this queue lost", "seq", uint64(s.Expect))
		return fault("taking over the centre's place in the chain", wire.KindDamaged, q.Adopt(ctx, s.Expect, s.Head))
	case s.Expect >= 1 && s.Expect < next:
		c.log.Warn("the centre is behind, records are sent again", "seq", uint64(s.Expect))
		err := q.Rewind(ctx, s.Expect)
		if wire.KindOf(err) == wire.KindDamaged {
			return c.reissue(ctx, uint64(s.Expect), s.Head)
		}
		return err
	}
	return nil
}

package uplink

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/counterproof/counterproof/sync/queue"
	"github.com/counterproof/counterproof/sync/uplink/ask"
	"github.com/counterproof/counterproof/sync/uplink/network"
	"github.com/counterproof/counterproof/sync/uplink/post"
	"github.com/counterproof/counterproof/sync/wire"
)

// care is when the client next looks after itself, how often that failed, and
// when it looks for news of what it has just sent.
type care struct {
	next   time.Time
	failed int

	news time.Time // zero for not before next
	wait time.Duration

	single time.Time // until when records are sent one by one
}

// How soon news of a sent record is looked for, while the patient may still be
// there, and up to which wait, which doubles; after that, looking after the
// client does it.
const newsMin, newsMax = 30 * time.Second, 4 * time.Minute

// expect makes the client look for news soon.
func (k *care) expect() { k.wait, k.news = newsMin, time.Now().Add(newsMin) }

// rest is how long there is nothing to look after.
func (k *care) rest() time.Duration {
	if k.news.IsZero() {
		return time.Until(k.next)
	}
	return min(time.Until(k.next), time.Until(k.news))
}

// listen looks for news of what was sent, if it is time to. A failure is noted
// by whoever looks after the client.
func (c *Client) listen(ctx context.Context, k *care) {
	if k.news.IsZero() || time.Now().Before(k.news) {
		return
	}
	if _, err := c.Collect(ask.Sparing(ctx, 1)); err != nil && ctx.Err() == nil {
		c.log.Warn("news could not be fetched", "kind", string(wire.KindOf(err)), "err", err)
	}
	if k.wait *= 2; k.wait > newsMax {
		k.news = time.Time{}
		return
	}
	k.news = time.Now().Add(k.wait)
}

// idle is how long a client without an identity waits for one.
const idle = time.Minute

// pass looks after the client if that is due, sends all that is due, and says
// how long there is nothing to do.
func (c *Client) pass(ctx context.Context, k *care) time.Duration {
	if _, err := c.open(); err != nil {
		c.note(wire.KindOf(err))
		return idle
	}
	if !time.Now().Before(k.next) {
		if kind := c.tend(ctx, k); offline(kind) {
			return time.Until(k.next)
		}
	}
	c.listen(ctx, k)
	for ctx.Err() == nil {
		it, due, err := c.cfg.Queue.Due(ctx, time.Now())
		if err != nil {
			return c.stumble(ctx, "looking for work", err)
		}
		if it.Seq == 0 {
			if c.fetchPiece(ctx) {
				continue
			}
			return k.rest()
		}
		if !due {
			return min(time.Until(it.NextTry), k.rest())
		}
		if wait := c.spent.Wait(time.Now(), c.cfg.DayBytes, it.Size); wait > 0 {
			return min(wait, k.rest())
		}
		kind, err := c.send(ctx, k, it)
		if err != nil {
			return c.stumble(ctx, "sending a record", err)
		}
		switch kind {
		case wire.KindUnauthorised:
			k.next = time.Now() // a renewal may mend it
		case wire.KindDamaged:
			k.next = time.Now() // those behind it are written anew
			return 0
		case wire.KindNone:
			k.expect()
		}
	}
	return 0
}

// offline reports whether trying anything else now would fail alike.
func offline(kind wire.Kind) bool {
	switch kind {
	case wire.KindUnreachable, wire.KindCertificate, wire.KindClock, wire.KindShed, KindPortal:
		return true
	}
	return false
}

// stumble notes a failure of this machine and says how long to leave it alone.
func (c *Client) stumble(ctx context.Context, op string, err error) time.Duration {
	if ctx.Err() != nil {
		return 0
	}
	kind := wire.KindOf(err)
	if kind == wire.KindNone {
		kind = wire.KindDisk
	}
	c.note(kind)
	c.log.Error("the queue cannot be worked on", "op", op, "kind", string(kind), "err", err)
	return network.Backoff(1, 0, c.cfg.Rand)
}

// send sends what waits: in runs while many wait and all goes well, one by one
// otherwise. The kind says why it was not taken; an error is this machine's own.
func (c *Client) send(ctx context.Context, k *care, it queue.Item) (wire.Kind, error) {
	if time.Now().Before(k.single) || it.Attempts > 0 || c.cfg.DayBytes > 0 {
		return c.sendOne(ctx, it)
	}
	sent, whole, err := c.sendRun(ctx, it)
	if !whole {
		k.single = time.Now().Add(singly)
	}
	if err == nil && sent == 0 {
		return c.sendOne(ctx, it)
	}
	return wire.KindNone, err
}

const (
	// runMin is how many records make a run; fewer are as quick alone.
	runMin = 5
	// singly is how long records are sent one by one after a run was not taken whole,
	// as by a centre that knows none.
	singly = 5 * time.Minute
)

// sendRun sends records that follow each other, if there are enough, and returns
// how many of them the centre took, and whether it took all that it was sent. What
// goes wrong is left to be found by sending one by one, which does what it obliges
// to.
func (c *Client) sendRun(ctx context.Context, it queue.Item) (sent int, whole bool, err error) {
	l, err := c.open()
	if err != nil {
		return 0, true, err
	}
	items, run, err := c.gather(ctx, it)
	if err != nil || len(run) < runMin {
		return 0, true, err
	}
	within := ask.Sparing(ctx, it.Attempts)
	for i, e := range run {
		if c.parts(within, l, items[i], e) != nil {
			return 0, true, nil
		}
	}
	decisions, err := l.post().Run(within, it.Seq, run)
	if err != nil {
		return 0, true, nil
	}
	for i, d := range decisions {
		if d.Step != post.Acked && d.Step != post.Refused {
			break
		}
		if err := c.settle(ctx, items[i], d); err != nil {
			return sent, true, err
		}
		sent++
	}
	return sent, sent == len(run), nil
}

// gather reads the run of records that begins with one and that can be sent
// together.
func (c *Client) gather(ctx context.Context, first queue.Item) (items []queue.Item, run []wire.Envelope, err error) {
	waiting, err := c.cfg.Queue.Run(ctx, first.Seq, wire.MaxRun)
	if err != nil {
		return nil, nil, err
	}
	room := wire.MaxRunBytes
	for _, it := range waiting {
		e, err := c.cfg.Queue.Envelope(ctx, it.Seq)
		if err != nil || !post.Signed(e, c.cfg.Keeper) {
			break // sent alone, what is wrong is told and mended
		}
		if room -= len(wire.MarshalRun([]wire.Envelope{e})); room < 0 {
			break
		}
		items, run = append(items, it), append(run, e)
	}
	return items, run, nil
}

// parts sends a record's large parts, unless they are at the centre.
func (c *Client) parts(ctx context.Context, l *line, it queue.Item, e wire.Envelope) error {
	if it.State != wire.Sealed {
		return nil
	}
	large := func(p wire.Part) bool { return !wire.Inline(p) }
	if err := l.post().Parts(ctx, e, large); err != nil {
		return err
	}
	return fault("noting the parts as sent", wire.KindDisk, c.cfg.Queue.MarkBlobs(ctx, it.Seq))
}

// sendOne sends one record and does what the answer obliges to. The kind says
// why it was not taken; an error is this machine's own.
func (c *Client) sendOne(ctx context.Context, it queue.Item) (wire.Kind, error) {
	l, err := c.open()
	if err != nil {
		return wire.KindNone, err
	}
	d, err := c.offer(ask.Sparing(ctx, it.Attempts), l, it)
	if ctx.Err() != nil {
		return wire.KindNone, nil
	}
	if err != nil {
		d = post.Decision{Kind: wire.KindOf(err), Err: err}
	}
	return d.Kind, c.settle(ctx, it, d)
}

// offer sends a record, its large parts first. Parts that the centre misses
// after all, as one that was restored, are sent once more.
func (c *Client) offer(ctx context.Context, l *line, it queue.Item) (post.Decision, error) {
	e, err := c.cfg.Queue.Envelope(ctx, it.Seq)
	if wire.KindOf(err) == wire.KindDamaged {
		return post.Decision{Step: post.SetAside, Kind: wire.KindDamaged, Err: err}, nil
	}
	if err != nil {
		return post.Decision{}, fault("reading a record", wire.KindDisk, err)
	}
	if h, err := wire.DecodeHeader(e.Header); err == nil && !post.Signed(e, c.cfg.Keeper) {
		return post.Decision{Step: post.Reissue, Answer: wire.Answer{Expect: it.Seq}, Prev: h.Prev}, nil
	}
	if err := c.parts(ctx, l, it, e); err != nil {
		return post.Decision{}, err
	}
	d, err := l.post().Record(ctx, it.Seq, e)
	if err != nil || d.Step != post.Upload {
		return d, err
	}
	missing := func(p wire.Part) bool { return slices.Contains(d.Answer.Missing, wire.HashOf(p.Sealed)) }
	if err := l.post().Parts(ctx, e, missing); err != nil {
		return post.Decision{}, err
	}
	if d, err = l.post().Record(ctx, it.Seq, e); err == nil && d.Step == post.Upload {
		d = post.Decision{Kind: wire.KindProtocol, Err: errors.New("the centre misses parts that it took")}
	}
	return d, err
}

// settle writes down what an answer means and notes how the way is.
func (c *Client) settle(ctx context.Context, it queue.Item, d post.Decision) error {
	q, seq := c.cfg.Queue, uint64(it.Seq)
	switch d.Step {
	case post.Acked:
		c.note(wire.KindNone)
		c.log.Info("the centre holds a record", "seq", seq)
		return q.MarkAcked(ctx, it.Seq, *d.Answer.Receipt)
	case post.Refused:
		c.note(wire.KindRefused)
		c.log.Error("the centre refuses a record for ever", "seq", seq, "code", d.Answer.Refusal.Reason)
		return q.MarkRefused(ctx, it.Seq, *d.Answer.Refusal)
	case post.Quarantine:
		c.note(wire.KindQuarantined)
		c.log.Error("the chain forked, nothing more is sent", "seq", seq)
		return q.MarkQuarantined(ctx)
	case post.Reissue:
		return c.reissue(ctx, seq, d.Prev)
	case post.SetAside:
		c.note(wire.KindDamaged)
		c.log.Error("a record is damaged beyond saving and is set aside", "seq", seq, "kind", string(wire.KindDamaged), "err", d.Err)
		_, err := q.SetAside(ctx, it.Seq)
		return err
	case post.Rewind:
		c.log.Warn("the centre is behind, records are sent again", "seq", uint64(d.Answer.Expect))
		err := q.Rewind(ctx, d.Answer.Expect)
		if wire.KindOf(err) != wire.KindDamaged {
			return err
		}
		d = post.Decision{Kind: wire.KindDamaged, Err: err}
	}
	c.note(d.Kind)
	wait := network.Backoff(it.Attempts, d.Asked, c.cfg.Rand)
	c.log.Warn("a record is not at the centre yet", "seq", seq, "kind", string(d.Kind), "wait", wait.String(), "err", d.Err)
	return q.Retry(ctx, it.Seq, time.Now().Add(wait), d.Kind)
}

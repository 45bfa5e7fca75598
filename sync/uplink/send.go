package uplink

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/counterproof/counterproof/sync/queue"
	"github.com/counterproof/counterproof/sync/uplink/ask"
	"github.com/counterproof/counterproof/sync/uplink/network"
	"github.com/counterproof/counterproof/sync/wire"
)

// care is when the client next looks after itself, how often that failed, and
// when it looks for news of what it has just sent.
type care struct {
	next   time.Time
	failed int

	news time.Time // zero for not before next
	wait time.Duration
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
		kind, err := c.sendOne(ctx, it)
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
		d = decision{kind: wire.KindOf(err), err: err}
	}
	return d.kind, c.settle(ctx, it, d)
}

// offer sends a record, its large parts first. Parts that the centre misses
// after all, as one that was restored, are sent once more.
func (c *Client) offer(ctx context.Context, l *line, it queue.Item) (decision, error) {
	e, err := c.cfg.Queue.Envelope(ctx, it.Seq)
	if wire.KindOf(err) == wire.KindDamaged {
		return decision{step: setAside, kind: wire.KindDamaged, err: err}, nil
	}
	if err != nil {
		return decision{}, fault("reading a record", wire.KindDisk, err)
	}
	if h, err := wire.DecodeHeader(e.Header); err == nil && !c.signed(e) {
		return decision{step: reissue, answer: wire.Answer{Expect: it.Seq}, prev: h.Prev}, nil
	}
	if it.State == wire.Sealed {
		large := func(p wire.Part) bool { return !wire.Inline(p) }
		if err := l.putParts(ctx, e, large); err != nil {
			return decision{}, err
		}
		if err := c.cfg.Queue.MarkBlobs(ctx, it.Seq); err != nil {
			return decision{}, fault("noting the parts as sent", wire.KindDisk, err)
		}
	}
	d, err := l.post(ctx, it, e)
	if err != nil || d.step != upload {
		return d, err
	}
	missing := func(p wire.Part) bool { return slices.Contains(d.answer.Missing, wire.HashOf(p.Sealed)) }
	if err := l.putParts(ctx, e, missing); err != nil {
		return decision{}, err
	}
	if d, err = l.post(ctx, it, e); err == nil && d.step == upload {
		d = decision{kind: wire.KindProtocol, err: errors.New("the centre misses parts that it took")}
	}
	return d, err
}

// post sends the record itself.
func (l *line) post(ctx context.Context, it queue.Item, e wire.Envelope) (decision, error) {
	r, err := l.Ask(ctx, ask.Request{
		Method:   http.MethodPost,
		Path:     fmt.Sprintf("/v1/agents/%s/records/%d", l.id.Agent, it.Seq),
		Header:   http.Header{"Content-Type": {"application/octet-stream"}, "Idempotency-Key": {it.Hash.String()}},
		Body:     e.Marshal(wire.Inline),
		Patience: ask.Slow,
	})
	if err != nil {
		return decision{}, err
	}
	return judge(r, wire.Receipt{Agent: l.id.Agent, Seq: it.Seq, RecHash: it.Hash}, l.receiptKey()), nil
}

// settle writes down what an answer means and notes how the way is.
func (c *Client) settle(ctx context.Context, it queue.Item, d decision) error {
	q, seq := c.cfg.Queue, uint64(it.Seq)
	switch d.step {
	case acked:
		c.note(wire.KindNone)
		c.log.Info("the centre holds a record", "seq", seq)
		return q.MarkAcked(ctx, it.Seq, *d.answer.Receipt)
	case refused:
		c.note(wire.KindRefused)
		c.log.Error("the centre refuses a record for ever", "seq", seq, "code", d.answer.Refusal.Reason)
		return q.MarkRefused(ctx, it.Seq, *d.answer.Refusal)
	case quarantine:
		c.note(wire.KindQuarantined)
		c.log.Error("the chain forked, nothing more is sent", "seq", seq)
		return q.MarkQuarantined(ctx)
	case reissue:
		return c.reissue(ctx, seq, d.prev)
	case setAside:
		c.note(wire.KindDamaged)
		c.log.Error("a record is damaged beyond saving and is set aside", "seq", seq, "kind", string(wire.KindDamaged), "err", d.err)
		_, err := q.SetAside(ctx, it.Seq)
		return err
	case rewind:
		c.log.Warn("the centre is behind, records are sent again", "seq", uint64(d.answer.Expect))
		err := q.Rewind(ctx, d.answer.Expect)
		if wire.KindOf(err) != wire.KindDamaged {
			return err
		}
		d = decision{kind: wire.KindDamaged, err: err}
	}
	c.note(d.kind)
	wait := network.Backoff(it.Attempts, d.asked, c.cfg.Rand)
	c.log.Warn("a record is not at the centre yet", "seq", seq, "kind", string(d.kind), "wait", wait.String(), "err", d.err)
	return q.Retry(ctx, it.Seq, time.Now().Add(wait), d.kind)
}

// pieceBytes is the largest piece of a blob in one request: what a cut line
// costs at most.
const pieceBytes = 1 << 20

// altered is how often a blob may arrive altered before that is told.
const altered = 3

// putParts sends the parts that which asks for, as blobs.
func (l *line) putParts(ctx context.Context, e wire.Envelope, which func(wire.Part) bool) error {
	for _, p := range e.Parts {
		if !which(p) {
			continue
		}
		if err := l.putBlob(ctx, p.Sealed); err != nil {
			return fmt.Errorf("sending part %s: %w", p.Name, err)
		}
	}
	return nil
}

// putBlob sends what the centre does not have of a blob. It goes on from
// wherever the centre says, so an answer that was lost costs one question.
func (l *line) putBlob(ctx context.Context, data []byte) error {
	q := ask.Request{Method: http.MethodHead, Path: "/v1/blobs/" + wire.HashOf(data).String()}
	r, err := l.Ask(ctx, q)
	if err != nil {
		return err
	}
	// Every piece takes one answer, and trouble a few more.
	for left := len(data)/pieceBytes + 2*altered; left > 0; left-- {
		offset, done, err := uploaded(r, int64(len(data)))
		if err != nil || done {
			return err
		}
		piece := data[offset:min(offset+pieceBytes, int64(len(data)))]
		complete := "?0"
		if int(offset)+len(piece) == len(data) {
			complete = "?1"
		}
		q.Method, q.Body, q.Patience = http.MethodPatch, piece, ask.Slow
		q.Header = http.Header{
			"Content-Type": {"application/partial-upload"}, "Upload-Complete": {complete},
			"Upload-Offset": {strconv.FormatInt(offset, 10)},
		}
		if r, err = l.Ask(ctx, q); err != nil {
			return err
		}
	}
	return &wire.Error{Op: "sending a blob", Kind: wire.KindProtocol, Err: errors.New("it does not become complete")}
}

// uploaded reads how much of a blob of the given size the centre has.
func uploaded(r ask.Reply, size int64) (offset int64, done bool, err error) {
	switch r.Status {
	case http.StatusCreated:
		return size, true, nil
	case http.StatusNoContent, http.StatusConflict, http.StatusBadRequest:
	default:
		return 0, false, &wire.Error{Op: "sending a blob", Kind: network.KindOfStatus(r.Status), Err: fmt.Errorf("status %d", r.Status)}
	}
	offset, err = strconv.ParseInt(r.Header.Get("Upload-Offset"), 10, 64)
	complete := r.Header.Get("Upload-Complete") == "?1"
	if err != nil || offset < 0 || offset > size || complete && offset != size {
		return 0, false, &wire.Error{Op: "sending a blob", Kind: wire.KindProtocol, Err: errors.New("an offset that cannot be")}
	}
	return offset, complete, nil
}

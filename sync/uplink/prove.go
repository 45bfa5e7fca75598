package uplink

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/counterproof/counterproof/sync/queue"
	"github.com/counterproof/counterproof/sync/uplink/ask"
	"github.com/counterproof/counterproof/sync/uplink/witness"
	"github.com/counterproof/counterproof/sync/wire"
)

const (
	// keepDefault is how long a record that is proven stays whole on this counter:
	// a centre that comes back from a backup gets it again.
	keepDefault = 7 * 24 * time.Hour
	// withheld is how long a centre may leave a receipt without its proof.
	withheld = 48 * time.Hour
	// watchEvery is how often the log is looked at though nothing is to be proven.
	watchEvery = 24 * time.Hour
)

// watch has the centre prove what it acknowledged, and then lets go of what has
// been proven for long enough. Nothing goes while the centre's log is in doubt.
func (c *Client) watch(ctx context.Context) error {
	if c.cfg.Witness == nil {
		return nil
	}
	restored := false
	for {
		receipts, err := c.unproven(ctx)
		if err != nil {
			return err
		}
		if len(receipts) == 0 && time.Since(c.watched) < watchEvery {
			break
		}
		v, err := c.askProofs(ctx, receipts)
		if err != nil { // who does not answer is as late as who does not prove
			return errors.Join(c.overdue(receipts, nil), err)
		}
		c.watched, restored = time.Now(), restored || v.Restored
		for _, seq := range v.Proven {
			if err := c.cfg.Queue.MarkProven(ctx, seq); err != nil && !errors.Is(err, queue.ErrState) {
				return err
			}
		}
		if len(v.Proven) < len(receipts) || len(receipts) == 0 {
			if err := c.overdue(receipts, v.Proven); err != nil {
				return err
			}
			break
		}
	}
	if restored {
		return nil
	}
	return c.letGo(ctx)
}

// unproven reads the receipts of the oldest records that the centre has not
// proven yet.
func (c *Client) unproven(ctx context.Context) (map[wire.Seq]wire.Receipt, error) {
	receipts := map[wire.Seq]wire.Receipt{}
	for seq := range c.cfg.Queue.Records(ctx, wire.Acked) {
		it, err := c.cfg.Queue.Item(ctx, seq)
		if err != nil {
			return nil, err
		}
		if it.Receipt != nil {
			receipts[seq] = *it.Receipt
		}
		if len(receipts) == wire.MaxProofs {
			break
		}
	}
	return receipts, nil
}

// askProofs asks for proofs of the records with these receipts and judges them.
func (c *Client) askProofs(ctx context.Context, receipts map[wire.Seq]wire.Receipt) (witness.Verdict, error) {
	const op = "checking the centre's log"
	l, err := c.open()
	if err != nil {
		return witness.Verdict{}, err
	}
	q := wire.ProofRequest{Seen: c.cfg.Witness.Seen(), From: 1, Limit: wire.MaxProofs}
	if len(receipts) > 0 {
		q.From = slices.Min(slices.Collect(maps.Keys(receipts)))
	}
	var a wire.ProofAnswer
	path := "/v1/agents/" + string(l.id.Agent) + "/proofs"
	if err := l.JSON(ctx, ask.Request{Method: http.MethodPost, Path: path}, q, &a); err != nil {
		return witness.Verdict{}, fault(op, wire.KindProtocol, err)
	}
	v, err := c.cfg.Witness.Judge(a, l.receiptKey(), receipts)
	switch {
	case errors.Is(err, witness.ErrLog):
		c.log.Error("the centre's log is not what it promised: nothing is deleted here", "err", err)
		return v, fault(op, wire.KindLog, err)
	case err != nil:
		return v, fault(op, wire.KindDisk, err)
	case v.Restored:
		c.log.Warn("the centre came back from a backup: what it lost is sent again", "epoch", v.Epoch, "count", v.Size)
	}
	return v, nil
}

// errWithheld is why a centre's receipts are not believed any more.
var errWithheld = errors.New("the centre acknowledged a record two days ago and does not prove that it has it")

// overdue reports a receipt that was left without its proof for too long: by the
// centre's own time or, since a centre can hold its clock back, by how long this
// program has been waiting for it.
func (c *Client) overdue(receipts map[wire.Seq]wire.Receipt, proven []wire.Seq) error {
	unproven := map[wire.Seq]time.Time{}
	var late error
	for seq, r := range receipts {
		if slices.Contains(proven, seq) {
			continue
		}
		since, waited := c.unproved[seq]
		if !waited {
			since = time.Now()
		}
		unproven[seq] = since
		if c.centreTime().Sub(r.At) > withheld || time.Since(since) > withheld {
			c.log.Error("a record is acknowledged and not proven", "seq", uint64(seq), "since", r.At)
			late = fault("checking the centre's log", wire.KindLog, errWithheld)
		}
	}
	c.unproved = unproven
	return late
}

// centreTime is now by the centre's clock, as far as it is known.
func (c *Client) centreTime() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.status.Offset)
}

// letGo removes the parts of records that have been proven for as long as they
// are kept. Where the disk is getting full the oldest go earlier, only as many as
// it takes.
func (c *Client) letGo(ctx context.Context) error {
	keep := c.cfg.Keep
	if keep == 0 {
		keep = keepDefault
	}
	for {
		n, err := c.cfg.Queue.Purge(ctx, time.Now().Add(-keep))
		if err != nil {
			return err
		}
		if n > 0 {
			c.log.Info("proven records were let go", "count", n)
			continue
		}
		figures, err := c.cfg.Queue.Status(ctx)
		if err != nil || keep == 0 || figures.Room != queue.RoomShort && figures.Room != queue.RoomNone {
			return err
		}
		keep /= 2
		if keep < time.Hour {
			keep = 0
		}
	}
}

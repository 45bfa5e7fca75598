package outbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/sync/queue"
	"github.com/counterproof/counterproof/sync/queue/parcel"
	"github.com/counterproof/counterproof/sync/wire"
)

// Places in the data folder.
const (
	queueFolder  = "queue"
	queueFile    = "queue.db"
	formerFolder = "former"   // queues of earlier identities
	carryFolder  = "carry-in" // parcels that the running counter takes in
	doneSuffix   = ".done"
)

// queuePath is where a data folder's queue lies.
func queuePath(dir string) string { return filepath.Join(dir, queueFolder, queueFile) }

// Carried is what became of a parcel's or a former queue's records.
type Carried struct {
	Records int // that are in the queue now, or were already
	Left    int // that could not be taken: damaged, or of the other mode
}

// log tells what became of them.
func (c Carried) log() {
	slog.Warn("records were carried in", "count", c.Records)
	if c.Left > 0 {
		slog.Error("records could not be taken", "kind", string(proof.KindQueueDamaged), "count", c.Left)
	}
}

// openQueue opens the queue of the identity in force. One that holds another
// identity's chain is put aside and what waits in it carried over.
func (o *Outbox) openQueue(ctx context.Context) (err error) {
	path := queuePath(o.dir)
	if o.queue, o.damage, err = queue.Open(path); err != nil {
		return err
	}
	id, enrolled, err := o.keeper.Identity()
	if err == nil && enrolled {
		err = o.succeed(ctx, path, id.Agent)
	}
	if err == nil {
		o.checkCounter(ctx)
		return nil
	}
	return errors.Join(err, o.queue.Close())
}

// succeed makes the queue the one of an agent. The former one moves away first,
// whole; carrying over is done again after a crash, and adds nothing twice.
func (o *Outbox) succeed(ctx context.Context, path string, agent wire.AgentID) error {
	newest, err := o.queue.Newest(ctx)
	if err == nil && newest.Agent != agent {
		aside := filepath.Join(o.dir, formerFolder, string(newest.Agent)+"-"+time.Now().UTC().Format("20060102T150405.000000000Z"))
		if err := errors.Join(o.queue.Close(), queue.Retire(filepath.Dir(path), aside)); err != nil {
			return err
		}
		if o.queue, o.damage, err = queue.Open(path); err != nil {
			return err
		}
		slog.Warn("the counter has a new identity, its queue is carried over", "agent", string(agent))
	} else if err != nil && !errors.Is(err, queue.ErrUnknown) {
		return err
	}
	former, err := os.ReadDir(filepath.Join(o.dir, formerFolder))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	for _, f := range former {
		if dir := filepath.Join(o.dir, formerFolder, f.Name()); !strings.HasSuffix(dir, doneSuffix) {
			if err := o.inherit(ctx, dir); err != nil {
				return err
			}
		}
	}
	return nil
}

// unsent are the states of records that the centre does not have.
var unsent = []wire.RecordState{wire.Sealed, wire.BlobsSent, wire.QuarantinedState}

// inherit carries over what waits in a former queue, and its news. The folder
// stays, renamed: nothing is deleted here.
func (o *Outbox) inherit(ctx context.Context, dir string) error {
	v, err := queue.Look(ctx, filepath.Join(dir, queueFile))
	if err != nil {
		return err
	}
	c, err := o.carry(ctx, whole(v.Records(ctx, unsent...)))
	if err == nil {
		err = o.queue.CopyNews(ctx, v)
	}
	if err := errors.Join(err, v.Close()); err != nil {
		return err
	}
	c.log()
	return os.Rename(dir, dir+doneSuffix)
}

// whole turns a queue's records into those that read, and nil for one that does
// not.
func whole(records iter.Seq2[wire.Seq, func() (wire.Envelope, error)]) iter.Seq2[wire.Envelope, error] {
	return func(yield func(wire.Envelope, error) bool) {
		for seq, read := range records {
			e, err := read()
			if err != nil && seq > 0 {
				slog.Error("a record cannot be carried", "seq", uint64(seq), "err", err)
				e, err = wire.Envelope{}, nil
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

// carry puts records of another chain into this one, signed anew. One that is in
// the queue already stays as it is.
func (o *Outbox) carry(ctx context.Context, records iter.Seq2[wire.Envelope, error]) (c Carried, err error) {
	id, err := o.identity()
	if err != nil {
		return c, err
	}
	for e, err := range records {
		if err != nil {
			return c, fmt.Errorf("carrying records: %w", err)
		}
		h, err := parcel.Carry(e)
		if err != nil || h.Training != id.Training {
			c.Left++
			continue
		}
		if _, err := o.enqueue(ctx, id.Agent, h, e.Parts); err != nil {
			return c, fmt.Errorf("carrying records: %w", err)
		}
		c.Records++
	}
	return c, nil
}

// CarryIn takes the records of a parcel into this counter's queue, to be sent.
// Doing it again takes nothing twice. What comes before a place where the parcel
// is damaged is taken, and the error tells.
func (o *Outbox) CarryIn(ctx context.Context, r io.Reader) (Carried, error) {
	c, err := o.carry(ctx, parcel.Read(r))
	if err != nil {
		return c, &proof.Error{Op: "carrying records in", Kind: kindOf(err), Err: err}
	}
	o.uplink.Wake()
	return c, nil
}

// CarryOut writes what waits in a data folder's queue as a parcel, whether the
// counter runs or not; with all, also what the centre has acknowledged. The queue
// is left as it is: what is sent twice is found out by the record's name.
func CarryOut(ctx context.Context, dir string, w io.Writer, all bool) (c Carried, err error) {
	v, err := queue.Look(ctx, queuePath(dir))
	if err != nil {
		return c, &proof.Error{Op: "carrying records out", Kind: kindOf(err), Err: err}
	}
	defer func() { err = errors.Join(err, v.Close()) }()
	states := append(unsent[:len(unsent):len(unsent)], wire.RefusedState)
	if all {
		states = nil
	}
	c.Records, err = parcel.Write(w, func(yield func(wire.Envelope, error) bool) {
		for e, err := range whole(v.Records(ctx, states...)) {
			if err == nil && e.Header == nil {
				c.Left++
				continue
			}
			if !yield(e, err) {
				return
			}
		}
	})
	return c, err
}

// Records lists what a data folder's queue holds, newest first, whether the counter
// runs or not.
func Records(ctx context.Context, dir string) (list []api.QueueItem, err error) {
	const op = "listing the queue"
	v, err := queue.Look(ctx, queuePath(dir))
	if err != nil {
		return nil, &proof.Error{Op: op, Kind: kindOf(err), Err: err}
	}
	defer func() { err = errors.Join(err, v.Close()) }()
	items, err := v.Items(ctx, math.MaxInt32)
	if err != nil {
		return nil, &proof.Error{Op: op, Kind: kindOf(err), Err: err}
	}
	for _, i := range items {
		list = append(list, listedItem(i))
	}
	return list, nil
}

// listedItem is a record as it is listed.
func listedItem(i queue.Item) api.QueueItem {
	return api.QueueItem{
		Seq: uint64(i.Seq), Ref: proof.Ref(i.Ref), At: i.At, State: string(i.State), Size: i.Size,
		Attempts: i.Attempts, NextTry: nextTry(i),
	}
}

// Export writes what waits into a new file, whole and synced or not at all.
func Export(ctx context.Context, dir, name string, all bool) (Carried, error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return Carried{}, fmt.Errorf("carrying records out: %w", err)
	}
	c, err := CarryOut(ctx, dir, f, all)
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return c, errors.Join(fmt.Errorf("carrying records out: %w", err), os.Remove(name))
	}
	return c, nil
}

// Deliver checks a parcel and leaves it for the counter that runs on a data
// folder, which takes it in within a minute.
func Deliver(dir string, r io.Reader) (records int, err error) {
	return parcel.Put(filepath.Join(dir, carryFolder), r)
}

// tidy is what is done between sending: parcels that were delivered are taken in.
// One that fails stays and is told; the next time it is tried again.
func (o *Outbox) tidy(ctx context.Context) {
	err := parcel.Take(filepath.Join(o.dir, carryFolder), func(r io.Reader) error {
		c, err := o.CarryIn(ctx, r)
		c.log()
		return err
	})
	if err != nil && ctx.Err() == nil {
		slog.Error("a parcel cannot be taken in", "kind", string(kindOf(err)), "err", err)
	}
}

// checkCounter compares the queue's end with the hardware's counter, which went
// up once for each record: where it is ahead, the end was cut off or an older
// disk was put in place. An interrupted storing leaves a difference of one, too.
// Nothing stops for it; the screens and the log tell.
func (o *Outbox) checkCounter(ctx context.Context) {
	hardware, err := o.keeper.Counter()
	if err != nil || hardware == 0 {
		return // a key that fails is told of by itself
	}
	newest, err := o.queue.Newest(ctx)
	if errors.Is(err, queue.ErrUnknown) || err == nil && newest.Counter == 0 {
		return // the chain began before the counter did
	}
	if err != nil || hardware <= newest.Counter {
		return
	}
	o.lost = hardware - newest.Counter
	slog.Error("the hardware's counter knows of records that the queue does not hold: its end was cut off, or an older disk was put in place",
		"kind", string(proof.KindQueueDamaged), "count", o.lost, "seq", uint64(newest.Seq))
}

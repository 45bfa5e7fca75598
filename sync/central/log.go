package central

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/counterproof/counterproof/sync/central/api"
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/tlog"
	"github.com/counterproof/counterproof/sync/wire"
)

// sequencePace is how long a checkpoint serves before a new one is made, so that
// a fleet asking for proofs does not make the log grow by single leaves.
const sequencePace = time.Second

// sequencer makes checkpoints when somebody asks for one.
type sequencer struct {
	mu   sync.Mutex
	made time.Time // when the newest was made or found
}

// checkpoint returns the newest checkpoint and its epoch, over all leaves if the
// one before is old enough.
func (c *Central) checkpoint(ctx context.Context) (wire.Checkpoint, uint64, error) {
	c.sequencer.mu.Lock()
	defer c.sequencer.mu.Unlock()
	if time.Since(c.sequencer.made) < sequencePace {
		if p, epoch, err := c.newest(ctx); err != nil || p.Note != nil {
			return p, epoch, err
		}
	}
	_, epoch, err := c.newest(ctx)
	if err != nil {
		return wire.Checkpoint{}, 0, err
	}
	return c.sequence(ctx, max(epoch, 1))
}

// newest reads the newest checkpoint, which must be this centre's.
func (c *Central) newest(ctx context.Context) (wire.Checkpoint, uint64, error) {
	p, err := c.store.Checkpoint(ctx, 0)
	if err != nil || p.Note == nil {
		return wire.Checkpoint{}, 0, err
	}
	read, epoch, err := tlog.Open(p.Note, c.keys.Public())
	if err != nil || read.Size != p.Size || read.Root != p.Root {
		return wire.Checkpoint{}, 0, errors.Join(errors.New("the stored checkpoint is not this centre's"), err)
	}
	return p, epoch, nil
}

// sequence lets the log grow over all leaves and signs it in an epoch.
func (c *Central) sequence(ctx context.Context, epoch uint64) (wire.Checkpoint, uint64, error) {
	p, err := c.store.Sequence(ctx, func(size uint64, root wire.Hash) ([]byte, error) {
		return tlog.Sign(epoch, size, root, c.keys.Receipt)
	})
	if err != nil {
		return wire.Checkpoint{}, 0, err
	}
	_, epoch, err = tlog.Open(p.Note, c.keys.Public()) // another process may have signed it
	c.sequencer.made = time.Now()
	return p, epoch, err
}

// hashes reads the tree.
func (c *Central) hashes(ctx context.Context) tlog.Reader {
	return func(indexes []int64) ([]wire.Hash, error) { return c.store.Hashes(ctx, indexes) }
}

// logCheckpoint hands out the newest checkpoint.
func (c *Central) logCheckpoint(w http.ResponseWriter, r *http.Request, _ store.Agent) {
	p, _, err := c.checkpoint(r.Context())
	if err != nil {
		c.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write(p.Note)
}

// proofs shows a counter that the log holds its records and has only grown.
func (c *Central) proofs(w http.ResponseWriter, r *http.Request, a store.Agent) {
	var q wire.ProofRequest
	if !readJSON(w, r, api.MaxProof, &q) {
		return
	}
	if q.Limit < 1 || q.Limit > wire.MaxProofs || len(q.Seen) > wire.MaxSeen {
		writeJSON(w, http.StatusBadRequest, wire.Answer{Verdict: wire.Altered})
		return
	}
	answer, err := c.prove(r.Context(), a.ID, q)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, answer)
}

// prove answers a question about the log.
func (c *Central) prove(ctx context.Context, agent wire.AgentID, q wire.ProofRequest) (wire.ProofAnswer, error) {
	p, epoch, err := c.checkpoint(ctx)
	if err != nil {
		return wire.ProofAnswer{}, err
	}
	p, growth, err := c.since(ctx, p, epoch, q.Seen)
	if err != nil {
		return wire.ProofAnswer{}, err
	}
	answer := wire.ProofAnswer{Checkpoint: p.Note, Growth: growth}
	places, err := c.store.Places(ctx, agent, q.From, q.Limit)
	if err != nil {
		return wire.ProofAnswer{}, err
	}
	for _, at := range places {
		if at.Leaf >= p.Size {
			break // under the next checkpoint
		}
		hashes, err := tlog.Prove(p.Size, at.Leaf, c.hashes(ctx))
		if err != nil {
			return wire.ProofAnswer{}, err
		}
		answer.Proofs = append(answer.Proofs, wire.Proof{Seq: at.Seq, Leaf: at.Leaf, Hashes: hashes})
	}
	return answer, nil
}

// since shows how the log has grown since a checkpoint that a counter has seen.
// One that this centre signed and does not hold any more says that it came back
// from a backup: it begins a new epoch, which every counter will learn of.
func (c *Central) since(ctx context.Context, p wire.Checkpoint, epoch uint64, seen []byte) (wire.Checkpoint, []wire.Hash, error) {
	old, was, err := tlog.Open(seen, c.keys.Public())
	if err != nil {
		return p, nil, nil // nothing that we signed: there is nothing to show
	}
	if old.Size > p.Size { // made by another process, less than a moment ago, or before a restore
		if p, epoch, err = c.again(ctx, epoch); err != nil {
			return p, nil, err
		}
	}
	held, err := c.holds(ctx, p, old)
	switch {
	case err != nil:
		return p, nil, err
	case held:
		growth, err := tlog.ProveGrowth(old.Size, p.Size, c.hashes(ctx))
		return p, growth, err
	case was < epoch:
		return p, nil, nil // it is known already, and the counter will learn of it
	}
	c.log.Error("the log is shorter than it was signed: the centre came back from a backup; counters send again what is missing",
		"epoch", was+1, "count", p.Size)
	p, err = c.beginEpoch(ctx, was+1)
	return p, nil, err
}

// again makes a checkpoint now, whatever the pace, in this epoch or the one that
// the log is in.
func (c *Central) again(ctx context.Context, epoch uint64) (wire.Checkpoint, uint64, error) {
	c.sequencer.mu.Lock()
	defer c.sequencer.mu.Unlock()
	_, now, err := c.newest(ctx)
	if err != nil {
		return wire.Checkpoint{}, 0, err
	}
	return c.sequence(ctx, max(epoch, now))
}

// holds reports whether the log under p begins with an older one.
func (c *Central) holds(ctx context.Context, p, old wire.Checkpoint) (bool, error) {
	if old.Size > p.Size {
		return false, nil
	}
	root, err := tlog.Root(old.Size, c.hashes(ctx))
	if err != nil {
		return false, fmt.Errorf("reading the log as it was: %w", err)
	}
	return root == old.Root, nil
}

// beginEpoch signs the log in a new epoch. The leaf makes the log another than
// any that was signed before.
func (c *Central) beginEpoch(ctx context.Context, epoch uint64) (wire.Checkpoint, error) {
	c.sequencer.mu.Lock()
	defer c.sequencer.mu.Unlock()
	if p, now, err := c.newest(ctx); err != nil || now >= epoch {
		return p, err // somebody else came first
	}
	leaf := wire.Leaf{
		Kind: wire.LeafDeed, At: time.Now().UTC().Truncate(time.Millisecond), By: "centre",
		Subject: wire.HashOf(fmt.Appendf(nil, "epoch %d", epoch)), Word: "epoch",
	}
	if err := c.store.Append(ctx, leaf); err != nil {
		return wire.Checkpoint{}, err
	}
	p, _, err := c.sequence(ctx, epoch)
	return p, err
}

// maxLeaves bounds the leaves that an opener hands in at once (a count).
const maxLeaves = 100

// postLeaves takes an opener's tombstones into the log.
func (c *Central) postLeaves(w http.ResponseWriter, r *http.Request, a store.Agent) {
	var posted wire.Leaves
	if !readJSON(w, r, api.MaxLeaves, &posted) {
		return
	}
	if !tombstones(posted.Leaves, a.ID) {
		writeJSON(w, http.StatusBadRequest, wire.Answer{Verdict: wire.Altered})
		return
	}
	if err := c.store.Append(r.Context(), posted.Leaves...); err != nil {
		c.fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// tombstones reports whether leaves are what an opener may put into the log: the
// tombstones of keys that it destroyed itself.
func tombstones(leaves []wire.Leaf, opener wire.AgentID) bool {
	for _, l := range leaves {
		if l.Kind != wire.LeafTombstone || l.By != string(opener) || l.Index != 0 || l.Check() != nil {
			return false
		}
	}
	return len(leaves) > 0 && len(leaves) <= maxLeaves
}

// opened notes in the log that a record goes to an opener, who can open it. It
// returns only when the leaf is on the disk.
func (c *Central) opened(ctx context.Context, opener wire.AgentID, r store.Record) error {
	if r.Erased {
		return nil // there is nothing to open
	}
	err := c.store.Append(ctx, wire.Leaf{
		Kind: wire.LeafOpening, At: time.Now().UTC().Truncate(time.Millisecond), By: string(opener),
		Subject: r.Receipt.RecHash, Index: r.Receipt.LogIndex,
	})
	if err != nil {
		return fmt.Errorf("noting an opening in the log: %w", err)
	}
	return nil
}

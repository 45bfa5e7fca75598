package storetest

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/tlog"
	"github.com/counterproof/counterproof/sync/wire"
)

// logRules are the laws of the append-only log.
func logRules() []Rule {
	return []Rule{
		{"log/leaf-of-what-is-stored", leafOfStored},
		{"log/leaf-of-bundle", leafOfBundle},
		{"log/append-all-or-none", appendAll},
		{"log/leaves", leafPages},
		{"log/tree", treeOfLeaves},
		{"log/proofs", proofsHold},
		{"log/checkpoints-kept", checkpointsKept},
		{"log/unsigned-checkpoint", unsignedCheckpoint},
		{"log/sequenced-by-several", sequencedTogether},
		{"log/places", placesOfAgent},
		{"log/erased-stays", erasedStays},
	}
}

// allLeaves reads the log to its end.
func (w *world) allLeaves() ([]wire.Leaf, error) { return w.Leaves(w.ctx, 0, 10_000) }

// noted is a leaf of nothing else.
func noted(n int) wire.Leaf {
	return wire.Leaf{Kind: wire.LeafOpening, At: now, By: "opener", Subject: wire.HashOf(fmt.Append(nil, n)), Index: uint64(n)}
}

// note signs a checkpoint in the suite's own way: it tells what was signed.
func note(size uint64, root wire.Hash) ([]byte, error) {
	return fmt.Appendf(nil, "%d %s", size, root), nil
}

// leafOfStored: a stored record and a refused one have one leaf each, in the
// order of the transactions; repeats, gaps and failures have none.
func leafOfStored(w *world) error {
	if err := w.enrol("a"); err != nil {
		return err
	}
	c := chain{agent: "a"}
	first, second := c.next([]byte("one")), c.next([]byte("two"))
	second.Refuse = "training"
	stored, err := w.accept(first, wire.Stored)
	if err != nil {
		return err
	}
	if _, err := w.accept(c.next(), wire.Gap); err != nil {
		return err
	}
	broken := second
	broken.SignRefusal = func(wire.Refusal) (wire.Refusal, error) { return wire.Refusal{}, errors.New("no key") }
	if _, err := w.Accept(w.ctx, broken); err == nil {
		return errors.New("a refusal was answered unsigned")
	}
	for _, want := range []struct {
		sub     store.Submission
		verdict wire.Verdict
	}{{second, wire.Refused}, {first, wire.Replayed}, {second, wire.Refused}} {
		if _, err := w.accept(want.sub, want.verdict); err != nil {
			return err
		}
	}
	if err := w.reopen(); err != nil {
		return err
	}
	got, err := w.allLeaves()
	if err != nil {
		return err
	}
	refusal := wire.Leaf{Kind: wire.LeafRefusal, At: now, By: "a", Subject: second.Envelope.RecHash(), Word: "training"}
	return equal("leaves", got, []wire.Leaf{wire.LeafOf(*stored.Receipt), refusal})
}

// leafOfBundle: a bundle that is stored has a leaf that digests it; one whose
// change failed has none.
func leafOfBundle(w *world) error {
	body := []byte(`{"version":1,"issued":"2026-11-22T09:30:00Z"}`)
	_, err := w.Bundle(w.ctx, func(wire.Signed) (wire.Signed, error) { return wire.Signed{Body: body}, nil })
	if err != nil {
		return err
	}
	_, err = w.Bundle(w.ctx, func(wire.Signed) (wire.Signed, error) { return wire.Signed{Body: []byte("no")}, errors.New("no") })
	if err == nil {
		return errors.New("a failed change is stored")
	}
	got, err := w.allLeaves()
	if err != nil {
		return err
	}
	return equal("leaves", got, []wire.Leaf{{Kind: wire.LeafBundle, At: now, By: "centre", Subject: wire.HashOf(body)}})
}

// appendAll: leaves are added all or none, and a wrong one is an error.
func appendAll(w *world) error {
	wrong := noted(2)
	wrong.By = "two\nlines"
	if err := w.Append(w.ctx, noted(1), wrong); err == nil {
		return errors.New("a wrong leaf is taken")
	}
	if err := w.Append(w.ctx); err != nil {
		return fmt.Errorf("adding nothing: %w", err)
	}
	if err := w.Append(w.ctx, noted(3), noted(4)); err != nil {
		return err
	}
	got, err := w.allLeaves()
	if err != nil {
		return err
	}
	return equal("leaves", got, []wire.Leaf{noted(3), noted(4)})
}

// leafPages: leaves are read by number, in pages, to the end and not beyond.
func leafPages(w *world) error {
	var want []wire.Leaf
	for i := range 7 {
		want = append(want, noted(i))
	}
	if err := w.Append(w.ctx, want...); err != nil {
		return err
	}
	var got []wire.Leaf
	for {
		page, err := w.Leaves(w.ctx, uint64(len(got)), 3)
		if err != nil || len(page) == 0 || len(page) > 3 {
			return errors.Join(err, equal("leaves", got, want))
		}
		got = append(got, page...)
	}
}

// root is the tree's root as RFC 9162 §2.1.1 defines it.
func root(leaves []wire.Leaf) wire.Hash {
	switch len(leaves) {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		return sha256.Sum256(append([]byte{0}, leaves[0].Bytes()...))
	}
	k := 1
	for k*2 < len(leaves) {
		k *= 2
	}
	left, right := root(leaves[:k]), root(leaves[k:])
	return sha256.Sum256(slices.Concat([]byte{1}, left[:], right[:]))
}

// grown appends leaves and sequences after each count, and returns the
// checkpoints.
func (w *world) grown(counts ...int) ([]wire.Checkpoint, []wire.Leaf, error) {
	var all []wire.Leaf
	var points []wire.Checkpoint
	for _, n := range counts {
		var more []wire.Leaf
		for i := range n {
			more = append(more, noted(len(all)+i))
		}
		if err := w.Append(w.ctx, more...); err != nil {
			return nil, nil, err
		}
		all = append(all, more...)
		c, err := w.Sequence(w.ctx, note)
		if err != nil {
			return nil, nil, err
		}
		points = append(points, c)
	}
	return points, all, nil
}

// treeOfLeaves: the checkpoint names all leaves and the root over them, also of
// none and after reopening.
func treeOfLeaves(w *world) error {
	sizes := []int{0, 1, 2, 5, 9}
	points, all, err := w.grown(sizes...)
	if err != nil {
		return err
	}
	n := 0
	for i, c := range points {
		n += sizes[i]
		want := wire.Checkpoint{Size: uint64(n), Root: root(all[:n])}
		want.Note, _ = note(want.Size, want.Root)
		if err := equal("checkpoint", c, want); err != nil {
			return err
		}
	}
	if err := w.reopen(); err != nil {
		return err
	}
	unasked := func(uint64, wire.Hash) ([]byte, error) { return nil, errors.New("nothing is new") }
	again, err := w.Sequence(w.ctx, unasked)
	if err != nil {
		return err
	}
	return equal("checkpoint without a new leaf", again, points[len(points)-1])
}

// proofsHold: with the stored hashes every leaf is proved, and every growth.
func proofsHold(w *world) error {
	points, all, err := w.grown(3, 4, 6)
	if err != nil {
		return err
	}
	read := func(indexes []int64) ([]wire.Hash, error) { return w.Hashes(w.ctx, indexes) }
	last := points[len(points)-1]
	for i, l := range all {
		proof, err := tlog.Prove(last.Size, uint64(i), read)
		if err != nil {
			return err
		}
		if err := tlog.Check(last, uint64(i), tlog.LeafHash(l), proof); err != nil {
			return fmt.Errorf("leaf %d: %w", i, err)
		}
	}
	for _, old := range points {
		proof, err := tlog.ProveGrowth(old.Size, last.Size, read)
		if err != nil {
			return err
		}
		if err := tlog.CheckGrowth(old, last, proof); err != nil {
			return fmt.Errorf("from %d leaves: %w", old.Size, err)
		}
	}
	if _, err := read([]int64{tlog.Stored(last.Size)}); err == nil {
		return errors.New("a hash beyond the tree is read")
	}
	return nil
}

// checkpointsKept: older checkpoints are found by the size that is asked for.
func checkpointsKept(w *world) error {
	none, err := w.Checkpoint(w.ctx, 0)
	if err != nil {
		return err
	}
	if err := equal("checkpoint of nothing", none, wire.Checkpoint{}); err != nil {
		return err
	}
	points, _, err := w.grown(3, 4, 6)
	if err != nil {
		return err
	}
	for size, want := range map[uint64]wire.Checkpoint{0: points[2], 2: {}, 3: points[0], 6: points[0], 7: points[1], 99: points[2]} {
		got, err := w.Checkpoint(w.ctx, size)
		if err != nil {
			return err
		}
		if err := equal(fmt.Sprintf("checkpoint of at most %d", size), got, want); err != nil {
			return err
		}
	}
	return nil
}

// unsignedCheckpoint: where nobody signs, nothing is kept, and the tree grows
// the next time.
func unsignedCheckpoint(w *world) error {
	if err := w.Append(w.ctx, noted(0), noted(1)); err != nil {
		return err
	}
	noKey := errors.New("no key")
	_, err := w.Sequence(w.ctx, func(uint64, wire.Hash) ([]byte, error) { return nil, noKey })
	if err := wantError("a checkpoint that nobody signs", err, noKey); err != nil {
		return err
	}
	held, err := w.Checkpoint(w.ctx, 0)
	if err != nil {
		return err
	}
	if err := equal("checkpoint that nobody signed", held, wire.Checkpoint{}); err != nil {
		return err
	}
	c, err := w.Sequence(w.ctx, note)
	if err != nil {
		return err
	}
	return equal("root afterwards", c.Root, root([]wire.Leaf{noted(0), noted(1)}))
}

// sequencedTogether: leaves come and trees grow at the same time, and every
// checkpoint is the tree of a beginning of the log.
func sequencedTogether(w *world) error {
	const n = 6
	errs, points := make([]error, n), make([]wire.Checkpoint, n)
	together(n, func(i int) {
		if i%2 == 0 {
			errs[i] = w.Append(w.ctx, noted(i), noted(i+100))
			return
		}
		points[i], errs[i] = w.Sequence(w.ctx, note)
	})
	if err := errors.Join(errs...); err != nil {
		return err
	}
	last, err := w.Sequence(w.ctx, note)
	if err != nil {
		return err
	}
	all, err := w.allLeaves()
	if err != nil || len(all) != n {
		return fmt.Errorf("%d leaves, want %d (%v)", len(all), n, err)
	}
	for _, c := range append(points, last) {
		if c.Note != nil && c.Root != root(all[:c.Size]) {
			return fmt.Errorf("the checkpoint of %d is no tree of the log", c.Size)
		}
	}
	return equal("size at the end", last.Size, uint64(n))
}

// placesOfAgent: an agent's stored records are found in the log, from a number
// on, in pages, without its refused ones and without another's.
func placesOfAgent(w *world) error {
	var want []store.Place
	a, b := chain{agent: "a"}, chain{agent: "b"}
	if err := errors.Join(w.enrol("a"), w.enrol("b")); err != nil {
		return err
	}
	leaf := uint64(0)
	for i := range 6 {
		sub := a.next([]byte{byte(i)})
		if i == 2 {
			sub.Refuse = "training"
		} else {
			want = append(want, store.Place{Seq: a.seq, RecHash: a.head, Leaf: leaf})
		}
		if _, err := w.Accept(w.ctx, sub); err != nil {
			return err
		}
		if err := w.acceptAll(b.next([]byte{byte(i)})); err != nil {
			return err
		}
		leaf += 2
	}
	first, err := w.Places(w.ctx, "a", 0, 3)
	if err != nil {
		return err
	}
	rest, err := w.Places(w.ctx, "a", 5, 100)
	if err != nil {
		return err
	}
	if err := equal("first places", first, want[:3]); err != nil {
		return err
	}
	return equal("places from 5 on", rest, want[3:])
}

// erasedStays: what is erased keeps its leaf, and has a tombstone behind it.
func erasedStays(w *world) error {
	if err := w.enrol("a"); err != nil {
		return err
	}
	c := chain{agent: "a"}
	answer, err := w.accept(c.next([]byte("one")), wire.Stored)
	if err != nil {
		return err
	}
	stone := tombstone(*answer.Receipt)
	if err := w.Erase(w.ctx, 1, stone); err != nil {
		return err
	}
	got, err := w.allLeaves()
	if err != nil {
		return err
	}
	return equal("leaves", got, []wire.Leaf{wire.LeafOf(*answer.Receipt), stone})
}

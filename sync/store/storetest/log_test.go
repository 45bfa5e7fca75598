package storetest_test

import (
	"context"
	"errors"
	"slices"

	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/tlog"
	"github.com/counterproof/counterproof/sync/wire"
)

// The faults of a log.
const (
	silentRefusals  fault = "refuses without a leaf"
	leafEachTime    fault = "writes a leaf for every repeat"
	silentBundles   fault = "stores bundles without a leaf"
	halfAppends     fault = "keeps half of what is appended"
	skipsLeaves     fault = "leaves leaves out of a page"
	forgetsLast     fault = "leaves the newest leaf out of the tree"
	wrongHashes     fault = "keeps other hashes than the tree's"
	onlyNewest      fault = "keeps the newest checkpoint only"
	keepsUnsigned   fault = "keeps a checkpoint that nobody signed"
	placesOfAll     fault = "finds the records of all agents"
	dropsErasedLeaf fault = "removes an erased record's leaf"
	racesSequencing fault = "loses leaves that come while the tree grows"
)

// logFaults names the rule that each breaks.
var logFaults = map[fault]string{
	silentRefusals:  "log/leaf-of-what-is-stored",
	leafEachTime:    "log/leaf-of-what-is-stored",
	silentBundles:   "log/leaf-of-bundle",
	halfAppends:     "log/append-all-or-none",
	skipsLeaves:     "log/leaves",
	forgetsLast:     "log/tree",
	wrongHashes:     "log/proofs",
	onlyNewest:      "log/checkpoints-kept",
	keepsUnsigned:   "log/unsigned-checkpoint",
	racesSequencing: "log/sequenced-by-several",
	placesOfAll:     "log/places",
	dropsErasedLeaf: "log/erased-stays",
}

// tree is the memory's log.
type tree struct {
	leaves []wire.Leaf
	hashes []wire.Hash
	points []wire.Checkpoint
}

func (m *memory) Append(_ context.Context, leaves ...wire.Leaf) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	before := len(m.tree.leaves)
	for _, l := range leaves {
		if err := l.Check(); err != nil {
			if m.fault != halfAppends {
				m.tree.leaves = m.tree.leaves[:before]
			}
			return err
		}
		m.tree.leaves = append(m.tree.leaves, l)
	}
	return nil
}

func (m *memory) Sequence(_ context.Context, sign func(uint64, wire.Hash) ([]byte, error)) (wire.Checkpoint, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var last wire.Checkpoint
	if n := len(m.tree.points); n > 0 {
		last = m.tree.points[n-1]
	}
	size := len(m.tree.leaves)
	if m.fault == forgetsLast {
		size = max(size-1, int(last.Size))
	}
	if size = max(size, int(last.Size)); last.Note != nil && last.Size == uint64(size) {
		return last, nil
	}
	var more []wire.Hash
	for _, l := range m.tree.leaves[min(last.Size, uint64(len(m.tree.leaves))):min(size, len(m.tree.leaves))] {
		more = append(more, tlog.LeafHash(l))
	}
	grown, err := tlog.Grow(last.Size, more, m.read)
	if err != nil {
		return wire.Checkpoint{}, err
	}
	before := m.tree
	if m.fault == racesSequencing {
		m.tree.leaves = m.tree.leaves[:last.Size]
	}
	m.tree.hashes = append(slices.Clone(m.tree.hashes), grown...)
	c := wire.Checkpoint{Size: uint64(size)}
	if c.Root, err = tlog.Root(c.Size, m.read); err != nil {
		return c, err
	}
	if c.Note, err = sign(c.Size, c.Root); err != nil && m.fault != keepsUnsigned {
		m.tree = before
		return wire.Checkpoint{}, err
	}
	if m.fault == onlyNewest {
		m.tree.points = nil
	}
	m.tree.points = append(m.tree.points, c)
	return c, err
}

func (m *memory) read(indexes []int64) ([]wire.Hash, error) {
	var out []wire.Hash
	for _, i := range indexes {
		if i >= int64(len(m.tree.hashes)) {
			return nil, errors.New("there is no such hash")
		}
		out = append(out, m.tree.hashes[i])
	}
	return out, nil
}

func (m *memory) Hashes(_ context.Context, indexes []int64) ([]wire.Hash, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	out, err := m.read(indexes)
	if m.fault == wrongHashes && len(out) > 0 {
		out[0][0] ^= 1
	}
	return out, err
}

func (m *memory) Checkpoint(_ context.Context, size uint64) (wire.Checkpoint, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range slices.Backward(m.tree.points) {
		if size == 0 || c.Size <= size {
			return c, nil
		}
	}
	return wire.Checkpoint{}, nil
}

func (m *memory) Leaves(_ context.Context, from uint64, limit int) ([]wire.Leaf, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	rest := m.tree.leaves[min(from, uint64(len(m.tree.leaves))):]
	rest = slices.Clone(rest[:min(limit, len(rest))])
	if m.fault == skipsLeaves && len(rest) > 1 {
		rest = slices.Delete(rest, 0, 1)
	}
	return rest, nil
}

func (m *memory) Places(_ context.Context, agent wire.AgentID, seq wire.Seq, limit int) ([]store.Place, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var places []store.Place
	for i, l := range m.tree.leaves {
		if l.Kind != wire.LeafRecord || l.By != string(agent) && m.fault != placesOfAll {
			continue
		}
		r := m.log[l.Index-1].Receipt
		if r.Seq >= seq && len(places) < limit {
			places = append(places, store.Place{Seq: r.Seq, RecHash: r.RecHash, Leaf: uint64(i)})
		}
	}
	return places, nil
}

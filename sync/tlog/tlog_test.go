package tlog_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/counterproof/counterproof/sync/tlog"
	"github.com/counterproof/counterproof/sync/wire"
)

// leaf is the nth leaf of the tests.
func leaf(n int) wire.Leaf {
	return wire.Leaf{
		Kind: wire.LeafRecord, At: time.UnixMilli(1795343400000).UTC(), By: "agent-1",
		Subject: wire.HashOf(fmt.Append(nil, n)), Index: uint64(n + 1),
	}
}

// stored is a tree as a store keeps it.
type stored []wire.Hash

func (s stored) read(indexes []int64) ([]wire.Hash, error) {
	out := make([]wire.Hash, len(indexes))
	for i, index := range indexes {
		if index < 0 || index >= int64(len(s)) {
			return nil, fmt.Errorf("there is no hash %d", index)
		}
		out[i] = s[index]
	}
	return out, nil
}

// grow makes a tree of n leaves in steps of the given size.
func grow(t testing.TB, n, step int) (stored, []wire.Hash) {
	t.Helper()
	var s stored
	var hashes []wire.Hash
	for i := range n {
		hashes = append(hashes, tlog.LeafHash(leaf(i)))
	}
	for at := 0; at < n; at += step {
		grown, err := tlog.Grow(uint64(at), hashes[at:min(at+step, n)], s.read)
		if err != nil {
			t.Fatal(err)
		}
		s = append(s, grown...)
	}
	return s, hashes
}

// root is the tree's root as RFC 9162 §2.1.1 defines it, and nothing else.
func root(leaves [][]byte) wire.Hash {
	switch len(leaves) {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		return sha256.Sum256(append([]byte{0}, leaves[0]...))
	}
	k := 1
	for k*2 < len(leaves) {
		k *= 2
	}
	left, right := root(leaves[:k]), root(leaves[k:])
	return sha256.Sum256(slices.Concat([]byte{1}, left[:], right[:]))
}

// TestRoot compares every small tree with the definition, however it grew.
func TestRoot(t *testing.T) {
	t.Parallel()
	var leaves [][]byte
	for n := range 40 {
		for _, step := range []int{1, 3, 40} {
			s, _ := grow(t, n, step)
			if want := tlog.Stored(uint64(n)); int64(len(s)) != want {
				t.Errorf("%d leaves by %d: %d hashes, want %d", n, step, len(s), want)
			}
			got, err := tlog.Root(uint64(n), s.read)
			if err != nil || got != root(leaves) {
				t.Errorf("%d leaves by %d: root %s, %v", n, step, got, err)
			}
		}
		leaves = append(leaves, leaf(n).Bytes())
	}
}

// TestProofs proves every leaf of every small tree and every growth, and that no
// proof shows anything else.
func TestProofs(t *testing.T) {
	t.Parallel()
	const most = 20
	s, hashes := grow(t, most, most)
	trees := make([]wire.Checkpoint, most+1)
	for n := range trees {
		trees[n].Size = uint64(n)
		var err error
		if trees[n].Root, err = tlog.Root(uint64(n), s.read); err != nil {
			t.Fatal(err)
		}
	}
	for n := 1; n <= most; n++ {
		for i := range n {
			proof, err := tlog.Prove(uint64(n), uint64(i), s.read)
			if err != nil {
				t.Fatal(err)
			}
			if err := tlog.Check(trees[n], uint64(i), hashes[i], proof); err != nil {
				t.Errorf("leaf %d of %d: %v", i, n, err)
			}
			other := hashes[(i+1)%most]
			if err := tlog.Check(trees[n], uint64(i), other, proof); !errors.Is(err, tlog.ErrProof) {
				t.Errorf("leaf %d of %d: another leaf passes", i, n)
			}
			if err := tlog.Check(trees[n-1], uint64(i), hashes[i], proof); !errors.Is(err, tlog.ErrProof) {
				t.Errorf("leaf %d of %d: in the tree before, too", i, n)
			}
		}
		for old := range n + 1 {
			checkGrowth(t, s, trees, old, n)
		}
	}
}

// checkGrowth proves one growth, and no other by the same proof.
func checkGrowth(t *testing.T, s stored, trees []wire.Checkpoint, old, n int) {
	t.Helper()
	proof, err := tlog.ProveGrowth(uint64(old), uint64(n), s.read)
	if err != nil {
		t.Fatal(err)
	}
	if err := tlog.CheckGrowth(trees[old], trees[n], proof); err != nil {
		t.Errorf("from %d to %d: %v", old, n, err)
	}
	if old == 0 {
		return
	}
	forged := trees[old]
	forged.Root[0] ^= 1
	if err := tlog.CheckGrowth(forged, trees[n], proof); !errors.Is(err, tlog.ErrProof) {
		t.Errorf("from %d to %d: another beginning passes", old, n)
	}
	if err := tlog.CheckGrowth(trees[n], trees[old], proof); old != n && !errors.Is(err, tlog.ErrProof) {
		t.Errorf("from %d back to %d passes", n, old)
	}
}

// TestOutOfBounds: nothing that is asked or sent makes anybody read beyond a
// tree or for ever.
func TestOutOfBounds(t *testing.T) {
	t.Parallel()
	s, hashes := grow(t, 5, 5)
	tree := wire.Checkpoint{Size: 5}
	tree.Root, _ = tlog.Root(5, s.read)
	if _, err := tlog.Prove(5, 5, s.read); err == nil {
		t.Error("a leaf beyond the end is proved")
	}
	if _, err := tlog.ProveGrowth(6, 5, s.read); err == nil {
		t.Error("a shrinking is proved")
	}
	if _, err := tlog.Root(1<<60, s.read); err == nil {
		t.Error("a tree of 2⁶⁰ leaves has a root")
	}
	if _, err := tlog.Grow(1<<53, hashes, s.read); err == nil {
		t.Error("a full tree grows")
	}
	long := make([]wire.Hash, tlog.MaxProof+1)
	if err := tlog.Check(tree, 1, hashes[1], long); !errors.Is(err, tlog.ErrProof) {
		t.Errorf("a long proof: %v", err)
	}
	if err := tlog.CheckGrowth(wire.Checkpoint{Size: 1}, tree, long); !errors.Is(err, tlog.ErrProof) {
		t.Errorf("a long proof of growth: %v", err)
	}
	short := func([]int64) ([]wire.Hash, error) { return nil, nil }
	if _, err := tlog.Root(5, short); err == nil {
		t.Error("a store that gives less than asked is believed")
	}
	if _, err := tlog.Grow(5, hashes, short); err == nil {
		t.Error("a tree grows on a store that gives less than asked")
	}
}

// FuzzCheck feeds proofs of any kind: none but the right one passes. A root does
// not say how many leaves are under it, and some leaves have the same path under
// another size; the size is held by the checkpoint's signature.
func FuzzCheck(f *testing.F) {
	s, hashes := grow(f, 13, 13)
	tree := wire.Checkpoint{Size: 13}
	tree.Root, _ = tlog.Root(13, s.read)
	right := map[uint64][]wire.Hash{}
	for i := range uint64(13) {
		right[i], _ = tlog.Prove(13, i, s.read)
		var b []byte
		for _, h := range right[i] {
			b = append(b, h[:]...)
		}
		f.Add(i, uint64(13), b)
		f.Add(i, uint64(12), b)
	}
	f.Add(uint64(0), uint64(1)<<63, []byte(nil))
	f.Fuzz(func(t *testing.T, n, size uint64, b []byte) {
		var proof []wire.Hash
		for ; len(b) >= 32; b = b[32:] {
			proof = append(proof, wire.Hash(b[:32]))
		}
		as := wire.Checkpoint{Size: size, Root: tree.Root}
		_ = tlog.CheckGrowth(wire.Checkpoint{Size: n, Root: hashes[0]}, as, proof)
		if tlog.Check(as, n, hashes[n%13], proof) == nil && (n >= size || size == 13 && !slices.Equal(proof, right[n])) {
			t.Errorf("leaf %d of %d passes with %d hashes", n, size, len(proof))
		}
	})
}

// BenchmarkGrow tells what a leaf costs.
func BenchmarkGrow(b *testing.B) {
	s, _ := grow(b, 1<<14, 1<<14)
	next := make([]wire.Hash, 1000)
	for b.Loop() {
		if _, err := tlog.Grow(1<<14, next, s.read); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds(), "leaves/s")
}

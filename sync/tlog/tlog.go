// Package tlog is the mathematics of the centre's log: the Merkle tree over its
// leaves (RFC 9162 §2.1), the proofs that a leaf is in it and that an older tree
// is the beginning of a newer one, and the signed text by which the centre
// commits itself to a tree.
//
// It keeps nothing: hashes of the tree are read and written by a store, under
// their index in storage order, each once and never again.
//
// # The laws
//
//   - A proof is checked against a tree's size and root alone, by whoever holds
//     the leaf; nothing that the centre says beside them is believed.
//   - What arrives is hostile: a proof or a text is bounded before it is read.
//   - A checkpoint is signed under a text that nothing else begins with.
package tlog

import (
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/counterproof/counterproof/sync/wire"
)

// ErrProof: the proof does not show what it is for.
var ErrProof = errors.New("the proof does not show it")

// MaxProof bounds the hashes of one proof (a count): a tree of 2⁵³ leaves needs
// fewer.
const MaxProof = 64

// maxSize bounds a tree, so that every index fits into 63 bits.
const maxSize = 1 << 53

// Reader reads hashes of the tree by their index in storage order. It returns
// as many as were asked for, in that order, or an error.
type Reader func(indexes []int64) ([]wire.Hash, error)

// ReadHashes lets the library read through r.
func (r Reader) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	got, err := r(indexes)
	if err != nil {
		return nil, err
	}
	if len(got) != len(indexes) {
		return nil, fmt.Errorf("reading %d hashes of the tree gave %d", len(indexes), len(got))
	}
	return theirs(got), nil
}

// theirs and ours turn hashes of this project into the library's and back.
func theirs(hashes []wire.Hash) []tlog.Hash {
	out := make([]tlog.Hash, len(hashes))
	for i, h := range hashes {
		out[i] = tlog.Hash(h)
	}
	return out
}

func ours(hashes []tlog.Hash) []wire.Hash {
	out := make([]wire.Hash, len(hashes))
	for i, h := range hashes {
		out[i] = wire.Hash(h)
	}
	return out
}

// LeafHash is a leaf's hash in the tree: SHA-256 of a zero byte and its bytes
// (RFC 9162 §2.1.1).
func LeafHash(l wire.Leaf) wire.Hash { return wire.Hash(tlog.RecordHash(l.Bytes())) }

// Stored is how many hashes a tree of size leaves has in storage order. The
// hashes that Grow gives for the leaf of number size begin at that index.
func Stored(size uint64) int64 { return tlog.StoredHashIndex(0, int64(size)) }

// Grow gives the hashes that are to be stored for leaves that follow on a tree
// of size leaves, in storage order from Stored(size) on. It reads through read
// only what an older tree has.
func Grow(size uint64, leaves []wire.Hash, read Reader) ([]wire.Hash, error) {
	if size+uint64(len(leaves)) > maxSize {
		return nil, errors.New("growing the tree: it is full")
	}
	first := Stored(size)
	var grown []wire.Hash
	through := Reader(func(indexes []int64) ([]wire.Hash, error) { return both(indexes, first, grown, read) })
	for i, h := range leaves {
		next, err := tlog.StoredHashesForRecordHash(int64(size)+int64(i), tlog.Hash(h), through)
		if err != nil {
			return nil, fmt.Errorf("growing the tree: %w", err)
		}
		grown = append(grown, ours(next)...)
	}
	return grown, nil
}

// both reads hashes of which those from index first on are in grown.
func both(indexes []int64, first int64, grown []wire.Hash, read Reader) ([]wire.Hash, error) {
	out := make([]wire.Hash, len(indexes))
	var old []int64
	for _, index := range indexes {
		if index < first {
			old = append(old, index)
		}
	}
	var held []wire.Hash
	if len(old) > 0 {
		var err error
		if held, err = read(old); err != nil {
			return nil, err
		}
		if len(held) != len(old) {
			return nil, fmt.Errorf("reading %d hashes of the tree gave %d", len(old), len(held))
		}
	}
	for i, index := range indexes {
		if index >= first {
			out[i] = grown[index-first]
			continue
		}
		out[i], held = held[0], held[1:]
	}
	return out, nil
}

// Root is the root of the tree over the first size leaves; of none it is the
// hash of nothing (RFC 9162 §2.1.1).
func Root(size uint64, read Reader) (wire.Hash, error) {
	if size == 0 {
		return wire.HashOf(nil), nil
	}
	if size > maxSize {
		return wire.Hash{}, errors.New("reading the tree's root: no tree is so large")
	}
	h, err := tlog.TreeHash(int64(size), read)
	if err != nil {
		return wire.Hash{}, fmt.Errorf("reading the tree's root: %w", err)
	}
	return wire.Hash(h), nil
}

// Prove gives the hashes that show that the leaf of a number is in the tree of
// size leaves (RFC 9162 §2.1.3).
func Prove(size, leaf uint64, read Reader) ([]wire.Hash, error) {
	if leaf >= size || size > maxSize {
		return nil, errors.New("proving a leaf: the tree does not reach so far")
	}
	p, err := tlog.ProveRecord(int64(size), int64(leaf), read)
	if err != nil {
		return nil, fmt.Errorf("proving a leaf: %w", err)
	}
	return ours(p), nil
}

// Check reports whether a proof shows that the leaf with this hash and number is
// in the tree; ErrProof if not.
func Check(tree wire.Checkpoint, leaf uint64, hash wire.Hash, proof []wire.Hash) error {
	if leaf >= tree.Size || tree.Size > maxSize || len(proof) > MaxProof {
		return fmt.Errorf("checking that a leaf is in the log: %w", ErrProof)
	}
	err := tlog.CheckRecord(theirs(proof), int64(tree.Size), tlog.Hash(tree.Root), int64(leaf), tlog.Hash(hash))
	if err != nil {
		return fmt.Errorf("checking that a leaf is in the log: %w", ErrProof)
	}
	return nil
}

// ProveGrowth gives the hashes that show that the tree of size leaves begins
// with the one of old leaves (RFC 9162 §2.1.4). Equal trees and the empty one
// need none.
func ProveGrowth(old, size uint64, read Reader) ([]wire.Hash, error) {
	if old > size || size > maxSize {
		return nil, errors.New("proving the log's growth: the tree does not reach so far")
	}
	if old == 0 || old == size {
		return nil, nil
	}
	p, err := tlog.ProveTree(int64(size), int64(old), read)
	if err != nil {
		return nil, fmt.Errorf("proving the log's growth: %w", err)
	}
	return ours(p), nil
}

// CheckGrowth reports whether a proof shows that the newer tree begins with the
// older one; ErrProof if not. Every tree begins with the empty one.
func CheckGrowth(older, newer wire.Checkpoint, proof []wire.Hash) error {
	switch {
	case older.Size > newer.Size || newer.Size > maxSize || len(proof) > MaxProof:
		return fmt.Errorf("checking the log's growth: %w", ErrProof)
	case older.Size == newer.Size && older.Root != newer.Root:
		return fmt.Errorf("checking the log's growth: %w", ErrProof)
	case older.Size == 0 || older.Size == newer.Size:
		return nil
	}
	err := tlog.CheckTree(theirs(proof), int64(newer.Size), tlog.Hash(newer.Root), int64(older.Size), tlog.Hash(older.Root))
	if err != nil {
		return fmt.Errorf("checking the log's growth: %w", ErrProof)
	}
	return nil
}

package store

import (
	"context"
	"time"

	"github.com/counterproof/counterproof/sync/wire"
)

// Log is the centre's append-only log as a Merkle tree (RFC 9162 §2). Leaves are
// numbered from 0 without a hole, in the order in which their transactions were
// decided. A leaf is written in the transaction of what it stands for: Accept
// writes a record's or refusal's, Bundle one where it stores, Office its deeds'.
// The tree above the leaves grows later, in Sequence, so that accepting a record
// waits for no hashing.
//
// A leaf, a hash of the tree and a checkpoint are never changed and never
// removed, also not when a record's content is erased.
type Log interface {
	// Append adds leaves that stand for nothing else in the store, all or none.
	// A leaf that fails its Check is an error.
	Append(ctx context.Context, leaves ...wire.Leaf) error

	// Sequence lets the tree grow over all leaves and keeps the checkpoint that
	// sign makes of its size and root, all in one transaction. Without a new
	// leaf it returns the newest checkpoint and sign is not called, unless there
	// is none yet. Of several that run at the same time one at a time works.
	Sequence(ctx context.Context, sign func(size uint64, root wire.Hash) (note []byte, err error)) (wire.Checkpoint, error)

	// Checkpoint returns the newest checkpoint of at most size leaves, or the
	// newest of all for 0; the zero Checkpoint if there is none.
	Checkpoint(ctx context.Context, size uint64) (wire.Checkpoint, error)

	// Leaves returns up to limit leaves from number from on, sequenced or not.
	Leaves(ctx context.Context, from uint64, limit int) ([]wire.Leaf, error)

	// Places tells where the stored records of an agent stand, from the number
	// seq of its chain on, in that order. A refused record has none.
	Places(ctx context.Context, agent wire.AgentID, seq wire.Seq, limit int) ([]Place, error)

	// Hashes reads hashes of the tree by their index in storage order, as package
	// tlog counts them. One that is not there is an error.
	Hashes(ctx context.Context, indexes []int64) ([]wire.Hash, error)
}

// Place is where a record's leaf stands.
type Place struct {
	Seq     wire.Seq
	RecHash wire.Hash
	Leaf    uint64 // its number, from 0
}

// BundleLeaf is the leaf of a bundle that was stored: its Subject digests the
// body, its time is the bundle's.
func BundleLeaf(s wire.Signed) wire.Leaf {
	l := wire.Leaf{Kind: wire.LeafBundle, At: time.UnixMilli(0).UTC(), By: "centre", Subject: wire.HashOf(s.Body)}
	if b, err := s.Bundle(); err == nil && b.Issued.UnixMilli() > 0 {
		l.At = b.Issued.UTC().Truncate(time.Millisecond)
	}
	return l
}

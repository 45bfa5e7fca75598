package store

import (
	"context"

	"github.com/counterproof/counterproof/sync/wire"
)

// Notices keeps the news that openers send back to counters, for good: what a
// counter has acknowledged is given to it again when it asks, as after its disk
// was damaged.
//
// Every notice stands in two lists, both without a hole: in its opener's, at
// the place that the opener gave it, and in its counter's, at the place that
// the store gives it. The opener and the centre hold the same list, so whoever
// was brought back from a backup is brought up to date by the other.
//
// A counter need not be enrolled for its notices to be kept: one that a restored
// centre has forgotten comes back under the same name.
type Notices interface {
	// PostNotices adds notices to both lists, all or none, and answers with
	// what the first one that says anything says, in this order:
	//
	//	Fork      the opener's list holds another at its place, or its Number is
	//	          not the next of this opener for that counter
	//	Gap       its place is ahead; Expect says which comes next
	//	Stored    it is held now
	//	Replayed  it and all the others are held already
	//
	// The same notice is one with the same wire.Notice.Hash; the signature of
	// the first is kept. An error means that the outcome is unclear; the same
	// notices may be posted again at once.
	PostNotices(ctx context.Context, p Posting) (wire.Answer, error)

	// NoticesBy returns up to limit notices of an opener's list that follow the
	// place after. An opener that is not known has an empty list. Where the disk
	// has lost a notice an empty one stands in its place.
	NoticesBy(ctx context.Context, opener wire.AgentID, after uint64, limit int) (wire.NoticePage, error)

	// NoticesFor does the same with a counter's list, and tells how much of it
	// the counter has acknowledged.
	NoticesFor(ctx context.Context, agent wire.AgentID, after uint64, limit int) (wire.NoticePage, error)

	// AckNotices notes that the counter has its notices up to place n for good.
	// An earlier place than before changes nothing. ErrPlace means that the list
	// does not reach so far.
	AckNotices(ctx context.Context, agent wire.AgentID, n uint64) error
}

// Posting is a run of notices at their places in their opener's list. Who sent
// it, form and signatures have been checked.
type Posting struct {
	Opener  wire.AgentID // by its certificate
	Notices []wire.Placed
}

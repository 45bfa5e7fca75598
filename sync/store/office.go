package store

import (
	"context"
	"errors"
	"time"

	"github.com/counterproof/counterproof/sync/wire"
)

// ErrErased: the record's content was erased before.
var ErrErased = errors.New("the record's content has been erased")

// Status is whether an enrolled agent may speak.
type Status string

// The statuses.
const (
	// Active agents may do what their role allows.
	Active Status = ""
	// Pending agents hold no certificate until a second person has approved.
	Pending Status = "pending"
	// Revoked agents are refused for ever; what they sent before stays.
	Revoked Status = "revoked"
)

// Office is what people of the centre's office do. Every deed is one transaction
// with the leaf that tells of it.
type Office interface {
	// Agents returns up to limit agents whose id follows after, in order of id.
	Agents(ctx context.Context, after wire.AgentID, limit int) ([]Agent, error)

	// Change hands an agent to change and stores what it returns, with the leaf.
	// Site, Status, Approved and Quarantined may change; anything else is left
	// as it is. An error of change is returned and nothing is stored. ErrUnknown
	// without such an agent.
	Change(ctx context.Context, id wire.AgentID, leaf wire.Leaf, change func(Agent) (Agent, error)) (Agent, error)

	// Find tells of the stored records with an id or a slip's reference: several
	// where one visit arrived twice, or references met. None is no error.
	Find(ctx context.Context, ref wire.Ref) ([]Entry, error)

	// Erase removes the sealed parts of a stored record, and the blobs that no
	// other record names, and writes the leaf. Header, signature, receipt and
	// place stay, so that the chain and the log can still be verified; Records
	// goes on to return the record, as Erased. ErrErased if it was done before,
	// ErrPlace without such a record.
	Erase(ctx context.Context, logIndex uint64, leaf wire.Leaf) error
}

// Flags are what the openers ask the office to look at.
type Flags interface {
	// Raise keeps flags, all or none. One with the Hash of one that is held
	// changes nothing.
	Raise(ctx context.Context, by wire.AgentID, flags []wire.Flag) error

	// Flags returns up to limit flags whose number is above after, in order of
	// their numbers, which begin at 1 and have no hole.
	Flags(ctx context.Context, after uint64, limit int) ([]Raised, error)

	// Settle closes an open flag with a word and writes the leaf. ErrPlace
	// without an open flag of that number.
	Settle(ctx context.Context, number uint64, word string, leaf wire.Leaf) error
}

// Entry is a stored record as the office sees it.
type Entry struct {
	Receipt wire.Receipt
	Record  wire.RecordID
	Erased  bool
}

// Raised is a flag as it is kept.
type Raised struct {
	Number  uint64
	By      wire.AgentID // the opener
	Flag    wire.Flag
	Settled string    // the word that closed it; empty while it is open
	Closed  time.Time // when; zero while it is open
}

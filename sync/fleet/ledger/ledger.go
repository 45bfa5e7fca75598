// Package ledger holds what counters were told against what the centre has.
//
// It reads no store and believes nobody: what was acknowledged is stored, what is
// stored was sent, each once, whole, under the log index of its receipt, in
// chains without a hole.
package ledger

import (
	"bytes"
	"crypto/ecdsa"
	"fmt"

	"github.com/counterproof/counterproof/sync/seal"
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// Ledger is what one counter knows of its own records.
type Ledger struct {
	Agent  wire.AgentID
	Public *ecdsa.PublicKey
	Sent   map[wire.Hash]wire.Seq    // every record that was ever put on the line
	Acked  map[wire.Seq]wire.Receipt // the verified receipt of each number that holds
	Moved  int                       // receipts that came out different when asked for again
	Forked bool                      // it was made to fork
	Caught bool                      // the centre said so

	lives map[wire.Seq]int
}

// New makes a counter's empty ledger.
func New(agent wire.AgentID, public *ecdsa.PublicKey) *Ledger {
	return &Ledger{
		Agent: agent, Public: public,
		Sent: map[wire.Hash]wire.Seq{}, Acked: map[wire.Seq]wire.Receipt{}, lives: map[wire.Seq]int{},
	}
}

// Note keeps a verified receipt, and reports whether its number had none yet. The
// first one holds. A centre that comes back from an older copy of its disk has
// another life: what it promised in an earlier one may be promised anew.
func (l *Ledger) Note(r wire.Receipt, life int) (first bool) {
	held, again := l.Acked[r.Seq]
	if again && bytes.Equal(held.SignedBytes(), r.SignedBytes()) {
		return false
	}
	if again && life <= l.lives[r.Seq] {
		l.Moved++
		return false
	}
	l.Acked[r.Seq], l.lives[r.Seq] = r, life
	return !again
}

// Findings count what is wrong, and Example says of what kind the first was.
type Findings struct {
	Lost       int    `json:"lost"`       // acknowledged and not stored
	Duplicated int    `json:"duplicated"` // stored more than once, or two under one index
	Altered    int    `json:"altered"`    // stored with other bytes than were sent
	Phantom    int    `json:"phantom"`    // stored and never sent
	Moved      int    `json:"moved"`      // stored under another index than the receipt names
	Broken     int    `json:"broken"`     // holes in a chain or in the log
	Forks      int    `json:"forks"`      // planted
	Caught     int    `json:"caught"`     // of those, found by the centre
	Stored     int    `json:"stored"`
	Acked      int    `json:"acked"`
	Example    string `json:"example,omitempty"`
}

// OK reports whether nothing is wrong.
func (f Findings) OK() bool {
	return f.Lost+f.Duplicated+f.Altered+f.Phantom+f.Moved+f.Broken == 0 && f.Caught == f.Forks
}

// wrong counts one fault and keeps the first as the example.
func (f *Findings) wrong(count *int, format string, args ...any) {
	*count++
	if f.Example == "" {
		f.Example = fmt.Sprintf(format, args...)
	}
}

// place is where a record stands.
type place struct {
	agent wire.AgentID
	seq   wire.Seq
}

// Checker holds what is stored against what the counters know. Records are
// added in the order of the log; Findings closes it.
type Checker struct {
	ledgers map[wire.AgentID]*Ledger
	held    map[place]wire.Receipt
	heads   map[wire.AgentID]wire.Hash
	index   uint64
	found   Findings
}

// NewChecker begins with what the counters know.
func NewChecker(ledgers []*Ledger) *Checker {
	c := &Checker{ledgers: map[wire.AgentID]*Ledger{}, held: map[place]wire.Receipt{}, heads: map[wire.AgentID]wire.Hash{}}
	for _, l := range ledgers {
		c.ledgers[l.Agent] = l
	}
	return c
}

// Add looks at the next record of the log.
func (c *Checker) Add(r store.Record) {
	f, at := &c.found, place{r.Receipt.Agent, r.Receipt.Seq}
	f.Stored++
	if c.index++; r.Receipt.LogIndex != c.index {
		f.wrong(&f.Broken, "place %d of the log has index %d", c.index, r.Receipt.LogIndex)
		c.index = r.Receipt.LogIndex
	}
	if _, twice := c.held[at]; twice {
		f.wrong(&f.Duplicated, "%s %d is stored twice", at.agent, at.seq)
		return
	}
	c.held[at] = r.Receipt
	ledger := c.ledgers[at.agent]
	if ledger == nil {
		f.wrong(&f.Phantom, "%s %d is of nobody", at.agent, at.seq)
		return
	}
	c.compare(ledger, r)
}

// compare asks whether a stored record is one that its counter sent.
func (c *Checker) compare(l *Ledger, r store.Record) {
	f, at, name := &c.found, place{r.Receipt.Agent, r.Receipt.Seq}, r.Envelope.RecHash()
	h, err := seal.Verify(r.Envelope, l.Public)
	if err != nil || r.Damaged || h.Seq != at.seq || h.Agent != at.agent || name != r.Receipt.RecHash {
		f.wrong(&f.Altered, "%s %d is not whole: %v", at.agent, at.seq, err)
		return
	}
	if seq, ok := l.Sent[name]; !ok || seq != at.seq {
		f.wrong(&f.Phantom, "%s %d was never sent so", at.agent, at.seq)
	}
	if h.Prev != c.heads[at.agent] || (h.Prev == wire.Hash{}) != (at.seq == 1) {
		f.wrong(&f.Broken, "%s %d does not follow %d", at.agent, at.seq, at.seq-1)
	}
	c.heads[at.agent] = name
}

// Findings closes the log and asks for what every counter was promised.
func (c *Checker) Findings() Findings {
	f := &c.found
	for _, l := range c.ledgers {
		for seq, promised := range l.Acked {
			f.Acked++
			held, ok := c.held[place{l.Agent, seq}]
			switch {
			case !ok:
				f.wrong(&f.Lost, "%s %d was acknowledged and is not stored", l.Agent, seq)
			case held.RecHash != promised.RecHash:
				f.wrong(&f.Altered, "%s %d is stored as another record", l.Agent, seq)
			case !bytes.Equal(held.SignedBytes(), promised.SignedBytes()):
				f.wrong(&f.Moved, "%s %d has log index %d, was promised %d", l.Agent, seq, held.LogIndex, promised.LogIndex)
			}
		}
		if l.Moved > 0 {
			f.wrong(&f.Moved, "%s got another receipt for the same record", l.Agent)
		}
		if l.Forked {
			f.Forks++
		}
		if l.Forked && l.Caught {
			f.Caught++
		} else if l.Forked && f.Example == "" {
			f.Example = fmt.Sprintf("the fork of %s was not found", l.Agent)
		} else if l.Caught {
			f.wrong(&f.Broken, "%s was taken for forked and is not", l.Agent)
		}
	}
	return *f
}

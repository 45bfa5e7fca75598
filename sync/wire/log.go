package wire

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// LeafKind says what a leaf of the centre's log stands for. The list is closed;
// add only at the end.
type LeafKind string

// The kinds.
const (
	// LeafRecord: a record was stored. LeafOf makes it from the receipt.
	LeafRecord LeafKind = "record"
	// LeafRefusal: a record was refused for ever; Word is the reason.
	LeafRefusal LeafKind = "refusal"
	// LeafOpening: the opener named by By was handed a record that it can open.
	// It stands in the log before the first byte leaves the centre.
	LeafOpening LeafKind = "opening"
	// LeafBundle: what counters are told was changed; Subject digests the body.
	LeafBundle LeafKind = "bundle"
	// LeafDeed: a person of the centre's office did something; Word says what.
	LeafDeed LeafKind = "deed"
	// LeafTombstone: content was destroyed for good, one record's (Index and
	// Subject name it) or all that a key opens (Subject digests the public key).
	LeafTombstone LeafKind = "tombstone"
)

// leafKinds is the closed list in its order.
const leafKinds = " record refusal opening bundle deed tombstone "

// Leaf is one entry of the centre's append-only log. It tells nothing of a
// person: what was done, by which key or member of staff, when, and to which
// hash.
type Leaf struct {
	Kind    LeafKind  `json:"kind"`
	At      time.Time `json:"at"`             // whole milliseconds, UTC
	By      string    `json:"by"`             // an agent's id, or a member of staff's sign-in name
	Subject Hash      `json:"subject"`        // RecHash of the record, or what the kind says
	Index   uint64    `json:"index"`          // LogIndex of the record; 0 for none
	Word    string    `json:"word,omitempty"` // a closed word; empty for a record
}

// LeafOf is the leaf that a receipt promises: whoever holds the receipt can
// ask for the proof that the log has it.
func LeafOf(r Receipt) Leaf {
	return Leaf{Kind: LeafRecord, At: r.At, By: string(r.Agent), Subject: r.RecHash, Index: r.LogIndex}
}

// Bytes are what the log's tree is made of (RFC 9162 §2.1.1 hashes them with a
// zero byte before them): a fixed text with every field on its own line. Only a
// leaf that passes Check has bytes of its own.
func (l Leaf) Bytes() []byte {
	return fmt.Appendf(nil, "counterproof leaf v1\n%s\n%d\n%s\n%s\n%d\n%s\n",
		l.Kind, l.At.UnixMilli(), l.By, l.Subject, l.Index, l.Word)
}

// Check reports whether the fields are what they should be.
func (l Leaf) Check() error {
	if l.Kind == "" || strings.Contains(string(l.Kind), " ") || !strings.Contains(leafKinds, " "+string(l.Kind)+" ") {
		return errors.New("no kind of leaf")
	}
	if l.Index > maxNumber || l.At.UnixMilli() < 0 || !l.At.Equal(l.At.Truncate(time.Millisecond)) {
		return errors.New("a place or a time that no log has")
	}
	if err := checkName(l.By); err != nil {
		return err
	}
	if l.Word == "" {
		return nil
	}
	return checkName(strings.ReplaceAll(l.Word, "_", "-"))
}

// Checkpoint is what the centre commits itself to: so many leaves, under this
// root. Note is the signed text (C2SP signed-note), the rest what it says.
type Checkpoint struct {
	Size uint64 `json:"size"` // leaves, so the last one's number is Size-1
	Root Hash   `json:"root"`
	Note []byte `json:"note"`
}

// Proof says that a record's leaf stands in the log under a checkpoint.
type Proof struct {
	Seq    Seq    `json:"seq"`    // of the counter that asks
	Leaf   uint64 `json:"leaf"`   // the leaf's number, from 0
	Hashes []Hash `json:"hashes"` // from the leaf up (RFC 9162 §2.1.3)
}

// FlagKind says in one word what looked wrong to an opener when it held a record
// against the others. The list is closed; add only at the end.
type FlagKind string

// The kinds.
const (
	// FlagDocument: one document came with two people.
	FlagDocument FlagKind = "document_two_people"
	// FlagPerson: one NHS number came with different documents' people.
	FlagPerson FlagKind = "number_two_people"
	// FlagChip: the same chip's files came with another document, or twice in
	// visits that cannot both have held the card.
	FlagChip FlagKind = "chip_again"
	// FlagPace: one clerk or one site proved more people than can be.
	FlagPace FlagKind = "too_many"
	// FlagTwice: the same visit arrived from two counters.
	FlagTwice FlagKind = "visit_twice"
	// FlagDefect: a record cannot be opened or breaks its chain; the site must
	// ask the patient back.
	FlagDefect FlagKind = "defect"
)

// flagKinds is the closed list in its order.
const flagKinds = " document_two_people number_two_people chip_again too_many visit_twice defect "

// Flag asks people of the centre's office to look at records. It names records
// and says a word, never why in terms of a person.
type Flag struct {
	Kind    FlagKind  `json:"kind"`
	Records []Hash    `json:"records"` // RecHash of each, at most MaxFlagged, in the log's order
	At      time.Time `json:"at"`      // whole milliseconds, UTC
}

// MaxFlagged bounds the records of one flag (a count).
const MaxFlagged = 100

// Check reports whether the fields are what they should be.
func (f Flag) Check() error {
	if f.Kind == "" || strings.Contains(string(f.Kind), " ") || !strings.Contains(flagKinds, " "+string(f.Kind)+" ") {
		return errors.New("no kind of flag")
	}
	if len(f.Records) == 0 || len(f.Records) > MaxFlagged {
		return fmt.Errorf("a flag names 1 to %d records", MaxFlagged)
	}
	return nil
}

// Hash names the flag by what it says, not by when: the same again is the same.
func (f Flag) Hash() Hash {
	b := fmt.Appendf(nil, "counterproof flag v1\n%s\n", f.Kind)
	for _, r := range f.Records {
		b = fmt.Appendf(b, "%s\n", r)
	}
	return HashOf(b)
}

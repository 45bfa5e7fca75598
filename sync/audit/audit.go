// Package audit is the auditor's check of a centre: it calculates the whole log
// again from its leaves and holds everything that the centre has promised
// against it: checkpoints, receipts, chains, openings and tombstones.
//
// It reads and never writes, opens no record, and needs no secret: whoever has
// the centre's public key and a copy of its store can do it.
//
// # The laws
//
//   - Nothing that the store has calculated is believed: hashes are made anew.
//   - What is wrong is told by its place, with a word of a closed list, and the
//     check goes on behind it.
package audit

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/counterproof/counterproof/sync/seal"
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/tlog"
	"github.com/counterproof/counterproof/sync/wire"
)

// Word says what is wrong. The list is closed.
type Word string

// The words.
const (
	LeafLost        Word = "leaf_lost"         // the leaves cannot be read to their end
	TreeAltered     Word = "tree_altered"      // a stored hash is not the leaves' own
	Checkpoint      Word = "checkpoint_wrong"  // a checkpoint is unsigned, or of another log
	EpochBack       Word = "epoch_back"        // an epoch follows a later one
	RecordDamaged   Word = "record_damaged"    // a record is not as it was received
	ReceiptWrong    Word = "receipt_wrong"     // a receipt is unsigned, or of another record
	RecordUnsigned  Word = "record_unsigned"   // a record is not its counter's
	ChainBroken     Word = "chain_broken"      // a record does not follow the one before
	RecordUnlogged  Word = "record_unlogged"   // a stored record has no leaf, or another's
	RecordMissing   Word = "record_missing"    // a leaf's record is not stored
	ErasedUntold    Word = "erased_untold"     // content is gone without a tombstone
	TombstoneUnused Word = "tombstone_ignored" // content is there in spite of its tombstone
	ReceiptUnkept   Word = "receipt_unkept"    // a receipt shown to the audit is not kept
)

// Finding is one thing that is wrong.
type Finding struct {
	Word  Word   `json:"word"`
	Place uint64 `json:"place"` // leaf number, log index or size, as the word says
	Agent string `json:"agent,omitempty"`
}

// MaxFindings is how many findings a report lists; all are counted.
const MaxFindings = 100

// Report is what an audit found.
type Report struct {
	Leaves      uint64            `json:"leaves"`
	Root        wire.Hash         `json:"root"`
	Checkpoints int               `json:"checkpoints"`
	Epoch       uint64            `json:"epoch"` // of the newest checkpoint
	Records     int               `json:"records"`
	Erased      int               `json:"erased"`
	Openings    int               `json:"openings"`
	Deeds       map[string]uint64 `json:"deeds"` // by their word
	Wrong       int               `json:"wrong"` // findings, listed or not
	Findings    []Finding         `json:"findings,omitempty"`
}

// Sound reports whether nothing is wrong.
func (r Report) Sound() bool { return r.Wrong == 0 }

// Options say what an audit goes by.
type Options struct {
	Key      ed25519.PublicKey              // the centre's
	Receipts []wire.Receipt                 // of counters or patients, to be found as promised
	Progress func(step string, done uint64) // told now and then; nil for nobody
}

// page is how much is read at a time.
const page = 1000

// Verify audits a store. An error means that it could not be read; what is wrong
// in it is in the report.
func Verify(ctx context.Context, s store.Store, o Options) (Report, error) {
	a := &auditor{
		ctx: ctx, store: s, options: o, report: Report{Deeds: map[string]uint64{}},
		byIndex: map[uint64]wire.Leaf{}, stones: map[uint64]bool{}, heads: map[wire.AgentID]link{},
	}
	if o.Progress == nil {
		a.options.Progress = func(string, uint64) {}
	}
	for _, step := range []func() error{a.leaves, a.checkpoints, a.records, a.promises} {
		if err := step(); err != nil {
			return a.report, fmt.Errorf("auditing the log: %w", err)
		}
	}
	return a.report, nil
}

// auditor is one audit under way.
type auditor struct {
	ctx     context.Context
	store   store.Store
	options Options
	report  Report

	tree    []wire.Hash          // calculated, in storage order
	byIndex map[uint64]wire.Leaf // leaves of records
	stones  map[uint64]bool      // records with a tombstone
	heads   map[wire.AgentID]link
}

// link is the newest record of a chain.
type link struct {
	seq  wire.Seq
	hash wire.Hash
}

// wrong notes a finding.
func (a *auditor) wrong(w Word, place uint64, agent wire.AgentID) {
	if a.report.Wrong++; len(a.report.Findings) < MaxFindings {
		a.report.Findings = append(a.report.Findings, Finding{w, place, string(agent)})
	}
}

// read reads the calculated tree.
func (a *auditor) read(indexes []int64) ([]wire.Hash, error) {
	out := make([]wire.Hash, len(indexes))
	for i, index := range indexes {
		if index < 0 || index >= int64(len(a.tree)) {
			return nil, fmt.Errorf("there is no hash %d", index)
		}
		out[i] = a.tree[index]
	}
	return out, nil
}

// leaves calculates the tree from all leaves.
func (a *auditor) leaves() error {
	for {
		leaves, err := a.store.Leaves(a.ctx, a.report.Leaves, page)
		if a.ctx.Err() != nil {
			return a.ctx.Err()
		}
		if err != nil { // what was lost hides all that is behind it
			a.wrong(LeafLost, a.report.Leaves, "")
			break
		}
		if len(leaves) == 0 {
			break
		}
		if err := a.grow(leaves); err != nil {
			return err
		}
		a.options.Progress("leaves", a.report.Leaves)
	}
	root, err := tlog.Root(a.report.Leaves, a.read)
	a.report.Root = root
	return err
}

// grow takes leaves into the tree and the counts.
func (a *auditor) grow(leaves []wire.Leaf) error {
	hashes := make([]wire.Hash, len(leaves))
	for i, l := range leaves {
		hashes[i] = tlog.LeafHash(l)
		switch l.Kind {
		case wire.LeafRecord:
			a.byIndex[l.Index] = l
		case wire.LeafTombstone:
			if l.Index > 0 {
				a.stones[l.Index] = true
			}
		case wire.LeafOpening:
			a.report.Openings++
		case wire.LeafDeed:
			a.report.Deeds[l.Word]++
		case wire.LeafRefusal, wire.LeafBundle:
		}
	}
	grown, err := tlog.Grow(a.report.Leaves, hashes, a.read)
	a.tree = append(a.tree, grown...)
	a.report.Leaves += uint64(len(leaves))
	return err
}

// checkpoints checks every checkpoint against the calculated tree, the newest
// first, and the stored hashes under it.
func (a *auditor) checkpoints() error {
	later := uint64(0)
	for below := uint64(0); ; {
		c, err := a.store.Checkpoint(a.ctx, below)
		if err != nil {
			return err
		}
		if c.Note == nil {
			return nil
		}
		a.report.Checkpoints++
		read, epoch, err := tlog.Open(c.Note, a.options.Key)
		if err != nil || read.Size != c.Size || read.Root != c.Root || !a.has(c) {
			a.wrong(Checkpoint, c.Size, "")
		}
		if later != 0 && epoch > later {
			a.wrong(EpochBack, c.Size, "")
		}
		if a.report.Checkpoints == 1 {
			a.report.Epoch = epoch
			a.stored(c.Size)
		}
		if later = epoch; c.Size <= 1 {
			return nil
		}
		below = c.Size - 1
	}
}

// has reports whether the calculated log begins with a checkpoint's.
func (a *auditor) has(c wire.Checkpoint) bool {
	if c.Size > a.report.Leaves {
		return false
	}
	root, err := tlog.Root(c.Size, a.read)
	return err == nil && root == c.Root
}

// stored compares the stored hashes, from which proofs are made, with the
// calculated ones.
func (a *auditor) stored(size uint64) {
	end := min(tlog.Stored(size), int64(len(a.tree)))
	for at := int64(0); at < end; at += page {
		var indexes []int64
		for i := at; i < min(at+page, end); i++ {
			indexes = append(indexes, i)
		}
		got, err := a.store.Hashes(a.ctx, indexes)
		if err != nil {
			a.wrong(TreeAltered, uint64(at), "")
			continue
		}
		for i, index := range indexes {
			if got[i] != a.tree[index] {
				a.wrong(TreeAltered, uint64(index), "")
			}
		}
	}
}

// records checks every stored record, and that every leaf has one.
func (a *auditor) records() error {
	for after := uint64(0); ; {
		batch, err := a.store.Records(a.ctx, after, 1)
		if err != nil {
			return err
		}
		if len(batch) == 0 {
			break
		}
		r := batch[0]
		after = r.Receipt.LogIndex
		a.report.Records++
		a.record(r)
		delete(a.byIndex, after)
		if a.report.Records%page == 0 {
			a.options.Progress("records", uint64(a.report.Records))
		}
	}
	for index, l := range a.byIndex {
		a.wrong(RecordMissing, index, wire.AgentID(l.By))
	}
	return nil
}

// record checks one stored record.
func (a *auditor) record(r store.Record) {
	index, agent := r.Receipt.LogIndex, r.Receipt.Agent
	if l, ok := a.byIndex[index]; !ok || l != wire.LeafOf(r.Receipt) {
		a.wrong(RecordUnlogged, index, agent)
	}
	if r.Erased {
		a.report.Erased++
	}
	if r.Erased != a.stones[index] {
		word := ErasedUntold
		if !r.Erased {
			word = TombstoneUnused
		}
		a.wrong(word, index, agent)
	}
	if r.Damaged {
		a.wrong(RecordDamaged, index, agent)
		return
	}
	if seal.VerifyReceipt(r.Receipt, a.options.Key) != nil || r.Envelope.RecHash() != r.Receipt.RecHash {
		a.wrong(ReceiptWrong, index, agent)
	}
	h, err := a.signed(r)
	if err != nil {
		a.wrong(RecordUnsigned, index, agent)
		return
	}
	// Refused records take a number and are not in the log, so a chain may jump;
	// it never goes back, and one number follows its own predecessor.
	last := a.heads[agent]
	if h.Seq <= last.seq || h.Seq == last.seq+1 && h.Prev != last.hash {
		a.wrong(ChainBroken, index, agent)
	}
	a.heads[agent] = link{h.Seq, r.Receipt.RecHash}
}

// signed reads a record's header if its counter has signed it.
func (a *auditor) signed(r store.Record) (wire.Header, error) {
	public, err := x509.ParsePKIXPublicKey(r.Origin.Public)
	if err != nil {
		return wire.Header{}, err
	}
	key, ok := public.(*ecdsa.PublicKey)
	if !ok {
		return wire.Header{}, errors.New("no ECDSA key")
	}
	h, err := seal.VerifyHeader(r.Envelope, key)
	if err == nil && (h.Agent != r.Receipt.Agent || h.Seq != r.Receipt.Seq) {
		err = errors.New("another record's header")
	}
	return h, err
}

// promises looks for the receipts that the audit was shown.
func (a *auditor) promises() error {
	for _, r := range a.options.Receipts {
		if seal.VerifyReceipt(r, a.options.Key) != nil {
			a.wrong(ReceiptWrong, r.LogIndex, r.Agent)
			continue
		}
		places, err := a.store.Places(a.ctx, r.Agent, r.Seq, 1)
		if err != nil {
			return err
		}
		if len(places) == 0 || places[0].Seq != r.Seq || places[0].RecHash != r.RecHash || !a.leafOf(places[0].Leaf, r) {
			a.wrong(ReceiptUnkept, r.LogIndex, r.Agent)
		}
	}
	return nil
}

// leafOf reports whether the leaf of a number is the one that a receipt promises.
func (a *auditor) leafOf(number uint64, r wire.Receipt) bool {
	index := tlog.Stored(number)
	return number < a.report.Leaves && a.tree[index] == tlog.LeafHash(wire.LeafOf(r))
}

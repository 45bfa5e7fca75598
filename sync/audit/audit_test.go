package audit_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/counterproof/counterproof/sync/audit"
	"github.com/counterproof/counterproof/sync/seal"
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/store/sqlite"
	"github.com/counterproof/counterproof/sync/tlog"
	"github.com/counterproof/counterproof/sync/wire"
)

// centre is a small centre that did all that a log tells of.
type centre struct {
	*sqlite.Store
	public   ed25519.PublicKey
	key      ed25519.PrivateKey
	receipts []wire.Receipt
}

// at is when everything happens.
var at = time.UnixMilli(1795343400000).UTC()

// newCentre makes one: three counters, six records each, of which one is
// refused; an opening, an erased record, and a checkpoint after each round.
func newCentre(t *testing.T) *centre {
	t.Helper()
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "centre.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	c := &centre{Store: s}
	c.public, c.key, _ = ed25519.GenerateKey(rand.Reader)
	keys, heads := map[wire.AgentID]*ecdsa.PrivateKey{}, map[wire.AgentID]wire.Hash{}
	for round := range wire.Seq(6) {
		for n := range 3 {
			id := wire.AgentID(fmt.Sprintf("agent-%d", n))
			if keys[id] == nil {
				keys[id] = c.enrol(t, id)
			}
			heads[id] = c.accept(t, keys[id], wire.Header{Version: 1, Agent: id, Seq: round + 1, Prev: heads[id], Wall: at}, round == 3 && n == 1)
		}
		c.sequence(t)
	}
	opening := wire.Leaf{Kind: wire.LeafOpening, At: at, By: "opener", Subject: c.receipts[4].RecHash, Index: 5}
	stone := wire.Leaf{Kind: wire.LeafTombstone, At: at, By: "pat", Subject: c.receipts[2].RecHash, Index: 3, Word: "asked"}
	deed := wire.Leaf{Kind: wire.LeafDeed, At: at, By: "pat", Word: "revoked"}
	if err := errors.Join(c.Append(t.Context(), opening, deed), c.Erase(t.Context(), 3, stone)); err != nil {
		t.Fatal(err)
	}
	c.sequence(t)
	return c
}

// enrol makes a counter.
func (c *centre) enrol(t *testing.T, id wire.AgentID) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	code := store.Code{Hash: wire.HashOf([]byte(id)), Site: "fa123", Role: store.Counter, Expires: at.Add(time.Hour)}
	if err := c.AddCode(t.Context(), code); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Enrol(t.Context(), store.Enrolment{Code: code.Hash, Agent: id, Public: public, Grade: "file", At: at}); err != nil {
		t.Fatal(err)
	}
	return key
}

// accept sends a record and returns its hash.
func (c *centre) accept(t *testing.T, key *ecdsa.PrivateKey, h wire.Header, refuse bool) wire.Hash {
	t.Helper()
	body := fmt.Appendf(nil, "sealed %s %d", h.Agent, h.Seq)
	h.Parts = []wire.PartInfo{{Name: wire.PartClaims, Recipient: "k", Len: uint64(len(body)), SHA256: wire.HashOf(body)}}
	e, err := seal.Envelope(h, []wire.Part{{Name: wire.PartClaims, Sealed: body}}, key)
	if err != nil {
		t.Fatal(err)
	}
	sub := store.Submission{
		Agent: h.Agent, Envelope: e, Header: h, At: at,
		SignReceipt: func(r wire.Receipt) (wire.Receipt, error) { return seal.SignReceipt(r, c.key) },
		SignRefusal: func(r wire.Refusal) (wire.Refusal, error) { return seal.SignRefusal(r, c.key) },
	}
	if refuse {
		sub.Refuse = "malformed"
	}
	answer, err := c.Accept(t.Context(), sub)
	if err != nil {
		t.Fatal(err)
	}
	if answer.Receipt != nil {
		c.receipts = append(c.receipts, *answer.Receipt)
	}
	return e.RecHash()
}

// sequence makes a checkpoint.
func (c *centre) sequence(t *testing.T) {
	t.Helper()
	_, err := c.Sequence(t.Context(), func(size uint64, root wire.Hash) ([]byte, error) { return tlog.Sign(1, size, root, c.key) })
	if err != nil {
		t.Fatal(err)
	}
}

// TestSound: an honest centre passes, and the report counts what it did.
func TestSound(t *testing.T) {
	t.Parallel()
	c := newCentre(t)
	var told int
	r, err := audit.Verify(t.Context(), c.Store, audit.Options{Key: c.public, Receipts: c.receipts, Progress: func(string, uint64) { told++ }})
	if err != nil || !r.Sound() {
		t.Fatalf("%+v, %v", r, err)
	}
	want := audit.Report{Leaves: 21, Root: r.Root, Checkpoints: 7, Epoch: 1, Records: 17, Erased: 1, Openings: 1, Deeds: map[string]uint64{"revoked": 1}}
	if fmt.Sprint(r) != fmt.Sprint(want) || told == 0 {
		t.Errorf("got %+v, want %+v; told %d times", r, want, told)
	}
}

// tampered is a store whose disk was changed by somebody who can write to it.
type tampered struct {
	store.Store
	leaves     func([]wire.Leaf) []wire.Leaf
	records    func(*store.Record) bool // false to lose it
	hashes     func([]wire.Hash)
	checkpoint func(*wire.Checkpoint)
}

func (s tampered) Leaves(ctx context.Context, from uint64, limit int) ([]wire.Leaf, error) {
	all, err := s.Store.Leaves(ctx, 0, limit)
	if s.leaves != nil {
		all = s.leaves(all)
	}
	return all[min(from, uint64(len(all))):], err
}

func (s tampered) Records(ctx context.Context, after uint64, limit int) ([]store.Record, error) {
	all, err := s.Store.Records(ctx, after, limit)
	if s.records == nil || len(all) == 0 {
		return all, err
	}
	if !s.records(&all[0]) {
		return s.Records(ctx, after+1, limit)
	}
	return all, err
}

func (s tampered) Hashes(ctx context.Context, indexes []int64) ([]wire.Hash, error) {
	all, err := s.Store.Hashes(ctx, indexes)
	if s.hashes != nil {
		s.hashes(all)
	}
	return all, err
}

func (s tampered) Checkpoint(ctx context.Context, size uint64) (wire.Checkpoint, error) {
	c, err := s.Store.Checkpoint(ctx, size)
	if s.checkpoint != nil && c.Note != nil {
		s.checkpoint(&c)
	}
	return c, err
}

// fifth changes the record of log index 5.
func fifth(change func(*store.Record)) func(*store.Record) bool {
	return func(r *store.Record) bool {
		if r.Receipt.LogIndex == 5 {
			change(r)
		}
		return true
	}
}

// TestTampered: whoever changes, removes or reorders anything in the store is
// found out, with the word for it.
func TestTampered(t *testing.T) {
	t.Parallel()
	c := newCentre(t)
	forged, err := tlog.Sign(2, 3, wire.HashOf([]byte("another root")), c.key)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		change tampered
		want   audit.Word
	}{
		"leaf/changed":    {tampered{leaves: func(l []wire.Leaf) []wire.Leaf { l[4].Subject[0]++; return l }}, audit.Checkpoint},
		"leaf/removed":    {tampered{leaves: func(l []wire.Leaf) []wire.Leaf { return slices.Delete(l, 4, 5) }}, audit.RecordUnlogged},
		"leaf/swapped":    {tampered{leaves: func(l []wire.Leaf) []wire.Leaf { l[4], l[5] = l[5], l[4]; return l }}, audit.Checkpoint},
		"leaf/last-cut":   {tampered{leaves: func(l []wire.Leaf) []wire.Leaf { return l[:len(l)-1] }}, audit.Checkpoint},
		"leaf/opening":    {tampered{leaves: func(l []wire.Leaf) []wire.Leaf { l[18].By = "nobody"; return l }}, audit.Checkpoint},
		"tree/hash":       {tampered{hashes: func(h []wire.Hash) { h[3][0]++ }}, audit.TreeAltered},
		"record/removed":  {tampered{records: func(r *store.Record) bool { return r.Receipt.LogIndex != 5 }}, audit.RecordMissing},
		"record/damaged":  {tampered{records: fifth(func(r *store.Record) { r.Damaged = true })}, audit.RecordDamaged},
		"record/header":   {tampered{records: fifth(func(r *store.Record) { r.Envelope.Header[9]++ })}, audit.ReceiptWrong},
		"record/key":      {tampered{records: fifth(func(r *store.Record) { r.Origin.Public = nil })}, audit.RecordUnsigned},
		"record/erased":   {tampered{records: fifth(func(r *store.Record) { r.Erased = true })}, audit.ErasedUntold},
		"receipt/forged":  {tampered{records: fifth(func(r *store.Record) { r.Receipt.Sig[0]++ })}, audit.ReceiptWrong},
		"receipt/time":    {tampered{records: fifth(func(r *store.Record) { r.Receipt.At = at.Add(time.Hour) })}, audit.RecordUnlogged},
		"tombstone/false": {tampered{records: func(r *store.Record) bool { r.Erased = false; return true }}, audit.TombstoneUnused},
		"checkpoint/root": {tampered{checkpoint: func(p *wire.Checkpoint) { p.Root[0]++ }}, audit.Checkpoint},
		"checkpoint/note": {tampered{checkpoint: func(p *wire.Checkpoint) { p.Note[3]++ }}, audit.Checkpoint},
		"checkpoint/epoch": {tampered{checkpoint: func(p *wire.Checkpoint) {
			if p.Size == 3 {
				p.Note = forged
			}
		}}, audit.EpochBack},
	} {
		t.Run(name, func(t *testing.T) {
			test.change.Store = c.Store
			r, err := audit.Verify(t.Context(), test.change, audit.Options{Key: c.public})
			if err != nil {
				t.Fatal(err)
			}
			found := slices.ContainsFunc(r.Findings, func(f audit.Finding) bool { return f.Word == test.want })
			if r.Sound() || !found {
				t.Errorf("want %s, got %+v", test.want, r.Findings)
			}
		})
	}
}

// TestPromises: a receipt that somebody holds must be kept; one that nobody
// signed is no promise.
func TestPromises(t *testing.T) {
	t.Parallel()
	c, other := newCentre(t), newCentre(t)
	unkept, err := seal.SignReceipt(wire.Receipt{Agent: "agent-0", Seq: 99, RecHash: wire.HashOf(nil), LogIndex: 99, At: at}, c.key)
	if err != nil {
		t.Fatal(err)
	}
	for word, receipt := range map[audit.Word]wire.Receipt{audit.ReceiptUnkept: unkept, audit.ReceiptWrong: other.receipts[0]} {
		r, err := audit.Verify(t.Context(), c.Store, audit.Options{Key: c.public, Receipts: []wire.Receipt{c.receipts[0], receipt}})
		if err != nil || r.Wrong != 1 || r.Findings[0].Word != word {
			t.Errorf("want %s, got %+v, %v", word, r.Findings, err)
		}
	}
}

// TestBounded: of very many findings a hundred are listed and all counted; an
// audit that is called off says so.
func TestBounded(t *testing.T) {
	t.Parallel()
	c := newCentre(t)
	s := tampered{Store: c.Store, hashes: func(h []wire.Hash) {
		for i := range h {
			h[i][0]++
		}
	}, records: func(r *store.Record) bool {
		r.Origin.Public, r.Receipt.Sig[0], r.Erased = nil, r.Receipt.Sig[0]+1, true
		r.Receipt.At = at.Add(time.Hour)
		return true
	}}
	r, err := audit.Verify(t.Context(), s, audit.Options{Key: c.public})
	if err != nil || len(r.Findings) > audit.MaxFindings || r.Wrong < 80 {
		t.Errorf("%d findings, %d listed, %v", r.Wrong, len(r.Findings), err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := audit.Verify(ctx, c.Store, audit.Options{Key: c.public}); !errors.Is(err, context.Canceled) {
		t.Errorf("called off: %v", err)
	}
}

package ledger

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"testing"
	"time"

	"github.com/counterproof/counterproof/sync/seal"
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// scene is a log of two counters with three records each, and what they know.
type scene struct {
	log     []store.Record
	ledgers []*Ledger
	keys    []*ecdsa.PrivateKey
}

func newScene(t *testing.T) *scene {
	t.Helper()
	_, receipts, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s := &scene{}
	for _, id := range []wire.AgentID{"agent-a", "agent-b"} {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		s.keys = append(s.keys, key)
		s.ledgers = append(s.ledgers, New(id, &key.PublicKey))
	}
	heads := make([]wire.Hash, 2)
	for n := range 6 {
		l, seq := s.ledgers[n%2], wire.Seq(n/2+1)
		e := signed(t, s.keys[n%2], wire.Header{Agent: l.Agent, Seq: seq, Prev: heads[n%2]})
		heads[n%2] = e.RecHash()
		r, err := seal.SignReceipt(wire.Receipt{
			Agent: l.Agent, Seq: seq, RecHash: e.RecHash(), LogIndex: uint64(n + 1), At: time.UnixMilli(1000),
		}, receipts)
		if err != nil {
			t.Fatal(err)
		}
		l.Sent[e.RecHash()] = seq
		if !l.Note(r, 0) {
			t.Fatal("the first receipt is not the first")
		}
		s.log = append(s.log, store.Record{Receipt: r, Envelope: e})
	}
	return s
}

func signed(t *testing.T, key *ecdsa.PrivateKey, h wire.Header) wire.Envelope {
	t.Helper()
	h.Version = 1
	part := wire.Part{Name: wire.PartClaims, Sealed: []byte("sealed")}
	h.Parts = []wire.PartInfo{{Name: part.Name, Recipient: "k", Len: uint64(len(part.Sealed)), SHA256: wire.HashOf(part.Sealed)}}
	e, err := seal.Envelope(h, []wire.Part{part}, key)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// find runs the checker over the scene.
func (s *scene) find() Findings {
	c := NewChecker(s.ledgers)
	for _, r := range s.log {
		c.Add(r)
	}
	return c.Findings()
}

// other is a well-made record in the place of the one at n that nobody sent.
func (s *scene) other(t *testing.T, n int) wire.Envelope {
	h, err := s.log[n].Envelope.Check()
	if err != nil {
		t.Fatal(err)
	}
	h.App = "other"
	return signed(t, s.keys[n%2], h)
}

// The checker finds nothing where nothing is, and counts each fault where it
// belongs.
func TestChecker(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		spoil func(*testing.T, *scene)
		count func(Findings) int
	}{
		{"whole", func(*testing.T, *scene) {}, nil},
		{"lost/tail", func(_ *testing.T, s *scene) { s.log = s.log[:5] }, func(f Findings) int { return f.Lost }},
		{"lost/middle", func(_ *testing.T, s *scene) { s.log = append(s.log[:2], s.log[3:]...) }, func(f Findings) int { return f.Lost }},
		{"duplicated", func(_ *testing.T, s *scene) {
			again := s.log[1]
			again.Receipt.LogIndex = 7
			s.log = append(s.log, again)
		}, func(f Findings) int { return f.Duplicated }},
		{"altered/part", func(_ *testing.T, s *scene) { s.log[2].Envelope.Parts[0].Sealed = []byte("sealEd") }, func(f Findings) int { return f.Altered }},
		{"altered/signature", func(_ *testing.T, s *scene) { s.log[2].Envelope.Signature[9] ^= 1 }, func(f Findings) int { return f.Altered }},
		{"altered/damaged", func(_ *testing.T, s *scene) { s.log[2].Damaged = true }, func(f Findings) int { return f.Altered }},
		{"altered/replaced", func(t *testing.T, s *scene) {
			s.log[5].Envelope = s.other(t, 5)
			s.log[5].Receipt.RecHash = s.log[5].Envelope.RecHash()
		}, func(f Findings) int { return min(f.Altered, f.Phantom) }},
		{"phantom/nobody", func(_ *testing.T, s *scene) { s.ledgers = s.ledgers[:1] }, func(f Findings) int { return f.Phantom }},
		{"phantom/unsent", func(_ *testing.T, s *scene) { clear(s.ledgers[0].Sent) }, func(f Findings) int { return f.Phantom }},
		{"moved/index", func(_ *testing.T, s *scene) {
			r := s.ledgers[0].Acked[2]
			r.LogIndex++
			s.ledgers[0].Acked[2] = r
		}, func(f Findings) int { return f.Moved }},
		{"moved/again", func(_ *testing.T, s *scene) { s.ledgers[1].Moved = 1 }, func(f Findings) int { return f.Moved }},
		{"broken/log", func(_ *testing.T, s *scene) {
			for i := range s.log[4:] {
				s.log[4+i].Receipt.LogIndex++
			}
		}, func(f Findings) int { return f.Broken }},
		{"broken/chain", func(t *testing.T, s *scene) {
			e := signed(t, s.keys[0], wire.Header{Agent: "agent-a", Seq: 3})
			s.ledgers[0].Sent[e.RecHash()] = 3
			s.log[4].Envelope, s.log[4].Receipt.RecHash = e, e.RecHash()
			s.ledgers[0].Acked[3] = s.log[4].Receipt
		}, func(f Findings) int { return f.Broken }},
		{"broken/no fork", func(_ *testing.T, s *scene) { s.ledgers[0].Caught = true }, func(f Findings) int { return f.Broken }},
		{"fork/missed", func(_ *testing.T, s *scene) { s.ledgers[0].Forked = true }, func(f Findings) int { return f.Forks - f.Caught }},
		{"fork/caught", func(_ *testing.T, s *scene) { s.ledgers[0].Forked, s.ledgers[0].Caught = true, true }, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			tt.spoil(t, s)
			f := s.find()
			if tt.count == nil {
				if !f.OK() || f.Example != "" || f.Acked != 6 || f.Stored != 6 {
					t.Errorf("got %+v, want nothing found", f)
				}
				return
			}
			if f.OK() || tt.count(f) == 0 || f.Example == "" {
				t.Errorf("got %+v, want the fault found", f)
			}
		})
	}
}

// The first receipt holds; another one is told, unless the centre has begun
// another life since.
func TestNote(t *testing.T) {
	t.Parallel()
	first, other := wire.Receipt{Seq: 1, LogIndex: 1}, wire.Receipt{Seq: 1, LogIndex: 2}
	for _, tt := range []struct {
		name  string
		again wire.Receipt
		life  int
		moved int
		holds wire.Receipt
	}{
		{"same", first, 0, 0, first},
		{"same/later life", first, 1, 0, first},
		{"other", other, 0, 1, first},
		{"other/later life", other, 1, 0, other},
	} {
		l := New("agent-a", nil)
		if !l.Note(first, 0) || l.Note(tt.again, tt.life) {
			t.Errorf("%s: which is the first is not told", tt.name)
		}
		if got := l.Acked[1].LogIndex; l.Moved != tt.moved || got != tt.holds.LogIndex {
			t.Errorf("%s: %d moved and index %d holds, want %d and %d", tt.name, l.Moved, got, tt.moved, tt.holds.LogIndex)
		}
	}
}

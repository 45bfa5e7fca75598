package fleet

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"slices"
	"testing"
	"time"

	"github.com/counterproof/counterproof/sync/seal"
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// bench is a store with one enrolled counter and its records, in order.
type bench struct {
	opened
	subs []store.Submission
}

func newBench(t *testing.T) bench {
	t.Helper()
	s, err := openStore(t.Context(), SQLite, "", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	code := store.Code{Hash: wire.HashOf([]byte("code")), Site: "FA123", Role: store.Counter, Expires: time.Now().Add(time.Hour)}
	if err := s.AddCode(t.Context(), code); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Enrol(t.Context(), store.Enrolment{Code: code.Hash, Agent: "agent-a", Public: public, Grade: "file", At: time.Now()}); err != nil {
		t.Fatal(err)
	}
	b := bench{opened: s}
	prev := wire.Hash{}
	for n := range 3 {
		h := wire.Header{Agent: "agent-a", Seq: wire.Seq(n + 1), Prev: prev}
		e := signed(t, key, h)
		prev = e.RecHash()
		h, err := e.Check()
		if err != nil {
			t.Fatal(err)
		}
		b.subs = append(b.subs, store.Submission{
			Agent: "agent-a", Envelope: e, Header: h, At: time.UnixMilli(1000),
			SignReceipt: func(r wire.Receipt) (wire.Receipt, error) { r.Sig = []byte{1}; return r, nil },
		})
	}
	return b
}

// accept submits a record to a broken store.
func accept(t *testing.T, s store.Store, sub store.Submission) wire.Answer {
	t.Helper()
	a, err := s.Accept(t.Context(), sub)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// count is how many records a store has.
func count(t *testing.T, s store.Store) int {
	t.Helper()
	records, err := s.Records(t.Context(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	return len(records)
}

// A hasty store promises the place that the record gets, and stores it later.
func TestHasty(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s, err := breakStore(b, BreakAck, "")
	if err != nil {
		t.Fatal(err)
	}
	a := accept(t, s, b.subs[0])
	if a.Verdict != wire.Stored || a.Receipt.LogIndex != 1 || count(t, b) != 0 {
		t.Errorf("the first: %+v, %d are stored", a, count(t, b))
	}
	if a := accept(t, s, b.subs[1]); a.Receipt.LogIndex != 2 || count(t, b) != 1 {
		t.Errorf("the second: %+v, %d are stored", a, count(t, b))
	}
	if a := accept(t, s, b.subs[0]); a.Verdict != wire.Replayed || a.Receipt.LogIndex != 1 || count(t, b) != 2 {
		t.Errorf("the first again: %+v, %d are stored", a, count(t, b))
	}
	ahead := b.subs[2]
	ahead.Header.Seq = 9
	if a := accept(t, s, ahead); a.Verdict != wire.Gap {
		t.Errorf("ahead: %+v", a)
	}
}

// A forgetful store stores again what comes again, and shows it behind the rest,
// also after it was killed.
func TestForgetful(t *testing.T) {
	t.Parallel()
	b, dir := newBench(t), t.TempDir()
	s, err := breakStore(b, BreakDedupe, dir)
	if err != nil {
		t.Fatal(err)
	}
	first := accept(t, s, b.subs[0])
	again := accept(t, s, b.subs[0])
	if again.Verdict != wire.Stored || again.Receipt.LogIndex == first.Receipt.LogIndex || count(t, b) != 1 {
		t.Errorf("the first again: %+v", again)
	}
	for range 2 {
		var indexes []uint64
		for after := uint64(0); ; {
			records, err := s.Records(t.Context(), after, 100)
			if err != nil {
				t.Fatal(err)
			}
			if len(records) == 0 {
				break
			}
			for _, r := range records {
				after = r.Receipt.LogIndex
				indexes = append(indexes, after)
			}
		}
		if !slices.Equal(indexes, []uint64{1, beyond + 1}) {
			t.Errorf("the log has %v", indexes)
		}
		if s, err = breakStore(b, BreakDedupe, dir); err != nil {
			t.Fatal(err)
		}
	}
}

// A store without a fault is itself.
func TestUnbroken(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, none := range []Break{BreakNone, BreakSync} {
		if s, err := breakStore(b, none, ""); err != nil || s == nil {
			t.Errorf("%q: got %v, %v", none, s, err)
		}
	}
}

// signed makes a record of one small part.
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

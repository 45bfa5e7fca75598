package fleet

import (
	"bytes"
	"cmp"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/counterproof/counterproof/sync/fleet/ledger"
	"github.com/counterproof/counterproof/sync/seal"
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// played is a centre that says what a test wants: one line for each record that
// is posted, the last of them again and again.
type played struct {
	key    ed25519.PrivateKey
	say    []saying
	asked  []wire.Seq
	blobs  []wire.Hash
	held   int // bytes of each large part
	status int // of an enrolment
	state  wire.State
	// garbled alters the next answer about the state on the way.
	garbled bool
}

// saying is an answer to a record.
type saying func(p *played, e wire.Envelope, h wire.Header) wire.Answer

func (p *played) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(cmp.Or[io.Reader](r.Body, http.NoBody))
	if err != nil {
		return nil, err
	}
	if r.Method == http.MethodPatch {
		return p.take(r, body)
	}
	if strings.HasSuffix(r.URL.Path, "/state") {
		s := p.state
		if p.garbled {
			s.Expect, p.garbled = 9, false
		}
		return answerOf(http.StatusOK, s)
	}
	if strings.HasSuffix(r.URL.Path, "/enrol") {
		return answerOf(p.status, wire.EnrolAnswer{Chain: [][]byte{{1}, {2}}})
	}
	e, h, err := wire.ParseEnvelope(body)
	if err != nil {
		return nil, err
	}
	n := min(len(p.asked), len(p.say)-1)
	p.asked = append(p.asked, h.Seq)
	return answerOf(http.StatusOK, p.say[n](p, e, h))
}

// take takes a large part, but for what it holds.
func (p *played) take(r *http.Request, body []byte) (*http.Response, error) {
	p.blobs = append(p.blobs, wire.HashOf(body))
	if r.Header.Get("Upload-Offset") == strconv.Itoa(p.held) {
		return answerOf(http.StatusCreated, struct{}{})
	}
	resp, err := answerOf(http.StatusConflict, struct{}{})
	resp.Header = http.Header{"Upload-Offset": {strconv.Itoa(p.held)}}
	return resp, err
}

// answerOf is an HTTP answer with a JSON body.
func answerOf(status int, v any) (*http.Response, error) {
	b, err := json.Marshal(v)
	return &http.Response{StatusCode: status, Body: io.NopCloser(bytes.NewReader(b))}, err
}

// verdict answers with a word alone.
func verdict(a wire.Answer) saying {
	return func(*played, wire.Envelope, wire.Header) wire.Answer { return a }
}

// receipt answers with a verdict and a receipt, which spoil may alter before or
// after it is signed.
func receipt(v wire.Verdict, before, after func(*wire.Receipt)) saying {
	return func(p *played, e wire.Envelope, h wire.Header) wire.Answer {
		r := wire.Receipt{Agent: h.Agent, Seq: h.Seq, RecHash: e.RecHash(), LogIndex: uint64(h.Seq)}
		if before != nil {
			before(&r)
		}
		r, err := seal.SignReceipt(r, p.key)
		if err != nil {
			return wire.Answer{}
		}
		if after != nil {
			after(&r)
		}
		return wire.Answer{Verdict: v, Receipt: &r}
	}
}

// taken answers as a whole centre does.
func taken() saying { return receipt(wire.Stored, nil, nil) }

// behind says that the centre expects an older record.
func behind(expect wire.Seq) saying { return verdict(wire.Answer{Verdict: wire.Gap, Expect: expect}) }

// newCounter makes a counter that speaks to a played centre.
func newCounter(t *testing.T, cfg Config, say ...saying) (*agent, *played) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Agents = 1
	f := &fleet{cfg: cfg, marks: marks(1), host: &host{address: "centre.example:1"}}
	if f.key, f.to, err = seal.GenerateKey(seal.Classical); err != nil {
		t.Fatal(err)
	}
	f.to.Part = wire.PartClaims
	p := &played{key: private, say: say, status: http.StatusOK}
	f.tally.enrolling = &http.Client{Transport: p}
	a := &agent{fleet: f, id: "agent-a", key: key, centre: public, client: &http.Client{Transport: p}}
	a.ledger = ledger.New(a.id, &key.PublicKey)
	if err := a.prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	return a, p
}

// A counter takes for an acknowledgement what is one, goes on asking where the
// answer says nothing, goes back where the centre is behind, and stops where no
// waiting helps.
func TestCounter(t *testing.T) {
	t.Parallel()
	shed, altered := verdict(wire.Answer{Verdict: wire.Shed, RetryAfter: 9}), verdict(wire.Answer{Verdict: wire.Altered})
	for _, tt := range []struct {
		name  string
		say   []saying
		acked int
		ok    bool
		count func(*tally) int64 // what must have been counted, once
	}{
		{"stored", []saying{taken()}, 2, true, nil},
		{"replayed", []saying{receipt(wire.Replayed, nil, nil)}, 2, true, nil},
		{"shed first", []saying{shed, taken()}, 2, true, func(y *tally) int64 { return y.shed.Load() }},
		{"altered on the way", []saying{altered, taken()}, 2, true, func(y *tally) int64 { return y.altered.Load() }},
		{"receipt/forged", []saying{receipt(wire.Stored, nil, func(r *wire.Receipt) { r.Sig[3] ^= 1 }), taken()}, 2, true,
			func(y *tally) int64 { return y.forged.Load() }},
		{"receipt/another's", []saying{receipt(wire.Stored, func(r *wire.Receipt) { r.Agent = "agent-b" }, nil), taken()}, 2, true,
			func(y *tally) int64 { return y.forged.Load() }},
		{"receipt/other record", []saying{receipt(wire.Stored, func(r *wire.Receipt) { r.RecHash[0] ^= 1 }, nil), taken()}, 2, true,
			func(y *tally) int64 { return y.forged.Load() }},
		{"receipt/none", []saying{verdict(wire.Answer{Verdict: wire.Stored}), taken()}, 2, true,
			func(y *tally) int64 { return y.forged.Load() }},
		{"nonsense", []saying{verdict(wire.Answer{Verdict: "maybe"}), taken()}, 2, true, nil},
		{"refused", []saying{verdict(wire.Answer{Verdict: wire.Refused})}, 0, false, nil},
		{"stranger", []saying{verdict(wire.Answer{Verdict: wire.Unauthorised})}, 0, false, nil},
		{"gap/altered", []saying{behind(7), taken()}, 2, true, nil},
		{"gap/nowhere", []saying{behind(0), taken()}, 2, true, nil},
		{"silence", []saying{verdict(wire.Answer{})}, 0, false, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				a, _ := newCounter(t, Config{Rounds: 2}, tt.say...)
				err := a.live(t.Context())
				if (err == nil) != tt.ok || len(a.ledger.Acked) != tt.acked {
					t.Errorf("%d acknowledged, %v; want %d, %v", len(a.ledger.Acked), err, tt.acked, tt.ok)
				}
				if tt.count != nil && tt.count(&a.fleet.tally) != 1 {
					t.Errorf("counted %d times, want once", tt.count(&a.fleet.tally))
				}
			})
		})
	}
}

// A centre that came back from an older copy is given again what it has lost,
// and the receipts are the first ones' or are told to be others.
func TestCounterGoesBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		late := receipt(wire.Stored, func(r *wire.Receipt) { r.LogIndex += 40 }, nil)
		a, p := newCounter(t, Config{Rounds: 3}, taken(), taken(), behind(1), late, taken())
		a.sure = true
		if err := a.live(t.Context()); err != nil {
			t.Fatal(err)
		}
		if want := []wire.Seq{1, 2, 3, 1, 2, 3}; !slices.Equal(p.asked, want) {
			t.Errorf("it sent %v, want %v", p.asked, want)
		}
		if a.ledger.Moved != 1 || a.fleet.tally.rewinds.Load() != 1 {
			t.Errorf("%d receipts moved and %d rewinds, want one of each", a.ledger.Moved, a.fleet.tally.rewinds.Load())
		}
	})
}

// A counter whose disk is restored makes another record under a number that it
// has used, and notes whether that was found out.
func TestCounterRestored(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		second saying
		caught bool
	}{
		"found out": {verdict(wire.Answer{Verdict: wire.Fork}), true},
		"taken":     {taken(), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				a, p := newCounter(t, Config{Rounds: 1}, taken(), tt.second)
				a.sure, a.fork = true, true
				if err := a.live(t.Context()); err != nil {
					t.Fatal(err)
				}
				if a.ledger.Caught != tt.caught || !a.ledger.Forked || len(a.ledger.Sent) != 2 {
					t.Errorf("got %+v", a.ledger)
				}
				if !slices.Equal(p.asked, []wire.Seq{1, 1}) {
					t.Errorf("it sent %v, want number 1 twice", p.asked)
				}
			})
		})
	}
}

// A counter that had sent everything asks where the centre stands, and sends again
// what a centre from an older copy has lost. What was promised anew is not moved.
func TestCounterSettles(t *testing.T) {
	t.Parallel()
	late := receipt(wire.Stored, func(r *wire.Receipt) { r.LogIndex += 40 }, nil)
	for _, tt := range []struct {
		name  string
		state wire.State
		asked []wire.Seq
	}{
		{"whole", wire.State{Agent: "agent-a", Expect: 4}, []wire.Seq{1, 2, 3}},
		{"behind", wire.State{Agent: "agent-a", Expect: 2}, []wire.Seq{1, 2, 3, 3, 2, 3}},
		{"quarantined", wire.State{Agent: "agent-a", Expect: 2, Quarantined: true}, []wire.Seq{1, 2, 3}},
		{"altered once", wire.State{Agent: "agent-a", Expect: 2}, []wire.Seq{1, 2, 3, 3, 2, 3}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				a, p := newCounter(t, Config{Rounds: 3}, taken(), taken(), taken(), behind(2), late, late)
				a.sure, p.state, p.garbled = true, tt.state, tt.name == "altered once"
				if err := a.live(t.Context()); err != nil {
					t.Fatal(err)
				}
				a.fleet.tally.life.Add(1)
				if err := a.settle(t.Context()); err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(p.asked, tt.asked) || a.ledger.Moved != 0 {
					t.Errorf("it sent %v and %d moved, want %v and none", p.asked, a.ledger.Moved, tt.asked)
				}
			})
		})
	}
}

// Large parts go ahead, the rest of one where some is held, and again where the
// centre misses them.
func TestCounterUploads(t *testing.T) {
	t.Parallel()
	missing := verdict(wire.Answer{Verdict: wire.MissingBlobs})
	synctest.Test(t, func(t *testing.T) {
		a, p := newCounter(t, Config{Rounds: 1, Blob: 300_000}, missing, taken())
		p.held = 200_000
		if err := a.live(t.Context()); err != nil {
			t.Fatal(err)
		}
		h, err := wire.DecodeHeader(a.chain[0].Header)
		if err != nil {
			t.Fatal(err)
		}
		whole := blob(h.Record, 300_000)
		if wire.HashOf(whole) != h.Parts[1].SHA256 {
			t.Error("the part comes out another")
		}
		rest := wire.HashOf(whole[200_000:])
		if want := []wire.Hash{h.Parts[1].SHA256, rest, h.Parts[1].SHA256, rest}; !slices.Equal(p.blobs, want) {
			t.Errorf("got %v, want %v", p.blobs, want)
		}
	})
}

// Who may not enrol stops; certificates of another authority are no identity.
func TestCounterEnrols(t *testing.T) {
	t.Parallel()
	a, p := newCounter(t, Config{}, taken())
	p.status = http.StatusForbidden
	if err := a.enrol(t.Context()); !errors.Is(err, errStopped) {
		t.Errorf("a used code: got %v", err)
	}
	p.status, a.invite = http.StatusOK, store.Invite{CA: wire.HashOf([]byte("another"))}
	if err := a.enrol(t.Context()); err == nil {
		t.Error("another authority is believed")
	}
	a.client = nil
	a.certificates = [][]byte{{1}}
	if err := a.connect(); err == nil {
		t.Error("an authority that does not read is connected to")
	}
	if err := a.become(wire.EnrolAnswer{}); err == nil {
		t.Error("no certificate is believed")
	}
}

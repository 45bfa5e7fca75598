package seal

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/counterproof/counterproof/sync/wire"
)

// newSigner makes a counter's key.
func newSigner(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// newCentre makes a centre's key.
func newCentre(t testing.TB) (ed25519.PublicKey, ed25519.PrivateKey) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return public, private
}

// newRecord seals one part and describes it in a header.
func newRecord(t testing.TB) (wire.Header, []wire.Part) {
	t.Helper()
	_, r := newKey(t, Hybrid)
	part, described := sealed(t, r, []byte("identity"))
	return wire.Header{
		Version: 1, Agent: "counter-7", Seq: 1, Record: visit,
		Wall: time.UnixMilli(1_700_000_000_123).UTC(), App: "0.1.0", Parts: []wire.PartInfo{described},
	}, []wire.Part{part}
}

func signedRecord(t testing.TB) (wire.Envelope, *ecdsa.PrivateKey) {
	t.Helper()
	key := newSigner(t)
	h, parts := newRecord(t)
	e, err := Envelope(h, parts, key)
	if err != nil {
		t.Fatal(err)
	}
	return e, key
}

func TestEnvelope(t *testing.T) {
	t.Parallel()
	e, key := signedRecord(t)
	h, err := Verify(e, &key.PublicKey)
	if err != nil || h.Agent != "counter-7" || h.Record != visit {
		t.Errorf("got %+v, %v", h, err)
	}
	if _, err := Verify(e, &newSigner(t).PublicKey); !errors.Is(err, ErrSignature) {
		t.Errorf("another counter's key: got %v, want ErrSignature", err)
	}
	if _, err := Verify(e, nil); err == nil {
		t.Error("verified without a key")
	}
	wide, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Verify(e, &wide.PublicKey); err == nil {
		t.Error("verified under a P-384 key")
	}
}

func TestEnvelopeFlippedBits(t *testing.T) {
	t.Parallel()
	e, key := signedRecord(t)
	for name, field := range map[string][]byte{"header": e.Header, "signature": e.Signature} {
		for i := range field {
			for bit := range 8 {
				field[i] ^= 1 << bit
				if _, err := VerifyHeader(e, &key.PublicKey); !errors.Is(err, ErrSignature) {
					t.Fatalf("%s, byte %d, bit %d: got %v, want ErrSignature", name, i, bit, err)
				}
				field[i] ^= 1 << bit
			}
		}
	}
	e.Parts[0].Sealed[3] ^= 1
	if _, err := Verify(e, &key.PublicKey); err == nil {
		t.Error("verified with an altered part")
	}
	e.Parts = nil
	if _, err := Verify(e, &key.PublicKey); err == nil {
		t.Error("verified without its parts")
	}
	if _, err := VerifyHeader(e, &key.PublicKey); err != nil {
		t.Errorf("the header alone: %v", err)
	}
}

// failing is a key store that answers with a wrong signature or none.
type failing struct {
	public crypto.PublicKey
	sig    []byte
	err    error
}

func (f failing) Public() crypto.PublicKey { return f.public }
func (f failing) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return f.sig, f.err
}

// A record that no centre would take is refused while the visit is still
// there.
func TestEnvelopeRefuses(t *testing.T) {
	t.Parallel()
	key := newSigner(t)
	_, centre := newCentre(t)
	wide, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	broken := errors.New("no answer")
	for name, c := range map[string]struct {
		change func(*wire.Header, *[]wire.Part)
		sign   crypto.Signer
	}{
		"no-number":     {func(h *wire.Header, _ *[]wire.Part) { h.Seq = 0 }, key},
		"bad-agent":     {func(h *wire.Header, _ *[]wire.Part) { h.Agent = "Counter 7" }, key},
		"long-app":      {func(h *wire.Header, _ *[]wire.Part) { h.App = strings.Repeat("x", wire.MaxHeader) }, key},
		"long-key-name": {func(h *wire.Header, _ *[]wire.Part) { h.Parts[0].Recipient = wire.KeyID(strings.Repeat("a", 300)) }, key},
		"part-missing":  {func(_ *wire.Header, p *[]wire.Part) { *p = nil }, key},
		"part-altered":  {func(_ *wire.Header, p *[]wire.Part) { (*p)[0].Sealed[0] ^= 1 }, key},
		"part-twice": {func(h *wire.Header, p *[]wire.Part) {
			h.Parts, *p = append(h.Parts, h.Parts[0]), append(*p, (*p)[0])
		}, key},
		"signer/ed25519":    {nil, centre},
		"signer/p384":       {nil, wide},
		"signer/broken":     {nil, failing{&key.PublicKey, nil, broken}},
		"signer/wrong-sign": {nil, failing{&key.PublicKey, []byte("signature"), nil}},
	} {
		t.Run(name, func(t *testing.T) {
			h, parts := newRecord(t)
			if c.change != nil {
				c.change(&h, &parts)
			}
			if _, err := Envelope(h, parts, c.sign); err == nil {
				t.Error("signed")
			}
		})
	}
}

func newBundle(t testing.TB) wire.Bundle {
	t.Helper()
	_, r := newKey(t, Hybrid)
	return wire.Bundle{Version: 3, Issued: time.UnixMilli(1_700_000_000_000).UTC(), Recipients: []wire.Recipient{r}}
}

func TestBundle(t *testing.T) {
	t.Parallel()
	public, centre := newCentre(t)
	s, err := SignBundle(newBundle(t), centre)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := VerifyBundle(s, public); err != nil || b.Version != 3 || len(b.Recipients) != 1 {
		t.Errorf("got %+v, %v", b, err)
	}
	other, _ := newCentre(t)
	if _, err := VerifyBundle(s, other); !errors.Is(err, ErrSignature) {
		t.Errorf("another centre's key: got %v, want ErrSignature", err)
	}
	renamed := s
	renamed.Key = wire.KeyIDOf(other)
	if _, err := VerifyBundle(renamed, public); !errors.Is(err, ErrSignature) {
		t.Errorf("another key's name: got %v, want ErrSignature", err)
	}
	for _, short := range []ed25519.PublicKey{nil, public[:31]} {
		if _, err := VerifyBundle(s, short); err == nil {
			t.Errorf("verified under a key of %d bytes", len(short))
		}
	}
	for i := range s.Body {
		s.Body[i] ^= 1
		if _, err := VerifyBundle(s, public); !errors.Is(err, ErrSignature) {
			t.Fatalf("byte %d changed: got %v, want ErrSignature", i, err)
		}
		s.Body[i] ^= 1
	}
}

// A bundle with a key that nothing can be sealed to is stopped at both ends.
func TestBundleWithBadKey(t *testing.T) {
	t.Parallel()
	public, centre := newCentre(t)
	b := newBundle(t)
	b.Recipients[0].Public = b.Recipients[0].Public[1:]
	if _, err := SignBundle(b, centre); err == nil {
		t.Error("signed")
	}
	body, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	for name, body := range map[string][]byte{"bad-key": body, "no-json": []byte("{")} {
		s := wire.Signed{Body: body, Key: wire.KeyIDOf(public), Sig: ed25519.Sign(centre, bundleBytes(body))}
		if _, err := VerifyBundle(s, public); err == nil || errors.Is(err, ErrSignature) {
			t.Errorf("%s: got %v, want an error about the content", name, err)
		}
	}
}

func newReceipt() wire.Receipt {
	return wire.Receipt{Agent: "counter-7", Seq: 1, RecHash: wire.HashOf([]byte("r")), LogIndex: 12,
		At: time.Unix(1_700_000_000, 123_456_789)}
}

func TestReceipt(t *testing.T) {
	t.Parallel()
	public, centre := newCentre(t)
	r, err := SignReceipt(newReceipt(), centre)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var got wire.Receipt
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if err := VerifyReceipt(got, public); err != nil {
		t.Errorf("after its way through JSON: %v", err)
	}
	if got.At.Nanosecond()%1e6 != 0 {
		t.Errorf("the receipt says %s, finer than what is signed", got.At)
	}
	for name, change := range map[string]func(*wire.Receipt){
		"agent": func(r *wire.Receipt) { r.Agent = "counter-8" },
		"seq":   func(r *wire.Receipt) { r.Seq++ },
		"hash":  func(r *wire.Receipt) { r.RecHash[31] ^= 1 },
		"index": func(r *wire.Receipt) { r.LogIndex++ },
		"at":    func(r *wire.Receipt) { r.At = r.At.Add(time.Millisecond) },
		"key":   func(r *wire.Receipt) { r.Key = "00" },
		"sig":   func(r *wire.Receipt) { r.Sig = r.Sig[1:] },
	} {
		other := r
		change(&other)
		if err := VerifyReceipt(other, public); !errors.Is(err, ErrSignature) {
			t.Errorf("%s changed: got %v, want ErrSignature", name, err)
		}
	}
	if err := VerifyReceipt(wire.Receipt{}, nil); err == nil {
		t.Error("verified nothing under no key")
	}
}

func TestRefusal(t *testing.T) {
	t.Parallel()
	public, centre := newCentre(t)
	r, err := SignRefusal(wire.Refusal{Agent: "counter-7", Seq: 1, Reason: "training", At: time.Now()}, centre)
	if err != nil {
		t.Fatal(err)
	}
	if err := VerifyRefusal(r, public); err != nil {
		t.Error(err)
	}
	r.Reason = "version"
	if err := VerifyRefusal(r, public); !errors.Is(err, ErrSignature) {
		t.Errorf("got %v, want ErrSignature", err)
	}
}

// What was signed for one purpose verifies for no other.
func TestDomainsAreApart(t *testing.T) {
	t.Parallel()
	public, centre := newCentre(t)
	receipt, err := SignReceipt(newReceipt(), centre)
	if err != nil {
		t.Fatal(err)
	}
	asBundle := wire.Signed{Body: receipt.SignedBytes(), Key: receipt.Key, Sig: receipt.Sig}
	if _, err := VerifyBundle(asBundle, public); !errors.Is(err, ErrSignature) {
		t.Errorf("a receipt as a bundle: got %v, want ErrSignature", err)
	}
	refusal := wire.Refusal{Agent: receipt.Agent, Seq: receipt.Seq, RecHash: receipt.RecHash, Reason: "12", At: receipt.At, Key: receipt.Key, Sig: receipt.Sig}
	if err := VerifyRefusal(refusal, public); !errors.Is(err, ErrSignature) {
		t.Errorf("a receipt as a refusal: got %v, want ErrSignature", err)
	}
	var starts [][]byte
	for _, b := range [][]byte{bundleBytes(nil), receipt.SignedBytes(), refusal.SignedBytes()} {
		start, _, _ := bytes.Cut(b, []byte("\n"))
		if slices.ContainsFunc(starts, func(s []byte) bool { return bytes.HasPrefix(s, start) || bytes.HasPrefix(start, s) }) {
			t.Errorf("%q begins like another signed thing", start)
		}
		starts = append(starts, start)
	}
}

func TestCentreSignersRefused(t *testing.T) {
	t.Parallel()
	public, _ := newCentre(t)
	for name, sign := range map[string]crypto.Signer{
		"ecdsa":      newSigner(t),
		"broken":     failing{public, nil, errors.New("no answer")},
		"wrong-sign": failing{public, make([]byte, 64), nil},
	} {
		if _, err := SignReceipt(newReceipt(), sign); err == nil {
			t.Errorf("%s signed a receipt", name)
		}
		if _, err := SignRefusal(wire.Refusal{}, sign); err == nil {
			t.Errorf("%s signed a refusal", name)
		}
		if _, err := SignBundle(newBundle(t), sign); err == nil {
			t.Errorf("%s signed a bundle", name)
		}
	}
}

func BenchmarkEnvelope(b *testing.B) {
	h, parts := newRecord(b)
	key := newSigner(b)
	for b.Loop() {
		if _, err := Envelope(h, parts, key); err != nil {
			b.Fatal(err)
		}
	}
}

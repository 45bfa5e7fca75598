package seal

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/counterproof/counterproof/sync/wire"
)

// newNotice is an opener's news, not signed yet.
func newNotice() wire.Notice {
	return wire.Notice{Agent: "counter-7", Number: 2, Ref: wire.RecordID{5}.Ref(), Kind: wire.NoticeNHSP9,
		At: time.Unix(1_800_000_000, 123_456_789)}
}

// pkix is a public key as a bundle has it.
func pkix(t testing.TB, public any) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestNotice(t *testing.T) {
	t.Parallel()
	opener, other := newSigner(t), newSigner(t)
	keys := [][]byte{pkix(t, other.Public()), pkix(t, opener.Public())}
	n, err := SignNotice(newNotice(), opener)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(n)
	if err != nil {
		t.Fatal(err)
	}
	var got wire.Notice
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if err := VerifyNotice(got, keys); err != nil {
		t.Errorf("after its way through JSON: %v", err)
	}
	if got.Key != wire.KeyIDOf(keys[1]) || got.At.Nanosecond()%1e6 != 0 {
		t.Errorf("got key %s at %s", got.Key, got.At)
	}
	for name, change := range map[string]func(*wire.Notice){
		"agent":  func(n *wire.Notice) { n.Agent = "counter-8" },
		"number": func(n *wire.Notice) { n.Number++ },
		"ref":    func(n *wire.Notice) { n.Ref = wire.RecordID{6}.Ref() },
		"kind":   func(n *wire.Notice) { n.Kind = wire.NoticeNHSNone },
		"at":     func(n *wire.Notice) { n.At = n.At.Add(time.Millisecond) },
		"key":    func(n *wire.Notice) { n.Key = wire.KeyIDOf(keys[0]) },
		"sig":    func(n *wire.Notice) { n.Sig = n.Sig[1:] },
		"no-sig": func(n *wire.Notice) { n.Sig = nil },
	} {
		forged := n
		change(&forged)
		if err := VerifyNotice(forged, keys); !errors.Is(err, ErrSignature) {
			t.Errorf("%s changed: got %v, want ErrSignature", name, err)
		}
	}
	if err := VerifyNotice(n, keys[:1]); !errors.Is(err, ErrUnknownOpener) {
		t.Errorf("without its key: got %v, want ErrUnknownOpener", err)
	}
	malformed := n
	malformed.Ref = "x"
	if err := VerifyNotice(malformed, keys); err == nil || errors.Is(err, ErrSignature) {
		t.Errorf("malformed: got %v, want an error of its own", err)
	}
}

// A kind of a later version is signed and verified like any other.
func TestNoticeOfLaterVersion(t *testing.T) {
	t.Parallel()
	opener := newSigner(t)
	later := newNotice()
	later.Kind = "something_new"
	n, err := SignNotice(later, opener)
	if err != nil {
		t.Fatal(err)
	}
	if err := VerifyNotice(n, [][]byte{pkix(t, opener.Public())}); err != nil {
		t.Error(err)
	}
}

// The opener's key signs notices and nothing that could be taken for one: a
// header with the same key verifies as no notice, and no other signed text
// begins as a notice does.
func TestNoticeDomain(t *testing.T) {
	t.Parallel()
	opener := newSigner(t)
	n, err := SignNotice(newNotice(), opener)
	if err != nil {
		t.Fatal(err)
	}
	asRecord := wire.Envelope{Header: n.SignedBytes(), Signature: n.Sig}
	if _, err := VerifyHeader(asRecord, &opener.PublicKey); !errors.Is(err, wire.ErrHeader) {
		t.Errorf("a notice as a record: got %v, want ErrHeader", err)
	}
	start, _, _ := bytes.Cut(n.SignedBytes(), []byte("\n"))
	for _, b := range [][]byte{bundleBytes(nil), newReceipt().SignedBytes(), wire.Refusal{}.SignedBytes()} {
		if bytes.HasPrefix(b, start) {
			t.Errorf("%q begins as a notice does", b)
		}
	}
}

func TestNoticeSignersRefused(t *testing.T) {
	t.Parallel()
	_, centre := newCentre(t)
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, sign := range map[string]crypto.Signer{
		"ed25519":    centre,
		"p384":       p384,
		"no-key":     failing{"none", nil, nil},
		"broken":     failing{newSigner(t).Public(), nil, errors.New("no answer")},
		"wrong-sign": failing{newSigner(t).Public(), make([]byte, 64), nil},
	} {
		if _, err := SignNotice(newNotice(), sign); err == nil {
			t.Errorf("%s signed a notice", name)
		}
	}
	if _, err := SignNotice(wire.Notice{}, newSigner(t)); err == nil {
		t.Error("an empty notice was signed")
	}
}

// A bundle that names keys with which no notice can be verified is refused, and
// so is one that names too many.
func TestBundleOpeners(t *testing.T) {
	t.Parallel()
	public, centre := newCentre(t)
	good := pkix(t, newSigner(t).Public())
	for name, s := range map[string]struct {
		openers [][]byte
		want    bool
	}{
		"none":    {nil, true},
		"one":     {[][]byte{good}, true},
		"most":    {slices.Repeat([][]byte{good}, MaxOpeners), true},
		"many":    {slices.Repeat([][]byte{good}, MaxOpeners+1), false},
		"empty":   {[][]byte{good, nil}, false},
		"ed25519": {[][]byte{pkix(t, public)}, false},
		"cut":     {[][]byte{good[:40]}, false},
	} {
		b := newBundle(t)
		b.Openers = s.openers
		signed, err := SignBundle(b, centre)
		if (err == nil) != s.want {
			t.Errorf("%s: signing got %v", name, err)
			continue
		}
		if !s.want { // from a centre that signs anything
			body, err := json.Marshal(b)
			if err != nil {
				t.Fatal(err)
			}
			signed.Body = body
			signed.Key, signed.Sig, err = signEd25519(centre, func(wire.KeyID) []byte { return bundleBytes(body) })
			if err != nil {
				t.Fatal(err)
			}
		}
		got, err := VerifyBundle(signed, public)
		if (err == nil) != s.want || s.want && len(got.Openers) != len(s.openers) {
			t.Errorf("%s: verifying got %d openers, %v", name, len(got.Openers), err)
		}
	}
}

// FuzzVerifyNotice: nothing but the signed notice verifies.
func FuzzVerifyNotice(f *testing.F) {
	opener := newSigner(f)
	keys := [][]byte{pkix(f, opener.Public())}
	n, err := SignNotice(newNotice(), opener)
	if err != nil {
		f.Fatal(err)
	}
	good, err := json.Marshal(n)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(bytes.Replace(good, []byte("nhs_p9"), []byte("nhs_p5"), 1))
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var got wire.Notice
		if json.Unmarshal(b, &got) != nil || VerifyNotice(got, keys) != nil {
			return
		}
		if sha256.Sum256(got.SignedBytes()) != sha256.Sum256(n.SignedBytes()) {
			t.Fatalf("verified %+v", got)
		}
	})
}

func BenchmarkSignNotice(b *testing.B) {
	opener := newSigner(b)
	for b.Loop() {
		if _, err := SignNotice(newNotice(), opener); err != nil {
			b.Fatal(err)
		}
	}
}

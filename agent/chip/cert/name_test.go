package cert_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"math/big"
	"testing"

	"github.com/counterproof/counterproof/agent/chip/cert"
	"github.com/counterproof/counterproof/agent/chip/curve"
	"github.com/counterproof/counterproof/agent/chip/der"
	"github.com/counterproof/counterproof/agent/chip/issue"
)

// TestStates: the state of a certificate stands in its name, and as a zone has it
// in its other name (9303-12 §7.1.1.2).
func TestStates(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"UTO", "D", ""} {
		c := parse(t, state(t, issue.Config{Country: "UT", Code: code}).Authority())
		got := ""
		if len(c.Localities) > 0 {
			got = c.Localities[0]
		}
		if got != code || c.Subject.Country != "UT" || c.Issuer.Country != "UT" {
			t.Errorf("%q: got %q, %q", code, got, c.Subject.Country)
		}
	}
}

// TestExplicitCurves: a curve that is spelled out is taken if it is sound, with the
// base point in either form, with or without its cofactor.
func TestExplicitCurves(t *testing.T) {
	t.Parallel()
	c, ok := curve.ByName("brainpoolP256r1")
	if !ok {
		t.Fatal("no such curve")
	}
	field := func(v *big.Int) []byte { return der.Octets(v.FillBytes(make([]byte, c.Bytes()))) }
	full := c.Marshal(c.G)
	half := append([]byte{2 + byte(c.G.Y.Bit(0))}, full[1:33]...)
	prime := func(p *big.Int) []byte { return der.Seq(der.ID("1.2.840.10045.1.1"), der.Num(p)) }
	whole := func(version int, field, coefficients, base []byte, rest ...[]byte) []byte {
		parameters := der.Seq(append([][]byte{der.Int(version), field, coefficients, der.Octets(base)}, rest...)...)
		return der.Seq(der.Seq(der.ID("1.2.840.10045.2.1"), parameters), der.BitsOf(full))
	}
	ab := der.Seq(field(c.A), field(c.B))
	seeded := der.Seq(field(c.A), field(c.B), der.BitsOf([]byte{1, 2}))
	even := new(big.Int).Sub(c.P, big.NewInt(1))
	for _, k := range []struct {
		rule string
		info []byte
		want error
	}{
		{"whole", whole(1, prime(c.P), ab, full, der.Num(c.N), der.Int(1)), nil},
		{"no-cofactor", whole(1, prime(c.P), ab, full, der.Num(c.N)), nil},
		{"half-base-point", whole(1, prime(c.P), ab, half, der.Num(c.N), der.Int(1)), nil},
		{"seed", whole(2, prime(c.P), seeded, full, der.Num(c.N), der.Int(1)), nil},
		{"version-0", whole(0, prime(c.P), ab, full, der.Num(c.N), der.Int(1)), der.ErrEncoding},
		{"binary-field", whole(1, der.Seq(der.ID("1.2.840.10045.1.2"), der.Int(163)), ab, full, der.Num(c.N)), cert.ErrAlgorithm},
		{"even-field", whole(1, prime(even), ab, full, der.Num(c.N), der.Int(1)), cert.ErrKey},
		{"negative-field", whole(1, prime(new(big.Int).Neg(c.P)), ab, full, der.Num(c.N), der.Int(1)), cert.ErrKey},
		{"huge-field", whole(1, prime(new(big.Int).Lsh(c.P, 512)), ab, full, der.Num(c.N), der.Int(1)), cert.ErrKey},
		{"base-point-of-another-length", whole(1, prime(c.P), ab, full[:40], der.Num(c.N), der.Int(1)), cert.ErrKey},
		{"base-point-off-the-curve", whole(1, prime(c.P), ab, append([]byte{2}, make([]byte, 32)...), der.Num(c.N), der.Int(1)), cert.ErrKey},
		{"another-order", whole(1, prime(c.P), ab, full, der.Num(even), der.Int(1)), cert.ErrKey},
		{"no-order", whole(1, prime(c.P), ab, full), der.ErrEncoding},
		{"no-coefficients", whole(1, prime(c.P), der.Seq(), full, der.Num(c.N)), der.ErrEncoding},
	} {
		_, err := cert.ParseKey(k.info)
		if !errors.Is(err, k.want) || (err == nil) != (k.want == nil) {
			t.Errorf("%s: got %v, want %v", k.rule, err, k.want)
		}
	}
}

func TestDigests(t *testing.T) {
	t.Parallel()
	for _, h := range []crypto.Hash{crypto.SHA1, crypto.SHA224, crypto.SHA256, crypto.SHA384, crypto.SHA512} {
		a := cert.Algorithm{ID: cert.DigestID(h)}
		if got, ok := a.Digest(); !ok || got != h {
			t.Errorf("%s: got %s %t", h, got, ok)
		}
		if n := len(cert.Sum(h, []byte("a"), []byte("b"))); n != h.Size() {
			t.Errorf("%s: got %d bytes", h, n)
		}
	}
	if _, ok := (cert.Algorithm{ID: "1.2.840.113549.2.5"}).Digest(); ok || cert.DigestID(crypto.MD5) != "" {
		t.Error("MD5 is a digest of documents")
	}
	if cert.PKCS1Block(crypto.SHA512, make([]byte, 64), 64, true) != nil {
		t.Error("a block is made that is too short")
	}
}

// TestPKCS1Forms: the digest in a signature may have null parameters or none; a
// block that is filled otherwise is a forgery.
func TestPKCS1Forms(t *testing.T) {
	t.Parallel()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	key, err := cert.ParseKey(rsaInfo(private.N, private.E))
	if err != nil {
		t.Fatal(err)
	}
	message := []byte("message")
	digest := cert.Sum(crypto.SHA256, message)
	short := append(cert.PKCS1Block(crypto.SHA256, digest, 128, true), make([]byte, 128)...)
	for _, c := range []struct {
		rule  string
		block []byte
		holds bool
	}{
		{"null", cert.PKCS1Block(crypto.SHA256, digest, 256, true), true},
		{"none", cert.PKCS1Block(crypto.SHA256, digest, 256, false), true},
		{"another-digest", cert.PKCS1Block(crypto.SHA1, digest[:20], 256, true), false},
		{"something-after-a-short-filling", short, false},
		{"no-filling", make([]byte, 256), false},
	} {
		m := new(big.Int).SetBytes(c.block)
		signature := m.Exp(m, private.D, private.N).FillBytes(make([]byte, 256))
		err := key.Verify(cert.Algorithm{ID: "1.2.840.113549.1.1.11"}, 0, signature, message)
		if (err == nil) != c.holds {
			t.Errorf("%s: got %v", c.rule, err)
		}
	}
}

package cert_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	chacha "math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/chip/cert"
	"github.com/counterproof/counterproof/agent/chip/der"
	"github.com/counterproof/counterproof/agent/chip/issue"
)

var begin = time.Date(2025, time.January, 1, 0, 0, 0, 0, time.UTC)

func state(tb testing.TB, cfg issue.Config) *issue.State {
	tb.Helper()
	s, err := issue.New(cfg, chacha.NewChaCha8([32]byte{3}))
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func parse(tb testing.TB, raw []byte) *cert.Certificate {
	tb.Helper()
	c, err := cert.Parse(raw)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// attribute is one attribute of a name.
func attribute(id der.OID, tag der.Tag, text string) []byte {
	return der.SetOf(der.Seq(der.ID(id), der.String(tag, text)))
}

func TestNames(t *testing.T) {
	t.Parallel()
	const country, common = "2.5.4.6", "2.5.4.3"
	name := func(parts ...[]byte) cert.Name {
		v, _ := der.Whole(der.Seq(parts...), der.Sequence)
		n, err := cert.ParseName(v)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	base := name(attribute(country, der.PrintableString, "DE"), attribute(common, der.PrintableString, "CSCA Germany"))
	for _, c := range []struct {
		rule string
		name cert.Name
		same bool
	}{
		{"same", name(attribute(country, der.PrintableString, "DE"), attribute(common, der.PrintableString, "CSCA Germany")), true},
		{"another-string", name(attribute(country, der.UTF8String, "DE"), attribute(common, der.UTF8String, "CSCA Germany")), true},
		{"wide-string", name(attribute(country, der.PrintableString, "DE"), attribute(common, der.BMPString, "\x00C\x00S\x00C\x00A\x00 \x00G\x00e\x00r\x00m\x00a\x00n\x00y")), true},
		{"small-letters", name(attribute(country, der.PrintableString, "de"), attribute(common, der.PrintableString, "csca germany")), true},
		{"spaces", name(attribute(country, der.PrintableString, "DE"), attribute(common, der.PrintableString, "  CSCA   Germany ")), true},
		{"another-text", name(attribute(country, der.PrintableString, "DE"), attribute(common, der.PrintableString, "CSCA Germany 2")), false},
		{"another-order", name(attribute(common, der.PrintableString, "CSCA Germany"), attribute(country, der.PrintableString, "DE")), false},
		{"less", name(attribute(country, der.PrintableString, "DE")), false},
		{"another-attribute", name(attribute(country, der.PrintableString, "DE"), attribute("2.5.4.11", der.PrintableString, "CSCA Germany")), false},
		{"a-part-that-looks-like-two", name(attribute(country, der.PrintableString, "DE\x01\x002.5.4.3=csca germany")), false},
	} {
		if got := base.Equal(c.name); got != c.same {
			t.Errorf("%s: got %t, want %t", c.rule, got, c.same)
		}
	}
	if base.Country != "DE" || name(attribute(country, der.PrintableString, "de")).Country != "DE" || name().Country != "" {
		t.Error("the country is not read")
	}
	for _, bad := range [][]byte{der.Seq(der.Seq()), der.Seq(der.SetOf()), der.Seq(der.SetOf(der.Int(1))), der.SetOf()} {
		v, _, _ := der.Next(bad)
		if _, err := cert.ParseName(v); err == nil {
			t.Errorf("%x is a name", bad)
		}
	}
}

// TestStandardLibrary: what the standard library makes is read the same, and its
// signatures hold.
func TestStandardLibrary(t *testing.T) {
	t.Parallel()
	p224, _ := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	p521, _ := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	long, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		key  crypto.Signer
		how  x509.SignatureAlgorithm
		weak bool
	}{
		{"P-224", p224, x509.ECDSAWithSHA256, false}, {"P-521", p521, x509.ECDSAWithSHA512, false}, {"P-521/SHA-1", p521, x509.ECDSAWithSHA1, true},
		{"RSA", long, x509.SHA256WithRSA, false}, {"RSA/SHA-384", long, x509.SHA384WithRSA, false},
		{"PSS/SHA-256", long, x509.SHA256WithRSAPSS, false}, {"PSS/SHA-512", long, x509.SHA512WithRSAPSS, false},
	} {
		form := &x509.Certificate{
			SerialNumber: big.NewInt(77), Subject: pkix.Name{Country: []string{"GB"}, CommonName: "A"}, NotBefore: begin, NotAfter: begin.AddDate(40, 0, 0),
			IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
			SubjectKeyId: []byte{1, 2, 3}, SignatureAlgorithm: c.how,
		}
		raw, err := x509.CreateCertificate(rand.Reader, form, form, c.key.Public(), c.key)
		if err != nil {
			if c.weak {
				continue // it no longer makes them
			}
			t.Fatal(c.name, err)
		}
		got := parse(t, raw)
		key, err := got.Key()
		if err != nil {
			t.Fatal(c.name, err)
		}
		if err := got.SignedBy(key); err != nil || got.Weak() != c.weak {
			t.Errorf("%s: got %v, weak %t", c.name, err, got.Weak())
		}
		raw[len(raw)-1] ^= 1
		if err := parse(t, raw).SignedBy(key); !errors.Is(err, cert.ErrSignature) {
			t.Errorf("%s, changed: got %v", c.name, err)
		}
		if !got.CA || got.Path != 0 || got.Usage != cert.CertSign|cert.CRLSign || !got.SelfIssued() || got.Version != 3 ||
			!got.From.Equal(begin) || !got.To.Equal(begin.AddDate(40, 0, 0)) || got.Serial.Int64() != 77 || !bytes.Equal(got.KeyID, []byte{1, 2, 3}) {
			t.Errorf("%s: got %+v", c.name, got)
		}
	}
}

// TestKeys: every kind of key that states have signs itself.
func TestKeys(t *testing.T) {
	t.Parallel()
	for _, m := range []issue.Making{
		{Curve: "brainpoolP160r1", Hash: crypto.SHA1}, {Curve: "brainpoolP256r1", Hash: crypto.SHA256}, {Curve: "brainpoolP320r1", Explicit: true, Hash: crypto.SHA256},
		{Curve: "brainpoolP512t1", Explicit: true, Hash: crypto.SHA512}, {Curve: "secp192r1", Hash: crypto.SHA224}, {Curve: "secp256r1", Explicit: true, Hash: crypto.SHA512},
		{RSA: 1024, Hash: crypto.SHA1}, {RSA: 1031, Hash: crypto.SHA224}, {RSA: 1025, PSS: true, Hash: crypto.SHA256}, {RSA: 1024, PSS: true, Hash: crypto.SHA1},
	} {
		s := state(t, issue.Config{Authority: m, Signer: issue.Making{Curve: "secp256r1", Hash: crypto.SHA256}})
		c := parse(t, s.Authority())
		key, err := c.Key()
		if err != nil {
			t.Errorf("%+v: %v", m, err)
			continue
		}
		if err := c.SignedBy(key); err != nil {
			t.Errorf("%+v: %v", m, err)
		}
		raw, _ := s.Signer()
		signer := parse(t, raw)
		if err := signer.SignedBy(key); err != nil {
			t.Errorf("%+v: the signer: %v", m, err)
		}
		other, err := signer.Key()
		if err != nil {
			t.Fatal(err)
		}
		if err := signer.SignedBy(other); err == nil {
			t.Errorf("%+v: another key fits", m)
		}
	}
}

// TestCountries: a name is of one country, or of none.
func TestCountries(t *testing.T) {
	t.Parallel()
	const country = "2.5.4.6"
	of := func(tag der.Tag, text string) []byte { return attribute(country, tag, text) }
	for _, c := range []struct {
		rule  string
		parts [][]byte
		want  string
	}{
		{"one", [][]byte{of(der.PrintableString, "DE")}, "DE"},
		{"small-letters", [][]byte{of(der.PrintableString, "de")}, "DE"},
		{"twice-the-same", [][]byte{of(der.PrintableString, "DE"), of(der.UTF8String, "de")}, "DE"},
		{"two", [][]byte{of(der.PrintableString, "DE"), of(der.PrintableString, "GB")}, ""},
		{"two-and-again", [][]byte{of(der.PrintableString, "GB"), of(der.PrintableString, "DE"), of(der.PrintableString, "GB")}, ""},
		{"two-in-one-part", [][]byte{der.SetOf(der.Seq(der.ID(country), der.String(der.PrintableString, "DE")), der.Seq(der.ID(country), der.String(der.PrintableString, "GB")))}, ""},
		{"none", [][]byte{attribute("2.5.4.3", der.UTF8String, "GB")}, ""},
	} {
		v, err := der.Whole(der.Seq(c.parts...), der.Sequence)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := cert.ParseName(v); err != nil || n.Country != c.want {
			t.Errorf("%s: got %q %v, want %q", c.rule, n.Country, err, c.want)
		}
	}
}

// TestWeakKeys: keys that documents' signers may not have are known as such.
func TestWeakKeys(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		making issue.Making
		weak   bool
	}{
		{issue.Making{RSA: 2047, Hash: crypto.SHA256}, true}, {issue.Making{RSA: 2048, Hash: crypto.SHA256}, false},
		{issue.Making{Curve: "brainpoolP192r1", Hash: crypto.SHA256}, true}, {issue.Making{Curve: "secp224r1", Hash: crypto.SHA256}, false},
		{issue.Making{Curve: "secp192r1", Explicit: true, Hash: crypto.SHA256}, true}, {issue.Making{Curve: "brainpoolP224t1", Explicit: true, Hash: crypto.SHA256}, false},
	} {
		key, err := parse(t, state(t, issue.Config{Authority: c.making}).Authority()).Key()
		if err != nil || key.Weak() != c.weak {
			t.Errorf("%+v: weak %t, %v", c.making, key.Weak(), err)
		}
	}
}

// TestKindsOfDocuments: a list of kinds bounds what a signer signs; one that makes
// no sense, or none, does not.
func TestKindsOfDocuments(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rule    string
		listed  []string
		signs   string
		refuses string
	}{
		{"none", nil, "V", ""},
		{"one-letter-for-all", []string{"P"}, "PD", "V"},
		{"two-letters-for-one", []string{"PD"}, "PD", "P"},
		{"filled", []string{"P<"}, "P", "AP"},
		{"small-letters", []string{"id"}, "ID", "IP"},
		{"several", []string{"AC", "IR"}, "IR", "I"},
		{"nothing-in-it", []string{"<"}, "", "P"},
	} {
		raw, _ := state(t, issue.Config{Documents: c.listed}).Signer()
		signer := parse(t, raw)
		if !signer.Signs(c.signs) || c.refuses != "" && signer.Signs(c.refuses) {
			t.Errorf("%s: of %q it signs %q %t and %q %t", c.rule, signer.Documents, c.signs, signer.Signs(c.signs), c.refuses, signer.Signs(c.refuses))
		}
	}
}

// rsaInfo is an RSA key with any parameters.
func rsaInfo(n *big.Int, e int, parameters ...[]byte) []byte {
	return der.Seq(der.Seq(append([][]byte{der.ID("1.2.840.113549.1.1.1")}, parameters...)...), der.BitsOf(der.Seq(der.Num(n), der.Int(e))))
}

func TestParseKey(t *testing.T) {
	t.Parallel()
	sound := new(big.Int).SetBit(big.NewInt(1), 2047, 1)
	short := new(big.Int).SetBit(big.NewInt(1), 511, 1)
	huge := new(big.Int).SetBit(big.NewInt(1), 9000, 1)
	ec := func(parameters, bits []byte) []byte {
		return der.Seq(der.Seq(der.ID("1.2.840.10045.2.1"), parameters), der.BitsOf(bits))
	}
	p256 := der.ID("1.2.840.10045.3.1.7")
	for _, c := range []struct {
		rule string
		info []byte
		want error // nil where it is a key
	}{
		{"RSA", rsaInfo(sound, 65537, der.Nil()), nil},
		{"RSA/without-parameters", rsaInfo(sound, 65537), nil},
		{"RSA/short", rsaInfo(short, 65537), cert.ErrKey},
		{"RSA/huge", rsaInfo(huge, 65537), cert.ErrKey},
		{"RSA/even", rsaInfo(new(big.Int).SetBit(new(big.Int), 2047, 1), 65537), cert.ErrKey},
		{"RSA/negative", rsaInfo(new(big.Int).Neg(sound), 65537), cert.ErrKey},
		{"RSA/exponent-one", rsaInfo(sound, 1), cert.ErrKey},
		{"RSA/exponent-even", rsaInfo(sound, 4), cert.ErrKey},
		{"DSA", der.Seq(der.Seq(der.ID("1.2.840.10040.4.1")), der.BitsOf(der.Int(1))), cert.ErrAlgorithm},
		{"EC/off-the-curve", ec(p256, append([]byte{4}, make([]byte, 64)...)), cert.ErrKey},
		{"EC/infinite", ec(p256, []byte{0}), cert.ErrKey},
		{"EC/unknown-curve", ec(der.ID("1.3.132.0.1"), []byte{4}), cert.ErrAlgorithm},
		{"EC/curve-of-the-issuer", ec(der.Nil(), []byte{4}), cert.ErrAlgorithm},
		{"EC/parameters-of-nothing", ec(der.Seq(), []byte{4}), cert.ErrAlgorithm},
		{"nothing", nil, der.ErrEncoding},
		{"no-bits", der.Seq(der.Seq(der.ID("1.2.840.10045.2.1"), p256)), der.ErrEncoding},
	} {
		_, err := cert.ParseKey(c.info)
		if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: got %v, want %v", c.rule, err, c.want)
		}
	}
}

// rewritten is a certificate whose body somebody changes; its signature is wrong.
func rewritten(tb testing.TB, raw []byte, change func(fields [][]byte) [][]byte) []byte {
	tb.Helper()
	v, err := der.Whole(raw, der.Sequence)
	if err != nil {
		tb.Fatal(err)
	}
	r := v.Inside()
	var fields [][]byte
	for in := r.Into(der.Sequence); in.More(); {
		fields = append(fields, in.Any().Raw)
	}
	rest := [][]byte{r.Any().Raw, r.Any().Raw}
	return der.Seq(append([][]byte{der.Seq(change(fields)...)}, rest...)...)
}

// TestTolerance: states err in these ways, and are read.
func TestTolerance(t *testing.T) {
	t.Parallel()
	raw := state(t, issue.Config{}).Authority()
	with := func(extension []byte) func([][]byte) [][]byte {
		return func(f [][]byte) [][]byte { return append(f[:7:7], der.Write(der.Context(3, true), der.Seq(extension))) }
	}
	ext := func(id der.OID, value []byte) []byte { return der.Seq(der.ID(id), der.Yes(), der.Octets(value)) }
	for _, c := range []struct {
		rule   string
		change func([][]byte) [][]byte
		check  func(*cert.Certificate) bool // nil where it is refused
	}{
		{"negative-serial", func(f [][]byte) [][]byte { f[1] = der.Int(-5); return f }, func(c *cert.Certificate) bool { return c.Serial.Int64() == -5 }},
		{"no-extensions", func(f [][]byte) [][]byte { return f[:7] }, func(c *cert.Certificate) bool { return !c.CA && !c.HasUsage && c.Path == -1 }},
		{"version-1", func(f [][]byte) [][]byte { return f[1:7] }, func(c *cert.Certificate) bool { return c.Version == 1 }},
		{"false-written-out", with(ext("2.5.29.19", der.Seq(der.Write(der.Boolean, []byte{0})))), func(c *cert.Certificate) bool { return c.HasBasic && !c.CA }},
		{"path-without-authority", with(ext("2.5.29.19", der.Seq(der.Int(3)))), func(c *cert.Certificate) bool { return !c.CA && c.Path == 3 }},
		{"constraints-of-nothing", with(ext("2.5.29.19", []byte{9})), func(c *cert.Certificate) bool { return c.HasBasic && !c.CA }},
		{"authority-with-something-after", with(ext("2.5.29.19", der.Seq(der.Yes(), der.Int(0), der.Int(0)))), func(c *cert.Certificate) bool { return !c.CA }},
		{"key-identifier-of-nothing", with(ext("2.5.29.14", []byte{9})), func(c *cert.Certificate) bool { return c.KeyID == nil }},
		{"unknown-critical", with(ext("2.999.5", nil)), func(c *cert.Certificate) bool { return slices.Equal(c.Unknown, []der.OID{"2.999.5"}) }},
		{"any-extended-use", with(ext("2.5.29.37", der.Seq(der.ID("2.5.29.37.0")))), func(c *cert.Certificate) bool { return c.For("") && c.For(cert.MasterListSigner) }},
		{"one-extended-use", with(ext("2.5.29.37", der.Seq(der.ID("1.3.6.1")))), func(c *cert.Certificate) bool { return !c.For("") && !c.For(cert.MasterListSigner) }},
		{"use-of-nothing", with(ext("2.5.29.15", []byte{1})), nil},
		{"twice-the-same-extension", with(append(ext("2.999.5", nil), ext("2.999.5", nil)...)), nil},
		{"another-algorithm-inside", func(f [][]byte) [][]byte { f[2] = der.Seq(der.ID("1.2.840.10045.4.3.2")); return f }, nil},
		{"no-serial", func(f [][]byte) [][]byte { f[1] = der.Nil(); return f }, nil},
		{"no-times", func(f [][]byte) [][]byte { f[4] = der.Seq(der.Int(1), der.Int(2)); return f }, nil},
		{"something-after", func(f [][]byte) [][]byte { return append(f, der.Int(1)) }, nil},
	} {
		got, err := cert.Parse(rewritten(t, raw, c.change))
		if (err == nil) != (c.check != nil) {
			t.Errorf("%s: got %v", c.rule, err)
		}
		if err == nil && !c.check(got) {
			t.Errorf("%s: got %+v", c.rule, got)
		}
	}
	for _, bad := range [][]byte{nil, raw[:len(raw)-1], append(slices.Clone(raw), 0), make([]byte, cert.MaxSize+1)} {
		if _, err := cert.Parse(bad); err == nil {
			t.Errorf("%d bytes were taken", len(bad))
		}
	}
}

// TestPSSParameters: parameters say how a signature is made; what they leave out
// is SHA-1's.
func TestPSSParameters(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	public, err := cert.ParseKey(rsaInfo(key.N, key.E))
	if err != nil {
		t.Fatal(err)
	}
	message := []byte("message")
	tagged := func(n byte, b []byte) []byte { return der.Write(der.Context(n, true), b) }
	sha256 := der.Seq(der.ID(cert.DigestID(crypto.SHA256)))
	mask := der.Seq(der.ID("1.2.840.113549.1.1.8"), sha256)
	for _, c := range []struct {
		rule       string
		parameters []byte
		hash       crypto.Hash
		salt       int
		want       error
	}{
		{"defaults", der.Seq(), crypto.SHA1, 20, nil},
		{"all-said", der.Seq(tagged(0, sha256), tagged(1, mask), tagged(2, der.Int(32)), tagged(3, der.Int(1))), crypto.SHA256, 32, nil},
		{"no-salt", der.Seq(tagged(0, sha256), tagged(1, mask), tagged(2, der.Int(0))), crypto.SHA256, 0, nil},
		{"longest-salt", der.Seq(tagged(0, sha256), tagged(1, mask), tagged(2, der.Int(222))), crypto.SHA256, 222, nil},
		{"salt-that-does-not-fit", der.Seq(tagged(0, sha256), tagged(1, mask), tagged(2, der.Int(223))), crypto.SHA256, 32, cert.ErrSignature},
		{"another-salt", der.Seq(tagged(0, sha256), tagged(1, mask), tagged(2, der.Int(20))), crypto.SHA256, 32, cert.ErrSignature},
		{"another-mask", der.Seq(tagged(0, sha256), tagged(2, der.Int(32))), crypto.SHA256, 32, cert.ErrSignature},
		{"another-trailer", der.Seq(tagged(3, der.Int(2))), crypto.SHA1, 20, cert.ErrAlgorithm},
		{"no-parameters", nil, crypto.SHA1, 20, cert.ErrAlgorithm},
		{"salt-without-bound", der.Seq(tagged(2, der.Int(1<<30))), crypto.SHA1, 20, cert.ErrAlgorithm},
		{"another-digest", der.Seq(tagged(0, der.Seq(der.ID("1.2.840.113549.2.5")))), crypto.SHA1, 20, cert.ErrAlgorithm},
	} {
		signature, err := rsa.SignPSS(rand.Reader, key, c.hash, cert.Sum(c.hash, message), &rsa.PSSOptions{SaltLength: max(c.salt, 0)})
		if c.salt == 0 {
			continue // the standard library takes 0 for any
		}
		if err != nil {
			t.Fatal(c.rule, err)
		}
		v, _ := der.Whole(der.Seq(der.ID("1.2.840.113549.1.1.10"), c.parameters), der.Sequence)
		a, err := cert.ParseAlgorithm(v)
		if err != nil {
			t.Fatal(c.rule, err)
		}
		if err := public.Verify(a, 0, signature, message); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: got %v, want %v", c.rule, err, c.want)
		}
	}
}

// TestPlainSignature: r and s may stand side by side (BSI TR-03111 §5.2.1).
func TestPlainSignature(t *testing.T) {
	t.Parallel()
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	info, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	public, err := cert.ParseKey(info)
	if err != nil {
		t.Fatal(err)
	}
	message := []byte("message")
	r, s, err := ecdsa.Sign(rand.Reader, key, cert.Sum(crypto.SHA256, message))
	if err != nil {
		t.Fatal(err)
	}
	pair := append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	plain := cert.Algorithm{ID: "0.4.0.127.0.7.1.1.4.1.3"}
	if err := public.Verify(plain, 0, pair, message[:3], message[3:]); err != nil {
		t.Error(err)
	}
	bare := cert.Algorithm{ID: "1.2.840.10045.2.1"}
	if err := public.Verify(bare, crypto.SHA256, der.Seq(der.Num(r), der.Num(s)), message); err != nil {
		t.Error("the digest that stands beside:", err)
	}
	for _, c := range []struct {
		rule      string
		a         cert.Algorithm
		signature []byte
		want      error
	}{
		{"shorter", plain, pair[:63], cert.ErrSignature},
		{"zeros", plain, make([]byte, 64), cert.ErrSignature},
		{"unknown", cert.Algorithm{ID: "0.4.0.127.0.7.1.1.4.1.9"}, pair, cert.ErrAlgorithm},
		{"of-another-key", cert.Algorithm{ID: "1.2.840.113549.1.1.11"}, pair, cert.ErrAlgorithm},
		{"no-digest", bare, pair, cert.ErrAlgorithm},
		{"negative", cert.Algorithm{ID: "1.2.840.10045.4.3.2"}, der.Seq(der.Num(new(big.Int).Neg(r)), der.Num(s)), cert.ErrSignature},
	} {
		if err := public.Verify(c.a, 0, c.signature, message); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.rule, err, c.want)
		}
	}
}

func TestCRL(t *testing.T) {
	t.Parallel()
	s := state(t, issue.Config{})
	raw, err := s.CRL(issue.Revocation{From: begin, Until: begin.AddDate(0, 1, 0), Serials: []int64{4, 9, 11}, Reason: cert.Hold, Number: 5, OldName: "Before"})
	if err != nil {
		t.Fatal(err)
	}
	l, err := cert.ParseCRL(raw)
	if err != nil {
		t.Fatal(err)
	}
	std, err := x509.ParseRevocationList(raw) // the standard library reads the same
	if err != nil || std.Number.Cmp(l.Number) != 0 || len(std.RevokedCertificateEntries) != 3 || !std.NextUpdate.Equal(l.Ends()) {
		t.Errorf("the standard library: %v", err)
	}
	key, err := parse(t, s.Authority()).Key()
	if err != nil {
		t.Fatal(err)
	}
	if err := l.SignedBy(key); err != nil || len(l.AlsoFor) != 1 || l.Delta || l.Partial {
		t.Errorf("got %v, %d names, %+v", err, len(l.AlsoFor), l)
	}
	e, ok, strange := l.Find(big.NewInt(9))
	if !ok || strange || e.Reason != cert.Hold || !e.At.Equal(begin) {
		t.Errorf("got %+v %t %t", e, ok, strange)
	}
	if _, ok, _ := l.Find(big.NewInt(10)); ok {
		t.Error("a number that is not listed is found")
	}
	for _, bad := range [][]byte{nil, raw[:len(raw)-1], append(slices.Clone(raw), 0)} {
		if _, err := cert.ParseCRL(bad); err == nil {
			t.Errorf("%d bytes were taken", len(bad))
		}
	}
}

// TestStrangeEntry: an entry with a critical extension that nobody knows may be of
// another issuer's certificate: the list is not to be relied on.
func TestStrangeEntry(t *testing.T) {
	t.Parallel()
	s := state(t, issue.Config{})
	raw, err := s.CRL(issue.Revocation{From: begin, Until: begin.AddDate(0, 1, 0), Serials: []int64{4}})
	if err != nil {
		t.Fatal(err)
	}
	change := func(critical []byte) []byte {
		return rewritten(t, raw, func(f [][]byte) [][]byte {
			ext := der.Seq(append([][]byte{der.ID("2.5.29.29")}, critical, der.Octets(nil))...)
			f[5] = der.Seq(der.Seq(der.Int(4), der.Instant(begin), der.Seq(ext)))
			return f
		})
	}
	for _, c := range []struct {
		critical []byte
		strange  bool
	}{{der.Yes(), true}, {der.Write(der.Boolean, []byte{0}), false}} {
		l, err := cert.ParseCRL(change(c.critical))
		if err != nil {
			t.Fatal(err)
		}
		if e, ok, strange := l.Find(big.NewInt(4)); !ok || strange != c.strange || e.Strange != c.strange {
			t.Errorf("got %+v %t, want strange %t", e, strange, c.strange)
		}
	}
}

func FuzzCertificate(f *testing.F) {
	for _, m := range []issue.Making{{}, {Curve: "brainpoolP256r1", Explicit: true, Hash: crypto.SHA256}, {RSA: 1024, PSS: true, Hash: crypto.SHA256}} {
		f.Add(state(f, issue.Config{Authority: m, Code: "UTO"}).Authority())
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, err := cert.Parse(raw)
		if err != nil {
			return
		}
		if key, err := c.Key(); err == nil {
			_ = c.SignedBy(key)
		}
		c.For("")
		c.Weak()
		c.ValidAt(begin)
	})
}

func FuzzCRL(f *testing.F) {
	s := state(f, issue.Config{})
	raw, err := s.CRL(issue.Revocation{From: begin, Until: begin, Serials: []int64{4, 9}, Reason: cert.Hold, Number: 5, Delta: true, OldName: "Before"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	key, err := parse(f, s.Authority()).Key()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		l, err := cert.ParseCRL(raw)
		if err != nil {
			return
		}
		l.Find(big.NewInt(4))
		l.Ends()
		_ = l.SignedBy(key)
	})
}

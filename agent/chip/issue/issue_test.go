package issue_test

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"testing/iotest"
	"time"

	"github.com/counterproof/counterproof/agent/chip"
	"github.com/counterproof/counterproof/agent/chip/cert"
	"github.com/counterproof/counterproof/agent/chip/cms"
	"github.com/counterproof/counterproof/agent/chip/der"
	"github.com/counterproof/counterproof/agent/chip/issue"
)

var at = time.Date(2025, time.March, 1, 9, 0, 0, 0, time.UTC)

func state(tb testing.TB, cfg issue.Config) *issue.State {
	tb.Helper()
	s, err := issue.New(cfg, rand.NewChaCha8([32]byte{5}))
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// files are those of a document with nothing in it.
func files() map[chip.File][]byte {
	return map[chip.File][]byte{
		chip.COM: {0x60, 0}, chip.CardAccess: {0x31, 0}, chip.DG1: {0x61, 0}, chip.DG2: {0x75, 0}, chip.DG15: {0x6f, 0},
	}
}

func document(tb testing.TB, s *issue.State, o issue.Order) map[chip.File][]byte {
	tb.Helper()
	out, err := s.Document(files(), o)
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

// message reads EF.SOD.
func message(tb testing.TB, out map[chip.File][]byte) *cms.Signed {
	tb.Helper()
	v, err := der.Whole(out[chip.SOD], 0x77)
	if err != nil {
		tb.Fatal(err)
	}
	m, err := cms.Parse(v.Content)
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

// TestSameAgain: one source gives one state, another another.
func TestSameAgain(t *testing.T) {
	t.Parallel()
	for _, m := range []issue.Making{{}, {RSA: 1024, PSS: true, Hash: crypto.SHA256}} {
		cfg := issue.Config{Country: "GB", Authority: m, Signer: m}
		one, two := state(t, cfg), state(t, cfg)
		a, b := document(t, one, issue.Order{Signed: at}), document(t, two, issue.Order{Signed: at})
		if !bytes.Equal(one.Authority(), two.Authority()) || !bytes.Equal(a[chip.SOD], b[chip.SOD]) {
			t.Errorf("%+v: two states of one source differ", m)
		}
		other, err := issue.New(cfg, rand.NewChaCha8([32]byte{6}))
		if err != nil || bytes.Equal(other.Authority(), one.Authority()) {
			t.Errorf("%+v: two sources give the same state (%v)", m, err)
		}
	}
}

// TestStandardLibraryAgrees: certificates without a fault are a valid path for the
// standard library, too.
func TestStandardLibraryAgrees(t *testing.T) {
	t.Parallel()
	for _, m := range []issue.Making{
		{}, {RSA: 2048, Hash: crypto.SHA256}, {RSA: 2048, PSS: true, Hash: crypto.SHA512}, {Curve: "secp521r1", Hash: crypto.SHA512},
	} {
		s := state(t, issue.Config{Authority: m})
		authority, err := x509.ParseCertificate(s.Authority())
		if err != nil {
			t.Fatal(err)
		}
		raw, serial := s.Signer()
		signer, err := x509.ParseCertificate(raw)
		if err != nil {
			t.Fatal(err)
		}
		roots := x509.NewCertPool()
		roots.AddCert(authority)
		if _, err := signer.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: at}); err != nil || signer.SerialNumber.Int64() != serial {
			t.Errorf("%+v: %v", m, err)
		}
		crl, err := s.CRL(issue.Revocation{From: at, Until: at.AddDate(0, 1, 0), Serials: []int64{serial}, Number: 1})
		if err != nil {
			t.Fatal(err)
		}
		list, err := x509.ParseRevocationList(crl)
		if err != nil || list.CheckSignatureFrom(authority) != nil {
			t.Errorf("%+v: the list: %v", m, err)
		}
	}
}

// TestOpenSSLAgrees: messages without a fault are valid for openssl, also on
// curves that the standard library does not know.
func TestOpenSSLAgrees(t *testing.T) {
	t.Parallel()
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("NOT RUN: openssl is not installed, so no other program has read the messages")
	}
	for name, m := range map[string]issue.Making{
		"P-256": {Curve: "secp256r1", Hash: crypto.SHA256}, "brainpool": {Curve: "brainpoolP256r1", Hash: crypto.SHA256},
		"RSA": {RSA: 2048, Hash: crypto.SHA256}, "PSS": {RSA: 2048, PSS: true, Hash: crypto.SHA256},
		"PSS, odd salt": {RSA: 2048, PSS: true, Hash: crypto.SHA256, Salt: 21}, "BER": {Curve: "secp256r1", Hash: crypto.SHA256},
	} {
		s := state(t, issue.Config{Authority: m, Signer: m})
		v, err := der.Whole(document(t, s, issue.Order{Signed: at, BER: name == "BER"})[chip.SOD], 0x77)
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		for file, raw := range map[string][]byte{"message": v.Content, "authority": s.Authority()} {
			if err := os.WriteFile(filepath.Join(dir, file), raw, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		pem, err := exec.CommandContext(t.Context(), openssl, "x509", "-inform", "DER", "-in", filepath.Join(dir, "authority")).Output()
		if err != nil {
			t.Fatal(name, err)
		}
		if err := os.WriteFile(filepath.Join(dir, "pem"), pem, 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.CommandContext(t.Context(), openssl, "cms", "-verify", "-inform", "DER", "-in", filepath.Join(dir, "message"),
			"-CAfile", filepath.Join(dir, "pem"), "-purpose", "any", "-attime", "1740819600", "-binary", "-out", filepath.Join(dir, "out")).CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

// TestForms: a message in BER is none in DER, and says the same; attributes out of
// their order are not those that were signed.
func TestForms(t *testing.T) {
	t.Parallel()
	s := state(t, issue.Config{Documents: []string{"P", "ID"}})
	content := func(o issue.Order) []byte {
		v, err := der.Whole(document(t, s, o)[chip.SOD], 0x77)
		if err != nil {
			t.Fatal(err)
		}
		return v.Content
	}
	ber := content(issue.Order{Signed: at, BER: true})
	if _, err := der.Whole(ber, der.Sequence); err == nil {
		t.Error("the message is in DER")
	}
	plain, err := der.Definite(ber)
	if _, not := der.Whole(plain, der.Sequence); err != nil || not != nil {
		t.Errorf("it does not become DER: %v, %v", err, not)
	}
	other := content(issue.Order{Signed: at, Mixed: true})
	if bytes.Equal(other, content(issue.Order{Signed: at})) {
		t.Error("the attributes are in their order")
	}
	beside := content(issue.Order{Signed: at, Beside: [][]byte{s.Authority()}})
	m, err := cms.Parse(beside)
	if err != nil || len(m.Certificates) != 2 || !m.Certificates[0].CA {
		t.Fatalf("beside the signer lie %d certificates, %v", len(m.Certificates), err)
	}
	if kinds := m.Certificates[1].Documents; len(kinds) != 2 || !m.Certificates[1].Signs("PP") || m.Certificates[1].Signs("V") {
		t.Errorf("the signer may sign %q", kinds)
	}
}

func TestDocument(t *testing.T) {
	t.Parallel()
	s := state(t, issue.Config{Country: "GB", Code: "GBR"})
	out := document(t, s, issue.Order{Signed: at, Version: 1})
	m := message(t, out)
	d, err := cms.ParseDigests(m.Content)
	if err != nil || d.Hash != crypto.SHA256 || len(d.Of) != 3 || d.LDS != "0108" {
		t.Fatalf("got %+v %v", d, err)
	}
	for n, f := range map[int]chip.File{1: chip.DG1, 2: chip.DG2, 15: chip.DG15} {
		if !bytes.Equal(d.Of[n], cert.Sum(crypto.SHA256, out[f])) {
			t.Errorf("%s is not what was signed", f)
		}
	}
	if len(out) != len(files())+1 || !m.Signers[0].Signed.Equal(at) {
		t.Errorf("got %d files, signed %s", len(out), m.Signers[0].Signed)
	}
	c, err := cert.Parse(s.Authority())
	if err != nil || c.Subject.Country != "GB" || len(c.Localities) != 1 || c.Localities[0] != "GBR" || c.Path != 0 || s.Pin() != c.Fingerprint() {
		t.Errorf("got %+v %v", c, err)
	}
}

// TestFaults: a fault changes what it says, and a document without it is whole.
func TestFaults(t *testing.T) {
	t.Parallel()
	s := state(t, issue.Config{})
	given := files()
	out, err := s.Document(given, issue.Order{Fault: issue.TamperedFile})
	if err != nil || bytes.Equal(out[chip.DG2], files()[chip.DG2]) || !bytes.Equal(given[chip.DG2], files()[chip.DG2]) || !bytes.Equal(out[chip.DG1], given[chip.DG1]) {
		t.Errorf("tampering: %v", err)
	}
	delete(given, chip.DG2)
	if out, err := s.Document(given, issue.Order{Fault: issue.TamperedFile}); err != nil || bytes.Equal(out[chip.DG1], given[chip.DG1]) {
		t.Errorf("tampering without a portrait: %v", err)
	}
	for _, c := range []struct {
		fault issue.Fault
		shows func(*cms.Signed, *cert.Certificate) bool
	}{
		{issue.None, func(m *cms.Signed, c *cert.Certificate) bool {
			return c.ValidAt(at) && c.Usage == cert.DigitalSignature && !c.CA
		}},
		{issue.ExpiredSigner, func(_ *cms.Signed, c *cert.Certificate) bool { return c.To.Before(at) }},
		{issue.EarlySigner, func(_ *cms.Signed, c *cert.Certificate) bool { return c.From.After(at) }},
		{issue.SignerUsage, func(_ *cms.Signed, c *cert.Certificate) bool { return c.Usage == cert.CRLSign }},
		{issue.NoUsage, func(_ *cms.Signed, c *cert.Certificate) bool { return !c.HasUsage }},
		{issue.SignerCA, func(_ *cms.Signed, c *cert.Certificate) bool { return c.CA }},
		{issue.SignerExtended, func(_ *cms.Signed, c *cert.Certificate) bool { return len(c.Extended) == 1 }},
		{issue.SignerCritical, func(_ *cms.Signed, c *cert.Certificate) bool { return len(c.Unknown) == 1 }},
		{issue.SignerCountry, func(_ *cms.Signed, c *cert.Certificate) bool {
			return c.Subject.Country == "XX" && c.Issuer.Country == "UT"
		}},
		{issue.SignerVersion, func(_ *cms.Signed, c *cert.Certificate) bool { return c.Version == 2 }},
		{issue.ContentType, func(m *cms.Signed, _ *cert.Certificate) bool { return m.Type == cms.MasterList }},
		{issue.NoSigner, func(m *cms.Signed, _ *cert.Certificate) bool { return len(m.Signers) == 0 }},
		{issue.SecondWrong, func(m *cms.Signed, _ *cert.Certificate) bool { return len(m.Signers) == 2 }},
	} {
		m := message(t, document(t, s, issue.Order{Signed: at, Fault: c.fault}))
		if len(m.Certificates) != 1 || !c.shows(m, m.Certificates[0]) {
			t.Errorf("%q does not show", c.fault)
		}
	}
	if m := message(t, document(t, s, issue.Order{Fault: issue.NoCertificate})); len(m.Certificates) != 0 {
		t.Error("there is a certificate that was to be missing")
	}
}

func TestRenew(t *testing.T) {
	t.Parallel()
	s := state(t, issue.Config{})
	before, err := cert.Parse(s.Authority())
	if err != nil {
		t.Fatal(err)
	}
	raw, err := s.Renew(at, "CSCA Two")
	if err != nil {
		t.Fatal(err)
	}
	link, err := cert.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	after, err := cert.Parse(s.Authority())
	if err != nil {
		t.Fatal(err)
	}
	key, err := before.Key()
	if err != nil {
		t.Fatal(err)
	}
	if link.SignedBy(key) != nil || !link.Issuer.Equal(before.Subject) || !link.Subject.Equal(after.Subject) || !bytes.Equal(link.Info(), after.Info()) || !link.CA {
		t.Errorf("got %+v", link)
	}
	signer, _ := s.Signer()
	c, err := cert.Parse(signer)
	if err != nil || !c.Issuer.Equal(after.Subject) || !c.ValidAt(at.AddDate(0, 0, 1)) {
		t.Errorf("the signer is not the new key's: %v", err)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	if _, err := issue.New(issue.Config{Signer: issue.Making{Curve: "none"}}, rand.NewChaCha8([32]byte{})); err == nil {
		t.Error("an unknown curve was taken")
	}
	dry := errors.New("dry")
	for _, m := range []issue.Making{{}, {RSA: 1024, Hash: crypto.SHA256}} {
		if _, err := issue.New(issue.Config{Authority: m}, iotest.ErrReader(dry)); !errors.Is(err, dry) {
			t.Errorf("a source that is dry: got %v", err)
		}
	}
	s := state(t, issue.Config{})
	if _, err := s.DeviationList([]issue.Deviation{{Certificate: []byte{1}, BySerial: true}}, issue.ListOrder{}); err == nil {
		t.Error("bytes that are no certificate were named")
	}
}

package issue_test

import (
	"bytes"
	"crypto"
	"errors"
	"math/big"
	"slices"
	"testing"

	"github.com/counterproof/counterproof/agent/chip/cert"
	"github.com/counterproof/counterproof/agent/chip/cms"
	"github.com/counterproof/counterproof/agent/chip/der"
	"github.com/counterproof/counterproof/agent/chip/issue"
)

// authorityOf reads the authority's certificate and its key.
func authorityOf(tb testing.TB, s *issue.State) (*cert.Certificate, *cert.Key) {
	tb.Helper()
	c, err := cert.Parse(s.Authority())
	if err != nil {
		tb.Fatal(err)
	}
	key, err := c.Key()
	if err != nil {
		tb.Fatal(err)
	}
	return c, key
}

func TestAuthorityFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		fault issue.Fault
		shows func(*cert.Certificate) bool
	}{
		{issue.None, func(c *cert.Certificate) bool {
			return c.CA && c.HasBasic && c.Usage == cert.CertSign|cert.CRLSign && len(c.Unknown) == 0
		}},
		{issue.NotAuthority, func(c *cert.Certificate) bool { return !c.CA && c.HasBasic }},
		{issue.AuthorityUsage, func(c *cert.Certificate) bool { return c.CA && c.Usage == cert.CRLSign }},
		{issue.AuthorityCritical, func(c *cert.Certificate) bool { return c.CA && len(c.Unknown) == 1 }},
	} {
		a, key := authorityOf(t, state(t, issue.Config{Fault: c.fault}))
		if !c.shows(a) || a.SignedBy(key) != nil || !a.SelfIssued() || !bytes.Equal(a.KeyID, a.IssuerKey) {
			t.Errorf("%q: got %+v", c.fault, a)
		}
	}
}

func TestForgedLink(t *testing.T) {
	t.Parallel()
	for fault, want := range map[issue.Fault]error{issue.None: nil, issue.LinkForged: cert.ErrSignature} {
		s := state(t, issue.Config{Fault: fault})
		before, key := authorityOf(t, s)
		raw, err := s.Renew(at, "")
		if err != nil {
			t.Fatal(err)
		}
		link, err := cert.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		if err := link.SignedBy(key); !errors.Is(err, want) || (err == nil) != (want == nil) {
			t.Errorf("%q: got %v, want %v", fault, err, want)
		}
		// Who forges it names the right key.
		if !bytes.Equal(link.IssuerKey, before.KeyID) || !link.Issuer.Equal(before.Subject) {
			t.Errorf("%q: the link names another issuer", fault)
		}
	}
}

func TestRevocationLists(t *testing.T) {
	t.Parallel()
	s := state(t, issue.Config{})
	a, key := authorityOf(t, s)
	until := at.AddDate(0, 1, 0)
	for _, c := range []struct {
		rule  string
		order issue.Revocation
		holds bool // the signature
		shows func(*cert.CRL) bool
	}{
		{"empty", issue.Revocation{From: at, Until: until, Number: 3}, true, func(l *cert.CRL) bool {
			_, listed, _ := l.Find(big.NewInt(1))
			return !listed && l.Number.Int64() == 3 && l.Ends().Equal(until) && l.From.Equal(at)
		}},
		{"without-end", issue.Revocation{From: at}, true, func(l *cert.CRL) bool { return l.Until.IsZero() && l.Ends().Equal(at.AddDate(0, 0, 90)) }},
		{"listed", issue.Revocation{From: at, Until: until, Serials: []int64{2, 3}}, true, func(l *cert.CRL) bool {
			e, listed, strange := l.Find(big.NewInt(3))
			return listed && !strange && e.Reason == cert.Unspecified
		}},
		{"reason", issue.Revocation{From: at, Until: until, Serials: []int64{2}, Reason: cert.Removed}, true, func(l *cert.CRL) bool {
			e, listed, _ := l.Find(big.NewInt(2))
			return listed && e.Reason == cert.Removed
		}},
		{"changes-only", issue.Revocation{From: at, Until: until, Number: 4, Delta: true}, true, func(l *cert.CRL) bool { return l.Delta }},
		{"old-name", issue.Revocation{From: at, Until: until, OldName: "CSCA Before"}, true, func(l *cert.CRL) bool { return len(l.AlsoFor) == 1 }},
		{"by-a-stranger", issue.Revocation{From: at, Until: until, ByStranger: true}, false, func(l *cert.CRL) bool { return bytes.Equal(l.IssuerKey, a.KeyID) }},
		{"signature-wrong", issue.Revocation{From: at, Until: until, Unsigned: true}, false, func(*cert.CRL) bool { return true }},
	} {
		raw, err := s.CRL(c.order)
		if err != nil {
			t.Fatal(c.rule, err)
		}
		l, err := cert.ParseCRL(raw)
		if err != nil {
			t.Errorf("%s: %v", c.rule, err)
			continue
		}
		if (l.SignedBy(key) == nil) != c.holds || !c.shows(l) || !l.Issuer.Equal(a.Subject) {
			t.Errorf("%s: got %+v", c.rule, l)
		}
	}
}

// listOf checks the signature of a list and its signer, and gives its content.
func listOf(t *testing.T, s *issue.State, raw []byte, use der.OID) (content []byte, holds bool) {
	t.Helper()
	m, err := cms.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	g := &m.Signers[0]
	c, ok := m.Signer(g)
	if !ok || g.Serial != nil {
		t.Fatal("the signer is not named by its key")
	}
	signer, err := c.Key()
	if err != nil {
		t.Fatal(err)
	}
	a, key := authorityOf(t, s)
	if c.SignedBy(key) != nil || !c.Issuer.Equal(a.Subject) || !slices.Equal(c.Extended, []der.OID{use}) || len(m.Certificates) != 2 {
		t.Errorf("the signer: got %+v", c)
	}
	return m.Content, m.Check(g, signer) == nil
}

func TestMasterLists(t *testing.T) {
	t.Parallel()
	s := state(t, issue.Config{Country: "DE"})
	other := state(t, issue.Config{Country: "GB"})
	given := [][]byte{s.Authority(), other.Authority()}
	raw, err := s.MasterList(given, issue.ListOrder{Signed: at})
	if err != nil {
		t.Fatal(err)
	}
	content, holds := listOf(t, s, raw, cert.MasterListSigner)
	listed, err := cms.ParseMasterList(content)
	slices.SortFunc(listed, bytes.Compare)
	slices.SortFunc(given, bytes.Compare)
	if err != nil || !holds || !slices.EqualFunc(listed, given, bytes.Equal) {
		t.Errorf("got %d certificates, %t, %v", len(listed), holds, err)
	}
	raw, err = s.MasterList(given, issue.ListOrder{Use: cert.DeviationListSigner, Fault: issue.SignatureWrong})
	if err != nil {
		t.Fatal(err)
	}
	if _, holds := listOf(t, s, raw, cert.DeviationListSigner); holds {
		t.Error("a wrong signature holds")
	}
}

func TestDeviationLists(t *testing.T) {
	t.Parallel()
	s := state(t, issue.Config{})
	signer, serial := s.Signer()
	raw, err := s.DeviationList([]issue.Deviation{{Certificate: signer, BySerial: true, Type: cms.KeyCompromised}}, issue.ListOrder{Signed: at})
	if err != nil {
		t.Fatal(err)
	}
	content, holds := listOf(t, s, raw, cert.DeviationListSigner)
	all, err := cms.ParseDeviations(content)
	if err != nil || !holds || len(all) != 1 || all[0].Serial.Int64() != serial || !slices.Equal(all[0].Types, []der.OID{cms.KeyCompromised}) {
		t.Errorf("got %+v, %t, %v", all, holds, err)
	}
}

func TestCardSecurity(t *testing.T) {
	t.Parallel()
	s := state(t, issue.Config{})
	infos := der.SetOf(der.Seq(der.ID("0.4.0.127.0.7.2.2.4.6.2"), der.Int(2)))
	raw, err := s.CardSecurity(infos, issue.Order{Signed: at})
	if err != nil {
		t.Fatal(err)
	}
	m, err := cms.Parse(raw)
	if err != nil || m.Type != cms.SecurityInfos || !bytes.Equal(m.Content, infos) {
		t.Errorf("got %+v %v", m, err)
	}
}

// TestMakings: every kind of key signs documents that hold.
func TestMakings(t *testing.T) {
	t.Parallel()
	for _, m := range []issue.Making{
		{Curve: "brainpoolP192r1", Hash: crypto.SHA1}, {Curve: "brainpoolP224t1", Explicit: true, Hash: crypto.SHA224}, {Curve: "brainpoolP320r1", Hash: crypto.SHA384},
		{Curve: "secp521r1", Explicit: true, Hash: crypto.SHA512}, {RSA: 1024, Hash: crypto.SHA384}, {RSA: 1030, PSS: true, Hash: crypto.SHA256}, {RSA: 1033, PSS: true, Hash: crypto.SHA224},
	} {
		s := state(t, issue.Config{Signer: m, Authority: issue.Making{Curve: "secp256r1", Hash: crypto.SHA256}})
		signed := message(t, document(t, s, issue.Order{Signed: at, Hash: m.Hash}))
		c, ok := signed.Signer(&signed.Signers[0])
		if !ok {
			t.Fatalf("%+v: no signer", m)
		}
		key, err := c.Key()
		if err != nil {
			t.Errorf("%+v: %v", m, err)
			continue
		}
		if err := signed.Check(&signed.Signers[0], key); err != nil {
			t.Errorf("%+v: %v", m, err)
		}
	}
}

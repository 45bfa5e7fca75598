package cms_test

import (
	"bytes"
	"crypto"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/chip"
	"github.com/counterproof/counterproof/agent/chip/cert"
	"github.com/counterproof/counterproof/agent/chip/cms"
	"github.com/counterproof/counterproof/agent/chip/der"
	"github.com/counterproof/counterproof/agent/chip/issue"
)

var at = time.Date(2025, time.March, 1, 9, 0, 0, 0, time.UTC)

func state(tb testing.TB) *issue.State {
	tb.Helper()
	s, err := issue.New(issue.Config{Code: "UTO"}, rand.NewChaCha8([32]byte{4}))
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// object is a signed document security object.
func object(tb testing.TB, s *issue.State, o issue.Order) []byte {
	tb.Helper()
	files, err := s.Document(map[chip.File][]byte{chip.DG1: {1}, chip.DG2: {2}}, o)
	if err != nil {
		tb.Fatal(err)
	}
	v, _, err := der.Next(files[chip.SOD])
	if err != nil {
		tb.Fatal(err)
	}
	return v.Content
}

func TestSigned(t *testing.T) {
	t.Parallel()
	s := state(t)
	for _, c := range []struct {
		rule  string
		order issue.Order
		want  error
	}{
		{"whole", issue.Order{Signed: at}, nil},
		{"by-key", issue.Order{Signed: at, ByKeyID: true}, nil},
		{"no-time", issue.Order{}, nil},
		{"SHA-512", issue.Order{Hash: crypto.SHA512}, nil},
		{"BER", issue.Order{Signed: at, BER: true}, nil},
		{"BER/signature-wrong", issue.Order{BER: true, Fault: issue.SignatureWrong}, cert.ErrSignature},
		{"attributes-out-of-order", issue.Order{Signed: at, Mixed: true}, nil},
		{"attributes-out-of-order/signature-wrong", issue.Order{Signed: at, Mixed: true, Fault: issue.SignatureWrong}, cert.ErrSignature},
		{"another's-certificate-first", issue.Order{Signed: at, Beside: [][]byte{s.Authority()}}, nil},
		{"attributes-missing", issue.Order{Fault: issue.NoAttributes}, cms.ErrAttributes},
		{"attribute-twice", issue.Order{Fault: issue.AttributeTwice}, cms.ErrAttributes},
		{"another-content", issue.Order{Fault: issue.AttributeDigest}, cms.ErrDigest},
		{"another-type", issue.Order{Fault: issue.AttributeType}, cms.ErrType},
		{"signature-wrong", issue.Order{Fault: issue.SignatureWrong}, cert.ErrSignature},
	} {
		m, err := cms.Parse(object(t, s, c.order))
		if err != nil {
			t.Errorf("%s: %v", c.rule, err)
			continue
		}
		g := &m.Signers[0]
		signer, ok := m.Signer(g)
		if !ok || len(m.Signers) != 1 || m.Type != cms.SecurityObject || m.Strange != 0 || !g.Signed.Equal(c.order.Signed) || g.Weak() {
			t.Errorf("%s: got %+v", c.rule, m)
			continue
		}
		key, err := signer.Key()
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Check(g, key); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: got %v, want %v", c.rule, err, c.want)
		}
		if c.want == nil {
			m.Content = slices.Clone(m.Content)
			m.Content[len(m.Content)-1] ^= 1
			if err := m.Check(g, key); !errors.Is(err, cms.ErrDigest) {
				t.Errorf("%s, changed: got %v", c.rule, err)
			}
		}
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	s := state(t)
	for _, c := range []struct {
		order issue.Order
		named bool
	}{
		{issue.Order{}, true}, {issue.Order{ByKeyID: true}, true},
		{issue.Order{Fault: issue.SignerSerial}, false}, {issue.Order{Fault: issue.SignerIssuer}, false}, {issue.Order{Fault: issue.NoCertificate}, false},
	} {
		m, err := cms.Parse(object(t, s, c.order))
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := m.Signer(&m.Signers[0]); ok != c.named {
			t.Errorf("%+v: got %t", c.order, ok)
		}
	}
	two, err := cms.Parse(object(t, s, issue.Order{Twice: true}))
	if err != nil || len(two.Signers) != 2 {
		t.Errorf("two signatures: %v", err)
	}
	none, err := cms.Parse(object(t, s, issue.Order{Fault: issue.NoSigner}))
	if err != nil || len(none.Signers) != 0 {
		t.Errorf("no signature: %v", err)
	}
}

func TestNotAMessage(t *testing.T) {
	t.Parallel()
	raw := object(t, state(t), issue.Order{Signed: at})
	inner, _, _ := der.Next(raw)
	for _, c := range []struct {
		rule string
		raw  []byte
	}{
		{"nothing", nil},
		{"cut", raw[:len(raw)-1]},
		{"something-after", append(slices.Clone(raw), 0)},
		{"another-type", der.Seq(der.ID("1.2.840.113549.1.7.1"), inner.Content[11:])},
		{"empty", der.Seq()},
		{"no-content", der.Seq(der.ID("1.2.840.113549.1.7.2"), der.Write(der.Context(0, true), der.Seq(der.Int(3), der.SetOf(), der.Seq(der.ID("1.2"))), der.SetOf()))},
	} {
		if _, err := cms.Parse(c.raw); err == nil {
			t.Errorf("%s was taken", c.rule)
		}
	}
	for n := range raw { // no cut of it is a message, and none ends the program
		if _, err := cms.Parse(raw[:n]); err == nil {
			t.Fatalf("%d bytes were taken", n)
		}
	}
}

func TestDigests(t *testing.T) {
	t.Parallel()
	algorithm := der.Seq(der.ID(cert.DigestID(crypto.SHA256)))
	digest := make([]byte, 32)
	one := func(n int) []byte { return der.Seq(der.Int(n), der.Octets(digest)) }
	versions := der.Seq(der.String(der.PrintableString, "0108"), der.String(der.PrintableString, "040000"))
	for _, c := range []struct {
		rule string
		raw  []byte
		ok   bool
	}{
		{"version-0", der.Seq(der.Int(0), algorithm, der.Seq(one(1), one(2))), true},
		{"version-1", der.Seq(der.Int(1), algorithm, der.Seq(one(1), one(16)), versions), true},
		{"unknown-digest", der.Seq(der.Int(0), der.Seq(der.ID("1.2.3")), der.Seq(one(1))), true},
		{"version-2", der.Seq(der.Int(2), algorithm, der.Seq(one(1))), false},
		{"negative-version", der.Seq(der.Int(-1), algorithm, der.Seq(one(1))), false},
		{"no-files", der.Seq(der.Int(0), algorithm, der.Seq()), false},
		{"file-0", der.Seq(der.Int(0), algorithm, der.Seq(one(0))), false},
		{"file-17", der.Seq(der.Int(0), algorithm, der.Seq(one(17))), false},
		{"file-twice", der.Seq(der.Int(0), algorithm, der.Seq(one(1), one(1))), false},
		{"something-after", der.Seq(der.Int(1), algorithm, der.Seq(one(1)), versions, der.Nil()), false},
		{"version-of-nothing", der.Seq(der.Int(1), algorithm, der.Seq(one(1)), der.Seq()), false},
		{"nothing", nil, false},
	} {
		d, err := cms.ParseDigests(c.raw)
		if (err == nil) != c.ok {
			t.Errorf("%s: got %v", c.rule, err)
		}
		known := c.rule != "unknown-digest"
		if c.ok && ((d.Hash == crypto.SHA256) != known || !bytes.Equal(d.Of[1], digest) || (d.LDS == "0108") != (d.Version == 1)) {
			t.Errorf("%s: got %+v", c.rule, d)
		}
	}
}

func TestMasterList(t *testing.T) {
	t.Parallel()
	a, b := der.Seq(der.Int(1)), der.Seq(der.Int(2))
	all, err := cms.ParseMasterList(der.Seq(der.Int(0), der.SetOf(a, b)))
	if err != nil || len(all) != 2 || !bytes.Equal(all[0], a) || !bytes.Equal(all[1], b) {
		t.Errorf("got %x %v", all, err)
	}
	for _, bad := range [][]byte{nil, der.Seq(der.Int(1), der.SetOf(a)), der.Seq(der.Int(0), der.SetOf(der.Int(1))), der.Seq(der.Int(0), der.SetOf(a), a), der.Seq(der.Int(0))} {
		if _, err := cms.ParseMasterList(bad); err == nil {
			t.Errorf("%x was taken", bad)
		}
	}
}

func TestDeviations(t *testing.T) {
	t.Parallel()
	s := state(t)
	signer, serial := s.Signer()
	raw, err := s.DeviationList([]issue.Deviation{
		{Certificate: signer, BySerial: true, Type: cms.SignerEncoding, First: at, Last: at.AddDate(1, 0, 0), Number: "L898902C3"},
		{Certificate: signer, Type: cms.KeyCompromised},
		{Certificate: signer, ByDigest: true, Type: cms.AuthorityEncoding},
		{Type: cms.SignerEncoding}, // of nobody: left out
	}, issue.ListOrder{Signed: at})
	if err != nil {
		t.Fatal(err)
	}
	m, err := cms.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	all, err := cms.ParseDeviations(m.Content)
	if err != nil || len(all) != 3 {
		t.Fatalf("got %d, %v", len(all), err)
	}
	for _, d := range all {
		switch d.Types[0] {
		case cms.SignerEncoding:
			if d.Serial.Int64() != serial || d.Issuer.Country != "UT" || !d.First.Equal(at) || !slices.Equal(d.Numbers, []string{"L898902C3"}) {
				t.Errorf("got %+v", d)
			}
		case cms.KeyCompromised:
			if len(d.KeyID) != 20 || d.Serial != nil {
				t.Errorf("got %+v", d)
			}
		case cms.AuthorityEncoding:
			if !bytes.Equal(d.Digest, cert.Sum(crypto.SHA256, signer)) {
				t.Errorf("got %+v", d)
			}
		}
	}
	// As lists have it that describe and give parameters.
	full := der.Seq(der.Int(0), der.Seq(der.ID("1.2")), der.SetOf(der.Seq(
		der.Seq(der.Write(der.Context(0, false), []byte("P<")), der.Write(der.Context(2, false), []byte{1})),
		der.SetOf(der.Seq(der.String(der.PrintableString, "what"), der.ID(cms.SignerEncoding), der.Write(der.Context(0, true), der.Int(6)))))))
	if all, err := cms.ParseDeviations(full); err != nil || len(all) != 1 || all[0].DocumentType != "P<" {
		t.Errorf("got %+v %v", all, err)
	}
	for _, bad := range [][]byte{
		nil, der.Seq(der.Int(1), der.SetOf()), der.Seq(der.Int(0), der.SetOf(der.Seq())),
		der.Seq(der.Int(0), der.SetOf(der.Seq(der.Seq(), der.SetOf(der.Seq(der.Int(1)))))),
		der.Seq(der.Int(0), der.SetOf(der.Seq(der.Seq(der.Write(der.Context(5, true))), der.SetOf()))),
		der.Seq(der.Int(0), der.SetOf(der.Seq(der.Seq(der.Write(der.Context(4, true), der.Int(1))), der.SetOf()))),
	} {
		if _, err := cms.ParseDeviations(bad); err == nil {
			t.Errorf("%x was taken", bad)
		}
	}
}

// FuzzSigned reads anything as a message, and its content as each content.
func FuzzSigned(f *testing.F) {
	s := state(f)
	f.Add(object(f, s, issue.Order{Signed: at, Version: 1}))
	f.Add(object(f, s, issue.Order{ByKeyID: true, Twice: true}))
	f.Add(object(f, s, issue.Order{Signed: at, BER: true, Version: 1}))
	f.Add(object(f, s, issue.Order{Signed: at, Mixed: true, Beside: [][]byte{s.Authority()}}))
	list, err := s.MasterList([][]byte{s.Authority()}, issue.ListOrder{Signed: at})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(list)
	c, err := cert.Parse(s.Authority())
	if err != nil {
		f.Fatal(err)
	}
	key, err := c.Key()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := cms.Parse(raw)
		if err != nil {
			return
		}
		for i := range m.Signers {
			g := &m.Signers[i]
			m.Signer(g)
			g.Weak()
			if m.Check(g, key) == nil {
				t.Error("an authority's key signed a document")
			}
		}
		fuzzContents(m.Content)
	})
}

// fuzzContents reads a content as each of those that there are.
func fuzzContents(content []byte) {
	_, _ = cms.ParseDigests(content)
	_, _ = cms.ParseMasterList(content)
	_, _ = cms.ParseDeviations(content)
}

func FuzzContents(f *testing.F) {
	s := state(f)
	signer, _ := s.Signer()
	deviations, err := s.DeviationList([]issue.Deviation{{Certificate: signer, BySerial: true, Type: cms.SignerEncoding, First: at, Last: at, Number: "1"}}, issue.ListOrder{})
	if err != nil {
		f.Fatal(err)
	}
	for _, raw := range [][]byte{deviations, object(f, s, issue.Order{Version: 1})} {
		m, err := cms.Parse(raw)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(m.Content)
	}
	f.Fuzz(func(_ *testing.T, content []byte) { fuzzContents(content) })
}

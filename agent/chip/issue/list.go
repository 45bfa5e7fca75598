package issue

import (
	"cmp"
	"crypto"
	"fmt"
	"math/big"
	"time"

	"github.com/counterproof/counterproof/agent/chip/cert"
	"github.com/counterproof/counterproof/agent/chip/cms"
	"github.com/counterproof/counterproof/agent/chip/der"
)

// Revocation is what a revocation list says.
type Revocation struct {
	From, Until time.Time // Until zero is left out
	Serials     []int64
	Reason      cert.Reason // of all of them
	Number      int
	Delta       bool
	ByStranger  bool // another key signs it, under the authority's name
	Unsigned    bool // with a signature that is wrong
	OldName     string
}

// CRL makes a revocation list (RFC 5280 §5).
func (s *State) CRL(r Revocation) ([]byte, error) {
	var entries [][]byte
	for _, n := range r.Serials {
		e := [][]byte{der.Num(big.NewInt(n)), der.Instant(r.From)}
		if r.Reason != cert.Unspecified {
			e = append(e, der.Seq(extension("2.5.29.21", false, der.Write(der.Enumerated, []byte{byte(r.Reason)}))))
		}
		entries = append(entries, der.Seq(e...))
	}
	by := s.authority.key
	if r.ByStranger {
		var err error
		if by, err = newKey(s.cfg.Authority, s.random); err != nil {
			return nil, err
		}
	}
	extensions := [][]byte{
		extension("2.5.29.35", false, der.Seq(der.Write(der.Context(0, false), s.authority.key.keyID()))),
		extension("2.5.29.20", false, der.Int(r.Number)),
	}
	if r.Delta {
		extensions = append(extensions, extension("2.5.29.27", true, der.Int(r.Number-1)))
	}
	if r.OldName != "" {
		old := title{s.cfg.Country, r.OldName}.write()
		extensions = append(extensions, extension("2.5.29.18", false, der.Seq(der.Write(der.Context(4, true), old))))
	}
	parts := [][]byte{der.Int(1), by.algorithm(), s.authority.title.write(), der.Instant(r.From)}
	if !r.Until.IsZero() {
		parts = append(parts, der.Instant(r.Until))
	}
	if len(entries) > 0 {
		parts = append(parts, der.Seq(entries...))
	}
	body := der.Seq(append(parts, der.Write(der.Context(0, true), der.Seq(extensions...)))...)
	signature, err := by.sign(s.random, body)
	if err != nil {
		return nil, fmt.Errorf("signing a revocation list: %w", err)
	}
	if r.Unsigned {
		signature[len(signature)-1] ^= 1
	}
	return der.Seq(body, by.algorithm(), der.BitsOf(signature)), nil
}

// ListOrder says how a master list or a deviation list is signed.
type ListOrder struct {
	Signed time.Time
	Use    der.OID // of its signer's certificate; the right one by default
	Fault  Fault
}

// MasterList makes a list of authorities' certificates (9303-12 §9). Its signer and
// the state's own authority lie beside it.
func (s *State) MasterList(certificates [][]byte, o ListOrder) ([]byte, error) {
	content := der.Seq(der.Int(0), der.SetOf(certificates...))
	o.Use = cmp.Or(o.Use, cert.MasterListSigner)
	return s.list(cms.MasterList, content, o)
}

// list signs a list with a signer that is made for it.
func (s *State) list(kind der.OID, content []byte, o ListOrder) ([]byte, error) {
	k, err := newKey(s.cfg.Signer, s.random)
	if err != nil {
		return nil, err
	}
	f := form{
		serial: s.next(), issuer: s.authority.title, subject: title{s.cfg.Country, "List Signer"}, from: s.cfg.From, to: s.cfg.To,
		info: k.info(), keyID: k.keyID(), issuerKey: s.authority.key.keyID(), usage: cert.DigitalSignature, extended: o.Use,
	}
	raw, err := s.certify(f, s.authority.key)
	if err != nil {
		return nil, fmt.Errorf("making a list signer: %w", err)
	}
	return s.sign(message{
		kind: kind, content: content, signer: &holder{k, f.subject, f.issuer, f.serial, raw}, beside: [][]byte{s.authority.raw},
		order: Order{Signed: o.Signed, Hash: crypto.SHA256, ByKeyID: true, Fault: o.Fault},
	})
}

// Deviation names documents and what is wrong with them. Without any name of a
// certificate it is one that would excuse a whole state.
type Deviation struct {
	Certificate []byte // whose documents they are
	BySerial    bool   // it is named by issuer and number; or
	ByDigest    bool   // by its SHA-256
	Type        der.OID
	First, Last time.Time
	Number      string // of one document
}

// DeviationList makes a list of deviations (9303-12 §10).
func (s *State) DeviationList(all []Deviation, o ListOrder) ([]byte, error) {
	var items [][]byte
	for _, d := range all {
		documents, err := d.documents()
		if err != nil {
			return nil, err
		}
		items = append(items, der.Seq(documents, der.SetOf(der.Seq(der.ID(d.Type)))))
	}
	o.Use = cmp.Or(o.Use, cert.DeviationListSigner)
	return s.list(cms.DeviationList, der.Seq(der.Int(0), der.SetOf(items...)), o)
}

// documents writes which documents a deviation is of.
func (d Deviation) documents() ([]byte, error) {
	var parts [][]byte
	c, err := cert.Parse(d.Certificate)
	switch {
	case d.Certificate == nil:
	case err != nil:
		return nil, fmt.Errorf("naming a certificate: %w", err)
	case d.BySerial:
		parts = append(parts, der.Write(der.Context(1, true), c.Issuer.Raw, der.Num(c.Serial)))
	case d.ByDigest:
		parts = append(parts, der.Write(der.Context(3, false), cert.Sum(crypto.SHA256, d.Certificate)))
	default:
		parts = append(parts, der.Write(der.Context(2, false), c.KeyID))
	}
	general := func(t time.Time) []byte {
		return der.String(der.GeneralizedTime, t.UTC().Format("20060102150405Z"))
	}
	if !d.First.IsZero() {
		parts = append(parts, der.Write(der.Context(4, true), general(d.First), general(d.Last)))
	}
	if d.Number != "" {
		parts = append(parts, der.Write(der.Context(5, true), der.String(der.PrintableString, d.Number)))
	}
	return der.Seq(parts...), nil
}

// Package issue makes a travel-document state of software, for tests, training and
// the demonstration: its signing authority (CSCA), document signers, the signatures
// over documents' files, revocation lists, master lists and deviation lists. It
// errs in the ways that are asked for.
//
// It is no authority of any state: nothing that it makes leads to a key that a
// product trusts. It draws no random number: the same source gives the same state.
//
// # The laws
//
//   - Without a fault it keeps the rules of ICAO Doc 9303-12 §7 and RFC 5652.
//   - A fault is one thing that is wrong; everything else stays right.
package issue

import (
	"bytes"
	"cmp"
	"crypto"
	"fmt"
	"io"
	"time"

	"github.com/counterproof/counterproof/agent/chip/cert"
)

// Config says what state is made.
type Config struct {
	Country   string // two letters, as certificates have it; UT by default
	Code      string // three letters, as a zone has it; may be left out
	Name      string // of the authority
	Authority Making // P-384 by default
	Signer    Making // P-256 by default
	// From and To bound the authority's certificate; signers work from a year after
	// its beginning until a year before its end.
	From, To time.Time
	// Documents are the kinds that the signers' certificates let them sign, as zones
	// have them; none leaves the list away.
	Documents []string
	Fault     Fault // of the authority's certificate
}

// State is a state that issues documents.
type State struct {
	cfg       Config
	random    io.Reader
	authority *holder
	signer    *holder
	serial    int64
}

// Lives of certificates, in years, where nothing else is said.
const (
	authorityYears = 15
	bornYear       = 2020
)

// New makes a state.
func New(cfg Config, random io.Reader) (*State, error) {
	cfg.Country = cmp.Or(cfg.Country, "UT")
	cfg.Name = cmp.Or(cfg.Name, "CSCA "+cfg.Country)
	if cfg.From.IsZero() {
		cfg.From = time.Date(bornYear, time.January, 1, 0, 0, 0, 0, time.UTC)
	}
	if cfg.To.IsZero() {
		cfg.To = cfg.From.AddDate(authorityYears, 0, 0)
	}
	if cfg.Authority == (Making{}) {
		cfg.Authority = Making{Curve: "secp384r1", Hash: crypto.SHA384}
	}
	if cfg.Signer == (Making{}) {
		cfg.Signer = Making{Curve: "secp256r1", Hash: crypto.SHA256}
	}
	s := &State{cfg: cfg, random: random}
	var err error
	if s.authority, err = s.newAuthority(cfg.Name); err != nil {
		return nil, fmt.Errorf("making an authority: %w", err)
	}
	if s.signer, err = s.newSigner(None); err != nil {
		return nil, fmt.Errorf("making a signer: %w", err)
	}
	return s, nil
}

// next is the next serial number.
func (s *State) next() int64 {
	s.serial++
	return s.serial
}

// authorityForm is the certificate of a key of the authority.
func (s *State) authorityForm(k *key, name string) form {
	t := title{s.cfg.Country, name}
	f := form{
		serial: s.next(), issuer: t, subject: t, from: s.cfg.From, to: s.cfg.To, info: k.info(), keyID: k.keyID(), issuerKey: k.keyID(),
		usage: cert.CertSign | cert.CRLSign, ca: true, code: s.cfg.Code,
	}
	switch s.cfg.Fault {
	case NotAuthority:
		f.ca, f.noBasic = false, true
	case AuthorityUsage:
		f.usage = cert.CRLSign
	case AuthorityCritical:
		f.critical = "2.999.1"
	}
	return f
}

// newAuthority makes a key of the authority, signed by itself.
func (s *State) newAuthority(name string) (*holder, error) {
	k, err := newKey(s.cfg.Authority, s.random)
	if err != nil {
		return nil, err
	}
	f := s.authorityForm(k, name)
	raw, err := s.certify(f, k)
	return &holder{k, f.subject, f.issuer, f.serial, raw}, err
}

// newSigner makes a signer of documents.
func (s *State) newSigner(fault Fault) (*holder, error) {
	k, err := newKey(s.cfg.Signer, s.random)
	if err != nil {
		return nil, err
	}
	a, by := s.authority, s.authority.key
	f := form{
		serial: s.next(), issuer: a.title, subject: title{s.cfg.Country, "Signer"}, from: s.cfg.From.AddDate(1, 0, 0), to: s.cfg.To.AddDate(-1, 0, 0),
		info: k.info(), keyID: k.keyID(), issuerKey: a.key.keyID(), usage: cert.DigitalSignature, code: s.cfg.Code,
		documents: s.cfg.Documents,
	}
	signerFault(&f, fault)
	if fault == Lookalike || fault == UnknownKey || fault == Foreign { // another key
		if by, err = newKey(s.cfg.Authority, s.random); err != nil {
			return nil, err
		}
	}
	switch fault {
	case Foreign:
		f.issuer.common += " of nobody"
		f.issuerKey = by.keyID()
	case UnknownKey:
		f.issuerKey = by.keyID()
	}
	raw, err := s.certify(f, by)
	return &holder{k, f.subject, f.issuer, f.serial, raw}, err
}

// Authority is the authority's certificate, signed by itself.
func (s *State) Authority() []byte { return bytes.Clone(s.authority.raw) }

// Signer is the certificate that signs documents, and its serial number.
func (s *State) Signer() (raw []byte, serial int64) {
	return bytes.Clone(s.signer.raw), s.signer.serial
}

// Pin is the digest of the authority's certificate by which its lists are believed.
func (s *State) Pin() [32]byte { return [32]byte(cert.Sum(crypto.SHA256, s.authority.raw)) }

// Renew gives the authority a new key, and a new name if one is given, from some
// time on. The link is the new key signed with the old one; documents that are made
// from now on are signed under the new one.
func (s *State) Renew(at time.Time, name string) (link []byte, err error) {
	old := s.authority
	s.cfg.From, s.cfg.To = at, at.AddDate(authorityYears, 0, 0)
	if s.authority, err = s.newAuthority(cmp.Or(name, old.title.common)); err != nil {
		return nil, err
	}
	f := s.authorityForm(s.authority.key, s.authority.title.common)
	f.issuer, f.issuerKey = old.title, old.key.keyID()
	if s.cfg.Fault == LinkForged {
		stranger, err := newKey(s.cfg.Authority, s.random)
		if err != nil {
			return nil, err
		}
		old = &holder{key: stranger}
	}
	if link, err = s.certify(f, old.key); err != nil {
		return nil, err
	}
	s.cfg.From = s.cfg.From.AddDate(-1, 0, 0) // signers work at once
	s.signer, err = s.newSigner(None)
	return link, err
}

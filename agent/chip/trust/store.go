package trust

import (
	"bytes"
	"slices"
	"sync"
	"time"

	"github.com/counterproof/counterproof/agent/chip/cert"
	"github.com/counterproof/counterproof/agent/chip/cms"
	"github.com/counterproof/counterproof/agent/chip/der"
)

// Store is what to trust. It does not change once it is made; many may use it at once.
type Store struct {
	number      int
	made        time.Time
	authorities map[string][]*cert.Certificate // trusted, by subject
	links       map[string][]*cert.Certificate // to be believed by their signature, by subject
	lists       []list
	deviations  []excuse
	silent      []string
	size        int
	refused     int
}

// excuse is a deviation, and whose documents its author may speak of: every state's,
// or one's.
type excuse struct {
	cms.Deviation
	every   bool
	country string
}

// of reports a certificate whose documents the author may speak of. An author that
// names no country speaks of none's.
func (e excuse) of(c *cert.Certificate) bool {
	return e.every || e.country != "" && e.country == c.Issuer.Country
}

// list is a revocation list. Its signature is checked when somebody first needs it:
// that would take most of the time of loading.
type list struct {
	*cert.CRL
	vouched func() bool
}

// New makes a store of contents that somebody vouches for: their signature was
// checked (Parse), or a person gave them.
func New(c Contents) *Store {
	s := &Store{
		number: c.Number, made: c.Made, silent: c.Silent,
		authorities: map[string][]*cert.Certificate{}, links: map[string][]*cert.Certificate{},
	}
	for _, raw := range c.Anchors {
		s.trust(raw)
	}
	for _, raw := range c.MasterLists {
		s.masterList(raw, c.Pins)
	}
	for _, raw := range c.Links {
		s.link(raw)
	}
	for _, raw := range c.CRLs {
		l, err := cert.ParseCRL(raw)
		if err != nil {
			s.refused++
			continue
		}
		s.lists = append(s.lists, list{l, sync.OnceValue(func() bool { return s.vouched(l) })})
	}
	for _, raw := range c.Deviations {
		s.deviationList(raw, c.Pins)
	}
	return s
}

// Size is how many certificates of authorities are trusted, links left out.
func (s *Store) Size() int { return s.size }

// Refused is how much of the contents was left out: certificates and lists that
// cannot be read, lists that nobody vouches for.
func (s *Store) Refused() int { return s.refused }

// trust takes an authority's certificate, once.
func (s *Store) trust(raw []byte) {
	c, err := cert.Parse(raw)
	if err != nil {
		s.refused++
		return
	}
	same := func(o *cert.Certificate) bool { return bytes.Equal(o.Raw, c.Raw) }
	if at := c.Subject.Key; !slices.ContainsFunc(s.authorities[at], same) {
		s.authorities[at] = append(s.authorities[at], c)
		s.size++
	}
}

// link takes a certificate that an authority made for its next key; it is believed
// when somebody needs it.
func (s *Store) link(raw []byte) {
	c, err := cert.Parse(raw)
	if err != nil {
		s.refused++
		return
	}
	s.links[c.Subject.Key] = append(s.links[c.Subject.Key], c)
}

// masterList takes the certificates of a list whose signer's authority is pinned
// (9303-12 §9).
func (s *Store) masterList(raw []byte, pins [][32]byte) {
	m, err := cms.Parse(raw)
	if err != nil || m.Type != cms.MasterList {
		s.refused++
		return
	}
	listed, err := cms.ParseMasterList(m.Content)
	if err != nil {
		s.refused++
		return
	}
	// The authority lies beside the list, or is one of the store's own.
	if _, ok := s.listSigner(m, cert.MasterListSigner, func(c *cert.Certificate) bool { return pinned(c, pins) }); !ok {
		s.refused++
		return
	}
	for _, c := range listed {
		s.trust(c)
	}
}

// deviationList takes the deviations of a list that is signed under an authority:
// its own state's, and every state's if it is pinned.
func (s *Store) deviationList(raw []byte, pins [][32]byte) {
	m, err := cms.Parse(raw)
	if err != nil || m.Type != cms.DeviationList {
		s.refused++
		return
	}
	all, err := cms.ParseDeviations(m.Content)
	if err != nil {
		s.refused++
		return
	}
	known := func(c *cert.Certificate) bool { return pinned(c, pins) || s.trusted(c) }
	a, ok := s.listSigner(m, cert.DeviationListSigner, known)
	if !ok {
		s.refused++
		return
	}
	for _, d := range all {
		s.deviations = append(s.deviations, excuse{d, pinned(a, pins), a.Subject.Country})
	}
}

// pinned reports a certificate that was compared out of band.
func pinned(c *cert.Certificate, pins [][32]byte) bool { return slices.Contains(pins, c.Fingerprint()) }

// trusted reports a certificate that is in the store.
func (s *Store) trusted(c *cert.Certificate) bool {
	return slices.ContainsFunc(s.authorities[c.Subject.Key], func(o *cert.Certificate) bool { return bytes.Equal(o.Raw, c.Raw) })
}

// listSigner checks the signature of a list and gives the authority of its signer,
// which must be believed. Every signature of the list must hold.
func (s *Store) listSigner(m *cms.Signed, use der.OID, believed func(*cert.Certificate) bool) (*cert.Certificate, bool) {
	var authority *cert.Certificate
	for i := range m.Signers {
		g := &m.Signers[i]
		c, ok := m.Signer(g)
		if !ok || c.CA || !c.For(use) || c.HasUsage && c.Usage&cert.DigitalSignature == 0 || len(c.Unknown) > 0 {
			return nil, false
		}
		key, err := c.Key()
		if err != nil || m.Check(g, key) != nil || !g.Signed.IsZero() && !c.ValidAt(g.Signed) {
			return nil, false
		}
		if authority = s.listAuthority(m, c, believed); authority == nil {
			return nil, false
		}
	}
	return authority, authority != nil
}

// listAuthority finds the believed authority that issued a list signer's
// certificate, beside the list or in the store.
func (s *Store) listAuthority(m *cms.Signed, c *cert.Certificate, believed func(*cert.Certificate) bool) *cert.Certificate {
	for _, a := range slices.Concat(m.Certificates, s.authorities[c.Issuer.Key]) {
		if a.Subject.Equal(c.Issuer) && believed(a) && authorityFit(a, c.From, false) == "" && signedBy(c, a) == nil {
			return a
		}
	}
	return nil
}

// signedBy checks a certificate's signature with another's key.
func signedBy(c, issuer *cert.Certificate) error {
	key, err := issuer.Key()
	if err != nil {
		return err
	}
	return c.SignedBy(key)
}

// maxLinks bounds a chain of links.
const maxLinks = 8

// issuers are the trusted certificates of a name: the store's own, and links that
// lead to one of them.
func (s *Store) issuers(name cert.Name) []*cert.Certificate {
	all := slices.Clone(s.authorities[name.Key])
	for _, l := range s.links[name.Key] {
		if s.linked(l, maxLinks) {
			all = append(all, l)
		}
	}
	return all
}

// linked reports a link that a trusted key of the same state signed while its
// certificate was valid (9303-12 §6.1.1). The path length of the old certificate
// does not count: a link brings a new anchor, not a link of a path.
func (s *Store) linked(l *cert.Certificate, deep int) bool {
	fits := func(a *cert.Certificate) bool {
		return a.Subject.Country == l.Subject.Country && a.Subject.Country != "" &&
			authorityFit(a, l.From, false) == "" && signedBy(l, a) == nil
	}
	if slices.ContainsFunc(s.authorities[l.Issuer.Key], fits) {
		return true
	}
	return deep > 0 && slices.ContainsFunc(s.links[l.Issuer.Key], func(o *cert.Certificate) bool {
		return o != l && fits(o) && s.linked(o, deep-1)
	})
}

// excused reports whether a deviation list says of a certificate's documents that
// something is wrong with them.
func (s *Store) excused(c *cert.Certificate, d document, signed time.Time, kind der.OID) bool {
	return slices.ContainsFunc(s.deviations, func(e excuse) bool {
		return e.of(c) && slices.Contains(e.Types, kind) && names(e.Deviation, c) && covers(e.Deviation, d, signed)
	})
}

// names reports a deviation that names a certificate.
func names(d cms.Deviation, c *cert.Certificate) bool {
	if d.Serial != nil && (d.Serial.Cmp(c.Serial) != 0 || !d.Issuer.Equal(c.Issuer)) {
		return false
	}
	if d.KeyID != nil && (len(d.KeyID) == 0 || !bytes.Equal(d.KeyID, c.KeyID)) {
		return false
	}
	return d.Digest == nil || fingerprinted(c, d.Digest)
}

// covers reports a deviation that a document falls under.
func covers(d cms.Deviation, doc document, signed time.Time) bool {
	if d.DocumentType != "" && trimmed(d.DocumentType) != trimmed(doc.kind) {
		return false
	}
	if !d.First.IsZero() && (signed.IsZero() || signed.Before(d.First) || signed.After(d.Last)) {
		return false
	}
	same := func(n string) bool { return trimmed(n) == trimmed(doc.number) && doc.number != "" }
	return len(d.Numbers) == 0 || slices.ContainsFunc(d.Numbers, same)
}

// Given makes a store of certificates that a person calls trusted, and of lists. A
// link among the certificates is believed by its signature if its issuer is there
// too.
func Given(certificates, crls [][]byte) *Store {
	c := Contents{CRLs: crls}
	subjects := map[string]bool{}
	var read []*cert.Certificate
	for _, raw := range certificates {
		one, err := cert.Parse(raw)
		if err != nil {
			continue
		}
		read = append(read, one)
		subjects[one.Subject.Key] = true
	}
	for _, one := range read {
		if !one.SelfIssued() && subjects[one.Issuer.Key] {
			c.Links = append(c.Links, one.Raw)
			continue
		}
		c.Anchors = append(c.Anchors, one.Raw)
	}
	return New(c)
}

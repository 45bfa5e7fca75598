package trust

import (
	"bytes"
	"slices"
	"time"

	"github.com/counterproof/counterproof/agent/chip/cert"
)

// revocation is what the lists say of a certificate when the chip was read. A list
// counts if a trusted key signed it that may, under the issuer's name, or under a
// name that the issuer has taken since (9303-12 §7.1.4). That it stands on any such
// list revokes it, also on one that is out of date.
func (s *Store) revocation(c *cert.Certificate, at time.Time) Revocation {
	var lists []*cert.CRL
	ignored := false
	for _, l := range s.lists {
		switch {
		case !about(l.CRL, c):
		case l.vouched():
			lists = append(lists, l.CRL)
		default:
			ignored = true
		}
	}
	slices.SortStableFunc(lists, func(a, b *cert.CRL) int { return a.From.Compare(b.From) })
	var standing listed
	for _, l := range lists {
		standing.take(l, c, at)
	}
	switch {
	case standing.revoked || standing.held:
		return WasRevoked
	case standing.good:
		return NotRevoked
	case standing.stale:
		return StaleList
	case ignored || standing.ignored:
		return IgnoredList
	case s.silentFor(c.Issuer.Country):
		return NonePublished
	}
	return NoList
}

// about reports a list of a certificate's issuer.
func about(l *cert.CRL, c *cert.Certificate) bool {
	if l.Issuer.Equal(c.Issuer) {
		return true
	}
	return l.Issuer.Country == c.Issuer.Country && slices.ContainsFunc(l.AlsoFor, c.Issuer.Equal)
}

// vouched reports a list that is signed with a trusted key of its name. The
// identifier of the key, if it names one, must be that key's.
func (s *Store) vouched(l *cert.CRL) bool {
	return slices.ContainsFunc(s.issuers(l.Issuer), func(a *cert.Certificate) bool {
		if len(l.IssuerKey) > 0 && len(a.KeyID) > 0 && !bytes.Equal(l.IssuerKey, a.KeyID) {
			return false
		}
		if !a.CA || a.HasUsage && a.Usage&cert.CRLSign == 0 {
			return false
		}
		key, err := a.Key()
		return err == nil && l.SignedBy(key) == nil
	})
}

// listed is how a certificate stands after some lists.
type listed struct {
	revoked, held        bool
	good, stale, ignored bool
}

// take reads one more list, not older than those before.
func (s *listed) take(l *cert.CRL, c *cert.Certificate, at time.Time) {
	e, found, strange := l.Find(c.Serial)
	switch {
	case found && e.Strange: // perhaps another issuer's
	case found && e.Reason == cert.Removed:
		s.held = false
	case found && e.Reason == cert.Hold:
		s.held = true
	case found:
		s.revoked = true
	case !l.Delta:
		s.held = false
	}
	switch {
	case l.Delta || l.Partial || strange || l.From.After(at.Add(slack)):
		s.ignored = true
	case at.After(l.Ends()):
		s.stale = true
	default:
		s.good = true
	}
}

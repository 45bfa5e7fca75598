package trust

import (
	"bytes"
	"crypto"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/counterproof/counterproof/agent/chip/cert"
	"github.com/counterproof/counterproof/agent/chip/cms"
	"github.com/counterproof/counterproof/agent/chip/der"
)

// fingerprinted reports whether a digest is that of a certificate, by its length.
func fingerprinted(c *cert.Certificate, digest []byte) bool {
	for _, h := range []crypto.Hash{crypto.SHA1, crypto.SHA224, crypto.SHA256, crypto.SHA384, crypto.SHA512} {
		if len(digest) == h.Size() {
			return bytes.Equal(digest, cert.Sum(h, c.Raw))
		}
	}
	return false
}

// outcome is what one signature comes to. The zero outcome is that all is well.
type outcome struct {
	word   Word
	class  Class
	reason Reason
	topic  Topic // the check that ended it
}

// well reports that nothing ended it.
func (o outcome) well() bool { return o.word == "" }

// failing is an outcome that speaks of fraud.
func failing(topic Topic, class Class, reason Reason) outcome {
	return outcome{Failed, class, reason, topic}
}

// chain is a signature that is being judged, and what was found about it.
type chain struct {
	message   *cms.Signed
	signer    *cms.Signer
	store     *Store
	document  document
	at        time.Time
	cert      *cert.Certificate
	authority *cert.Certificate
	excused   bool // by a deviation list
	weak      bool
	revoked   Revocation
}

// judge checks one signature: who made it, that it holds, and that the signer may.
func (c *chain) judge() outcome {
	for _, step := range []func() outcome{c.identify, c.verify, c.issue, c.signerFit, c.authorityFit, c.revocation, c.strength} {
		if o := step(); !o.well() {
			return o
		}
	}
	return outcome{}
}

// identify finds the certificate that the signature names. One that merely lies
// there is taken only if its state says that it errs so.
func (c *chain) identify() outcome {
	all := c.message.Certificates
	if found, ok := c.message.Signer(c.signer); ok {
		c.cert = found
		return outcome{}
	}
	switch {
	case len(all) == 1 && c.excuse(all[0], cms.SignerEncoding):
		c.cert = all[0]
		return outcome{}
	case len(all) > 0:
		return failing(CheckSignature, SignatureFailed, SignerNotNamed)
	case c.message.Strange > 0:
		return outcome{Unreadable, "", CertificateStrange, CheckSignature}
	}
	return outcome{IssuerUnknown, "", NoCertificate, CheckSignature}
}

// excuse asks the deviation lists.
func (c *chain) excuse(about *cert.Certificate, kind der.OID) bool {
	if !c.store.excused(about, c.document, c.signer.Signed, kind) {
		return false
	}
	c.excused = true
	return true
}

// verify checks the signature with the certificate's key.
func (c *chain) verify() outcome {
	key, err := c.cert.Key()
	switch {
	case errors.Is(err, cert.ErrAlgorithm):
		return outcome{Unreadable, "", AlgorithmUnknown, CheckSignature}
	case err != nil:
		return failing(CheckSignature, CertificateUnfit, KeyUnsound)
	}
	c.weak = c.signer.Weak() || c.cert.Weak()
	err = c.message.Check(c.signer, key)
	reason := SignatureWrong
	switch {
	case err == nil:
		return outcome{}
	case errors.Is(err, cert.ErrAlgorithm):
		return outcome{Unreadable, "", AlgorithmUnknown, CheckSignature}
	case errors.Is(err, cms.ErrAttributes):
		reason = AttributesMissing
	case errors.Is(err, cms.ErrType):
		reason = AttributeType
	case errors.Is(err, cms.ErrDigest):
		reason = AttributeDigest
	}
	return failing(CheckSignature, SignatureFailed, reason)
}

// when is the time by which certificates must have been valid: when it was signed,
// or when the signer began. That they have ended since is normal: documents live
// longer (9303-12 §4.1).
func (c *chain) when() time.Time {
	if c.signer.Signed.IsZero() {
		return c.cert.From
	}
	return c.signer.Signed
}

// issue finds the authority that signed the signer's certificate. A key of the
// right name and identifier whose signature is wrong tells of a forgery; a name
// with another key may be a state's newest. States have many keys under one name:
// the one that the certificate names is tried first, and links only at the end.
func (c *chain) issue() outcome {
	named := func(a *cert.Certificate) int {
		if len(c.cert.IssuerKey) > 0 && bytes.Equal(a.KeyID, c.cert.IssuerKey) {
			return 0
		}
		return 1
	}
	first := c.store.authorities[c.cert.Issuer.Key]
	sorted := slices.Clone(first)
	slices.SortStableFunc(sorted, func(a, b *cert.Certificate) int { return named(a) - named(b) })
	var found search
	for _, a := range sorted {
		if c.signedUnder(a, &found, named(a) == 0) {
			return outcome{}
		}
	}
	all := c.store.issuers(c.cert.Issuer)
	for _, a := range all[len(first):] {
		if c.signedUnder(a, &found, named(a) == 0) {
			return outcome{}
		}
	}
	switch {
	case len(all) == 0:
		return outcome{IssuerUnknown, "", NoAuthority, CheckPath}
	case c.authority != nil:
		return outcome{}
	case found.forged:
		return failing(CheckPath, SignatureFailed, CertificateSignature)
	case found.unknown:
		return outcome{Unreadable, "", AlgorithmUnknown, CheckPath}
	}
	return outcome{IssuerUnknown, "", NoKey, CheckPath}
}

// search is what was found of authorities that did not sign.
type search struct{ forged, unknown bool }

// signedUnder takes an authority that signed the signer's certificate, and reports
// whether it may have. The first that signed is kept in any case.
func (c *chain) signedUnder(a *cert.Certificate, found *search, named bool) bool {
	switch err := signedBy(c.cert, a); {
	case err == nil:
		fit := c.authorityReason(a) == ""
		if c.authority == nil || fit {
			c.authority = a
		}
		return fit
	case errors.Is(err, cert.ErrSignature):
		found.forged = found.forged || named
	default:
		found.unknown = true
	}
	return false
}

// signerFit checks that the signer may sign documents (9303-12 §7.1).
func (c *chain) signerFit() outcome {
	s := c.cert
	encoding := Reason("")
	switch {
	case s.CA:
		return failing(CheckSigner, CertificateUnfit, SignerIsAuthority)
	case !s.ValidAt(c.when()):
		return failing(CheckSigner, CertificateUnfit, SignerTime)
	case c.when().After(later(c.at, c.store.made).Add(slack)): // a clock that is slow accuses nobody
		return failing(CheckSigner, CertificateUnfit, SignedLater)
	case s.Subject.Country == "" || s.Subject.Country != s.Issuer.Country:
		return failing(CheckSigner, CertificateUnfit, SignerCountry)
	case s.Version != 3:
		encoding = SignerVersion
	case !s.HasUsage || s.Usage&cert.DigitalSignature == 0:
		encoding = SignerUsage
	case !s.For(""):
		encoding = SignerExtended
	case len(s.Unknown) > 0:
		encoding = SignerCritical
	case !s.Signs(strings.ToUpper(trimmed(c.document.kind))):
		encoding = SignerDocuments
	}
	if encoding != "" && !c.excuse(s, cms.SignerEncoding) {
		return failing(CheckSigner, CertificateUnfit, encoding)
	}
	return outcome{}
}

// later is the later of two moments.
func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// authorityFit checks that the authority may certify.
func (c *chain) authorityFit() outcome {
	if reason := c.authorityReason(c.authority); reason != "" {
		return failing(CheckAuthority, CertificateUnfit, reason)
	}
	return outcome{}
}

// authorityReason is why an authority is unfit for the signature, if it is.
func (c *chain) authorityReason(a *cert.Certificate) Reason {
	if reason := authorityFit(a, c.when(), false); reason != "" {
		if !c.excuse(a, cms.AuthorityEncoding) {
			return reason
		}
		return authorityFit(a, c.when(), true)
	}
	return ""
}

// authorityFit is why a certificate is no authority's that was valid at a time, if
// it is none. What is only written wrongly may be excused. A path length bounds
// authorities below, of which there are none.
func authorityFit(a *cert.Certificate, when time.Time, excused bool) Reason {
	switch {
	case !a.ValidAt(when):
		return AuthorityTime
	case excused:
		return ""
	case !a.HasBasic || !a.CA:
		return NotAuthority
	case !a.HasUsage || a.Usage&cert.CertSign == 0:
		return AuthorityUsage
	case len(a.Unknown) > 0:
		return AuthorityCritical
	}
	return ""
}

// revocation asks the lists about the signer and its authority.
func (c *chain) revocation() outcome {
	c.revoked = c.store.revocation(c.cert, c.at)
	if c.revoked == WasRevoked {
		return failing(CheckRevocation, Revoked, SignerRevoked)
	}
	if c.store.revocation(c.authority, c.at) == WasRevoked {
		c.revoked = WasRevoked
		return failing(CheckRevocation, Revoked, AuthorityRevoked)
	}
	return outcome{}
}

// strength takes nothing for proved that keys signed which others can have found.
// That accuses nobody, so that it comes last.
func (c *chain) strength() outcome {
	for _, one := range []*cert.Certificate{c.cert, c.authority} {
		if key, err := one.Key(); err != nil || key.Weak() {
			return outcome{IssuerUnknown, "", KeyWeak, CheckPath}
		}
	}
	return outcome{}
}

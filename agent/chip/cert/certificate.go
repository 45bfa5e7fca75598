// Package cert reads the certificates and revocation lists of travel documents'
// signers (RFC 5280, ICAO Doc 9303-12 §7) and checks their signatures: RSA by
// PKCS #1 v1.5 and PSS, ECDSA on every curve that states use.
//
// It decides nothing: who is trusted, and for what, is for package trust. It reads
// what the standard library refuses (curves that are spelled out, Brainpool,
// negative serial numbers, RSA without parameters), because states issue it.
//
// # The laws
//
//   - Certificates come from chips: bounded, and never a panic.
//   - A key is read when it is first needed: a store of a thousand certificates
//     loads at once.
//   - An extension that is not known and critical is named, for others to refuse.
package cert

import (
	"bytes"
	"crypto"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/counterproof/counterproof/agent/chip/der"
)

// MaxSize bounds a certificate, in bytes.
const MaxSize = 1 << 16

// Usage is what a key is for (RFC 5280 §4.2.1.3).
type Usage uint16

// The uses that matter.
const (
	DigitalSignature Usage = 1 << 0
	CertSign         Usage = 1 << 5
	CRLSign          Usage = 1 << 6
)

// Identifiers of extended uses (9303-12 §7.1.1.3).
const (
	MasterListSigner    der.OID = "2.23.136.1.1.3"
	DeviationListSigner der.OID = "2.23.136.1.1.8"
	anyUse              der.OID = "2.5.29.37.0"
)

// Certificate is a certificate that was read. Nothing in it is proved.
type Certificate struct {
	Raw             []byte
	Version         int // 3 is written 3
	Serial          *big.Int
	Issuer, Subject Name
	From, To        time.Time

	HasUsage bool
	Usage    Usage
	Extended []der.OID
	HasBasic bool
	CA       bool
	Path     int // the most certificates below; -1 where none is said

	KeyID      []byte // of the subject's key
	IssuerKey  []byte // of the issuer's key
	Localities []string
	Documents  []string  // kinds that the signer may sign, as zones have them; nil for all
	Unknown    []der.OID // critical extensions that nobody here knows

	signed    []byte // what the signature is over
	algorithm Algorithm
	signature []byte
	info      []byte // the key
}

// Parse reads a certificate, and nothing after it.
func Parse(raw []byte) (*Certificate, error) {
	if len(raw) > MaxSize {
		return nil, der.ErrEncoding
	}
	v, err := der.Whole(raw, der.Sequence)
	if err != nil {
		return nil, err
	}
	r := v.Inside()
	body := r.Want(der.Sequence)
	algorithm, err := ParseAlgorithm(r.Want(der.Sequence))
	if err != nil {
		return nil, err
	}
	c := &Certificate{Raw: raw, signed: body.Raw, algorithm: algorithm, Path: -1, Version: 1}
	c.signature = r.Want(der.BitString).Bits()
	if r.End() != nil || c.signature == nil {
		return nil, der.ErrEncoding
	}
	if err := c.body(body); err != nil {
		return nil, err
	}
	return c, nil
}

// body reads what is signed.
func (c *Certificate) body(v der.Value) error {
	r := v.Inside()
	if version, ok := r.Optional(der.Context(0, true)); ok {
		c.Version = 1 + version.Inside().Want(der.Integer).Small()
	}
	c.Serial = r.Want(der.Integer).Number()
	inner := r.Want(der.Sequence)
	var err error
	if c.Issuer, err = ParseName(r.Want(der.Sequence)); err != nil {
		return err
	}
	validity := r.Into(der.Sequence)
	var from, to bool
	c.From, from = validity.Any().Time()
	c.To, to = validity.Any().Time()
	if c.Subject, err = ParseName(r.Want(der.Sequence)); err != nil {
		return err
	}
	c.info = r.Want(der.Sequence).Raw
	// RFC 5280 §4.1.1.2: what is signed names the algorithm that signs it.
	if r.Err() != nil || c.Serial == nil || !from || !to || !sameAlgorithm(inner, c.algorithm) {
		return der.ErrEncoding
	}
	r.Optional(der.Context(1, false))
	r.Optional(der.Context(2, false))
	if extensions, ok := r.Optional(der.Context(3, true)); ok {
		if err := eachExtension(extensions.Content, c.extension); err != nil {
			return err
		}
	}
	return r.End()
}

// sameAlgorithm compares the algorithm inside what is signed with the one outside;
// null parameters may be left out of one of them.
func sameAlgorithm(inner der.Value, outer Algorithm) bool {
	a, err := ParseAlgorithm(inner)
	if err != nil || a.ID != outer.ID {
		return false
	}
	none := func(v der.Value) bool { return v.Tag == 0 || v.Tag == der.Null }
	return none(a.Parameters) && none(outer.Parameters) || bytes.Equal(a.Parameters.Raw, outer.Parameters.Raw)
}

// maxExtensions bounds the extensions of a certificate or of a list.
const maxExtensions = 64

// eachExtension reads a list of extensions; one that stands twice is refused (RFC
// 5280 §4.2).
func eachExtension(b []byte, take func(id der.OID, critical bool, value []byte) error) error {
	v, err := der.Whole(b, der.Sequence)
	if err != nil {
		return err
	}
	var seen []der.OID
	for r := v.Inside(); r.More() || r.Err() != nil; {
		in := r.Into(der.Sequence)
		id := in.Want(der.Object).OID()
		critical := false
		if flag, ok := in.Optional(der.Boolean); ok {
			critical = flag.True()
		}
		value := in.Want(der.OctetString)
		if in.End() != nil || id == "" || slices.Contains(seen, id) || len(seen) == maxExtensions {
			return der.ErrEncoding
		}
		seen = append(seen, id)
		if err := take(id, critical, value.Content); err != nil {
			return err
		}
	}
	return nil
}

// Extensions that are read, and those that may be critical and say nothing that is
// needed here.
const (
	extKeyID       der.OID = "2.5.29.14"
	extUsage       der.OID = "2.5.29.15"
	extPrivateUse  der.OID = "2.5.29.16"
	extSubjectAlt  der.OID = "2.5.29.17"
	extIssuerAlt   der.OID = "2.5.29.18"
	extBasic       der.OID = "2.5.29.19"
	extPoints      der.OID = "2.5.29.31"
	extPolicies    der.OID = "2.5.29.32"
	extIssuerKey   der.OID = "2.5.29.35"
	extExtended    der.OID = "2.5.29.37"
	extNameChange  der.OID = "2.23.136.1.1.6.1"
	extDocuments   der.OID = "2.23.136.1.1.6.2"
	extCRLNumber   der.OID = "2.5.29.20"
	extReason      der.OID = "2.5.29.21"
	extInvalidity  der.OID = "2.5.29.24"
	extDelta       der.OID = "2.5.29.27"
	extDistributed der.OID = "2.5.29.28"
)

// extension takes one extension.
func (c *Certificate) extension(id der.OID, critical bool, value []byte) error {
	switch id {
	case extKeyID:
		v, _ := der.Whole(value, der.OctetString)
		c.KeyID = v.Content
	case extIssuerKey:
		c.IssuerKey = issuerKey(value)
	case extUsage:
		v, err := der.Whole(value, der.BitString)
		flags, ok := v.Flags()
		if err != nil || !ok {
			return der.ErrEncoding
		}
		c.HasUsage, c.Usage = true, Usage(flags)
	case extBasic:
		c.basic(value)
	case extExtended:
		return c.extended(value)
	case extSubjectAlt:
		_, c.Localities = directoryNames(value)
	case extDocuments:
		c.Documents = documents(value)
	case extPrivateUse, extIssuerAlt, extPoints, extPolicies, extNameChange:
	default:
		if critical {
			c.Unknown = append(c.Unknown, id)
		}
	}
	return nil
}

// issuerKey reads the identifier of the issuer's key; nil where none is given
// (RFC 5280 §4.2.1.1).
func issuerKey(value []byte) []byte {
	v, err := der.Whole(value, der.Sequence)
	if err != nil {
		return nil
	}
	id, _ := v.Inside().Optional(der.Context(0, false))
	return id.Content
}

// documents reads the kinds of documents that a signer may sign (9303-12 §7.1.1.6);
// nil where the list makes no sense.
func documents(value []byte) []string {
	v, err := der.Whole(value, der.Sequence)
	if err != nil {
		return nil
	}
	r := v.Inside()
	r.Want(der.Integer)
	set := r.Into(der.Set)
	var kinds []string
	for set.More() && len(kinds) < maxExtensions {
		if kind, ok := set.Any().Text(); ok && kind != "" {
			kinds = append(kinds, strings.ToUpper(strings.TrimRight(kind, "< ")))
		}
	}
	if set.End() != nil || r.End() != nil {
		return nil
	}
	return kinds
}

// Signs reports whether the certificate lets its key sign documents of a kind, as
// their zones have it. A single letter in the certificate stands for every kind
// that begins with it.
func (c *Certificate) Signs(kind string) bool {
	return kind == "" || len(c.Documents) == 0 || slices.ContainsFunc(c.Documents, func(d string) bool {
		return d == kind || len(d) == 1 && d == kind[:1]
	})
}

// basic reads the basic constraints. Some states write the default value, or a
// path for a key that certifies nothing; what makes no sense makes nobody an
// authority.
func (c *Certificate) basic(value []byte) {
	v, _ := der.Whole(value, der.Sequence)
	c.HasBasic = true
	r := v.Inside()
	if flag, ok := r.Optional(der.Boolean); ok {
		c.CA = flag.True()
	}
	if path, ok := r.Optional(der.Integer); ok {
		c.Path = path.Small()
	}
	c.CA = c.CA && r.End() == nil
}

// extended reads the extended uses.
func (c *Certificate) extended(value []byte) error {
	v, err := der.Whole(value, der.Sequence)
	if err != nil {
		return err
	}
	r := v.Inside()
	for r.More() && len(c.Extended) < maxExtensions {
		c.Extended = append(c.Extended, r.Want(der.Object).OID())
	}
	return r.End()
}

// For reports whether a key with an extended use may do what is asked: it names
// it, or any use. An empty use asks for a certificate without any.
func (c *Certificate) For(use der.OID) bool {
	if use == "" && len(c.Extended) == 0 {
		return true
	}
	return slices.Contains(c.Extended, anyUse) || use != "" && slices.Contains(c.Extended, use)
}

// Key reads the certificate's key.
func (c *Certificate) Key() (*Key, error) { return ParseKey(c.info) }

// Info is the certificate's key as it is encoded.
func (c *Certificate) Info() []byte { return c.info }

// SignedBy checks the certificate's signature with a key.
func (c *Certificate) SignedBy(k *Key) error {
	return k.Verify(c.algorithm, 0, c.signature, c.signed)
}

// Weak reports a certificate that is signed over a digest that is no longer
// collision-free.
func (c *Certificate) Weak() bool { return c.algorithm.Weak(0) }

// ValidAt reports whether a point in time is within the certificate's validity.
func (c *Certificate) ValidAt(t time.Time) bool { return !t.Before(c.From) && !t.After(c.To) }

// SelfIssued reports whether issuer and subject have the same name.
func (c *Certificate) SelfIssued() bool { return c.Issuer.Equal(c.Subject) }

// Fingerprint is the certificate's SHA-256.
func (c *Certificate) Fingerprint() [32]byte { return [32]byte(Sum(crypto.SHA256, c.Raw)) }

// Package cms reads the signed messages of travel documents (RFC 5652): the
// document security object of a chip, master lists, deviation lists.
//
// It checks that a message is signed with a key that it is given. Whose key that
// is and whether it is trusted is for package trust.
//
// # The laws
//
//   - What is signed is never a plain content: signed attributes must be there,
//     name the type of the content and its digest, each once (RFC 5652 §5.3).
//   - A signer is whom the message names. A certificate that merely lies beside it
//     is not.
//   - What is checked and what is read are the same bytes. A frame in BER is
//     rewritten before either.
//   - Messages come from chips: bounded, and never a panic.
package cms

import (
	"bytes"
	"crypto"
	"errors"
	"math/big"
	"time"

	"github.com/counterproof/counterproof/agent/chip/cert"
	"github.com/counterproof/counterproof/agent/chip/der"
)

// Types of contents.
const (
	signedData     der.OID = "1.2.840.113549.1.7.2"
	SecurityObject der.OID = "2.23.136.1.1.1" // of a chip's files (9303-10 §4.6.2)
	MasterList     der.OID = "2.23.136.1.1.2"
	DeviationList  der.OID = "2.23.136.1.1.7"
	SecurityInfos  der.OID = "0.4.0.127.0.7.3.2.1" // of EF.CardSecurity (9303-11 §9.2.11)
)

// Attributes that are signed (RFC 5652 §11).
const (
	contentType   der.OID = "1.2.840.113549.1.9.3"
	messageDigest der.OID = "1.2.840.113549.1.9.4"
	signingTime   der.OID = "1.2.840.113549.1.9.5"
)

// Bounds of a message.
const (
	MaxSize         = 32 << 20 // bytes: a large master list
	maxSigners      = 8
	maxCertificates = 64
	maxAttributes   = 32
)

// Reasons for which a signature does not hold, besides those of package cert.
var (
	// ErrAttributes says that the signed attributes are missing or make no sense.
	ErrAttributes = errors.New("the signed attributes are missing or make no sense")
	// ErrType says that the signed attributes name another type of content.
	ErrType = errors.New("the signed attributes name another type of content")
	// ErrDigest says that the signed attributes name another content.
	ErrDigest = errors.New("the signed attributes name another content")
)

// Signed is a signed message that was read. Nothing in it is proved.
type Signed struct {
	Type         der.OID
	Content      []byte
	Certificates []*cert.Certificate // those that can be read
	Strange      int                 // certificates that cannot
	Signers      []Signer
}

// Signer is one signature and whom it names.
type Signer struct {
	Issuer cert.Name // of the certificate, with Serial; or
	Serial *big.Int
	KeyID  []byte // the identifier of its key

	// Signed is when it says that it signed; zero where it does not say.
	Signed time.Time

	digest     cert.Algorithm
	attributes []byte // the set as it is signed; nil where there is none
	claim      claims
	algorithm  cert.Algorithm
	signature  []byte
}

// claims are what the signed attributes say.
type claims struct {
	types, digests, times int // how often each stands there
	kind                  der.OID
	digest                []byte
}

// Parse reads a message, and nothing after it. RFC 5652 lets its frame be in BER,
// and some states write it so.
func Parse(raw []byte) (*Signed, error) {
	if len(raw) > MaxSize {
		return nil, der.ErrEncoding
	}
	s, err := parse(raw)
	if err == nil {
		return s, nil
	}
	if raw, err = der.Definite(raw); err != nil {
		return nil, err
	}
	return parse(raw)
}

// parse reads a message in DER.
func parse(raw []byte) (*Signed, error) {
	v, err := der.Whole(raw, der.Sequence)
	if err != nil {
		return nil, err
	}
	outer := v.Inside()
	if outer.Want(der.Object).OID() != signedData {
		return nil, der.ErrEncoding
	}
	explicit := outer.Into(der.Context(0, true))
	r := explicit.Into(der.Sequence)
	if outer.End() != nil || explicit.End() != nil {
		return nil, der.ErrEncoding
	}
	s := &Signed{}
	r.Want(der.Integer)
	r.Want(der.Set) // the digests that signers used: each names its own again
	if err := s.content(r.Into(der.Sequence)); err != nil {
		return nil, err
	}
	if certificates, ok := r.Optional(der.Context(0, true)); ok {
		if err := s.certificates(certificates.Inside()); err != nil {
			return nil, err
		}
	}
	r.Optional(der.Context(1, true))
	if err := s.signers(r.Into(der.Set)); err != nil {
		return nil, err
	}
	return s, r.End()
}

// content reads the content and its type.
func (s *Signed) content(r *der.Reader) error {
	s.Type = r.Want(der.Object).OID()
	in := r.Into(der.Context(0, true))
	s.Content = in.Want(der.OctetString).Content
	if in.End() != nil || r.End() != nil || s.Type == "" {
		return der.ErrEncoding
	}
	return nil
}

// certificates reads the certificates that lie beside; one that makes no sense is
// passed over, as it cannot be the signer's.
func (s *Signed) certificates(r *der.Reader) error {
	for n := 0; r.More(); n++ {
		c, err := cert.Parse(r.Any().Raw)
		if r.Err() != nil || n == maxCertificates {
			return der.ErrEncoding
		}
		if err != nil {
			s.Strange++
			continue
		}
		s.Certificates = append(s.Certificates, c)
	}
	return nil
}

// signers reads the signatures.
func (s *Signed) signers(r *der.Reader) error {
	for r.More() {
		g, err := parseSigner(r.Into(der.Sequence))
		if err != nil || len(s.Signers) == maxSigners {
			return der.ErrEncoding
		}
		s.Signers = append(s.Signers, g)
	}
	return r.Err()
}

// parseSigner reads one signature (RFC 5652 §5.3).
func parseSigner(r *der.Reader) (Signer, error) {
	var g Signer
	r.Want(der.Integer)
	if id, ok := r.Optional(der.Context(0, false)); ok {
		g.KeyID = id.Content
	} else {
		var err error
		if g.Issuer, g.Serial, err = issuerAndSerial(r.Into(der.Sequence)); err != nil {
			return g, err
		}
	}
	var err error
	if g.digest, err = cert.ParseAlgorithm(r.Want(der.Sequence)); err != nil {
		return g, err
	}
	if set, ok := r.Optional(der.Context(0, true)); ok {
		// What is signed has the tag of a set, not the one that stands there.
		g.attributes = append([]byte{byte(der.Set)}, set.Raw[1:]...)
		if err := g.claims(set.Inside()); err != nil {
			return g, err
		}
	}
	if g.algorithm, err = cert.ParseAlgorithm(r.Want(der.Sequence)); err != nil {
		return g, err
	}
	g.signature = r.Want(der.OctetString).Content
	r.Optional(der.Context(1, true)) // not signed: not looked at
	return g, r.End()
}

// issuerAndSerial reads whom a certificate is from, and its number.
func issuerAndSerial(r *der.Reader) (cert.Name, *big.Int, error) {
	name, err := cert.ParseName(r.Want(der.Sequence))
	serial := r.Want(der.Integer).Number()
	if err != nil || r.End() != nil || serial == nil {
		return name, nil, der.ErrEncoding
	}
	return name, serial, nil
}

// claims reads the signed attributes.
func (g *Signer) claims(r *der.Reader) error {
	for n := 0; r.More(); n++ {
		in := r.Into(der.Sequence)
		id, values := in.Want(der.Object).OID(), in.Into(der.Set)
		value := values.Any()
		if in.End() != nil || values.Err() != nil || n == maxAttributes {
			return der.ErrEncoding
		}
		known := true
		switch id {
		case contentType:
			g.claim.types++
			g.claim.kind = value.OID()
		case messageDigest:
			g.claim.digests++
			g.claim.digest = value.Content
			known = value.Tag == der.OctetString
		case signingTime:
			g.claim.times++
			g.Signed, known = value.Time()
		default:
			continue
		}
		if !known || values.End() != nil { // one value each
			return der.ErrEncoding
		}
	}
	return r.Err()
}

// Names reports whether it is a certificate that the signature names.
func (g *Signer) Names(c *cert.Certificate) bool {
	if g.Serial == nil {
		return len(g.KeyID) > 0 && bytes.Equal(g.KeyID, c.KeyID)
	}
	return g.Serial.Cmp(c.Serial) == 0 && g.Issuer.Equal(c.Issuer)
}

// Signer is the certificate that a signature names, of those beside the message.
func (s *Signed) Signer(g *Signer) (*cert.Certificate, bool) {
	for _, c := range s.Certificates {
		if g.Names(c) {
			return c, true
		}
	}
	return nil, false
}

// Check checks one signature of the message with a key.
func (s *Signed) Check(g *Signer, key *cert.Key) error {
	h, ok := g.digest.Digest()
	if !ok {
		return cert.ErrAlgorithm
	}
	switch {
	case g.attributes == nil, g.claim.types != 1, g.claim.digests != 1, g.claim.times > 1:
		return ErrAttributes
	case g.claim.kind != s.Type:
		return ErrType
	case !bytes.Equal(g.claim.digest, cert.Sum(h, s.Content)):
		return ErrDigest
	}
	err := key.Verify(g.algorithm, h, g.signature, g.attributes)
	if err == nil {
		return nil
	}
	if sorted := g.sorted(); !bytes.Equal(sorted, g.attributes) {
		return key.Verify(g.algorithm, h, g.signature, sorted)
	}
	return err
}

// sorted are the signed attributes in the order of DER: some signers sign them so
// and write them otherwise (RFC 5652 §5.4).
func (g *Signer) sorted() []byte {
	v, err := der.Whole(g.attributes, der.Set)
	if err != nil {
		return g.attributes
	}
	var all [][]byte
	for r := v.Inside(); r.More(); {
		all = append(all, r.Any().Raw)
	}
	return der.SetOf(all...)
}

// Weak reports a signature over a digest that is no longer collision-free.
func (g *Signer) Weak() bool {
	h, ok := g.digest.Digest()
	return ok && (h == crypto.SHA1 || g.algorithm.Weak(h))
}

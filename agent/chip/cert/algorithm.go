package cert

import (
	"crypto"
	_ "crypto/sha1" // the digests that documents are made with
	_ "crypto/sha256"
	_ "crypto/sha512"
	"errors"
	"strings"

	"github.com/counterproof/counterproof/agent/chip/der"
)

// Reasons for which a key or an algorithm is of no use.
var (
	// ErrAlgorithm says that an algorithm is not known.
	ErrAlgorithm = errors.New("the algorithm is not known")
	// ErrKey says that a key is none, or too short or too long to be safe.
	ErrKey = errors.New("the key is of no use")
	// ErrSignature says that a signature is not that of the key.
	ErrSignature = errors.New("the signature is wrong")
)

// Algorithm is an AlgorithmIdentifier (RFC 5280 §4.1.1.2).
type Algorithm struct {
	ID         der.OID
	Parameters der.Value // zero where there are none
}

// ParseAlgorithm reads an algorithm.
func ParseAlgorithm(v der.Value) (Algorithm, error) {
	if v.Tag != der.Sequence {
		return Algorithm{}, der.ErrEncoding
	}
	r := v.Inside()
	a := Algorithm{ID: r.Want(der.Object).OID()}
	if r.More() {
		a.Parameters = r.Any()
	}
	if r.End() != nil || a.ID == "" {
		return Algorithm{}, der.ErrEncoding
	}
	return a, nil
}

// The digests of 9303-12 §4.4.2, under their identifiers.
const (
	sha1ID   der.OID = "1.3.14.3.2.26"
	sha224ID der.OID = "2.16.840.1.101.3.4.2.4"
	sha256ID der.OID = "2.16.840.1.101.3.4.2.1"
	sha384ID der.OID = "2.16.840.1.101.3.4.2.2"
	sha512ID der.OID = "2.16.840.1.101.3.4.2.3"
)

// Digest is the digest of an algorithm; false where it is none of those that
// documents are made with.
func (a Algorithm) Digest() (crypto.Hash, bool) {
	switch a.ID {
	case sha1ID:
		return crypto.SHA1, true
	case sha224ID:
		return crypto.SHA224, true
	case sha256ID:
		return crypto.SHA256, true
	case sha384ID:
		return crypto.SHA384, true
	case sha512ID:
		return crypto.SHA512, true
	}
	return 0, false
}

// DigestID is the identifier of a digest; empty for one that is not used.
func DigestID(h crypto.Hash) der.OID {
	switch h {
	case crypto.SHA1:
		return sha1ID
	case crypto.SHA224:
		return sha224ID
	case crypto.SHA256:
		return sha256ID
	case crypto.SHA384:
		return sha384ID
	case crypto.SHA512:
		return sha512ID
	}
	return ""
}

// Sum is a digest of parts.
func Sum(h crypto.Hash, parts ...[]byte) []byte {
	d := h.New()
	for _, p := range parts {
		d.Write(p)
	}
	return d.Sum(nil)
}

// kind is how a signature is made.
type kind int

const (
	pkcs1 kind = iota
	pss
	ecdsaDER   // a sequence of r and s
	ecdsaPlain // r and s side by side (BSI TR-03111 §5.2.1)
)

// scheme is how a signature is made, in full.
type scheme struct {
	kind kind
	hash crypto.Hash
	mask crypto.Hash // of PSS
	salt int         // of PSS
}

// Identifiers of keys and of ways to sign.
const (
	rsaKey   der.OID = "1.2.840.113549.1.1.1"
	rsaPSS   der.OID = "1.2.840.113549.1.1.10"
	maskMGF1 der.OID = "1.2.840.113549.1.1.8"
	ecKey    der.OID = "1.2.840.10045.2.1"
)

// digestsOf are the ways to sign that name their digest: the family, and the last
// number of the identifier.
var digestsOf = map[der.OID]scheme{
	"1.2.840.113549.1.1.5":  {kind: pkcs1, hash: crypto.SHA1},
	"1.3.14.3.2.29":         {kind: pkcs1, hash: crypto.SHA1},
	"1.2.840.113549.1.1.14": {kind: pkcs1, hash: crypto.SHA224},
	"1.2.840.113549.1.1.11": {kind: pkcs1, hash: crypto.SHA256},
	"1.2.840.113549.1.1.12": {kind: pkcs1, hash: crypto.SHA384},
	"1.2.840.113549.1.1.13": {kind: pkcs1, hash: crypto.SHA512},
	"1.2.840.10045.4.1":     {kind: ecdsaDER, hash: crypto.SHA1},
	"1.2.840.10045.4.3.1":   {kind: ecdsaDER, hash: crypto.SHA224},
	"1.2.840.10045.4.3.2":   {kind: ecdsaDER, hash: crypto.SHA256},
	"1.2.840.10045.4.3.3":   {kind: ecdsaDER, hash: crypto.SHA384},
	"1.2.840.10045.4.3.4":   {kind: ecdsaDER, hash: crypto.SHA512},
}

// plain begins the identifiers of BSI TR-03111's way to write an ECDSA signature.
const plain = "0.4.0.127.0.7.1.1.4.1."

// plainDigests are its digests by the last number.
var plainDigests = map[string]crypto.Hash{
	"1": crypto.SHA1, "2": crypto.SHA224, "3": crypto.SHA256, "4": crypto.SHA384, "5": crypto.SHA512,
}

// schemeOf settles how a signature is made. beside is the digest that stands
// beside the algorithm, for those that name none themselves.
func (a Algorithm) schemeOf(beside crypto.Hash) (scheme, error) {
	if s, ok := digestsOf[a.ID]; ok {
		return s, nil
	}
	if last, ok := strings.CutPrefix(string(a.ID), plain); ok {
		if h, ok := plainDigests[last]; ok {
			return scheme{kind: ecdsaPlain, hash: h}, nil
		}
	}
	switch {
	case a.ID == rsaPSS:
		return pssScheme(a.Parameters)
	case a.ID == rsaKey && beside != 0:
		return scheme{kind: pkcs1, hash: beside}, nil
	case a.ID == ecKey && beside != 0:
		return scheme{kind: ecdsaDER, hash: beside}, nil
	}
	return scheme{}, ErrAlgorithm
}

// maxSalt bounds the salt of PSS, in bytes.
const maxSalt = 512

// pssScheme reads the parameters of RSASSA-PSS (RFC 4055 §3.1); what is left out
// has the values of SHA-1.
func pssScheme(v der.Value) (scheme, error) {
	s := scheme{kind: pss, hash: crypto.SHA1, mask: crypto.SHA1, salt: 20}
	if v.Tag != der.Sequence {
		return s, ErrAlgorithm
	}
	r := v.Inside()
	ok := true
	if v, is := r.Optional(der.Context(0, true)); is {
		s.hash, ok = digestIn(v.Content)
	}
	if v, is := r.Optional(der.Context(1, true)); is && ok {
		s.mask, ok = maskIn(v.Content)
	}
	if v, is := r.Optional(der.Context(2, true)); is && ok {
		s.salt = v.Inside().Want(der.Integer).Small()
		ok = s.salt >= 0 && s.salt <= maxSalt
	}
	if v, is := r.Optional(der.Context(3, true)); is && ok {
		ok = v.Inside().Want(der.Integer).Small() == 1
	}
	if !ok || r.End() != nil {
		return s, ErrAlgorithm
	}
	return s, nil
}

// digestIn reads a digest's algorithm.
func digestIn(b []byte) (crypto.Hash, bool) {
	v, err := der.Whole(b, der.Sequence)
	if err != nil {
		return 0, false
	}
	a, err := ParseAlgorithm(v)
	if err != nil {
		return 0, false
	}
	return a.Digest()
}

// maskIn reads the algorithm of a mask: MGF1 with a digest.
func maskIn(b []byte) (crypto.Hash, bool) {
	v, err := der.Whole(b, der.Sequence)
	if err != nil {
		return 0, false
	}
	a, err := ParseAlgorithm(v)
	if err != nil || a.ID != maskMGF1 {
		return 0, false
	}
	return digestIn(a.Parameters.Raw)
}

// Weak reports a signature whose digest is no longer collision-free.
func (a Algorithm) Weak(beside crypto.Hash) bool {
	s, err := a.schemeOf(beside)
	return err == nil && s.hash == crypto.SHA1
}

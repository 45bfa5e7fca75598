package cert

import (
	"crypto"
	"encoding/asn1"
	"math/big"

	"github.com/counterproof/counterproof/agent/chip/curve"
	"github.com/counterproof/counterproof/agent/chip/der"
)

// Key is a public key: RSA, or a point of a curve.
type Key struct {
	modulus, exponent *big.Int // RSA
	onlyPSS           bool

	curve *curve.Curve
	point curve.Point
}

// ParseKey reads a SubjectPublicKeyInfo (RFC 5280 §4.1.2.7). Parameters that are
// missing for RSA, and curves that are spelled out, are taken as they come.
func ParseKey(info []byte) (*Key, error) {
	v, err := der.Whole(info, der.Sequence)
	if err != nil {
		return nil, err
	}
	r := v.Inside()
	a, err := ParseAlgorithm(r.Want(der.Sequence))
	if err != nil {
		return nil, err
	}
	bits := r.Want(der.BitString).Bits()
	if r.End() != nil || bits == nil {
		return nil, der.ErrEncoding
	}
	switch a.ID {
	case rsaKey, rsaPSS:
		k, err := parseRSA(bits)
		if err != nil {
			return nil, err
		}
		k.onlyPSS = a.ID == rsaPSS
		return k, nil
	case ecKey:
		return parseEC(a.Parameters, bits)
	}
	return nil, ErrAlgorithm
}

// Bounds of RSA keys, in bits.
const (
	minModulus  = 1024
	maxModulus  = 8192
	maxExponent = 64
)

// Least strength of the keys of signers and authorities, in bits (9303-12 §4.4).
const (
	strongModulus = 2048
	strongOrder   = 224
)

// Weak reports a key that is shorter than 9303-12 §4.4 asks of signers and
// authorities: that somebody else has it cannot be excluded.
func (k *Key) Weak() bool {
	if k.modulus != nil {
		return k.modulus.BitLen() < strongModulus
	}
	return k.curve.N.BitLen() < strongOrder
}

// parseRSA reads an RSA key (RFC 8017 §A.1.1).
func parseRSA(b []byte) (*Key, error) {
	v, err := der.Whole(b, der.Sequence)
	if err != nil {
		return nil, err
	}
	r := v.Inside()
	n, e := r.Want(der.Integer).Number(), r.Want(der.Integer).Number()
	if r.End() != nil || n == nil || e == nil {
		return nil, der.ErrEncoding
	}
	sound := n.Sign() > 0 && n.Bit(0) == 1 && n.BitLen() >= minModulus && n.BitLen() <= maxModulus
	if !sound || e.Sign() <= 0 || e.Bit(0) == 0 || e.BitLen() < 2 || e.BitLen() > maxExponent {
		return nil, ErrKey
	}
	return &Key{modulus: n, exponent: e}, nil
}

// parseEC reads a point of a curve (RFC 5480 §2).
func parseEC(parameters der.Value, bits []byte) (*Key, error) {
	c, err := curveOf(parameters)
	if err != nil {
		return nil, err
	}
	p, err := c.Unmarshal(bits)
	if err != nil || p.Infinite() {
		return nil, ErrKey
	}
	return &Key{curve: c, point: p}, nil
}

// curveOf is a curve by its name, or by its parameters.
func curveOf(v der.Value) (*curve.Curve, error) {
	switch v.Tag {
	case der.Object:
		if c, ok := curve.Named(asn1.ObjectIdentifier(v.OID().Arcs())); ok {
			return c, nil
		}
		return nil, ErrAlgorithm
	case der.Sequence:
		return explicit(v)
	}
	return nil, ErrAlgorithm // the curve of the issuer: not allowed by 9303-12 §4.4.1
}

// primeField says that a curve is over the integers modulo a prime.
const primeField der.OID = "1.2.840.10045.1.1"

// explicit reads a curve that is spelled out (SEC 1 §C.2).
func explicit(v der.Value) (*curve.Curve, error) {
	r := v.Inside()
	version := r.Want(der.Integer).Small()
	field := r.Into(der.Sequence)
	if field.Want(der.Object).OID() != primeField {
		return nil, ErrAlgorithm
	}
	p := field.Want(der.Integer).Number()
	coefficients := r.Into(der.Sequence)
	a, b := coefficients.Want(der.OctetString), coefficients.Want(der.OctetString)
	base := r.Want(der.OctetString).Content
	order := r.Want(der.Integer).Number()
	cofactor := 0
	if h, ok := r.Optional(der.Integer); ok {
		cofactor = h.Small()
	}
	if r.Err() != nil || coefficients.Err() != nil || field.End() != nil || version < 1 || p == nil || order == nil || cofactor < 0 {
		return nil, der.ErrEncoding
	}
	ca, cb := new(big.Int).SetBytes(a.Content), new(big.Int).SetBytes(b.Content)
	g, ok := basePoint(base, p, ca, cb)
	if !ok {
		return nil, ErrKey
	}
	c, err := curve.New(curve.Curve{P: p, A: ca, B: cb, G: g, N: order, H: cofactor})
	if err != nil {
		return nil, ErrKey
	}
	return c, nil
}

// maxField bounds the field of a curve before anything is reckoned in it, in bits.
const maxField = 640

// basePoint reads the base point of a curve that is being spelled out.
func basePoint(b []byte, p, ca, cb *big.Int) (curve.Point, bool) {
	if p.Sign() <= 0 || p.BitLen() > maxField || p.Bit(0) == 0 {
		return curve.Point{}, false
	}
	n := (p.BitLen() + 7) / 8
	if len(b) == 1+2*n && b[0] == 4 {
		return curve.Point{X: new(big.Int).SetBytes(b[1 : 1+n]), Y: new(big.Int).SetBytes(b[1+n:])}, true
	}
	// Only half of it: the root is quick where P is 3 modulo 4, as all but one are.
	if len(b) != 1+n || b[0]&^1 != 2 || p.Bit(1) == 0 || !p.ProbablyPrime(1) {
		return curve.Point{}, false
	}
	x := new(big.Int).SetBytes(b[1:])
	y := new(big.Int).Mul(x, x)
	y.Add(y, ca).Mul(y, x).Add(y, cb).Mod(y, p)
	if y.ModSqrt(y, p) == nil {
		return curve.Point{}, false
	}
	if y.Bit(0) != uint(b[0]&1) {
		y.Sub(p, y)
	}
	return curve.Point{X: x, Y: y}, true
}

// Verify checks a signature over parts, one after another. beside is the digest
// that stands beside the algorithm, for those that name none themselves.
func (k *Key) Verify(a Algorithm, beside crypto.Hash, signature []byte, parts ...[]byte) error {
	s, err := a.schemeOf(beside)
	if err != nil {
		return err
	}
	digest := Sum(s.hash, parts...)
	ok := false
	switch {
	case s.kind == pkcs1 && k.modulus != nil && !k.onlyPSS:
		ok = k.verifyPKCS1(s.hash, digest, signature)
	case s.kind == pss && k.modulus != nil:
		ok = k.verifyPSS(s, digest, signature)
	case s.kind == ecdsaDER && k.curve != nil:
		ok = k.verifyEC(digest, signature)
	case s.kind == ecdsaPlain && k.curve != nil:
		ok = k.verifyPlain(digest, signature)
	default:
		return ErrAlgorithm
	}
	if !ok {
		return ErrSignature
	}
	return nil
}

// verifyEC checks an ECDSA signature that is a sequence of r and s.
func (k *Key) verifyEC(digest, signature []byte) bool {
	v, err := der.Whole(signature, der.Sequence)
	if err != nil {
		return false
	}
	in := v.Inside()
	r, s := in.Want(der.Integer).Number(), in.Want(der.Integer).Number()
	return in.End() == nil && k.verifyPair(digest, r, s)
}

// verifyPlain checks an ECDSA signature that is r and s side by side.
func (k *Key) verifyPlain(digest, signature []byte) bool {
	n := (k.curve.N.BitLen() + 7) / 8
	if len(signature) != 2*n {
		return false
	}
	return k.verifyPair(digest, new(big.Int).SetBytes(signature[:n]), new(big.Int).SetBytes(signature[n:]))
}

// verifyPair checks the two numbers of an ECDSA signature.
func (k *Key) verifyPair(digest []byte, r, s *big.Int) bool {
	return k.curve.Verify(k.point, digest, r, s)
}

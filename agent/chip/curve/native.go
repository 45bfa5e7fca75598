package curve

import (
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"math/big"
)

// native is what the standard library reckons quicker on a curve, nil for nothing.
// Of multiples of any point it gives only one coordinate.
type native struct {
	agreement ecdh.Curve     // multiples of any point
	base      ecdh.Curve     // multiples of the base point
	signature elliptic.Curve // checks of signatures
}

// natives gives what is quicker on the curve of a name: P-256 is written for the
// processor there, of the longer ones only the base point has tables.
func natives(name string) native {
	switch name {
	case "secp256r1":
		return native{ecdh.P256(), ecdh.P256(), elliptic.P256()}
	case "secp384r1":
		return native{base: ecdh.P384()}
	case "secp521r1":
		return native{base: ecdh.P521()}
	}
	return native{}
}

// private is a factor as a key; nil where it is none, or on no curve.
func (c *Curve) private(on ecdh.Curve, k *big.Int) *ecdh.PrivateKey {
	if on == nil || !c.factor(k) {
		return nil
	}
	key, err := on.NewPrivateKey(k.FillBytes(make([]byte, (c.N.BitLen()+7)/8)))
	if err != nil { // never: it is a factor
		return nil
	}
	return key
}

// quickBase is k times the base point; false where the standard library does not
// tell.
func (c *Curve) quickBase(k *big.Int) (Point, bool) {
	key := c.private(c.native.base, k)
	if key == nil {
		return Point{}, false
	}
	b, n := key.PublicKey().Bytes(), c.Bytes()
	return Point{new(big.Int).SetBytes(b[1 : 1+n]), new(big.Int).SetBytes(b[1+n:])}, true
}

// quickAbscissa is the first coordinate of k times a point; false where the
// standard library does not tell.
func (c *Curve) quickAbscissa(k *big.Int, p Point) (*big.Int, bool) {
	key := c.private(c.native.agreement, k)
	if key == nil || !c.On(p) {
		return nil, false
	}
	public, err := c.native.agreement.NewPublicKey(c.Marshal(p))
	if err != nil { // never: it is on the curve
		return nil, false
	}
	x, err := key.ECDH(public)
	if err != nil { // never: the order is prime
		return nil, false
	}
	return new(big.Int).SetBytes(x), true
}

// quickVerify checks an ECDSA signature; told is false where the standard library
// does not tell.
func (c *Curve) quickVerify(pub Point, digest []byte, r, s *big.Int) (good, told bool) {
	if c.native.signature == nil {
		return false, false
	}
	key, err := ecdsa.ParseUncompressedPublicKey(c.native.signature, c.Marshal(pub))
	return err == nil && ecdsa.Verify(key, digest, r, s), true
}

// Package curve does arithmetic on the elliptic curves and in the groups that
// travel documents use: the named ones of NIST and Brainpool, and curves that a
// certificate spells out. The standard library knows a part of the first only.
//
// It reads no certificate, keeps no key and draws no random number.
//
// # The laws
//
//   - Parameters and points come from documents: they are checked before they are
//     reckoned with, and the time that they take is bounded.
//   - Secrets of one reading are the only ones that it meets: its running time
//     depends on them, so no key that lasts belongs here.
//   - A curve is equal to a named one, or it is one of its own; it has no third
//     standing.
package curve

import (
	"encoding/asn1"
	"errors"
	"math/big"
)

// Point is a point of a curve in affine coordinates; the zero Point is the point
// at infinity.
type Point struct{ X, Y *big.Int }

// Infinite reports the point at infinity.
func (p Point) Infinite() bool { return p.X == nil || p.Y == nil }

// Equal reports whether two points are the same.
func (p Point) Equal(q Point) bool {
	if p.Infinite() || q.Infinite() {
		return p.Infinite() && q.Infinite()
	}
	return p.X.Cmp(q.X) == 0 && p.Y.Cmp(q.Y) == 0
}

// Curve is y² = x³ + Ax + B over the integers modulo the prime P, with a base
// point G of prime order N and the cofactor H. Named, Standard and New make them; its
// fields are for reading.
type Curve struct {
	Name       string                // as in RFC 5639 and SEC 2; empty for a curve of its own
	OID        asn1.ObjectIdentifier // of a named curve
	P, A, B, N *big.Int
	G          Point
	H          int

	field  field
	a      element // A as the field has it
	native native
}

// Bounds of the length of P, in bits: what documents use, and what takes bounded
// time.
const (
	minBits = 160
	maxBits = 640
	maxH    = 256
)

// Reasons for refusing.
var (
	// ErrParameters says that parameters are no curve that signatures are safe on.
	ErrParameters = errors.New("the parameters are no sound curve")
	// ErrPoint says that bytes are no point of the curve.
	ErrPoint = errors.New("the bytes are no point of the curve")
)

// made completes a curve whose parameters are sound.
func made(c Curve) *Curve {
	c.field = newField(c.P)
	c.a = c.field.in(c.A)
	c.native = natives(c.Name)
	return &c
}

// New makes a curve of parameters that somebody else chose: P, A, B, G, N and H of
// a Curve whose other fields do not matter. One that equals a named curve is that
// one. The cofactor may be 0, for one that was left out.
func New(c Curve) (*Curve, error) {
	if c.G.Infinite() || c.H < 0 || c.H > maxH {
		return nil, ErrParameters
	}
	for _, v := range []*big.Int{c.P, c.A, c.B, c.G.X, c.G.Y, c.N} {
		if v == nil || v.Sign() < 0 || v.BitLen() > maxBits+1 {
			return nil, ErrParameters
		}
	}
	if same := equal(c); same != nil && c.H <= 1 {
		return same, nil
	}
	if !c.bounded() {
		return nil, ErrParameters
	}
	made := made(Curve{P: c.P, A: c.A, B: c.B, N: c.N, G: c.G, H: cofactor(c.P, c.N, c.H)})
	if !made.sound() {
		return nil, ErrParameters
	}
	return made, nil
}

// bounded reports parameters that can be reckoned with.
func (c *Curve) bounded() bool {
	if c.P.BitLen() > maxBits || c.P.BitLen() < minBits || c.P.Bit(0) == 0 {
		return false
	}
	for _, v := range []*big.Int{c.A, c.B, c.G.X, c.G.Y} {
		if v.Cmp(c.P) >= 0 {
			return false
		}
	}
	return true
}

// cofactor fills in a cofactor that was left out: the one that the number of
// points allows.
func cofactor(p, n *big.Int, h int) int {
	if h > 0 || n.Sign() == 0 {
		return h
	}
	points := new(big.Int).Sqrt(p)
	points.Lsh(points, 1).Add(points, p)
	points.Div(points.Add(points, big.NewInt(2)), n)
	if !points.IsInt64() || points.Int64() > maxH {
		return 0
	}
	return int(points.Int64())
}

// primality is how many rounds of Miller and Rabin's test are run besides the one
// of Baillie, Pomerance, Selfridge and Wagstaff.
const primality = 20

// sound checks what makes signatures on a curve worth something: primes, no
// singular point, a base point of the order that is said, as many points as a
// curve can have (Hasse), and an order that is not P itself.
func (c *Curve) sound() bool {
	if c.N.BitLen() < minBits-8 || c.H < 1 || c.N.Cmp(c.P) == 0 {
		return false
	}
	if !c.P.ProbablyPrime(primality) || !c.N.ProbablyPrime(primality) {
		return false
	}
	four := new(big.Int).Exp(c.A, big.NewInt(3), c.P)
	four.Lsh(four, 2)
	twentySeven := new(big.Int).Mul(c.B, c.B)
	twentySeven.Mul(twentySeven, big.NewInt(27))
	if four.Add(four, twentySeven).Mod(four, c.P).Sign() == 0 {
		return false
	}
	points := new(big.Int).Mul(c.N, big.NewInt(int64(c.H)))
	off := points.Sub(points, c.P)
	off.Sub(off, big.NewInt(1)).Abs(off)
	if off.Mul(off, off).Cmp(new(big.Int).Lsh(c.P, 2)) > 0 {
		return false
	}
	return c.On(c.G) && c.Multiply(c.N, c.G).Infinite()
}

// Bytes is the length of a coordinate, in bytes.
func (c *Curve) Bytes() int { return (c.P.BitLen() + 7) / 8 }

// Equal reports whether two curves are the same, base point and all.
func (c *Curve) Equal(o *Curve) bool {
	return c.P.Cmp(o.P) == 0 && c.A.Cmp(o.A) == 0 && c.B.Cmp(o.B) == 0 && c.N.Cmp(o.N) == 0 && c.G.Equal(o.G)
}

// On reports whether a point is on the curve; the point at infinity is not.
func (c *Curve) On(p Point) bool {
	if p.Infinite() || p.X.Sign() < 0 || p.Y.Sign() < 0 || p.X.Cmp(c.P) >= 0 || p.Y.Cmp(c.P) >= 0 {
		return false
	}
	left := new(big.Int).Mul(p.Y, p.Y)
	return left.Mod(left, c.P).Cmp(c.right(p.X)) == 0
}

// right is the right side of the equation.
func (c *Curve) right(x *big.Int) *big.Int {
	r := new(big.Int).Mul(x, x)
	r.Add(r, c.A).Mul(r, x)
	return r.Add(r, c.B).Mod(r, c.P)
}

// Forms of a point in bytes (SEC 1 §2.3.3).
const (
	evenY = 0x02
	oddY  = 0x03
	full  = 0x04
)

// Marshal writes a point with both coordinates; the point at infinity is one zero
// byte.
func (c *Curve) Marshal(p Point) []byte {
	if p.Infinite() {
		return []byte{0}
	}
	n := c.Bytes()
	b := make([]byte, 1+2*n)
	b[0] = full
	new(big.Int).Mod(p.X, c.P).FillBytes(b[1 : 1+n])
	new(big.Int).Mod(p.Y, c.P).FillBytes(b[1+n:])
	return b
}

// Unmarshal reads a point with both coordinates, or with one and the sign of the
// other. What it gives is on the curve, and not at infinity.
func (c *Curve) Unmarshal(b []byte) (Point, error) {
	n := c.Bytes()
	switch {
	case len(b) == 1+2*n && b[0] == full:
		p := Point{new(big.Int).SetBytes(b[1 : 1+n]), new(big.Int).SetBytes(b[1+n:])}
		if !c.On(p) {
			return Point{}, ErrPoint
		}
		return p, nil
	case len(b) == 1+n && (b[0] == evenY || b[0] == oddY):
		return c.unpacked(new(big.Int).SetBytes(b[1:]), uint(b[0]&1))
	}
	return Point{}, ErrPoint
}

// unpacked finds the second coordinate of a point.
func (c *Curve) unpacked(x *big.Int, odd uint) (Point, error) {
	if x.Cmp(c.P) >= 0 {
		return Point{}, ErrPoint
	}
	y := new(big.Int).ModSqrt(c.right(x), c.P)
	if y == nil {
		return Point{}, ErrPoint
	}
	if y.Bit(0) != odd {
		y.Sub(c.P, y)
	}
	p := Point{x, y}
	if !c.On(p) {
		return Point{}, ErrPoint
	}
	return p, nil
}

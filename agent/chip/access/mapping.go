package access

import (
	"encoding/hex"
	"math/big"

	"github.com/counterproof/counterproof/agent/chip/curve"
	"github.com/counterproof/counterproof/agent/chip/sm"
)

// mixer are the constants of the integrated mapping's pseudo-random function
// (§4.4.3.3.2), for keys of 128 bits and for longer ones.
var mixer = map[bool][2]string{
	false: {"a668892a7c41e3ca739f40b057d85904", "a4e136ac725f738b01c1f60217c188ad"},
	true: {
		"d463d65234124ef7897054986dca0a174e28df758cbaa03f240616414d5a1676",
		"54bd7255f0aaf831bec3423fcf39d69b6cbf066677d0faae5aadd99df8e53517",
	},
}

// mixed is the pseudo-random function over the two nonces, as a number below p
// (§4.4.3.3.2, figure 2).
func mixed(s sm.Suite, nonce, extra []byte, p *big.Int) (*big.Int, error) {
	long := s == sm.AES192 || s == sm.AES256
	var constants [2][]byte
	for i, digits := range mixer[long] {
		var err error
		if constants[i], err = hex.DecodeString(digits); err != nil {
			return nil, err
		}
	}
	key, err := s.Encrypt(extra, nil, nonce)
	if err != nil {
		return nil, err
	}
	var out []byte
	for 8*len(out) < p.BitLen()+64 {
		key = key[:s.KeyLen()]
		x, err := s.Encrypt(key, nil, constants[1])
		if err != nil {
			return nil, err
		}
		out = append(out, x...)
		if key, err = s.Encrypt(key, nil, constants[0]); err != nil {
			return nil, err
		}
	}
	x := new(big.Int).SetBytes(out)
	return x.Mod(x, p), nil
}

// integrated makes the generator of the integrated mapping.
func (r *Run) integrated() (element, error) {
	if len(r.nonce) != r.nonceLen() || len(r.extra) != r.Suite.KeyLen() {
		return element{}, sm.ErrProtocol
	}
	if g := r.domain.Group; g != nil {
		x, err := mixed(r.Suite, r.nonce, r.extra, g.P)
		if err != nil {
			return element{}, err
		}
		cofactor := new(big.Int).Sub(g.P, big.NewInt(1))
		e := element{y: g.Power(x, cofactor.Div(cofactor, g.Q))}
		if r.domain.neutral(e) {
			return element{}, sm.ErrProtocol
		}
		return e, nil
	}
	c := r.domain.Curve
	t, err := mixed(r.Suite, r.nonce, r.extra, c.P)
	if err != nil {
		return element{}, err
	}
	p := onto(c, t)
	if !c.On(p) {
		return element{}, sm.ErrProtocol
	}
	return element{point: p}, nil
}

// mappable reports a curve that numbers can be mapped onto here: P leaves 3 when
// divided by 4, and neither coefficient is zero.
func mappable(c *curve.Curve) bool {
	return c.P.Bit(0) == 1 && c.P.Bit(1) == 1 && c.A.Sign() != 0 && c.B.Sign() != 0
}

// onto maps a number onto a point of a curve (appendix B, after Brier, Coron,
// Icart, Madore, Randriam and Tibouchi).
func onto(c *curve.Curve, t *big.Int) curve.Point {
	p := c.P
	mod := func(v *big.Int) *big.Int { return v.Mod(v, p) }
	mul := func(a, b *big.Int) *big.Int { return mod(new(big.Int).Mul(a, b)) }
	right := func(x *big.Int) *big.Int { // of the equation
		return mod(new(big.Int).Add(mul(new(big.Int).Add(mul(x, x), c.A), x), c.B))
	}
	alpha := mod(new(big.Int).Neg(mul(t, t)))
	sum := mod(new(big.Int).Add(alpha, mul(alpha, alpha)))
	inverse := new(big.Int).ModInverse(mul(c.A, sum), p)
	if inverse == nil { // a number that maps onto nothing
		return curve.Point{}
	}
	// x2 = -b/a · (1 + 1/(α+α²)), x3 = α·x2
	x2 := mul(mul(mod(new(big.Int).Neg(c.B)), mod(new(big.Int).Add(sum, big.NewInt(1)))), inverse)
	h2 := right(x2)
	exponent := new(big.Int).Add(p, big.NewInt(1)) // p - 1 - (p+1)/4
	exponent.Rsh(exponent, 2).Sub(new(big.Int).Sub(p, big.NewInt(1)), exponent)
	root := new(big.Int).Exp(h2, exponent, p) // 1/√h2, where there is one
	if mul(mul(root, root), h2).Cmp(big.NewInt(1)) == 0 {
		return curve.Point{X: x2, Y: mul(root, h2)}
	}
	return curve.Point{X: mul(alpha, x2), Y: mul(root, mul(mul(mul(t, t), t), h2))}
}

package curve

import (
	"io"
	"math/big"
)

// Group is a prime-order subgroup for Diffie and Hellman's agreement: the powers
// of G modulo P, Q of them.
type Group struct{ P, G, Q *big.Int }

// Bytes is the length of a member, in bytes.
func (g *Group) Bytes() int { return (g.P.BitLen() + 7) / 8 }

// Has reports whether a number is in the subgroup, and is not 1.
func (g *Group) Has(y *big.Int) bool {
	one := big.NewInt(1)
	return y != nil && y.Cmp(one) > 0 && y.Cmp(new(big.Int).Sub(g.P, one)) < 0 && new(big.Int).Exp(y, g.Q, g.P).Cmp(one) == 0
}

// Power is y to the k.
func (g *Group) Power(y, k *big.Int) *big.Int { return new(big.Int).Exp(y, k, g.P) }

// Secret draws a number between 1 and Q-1.
func (g *Group) Secret(random io.Reader) (*big.Int, error) { return secret(random, g.Q) }

// Domain is a set of standardised domain parameters: a curve or a group.
type Domain struct {
	ID    int
	Curve *Curve
	Group *Group
}

// standard are the curves of the numbers (ICAO Doc 9303-11 §9.5.1, table 6).
var standard = map[int]string{
	8: "secp192r1", 9: "brainpoolP192r1", 10: "secp224r1", 11: "brainpoolP224r1", 12: "secp256r1", 13: "brainpoolP256r1",
	14: "brainpoolP320r1", 15: "secp384r1", 16: "brainpoolP384r1", 17: "brainpoolP512r1", 18: "secp521r1",
}

// Standard gives standardised domain parameters by their number (ICAO Doc 9303-11
// §9.5.1, table 6): groups are 0 to 2, curves 8 to 18, the others are reserved.
func Standard(id int) (Domain, bool) {
	if id >= 0 && id < len(groups) {
		g := groups[id]
		return Domain{ID: id, Group: &Group{number(g.p), number(g.g), number(g.q)}}, true
	}
	c, ok := ByName(standard[id])
	return Domain{ID: id, Curve: c}, ok
}

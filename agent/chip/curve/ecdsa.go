package curve

import (
	"fmt"
	"io"
	"math/big"
)

// Verify checks an ECDSA signature over a digest (BSI TR-03111 §4.2.1). The key
// is held to be on the curve.
func (c *Curve) Verify(pub Point, digest []byte, r, s *big.Int) bool {
	if !c.On(pub) || !c.factor(r) || !c.factor(s) {
		return false
	}
	if good, told := c.quickVerify(pub, digest, r, s); told {
		return good
	}
	w := new(big.Int).ModInverse(s, c.N)
	if w == nil { // only where N is no prime
		return false
	}
	u := new(big.Int).Mul(c.leftmost(digest), w)
	v := new(big.Int).Mul(r, w)
	p := c.Combine(u.Mod(u, c.N), c.G, v.Mod(v, c.N), pub)
	return !p.Infinite() && new(big.Int).Mod(p.X, c.N).Cmp(r) == 0
}

// factor reports a number between 1 and N-1.
func (c *Curve) factor(k *big.Int) bool { return k != nil && k.Sign() > 0 && k.Cmp(c.N) < 0 }

// leftmost is a digest as a number, cut to the bits of the order.
func (c *Curve) leftmost(digest []byte) *big.Int {
	bits := c.N.BitLen()
	digest = digest[:min(len(digest), (bits+7)/8)]
	e := new(big.Int).SetBytes(digest)
	return e.Rsh(e, uint(max(8*len(digest)-bits, 0)))
}

// Secret draws a number between 1 and N-1, evenly but for 2⁻⁶⁴.
func (c *Curve) Secret(random io.Reader) (*big.Int, error) { return secret(random, c.N) }

// secret draws a number between 1 and n-1.
func secret(random io.Reader, n *big.Int) (*big.Int, error) {
	b := make([]byte, (n.BitLen()+7)/8+8)
	if _, err := io.ReadFull(random, b); err != nil {
		return nil, fmt.Errorf("drawing a secret: %w", err)
	}
	one := big.NewInt(1)
	k := new(big.Int).SetBytes(b)
	return k.Add(k.Mod(k, new(big.Int).Sub(n, one)), one), nil
}

// Sign makes an ECDSA signature over a digest with the key d. Its time depends on
// the key: it is for documents that are made for tests and training.
func (c *Curve) Sign(random io.Reader, d *big.Int, digest []byte) (r, s *big.Int, err error) {
	for {
		k, err := c.Secret(random)
		if err != nil {
			return nil, nil, err
		}
		r = new(big.Int).Mod(c.Base(k).X, c.N)
		s = new(big.Int).Mul(d, r)
		s.Add(s, c.leftmost(digest)).Mul(s, k.ModInverse(k, c.N)).Mod(s, c.N)
		if r.Sign() > 0 && s.Sign() > 0 {
			return r, s, nil
		}
	}
}

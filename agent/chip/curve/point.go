package curve

import "math/big"

// jacobian is a point as x/z², y/z³; z is zero for the point at infinity.
type jacobian struct{ x, y, z element }

// in brings a point into the field.
func (c *Curve) in(p Point) jacobian {
	if p.Infinite() {
		return jacobian{}
	}
	return jacobian{c.field.in(p.X), c.field.in(p.Y), c.field.one}
}

// out takes a point out of the field.
func (c *Curve) out(j *jacobian) Point {
	if j.z == (element{}) {
		return Point{}
	}
	f := &c.field
	inverse := new(big.Int).ModInverse(f.out(&j.z), c.P)
	if inverse == nil { // only where P is no prime
		return Point{}
	}
	var x, y, zz element
	z := f.in(inverse)
	f.mul(&zz, &z, &z)
	f.mul(&x, &j.x, &zz)
	f.mul(&y, &j.y, &zz)
	f.mul(&y, &y, &z)
	return Point{f.out(&x), f.out(&y)}
}

// double doubles a point n times. It keeps a·z⁴ from one time to the next (Cohen,
// Miyaji and Ono's modified coordinates).
func (c *Curve) double(p *jacobian, n int) {
	f := &c.field
	var w, m, s, yy, t element
	f.mul(&w, &p.z, &p.z)
	f.mul(&w, &w, &w)
	f.mul(&w, &w, &c.a)
	for left := n; left > 0; left-- {
		f.mul(&t, &p.x, &p.x) // m = 3x² + a·z⁴
		f.add(&m, &t, &t)
		f.add(&m, &m, &t)
		f.add(&m, &m, &w)
		f.mul(&p.z, &p.z, &p.y) // z = 2yz
		f.add(&p.z, &p.z, &p.z)
		f.mul(&yy, &p.y, &p.y) // s = 4xy²
		f.add(&yy, &yy, &yy)
		f.mul(&s, &p.x, &yy)
		f.add(&s, &s, &s)
		f.mul(&yy, &yy, &yy) // 8y⁴
		f.add(&yy, &yy, &yy)
		f.mul(&t, &m, &m) // x = m² - 2s
		f.sub(&t, &t, &s)
		f.sub(&p.x, &t, &s)
		f.sub(&t, &s, &p.x) // y = m(s-x) - 8y⁴
		f.mul(&t, &t, &m)
		f.sub(&p.y, &t, &yy)
		if left > 1 {
			f.mul(&w, &w, &yy)
			f.add(&w, &w, &w)
		}
	}
}

// add sets r to p + q (add-2007-bl), also where they are equal, opposite or at
// infinity.
func (c *Curve) add(r, p, q *jacobian) {
	switch (element{}) {
	case p.z:
		*r = *q
		return
	case q.z:
		*r = *p
		return
	}
	f := &c.field
	var pp, qq, u1, u2, s1, s2, h, i, j, v, x, z element
	f.mul(&pp, &p.z, &p.z)
	f.mul(&qq, &q.z, &q.z)
	f.mul(&u1, &p.x, &qq)
	f.mul(&u2, &q.x, &pp)
	f.mul(&s1, &p.y, &q.z)
	f.mul(&s1, &s1, &qq)
	f.mul(&s2, &q.y, &p.z)
	f.mul(&s2, &s2, &pp)
	f.sub(&h, &u2, &u1)
	f.sub(&s2, &s2, &s1)
	if h == (element{}) {
		if s2 == (element{}) {
			*r = *p
			c.double(r, 1)
			return
		}
		*r = jacobian{}
		return
	}
	f.add(&z, &p.z, &q.z) // z = ((z1+z2)² - z1² - z2²)h
	f.mul(&z, &z, &z)
	f.sub(&z, &z, &pp)
	f.sub(&z, &z, &qq)
	f.mul(&r.z, &z, &h)
	f.add(&i, &h, &h)
	f.mul(&i, &i, &i)
	f.mul(&j, &h, &i)
	f.add(&s2, &s2, &s2)
	f.mul(&v, &u1, &i)
	f.mul(&x, &s2, &s2) // x = s² - j - 2v
	f.sub(&x, &x, &j)
	f.sub(&x, &x, &v)
	f.sub(&r.x, &x, &v)
	f.sub(&v, &v, &r.x) // y = s(v-x) - 2·s1·j
	f.mul(&v, &v, &s2)
	f.mul(&j, &j, &s1)
	f.add(&j, &j, &j)
	f.sub(&r.y, &v, &j)
}

// window is how many bits of a factor are done at a time.
const window = 4

// term is a factor and the small multiples of a point.
type term struct {
	k     *big.Int
	table [1 << window]jacobian
}

// term prepares a factor times a point.
func (c *Curve) term(k *big.Int, p Point) *term {
	if k.Sign() < 0 || k.BitLen() > c.N.BitLen() {
		k = new(big.Int).Mod(k, c.N)
	}
	t := &term{k: k}
	t.table[1] = c.in(p)
	for i := 2; i < len(t.table); i++ {
		c.add(&t.table[i], &t.table[i-1], &t.table[1])
	}
	return t
}

// sum adds terms up, doubling once for all of them.
func (c *Curve) sum(terms ...*term) Point {
	var r jacobian
	for at := (c.N.BitLen()+window-1)/window - 1; at >= 0; at-- {
		c.double(&r, window)
		for _, t := range terms {
			digit := uint(0)
			for bit := range window {
				digit |= t.k.Bit(window*at+bit) << bit
			}
			if digit != 0 {
				c.add(&r, &r, &t.table[digit])
			}
		}
	}
	return c.out(&r)
}

// Add adds two points of the curve.
func (c *Curve) Add(p, q Point) Point {
	a, b := c.in(p), c.in(q)
	c.add(&a, &a, &b)
	return c.out(&a)
}

// Multiply is k times a point of the curve. A k that is negative, or longer than
// the order, is taken modulo the order.
func (c *Curve) Multiply(k *big.Int, p Point) Point { return c.sum(c.term(k, p)) }

// Abscissa is the first coordinate of k times a point of the curve, which is all
// that an agreement takes; nil where that is the point at infinity.
func (c *Curve) Abscissa(k *big.Int, p Point) *big.Int {
	if x, ok := c.quickAbscissa(k, p); ok {
		return x
	}
	return c.Multiply(k, p).X
}

// Combine is k times one point and l times another, together: it takes little longer
// than one of them.
func (c *Curve) Combine(k *big.Int, p Point, l *big.Int, q Point) Point {
	return c.sum(c.term(k, p), c.term(l, q))
}

// Base is k times the base point.
func (c *Curve) Base(k *big.Int) Point {
	if p, ok := c.quickBase(k); ok {
		return p
	}
	return c.Multiply(k, c.G)
}

package curve

import (
	"math/big"
	"math/bits"
)

// limbs are as many words as the largest field needs.
const limbs = maxBits / 64

// element is an element of a field in Montgomery's form, the lowest word first;
// words beyond the field's own are zero.
type element [limbs]uint64

// field is the integers modulo a prime.
type field struct {
	n       int     // words in use
	p       element // the prime
	inverse uint64  // of -p, modulo 2⁶⁴
	rr      element // R², where R is 2 to the number of bits of the words
	one     element // R
	prime   *big.Int
}

// newField makes the field of an odd prime of at most maxBits.
func newField(p *big.Int) field {
	f := field{n: (p.BitLen() + 63) / 64, prime: p}
	f.p = words(p)
	x := f.p[0] // right in its three lowest bits, and twice as many each time
	for range 5 {
		x *= 2 - f.p[0]*x
	}
	f.inverse = -x
	r := new(big.Int).Lsh(big.NewInt(1), uint(64*f.n))
	f.one = words(new(big.Int).Mod(r, p))
	f.rr = words(r.Mod(r.Mul(r, r), p))
	return f
}

// words splits a number that fits.
func words(v *big.Int) (e element) {
	var b [8 * limbs]byte
	v.FillBytes(b[:])
	for i := range e {
		for _, c := range b[8*(limbs-1-i) : 8*(limbs-i)] {
			e[i] = e[i]<<8 | uint64(c)
		}
	}
	return e
}

// in brings a number into the field.
func (f *field) in(v *big.Int) element {
	if v.Sign() < 0 || v.Cmp(f.prime) >= 0 {
		v = new(big.Int).Mod(v, f.prime)
	}
	e := words(v)
	f.mul(&e, &e, &f.rr)
	return e
}

// out takes an element out of the field.
func (f *field) out(e *element) *big.Int {
	plain := *e
	f.mul(&plain, &plain, &element{1})
	b := make([]byte, 8*limbs)
	for i, w := range plain {
		for j := range 8 {
			b[8*(limbs-i)-1-j] = byte(w >> (8 * j))
		}
	}
	return new(big.Int).SetBytes(b)
}

// mul sets z to the product of x and y (Montgomery, word by word). Fields of four
// and six words are the ones that most documents use.
func (f *field) mul(z, x, y *element) {
	switch f.n {
	case four:
		f.mulFour(z, x, y)
		return
	case six:
		f.mulSix(z, x, y)
		return
	}
	var t element
	var above uint64
	for _, w := range y[:f.n] {
		above = f.step(t[:f.n], x[:f.n], w, above)
	}
	f.reduce(z, &t, above)
}

// step adds x times a word to t, adds as many primes as make the lowest word zero,
// and moves t down by it.
func (f *field) step(t, x []uint64, w, above uint64) uint64 {
	p, x := f.p[:len(t)], x[:len(t)]
	one, low := product(x[0], w, t[0], 0) // one runs over from x·w
	m := low * f.inverse
	two, _ := product(p[0], m, low, 0) // two runs over from p·m
	for j := 1; j < len(t); j++ {
		one, low = product(x[j], w, t[j], one)
		two, t[j-1] = product(p[j], m, low, two)
	}
	sum, c := bits.Add64(one, two, 0)
	t[len(t)-1], above = bits.Add64(sum, above, 0)
	return above + c
}

// product is a·b + c + d, which two words hold.
func product(a, b, c, d uint64) (high, low uint64) {
	high, low = bits.Mul64(a, b)
	low, carry := bits.Add64(low, c, 0)
	high, _ = bits.Add64(high, 0, carry)
	low, carry = bits.Add64(low, d, 0)
	high, _ = bits.Add64(high, 0, carry)
	return high, low
}

// reduce sets z to x, with a word above it, less the prime where it is not below
// it.
func (f *field) reduce(z, x *element, above uint64) {
	var less element
	var borrow uint64
	for i, p := range f.p[:f.n] {
		less[i], borrow = bits.Sub64(x[i], p, borrow)
	}
	keep := -(borrow &^ above) // all ones where x is below the prime
	for i := range f.n {
		z[i] = less[i] ^ keep&(less[i]^x[i])
	}
}

// add sets z to the sum of x and y.
func (f *field) add(z, x, y *element) {
	var carry uint64
	if f.n == four {
		var sum [four]uint64
		sum[0], carry = bits.Add64(x[0], y[0], 0)
		sum[1], carry = bits.Add64(x[1], y[1], carry)
		sum[2], carry = bits.Add64(x[2], y[2], carry)
		sum[3], carry = bits.Add64(x[3], y[3], carry)
		f.lessFour(z, &sum, carry)
		return
	}
	var sum element
	for i := range f.n {
		sum[i], carry = bits.Add64(x[i], y[i], carry)
	}
	f.reduce(z, &sum, carry)
}

// sub sets z to x less y.
func (f *field) sub(z, x, y *element) {
	if f.n == four {
		f.subFour(z, x, y)
		return
	}
	var borrow, carry uint64
	var less element
	for i := range f.n {
		less[i], borrow = bits.Sub64(x[i], y[i], borrow)
	}
	back := -borrow // all ones where the prime has to come back
	for i, p := range f.p[:f.n] {
		z[i], carry = bits.Add64(less[i], p&back, carry)
	}
}

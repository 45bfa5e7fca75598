package curve

import "math/bits"

// four is how many words a field of 193 to 256 bits has.
const four = 4

// mulFour is mul of four words. Products come before sums, so that carries pass
// from one sum to the next: that is twice as quick.
func (f *field) mulFour(z, x, y *element) {
	var t0, t1, t2, t3, t4, t5, c uint64
	p, inverse := &f.p, f.inverse
	for _, w := range y[:four] {
		h0, l0 := bits.Mul64(x[0], w) // t += x·w
		h1, l1 := bits.Mul64(x[1], w)
		h2, l2 := bits.Mul64(x[2], w)
		h3, l3 := bits.Mul64(x[3], w)
		t0, c = bits.Add64(t0, l0, 0)
		t1, c = bits.Add64(t1, l1, c)
		t2, c = bits.Add64(t2, l2, c)
		t3, c = bits.Add64(t3, l3, c)
		t4, t5 = bits.Add64(t4, 0, c)
		t1, c = bits.Add64(t1, h0, 0)
		t2, c = bits.Add64(t2, h1, c)
		t3, c = bits.Add64(t3, h2, c)
		t4, c = bits.Add64(t4, h3, c)
		t5 += c
		m := t0 * inverse
		h0, l0 = bits.Mul64(p[0], m) // t += p·m, which makes its lowest word zero
		h1, l1 = bits.Mul64(p[1], m)
		h2, l2 = bits.Mul64(p[2], m)
		h3, l3 = bits.Mul64(p[3], m)
		_, c = bits.Add64(t0, l0, 0)
		t0, c = bits.Add64(t1, l1, c) // and moves down by it
		t1, c = bits.Add64(t2, l2, c)
		t2, c = bits.Add64(t3, l3, c)
		t3, c = bits.Add64(t4, 0, c)
		t4 = t5 + c
		t0, c = bits.Add64(t0, h0, 0)
		t1, c = bits.Add64(t1, h1, c)
		t2, c = bits.Add64(t2, h2, c)
		t3, c = bits.Add64(t3, h3, c)
		t4 += c
	}
	f.lessFour(z, &[four]uint64{t0, t1, t2, t3}, t4)
}

// lessFour is reduce of four words.
func (f *field) lessFour(z *element, x *[four]uint64, above uint64) {
	l0, b := bits.Sub64(x[0], f.p[0], 0)
	l1, b := bits.Sub64(x[1], f.p[1], b)
	l2, b := bits.Sub64(x[2], f.p[2], b)
	l3, b := bits.Sub64(x[3], f.p[3], b)
	keep := -(b &^ above)
	z[0] = l0 ^ keep&(l0^x[0])
	z[1] = l1 ^ keep&(l1^x[1])
	z[2] = l2 ^ keep&(l2^x[2])
	z[3] = l3 ^ keep&(l3^x[3])
}

// subFour is sub of four words.
func (f *field) subFour(z, x, y *element) {
	l0, b := bits.Sub64(x[0], y[0], 0)
	l1, b := bits.Sub64(x[1], y[1], b)
	l2, b := bits.Sub64(x[2], y[2], b)
	l3, b := bits.Sub64(x[3], y[3], b)
	back := -b
	var c uint64
	z[0], c = bits.Add64(l0, f.p[0]&back, 0)
	z[1], c = bits.Add64(l1, f.p[1]&back, c)
	z[2], c = bits.Add64(l2, f.p[2]&back, c)
	z[3], _ = bits.Add64(l3, f.p[3]&back, c)
}

// six is how many words a field of 321 to 384 bits has.
const six = 6

// mulSix is mul of six words, as mulFour is.
func (f *field) mulSix(z, x, y *element) {
	var t0, t1, t2, t3, t4, t5, t6, t7, c uint64
	p, inverse := &f.p, f.inverse
	for _, w := range y[:six] {
		h0, l0 := bits.Mul64(x[0], w) // t += x·w
		h1, l1 := bits.Mul64(x[1], w)
		h2, l2 := bits.Mul64(x[2], w)
		h3, l3 := bits.Mul64(x[3], w)
		h4, l4 := bits.Mul64(x[4], w)
		h5, l5 := bits.Mul64(x[5], w)
		t0, c = bits.Add64(t0, l0, 0)
		t1, c = bits.Add64(t1, l1, c)
		t2, c = bits.Add64(t2, l2, c)
		t3, c = bits.Add64(t3, l3, c)
		t4, c = bits.Add64(t4, l4, c)
		t5, c = bits.Add64(t5, l5, c)
		t6, t7 = bits.Add64(t6, 0, c)
		t1, c = bits.Add64(t1, h0, 0)
		t2, c = bits.Add64(t2, h1, c)
		t3, c = bits.Add64(t3, h2, c)
		t4, c = bits.Add64(t4, h3, c)
		t5, c = bits.Add64(t5, h4, c)
		t6, c = bits.Add64(t6, h5, c)
		t7 += c
		m := t0 * inverse
		h0, l0 = bits.Mul64(p[0], m) // t += p·m, and down by a word
		h1, l1 = bits.Mul64(p[1], m)
		h2, l2 = bits.Mul64(p[2], m)
		h3, l3 = bits.Mul64(p[3], m)
		h4, l4 = bits.Mul64(p[4], m)
		h5, l5 = bits.Mul64(p[5], m)
		_, c = bits.Add64(t0, l0, 0)
		t0, c = bits.Add64(t1, l1, c)
		t1, c = bits.Add64(t2, l2, c)
		t2, c = bits.Add64(t3, l3, c)
		t3, c = bits.Add64(t4, l4, c)
		t4, c = bits.Add64(t5, l5, c)
		t5, c = bits.Add64(t6, 0, c)
		t6 = t7 + c
		t0, c = bits.Add64(t0, h0, 0)
		t1, c = bits.Add64(t1, h1, c)
		t2, c = bits.Add64(t2, h2, c)
		t3, c = bits.Add64(t3, h3, c)
		t4, c = bits.Add64(t4, h4, c)
		t5, c = bits.Add64(t5, h5, c)
		t6 += c
	}
	f.reduce(z, &element{t0, t1, t2, t3, t4, t5}, t6)
}

package curve

import (
	"math/big"
	"math/rand/v2"
	"testing"
)

// TestNative: what the standard library tells of its curves is what is reckoned
// here, for every factor that is near an edge.
func TestNative(t *testing.T) {
	t.Parallel()
	src := rand.NewChaCha8([32]byte{1})
	for _, name := range []string{"secp256r1", "secp384r1", "secp521r1"} {
		c, ok := ByName(name)
		if !ok || c.native.base == nil {
			t.Fatalf("%s is not native", name)
		}
		slow := func(k *big.Int, p Point) Point { return c.sum(c.term(k, p)) }
		any, err := c.Secret(src)
		if err != nil {
			t.Fatal(err)
		}
		other := slow(any, c.G)
		factors := []*big.Int{any, new(big.Int).Rsh(c.N, 1), new(big.Int).Lsh(big.NewInt(1), uint(c.N.BitLen()-1))}
		for d := int64(-3); d <= 3; d++ {
			factors = append(factors, big.NewInt(d), new(big.Int).Add(c.N, big.NewInt(d)))
		}
		for _, k := range factors {
			if got, want := c.Base(k), slow(k, c.G); !got.Equal(want) {
				t.Errorf("%s: %v times G is %v, want %v", name, k, got, want)
			}
			for _, q := range []Point{other, slow(big.NewInt(-2), c.G), {}} {
				want := c.sum(c.term(k, c.G), c.term(any, q))
				if got := c.Combine(k, c.G, any, q); !got.Equal(want) {
					t.Errorf("%s: %v times G and another together are %v, want %v", name, k, got, want)
				}
			}
			if got := c.Combine(k, c.G, new(big.Int).Neg(k), c.G); !got.Infinite() {
				t.Errorf("%s: %v times G and back is %v", name, k, got)
			}
			for what, p := range map[string]Point{"G": c.G, "another": other, "infinity": {}} {
				want := slow(k, p)
				if x := c.Abscissa(k, p); (x == nil) != want.Infinite() || x != nil && x.Cmp(want.X) != 0 {
					t.Errorf("%s: the abscissa of %v times %s is %v, want %v", name, k, what, x, want.X)
				}
			}
		}
	}
}

// TestNativeElsewhere: a point that is not on the curve is none of the standard
// library's, and a curve that only looks like one is not native.
func TestNativeElsewhere(t *testing.T) {
	t.Parallel()
	c, _ := ByName("secp256r1")
	if _, ok := c.quickAbscissa(big.NewInt(2), Point{big.NewInt(1), big.NewInt(1)}); ok {
		t.Error("a point elsewhere is taken")
	}
	base := c.Base(big.NewInt(5))
	own, err := New(Curve{P: c.P, A: c.A, B: c.B, G: base, N: c.N, H: 1})
	if err != nil {
		t.Fatal(err)
	}
	if own.native != (native{}) || !own.Base(big.NewInt(1)).Equal(base) {
		t.Error("another base point is taken for the named curve's")
	}
}

// edges are primes of every number of words whose highest word is as full, and as
// empty, as it can be: nothing that runs over may be lost.
func edges(t *testing.T) []*big.Int {
	t.Helper()
	var all []*big.Int
	one := big.NewInt(1)
	for _, bits := range []uint{160, 192, 193, 224, 255, 256, 257, 320, 384, 512, 521, 576, 640} {
		p := new(big.Int).Lsh(one, bits)
		p.Sub(p, one)
		for !p.ProbablyPrime(5) {
			p.Sub(p, big.NewInt(2))
		}
		all = append(all, p)
	}
	for _, n := range table {
		all = append(all, number(n.p))
	}
	return all
}

// TestField holds the arithmetic of words to that of the standard library, at the
// edges above all.
func TestField(t *testing.T) {
	t.Parallel()
	src := rand.New(rand.NewPCG(1, 2))
	for _, p := range edges(t) {
		f := newField(p)
		values := []*big.Int{new(big.Int), big.NewInt(1), big.NewInt(2), new(big.Int).Rsh(p, 1)}
		for d := int64(1); d <= 3; d++ {
			values = append(values, new(big.Int).Sub(p, big.NewInt(d)))
		}
		for range 6 {
			b := make([]byte, (p.BitLen()+7)/8)
			for i := range b {
				b[i] = byte(src.Uint32())
			}
			v := new(big.Int).SetBytes(b)
			values = append(values, v.Mod(v, p))
		}
		for _, v := range values {
			for _, w := range values {
				x, y := f.in(v), f.in(w)
				var product, sum, less element
				f.mul(&product, &x, &y)
				f.add(&sum, &x, &y)
				f.sub(&less, &x, &y)
				for what, pair := range map[string][2]*big.Int{
					"product":    {f.out(&product), new(big.Int).Mul(v, w)},
					"sum":        {f.out(&sum), new(big.Int).Add(v, w)},
					"difference": {f.out(&less), new(big.Int).Sub(v, w)},
				} {
					if want := pair[1].Mod(pair[1], p); pair[0].Cmp(want) != 0 {
						t.Fatalf("modulo %X: %s of %X and %X is %X, want %X", p, what, v, w, pair[0], want)
					}
				}
			}
		}
	}
}

// raw products of words that are no element of the field: what a value as large as
// the words can hold runs over by is kept.
func TestFieldRunsOver(t *testing.T) {
	t.Parallel()
	for _, p := range edges(t) {
		f := newField(p)
		r := new(big.Int).Lsh(big.NewInt(1), uint(64*f.n))
		back := new(big.Int).ModInverse(r, p)
		most := new(big.Int).Sub(p, big.NewInt(1))
		x := words(most)
		var z element
		f.mul(&z, &x, &x)
		want := new(big.Int).Mul(most, most)
		want.Mul(want, back).Mod(want, p)
		if z != words(want) {
			t.Errorf("modulo %X: the largest product is wrong", p)
		}
		for i := f.n; i < limbs; i++ {
			if z[i] != 0 {
				t.Errorf("modulo %X: a word beyond the field is %X", p, z[i])
			}
		}
	}
}

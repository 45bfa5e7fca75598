package curve_test

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/counterproof/counterproof/agent/chip/curve"
)

// names are all curves that have one.
var names = []string{
	"secp192r1", "secp224r1", "secp256r1", "secp384r1", "secp521r1",
	"brainpoolP160r1", "brainpoolP160t1", "brainpoolP192r1", "brainpoolP192t1", "brainpoolP224r1", "brainpoolP224t1",
	"brainpoolP256r1", "brainpoolP256t1", "brainpoolP320r1", "brainpoolP320t1", "brainpoolP384r1", "brainpoolP384t1",
	"brainpoolP512r1", "brainpoolP512t1",
}

// random is a source of bytes that repeats itself in each test.
func random(seed byte) *rand.ChaCha8 { return rand.NewChaCha8([32]byte{seed}) }

func named(tb testing.TB, name string) *curve.Curve {
	tb.Helper()
	c, ok := curve.ByName(name)
	if !ok {
		tb.Fatalf("no curve is called %s", name)
	}
	return c
}

func hexadecimal(tb testing.TB, s string) []byte {
	tb.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func number(tb testing.TB, s string) *big.Int { return new(big.Int).SetBytes(hexadecimal(tb, s)) }

// again spells a named curve out.
func again(c *curve.Curve, h int) (*curve.Curve, error) {
	return curve.New(curve.Curve{P: c.P, A: c.A, B: c.B, G: c.G, N: c.N, H: h})
}

// TestNamed: each base point is on its curve and has its order, and neither P nor
// N falls apart; a curve is found by name and identifier.
func TestNamed(t *testing.T) {
	t.Parallel()
	for _, name := range names {
		c := named(t, name)
		if !c.On(c.G) || !c.Base(c.N).Infinite() || c.Base(big.NewInt(1)).Infinite() {
			t.Errorf("%s: the base point is not of the order", name)
		}
		if !c.P.ProbablyPrime(5) || !c.N.ProbablyPrime(5) {
			t.Errorf("%s: no primes", name)
		}
		same, ok := curve.Named(c.OID)
		if !ok || !same.Equal(c) || same.Name != name {
			t.Errorf("%s: by its identifier it is %+v", name, same)
		}
	}
	if c, ok := curve.Named(asn1.ObjectIdentifier{1, 2, 3}); ok {
		t.Errorf("an unknown identifier is %s", c.Name)
	}
	if c, ok := curve.ByName("secp256k1"); ok {
		t.Errorf("a curve that no document uses is %s", c.Name)
	}
}

// Multiples on NIST curves are those of the standard library.
func TestAgreesWithStandardLibrary(t *testing.T) {
	t.Parallel()
	for name, theirs := range map[string]ecdh.Curve{"secp256r1": ecdh.P256(), "secp384r1": ecdh.P384(), "secp521r1": ecdh.P521()} {
		c, src := named(t, name), random(1)
		for range 5 {
			one, err := c.Secret(src)
			if err != nil {
				t.Fatal(err)
			}
			two, err := c.Secret(src)
			if err != nil {
				t.Fatal(err)
			}
			a, err := theirs.NewPrivateKey(one.FillBytes(make([]byte, (c.N.BitLen()+7)/8)))
			if err != nil {
				t.Fatal(err)
			}
			b, err := theirs.NewPublicKey(c.Marshal(c.Base(two)))
			if err != nil {
				t.Fatalf("%s: they refuse our point: %v", name, err)
			}
			if !bytes.Equal(a.PublicKey().Bytes(), c.Marshal(c.Base(one))) {
				t.Errorf("%s: another public key", name)
			}
			secret, err := a.ECDH(b)
			if err != nil {
				t.Fatal(err)
			}
			ours := c.Multiply(one, c.Base(two))
			if !bytes.Equal(secret, ours.X.FillBytes(make([]byte, c.Bytes()))) {
				t.Errorf("%s: another secret", name)
			}
		}
	}
}

// Signatures of the standard library are good here, and ours there.
func TestSignaturesOfStandardLibrary(t *testing.T) {
	t.Parallel()
	for name, theirs := range map[string]elliptic.Curve{
		"secp224r1": elliptic.P224(), "secp256r1": elliptic.P256(), "secp384r1": elliptic.P384(), "secp521r1": elliptic.P521(),
	} {
		c := named(t, name)
		key, err := ecdsa.GenerateKey(theirs, random(2))
		if err != nil {
			t.Fatal(err)
		}
		digest := sha512.Sum512([]byte("a document"))
		point, err := key.PublicKey.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		public, err := c.Unmarshal(point)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range []int{20, 28, 32, 48, 64} {
			der, err := ecdsa.SignASN1(random(3), key, digest[:n])
			if err != nil {
				t.Fatal(err)
			}
			var sig struct{ R, S *big.Int }
			if _, err := asn1.Unmarshal(der, &sig); err != nil {
				t.Fatal(err)
			}
			if !c.Verify(public, digest[:n], sig.R, sig.S) {
				t.Errorf("%s: a good signature over %d bytes is refused", name, n)
			}
			d, err := key.Bytes()
			if err != nil {
				t.Fatal(err)
			}
			r, s, err := c.Sign(random(4), new(big.Int).SetBytes(d), digest[:n])
			if err != nil {
				t.Fatal(err)
			}
			if der, err = asn1.Marshal(struct{ R, S *big.Int }{r, s}); err != nil || !ecdsa.VerifyASN1(&key.PublicKey, digest[:n], der) {
				t.Errorf("%s: they refuse our signature over %d bytes, %v", name, n, err)
			}
		}
	}
}

// On every curve what is signed is good, and nothing else is.
func TestSignatures(t *testing.T) {
	t.Parallel()
	for _, name := range names {
		c := named(t, name)
		d, err := c.Secret(random(5))
		if err != nil {
			t.Fatal(err)
		}
		public, digest := c.Base(d), sha256.Sum256([]byte("a document"))
		r, s, err := c.Sign(random(6), d, digest[:])
		if err != nil {
			t.Fatal(err)
		}
		if !c.Verify(public, digest[:], r, s) {
			t.Errorf("%s: a good signature is refused", name)
		}
		other := sha256.Sum256([]byte("another"))
		one := big.NewInt(1)
		for what, bad := range map[string]bool{
			"another-text":    c.Verify(public, other[:], r, s),
			"another-key":     c.Verify(c.Add(public, c.G), digest[:], r, s),
			"another-r":       c.Verify(public, digest[:], new(big.Int).Add(r, one), s),
			"another-s":       c.Verify(public, digest[:], r, new(big.Int).Sub(s, one)),
			"zero-r":          c.Verify(public, digest[:], new(big.Int), s),
			"zero-s":          c.Verify(public, digest[:], r, new(big.Int)),
			"order-r":         c.Verify(public, digest[:], c.N, s),
			"order-s":         c.Verify(public, digest[:], r, c.N),
			"negative-r":      c.Verify(public, digest[:], new(big.Int).Neg(r), s),
			"no-r":            c.Verify(public, digest[:], nil, s),
			"key-at-infinity": c.Verify(curve.Point{}, digest[:], r, s),
			"key-elsewhere":   c.Verify(curve.Point{X: one, Y: one}, digest[:], r, s),
		} {
			if bad {
				t.Errorf("%s: %s is taken", name, what)
			}
		}
	}
}

// The agreement of RFC 7027 §A on Brainpool's curves.
func TestBrainpoolAgreement(t *testing.T) {
	t.Parallel()
	c := named(t, "brainpoolP256r1")
	da := number(t, "81DB1EE100150FF2EA338D708271BE38300CB54241D79950F77B063039804F1D")
	db := number(t, "55E40BC41E37E3E2AD25C3C6654511FFA8474A91A0032087593852D3E7D76BD3")
	want := number(t, "89AFC39D41D3B327814B80940B042590F96556EC91E6AE7939BCE31F3A18BF2B")
	if got := c.Multiply(da, c.Base(db)); got.X.Cmp(want) != 0 {
		t.Errorf("got %X, want %X", got.X, want)
	}
	if got := c.Base(da); got.X.Cmp(number(t, "44106E913F92BC02A1705D9953A8414DB95E1AAA49E81D9E85F929A8E3100BE5")) != 0 {
		t.Errorf("the public key is %X", got.X)
	}
}

// The laws of a group hold, also where points are equal, opposite or at infinity.
func TestGroupLaws(t *testing.T) {
	t.Parallel()
	for _, name := range names {
		c := named(t, name)
		infinity := curve.Point{}
		minus := curve.Point{X: c.G.X, Y: new(big.Int).Sub(c.P, c.G.Y)}
		three := c.Base(big.NewInt(3))
		for what, pair := range map[string][2]curve.Point{
			"nothing":       {c.Add(c.G, infinity), c.G},
			"from-nothing":  {c.Add(infinity, c.G), c.G},
			"opposite":      {c.Add(c.G, minus), infinity},
			"twice":         {c.Add(c.G, c.G), c.Base(big.NewInt(2))},
			"back":          {c.Add(three, minus), c.Base(big.NewInt(2))},
			"zero-times":    {c.Base(new(big.Int)), infinity},
			"minus-once":    {c.Base(big.NewInt(-1)), minus},
			"long-factor":   {c.Base(new(big.Int).Add(new(big.Int).Lsh(c.N, 9), big.NewInt(3))), three},
			"order-less-1":  {c.Base(new(big.Int).Sub(c.N, big.NewInt(1))), minus},
			"of-nothing":    {c.Multiply(big.NewInt(7), infinity), infinity},
			"combined":      {c.Combine(big.NewInt(2), c.G, big.NewInt(-1), three), minus},
			"minus-doubled": {c.Add(minus, minus), c.Base(big.NewInt(-2))},
		} {
			if !pair[0].Equal(pair[1]) {
				t.Errorf("%s: %s is not as it should be", name, what)
			}
		}
		a, err := c.Secret(random(8))
		if err != nil {
			t.Fatal(err)
		}
		b, err := c.Secret(random(9))
		if err != nil {
			t.Fatal(err)
		}
		if !c.Add(c.Base(a), c.Base(b)).Equal(c.Base(new(big.Int).Add(a, b))) {
			t.Errorf("%s: aG + bG is not (a+b)G", name)
		}
	}
}

// TestBytes: points survive being written, and what is none is refused.
func TestBytes(t *testing.T) {
	t.Parallel()
	for _, name := range names {
		c := named(t, name)
		for k := range int64(20) {
			p := c.Base(big.NewInt(k + 1))
			b := c.Marshal(p)
			if back, err := c.Unmarshal(b); err != nil || !back.Equal(p) || len(b) != 1+2*c.Bytes() {
				t.Fatalf("%s: %d times the base comes back as %+v, %v", name, k+1, back, err)
			}
			short := append([]byte{2 | b[len(b)-1]&1}, b[1:1+c.Bytes()]...)
			if back, err := c.Unmarshal(short); err != nil || !back.Equal(p) {
				t.Fatalf("%s: with one coordinate it comes back as %+v, %v", name, back, err)
			}
			b[len(b)-1] ^= 1
			if _, err := c.Unmarshal(b); !errors.Is(err, curve.ErrPoint) {
				t.Fatalf("%s: a point beside the curve: %v", name, err)
			}
		}
	}
	c := named(t, "secp256r1")
	good := c.Marshal(c.G)
	huge := bytes.Repeat([]byte{0xff}, 65)
	huge[0] = 4
	none := append([]byte{2}, make([]byte, 32)...)
	none[32] = 7 // no point has this coordinate
	for what, bad := range map[string][]byte{
		"empty": {}, "infinity": {0}, "cut": good[:64], "longer": append(bytes.Clone(good), 0), "hybrid": append([]byte{6}, good[1:]...),
		"beyond-p": huge, "half-beyond-p": append([]byte{3}, huge[1:33]...), "no-root": none,
	} {
		if p, err := c.Unmarshal(bad); !errors.Is(err, curve.ErrPoint) {
			t.Errorf("%s: read as %+v, %v", what, p, err)
		}
	}
	if got := c.Marshal(curve.Point{}); !bytes.Equal(got, []byte{0}) {
		t.Errorf("infinity is written as %X", got)
	}
}

// TestExplicit: a curve that is spelled out is the named one; one that is nobody's
// works as well.
func TestNew(t *testing.T) {
	t.Parallel()
	for _, name := range names {
		c := named(t, name)
		for _, h := range []int{0, 1} {
			if got, err := again(c, h); err != nil || got.Name != name {
				t.Errorf("%s, cofactor %d: %v", name, h, err)
			}
		}
	}
	c := named(t, "brainpoolP256r1")
	own, err := curve.New(curve.Curve{P: c.P, A: c.A, B: c.B, G: c.Base(big.NewInt(5)), N: c.N})
	if err != nil || own.Name != "" || own.OID != nil || own.Equal(c) || own.H != 1 {
		t.Fatalf("with another base point: %+v, %v", own, err)
	}
	d, digest := big.NewInt(12345), sha256.Sum256([]byte("a document"))
	r, s, err := own.Sign(random(1), d, digest[:])
	if err != nil || !own.Verify(own.Base(d), digest[:], r, s) {
		t.Errorf("what is signed on it is not good: %v", err)
	}
}

// TestUnsound: parameters that are no sound curve are refused, and soon.
func TestUnsound(t *testing.T) {
	t.Parallel()
	c := named(t, "secp256r1")
	one, two := big.NewInt(1), big.NewInt(2)
	minus := func(v *big.Int, less *big.Int) *big.Int { return new(big.Int).Sub(v, less) }
	long := new(big.Int).Lsh(one, 8_000)
	composite := new(big.Int).Mul(minus(new(big.Int).Lsh(one, 127), one), minus(new(big.Int).Lsh(one, 129), big.NewInt(25)))
	elsewhere := curve.Point{X: one, Y: one}
	for what, v := range map[string]struct {
		p, a, b *big.Int
		g       curve.Point
		n       *big.Int
		h       int
	}{
		"even-p":         {minus(c.P, one), c.A, c.B, c.G, c.N, 1},
		"composite-p":    {composite, c.A, c.B, c.G, c.N, 1},
		"long-p":         {long, c.A, c.B, c.G, c.N, 1},
		"641-bits":       {new(big.Int).Add(new(big.Int).Lsh(one, 640), one), c.A, c.B, c.G, c.N, 1},
		"small-p":        {big.NewInt(23), one, one, curve.Point{X: big.NewInt(3), Y: big.NewInt(10)}, big.NewInt(7), 4},
		"zero-p":         {new(big.Int), c.A, c.B, c.G, c.N, 1},
		"nothing":        {nil, nil, nil, curve.Point{}, nil, 0},
		"long-a":         {c.P, long, c.B, c.G, c.N, 1},
		"a-beyond-p":     {c.P, new(big.Int).Add(c.P, one), c.B, c.G, c.N, 1},
		"negative-b":     {c.P, c.A, big.NewInt(-1), c.G, c.N, 1},
		"another-b":      {c.P, c.A, new(big.Int).Add(c.B, one), c.G, c.N, 1},
		"singular":       {c.P, new(big.Int), new(big.Int), elsewhere, c.N, 1},
		"base-elsewhere": {c.P, c.A, c.B, elsewhere, c.N, 1},
		"base-infinite":  {c.P, c.A, c.B, curve.Point{}, c.N, 1},
		"composite-n":    {c.P, c.A, c.B, c.G, minus(c.N, one), 1},
		"n-is-p":         {c.P, c.A, c.B, c.G, c.P, 1},
		"small-n":        {c.P, c.A, c.B, c.G, two, 1},
		"zero-n":         {c.P, c.A, c.B, c.G, new(big.Int), 0},
		"another-h":      {c.P, c.A, c.B, c.G, c.N, 2},
		"large-h":        {c.P, c.A, c.B, c.G, c.N, 1 << 20},
		"negative-h":     {c.P, c.A, c.B, c.G, c.N, -1},
	} {
		if got, err := curve.New(curve.Curve{P: v.p, A: v.a, B: v.b, G: v.g, N: v.n, H: v.h}); !errors.Is(err, curve.ErrParameters) || got != nil {
			t.Errorf("%s: got %+v, %v", what, got, err)
		}
	}
}

// Standardised domain parameters are those of table 6, and the groups are sound.
func TestStandard(t *testing.T) {
	t.Parallel()
	for id, want := range map[int]struct {
		name string
		bits int
	}{
		0: {"", 1024}, 1: {"", 2048}, 2: {"", 2048}, 8: {"secp192r1", 192}, 9: {"brainpoolP192r1", 192}, 10: {"secp224r1", 224},
		11: {"brainpoolP224r1", 224}, 12: {"secp256r1", 256}, 13: {"brainpoolP256r1", 256}, 14: {"brainpoolP320r1", 320},
		15: {"secp384r1", 384}, 16: {"brainpoolP384r1", 384}, 17: {"brainpoolP512r1", 512}, 18: {"secp521r1", 521},
	} {
		d, ok := curve.Standard(id)
		switch {
		case !ok || d.ID != id:
			t.Errorf("%d: none", id)
		case d.Curve != nil:
			if d.Curve.Name != want.name || d.Curve.P.BitLen() != want.bits || d.Group != nil {
				t.Errorf("%d is %s", id, d.Curve.Name)
			}
		case d.Group.P.BitLen() != want.bits || want.name != "" || !d.Group.P.ProbablyPrime(2) || !d.Group.Q.ProbablyPrime(5) || !d.Group.Has(d.Group.G):
			t.Errorf("%d is no sound group", id)
		}
	}
	for _, id := range []int{-1, 3, 4, 5, 6, 7, 19, 31, 255} {
		if _, ok := curve.Standard(id); ok {
			t.Errorf("%d is reserved, and there", id)
		}
	}
}

// Both ends of an agreement in a group come to the same; what is no member is seen.
func TestGroups(t *testing.T) {
	t.Parallel()
	for id := range 3 {
		d, _ := curve.Standard(id)
		g := d.Group
		a, err := g.Secret(random(1))
		if err != nil {
			t.Fatal(err)
		}
		b, err := g.Secret(random(2))
		if err != nil {
			t.Fatal(err)
		}
		if g.Power(g.Power(g.G, a), b).Cmp(g.Power(g.Power(g.G, b), a)) != 0 || g.Bytes() != g.P.BitLen()/8 {
			t.Errorf("%d: they disagree", id)
		}
		one := big.NewInt(1)
		for what, bad := range map[string]*big.Int{
			"nil": nil, "zero": new(big.Int), "one": one, "minus-one": new(big.Int).Sub(g.P, one), "p": g.P, "negative": big.NewInt(-2), "two": big.NewInt(2),
		} {
			if g.Has(bad) {
				t.Errorf("%d: %s is a member", id, what)
			}
		}
	}
}

// TestNoChance: where nothing more can be drawn, nothing is made.
func TestNoChance(t *testing.T) {
	t.Parallel()
	c := named(t, "secp256r1")
	if _, _, err := c.Sign(bytes.NewReader(make([]byte, 7)), big.NewInt(1), nil); err == nil {
		t.Error("it signs without a secret")
	}
	if _, err := c.Secret(bytes.NewReader(nil)); err == nil {
		t.Error("it draws from nothing")
	}
}

// FuzzUnmarshal: bytes are a point of the curve, or none.
func FuzzUnmarshal(f *testing.F) {
	for _, name := range names {
		c := named(f, name)
		f.Add(c.Marshal(c.G))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, name := range []string{"secp224r1", "secp256r1", "secp521r1", "brainpoolP256r1", "brainpoolP512t1"} {
			c := named(t, name)
			if p, err := c.Unmarshal(b); err == nil && !c.On(p) {
				t.Errorf("%s: %X is no point", name, b)
			}
		}
	})
}

// FuzzNew: parameters are a sound curve, or none, in bounded time.
func FuzzNew(f *testing.F) {
	for _, name := range names {
		c := named(f, name)
		f.Add(c.P.Bytes(), c.A.Bytes(), c.B.Bytes(), c.G.X.Bytes(), c.G.Y.Bytes(), c.N.Bytes(), 1)
	}
	f.Fuzz(func(t *testing.T, p, a, b, x, y, n []byte, h int) {
		i := func(b []byte) *big.Int { return new(big.Int).SetBytes(b) }
		c, err := curve.New(curve.Curve{P: i(p), A: i(a), B: i(b), G: curve.Point{X: i(x), Y: i(y)}, N: i(n), H: h})
		if err == nil && (!c.On(c.G) || !c.Base(c.N).Infinite()) {
			t.Error("the curve is not sound")
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	for _, name := range []string{"secp256r1", "secp521r1", "brainpoolP256r1", "brainpoolP512r1"} {
		b.Run(name, func(b *testing.B) {
			c := named(b, name)
			digest := sha256.Sum256([]byte("a document"))
			r, s, err := c.Sign(random(1), big.NewInt(12345), digest[:])
			if err != nil {
				b.Fatal(err)
			}
			public := c.Base(big.NewInt(12345))
			for b.Loop() {
				if !c.Verify(public, digest[:], r, s) {
					b.Fatal("refused")
				}
			}
		})
	}
}

func BenchmarkMultiply(b *testing.B) {
	for _, name := range []string{"brainpoolP256r1", "brainpoolP512r1"} {
		b.Run(name, func(b *testing.B) {
			c := named(b, name)
			k := new(big.Int).Sub(c.N, big.NewInt(12345))
			for b.Loop() {
				c.Multiply(k, c.G)
			}
		})
	}
}

func BenchmarkNew(b *testing.B) {
	c := named(b, "brainpoolP512r1")
	own := curve.Curve{P: c.P, A: c.A, B: c.B, G: c.Base(big.NewInt(5)), N: c.N, H: 1}
	for b.Loop() {
		if _, err := curve.New(own); err != nil {
			b.Fatal(err)
		}
	}
}

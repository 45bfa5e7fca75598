package issue

import (
	"cmp"
	"crypto"
	"fmt"
	"io"
	"math/big"

	"github.com/counterproof/counterproof/agent/chip/cert"
	"github.com/counterproof/counterproof/agent/chip/curve"
	"github.com/counterproof/counterproof/agent/chip/der"
)

// Making is what signatures are made with: a curve, or RSA.
type Making struct {
	Curve    string // as curve.ByName knows it
	Explicit bool   // the curve is spelled out in certificates
	RSA      int    // bits of the modulus; 0 with a curve
	PSS      bool   // instead of PKCS #1 v1.5
	Salt     int    // bytes of PSS; as many as the digest has by default
	Hash     crypto.Hash
}

// key is a private key.
type key struct {
	Making
	curve *curve.Curve
	d     *big.Int // private exponent, or factor
	point curve.Point
	n     *big.Int // RSA
}

// exponent is the public exponent of RSA keys.
const exponent = 65537

// newKey draws a key.
func newKey(m Making, random io.Reader) (*key, error) {
	k := &key{Making: m}
	if m.RSA > 0 {
		return k, k.drawRSA(random)
	}
	c, ok := curve.ByName(m.Curve)
	if !ok {
		return nil, fmt.Errorf("no curve is called %q", m.Curve)
	}
	d, err := c.Secret(random)
	if err != nil {
		return nil, err
	}
	k.curve, k.d, k.point = c, d, c.Base(d)
	return k, nil
}

// drawRSA draws two primes. The standard library draws them from its own source
// only, and documents for tests must come out the same every time.
func (k *key) drawRSA(random io.Reader) error {
	one, e := big.NewInt(1), big.NewInt(exponent)
	for {
		p, err := prime(random, k.RSA/2)
		if err != nil {
			return err
		}
		q, err := prime(random, k.RSA-k.RSA/2)
		if err != nil {
			return err
		}
		k.n = new(big.Int).Mul(p, q)
		order := p.Sub(p, one).Mul(p, q.Sub(q, one))
		if k.d = new(big.Int).ModInverse(e, order); k.d != nil && k.n.BitLen() == k.RSA {
			return nil
		}
	}
}

// rounds of the test for primes.
const rounds = 10

// prime draws a prime whose two highest bits are set.
func prime(random io.Reader, bits int) (*big.Int, error) {
	b := make([]byte, (bits+7)/8)
	if _, err := io.ReadFull(random, b); err != nil {
		return nil, fmt.Errorf("drawing a prime: %w", err)
	}
	p, two := new(big.Int).SetBytes(b), big.NewInt(2)
	p.Rsh(p, uint(8*len(b)-bits))
	p.SetBit(p, bits-1, 1).SetBit(p, bits-2, 1).SetBit(p, 0, 1)
	for !p.ProbablyPrime(rounds) {
		p.Add(p, two)
	}
	return p, nil
}

// Identifiers of keys.
const (
	rsaID   der.OID = "1.2.840.113549.1.1.1"
	pssID   der.OID = "1.2.840.113549.1.1.10"
	maskID  der.OID = "1.2.840.113549.1.1.8"
	ecID    der.OID = "1.2.840.10045.2.1"
	primeID der.OID = "1.2.840.10045.1.1"
)

// info writes the public key (RFC 5280 §4.1.2.7).
func (k *key) info() []byte {
	if k.RSA > 0 {
		pair := der.Seq(der.Num(k.n), der.Int(exponent))
		return der.Seq(der.Seq(der.ID(rsaID), der.Nil()), der.BitsOf(pair))
	}
	return der.Seq(der.Seq(der.ID(ecID), k.parameters()), der.BitsOf(k.curve.Marshal(k.point)))
}

// parameters writes the curve: its name, or all of it.
func (k *key) parameters() []byte {
	c := k.curve
	if !k.Explicit {
		return der.ID(der.OID(c.OID.String()))
	}
	field := func(v *big.Int) []byte { return der.Octets(v.FillBytes(make([]byte, c.Bytes()))) }
	return der.Seq(der.Int(1), der.Seq(der.ID(primeID), der.Num(c.P)), der.Seq(field(c.A), field(c.B)),
		der.Octets(c.Marshal(c.G)), der.Num(c.N), der.Int(c.H))
}

// algorithms are the identifiers of signatures by digest.
var (
	rsaWith = map[crypto.Hash]der.OID{
		crypto.SHA1: "1.2.840.113549.1.1.5", crypto.SHA224: "1.2.840.113549.1.1.14", crypto.SHA256: "1.2.840.113549.1.1.11",
		crypto.SHA384: "1.2.840.113549.1.1.12", crypto.SHA512: "1.2.840.113549.1.1.13",
	}
	ecWith = map[crypto.Hash]der.OID{
		crypto.SHA1: "1.2.840.10045.4.1", crypto.SHA224: "1.2.840.10045.4.3.1", crypto.SHA256: "1.2.840.10045.4.3.2",
		crypto.SHA384: "1.2.840.10045.4.3.3", crypto.SHA512: "1.2.840.10045.4.3.4",
	}
)

// digestOf writes the algorithm of a digest.
func digestOf(h crypto.Hash) []byte { return der.Seq(der.ID(cert.DigestID(h)), der.Nil()) }

// algorithm writes how the key signs.
func (k *key) algorithm() []byte {
	switch {
	case k.PSS:
		mask := der.Seq(der.ID(maskID), digestOf(k.Hash))
		return der.Seq(der.ID(pssID), der.Seq(der.Write(der.Context(0, true), digestOf(k.Hash)),
			der.Write(der.Context(1, true), mask), der.Write(der.Context(2, true), der.Int(k.salt()))))
	case k.RSA > 0:
		return der.Seq(der.ID(rsaWith[k.Hash]), der.Nil())
	}
	return der.Seq(der.ID(ecWith[k.Hash]))
}

// salt is the length of the salt of PSS.
func (k *key) salt() int { return cmp.Or(k.Salt, k.Hash.Size()) }

// sign signs a message.
func (k *key) sign(random io.Reader, message []byte) ([]byte, error) {
	digest := cert.Sum(k.Hash, message)
	if k.RSA == 0 {
		r, s, err := k.curve.Sign(random, k.d, digest)
		if err != nil {
			return nil, err
		}
		return der.Seq(der.Num(r), der.Num(s)), nil
	}
	size := (k.RSA + 7) / 8
	block := cert.PKCS1Block(k.Hash, digest, size, true)
	if k.PSS {
		salt := make([]byte, k.salt())
		if _, err := io.ReadFull(random, salt); err != nil {
			return nil, fmt.Errorf("drawing a salt: %w", err)
		}
		block = pssBlock(k.Hash, digest, salt, k.RSA-1)
	}
	m := new(big.Int).SetBytes(block)
	return m.Exp(m, k.d, k.n).FillBytes(make([]byte, size)), nil
}

// pssBlock is the block of a signature of RFC 8017 §9.1.1.
func pssBlock(h crypto.Hash, digest, salt []byte, bits int) []byte {
	size := (bits + 7) / 8
	hash := cert.Sum(h, make([]byte, 8), digest, salt)
	block := make([]byte, size-len(hash)-1)
	block[len(block)-len(salt)-1] = 1
	copy(block[len(block)-len(salt):], salt)
	for i, c := range cert.Mask(h, hash, len(block)) {
		block[i] ^= c
	}
	block[0] &= 0xff >> (8*size - bits)
	return append(append(block, hash...), 0xbc)
}

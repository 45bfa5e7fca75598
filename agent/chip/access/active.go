package access

import (
	"crypto"
	"crypto/subtle"
	"math/big"

	_ "crypto/sha256" // for the digests of Active Authentication
	_ "crypto/sha512" // likewise
)

// ChallengeLen is the length of a terminal's challenge of Active Authentication,
// in bytes (§6.1.2.1).
const ChallengeLen = 8

// DG15 reads the key of Active Authentication from data group 15 (ICAO Doc 9303-10
// §4.7.15).
func DG15(file []byte) (Key, error) {
	const tag = 0x6f
	spki, err := only(file, tag)
	if err != nil {
		return Key{}, err
	}
	return ParseKey(spki)
}

// digests of signatures on curves, by the last number of their identifiers (BSI
// TR-03111 §5.2.1).
var digests = map[byte]crypto.Hash{1: crypto.SHA1, 2: crypto.SHA224, 3: crypto.SHA256, 4: crypto.SHA384, 5: crypto.SHA512}

// trailers of signatures with RSA (ISO/IEC 9796-2, option 2; ISO/IEC 10118-3).
var trailers = map[byte]crypto.Hash{0x33: crypto.SHA1, 0x34: crypto.SHA256, 0x35: crypto.SHA512, 0x36: crypto.SHA384, 0x38: crypto.SHA224}

// Active checks a chip's answer to a challenge (§6.1.2). The infos are those of
// data group 14; they name the digest of keys on curves.
func (k Key) Active(infos Infos, challenge, answer []byte) bool {
	if k.modulus != nil {
		return k.recovered(challenge, answer)
	}
	c := k.domain.Curve
	if c == nil {
		return false
	}
	r, s, ok := halves(answer, (c.N.BitLen()+7)/8)
	if !ok {
		return false
	}
	if h, told := digests[infos.digest]; told {
		return c.Verify(k.public.point, digest(h, challenge), r, s)
	}
	for _, h := range digests { // chips before the rule tell none, and use any
		if c.Verify(k.public.point, digest(h, challenge), r, s) {
			return true
		}
	}
	return false
}

// halves reads a signature: plain, or as some chips give it in ASN.1.
func halves(b []byte, n int) (r, s *big.Int, ok bool) {
	if len(b) == 2*n {
		return new(big.Int).SetBytes(b[:n]), new(big.Int).SetBytes(b[n:]), true
	}
	seq, err := only(b, tagSequence)
	if err != nil {
		return nil, nil, false
	}
	v, err := integers(seq, 2)
	if err != nil {
		return nil, nil, false
	}
	return v[0], v[1], true
}

// digest is the digest of parts of a message.
func digest(h crypto.Hash, parts ...[]byte) []byte {
	d := h.New()
	for _, p := range parts {
		_, _ = d.Write(p) // it never fails
	}
	return d.Sum(nil)
}

// recovered checks a signature of RSA that holds a part of its message (ISO/IEC
// 9796-2, scheme 1; §6.1.2.2): the part, a digest over it and the challenge, and a
// trailer that names the digest.
func (k Key) recovered(challenge, answer []byte) bool {
	s := new(big.Int).SetBytes(answer)
	if s.Cmp(k.modulus) >= 0 {
		return false
	}
	f := new(big.Int).Exp(s, k.exponent, k.modulus)
	const nibble = 0xc // every trailer ends with it
	if f.Bits() == nil || new(big.Int).And(f, big.NewInt(0xf)).Int64() != nibble {
		f.Sub(k.modulus, f) // the smaller of two roots was given (§B.6 of the standard)
	}
	b := f.FillBytes(make([]byte, (k.modulus.BitLen()+7)/8))
	h, body, ok := trailed(b)
	if !ok || len(body) < h.Size() {
		return false
	}
	part, want := body[:len(body)-h.Size()], body[len(body)-h.Size():]
	part, ok = headed(part)
	return ok && subtle.ConstantTimeCompare(digest(h, part, challenge), want) == 1
}

// trailed takes the trailer off and gives the digest that it names.
func trailed(b []byte) (crypto.Hash, []byte, bool) {
	const one, two = 0xbc, 0xcc
	switch n := len(b); b[n-1] {
	case one:
		return crypto.SHA1, b[:n-1], true
	case two:
		h, ok := trailers[b[n-2]]
		return h, b[:n-2], ok
	}
	return 0, nil, false
}

// headed takes the header off: two bits 01, one that tells of a part that is not
// recovered, and a border of nibbles B that ends with A.
func headed(b []byte) ([]byte, bool) {
	const full, filled = 0x6a, 0x6b
	if len(b) == 0 || b[0] != full && b[0] != filled {
		return nil, false
	}
	border := b[0] == filled
	for b = b[1:]; border; b = b[1:] {
		if len(b) == 0 || b[0] != 0xbb && b[0] != 0xba {
			return nil, false
		}
		border = b[0] == 0xbb
	}
	return b, true
}

// AnswerLen is how long a chip's answer to a challenge is, in bytes, at least.
func (k Key) AnswerLen() int {
	switch {
	case k.modulus != nil:
		return (k.modulus.BitLen() + 7) / 8
	case k.domain.Curve != nil:
		return 2 * ((k.domain.Curve.N.BitLen() + 7) / 8)
	}
	return 0
}

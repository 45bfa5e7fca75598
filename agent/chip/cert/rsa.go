package cert

import (
	"bytes"
	"crypto"
	"crypto/subtle"
	"encoding/binary"
	"math/big"

	"github.com/counterproof/counterproof/agent/chip/der"
)

// raised is a signature to the power of the exponent, as long as the modulus; nil
// where it is no signature of the key (RFC 8017 §5.2.2).
func (k *Key) raised(signature []byte) []byte {
	n := (k.modulus.BitLen() + 7) / 8
	s := new(big.Int).SetBytes(signature)
	if len(signature) != n || s.Cmp(k.modulus) >= 0 {
		return nil
	}
	return s.Exp(s, k.exponent, k.modulus).FillBytes(make([]byte, n))
}

// verifyPKCS1 checks a signature of RFC 8017 §8.2 by making the block that it must
// be and comparing whole: reading it has led to forgeries. The parameters of the
// digest may be null or missing.
func (k *Key) verifyPKCS1(h crypto.Hash, digest, signature []byte) bool {
	block := k.raised(signature)
	if block == nil {
		return false
	}
	return bytes.Equal(block, PKCS1Block(h, digest, len(block), true)) || bytes.Equal(block, PKCS1Block(h, digest, len(block), false))
}

// PKCS1Block is the block of a signature of RFC 8017 §9.2, with or without the
// null parameters of the digest; nil where the key is too short.
func PKCS1Block(h crypto.Hash, digest []byte, size int, null bool) []byte {
	id := der.Seq(der.ID(DigestID(h)))
	if null {
		id = der.Seq(der.ID(DigestID(h)), der.Nil())
	}
	info := der.Seq(id, der.Octets(digest))
	fill := size - len(info) - 3
	if fill < 8 {
		return nil
	}
	b := append([]byte{0, 1}, bytes.Repeat([]byte{0xff}, fill)...)
	return append(append(b, 0), info...)
}

// trailer ends a block of PSS.
const trailer = 0xbc

// verifyPSS checks a signature of RFC 8017 §8.1.
func (k *Key) verifyPSS(s scheme, digest, signature []byte) bool {
	block := k.raised(signature)
	if block == nil {
		return false
	}
	bits := k.modulus.BitLen() - 1
	size := (bits + 7) / 8
	if size < len(block) { // the block is a byte shorter than the modulus
		if block[0] != 0 {
			return false
		}
		block = block[1:]
	}
	h := s.hash.Size()
	if size < h+s.salt+2 || block[size-1] != trailer {
		return false
	}
	masked, hash := block[:size-h-1], block[size-h-1:size-1]
	spare := byte(0xff) >> (8*size - bits)
	if masked[0]&^spare != 0 {
		return false
	}
	plain := make([]byte, len(masked))
	subtle.XORBytes(plain, masked, Mask(s.mask, hash, len(masked)))
	plain[0] &= spare
	zeros := len(plain) - s.salt - 1
	if plain[zeros] != 1 || !bytes.Equal(plain[:zeros], make([]byte, zeros)) {
		return false
	}
	return bytes.Equal(hash, Sum(s.hash, make([]byte, 8), digest, plain[zeros+1:]))
}

// Mask is the mask generation function MGF1 (RFC 8017 §B.2.1).
func Mask(h crypto.Hash, seed []byte, n int) []byte {
	var out []byte
	for i := uint32(0); len(out) < n; i++ {
		out = append(out, Sum(h, seed, binary.BigEndian.AppendUint32(nil, i))...)
	}
	return out[:n]
}

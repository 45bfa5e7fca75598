package sm

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"math/bits"
)

// Suite is the ciphers of a session (§9.8.3).
type Suite int

// The suites.
const (
	TripleDES Suite = iota // two keys, with retail MAC
	AES128
	AES192
	AES256
)

// KeyLen is the length of each of a session's two keys, in bytes.
func (s Suite) KeyLen() int {
	switch s {
	case AES192:
		return 24
	case AES256:
		return 32
	}
	return 16
}

// Block is the length of a block, in bytes.
func (s Suite) Block() int {
	if s == TripleDES {
		return des.BlockSize
	}
	return aes.BlockSize
}

// Uses of a derived key (§9.7.1).
const (
	ForEncryption = 1
	ForMAC        = 2
	ForPassword   = 3
)

// Derive is the key derivation function (§9.7.1).
func (s Suite) Derive(secret []byte, use uint32) []byte {
	input := binary.BigEndian.AppendUint32(append([]byte(nil), secret...), use)
	if s == AES192 || s == AES256 {
		sum := sha256.Sum256(input)
		return sum[:s.KeyLen()]
	}
	sum := sha1.Sum(input)
	key := sum[:s.KeyLen()]
	if s == TripleDES {
		for i, b := range key { // odd parity, as DES keys have it
			key[i] = b&^1 | byte(1-bits.OnesCount8(b>>1)%2)
		}
	}
	return key
}

// cipher makes the block cipher of a suite. Its keys come from Derive, so their
// lengths are right.
func (s Suite) cipher(key []byte) (cipher.Block, error) {
	if s == TripleDES {
		return des.NewTripleDESCipher(append(append([]byte(nil), key...), key[:8]...))
	}
	return aes.NewCipher(key)
}

// Encrypt encrypts whole blocks in CBC mode; a nil iv is all zeros.
func (s Suite) Encrypt(key, iv, plain []byte) ([]byte, error) {
	block, iv, err := s.ready(key, iv, plain)
	if err != nil {
		return nil, err
	}
	out := make([]byte, len(plain))
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(out, plain)
	return out, nil
}

// Decrypt decrypts whole blocks in CBC mode; a nil iv is all zeros.
func (s Suite) Decrypt(key, iv, text []byte) ([]byte, error) {
	block, iv, err := s.ready(key, iv, text)
	if err != nil {
		return nil, err
	}
	out := make([]byte, len(text))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(out, text)
	return out, nil
}

// ready makes a cipher and checks that it fits what it is given.
func (s Suite) ready(key, iv, blocks []byte) (cipher.Block, []byte, error) {
	if iv == nil {
		iv = make([]byte, s.Block())
	}
	if len(key) != s.KeyLen() || len(iv) != s.Block() || len(blocks)%s.Block() != 0 {
		return nil, nil, ErrProtocol
	}
	block, err := s.cipher(key)
	return block, iv, err
}

// Pad is padding method 2 of ISO/IEC 9797-1.
func Pad(b []byte, block int) []byte {
	out := append(append([]byte(nil), b...), 0x80)
	for len(out)%block != 0 {
		out = append(out, 0)
	}
	return out
}

// Unpad takes padding method 2 away.
func Unpad(b []byte) ([]byte, error) {
	for i := len(b) - 1; i >= 0; i-- {
		switch b[i] {
		case 0:
			continue
		case 0x80:
			return b[:i], nil
		}
		break
	}
	return nil, ErrAuthentic
}

// MACLen is the length of a message authentication code, in bytes.
const MACLen = 8

// MAC authenticates a message that has whole blocks for 3DES, or any length for
// AES.
func (s Suite) MAC(key, message []byte) ([]byte, error) {
	if s == TripleDES {
		return retailMAC(key, message)
	}
	full, err := cmac(key, message)
	if err != nil {
		return nil, err
	}
	return full[:MACLen], nil
}

// retailMAC is MAC algorithm 3 of ISO/IEC 9797-1 with DES over a padded message.
func retailMAC(key, padded []byte) ([]byte, error) {
	one, err := des.NewCipher(key[:8])
	if err != nil {
		return nil, err
	}
	two, err := des.NewCipher(key[8:16])
	if err != nil {
		return nil, err
	}
	state := make([]byte, des.BlockSize)
	for ; len(padded) >= des.BlockSize; padded = padded[des.BlockSize:] {
		subtle.XORBytes(state, state, padded[:des.BlockSize])
		one.Encrypt(state, state)
	}
	two.Decrypt(state, state)
	one.Encrypt(state, state)
	return state, nil
}

// cmac is CMAC with AES (NIST SP 800-38B).
func cmac(key, message []byte) ([]byte, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	k1 := make([]byte, aes.BlockSize)
	block.Encrypt(k1, k1)
	double(k1)
	last := make([]byte, aes.BlockSize)
	whole := (max(len(message), 1) - 1) / aes.BlockSize * aes.BlockSize
	n := copy(last, message[whole:])
	if n < aes.BlockSize {
		last[n] = 0x80
		double(k1) // the second subkey
	}
	subtle.XORBytes(last, last, k1)
	state := make([]byte, aes.BlockSize)
	for m := message[:whole]; len(m) > 0; m = m[aes.BlockSize:] {
		subtle.XORBytes(state, state, m[:aes.BlockSize])
		block.Encrypt(state, state)
	}
	subtle.XORBytes(state, state, last)
	block.Encrypt(state, state)
	return state, nil
}

// double multiplies by x in the field of CMAC's subkeys.
func double(b []byte) {
	carry := b[0] >> 7
	for i := range b {
		b[i] <<= 1
		if i+1 < len(b) {
			b[i] |= b[i+1] >> 7
		}
	}
	b[len(b)-1] ^= carry * 0x87
}

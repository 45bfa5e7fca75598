package chip

import (
	"crypto/cipher"
	"crypto/sha1"
	"crypto/subtle"
	"slices"
)

// Lengths of Basic Access Control, in bytes.
const (
	nonceLen  = 8
	secretLen = 16
)

// seed is the access key that is printed in the booklet: number, date of birth
// and date of expiry of the machine-readable zone with their check digits
// (§9.7.3).
func seed(mrzInformation string) []byte {
	sum := sha1.Sum([]byte(mrzInformation))
	return sum[:secretLen]
}

// bac is one run of Basic Access Control (§4.3), from either side.
type bac struct {
	enc  cipher.Block
	code []byte // the key of the code
}

func newBAC(mrzInformation string) (bac, error) {
	k := seed(mrzInformation)
	enc, err := cipherOf(TripleDES, derive(TripleDES, k, forEncryption))
	return bac{enc, derive(TripleDES, k, forMAC)}, err
}

// sealed is a message of the protocol: two nonces and half of the session's
// secret, encrypted, and a code over them.
func (b bac) sealed(mine, theirs, secret []byte) ([]byte, error) {
	s := slices.Concat(mine, theirs, secret)
	cipher.NewCBCEncrypter(b.enc, make([]byte, 8)).CryptBlocks(s, s)
	code, err := retailMAC(b.code, pad(s, 8))
	return append(s, code...), err
}

// open checks a message of the other side and gives its nonce and its half of
// the secret.
func (b bac) open(message, mine []byte) (theirs, secret []byte, err error) {
	const body = 2*nonceLen + secretLen
	if len(message) != body+macLen {
		return nil, nil, ErrProtocol
	}
	code, err := retailMAC(b.code, pad(message[:body], 8))
	if err != nil {
		return nil, nil, err
	}
	if subtle.ConstantTimeCompare(code, message[body:]) != 1 {
		return nil, nil, ErrKey
	}
	s := slices.Clone(message[:body])
	cipher.NewCBCDecrypter(b.enc, make([]byte, 8)).CryptBlocks(s, s)
	if subtle.ConstantTimeCompare(s[nonceLen:2*nonceLen], mine) != 1 {
		return nil, nil, ErrAuthentic
	}
	return s[:nonceLen], s[2*nonceLen:], nil
}

// session is what both sides come to: keys of the two halves, and a counter of
// the two nonces (§9.8.6.3).
func session(one, other, chipNonce, terminalNonce []byte) (*Secure, error) {
	secret := make([]byte, secretLen)
	subtle.XORBytes(secret, one, other)
	counter := slices.Concat(chipNonce[nonceLen-4:], terminalNonce[nonceLen-4:])
	return NewSecure(TripleDES, derive(TripleDES, secret, forEncryption), derive(TripleDES, secret, forMAC), counter)
}

// BACTerminal makes a terminal's message of Basic Access Control from the chip's
// nonce; finish takes the chip's answer to the session. random gives the 24 bytes
// that the terminal draws.
func BACTerminal(mrzInformation string, chipNonce []byte, random [nonceLen + secretLen]byte) (message []byte, finish func(answer []byte) (*Secure, error), err error) {
	if len(chipNonce) != nonceLen {
		return nil, nil, ErrProtocol
	}
	b, err := newBAC(mrzInformation)
	if err != nil {
		return nil, nil, err
	}
	nonce, secret := random[:nonceLen], random[nonceLen:]
	message, err = b.sealed(nonce, chipNonce, secret)
	return message, func(answer []byte) (*Secure, error) {
		echoed, theirs, err := b.open(answer, nonce)
		if err != nil {
			return nil, err
		}
		if subtle.ConstantTimeCompare(echoed, chipNonce) != 1 {
			return nil, ErrAuthentic
		}
		return session(secret, theirs, chipNonce, nonce)
	}, err
}

// BACChip answers a terminal's message as a chip does.
func BACChip(mrzInformation string, chipNonce, message []byte, secret [secretLen]byte) (answer []byte, s *Secure, err error) {
	b, err := newBAC(mrzInformation)
	if err != nil {
		return nil, nil, err
	}
	nonce, theirs, err := b.open(message, chipNonce)
	if err != nil {
		return nil, nil, err
	}
	if answer, err = b.sealed(chipNonce, nonce, secret[:]); err != nil {
		return nil, nil, err
	}
	s, err = session(theirs, secret[:], chipNonce, nonce)
	return answer, s, err
}

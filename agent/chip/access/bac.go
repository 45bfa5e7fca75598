package access

import (
	"crypto/sha1"
	"crypto/subtle"
	"slices"

	"github.com/counterproof/counterproof/agent/chip/sm"
)

// Lengths of Basic Access Control, in bytes.
const (
	NonceLen  = 8
	SecretLen = 16
)

// hashed is a text's SHA-1.
func hashed(text string) []byte {
	sum := sha1.Sum([]byte(text))
	return sum[:]
}

// seed is the access key that is printed in the booklet: number, date of birth
// and date of expiry of the machine-readable zone with their check digits
// (§9.7.3).
func seed(mrzInformation string) []byte { return hashed(mrzInformation)[:SecretLen] }

// bac are the keys of one run of Basic Access Control (§4.3), from either side.
type bac struct{ enc, code []byte }

func newBAC(mrzInformation string) bac {
	k := seed(mrzInformation)
	return bac{sm.TripleDES.Derive(k, sm.ForEncryption), sm.TripleDES.Derive(k, sm.ForMAC)}
}

// sealed is a message of the protocol: two nonces and half of the session's
// secret, encrypted, and a code over them.
func (b bac) sealed(mine, theirs, secret []byte) ([]byte, error) {
	s, err := sm.TripleDES.Encrypt(b.enc, nil, slices.Concat(mine, theirs, secret))
	if err != nil {
		return nil, err
	}
	code, err := sm.TripleDES.MAC(b.code, sm.Pad(s, sm.TripleDES.Block()))
	return append(s, code...), err
}

// open checks a message of the other side and gives its nonce and its half of
// the secret.
func (b bac) open(message, mine []byte) (theirs, secret []byte, err error) {
	const body = 2*NonceLen + SecretLen
	if len(message) != body+sm.MACLen {
		return nil, nil, sm.ErrProtocol
	}
	code, err := sm.TripleDES.MAC(b.code, sm.Pad(message[:body], sm.TripleDES.Block()))
	if err != nil {
		return nil, nil, err
	}
	if subtle.ConstantTimeCompare(code, message[body:]) != 1 {
		return nil, nil, ErrKey
	}
	s, err := sm.TripleDES.Decrypt(b.enc, nil, message[:body])
	if err != nil {
		return nil, nil, err
	}
	if subtle.ConstantTimeCompare(s[NonceLen:2*NonceLen], mine) != 1 {
		return nil, nil, sm.ErrAuthentic
	}
	return s[:NonceLen], s[2*NonceLen:], nil
}

// session is what both sides come to: keys of the two halves, and a counter of
// the two nonces (§9.8.6.3).
func session(one, other, chipNonce, terminalNonce []byte) (*sm.Secure, error) {
	secret := make([]byte, SecretLen)
	subtle.XORBytes(secret, one, other)
	counter := slices.Concat(chipNonce[NonceLen-4:], terminalNonce[NonceLen-4:])
	return secured(sm.TripleDES, secret, counter)
}

// secured begins a session with keys of a secret (§9.7.1). Where no counter is
// given it begins at zero (§9.8.6.2).
func secured(s sm.Suite, secret, counter []byte) (*sm.Secure, error) {
	if counter == nil {
		counter = make([]byte, s.Block())
	}
	return sm.NewSecure(s, s.Derive(secret, sm.ForEncryption), s.Derive(secret, sm.ForMAC), counter)
}

// BACTerminal makes a terminal's message of Basic Access Control from the chip's
// nonce; finish takes the chip's answer to the session. random gives the 24 bytes
// that the terminal draws.
func BACTerminal(mrzInformation string, chipNonce []byte, random [NonceLen + SecretLen]byte) (message []byte, finish func(answer []byte) (*sm.Secure, error), err error) {
	if len(chipNonce) != NonceLen {
		return nil, nil, sm.ErrProtocol
	}
	b := newBAC(mrzInformation)
	nonce, secret := random[:NonceLen], random[NonceLen:]
	message, err = b.sealed(nonce, chipNonce, secret)
	return message, func(answer []byte) (*sm.Secure, error) {
		echoed, theirs, err := b.open(answer, nonce)
		if err != nil {
			return nil, err
		}
		if subtle.ConstantTimeCompare(echoed, chipNonce) != 1 {
			return nil, sm.ErrAuthentic
		}
		return session(secret, theirs, chipNonce, nonce)
	}, err
}

// BACChip answers a terminal's message as a chip does.
func BACChip(mrzInformation string, chipNonce, message []byte, secret [SecretLen]byte) (answer []byte, s *sm.Secure, err error) {
	b := newBAC(mrzInformation)
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

package export

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
)

// scalarBytes is the length of each half of a signature on P-256.
const scalarBytes = 32

// joseHeader is the first part of a JWT (RFC 7515 §4.1).
type joseHeader struct {
	Algorithm string `json:"alg"`
	KeyID     string `json:"kid,omitempty"`
	Type      string `json:"typ"`
}

// signES256 writes a JWT in compact form, signed by ECDSA on P-256 over SHA-256.
// The signature is r and s, 32 bytes each, big-endian (RFC 7518 §3.4), not the
// ASN.1 that a crypto.Signer gives.
//
// An ECDSA signature is malleable: with (r, s) anybody can make (r, n-s), which
// verifies too, and readers of JWTs take both. We give the lower s, so that ours
// has one form, but a reader must not take the bytes of a JWT, or their hash, for
// its name; that is jti.
func signES256(payload []byte, keyID string, key crypto.Signer) (string, error) {
	public, err := publicKey(key)
	if err != nil {
		return "", err
	}
	header, err := json.Marshal(joseHeader{Algorithm: "ES256", KeyID: keyID, Type: "JWT"})
	if err != nil {
		return "", fmt.Errorf("writing the header: %w", err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode(header) + "." + encode(payload)
	digest := sha256.Sum256([]byte(signed))
	der, err := key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		return "", fmt.Errorf("signing: %w", err)
	}
	r, s, err := readSignature(der)
	if err != nil {
		return "", fmt.Errorf("signing: %w", err)
	}
	// A signer that lives in another device may fail without saying so.
	if !ecdsa.Verify(public, digest[:], r, s) {
		return "", errors.New("signing: the signature is not the key's")
	}
	raw := make([]byte, 2*scalarBytes)
	r.FillBytes(raw[:scalarBytes])
	s.FillBytes(raw[scalarBytes:])
	return signed + "." + encode(raw), nil
}

// publicKey is the public part of a key that can make ES256 signatures.
func publicKey(key crypto.Signer) (*ecdsa.PublicKey, error) {
	if key == nil {
		return nil, errors.New("there is no key")
	}
	public, ok := key.Public().(*ecdsa.PublicKey)
	if !ok || public.Curve != elliptic.P256() {
		return nil, errors.New("the key is not one for ECDSA on P-256")
	}
	return public, nil
}

// readSignature reads an ASN.1 signature (RFC 3279 §2.2.3) and gives the lower of
// the two values that s may have.
func readSignature(der []byte) (r, s *big.Int, err error) {
	var pair struct{ R, S *big.Int }
	rest, err := asn1.Unmarshal(der, &pair)
	if err != nil || len(rest) > 0 {
		return nil, nil, errors.New("the signature is not a pair of numbers")
	}
	order := elliptic.P256().Params().N
	for _, n := range []*big.Int{pair.R, pair.S} {
		if n.Sign() <= 0 || n.Cmp(order) >= 0 {
			return nil, nil, errors.New("the signature is out of the curve's range")
		}
	}
	if higher := new(big.Int).Sub(order, pair.S); higher.Cmp(pair.S) < 0 {
		pair.S = higher
	}
	return pair.R, pair.S, nil
}

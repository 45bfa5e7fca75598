package provision

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// assertionLife is how long an assertion is good for: enough for clocks that
// differ by a little, too short to be worth stealing.
const assertionLife = 2 * time.Minute

// minKeyBits is the smallest RSA key for RS512 (RFC 7518 §3.3).
const minKeyBits = 2048

// assertion is the claims of a client assertion (RFC 7523 §3; NHS login,
// Provision Account: iss and sub are the client id, aud the token's URL).
type assertion struct {
	Issuer   string `json:"iss"`
	Subject  string `json:"sub"`
	Audience string `json:"aud"`
	Expires  int64  `json:"exp"` // seconds since 1970
	ID       string `json:"jti"`
}

// joseHeader is the first part of a JWT (RFC 7515 §4.1).
type joseHeader struct {
	Algorithm string `json:"alg"`
	KeyID     string `json:"kid,omitempty"`
	Type      string `json:"typ"`
}

// checkKey refuses a key that cannot make an RS512 signature.
func checkKey(key crypto.Signer) error {
	if key == nil {
		return errors.New("there is no key")
	}
	public, ok := key.Public().(*rsa.PublicKey)
	if !ok {
		return errors.New("the key is not an RSA key")
	}
	if public.N.BitLen() < minKeyBits {
		return fmt.Errorf("the key has %d bits, fewer than %d", public.N.BitLen(), minKeyBits)
	}
	return nil
}

// assert makes a client assertion with a jti of its own.
func (c Config) assert(now time.Time) (string, error) {
	return sign(joseHeader{Algorithm: "RS512", KeyID: c.KeyID, Type: "JWT"}, assertion{
		Issuer: c.ClientID, Subject: c.ClientID, Audience: c.TokenURL,
		Expires: now.Add(assertionLife).Unix(), ID: rand.Text(),
	}, c.Key)
}

// sign writes a JWT in compact form with RSASSA-PKCS1-v1_5 over SHA-512 (RFC
// 7515 §7.1, RFC 7518 §3.3).
func sign(header joseHeader, claims any, key crypto.Signer) (string, error) {
	first, err := json.Marshal(header)
	if err != nil {
		return "", fmt.Errorf("writing the header: %w", err)
	}
	second, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("writing the claims: %w", err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode(first) + "." + encode(second)
	digest := sha512.Sum512([]byte(signed))
	signature, err := key.Sign(rand.Reader, digest[:], crypto.SHA512)
	if err != nil {
		return "", fmt.Errorf("signing: %w", err)
	}
	return signed + "." + encode(signature), nil
}

package provisionsim

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"
)

// assertionType is the only kind of assertion that is taken (RFC 7523 §2.2).
const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// Bounds of an assertion.
const (
	maxAssertion = 8 << 10
	maxLife      = time.Hour
	maxID        = 128
)

// audience is one audience or a list of them (RFC 7519 §4.1.3).
type audience []string

// UnmarshalJSON reads either form.
func (a *audience) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*a = audience{one}
		return nil
	}
	var many []string
	if json.Unmarshal(text, &many) != nil {
		return errors.New("the audience is neither a name nor a list of names")
	}
	*a = many
	return nil
}

// claims are what an assertion says; exp is seconds since 1970.
type claims struct {
	Issuer   string   `json:"iss"`
	Subject  string   `json:"sub"`
	Audience audience `json:"aud"`
	Expires  int64    `json:"exp"`
	ID       string   `json:"jti"`
}

// verify reads a JWT and checks its RS512 signature (RFC 7515 §5.2). The algorithm
// is never the token's own choice, and nothing of the claims is read before the
// signature is right.
func verify(jwt string, key *rsa.PublicKey) (claims, error) {
	parts := strings.Split(jwt, ".")
	if len(jwt) > maxAssertion || len(parts) != 3 {
		return claims{}, errors.New("the assertion has not three parts")
	}
	var raw [3][]byte
	for i, part := range parts {
		var err error
		if raw[i], err = base64.RawURLEncoding.Strict().DecodeString(part); err != nil {
			return claims{}, errors.New("the assertion is not base64url")
		}
	}
	var header struct {
		Algorithm string   `json:"alg"`
		Critical  []string `json:"crit"`
	}
	if json.Unmarshal(raw[0], &header) != nil || header.Algorithm != "RS512" || len(header.Critical) > 0 {
		return claims{}, errors.New("the assertion is not signed by RS512")
	}
	digest := sha512.Sum512([]byte(parts[0] + "." + parts[1]))
	if rsa.VerifyPKCS1v15(key, crypto.SHA512, digest[:], raw[2]) != nil {
		return claims{}, errors.New("the signature of the assertion is wrong")
	}
	var c claims
	if json.Unmarshal(raw[1], &c) != nil {
		return claims{}, errors.New("the claims of the assertion do not read")
	}
	return c, nil
}

// check holds claims to the client, this service and the time (RFC 7523 §3). An
// assertion that would be good for longer than an hour is refused: its jti could
// not be remembered for as long.
func (c claims) check(cfg Config, now time.Time) error {
	expires := time.Unix(c.Expires, 0)
	switch {
	case c.Issuer != cfg.ClientID || c.Subject != cfg.ClientID:
		return errors.New("the assertion is another client's")
	case !slices.Contains(c.Audience, cfg.TokenURL):
		return errors.New("the assertion is for another service")
	case !now.Before(expires) || expires.Sub(now) > maxLife:
		return errors.New("the assertion has run out, or never would")
	case c.ID == "" || len(c.ID) > maxID:
		return errors.New("the assertion has no jti")
	}
	return nil
}

package provision

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"strings"
	"testing"
	"time"
)

// opened takes a JWT apart and checks its signature.
func opened(t *testing.T, jwt string) (header, claims map[string]any) {
	t.Helper()
	parts := strings.Split(jwt, ".")
	if len(parts) != 3 {
		t.Fatalf("got %d parts", len(parts))
	}
	var raw [3][]byte
	for i, part := range parts {
		var err error
		if raw[i], err = base64.RawURLEncoding.DecodeString(part); err != nil {
			t.Fatal(err)
		}
	}
	digest := sha512.Sum512([]byte(parts[0] + "." + parts[1]))
	if err := rsa.VerifyPKCS1v15(&testKey().PublicKey, crypto.SHA512, digest[:], raw[2]); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw[0], &header); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw[1], &claims); err != nil {
		t.Fatal(err)
	}
	return header, claims
}

func TestAssertion(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	seen := map[any]bool{}
	for range 3 {
		r.Provision(t.Context(), anna())
		r.clock.move(tokenLife)
	}
	for i, text := range r.line.tokens {
		form, err := url.ParseQuery(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := form.Get("grant_type"); got != "client_credentials" {
			t.Errorf("grant_type %q", got)
		}
		header, claims := opened(t, form.Get("client_assertion"))
		if header["alg"] != "RS512" || header["typ"] != "JWT" || header["kid"] != "test-1" {
			t.Errorf("header %v", header)
		}
		if claims["iss"] != clientID || claims["sub"] != clientID || claims["aud"] != tokenURL {
			t.Errorf("claims %v", claims)
		}
		at := start.Add(time.Duration(i) * tokenLife)
		if got := claims["exp"]; got != float64(at.Add(assertionLife).Unix()) {
			t.Errorf("exp %v, want two minutes after %s", got, at)
		}
		if jti, _ := claims["jti"].(string); len(jti) < 20 || seen[jti] {
			t.Errorf("jti %q is short or was used before", jti)
		}
		seen[claims["jti"]] = true
	}
	if len(seen) != 3 {
		t.Errorf("got %d assertions, want 3", len(seen))
	}
}

// brokenSigner is a key in a device that fails.
type brokenSigner struct{ crypto.Signer }

func (brokenSigner) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("the device is gone")
}

func TestKey(t *testing.T) {
	t.Parallel()
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, key := range map[string]crypto.Signer{"none": nil, "weak": weak, "ecdsa": other} {
		if checkKey(key) == nil {
			t.Errorf("%s passes", name)
		}
	}
	c := newClient(t, &clock{at: start}, &line{to: service(200, nil, "")})
	c.cfg.Key = brokenSigner{testKey()}
	if a := c.Provision(t.Context(), anna()); a.Disposition != ConfigAlarm || !strings.Contains(a.Err.Error(), "the device is gone") {
		t.Errorf("got %+v, want an alarm that says why", a)
	}
}

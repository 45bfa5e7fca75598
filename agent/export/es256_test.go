package export

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"io"
	"math/big"
	"strings"
	"testing"
)

// device is a key that signs in its own way.
type device struct {
	crypto.Signer
	sign func([]byte) ([]byte, error)
}

func (d device) Sign(_ io.Reader, digest []byte, _ crypto.SignerOpts) ([]byte, error) {
	return d.sign(digest)
}

// pair writes a signature as a device does.
func pair(r, s *big.Int) []byte {
	der, err := asn1.Marshal(struct{ R, S *big.Int }{r, s})
	if err != nil {
		return nil
	}
	return der
}

// TestSignature: what a reader checks, and that it finds what was changed.
func TestSignature(t *testing.T) {
	t.Parallel()
	half := new(big.Int).Rsh(elliptic.P256().Params().N, 1)
	for range 64 {
		jwt, err := signES256([]byte(`{"sub":"x"}`), "k", testKey())
		if err != nil {
			t.Fatal(err)
		}
		header, claims, err := verified(t, jwt, &testKey().PublicKey)
		if err != nil || header["alg"] != "ES256" || header["typ"] != "JWT" || header["kid"] != "k" || claims["sub"] != "x" {
			t.Fatalf("got %v %v (%v)", header, claims, err)
		}
		raw, err := base64.RawURLEncoding.DecodeString(jwt[strings.LastIndex(jwt, ".")+1:])
		if err != nil || len(raw) != 64 {
			t.Fatalf("a signature of %d bytes (%v), want 64", len(raw), err)
		}
		if new(big.Int).SetBytes(raw[32:]).Cmp(half) > 0 {
			t.Fatal("s is the higher of its two values")
		}
	}
	jwt, err := signES256([]byte(`{"sub":"x"}`), "", testKey())
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(jwt, ".")
	stranger, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := verified(t, jwt, &stranger.PublicKey); err == nil {
		t.Error("another key's signature verifies")
	}
	parts[1] = base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"y"}`))
	if _, _, err := verified(t, strings.Join(parts, "."), &testKey().PublicKey); err == nil {
		t.Error("changed claims verify")
	}
}

// TestMalleable shows what the comment of signES256 warns of: a second signature
// that verifies, made without the key.
func TestMalleable(t *testing.T) {
	t.Parallel()
	jwt, err := signES256([]byte(`{"sub":"x"}`), "", testKey())
	if err != nil {
		t.Fatal(err)
	}
	at := strings.LastIndex(jwt, ".") + 1
	raw, err := base64.RawURLEncoding.DecodeString(jwt[at:])
	if err != nil {
		t.Fatal(err)
	}
	s := new(big.Int).SetBytes(raw[32:])
	s.Sub(elliptic.P256().Params().N, s).FillBytes(raw[32:])
	twin := jwt[:at] + base64.RawURLEncoding.EncodeToString(raw)
	if _, _, err := verified(t, twin, &testKey().PublicKey); err != nil || twin == jwt {
		t.Errorf("got %v", err)
	}
}

// TestDevices: a device that fails, quietly or aloud, makes no credential.
func TestDevices(t *testing.T) {
	t.Parallel()
	order := elliptic.P256().Params().N
	one := big.NewInt(1)
	for name, sign := range map[string]func([]byte) ([]byte, error){
		"error":    func([]byte) ([]byte, error) { return nil, errors.New("gone") },
		"nothing":  func([]byte) ([]byte, error) { return nil, nil },
		"raw":      func([]byte) ([]byte, error) { return make([]byte, 64), nil },
		"zero":     func([]byte) ([]byte, error) { return pair(new(big.Int), one), nil },
		"negative": func([]byte) ([]byte, error) { return pair(one, big.NewInt(-1)), nil },
		"order":    func([]byte) ([]byte, error) { return pair(order, one), nil },
		"huge":     func([]byte) ([]byte, error) { return pair(one, new(big.Int).Lsh(order, 4096)), nil },
		"wrong":    func([]byte) ([]byte, error) { return pair(one, one), nil },
		"trailing": func(digest []byte) ([]byte, error) {
			der, err := testKey().Sign(rand.Reader, digest, crypto.SHA256)
			return append(der, 0), err
		},
	} {
		if jwt, err := signES256([]byte(`{}`), "", device{testKey(), sign}); err == nil || jwt != "" {
			t.Errorf("%s: got %q (%v)", name, jwt, err)
		}
	}
	// A device that always gives the higher s is put right.
	higher := func(digest []byte) ([]byte, error) {
		der, err := testKey().Sign(rand.Reader, digest, crypto.SHA256)
		if err != nil {
			return nil, err
		}
		r, s, err := readSignature(der)
		return pair(r, new(big.Int).Sub(order, s)), err
	}
	jwt, err := signES256([]byte(`{}`), "", device{testKey(), higher})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := verified(t, jwt, &testKey().PublicKey); err != nil {
		t.Error(err)
	}
	_, other, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := publicKey(other); err == nil {
		t.Error("a key of another kind is taken")
	}
	curve, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := publicKey(curve); err == nil {
		t.Error("a key on another curve is taken")
	}
}

// FuzzSignature: whatever a device gives, both halves fit and s is the lower one.
func FuzzSignature(f *testing.F) {
	der, err := testKey().Sign(rand.Reader, make([]byte, 32), crypto.SHA256)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(der)
	f.Add(pair(big.NewInt(1), big.NewInt(-1)))
	f.Add([]byte{0x30, 0x80, 2, 1, 1, 2, 1, 1, 0, 0})
	f.Fuzz(func(t *testing.T, der []byte) {
		r, s, err := readSignature(der)
		if err != nil {
			return
		}
		order := elliptic.P256().Params().N
		if r.Sign() <= 0 || s.Sign() <= 0 || r.Cmp(order) >= 0 || new(big.Int).Lsh(s, 1).Cmp(order) > 0 {
			t.Errorf("took %x", der)
		}
	})
}

//go:build cgo

package hsm

import (
	"bytes"
	"crypto/ecdh"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/miekg/pkcs11"
)

const testPIN = "73912846"

// library is where Debian and Fedora keep SoftHSM2.
func library(t testing.TB) string {
	t.Helper()
	for _, path := range []string{"/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so", "/usr/lib64/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so"} {
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	t.Skip("SKIPPED, AND NOTHING OF TOKENS IS TESTED: libsofthsm2.so is missing (apt-get install softhsm2)")
	return ""
}

// newToken makes a token of SoftHSM2 in a folder of the test and says how to open
// it. The library is one for the whole process, so these tests run one by one.
func newToken(t testing.TB) Config {
	t.Helper()
	path := library(t)
	dir := t.TempDir()
	conf := filepath.Join(dir, "softhsm2.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, "directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n", dir), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SOFTHSM2_CONF", conf)
	m := pkcs11.New(path)
	if m == nil {
		t.Fatal("the library does not load")
	}
	defer m.Destroy()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(m.Initialize())
	slots, err := m.GetSlotList(true)
	must(err)
	must(m.InitToken(slots[len(slots)-1], "so-pin-5", "opening"))
	slots, err = m.GetSlotList(true)
	must(err)
	for _, slot := range slots {
		info, err := m.GetTokenInfo(slot)
		must(err)
		if strings.TrimRight(info.Label, " \x00") != "opening" {
			continue
		}
		s, err := m.OpenSession(slot, pkcs11.CKF_SERIAL_SESSION|pkcs11.CKF_RW_SESSION)
		must(err)
		must(m.Login(s, pkcs11.CKU_SO, "so-pin-5"))
		must(m.InitPIN(s, testPIN))
		must(m.CloseSession(s))
	}
	must(m.Finalize())
	return Config{Module: path, Token: "opening", PIN: func() ([]byte, error) { return []byte(testPIN), nil }}
}

func open(t testing.TB, cfg Config) *Token {
	t.Helper()
	token, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = token.Close() })
	return token
}

func generate(t testing.TB, token *Token, label string) *Key {
	t.Helper()
	k, err := token.Generate(label)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// agrees checks that a key comes to the same secret as the other side.
func agrees(t *testing.T, k *Key) {
	t.Helper()
	other, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	want, err := other.ECDH(k.PublicKey())
	if err != nil {
		t.Fatal(err)
	}
	got, err := k.ECDH(other.PublicKey())
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("the secrets differ, or there is none: %v", err)
	}
}

func TestAgreement(t *testing.T) {
	token := open(t, newToken(t))
	k, l := generate(t, token, "claims 2026-11"), generate(t, token, "claims 2026-11")
	if k.Curve() != ecdh.P256() || k.PublicKey().Equal(l.PublicKey()) {
		t.Error("the keys are the same, or of another curve")
	}
	for range 20 {
		agrees(t, k)
	}
	agrees(t, l)
	for name, remote := range map[string]func() (*ecdh.PrivateKey, error){
		"x25519": func() (*ecdh.PrivateKey, error) { return ecdh.X25519().GenerateKey(rand.Reader) },
		"p384":   func() (*ecdh.PrivateKey, error) { return ecdh.P384().GenerateKey(rand.Reader) },
	} {
		r, err := remote()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := k.ECDH(r.PublicKey()); err == nil || errors.Is(err, ErrAway) {
			t.Errorf("%s: %v; want an error about the key", name, err)
		}
	}
	if _, err := k.ECDH(nil); err == nil {
		t.Error("no key agreed")
	}
}

// The private half is nobody's, whoever is logged in.
func TestKeysStay(t *testing.T) {
	token := open(t, newToken(t))
	k := generate(t, token, "claims")
	object, err := token.object(pkcs11.CKO_PRIVATE_KEY, k.id)
	if err != nil {
		t.Fatal(err)
	}
	got, err := token.module.GetAttributeValue(token.session, object, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_VALUE, nil)})
	if err == nil && len(got[0].Value) > 0 {
		t.Error("the token gives the private key out")
	}
	// The same check finds a key that would be given out.
	_, weak, err := token.module.GenerateKeyPair(token.session, []*pkcs11.Mechanism{pkcs11.NewMechanism(pkcs11.CKM_EC_KEY_PAIR_GEN, nil)},
		[]*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_EC_PARAMS, p256())},
		[]*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_EXTRACTABLE, true), pkcs11.NewAttribute(pkcs11.CKA_SENSITIVE, false)})
	if err != nil {
		t.Fatal(err)
	}
	if token.kept(weak) == nil {
		t.Error("a key that can be read passes for one that stays")
	}
}

func TestListAndDestroy(t *testing.T) {
	cfg := newToken(t)
	token := open(t, cfg)
	kept, gone := generate(t, token, "claims 2026-11"), generate(t, token, "evidence 2026-08")
	// A key of somebody else's is left alone.
	_, _, err := token.module.GenerateKeyPair(token.session, []*pkcs11.Mechanism{pkcs11.NewMechanism(pkcs11.CKM_EC_KEY_PAIR_GEN, nil)},
		[]*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_EC_PARAMS, p256()), pkcs11.NewAttribute(pkcs11.CKA_TOKEN, true)},
		[]*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_LABEL, "payroll"), pkcs11.NewAttribute(pkcs11.CKA_TOKEN, true)})
	if err != nil {
		t.Fatal(err)
	}
	if err := token.Destroy(gone); err != nil {
		t.Fatal(err)
	}
	if err := token.Destroy(gone); err == nil {
		t.Error("a key was destroyed twice")
	}
	if _, err := gone.ECDH(kept.PublicKey()); !errors.Is(err, ErrAway) {
		t.Errorf("a key that was destroyed agrees: %v", err)
	}
	if err := token.Close(); err != nil {
		t.Fatal(err)
	}
	again := open(t, cfg)
	keys, err := again.Keys()
	if err != nil || len(keys) != 1 || keys[0].Label != Prefix+"claims 2026-11" || !keys[0].PublicKey().Equal(kept.PublicKey()) {
		t.Fatalf("%d keys are listed, %v; want the one that was kept", len(keys), err)
	}
	agrees(t, keys[0])
}

// A session that ends is opened again; a token that is not there is no bad input.
func TestTokenGoesAway(t *testing.T) {
	cfg := newToken(t)
	token := open(t, cfg)
	k := generate(t, token, "claims")
	for name, pull := range map[string]func() error{
		"session-closed":    func() error { return token.module.CloseSession(token.session) },
		"logged-out":        func() error { return token.module.Logout(token.session) },
		"library-finalised": func() error { return token.module.Finalize() },
	} {
		if err := pull(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		agrees(t, k)
	}
	if err := token.module.Finalize(); err != nil {
		t.Fatal(err)
	}
	conf := os.Getenv("SOFTHSM2_CONF")
	empty := filepath.Join(t.TempDir(), "conf")
	if err := os.WriteFile(empty, []byte("directories.tokendir = "+t.TempDir()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SOFTHSM2_CONF", empty)
	if _, err := k.ECDH(k.PublicKey()); !errors.Is(err, ErrAway) {
		t.Errorf("the token is gone: %v; want ErrAway", err)
	}
	t.Setenv("SOFTHSM2_CONF", conf)
	agrees(t, k)
}

// A wrong PIN is tried once: tokens lock themselves.
func TestWrongPIN(t *testing.T) {
	cfg := newToken(t)
	token := open(t, cfg)
	k := generate(t, token, "claims")
	asked := 0
	token.cfg.PIN = func() ([]byte, error) { asked++; return []byte("00000000"), nil }
	token.drop()
	for range 5 {
		_, err := k.ECDH(k.PublicKey())
		if !errors.Is(err, ErrPIN) || strings.Contains(err.Error(), "00000000") {
			t.Errorf("got %v, want ErrPIN", err)
		}
	}
	if asked != 1 {
		t.Errorf("the PIN was tried %d times", asked)
	}
	_ = token.Close()
	cfg.PIN = func() ([]byte, error) { return nil, errors.New("no file") }
	if _, err := Open(cfg); err == nil {
		t.Error("a token was opened without a PIN")
	}
	cfg.PIN = func() ([]byte, error) { return []byte(testPIN), nil }
	cfg.Token = "another"
	if _, err := Open(cfg); !errors.Is(err, ErrAway) {
		t.Errorf("no token has that label: %v", err)
	}
}

func TestCurveName(t *testing.T) {
	t.Parallel()
	if got := fmt.Sprintf("%x", p256()); got != "06082a8648ce3d030107" || elliptic.P256().Params().Name != "P-256" {
		t.Errorf("the curve's name is %s", got)
	}
}

func BenchmarkECDH(b *testing.B) {
	token := open(b, newToken(b))
	k := generate(b, token, "claims")
	for b.Loop() {
		if _, err := k.ECDH(k.PublicKey()); err != nil {
			b.Fatal(err)
		}
	}
}

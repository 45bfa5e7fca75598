package tpm_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/counterproof/counterproof/sync/custody/tpm"
	"github.com/counterproof/counterproof/sync/custody/tpmtest"
)

// start runs a chip and opens it.
func start(t testing.TB) (*tpmtest.TPM, *tpm.Chip) {
	t.Helper()
	s := tpmtest.Start(t)
	return s, open(t, s)
}

// open opens a chip that runs.
func open(t testing.TB, s *tpmtest.TPM) *tpm.Chip {
	t.Helper()
	c, err := tpm.Open(s.Device)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// newKey draws and loads a key.
func newKey(t testing.TB, c *tpm.Chip) (*tpm.Key, []byte) {
	t.Helper()
	kept, err := c.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	k, err := c.LoadKey(kept)
	if err != nil {
		t.Fatal(err)
	}
	return k, kept
}

// signs reports whether the key makes a signature that verifies.
func signs(k *tpm.Key) error {
	digest := sha256.Sum256([]byte("a record"))
	sig, err := k.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err == nil && !ecdsa.VerifyASN1(k.Public().(*ecdsa.PublicKey), digest[:], sig) {
		err = errors.New("the signature does not verify")
	}
	return err
}

func TestKeySigns(t *testing.T) {
	t.Parallel()
	_, c := start(t)
	k, kept := newKey(t, c)
	for range 20 {
		if err := signs(k); err != nil {
			t.Fatal(err)
		}
	}
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, k)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificateRequest(csr)
	if err != nil || parsed.CheckSignature() != nil {
		t.Errorf("the request for a certificate does not verify: %v", err)
	}
	again, err := c.LoadKey(kept)
	if err != nil || !again.Public().(*ecdsa.PublicKey).Equal(k.Public()) {
		t.Errorf("the kept key is another one: %v", err)
	}
	other, _ := newKey(t, c)
	if other.Public().(*ecdsa.PublicKey).Equal(k.Public()) {
		t.Error("two keys are one")
	}
	if s := fmt.Sprintf("%v %+v %#v", k, k, k); strings.Contains(s, "blob") {
		t.Errorf("printed: %s", s)
	}
}

// The chip has three places for what is loaded; more keys than that take turns.
func TestManyKeysTakeTurns(t *testing.T) {
	t.Parallel()
	s, c := start(t)
	var all []*tpm.Key
	for range 5 {
		k, _ := newKey(t, c)
		all = append(all, k)
	}
	for range 3 { // as other programs do, without a resource manager between
		k, _ := newKey(t, open(t, s))
		all = append(all, k)
	}
	var group sync.WaitGroup
	for _, k := range all {
		group.Go(func() {
			for range 10 {
				if err := signs(k); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
}

func TestSealedSecret(t *testing.T) {
	t.Parallel()
	s, c := start(t)
	secret := []byte("a wrapping key of thirty-two byte")
	kept, err := c.Seal(secret)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(kept, secret) {
		t.Error("what is kept shows the secret")
	}
	if got, err := c.Unseal(kept); err != nil || !bytes.Equal(got, secret) {
		t.Errorf("unsealed %q: %v", got, err)
	}
	s.Restart()
	if got, err := c.Unseal(kept); err != nil || !bytes.Equal(got, secret) {
		t.Errorf("after a restart unsealed %q: %v", got, err)
	}
	kept[len(kept)-1] ^= 1
	if _, err := c.Unseal(kept); !errors.Is(err, tpm.ErrForeign) {
		t.Errorf("altered: %v", err)
	}
}

// A chip that forgot what was loaded is no failure that anybody hears of; one
// that is gone may come back; one that is another never gives the key again.
func TestChipFails(t *testing.T) {
	t.Parallel()
	s, c := start(t)
	k, kept := newKey(t, c)
	n, err := c.NewCounter()
	if err != nil {
		t.Fatal(err)
	}
	s.Restart()
	if err := signs(k); err != nil {
		t.Errorf("after a restart: %v", err)
	}
	s.Stop()
	if err := signs(k); !errors.Is(err, tpm.ErrAway) || errors.Is(err, tpm.ErrForeign) {
		t.Errorf("while it is away: %v", err)
	}
	if _, err := tpm.Open(s.Device); !errors.Is(err, tpm.ErrAway) {
		t.Errorf("opening one that is away: %v", err)
	}
	s.Run()
	if err := signs(k); err != nil {
		t.Errorf("when it is back: %v", err)
	}
	s.Replace()
	if err := signs(k); !errors.Is(err, tpm.ErrForeign) {
		t.Errorf("by another chip: %v", err)
	}
	if _, err := c.LoadKey(kept); !errors.Is(err, tpm.ErrForeign) {
		t.Errorf("loading into another chip: %v", err)
	}
	if _, err := c.Counter(n); !errors.Is(err, tpm.ErrForeign) {
		t.Errorf("the counter of another chip: %v", err)
	}
}

func TestCounterGoesUpOnly(t *testing.T) {
	t.Parallel()
	s, c := start(t)
	a, err := c.NewCounter()
	if err != nil {
		t.Fatal(err)
	}
	b, err := c.NewCounter()
	if err != nil || a == b {
		t.Fatalf("counters %x and %x: %v", a, b, err)
	}
	before, err := c.Counter(a)
	if err != nil {
		t.Fatal(err)
	}
	for i := range uint64(5) {
		if got, err := c.Increment(a); err != nil || got != before+1+i {
			t.Fatalf("raised to %d after %d: %v", got, before+i, err)
		}
	}
	s.Restart()
	if got, err := c.Counter(a); err != nil || got != before+5 {
		t.Errorf("after a restart %d, was %d: %v", got, before+5, err)
	}
	if got, err := c.Counter(b); err != nil || got > before+5 {
		t.Errorf("the other counter is at %d: %v", got, err)
	}
	if _, err := c.Counter(b + 1); !errors.Is(err, tpm.ErrForeign) {
		t.Errorf("a counter that nobody made: %v", err)
	}
}

func TestSignsDigestsAlone(t *testing.T) {
	t.Parallel()
	_, c := start(t)
	k, _ := newKey(t, c)
	digest := sha256.Sum256(nil)
	for name, f := range map[string]func() ([]byte, error){
		"digest/short":   func() ([]byte, error) { return k.Sign(rand.Reader, digest[:20], crypto.SHA256) },
		"digest/sha-384": func() ([]byte, error) { return k.Sign(rand.Reader, digest[:], crypto.SHA384) },
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := f(); err == nil {
				t.Error("it was signed")
			}
		})
	}
}

func TestNoChip(t *testing.T) {
	t.Parallel()
	if _, err := tpm.Open(filepath.Join(t.TempDir(), "none")); !errors.Is(err, tpm.ErrAway) {
		t.Errorf("got %v", err)
	}
}

// FuzzKept: whatever lies in a key's file, the chip is asked for nothing that
// harms, and the program goes on.
func FuzzKept(f *testing.F) {
	s := tpmtest.Start(f)
	c := open(f, s)
	k, kept := newKey(f, c)
	secret, err := c.Seal([]byte("secret"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(kept)
	f.Add(secret)
	f.Add([]byte{0, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		if bytes.Equal(b, kept) || bytes.Equal(b, secret) {
			return
		}
		if got, err := c.LoadKey(b); err == nil {
			if !got.Public().(*ecdsa.PublicKey).Equal(k.Public()) {
				t.Error("a key that the chip never drew")
			}
		}
		_, _ = c.Unseal(b)
	})
}

func BenchmarkSign(b *testing.B) {
	_, c := start(b)
	k, _ := newKey(b, c)
	for b.Loop() {
		if err := signs(k); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkIncrement(b *testing.B) {
	_, c := start(b)
	n, err := c.NewCounter()
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := c.Increment(n); err != nil {
			b.Fatal(err)
		}
	}
}

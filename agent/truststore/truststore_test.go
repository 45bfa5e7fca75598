package truststore_test

import (
	"crypto/ed25519"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/chip/issue"
	"github.com/counterproof/counterproof/agent/chip/trust"
	"github.com/counterproof/counterproof/agent/truststore"
)

var made = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

// signer makes the key of whoever signs bundles.
func signer(t *testing.T, seed byte) ed25519.PrivateKey {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.NewChaCha8([32]byte{seed}))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// bundle makes a bundle with one authority.
func bundle(t *testing.T, key ed25519.PrivateKey, number int) []byte {
	t.Helper()
	state, err := issue.New(issue.Config{}, rand.NewChaCha8([32]byte{9}))
	if err != nil {
		t.Fatal(err)
	}
	return trust.Contents{Number: number, Made: made.AddDate(0, 0, number), Anchors: [][]byte{state.Authority()}}.Seal(key)
}

// open opens a folder under a key.
func open(t *testing.T, dir string, key ed25519.PrivateKey) *truststore.Shelf {
	t.Helper()
	s, err := truststore.Open(dir, key.Public().(ed25519.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// number is that of what is trusted, 0 for nothing.
func number(s *truststore.Shelf) int {
	if s.Store() == nil {
		return 0
	}
	return s.Store().Number()
}

func TestTheNewestIsTrusted(t *testing.T) {
	t.Parallel()
	key, dir := signer(t, 1), filepath.Join(t.TempDir(), "trust")
	s := open(t, dir, key)
	if number(s) != 0 {
		t.Errorf("an empty folder gives number %d", number(s))
	}
	for n := 1; n <= 4; n++ {
		if err := s.Put(bundle(t, key, n)); err != nil || number(s) != n {
			t.Fatalf("bundle %d: in use is %d: %v", n, number(s), err)
		}
	}
	if err := s.Put(bundle(t, key, 4)); err != nil {
		t.Errorf("the same again: %v", err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*.bundle")); err != nil || len(left) != 2 {
		t.Errorf("%v are kept: %v", left, err)
	}
	if again := open(t, dir, key); number(again) != 4 || again.Store().Size() != 1 {
		t.Errorf("after a start number %d is used", number(again))
	}
}

func TestWhatIsNotTrusted(t *testing.T) {
	t.Parallel()
	key, dir := signer(t, 1), t.TempDir()
	s := open(t, dir, key)
	if err := s.Put(bundle(t, key, 5)); err != nil {
		t.Fatal(err)
	}
	for rule, c := range map[string]struct {
		raw  []byte
		want error
	}{
		"another's key": {bundle(t, signer(t, 2), 6), trust.ErrUnsigned},
		"older":         {bundle(t, key, 4), trust.ErrRollback},
		"no bundle":     {[]byte("a text"), trust.ErrBundle},
	} {
		if err := s.Put(c.raw); !errors.Is(err, c.want) || number(s) != 5 {
			t.Errorf("%s: %v, in use is %d", rule, err, number(s))
		}
	}
	none, err := truststore.Open(dir, nil)
	if err != nil || none.Store() != nil || !errors.Is(none.Put(bundle(t, key, 6)), truststore.ErrNoKey) {
		t.Errorf("without a key %v is trusted: %v", none.Store(), err)
	}
}

// TestAnOldFolder holds that putting an older copy of the bundles in place brings
// nobody's trust back.
func TestAnOldFolder(t *testing.T) {
	t.Parallel()
	key, dir := signer(t, 1), t.TempDir()
	s := open(t, dir, key)
	if err := s.Put(bundle(t, key, 7)); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "00000007.bundle")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "00000003.bundle"), bundle(t, key, 3), 0o600); err != nil {
		t.Fatal(err)
	}
	if again := open(t, dir, key); again.Store() != nil {
		t.Errorf("number %d is used after number 7 was", number(again))
	}
	if err := os.WriteFile(filepath.Join(dir, "brought.bundle"), bundle(t, key, 8), 0o600); err != nil {
		t.Fatal(err)
	}
	again := open(t, dir, key)
	if number(again) != 8 {
		t.Errorf("a newer one that somebody copied there is not used: %d", number(again))
	}
	if err := os.WriteFile(filepath.Join(dir, "z.bundle"), []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := again.Look(); err != nil || number(again) != 8 {
		t.Errorf("beside a damaged one %d is used: %v", number(again), err)
	}
}

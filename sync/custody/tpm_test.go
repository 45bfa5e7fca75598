package custody

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/counterproof/counterproof/sync/custody/tpmtest"
)

// openWith opens a keeper and lets go of its TPM at the end.
func openWith(t testing.TB, cfg Config) *Keeper {
	t.Helper()
	k, err := OpenWith(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = k.Close() })
	return k
}

// fails is the error of signing.
func fails(k *Keeper) error {
	_, err := k.Signer().Sign(rand.Reader, make([]byte, 32), crypto.SHA256)
	return err
}

// read is all that lies in a folder, one after the other.
func read(t testing.TB, dir string) []byte {
	t.Helper()
	var all []byte
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b...)
	}
	return all
}

func TestKeptInTPM(t *testing.T) {
	t.Parallel()
	cfg := Config{Dir: folder(t), TPM: tpmtest.Start(t).Device, Demand: GradeTPM}
	k := openWith(t, cfg)
	if k.Grade() != GradeTPM || k.Trouble() != nil {
		t.Fatalf("grade %q, trouble %v", k.Grade(), k.Trouble())
	}
	if err := k.SaveIdentity(identity(t, k.Signer())); err != nil {
		t.Fatal(err)
	}
	wrapped, err := k.Wrap("draft 1", []byte("key"))
	if err != nil {
		t.Fatal(err)
	}
	again := openWith(t, cfg)
	if !signs(t, again.Signer(), k.Signer().Public()) {
		t.Error("the key changed")
	}
	if got, err := again.Unwrap("draft 1", wrapped); err != nil || string(got) != "key" {
		t.Errorf("unwrapped %q: %v", got, err)
	}
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, k.Signer())
	if err != nil {
		t.Fatal(err)
	}
	if parsed, err := x509.ParseCertificateRequest(csr); err != nil || parsed.CheckSignature() != nil {
		t.Errorf("the request for a certificate does not verify: %v", err)
	}
	next, err := k.Next()
	if err != nil {
		t.Fatal(err)
	}
	if err := k.SaveIdentity(identity(t, next)); err != nil {
		t.Fatal(err)
	}
	if !signs(t, openWith(t, cfg).Signer(), next.Public()) {
		t.Error("the renewed key is not the current one")
	}
}

// Whoever takes the folder away has nothing: neither the wrapping key is in it,
// nor does another machine, with a TPM of its own, open anything.
func TestStolenFolder(t *testing.T) {
	t.Parallel()
	cfg := Config{Dir: folder(t), TPM: tpmtest.Start(t).Device}
	k := openWith(t, cfg)
	if err := k.SaveIdentity(identity(t, k.Signer())); err != nil {
		t.Fatal(err)
	}
	wrapped, err := k.Wrap("draft 1", []byte("key"))
	if err != nil {
		t.Fatal(err)
	}
	if text := read(t, cfg.Dir); bytes.Contains(text, []byte(signingType+"-")) && bytes.Contains(text, []byte("BEGIN "+signingType)) || bytes.Contains(text, k.wrap) {
		t.Error("a key lies open in the folder")
	}
	// The negative control: kept in a file, it does.
	plain := openWith(t, Config{Dir: folder(t)})
	if !bytes.Contains(read(t, plain.dir), []byte("BEGIN "+signingType)) {
		t.Error("the search finds nothing where there is something")
	}
	for name, device := range map[string]string{"another-tpm": tpmtest.Start(t).Device, "no-tpm": ""} {
		thief := openWith(t, Config{Dir: cfg.Dir, TPM: device})
		if thief.Trouble() == nil || fails(thief) == nil {
			t.Errorf("%s: the key signs", name)
		}
		if got, err := thief.Unwrap("draft 1", wrapped); err == nil {
			t.Errorf("%s: unwrapped %q", name, got)
		}
	}
}

func TestDemandedGrade(t *testing.T) {
	t.Parallel()
	none := filepath.Join(t.TempDir(), "none")
	k := openWith(t, Config{Dir: folder(t), TPM: none, Demand: GradeTPM})
	if !errors.Is(k.Trouble(), ErrGrade) || fails(k) == nil {
		t.Errorf("without a TPM: trouble %v", k.Trouble())
	}
	if len(read(t, k.dir)) != 0 {
		t.Error("a key was made that is not as good as demanded")
	}
	if _, err := k.Next(); !errors.Is(err, ErrGrade) {
		t.Errorf("a next key: %v", err)
	}
	// Without the demand, the same machine falls back.
	fallback := openWith(t, Config{Dir: folder(t), TPM: none})
	if fallback.Grade() == GradeTPM || fallback.Trouble() != nil || fails(fallback) != nil {
		t.Errorf("fell back to %q with trouble %v", fallback.Grade(), fallback.Trouble())
	}
	// A key that is there already goes on signing, and is told.
	old := openWith(t, Config{Dir: fallback.dir, TPM: none, Demand: GradeTPM})
	if !errors.Is(old.Trouble(), ErrGrade) || fails(old) != nil {
		t.Errorf("an old key: trouble %v, signing %v", old.Trouble(), fails(old))
	}
}

// A TPM that is away changes nothing on the disk and is used again when it is
// back, whether it went before the start or after.
func TestTPMAway(t *testing.T) {
	t.Parallel()
	s := tpmtest.Start(t)
	cfg := Config{Dir: folder(t), TPM: s.Device}
	k := openWith(t, cfg)
	if err := k.SaveIdentity(identity(t, k.Signer())); err != nil {
		t.Fatal(err)
	}
	wrapped, err := k.Wrap("draft 1", []byte("key"))
	if err != nil {
		t.Fatal(err)
	}
	before := read(t, cfg.Dir)
	s.Stop()
	if err := fails(k); !errors.Is(err, ErrAway) || !errors.Is(k.Trouble(), ErrAway) {
		t.Errorf("signing %v, trouble %v", err, k.Trouble())
	}
	// What was unwrapped once is at hand as long as the program runs.
	if got, err := k.Unwrap("draft 1", wrapped); err != nil || string(got) != "key" {
		t.Errorf("unwrapped %q: %v", got, err)
	}
	late := openWith(t, cfg)
	if err := fails(late); !errors.Is(err, ErrAway) || errors.Is(err, ErrLost) {
		t.Errorf("started without it: %v", err)
	}
	if _, err := late.Wrap("draft 2", []byte("key")); !errors.Is(err, ErrAway) {
		t.Errorf("wrapped without it: %v", err)
	}
	if !late.Signer().Public().(*ecdsa.PublicKey).Equal(k.Signer().Public()) {
		t.Error("the public key is not the enrolled one")
	}
	s.Run()
	for name, k := range map[string]*Keeper{"went-later": k, "started-without": late} {
		if err := fails(k); err != nil || k.Trouble() != nil {
			t.Errorf("%s: when it is back: signing %v, trouble %v", name, err, k.Trouble())
		}
		if got, err := k.Unwrap("draft 1", wrapped); err != nil || string(got) != "key" {
			t.Errorf("%s: when it is back: unwrapped %q: %v", name, got, err)
		}
	}
	if !bytes.Equal(read(t, cfg.Dir), before) {
		t.Error("the folder changed")
	}
}

// A TPM that was cleared, or is gone for good, costs an enrolment: until then
// nothing changes, and after it there are new keys, kept as well as can be, with
// the old files beside them.
func TestEnrolledAgainAfterTPM(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fail func(*tpmtest.TPM)
		want Grade
		word error
	}{
		"cleared": {(*tpmtest.TPM).Replace, GradeTPM, ErrLost},
		"dead":    {(*tpmtest.TPM).Stop, grades[len(grades)-1], ErrAway},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := tpmtest.Start(t)
			cfg := Config{Dir: folder(t), TPM: s.Device}
			k := openWith(t, cfg)
			if err := k.SaveIdentity(identity(t, k.Signer())); err != nil {
				t.Fatal(err)
			}
			if _, err := k.Next(); err != nil { // of a renewal that was cut off
				t.Fatal(err)
			}
			old := k.Signer().Public().(*ecdsa.PublicKey)
			c.fail(s)
			k = openWith(t, cfg)
			if !errors.Is(k.Trouble(), c.word) || fails(k) == nil {
				t.Fatalf("trouble %v, signing %v", k.Trouble(), fails(k))
			}
			next, err := k.Next()
			if err != nil {
				t.Fatal(err)
			}
			if _, enrolled, err := k.Identity(); err != nil || !enrolled || k.Trouble() == nil {
				t.Errorf("the identity was given up before there was another: %v", err)
			}
			if err := k.SaveIdentity(identity(t, next)); err != nil {
				t.Fatal(err)
			}
			for name, k := range map[string]*Keeper{"running": k, "started-again": openWith(t, cfg)} {
				public := k.Signer().Public().(*ecdsa.PublicKey)
				if k.Grade() != c.want || k.Trouble() != nil || public.Equal(old) || !signs(t, k.Signer(), next.Public()) {
					t.Errorf("%s: grade %q, trouble %v, or the old key", name, k.Grade(), k.Trouble())
				}
				if _, err := k.Wrap("draft", []byte("key")); err != nil {
					t.Errorf("%s: wrapping: %v", name, err)
				}
			}
			aside, err := filepath.Glob(filepath.Join(cfg.Dir, "*.lost-*"))
			if err != nil || len(aside) != 3 {
				t.Errorf("put aside: %d files, %v", len(aside), err)
			}
		})
	}
}

// Before an enrolment nobody knows the key, so a cleared TPM costs nothing.
func TestClearedBeforeEnrolment(t *testing.T) {
	t.Parallel()
	s := tpmtest.Start(t)
	cfg := Config{Dir: folder(t), TPM: s.Device}
	old := openWith(t, cfg).Signer().Public().(*ecdsa.PublicKey)
	s.Replace()
	k := openWith(t, cfg)
	if k.Trouble() != nil || fails(k) != nil || k.Signer().Public().(*ecdsa.PublicKey).Equal(old) {
		t.Errorf("trouble %v, signing %v, or the old key", k.Trouble(), fails(k))
	}
}

func TestHardwareCounter(t *testing.T) {
	t.Parallel()
	s := tpmtest.Start(t)
	cfg := Config{Dir: folder(t), TPM: s.Device}
	k := openWith(t, cfg)
	if n, err := k.Counter(); n != 0 || err != nil {
		t.Errorf("before the first record: %d, %v", n, err)
	}
	first, err := k.Raise()
	if err != nil || first == 0 {
		t.Fatalf("raised to %d: %v", first, err)
	}
	second, err := openWith(t, cfg).Raise()
	if err != nil || second != first+1 {
		t.Errorf("raised to %d after %d: %v", second, first, err)
	}
	if n, err := k.Counter(); n != second || err != nil {
		t.Errorf("read %d, want %d: %v", n, second, err)
	}
	if err := os.WriteFile(filepath.Join(cfg.Dir, counterFile), []byte("none"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Raise(); err == nil {
		t.Error("raised a counter that has no name")
	}
	file := openWith(t, Config{Dir: folder(t)})
	if n, err := file.Raise(); n != 0 || err != nil {
		t.Errorf("without a TPM: %d, %v", n, err)
	}
}

// What lies in the folder says how it is kept, and a word of another grade is no
// way around it.
func TestGradeOfFiles(t *testing.T) {
	t.Parallel()
	k := openWith(t, Config{Dir: folder(t)})
	text, err := os.ReadFile(filepath.Join(k.dir, currentFile))
	if err != nil {
		t.Fatal(err)
	}
	as := strings.ReplaceAll(string(text), signingType, signingTypes[GradeTPM])
	if err := os.WriteFile(filepath.Join(k.dir, currentFile), []byte(as), 0o600); err != nil {
		t.Fatal(err)
	}
	if k := openWith(t, Config{Dir: k.dir}); !errors.Is(k.Trouble(), ErrAway) {
		t.Errorf("a TPM's key without a TPM: trouble %v", k.Trouble())
	}
	for g, want := range map[Grade]bool{GradeTPM: true, GradeDPAPI: true, GradeFile: false} {
		if got := g.atLeast(GradeDPAPI); got != want {
			t.Errorf("%s is at least dpapi: got %v", g, got)
		}
	}
}

package custody

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/counterproof/counterproof/sync/wire"
)

// folder is a new folder for a keeper.
func folder(t testing.TB) string { return filepath.Join(t.TempDir(), "keys") }

func openKeeper(t testing.TB, dir string) *Keeper {
	t.Helper()
	k, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// certificate makes a certificate for a public key, signed by another key or
// by the key itself.
func certificate(t testing.TB, public crypto.PublicKey, by crypto.Signer) []byte {
	t.Helper()
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		DNSNames: []string{"counter.invalid"}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, by)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// identity makes an identity for the key of s.
func identity(t testing.TB, s crypto.Signer) Identity {
	t.Helper()
	centre, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return Identity{
		Agent: "counter-7", Site: "FX123", Training: true,
		Chain: [][]byte{certificate(t, s.Public(), centre)}, CentreCA: certificate(t, centre.Public(), centre),
		Bundle: wire.Signed{Body: []byte("{}"), Key: "ab", Sig: []byte{1}}, BundleKey: make([]byte, 32),
	}
}

// signs reports whether s signs for public.
func signs(t testing.TB, s crypto.Signer, public crypto.PublicKey) bool {
	t.Helper()
	digest := sha256.Sum256([]byte("record"))
	sig, err := s.Sign(nil, digest[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	return ecdsa.VerifyASN1(public.(*ecdsa.PublicKey), digest[:], sig)
}

func TestKeysStay(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	first := openKeeper(t, dir)
	wrapped, err := first.Wrap("draft 1", []byte("key"))
	if err != nil {
		t.Fatal(err)
	}
	second := openKeeper(t, dir)
	if !signs(t, second.Signer(), first.Signer().Public()) {
		t.Error("the signing key changed")
	}
	if got, err := second.Unwrap("draft 1", wrapped); err != nil || string(got) != "key" {
		t.Errorf("the wrapping key changed: got %q, %v", got, err)
	}
	if first.Grade() != GradeFile {
		t.Errorf("got grade %q", first.Grade())
	}
	other := openKeeper(t, folder(t))
	if signs(t, other.Signer(), first.Signer().Public()) {
		t.Error("two counters have the same key")
	}
}

func TestFilesAreTheOwnersAlone(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	k := openKeeper(t, dir)
	if err := k.SaveIdentity(identity(t, k.Signer())); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range files {
		fi, err := f.Info()
		if err != nil || fi.Mode().Perm() != 0o600 {
			t.Errorf("%s: got mode %v, %v; want 0600", f.Name(), fi.Mode(), err)
		}
		names = append(names, f.Name())
	}
	if got, want := strings.Join(names, " "), "agent.key identity.json wrap.key"; got != want {
		t.Errorf("got files %s, want %s", got, want)
	}
	if fi, err := os.Stat(dir); err != nil || fi.Mode().Perm() != 0o700 {
		t.Errorf("the folder: got %v, %v; want 0700", fi.Mode(), err)
	}
}

func TestReadableKeysAreRefused(t *testing.T) {
	t.Parallel()
	for _, name := range []string{currentFile, wrapFile} {
		for _, mode := range []os.FileMode{0o640, 0o604, 0o620, 0o666} {
			t.Run(fmt.Sprintf("%s/%04o", name, mode), func(t *testing.T) {
				dir := folder(t)
				openKeeper(t, dir)
				path := filepath.Join(dir, name)
				if err := os.Chmod(path, mode); err != nil {
					t.Fatal(err)
				}
				_, err := Open(dir)
				if err == nil || !strings.Contains(err.Error(), "chmod 600") {
					t.Errorf("got %v, want the words that mend it", err)
				}
			})
		}
	}
	t.Run("folder", func(t *testing.T) {
		dir := folder(t)
		openKeeper(t, dir)
		if err := os.Chmod(dir, 0o770); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), "chmod 700") {
			t.Errorf("got %v, want the words that mend it", err)
		}
	})
}

// A damaged key is said to be so, never replaced.
func TestDamagedFilesAreKept(t *testing.T) {
	t.Parallel()
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(p384)
	if err != nil {
		t.Fatal(err)
	}
	wide := string(pem.EncodeToMemory(&pem.Block{Type: signingType, Bytes: der}))
	for name, c := range map[string]struct{ file, text string }{
		"signing/empty":   {currentFile, ""},
		"signing/no-key":  {currentFile, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"},
		"signing/p384":    {currentFile, wide},
		"wrapping/empty":  {wrapFile, ""},
		"wrapping/short":  {wrapFile, "-----BEGIN " + wrapType + "-----\nAAAA\n-----END " + wrapType + "-----\n"},
		"identity/empty":  {identityFile, ""},
		"identity/noname": {identityFile, "{}"},
		"huge":            {currentFile, strings.Repeat("x", maxFile+1)},
	} {
		t.Run(name, func(t *testing.T) {
			dir := folder(t)
			openKeeper(t, dir)
			path := filepath.Join(dir, c.file)
			if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := Open(dir); err == nil {
				t.Error("opened")
			}
			if got, err := os.ReadFile(path); err != nil || string(got) != c.text {
				t.Errorf("the file was changed to %d bytes, %v", len(got), err)
			}
		})
	}
}

// An enrolled counter whose key is gone must enrol again, not go on with a key
// that the centre does not know.
func TestLostKeyIsNotReplaced(t *testing.T) {
	t.Parallel()
	for _, name := range []string{currentFile, wrapFile} {
		dir := folder(t)
		k := openKeeper(t, dir)
		if err := k.SaveIdentity(identity(t, k.Signer())); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(dir); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: got %v, want that it is missing", name, err)
		}
	}
	dir := folder(t)
	k := openKeeper(t, dir)
	if err := k.SaveIdentity(identity(t, k.Signer())); err != nil {
		t.Fatal(err)
	}
	other, err := newSigningKey()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, currentFile), other, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir); err == nil {
		t.Error("opened with a key that the identity does not name")
	}
}

func TestMadeAtOnce(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	publics := make([]*ecdsa.PublicKey, 8)
	var group sync.WaitGroup
	for i := range publics {
		group.Go(func() {
			k, err := Open(dir)
			if err != nil {
				t.Error(err)
				return
			}
			publics[i] = k.Signer().Public().(*ecdsa.PublicKey)
		})
	}
	group.Wait()
	for i, p := range publics {
		if p == nil || !p.Equal(publics[0]) {
			t.Errorf("opening %d got another key", i)
		}
	}
}

func TestWrap(t *testing.T) {
	t.Parallel()
	k := openKeeper(t, folder(t))
	secret := bytes.Repeat([]byte{7}, 32)
	wrapped, err := k.Wrap("draft 1", secret)
	if err != nil {
		t.Fatal(err)
	}
	again, err := k.Wrap("draft 1", secret)
	if err != nil || bytes.Equal(again, wrapped) {
		t.Errorf("wrapped twice: the same bytes, %v", err)
	}
	if bytes.Contains(wrapped, secret[:8]) {
		t.Error("the wrapped key shows the key")
	}
	if _, err := k.Unwrap("draft 2", wrapped); !errors.Is(err, ErrWrapped) {
		t.Errorf("another purpose: got %v, want ErrWrapped", err)
	}
	if _, err := openKeeper(t, folder(t)).Unwrap("draft 1", wrapped); !errors.Is(err, ErrWrapped) {
		t.Errorf("another counter: got %v, want ErrWrapped", err)
	}
	for i := range wrapped {
		for bit := range 8 {
			wrapped[i] ^= 1 << bit
			if _, err := k.Unwrap("draft 1", wrapped); !errors.Is(err, ErrWrapped) {
				t.Fatalf("byte %d, bit %d: got %v, want ErrWrapped", i, bit, err)
			}
			wrapped[i] ^= 1 << bit
		}
		if _, err := k.Unwrap("draft 1", wrapped[:i]); !errors.Is(err, ErrWrapped) {
			t.Fatalf("cut to %d: got %v, want ErrWrapped", i, err)
		}
	}
	if got, err := k.Unwrap("draft 1", wrapped); err != nil || !bytes.Equal(got, secret) {
		t.Errorf("got %x, %v; want %x", got, err, secret)
	}
	for _, n := range []int{0, maxWrapped + 1} {
		if _, err := k.Wrap("draft 1", make([]byte, n)); err == nil {
			t.Errorf("wrapped %d bytes", n)
		}
	}
}

func FuzzUnwrap(f *testing.F) {
	k := openKeeper(f, folder(f))
	wrapped, err := k.Wrap("draft 1", []byte("key"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(wrapped)
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := k.Unwrap("draft 1", b); err == nil && !bytes.Equal(b, wrapped) {
			t.Errorf("unwrapped %x, which nobody wrapped", b)
		}
	})
}

func FuzzParseIdentity(f *testing.F) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	b, err := json.Marshal(identity(f, key))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte("{}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if id, err := parseIdentity(b); err == nil && (id.Agent == "" || len(id.Chain) == 0) {
			t.Error("accepted an identity without a name or certificate")
		}
	})
}

func TestIdentity(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	k := openKeeper(t, dir)
	if _, ok, err := k.Identity(); ok || err != nil {
		t.Errorf("before enrolment: got %v, %v", ok, err)
	}
	want := identity(t, k.Signer())
	if err := k.SaveIdentity(want); err != nil {
		t.Fatal(err)
	}
	got, ok, err := openKeeper(t, dir).Identity()
	if !ok || err != nil || fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
		t.Errorf("got %+v, %v, %v; want %+v", got, ok, err, want)
	}
}

func TestSaveIdentityRefuses(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	k := openKeeper(t, dir)
	good := identity(t, k.Signer())
	if err := k.SaveIdentity(good); err != nil {
		t.Fatal(err)
	}
	stranger := openKeeper(t, folder(t))
	for name, change := range map[string]func(*Identity){
		"no-name":         func(id *Identity) { id.Agent = "" },
		"no-chain":        func(id *Identity) { id.Chain = nil },
		"bad-certificate": func(id *Identity) { id.Chain = [][]byte{{1, 2}} },
		"no-centre":       func(id *Identity) { id.CentreCA = nil },
		"bundle-key":      func(id *Identity) { id.BundleKey = id.BundleKey[1:] },
		"foreign-key":     func(id *Identity) { id.Chain = identity(t, stranger.Signer()).Chain },
	} {
		id := good
		change(&id)
		if err := k.SaveIdentity(id); err == nil {
			t.Errorf("%s: stored", name)
		}
	}
	if got, ok, err := k.Identity(); !ok || err != nil || got.Agent != good.Agent {
		t.Errorf("afterwards: got %v, %v, %v; want the good one", got.Agent, ok, err)
	}
}

// A renewal: the next key stays the same until its certificate comes, and is
// the current one from then on.
func TestRenewal(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	k := openKeeper(t, dir)
	if err := k.SaveIdentity(identity(t, k.Signer())); err != nil {
		t.Fatal(err)
	}
	old := k.Signer()
	next, err := k.Next()
	if err != nil {
		t.Fatal(err)
	}
	k = openKeeper(t, dir) // the program starts again before the answer came
	if !signs(t, k.Signer(), old.Public()) {
		t.Error("the current key changed before its renewal")
	}
	again, err := k.Next()
	if err != nil || !signs(t, again, next.Public()) {
		t.Fatalf("the next key changed, %v", err)
	}
	if err := k.SaveIdentity(identity(t, next)); err != nil {
		t.Fatal(err)
	}
	for name, k := range map[string]*Keeper{"running": k, "started-again": openKeeper(t, dir)} {
		if !signs(t, k.Signer(), next.Public()) {
			t.Errorf("%s: the renewed key is not the current one", name)
		}
	}
	if after, err := k.Next(); err != nil || signs(t, after, next.Public()) {
		t.Errorf("the next key is not a new one, %v", err)
	}
}

// Cut between the identity and the key: the next start finishes.
func TestRenewalCutShort(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	k := openKeeper(t, dir)
	if err := k.SaveIdentity(identity(t, k.Signer())); err != nil {
		t.Fatal(err)
	}
	next, err := k.Next()
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(identity(t, next))
	if err != nil {
		t.Fatal(err)
	}
	if err := write(filepath.Join(dir, identityFile), b, os.Rename); err != nil {
		t.Fatal(err)
	}
	if !signs(t, openKeeper(t, dir).Signer(), next.Public()) {
		t.Error("the key of the identity is not the current one")
	}
}

// What is put in place is whole, and a key is never written over.
func TestWrite(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	if err := write(path, []byte("1"), os.Link); err != nil {
		t.Fatal(err)
	}
	if err := write(path, []byte("2"), os.Link); !errors.Is(err, os.ErrExist) {
		t.Errorf("over a key: got %v, want that it exists", err)
	}
	if err := write(path, []byte("3"), os.Rename); err != nil {
		t.Fatal(err)
	}
	cut := errors.New("cut")
	if err := write(path, []byte("4"), func(string, string) error { return cut }); !errors.Is(err, cut) {
		t.Errorf("got %v, want %v", err, cut)
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "3" {
		t.Errorf("got %q, %v; want 3", b, err)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
		t.Errorf("got %d files, %v; want 1", len(files), err)
	}
}

// The signer serves TLS 1.3 and certificate requests, which is what it is for.
func TestSignerInTLS(t *testing.T) {
	t.Parallel()
	k := openKeeper(t, folder(t))
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, k.Signer())
	if err != nil {
		t.Fatal(err)
	}
	if csr, err := x509.ParseCertificateRequest(der); err != nil || csr.CheckSignature() != nil {
		t.Errorf("the certificate request does not verify: %v", err)
	}
	chain := certificate(t, k.Signer().Public(), k.Signer())
	leaf, err := x509.ParseCertificate(chain)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	here, there := net.Pipe()
	server := tls.Server(there, &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{chain}, PrivateKey: k.Signer()}}})
	failed := make(chan error, 1)
	go func() { failed <- server.Handshake() }()
	client := tls.Client(here, &tls.Config{RootCAs: pool, ServerName: "counter.invalid", MinVersion: tls.VersionTLS13})
	if err := client.Handshake(); err != nil {
		t.Error(err)
	}
	if err := <-failed; err != nil {
		t.Error(err)
	}
}

// Whatever is printed or logged, no key bytes come out.
func TestNothingPrintsKeys(t *testing.T) {
	t.Parallel()
	k := openKeeper(t, folder(t))
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d"} {
		fmt.Fprintf(&out, verb+verb, k, k.Signer())
		fmt.Fprintf(&out, verb, struct{ K any }{k.Signer()})
	}
	slog.New(slog.NewTextHandler(&out, nil)).Info("made", "keeper", k, "signer", k.Signer())
	slog.New(slog.NewJSONHandler(&out, nil)).Info("made", "keeper", k, "signer", k.Signer())
	secret, err := k.current.Signer.(inMemory).secret.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range [][]byte{secret, k.wrap} {
		number := new(big.Int).SetBytes(key)
		for _, form := range []string{string(key[:8]), fmt.Sprintf("%x", key[:8]), strings.Trim(fmt.Sprint(key[:8]), "[]"), number.String()[:12]} {
			if strings.Contains(out.String(), form) {
				t.Errorf("printed %q in %s", form, out.String())
			}
		}
	}
	if _, ok := k.Signer().(*ecdsa.PrivateKey); ok {
		t.Error("the signer gives the key away")
	}
	if fmt.Sprintf("%x", secret) == "" || !strings.Contains(out.String(), "the counter's key") {
		t.Error("the signer's own words are missing")
	}
}

func BenchmarkSign(b *testing.B) {
	k := openKeeper(b, folder(b))
	digest := sha256.Sum256([]byte("record"))
	for b.Loop() {
		if _, err := k.Signer().Sign(nil, digest[:], crypto.SHA256); err != nil {
			b.Fatal(err)
		}
	}
}

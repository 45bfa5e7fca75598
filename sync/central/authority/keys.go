// Package authority is who a centre is: its certificate authority, its receipt
// key and its mode, kept in files of its data folder; and the certificates that
// it issues to itself and to the agents, and reads again.
//
// It knows no route, no store and no request: whether an agent may speak is
// decided by the caller, who knows the enrolled ones.
//
// # The laws
//
//   - The files are made at the first start, appear whole, and are never changed
//     again. Of two processes that make them at once both read the same.
//   - No error quotes a key.
//   - A centre is in training or it is not, for the whole life of its folder.
//   - An agent's certificate names one enrolled agent and its site, lasts a week,
//     and renews for ninety days more.
package authority

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/counterproof/counterproof/sync/wire"
)

// Files of the data folder that are made at the first start and never again.
const (
	authorityFile = "authority.pem"   // certificate and key of the authority
	ReceiptFile   = "receipt-key.pem" // Ed25519, PKCS #8
	modeFile      = "mode"            // training or live
)

// What the mode file says.
const (
	modeTraining = "training\n"
	modeLive     = "live\n"
)

// authorityLife is how long the authority lasts; what it signs is short-lived.
const authorityLife = 20 * 365 * 24 * time.Hour

// Authority is what makes this centre this centre. It is safe for use by many
// goroutines. Open makes it; the zero value is of no use.
type Authority struct {
	// Receipt signs receipts, refusals, bundles and checkpoints.
	Receipt ed25519.PrivateKey

	cert  *x509.Certificate
	key   crypto.Signer
	names []string // that the centre's own certificate is for

	mu     sync.Mutex
	server *tls.Certificate // the centre's own, made anew in time

	checked checked
}

// Open reads the keys of the centre in dir, which must be a folder, and makes
// them at the first start. The names are the DNS names and IP addresses that
// the centre is reached by.
func Open(dir string, names []string) (*Authority, error) {
	a := &Authority{names: names}
	text, err := readOrMake(filepath.Join(dir, authorityFile), newAuthority)
	if err != nil {
		return nil, err
	}
	if a.cert, a.key, err = parseAuthority(text); err != nil {
		return nil, fmt.Errorf("reading %s: %w", authorityFile, err)
	}
	if text, err = readOrMake(filepath.Join(dir, ReceiptFile), newReceiptKey); err != nil {
		return nil, err
	}
	key, err := parseKey(text)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", ReceiptFile, err)
	}
	ed, ok := key.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("reading %s: no Ed25519 key", ReceiptFile)
	}
	a.Receipt = ed
	return a, nil
}

// Raw is the authority's certificate, DER: what a counter pins.
func (a *Authority) Raw() []byte { return a.cert.Raw }

// Fingerprint names the authority in invitations.
func (a *Authority) Fingerprint() wire.Hash { return wire.HashOf(a.cert.Raw) }

// Public is the key that receipts, refusals and bundles verify with.
func (a *Authority) Public() ed25519.PublicKey { return a.Receipt.Public().(ed25519.PublicKey) }

// newAuthority makes a P-256 key and its self-signed certificate. It counts
// from a day ago, so that a counter whose clock is late can enrol.
func newAuthority() ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber:          newSerial(),
		Subject:               pkix.Name{CommonName: "Counterproof centre"},
		NotBefore:             now.Add(-24 * time.Hour),
		NotAfter:              now.Add(authorityLife),
		IsCA:                  true,
		BasicConstraintsValid: true,
		MaxPathLenZero:        true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	text, err := marshalKey(key)
	if err != nil {
		return nil, err
	}
	return append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), text...), nil
}

// newReceiptKey makes the key of receipts, refusals and bundles.
func newReceiptKey() ([]byte, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	return marshalKey(key)
}

// marshalKey writes a private key as PKCS #8 PEM.
func marshalKey(key any) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// parseKey reads a private key. Errors never quote the text.
func parseKey(text []byte) (any, error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "PRIVATE KEY" {
		return nil, errors.New("no private key")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("a private key that cannot be read")
	}
	return key, nil
}

// parseAuthority reads what newAuthority wrote.
func parseAuthority(text []byte) (*x509.Certificate, crypto.Signer, error) {
	block, rest := pem.Decode(text)
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, nil, errors.New("no certificate")
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, nil, err
	}
	key, err := parseKey(rest)
	if err != nil {
		return nil, nil, err
	}
	signer, ok := key.(*ecdsa.PrivateKey)
	if !ok || !signer.PublicKey.Equal(cert.PublicKey) {
		return nil, nil, errors.New("the key is not the certificate's")
	}
	return cert, signer, nil
}

// FixMode notes at the first start whether the centre is in training, and
// refuses the other mode ever after: the records of a training centre prove
// nobody and must never lie beside real ones.
func FixMode(dir string, training bool) error {
	want := modeLive
	if training {
		want = modeTraining
	}
	got, err := readOrMake(filepath.Join(dir, modeFile), func() ([]byte, error) { return []byte(want), nil })
	if err != nil {
		return err
	}
	if string(got) != want {
		return fmt.Errorf("the data folder is a %s centre's; give the other mode a folder of its own", bytes.TrimSpace(got))
	}
	return nil
}

// Training tells the mode of the centre that has run in dir, and is
// os.ErrNotExist where none has.
func Training(dir string) (bool, error) {
	mode, err := os.ReadFile(filepath.Join(dir, modeFile))
	return string(mode) == modeTraining, err
}

// readOrMake reads a file and makes it first if it is missing. Of two that
// make it at once one wins and both read the same. The file appears whole, or
// not at all, and only its owner reads it.
func readOrMake(path string, content func() ([]byte, error)) ([]byte, error) {
	text, err := os.ReadFile(path)
	if !errors.Is(err, os.ErrNotExist) {
		return text, err
	}
	if text, err = content(); err != nil {
		return nil, fmt.Errorf("making %s: %w", filepath.Base(path), err)
	}
	if err := writeOnce(path, text); err != nil && !errors.Is(err, os.ErrExist) {
		return nil, fmt.Errorf("writing %s: %w", filepath.Base(path), err)
	}
	return os.ReadFile(path)
}

// writeOnce gives a text its name for good, which fails where the name is taken.
func writeOnce(path string, text []byte) error { return place(path, text, os.Link) }

// Replace puts a text in the place of what has its name: whoever reads the file,
// also after a power cut, finds the old text or the new one, whole.
func Replace(path string, text []byte) error { return place(path, text, os.Rename) }

// place writes a synced file aside and moves it to its name.
func place(path string, text []byte, move func(from, to string) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := move(f.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

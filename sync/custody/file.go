package custody

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// signingType is the PEM type of a PKCS #8 key (RFC 7468 §10).
const signingType = "PRIVATE KEY"

// maxFile bounds a file read from the folder, in bytes.
const maxFile = 1 << 20

// newSigningKey draws a P-256 key and writes it as PKCS #8 in PEM.
func newSigningKey() ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	defer clear(der)
	return pem.EncodeToMemory(&pem.Block{Type: signingType, Bytes: der}), nil
}

// loadOrMake reads a secret file, or makes it. Where two make it at once the
// first one's stays and both use it.
func loadOrMake(path string, draw func() ([]byte, error)) ([]byte, error) {
	text, err := readSecret(path)
	if !errors.Is(err, os.ErrNotExist) {
		return text, err
	}
	fresh, err := draw()
	if err != nil {
		return nil, err
	}
	defer clear(fresh)
	if err := write(path, fresh, os.Link); err != nil && !errors.Is(err, os.ErrExist) {
		return nil, err
	}
	return readSecret(path)
}

// readSecret reads a file that only its owner may read.
func readSecret(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if err := checkSecret(path, fi); err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(b) > maxFile {
		return nil, fmt.Errorf("%s has more than %d bytes", path, maxFile)
	}
	return b, nil
}

// write puts a file in place whole or not at all: written aside, synced, put in
// place by os.Rename (over an older one) or os.Link (never over one), and the
// folder synced.
func write(path string, b []byte, place func(from, to string) error) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, "."+filepath.Base(path)+"-*") // with mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := place(f.Name(), path); err != nil {
		return err
	}
	return syncFolder(dir)
}

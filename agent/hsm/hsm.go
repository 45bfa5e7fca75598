// Package hsm keeps P-256 keys on a PKCS#11 token (OASIS PKCS #11 v2.40) and
// agrees on secrets with them there, so that no private key ever lies on a disk
// or in memory. It is the only door of github.com/miekg/pkcs11.
//
// It knows nothing of records. It tells no PIN to a log, an error or another
// program, and tries a PIN that the token refused no second time.
//
// # The laws
//
//   - A key is made on the token, sensitive and not extractable; one that the
//     token would give out all the same is destroyed at once.
//   - Whatever a token fails in is ErrAway. It never says that the bytes at hand
//     are bad: who asks waits and asks again.
//   - A session that ended, as when the token was pulled out or another program
//     let go of it, is opened again once for each thing that is asked.
//   - Only keys whose label begins with Prefix are looked at, listed or destroyed.
package hsm

import (
	"bytes"
	"crypto/ecdh"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"os"
)

// Prefix begins the label of every key of this package.
const Prefix = "counterproof "

// PINVariable is the environment's word for the PIN, where no file has it.
const PINVariable = "COUNTERPROOF_HSM_PIN"

// Errors that a caller tells apart.
var (
	// ErrAway: the token is not there, or fails. Nothing is known of what was to
	// be done with it.
	ErrAway = errors.New("the token does not answer: see that it is plugged in and its service runs")
	// ErrPIN: the token refused the PIN. It is not tried again, since tokens lock
	// themselves after some tries.
	ErrPIN = errors.New("the token refused the PIN: put it right and start again, before the token locks itself")
	// ErrUnsupported: this program was built without cgo.
	ErrUnsupported = errors.New("this program was built without support for tokens: build it with cgo")
)

// Config says which token to open.
type Config struct {
	Module string // path of the token's PKCS#11 library
	Token  string // the token's label
	// PIN gives the user's PIN, whenever the token wants it. The bytes are
	// cleared after use.
	PIN func() ([]byte, error)
}

// check reports what is missing.
func (c Config) check() error {
	switch {
	case c.Module == "":
		return errors.New("no library is named")
	case c.Token == "":
		return errors.New("no token is named")
	case c.PIN == nil:
		return errors.New("nobody knows the PIN")
	}
	return nil
}

// maxPIN bounds a PIN, in bytes.
const maxPIN = 256

// PIN reads the PIN from a file that only its owner may read, or from the
// environment (PINVariable) where file is "". A line end after it is no part of
// it. Errors never quote it.
func PIN(file string) func() ([]byte, error) {
	return func() ([]byte, error) {
		pin := []byte(os.Getenv(PINVariable))
		if file != "" {
			var err error
			if pin, err = readPIN(file); err != nil {
				return nil, fmt.Errorf("reading the PIN: %w", err)
			}
		}
		pin = bytes.TrimRight(pin, "\r\n")
		if len(pin) == 0 || len(pin) > maxPIN {
			return nil, fmt.Errorf("reading the PIN: it has 1 to %d characters, in a file or in %s", maxPIN, PINVariable)
		}
		return pin, nil
	}
}

// readPIN reads a file that only its owner may read.
func readPIN(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if err := checkSecret(f); err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(f, maxPIN+3))
}

// parsePoint reads a public key as tokens give it (CKA_EC_POINT): the point in a
// DER octet string, or bare as some do.
func parsePoint(b []byte) (*ecdh.PublicKey, error) {
	var inner []byte
	if rest, err := asn1.Unmarshal(b, &inner); err == nil && len(rest) == 0 {
		b = inner
	}
	key, err := ecdh.P256().NewPublicKey(b)
	if err != nil {
		return nil, fmt.Errorf("reading a public key of the token: %w", err)
	}
	return key, nil
}

// Package custody keeps what makes this counter this counter: its signing key,
// a key that wraps other keys, and the identity that the centre gave it. The
// rest of the program signs through crypto.Signer and never holds a private
// key. It talks to nobody, and no key byte of it meets a log, an error or fmt.
//
// # The laws
//
//   - How well the key is kept has a name, the Grade; the centre is told and
//     may refuse a grade. This version keeps keys in files (GradeFile).
//   - A key file that anyone but its owner may read is refused, with the words
//     that mend it: it may have been copied.
//   - Every file is written aside, synced, and put in place in one step, the
//     folder synced after it: after a power cut there is the old or the new.
//   - A key is never written over by the making of another one.
//   - The identity decides which key is current: its first certificate names
//     the public key. So a renewal with a new key happens in one step, too.
//   - A wrapped key opens only for the purpose that it was wrapped for.
package custody

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
)

// Grade says how the counter's key is kept, in the words of the enrolment
// request (wire.EnrolRequest.Keep), best first.
type Grade string

// The grades.
const (
	GradeTPM   Grade = "tpm"   // in a TPM 2.0, from which it cannot be taken
	GradeDPAPI Grade = "dpapi" // by Windows, readable on this machine alone
	GradeFile  Grade = "file"  // in a file that only the service may read
)

// The files in the keeper's folder.
const (
	currentFile  = "agent.key"      // the signing key, PKCS #8
	nextFile     = "agent-next.key" // the one that a renewal is asked for with
	wrapFile     = "wrap.key"
	identityFile = "identity.json"
)

// Keeper holds the keys of one folder. It is safe for use by several
// goroutines; one process at a time should own the folder.
type Keeper struct {
	dir  string
	wrap []byte // AES-256

	mu      sync.Mutex
	current *ecdsa.PrivateKey
}

// Open loads the keys kept in dir, a folder that only the service may write to,
// and makes what is missing. A renewal that was cut off is finished.
func Open(dir string) (*Keeper, error) {
	k, err := open(dir)
	if err != nil {
		return nil, fmt.Errorf("opening the counter's keys: %w", err)
	}
	return k, nil
}

func open(dir string) (*Keeper, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if err := checkFolder(dir); err != nil {
		return nil, err
	}
	k := &Keeper{dir: dir}
	id, enrolled, err := k.Identity()
	if err != nil {
		return nil, err
	}
	if err := k.loadKeys(id, enrolled); err != nil {
		return nil, err
	}
	return k, nil
}

// loadKeys reads both keys. Where there is an identity they must be there and
// the signing key must be the identity's: a new key in the place of a lost one
// would be refused by the centre, and drafts wrapped under the lost one with it.
func (k *Keeper) loadKeys(id Identity, enrolled bool) error {
	load := loadOrMake
	if enrolled {
		load = func(path string, _ func() ([]byte, error)) ([]byte, error) { return readSecret(path) }
	}
	wrapText, err := load(filepath.Join(k.dir, wrapFile), newWrapKey)
	if err != nil {
		return err
	}
	if k.wrap, err = parseWrapKey(wrapText); err != nil {
		return err
	}
	if enrolled {
		if err := k.promote(id); err != nil {
			return err
		}
	}
	text, err := load(filepath.Join(k.dir, currentFile), newSigningKey)
	if err != nil {
		return err
	}
	k.current, err = parseSigningKey(text)
	if err == nil && enrolled && !id.names(&k.current.PublicKey) {
		err = errors.New("the signing key is not the one that the identity names")
	}
	return err
}

// Grade says how the signing key is kept.
func (k *Keeper) Grade() Grade { return GradeFile }

// Signer signs with the counter's current key, P-256. It goes on with that key
// after a renewal; ask again for the new one.
func (k *Keeper) Signer() crypto.Signer {
	k.mu.Lock()
	defer k.mu.Unlock()
	return signer{k.current}
}

// Next is the key that a renewal asks a certificate for: made on the first
// call, the same on every later one until SaveIdentity makes it the current
// key. Until then the current key stays in use.
func (k *Keeper) Next() (crypto.Signer, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	text, err := loadOrMake(filepath.Join(k.dir, nextFile), newSigningKey)
	if err != nil {
		return nil, fmt.Errorf("making the counter's next key: %w", err)
	}
	key, err := parseSigningKey(text)
	if err != nil {
		return nil, fmt.Errorf("reading the counter's next key: %w", err)
	}
	return signer{key}, nil
}

// promote puts the next key in the current one's place if the identity names
// it. The identity is on disk by then, so a cut between the two is mended here
// at the next start.
func (k *Keeper) promote(id Identity) error {
	path := filepath.Join(k.dir, nextFile)
	text, err := readSecret(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	next, err := parseSigningKey(text)
	if err != nil {
		return err
	}
	if !id.names(&next.PublicKey) {
		return nil
	}
	if err := os.Rename(path, filepath.Join(k.dir, currentFile)); err != nil {
		return err
	}
	k.current = next
	return syncFolder(k.dir)
}

// Format prints what the keeper is, whatever the verb.
func (k *Keeper) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "keys kept by "+string(GradeFile))
}

// signer signs with a key and gives the key to nobody: it cannot be asserted
// to *ecdsa.PrivateKey, no more than one in a TPM could.
type signer struct{ key *ecdsa.PrivateKey }

// Public returns the *ecdsa.PublicKey.
func (s signer) Public() crypto.PublicKey { return s.key.Public() }

// Sign signs a digest; the result is ASN.1 DER.
func (s signer) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	return s.key.Sign(rand.Reader, digest, opts)
}

// Format prints what the signer is, whatever the verb.
func (s signer) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "the counter's key") }

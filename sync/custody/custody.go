// Package custody keeps what makes this counter this counter: its signing key,
// a key that wraps other keys, and the identity that the centre gave it. The
// rest of the program signs through crypto.Signer and never holds a private
// key. It talks to nobody, and no key byte of it meets a log, an error or fmt.
//
// # The laws
//
//   - How well a key is kept has a name, the Grade: in a TPM, by Windows, in a
//     file. The best that the machine has is taken; the centre is told and may
//     refuse a grade, and a configuration may demand one.
//   - A TPM that is gone or was cleared costs an enrolment and what was wrapped
//     under it, never a record. ErrAway may pass, ErrLost does not; neither
//     changes anything on the disk. An enrolment with the next key does, and it
//     puts what could not be used aside.
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

	"github.com/counterproof/counterproof/sync/custody/tpm"
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

// Errors that a caller tells apart.
var (
	// ErrAway: what keeps the key does not answer. It may come back.
	ErrAway = errors.New("what keeps the counter's key does not answer")
	// ErrLost: the key is gone for good; the counter must be enrolled again.
	ErrLost = errors.New("the counter's key is lost: enrol the counter again")
	// ErrGrade: this machine cannot keep a key as well as is demanded.
	ErrGrade = errors.New("this machine cannot keep a key as well as is demanded")
)

// The files in the keeper's folder.
const (
	currentFile  = "agent.key"      // the signing key
	nextFile     = "agent-next.key" // the one that a renewal is asked for with
	wrapFile     = "wrap.key"
	identityFile = "identity.json"
	counterFile  = "counter" // which of the TPM's counters is ours
)

// Config says where keys are kept and how well they must be.
type Config struct {
	Dir string // a folder that only the service may write to; made if missing
	// TPM is "auto" for the machine's own, a device file, or the socket of a
	// software TPM; empty for none.
	TPM string
	// Demand is the least grade that new keys may have; empty for any. Keys of
	// a lower grade that are there already work on, and Trouble tells.
	Demand Grade
}

// Keeper holds the keys of one folder. It is safe for use by several
// goroutines; one process at a time should own the folder.
type Keeper struct {
	dir     string
	device  string // of the TPM; empty for none
	demand  Grade
	chip    *tpm.Chip // nil for none
	holders []holder  // best first

	mu      sync.Mutex
	wrap    []byte // AES-256; nil while it is in trouble
	current key    // without a Signer while it is in trouble
	trouble error
}

// Open loads the keys kept in dir, without a TPM; see OpenWith.
func Open(dir string) (*Keeper, error) { return OpenWith(Config{Dir: dir}) }

// OpenWith loads the keys and makes what is missing. A renewal that was cut off
// is finished. A key whose TPM is away or another one is no error: the keeper
// opens, Trouble says so, and signing fails.
func OpenWith(cfg Config) (*Keeper, error) {
	k := &Keeper{dir: cfg.Dir, device: cfg.TPM, demand: cfg.Demand}
	k.findHolders()
	if err := k.open(); err != nil {
		return nil, errors.Join(fmt.Errorf("opening the counter's keys: %w", err), k.Close())
	}
	return k, nil
}

// findHolders finds what this machine keeps keys with.
func (k *Keeper) findHolders() {
	k.holders = nil
	if k.chip == nil && k.device != "" {
		if chip, err := tpm.Open(k.device); err == nil {
			k.chip = chip
		}
	}
	if k.chip != nil {
		k.holders = append(k.holders, tpmHolder{k.chip})
	}
	k.holders = append(append(k.holders, ownHolders()...), fileHolder{})
}

// Close lets go of the TPM.
func (k *Keeper) Close() error {
	if k.chip == nil {
		return nil
	}
	return k.chip.Close()
}

func (k *Keeper) open() error {
	if err := os.MkdirAll(k.dir, 0o700); err != nil {
		return err
	}
	if err := checkFolder(k.dir); err != nil {
		return err
	}
	id, enrolled, err := k.Identity()
	if err != nil {
		return err
	}
	err = k.loadKeys(id, enrolled)
	if errors.Is(err, ErrLost) && !enrolled {
		err = k.startOver()
	}
	if errors.Is(err, ErrLost) || errors.Is(err, ErrAway) || errors.Is(err, ErrGrade) {
		k.trouble, err = err, nil
	}
	return err
}

// loadKeys reads both keys. Where there is an identity they must be there and
// the signing key must be the identity's: a new key in the place of a lost one
// would be refused by the centre, and drafts wrapped under the lost one with it.
// One that is in trouble does not keep the other from being read.
func (k *Keeper) loadKeys(id Identity, enrolled bool) error {
	load := loadOrMake
	if enrolled {
		load = func(path string, _ func() ([]byte, error)) ([]byte, error) { return readSecret(path) }
	}
	return errors.Join(k.loadWrap(load), k.loadCurrent(load, id, enrolled))
}

// loader reads a secret file, or makes it.
type loader func(path string, draw func() ([]byte, error)) ([]byte, error)

// loadWrap reads the wrapping key.
func (k *Keeper) loadWrap(load loader) error {
	text, err := load(filepath.Join(k.dir, wrapFile), k.drawWrap)
	if err == nil {
		k.wrap, err = k.readWrap(text)
	}
	return err
}

// loadCurrent reads the signing key.
func (k *Keeper) loadCurrent(load loader, id Identity, enrolled bool) error {
	if enrolled {
		if err := k.promote(id); err != nil {
			return err
		}
	}
	text, err := load(filepath.Join(k.dir, currentFile), k.drawKey)
	if err != nil {
		return err
	}
	k.current, err = k.readKey(text)
	if err == nil && enrolled && !id.names(k.current.public) {
		err = errors.New("the signing key is not the one that the identity names")
	}
	return err
}

// GradeOf says how the key of a signer that came from a Keeper is kept.
func GradeOf(s crypto.Signer) Grade {
	ours, _ := s.(signer)
	return ours.key.grade
}

// Grade says how the signing key is kept.
func (k *Keeper) Grade() Grade {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.current.grade
}

// Trouble says why the keys cannot be used now, as far as was learned by using
// them: ErrAway, ErrLost or ErrGrade; nil where all is well.
func (k *Keeper) Trouble() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.trouble == nil && !k.current.grade.atLeast(k.demand) {
		return fmt.Errorf("%w: it is kept as %s", ErrGrade, k.current.grade)
	}
	return k.trouble
}

// Signer signs with the counter's current key, P-256. It goes on with that key
// after a renewal; ask again for the new one. While the key is in trouble it
// signs nothing.
func (k *Keeper) Signer() crypto.Signer {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.signer(k.current)
}

func (k *Keeper) signer(of key) signer {
	s := signer{keeper: k, key: of}
	if of.public == nil {
		s.key.public = k.enrolledKey()
	}
	return s
}

// enrolledKey is the public key that the identity names, for a signer whose key
// does not answer: who asks for it gets an error of signing, not a panic.
func (k *Keeper) enrolledKey() *ecdsa.PublicKey {
	if id, ok, err := k.Identity(); ok && err == nil {
		if public, ok := id.public(); ok {
			return public
		}
	}
	return new(ecdsa.PublicKey)
}

// Next is the key that a renewal with a new key, or an enrolment of a counter
// whose key is in trouble, asks a certificate for: made on the first call, the
// same on every later one until SaveIdentity makes it the current key. Until
// then nothing else changes.
func (k *Keeper) Next() (crypto.Signer, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	next, err := k.readNext()
	if err != nil {
		return nil, fmt.Errorf("making the counter's next key: %w", err)
	}
	return k.signer(next), nil
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
	next, err := k.readKey(text)
	if errors.Is(err, ErrLost) || errors.Is(err, ErrAway) {
		return nil // the current key is asked, and tells
	}
	if err != nil {
		return err
	}
	if !id.names(next.public) {
		return nil
	}
	if k.current.Signer == nil || k.trouble != nil {
		if err := k.aside(currentFile, counterFile); err != nil {
			return err
		}
	}
	if err := os.Rename(path, filepath.Join(k.dir, currentFile)); err != nil {
		return err
	}
	k.current = next
	return syncFolder(k.dir)
}

// Format prints what the keeper is, whatever the verb.
func (k *Keeper) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "keys kept by "+string(k.Grade()))
}

// signer signs with a key and gives the key to nobody: it cannot be asserted
// to *ecdsa.PrivateKey, no more than one in a TPM could.
type signer struct {
	keeper *Keeper
	key    key
}

// Public returns the *ecdsa.PublicKey.
func (s signer) Public() crypto.PublicKey { return s.key.public }

// Sign signs a digest; the result is ASN.1 DER. What it learns of the key is
// told by Trouble.
func (s signer) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if s.key.Signer == nil {
		now, err := s.keeper.again()
		if err != nil {
			return nil, fmt.Errorf("signing: %w", err)
		}
		s.key = now
	}
	sig, err := s.key.Sign(rand.Reader, digest, opts)
	err = trouble(err)
	if err == nil || errors.Is(err, ErrLost) || errors.Is(err, ErrAway) {
		s.keeper.learn(err)
	}
	return sig, err
}

// again looks whether a key that was in trouble can be used by now.
func (k *Keeper) again() (key, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.current.Signer != nil {
		return k.current, nil
	}
	id, enrolled, err := k.Identity()
	if err != nil {
		return key{}, err
	}
	k.findHolders()
	k.trouble = k.loadKeys(id, enrolled)
	return k.current, k.trouble
}

// Format prints what the signer is, whatever the verb.
func (s signer) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "the counter's key") }

// learn keeps what using the key told of it.
func (k *Keeper) learn(err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.wrap != nil {
		k.trouble = err
	}
}

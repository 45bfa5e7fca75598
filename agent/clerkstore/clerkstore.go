// Package clerkstore keeps the counter's accounts on disk: names, roles, dates
// of training and the argon2id hash of each secret. It is the one door to
// golang.org/x/crypto/argon2.
//
// It never keeps or logs a secret, and it has no rules: package clerk has. Whoever
// can write to the folder can change an account in it, or put an older copy of it
// back.
//
// # The laws
//
//   - A wrong try is on disk before it is answered, so pulling the plug buys no
//     further try.
//   - The first account is made with the one-time code of the enrolment, once;
//     the code is kept as a hash and gone afterwards.
//   - A hash is of no use without the pepper, a key that the counter's custody
//     wraps: six digits alone would be guessed from it in hours. A pepper that is
//     lost or swapped is said, and nobody signs in; it is never replaced silently.
//   - Only a supervisor with an account that is on changes another's. Nobody
//     changes the own role or training.
//   - The file is replaced whole (write, fsync, rename), never edited.
package clerkstore

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/counterproof/counterproof/agent/clerk"
	"github.com/counterproof/counterproof/agent/proof"
)

// account is one clerk on disk.
type account struct {
	Operator proof.Operator `json:"operator"`
	Secret   secret         `json:"secret"`
	Lock     clerk.Lock     `json:"lock"`
	Off      bool           `json:"off,omitempty"`  // switched off: no sign-in
	Code     *oneTime       `json:"code,omitempty"` // to set a secret with
	Changed  stamp          `json:"changed,omitzero"`
}

// stamp is who changed an account last, and when.
type stamp struct {
	By proof.OperatorID `json:"by"`
	At time.Time        `json:"at"`
}

// file is the whole store.
type file struct {
	Accounts []account `json:"accounts"`
	First    []byte    `json:"first,omitempty"` // SHA-256 of the first clerk's code
}

// Store is the accounts of one counter. Its methods may be called from any
// goroutine.
type Store struct {
	path   string
	vault  Vault
	mu     sync.Mutex
	file   file
	pepper []byte // nil: lost
}

// Open reads the store in a folder; a folder without one is a store without
// accounts. A store whose pepper is lost opens, so that all else of the counter
// works, and lets nobody in.
func Open(dir string, vault Vault) (*Store, error) {
	s := &Store{path: filepath.Join(dir, "clerks.json"), vault: vault}
	b, err := os.ReadFile(s.path)
	if err == nil {
		err = json.Unmarshal(b, &s.file)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("reading the clerks' accounts: %w", err)
	}
	return s, s.season()
}

// Empty reports whether the first account is still to be made.
func (s *Store) Empty() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.file.Accounts) == 0
}

// Expect sets the one-time code with which the first account may be made, or
// another supervisor's where all others are locked out. Whoever calls it has the
// counter's files in hand.
func (s *Store) Expect(code string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	sum := sha256.Sum256([]byte(code))
	next := s.file
	next.First = sum[:]
	return s.replace(next)
}

// First makes a supervisor's account with the one-time code.
func (s *Store) First(code, name, pass string, trained proof.Training) (proof.Operator, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sum := sha256.Sum256([]byte(code))
	if len(s.file.First) == 0 || subtle.ConstantTimeCompare(sum[:], s.file.First) != 1 {
		return proof.Operator{}, &proof.Error{Op: "making the first account", Kind: proof.KindEnrolCode}
	}
	if err := s.good(pass); err != nil {
		return proof.Operator{}, err
	}
	next := file{Accounts: s.file.Accounts} // the code is good once
	return s.add(next, name, account{Operator: proof.Operator{Role: proof.Supervisor, Training: trained}, Secret: s.hash(pass)})
}

// Add makes a further account with a secret that somebody else knows too; Invite
// is the better way.
func (s *Store) Add(name, pass string, role proof.Role, trained proof.Training) (proof.Operator, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.good(pass); err != nil {
		return proof.Operator{}, err
	}
	return s.add(s.file, name, account{Operator: proof.Operator{Role: role, Training: trained}, Secret: s.hash(pass)})
}

// good refuses a secret that will not do, and every one while the pepper is lost.
func (s *Store) good(pass string) error {
	if s.pepper == nil {
		return &proof.Error{Op: "setting a secret", Kind: proof.KindPINKeyLost}
	}
	if !clerk.GoodSecret(pass) {
		return &proof.Error{Op: "setting a secret", Kind: proof.KindWeakPIN}
	}
	return nil
}

// add puts an account for a person into a file and writes it.
func (s *Store) add(next file, name string, a account) (proof.Operator, error) {
	if !clerk.GoodName(name) {
		return proof.Operator{}, &proof.Error{Op: "making an account", Kind: proof.KindBadRequest}
	}
	a.Operator.Name = name
	a.Operator.ID = clerk.OperatorID(name, func(id proof.OperatorID) bool { return s.find(id) >= 0 })
	next.Accounts = append(slices.Clone(next.Accounts), a)
	return a.Operator, s.replace(next)
}

// Operators lists everybody whose account is on: who may confirm what another
// saw, and who has which training.
func (s *Store) Operators() []proof.Operator {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []proof.Operator
	for _, a := range s.file.Accounts {
		if !a.Off {
			out = append(out, a.Operator)
		}
	}
	return out
}

// Knows reports whether there is an account of a name.
func (s *Store) Knows(id proof.OperatorID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.find(id) >= 0
}

// find is the place of an account, -1 without one.
func (s *Store) find(id proof.OperatorID) int {
	return slices.IndexFunc(s.file.Accounts, func(a account) bool { return a.Operator.ID == id })
}

// SignIn checks an operator's secret. An account that is locked gives
// KindLockedOut with the time in Until, one that is off KindAccountOff to whoever
// has its secret; anything else wrong gives KindSignIn. A hash of before, without
// the pepper or with weaker parameters, is made anew.
func (s *Store) SignIn(id proof.OperatorID, pass string, now time.Time) (proof.Operator, time.Time, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.try(id, now, func(a *account) proof.Kind {
		if !s.matches(pass, a.Secret) {
			return proof.KindSignIn
		}
		if !s.current(a.Secret) {
			a.Secret = s.hash(pass)
		}
		return proof.KindNone
	})
}

// try lets somebody try one secret of an account. The try is counted on disk
// first; where right finds nothing wrong it is taken back, together with what
// right changed.
func (s *Store) try(id proof.OperatorID, now time.Time, right func(*account) proof.Kind) (proof.Operator, time.Time, error) {
	const op = "signing in"
	if s.pepper == nil {
		return proof.Operator{}, time.Time{}, &proof.Error{Op: op, Kind: proof.KindPINKeyLost}
	}
	i := s.find(id)
	if i < 0 {
		// The same work for a name that is not there, so that time tells nothing.
		kind := right(&account{Secret: s.nobody()})
		return proof.Operator{}, time.Time{}, &proof.Error{Op: op, Kind: kind}
	}
	a := s.file.Accounts[i]
	if kind, until := a.Lock.Check(now); kind != proof.KindNone {
		return proof.Operator{}, until, &proof.Error{Op: op, Kind: kind}
	}
	if err := s.setLock(i, a.Lock.Failed(now)); err != nil {
		return proof.Operator{}, time.Time{}, err
	}
	kind := right(&a)
	if kind != proof.KindNone {
		if locked, until := s.file.Accounts[i].Lock.Check(now); locked != proof.KindNone {
			return proof.Operator{}, until, &proof.Error{Op: op, Kind: locked}
		}
		return proof.Operator{}, time.Time{}, &proof.Error{Op: op, Kind: kind}
	}
	if a.Off {
		return proof.Operator{}, time.Time{}, &proof.Error{Op: op, Kind: proof.KindAccountOff}
	}
	a.Lock = clerk.Lock{}
	return a.Operator, time.Time{}, s.put(i, a)
}

// Unlock lets an operator try again. The caller has checked who may.
func (s *Store) Unlock(id proof.OperatorID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.find(id)
	if i < 0 {
		return &proof.Error{Op: "unlocking", Kind: proof.KindBadRequest}
	}
	return s.setLock(i, clerk.Lock{})
}

// setLock writes how one account stands.
func (s *Store) setLock(i int, lock clerk.Lock) error {
	a := s.file.Accounts[i]
	a.Lock = lock
	return s.put(i, a)
}

// put writes one account anew.
func (s *Store) put(i int, a account) error {
	next := s.file
	next.Accounts = slices.Clone(next.Accounts)
	next.Accounts[i] = a
	return s.replace(next)
}

// replace writes the store anew and then uses it.
func (s *Store) replace(next file) error {
	b, err := json.MarshalIndent(next, "", " ")
	if err != nil {
		return fmt.Errorf("writing the clerks' accounts: %w", err)
	}
	if err := writeWhole(s.path, b); err != nil {
		return &proof.Error{Op: "writing the clerks' accounts", Kind: proof.KindDiskFails, Err: err}
	}
	s.file = next
	return nil
}

// writeWhole replaces a file so that a crash leaves the old one or the new one.
func writeWhole(path string, b []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("making the folder: %w", err)
	}
	f, err := os.OpenFile(path+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("creating: %w", err)
	}
	_, err = f.Write(b)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(path+".new"))
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("replacing: %w", err)
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("opening the folder: %w", err)
	}
	return errors.Join(dir.Sync(), dir.Close())
}

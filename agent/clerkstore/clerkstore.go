// Package clerkstore keeps the counter's accounts on disk: names, roles, dates
// of training and the argon2id hash of each secret. It is the one door to
// golang.org/x/crypto/argon2.
//
// It never keeps or logs a secret, and it has no rules: package clerk has.
//
// # The laws
//
//   - A wrong try is on disk before it is answered, so pulling the plug buys no
//     further try.
//   - The first account is made with the one-time code of the enrolment, once;
//     the code is kept as a hash and gone afterwards.
//   - The file is replaced whole (write, fsync, rename), never edited.
package clerkstore

import (
	"crypto/rand"
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

	"golang.org/x/crypto/argon2"

	"github.com/counterproof/counterproof/agent/clerk"
	"github.com/counterproof/counterproof/agent/proof"
)

// Parameters of argon2id: 19 MiB, 2 passes, 1 lane (OWASP's minimum), some 45 ms
// on a counter PC. They are stored with each hash, so that they can grow.
const (
	argonMemory = 19 << 10 // KiB
	argonTime   = 2
	argonLanes  = 1
	argonLen    = 32
	saltLen     = 16
)

// secret is the hash of one secret with what made it.
type secret struct {
	Salt   []byte `json:"salt"`
	Hash   []byte `json:"hash"`
	Memory uint32 `json:"memory"`
	Time   uint32 `json:"time"`
	Lanes  uint8  `json:"lanes"`
}

// account is one clerk on disk.
type account struct {
	Operator proof.Operator `json:"operator"`
	Secret   secret         `json:"secret"`
	Lock     clerk.Lock     `json:"lock"`
}

// file is the whole store.
type file struct {
	Accounts []account `json:"accounts"`
	First    []byte    `json:"first,omitempty"` // SHA-256 of the first clerk's code
}

// Store is the accounts of one counter. Its methods may be called from any
// goroutine.
type Store struct {
	path string
	mu   sync.Mutex
	file file
}

// Open reads the store in a folder; a folder without one is a store without
// accounts.
func Open(dir string) (*Store, error) {
	s := &Store{path: filepath.Join(dir, "clerks.json")}
	b, err := os.ReadFile(s.path)
	if errors.Is(err, os.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the clerks' accounts: %w", err)
	}
	if err := json.Unmarshal(b, &s.file); err != nil {
		return nil, fmt.Errorf("reading the clerks' accounts: %w", err)
	}
	return s, nil
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
	return s.add(name, pass, proof.Supervisor, trained)
}

// Add makes a further account, at a supervisor's wish.
func (s *Store) Add(name, pass string, role proof.Role, trained proof.Training) (proof.Operator, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.add(name, pass, role, trained)
}

func (s *Store) add(name, pass string, role proof.Role, trained proof.Training) (proof.Operator, error) {
	if !clerk.GoodSecret(pass) {
		return proof.Operator{}, &proof.Error{Op: "making an account", Kind: proof.KindWeakPIN}
	}
	if !clerk.GoodName(name) {
		return proof.Operator{}, &proof.Error{Op: "making an account", Kind: proof.KindBadRequest}
	}
	id := clerk.OperatorID(name, func(id proof.OperatorID) bool { return s.find(id) >= 0 })
	op := proof.Operator{ID: id, Name: name, Role: role, Training: trained}
	next := file{Accounts: append(slices.Clone(s.file.Accounts), account{Operator: op, Secret: hash(pass)})}
	return op, s.replace(next)
}

// Operators lists everybody who has an account.
func (s *Store) Operators() []proof.Operator {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []proof.Operator
	for _, a := range s.file.Accounts {
		out = append(out, a.Operator)
	}
	return out
}

// find is the place of an account, -1 without one.
func (s *Store) find(id proof.OperatorID) int {
	return slices.IndexFunc(s.file.Accounts, func(a account) bool { return a.Operator.ID == id })
}

// SignIn checks an operator's secret. An account that is locked gives
// KindLockedOut with the time in Until; anything else wrong gives KindSignIn.
func (s *Store) SignIn(id proof.OperatorID, pass string, now time.Time) (proof.Operator, time.Time, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.find(id)
	if i < 0 {
		// The same work for a name that is not there, so that time tells nothing.
		matches(pass, hash(""))
		return proof.Operator{}, time.Time{}, &proof.Error{Op: "signing in", Kind: proof.KindSignIn}
	}
	a := s.file.Accounts[i]
	if kind, until := a.Lock.Check(now); kind != proof.KindNone {
		return proof.Operator{}, until, &proof.Error{Op: "signing in", Kind: kind}
	}
	// The try is counted on disk first and taken back when it was right.
	if err := s.setLock(i, a.Lock.Failed(now)); err != nil {
		return proof.Operator{}, time.Time{}, err
	}
	if len(pass) > clerk.MaxSecret || !matches(pass, a.Secret) {
		if kind, until := s.file.Accounts[i].Lock.Check(now); kind != proof.KindNone {
			return proof.Operator{}, until, &proof.Error{Op: "signing in", Kind: kind}
		}
		return proof.Operator{}, time.Time{}, &proof.Error{Op: "signing in", Kind: proof.KindSignIn}
	}
	return a.Operator, time.Time{}, s.setLock(i, clerk.Lock{})
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
	next := s.file
	next.Accounts = slices.Clone(next.Accounts)
	next.Accounts[i].Lock = lock
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

// hash salts and hashes a secret with today's parameters.
func hash(pass string) secret {
	s := secret{Salt: make([]byte, saltLen), Memory: argonMemory, Time: argonTime, Lanes: argonLanes}
	rand.Read(s.Salt)
	s.Hash = argon2.IDKey([]byte(pass), s.Salt, s.Time, s.Memory, s.Lanes, argonLen)
	return s
}

// matches reports whether a secret is the hashed one, in constant time. Stored
// parameters are bounded: a changed file must not take the machine's memory.
func matches(pass string, s secret) bool {
	if s.Time == 0 || s.Time > 16 || s.Memory > 256<<10 || s.Lanes == 0 || len(s.Hash) != argonLen {
		return false
	}
	got := argon2.IDKey([]byte(pass), s.Salt, s.Time, s.Memory, s.Lanes, argonLen)
	return subtle.ConstantTimeCompare(got, s.Hash) == 1
}

package clerkstore

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"golang.org/x/crypto/argon2"

	"github.com/counterproof/counterproof/agent/clerk"
	"github.com/counterproof/counterproof/agent/proof"
)

// Vault keeps a key under the counter's own, for a purpose. What was wrapped for
// one purpose is not unwrapped for another.
type Vault interface {
	Wrap(purpose string, key []byte) ([]byte, error)
	Unwrap(purpose string, wrapped []byte) ([]byte, error)
}

// Parameters of argon2id: 19 MiB, 2 passes, 1 lane (OWASP's minimum), some 45 ms
// on a counter PC. They are stored with each hash, so that they can grow.
const (
	argonMemory = 19 << 10 // KiB
	argonTime   = 2
	argonLanes  = 1
	argonLen    = 32
	saltLen     = 16
)

// The pepper: its file beside the accounts, its purpose in custody, its length.
const (
	pepperFile    = "clerks.key"
	pepperPurpose = "clerks"
	pepperLen     = 32
)

// secret is the hash of one secret with what made it: argon2id over the
// HMAC-SHA-256 of the secret under the pepper.
type secret struct {
	Salt   []byte `json:"salt"`
	Hash   []byte `json:"hash"`
	Memory uint32 `json:"memory"`
	Time   uint32 `json:"time"`
	Lanes  uint8  `json:"lanes"`
	// Pepper names the pepper; empty for a hash of before there was one.
	Pepper []byte `json:"pepper,omitempty"`
}

// season finds the pepper, or draws the first one where no hash has any yet.
func (s *Store) season() error {
	path := filepath.Join(filepath.Dir(s.path), pepperFile)
	wrapped, err := os.ReadFile(path)
	switch {
	case errors.Is(err, os.ErrNotExist) && !s.seasoned():
		return s.draw()
	case errors.Is(err, os.ErrNotExist):
	case err != nil:
		return fmt.Errorf("reading the key of the clerks' secrets: %w", err)
	default:
		s.pepper, err = s.vault.Unwrap(pepperPurpose, wrapped)
	}
	if err != nil || len(s.pepper) != pepperLen || !s.belongs() {
		s.pepper = nil
		slog.Error("nobody can sign in", "kind", string(proof.KindPINKeyLost))
	}
	return nil
}

// draw makes a pepper and has it on disk before any hash needs it.
func (s *Store) draw() error {
	pepper := make([]byte, pepperLen)
	rand.Read(pepper)
	wrapped, err := s.vault.Wrap(pepperPurpose, pepper)
	if err != nil {
		return fmt.Errorf("wrapping the key of the clerks' secrets: %w", err)
	}
	if err := writeWhole(filepath.Join(filepath.Dir(s.path), pepperFile), wrapped); err != nil {
		return fmt.Errorf("writing the key of the clerks' secrets: %w", err)
	}
	s.pepper = pepper
	return nil
}

// seasoned reports whether any hash was made with a pepper.
func (s *Store) seasoned() bool {
	for _, a := range s.file.Accounts {
		if len(a.Secret.Pepper) > 0 {
			return true
		}
	}
	return false
}

// belongs reports whether the pepper is that of every hash which has one.
func (s *Store) belongs() bool {
	for _, a := range s.file.Accounts {
		if p := a.Secret.Pepper; len(p) > 0 && !hmac.Equal(p, s.name()) {
			return false
		}
	}
	return true
}

// keyed is a text's HMAC-SHA-256 under the pepper; use keeps the uses apart.
func (s *Store) keyed(use, text string) []byte {
	mac := hmac.New(sha256.New, s.pepper)
	mac.Write([]byte(use))
	mac.Write([]byte{0})
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

// name tells one pepper from another and helps nobody to find it.
func (s *Store) name() []byte { return s.keyed("name", "")[:8] }

// Lost reports whether the pepper is gone, so that nobody can sign in.
func (s *Store) Lost() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pepper == nil
}

// Renew draws a new pepper where the old one is lost. Every secret and one-time
// code is void then: a supervisor resets account by account. What is left of the
// old pepper is put aside. Whoever calls it has the counter's files in hand.
func (s *Store) Renew() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pepper != nil {
		return nil
	}
	path := filepath.Join(filepath.Dir(s.path), pepperFile)
	if err := os.Rename(path, path+".lost"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("putting the old key of the clerks' secrets aside: %w", err)
	}
	next := file{First: s.file.First}
	for _, a := range s.file.Accounts {
		a.Secret, a.Code = secret{}, nil
		next.Accounts = append(next.Accounts, a)
	}
	if err := s.replace(next); err != nil {
		return err
	}
	return s.draw()
}

// hash salts and hashes a secret with today's parameters.
func (s *Store) hash(pass string) secret {
	h := secret{Salt: make([]byte, saltLen), Memory: argonMemory, Time: argonTime, Lanes: argonLanes, Pepper: s.name()}
	rand.Read(h.Salt)
	h.Hash = argon2.IDKey(s.keyed("secret", pass), h.Salt, h.Time, h.Memory, h.Lanes, argonLen)
	return h
}

// nobody is a hash that no secret gives.
func (s *Store) nobody() secret {
	return secret{make([]byte, saltLen), make([]byte, argonLen), argonMemory, argonTime, argonLanes, s.name()}
}

// current reports whether a hash was made with the pepper and today's parameters.
func (s *Store) current(h secret) bool {
	return len(h.Pepper) > 0 && h.Memory >= argonMemory && h.Time >= argonTime
}

// matches reports whether a secret is the hashed one, in constant time. Stored
// parameters are bounded: a changed file must not take the machine's memory. A
// hash that is void costs the same work.
func (s *Store) matches(pass string, h secret) bool {
	if h.Time == 0 || h.Time > 16 || h.Memory > 256<<10 || h.Lanes == 0 || len(h.Hash) != argonLen || len(pass) > clerk.MaxSecret {
		h, pass = s.nobody(), ""
	}
	input := []byte(pass)
	if len(h.Pepper) > 0 {
		input = s.keyed("secret", pass)
	}
	got := argon2.IDKey(input, h.Salt, h.Time, h.Memory, h.Lanes, argonLen)
	return subtle.ConstantTimeCompare(got, h.Hash) == 1
}

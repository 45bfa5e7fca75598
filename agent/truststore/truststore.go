// Package truststore keeps the bundles of what to trust in a folder: the newest and
// the one before it, each as its signer made it.
//
// It believes nobody but the pinned key, judges no chip and fetches nothing.
//
// # The laws
//
//   - A bundle that is not signed under the pinned key is never used.
//   - A bundle that is older than one which was used here is never used again,
//     also if the newer one is gone.
//   - A bundle is on disk, whole, before it is used; a damaged one is left where it
//     is, told, and lived without.
package truststore

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/counterproof/counterproof/agent/chip/trust"
	"github.com/counterproof/counterproof/agent/ledger"
)

// Names in the folder.
const (
	ending    = ".bundle"
	newestFmt = "%08d" + ending
	seenFile  = "seen.json" // the newest that was ever used
)

// Bounds of what is read.
const (
	maxBundle = 64 << 20
	maxSeen   = 1 << 10
	maxFiles  = 64 // bundles in the folder that are looked at
	kept      = 2
)

// ErrNoKey says that no key is pinned, so that no bundle can be believed.
var ErrNoKey = errors.New("no key is pinned that bundles could be signed with")

// Shelf is a folder of bundles. Its methods may be called from any goroutine.
type Shelf struct {
	dir string
	key ed25519.PublicKey

	mu    sync.Mutex
	store *trust.Store // nil where there is none
	seen  seen
}

// seen is the newest bundle that was used.
type seen struct {
	Number int       `json:"number"`
	Made   time.Time `json:"made"`
}

// Open opens a folder, which may not be there yet. Without a key, which is nil
// then, nothing in it is believed.
func Open(dir string, key ed25519.PublicKey) (*Shelf, error) {
	s := &Shelf{dir: dir, key: key}
	if b, err := ledger.ReadSmall(filepath.Join(dir, seenFile), maxSeen); err == nil && json.Unmarshal(b, &s.seen) != nil {
		slog.Error("what was trusted before is damaged", "kind", "disk_fails")
	}
	return s, s.Look()
}

// Store is what to trust now, nil for nobody.
func (s *Shelf) Store() *trust.Store {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.store
}

// Look looks through the folder for a newer bundle than the one in use.
func (s *Shelf) Look() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.key == nil {
		return nil
	}
	names, err := s.names()
	if err != nil {
		return err
	}
	for _, name := range names {
		raw, err := ledger.ReadSmall(filepath.Join(s.dir, name), maxBundle)
		if err == nil {
			err = s.use(raw)
		}
		if err != nil && !errors.Is(err, trust.ErrRollback) {
			slog.Warn("a trust bundle is not used", "err", err.Error())
		}
	}
	return nil
}

// names are the bundles in the folder, newest last; the names of those that Put
// wrote sort so.
func (s *Shelf) names() ([]string, error) {
	entries, err := os.ReadDir(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("looking for trust bundles: %w", err)
	}
	var names []string
	for _, e := range entries {
		if e.Type().IsRegular() && strings.HasSuffix(e.Name(), ending) {
			names = append(names, e.Name())
		}
	}
	return names[max(0, len(names)-maxFiles):], nil
}

// use takes a bundle if it is one, and not older than any that was used. s.mu is
// held.
func (s *Shelf) use(raw []byte) error {
	next, err := trust.Parse(raw, s.key)
	if err != nil {
		return err
	}
	if next.Number() < s.seen.Number || next.Made().Before(s.seen.Made) {
		return trust.ErrRollback
	}
	if err := trust.Accept(s.store, next); err != nil {
		return err
	}
	if next.Number() > s.seen.Number {
		s.seen = seen{next.Number(), next.Made()}
		b, err := json.Marshal(s.seen)
		if err == nil {
			err = ledger.Replace(filepath.Join(s.dir, seenFile), b)
		}
		if err != nil {
			return fmt.Errorf("keeping what was trusted: %w", err)
		}
	}
	s.store = next
	return nil
}

// Put takes a bundle that somebody brought, once it is on disk, and lets the ones
// before the last two go. The same again changes nothing.
func (s *Shelf) Put(raw []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.key == nil {
		return ErrNoKey
	}
	next, err := trust.Parse(raw, s.key)
	if err != nil {
		return err
	}
	if next.Number() < s.seen.Number || next.Made().Before(s.seen.Made) {
		return trust.ErrRollback
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return fmt.Errorf("making the folder of trust bundles: %w", err)
	}
	if err := ledger.Replace(filepath.Join(s.dir, fmt.Sprintf(newestFmt, next.Number())), raw); err != nil {
		return fmt.Errorf("writing a trust bundle: %w", err)
	}
	if err := s.use(raw); err != nil {
		return err
	}
	return s.trim()
}

// trim lets all but the last bundles go that Put wrote.
func (s *Shelf) trim() error {
	names, err := s.names()
	if err != nil {
		return err
	}
	names = slices.DeleteFunc(names, func(n string) bool {
		var number int
		_, err := fmt.Sscanf(n, newestFmt, &number)
		return err != nil || n != fmt.Sprintf(newestFmt, number)
	})
	for _, n := range names[:max(0, len(names)-kept)] {
		if err := os.Remove(filepath.Join(s.dir, n)); err != nil {
			return fmt.Errorf("letting an old trust bundle go: %w", err)
		}
	}
	return nil
}

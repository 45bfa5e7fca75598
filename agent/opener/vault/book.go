package vault

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/counterproof/counterproof/agent/ledger"
	"github.com/counterproof/counterproof/sync/wire"
)

// deed says what a line of the book tells. Add only at the end: files of the past
// speak these words.
type deed string

// The deeds.
const (
	deedHanded    deed = "handed"    // the centre hands these keys out from now on
	deedShred     deed = "shred"     // the key is to be destroyed
	deedDestroyed deed = "destroyed" // it is
	deedTold      deed = "told"      // and the centre's log says so
)

// line is one line of the book. None of it is secret or personal. The keys are the
// file's form.
type line struct {
	At   time.Time     `json:"at"`
	Deed deed          `json:"deed"`
	Keys []wire.KeyID  `json:"keys,omitempty"`  // handed out
	Held []wire.KeyID  `json:"held,omitempty"`  // of these, those on a token
	Key  wire.KeyID    `json:"key,omitempty"`   // destroyed
	Part wire.PartName `json:"part,omitempty"`  // that it was for
	For  string        `json:"month,omitempty"` // the month that it was for
	Hash wire.Hash     `json:"hash,omitzero"`   // of its public half
}

// grave is a key that was destroyed, or is about to be.
type grave struct {
	line
	destroyed, told bool
	at              time.Time // when it was destroyed
}

// book is what was done with keys, folded from a ledger.
type book struct {
	ledger *ledger.Ledger
	handed []wire.KeyID // by the centre now
	held   []wire.KeyID // of these, on a token
	until  map[wire.KeyID]time.Time
	graves map[wire.KeyID]*grave
	order  []*grave
}

// openBook reads the book in a folder, which is made if missing.
func openBook(dir string) (*book, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	secret, err := ledger.Key(dir)
	if err != nil {
		return nil, err
	}
	defer clear(secret)
	b := &book{until: map[wire.KeyID]time.Time{}, graves: map[wire.KeyID]*grave{}}
	b.ledger, err = ledger.Open(dir, secret, func(text []byte) error {
		var l line
		if err := json.Unmarshal(text, &l); err != nil {
			return fmt.Errorf("a line about keys is of a later version: %w", err)
		}
		return b.fold(l)
	})
	if err != nil {
		return nil, err
	}
	return b, nil
}

// Close closes the file; nothing is lost without it.
func (b *book) Close() error { return b.ledger.Close() }

// fold takes in one line.
func (b *book) fold(l line) error {
	switch g := b.graves[l.Key]; {
	case l.Deed == deedHanded:
		for _, id := range b.handed {
			if !slices.Contains(l.Keys, id) {
				b.until[id] = l.At
			}
		}
		b.handed, b.held = l.Keys, l.Held
	case l.Deed == deedShred && g == nil:
		g = &grave{line: l}
		b.graves[l.Key], b.order = g, append(b.order, g)
	case g == nil:
		return errors.New("a line is about a key that was not to be destroyed")
	case l.Deed == deedDestroyed:
		g.destroyed, g.at = true, l.At
	case l.Deed == deedTold:
		g.told = true
	}
	return nil
}

// add puts a line on the disk and takes it in.
func (b *book) add(l line) error {
	l.At = l.At.UTC().Truncate(time.Millisecond)
	if err := b.ledger.Add(l); err != nil {
		return err
	}
	return b.fold(l)
}

// onToken reports whether the centre hands out a key of a token that is not had.
func (b *book) onToken(has func(wire.KeyID) bool) bool {
	return slices.ContainsFunc(b.held, func(id wire.KeyID) bool { return !has(id) && b.graves[id] == nil })
}

// Handed reports whether these are the keys that the centre was given last.
func (v *Vault) Handed(keys []wire.Recipient) bool { return slices.Equal(v.book.handed, ids(keys)) }

// Hand keeps that the centre hands out these keys from now on, and no others.
func (v *Vault) Hand(keys []wire.Recipient, now time.Time) error {
	if v.Handed(keys) {
		return nil
	}
	l := line{At: now, Deed: deedHanded, Keys: ids(keys)}
	for _, k := range v.keys {
		if k.held != nil && slices.Contains(l.Keys, k.ID()) {
			l.Held = append(l.Held, k.ID())
		}
	}
	if err := v.book.add(l); err != nil {
		return fmt.Errorf("keeping which keys are handed out: %w", err)
	}
	return nil
}

func ids(keys []wire.Recipient) []wire.KeyID {
	var out []wire.KeyID
	for _, k := range keys {
		out = append(out, k.Key)
	}
	return out
}

// Tombstones are the leaves for the centre's log about keys that were destroyed
// and that the log does not tell of yet, oldest first. By is who posts them.
func (v *Vault) Tombstones(by wire.AgentID) []wire.Leaf {
	var out []wire.Leaf
	for _, g := range v.book.order {
		if g.destroyed && !g.told {
			out = append(out, wire.Leaf{
				Kind: wire.LeafTombstone, At: g.at, By: string(by), Subject: g.Hash, Word: string(g.Part),
			})
		}
	}
	return out
}

// Told keeps that the centre took the first n of Tombstones.
func (v *Vault) Told(n int, now time.Time) error {
	for _, g := range v.book.order {
		if n == 0 {
			return nil
		}
		if !g.destroyed || g.told {
			continue
		}
		if err := v.book.add(line{At: now, Deed: deedTold, Key: g.Key}); err != nil {
			return fmt.Errorf("keeping that a tombstone is posted: %w", err)
		}
		n--
	}
	return nil
}

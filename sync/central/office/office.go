// Package office is what people do at the centre: the command
// counterproof-central with all that it is asked to do, and the deeds of the
// centre's office, each under the name of the person who did it.
//
// It never opens a record, and keeps nothing itself: what is done lies in the
// centre's store, together with the leaf of the log that tells of it.
//
// # The laws
//
//   - A deed is one transaction with its leaf, under a sign-in name. Words and
//     reasons are of closed lists; nothing that a person typed goes into the log.
//   - Whoever approves an enrolment is another person than who invited.
//   - Revoking is for ever. Erasing is asked for twice, and leaves a tombstone.
//   - Every command but migrate works while the centre is running.
package office

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/counterproof/counterproof/sync/central"
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// Staff does the deeds of one person of the office.
type Staff struct {
	Office central.Office
	By     string           // sign-in name: lower-case letters, digits and hyphens
	Now    func() time.Time // time.Now by default
}

// Words that a deed may carry, in the order of their help.
const (
	revokeWords = "stolen lost broken replaced closed misused"
	settleWords = "fraud mistake same_visit explained repaired"
	eraseWords  = "request court retention mistake"
)

// oneOf reports a word that is not of a closed list.
func oneOf(what, word, list string) error {
	if slices.Contains(strings.Fields(list), word) {
		return nil
	}
	return fmt.Errorf("%s is one of: %s", what, strings.ReplaceAll(list, " ", ", "))
}

// leaf tells of a deed.
func (s Staff) leaf(word string, subject wire.Hash) (wire.Leaf, error) {
	now := time.Now
	if s.Now != nil {
		now = s.Now
	}
	l := wire.Leaf{Kind: wire.LeafDeed, At: now().UTC().Truncate(time.Millisecond), By: s.By, Subject: subject, Word: word}
	if l.Check() != nil {
		return l, fmt.Errorf("%q is no sign-in name: give one of lower-case letters, digits and hyphens with --by", s.By)
	}
	return l, nil
}

// change changes an agent under a word.
func (s Staff) change(ctx context.Context, id wire.AgentID, word string, change func(store.Agent) (store.Agent, error)) (store.Agent, error) {
	leaf, err := s.leaf(word, wire.HashOf([]byte(id)))
	if err != nil {
		return store.Agent{}, err
	}
	a, err := s.Office.Change(ctx, id, leaf, change)
	if errors.Is(err, store.ErrUnknown) {
		return a, fmt.Errorf("no agent %s is enrolled: counterproof-central agents lists them", id)
	}
	return a, err
}

// Approve is the second person's word that an agent may speak.
func (s Staff) Approve(ctx context.Context, id wire.AgentID) (store.Agent, error) {
	return s.change(ctx, id, "approve", func(a store.Agent) (store.Agent, error) {
		switch {
		case a.Status == store.Revoked:
			return a, errors.New("it was revoked, which is for ever: invite the counter again after it has made a new key")
		case a.Status != store.Pending:
			return a, errors.New("it waits for nobody")
		case a.Invited == s.By:
			return a, fmt.Errorf("%s invited it: the second person must be another one", s.By)
		}
		a.Status, a.Approved = store.Active, s.By
		return a, nil
	})
}

// Revoke refuses an agent for ever.
func (s Staff) Revoke(ctx context.Context, id wire.AgentID, reason string) (store.Agent, error) {
	if err := oneOf("a reason", reason, revokeWords); err != nil {
		return store.Agent{}, err
	}
	return s.change(ctx, id, "revoke_"+reason, func(a store.Agent) (store.Agent, error) {
		if a.Status == store.Revoked {
			return a, errors.New("it was revoked before")
		}
		a.Status = store.Revoked
		return a, nil
	})
}

// Move puts a counter into another site. Its chain and what waits in its queue
// go with it.
func (s Staff) Move(ctx context.Context, id wire.AgentID, site wire.SiteID) (store.Agent, error) {
	if err := central.CheckSite(site); err != nil {
		return store.Agent{}, err
	}
	return s.change(ctx, id, "move", func(a store.Agent) (store.Agent, error) {
		switch {
		case site == "" || a.Role != store.Counter:
			return a, errors.New("only a counter stands in a site, and always in one")
		case a.Status == store.Revoked:
			return a, errors.New("it was revoked")
		case a.Site == site:
			return a, fmt.Errorf("it stands in %s already", site)
		}
		a.Site = site
		return a, nil
	})
}

// Flags are all flags, or the open ones.
func (s Staff) Flags(ctx context.Context, all bool) ([]store.Raised, error) {
	var flags []store.Raised
	for after := uint64(0); ; {
		page, err := s.Office.Flags(ctx, after, 100)
		if err != nil || len(page) == 0 {
			return flags, err
		}
		for _, f := range page {
			if all || f.Settled == "" {
				flags = append(flags, f)
			}
		}
		after = page[len(page)-1].Number
	}
}

// Settle closes a flag with a word.
func (s Staff) Settle(ctx context.Context, number uint64, word string) error {
	if err := oneOf("a word", word, settleWords); err != nil {
		return err
	}
	page, err := s.Office.Flags(ctx, max(number, 1)-1, 1)
	if err != nil {
		return err
	}
	if len(page) == 0 || page[0].Number != number || page[0].Settled != "" {
		return fmt.Errorf("no flag %d is open: counterproof-central flags lists them", number)
	}
	leaf, err := s.leaf("settle_"+word, page[0].Flag.Hash())
	if err != nil {
		return err
	}
	return s.Office.Settle(ctx, number, word, leaf)
}

// Find finds the stored records of a slip's reference or of a proofing's id, the
// record id in 32 hexadecimal digits.
func (s Staff) Find(ctx context.Context, name string) ([]store.Entry, error) {
	id, err := parseName(name)
	if err != nil {
		return nil, err
	}
	found, err := s.Office.Find(ctx, id.ref)
	if err != nil {
		return nil, err
	}
	if id.whole {
		found = slices.DeleteFunc(found, func(e store.Entry) bool { return e.Record != id.record })
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("no record of %s has arrived: it may still wait in its counter's queue", id.ref)
	}
	return found, nil
}

// Erase destroys what a record holds sealed, for good.
func (s Staff) Erase(ctx context.Context, e store.Entry, reason string) error {
	if err := oneOf("a reason", reason, eraseWords); err != nil {
		return err
	}
	leaf, err := s.leaf("erase_"+reason, e.Receipt.RecHash)
	if err != nil {
		return err
	}
	leaf.Kind, leaf.Index = wire.LeafTombstone, e.Receipt.LogIndex
	err = s.Office.Erase(ctx, e.Receipt.LogIndex, leaf)
	if errors.Is(err, store.ErrErased) {
		return errors.New("it was erased before")
	}
	return err
}

// note writes a leaf for what changes nothing in the store.
func (s Staff) note(ctx context.Context, word string, subject wire.Hash, index uint64) error {
	leaf, err := s.leaf(word, subject)
	if err != nil {
		return err
	}
	leaf.Index = index
	return s.Office.Append(ctx, leaf)
}

package storetest_test

import (
	"context"
	"slices"
	"strings"

	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// The faults of an office.
const (
	ignoresSecond fault = "asks for no second person"
	strandsLate   fault = "forgets a pending agent when its code expires"
	ignoresGrades fault = "takes keys kept in any way"
	takesRevoked  fault = "enrols revoked agents again"
	strandsMoved  fault = "does not know a moved agent by its code"
	changesAll    fault = "lets the office change everything"
	keepsFailure  fault = "keeps an agent whose change failed"
	skipsAgents   fault = "leaves agents out of a page"
	findsFirst    fault = "finds the first record only"
	keepsParts    fault = "keeps an erased record's parts"
	keepsBlobs    fault = "keeps an erased record's blobs"
	dropsShared   fault = "drops blobs that others name"
	erasesTwice   fault = "erases twice"
	silentErase   fault = "erases without a leaf"
	skipsFlags    fault = "leaves flags out of a page"
	doublesFlags  fault = "takes a flag twice"
	settlesTwice  fault = "settles a flag twice"
)

// officeFaults names the rule that each breaks.
var officeFaults = map[fault]string{
	ignoresSecond: "office/second-person",
	strandsLate:   "office/second-person-later",
	ignoresGrades: "office/key-grades",
	takesRevoked:  "office/revoked-for-ever",
	strandsMoved:  "office/moved",
	changesAll:    "office/change-only-that",
	keepsFailure:  "office/failed-change",
	skipsAgents:   "office/agents",
	findsFirst:    "office/find",
	keepsParts:    "office/erase",
	keepsBlobs:    "office/erase",
	dropsShared:   "office/erase-shared-blob",
	erasesTwice:   "office/erase-once",
	silentErase:   "office/erase-with-its-leaf",
	skipsFlags:    "flag/raised",
	doublesFlags:  "flag/same-again",
	settlesTwice:  "flag/settled",
}

// enrolled answers an agent that is enrolled already.
func (m *memory) enrolled(old *store.Agent, c *code, e store.Enrolment) (store.Agent, error) {
	again := c.usedBy == e.Agent && m.fault != strandsMoved
	if string(old.Public) != string(e.Public) || !again && (old.Site != c.Site || old.Role != c.Role) {
		return store.Agent{}, store.ErrCode
	}
	if old.Status == store.Revoked && m.fault != takesRevoked {
		return store.Agent{}, store.ErrCode
	}
	c.usedBy = e.Agent
	return *old, nil
}

// allows reports whether the code is good for a key, by its age and grade.
func (m *memory) allows(c *code, e store.Enrolment) bool {
	late := !e.At.Before(c.Expires) && m.fault != oldCodes
	waits := c.Second && c.usedBy == e.Agent && m.fault != strandsLate
	kept := len(c.Grades) == 0 || slices.Contains(c.Grades, e.Grade) || m.fault == ignoresGrades
	return (!late || waits) && kept
}

func (m *memory) Agents(_ context.Context, after wire.AgentID, limit int) ([]store.Agent, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []store.Agent
	for _, a := range m.agents {
		if a.ID > after {
			all = append(all, *a)
		}
	}
	slices.SortFunc(all, func(a, b store.Agent) int { return strings.Compare(string(a.ID), string(b.ID)) })
	page := all[:min(limit, len(all))]
	if m.fault == skipsAgents && len(page) > 1 {
		page = page[1:]
	}
	return page, nil
}

func (m *memory) Change(_ context.Context, id wire.AgentID, leaf wire.Leaf, change func(store.Agent) (store.Agent, error)) (store.Agent, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	a := m.agents[id]
	if a == nil {
		return store.Agent{}, store.ErrUnknown
	}
	next, err := change(*a)
	if err == nil {
		err = leaf.Check()
	}
	if err != nil && m.fault != keepsFailure {
		return store.Agent{}, err
	}
	if m.fault == changesAll {
		*a = next
	}
	a.Site, a.Status, a.Approved, a.Quarantined = next.Site, next.Status, next.Approved, next.Quarantined
	m.tree.leaves = append(m.tree.leaves, leaf)
	return *a, err
}

func (m *memory) Find(_ context.Context, ref wire.Ref) ([]store.Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []store.Entry
	for _, r := range m.log {
		h, err := wire.DecodeHeader(r.Envelope.Header)
		if err != nil || h.Record.Ref() != ref || m.fault == findsFirst && len(found) > 0 {
			continue
		}
		found = append(found, store.Entry{Receipt: r.Receipt, Record: h.Record, Erased: r.Erased})
	}
	return found, nil
}

func (m *memory) Erase(_ context.Context, index uint64, leaf wire.Leaf) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if index < 1 || index > uint64(len(m.log)) {
		return store.ErrPlace
	}
	r := &m.log[index-1]
	if r.Erased && m.fault != erasesTwice {
		return store.ErrErased
	}
	if err := leaf.Check(); err != nil && m.fault != silentErase {
		return err
	}
	r.Erased = true
	if m.fault == dropsErasedLeaf {
		m.tree.leaves = m.tree.leaves[:len(m.tree.leaves)-1]
	}
	m.tree.leaves = append(m.tree.leaves, leaf)
	gone := m.names(*r)
	if m.fault != keepsParts {
		r.Envelope.Parts = slices.Clone(r.Envelope.Parts)
		for i := range r.Envelope.Parts {
			r.Envelope.Parts[i].Sealed = nil
		}
	}
	for sha := range gone {
		shared := slices.ContainsFunc(m.log, func(r store.Record) bool { return !r.Erased && m.names(r)[sha] })
		if m.fault != keepsBlobs && (!shared || m.fault == dropsShared) {
			delete(m.whole, sha)
		}
	}
	return nil
}

// names are the hashes of a record's parts.
func (m *memory) names(r store.Record) map[wire.Hash]bool {
	names := map[wire.Hash]bool{}
	if h, err := wire.DecodeHeader(r.Envelope.Header); err == nil {
		for _, p := range h.Parts {
			names[p.SHA256] = true
		}
	}
	return names
}

func (m *memory) Raise(_ context.Context, by wire.AgentID, flags []wire.Flag) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, f := range flags {
		known := slices.ContainsFunc(m.flags, func(r store.Raised) bool { return r.Flag.Hash() == f.Hash() })
		if !known || m.fault == doublesFlags {
			m.flags = append(m.flags, store.Raised{Number: uint64(len(m.flags) + 1), By: by, Flag: f})
		}
	}
	return nil
}

func (m *memory) Flags(_ context.Context, after uint64, limit int) ([]store.Raised, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	rest := m.flags[min(after, uint64(len(m.flags))):]
	page := slices.Clone(rest[:min(limit, len(rest))])
	if m.fault == skipsFlags && len(page) > 1 {
		page = page[1:]
	}
	return page, nil
}

func (m *memory) Settle(_ context.Context, number uint64, word string, leaf wire.Leaf) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if number < 1 || number > uint64(len(m.flags)) {
		return store.ErrPlace
	}
	r := &m.flags[number-1]
	if r.Settled != "" && m.fault != settlesTwice {
		return store.ErrPlace
	}
	if err := leaf.Check(); err != nil {
		return err
	}
	m.tree.leaves = append(m.tree.leaves, leaf)
	r.Settled, r.Closed = word, leaf.At
	return nil
}

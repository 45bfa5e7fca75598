// Package storetest holds any central store to the contract of package store.
// A store's own tests call Run with a function that opens it; the laws are the
// same for every engine.
//
// It never looks behind the interface: what a store writes to its disk is seen
// by closing and opening it again.
//
// # The laws
//
//   - A rule returns what is wrong instead of failing a test, so that broken
//     stores can be held to it too and be seen to break it.
//   - Signatures drawn by the rules are random, so a store that signs a replay
//     again instead of keeping the first answer shows.
package storetest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// Store is a store that can be closed, as every store on a disk can.
type Store interface {
	store.Store
	io.Closer
}

// Open opens the store that lies in dir, and the same store again after Close.
type Open func(ctx context.Context, dir string) (Store, error)

// Rule is one law of the contract. Check returns what a store in the empty
// folder dir does against it, or nil.
type Rule struct {
	Name  string
	check func(*world) error
}

// Check holds the store that open makes in the empty folder dir to the rule.
func (r Rule) Check(ctx context.Context, dir string, open Open) error {
	w := &world{ctx: ctx, dir: dir, open: open}
	if err := w.reopen(); err != nil {
		return err
	}
	return errors.Join(r.check(w), w.Close())
}

// Rules lists the contract, by name.
func Rules() []Rule {
	return slices.Concat(acceptRules(), blobRules(), keeperRules(), noticeRules(), officeRules(), logRules())
}

// Run holds a store to every rule, each in a folder of its own.
func Run(t *testing.T, open Open) {
	for _, rule := range Rules() {
		t.Run(rule.Name, func(t *testing.T) {
			t.Parallel()
			if err := rule.Check(t.Context(), t.TempDir(), open); err != nil {
				t.Error(err)
			}
		})
	}
}

// now is when everything happens, unless a rule says otherwise.
var now = time.Date(2026, 11, 22, 9, 30, 0, 0, time.UTC)

// world is an open store and the way to open it again.
type world struct {
	Store
	ctx  context.Context
	dir  string
	open Open
}

// reopen closes the store, if it is open, and opens what lies in its folder.
func (w *world) reopen() error {
	if w.Store != nil {
		if err := w.Close(); err != nil {
			return fmt.Errorf("closing: %w", err)
		}
	}
	var err error
	if w.Store, err = w.open(w.ctx, w.dir); err != nil {
		return fmt.Errorf("opening: %w", err)
	}
	return nil
}

// enrol makes an agent of the given name.
func (w *world) enrol(id wire.AgentID) error {
	code := store.Code{Hash: random(), Site: "fa123", Role: store.Counter, Expires: now.Add(time.Hour)}
	if err := w.AddCode(w.ctx, code); err != nil {
		return err
	}
	key := random()
	_, err := w.Enrol(w.ctx, store.Enrolment{Code: code.Hash, Agent: id, Public: key[:], Grade: "file", At: now})
	return err
}

// chain makes an agent's records one after the other.
type chain struct {
	agent wire.AgentID
	seq   wire.Seq
	head  wire.Hash
}

// next makes the chain's next record with the given parts and goes on to it.
func (c *chain) next(parts ...[]byte) store.Submission {
	c.seq++
	s := makeRecord(c.agent, c.seq, c.head, parts...)
	c.head = s.Envelope.RecHash()
	return s
}

// makeRecord makes a record with a random signature: the store checks none.
func makeRecord(agent wire.AgentID, seq wire.Seq, prev wire.Hash, parts ...[]byte) store.Submission {
	h := wire.Header{Version: 1, Agent: agent, Seq: seq, Prev: prev, Wall: now, App: "1.0", Config: "1"}
	var sealed []wire.Part
	for i, p := range parts {
		name := wire.PartName(fmt.Sprintf("part-%d", i))
		h.Parts = append(h.Parts, wire.PartInfo{Name: name, Recipient: "k1", Len: uint64(len(p)), SHA256: wire.HashOf(p)})
		sealed = append(sealed, wire.Part{Name: name, Sealed: p})
	}
	sig := random()
	return store.Submission{
		Agent:    agent,
		Envelope: wire.Envelope{Header: h.Encode(), Signature: sig[:], Parts: sealed},
		Header:   h,
		At:       now,
		SignReceipt: func(r wire.Receipt) (wire.Receipt, error) {
			sig := random()
			r.Key, r.Sig = "centre", sig[:]
			return r, nil
		},
		SignRefusal: func(r wire.Refusal) (wire.Refusal, error) {
			sig := random()
			r.Key, r.Sig = "centre", sig[:]
			return r, nil
		},
	}
}

// withoutParts is the record as it is sent when its parts went ahead.
func withoutParts(s store.Submission) store.Submission {
	parts := make([]wire.Part, len(s.Envelope.Parts))
	for i, p := range s.Envelope.Parts {
		parts[i].Name = p.Name
	}
	s.Envelope.Parts = parts
	return s
}

// random draws a hash-sized value.
func random() wire.Hash {
	var h wire.Hash
	rand.Read(h[:])
	return h
}

// want compares an answer's verdict.
func want(got wire.Answer, err error, verdict wire.Verdict) error {
	if err != nil {
		return fmt.Errorf("got error %w, want %s", err, verdict)
	}
	if got.Verdict != verdict {
		return fmt.Errorf("got %s, want %s", got.Verdict, verdict)
	}
	return nil
}

// accept submits a record and compares the verdict.
func (w *world) accept(s store.Submission, verdict wire.Verdict) (wire.Answer, error) {
	got, err := w.Accept(w.ctx, s)
	return got, want(got, err, verdict)
}

// acceptAll submits records that must all be stored.
func (w *world) acceptAll(subs ...store.Submission) error {
	for i, s := range subs {
		if _, err := w.accept(s, wire.Stored); err != nil {
			return fmt.Errorf("record %d: %w", i, err)
		}
	}
	return nil
}

// equal compares two values of any shape.
func equal(what string, got, want any) error {
	if !reflect.DeepEqual(got, want) {
		return fmt.Errorf("%s: got %+v, want %+v", what, got, want)
	}
	return nil
}

// wantError compares a sentinel.
func wantError(what string, got, want error) error {
	if !errors.Is(got, want) {
		return fmt.Errorf("%s: got error %v, want %v", what, got, want)
	}
	return nil
}

// together calls fn n times at the same moment and waits.
func together(n int, fn func(i int)) {
	start, done := make(chan struct{}), make(chan struct{})
	for i := range n {
		go func() {
			<-start
			fn(i)
			done <- struct{}{}
		}()
	}
	close(start)
	for range n {
		<-done
	}
}

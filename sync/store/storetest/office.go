package storetest

import (
	"errors"
	"fmt"
	"time"

	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// officeRules are the laws of what people of the centre's office do.
func officeRules() []Rule {
	return []Rule{
		{"office/second-person", secondPerson},
		{"office/second-person-later", secondPersonLater},
		{"office/key-grades", keyGrades},
		{"office/revoked-for-ever", revokedForEver},
		{"office/moved", moved},
		{"office/change-only-that", changeOnlyThat},
		{"office/failed-change", failedChange},
		{"office/agents", agentPages},
		{"office/find", find},
		{"office/erase", eraseRecord},
		{"office/erase-shared-blob", eraseShared},
		{"office/erase-once", eraseOnce},
		{"office/erase-with-its-leaf", eraseWithLeaf},
		{"flag/raised", flagsRaised},
		{"flag/same-again", flagsAgain},
		{"flag/settled", flagsSettled},
	}
}

// deed is a leaf of the office.
func deed(word string) wire.Leaf {
	return wire.Leaf{Kind: wire.LeafDeed, At: now, By: "pat", Subject: random(), Word: word}
}

// deeds counts the leaves of a word, if the store has a log.
func (w *world) deeds(word string, want int) error {
	leaves, err := w.Leaves(w.ctx, 0, 1_000)
	if err != nil {
		return err
	}
	got := 0
	for _, l := range leaves {
		if l.Word == word {
			got++
		}
	}
	return equal("leaves of "+word, got, want)
}

// invited adds a code, changed as told, and spends it for agent a.
func (w *world) invited(change func(*store.Code)) (store.Code, store.Agent, error) {
	c := store.Code{Hash: random(), Site: "fa123", Role: store.Counter, Expires: now.Add(24 * time.Hour), By: "pat"}
	change(&c)
	if err := w.AddCode(w.ctx, c); err != nil {
		return c, store.Agent{}, err
	}
	a, err := w.spend(c.Hash, "a", "key a", now)
	return c, a, err
}

// secondPerson: whoever enrols with such a code waits, and is told who invited.
func secondPerson(w *world) error {
	code, a, err := w.invited(func(c *store.Code) { c.Second = true })
	if err != nil {
		return err
	}
	if a.Status != store.Pending || a.Invited != "pat" || a.Approved != "" {
		return fmt.Errorf("enrolled as %+v, want pending, invited by pat", a)
	}
	if err := w.reopen(); err != nil {
		return err
	}
	again, err := w.spend(code.Hash, "a", "key a", now)
	if err != nil {
		return err
	}
	if err := equal("asking again", again, a); err != nil {
		return err
	}
	approved, err := w.Change(w.ctx, "a", deed("approve"), func(a store.Agent) (store.Agent, error) {
		a.Status, a.Approved = store.Active, "sam"
		return a, nil
	})
	if err != nil {
		return err
	}
	found, err := w.spend(code.Hash, "a", "key a", now)
	if err != nil || found.Status != store.Active || found.Approved != "sam" {
		return fmt.Errorf("after it was approved: got %+v (%v)", found, err)
	}
	return equal("what Change returned", approved, found)
}

// secondPersonLater: the second person may come after the code has expired; for
// another key, and for a code that asks for nobody, it has.
func secondPersonLater(w *world) error {
	code, _, err := w.invited(func(c *store.Code) { c.Second = true })
	if err != nil {
		return err
	}
	late := code.Expires.Add(72 * time.Hour)
	if _, err := w.spend(code.Hash, "a", "key a", late); err != nil {
		return fmt.Errorf("asking again after three days: %w", err)
	}
	_, err = w.spend(code.Hash, "b", "key b", late)
	if err := wantError("another key after three days", err, store.ErrCode); err != nil {
		return err
	}
	plain := store.Code{Hash: random(), Site: "fa123", Role: store.Counter, Expires: now.Add(time.Hour)}
	if err := w.AddCode(w.ctx, plain); err != nil {
		return err
	}
	if _, err := w.spend(plain.Hash, "c", "key c", now); err != nil {
		return err
	}
	_, err = w.spend(plain.Hash, "c", "key c", late)
	return wantError("a code without a second person after three days", err, store.ErrCode)
}

// keyGrades: a key that is kept in another way than the code allows is refused,
// and the code is still good for the right one.
func keyGrades(w *world) error {
	code, _, err := w.invited(func(c *store.Code) { c.Grades = []string{"tpm", "dpapi"} })
	if err := wantError("a key in a file", err, store.ErrCode); err != nil {
		return err
	}
	e := store.Enrolment{Code: code.Hash, Agent: "b", Public: []byte("key b"), Grade: "dpapi", At: now}
	got, err := w.Enrol(w.ctx, e)
	if err != nil {
		return fmt.Errorf("a key that the code allows: %w", err)
	}
	return equal("grade", got.Grade, "dpapi")
}

// revoke refuses an agent for ever.
func (w *world) revoke(id wire.AgentID) error {
	_, err := w.Change(w.ctx, id, deed("revoke"), func(a store.Agent) (store.Agent, error) {
		a.Status = store.Revoked
		return a, nil
	})
	return err
}

// revokedForEver: neither the old code nor a new one brings a revoked agent back,
// and the new one is still good for another.
func revokedForEver(w *world) error {
	code, _, err := w.invited(func(*store.Code) {})
	if err != nil {
		return err
	}
	if err := w.revoke("a"); err != nil {
		return err
	}
	_, err = w.spend(code.Hash, "a", "key a", now)
	if err := wantError("the code that it spent", err, store.ErrCode); err != nil {
		return err
	}
	fresh, err := w.addCode(store.Counter)
	if err != nil {
		return err
	}
	_, err = w.spend(fresh.Hash, "a", "key a", now)
	if err := wantError("a new code", err, store.ErrCode); err != nil {
		return err
	}
	if _, err := w.spend(fresh.Hash, "b", "key b", now); err != nil {
		return fmt.Errorf("the new code for another: %w", err)
	}
	return w.deeds("revoke", 1)
}

// moved: an agent of another site goes on with its chain, its old code answers
// for the new site, and a code of the new site finds it.
func moved(w *world) error {
	code, a, err := w.invited(func(*store.Code) {})
	if err != nil {
		return err
	}
	c := chain{agent: "a"}
	if err := w.acceptAll(c.next([]byte("one"))); err != nil {
		return err
	}
	_, err = w.Change(w.ctx, "a", deed("move"), func(a store.Agent) (store.Agent, error) {
		a.Site = "fb456"
		return a, nil
	})
	if err != nil {
		return err
	}
	if err := w.reopen(); err != nil {
		return err
	}
	if err := w.acceptAll(c.next([]byte("two"))); err != nil {
		return fmt.Errorf("after the move: %w", err)
	}
	again, err := w.spend(code.Hash, "a", "key a", now)
	if err != nil {
		return fmt.Errorf("the code that it spent: %w", err)
	}
	if again.Site != "fb456" || again.Expect != 3 || string(again.Public) != string(a.Public) {
		return fmt.Errorf("got %+v", again)
	}
	next := store.Code{Hash: random(), Site: "fb456", Role: store.Counter, Expires: now.Add(time.Hour)}
	if err := w.AddCode(w.ctx, next); err != nil {
		return err
	}
	if again, err = w.spend(next.Hash, "a", "key a", now); err != nil || again.Expect != 3 {
		return fmt.Errorf("a code of the new site: got %+v (%v)", again, err)
	}
	return nil
}

// changeOnlyThat: the office changes four fields; the chain and the key are not
// among them.
func changeOnlyThat(w *world) error {
	if err := w.enrol("a"); err != nil {
		return err
	}
	c := chain{agent: "a"}
	if err := w.acceptAll(c.next([]byte("one"))); err != nil {
		return err
	}
	want, err := w.Agent(w.ctx, "a")
	if err != nil {
		return err
	}
	_, err = w.Change(w.ctx, "a", deed("test"), func(store.Agent) (store.Agent, error) {
		return store.Agent{Site: "fb456", Status: store.Pending, Approved: "sam", Quarantined: true}, nil
	})
	if err != nil {
		return err
	}
	want.Site, want.Status, want.Approved, want.Quarantined = "fb456", store.Pending, "sam", true
	got, err := w.Agent(w.ctx, "a")
	if err := errors.Join(err, equal("agent", got, want)); err != nil {
		return err
	}
	_, err = w.Change(w.ctx, "nobody", deed("test"), func(a store.Agent) (store.Agent, error) { return a, nil })
	if err := wantError("a stranger", err, store.ErrUnknown); err != nil {
		return err
	}
	return w.deeds("test", 1)
}

// failedChange: a change that fails, and one whose leaf is none, leave everything
// as it was.
func failedChange(w *world) error {
	if err := w.enrol("a"); err != nil {
		return err
	}
	want, err := w.Agent(w.ctx, "a")
	if err != nil {
		return err
	}
	failure := errors.New("no")
	_, err = w.Change(w.ctx, "a", deed("test"), func(a store.Agent) (store.Agent, error) {
		a.Status = store.Revoked
		return a, failure
	})
	if err := wantError("failed change", err, failure); err != nil {
		return err
	}
	wrong := deed("test")
	wrong.By = "Not A Name"
	_, err = w.Change(w.ctx, "a", wrong, func(a store.Agent) (store.Agent, error) {
		a.Status = store.Revoked
		return a, nil
	})
	if err == nil {
		return errors.New("a deed with a wrong leaf was done")
	}
	got, err := w.Agent(w.ctx, "a")
	return errors.Join(err, equal("agent", got, want), w.deeds("test", 0))
}

// agentPages: all are listed once, in order.
func agentPages(w *world) error {
	for i := range 5 {
		if err := w.enrol(agentName(4 - i)); err != nil {
			return err
		}
	}
	var got []store.Agent
	for after := wire.AgentID(""); ; {
		page, err := w.Agents(w.ctx, after, 2)
		if err != nil {
			return err
		}
		if len(page) == 0 {
			break
		}
		if len(page) > 2 {
			return fmt.Errorf("a page of 2 has %d", len(page))
		}
		got = append(got, page...)
		after = page[len(page)-1].ID
	}
	var want []store.Agent
	for i := range 5 {
		a, err := w.Agent(w.ctx, agentName(i))
		if err != nil {
			return err
		}
		want = append(want, a)
	}
	return equal("agents", got, want)
}

// named is the chain's next record under a record id.
func (c *chain) named(id wire.RecordID, parts ...[]byte) store.Submission {
	s := c.next(parts...)
	s.Header.Record = id
	s.Envelope.Header = s.Header.Encode()
	c.head = s.Envelope.RecHash()
	return s
}

// find: a slip's reference finds every stored record that it stands for, and none
// that was refused.
func find(w *world) error {
	id, twin, other := wire.RecordID{1, 2, 3, 4, 5, 6, 0x40}, wire.RecordID{1, 2, 3, 4, 5, 6, 0x7f, 9}, wire.RecordID{1, 2, 3, 4, 5, 6, 0x80}
	if id.Ref() != twin.Ref() || id.Ref() == other.Ref() {
		return errors.New("the rule's ids are not what they should be")
	}
	var want []store.Entry
	for i, given := range []wire.RecordID{id, other, twin} {
		if err := w.enrol(agentName(i)); err != nil {
			return err
		}
		c := chain{agent: agentName(i)}
		answer, err := w.accept(c.named(given, []byte("sealed")), wire.Stored)
		if err != nil {
			return err
		}
		if given != other {
			want = append(want, store.Entry{Receipt: *answer.Receipt, Record: given})
		}
		refused := c.named(id, []byte("refused"))
		refused.Refuse = "malformed"
		if _, err := w.accept(refused, wire.Refused); err != nil {
			return err
		}
	}
	if err := w.reopen(); err != nil {
		return err
	}
	got, err := w.Find(w.ctx, id.Ref())
	if err := errors.Join(err, equal("found", got, want)); err != nil {
		return err
	}
	if got, err = w.Find(w.ctx, wire.RecordID{9}.Ref()); err != nil || len(got) != 0 {
		return fmt.Errorf("of a visit that never was: got %v (%v)", got, err)
	}
	return nil
}

// tombstone is the leaf of an erased record.
func tombstone(r wire.Receipt) wire.Leaf {
	return wire.Leaf{Kind: wire.LeafTombstone, At: now, By: "pat", Subject: r.RecHash, Index: r.LogIndex, Word: "erase"}
}

// eraseRecord: the sealed parts are gone, everything else stays and goes on.
func eraseRecord(w *world) error {
	if err := w.enrol("a"); err != nil {
		return err
	}
	c := chain{agent: "a"}
	first := c.named(wire.RecordID{7}, []byte("inside"), []byte("ahead"))
	if err := w.upload("a", []byte("ahead")); err != nil {
		return err
	}
	second := c.next([]byte("stays"))
	first.Envelope.Parts[1].Sealed = nil
	if err := w.acceptAll(first, second); err != nil {
		return err
	}
	before, err := w.Records(w.ctx, 0, 2)
	if err != nil {
		return err
	}
	if err := w.Erase(w.ctx, 1, tombstone(before[0].Receipt)); err != nil {
		return err
	}
	if err := w.reopen(); err != nil {
		return err
	}
	after, err := w.Records(w.ctx, 0, 2)
	if err != nil {
		return err
	}
	want := before[0]
	want.Erased = true
	want.Envelope.Parts = []wire.Part{{Name: "part-0"}, {Name: "part-1"}}
	if err := errors.Join(equal("erased", after[0], want), equal("its neighbour", after[1], before[1])); err != nil {
		return err
	}
	if at, err := w.Blob(w.ctx, "a", wire.HashOf([]byte("ahead"))); err != nil || at.Complete || at.Offset != 0 {
		return fmt.Errorf("its blob is still there: %+v (%v)", at, err)
	}
	found, err := w.Find(w.ctx, wire.RecordID{7}.Ref())
	if err != nil || len(found) != 1 || !found[0].Erased {
		return fmt.Errorf("found as %+v (%v)", found, err)
	}
	again, err := w.accept(first, wire.Replayed)
	if err := errors.Join(err, equal("receipt", *again.Receipt, before[0].Receipt)); err != nil {
		return err
	}
	return errors.Join(w.acceptAll(c.next([]byte("three"))), w.deeds("erase", 1))
}

// upload sends a whole blob.
func (w *world) upload(agent wire.AgentID, data []byte) error {
	_, err := w.PutBlob(w.ctx, store.Piece{Agent: agent, SHA256: wire.HashOf(data), Data: data, Last: true})
	return err
}

// eraseShared: a blob that another record names stays until that one is erased.
func eraseShared(w *world) error {
	if err := w.enrol("a"); err != nil {
		return err
	}
	if err := w.upload("a", []byte("shared")); err != nil {
		return err
	}
	c := chain{agent: "a"}
	if err := w.acceptAll(withoutParts(c.next([]byte("shared"))), withoutParts(c.next([]byte("shared")))); err != nil {
		return err
	}
	records, err := w.Records(w.ctx, 0, 2)
	if err != nil {
		return err
	}
	for i, held := range []bool{true, false} {
		if err := w.Erase(w.ctx, uint64(i+1), tombstone(records[i].Receipt)); err != nil {
			return err
		}
		at, err := w.Blob(w.ctx, "a", wire.HashOf([]byte("shared")))
		if err != nil || at.Complete != held {
			return fmt.Errorf("after erasing record %d the blob is %+v (%v)", i+1, at, err)
		}
		last, err := w.Records(w.ctx, 1, 1)
		if err != nil || last[0].Damaged || last[0].Erased == held {
			return fmt.Errorf("after erasing record %d the second is damaged %v, erased %v (%v)", i+1, last[0].Damaged, last[0].Erased, err)
		}
	}
	return nil
}

// eraseOnce: a second time, and a place that the log does not have, are errors
// and leave no leaf.
func eraseOnce(w *world) error {
	if err := w.enrol("a"); err != nil {
		return err
	}
	c := chain{agent: "a"}
	answer, err := w.accept(c.next([]byte("one")), wire.Stored)
	if err != nil {
		return err
	}
	leaf := tombstone(*answer.Receipt)
	if err := w.Erase(w.ctx, 1, leaf); err != nil {
		return err
	}
	if err := wantError("erasing twice", w.Erase(w.ctx, 1, leaf), store.ErrErased); err != nil {
		return err
	}
	if err := wantError("erasing nothing", w.Erase(w.ctx, 2, leaf), store.ErrPlace); err != nil {
		return err
	}
	return w.deeds("erase", 1)
}

// eraseWithLeaf: without its leaf nothing is erased.
func eraseWithLeaf(w *world) error {
	if err := w.enrol("a"); err != nil {
		return err
	}
	c := chain{agent: "a"}
	answer, err := w.accept(c.next([]byte("one")), wire.Stored)
	if err != nil {
		return err
	}
	leaf := tombstone(*answer.Receipt)
	leaf.Kind = "nothing"
	if err := w.Erase(w.ctx, 1, leaf); err == nil {
		return errors.New("a record was erased with a wrong leaf")
	}
	records, err := w.Records(w.ctx, 0, 1)
	if err != nil || records[0].Erased || string(records[0].Envelope.Parts[0].Sealed) != "one" {
		return fmt.Errorf("the record is erased without a leaf (%v)", err)
	}
	return nil
}

// flag is one about a record.
func flag(kind wire.FlagKind, at time.Time, records ...wire.Hash) wire.Flag {
	return wire.Flag{Kind: kind, Records: records, At: at}
}

// flagsRaised: flags are numbered from 1 without a hole and come in pages.
func flagsRaised(w *world) error {
	var want []store.Raised
	var flags []wire.Flag
	for i := range 5 {
		f := flag(wire.FlagDocument, now, wire.Hash{byte(i)}, wire.Hash{9})
		flags = append(flags, f)
		want = append(want, store.Raised{Number: uint64(i + 1), By: "o", Flag: f})
	}
	if err := errors.Join(w.Raise(w.ctx, "o", flags[:3]), w.Raise(w.ctx, "o", flags[3:]), w.reopen()); err != nil {
		return err
	}
	var got []store.Raised
	for after := uint64(0); ; {
		page, err := w.Flags(w.ctx, after, 2)
		if err != nil {
			return err
		}
		if len(page) == 0 {
			break
		}
		got = append(got, page...)
		after = page[len(page)-1].Number
	}
	return equal("flags", got, want)
}

// flagsAgain: the same flag again, at another time or by another opener, changes
// nothing, and those that came with it are kept without a hole.
func flagsAgain(w *world) error {
	first := flag(wire.FlagPace, now, wire.Hash{1})
	later := first
	later.At = now.Add(time.Hour)
	other := flag(wire.FlagPace, now, wire.Hash{2})
	if err := w.Raise(w.ctx, "o", []wire.Flag{first, first}); err != nil {
		return err
	}
	if err := w.Raise(w.ctx, "p", []wire.Flag{later, other}); err != nil {
		return err
	}
	got, err := w.Flags(w.ctx, 0, 10)
	return errors.Join(err, equal("flags", got, []store.Raised{{Number: 1, By: "o", Flag: first}, {Number: 2, By: "p", Flag: other}}))
}

// flagsSettled: a flag is closed once, with a word, and stays; raised again it
// stays closed.
func flagsSettled(w *world) error {
	f := flag(wire.FlagTwice, now, wire.Hash{1})
	if err := w.Raise(w.ctx, "o", []wire.Flag{f}); err != nil {
		return err
	}
	if err := w.Settle(w.ctx, 1, "same_visit", deed("settle")); err != nil {
		return err
	}
	if err := wantError("settling twice", w.Settle(w.ctx, 1, "fraud", deed("settle")), store.ErrPlace); err != nil {
		return err
	}
	if err := wantError("settling nothing", w.Settle(w.ctx, 2, "fraud", deed("settle")), store.ErrPlace); err != nil {
		return err
	}
	if err := errors.Join(w.Raise(w.ctx, "o", []wire.Flag{f}), w.reopen()); err != nil {
		return err
	}
	got, err := w.Flags(w.ctx, 0, 10)
	want := []store.Raised{{Number: 1, By: "o", Flag: f, Settled: "same_visit", Closed: now}}
	return errors.Join(err, equal("flags", got, want), w.deeds("settle", 1))
}

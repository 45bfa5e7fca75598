package storetest

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// keeperRules are the laws of codes and agents, of the log's reading and of
// the bundle.
func keeperRules() []Rule {
	return []Rule{
		{"code/single-use", codeSingleUse},
		{"code/same-key-again", codeSameKeyAgain},
		{"code/enrolled-again", agentAgain},
		{"code/too-old", codeTooOld},
		{"code/concurrent-use", codeConcurrentUse},
		{"agent/as-enrolled", agentAsEnrolled},
		{"records/cursor", recordsCursor},
		{"bundle/changes-in-turn", bundleChangesInTurn},
		{"bundle/failed-change", bundleFailedChange},
	}
}

// addCode makes a code of the given role.
func (w *world) addCode(role store.Role) (store.Code, error) {
	c := store.Code{Hash: random(), Site: "fa123", Role: role, Expires: now.Add(24 * time.Hour)}
	return c, w.AddCode(w.ctx, c)
}

// spend enrols with a code.
func (w *world) spend(code wire.Hash, agent wire.AgentID, key string, at time.Time) (store.Agent, error) {
	return w.Enrol(w.ctx, store.Enrolment{Code: code, Agent: agent, Public: []byte(key), Grade: "file", At: at})
}

// codeSingleUse: a second key, and a code that never was, are refused.
func codeSingleUse(w *world) error {
	code, err := w.addCode(store.Counter)
	if err != nil {
		return err
	}
	if _, err := w.spend(code.Hash, "a", "key a", now); err != nil {
		return err
	}
	if err := w.reopen(); err != nil {
		return err
	}
	_, err = w.spend(code.Hash, "b", "key b", now)
	if err := wantError("a used code", err, store.ErrCode); err != nil {
		return err
	}
	if _, err := w.Agent(w.ctx, "b"); !errors.Is(err, store.ErrUnknown) {
		return fmt.Errorf("a used code made an agent (%v)", err)
	}
	_, err = w.spend(random(), "c", "key c", now)
	return wantError("a code that never was", err, store.ErrCode)
}

// codeSameKeyAgain: a lost answer is asked for again and gives the same agent.
func codeSameKeyAgain(w *world) error {
	code, err := w.addCode(store.Counter)
	if err != nil {
		return err
	}
	first, err := w.spend(code.Hash, "a", "key a", now)
	if err != nil {
		return err
	}
	again, err := w.spend(code.Hash, "a", "key a", now.Add(time.Minute))
	if err != nil {
		return err
	}
	return equal("agent of the same key", again, first)
}

// agentAgain: an agent that comes with a new code goes on with its chain; one
// that takes its name with another key, or to another role, does not.
func agentAgain(w *world) error {
	if err := w.enrol("a"); err != nil {
		return err
	}
	first, err := w.Agent(w.ctx, "a")
	if err != nil {
		return err
	}
	c := chain{agent: "a"}
	if err := w.acceptAll(c.next([]byte("one"))); err != nil {
		return err
	}
	code, err := w.addCode(store.Counter)
	if err != nil {
		return err
	}
	_, err = w.spend(code.Hash, "a", "another key", now)
	if err := wantError("another's name", err, store.ErrCode); err != nil {
		return err
	}
	again, err := w.spend(code.Hash, "a", string(first.Public), now)
	if err != nil {
		return err
	}
	if err := equal("chain of an agent that came again", again.Expect, wire.Seq(2)); err != nil {
		return err
	}
	_, err = w.spend(code.Hash, "b", "key b", now)
	if err := wantError("the code that it spent", err, store.ErrCode); err != nil {
		return err
	}
	opener, err := w.addCode(store.Opener)
	if err != nil {
		return err
	}
	_, err = w.spend(opener.Hash, "a", string(first.Public), now)
	return wantError("another role", err, store.ErrCode)
}

// codeTooOld: a code ends at the moment it expires.
func codeTooOld(w *world) error {
	code, err := w.addCode(store.Counter)
	if err != nil {
		return err
	}
	_, err = w.spend(code.Hash, "a", "key a", code.Expires)
	if err := wantError("a code at its expiry", err, store.ErrCode); err != nil {
		return err
	}
	_, err = w.spend(code.Hash, "a", "key a", code.Expires.Add(-time.Millisecond))
	return err
}

// codeConcurrentUse: of many keys at once one is enrolled.
func codeConcurrentUse(w *world) error {
	code, err := w.addCode(store.Counter)
	if err != nil {
		return err
	}
	errs := make([]error, 6)
	together(len(errs), func(i int) {
		_, errs[i] = w.spend(code.Hash, agentName(i), "key "+strconv.Itoa(i), now)
	})
	enrolled := 0
	for _, err := range errs {
		if err == nil {
			enrolled++
		} else if !errors.Is(err, store.ErrCode) {
			return err
		}
	}
	return equal("keys enrolled by one code", enrolled, 1)
}

// agentAsEnrolled: site and role come from the code, the chain begins at 1.
func agentAsEnrolled(w *world) error {
	code, err := w.addCode(store.Opener)
	if err != nil {
		return err
	}
	enrolled, err := w.spend(code.Hash, "o", "key o", now)
	if err != nil {
		return err
	}
	want := store.Agent{
		ID: "o", Site: "fa123", Role: store.Opener, Public: []byte("key o"), Grade: "file", Enrolled: now, Expect: 1,
	}
	if err := equal("agent as enrolled", enrolled, want); err != nil {
		return err
	}
	if err := w.reopen(); err != nil {
		return err
	}
	found, err := w.Agent(w.ctx, "o")
	if err != nil {
		return err
	}
	return equal("agent as found", found, want)
}

// recordsCursor: the log is read in order, in pages, to its end.
func recordsCursor(w *world) error {
	if err := w.enrol("a"); err != nil {
		return err
	}
	c := chain{agent: "a"}
	for i := range 5 {
		if err := w.acceptAll(c.next([]byte{byte(i)}, []byte("more"))); err != nil {
			return err
		}
	}
	agent, err := w.Agent(w.ctx, "a")
	if err != nil {
		return err
	}
	origin := store.Origin{Site: agent.Site, Public: agent.Public, Grade: agent.Grade}
	var seen []uint64
	for after := uint64(0); ; {
		page, err := w.Records(w.ctx, after, 2)
		if err != nil {
			return err
		}
		if len(page) == 0 {
			break
		}
		for _, r := range page {
			if _, err := r.Envelope.Check(); err != nil || r.Envelope.RecHash() != r.Receipt.RecHash {
				return fmt.Errorf("record %d is not whole: %v", r.Receipt.LogIndex, err)
			}
			if err := equal("origin", r.Origin, origin); err != nil {
				return err
			}
			after = r.Receipt.LogIndex
			seen = append(seen, after)
		}
	}
	if _, err := w.Records(w.ctx, 1<<64-1, 1); err != nil {
		return fmt.Errorf("beyond the log: %w", err)
	}
	return equal("log indexes", seen, []uint64{1, 2, 3, 4, 5})
}

// bundleChangesInTurn: changes made at once all count.
func bundleChangesInTurn(w *world) error {
	if b, err := w.Bundle(w.ctx, nil); err != nil || b.Body != nil {
		return fmt.Errorf("a new store has the bundle %v (%v)", b, err)
	}
	const times = 8
	errs := make([]error, times)
	together(times, func(i int) {
		_, errs[i] = w.Bundle(w.ctx, func(old wire.Signed) (wire.Signed, error) {
			return wire.Signed{Body: append(old.Body, 'x'), Key: "k", Sig: []byte("s")}, nil
		})
	})
	if err := errors.Join(append(errs, w.reopen())...); err != nil {
		return err
	}
	got, err := w.Bundle(w.ctx, nil)
	if err != nil {
		return err
	}
	return equal("bundle", got, wire.Signed{Body: []byte("xxxxxxxx"), Key: "k", Sig: []byte("s")})
}

// bundleFailedChange: a change that fails leaves the bundle as it was.
func bundleFailedChange(w *world) error {
	first := wire.Signed{Body: []byte("one"), Key: "k", Sig: []byte("s")}
	if _, err := w.Bundle(w.ctx, func(wire.Signed) (wire.Signed, error) { return first, nil }); err != nil {
		return err
	}
	failure := errors.New("no")
	_, err := w.Bundle(w.ctx, func(wire.Signed) (wire.Signed, error) { return wire.Signed{Body: []byte("two")}, failure })
	if err := wantError("failed change", err, failure); err != nil {
		return err
	}
	got, err := w.Bundle(w.ctx, nil)
	if err != nil {
		return err
	}
	return equal("bundle after a failed change", got, first)
}

package storetest

import (
	"context"
	"errors"
	"fmt"

	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// acceptRules are the laws of Accept.
func acceptRules() []Rule {
	return []Rule{
		{"accept/stored-then-replayed", storedThenReplayed},
		{"accept/survives-reopening", survivesReopening},
		{"accept/crash-inside", crashInside},
		{"accept/gap", gap},
		{"accept/fork-other-record", forkOtherRecord},
		{"accept/fork-other-past", forkOtherPast},
		{"accept/quarantine-lasts", quarantineLasts},
		{"accept/concurrent-same-record", concurrentSameRecord},
		{"accept/concurrent-rivals", concurrentRivals},
		{"accept/concurrent-agents", concurrentAgents},
		{"accept/refused-takes-its-place", refusedTakesItsPlace},
		{"accept/unknown-agent", unknownAgent},
		{"accept/former-agents", formerAgents},
		{"accept/missing-blobs", missingBlobs},
		{"accept/run", run},
		{"accept/run-all-or-none", runAllOrNone},
	}
}

// storedThenReplayed: the same record again gets the same receipt.
func storedThenReplayed(w *world) error {
	if err := w.enrol("a"); err != nil {
		return err
	}
	c := chain{agent: "a"}
	first := c.next([]byte("one"))
	stored, err := w.accept(first, wire.Stored)
	if err != nil {
		return err
	}
	if stored.Receipt == nil {
		return errors.New("stored without a receipt")
	}
	r := *stored.Receipt
	if r.Agent != "a" || r.Seq != 1 || r.RecHash != c.head || r.LogIndex != 1 || !r.At.Equal(now) || len(r.Sig) == 0 {
		return fmt.Errorf("the receipt is not for the record: %+v", r)
	}
	if err := w.acceptAll(c.next([]byte("two"))); err != nil {
		return err
	}
	later := first
	later.At = now.AddDate(0, 0, 1)
	replayed, err := w.accept(later, wire.Replayed)
	if err != nil {
		return err
	}
	return equal("replayed receipt", replayed.Receipt, stored.Receipt)
}

// survivesReopening: what was answered is there after a restart.
func survivesReopening(w *world) error {
	if err := w.enrol("a"); err != nil {
		return err
	}
	c := chain{agent: "a"}
	first := c.next([]byte("one"))
	stored, err := w.accept(first, wire.Stored)
	if err != nil {
		return err
	}
	if err := w.reopen(); err != nil {
		return err
	}
	replayed, err := w.accept(first, wire.Replayed)
	if err != nil {
		return err
	}
	if err := equal("receipt after a restart", replayed.Receipt, stored.Receipt); err != nil {
		return err
	}
	return w.acceptAll(c.next([]byte("two")))
}

// crashInside: a transaction that ends in its middle leaves nothing behind,
// and the record sent again is stored with no hole in the log.
func crashInside(w *world) error {
	if err := w.enrol("a"); err != nil {
		return err
	}
	c := chain{agent: "a"}
	if err := w.acceptAll(c.next([]byte("one"))); err != nil {
		return err
	}
	s := c.next([]byte("two"))
	broken := s
	noKey := errors.New("no key")
	broken.SignReceipt = func(wire.Receipt) (wire.Receipt, error) { return wire.Receipt{}, noKey }
	_, err := w.Accept(w.ctx, broken)
	if err := wantError("a receipt that cannot be signed", err, noKey); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(w.ctx)
	broken.SignReceipt = func(r wire.Receipt) (wire.Receipt, error) {
		cancel()
		return r, nil
	}
	stopped, err := w.Accept(ctx, broken)
	expect, verdict := wire.Seq(2), wire.Stored
	if err == nil { // a store may go on once it has begun, and then it is held
		expect, verdict = 3, wire.Replayed
		if err := want(stopped, nil, wire.Stored); err != nil {
			return err
		}
	}
	if err := w.reopen(); err != nil {
		return err
	}
	a, err := w.Agent(w.ctx, "a")
	if err != nil || a.Expect != expect {
		return fmt.Errorf("after the crash the agent expects %d (%v), want %d", a.Expect, err, expect)
	}
	got, err := w.accept(s, verdict)
	if err != nil {
		return err
	}
	return equal("log index", got.Receipt.LogIndex, uint64(2))
}

// gap: a number ahead is answered with the next one and changes nothing.
func gap(w *world) error {
	if err := w.enrol("a"); err != nil {
		return err
	}
	c := chain{agent: "a"}
	first, second, third := c.next([]byte("one")), c.next([]byte("two")), c.next([]byte("three"))
	if err := w.acceptAll(first); err != nil {
		return err
	}
	got, err := w.accept(third, wire.Gap)
	if err != nil {
		return err
	}
	if err := equal("expect", got.Expect, wire.Seq(2)); err != nil {
		return err
	}
	far := makeRecord("a", 1<<63+5, random())
	if _, err := w.accept(far, wire.Gap); err != nil {
		return fmt.Errorf("a number beyond 63 bits: %w", err)
	}
	return w.acceptAll(second, third)
}

// forkOtherRecord: another record under a taken number quarantines the agent.
func forkOtherRecord(w *world) error {
	if err := w.enrol("a"); err != nil {
		return err
	}
	c := chain{agent: "a"}
	if err := w.acceptAll(c.next([]byte("one")), c.next([]byte("two"))); err != nil {
		return err
	}
	if _, err := w.accept(makeRecord("a", 1, wire.Hash{}, []byte("uno")), wire.Fork); err != nil {
		return err
	}
	a, err := w.Agent(w.ctx, "a")
	if err != nil {
		return err
	}
	return equal("agent after a fork", []any{a.Quarantined, a.Expect, a.Head}, []any{true, wire.Seq(3), c.head})
}

// forkOtherPast: the right number after another past is a fork too.
func forkOtherPast(w *world) error {
	if err := w.enrol("a"); err != nil {
		return err
	}
	c := chain{agent: "a"}
	if err := w.acceptAll(c.next([]byte("one"))); err != nil {
		return err
	}
	_, err := w.accept(makeRecord("a", 2, random(), []byte("two")), wire.Fork)
	return err
}

// quarantineLasts: nothing new is taken, what is held is still answered, other
// agents go on.
func quarantineLasts(w *world) error {
	if err := errors.Join(w.enrol("a"), w.enrol("b")); err != nil {
		return err
	}
	c := chain{agent: "a"}
	first := c.next([]byte("one"))
	if err := w.acceptAll(first); err != nil {
		return err
	}
	if _, err := w.accept(makeRecord("a", 1, wire.Hash{}), wire.Fork); err != nil {
		return err
	}
	if err := w.reopen(); err != nil {
		return err
	}
	if _, err := w.accept(c.next([]byte("two")), store.Quarantined); err != nil {
		return err
	}
	if _, err := w.accept(first, wire.Replayed); err != nil {
		return err
	}
	other := chain{agent: "b"}
	return w.acceptAll(other.next([]byte("one")))
}

// concurrentSameRecord: of many at once one stores, all get one receipt.
func concurrentSameRecord(w *world) error {
	if err := w.enrol("a"); err != nil {
		return err
	}
	c := chain{agent: "a"}
	s := c.next([]byte("one"))
	answers, errs := make([]wire.Answer, 8), make([]error, 8)
	together(len(answers), func(i int) { answers[i], errs[i] = w.Accept(w.ctx, s) })
	if err := errors.Join(errs...); err != nil {
		return err
	}
	stored := 0
	for _, a := range answers {
		if a.Verdict == wire.Stored {
			stored++
		}
		if err := equal("receipt of one of many", a.Receipt, answers[0].Receipt); err != nil {
			return err
		}
	}
	return equal("times stored", stored, 1)
}

// concurrentRivals: of different records with one number one is stored; the
// others are forks.
func concurrentRivals(w *world) error {
	if err := w.enrol("a"); err != nil {
		return err
	}
	answers, errs := make([]wire.Answer, 6), make([]error, 6)
	together(len(answers), func(i int) {
		answers[i], errs[i] = w.Accept(w.ctx, makeRecord("a", 1, wire.Hash{}, []byte{byte(i)}))
	})
	if err := errors.Join(errs...); err != nil {
		return err
	}
	count := map[wire.Verdict]int{}
	for _, a := range answers {
		count[a.Verdict]++
	}
	return equal("verdicts on rivals", count, map[wire.Verdict]int{wire.Stored: 1, wire.Fork: 1, store.Quarantined: 4})
}

// concurrentAgents: the log has every record once and no holes.
func concurrentAgents(w *world) error {
	const agents, each = 5, 6
	for i := range agents {
		if err := w.enrol(agentName(i)); err != nil {
			return err
		}
	}
	errs := make([]error, agents)
	together(agents, func(i int) {
		c := chain{agent: agentName(i)}
		for range each {
			errs[i] = errors.Join(errs[i], w.acceptAll(c.next([]byte("x"))))
		}
	})
	if err := errors.Join(errs...); err != nil {
		return err
	}
	records, err := w.Records(w.ctx, 0, agents*each+1)
	if err != nil {
		return err
	}
	next := map[wire.AgentID]wire.Seq{}
	for i, r := range records {
		next[r.Receipt.Agent]++
		if r.Receipt.LogIndex != uint64(i+1) || r.Receipt.Seq != next[r.Receipt.Agent] {
			return fmt.Errorf("place %d of the log holds index %d, number %d", i+1, r.Receipt.LogIndex, r.Receipt.Seq)
		}
	}
	return equal("records in the log", len(records), agents*each)
}

// agentName names the i-th agent of a crowd.
func agentName(i int) wire.AgentID { return wire.AgentID(fmt.Sprintf("agent-%d", i)) }

// refusedTakesItsPlace: a refusal is signed once, holds the chain's place and
// has none in the log.
func refusedTakesItsPlace(w *world) error {
	if err := w.enrol("a"); err != nil {
		return err
	}
	c := chain{agent: "a"}
	bad := c.next([]byte("training"))
	bad.Refuse = "training"
	refused, err := w.accept(bad, wire.Refused)
	if err != nil {
		return err
	}
	r := refused.Refusal
	if r == nil || r.Agent != "a" || r.Seq != 1 || r.RecHash != c.head || r.Reason != "training" || len(r.Sig) == 0 {
		return fmt.Errorf("the refusal is not for the record: %+v", r)
	}
	again, err := w.accept(bad, wire.Refused)
	if err != nil {
		return err
	}
	if err := equal("refusal again", again.Refusal, refused.Refusal); err != nil {
		return err
	}
	stored, err := w.accept(c.next([]byte("good")), wire.Stored)
	if err != nil {
		return err
	}
	return equal("log index after a refusal", stored.Receipt.LogIndex, uint64(1))
}

// unknownAgent: nobody's record is not stored.
func unknownAgent(w *world) error {
	c := chain{agent: "nobody"}
	if _, err := w.accept(c.next([]byte("one")), store.Unknown); err != nil {
		return err
	}
	_, err := w.Agent(w.ctx, "nobody")
	return wantError("unknown agent", err, store.ErrUnknown)
}

// formerAgents: who is not what its certificate says any more is not known, also
// where the record is held already.
func formerAgents(w *world) error {
	if err := w.enrol("a"); err != nil {
		return err
	}
	a, err := w.Agent(w.ctx, "a")
	if err != nil {
		return err
	}
	c := chain{agent: "a"}
	named := func(s store.Submission) store.Submission {
		s.Site, s.Public = a.Site, a.Public
		return s
	}
	first := named(c.next([]byte("one")))
	if err := w.acceptAll(first); err != nil {
		return err
	}
	second := named(c.next([]byte("two")))
	moved, other := second, second
	moved.Site, other.Public = "ELSEWHERE", []byte("another key")
	for what, s := range map[string]store.Submission{"of another site": moved, "with another key": other} {
		if _, err := w.accept(s, store.Unknown); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
	}
	if err := w.revoke("a"); err != nil {
		return err
	}
	for what, s := range map[string]store.Submission{"again": first, "the next": second} {
		if _, err := w.accept(s, store.Unknown); err != nil {
			return fmt.Errorf("revoked, %s: %w", what, err)
		}
	}
	return nil
}

// missingBlobs: a record whose parts went ahead waits for all of them.
func missingBlobs(w *world) error {
	if err := w.enrol("a"); err != nil {
		return err
	}
	c := chain{agent: "a"}
	big, small := []byte("a picture"), []byte("claims")
	full := c.next(big, small)
	s := withoutParts(full)
	s.Envelope.Parts[1].Sealed = small
	got, err := w.accept(s, wire.MissingBlobs)
	if err != nil {
		return err
	}
	if err := equal("missing", got.Missing, []wire.Hash{wire.HashOf(big)}); err != nil {
		return err
	}
	if _, err := w.PutBlob(w.ctx, store.Piece{Agent: "a", SHA256: wire.HashOf(big), Data: big[:4]}); err != nil {
		return err
	}
	if _, err := w.accept(s, wire.MissingBlobs); err != nil {
		return fmt.Errorf("with half a blob: %w", err)
	}
	if _, err := w.PutBlob(w.ctx, store.Piece{Agent: "a", SHA256: wire.HashOf(big), Offset: 4, Data: big[4:], Last: true}); err != nil {
		return err
	}
	if err := w.acceptAll(s); err != nil {
		return err
	}
	records, err := w.Records(w.ctx, 0, 2)
	if err != nil || len(records) != 1 {
		return fmt.Errorf("the log holds %d records (%v), want 1", len(records), err)
	}
	return equal("the record that was put together", records[0].Envelope, full.Envelope)
}

// run: records that come together are answered as they would be one by one, each
// after the one before it, and a record twice in a run is one record.
func run(w *world) error {
	if err := w.enrol("a"); err != nil {
		return err
	}
	c := chain{agent: "a"}
	first, second := c.next([]byte("one")), c.next([]byte("two"))
	refused := c.next([]byte("three"))
	refused.Refuse = "malformed"
	fourth := c.next([]byte("four"))
	without := withoutParts(c.next([]byte("a part that is not held")))
	behind := c.next([]byte("six"))
	got, err := w.AcceptRun(w.ctx, []store.Submission{first, second, first, refused, fourth, without, behind})
	if err != nil {
		return err
	}
	verdicts := []wire.Verdict{wire.Stored, wire.Stored, wire.Replayed, wire.Refused, wire.Stored, wire.MissingBlobs, wire.Gap}
	if len(got) != len(verdicts) {
		return fmt.Errorf("%d answers to %d records", len(got), len(verdicts))
	}
	for i, v := range verdicts {
		if err := want(got[i], nil, v); err != nil {
			return fmt.Errorf("record %d of the run: %w", i, err)
		}
	}
	if err := equal("the receipt of a record that came twice", got[2].Receipt, got[0].Receipt); err != nil {
		return err
	}
	if err := w.reopen(); err != nil {
		return err
	}
	a, err := w.Agent(w.ctx, "a")
	if err != nil || a.Expect != 5 || a.Head != fourth.Envelope.RecHash() {
		return fmt.Errorf("after the run %d is expected (%v), want 5", a.Expect, err)
	}
	again, err := w.accept(second, wire.Replayed)
	if err != nil {
		return err
	}
	return equal("the receipt of a record of a run", again.Receipt, got[1].Receipt)
}

// runAllOrNone: where one record of a run fails, none of them is there.
func runAllOrNone(w *world) error {
	if err := w.enrol("a"); err != nil {
		return err
	}
	c := chain{agent: "a"}
	first, second := c.next([]byte("one")), c.next([]byte("two"))
	broken, noKey := second, errors.New("no key")
	broken.SignReceipt = func(wire.Receipt) (wire.Receipt, error) { return wire.Receipt{}, noKey }
	_, err := w.AcceptRun(w.ctx, []store.Submission{first, broken})
	if err := wantError("a run with a receipt that cannot be signed", err, noKey); err != nil {
		return err
	}
	if records, err := w.Records(w.ctx, 0, 2); err != nil || len(records) != 0 {
		return fmt.Errorf("%d records are there after a run that failed (%v)", len(records), err)
	}
	return w.acceptAll(first, second)
}

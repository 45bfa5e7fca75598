package central_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/counterproof/counterproof/sync/seal"
	"github.com/counterproof/counterproof/sync/wire"
)

// postRun sends a run as a counter does; the key is the body's hash if empty.
func (c *centre) postRun(n *counter, body []byte, key string) (int, []wire.Answer, wire.Answer) {
	c.t.Helper()
	id := n.identity()
	if key == "" {
		key = wire.HashOf(body).String()
	}
	rec := c.call(id.Chain[0], "POST", fmt.Sprintf("/v1/agents/%s/records", id.Agent), http.Header{"Idempotency-Key": {key}}, body)
	var all struct {
		wire.Answers
		wire.Answer
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &all); err != nil {
		c.t.Fatalf("status %d, no answer: %v", rec.Code, err)
	}
	return rec.Code, all.Answers.Answers, all.Answer
}

// line makes signed records that follow each other.
func (n *counter) line(after wire.Envelope, first wire.Seq, count int) []wire.Envelope {
	var all []wire.Envelope
	var prev wire.Hash
	if first > 1 {
		prev = after.RecHash()
	}
	for i := range count {
		e := n.sealed(wire.Header{Seq: first + wire.Seq(i), Prev: prev}, []byte(fmt.Sprint("claims of ", i)))
		prev = e.RecHash()
		all = append(all, e)
	}
	return all
}

// TestRun: a run is answered record by record, with a receipt for each, the same
// again when it comes again.
func TestRun(t *testing.T) {
	t.Parallel()
	c := newCentre(t, nil)
	n := c.enrolled()
	all := n.line(wire.Envelope{}, 1, wire.MaxRun)
	body := wire.MarshalRun(all)
	for _, verdict := range []wire.Verdict{wire.Stored, wire.Replayed} {
		status, answers, _ := c.postRun(n, body, "")
		if status != http.StatusOK || len(answers) != len(all) {
			t.Fatalf("status %d, %d answers", status, len(answers))
		}
		for i, a := range answers {
			if a.Verdict != verdict || a.Receipt == nil || a.Receipt.RecHash != all[i].RecHash() || a.Receipt.LogIndex != uint64(i+1) {
				t.Fatalf("record %d: %+v", i, a)
			}
			if err := seal.VerifyReceipt(*a.Receipt, c.receiptKey(t)); err != nil {
				t.Errorf("record %d: %v", i, err)
			}
		}
	}
	if got := c.records(); len(got) != len(all) {
		t.Errorf("%d records are stored", len(got))
	}
}

// TestRunStopsWhereItMust: what is before a record that cannot be taken is taken,
// what is behind it is not answered.
func TestRunStopsWhereItMust(t *testing.T) {
	t.Parallel()
	c := newCentre(t, nil)
	n := c.enrolled()
	ten := n.line(wire.Envelope{}, 1, 10)
	unsigned := n.line(wire.Envelope{}, 1, 3)
	unsigned[1].Signature = bytes.Clone(unsigned[1].Signature)
	unsigned[1].Signature[10] ^= 1
	cut := wire.MarshalRun(ten[:3])
	cut = cut[:len(cut)-2]
	for _, s := range []struct {
		name   string
		body   []byte
		key    string
		status int
		word   wire.Verdict   // of the whole
		each   []wire.Verdict // or of each
	}{
		{"no-run", []byte("run"), "", 400, wire.Altered, nil},
		{"empty", nil, "", 400, wire.Altered, nil},
		{"cut", cut, "", 400, wire.Altered, nil},
		{"another-key", wire.MarshalRun(ten[:2]), wire.HashOf(nil).String(), 400, wire.Altered, nil},
		{"too-large", make([]byte, wire.MaxRunBytes+1), "", 413, wire.Altered, nil},
		{"no-record", append([]byte{0, 0, 0, 4}, "CPR0"...), "", 400, wire.Altered, nil},
		{"gap", wire.MarshalRun(ten[1:3]), "", 200, "", []wire.Verdict{wire.Gap}},
		{"then-nonsense", append(wire.MarshalRun(ten[:2]), 0, 0, 0, 4, 'C', 'P', 'R', '0'), "", 200, "", []wire.Verdict{wire.Stored, wire.Stored}},
		{"hole", wire.MarshalRun([]wire.Envelope{ten[2], ten[4], ten[5]}), "", 200, "", []wire.Verdict{wire.Stored, wire.Gap}},
		{"new-version", wire.MarshalRun([]wire.Envelope{n.sealed(wire.Header{Version: 2, Seq: 4, Prev: ten[2].RecHash()})}), "", 426, wire.Upgrade, nil},
		{"fork", wire.MarshalRun([]wire.Envelope{ten[3], unsigned[0], ten[4]}), "", 200, "", []wire.Verdict{wire.Stored, wire.Fork}},
		{"quarantined", wire.MarshalRun(ten[4:]), "", 409, wire.Fork, nil},
	} {
		status, answers, whole := c.postRun(n, s.body, s.key)
		if status != s.status || whole.Verdict != s.word || len(answers) != len(s.each) {
			t.Errorf("%s: status %d, %q, %d answers; want %d, %q, %d", s.name, status, whole.Verdict, len(answers), s.status, s.word, len(s.each))
			continue
		}
		for i, v := range s.each {
			if answers[i].Verdict != v {
				t.Errorf("%s: record %d is %s, want %s", s.name, i, answers[i].Verdict, v)
			}
		}
	}
	if got := c.records(); len(got) != 4 {
		t.Errorf("%d records are stored, want 4", len(got))
	}
}

// TestRunOfAnother: nobody sends in another's name, and a record that is refused for
// ever takes its place in a run.
func TestRunOfAnother(t *testing.T) {
	t.Parallel()
	c := newCentre(t, nil)
	n, other := c.enrolled(), c.enrolled()
	foreign := wire.MarshalRun(other.line(wire.Envelope{}, 1, 2))
	status, answers, _ := c.postRun(n, foreign, "")
	if status != http.StatusOK || len(answers) != 2 || answers[0].Verdict != wire.Refused || answers[0].Refusal.Reason != "malformed" {
		t.Errorf("another's records: status %d, %+v", status, answers)
	}
	if got := c.records(); len(got) != 0 {
		t.Errorf("%d records are stored", len(got))
	}
}

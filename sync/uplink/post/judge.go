package post

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/counterproof/counterproof/sync/seal"
	"github.com/counterproof/counterproof/sync/uplink/ask"
	"github.com/counterproof/counterproof/sync/uplink/network"
	"github.com/counterproof/counterproof/sync/wire"
)

// Step is what the counter does about an answer to a record.
type Step int

// The steps.
const (
	Again      Step = iota // send it again later; Kind says why
	Acked                  // a verified receipt: it is at the centre for good
	Refused                // a verified refusal: keep it, skip it, tell somebody
	Rewind                 // the centre is behind: send from Expect on
	Quarantine             // the chain forked: send nothing more
	Upload                 // parts are missing: send those, then it again
	Reissue                // our key has not signed it: sign it anew, with all after it
	SetAside               // it is damaged here beyond saving: take it off the chain
)

// Decision is a step with what it needs.
type Decision struct {
	Step   Step
	Kind   wire.Kind
	Asked  time.Duration // how long a busy centre asks to wait
	Answer wire.Answer
	Prev   wire.Hash // what a record follows that is signed anew
	Err    error     // for the log, where Kind alone does not tell
}

// statusOf is the only status that a verdict comes with.
var statusOf = map[wire.Verdict]int{
	wire.Stored:       http.StatusOK,
	wire.Replayed:     http.StatusOK,
	wire.MissingBlobs: http.StatusFailedDependency,
	wire.Gap:          http.StatusTooEarly,
	wire.Fork:         http.StatusConflict,
	wire.Refused:      http.StatusUnprocessableEntity,
}

// judge decides about an answer to a record. What moves a record, rewinds or
// quarantines needs the right verdict under the right status; an error page of
// something between counter and centre is only a reason to try again.
func judge(r ask.Reply, sent wire.Receipt, key ed25519.PublicKey) Decision {
	var a wire.Answer
	if err := json.Unmarshal(r.Body, &a); err != nil || statusOf[a.Verdict] != r.Status {
		return unanswered(r)
	}
	return decide(a, sent, key)
}

// unanswered is what is done about an answer that says nothing of records.
func unanswered(r ask.Reply) Decision {
	return Decision{Kind: network.KindOfStatus(r.Status), Asked: network.RetryAfter(r.Header)}
}

// decide decides about the centre's answer to one record.
func decide(a wire.Answer, sent wire.Receipt, key ed25519.PublicKey) Decision {
	d := Decision{Answer: a}
	switch a.Verdict {
	case wire.Stored, wire.Replayed:
		d.Step, d.Err = Acked, checkReceipt(a.Receipt, sent, key)
	case wire.Refused:
		d.Step, d.Err = Refused, checkRefusal(a.Refusal, sent, key)
	case wire.Fork:
		d.Step, d.Kind = Quarantine, wire.KindQuarantined
	case wire.MissingBlobs:
		d.Step = Upload
	case wire.Gap:
		d.Step = Rewind
		if a.Expect < 1 || a.Expect >= sent.Seq {
			d.Err = errors.New("a gap that is none")
		}
	default:
		d.Kind = wire.KindProtocol
	}
	if d.Err != nil {
		return Decision{Kind: wire.KindProtocol, Err: d.Err}
	}
	return d
}

// judgeRun decides about the answer to a run of records, in their order. The
// centre may have stopped early: those that it says nothing of are not decided
// about. What comes after a record that it did not take is not looked at.
func judgeRun(r ask.Reply, sent []wire.Receipt, key ed25519.PublicKey) []Decision {
	var a wire.Answers
	if r.Status != http.StatusOK || json.Unmarshal(r.Body, &a) != nil || len(a.Answers) == 0 || len(a.Answers) > len(sent) {
		return []Decision{unanswered(r)}
	}
	var all []Decision
	for i, one := range a.Answers {
		d := decide(one, sent[i], key)
		all = append(all, d)
		if d.Step != Acked && d.Step != Refused {
			break
		}
	}
	return all
}

// errOther: an answer is signed, but about something else.
var errOther = errors.New("it names another record")

// checkReceipt holds a receipt to what was sent.
func checkReceipt(r *wire.Receipt, sent wire.Receipt, key ed25519.PublicKey) error {
	if r == nil {
		return errors.New("there is no receipt")
	}
	if r.Agent != sent.Agent || r.Seq != sent.Seq || r.RecHash != sent.RecHash {
		return errOther
	}
	return seal.VerifyReceipt(*r, key)
}

// checkRefusal holds a refusal to what was sent.
func checkRefusal(r *wire.Refusal, sent wire.Receipt, key ed25519.PublicKey) error {
	if r == nil {
		return errors.New("there is no refusal")
	}
	if r.Agent != sent.Agent || r.Seq != sent.Seq || r.RecHash != sent.RecHash {
		return errOther
	}
	return seal.VerifyRefusal(*r, key)
}

package uplink

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

// step is what the counter does about an answer to a record.
type step int

// The steps.
const (
	again      step = iota // send it again later; kind says why
	acked                  // a verified receipt: it is at the centre for good
	refused                // a verified refusal: keep it, skip it, tell somebody
	rewind                 // the centre is behind: send from expect on
	quarantine             // the chain forked: send nothing more
	upload                 // parts are missing: send those, then it again
	reissue                // our key has not signed it: sign it anew, with all after it
	setAside               // it is damaged here beyond saving: take it off the chain
)

// decision is a step with what it needs.
type decision struct {
	step   step
	kind   wire.Kind
	asked  time.Duration // how long a busy centre asks to wait
	answer wire.Answer
	prev   wire.Hash // what a record follows that is signed anew
	err    error     // for the log, where kind alone does not tell
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
func judge(r ask.Reply, sent wire.Receipt, key ed25519.PublicKey) decision {
	var a wire.Answer
	if err := json.Unmarshal(r.Body, &a); err != nil || statusOf[a.Verdict] != r.Status {
		return decision{kind: network.KindOfStatus(r.Status), asked: network.RetryAfter(r.Header)}
	}
	d := decision{answer: a}
	switch a.Verdict {
	case wire.Stored, wire.Replayed:
		d.step, d.err = acked, checkReceipt(a.Receipt, sent, key)
	case wire.Refused:
		d.step, d.err = refused, checkRefusal(a.Refusal, sent, key)
	case wire.Fork:
		d.step, d.kind = quarantine, wire.KindQuarantined
	case wire.MissingBlobs:
		d.step = upload
	case wire.Gap:
		d.step = rewind
		if a.Expect < 1 || a.Expect >= sent.Seq {
			d.err = errors.New("a gap that is none")
		}
	}
	if d.err != nil {
		return decision{kind: wire.KindProtocol, err: d.err}
	}
	return d
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

// Package post carries sealed records over the line of one counter: the large
// parts ahead, then the record, or a run of records where many wait; and it says
// what each answer obliges to. Where a record cannot be sent as it is, it signs it
// anew.
//
// It never touches the queue, decides nothing about when, and opens no part.
//
// # The laws
//
//   - Nothing but a receipt or a refusal that is signed with the centre's key, and
//     that names the agent, the number and the hash that were sent, moves a record
//     on; alone or in a run.
//   - A run stands for nothing of its own: each record in it is answered as if it
//     had been sent alone, in the chain's order, and a record that was not answered
//     was not sent.
//   - A part goes on from wherever the centre says that it ends.
package post

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"fmt"
	"net/http"

	"github.com/counterproof/counterproof/sync/queue/parcel"
	"github.com/counterproof/counterproof/sync/seal"
	"github.com/counterproof/counterproof/sync/uplink/ask"
	"github.com/counterproof/counterproof/sync/wire"
)

// Line is the way of one counter to its centre.
type Line struct {
	ask.Caller
	Agent wire.AgentID
	Key   ed25519.PublicKey // receipts and refusals are signed with it
}

// Record sends one record without its large parts.
func (l Line) Record(ctx context.Context, seq wire.Seq, e wire.Envelope) (Decision, error) {
	hash := e.RecHash()
	r, err := l.Ask(ctx, ask.Request{
		Method:   http.MethodPost,
		Path:     fmt.Sprintf("/v1/agents/%s/records/%d", l.Agent, seq),
		Header:   http.Header{"Content-Type": {"application/octet-stream"}, "Idempotency-Key": {hash.String()}},
		Body:     e.Marshal(wire.Inline),
		Patience: ask.Slow,
	})
	if err != nil {
		return Decision{}, err
	}
	return judge(r, wire.Receipt{Agent: l.Agent, Seq: seq, RecHash: hash}, l.Key), nil
}

// Run sends records that follow each other in the chain, the first of them of the
// given number, without their large parts: at most wire.MaxRun. It gives one
// decision for each that the centre answered, in their order, and at least one;
// the last alone may be another than Acked or Refused. A centre that knows no runs
// is Kind protocol in the first.
func (l Line) Run(ctx context.Context, first wire.Seq, run []wire.Envelope) ([]Decision, error) {
	sent := make([]wire.Receipt, len(run))
	for i, e := range run {
		sent[i] = wire.Receipt{Agent: l.Agent, Seq: first + wire.Seq(i), RecHash: e.RecHash()}
	}
	body := wire.MarshalRun(run)
	r, err := l.Ask(ctx, ask.Request{
		Method:   http.MethodPost,
		Path:     fmt.Sprintf("/v1/agents/%s/records", l.Agent),
		Header:   http.Header{"Content-Type": {"application/octet-stream"}, "Idempotency-Key": {wire.HashOf(body).String()}},
		Body:     body,
		Patience: ask.Slow,
	})
	if err != nil {
		return nil, err
	}
	return judgeRun(r, sent, l.Key), nil
}

// Key is the counter's key, with the hardware's counter.
type Key interface {
	Signer() crypto.Signer
	Raise() (uint64, error)
}

// Signed reports whether a key has signed a record.
func Signed(e wire.Envelope, key Key) bool {
	public, ok := key.Signer().Public().(*ecdsa.PublicKey)
	if !ok {
		return false
	}
	_, err := seal.VerifyHeader(e, public)
	return err == nil
}

// Anew signs a record anew for a place in an agent's chain. The parts stay as they
// are sealed, and the first header goes along. told gets what fails at the
// hardware's counter, which does not keep the record back.
func Anew(e wire.Envelope, key Key, at wire.Header, told func(error)) (wire.Envelope, error) {
	h, err := parcel.Carry(e)
	if err != nil {
		return e, err
	}
	h.Agent, h.Seq, h.Prev = at.Agent, at.Seq, at.Prev
	if h.Counter, err = key.Raise(); err != nil {
		told(err)
	}
	return seal.Envelope(h, e.Parts, key.Signer())
}

package fleet

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/counterproof/counterproof/sync/fleet/ledger"
	"github.com/counterproof/counterproof/sync/seal"
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// agent is one simulated counter. It speaks the wire's words, without a disk.
type agent struct {
	fleet  *fleet
	invite store.Invite
	fork   bool // its disk is going to be restored
	gone   bool // it gave up
	sure   bool // it never asks again for what it was told
	key    *ecdsa.PrivateKey
	id     wire.AgentID
	centre ed25519.PublicKey // of receipts
	client *http.Client      // while it speaks
	conns  *http.Transport
	// certificates are its own and the authority's, DER.
	certificates [][]byte
	chain        []wire.Envelope // large parts are made again when they are sent
	ledger       *ledger.Ledger
}

// Why a counter gives up: the centre said something that no waiting mends, or
// nothing that means anything however often it was asked.
var (
	errStopped = errors.New("the centre takes nothing more of this counter")
	errSilent  = errors.New("the centre does not answer")
)

// tries are many more than any kill and any line takes.
const tries = 1000

// prepare makes all records that the counter is going to send: it has sealed them
// long before its line is back.
func (a *agent) prepare(context.Context) error {
	prev := wire.Hash{}
	for n := range a.fleet.cfg.Rounds {
		e, err := a.make(wire.Seq(n+1), prev)
		if err != nil {
			return fmt.Errorf("%s making %d: %w", a.id, n+1, err)
		}
		a.chain, prev = append(a.chain, e), e.RecHash()
	}
	return nil
}

// live sends the records, in order, and where the counter was meant to fork goes
// on from an older copy of its disk.
func (a *agent) live(ctx context.Context) error {
	for n := range a.chain {
		if err := a.deliver(ctx, n+1); err != nil {
			return fmt.Errorf("%s at %d: %w", a.id, n+1, err)
		}
	}
	if !a.fork || a.fleet.cfg.Restore {
		return nil
	}
	return a.restore(ctx)
}

// deliver sends the nth record; where the centre says that it is behind, from
// the number that it expects.
func (a *agent) deliver(ctx context.Context, n int) error {
	for next := n; next <= n; {
		answer, life, err := a.persist(ctx, a.chain[next-1], wire.Seq(next))
		if err != nil {
			return err
		}
		if answer.Verdict == wire.Gap {
			a.fleet.tally.rewinds.Add(1)
			next = int(answer.Expect)
			continue
		}
		if answer.Receipt == nil {
			return fmt.Errorf("%w: %s", errStopped, answer.Verdict)
		}
		a.note(*answer.Receipt, life)
		next++
	}
	return a.doubt(ctx, n)
}

// note keeps a verified receipt.
func (a *agent) note(r wire.Receipt, life int) {
	if a.ledger.Note(r, life) {
		a.fleet.acked()
	}
}

// doubt sends every twentieth record once more, as a counter does that was cut
// off before it had noted the receipt.
func (a *agent) doubt(ctx context.Context, n int) error {
	if a.sure || mathrand.IntN(20) != 0 {
		return nil
	}
	answer, life, err := a.persist(ctx, a.chain[n-1], wire.Seq(n))
	if err == nil && answer.Receipt != nil {
		a.note(*answer.Receipt, life)
	}
	return err
}

// settle asks where the centre stands and sends again what it has lost. Nobody
// signs that answer and the line may have altered it, so it must come twice.
func (a *agent) settle(ctx context.Context) error {
	var before wire.Seq
	for try := range tries {
		var s wire.State
		r, err := a.fleet.ask(ctx, a.client, request{method: http.MethodGet, path: fmt.Sprintf("/v1/agents/%s/state", a.id)}, &s)
		if err == nil && r.status == http.StatusOK && s.Agent == a.id {
			if before != s.Expect {
				before = s.Expect
				continue
			}
			if s.Quarantined || int(s.Expect) > len(a.chain) {
				return nil
			}
			if err := a.deliver(ctx, len(a.chain)); err != nil {
				return fmt.Errorf("%s settling: %w", a.id, err)
			}
			return nil
		}
		if err := wait(ctx, try, 0); err != nil {
			return err
		}
	}
	return fmt.Errorf("%s settling: %w", a.id, errSilent)
}

// restore puts the counter back to an older copy of its disk and makes another
// record, which must be found to be a fork.
func (a *agent) restore(ctx context.Context) error {
	if !a.fork {
		return nil
	}
	a.ledger.Forked = true
	seq, prev := wire.Seq(len(a.chain)), wire.Hash{}
	if len(a.chain) > 1 {
		prev = a.chain[len(a.chain)-2].RecHash()
	}
	e, err := a.make(seq, prev)
	if err != nil {
		return err
	}
	answer, _, err := a.persist(ctx, e, seq)
	if err != nil {
		return fmt.Errorf("%s restored: %w", a.id, err)
	}
	a.ledger.Caught = answer.Verdict == wire.Fork
	return nil
}

// make seals and signs a record for a place in the chain.
func (a *agent) make(seq wire.Seq, prev wire.Hash) (wire.Envelope, error) {
	h, err := newHeader()
	if err != nil {
		return wire.Envelope{}, err
	}
	h.Agent, h.Seq, h.Prev = a.id, seq, prev
	parts, err := a.fleet.fill(&h)
	if err != nil {
		return wire.Envelope{}, err
	}
	e, err := seal.Envelope(h, parts, a.key)
	if len(parts) > 1 && err == nil {
		e.Parts[1].Sealed = nil
	}
	return e, err
}

// newHeader is a record's, with a name of its own.
func newHeader() (wire.Header, error) {
	h := wire.Header{Version: 1, App: "fleet", Training: true, Wall: time.Now().UTC().Truncate(time.Millisecond)}
	_, err := rand.Read(h.Record[:])
	return h, err
}

// fill seals what goes into a record, and names it in the header.
func (f *fleet) fill(h *wire.Header) ([]wire.Part, error) {
	plain := slices.Concat(append(slices.Clone(f.marks), h.Record[:])...)
	plain = append(plain, make([]byte, max(0, f.cfg.Bytes-len(plain)))...)
	part, info, err := seal.Seal(f.to, f.to.Part, seal.Binding(h.Record, f.to.Part, true), plain)
	if err != nil {
		return nil, err
	}
	parts := []wire.Part{part}
	h.Parts = append(h.Parts, info)
	if f.cfg.Blob > 0 {
		b := blob(h.Record, f.cfg.Blob)
		parts = append(parts, wire.Part{Name: wire.PartEvidence, Sealed: b})
		h.Parts = append(h.Parts, wire.PartInfo{
			Name: wire.PartEvidence, Recipient: f.to.Key, Suite: f.to.Suite, Len: uint64(len(b)), SHA256: wire.HashOf(b),
		})
	}
	return parts, nil
}

// blob is the large part of a record, the same each time: sealed bytes look like
// noise, and a fleet of them would not fit into memory.
func blob(record wire.RecordID, size int) []byte {
	var seed [32]byte
	copy(seed[:], record[:])
	b := make([]byte, size)
	_, _ = mathrand.NewChaCha8(seed).Read(b) // it never fails
	return b
}

// persist sends one record until there is an answer that means something, and
// says in which of the centre's lives it was asked for.
func (a *agent) persist(ctx context.Context, e wire.Envelope, seq wire.Seq) (answer wire.Answer, life int, err error) {
	_, again := a.ledger.Sent[e.RecHash()]
	a.ledger.Sent[e.RecHash()] = seq
	h, err := wire.DecodeHeader(e.Header)
	if err != nil {
		return wire.Answer{}, 0, err
	}
	ahead := len(h.Parts) > 1 && !again // the large part is due first
	for try := range tries {
		life = int(a.fleet.tally.life.Load())
		if ahead {
			ahead = a.upload(ctx, h) != nil
		}
		floor := time.Duration(0)
		if !ahead {
			answer, floor, err = a.post(ctx, e, seq)
			switch {
			case err == nil && final(answer, seq):
				return answer, life, nil
			case err == nil && answer.Verdict == wire.Unauthorised:
				return answer, life, errStopped
			}
			ahead = answer.Verdict == wire.MissingBlobs && len(h.Parts) > 1
		}
		if err := wait(ctx, try, floor/hurry); err != nil {
			return wire.Answer{}, life, err
		}
	}
	return wire.Answer{}, life, errSilent
}

// final reports whether a record's answer is one to act on. A gap that begins
// nowhere or behind the record was altered on the way.
func final(a wire.Answer, seq wire.Seq) bool {
	switch a.Verdict {
	case wire.Stored, wire.Replayed, wire.Fork, wire.Refused:
		return true
	case wire.Gap:
		return a.Expect >= 1 && a.Expect <= seq
	}
	return false
}

// post sends one record once. A receipt that does not verify, or that is not
// this record's, is no answer.
func (a *agent) post(ctx context.Context, e wire.Envelope, seq wire.Seq) (answer wire.Answer, floor time.Duration, err error) {
	_, err = a.fleet.ask(ctx, a.client, request{
		method: http.MethodPost, path: fmt.Sprintf("/v1/agents/%s/records/%d", a.id, seq), body: e.Marshal(wire.Inline),
		header: http.Header{"Idempotency-Key": {e.RecHash().String()}, "Content-Type": {"application/octet-stream"}},
	}, &answer)
	if err != nil {
		return wire.Answer{}, 0, err
	}
	switch answer.Verdict {
	case wire.Shed:
		a.fleet.tally.shed.Add(1)
	case wire.Altered:
		a.fleet.tally.altered.Add(1)
	case wire.Stored, wire.Replayed:
		r := answer.Receipt
		if r == nil || r.Agent != a.id || r.Seq != seq || r.RecHash != e.RecHash() || seal.VerifyReceipt(*r, a.centre) != nil {
			a.fleet.tally.forged.Add(1)
			return wire.Answer{}, 0, errors.New("a receipt that is not the centre's")
		}
	}
	return answer, time.Duration(answer.RetryAfter) * time.Second, nil
}

// upload sends the large part ahead, the rest of it where some is held already.
func (a *agent) upload(ctx context.Context, h wire.Header) error {
	b := blob(h.Record, a.fleet.cfg.Blob)
	for offset := 0; ; {
		r, err := a.fleet.ask(ctx, a.client, request{
			method: http.MethodPatch, path: "/v1/blobs/" + h.Parts[1].SHA256.String(), body: b[offset:],
			header: http.Header{
				"Content-Type": {"application/partial-upload"}, "Upload-Complete": {"?1"}, "Upload-Offset": {strconv.Itoa(offset)},
			},
		}, nil)
		if err != nil || r.status < http.StatusMultipleChoices {
			return err
		}
		held, err := strconv.Atoi(r.header.Get("Upload-Offset"))
		if err != nil || r.status != http.StatusConflict || held <= offset || held >= len(b) {
			return fmt.Errorf("the large part was answered %d", r.status)
		}
		offset = held
	}
}

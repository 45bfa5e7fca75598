package fleet

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	mathrand "math/rand/v2"

	"github.com/counterproof/counterproof/sync/seal"
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// agent is one simulated counter. It speaks the wire's words, without a disk.
type agent struct {
	fleet  *fleet
	invite store.Invite
	fork   bool
	key    *ecdsa.PrivateKey
	id     wire.AgentID
	centre ed25519.PublicKey // of receipts
	client *http.Client
	conns  *http.Transport
	chain  []wire.Envelope
	ledger Ledger
	sure   bool // it never asks again for what it was told
}

// The waits of a simulated counter: a real one's, divided by hurry.
const (
	hurry    = 100
	waitMin  = 2 * time.Second / hurry
	waitMax  = 2 * time.Minute / hurry
	patience = 30 * time.Second // for one answer
)

// errStopped: the centre said something that no waiting mends.
var errStopped = errors.New("the centre takes nothing more of this counter")

// live is a counter's whole life: it enrols, sends its records in order, and
// where it was meant to fork goes on from an older copy of its disk.
func (a *agent) live(ctx context.Context) error {
	if err := a.enrol(ctx); err != nil {
		return fmt.Errorf("enrolling: %w", err)
	}
	defer a.conns.CloseIdleConnections()
	for range a.fleet.cfg.Rounds {
		if err := a.round(ctx); err != nil {
			return fmt.Errorf("%s at %d: %w", a.id, len(a.chain), err)
		}
	}
	if !a.fork {
		return nil
	}
	if err := a.restore(ctx); err != nil {
		return fmt.Errorf("%s restored: %w", a.id, err)
	}
	return nil
}

// round makes the next record and sends it until it is acknowledged.
func (a *agent) round(ctx context.Context) error {
	prev := wire.Hash{}
	if n := len(a.chain); n > 0 {
		prev = a.chain[n-1].RecHash()
	}
	e, err := a.make(wire.Seq(len(a.chain)+1), prev)
	if err != nil {
		return err
	}
	a.chain = append(a.chain, e)
	return a.deliver(ctx)
}

// deliver sends from the newest record on; where the centre says that it is
// behind, from the number that it expects.
func (a *agent) deliver(ctx context.Context) error {
	last := len(a.chain)
	for next := last; next <= last; {
		answer, err := a.persist(ctx, a.chain[next-1], wire.Seq(next))
		if err != nil {
			return err
		}
		if answer.Verdict == wire.Gap {
			if answer.Expect < 1 || int(answer.Expect) > next {
				return fmt.Errorf("a gap at %d that begins at %d", next, answer.Expect)
			}
			a.fleet.tally.rewinds.Add(1)
			next = int(answer.Expect)
			continue
		}
		if answer.Receipt == nil {
			return fmt.Errorf("%w: %s", errStopped, answer.Verdict)
		}
		a.note(wire.Seq(next), *answer.Receipt)
		next++
	}
	return a.doubt(ctx, last)
}

// note keeps a verified receipt; the first one of each number counts.
func (a *agent) note(seq wire.Seq, r wire.Receipt) {
	first, again := a.ledger.Acked[seq]
	if !again {
		a.ledger.Acked[seq] = r
		a.fleet.acked()
		return
	}
	if !bytes.Equal(first.SignedBytes(), r.SignedBytes()) {
		a.ledger.Moved++
	}
}

// doubt sends every twentieth record once more, as a counter does that was cut
// off before it had noted the receipt.
func (a *agent) doubt(ctx context.Context, n int) error {
	if a.sure || mathrand.IntN(20) != 0 {
		return nil
	}
	answer, err := a.persist(ctx, a.chain[n-1], wire.Seq(n))
	if err == nil && answer.Receipt != nil {
		a.note(wire.Seq(n), *answer.Receipt)
	}
	return err
}

// restore puts the counter back to an older copy of its disk and makes another
// record, which must be found to be a fork.
func (a *agent) restore(ctx context.Context) error {
	a.ledger.Forked = true
	seq, prev := wire.Seq(len(a.chain)), wire.Hash{}
	if len(a.chain) > 1 {
		prev = a.chain[len(a.chain)-2].RecHash()
	}
	e, err := a.make(seq, prev)
	if err != nil {
		return err
	}
	answer, err := a.persist(ctx, e, seq)
	a.ledger.Caught = answer.Verdict == wire.Fork
	return err
}

// make seals and signs a record for a place in the chain.
func (a *agent) make(seq wire.Seq, prev wire.Hash) (wire.Envelope, error) {
	f := a.fleet
	h := wire.Header{
		Version: 1, Agent: a.id, Seq: seq, Prev: prev, App: "fleet", Training: true,
		Wall: time.Now().UTC().Truncate(time.Millisecond),
	}
	if _, err := rand.Read(h.Record[:]); err != nil {
		return wire.Envelope{}, err
	}
	plain := slices.Concat(append(slices.Clone(f.marks), h.Record[:])...)
	plain = append(plain, make([]byte, max(0, f.cfg.Bytes-len(plain)))...)
	part, info, err := seal.Seal(f.to, f.to.Part, seal.Binding(h.Record, f.to.Part, true), plain)
	if err != nil {
		return wire.Envelope{}, err
	}
	parts := []wire.Part{part}
	h.Parts = append(h.Parts, info)
	if f.cfg.Blob > 0 {
		blob := wire.Part{Name: wire.PartEvidence, Sealed: make([]byte, f.cfg.Blob)}
		if _, err := rand.Read(blob.Sealed); err != nil {
			return wire.Envelope{}, err
		}
		parts = append(parts, blob)
		h.Parts = append(h.Parts, wire.PartInfo{
			Name: blob.Name, Recipient: f.to.Key, Suite: f.to.Suite, Len: uint64(f.cfg.Blob), SHA256: wire.HashOf(blob.Sealed),
		})
	}
	return seal.Envelope(h, parts, a.key)
}

// persist sends one record until there is an answer that means something.
func (a *agent) persist(ctx context.Context, e wire.Envelope, seq wire.Seq) (wire.Answer, error) {
	a.ledger.Sent[e.RecHash()] = seq
	for try := 0; ; try++ {
		answer, floor, err := a.post(ctx, e, seq)
		if err == nil && final(answer.Verdict) {
			return answer, nil
		}
		if err == nil && answer.Verdict == wire.MissingBlobs {
			if err := a.upload(ctx, e, answer.Missing); err == nil {
				continue
			}
		}
		if err == nil && answer.Verdict == wire.Unauthorised {
			return answer, errStopped
		}
		if err := wait(ctx, try, floor/hurry); err != nil {
			return wire.Answer{}, err
		}
	}
}

// final reports whether a verdict is an answer to act on.
func final(v wire.Verdict) bool {
	switch v {
	case wire.Stored, wire.Replayed, wire.Gap, wire.Fork, wire.Refused:
		return true
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

// upload sends the parts that the centre misses, each in one piece.
func (a *agent) upload(ctx context.Context, e wire.Envelope, missing []wire.Hash) error {
	for _, p := range e.Parts {
		if !slices.Contains(missing, wire.HashOf(p.Sealed)) {
			continue
		}
		_, err := a.fleet.ask(ctx, a.client, request{
			method: http.MethodPatch, path: "/v1/blobs/" + wire.HashOf(p.Sealed).String(), body: p.Sealed,
			header: http.Header{"Content-Type": {"application/partial-upload"}, "Upload-Complete": {"?1"}, "Upload-Offset": {"0"}},
		}, nil)
		if err != nil {
			return err
		}
	}
	return nil
}

// enrol spends the agent's code and makes its line.
func (a *agent) enrol(ctx context.Context) error {
	var err error
	if a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return err
	}
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, a.key)
	if err != nil {
		return err
	}
	body, err := json.Marshal(wire.EnrolRequest{Code: a.invite.Code, CSR: csr, Keep: "file"})
	if err != nil {
		return err
	}
	for try := 0; ; try++ {
		var answer wire.EnrolAnswer
		status, err := a.fleet.ask(ctx, a.fleet.tally.enrolling, request{method: http.MethodPost, path: "/v1/enrol", body: body}, &answer)
		if err == nil && status == http.StatusOK {
			return a.become(answer)
		}
		if status == http.StatusForbidden {
			return errStopped
		}
		if err := wait(ctx, try, 0); err != nil {
			return err
		}
	}
}

// become takes the identity that the centre gave.
func (a *agent) become(answer wire.EnrolAnswer) error {
	n := len(answer.Chain)
	if n < 2 || wire.HashOf(answer.Chain[n-1]) != a.invite.CA {
		return errors.New("the certificates do not end at the centre's authority")
	}
	authority, err := x509.ParseCertificate(answer.Chain[n-1])
	if err != nil {
		return err
	}
	b, err := answer.Bundle.Bundle()
	if err != nil {
		return err
	}
	if _, err := seal.VerifyBundle(answer.Bundle, b.ReceiptKey); err != nil {
		return err
	}
	roots := x509.NewCertPool()
	roots.AddCert(authority)
	a.id, a.centre = answer.Agent, b.ReceiptKey
	a.ledger = Ledger{Agent: a.id, Public: &a.key.PublicKey, Sent: map[wire.Hash]wire.Seq{}, Acked: map[wire.Seq]wire.Receipt{}}
	a.conns = connections(&tls.Config{
		MinVersion: tls.VersionTLS13, RootCAs: roots, ClientSessionCache: tls.NewLRUClientSessionCache(1),
		Certificates: []tls.Certificate{{Certificate: answer.Chain[:1], PrivateKey: a.key}},
	})
	a.client = &http.Client{Transport: a.fleet.line.Over(a.conns), Timeout: patience}
	return nil
}

// connections is a pool for one counter.
func connections(config *tls.Config) *http.Transport {
	return &http.Transport{TLSClientConfig: config, MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute, TLSHandshakeTimeout: patience}
}

// maxAnswer bounds an answer's body.
const maxAnswer = 1 << 20

// request is one question to the centre.
type request struct {
	method, path string
	header       http.Header
	body         []byte
}

// ask sends a request and reads a JSON answer of any status into into, unless
// that is nil.
func (f *fleet) ask(ctx context.Context, c *http.Client, q request, into any) (status int, err error) {
	req, err := http.NewRequestWithContext(ctx, q.method, "https://"+f.host.at()+q.path, bytes.NewReader(q.body))
	if err != nil {
		return 0, err
	}
	for name, values := range q.header {
		req.Header[name] = values
	}
	resp, err := c.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil || into == nil {
		return resp.StatusCode, err
	}
	return resp.StatusCode, json.Unmarshal(text, into)
}

// wait waits with full jitter, longer with every try, and at least floor.
func wait(ctx context.Context, try int, floor time.Duration) error {
	most := min(waitMin<<min(try, 20), waitMax)
	timer := time.NewTimer(floor + time.Duration(mathrand.Int64N(int64(most))))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

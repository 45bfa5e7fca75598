package central

import (
	"crypto/ecdsa"
	"crypto/x509"
	"errors"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/counterproof/counterproof/sync/central/api"
	"github.com/counterproof/counterproof/sync/seal"
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// headerVersion is the only version of a header that this centre reads.
const headerVersion = 1

// statuses are the HTTP statuses of the verdicts.
var statuses = map[wire.Verdict]int{
	wire.Stored:       http.StatusOK,
	wire.Replayed:     http.StatusOK,
	wire.MissingBlobs: http.StatusFailedDependency,
	wire.Gap:          http.StatusTooEarly,
	wire.Fork:         http.StatusConflict,
	wire.Altered:      http.StatusBadRequest,
	wire.Refused:      http.StatusUnprocessableEntity,
	wire.Unauthorised: http.StatusForbidden,
	wire.Upgrade:      http.StatusUpgradeRequired,
}

// postRecord takes one record.
func (c *Central) postRecord(w http.ResponseWriter, r *http.Request, a store.Agent) {
	body, ok := readBody(w, r, api.MaxRecord)
	if !ok {
		return
	}
	answer, err := c.decide(w, r, a, body)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	switch answer.Verdict {
	case store.Unknown:
		c.former(w, r)
		return
	case store.Quarantined:
		answer = wire.Answer{Verdict: wire.Fork}
	case wire.Altered, wire.Upgrade: // the store was not asked who this is
		if _, err := c.speaker(r, time.Now()); err != nil {
			c.turnAway(w, r, err)
			return
		}
	}
	note(w).verdict = answer.Verdict
	writeJSON(w, statuses[answer.Verdict], answer)
}

// decide judges what arrived and asks the store.
func (c *Central) decide(w http.ResponseWriter, r *http.Request, a store.Agent, body []byte) (wire.Answer, error) {
	sub, verdict, err := c.submission(a, body)
	if err != nil || verdict != "" {
		return wire.Answer{Verdict: verdict}, err
	}
	if !asNamed(r, sub.Envelope, sub.Header) {
		return wire.Answer{Verdict: wire.Altered}, nil
	}
	note(w).seq = sub.Header.Seq
	return c.store.Accept(r.Context(), sub)
}

// submission checks what can be checked of a record before the store decides; a
// verdict says that it never gets there.
func (c *Central) submission(a store.Agent, body []byte) (store.Submission, wire.Verdict, error) {
	envelope, h, err := wire.ParseEnvelope(body)
	if err != nil || !complete(envelope, h) {
		return store.Submission{}, wire.Altered, nil
	}
	if h.Version != headerVersion {
		return store.Submission{}, wire.Upgrade, nil
	}
	reason, err := c.refusal(a, envelope, h)
	return store.Submission{
		Agent: a.ID, Site: a.Site, Public: a.Public, Envelope: envelope, Header: h, Refuse: reason,
		At:          time.Now().UTC().Truncate(time.Millisecond),
		SignReceipt: func(r wire.Receipt) (wire.Receipt, error) { return seal.SignReceipt(r, c.keys.Receipt) },
		SignRefusal: func(r wire.Refusal) (wire.Refusal, error) { return seal.SignRefusal(r, c.keys.Receipt) },
	}, "", err
}

// asNamed reports whether a record is the one that the request names, by its
// number and its hash.
func asNamed(r *http.Request, e wire.Envelope, h wire.Header) bool {
	seq, err := strconv.ParseUint(r.PathValue("seq"), 10, 64)
	if err != nil || wire.Seq(seq) != h.Seq {
		return false
	}
	named, err := wire.ParseHash(r.Header.Get("Idempotency-Key"))
	return err == nil && named == e.RecHash()
}

// complete reports whether every part that came with a record is the one that its
// header names.
func complete(e wire.Envelope, h wire.Header) bool {
	for i, p := range h.Parts {
		got := e.Parts[i].Sealed
		if got != nil && (uint64(len(got)) != p.Len || wire.HashOf(got) != p.SHA256) {
			return false
		}
	}
	return true
}

// refusal gives the reason why a record that arrived as it was signed can
// never be taken, or none.
func (c *Central) refusal(a store.Agent, e wire.Envelope, h wire.Header) (string, error) {
	key, err := agentKey(a)
	if err != nil {
		return "", err
	}
	total := uint64(0)
	for _, p := range h.Parts {
		total += p.Len
	}
	if _, err := seal.VerifyHeader(e, key); err != nil || h.Agent != a.ID || total > store.MaxRecord {
		return "malformed", nil
	}
	if h.Training != c.cfg.Training {
		return "training", nil
	}
	return "", nil
}

// agentKey reads an enrolled counter's public key.
func agentKey(a store.Agent) (*ecdsa.PublicKey, error) {
	public, err := x509.ParsePKIXPublicKey(a.Public)
	if err != nil {
		return nil, err
	}
	key, ok := public.(*ecdsa.PublicKey)
	if !ok {
		return nil, errors.New("an enrolled key is no ECDSA key")
	}
	return key, nil
}

// How long a counter with nothing to send waits before it asks again, in
// seconds, drawn evenly between them.
const syncMin, syncMax = 300, 900

// state tells a counter where the centre stands with it.
func (c *Central) state(w http.ResponseWriter, r *http.Request, a store.Agent) {
	news, err := c.store.NoticesFor(r.Context(), a.ID, 0, 0)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, wire.State{
		Agent: a.ID, Expect: a.Expect, Head: a.Head, Quarantined: a.Quarantined,
		Training: c.cfg.Training, Now: time.Now().UTC(),
		NextSync: syncMin + rand.IntN(syncMax-syncMin+1),
		Notices:  news.Last, NoticesAcked: news.Acked,
	})
}

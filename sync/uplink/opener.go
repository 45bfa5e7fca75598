package uplink

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"slices"

	"github.com/counterproof/counterproof/sync/seal"
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/uplink/network"
	"github.com/counterproof/counterproof/sync/wire"
)

// PutRecipients hands the centre the public keys that parts are sealed to from
// now on, and takes the new bundle with them. Only an opener may.
func (c *Client) PutRecipients(ctx context.Context, recipients []wire.Recipient) error {
	l, err := c.open()
	if err != nil {
		return err
	}
	var signed wire.Signed
	if err := l.askJSON(ctx, request{method: http.MethodPut, path: "/v1/opener/recipients"}, recipients, &signed); err != nil {
		return fault("handing in the keys", wire.KindProtocol, err)
	}
	return c.takeBundle(l, signed)
}

// maxRun bounds the leaves or flags of one request (a count).
const maxRun = 100

// PostLeaves hands the centre leaves for its log: tombstones of keys that this
// opener destroyed, in runs of at most 100. The same again is a second leaf, so
// the caller keeps which were posted; it returns how many were before err.
func (c *Client) PostLeaves(ctx context.Context, leaves []wire.Leaf) (posted int, err error) {
	for run := range slices.Chunk(leaves, maxRun) {
		if err := c.hand(ctx, "/v1/opener/leaves", wire.Leaves{Leaves: run}); err != nil {
			return posted, fault("posting leaves", wire.KindProtocol, err)
		}
		posted += len(run)
	}
	return posted, nil
}

// hand posts something that the centre takes without a word.
func (c *Client) hand(ctx context.Context, path string, v any) error {
	l, err := c.open()
	if err != nil {
		return err
	}
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	r, err := l.ask(ctx, request{
		method: http.MethodPost, path: path, body: body, header: http.Header{"Content-Type": {"application/json"}}, client: l.quick,
	})
	if err != nil {
		return err
	}
	if r.status != http.StatusNoContent && r.status != http.StatusOK {
		return &wire.Error{Op: "asking the centre", Kind: network.KindOfStatus(r.status), Err: fmt.Errorf("status %d", r.status)}
	}
	return nil
}

// Fetch yields the stored records that follow the log index after, in the log's
// order and without a hole; 0 is before the first. It ends after a page, which
// is empty at the end of the log. Each record is whole and carries the centre's
// receipt and its counter's signature, both verified. One that was erased says
// so (Record.Erased) and has no parts any more; its signatures are verified too.
//
// An error with a record concerns that record alone (see its LogIndex): Kind
// damaged, the centre's disk has not kept it whole or its signatures do not
// hold, and the next may follow. Such a record's Receipt may hold no more than
// the LogIndex and its Envelope may be empty. An error without a record ends the
// sequence, and whoever wants the rest asks again.
func (c *Client) Fetch(ctx context.Context, after uint64) iter.Seq2[store.Record, error] {
	return func(yield func(store.Record, error) bool) {
		l, err := c.open()
		if err != nil {
			yield(store.Record{}, err)
			return
		}
		resp, err := l.start(ctx, request{
			method: http.MethodGet, path: fmt.Sprintf("/v1/opener/records?after=%d", after), client: l.fetch,
		})
		if err != nil {
			yield(store.Record{}, fault("fetching records", wire.KindUnreachable, err))
			return
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			yield(store.Record{}, &wire.Error{Op: "fetching records", Kind: network.KindOfStatus(resp.StatusCode), Err: fmt.Errorf("status %d", resp.StatusCode)})
			return
		}
		for r, err := range store.ReadDelivery(resp.Body) {
			after++
			if err == nil && r.Receipt.LogIndex != after {
				err = fmt.Errorf("the log goes on at %d where %d was to come", r.Receipt.LogIndex, after)
			}
			if err != nil {
				yield(store.Record{}, fault("fetching records", wire.KindProtocol, err))
				return
			}
			if !yield(r, verify(r, l.receiptKey())) {
				return
			}
		}
	}
}

// errDamaged is what the centre says of a record that its disk has not kept.
var errDamaged = errors.New("the centre does not have it whole any more")

// verify checks that a record is whole, and both of its signatures.
func verify(r store.Record, key ed25519.PublicKey) error {
	if r.Damaged {
		return &wire.Error{Op: "reading a record", Kind: wire.KindDamaged, Err: errDamaged}
	}
	err := seal.VerifyReceipt(r.Receipt, key)
	if err == nil {
		err = verifyOrigin(r)
	}
	if err != nil {
		return &wire.Error{Op: "verifying a record", Kind: wire.KindDamaged, Err: err}
	}
	return nil
}

// verifyOrigin checks the counter's signature and that the receipt is for it.
func verifyOrigin(r store.Record) error {
	public, err := x509.ParsePKIXPublicKey(r.Origin.Public)
	if err != nil {
		return fmt.Errorf("reading the counter's key: %w", err)
	}
	key, ok := public.(*ecdsa.PublicKey)
	if !ok {
		return errors.New("the counter's key is no ECDSA key")
	}
	h, err := verifyEnvelope(r, key)
	if err != nil {
		return err
	}
	if r.Envelope.RecHash() != r.Receipt.RecHash || h.Agent != r.Receipt.Agent || h.Seq != r.Receipt.Seq {
		return errOther
	}
	return nil
}

// verifyEnvelope checks the counter's signature and, where they are still there,
// the parts.
func verifyEnvelope(r store.Record, key *ecdsa.PublicKey) (wire.Header, error) {
	if r.Erased {
		return seal.VerifyHeader(r.Envelope, key)
	}
	return seal.Verify(r.Envelope, key)
}

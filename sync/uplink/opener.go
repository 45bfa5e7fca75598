package uplink

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"slices"

	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/uplink/ask"
	"github.com/counterproof/counterproof/sync/uplink/network"
	"github.com/counterproof/counterproof/sync/uplink/witness"
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
	if err := l.JSON(ctx, ask.Request{Method: http.MethodPut, Path: "/v1/opener/recipients"}, recipients, &signed); err != nil {
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
	r, err := l.Ask(ctx, ask.Request{
		Method: http.MethodPost, Path: path, Body: body, Header: http.Header{"Content-Type": {"application/json"}},
	})
	if err != nil {
		return err
	}
	if r.Status != http.StatusNoContent && r.Status != http.StatusOK {
		return &wire.Error{Op: "asking the centre", Kind: network.KindOfStatus(r.Status), Err: fmt.Errorf("status %d", r.Status)}
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
		resp, err := l.Start(ctx, ask.Request{
			Method: http.MethodGet, Path: fmt.Sprintf("/v1/opener/records?after=%d", after), Patience: ask.Long,
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
			if !yield(r, witness.Record(r, l.receiptKey())) {
				return
			}
		}
	}
}

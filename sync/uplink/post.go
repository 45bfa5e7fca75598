package uplink

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/counterproof/counterproof/sync/seal"
	"github.com/counterproof/counterproof/sync/uplink/ask"
	"github.com/counterproof/counterproof/sync/uplink/network"
	"github.com/counterproof/counterproof/sync/wire"
)

// Outbox is the list of all that one enrolled opener ever told its counters, on
// the opener's own disk. It is only ever added to; an opener with another
// identity begins another one.
type Outbox struct {
	// Len is how many notices it holds; their places are 1 to Len.
	Len uint64
	// Read gives the notice at a place; Key and Sig do not count.
	Read func(place uint64) (wire.Notice, error)
	// Take adds a notice that the centre holds at the place after the last and
	// that this disk has lost. Where it is nil, a loss is an error.
	Take func(wire.Placed) error
}

// PostNews brings an opener's list and the centre's to the same end, and returns
// how many notices the centre was sent: those that it does not have, or has lost,
// in the list's order. What this disk has lost is taken first; so the opener
// calls it once before it adds to its list, and again after.
//
// The signature is made here, with the enrolled key. Kind quarantined means that
// the lists differ: the opener goes on from an old copy, or two of them share a
// key. Nothing more is sent then, and nothing may be added.
func (c *Client) PostNews(ctx context.Context, own Outbox) (sent int, err error) {
	const op = "posting news"
	l, err := c.open()
	if err != nil {
		return 0, err
	}
	public, err := x509.MarshalPKIXPublicKey(c.cfg.Keeper.Signer().Public())
	if err != nil {
		return 0, fault(op, wire.KindDisk, err)
	}
	p := poster{line: l, own: own, public: public}
	last, err := p.level(ctx)
	if err != nil {
		return 0, fault(op, wire.KindProtocol, err)
	}
	for last < p.own.Len {
		run, err := p.sign(last, c.cfg.Keeper.Signer())
		if err != nil {
			return sent, fault(op, wire.KindDisk, err)
		}
		if err := p.post(ctx, run); err != nil {
			return sent, fault(op, wire.KindProtocol, err)
		}
		sent += len(run)
		last += uint64(len(run))
	}
	return sent, nil
}

// errFork is why nothing more is posted.
var errFork = &wire.Error{Op: "comparing the lists of news", Kind: wire.KindQuarantined,
	Err: errors.New("this opener and the centre hold different lists")}

// poster compares and posts one opener's list.
type poster struct {
	*line
	own    Outbox
	public []byte // the enrolled key, PKIX DER
}

// level compares the last notice that both lists have, takes what the own list
// lacks, and returns how far the centre's reaches.
func (p *poster) level(ctx context.Context) (last uint64, err error) {
	for common := p.own.Len; ; common = min(p.own.Len, last) {
		page, err := p.noticePage(ctx, "/v1/opener/notices", max(common, 1)-1)
		if err != nil {
			return 0, err
		}
		last = page.Last
		if last < common {
			continue
		}
		before := p.own.Len
		if err := p.join(page.Notices, common); err != nil {
			return 0, err
		}
		if p.own.Len >= last {
			return last, nil
		}
		if p.own.Len == before {
			return 0, errors.New("the centre does not give what it says that it has")
		}
	}
}

// join takes in a page that begins with the notice at place common, the last of
// the own list that the centre has too, or with the first one.
func (p *poster) join(page []wire.Placed, common uint64) error {
	for _, theirs := range page {
		err := seal.VerifyNotice(theirs.Notice, [][]byte{p.public})
		switch {
		case theirs.N > p.own.Len:
			if err == nil {
				err = p.take(theirs)
			}
			if err != nil {
				return err
			}
		case theirs.N == common && err == nil:
			ours, err := p.own.Read(common)
			if err != nil {
				return err
			}
			ours.Key = theirs.Notice.Key
			if ours.Hash() != theirs.Notice.Hash() {
				return errFork
			}
		}
	}
	return nil
}

// take adds to the own list.
func (p *poster) take(theirs wire.Placed) error {
	if p.own.Take == nil {
		return errFork
	}
	if err := p.own.Take(theirs); err != nil {
		return err
	}
	p.own.Len = theirs.N
	return nil
}

// sign reads and signs the run of the own list that follows a place.
func (p *poster) sign(after uint64, signer crypto.Signer) ([]wire.Placed, error) {
	var run []wire.Placed
	for place := after + 1; place <= p.own.Len && len(run) < wire.MaxPosted; place++ {
		n, err := p.own.Read(place)
		if err == nil {
			n, err = seal.SignNotice(n, signer)
		}
		if err != nil {
			return nil, err
		}
		run = append(run, wire.Placed{N: place, Notice: n})
	}
	return run, nil
}

// post sends a run of notices, and is content with nothing but the centre's word
// that it holds them.
func (p *poster) post(ctx context.Context, run []wire.Placed) error {
	body, err := json.Marshal(run)
	if err != nil {
		return fmt.Errorf("writing notices: %w", err)
	}
	r, err := p.Ask(ctx, ask.Request{
		Method: http.MethodPost, Path: "/v1/opener/notices", Body: body,
		Header: http.Header{"Content-Type": {"application/json"}},
	})
	if err != nil {
		return err
	}
	var a wire.Answer
	held := json.Unmarshal(r.Body, &a) == nil && r.Status == http.StatusOK &&
		(a.Verdict == wire.Stored || a.Verdict == wire.Replayed)
	switch {
	case held:
		return nil
	case r.Status == http.StatusConflict && a.Verdict == wire.Fork:
		return errFork
	}
	return &wire.Error{Op: "posting notices", Kind: network.KindOfStatus(r.Status), Err: fmt.Errorf("status %d", r.Status)}
}

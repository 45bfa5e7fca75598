package uplink

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/counterproof/counterproof/sync/seal"
	"github.com/counterproof/counterproof/sync/uplink/ask"
	"github.com/counterproof/counterproof/sync/uplink/network"
	"github.com/counterproof/counterproof/sync/wire"
)

// pages bounds how many pages of a list are read in one go.
const pages = 50

// Notices fetches the page of news for this counter that follows the place
// after in its list at the centre; 0 is before the first. An empty page is the
// list's end, and a Last below after means that the centre was restored.
//
// Every notice is verified: signed by an opener that the centre's bundle names,
// for this counter. One that is not has the kind wire.NoticeUnreadable and
// nothing else but its place, so that it hides no other. Whether numbers are
// missing is known to the queue alone.
func (c *Client) Notices(ctx context.Context, after uint64) (wire.NoticePage, error) {
	l, err := c.open()
	if err != nil {
		return wire.NoticePage{}, err
	}
	page, err := l.noticePage(ctx, "/v1/agents/"+string(l.id.Agent)+"/notices", after)
	if err != nil {
		return wire.NoticePage{}, fault("fetching news", wire.KindProtocol, err)
	}
	if slices.ContainsFunc(page.Notices, func(p wire.Placed) bool {
		return errors.Is(l.verifyNotice(p.Notice), seal.ErrUnknownOpener)
	}) {
		// Every opener's key is in the bundle before its first notice is in a
		// list, so a newer bundle has it.
		if l, err = c.newerBundle(ctx, l); err != nil {
			return wire.NoticePage{}, fault("fetching an opener's key", wire.KindProtocol, err)
		}
	}
	for i, p := range page.Notices {
		if err := l.verifyNotice(p.Notice); err != nil {
			c.log.Error("news came that does not verify", "kind", string(wire.KindProtocol), "err", err)
			page.Notices[i].Notice = wire.Notice{Agent: l.id.Agent, Kind: wire.NoticeUnreadable}
		}
	}
	return page, nil
}

// newerBundle takes the centre's bundle and returns the connection with it.
func (c *Client) newerBundle(ctx context.Context, l *line) (*line, error) {
	if err := c.refreshBundle(ctx, l); err != nil {
		return nil, err
	}
	return c.open()
}

// noticePage asks for a page of one of the lists.
func (l *line) noticePage(ctx context.Context, path string, after uint64) (wire.NoticePage, error) {
	r, err := l.Ask(ctx, ask.Request{Method: http.MethodGet, Path: fmt.Sprintf("%s?after=%d", path, after)})
	if err != nil {
		return wire.NoticePage{}, err
	}
	if r.Status != http.StatusOK {
		return wire.NoticePage{}, &wire.Error{Op: "asking the centre", Kind: network.KindOfStatus(r.Status), Err: fmt.Errorf("status %d", r.Status)}
	}
	return wire.DecodeNotices(r.Body, after)
}

// verifyNotice checks that a notice is an opener's, and for this counter.
func (l *line) verifyNotice(n wire.Notice) error {
	if err := seal.VerifyNotice(n, l.bundle.Openers); err != nil {
		return err
	}
	if n.Agent != l.id.Agent {
		return errors.New("it is for another counter")
	}
	return nil
}

// Ack tells the centre that this counter has its news up to place n on its own
// disk.
func (c *Client) Ack(ctx context.Context, n uint64) error {
	l, err := c.open()
	if err != nil {
		return err
	}
	var back wire.NoticeAck
	q := ask.Request{Method: http.MethodPost, Path: "/v1/agents/" + string(l.id.Agent) + "/notices/ack"}
	return fault("acknowledging news", wire.KindProtocol, l.JSON(ctx, q, wire.NoticeAck{N: n}, &back))
}

// Collect brings all news that there is into the queue and acknowledges it, and
// returns how much of it is new. Run does it by itself; a screen that waits for
// an outcome may call it in between. An answer that was lost costs a question:
// what comes twice is kept once.
func (c *Client) Collect(ctx context.Context) (fresh int, err error) {
	if c.cfg.Queue == nil {
		return 0, errQueue
	}
	l, err := c.open()
	if err != nil {
		return 0, err
	}
	c.collecting.Lock()
	defer c.collecting.Unlock()
	from, err := c.cfg.Queue.NewsCursor(ctx, l.id.Agent)
	if err != nil {
		return 0, err
	}
	fresh, err = c.collect(ctx, l.id.Agent, from)
	if err == nil {
		var more int
		more, err = c.search(ctx, l.id.Agent)
		fresh += more
	}
	if fresh > 0 {
		c.log.Info("news came", "count", fresh)
		if c.cfg.News != nil {
			c.cfg.News(fresh)
		}
	}
	return fresh, err
}

// collect keeps what follows a place of the list, to its end.
func (c *Client) collect(ctx context.Context, agent wire.AgentID, from uint64) (fresh int, err error) {
	for range pages {
		page, err := c.Notices(ctx, from)
		switch {
		case err != nil:
			return fresh, err
		case page.Last < from:
			c.log.Warn("the centre is behind, news is read again", "count", page.Last)
			from = 0
			continue
		case len(page.Notices) == 0 && page.Acked < from:
			return fresh, c.Ack(ctx, from) // the one before was lost
		case len(page.Notices) == 0:
			return fresh, nil
		}
		kept, err := c.cfg.Queue.KeepNews(ctx, agent, page.Notices)
		fresh += kept
		if err != nil {
			return fresh, err
		}
		from = page.Notices[len(page.Notices)-1].N
		if err := c.Ack(ctx, from); err != nil {
			return fresh, err
		}
	}
	return fresh, nil
}

// search reads the list once more from its beginning where a number is newly
// missing: a centre that was restored may have given the places anew, and what
// was behind the cursor is before it now. What is missing after that was
// withheld, which the queue's status tells.
func (c *Client) search(ctx context.Context, agent wire.AgentID) (fresh int, err error) {
	s, err := c.cfg.Queue.Status(ctx)
	if err != nil || s.NewsMissing == c.holes {
		return 0, err
	}
	if s.NewsMissing > c.holes {
		c.log.Error("news is missing, the list is read again", "kind", string(wire.KindProtocol), "count", s.NewsMissing)
		if fresh, err = c.collect(ctx, agent, 0); err != nil {
			return fresh, err
		}
		if s, err = c.cfg.Queue.Status(ctx); err != nil {
			return fresh, err
		}
	}
	c.holes = s.NewsMissing
	return fresh, nil
}

// hear collects news where the centre says that there is some, or that it does
// not know what this counter has.
func (c *Client) hear(ctx context.Context, s wire.State) error {
	l, err := c.open()
	if err != nil {
		return err
	}
	have, err := c.cfg.Queue.NewsCursor(ctx, l.id.Agent)
	if err != nil || have == s.Notices && have == s.NoticesAcked {
		return err
	}
	_, err = c.Collect(ctx)
	return err
}

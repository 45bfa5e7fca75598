package central

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/counterproof/counterproof/sync/central/api"
	"github.com/counterproof/counterproof/sync/seal"
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// postNotices takes a run of an opener's list. A notice that the speaker has not
// signed is altered; nobody else may post it.
func (c *Central) postNotices(w http.ResponseWriter, r *http.Request, a store.Agent) {
	var run []wire.Placed
	if !readJSON(w, r, api.MaxNotices, &run) {
		return
	}
	if !signedBy(run, a) {
		note(w).verdict = wire.Altered
		writeJSON(w, http.StatusBadRequest, wire.Answer{Verdict: wire.Altered})
		return
	}
	// The key is handed out before the first notice under it, so that a counter
	// that has the notice can have the key.
	if err := c.believe(r.Context(), a); err != nil {
		c.fail(w, r, err)
		return
	}
	answer, err := c.store.PostNotices(r.Context(), store.Posting{Opener: a.ID, Notices: run})
	if err != nil {
		c.fail(w, r, err)
		return
	}
	note(w).verdict = answer.Verdict
	writeJSON(w, statuses[answer.Verdict], answer)
}

// signedBy reports whether there are notices, not too many, and all of them whole
// and the opener's own.
func signedBy(run []wire.Placed, a store.Agent) bool {
	wrong := slices.ContainsFunc(run, func(p wire.Placed) bool {
		return p.Check() != nil || seal.VerifyNotice(p.Notice, [][]byte{a.Public}) != nil
	})
	return !wrong && len(run) > 0 && len(run) <= wire.MaxPosted
}

// believe puts an opener's key into the bundle, if it is not there.
func (c *Central) believe(ctx context.Context, a store.Agent) error {
	signed, err := c.freshBundle(ctx)
	if err != nil {
		return err
	}
	b, err := c.readBundle(signed)
	if err != nil || believed(b, a) {
		return err
	}
	_, err = c.changeBundle(ctx, func(b wire.Bundle) wire.Bundle { return withOpener(b, a) })
	return err
}

// believed reports whether counters are told to believe the opener's notices.
func believed(b wire.Bundle, a store.Agent) bool {
	return slices.ContainsFunc(b.Openers, func(der []byte) bool { return bytes.Equal(der, a.Public) })
}

// withOpener tells counters to believe an opener's notices. Above the limit the
// opener that has been there longest goes.
func withOpener(b wire.Bundle, a store.Agent) wire.Bundle {
	if believed(b, a) {
		return b
	}
	b.Openers = append(slices.Clone(b.Openers), a.Public)
	b.Openers = b.Openers[max(0, len(b.Openers)-seal.MaxOpeners):]
	return b
}

// openerNotices gives an opener its own list, so that one whose disk was lost
// goes on where it stood.
func (c *Central) openerNotices(w http.ResponseWriter, r *http.Request, a store.Agent) {
	c.noticePage(w, r, a, c.store.NoticesBy)
}

// notices gives a counter what is for it.
func (c *Central) notices(w http.ResponseWriter, r *http.Request, a store.Agent) {
	c.noticePage(w, r, a, c.store.NoticesFor)
}

// noticeReader reads one of the two lists of notices.
type noticeReader func(ctx context.Context, id wire.AgentID, after uint64, limit int) (wire.NoticePage, error)

// noticePage answers with a run of the speaker's list.
func (c *Central) noticePage(w http.ResponseWriter, r *http.Request, a store.Agent, read noticeReader) {
	after, limit, ok := cursor(r, wire.MaxNotices)
	if !ok {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	page, err := read(r.Context(), a.ID, after, limit)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, page)
}

// ackNotices notes what a counter has on its own disk. A place that the list
// does not reach is refused: the centre was restored, and the counter looks
// again from there.
func (c *Central) ackNotices(w http.ResponseWriter, r *http.Request, a store.Agent) {
	var ack wire.NoticeAck
	if !readJSON(w, r, api.MaxAck, &ack) {
		return
	}
	err := c.store.AckNotices(r.Context(), a.ID, ack.N)
	if errors.Is(err, store.ErrPlace) {
		writeJSON(w, http.StatusConflict, wire.Answer{Verdict: wire.Gap})
		return
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, ack)
}

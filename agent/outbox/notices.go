package outbox

import (
	"context"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/sync/queue"
)

// Notices is the news of earlier visits, unseen first and the newest first among
// them. News that does not verify, or of a kind of a later version, is among it
// under a word of its own: something was said, and the helpdesk knows more.
func (o *Outbox) Notices(ctx context.Context) (api.NoticeList, error) {
	list := api.NoticeList{Notices: []api.Notice{}}
	all, err := o.queue.News(ctx, queue.NewsFilter{Limit: listed})
	if err != nil {
		return list, &proof.Error{Op: "listing news", Kind: kindOf(err), Err: err}
	}
	for _, seen := range []bool{false, true} {
		for i := len(all) - 1; i >= 0; i-- {
			if n := all[i]; n.Seen == seen {
				list.Notices = append(list.Notices, api.Notice{
					ID: uint64(n.ID), Ref: proof.Ref(n.Notice.Ref), Kind: string(n.Notice.Kind), At: n.Notice.At, Seen: n.Seen,
				})
			}
		}
	}
	return list, nil
}

// LookForNews asks the centre for news and returns when it is in the list. Asking
// again, or beside the line's own looking, tells nothing twice.
func (o *Outbox) LookForNews(ctx context.Context) error {
	if _, err := o.uplink.Collect(ctx); err != nil {
		return &proof.Error{Op: "asking for news", Kind: kindOf(err), Err: err}
	}
	return nil
}

// Notice is one piece of news; KindNoVisit where there is none of that name.
func (o *Outbox) Notice(ctx context.Context, id uint64) (api.Notice, error) {
	list, err := o.Notices(ctx)
	for _, n := range list.Notices {
		if n.ID == id {
			return n, nil
		}
	}
	if err != nil {
		return api.Notice{}, err
	}
	return api.Notice{}, &proof.Error{Op: "reading news", Kind: proof.KindNoVisit}
}

// NoticeSeen notes that somebody has taken note of news, and that its slip came
// out of the printer.
func (o *Outbox) NoticeSeen(ctx context.Context, id uint64, printed bool) error {
	err := o.queue.MarkSeen(ctx, int64(id))
	if err == nil && printed {
		err = o.queue.MarkPrinted(ctx, int64(id))
	}
	if err != nil {
		return &proof.Error{Op: "marking news", Kind: kindOf(err), Err: err}
	}
	return nil
}

package daemon

import (
	"context"
	"time"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/desk"
	"github.com/counterproof/counterproof/agent/print"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/devices"
)

// slips prints on whatever slip printer is there.
func (c *counter) slips() print.Slips {
	return print.Slips{
		Printer: c.hub.Printer(devices.SlipPrinter), Site: c.site(), Language: c.cfg.Languages[0], Training: c.training(),
	}
}

// notices is the news of earlier visits, each with the second slip that goes
// with it.
func (c *counter) notices(ctx context.Context) (api.NoticeList, error) {
	list, err := c.outbox.Notices(ctx)
	for i, n := range list.Notices {
		if n.Ref != "" {
			list.Notices[i].Slip = c.slips().NewsLines(n)
		}
	}
	return list, err
}

// lookPatience is how long a clerk who asks for news waits for the centre.
const lookPatience = 8 * time.Second

// lookForNews asks the centre now, instead of when the line looks by itself: the
// patient may be waiting. What was there before stays readable without a network.
func (c *counter) lookForNews(ctx context.Context) (api.NoticeList, error) {
	asking, cancel := context.WithTimeout(ctx, lookPatience)
	defer cancel()
	if err := c.outbox.LookForNews(asking); err != nil {
		return api.NoticeList{}, err
	}
	return c.notices(ctx)
}

// noticeSeen marks news as seen, after its slip was printed if that is wished,
// and tells which news it was.
func (c *counter) noticeSeen(ctx context.Context, in api.NoticeSeen) (api.Notice, error) {
	n, err := c.outbox.Notice(ctx, in.ID)
	if err != nil {
		return n, err
	}
	if in.Print {
		if err := c.slips().News(ctx, n); err != nil {
			return n, &proof.Error{Op: "printing news", Kind: desk.DeviceKind(err), Err: err}
		}
	}
	return n, c.outbox.NoticeSeen(ctx, in.ID, in.Print)
}

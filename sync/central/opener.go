package central

import (
	"cmp"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// Pages of the log, in records, and of a list of notices by default.
const (
	pageDefault = 100
	pageMax     = 1000
)

// openerRecords delivers stored records above a cursor. A delivery that breaks
// off has no end, which is how the opener knows.
func (c *Central) openerRecords(w http.ResponseWriter, r *http.Request, a store.Agent) {
	after, limit, ok := cursor(r, pageMax)
	if !ok {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	if err := c.deliver(w, r, a.ID, page{after, limit}); err != nil {
		c.log.Error("a delivery broke off", "err", err, "path", r.Pattern)
	}
}

// page says which part of the log is delivered.
type page struct {
	after uint64
	limit int
}

// cursor reads from where a list is asked for, and how much of it, most at
// most; ok is false if that is no cursor.
func cursor(r *http.Request, most int) (after uint64, limit int, ok bool) {
	after, err := strconv.ParseUint(cmp.Or(r.FormValue("after"), "0"), 10, 63)
	limit, err2 := strconv.Atoi(cmp.Or(r.FormValue("limit"), strconv.Itoa(pageDefault)))
	return after, min(limit, most), err == nil && err2 == nil && limit > 0
}

// deliver writes up to limit records one after the other, so that the centre
// never holds more than one in memory. Each stands in the log as handed out
// before its first byte is written.
func (c *Central) deliver(w http.ResponseWriter, r *http.Request, opener wire.AgentID, cut page) error {
	delivery := store.NewDelivery(w)
	control := http.NewResponseController(w)
	after := cut.after
	for range cut.limit {
		next, err := c.store.Records(r.Context(), after, 1)
		if err != nil {
			return err
		}
		if len(next) == 0 {
			break
		}
		_ = control.SetWriteDeadline(time.Now().Add(bodyTime * (1 + store.MaxRecord>>20)))
		if next[0].Damaged {
			c.log.Error("a stored record is damaged: bring it back from a backup", "agent", string(next[0].Receipt.Agent),
				"seq", uint64(next[0].Receipt.Seq), "rec", next[0].Receipt.RecHash.String(), "path", r.Pattern)
		}
		if err := c.opened(r.Context(), opener, next[0]); err != nil {
			return err
		}
		if err := delivery.Write(next[0]); err != nil {
			return fmt.Errorf("delivering a record: %w", err)
		}
		after = next[0].Receipt.LogIndex
	}
	return delivery.Close()
}

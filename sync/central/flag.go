package central

import (
	"errors"
	"net/http"

	"github.com/counterproof/counterproof/sync/central/api"
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// errNoOffice: the store cannot do what the office needs.
var errNoOffice = errors.New("the store has no office")

// postFlags keeps what an opener asks the office to look at.
func (c *Central) postFlags(w http.ResponseWriter, r *http.Request, a store.Agent) {
	var run api.Flags
	if !readJSON(w, r, api.MaxFlags, &run) {
		return
	}
	if !whole(run.Flags) {
		writeJSON(w, http.StatusBadRequest, wire.Answer{Verdict: wire.Altered})
		return
	}
	office, err := c.Office()
	if err == nil {
		err = office.Raise(r.Context(), a.ID, run.Flags)
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// whole reports whether there are flags, not too many, and each what it should be.
func whole(flags []wire.Flag) bool {
	for _, f := range flags {
		if f.Check() != nil {
			return false
		}
	}
	return len(flags) > 0 && len(flags) <= api.MaxFlagged
}

// Office is what people of the centre's office do, on the centre's store.
type Office interface {
	store.Store
	store.Office
	store.Flags
	store.Log
}

// Office is the centre's store as its office sees it.
func (c *Central) Office() (Office, error) {
	if office, ok := c.store.(Office); ok {
		return office, nil
	}
	return nil, errNoOffice
}

package central

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/counterproof/counterproof/sync/central/api"
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// pieceBytes is how much of a blob is made durable at a time: what a cut line
// costs at most.
const pieceBytes = 1 << 20

// blobProgress tells how far an upload has come.
func (c *Central) blobProgress(w http.ResponseWriter, r *http.Request, a store.Agent) {
	sha, err := wire.ParseHash(r.PathValue("sha256"))
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	at, err := c.store.Blob(r.Context(), a.ID, sha)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	answerProgress(w, http.StatusNoContent, at)
}

// putBlob takes the rest of a blob, or some of it.
func (c *Central) putBlob(w http.ResponseWriter, r *http.Request, a store.Agent) {
	sha, err := wire.ParseHash(r.PathValue("sha256"))
	offset, err2 := strconv.ParseInt(r.Header.Get(api.HeaderOffset), 10, 64)
	switch {
	case err != nil || err2 != nil || offset < 0:
		w.WriteHeader(http.StatusBadRequest)
		return
	case r.ContentLength < 0:
		w.WriteHeader(http.StatusLengthRequired)
		return
	case r.ContentLength > wire.MaxPart:
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	}
	p := store.Piece{Agent: a.ID, SHA256: sha, Offset: offset}
	at, err := c.receive(w, r, p, r.Header.Get(api.HeaderComplete) == "?1")
	switch {
	case errors.Is(err, store.ErrOffset):
		answerProgress(w, http.StatusConflict, at)
	case errors.Is(err, store.ErrAltered):
		answerProgress(w, http.StatusBadRequest, at)
	case errors.Is(err, store.ErrTooLarge):
		answerProgress(w, http.StatusRequestEntityTooLarge, at)
	case errors.Is(err, errCut):
		answerProgress(w, http.StatusBadRequest, at)
	case err != nil:
		c.fail(w, r, err)
	case at.Complete:
		answerProgress(w, http.StatusCreated, at)
	default:
		answerProgress(w, http.StatusNoContent, at)
	}
}

// errCut: the body ended before its length.
var errCut = errors.New("the line was cut")

// receive stores a body piece by piece. A line that is cut in the middle keeps
// what came before; the sender asks how far it is and goes on from there.
func (c *Central) receive(w http.ResponseWriter, r *http.Request, p store.Piece, toTheEnd bool) (store.Progress, error) {
	control := http.NewResponseController(w)
	buf := make([]byte, min(r.ContentLength, pieceBytes))
	for left := r.ContentLength; ; {
		// A connection without deadlines, as in a test, has no use for them.
		_ = control.SetReadDeadline(time.Now().Add(bodyTime))
		_ = control.SetWriteDeadline(time.Now().Add(2 * bodyTime))
		n, cut := io.ReadFull(r.Body, buf[:min(left, pieceBytes)])
		left -= int64(n)
		p.Data, p.Last = buf[:n], toTheEnd && left == 0 && cut == nil
		at, err := c.store.PutBlob(r.Context(), p)
		switch {
		case err != nil || left == 0 || at.Complete:
			return at, err
		case cut != nil:
			return at, errCut
		}
		p.Offset += int64(n)
	}
}

// answerProgress writes how far an upload has come.
func answerProgress(w http.ResponseWriter, status int, at store.Progress) {
	complete := "?0"
	if at.Complete {
		complete = "?1"
	}
	w.Header().Set(api.HeaderOffset, strconv.FormatInt(at.Offset, 10))
	w.Header().Set(api.HeaderComplete, complete)
	w.WriteHeader(status)
}

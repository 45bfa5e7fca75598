package post

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/counterproof/counterproof/sync/uplink/ask"
	"github.com/counterproof/counterproof/sync/uplink/network"
	"github.com/counterproof/counterproof/sync/wire"
)

// pieceBytes is the largest piece of a blob in one request: what a cut line
// costs at most.
const pieceBytes = 1 << 20

// altered is how often a blob may arrive altered before that is told.
const altered = 3

// Parts sends the parts that which asks for, as blobs.
func (l Line) Parts(ctx context.Context, e wire.Envelope, which func(wire.Part) bool) error {
	for _, p := range e.Parts {
		if !which(p) {
			continue
		}
		if err := l.putBlob(ctx, p.Sealed); err != nil {
			return fmt.Errorf("sending part %s: %w", p.Name, err)
		}
	}
	return nil
}

// putBlob sends what the centre does not have of a blob. It goes on from
// wherever the centre says, so an answer that was lost costs one question.
func (l Line) putBlob(ctx context.Context, data []byte) error {
	q := ask.Request{Method: http.MethodHead, Path: "/v1/blobs/" + wire.HashOf(data).String()}
	r, err := l.Ask(ctx, q)
	if err != nil {
		return err
	}
	// Every piece takes one answer, and trouble a few more.
	for left := len(data)/pieceBytes + 2*altered; left > 0; left-- {
		offset, done, err := uploaded(r, int64(len(data)))
		if err != nil || done {
			return err
		}
		piece := data[offset:min(offset+pieceBytes, int64(len(data)))]
		complete := "?0"
		if int(offset)+len(piece) == len(data) {
			complete = "?1"
		}
		q.Method, q.Body, q.Patience = http.MethodPatch, piece, ask.Slow
		q.Header = http.Header{
			"Content-Type": {"application/partial-upload"}, "Upload-Complete": {complete},
			"Upload-Offset": {strconv.FormatInt(offset, 10)},
		}
		if r, err = l.Ask(ctx, q); err != nil {
			return err
		}
	}
	return &wire.Error{Op: "sending a blob", Kind: wire.KindProtocol, Err: errors.New("it does not become complete")}
}

// uploaded reads how much of a blob of the given size the centre has.
func uploaded(r ask.Reply, size int64) (offset int64, done bool, err error) {
	switch r.Status {
	case http.StatusCreated:
		return size, true, nil
	case http.StatusNoContent, http.StatusConflict, http.StatusBadRequest:
	default:
		return 0, false, &wire.Error{Op: "sending a blob", Kind: network.KindOfStatus(r.Status), Err: fmt.Errorf("status %d", r.Status)}
	}
	offset, err = strconv.ParseInt(r.Header.Get("Upload-Offset"), 10, 64)
	complete := r.Header.Get("Upload-Complete") == "?1"
	if err != nil || offset < 0 || offset > size || complete && offset != size {
		return 0, false, &wire.Error{Op: "sending a blob", Kind: wire.KindProtocol, Err: errors.New("an offset that cannot be")}
	}
	return offset, complete, nil
}

// Package fetch brings the files that a bundle names to the counter, piece by
// piece, so that a record never waits for a large file on a slow line.
//
// It knows no connection and judges no file: who asks is handed in, and the shelf
// decides what it takes.
//
// # The laws
//
//   - A file is handed over whole and only if its hash is the bundle's.
//   - What the shelf refused is not fetched again before the next start.
//   - A failure makes it wait for minutes; nothing else waits for it.
package fetch

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/counterproof/counterproof/sync/wire"
)

// Shelf keeps the files of the centre's bundle.
type Shelf interface {
	// Has reports whether a file need not be fetched.
	Has(f wire.File) bool
	// Take takes a file's bytes, whose length and hash are the bundle's. An error
	// is logged.
	Take(f wire.File, data []byte) error
}

// Ask reads the bytes of a file from at up to end, which it does not include.
type Ask func(f wire.File, at, end uint64) ([]byte, error)

// How much of a file is fetched at a time, and how long it waits after a failure.
const (
	piece = 512 << 10
	wait  = 10 * time.Minute
)

// Files fetches one file after the other. It is used by one goroutine. The zero
// value fetches nothing.
type Files struct {
	Shelf Shelf
	Log   *slog.Logger

	file  wire.File
	data  []byte
	next  time.Time          // not before; after a failure
	tried map[wire.Hash]bool // taken or not, these are done with
}

// Piece fetches the next piece of a named file that is not on the shelf, and
// reports whether there is more to do at once.
func (k *Files) Piece(named []wire.File, ask Ask) bool {
	if k.Shelf == nil || time.Now().Before(k.next) {
		return false
	}
	i := slices.IndexFunc(named, func(f wire.File) bool { return f.Check() == nil && !k.tried[f.SHA256] && !k.Shelf.Has(f) })
	if i < 0 {
		k.data = nil
		return false
	}
	if k.file != named[i] {
		k.file, k.data = named[i], nil
	}
	at := uint64(len(k.data))
	end := min(at+piece, k.file.Len)
	got, err := ask(k.file, at, end)
	if err == nil && uint64(len(got)) != end-at {
		err = fmt.Errorf("%d bytes came for %d", len(got), end-at)
	}
	if err != nil {
		k.fail(err)
		return false
	}
	if k.data = append(k.data, got...); end == k.file.Len {
		k.finish()
	}
	return true
}

// fail lets the next piece wait.
func (k *Files) fail(err error) {
	k.next = time.Now().Add(wait)
	k.Log.Warn("a file of the bundle could not be fetched", "kind", string(wire.KindOf(err)), "version", k.file.Version, "err", err)
}

// errAltered: the bytes are not those that the bundle names.
var errAltered = errors.New("it was altered on the way")

// finish hands over a file that is here whole. One that was altered on the way is
// fetched again, later.
func (k *Files) finish() {
	data := k.data
	k.data = nil
	if wire.HashOf(data) != k.file.SHA256 {
		k.fail(errAltered)
		return
	}
	if k.tried == nil {
		k.tried = map[wire.Hash]bool{}
	}
	k.tried[k.file.SHA256] = true
	if err := k.Shelf.Take(k.file, data); err != nil {
		k.Log.Warn("a file of the bundle is not used", "version", k.file.Version, "err", err)
		return
	}
	k.Log.Info("a file of the bundle was taken", "version", k.file.Version, "bytes", len(data))
}

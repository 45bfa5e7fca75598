// Package clerklog keeps the record of who did what at the counter, so that a
// clerk can show what they did and a supervisor can see what others did.
//
// It never holds a patient's data: a line is an api.Deed, which names a visit by
// its case and reference. It has no rules: who may read what is the daemon's, and
// when something is worth a line.
//
// # The laws
//
//   - Lines are only added, each fsynced before Add returns, and chained by codes
//     under a key that the counter's custody wraps (package ledger): a line that
//     is changed or missing is noticed when the record is opened or read. A whole
//     folder that was put back to an older copy is not.
//   - A record that was damaged never stops the counter: it stays as it is, a new
//     part begins that says so, and whoever reads hears of it.
//   - It is bounded: a part ends with its year or its size, and the oldest of many
//     parts goes.
package clerklog

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/ledger"
	"github.com/counterproof/counterproof/agent/proof"
)

// Vault keeps the record's key under the counter's own.
type Vault interface {
	Wrap(purpose string, key []byte) ([]byte, error)
	Unwrap(purpose string, wrapped []byte) ([]byte, error)
}

// Config says where the record is and how large it may grow. Dir and Vault are
// needed.
type Config struct {
	Dir   string
	Vault Vault
	// PartLines is how many lines a part has at most, 20,000 for zero: some 4 MB.
	PartLines int
	// Parts is how many parts are kept, 24 for zero: at a busy counter some ten
	// years.
	Parts int
}

// The record's key: its file, its purpose in custody, its length.
const (
	keyFile    = "key"
	keyPurpose = "clerklog"
	keyLen     = 32
)

// Log is the record of one counter. Its methods may be called from any goroutine.
// A nil Log answers every call with KindDiskFails.
type Log struct {
	cfg Config
	key []byte

	mu   sync.Mutex
	part int // its number; parts are folders
	open *ledger.Ledger
	head head // of the part
	n    int  // lines in it, the head counted
}

// line is one line of a part: its head, or a deed.
type line struct {
	Head *head     `json:"head,omitempty"`
	Deed *api.Deed `json:"deed,omitempty"`
}

// head begins a part.
type head struct {
	Year  int `json:"year"`
	After int `json:"after"` // lines of the part before, which must still be there
	// Damaged says that what was there before could not be gone on with.
	Damaged bool `json:"damaged,omitempty"`
}

// Open opens the record and checks its newest part. now is the moment of the part
// that it may have to begin.
func Open(cfg Config, now time.Time) (*Log, error) {
	if cfg.PartLines == 0 {
		cfg.PartLines = 20_000
	}
	if cfg.Parts == 0 {
		cfg.Parts = 24
	}
	l := &Log{cfg: cfg}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, failed("making the folder of the record", err)
	}
	parts, err := l.parts()
	if err != nil {
		return nil, err
	}
	_, absent := os.Stat(filepath.Join(cfg.Dir, keyFile))
	lost, err := l.loadKey(len(parts) > 0)
	if err != nil {
		return nil, err
	}
	if len(parts) == 0 { // with a key there must have been some
		return l, l.begin(1, head{Year: now.Year(), Damaged: absent == nil})
	}
	last := parts[len(parts)-1]
	if !lost {
		err = l.goOn(last)
	}
	if lost || errors.Is(err, ledger.ErrTampered) {
		slog.Error("the record of who did what was changed or lacks lines", "kind", string(proof.KindLogDamaged))
		return l, l.begin(last+1, head{Year: now.Year(), Damaged: true})
	}
	return l, err
}

// failed is a failure of the disk under the record.
func failed(op string, err error) error {
	return &proof.Error{Op: op, Kind: proof.KindDiskFails, Err: err}
}

// parts are the numbers of the parts that are there, in order.
func (l *Log) parts() ([]int, error) {
	entries, err := os.ReadDir(l.cfg.Dir)
	if err != nil {
		return nil, failed("listing the record", err)
	}
	var all []int
	for _, e := range entries {
		if n, err := strconv.Atoi(e.Name()); err == nil && n > 0 && e.IsDir() {
			all = append(all, n)
		}
	}
	slices.Sort(all)
	return all, nil
}

// folder is where a part lies.
func (l *Log) folder(part int) string { return filepath.Join(l.cfg.Dir, fmt.Sprintf("%04d", part)) }

// keyOf is the key of a part, so that no part can stand in another's place.
func (l *Log) keyOf(part int) []byte {
	mac := hmac.New(sha256.New, l.key)
	fmt.Fprintf(mac, "part %d", part)
	return mac.Sum(nil)
}

// loadKey finds the record's key, or draws one. lost tells that there must have
// been one which can no longer be had.
func (l *Log) loadKey(begun bool) (lost bool, err error) {
	path := filepath.Join(l.cfg.Dir, keyFile)
	wrapped, err := ledger.ReadSmall(path, 4<<10)
	if err == nil {
		if l.key, err = l.cfg.Vault.Unwrap(keyPurpose, wrapped); err == nil && len(l.key) == keyLen {
			return false, nil
		}
		begun = true
	}
	l.key = make([]byte, keyLen)
	rand.Read(l.key)
	if wrapped, err = l.cfg.Vault.Wrap(keyPurpose, l.key); err != nil {
		return begun, failed("wrapping the key of the record", err)
	}
	if err := ledger.Replace(path, wrapped); err != nil {
		return begun, failed("writing the key of the record", err)
	}
	return begun, nil
}

// goOn opens the newest part for adding; every line of it is checked.
func (l *Log) goOn(part int) error {
	var n int
	var begun head
	open, err := ledger.Open(l.folder(part), l.keyOf(part), func(text []byte) error {
		var got line
		if json.Unmarshal(text, &got) != nil || (got.Head == nil) == (n == 0) {
			return ledger.ErrTampered
		}
		if got.Head != nil {
			begun = *got.Head
		}
		n++
		return nil
	})
	if err != nil && !errors.Is(err, ledger.ErrTampered) {
		return failed("opening the record", err)
	}
	if err != nil {
		return err
	}
	l.part, l.open, l.head, l.n = part, open, begun, n
	if n == 0 { // a crash came between the folder and its first line, or they are gone
		l.head.Damaged = true
		return l.put(line{Head: &l.head})
	}
	return nil
}

// begin begins a part and lets the oldest go.
func (l *Log) begin(part int, h head) error {
	if err := os.MkdirAll(l.folder(part), 0o700); err != nil {
		return failed("beginning a part of the record", err)
	}
	open, err := ledger.Open(l.folder(part), l.keyOf(part), func([]byte) error { return ledger.ErrTampered })
	if err != nil {
		return failed("beginning a part of the record", err)
	}
	if l.open != nil {
		err = l.open.Close()
	}
	l.part, l.open, l.head, l.n = part, open, h, 0
	if err := errors.Join(err, l.put(line{Head: &h})); err != nil {
		return err
	}
	return l.trim()
}

// trim lets the oldest parts go.
func (l *Log) trim() error {
	parts, err := l.parts()
	if err != nil {
		return err
	}
	for len(parts) > l.cfg.Parts {
		if err := os.RemoveAll(l.folder(parts[0])); err != nil {
			return failed("letting the oldest part of the record go", err)
		}
		parts = parts[1:]
	}
	return nil
}

// put adds a line to the part.
func (l *Log) put(row line) error {
	if err := l.open.Add(row); err != nil {
		return failed("writing the record", err)
	}
	l.n++
	return nil
}

// Add adds a deed; it is on the disk when Add returns. After a failed write the
// part is read again first, since what is on the disk is not known.
func (l *Log) Add(d api.Deed) error {
	if l == nil {
		return failed("writing the record", os.ErrClosed)
	}
	if !slices.Contains(Kinds(), d.Did) { // nothing but the list is ever written there
		return &proof.Error{Op: "writing the record", Kind: proof.KindInternal}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	err := l.room(d.At.Year())
	if err == nil {
		err = l.put(line{Deed: &d})
	}
	if err == nil {
		return nil
	}
	_ = l.open.Close() // it failed: there is nothing more to hear of it
	if err := l.goOn(l.part); err != nil {
		return failed("reading the record again", err)
	}
	return l.put(line{Deed: &d})
}

// room begins a new part where the year is over or the part is full.
func (l *Log) room(year int) error {
	if l.n < l.cfg.PartLines && year <= l.head.Year {
		return nil
	}
	return l.begin(l.part+1, head{Year: max(year, l.head.Year), After: l.n})
}

// Kinds lists what is recorded. A new kind needs its words in package slip and in
// the catalogues of the window; tests count them.
func Kinds() []api.DeedKind {
	return []api.DeedKind{
		api.DidSignIn, api.DidFail, api.DidSignOut, api.DidIdle, api.DidShift, api.DidClosed, api.DidUnlock, api.DidFirst,
		api.DidAdd, api.DidDisable, api.DidEnable, api.DidReset, api.DidSetSecret, api.DidNewSecret, api.DidChange,
		api.DidBegin, api.DidContinue, api.DidHandOver, api.DidConfirm, api.DidDeny, api.DidEnd, api.DidSeeNews,
		api.DidPrintNews, api.DidPrintSlip, api.DidPrintDeeds,
	}
}

// Close lets go of the record's file; nothing is lost without it.
func (l *Log) Close() error {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.open.Close()
}

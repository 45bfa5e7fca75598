// Package watch holds every record that was opened against all others and keeps
// what people of the centre's office should look at: package limit finds it, by
// keyed tags, and this package keeps traces and flags on the disk.
//
// It holds nothing back and decides nothing: a flag asks people to look.
//
// # The laws
//
//   - Nothing of a person is on the disk: a trace is made of keyed tags, and the
//     list is chained by the key, so that a line that was changed or taken away
//     stops the start.
//   - A record's trace and its flags are one line, on the disk before the cursor
//     passes the record. The same record again changes nothing.
//   - The list here is the truth. What the centre did not take is posted again, and
//     the same flag again is harmless there.
//   - A visit that came before in another record leaves no trace of its own: it is
//     one visit, and not a document that was used twice.
package watch

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/counterproof/counterproof/agent/chip"
	"github.com/counterproof/counterproof/agent/emrtd"
	"github.com/counterproof/counterproof/agent/gpg45"
	"github.com/counterproof/counterproof/agent/ledger"
	"github.com/counterproof/counterproof/agent/limit"
	"github.com/counterproof/counterproof/agent/packet"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/route"
	"github.com/counterproof/counterproof/sync/wire"
)

// folder is where the list is, in the opener's folder.
const folder = "watch"

// Pace is how many people may be proved before somebody should look.
type Pace = limit.Pace

// Seen is what is held against others of a record.
type Seen struct {
	Rec     wire.Hash
	Index   uint64    // place in the centre's log
	First   wire.Hash // the record that the same visit came in before, zero for none
	Counter wire.AgentID
	Offset  time.Duration // centre's clock minus the counter's
	At      time.Time     // of the centre's receipt
	Defect  bool          // it never opens, or breaks its chain
	Visit   *packet.Visit // nil where it did not open
}

// line is one line of the list. The keys are the file's form.
type line struct {
	Rec    wire.Hash    `json:"rec,omitzero"`
	At     time.Time    `json:"at"`
	Trace  *limit.Trace `json:"trace,omitempty"`
	Defect bool         `json:"defect,omitempty"`
	Flags  []wire.Flag  `json:"flags,omitempty"`
	Posted int          `json:"posted,omitempty"` // so many more flags are at the centre
}

// noted is what was done about a record.
type noted struct{ traced, defect bool }

// Watch is the list. It is for one goroutine, and one process at a time works on
// its folder.
type Watch struct {
	ledger *ledger.Ledger
	tags   limit.Tagger
	crowd  *limit.Crowd
	seen   map[wire.Hash]noted
	flags  []wire.Flag // in the order they were raised; those at the centre first
	posted int
}

// Open reads the list in an opener's folder; an empty one is made if it is missing.
// The caller closes it.
func Open(dir string, p Pace) (*Watch, error) {
	w, err := open(filepath.Join(dir, folder), p)
	if err != nil {
		return nil, fmt.Errorf("opening the list of traces: %w", err)
	}
	return w, nil
}

func open(dir string, p Pace) (*Watch, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	key, err := ledger.Key(dir)
	if err != nil {
		return nil, err
	}
	defer clear(key)
	w := &Watch{crowd: limit.NewCrowd(p), seen: map[wire.Hash]noted{}}
	if w.tags, err = limit.NewTagger(key); err != nil {
		return nil, err
	}
	w.ledger, err = ledger.Open(dir, key, w.read)
	return w, err
}

// Close closes the file; nothing is lost without it.
func (w *Watch) Close() error {
	if w.ledger == nil {
		return nil
	}
	return w.ledger.Close()
}

// read takes in one line of the disk. What it found then counts, also where the
// limits are others now.
func (w *Watch) read(text []byte) error {
	var l line
	if err := json.Unmarshal(text, &l); err != nil {
		return fmt.Errorf("a line is of a later version: %w", err)
	}
	if l.Trace != nil {
		w.crowd.Take(*l.Trace, l.At)
	}
	if w.posted+l.Posted > len(w.flags) || l.Posted < 0 {
		return errors.New("more flags were posted than there are")
	}
	w.learn(l)
	return nil
}

// learn takes in a line whose trace is in the crowd.
func (w *Watch) learn(l line) {
	if !l.Rec.IsZero() {
		n := w.seen[l.Rec]
		w.seen[l.Rec] = noted{n.traced || !l.Defect, n.defect || l.Defect}
	}
	w.flags = append(w.flags, l.Flags...)
	w.posted += l.Posted
}

// Take holds a record against the others and keeps what it came to.
func (w *Watch) Take(s Seen) error {
	at := s.At
	if at.IsZero() {
		at = time.Now()
	}
	at = at.UTC().Truncate(time.Millisecond)
	if s.Defect && !w.seen[s.Rec].defect {
		l := line{Rec: s.Rec, At: at, Defect: true, Flags: []wire.Flag{{Kind: wire.FlagDefect, Records: []wire.Hash{s.Rec}, At: at}}}
		if err := w.add(l); err != nil {
			return err
		}
	}
	if s.Visit == nil || w.seen[s.Rec].traced {
		return nil
	}
	l := line{Rec: s.Rec, At: at}
	if !s.First.IsZero() {
		l.Flags = []wire.Flag{{Kind: wire.FlagTwice, Records: []wire.Hash{s.First, s.Rec}, At: at}}
		return w.add(l)
	}
	if state := route.Fold(s.Visit.Events); !state.Abandoned {
		trace, err := w.trace(state, s)
		if err != nil {
			return err
		}
		l.Trace, l.Flags = &trace, w.crowd.Take(trace, at)
	}
	return w.add(l)
}

// add puts a line on the disk and takes it in.
func (w *Watch) add(l line) error {
	if err := w.ledger.Add(l); err != nil {
		return err
	}
	w.learn(l)
	return nil
}

// trace makes a visit's trace. A policy that is not known is read as the default
// one: what kinds of documents there are is in both.
func (w *Watch) trace(s route.State, seen Seen) (limit.Trace, error) {
	policy, err := gpg45.Load(s.Visit.Policy)
	if err != nil {
		if policy, err = gpg45.Load(gpg45.Default); err != nil {
			return limit.Trace{}, err
		}
	}
	return w.tags.Trace(s, policy, limit.Outside{
		Rec: seen.Rec, Index: seen.Index, Counter: seen.Counter, Offset: seen.Offset, Events: seen.Visit.Events,
		Files: func(id proof.PictureID) []byte { return chipOf(seen.Visit.Chips, id) },
	}), nil
}

// chipOf identifies a chip by its security object, which its state signed once, for
// this one document (ICAO 9303-10 §4.6.2). Nil where it was not read.
func chipOf(files []packet.Picture, id proof.PictureID) []byte {
	i := slices.IndexFunc(files, func(p packet.Picture) bool { return p.ID == id })
	if i < 0 {
		return nil
	}
	e, err := emrtd.Unpack(files[i].JPEG)
	if err != nil || len(e.Files[chip.SOD]) == 0 {
		return nil
	}
	digest := sha256.Sum256(e.Files[chip.SOD])
	return digest[:]
}

// Pending are the flags that the centre has not got yet, oldest first.
func (w *Watch) Pending() []wire.Flag { return slices.Clone(w.flags[w.posted:]) }

// Posted keeps that the centre took the first n of Pending.
func (w *Watch) Posted(n int) error {
	if n < 1 || w.posted+n > len(w.flags) {
		return fmt.Errorf("keeping which flags are posted: %d of %d", n, len(w.flags)-w.posted)
	}
	if err := w.add(line{At: time.Now().UTC(), Posted: n}); err != nil {
		return fmt.Errorf("keeping which flags are posted: %w", err)
	}
	return nil
}

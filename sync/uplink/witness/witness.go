// Package witness is a counter's own watch over the centre's log: it remembers
// the newest checkpoint that it has verified and judges what the centre shows
// it. With every counter watching, a centre that takes something out of its log,
// or shows each counter another one, is found out.
//
// It asks nobody and never decides what is done with a record.
//
// # The laws
//
//   - A record is proven by an inclusion proof under a checkpoint that the
//     centre signed and that grew out of the one remembered here, and by nothing
//     else.
//   - The remembered checkpoint is replaced only by one that grew out of it, or
//     by one of a later epoch, which says openly that the centre came back from a
//     backup. It is on the disk before anything that rests on it is done.
//   - What is remembered may be lost with the disk: then the next checkpoint is
//     the first. What was altered is found out by its signature.
package witness

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/counterproof/counterproof/sync/tlog"
	"github.com/counterproof/counterproof/sync/wire"
)

// ErrLog: what the centre shows is not the log that it showed before, and it
// does not say so; or it proves nothing of what it promised.
var ErrLog = errors.New("the centre's log is not what was promised")

// Witness watches one centre's log. It is safe for use by many goroutines.
type Witness struct {
	path string

	mu   sync.Mutex
	seen []byte
}

// Open remembers the checkpoint in the file at path, if there is one.
func Open(path string) (*Witness, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return &Witness{path: path}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the remembered checkpoint: %w", err)
	}
	defer f.Close()
	seen, err := io.ReadAll(io.LimitReader(f, wire.MaxSeen))
	if err != nil {
		return nil, fmt.Errorf("reading the remembered checkpoint: %w", err)
	}
	return &Witness{path: path, seen: seen}, nil
}

// Seen is the remembered checkpoint, to be shown to the centre; nil for none.
func (w *Witness) Seen() []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	return bytes.Clone(w.seen)
}

// Verdict is what an answer of the centre shows.
type Verdict struct {
	Proven   []wire.Seq // of the records asked about, those that are in the log
	Size     uint64     // leaves of the log
	Epoch    uint64
	Restored bool // the centre came back from a backup since the last answer
}

// Judge checks an answer against the remembered checkpoint and the receipts of
// the records that were asked about. ErrLog says that the centre's log is not
// what it was, or that a proof proves nothing; then nothing is remembered.
func (w *Witness) Judge(a wire.ProofAnswer, centre ed25519.PublicKey, receipts map[wire.Seq]wire.Receipt) (Verdict, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	next, epoch, err := tlog.Open(a.Checkpoint, centre)
	if err != nil {
		return Verdict{}, fmt.Errorf("%w: %w", ErrLog, err)
	}
	v := Verdict{Size: next.Size, Epoch: epoch}
	if v.Restored, err = w.follows(a, centre, next, epoch); err != nil {
		return Verdict{}, err
	}
	for _, p := range a.Proofs {
		r, asked := receipts[p.Seq]
		if !asked {
			continue
		}
		if err := tlog.Check(next, p.Leaf, tlog.LeafHash(wire.LeafOf(r)), p.Hashes); err != nil {
			if v.Restored {
				continue // another record's place now: the receipt is of the time before
			}
			return Verdict{}, fmt.Errorf("%w: record %d: %w", ErrLog, p.Seq, err)
		}
		v.Proven = append(v.Proven, p.Seq)
	}
	return v, w.remember(a.Checkpoint)
}

// follows reports whether a checkpoint grew out of the remembered one (false) or
// stands in a later epoch (true); anything else is ErrLog.
func (w *Witness) follows(a wire.ProofAnswer, centre ed25519.PublicKey, next wire.Checkpoint, epoch uint64) (restored bool, err error) {
	if w.seen == nil {
		return false, nil
	}
	old, was, err := tlog.Open(w.seen, centre)
	if err != nil {
		return false, nil // it was altered on this disk, or is another centre's
	}
	if tlog.CheckGrowth(old, next, a.Growth) == nil {
		return false, nil
	}
	if epoch > was {
		return true, nil
	}
	return false, fmt.Errorf("%w: it had %d leaves and the %d now do not begin with them", ErrLog, old.Size, next.Size)
}

// remember writes a checkpoint to the disk.
func (w *Witness) remember(text []byte) error {
	if bytes.Equal(w.seen, text) {
		return nil
	}
	if err := replace(w.path, text); err != nil {
		return fmt.Errorf("remembering a checkpoint: %w", err)
	}
	w.seen = bytes.Clone(text)
	return nil
}

// replace puts a file in another's place, so that after a crash one of them is
// there, whole.
func replace(path string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	_ = folder.Sync() // a system that cannot sync a folder has no need to
	return folder.Close()
}

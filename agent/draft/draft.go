// Package draft keeps the open visit on disk while it is under way: its events
// and the pictures they speak of, encrypted, so that a crash, a power cut or a
// closed window loses nothing that was answered.
//
// It never decides anything, never keeps a finished visit and never writes a
// readable byte of a visit: a stolen disk shows how many visits were open and
// how long their events are.
//
// # The laws
//
//   - Append returns after the bytes are on the disk (fsync), or with an error
//     and the file as it was before.
//   - A visit has its own random key. The key lies in the file's head, wrapped by
//     the counter's custody; Erase overwrites it first and removes the file then.
//   - A torn last entry is what a crash in the middle of Append leaves; nobody
//     was answered, so it is cut off. Damage before it is reported, the file is
//     set aside under another name and never deleted.
//   - What a newer program wrote stays where it is, for that program to read.
package draft

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/counterproof/counterproof/agent/proof"
)

// Suffixes of the files in a store.
const (
	suffix        = ".draft"
	damagedSuffix = ".damaged"
	tornSuffix    = ".torn"
	halfSuffix    = ".new"
)

// Keeper wraps a visit's key, so that only this counter opens it.
type Keeper interface {
	Wrap(purpose string, key []byte) ([]byte, error)
	Unwrap(purpose string, wrapped []byte) ([]byte, error)
}

// Store is the folder of open visits.
type Store struct {
	dir  string
	keys Keeper
}

// Open opens the store in a folder, which it makes if needed, for its owner
// only. Files that a crash left half made are removed: nobody was answered.
func Open(dir string, keys Keeper) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, failed("opening the drafts", err)
	}
	half, err := filepath.Glob(filepath.Join(dir, "*"+halfSuffix))
	if err != nil {
		return nil, failed("opening the drafts", err)
	}
	for _, name := range half {
		if err := os.Remove(name); err != nil {
			return nil, failed("opening the drafts", err)
		}
	}
	s := &Store{dir, keys}
	return s, s.finishErasing()
}

// finishErasing removes the drafts whose key is overwritten already: a crash in
// the middle of Erase leaves them, and nobody can read them any more.
func (s *Store) finishErasing() error {
	ids, err := s.Visits()
	if err != nil {
		return err
	}
	for _, id := range ids {
		b, err := readHead(s.path(id))
		if err != nil {
			// Resume tells of it; the other drafts and the counter go on.
			slog.Warn("a draft does not read", "kind", string(proof.KindDiskFails), "err", err.Error())
			continue
		}
		if !bytes.Equal(b, make([]byte, headLen)) {
			continue
		}
		err = os.Remove(s.path(id))
		if torn := os.Remove(s.path(id) + tornSuffix); !errors.Is(torn, os.ErrNotExist) {
			err = errors.Join(err, torn)
		}
		if err != nil {
			return failed("erasing a draft", err)
		}
	}
	return nil
}

// readHead reads a draft's head; a file that is shorter gives less.
func readHead(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading a head: %w", err)
	}
	b, err := io.ReadAll(io.LimitReader(f, headLen))
	return b, errors.Join(err, f.Close())
}

// Picture is a picture that an event speaks of: JPEG as it was captured.
type Picture struct {
	ID   proof.PictureID
	JPEG []byte
}

// Draft is one open visit. It is not safe for concurrent use.
type Draft struct {
	path   string
	id     proof.CaseID
	file   *os.File
	box    box
	size   int64 // bytes that are whole and on disk
	tail   bool  // a torn entry lies behind them and could not be set aside yet
	events []proof.Event
	at     map[proof.PictureID]span // where each picture's entry lies
}

// span is a stretch of the file.
type span struct{ off, len int64 }

// purpose binds a wrapped key to its use and its visit.
func purpose(id proof.CaseID) string { return "draft " + string(id) }

// Begin makes the draft of a new visit. Its head is on disk when it returns.
func (s *Store) Begin(id proof.CaseID) (*Draft, error) {
	if !validID(id) {
		return nil, &proof.Error{Op: "beginning a draft", Kind: proof.KindInternal, Err: errors.New("the case has no proper name")}
	}
	if _, err := os.Lstat(s.path(id)); err == nil {
		return nil, &proof.Error{Op: "beginning a draft", Kind: proof.KindVisitOpen}
	}
	key := make([]byte, keyLen)
	rand.Read(key)
	wrapped, err := s.keys.Wrap(purpose(id), key)
	if err == nil && len(wrapped) > maxWrapped {
		err = fmt.Errorf("a wrapped key of %d bytes", len(wrapped))
	}
	if err != nil {
		return nil, failed("wrapping a draft's key", err)
	}
	d := &Draft{path: s.path(id), id: id, at: map[proof.PictureID]span{}}
	if d.box, err = newBox(key, id); err != nil {
		return nil, failed("beginning a draft", err)
	}
	if err := d.create(head(wrapped)); err != nil {
		return nil, failed("beginning a draft", err)
	}
	return d, nil
}

// create writes the head under another name first, so that a draft either has
// a whole head or does not exist.
func (d *Draft) create(head []byte) error {
	f, err := os.OpenFile(d.path+halfSuffix, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("creating: %w", err)
	}
	_, err = f.Write(head)
	err = errors.Join(err, f.Sync())
	if err == nil {
		err = os.Rename(d.path+halfSuffix, d.path)
	}
	if err != nil {
		return errors.Join(err, f.Close(), os.Remove(d.path+halfSuffix))
	}
	d.file, d.size = f, int64(len(head))
	return syncDir(filepath.Dir(d.path))
}

// Visits lists the visits that are under way, by name.
func (s *Store) Visits() ([]proof.CaseID, error) {
	names, err := filepath.Glob(filepath.Join(s.dir, "*"+suffix))
	if err != nil {
		return nil, failed("listing the drafts", err)
	}
	var ids []proof.CaseID
	for _, name := range names {
		ids = append(ids, proof.CaseID(strings.TrimSuffix(filepath.Base(name), suffix)))
	}
	slices.Sort(ids)
	return ids, nil
}

// Resume opens the draft of a visit that was interrupted. A damaged one gives an
// error of KindDraftDamaged; its file stays, under another name. One that a newer
// program wrote gives KindUpgrade, and stays as it is.
func (s *Store) Resume(id proof.CaseID) (*Draft, error) {
	if !validID(id) {
		return nil, &proof.Error{Op: "resuming a draft", Kind: proof.KindNoVisit}
	}
	f, err := os.OpenFile(s.path(id), os.O_RDWR, 0)
	if err != nil {
		return nil, failed("resuming a draft", err)
	}
	d := &Draft{path: s.path(id), id: id, file: f, at: map[proof.PictureID]span{}}
	switch err := d.load(s.keys); {
	case err != nil && !errors.Is(err, errDamaged):
		// A keeper or a disk that does not answer now may answer the next time, and
		// a newer program reads what it wrote: the file stays where it is.
		return nil, failed("resuming a draft", errors.Join(err, f.Close()))
	case err != nil:
		aside := os.Rename(d.path, d.path+damagedSuffix)
		return nil, &proof.Error{Op: "resuming a draft", Kind: proof.KindDraftDamaged, Err: errors.Join(err, aside, f.Close())}
	}
	return d, nil
}

// Erase makes the visit unreadable for ever: the wrapped key is overwritten on
// disk, then the file goes. Erasing twice is no error.
func (d *Draft) Erase() error {
	if d.file == nil {
		return nil
	}
	_, err := d.file.WriteAt(make([]byte, headLen), 0)
	err = errors.Join(err, d.file.Sync())
	if err != nil {
		return failed("erasing a draft", err)
	}
	err = errors.Join(d.Close(), os.Remove(d.path))
	if torn := os.Remove(d.path + tornSuffix); !errors.Is(torn, os.ErrNotExist) {
		err = errors.Join(err, torn)
	}
	if err != nil {
		return failed("erasing a draft", err)
	}
	return syncDir(filepath.Dir(d.path))
}

// Close lets go of the file; the draft stays on disk.
func (d *Draft) Close() error {
	if d.file == nil {
		return nil
	}
	err := d.file.Close()
	d.file = nil
	return err
}

// Events are the visit's events so far.
func (d *Draft) Events() []proof.Event { return slices.Clone(d.events) }

// ID names the visit.
func (d *Draft) ID() proof.CaseID { return d.id }

// Append writes one event with the pictures it speaks of, all or nothing, and
// returns when they are on the disk.
func (d *Draft) Append(e proof.Event, pictures ...Picture) error {
	if d.file == nil {
		return &proof.Error{Op: "writing a draft", Kind: proof.KindNoVisit}
	}
	if e.Seq != len(d.events)+1 {
		return &proof.Error{Op: "writing a draft", Kind: proof.KindInternal, Err: errors.New("event out of order")}
	}
	entry, err := d.box.seal(e, pictures)
	if err != nil {
		return failed("writing a draft", err)
	}
	if d.tail {
		if err := d.cut(); err != nil {
			return failed("writing a draft", err)
		}
		d.tail = false
	}
	if err := d.write(entry); err != nil {
		return failed("writing a draft", errors.Join(err, d.file.Truncate(d.size)))
	}
	d.took(e, pictures, span{d.size, int64(len(entry))})
	d.size += int64(len(entry))
	return nil
}

// write puts an entry behind the last whole one and waits for the disk.
func (d *Draft) write(entry []byte) error {
	if _, err := d.file.WriteAt(entry, d.size); err != nil {
		return err
	}
	return d.file.Sync()
}

// took remembers an entry that is on disk.
func (d *Draft) took(e proof.Event, pictures []Picture, at span) {
	d.events = append(d.events, e)
	for _, p := range pictures {
		d.at[p.ID] = at
	}
}

// Picture reads a picture back.
func (d *Draft) Picture(id proof.PictureID) ([]byte, error) {
	at, ok := d.at[id]
	if !ok || d.file == nil {
		return nil, &proof.Error{Op: "reading a picture", Kind: proof.KindNoVisit}
	}
	entry := make([]byte, at.len)
	if _, err := d.file.ReadAt(entry, at.off); err != nil {
		return nil, failed("reading a picture", err)
	}
	_, pictures, err := d.box.open(entry[lengthLen:])
	if err != nil {
		return nil, &proof.Error{Op: "reading a picture", Kind: proof.KindDraftDamaged, Err: err}
	}
	i := slices.IndexFunc(pictures, func(p Picture) bool { return p.ID == id })
	if i < 0 {
		return nil, &proof.Error{Op: "reading a picture", Kind: proof.KindDraftDamaged}
	}
	return pictures[i].JPEG, nil
}

func (s *Store) path(id proof.CaseID) string {
	return filepath.Join(s.dir, string(id)+suffix)
}

// validID holds names of cases to what may be a file name.
func validID(id proof.CaseID) bool {
	return len(id) >= 8 && len(id) <= 64 && strings.Trim(string(id), "abcdefghijklmnopqrstuvwxyz0123456789") == ""
}

// syncDir makes a rename or a removal last.
func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return failed("syncing the drafts", err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return failed("syncing the drafts", err)
	}
	return nil
}

// failed gives a disk's error its Kind. File names hold no personal data, so the
// cause may be logged.
func failed(op string, err error) error {
	kind := proof.KindDiskFails
	switch {
	case errors.Is(err, errLocked):
		kind = proof.KindDraftDamaged
	case errors.Is(err, errNewer):
		kind = proof.KindUpgrade
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		kind = proof.KindDiskFull
	case errors.Is(err, os.ErrNotExist):
		kind = proof.KindNoVisit
	}
	return &proof.Error{Op: op, Kind: kind, Err: err}
}

// Package dir is the object store in a directory: one file for each object,
// readable by its owner only, in two levels of folders named by the first bytes
// of the object's name, so that no folder grows large.
//
// It never changes a file in place: an object is written beside its place,
// synced and renamed, and then the folder is synced too.
//
// # The laws
//
//   - A file under an object's name is whole; halves have other names.
//   - What was left half by a crash is removed at Open, an hour later at the
//     earliest, since another process may still write it.
//   - Files that are no objects are neither listed nor touched.
package dir

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/counterproof/counterproof/sync/object"
	"github.com/counterproof/counterproof/sync/queue/durable"
	"github.com/counterproof/counterproof/sync/wire"
)

const (
	half    = "half-"   // begins the names of files that are being written
	halfAge = time.Hour // after which nobody writes one any more
)

// Store is an object store in a directory. Open makes it; the zero value is of
// no use.
type Store struct {
	root string
}

var _ object.Store = (*Store)(nil)

// Open opens the store in the directory at path and makes it where there is
// none. Its parent must be there: a disk that is not mounted is no empty store.
func Open(path string) (*Store, error) {
	s := &Store{root: path}
	if err := folder(path); err != nil {
		return nil, fmt.Errorf("opening the objects: %w", err)
	}
	if err := s.removeHalves(); err != nil {
		return nil, fmt.Errorf("opening the objects: %w", err)
	}
	return s, nil
}

// folder makes a folder durable in its parent, if it is not there.
func folder(path string) error {
	err := os.Mkdir(path, 0o700)
	if errors.Is(err, fs.ErrExist) {
		info, err := os.Stat(path)
		if err == nil && !info.IsDir() {
			err = &fs.PathError{Op: "open", Path: path, Err: errors.New("it is no folder")}
		}
		return err
	}
	return cmp.Or(err, durable.SyncFolder(filepath.Dir(path)))
}

// removeHalves removes what a crash has left, once it is old.
func (s *Store) removeHalves() error {
	names, err := filepath.Glob(filepath.Join(escape(s.root), half+"*"))
	if err != nil {
		return err
	}
	for _, name := range names {
		info, err := os.Stat(name)
		if err != nil || time.Since(info.ModTime()) < halfAge {
			continue // written, or renamed, by another process just now
		}
		if err := remove(name); err != nil {
			return err
		}
	}
	return nil
}

// escape makes a pattern that matches only the path itself.
func escape(path string) string {
	if filepath.Separator == '\\' {
		return path // where there is no escaping
	}
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// place is where an object lies.
func (s *Store) place(name wire.Hash) string {
	text := name.String()
	return filepath.Join(s.root, text[:2], text[2:4], text)
}

// Put stores an object; see object.Store.
func (s *Store) Put(ctx context.Context, name wire.Hash, data []byte) error {
	if err := cmp.Or(ctx.Err(), object.Check(name, data)); err != nil {
		return fmt.Errorf("storing an object: %w", err)
	}
	_, err := s.Get(ctx, name)
	switch {
	case err == nil:
		// Whoever renamed it may have been stopped before it was on the disk.
		err = syncUp(filepath.Dir(s.place(name)), s.root)
	case object.Gone(err):
		err = s.write(name, data)
	}
	if err != nil {
		return fmt.Errorf("storing an object: %w", err)
	}
	return nil
}

// syncUp makes a folder's entries durable, and those of the folders above it up
// to the root.
func syncUp(path, root string) error {
	err := durable.SyncFolder(path)
	for path != root && err == nil {
		path = filepath.Dir(path)
		err = durable.SyncFolder(path)
	}
	return err
}

// write writes a new file and puts it in its place.
func (s *Store) write(name wire.Hash, data []byte) error {
	f, err := os.CreateTemp(s.root, half)
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	to := s.place(name)
	inner := filepath.Dir(to)
	if err := cmp.Or(folder(filepath.Dir(inner)), folder(inner)); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), to); err != nil {
		return err
	}
	return syncUp(inner, s.root)
}

// Get returns an object whole; see object.Store.
func (s *Store) Get(ctx context.Context, name wire.Hash) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("reading an object: %w", err)
	}
	data, err := read(s.place(name))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = object.ErrMissing
	case err == nil && object.Check(name, data) != nil:
		err = object.ErrDamaged
	}
	if err != nil {
		return nil, fmt.Errorf("reading an object: %w", err)
	}
	return data, nil
}

// read reads a file, but not further than a part may reach.
func read(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, wire.MaxPart+1))
}

// Delete removes an object; see object.Store.
func (s *Store) Delete(ctx context.Context, name wire.Hash) error {
	if err := cmp.Or(ctx.Err(), remove(s.place(name))); err != nil {
		return fmt.Errorf("deleting an object: %w", err)
	}
	return nil
}

// remove removes a file durably, if it is there.
func remove(path string) error {
	err := os.Remove(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return cmp.Or(err, durable.SyncFolder(filepath.Dir(path)))
}

// List returns names in their order; see object.Store.
func (s *Store) List(ctx context.Context, after wire.Hash, limit int) ([]wire.Hash, error) {
	var names []wire.Hash
	low := after.String()
	err := filepath.WalkDir(s.root, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && path != s.root {
			return nil // removed a moment ago
		}
		if err := cmp.Or(err, ctx.Err()); err != nil {
			return err
		}
		if len(names) >= limit {
			return fs.SkipAll
		}
		if d.IsDir() {
			return s.skip(path, low)
		}
		name, err := wire.ParseHash(d.Name())
		if err == nil && path == s.place(name) && name.String() > low {
			names = append(names, name)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("listing the objects: %w", err)
	}
	return names, nil
}

// skip passes over a folder whose names all come before low.
func (s *Store) skip(path, low string) error {
	inside, err := filepath.Rel(s.root, path)
	if err != nil || inside == "." {
		return err
	}
	prefix := strings.ReplaceAll(inside, string(filepath.Separator), "")
	if len(prefix) <= len(low) && prefix < low[:len(prefix)] {
		return fs.SkipDir
	}
	return nil
}

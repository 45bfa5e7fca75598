package sim

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/counterproof/counterproof/devices"
)

// tray is the folder into which a printer's paper falls. A name says when, and
// the how-manieth job it is; it says nothing of what is printed.
type tray struct {
	folder string

	mu      sync.Mutex
	jobs    int // names given
	printed int
}

// sheet is one file of a job.
type sheet struct {
	ending string
	data   []byte
}

// count tells how many jobs were printed.
func (t *tray) count() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.printed
}

// drop writes the sheets of one job under one name. After an error none of them
// is left.
func (t *tray) drop(sheets []sheet) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := os.MkdirAll(t.folder, 0o700); err != nil {
		return fmt.Errorf("making the printer's folder: %w", err)
	}
	root, err := os.OpenRoot(t.folder)
	if err != nil {
		return fmt.Errorf("opening the printer's folder: %w", err)
	}
	defer root.Close()
	name, err := t.reserve(root)
	if err != nil {
		return err
	}
	defer root.Remove(part(name)) // left behind, it only keeps a name
	for _, s := range sheets {
		if err = put(root, name+s.ending, s.data); err != nil {
			break
		}
	}
	if err == nil {
		err = syncFolder(root)
	}
	if err != nil {
		return errors.Join(err, discard(root, name, sheets))
	}
	t.printed++
	return nil
}

// discard takes away what was written of a job.
func discard(root *os.Root, name string, sheets []sheet) error {
	var errs []error
	for _, s := range sheets {
		if err := root.Remove(name + s.ending); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// part is the name of a file that is not whole yet, or that keeps a name.
func part(name string) string { return "." + name + ".part" }

// reserve finds a name that no job has had, also of another process that prints
// into the same folder: it holds the name by a file of its own until the job is
// written.
func (t *tray) reserve(root *os.Root) (string, error) {
	for range 1000 {
		t.jobs++
		name := fmt.Sprintf("%s-%06d", time.Now().UTC().Format("20060102T150405Z"), t.jobs)
		f, err := root.OpenFile(part(name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return "", fmt.Errorf("naming a job: %w", err)
		}
		if err := f.Close(); err != nil {
			return "", fmt.Errorf("naming a job: %w", err)
		}
		if free(root, name) {
			return name, nil
		}
		if err := root.Remove(part(name)); err != nil {
			return "", fmt.Errorf("naming a job: %w", err)
		}
	}
	return "", fmt.Errorf("naming a job: %w", fs.ErrExist)
}

// free reports whether no job of that name lies there, of any kind.
func free(root *os.Root, name string) bool {
	for _, ending := range []string{".pdf", ".txt", ".escpos"} {
		if _, err := root.Lstat(name + ending); !errors.Is(err, fs.ErrNotExist) {
			return false
		}
	}
	return true
}

// put writes a file whole or not at all.
func put(root *os.Root, name string, data []byte) error {
	err := write(root, part(name), data)
	if err == nil {
		err = root.Rename(part(name), name)
	}
	if err != nil {
		if gone := root.Remove(part(name)); !errors.Is(gone, fs.ErrNotExist) {
			err = errors.Join(err, gone)
		}
		return fmt.Errorf("writing a job: %w", err)
	}
	return nil
}

// write writes and syncs a new file that its owner alone can read.
func write(root *os.Root, name string, data []byte) (err error) {
	f, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := f.Write(data); err != nil {
		return err
	}
	return f.Sync()
}

// trayKind is the Kind under which a printer tells that its folder failed. No
// room on the disk is no paper; a folder that is not there is a printer that
// is not there.
func trayKind(err error) devices.Kind {
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return devices.PaperOut
	case errors.Is(err, fs.ErrPermission):
		return devices.Permission
	}
	return devices.Gone
}

//go:build unix

package opener

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
)

// syncFolder makes the names in a folder outlive a power cut.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// lockFolder makes sure that one opener at a time works on a folder: two would
// store a result twice. A process that dies lets it go.
func lockFolder(path string) (io.Closer, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("another opener works on this folder, end it first: %w", err), f.Close())
	}
	return f, nil
}

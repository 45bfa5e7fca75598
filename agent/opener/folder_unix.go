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

// checkSecret refuses a key file that others than its owner may read or write.
func checkSecret(path string) error {
	fi, err := os.Lstat(path)
	switch {
	case err != nil:
		return err
	case !fi.Mode().IsRegular():
		return fmt.Errorf("%s is not a file", path)
	case fi.Mode().Perm()&0o077 != 0:
		return fmt.Errorf("%s may be read by others (mode %04o): make sure that nobody copied it, then chmod 600 it", path, fi.Mode().Perm())
	}
	return nil
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

//go:build unix

package opener

import (
	"errors"
	"fmt"
	"os"
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

//go:build unix

package ledger

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
	if err == nil && (!fi.Mode().IsRegular() || fi.Mode().Perm()&0o077 != 0) {
		err = fmt.Errorf("%s may be read by others: make sure that nobody copied it, then chmod 600 it", path)
	}
	return err
}

//go:build unix

package custody

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// checkSecret refuses a file that others than its owner may read or write.
func checkSecret(path string, fi fs.FileInfo) error {
	if !fi.Mode().IsRegular() {
		return fmt.Errorf("%s is not a file", path)
	}
	if fi.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%s may be read by others (mode %04o): make sure that nobody copied it, then chmod 600 it", path, fi.Mode().Perm())
	}
	return nil
}

// checkFolder refuses a folder in which others may put files in place.
func checkFolder(dir string) error {
	fi, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if fi.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("%s may be written to by others (mode %04o): chmod 700 it", dir, fi.Mode().Perm())
	}
	return nil
}

// syncFolder makes the names in a folder outlive a power cut.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

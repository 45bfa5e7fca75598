//go:build unix

package hsm

import (
	"fmt"
	"os"
)

// checkSecret refuses a file that others than its owner may read or write.
func checkSecret(f *os.File) error {
	fi, err := f.Stat()
	switch {
	case err != nil:
		return err
	case !fi.Mode().IsRegular():
		return fmt.Errorf("%s is not a file", f.Name())
	case fi.Mode().Perm()&0o077 != 0:
		return fmt.Errorf("%s may be read by others (mode %04o): chmod 600 it", f.Name(), fi.Mode().Perm())
	}
	return nil
}

package opener

import (
	"io"
	"os"
)

// syncFolder does nothing: NTFS journals names, and a folder cannot be synced.
func syncFolder(string) error { return nil }

// lockFolder marks the folder as in use. Windows does not remove a file that is
// open, so a mark that stays and cannot be removed is another opener's.
func lockFolder(path string) (io.Closer, error) {
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	return os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
}

//go:build unix

package sim

import (
	"errors"
	"fmt"
	"os"
)

// syncFolder makes the names of a folder's files last through a power cut.
func syncFolder(root *os.Root) error {
	f, err := root.Open(".")
	if err != nil {
		return fmt.Errorf("opening the folder to sync it: %w", err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("syncing the folder: %w", err)
	}
	return nil
}

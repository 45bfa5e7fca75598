package durable

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Allocate makes a file that takes n bytes of the disk and holds nothing.
func Allocate(path string, n int64) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("reserving space: %w", err)
	}
	if err := errors.Join(unix.Fallocate(int(f.Fd()), 0, 0, n), f.Close()); err != nil {
		return errors.Join(fmt.Errorf("reserving space: %w", err), os.Remove(path))
	}
	return nil
}

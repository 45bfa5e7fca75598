package durable

import (
	"os"

	"golang.org/x/sys/windows"
)

// free is what the filesystem gives to this user.
func free(path string) (int64, error) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return 0, err
	}
	var mine uint64
	if err := windows.GetDiskFreeSpaceEx(name, &mine, nil, nil); err != nil {
		return 0, &os.PathError{Op: "space", Path: path, Err: err}
	}
	return int64(mine), nil
}

// SyncFolder does nothing: NTFS journals names, and a folder cannot be synced.
func SyncFolder(string) error { return nil }

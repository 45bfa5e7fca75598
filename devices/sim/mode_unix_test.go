//go:build unix

package sim_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// wantMode holds who may read a file.
func wantMode(t *testing.T, path string, want fs.FileMode) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode(); got != want {
		t.Errorf("%s has mode %v, want %v", filepath.Base(path), got, want)
	}
}

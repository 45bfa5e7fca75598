//go:build unix

package sim_test

import (
	"path/filepath"
	"syscall"
	"testing"

	"github.com/counterproof/counterproof/devices/sim"
)

// TestDirectoryPipe holds that a pipe in the folder, which nobody writes to, is
// passed over and not waited for.
func TestDirectoryPipe(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pipe := filepath.Join(dir, "a.jpg")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	write(t, dir, "b.jpg", asJPEG(t, 60))
	pictures, err := sim.Directory(dir)
	if err != nil {
		t.Fatal(err)
	}
	wantShades(t, "a folder with a pipe", show(t, pictures, 0), 60)
	if _, err := sim.Files(pipe); err == nil {
		t.Error("a pipe is taken for a picture")
	}
}

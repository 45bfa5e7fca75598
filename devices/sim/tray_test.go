package sim

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"testing"

	"github.com/counterproof/counterproof/devices"
)

// TestTrayKind holds what the clerk is told when the folder fails: a full disk
// is no paper, not a broken printer.
func TestTrayKind(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		err  error
		want devices.Kind
	}{
		"disk-full":    {&fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}, devices.PaperOut},
		"joined":       {errors.Join(fmt.Errorf("writing a job: %w", syscall.ENOSPC), fs.ErrClosed), devices.PaperOut},
		"not-allowed":  {&fs.PathError{Op: "open", Path: "x", Err: syscall.EACCES}, devices.Permission},
		"folder-gone":  {&fs.PathError{Op: "open", Path: "x", Err: fs.ErrNotExist}, devices.Gone},
		"disk-failing": {&fs.PathError{Op: "write", Path: "x", Err: syscall.EIO}, devices.Gone},
	}
	for name, tt := range tests {
		if got := trayKind(tt.err); got != tt.want {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
}

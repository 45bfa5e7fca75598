//go:build !(linux && amd64)

package tap

import "os/exec"

// Enter puts this process under the tap that Run holds, before it touches its
// disk; without one it does nothing.
func Enter() error { return ErrAbsent }

// Run starts cmd, which calls Enter, and shows the judge what it does under dir
// until it ends.
func Run(_ *exec.Cmd, _ string, _ Judge) error { return ErrAbsent }

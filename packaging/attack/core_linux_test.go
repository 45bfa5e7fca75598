package attack

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestNoCore: a counter that crashes in the middle of a visit leaves no core file,
// however much its surroundings ask for one, and its last words name nobody.
func TestNoCore(t *testing.T) {
	if !dumpsHere(t) {
		t.Skip("NOT TRIED: core files. This machine writes none where the test could find it")
	}
	v, _ := newVictim(t, "")
	v.visit(true)
	v.abort()
	v.finds(nil, "after a crash")
	if cores := v.cores(); len(cores) != 0 {
		t.Errorf("the crash left %v", cores)
	}
}

// cores are the core files in the folder where the victim works.
func (v *victim) cores() []string {
	v.t.Helper()
	found, err := filepath.Glob(filepath.Join(v.dir, "tmp", "core*"))
	if err != nil {
		v.t.Fatal(err)
	}
	return found
}

// abort crashes the counter, as a fault in a library would.
func (v *victim) abort() {
	v.t.Helper()
	if err := v.cmd.Process.Signal(syscall.SIGABRT); err != nil {
		v.t.Fatal(err)
	}
	late := time.AfterFunc(patience, func() { _ = v.cmd.Process.Kill() })
	defer late.Stop()
	_ = v.cmd.Wait()
	v.cmd = nil
}

// dumpsHere reports whether a program that does nothing against it leaves a core file
// in its folder here: the control of the test above.
func dumpsHere(t *testing.T) bool {
	t.Helper()
	pattern, err := os.ReadFile("/proc/sys/kernel/core_pattern")
	if err != nil || bytes.HasPrefix(pattern, []byte("|")) || strings.Contains(string(pattern), "/") {
		return false
	}
	v := &victim{t: t, dir: t.TempDir()}
	if err := os.Mkdir(filepath.Join(v.dir, "tmp"), 0o700); err != nil {
		t.Fatal(err)
	}
	v.cmd = v.command("/bin/sh", "-c", "kill -ABRT $$")
	v.cmd.Args = slices.DeleteFunc(v.cmd.Args, func(a string) bool { return a == "--config" })
	_ = v.cmd.Run()
	return len(v.cores()) > 0
}

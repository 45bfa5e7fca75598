package dump

import (
	"os"
	"os/exec"
	"syscall"
	"testing"
)

// childEnv tells this program to forbid its own dumps and to look at itself.
const childEnv = "COUNTERPROOF_DUMP_CHILD"

// TestForbid: the settings are in force, in a process of its own since they last.
func TestForbid(t *testing.T) {
	if os.Getenv(childEnv) == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestForbid$")
		cmd.Env = append(os.Environ(), childEnv+"=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
		return
	}
	const prGetDumpable = 3
	before, _, _ := syscall.RawSyscall(syscall.SYS_PRCTL, prGetDumpable, 0, 0)
	if before != 1 {
		t.Fatalf("a new process has the setting %d already: nothing is shown here", before)
	}
	if err := Forbid(); err != nil {
		t.Fatal(err)
	}
	after, _, _ := syscall.RawSyscall(syscall.SYS_PRCTL, prGetDumpable, 0, 0)
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_CORE, &limit); err != nil || after != 0 || limit.Cur != 0 || limit.Max != 0 {
		t.Errorf("got dumpable %d and a limit of %+v (%v)", after, limit, err)
	}
}

package devicetest

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// place is where packaging/pcsc says where the driver of its first reader waits.
const place = "COUNTERPROOF_VPCD"

// InCardService runs a test beside a real smart-card service of its own, with
// virtual readers: it starts this test program again within packaging/pcsc/pcsc,
// where the same test comes here again and is given the address at which cards are
// laid on the first reader. Outside ok is false, and the test has nothing left to
// do. Where the service is not installed the test skips.
func InCardService(t *testing.T) (address string, ok bool) {
	t.Helper()
	if address = os.Getenv(place); address != "" {
		return address, true
	}
	script := filepath.Join(root(t), "packaging", "pcsc", "pcsc")
	verbose := "-test.v=false"
	if testing.Verbose() {
		verbose = "-test.v=true"
	}
	again := exec.CommandContext(t.Context(), script, os.Args[0], "-test.run=^"+t.Name()+"$", verbose, "-test.timeout=5m")
	again.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	said, err := again.CombinedOutput()
	const skipped = 77
	if status, is := errors.AsType[*exec.ExitError](err); is && status.ExitCode() == skipped {
		t.Skipf("SKIPPED: the real smart-card service: %s", said)
	}
	if err != nil {
		t.Errorf("beside a smart-card service: %v\n%s", err, said)
	} else if testing.Verbose() {
		t.Logf("beside a smart-card service:\n%s", said)
	}
	return "", false
}

// root is the folder of the module.
func root(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("the folder of the module is not found")
		}
		dir = filepath.Dir(dir)
	}
}

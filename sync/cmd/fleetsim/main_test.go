package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// The test binary is the program where it is asked to be.
const program = "COUNTERPROOF_TEST_FLEETSIM"

func TestMain(m *testing.M) {
	if os.Getenv(program) != "" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// fleetsim runs the program.
func fleetsim(args ...string) (string, error) {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), program+"=1")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// The program starts its own centre, and leaves with 1 where the checker
// objects.
func TestProgram(t *testing.T) {
	t.Parallel()
	few := []string{"--agents", "8", "--rounds", "2", "--forks", "2"}
	out, err := fleetsim(few...)
	if err != nil || !strings.Contains(out, "CHECK stored=16 acked=16 lost=0 duplicated=0 altered=0") {
		t.Errorf("got %v:\n%s", err, out)
	}
	out, err = fleetsim(append(few, "--break", "random-dedupe")...)
	if err == nil || !strings.Contains(out, "the checker objects") {
		t.Errorf("a broken centre: got %v:\n%s", err, out)
	}
	if out, err := fleetsim("--help"); err != nil || !strings.Contains(out, "fleetsim --agents 2000 --rounds 5") {
		t.Errorf("the help: got %v:\n%s", err, out)
	}
}

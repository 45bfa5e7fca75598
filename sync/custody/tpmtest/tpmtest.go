// Package tpmtest runs a software TPM 2.0 (swtpm) for tests: a process of its
// own with its state in the test's folder, which can be stopped, cleared and
// started again as a chip can fail, be cleared and come back.
package tpmtest

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TPM is a software TPM of one test.
type TPM struct {
	// Device is the socket to open it by.
	Device string

	t   testing.TB
	dir string
	cmd *exec.Cmd
}

// Start runs a new TPM until the test ends. Where swtpm is not installed the
// test is skipped, and says so.
func Start(t testing.TB) *TPM {
	t.Helper()
	if _, err := exec.LookPath("swtpm"); err != nil {
		t.Skip("SKIPPED: nothing about the TPM is proved here, because swtpm is not installed (apt-get install swtpm)")
	}
	// A socket's path has at most 107 bytes, so the test's own folder is too deep.
	dir, err := os.MkdirTemp("", "tpm")
	if err != nil {
		t.Fatal(err)
	}
	s := &TPM{Device: filepath.Join(dir, "s"), t: t, dir: dir}
	t.Cleanup(func() {
		s.Stop()
		_ = os.RemoveAll(dir)
	})
	s.Run()
	return s
}

// Run starts the process and returns when it answers.
func (s *TPM) Run() {
	s.t.Helper()
	s.cmd = exec.Command("swtpm", "socket", "--tpm2", "--tpmstate", "dir="+s.dir,
		"--server", "type=unixio,path="+s.Device, "--ctrl", "type=unixio,path="+filepath.Join(s.dir, "c"),
		"--flags", "not-need-init,startup-clear")
	out := new(strings.Builder)
	s.cmd.Stdout, s.cmd.Stderr = out, out
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	for range 500 {
		// The socket is there a moment before anybody listens at it.
		if conn, err := net.Dial("unix", s.Device); err == nil {
			_ = conn.Close()
			return
		}
		time.Sleep(10 * time.Millisecond) // for another process, which tells nobody
	}
	s.t.Fatalf("the software TPM does not start: %s", out)
}

// Stop ends the process, as a chip dies: nothing answers.
func (s *TPM) Stop() {
	s.t.Helper()
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait() // it tells of the kill
	s.cmd = nil
	if err := os.Remove(s.Device); err != nil && !errors.Is(err, os.ErrNotExist) {
		s.t.Fatal(err)
	}
}

// Restart is a chip that lost all that was loaded into it, and kept what it is.
func (s *TPM) Restart() {
	s.t.Helper()
	s.Stop()
	s.Run()
}

// Replace puts another chip in this one's place.
func (s *TPM) Replace() {
	s.t.Helper()
	s.Stop()
	state, err := filepath.Glob(filepath.Join(s.dir, "*.permall"))
	if err != nil || len(state) == 0 {
		s.t.Fatalf("the chip's state is not there: %v", err)
	}
	for _, name := range state {
		if err := os.Remove(name); err != nil {
			s.t.Fatal(err)
		}
	}
	s.Run()
}

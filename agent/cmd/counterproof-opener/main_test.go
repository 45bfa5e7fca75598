package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestRun holds the exit codes that scripts rely on.
func TestRun(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		name string
		args []string
		want int
	}{
		{"help", []string{"--help"}, 0},
		{"no-such-command", []string{"conjure"}, 1},
		{"keygen/no-such-suite", []string{"keygen", "--data", dir, "--suite", "rot13"}, 1},
		{"run/no-keys", []string{"run", "--once", "--data", dir}, 1},
		{"keygen", []string{"keygen", "--data", dir}, 0},
		{"keygen/again", []string{"keygen", "--data", dir}, 0},
		{"run/not-enrolled", []string{"run", "--data", dir}, 1},
		{"enrol/no-invitation", []string{"enrol", "--data", dir}, 1},
		{"enrol/broken-invitation", []string{"enrol", "--data", dir, "--invite", "cpi1:x"}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := run(c.args); got != c.want {
				t.Errorf("exit code %d, want %d", got, c.want)
			}
		})
	}
	if _, err := os.Stat(filepath.Join(dir, "keys", "claims.key")); err != nil {
		t.Errorf("keygen made no key: %v", err)
	}
}

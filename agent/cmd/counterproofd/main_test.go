package main

import "testing"

// TestRun holds the exit codes that scripts rely on.
func TestRun(t *testing.T) {
	for _, c := range []struct {
		name string
		args []string
		want int
	}{
		{"help", []string{"--help"}, 0},
		{"inspect/help", []string{"inspect", "score", "--help"}, 0},
		{"inspect/no-such-part", []string{"inspect", "palm-reading"}, 2},
		{"no-such-command", []string{"conjure"}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := run(t.Context(), c.args); got != c.want {
				t.Errorf("exit code %d, want %d", got, c.want)
			}
		})
	}
}

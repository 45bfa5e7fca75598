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
		{"doctor/cannot-look", []string{"doctor", "--config", "no-such-file.json"}, 2},
		{"devices/help", []string{"devices", "list", "--help"}, 0},
		{"devices/not-there", []string{"devices", "replay", "no-such-file.jsonl"}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := run(t.Context(), c.args); got != c.want {
				t.Errorf("exit code %d, want %d", got, c.want)
			}
		})
	}
}

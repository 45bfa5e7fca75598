package cluster

import (
	"os"
	"testing"
	"time"
)

func TestStat(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, text    string
		pid, parent   int
		spent, buried time.Duration
	}{
		{"plain", "7 (postgres) S 3 7 7 0 -1 4194560 1 2 3 4 150 50 25 25 20 0", 7, 3, 2 * time.Second, time.Second / 2},
		{"brackets in the name", "7 (a) b) R 3 7 7 0 -1 4194560 1 2 3 4 1 0 0 0 20 0", 7, 3, time.Second / 100, 0},
		{"cut", "7 (postgres) S 3 7 7", 0, 0, 0, 0},
		{"empty", "", 0, 0, 0, 0},
		{"no number", "x (postgres) S 3 7 7 0 -1 4194560 1 2 3 4 150 50 25 25 20 0", 0, 0, 0, 0},
	} {
		pid, parent, spent, buried := stat([]byte(tt.text))
		if pid != tt.pid || parent != tt.parent || spent != tt.spent || buried != tt.buried {
			t.Errorf("%s: got %d, %d, %v, %v", tt.name, pid, parent, spent, buried)
		}
	}
}

// A process's own time is among its family's.
func TestFamily(t *testing.T) {
	t.Parallel()
	before, begun := family(os.Getpid()), time.Now()
	for family(os.Getpid()) <= before { // which is work
		if time.Since(begun) > 20*time.Second {
			t.Fatalf("%v is all that was spent, for 20 s", before)
		}
	}
	if got := family(-1); got != 0 {
		t.Errorf("nobody spent %v", got)
	}
}

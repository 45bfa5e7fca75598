package uplink

import (
	"testing"
	"time"

	"github.com/counterproof/counterproof/sync/uplink/network"
)

// TestBackoffSpreads: those who were told the same moment do not come together.
func TestBackoffSpreads(t *testing.T) {
	t.Parallel()
	c := New(Config{})
	perSecond := map[int]int{}
	for range 22_000 {
		perSecond[int(network.Backoff(0, 10*time.Minute, c.cfg.Rand)/time.Second)]++
	}
	peak := 0
	for _, n := range perSecond {
		peak = max(peak, n)
	}
	if peak > 120 {
		t.Errorf("%d of 22,000 come in one second", peak)
	}
}

package ask

import (
	"testing"
	"time"
)

func TestMeter(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for name, s := range map[string]struct {
		sent, limit, n int64
		want           time.Duration
	}{
		"no-limit":        {1 << 40, 0, 1 << 20, 0},
		"under":           {10, 100, 90, 0},
		"over":            {50, 100, 51, 12 * time.Hour},
		"spent":           {100, 100, 1, 12 * time.Hour},
		"larger-than-day": {0, 100, 5000, 0},
	} {
		var m Meter
		m.Add(noon.Add(-24*time.Hour), 1<<50) // yesterday does not count
		m.Add(noon, s.sent)
		if got := m.Wait(noon, s.limit, s.n); got != s.want {
			t.Errorf("%s: got %v, want %v", name, got, s.want)
		}
		if got := m.Wait(noon.Add(12*time.Hour), s.limit, s.n); got != 0 {
			t.Errorf("%s: at midnight it waits %v", name, got)
		}
	}
	var none *Meter
	none.Add(noon, 1)
}

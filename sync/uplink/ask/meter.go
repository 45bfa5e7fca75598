package ask

import (
	"sync"
	"time"
)

// Meter counts what was sent on a day (UTC). The zero value has counted nothing; it
// is safe for use by several goroutines.
type Meter struct {
	mu   sync.Mutex
	day  time.Time
	sent int64
}

// Add counts bytes that are sent now; nil counts nothing.
func (m *Meter) Add(now time.Time, n int64) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.begin(now)
	m.sent += n
}

// begin starts a new day's count.
func (m *Meter) begin(now time.Time) {
	if day := now.UTC().Truncate(24 * time.Hour); !day.Equal(m.day) {
		m.day, m.sent = day, 0
	}
}

// Wait is how long a record of n bytes waits for a day on which it may be sent
// under the limit; 0 for none. One that is larger than the limit is the first of
// its day: it would wait for ever.
func (m *Meter) Wait(now time.Time, limit, n int64) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.begin(now)
	if limit <= 0 || m.sent+n <= limit || m.sent < limit/20 {
		return 0
	}
	return m.day.Add(24 * time.Hour).Sub(now)
}

package pds

import (
	"sync"
	"time"
)

// limiter spaces requests evenly: the service counts them over a second, so two
// never go closer than gap.
type limiter struct {
	gap time.Duration

	mu    sync.Mutex
	next  time.Time // when the next request may go
	quiet time.Time // until when the service asked to be left alone
}

// take reserves the next place and says how long it is until then. Where the
// service asked for more quiet than a request is kept for, nothing is reserved
// and left says how much of it is left.
func (l *limiter) take(now time.Time) (wait, left time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if left = l.quiet.Sub(now); left > patience {
		return 0, left
	}
	at := now
	for _, later := range []time.Time{l.next, l.quiet} {
		if later.After(at) {
			at = later
		}
	}
	l.next = at.Add(l.gap)
	return at.Sub(now), 0
}

// pause keeps everybody away until a time: the service asked for it.
func (l *limiter) pause(until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if until.After(l.quiet) {
		l.quiet = until
	}
}

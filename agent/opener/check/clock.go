package check

import (
	"time"

	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/sync/wire"
)

// Bounds on a counter's clock. Expiry, ages and training are judged by it, so a
// visit whose times cannot be is looked at by people.
const (
	clockAhead = 5 * time.Minute  // of an event before the sealing, and of the sealing before the receipt
	clockOff   = 24 * time.Hour   // of the counter's clock from the centre's: a day may change a date
	clockBack  = 10 * time.Minute // that a clock may be set back in a visit when it is put right
)

// clockDoubtful reports a visit whose times cannot be: events after the sealing
// or running back, a sealing after the receipt, a clock far from the centre's.
func clockDoubtful(events []proof.Event, h wire.Header, received time.Time) bool {
	if h.Offset > clockOff || h.Offset < -clockOff {
		return true
	}
	if !received.IsZero() && h.Wall.Add(h.Offset).After(received.Add(clockAhead)) {
		return true
	}
	latest := time.Time{}
	for _, e := range events {
		if e.At.After(h.Wall.Add(clockAhead)) || e.At.Add(clockBack).Before(latest) {
			return true
		}
		if e.At.After(latest) {
			latest = e.At
		}
	}
	return false
}

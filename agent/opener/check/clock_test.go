package check

import (
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/sync/wire"
)

func TestClockDoubtful(t *testing.T) {
	t.Parallel()
	begun := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	at := func(minutes ...int) []proof.Event {
		var out []proof.Event
		for i, m := range minutes {
			out = append(out, proof.Event{Seq: i + 1, At: begun.Add(time.Duration(m) * time.Minute)})
		}
		return out
	}
	good := wire.Header{Wall: begun.Add(time.Hour)}
	for _, c := range []struct {
		rule     string
		events   []proof.Event
		header   wire.Header
		received time.Time
		want     bool
	}{
		{"as it should be", at(0, 1, 2), good, begun.Add(2 * time.Hour), false},
		{"sent weeks later", at(0, 1, 2), good, begun.AddDate(0, 0, 40), false},
		{"put right by some minutes", at(0, 8, 1), good, begun.Add(2 * time.Hour), false},
		{"years back in the middle", at(0, 1, -60*24*365*5), good, begun.Add(2 * time.Hour), true},
		{"events after the sealing", at(0, 70), good, begun.Add(2 * time.Hour), true},
		{"sealed after it was received", at(0, 1), good, begun.Add(10 * time.Minute), true},
		{"sealed by a fast clock that is known", at(0, 1), wire.Header{Wall: good.Wall, Offset: -time.Hour}, begun.Add(2 * time.Minute), false},
		{"a clock days off", at(0, 1), wire.Header{Wall: good.Wall, Offset: 72 * time.Hour}, begun.AddDate(0, 0, 4), true},
	} {
		if got := clockDoubtful(c.events, c.header, c.received); got != c.want {
			t.Errorf("%s: %t", c.rule, got)
		}
	}
}

package pcsc

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/devicetest"
	"github.com/counterproof/counterproof/devices/sim"
)

const one = "Fake Reader 00 00"

// fake is a smart-card service of software, with switches.
type fake struct {
	mu      sync.Mutex
	changed chan struct{}
	readers []string
	chip    sim.Chip // nil while nothing lies on the reader
	count   state    // of insertions and removals
	down    code     // what every session answers, unless success
	taking  code     // what connecting answers, unless success
	resets  code     // what resetting answers
	sending code     // what sending answers
	mute    bool
	held    bool
	blind   bool          // it says that nothing lies there
	staff   bool          // what lies there is read by contacts
	stuck   chan struct{} // while not nil, sending waits for it

	sessions, cards, begun int // open ones, and power-ups
}

func newFake() *fake {
	return &fake{changed: make(chan struct{}), readers: []string{one}, chip: sim.Blank}
}

// set changes the service.
func (f *fake) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
	close(f.changed)
	f.changed = make(chan struct{})
}

// lay lays a card on the reader, or takes it away.
func (f *fake) lay(chip sim.Chip) { f.set(func() { f.chip = chip; f.count++ }) }

func (f *fake) unplug() { f.set(func() { f.readers, f.chip = nil, nil }) }

func (f *fake) establish() (session, code) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down != success {
		return nil, f.down
	}
	f.sessions++
	return &fakeSession{f, make(chan struct{})}, success
}

// left is how many sessions and cards are open.
func (f *fake) left() (sessions, cards int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sessions, f.cards
}

type fakeSession struct {
	*fake
	ring chan struct{}
}

func (s *fakeSession) release() { s.set(func() { s.sessions-- }) }

func (s *fakeSession) list() ([]string, code) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down == success && len(s.readers) == 0 {
		return nil, noReaders
	}
	return slices.Clone(s.readers), s.down
}

// sees is the state of a reader, under the lock.
func (s *fakeSession) sees(reader string) state {
	switch {
	case reader == plugs:
		return state(len(s.readers)) << eventCount
	case !slices.Contains(s.readers, reader):
		return unknownState | unavailableState
	}
	now := s.count<<eventCount | 0x10
	if s.chip != nil && !s.blind {
		now |= presentState
	}
	if s.mute {
		now |= muteState
	}
	if s.staff {
		now |= contactState
	}
	return now
}

func (s *fakeSession) await(known sight, d time.Duration) (state, code) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	for {
		s.mu.Lock()
		changed, now, down := s.changed, s.sees(known.reader), s.down
		s.mu.Unlock()
		if down != success {
			return 0, down
		}
		if now != known.state {
			return now | changedState, success
		}
		select {
		case <-changed:
		case <-timer.C:
			return now, timedOut
		case <-s.ring:
			return now, cancelled
		}
	}
}

func (s *fakeSession) cancel() {
	select {
	case s.ring <- struct{}{}:
	default: // nobody waits yet
	}
}

func (s *fakeSession) connect(reader string, direct bool) (card, code) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !slices.Contains(s.readers, reader):
		return nil, unknownReader
	case s.taking != success:
		return nil, s.taking
	case s.mute:
		return nil, unresponsive
	case !direct && (s.chip == nil || s.blind):
		return nil, noCard
	case s.held:
		return nil, sharing
	}
	s.held = true
	s.cards++
	return &fakeCard{fake: s.fake, count: s.count}, success
}

type fakeCard struct {
	*fake
	count state
	card  sim.Card
}

func (c *fakeCard) reset() code {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.chip == nil || c.count != c.fake.count {
		return removedCard
	}
	if c.resets != success {
		return c.resets
	}
	c.begun++
	c.blind = false
	c.card = c.chip()
	return success
}

func (c *fakeCard) transmit(command, room []byte) (int, code) {
	c.mu.Lock()
	card, stuck, answer := c.card, c.stuck, c.sending
	gone := c.chip == nil || c.count != c.fake.count || len(c.readers) == 0
	c.mu.Unlock()
	if stuck != nil {
		<-stuck
	}
	switch {
	case gone:
		return 0, removedCard
	case answer != success:
		return 0, answer
	}
	working, stop := context.WithCancel(context.Background())
	defer stop()
	go func() { // a chip that works ends with its stay
		c.mu.Lock()
		for c.chip != nil && c.count == c.fake.count && working.Err() == nil {
			changed := c.changed
			c.mu.Unlock()
			select {
			case <-changed:
			case <-working.Done():
			}
			c.mu.Lock()
		}
		c.mu.Unlock()
		stop()
	}()
	response, err := card(working, command)
	if err != nil {
		return 0, notTransacted
	}
	return copy(room, response), success
}

func (c *fakeCard) disconnect() code {
	c.set(func() { c.held = false; c.cards-- })
	return success
}

// bubble runs a check in a time of its own.
func bubble(t *testing.T, check func(*testing.T)) { synctest.Test(t, check) }

// opened opens the fake's reader, and holds that nothing is left behind.
func opened(tb testing.TB, f *fake) *Reader {
	tb.Helper()
	r, err := open(f, Config{"pcsc:one", one})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := r.Close(); err != nil {
			tb.Error(err)
		}
		if sessions, cards := f.left(); sessions+cards > 0 {
			tb.Errorf("%d sessions and %d cards are left behind", sessions, cards)
		}
	})
	return r
}

// silent powers up a chip that never answers.
func silent() sim.Card {
	return func(ctx context.Context, _ []byte) ([]byte, error) { <-ctx.Done(); return nil, ctx.Err() }
}

func TestReader(t *testing.T) {
	t.Parallel()
	devicetest.RunChipReader(t, bubble, func(tb testing.TB) devicetest.ChipRig {
		f := newFake()
		r := opened(tb, f)
		return devicetest.ChipRig{
			Reader: r, Begun: func() int { f.mu.Lock(); defer f.mu.Unlock(); return f.begun },
			Remove: func() { f.lay(nil) }, Lay: func() { f.lay(sim.Blank) }, LayDeaf: func() { f.lay(silent) },
			Unplug: f.unplug,
		}
	})
}

// wantKind holds an error to be a Fault of a kind, with what was done.
func wantKind(tb testing.TB, what string, err error, want devices.Kind) {
	tb.Helper()
	if got := devices.KindOf(err); err == nil || got != want {
		tb.Errorf("%s: got %v (%q), want kind %q", what, err, got, want)
	}
}

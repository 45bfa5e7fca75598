package devicetest

import (
	"context"
	"testing"
	"time"

	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/sim"
)

// slot is a simulated chip reader that is spoilt by what is set.
type slot struct {
	*sim.ChipReader
	connect    func(context.Context) error
	transmit   func(context.Context, []byte) ([]byte, error)
	disconnect func(context.Context) error
}

func (s *slot) Connect(ctx context.Context) error                      { return s.connect(ctx) }
func (s *slot) Transmit(ctx context.Context, c []byte) ([]byte, error) { return s.transmit(ctx, c) }
func (s *slot) Disconnect(ctx context.Context) error                   { return s.disconnect(ctx) }

// chipRig is a rig over a slot, with spoil done to it.
func chipRig(spoil func(*slot, *ChipRig)) func(testing.TB) ChipRig {
	return func(testing.TB) ChipRig {
		r := sim.NewChipReader(sim.ReaderConfig{})
		s := &slot{r, r.Connect, r.Transmit, r.Disconnect}
		begun := 0
		blank := func() sim.Card { begun++; return sim.Blank() }
		deaf := func() sim.Card {
			return func(ctx context.Context, _ []byte) ([]byte, error) { <-ctx.Done(); return nil, ctx.Err() }
		}
		r.Insert(blank)
		rig := ChipRig{
			Reader: s, Begun: func() int { return begun },
			Remove: func() { r.Insert(nil) }, Lay: func() { r.Insert(blank) }, LayDeaf: func() { r.Insert(deaf) },
			Unplug: r.Unplug,
		}
		spoil(s, &rig)
		return rig
	}
}

// careless does a call as if ctx did not end for an hour.
func careless(s *slot) {
	connect, transmit := s.connect, s.transmit
	s.connect = func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Hour)
		defer cancel()
		return connect(ctx)
	}
	s.transmit = func(ctx context.Context, c []byte) ([]byte, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Hour)
		defer cancel()
		return transmit(ctx, c)
	}
}

// clinging connects by itself where there is no conversation.
func clinging(s *slot) {
	transmit := s.transmit
	s.transmit = func(ctx context.Context, c []byte) ([]byte, error) {
		got, err := transmit(ctx, c)
		if devices.KindOf(err) != devices.Gone {
			return got, err
		}
		within, cancel := context.WithTimeout(ctx, time.Millisecond)
		defer cancel()
		_ = s.connect(within)
		return transmit(ctx, c)
	}
}

// sure answers whatever happens.
func sure(s *slot) {
	s.connect = func(context.Context) error { return nil }
	s.transmit = func(context.Context, []byte) ([]byte, error) { return []byte{0x90, 0x00}, nil }
}

func TestChipSuite(t *testing.T) {
	t.Parallel()
	spoilt := func(spoil func(*slot)) func(testing.TB) ChipRig {
		return chipRig(func(s *slot, _ *ChipRig) { spoil(s) })
	}
	prove(t, chipChecks, chipRig(func(*slot, *ChipRig) {}), []control[ChipRig]{
		{"answer-has-status-words", "mute", "want status words", spoilt(func(s *slot) {
			s.transmit = func(context.Context, []byte) ([]byte, error) { return nil, nil }
		})},
		{"command-is-the-callers", "scribbles", "written over", spoilt(func(s *slot) {
			s.transmit = func(_ context.Context, c []byte) ([]byte, error) { clear(c); return []byte{0x90, 0x00}, nil }
		})},
		{"not-connected-is-gone", "connects by itself", "want a Fault", spoilt(clinging)},
		{"connecting-begins-anew", "goes on", "did not reset", spoilt(func(s *slot) {
			s.connect = func(context.Context) error { return nil }
		})},
		{"connecting-waits-for-a-document", "does not wait", "connected to nothing", spoilt(sure)},
		{"connecting-ends-with-context", "waits on", "did not end within", spoilt(careless)},
		{"ended-context-does-nothing", "does it all the same", "want a Fault", spoilt(careless)},
		{"removed-document-is-gone", "answers without a document", "want a Fault", spoilt(sure)},
		{"removed-stays-gone-until-connecting", "connects by itself", "want a Fault", spoilt(clinging)},
		{"deaf-chip-ends-with-context", "waits on", "did not end within", spoilt(careless)},
		{"removed-while-working-is-gone", "does not see it", "did not end within", chipRig(func(_ *slot, rig *ChipRig) {
			rig.Remove = func() {}
		})},
		{"second-user-is-refused", "serves two", "want a Fault", spoilt(sure)},
		{"disconnected-is-gone", "keeps it", "want a Fault", spoilt(func(s *slot) {
			s.disconnect = func(context.Context) error { return nil }
		})},
		{"unplugged-is-gone", "lives on", "want a Fault", spoilt(sure)},
		{"unplugged-while-waiting-is-gone", "waits on", "did not end within", chipRig(func(_ *slot, rig *ChipRig) {
			rig.Unplug = func() {}
		})},
	})
}

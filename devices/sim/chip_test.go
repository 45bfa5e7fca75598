package sim_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/devicetest"
	"github.com/counterproof/counterproof/devices/sim"
)

// chipRig is a simulated reader with a document on it.
func chipRig(r *sim.ChipReader, reader devices.ChipReader) devicetest.ChipRig {
	var begun atomic.Int64
	blank := func() sim.Card { begun.Add(1); return sim.Blank() }
	deaf := func() sim.Card {
		return func(ctx context.Context, _ []byte) ([]byte, error) { <-ctx.Done(); return nil, ctx.Err() }
	}
	r.Insert(blank)
	return devicetest.ChipRig{
		Reader: reader, Begun: func() int { return int(begun.Load()) },
		Lay: func() { r.Insert(blank) }, Remove: func() { r.Insert(nil) },
		LayDeaf: func() { r.Insert(deaf) }, Unplug: r.Unplug,
	}
}

func TestChipReader(t *testing.T) {
	t.Parallel()
	devicetest.RunChipReader(t, bubble, func(testing.TB) devicetest.ChipRig {
		r := sim.NewChipReader(sim.ReaderConfig{})
		return chipRig(r, r)
	})
}

// TestOpenedChipReader holds what a hub opens to the same.
func TestOpenedChipReader(t *testing.T) {
	t.Parallel()
	devicetest.RunChipReader(t, bubble, func(tb testing.TB) devicetest.ChipRig {
		r := sim.NewChipReader(sim.ReaderConfig{})
		opened, err := sim.NewBench(r).Open(tb.Context(), r.Device().ID)
		if err != nil {
			tb.Fatal(err)
		}
		tb.Cleanup(func() { _ = opened.Close() })
		return chipRig(r, opened.(devices.ChipReader))
	})
}

// TestCard: a chip hears what is sent, and one that was taken away in the middle
// is gone until it is connected again.
func TestCard(t *testing.T) {
	t.Parallel()
	r := sim.NewChipReader(sim.ReaderConfig{})
	r.Insert(func() sim.Card {
		said := 0
		return func(_ context.Context, command []byte) ([]byte, error) {
			if said++; said > 2 {
				return nil, errors.New("taken away")
			}
			return append(command[:1:1], byte(said), 0x90, 0x00), nil
		}
	})
	for range 2 {
		if err := r.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		for said := range 2 {
			got, err := r.Transmit(t.Context(), []byte{7, 1, 2})
			if err != nil || !slices.Equal(got, []byte{7, byte(said + 1), 0x90, 0}) {
				t.Errorf("the chip answers %x, %v", got, err)
			}
		}
		for range 2 {
			if _, err := r.Transmit(t.Context(), []byte{7}); devices.KindOf(err) != devices.Gone {
				t.Errorf("taken away: %v", err)
			}
		}
	}
}

// TestClosedChipReader: closing ends a command that the chip works on.
func TestClosedChipReader(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		r := sim.NewChipReader(sim.ReaderConfig{})
		opened, err := sim.NewBench(r).Open(t.Context(), r.Device().ID)
		if err != nil {
			t.Fatal(err)
		}
		reader := opened.(devices.ChipReader)
		r.Insert(func() sim.Card {
			return func(ctx context.Context, _ []byte) ([]byte, error) {
				_ = opened.Close()
				<-ctx.Done()
				return nil, ctx.Err()
			}
		})
		if err := reader.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := reader.Transmit(t.Context(), []byte{1}); devices.KindOf(err) != devices.Gone {
			t.Errorf("closed while the chip worked: %v", err)
		}
		if err := reader.Connect(t.Context()); devices.KindOf(err) != devices.Gone {
			t.Errorf("connecting when closed: %v", err)
		}
	})
}

package pcsc_test

import (
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/chip"
	"github.com/counterproof/counterproof/agent/chip/mint"
	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/devicetest"
)

// TestReads: chips of different habits are read whole through the real service,
// with no more commands than are allowed.
func TestReads(t *testing.T) {
	t.Parallel()
	address, ok := devicetest.InCardService(t)
	if !ok {
		return
	}
	h := devicetest.NewHand(t, address)
	r := opened(t)
	for name, c := range map[string]struct {
		kind  mint.Kind
		size  int
		fault mint.Fault
		way   chip.Way
		most  int
	}{
		"bac":                  {mint.Kind{}, portrait, mint.None, chip.ByBAC, 15},
		"bac/short":            {mint.Kind{}, portrait, mint.NoLong, chip.ByBAC, 95},
		"bac/large-portrait":   {mint.Kind{}, 60_000, mint.None, chip.ByBAC, 15},
		"bac/far-offset-short": {mint.Kind{}, 38_666, mint.NoLong, chip.ByBAC, 200},
		"pace":                 {modern(), portrait, mint.None, "PACE", 15},
		"pace/short":           {modern(), portrait, mint.NoLong, "PACE", 95},
		"pace/larger-portrait": {modern(), 99_242, mint.None, "PACE", 18},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := passport(c.kind, c.size, c.fault)
			card := mint.New(cfg)
			h.Lay(lies(card))
			got, err := read(t, r, nil)
			if err != nil {
				t.Fatal(err)
			}
			wholly(t, got, cfg.Files)
			if got.Way[:3] != c.way[:3] || got.Commands > c.most {
				t.Errorf("by %s with %d commands, want %s and at most %d", got.Way, got.Commands, c.way, c.most)
			}
			t.Logf("%s: %d commands, long %t", got.Way, got.Commands, got.Long)
		})
	}
}

// TestTakenAway: wherever the document is taken away, that is what is told; laid
// there again, it is read to the end without beginning anew.
func TestTakenAway(t *testing.T) {
	t.Parallel()
	address, ok := devicetest.InCardService(t)
	if !ok {
		return
	}
	h := devicetest.NewHand(t, address)
	r := opened(t)
	for _, after := range []int{0, 1, 3, 5, 6} {
		cfg := passport(mint.Kind{}, portrait, mint.Removed)
		cfg.After = after
		card := mint.New(cfg)
		h.Lay(lies(card))
		begun := time.Now()
		first, err := read(t, r, nil)
		if devices.KindOf(err) != devices.Gone {
			t.Errorf("taken away after %d commands: %v", after, err)
		}
		if took := time.Since(begun); took > 3*time.Second {
			t.Errorf("taken away after %d commands: noticed after %v", after, took)
		}
		if _, err := r.Transmit(t.Context(), []byte{0, 0x84, 0, 0, 8}); devices.KindOf(err) != devices.Gone {
			t.Errorf("taken away after %d commands, and sending on: %v", after, err)
		}
		h.Take()
		card.Mend()
		h.Lay(lies(card))
		second, err := read(t, r, maps.Clone(first.Files))
		if err != nil {
			t.Fatalf("laid there again: %v", err)
		}
		wholly(t, second, cfg.Files)
	}
}

// TestFaults: each way in which a chip is wrong is told by its name through the
// real service.
func TestFaults(t *testing.T) {
	t.Parallel()
	address, ok := devicetest.InCardService(t)
	if !ok {
		return
	}
	h := devicetest.NewHand(t, address)
	r := opened(t)
	for name, c := range map[string]struct {
		kind  mint.Kind
		fault mint.Fault
		after int
		want  error
	}{
		"wrong-tag":     {mint.Kind{}, mint.WrongTag, 0, chip.ErrProtocol},
		"too-large":     {mint.Kind{}, mint.Endless, 0, chip.ErrBudget},
		"tampered":      {mint.Kind{}, mint.Tampered, 8, chip.ErrAuthentic},
		"refused-pace":  {modern(), mint.RefusedPACE, 0, chip.ErrDowngrade},
		"a-copy":        {modern(), mint.Clone, 0, chip.ErrClone},
		"refused-proof": {modern(), mint.RefusedProof, 0, chip.ErrClone},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := passport(c.kind, 5000, c.fault)
			cfg.After = c.after
			h.Lay(lies(mint.New(cfg)))
			if _, err := read(t, r, nil); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

// BenchmarkChallenge is one short command there and back: the service and the wire.
func BenchmarkChallenge(b *testing.B) {
	h := inside(b)
	h.Lay(lies(mint.New(passport(mint.Kind{}, portrait, mint.None))))
	r := opened(b)
	if err := r.Connect(b.Context()); err != nil {
		b.Fatal(err)
	}
	var took []time.Duration
	for b.Loop() {
		begun := time.Now()
		if _, err := r.Transmit(b.Context(), []byte{0, 0x84, 0, 0, 8}); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(begun))
	}
	median(b, took)
}

// BenchmarkRead is a whole reading, without connecting and without judging.
func BenchmarkRead(b *testing.B) {
	for _, c := range []struct {
		name  string
		kind  mint.Kind
		fault mint.Fault
	}{
		{"bac/long", mint.Kind{}, mint.None}, {"bac/short", mint.Kind{}, mint.NoLong},
		{"pace/long", modern(), mint.None}, {"pace/short", modern(), mint.NoLong},
	} {
		b.Run(c.name, func(b *testing.B) {
			h := inside(b)
			h.Lay(lies(mint.New(passport(c.kind, portrait, c.fault))))
			r := opened(b)
			var took []time.Duration
			commands := 0
			for b.Loop() {
				if err := r.Connect(b.Context()); err != nil {
					b.Fatal(err)
				}
				begun := time.Now()
				got, err := chip.Read(b.Context(), chip.Config{
					Send: r.Transmit, Key: chip.Key{MRZInformation: key}, Random: random(2), Want: []chip.File{chip.DG1, chip.DG2},
				})
				if err != nil {
					b.Fatal(err)
				}
				took, commands = append(took, time.Since(begun)), got.Commands
			}
			median(b, took)
			b.ReportMetric(float64(commands), "apdus")
		})
	}
}

// BenchmarkConnect takes a document that lies there, and resets it.
func BenchmarkConnect(b *testing.B) {
	h := inside(b)
	h.Lay(lies(mint.New(passport(mint.Kind{}, portrait, mint.None))))
	r := opened(b)
	var took []time.Duration
	for b.Loop() {
		begun := time.Now()
		if err := r.Connect(b.Context()); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(begun))
	}
	median(b, took)
}

// median reports the middle one.
func median(b *testing.B, took []time.Duration) {
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
}

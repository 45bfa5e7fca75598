package hub_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/counterproof/counterproof/devices/hub"
	"github.com/counterproof/counterproof/devices/sim"
)

// TestStreams: a stream gives what is read, outlives a reader, and ends with its
// context.
func TestStreams(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		zone, code := sim.NewMRZReader(sim.ReaderConfig{}), sim.NewBarcodeReader(sim.ReaderConfig{})
		h := start(t, hub.Config{Sources: []hub.Source{sim.NewBench(zone, code)}, Training: true})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		zones, codes := h.Zones(ctx), h.Codes(ctx)
		zone.Lay("one")
		if got := <-zones; !slices.Equal(got.Lines, []string{"one"}) {
			t.Errorf("read %q", got.Lines)
		}
		zone.Unplug()
		time.Sleep(time.Minute)
		zone.Plug()
		time.Sleep(5 * time.Second)
		zone.Lay("two")
		if got := <-zones; !slices.Equal(got.Lines, []string{"two"}) {
			t.Errorf("after it was plugged in again: read %q", got.Lines)
		}
		code.Show("QR", []byte("x"))
		if got := <-codes; string(got.Bytes) != "x" {
			t.Errorf("read %q", got.Bytes)
		}
		zone.Lay("three") // nobody takes it
		synctest.Wait()
		cancel()
		for range zones {
			t.Error("it reads on")
		}
		if _, open := <-codes; open {
			t.Error("it reads on")
		}
	})
}

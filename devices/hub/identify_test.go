package hub_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/hub"
	"github.com/counterproof/counterproof/devices/sim"
)

// TestIdentify: of two equal readers the one is told that somebody uses.
func TestIdentify(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		left, right := sim.NewBarcodeReader(sim.ReaderConfig{ID: "sim:left"}), sim.NewBarcodeReader(sim.ReaderConfig{ID: "sim:right"})
		zone := sim.NewMRZReader(sim.ReaderConfig{})
		h := start(t, hub.Config{Sources: []hub.Source{sim.NewBench(left, right, zone)}, Training: true})
		time.AfterFunc(5*time.Second, func() { right.Show("QR", []byte("x")) })
		if id, err := h.Identify(t.Context(), devices.CanReadBarcode); err != nil || id != "sim:right" {
			t.Errorf("got %q, %v", id, err)
		}
		synctest.Wait()
		left.Show("QR", []byte("y")) // both are free again
		if s, err := h.BarcodeReader().ReadBarcode(t.Context()); err != nil || string(s.Bytes) != "y" {
			t.Errorf("after it: %v, %v", s, err)
		}
		time.AfterFunc(time.Second, func() { zone.Lay("P<UTO") })
		if id, err := h.Identify(t.Context(), devices.CanReadMRZ); err != nil || id != "sim:passport reader" {
			t.Errorf("got %q, %v", id, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if id, err := h.Identify(ctx, devices.CanReadBarcode); id != "" || devices.KindOf(err) != devices.Cancelled {
			t.Errorf("while nobody does anything: %q, %v", id, err)
		}
		for can, kind := range map[devices.Capability]devices.Kind{
			devices.CanFilm: devices.Unsupported, devices.CanScanDocument: devices.Unsupported,
		} {
			if _, err := h.Identify(t.Context(), can); devices.KindOf(err) != kind {
				t.Errorf("%s: %v, want %s", can, err, kind)
			}
		}
		if !h.Has(devices.CanReadBarcode, devices.AnyRole) || h.Has(devices.CanFilm, devices.DocumentCamera) {
			t.Error("it does not know what is there")
		}
		left.Unplug()
		right.Unplug()
		time.Sleep(time.Second)
		if _, err := h.Identify(t.Context(), devices.CanReadBarcode); devices.KindOf(err) != devices.Missing {
			t.Errorf("without a reader: %v", err)
		}
		if h.Has(devices.CanReadBarcode, devices.AnyRole) {
			t.Error("a reader that was pulled out is there")
		}
	})
}

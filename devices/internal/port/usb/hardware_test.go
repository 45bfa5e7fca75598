//go:build cgo

package usb

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/devicetest"
)

// hardware is a real device's interface, named by the environment variable
// COUNTERPROOF_USB_PORT as "1-2.3" or "1-2.3#1"; without one the test is skipped.
func hardware(tb testing.TB) (h *Host, place string, number int) {
	tb.Helper()
	named := os.Getenv("COUNTERPROOF_USB_PORT")
	if named == "" {
		tb.Skip("SKIPPED: libusb is not tested with a real device: COUNTERPROOF_USB_PORT names none")
	}
	place, text, _ := strings.Cut(named, "#")
	if text != "" {
		if _, err := fmt.Sscanf(text, "%d", &number); err != nil {
			tb.Fatalf("COUNTERPROOF_USB_PORT: %v", err)
		}
	}
	h, err := Open()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := h.Close(); err != nil {
			tb.Errorf("closing: %v", err)
		}
	})
	return h, place, number
}

// TestHardware holds a real device's port to what can be asked of it without a
// hand on the device: that it is listed, opened once, given back whole, and ends
// its waits. It sends nothing but what a printer answers.
func TestHardware(t *testing.T) {
	h, place, number := hardware(t)
	p, err := h.Open(t.Context(), place, number)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: %04x:%04x, configuration %d, %+v, stirred %d", place, p.Device().Vendor, p.Device().Product,
		p.Device().Configuration, p.Interface(), len(h.Stirred()))
	_, err = h.Open(t.Context(), place, number)
	wantKind(t, "opening twice", err, devices.InUse)
	if p.Interface().Class == Printer {
		id, err := p.DeviceID(t.Context())
		status, failed := p.Status(t.Context())
		t.Logf("a printer: %q, %v; %#x, %v", id, err, status, failed)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if p.Interface().In.Packet > 0 {
		if n, err := p.Read(ctx, make([]byte, 512)); n == 0 {
			wantKind(t, "a deadline", err, devices.Cancelled)
		}
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	for n := range 50 {
		again, err := h.Open(t.Context(), place, number)
		if err != nil {
			t.Fatalf("opening it for the %dth time: %v", n+2, err)
		}
		if err := again.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestHardwareSuite holds a real device that sends and takes to the suite, as far
// as it goes without a hand. It writes to the device: not for a printer with
// paper in it.
func TestHardwareSuite(t *testing.T) {
	h, place, number := hardware(t)
	devicetest.RunPort(t, devicetest.Real, func(tb testing.TB) devicetest.PortRig {
		p, err := h.Open(tb.Context(), place, number)
		if err != nil {
			tb.Fatal(err)
		}
		tb.Cleanup(func() { _ = p.Close() })
		return devicetest.PortRig{Port: p}
	})
}

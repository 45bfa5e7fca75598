package rig

import (
	"bytes"
	"context"
	"testing"

	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/devicetest"
	"github.com/counterproof/counterproof/devices/framing"
	"github.com/counterproof/counterproof/devices/internal/port/hid"
	"github.com/counterproof/counterproof/devices/sim/usbip"
)

// reports64 describes a device of a maker's own kind, with reports of 64 bytes
// without numbers in both directions.
var reports64 = []byte{
	0x06, 0x00, 0xff, 0x09, 0x01, 0xa1, 0x01,
	0x15, 0x00, 0x26, 0xff, 0x00, 0x75, 0x08, 0x95, 0x40,
	0x09, 0x02, 0x81, 0x02,
	0x09, 0x03, 0x91, 0x02,
	0xc0,
}

// openHID opens a HID device as the counter does.
func openHID(tb testing.TB, node string) *hid.Port {
	tb.Helper()
	p, err := hid.Open(node)
	if err != nil {
		tb.Fatalf("opening %s: %v", node, err)
	}
	tb.Cleanup(func() { p.Close() })
	return p
}

// TestHIDPort holds the HID port to its contract on a real hidraw.
func TestHIDPort(t *testing.T) {
	Enter(t)
	t.Parallel()
	var inbox Inbox
	device := usbip.NewHID(someone("HIDPORT"), reports64, inbox.Put)
	cable := Attach(t, device.Device)
	pulled := false
	devicetest.RunPort(t, devicetest.Real, func(tb testing.TB) devicetest.PortRig {
		if pulled {
			cable.Plug(tb)
			pulled = false
		}
		device.Forget()
		inbox.Empty()
		return devicetest.PortRig{
			Port:   openHID(tb, cable.Port().Node(tb, "hidraw")),
			Report: 64, Number: []byte{0}, Large: 4 << 10,
			Send: func(b []byte) error { device.Say(bytes.Clone(b)); return nil },
			Take: inbox.Take,
			Unplug: func() {
				pulled = true
				cable.Unplug(tb)
			},
		}
	})
}

// TestHIDScan lets the scanner see a long symbol: port, report descriptor and
// decoder together read it.
func TestHIDScan(t *testing.T) {
	Enter(t)
	scanner := usbip.NewScanner(someone("SCAN"))
	p := openHID(t, Attach(t, scanner.Device).Port().Node(t, "hidraw"))
	if got := p.Descriptor(); !bytes.Equal(got, usbip.ScannerReports()) {
		t.Errorf("the report descriptor comes as % x", got)
	}
	layout, err := framing.ParseReportDescriptor(p.Descriptor())
	if err != nil {
		t.Fatal(err)
	}
	decoder, err := framing.New(framing.HIDPOS, framing.Settings{Layout: &layout})
	if err != nil {
		t.Fatal(err)
	}
	want := bytes.Repeat([]byte("0123456789"), 13)
	scanner.Scan("]Q1", want)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	b := make([]byte, hid.MaxReport)
	for {
		n, err := p.Read(ctx, b)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range decoder.Feed(b[:n]) {
			code, ok := f.(framing.Barcode)
			if !ok || !bytes.Equal(code.Bytes, want) || code.AIM != "]Q1" {
				t.Errorf("got %T, want the symbol", f)
			}
			return
		}
	}
}

// TestHIDGadget reads from the kernel's own HID gadget, which is pulled out.
func TestHIDGadget(t *testing.T) {
	Enter(t)
	g := NewGadget(t, someone("HIDGADGET"), HID(reports64))
	device, p := open(t, g.Device(t)), openHID(t, g.Port().Node(t, "hidraw"))
	want := bytes.Repeat([]byte{7}, 64)
	write(t, device, want)
	b := make([]byte, hid.MaxReport)
	if n, err := p.Read(t.Context(), b); err != nil || !bytes.Equal(b[:n], want) {
		t.Errorf("read %d bytes and %v", n, err)
	}
	device.Close()
	g.Unplug(t)
	if _, err := p.Read(t.Context(), b); devices.KindOf(err) != devices.Gone {
		t.Errorf("after pulling: %v, want gone", err)
	}
}

package seat

import (
	"context"
	"errors"
	"testing"

	"github.com/counterproof/counterproof/devices"
)

// driver is a driver that does nothing.
type driver struct{ Seat }

// TestOneUser: a second user is refused, and the next one is not.
func TestOneUser(t *testing.T) {
	t.Parallel()
	d := &driver{Seat{ID: "usb:1-2"}}
	leave, err := d.Take(t.Context(), "reading")
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.Take(t.Context(), "reading")
	if f, _ := errors.AsType[*devices.Fault](err); f == nil || f.Kind != devices.InUse || f.Device != "usb:1-2" || f.Op != "reading" || f.Holder == "" {
		t.Errorf("a second user: %v", err)
	}
	leave()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.Take(ended, "reading"); devices.KindOf(err) != devices.Cancelled {
		t.Errorf("a context that has ended: %v", err)
	}
	if _, err := d.Take(t.Context(), "reading"); err != nil {
		t.Errorf("the next user: %v", err)
	}
	if !d.Leave() || d.Leave() {
		t.Error("it was not closed just once")
	}
	if _, err := d.Take(t.Context(), "reading"); devices.KindOf(err) != devices.Gone {
		t.Errorf("after closing: %v", err)
	}
}

// TestFault: what is known of a fault stays, and the device is named.
func TestFault(t *testing.T) {
	t.Parallel()
	d := &driver{Seat{ID: "usb:1-2"}}
	cause := errors.New("a cause")
	for name, c := range map[string]struct {
		in   error
		want devices.Fault
	}{
		"error":        {cause, devices.Fault{Op: "printing", Kind: devices.Protocol, Device: "usb:1-2", Err: cause}},
		"kept":         {&devices.Fault{Op: "x", Kind: devices.InUse, Holder: "h", Err: cause}, devices.Fault{Op: "printing", Kind: devices.InUse, Device: "usb:1-2", Holder: "h", Err: cause}},
		"rule":         {&devices.Fault{Kind: devices.Permission, Rule: "r"}, devices.Fault{Op: "printing", Kind: devices.Permission, Device: "usb:1-2", Rule: "r"}},
		"without-kind": {&devices.Fault{Err: cause}, devices.Fault{Op: "printing", Kind: devices.Protocol, Device: "usb:1-2"}},
	} {
		got, _ := errors.AsType[*devices.Fault](d.Fault("printing", devices.Protocol, c.in))
		if got == nil || got.Kind != c.want.Kind || got.Op != c.want.Op || got.Device != c.want.Device || got.Holder != c.want.Holder || got.Rule != c.want.Rule {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}
}

// TestHealth: counters are the device's, and what was told may be kept.
func TestHealth(t *testing.T) {
	t.Parallel()
	d := &driver{}
	d.Count("jobs", 2)
	d.Count("jobs", 1)
	d.Tell("1.2")
	h := d.Health()
	h.Details["jobs"] = 99
	if h := d.Health(); h.Details["jobs"] != 3 || h.Firmware != "1.2" {
		t.Errorf("got %+v", h)
	}
}

package way

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/internal/port/lp"
	"github.com/counterproof/counterproof/devices/internal/port/usb"
	"github.com/counterproof/counterproof/devices/profile"
)

// Both printer ports tell what a State has.
var (
	_ State = lp.Status(0)
	_ State = usb.Status(0)
)

// TestNoWay: where there is no way to a thing, it is said why.
func TestNoWay(t *testing.T) {
	t.Parallel()
	missing := filepath.Join(t.TempDir(), "none")
	for id, c := range map[string]struct {
		node string
		want []devices.Kind
	}{
		"desko-cute": {missing, []devices.Kind{devices.Missing}},
		"hidpos":     {missing, []devices.Kind{devices.Missing, devices.Unsupported}},
		"rte-native": {"", []devices.Kind{devices.Missing}},
		"escpos":     {"", []devices.Kind{devices.Unsupported}}, // nobody may take it over USB
		"uvc":        {missing, []devices.Kind{devices.Unsupported}},
		"pcsc":       {missing, []devices.Kind{devices.Unsupported}},
	} {
		p, ok := profile.Embedded().Find(id)
		if !ok {
			t.Fatalf("there is no profile %s", id)
		}
		w, err := Open(t.Context(), Config{ID: "usb:1-2", Profile: p, Found: profile.Found{Node: c.node}, Locks: t.TempDir()})
		if kind := devices.KindOf(err); w.Port != nil || kind != c.want[0] && kind != c.want[len(c.want)-1] {
			t.Errorf("%s: got %v, want %s", id, err, c.want)
		}
	}
	lpNode, _ := profile.Embedded().Find("escpos")
	lpNode.Quirks = nil
	if _, err := Open(t.Context(), Config{Profile: lpNode, USB: &USB{}}); devices.KindOf(err) != devices.Missing {
		t.Errorf("a printer without a node and without the quirk: %v", err)
	}
}

// TestUSBEnds: libusb ends with its last user, and a device that is not there
// leaves none.
func TestUSBEnds(t *testing.T) {
	t.Parallel()
	u := &USB{Sys: t.TempDir()}
	escpos, _ := profile.Embedded().Find("escpos")
	for range 2 {
		d, err := Open(t.Context(), Config{ID: "usb:9-9", Profile: escpos, Found: profile.Found{PortPath: "9-9"}, USB: u})
		if kind := devices.KindOf(err); d.Port != nil || kind != devices.Missing && kind != devices.Unsupported {
			t.Errorf("what is not plugged in: %v", err)
		}
		if u.host != nil || u.users != 0 {
			t.Errorf("libusb has %d users", u.users)
		}
	}
	host, err := u.enter()
	if devices.KindOf(err) == devices.Unsupported {
		t.Skipf("SKIPPED: libusb does not start here: %v", err)
	}
	again, err := u.enter()
	if err != nil || again != host {
		t.Fatalf("a second user has another libusb: %v", err)
	}
	if err := errors.Join(u.leave(), u.leave()); err != nil || u.host != nil {
		t.Errorf("it does not end: %v", err)
	}
}

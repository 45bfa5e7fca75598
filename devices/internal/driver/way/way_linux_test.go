package way

import (
	"errors"
	"testing"

	"github.com/creack/pty"

	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/profile"
)

// TestSerialWay: a serial line is opened as the profile sets it, and belongs to one.
func TestSerialWay(t *testing.T) {
	t.Parallel()
	device, slave, err := pty.Open()
	if err != nil {
		t.Skipf("SKIPPED: this machine has no pseudo-terminals: %v", err)
	}
	defer device.Close()
	if err := slave.Close(); err != nil {
		t.Fatal(err)
	}
	p, _ := profile.Embedded().Find("rte-native")
	cfg := Config{ID: "usb:1-2", Profile: p, Found: profile.Found{Node: slave.Name()}, Locks: t.TempDir()}
	w, err := Open(t.Context(), cfg)
	if err != nil || w.Descriptor != nil || w.State != nil || w.Reset != nil {
		t.Fatalf("opened %+v, %v", w, err)
	}
	_, err = Open(t.Context(), cfg)
	if f, _ := errors.AsType[*devices.Fault](err); f == nil || f.Kind != devices.InUse || f.Holder == "" {
		t.Errorf("a second one: %v", err)
	}
	if err := w.Write(t.Context(), []byte("A")); err != nil {
		t.Error(err)
	}
	b := make([]byte, 1)
	if n, err := device.Read(b); n != 1 || b[0] != 'A' {
		t.Errorf("the device gets %q, %v", b[:n], err)
	}
	if err := errors.Join(w.Close(), w.Close()); err != nil {
		t.Error(err)
	}
	cfg.Profile.Serial.Baud = 31
	if w, err := Open(t.Context(), cfg); w.Port != nil || devices.KindOf(err) != devices.Unsupported {
		t.Errorf("a speed that no line has: %v", err)
	}
}

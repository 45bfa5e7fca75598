package driver

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/profile"
)

// terminal opens a pseudo-terminal: the device's side, which keeps deadlines, and
// the node of the line.
func terminal(tb testing.TB) (device *os.File, node string) {
	tb.Helper()
	blocking, slave, err := pty.Open()
	if err != nil {
		tb.Skipf("SKIPPED: this machine has no pseudo-terminals: %v", err)
	}
	fd, err := unix.FcntlInt(blocking.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err := errors.Join(err, slave.Close(), blocking.Close(), unix.SetNonblock(fd, true)); err != nil {
		tb.Fatal(err)
	}
	device = os.NewFile(uintptr(fd), "device")
	tb.Cleanup(func() { _ = device.Close() })
	return device, slave.Name()
}

// shipped is a profile of the program.
func shipped(tb testing.TB, id string) profile.Profile {
	tb.Helper()
	p, ok := profile.Embedded().Find(id)
	if !ok {
		tb.Fatalf("there is no profile %s", id)
	}
	return p
}

// TestOpens: what is opened can do what its profile says.
func TestOpens(t *testing.T) {
	t.Parallel()
	device, node := terminal(t)
	opened, err := Open(t.Context(), Config{ID: "usb:1-2", Profile: shipped(t, "desko-cute"), Found: profile.Found{Node: node}, Locks: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	if _, err := device.WriteString("\x02D1UTOAAAAA<<<<<<<<<<<<<<<<<<<<\r\x03"); err != nil {
		t.Fatal(err)
	}
	r, ok := opened.(devices.MRZReader)
	if !ok {
		t.Fatalf("it is a %T", opened)
	}
	if z, err := r.ReadMRZ(t.Context()); err != nil || len(z.Lines) != 1 || len(z.Lines[0]) != 30 {
		t.Errorf("read %d lines, %v", len(z.Lines), err)
	}
	codes := shipped(t, "desko-cute")
	codes.Can = []devices.Capability{devices.CanReadBarcode}
	codes.Framing.Name = "crlf"
	slips := shipped(t, "escpos")
	slips.Transport = profile.OverSerial
	for _, p := range []profile.Profile{codes, slips} {
		_, node := terminal(t)
		opened, err := Open(t.Context(), Config{Profile: p, Found: profile.Found{Node: node}, Locks: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		_, reads := opened.(devices.BarcodeReader)
		_, prints := opened.(devices.Printer)
		if reads != (p.Can[0] == devices.CanReadBarcode) || prints != (p.Can[0] == devices.CanPrint) {
			t.Errorf("%s is a %T", p.ID, opened)
		}
		if err := opened.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestNoDriver: what no driver is for leaves its port free.
func TestNoDriver(t *testing.T) {
	t.Parallel()
	_, node := terminal(t)
	p := shipped(t, "desko-cute")
	p.Can = []devices.Capability{devices.CanReadChip}
	for range 2 {
		_, err := Open(t.Context(), Config{Profile: p, Found: profile.Found{Node: node}, Locks: t.TempDir()})
		if devices.KindOf(err) != devices.Unsupported {
			t.Errorf("got %v", err)
		}
	}
}

// TestOpenFaults: what keeps a thing from being opened, and what would help.
func TestOpenFaults(t *testing.T) {
	t.Parallel()
	_, node := terminal(t)
	locks := t.TempDir()
	holder, err := Open(t.Context(), Config{ID: "usb:1-2", Profile: shipped(t, "desko-cute"), Found: profile.Found{Node: node}, Locks: locks})
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Close()
	missing := filepath.Join(t.TempDir(), "none")
	own := func(name string) string {
		if name == "in-use" {
			return locks
		}
		return t.TempDir()
	}
	for name, c := range map[string]struct {
		profile profile.Profile
		node    string
		want    devices.Kind
	}{
		"wedge":         {shipped(t, "keyboard-wedge-zebra"), node, devices.Unsupported},
		"not-chosen":    {shipped(t, "escl"), "http://127.0.0.1:1/eSCL", devices.Unsupported},
		"in-use":        {shipped(t, "desko-cute"), node, devices.InUse},
		"no-line":       {shipped(t, "desko-cute"), missing, devices.Missing},
		"no-hid":        {shipped(t, "hidpos"), missing, devices.Missing},
		"no-printer":    {shipped(t, "escpos"), missing, devices.Missing},
		"no-camera":     {shipped(t, "uvc"), missing, devices.Missing},
		"no-node":       {shipped(t, "hidpos"), "", devices.Missing},
		"not-by-usb":    {shipped(t, "escpos"), "", devices.Unsupported},
		"no-hid-device": {shipped(t, "hidpos"), node, devices.Unsupported},
		"chip":          {shipped(t, "pcsc"), node, devices.Unsupported},
	} {
		d, err := Open(t.Context(), Config{ID: "usb:1-2", Profile: c.profile, Found: profile.Found{Node: c.node}, Locks: own(name)})
		f, _ := errors.AsType[*devices.Fault](err)
		if d != nil || f == nil || f.Kind != c.want || f.Device != "usb:1-2" || f.Op == "" {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
			continue
		}
		if name == "in-use" && f.Holder == "" {
			t.Errorf("%s: nobody is named", name)
		}
		if word, is := errors.AsType[Refused](err); name == "wedge" && (!is || word != "keyboard_wedge_zebra") {
			t.Errorf("%s: the hint is %q", name, word)
		}
	}
}

// TestOpenForbidden: a node that may not be opened names the rule that would help.
func TestOpenForbidden(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 {
		t.Skip("SKIPPED: root may open everything")
	}
	node := filepath.Join(t.TempDir(), "lp0")
	if err := os.WriteFile(node, nil, 0); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), Config{Profile: shipped(t, "escpos"), Found: profile.Found{Node: node}})
	if f, _ := errors.AsType[*devices.Fault](err); f == nil || f.Kind != devices.Permission || !strings.Contains(f.Rule, "escpos") {
		t.Errorf("got %+v", err)
	}
}

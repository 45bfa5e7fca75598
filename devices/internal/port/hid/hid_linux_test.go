package hid

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/devicetest"
)

// reportSize is that of a barcode scanner (HID Point of Sale 1.02 §4).
const reportSize = 64

// pair gives a port and the device at its other end: two sockets that keep the
// bounds of messages, as hidraw does.
func pair(tb testing.TB) (*Port, *os.File) {
	tb.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		tb.Fatal(err)
	}
	n, err := newNode(os.NewFile(uintptr(fds[0]), "hidraw"))
	if err != nil {
		tb.Fatal(err)
	}
	device := os.NewFile(uintptr(fds[1]), "device")
	p := newPort(n, Info{}, nil)
	tb.Cleanup(func() { _, _ = p.Close(), device.Close() })
	return p, device
}

// TestPort is the suite of every port. It counts goroutines, so it runs alone.
func TestPort(t *testing.T) {
	devicetest.RunPort(t, devicetest.Real, func(tb testing.TB) devicetest.PortRig {
		p, device := pair(tb)
		return devicetest.PortRig{
			Port: p, Report: reportSize, Number: []byte{0},
			Send: func(b []byte) error {
				_, err := device.Write(b)
				return err
			},
			Take: func(ctx context.Context, most int) ([]byte, error) {
				var b [reportSize + 1]byte
				var n int
				var err error
				defer context.AfterFunc(ctx, func() { _ = device.SetReadDeadline(ended) })()
				n, err = device.Read(b[:])
				return b[min(n, 1):n], err // the kernel takes the number 0 away
			},
			Unplug: func() { _ = device.Close() },
		}
	})
}

// TestEmptyReports: a gadget may send one between any two reports.
func TestEmptyReports(t *testing.T) {
	t.Parallel()
	p, device := pair(t)
	raw, err := device.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	empty := func() {
		if err := raw.Control(func(fd uintptr) { _, _ = unix.Write(int(fd), nil) }); err != nil {
			t.Fatal(err)
		}
	}
	for n := range 3 {
		empty()
		if _, err := device.Write([]byte{2, byte(n)}); err != nil {
			t.Fatal(err)
		}
		empty()
	}
	for n := range 3 {
		b := make([]byte, reportSize)
		got, err := p.Read(t.Context(), b)
		if err != nil || got != 2 || b[1] != byte(n) {
			t.Errorf("report %d: got % x and %v", n, b[:got], err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if n, err := p.Read(ctx, make([]byte, 1)); n != 0 || devices.KindOf(err) != devices.Cancelled {
		t.Errorf("after the last: read %d bytes and %v, want cancelled", n, err)
	}
}

// TestUnpluggedWithReports: what came before is read, then the port is gone, at
// once.
func TestUnpluggedWithReports(t *testing.T) {
	t.Parallel()
	p, device := pair(t)
	if _, err := device.Write([]byte("\x02last")); err != nil {
		t.Fatal(err)
	}
	if err := device.Close(); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, reportSize)
	if n, err := p.Read(t.Context(), b); err != nil || string(b[:n]) != "\x02last" {
		t.Errorf("got %q and %v, want the last report", b[:n], err)
	}
	if err := p.Write(t.Context(), []byte{0, 1}); devices.KindOf(err) != devices.Gone {
		t.Errorf("writing: got %v, want gone", err)
	}
	if _, err := p.Read(t.Context(), b); devices.KindOf(err) != devices.Gone {
		t.Errorf("reading: got %v, want gone", err)
	}
}

func TestDescribed(t *testing.T) {
	t.Parallel()
	d := &unix.HIDRawReportDescriptor{}
	copy(d.Value[:], []byte{0x05, 0x8c, 0x09, 0x02})
	for _, c := range []struct {
		told, got, want int
	}{{4, 4, 4}, {4096, 4096, 4096}, {1, 1, 1}, {0, 0, 0}, {-1, 0, 0}, {4097, 4096, 0}, {1 << 30, 4096, 0}, {4, 5, 0}, {5, 4, 0}} {
		d.Size = uint32(c.got)
		got, err := described(d, c.told)
		if len(got) != c.want || (err == nil) != (c.want > 0) {
			t.Errorf("told %d, got %d: %d bytes and %v, want %d", c.told, c.got, len(got), err, c.want)
		}
	}
}

func TestOpenFaults(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("no device"), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]devices.Kind{
		file: devices.Unsupported, file + "-less": devices.Missing, t.TempDir(): devices.Unsupported, "/dev/null": devices.Unsupported,
	} {
		if p, err := Open(path); p != nil || devices.KindOf(err) != want {
			t.Errorf("%s: got %v, want kind %q", filepath.Base(path), err, want)
		}
	}
	for e, want := range map[syscall.Errno]devices.Kind{
		unix.EACCES: devices.Permission, unix.EPERM: devices.Permission, unix.EBUSY: devices.InUse,
		unix.ENODEV: devices.Missing, unix.ENOTTY: devices.Unsupported,
	} {
		if got := openKind(fmt.Errorf("opening: %w", e)); got != want {
			t.Errorf("%v: got %q, want %q", e, got, want)
		}
	}
	for e, want := range map[syscall.Errno]bool{unix.EIO: true, unix.ENODEV: true, unix.EPIPE: false, unix.EINVAL: false} {
		if got := lost(errors.Join(nil, e)); got != want {
			t.Errorf("%v: lost is %v, want %v", e, got, want)
		}
	}
}

// BenchmarkRead is one report through a socket.
func BenchmarkRead(b *testing.B) {
	p, device := pair(b)
	report := make([]byte, reportSize)
	for b.Loop() {
		if _, err := device.Write(report); err != nil {
			b.Fatal(err)
		}
		if _, err := p.Read(b.Context(), report); err != nil {
			b.Fatal(err)
		}
	}
}

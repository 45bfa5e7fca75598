package lp

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

// pair gives a port and the printer at its other end: two sockets with little
// room between them.
func pair(tb testing.TB) (*Port, *os.File) {
	tb.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		tb.Fatal(err)
	}
	if err := unix.SetsockoptInt(fds[0], unix.SOL_SOCKET, unix.SO_SNDBUF, 4096); err != nil {
		tb.Fatal(err)
	}
	p, err := newPort(fds[0])
	if err != nil {
		tb.Fatal(err)
	}
	printer := os.NewFile(uintptr(fds[1]), "printer")
	tb.Cleanup(func() { _, _ = p.Close(), printer.Close() })
	return p, printer
}

// until reads until ctx ends.
func until(ctx context.Context, f *os.File, b []byte) (n int, err error) {
	defer context.AfterFunc(ctx, func() { _ = f.SetReadDeadline(time.Unix(1, 0)) })()
	defer func() { _ = f.SetReadDeadline(time.Time{}) }()
	return f.Read(b)
}

// TestPort is the suite of every port. It counts goroutines, so it runs alone.
func TestPort(t *testing.T) {
	devicetest.RunPort(t, devicetest.Real, func(tb testing.TB) devicetest.PortRig {
		p, printer := pair(tb)
		return devicetest.PortRig{
			Port: p,
			Send: func(b []byte) error {
				_, err := printer.Write(b)
				return err
			},
			Take: func(ctx context.Context, most int) (b []byte, err error) {
				b = make([]byte, most)
				n, err := until(ctx, printer, b)
				return b[:n], err
			},
			Unplug: func() { _ = printer.Close() },
		}
	})
}

// TestUnpluggedWhilePrinting pulls the printer out while it takes nothing.
func TestUnpluggedWhilePrinting(t *testing.T) {
	t.Parallel()
	p, printer := pair(t)
	ended := make(chan error, 1)
	go func() { ended <- p.Write(t.Context(), make([]byte, 1<<20)) }()
	if _, err := printer.Read(make([]byte, 1)); err != nil { // it has begun
		t.Fatal(err)
	}
	for _, call := range []func() error{
		func() error { return p.Write(t.Context(), []byte("second")) },
		func() error { _, err := p.Status(); return err },
		func() error { _, err := p.DeviceID(); return err },
	} {
		if err := call(); devices.KindOf(err) != devices.InUse {
			t.Errorf("beside a Write: got %v, want in use", err)
		}
	}
	if err := printer.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		if devices.KindOf(err) != devices.Gone {
			t.Errorf("got %v, want gone", err)
		}
	case <-time.After(time.Second):
		t.Error("the Write did not end within 1 s")
	}
	if _, err := p.Status(); devices.KindOf(err) != devices.Gone {
		t.Errorf("asking afterwards: got %v, want gone", err)
	}
}

// TestNoPrinter: what answers none of the driver's questions is no printer, and
// is sent nothing.
func TestNoPrinter(t *testing.T) {
	t.Parallel()
	p, _ := pair(t)
	if _, err := p.Status(); devices.KindOf(err) == devices.KindNone {
		t.Error("a socket told its status")
	}
	if _, err := p.DeviceID(); devices.KindOf(err) == devices.KindNone {
		t.Error("a socket told its device id")
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("no printer"), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]devices.Kind{
		file: devices.Unsupported, file + "-less": devices.Missing, t.TempDir(): devices.Unsupported, "/dev/null": devices.Unsupported,
	} {
		if p, err := Open(path); p != nil || devices.KindOf(err) != want {
			t.Errorf("%s: got %v, want kind %q", filepath.Base(path), err, want)
		}
	}
}

func TestKinds(t *testing.T) {
	t.Parallel()
	for e, want := range map[syscall.Errno]devices.Kind{
		unix.EACCES: devices.Permission, unix.EPERM: devices.Permission, unix.EBUSY: devices.InUse,
		unix.ENODEV: devices.Missing, unix.ENOTTY: devices.Unsupported,
	} {
		if got := openKind(fmt.Errorf("opening: %w", e)); got != want {
			t.Errorf("opening, %v: got %q, want %q", e, got, want)
		}
	}
	for e, want := range map[syscall.Errno]devices.Kind{
		unix.ENODEV: devices.Gone, unix.ENOSPC: devices.PaperOut, unix.EINVAL: devices.Unsupported, unix.EIO: devices.Protocol,
	} {
		p, _ := pair(t)
		if err := p.failed(t.Context(), writing, errors.Join(e)); devices.KindOf(err) != want {
			t.Errorf("writing, %v: got %v, want kind %q", e, err, want)
		}
		if err := p.Flush(); (devices.KindOf(err) == devices.Gone) != (want == devices.Gone) {
			t.Errorf("after %v: flushing gave %v", e, err)
		}
	}
}

// TestFailsBeforeItIsGone: a transfer of a printer that is pulled out fails
// before the system says that it is gone.
func TestFailsBeforeItIsGone(t *testing.T) {
	t.Parallel()
	p, printer := pair(t)
	time.AfterFunc(100*time.Millisecond, func() { _ = printer.Close() })
	if err := p.failed(t.Context(), writing, unix.EIO); devices.KindOf(err) != devices.Gone {
		t.Errorf("got %v, want gone", err)
	}
	if err := p.Flush(); devices.KindOf(err) != devices.Gone {
		t.Errorf("afterwards: got %v, want gone", err)
	}
}

// TestClosedWhileFailing: a port that is closed is not watched to the end.
func TestClosedWhileFailing(t *testing.T) {
	t.Parallel()
	p, _ := pair(t)
	time.AfterFunc(50*time.Millisecond, func() { _ = p.Close() })
	p.writeTurn.Lock() // as every call has it
	defer p.writeTurn.Unlock()
	began := time.Now()
	if err := p.failed(t.Context(), writing, unix.EIO); devices.KindOf(err) != devices.Gone || time.Since(began) > grace*pause {
		t.Errorf("got %v after %v, want gone at once", err, time.Since(began))
	}
}

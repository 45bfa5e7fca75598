package serial

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/devicetest"
)

// terminal opens a pseudo-terminal: the device's side, which keeps deadlines,
// and the node of the line.
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

// open opens a line, with locks of the test's own.
func open(tb testing.TB, node string, s Settings) *Port {
	tb.Helper()
	if s.Locks == "" {
		s.Locks = tb.TempDir()
	}
	p, err := Open(node, s)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = p.Close() })
	return p
}

// TestPort is the suite of every port, on a pseudo-terminal. It counts
// goroutines, so it runs alone.
func TestPort(t *testing.T) {
	devicetest.RunPort(t, devicetest.Real, func(tb testing.TB) devicetest.PortRig {
		device, node := terminal(tb)
		return devicetest.PortRig{
			Port: open(tb, node, Settings{Baud: 115200}),
			Send: func(b []byte) error {
				_, err := device.Write(b)
				return err
			},
			Take: func(ctx context.Context, most int) ([]byte, error) {
				defer context.AfterFunc(ctx, func() { _ = device.SetReadDeadline(ended) })()
				b := make([]byte, most)
				n, err := device.Read(b)
				return b[:n], err
			},
			Unplug: func() { _ = device.Close() },
		}
	})
}

// TestHangUp pulls the plug after each byte of a reader's answer.
func TestHangUp(t *testing.T) {
	frame := []byte("I\x00\x2fP<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<<<\r")
	for cut := range len(frame) + 1 {
		device, node := terminal(t)
		l := &counted{}
		p := open(t, node, Settings{})
		l.line, p.line = p.line, l
		if _, err := device.Write(frame[:cut]); err != nil {
			t.Fatal(err)
		}
		read, err := 0, error(nil)
		b := make([]byte, 64)
		for n := 0; read < cut && err == nil; read += n {
			n, err = p.Read(t.Context(), b)
		}
		if err != nil {
			t.Fatalf("byte %d: %v", cut, err)
		}
		if err := device.Close(); err != nil {
			t.Fatal(err)
		}
		pulled := time.Now()
		l.reads = 0
		n, err := p.Read(t.Context(), b)
		if n != 0 || devices.KindOf(err) != devices.Gone {
			t.Errorf("byte %d: read %d bytes and %v, want gone", cut, n, err)
		}
		if took := time.Since(pulled); took > time.Second || l.reads > 3 {
			t.Errorf("byte %d: gone after %v and %d reads, want 1 s and 3 reads", cut, took, l.reads)
		}
		if err := p.Write(t.Context(), []byte("I\x00\x00")); devices.KindOf(err) != devices.Gone {
			t.Errorf("byte %d: writing gave %v, want gone", cut, err)
		}
		if err := p.Close(); err != nil {
			t.Errorf("byte %d: closing: %v", cut, err)
		}
	}
}

// counted counts the Reads of a line.
type counted struct {
	line
	reads int
}

func (c *counted) Read(p []byte) (int, error) { c.reads++; return c.line.Read(p) }

// TestWriteTellsGone: a Write that finds the line hung up is enough.
func TestWriteTellsGone(t *testing.T) {
	device, node := terminal(t)
	p := open(t, node, Settings{})
	if err := device.Close(); err != nil {
		t.Fatal(err)
	}
	for _, call := range []func() error{
		func() error { return p.Write(t.Context(), []byte("A")) }, p.Flush,
		func() error { _, err := p.Read(t.Context(), make([]byte, 1)); return err },
	} {
		if err := call(); devices.KindOf(err) != devices.Gone {
			t.Errorf("got %v, want gone", err)
		}
	}
}

func TestFlushTellsGone(t *testing.T) {
	device, node := terminal(t)
	p := open(t, node, Settings{})
	if err := device.Close(); err != nil {
		t.Fatal(err)
	}
	if err := p.Flush(); devices.KindOf(err) != devices.Gone {
		t.Errorf("got %v, want gone", err)
	}
}

// TestStaleAndRaw: what came before opening is forgotten, and nothing that
// comes is echoed or changed.
func TestStaleAndRaw(t *testing.T) {
	device, node := terminal(t)
	if _, err := device.Write([]byte("STALE\n")); err != nil {
		t.Fatal(err)
	}
	p := open(t, node, Settings{})
	drained := make([]byte, 64) // the echo of a line that was not yet ours
	_ = device.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	_, _ = device.Read(drained)
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	if _, err := device.Write(all); err != nil {
		t.Fatal(err)
	}
	var got []byte
	for b := make([]byte, 64); len(got) < len(all); {
		n, err := p.Read(t.Context(), b)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, b[:n]...)
	}
	if string(got) != string(all) {
		t.Errorf("got % x, want each byte once", got)
	}
	_ = device.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if n, err := device.Read(drained); n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%d bytes were echoed, and %v", n, err)
	}
}

func TestLock(t *testing.T) {
	_, one := terminal(t)
	_, two := terminal(t)
	locks := filepath.Join(t.TempDir(), "made", "when needed")
	mine := Settings{Device: "usb:1-2/1234:5678/SERIAL", Locks: locks}
	p := open(t, one, mine)

	_, err := Open(one, mine)
	f, _ := errors.AsType[*devices.Fault](err)
	if f == nil || f.Kind != devices.InUse || f.Device != mine.Device {
		t.Fatalf("a second one: got %v, want in use", err)
	}
	own, err := os.ReadFile("/proc/self/comm")
	if err != nil || f.Holder != strings.TrimSpace(string(own)) {
		t.Errorf("the holder is %q, want %q", f.Holder, own)
	}
	if _, err := Open(two, mine); devices.KindOf(err) != devices.InUse {
		t.Errorf("the same device at another node: got %v, want in use", err)
	}
	open(t, two, Settings{Device: "usb:1-3/1234:5678/SERIAL", Locks: locks})
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, one, mine)

	names, err := os.ReadDir(locks)
	if err != nil || len(names) != 2 {
		t.Errorf("%d locks and %v, want 2", len(names), err)
	}
	for _, n := range names {
		if strings.Contains(n.Name(), "SERIAL") {
			t.Errorf("the lock %q tells the serial number", n.Name())
		}
	}
}

// TestLockOfTheLine: without an identity the line is locked, whatever it is
// called.
func TestLockOfTheLine(t *testing.T) {
	_, node := terminal(t)
	locks := t.TempDir()
	link := filepath.Join(t.TempDir(), "reader")
	if err := os.Symlink(node, link); err != nil {
		t.Fatal(err)
	}
	open(t, node, Settings{Locks: locks})
	if _, err := Open(link, Settings{Locks: locks}); devices.KindOf(err) != devices.InUse {
		t.Errorf("by another name: got %v, want in use", err)
	}
}

func TestLockFollowsNoLink(t *testing.T) {
	_, node := terminal(t)
	s := Settings{Device: "usb:1-2", Locks: t.TempDir()}
	name, err := lockName(node, s)
	if err != nil {
		t.Fatal(err)
	}
	victim := filepath.Join(t.TempDir(), "victim")
	if err := os.Symlink(victim, name); err != nil {
		t.Fatal(err)
	}
	if p, err := Open(node, s); p != nil || err == nil {
		t.Error("a lock that is a link was followed")
	}
	if _, err := os.Lstat(victim); err == nil {
		t.Error("a file was made where a link pointed")
	}
}

// TestHolder: a program that knows nothing of the lock is named.
func TestHolder(t *testing.T) {
	_, node := terminal(t)
	slave, err := os.OpenFile(node, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer slave.Close()
	other := exec.CommandContext(t.Context(), "sleep", "60")
	other.Stdin = slave
	if err := other.Start(); err != nil {
		t.Skipf("SKIPPED: no program to hold the line: %v", err)
	}
	defer func() {
		_ = other.Process.Kill()
		_ = other.Wait()
	}()
	_, err = Open(node, Settings{Locks: t.TempDir()})
	f, _ := errors.AsType[*devices.Fault](err)
	if f == nil || f.Kind != devices.InUse || f.Holder != "sleep" {
		t.Errorf("got %v, want in use by sleep", err)
	}
}

func TestOpenFaults(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("not a line"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, node := terminal(t)
	for name, c := range map[string]struct {
		path     string
		settings Settings
		kind     devices.Kind
	}{
		"no-node":          {file + "-less", Settings{}, devices.Missing},
		"no-node/identity": {file + "-less", Settings{Device: "usb:1-2"}, devices.Missing},
		"a-file":           {file, Settings{}, devices.Unsupported},
		"a-folder":         {t.TempDir(), Settings{}, devices.Unsupported},
		"library-baud":     {node, Settings{Baud: 128000}, devices.Unsupported},
	} {
		c.settings.Locks = t.TempDir()
		p, err := Open(c.path, c.settings)
		if p != nil || devices.KindOf(err) != c.kind || !strings.Contains(fmt.Sprint(err), c.path) {
			t.Errorf("%s: got %v, want a Fault of kind %q that names the node", name, err, c.kind)
		}
	}
	if got, err := os.ReadFile(file); err != nil || string(got) != "not a line" {
		t.Errorf("a file that is no line was changed: %q, %v", got, err)
	}
	for e, want := range map[syscall.Errno]devices.Kind{
		unix.EACCES: devices.Permission, unix.EPERM: devices.Permission, unix.EBUSY: devices.InUse,
		unix.EWOULDBLOCK: devices.InUse, unix.EIO: devices.Missing, unix.ENOTTY: devices.Unsupported,
	} {
		err := openFault("/dev/ttyACM9", Settings{Device: "usb:1-2"}, fmt.Errorf("opening: %w", e))
		if devices.KindOf(err) != want || !strings.Contains(err.Error(), "/dev/ttyACM9") {
			t.Errorf("%v: got %v, want a Fault of kind %q that names the node", e, err, want)
		}
	}
}

// TestOtherSettings: each setting is taken by the library.
func TestOtherSettings(t *testing.T) {
	_, node := terminal(t)
	for _, s := range []Settings{
		{Baud: 1200, DataBits: 7, Parity: "even", StopBits: 2}, {Baud: 4000000, Parity: "odd"}, {DataBits: 5},
	} {
		p := open(t, node, s)
		if err := p.Close(); err != nil {
			t.Errorf("%+v: %v", s, err)
		}
	}
}

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{"minicom": "minicom", "a\x1b[2Jb": "a[2Jb", "\xff\xfe": "", "Leser é": "Leser é"} {
		if got := printable(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

// BenchmarkRead is one short answer through a pseudo-terminal.
func BenchmarkRead(b *testing.B) {
	device, node := terminal(b)
	p := open(b, node, Settings{})
	buf := make([]byte, 64)
	for b.Loop() {
		if _, err := device.Write([]byte("I\x00\x00")); err != nil {
			b.Fatal(err)
		}
		for n := 0; n < 3; {
			m, err := p.Read(b.Context(), buf)
			if err != nil {
				b.Fatal(err)
			}
			n += m
		}
	}
}

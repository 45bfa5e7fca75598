package reader

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/devicetest"
	"github.com/counterproof/counterproof/devices/framing"
	"github.com/counterproof/counterproof/devices/internal/port/serial"
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

// plugIn opens what is at the end of a line.
func plugIn[T io.Closer](tb testing.TB, p profile.Profile, open func(context.Context, Config) (T, error)) (T, *os.File) {
	tb.Helper()
	device, node := terminal(tb)
	port, err := serial.Open(node, serial.Settings{Locks: tb.TempDir()})
	if err != nil {
		tb.Fatal(err)
	}
	opened, err := open(tb.Context(), Config{ID: "usb:1-2", Profile: p, Port: port})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = opened.Close() })
	return opened, device
}

// writes lets a device send.
func writes(tb testing.TB, device io.Writer, b []byte) {
	tb.Helper()
	if _, err := device.Write(b); err != nil {
		tb.Fatal(err)
	}
}

// TestMRZReaderOnTerminal: the driver over the real port of a serial line.
func TestMRZReaderOnTerminal(t *testing.T) {
	t.Parallel()
	p := shipped(t, "elyctis-idbox", nil)
	devicetest.RunMRZReader(t, devicetest.Real, func(tb testing.TB) (devices.MRZReader, func() []string, devicetest.ReaderRig) {
		laid := 0
		plugged := &struct{ devices.MRZReader }{}
		var device *os.File
		plugged.MRZReader, device = plugIn(tb, p, NewMRZ)
		lay := func() []string {
			laid++
			writes(tb, device, spoken[framing.Elyctis](another(laid)))
			return another(laid)
		}
		return plugged, lay, devicetest.ReaderRig{
			Unplug: func() { _ = device.Close() },
			Plug:   func() { plugged.MRZReader, device = plugIn(tb, p, NewMRZ) },
		}
	})
}

// TestBarcodeReaderOnTerminal is the same for barcodes.
func TestBarcodeReaderOnTerminal(t *testing.T) {
	t.Parallel()
	p := shipped(t, "desko-cute", func(p *profile.Profile) {
		p.Can, p.Framing = []devices.Capability{devices.CanReadBarcode}, profile.Framing{Name: framing.CRLF, AIMPrefix: true}
	})
	devicetest.RunBarcodeReader(t, devicetest.Real, func(tb testing.TB) (devices.BarcodeReader, func() devices.Symbol, devicetest.ReaderRig) {
		shown := 0
		r, device := plugIn(tb, p, NewBarcode)
		show := func() devices.Symbol {
			shown++
			writes(tb, device, fmt.Appendf(nil, "]C0P%08d\r\n", shown))
			return devices.Symbol{Symbology: "Code128", Bytes: fmt.Appendf(nil, "P%08d", shown)}
		}
		return r, show, devicetest.ReaderRig{Unplug: func() { _ = device.Close() }}
	})
}

// TestGoneSoon: a reader pulled out after any byte of a frame is gone within a
// second.
func TestGoneSoon(t *testing.T) {
	t.Parallel()
	frame := spoken[framing.Elyctis](specimen)
	for at := 0; at < len(frame); at += 9 {
		r, device := plugIn(t, shipped(t, "elyctis-idbox", nil), NewMRZ)
		writes(t, device, frame[:at])
		pulled := time.AfterFunc(20*time.Millisecond, func() { _ = device.Close() })
		began := time.Now()
		if _, err := r.ReadMRZ(t.Context()); devices.KindOf(err) != devices.Gone || time.Since(began) > time.Second {
			t.Errorf("after byte %d: %v after %v", at, err, time.Since(began))
		}
		pulled.Stop()
	}
}

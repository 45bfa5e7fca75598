package printer

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/devicetest"
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

// fileEnd is the device's side of a terminal as a port.
type fileEnd struct{ *os.File }

func (f fileEnd) Read(ctx context.Context, b []byte) (int, error) {
	defer context.AfterFunc(ctx, func() { _ = f.SetReadDeadline(time.Unix(1, 0)) })()
	return f.File.Read(b)
}

func (f fileEnd) Write(_ context.Context, b []byte) error {
	_, err := f.File.Write(b)
	return err
}

func (fileEnd) Flush() error { return nil }

// TestPrinterOnTerminal is the same for printers.
func TestPrinterOnTerminal(t *testing.T) {
	t.Parallel()
	p := shipped(t, "escpos", nil)
	devicetest.RunPrinter(t, devicetest.Real, func(tb testing.TB) devicetest.PrinterRig {
		r, device := plugIn(tb, p, NewReceipt)
		out := &press{}
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			out.run(tb.Context(), fileEnd{device})
		}()
		tb.Cleanup(func() { <-ended })
		return devicetest.PrinterRig{
			Printer: r, Unplug: func() { _ = device.Close() }, Fail: func(k devices.Kind) { out.sets(func() { out.trouble = k }) },
			Printed: func() (jobs [][]byte) {
				for end := time.Now().Add(time.Second); !strings.HasSuffix(string(out.printed()), cut) && time.Now().Before(end); {
					time.Sleep(time.Millisecond)
				}
				for job := range strings.SplitAfterSeq(string(out.printed()), cut) {
					if job != "" {
						jobs = append(jobs, []byte(job))
					}
				}
				return jobs
			},
		}
	})
}

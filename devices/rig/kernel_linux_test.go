package rig

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/counterproof/counterproof/devices/internal/port/lp"
	"github.com/counterproof/counterproof/devices/sim/usbip"
)

// someone introduces the devices of a test.
func someone(serial string) usbip.Identity {
	return usbip.Identity{Vendor: 0x1209, Product: 0x0001, Maker: "Counter", Name: "Device", Serial: serial}
}

// specimen is the document that the readers read: ICAO Doc 9303 part 4.
var specimen = []string{
	"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
	"L898902C36UTO7408122F1204159ZE184226B<<<<<10",
}

func sent(lines []string) []byte { return []byte(strings.Join(lines, "\r") + "\r") }

// open opens a node without waiting for what may come from it, a serial line
// without any treatment of its bytes.
func open(t *testing.T, node string) *os.File {
	t.Helper()
	fd, err := unix.Open(node, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatalf("opening %s: %v", node, err)
	}
	if line, err := unix.IoctlGetTermios(fd, unix.TCGETS); err == nil {
		line.Iflag, line.Oflag, line.Lflag = 0, 0, 0
		line.Cflag |= unix.CREAD | unix.CLOCAL
		if err := unix.IoctlSetTermios(fd, unix.TCSETS, line); err != nil {
			t.Errorf("setting %s: %v", node, err)
		}
	}
	f := os.NewFile(uintptr(fd), node)
	t.Cleanup(func() { f.Close() })
	return f
}

// readN reads n bytes, at most within patience.
func readN(t *testing.T, f *os.File, n int) []byte {
	t.Helper()
	b := make([]byte, n)
	if err := f.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Logf("%s knows no deadline: %v", f.Name(), err)
	}
	got, err := io.ReadFull(f, b)
	if err != nil {
		t.Errorf("reading %s: %d bytes, then %v", f.Name(), got, err)
	}
	return b[:got]
}

func write(t *testing.T, f *os.File, b []byte) {
	t.Helper()
	if _, err := f.Write(b); err != nil {
		t.Errorf("writing %s: %v", f.Name(), err)
	}
}

// TestKernelSerial moves a document over the kernel's own serial gadget.
func TestKernelSerial(t *testing.T) {
	Enter(t)
	g := NewGadget(t, someone("SERIAL"), Serial())
	device, host := open(t, g.Device(t)), open(t, g.Port().Node(t, "tty"))
	write(t, device, sent(specimen))
	if got := readN(t, host, len(sent(specimen))); !bytes.Equal(got, sent(specimen)) {
		t.Errorf("the host read %d bytes, not the document", len(got))
	}
	write(t, host, []byte("I\x00\x00"))
	if got := readN(t, device, 3); string(got) != "I\x00\x00" {
		t.Errorf("the device read % x", got)
	}
}

// TestKernelHID moves a report over the kernel's own HID gadget.
func TestKernelHID(t *testing.T) {
	Enter(t)
	g := NewGadget(t, someone("HID"), HID(usbip.ScannerReports()))
	device, host := open(t, g.Device(t)), open(t, g.Port().Node(t, "hidraw"))
	report := append([]byte{2, 3, ']', 'Q', '1', 'a', 'b', 'c'}, make([]byte, 56)...)
	write(t, device, report)
	if got := readN(t, host, 64); !bytes.Equal(got, report) {
		t.Errorf("the host read % x", got)
	}
}

// TestKernelPrinter moves a slip over the kernel's own printer gadget.
func TestKernelPrinter(t *testing.T) {
	Enter(t)
	g := NewGadget(t, someone("PRINTER"), Printer("MFG:Counter;CMD:ESC/POS;MDL:Slip;CLS:PRINTER;"))
	device, host := open(t, g.Device(t)), openPrinter(t, g.Port().Node(t, "usbmisc"))
	if err := host.Write(t.Context(), []byte("\x1b@slip\n")); err != nil {
		t.Errorf("printing: %v", err)
	}
	if got := readN(t, device, 7); string(got) != "\x1b@slip\n" {
		t.Errorf("the printer got %q", got)
	}
}

// TestScanner lets the scanner of Go code see a long symbol.
func TestScanner(t *testing.T) {
	Enter(t)
	t.Parallel()
	s := usbip.NewScanner(someone("SCANNER"))
	host := open(t, Attach(t, s.Device).Port().Node(t, "hidraw"))
	s.Scan("]L2", bytes.Repeat([]byte("x"), 60))
	got := readN(t, host, 128)
	if len(got) != 128 || got[1] != 56 || got[63] != 1 || got[65] != 4 || got[127] != 0 || string(got[2:6]) != "]L2x" {
		t.Errorf("the host read % x", got)
	}
}

// TestReader asks the reader of Go code, with its answer in two pieces, and lets
// it send a document unasked.
func TestReader(t *testing.T) {
	Enter(t)
	t.Parallel()
	r := newReader(t.Name())
	host := open(t, Attach(t, r.Device).Port().Node(t, "tty"))
	write(t, host, []byte("I\x00\x00"))
	if got := readN(t, host, 5); string(got) != "I\x00\x02no" {
		t.Errorf("a command gave %q", got)
	}
	r.Show(specimen...)
	if got := readN(t, host, len(sent(specimen))); !bytes.Equal(got, sent(specimen)) {
		t.Errorf("the host read %d bytes, not the document", len(got))
	}
	if !r.Line().Ready {
		t.Error("the host did not raise DTR")
	}
}

func newReader(serial string) *usbip.Reader {
	return usbip.NewReader(someone(serial), usbip.ReaderSpec{
		Frame: sent, SplitAt: 10, Pause: 30 * time.Millisecond,
		Answer: func(heard []byte) ([]byte, int) {
			if bytes.Equal(heard, []byte("I\x00\x00")) {
				return []byte("I\x00\x02no"), len(heard)
			}
			return nil, 0
		},
	})
}

// openPrinter opens a printer's node by the counter's own port: nothing else in
// this process may have it in the poller of Go's runtime.
func openPrinter(t *testing.T, node string) *lp.Port {
	t.Helper()
	p, err := lp.Open(node)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// TestPrinter prints on the printer of Go code, asks what it is and reads its
// answer.
func TestPrinter(t *testing.T) {
	Enter(t)
	t.Parallel()
	const id = "MFG:Counter;CMD:ESC/POS;MDL:Slip;CLS:PRINTER;"
	p := usbip.NewPrinter(someone("PRINTER"), id, func(b []byte) []byte {
		if bytes.HasSuffix(b, []byte{0x10, 4, 1}) {
			return []byte{0x12}
		}
		return nil
	})
	host := openPrinter(t, Attach(t, p.Device).Port().Node(t, "usbmisc"))
	if got, err := host.DeviceID(); err != nil || got != id {
		t.Errorf("it is %q, %v", got, err)
	}
	if err := host.Write(t.Context(), []byte("slip\x10\x04\x01")); err != nil {
		t.Errorf("printing: %v", err)
	}
	answer := make([]byte, 1)
	if n, err := host.Read(t.Context(), answer); err != nil || n != 1 || answer[0] != 0x12 {
		t.Errorf("it answers % x, %v", answer[:n], err)
	}
	if got, _ := p.Printed(); string(got) != "slip\x10\x04\x01" {
		t.Errorf("it printed %q", got)
	}
}

// TestPulls pulls the cable after each of some bytes of a frame: the host gets
// those bytes, then an end or an error, the node goes away, and once plugged in
// again the device works.
func TestPulls(t *testing.T) {
	Enter(t)
	t.Parallel()
	for _, at := range []int{1, 10, len(sent(specimen)) - 1} {
		r := newReader(t.Name())
		r.Script(usbip.Trouble{Endpoint: 0x81, At: at, Kind: usbip.Unplug})
		c := Attach(t, r.Device)
		host := open(t, c.Port().Node(t, "tty"))
		r.Show(specimen...)
		if err := host.SetReadDeadline(time.Now().Add(patience)); err != nil {
			t.Error(err)
		}
		got, err := io.ReadAll(host)
		if !bytes.HasPrefix(sent(specimen), got) || len(got) > at || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("byte %d: %d bytes came, then %v", at, len(got), err)
		}
		host.Close()
		path := c.Port().Path()
		c.Plug(t)
		if c.Port().Path() != path {
			t.Errorf("plugged in again it is at %s, was at %s", c.Port().Path(), path)
		}
		host = open(t, c.Port().Node(t, "tty"))
		r.Show(specimen...)
		if got := readN(t, host, len(sent(specimen))); !bytes.Equal(got, sent(specimen)) {
			t.Errorf("plugged in again it sends %d bytes", len(got))
		}
		host.Close()
		c.Unplug(t)
		c.Port().Empty(t)
	}
}

// TestTwins plugs in two equal devices with the same serial number: their ports
// tell them apart.
func TestTwins(t *testing.T) {
	Enter(t)
	a, b := NewGadget(t, someone("SAME"), Serial()), NewGadget(t, someone("SAME"), Serial())
	if a.Port().Path() == b.Port().Path() || a.Port().Attribute("serial") != b.Port().Attribute("serial") {
		t.Errorf("ports %s and %s, serial numbers %q and %q", a.Port().Path(), b.Port().Path(),
			a.Port().Attribute("serial"), b.Port().Attribute("serial"))
	}
	for i, g := range []*Gadget{a, b} {
		device, host := open(t, g.Device(t)), open(t, g.Port().Node(t, "tty"))
		want := []byte{byte('0' + i)}
		write(t, device, want)
		if got := readN(t, host, 1); !bytes.Equal(got, want) {
			t.Errorf("device %d is heard as %q", i, got)
		}
	}
}

// TestUevents plugs a gadget and a device of Go code out and in again: the kernel
// tells of both, and each is at its old port.
func TestUevents(t *testing.T) {
	Enter(t)
	cable, gadget := Attach(t, newReader("CABLE").Device), NewGadget(t, someone("GADGET"), Serial())
	for name, p := range map[string]Plug{"gadget": gadget, "cable": cable} {
		t.Run(name, func(t *testing.T) {
			p.Port().Node(t, "tty")
			u := Listen(t)
			p.Unplug(t)
			u.Await(t, Uevent{"ACTION": "remove", "DEVPATH": p.Port().DevPath(), "DEVTYPE": "usb_device"})
			p.Plug(t)
			come := u.Await(t, Uevent{"ACTION": "add", "DEVPATH": p.Port().DevPath(), "DEVTYPE": "usb_device"})
			if come["PRODUCT"] != "1209/1/100" || come["DEVNAME"] == "" {
				t.Errorf("it came as %s with node %s", come["PRODUCT"], come["DEVNAME"])
			}
			if tty := u.Await(t, Uevent{"ACTION": "add", "SUBSYSTEM": "tty"}); !strings.HasPrefix(tty["DEVNAME"], "ttyACM") {
				t.Errorf("a line came as %s", tty["DEVNAME"])
			}
		})
	}
}

func descriptors(t *testing.T) int {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

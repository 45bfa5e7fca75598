package bus

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/devicetest"
	"github.com/counterproof/counterproof/devices/hub"
)

// added is the file with which a site adds a reader that no program knows: another
// maker's, with ids, a speed and marks of its own.
const added = `{
	"id": "invented-reader", "name": "A reader that nobody knew", "status": "spec", "sources": ["This test invented it."],
	"match": [{"bus": "serial", "vendor": "1234", "product": "5678"}],
	"transport": "serial", "serial": {"baud": 57600, "data_bits": 8, "parity": "none", "stop_bits": 1},
	"can": ["mrz_reader"],
	"framing": {"name": "stx-etx", "start": "7e", "end": "0d0a", "content": "mrz"},
	"commands": {"trigger": ["7e57"], "untrigger": ["7e58"]},
	"limits": {"inter_byte_millis": 200, "total_millis": 1000}
}`

// laid is a document as the added reader sends it.
var laid = []string{"I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<"}

// line plugs the reader in: what sysfs shows of it, and a pseudo-terminal for its
// node. It gives the reader's side.
func line(t *testing.T, p *plugs, dev string) *os.File {
	t.Helper()
	blocking, slave, err := pty.Open()
	if err != nil {
		t.Skipf("SKIPPED: this machine has no pseudo-terminals: %v", err)
	}
	fd, err := unix.FcntlInt(blocking.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	err = errors.Join(err, slave.Close(), blocking.Close(), unix.SetNonblock(fd, true),
		os.Symlink(slave.Name(), filepath.Join(dev, filepath.Base(reader.node))))
	if err != nil {
		t.Fatal(err)
	}
	device := os.NewFile(uintptr(fd), "reader")
	t.Cleanup(func() { _ = device.Close() })
	p.plug(reader)
	return device
}

// await waits until the reader is in a state.
func await(t *testing.T, h *hub.Hub, want devices.State) devices.Device {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for e := range h.Events(ctx) {
		if e.Device.State == want {
			return e.Device
		}
	}
	t.Fatalf("no device is %s; there is %+v", want, h.Devices())
	return devices.Device{}
}

// TestAddedReader: a reader that nobody knew works as soon as its one file is in the
// site's folder, without a restart and without a line of code.
func TestAddedReader(t *testing.T) {
	t.Parallel()
	p, dev := newPlugs(t), t.TempDir()
	device := line(t, p, dev)
	quiet := slog.New(slog.DiscardHandler)
	source := New(Config{Sys: p.dir, Dev: dev, Profiles: p.profiles, Locks: t.TempDir(), Log: quiet})
	h := hub.New(hub.Config{Sources: []hub.Source{source}, Log: quiet})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- h.Run(ctx) }()
	if _, err := h.MRZReader().ReadMRZ(ctx); devices.KindOf(err) != devices.Missing {
		t.Errorf("before there is a file: %v", err)
	}

	p.pin("added.json", added)
	if d := await(t, h, devices.Ready); d.ID != "usb:3-1/1234:5678/R1" || !slices.Equal(d.Can, []devices.Capability{devices.CanReadMRZ}) {
		t.Errorf("what is ready is %+v", d)
	}
	swiped := make(chan error, 1)
	go func() { // it answers to its trigger
		command := make([]byte, 2)
		_, err := device.Read(command)
		if err == nil && string(command) != "\x7e\x57" {
			err = errors.New("another command came")
		}
		_, failed := device.WriteString("noise\x7e\x02" + laid[0] + "\r" + laid[1] + "\r" + laid[2] + "\r\x03\r\n")
		swiped <- errors.Join(err, failed)
	}()
	zone, err := h.MRZReader().ReadMRZ(ctx)
	if err != nil || !slices.Equal(zone.Lines, laid) {
		t.Errorf("read %d lines, %v", len(zone.Lines), err)
	}
	if err := <-swiped; err != nil {
		t.Error(err)
	}

	if err := os.Remove(filepath.Join(p.profiles, "added.json")); err != nil {
		t.Fatal(err)
	}
	await(t, h, devices.Absent)
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestAddedReaderKeepsTheContract holds it to what every reader keeps.
func TestAddedReaderKeepsTheContract(t *testing.T) {
	t.Parallel()
	devicetest.RunMRZReader(t, devicetest.Real, func(tb testing.TB) (devices.MRZReader, func() []string, devicetest.ReaderRig) {
		t := tb.(*testing.T)
		p, dev := newPlugs(t), t.TempDir()
		device := line(t, p, dev)
		p.pin("added.json", added)
		source := New(Config{Sys: p.dir, Dev: dev, Profiles: p.profiles, Locks: t.TempDir(), Log: slog.New(slog.DiscardHandler)})
		if got := ids(t, source); len(got) != 1 {
			t.Fatalf("there is %q", got)
		}
		opened, err := source.Open(t.Context(), "usb:3-1/1234:5678/R1")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = opened.Close() })
		lay := func() []string {
			if _, err := device.WriteString("\x7e\x02" + laid[0] + "\r" + laid[1] + "\r" + laid[2] + "\r\x03\r\n"); err != nil {
				t.Fatal(err)
			}
			return laid
		}
		return opened.(devices.MRZReader), lay, devicetest.ReaderRig{Unplug: func() { _ = device.Close() }}
	})
}

package rig

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/bus"
	"github.com/counterproof/counterproof/devices/hub"
	"github.com/counterproof/counterproof/devices/sim/usbip"
)

// The rig's own reader: what a site would write of it, to take it as a serial line
// of the kernel, or from the kernel by libusb.
const (
	readerProduct = 0x0077
	readerProfile = `{
		"id": "rig-reader", "name": "The reader of the rig", "status": "spec", "sources": ["The rig plays it."],
		"match": [{"bus": %q, "vendor": "1209", "product": "0077"%s}],
		"transport": %q,
		"can": ["mrz_reader"],
		"framing": {"name": "stx-etx", "start": "7e", "end": "0d0a", "content": "mrz"},
		"limits": {"inter_byte_millis": 400, "total_millis": 2000}
	}`
)

// ways are the ways to the reader, as its profile says.
var ways = map[string]string{
	"serial": fmt.Sprintf(readerProfile, "serial", "", "serial"),
	"usb":    fmt.Sprintf(readerProfile, "usb", `, "class": "0a/00/00"`, "usb"),
}

// framed is a document as the reader sends it.
func framed(lines []string) []byte {
	return []byte("\x7e\x02" + strings.Join(lines, "\r") + "\r\x03\r\n")
}

// documents is the rig's reader, not yet plugged in.
func documents(serial string) *usbip.Reader {
	id := someone(serial)
	id.Product = readerProduct
	return usbip.NewReader(id, usbip.ReaderSpec{Frame: framed, Answer: func(heard []byte) ([]byte, int) { return nil, len(heard) }})
}

// told is a hub over what is plugged in, with profiles of the site.
func told(t *testing.T, profiles ...string) *hub.Hub {
	t.Helper()
	dir := t.TempDir()
	for i, p := range profiles {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.json", i)), []byte(p), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	quiet := slog.New(slog.DiscardHandler)
	h := hub.New(hub.Config{Sources: []hub.Source{bus.New(bus.Config{Profiles: dir, Locks: t.TempDir(), Log: quiet})}, Log: quiet})
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- h.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the hub ended: %v", err)
		}
	})
	return h
}

// laid lays a document on the reader while somebody waits for one, and gives what
// he got.
func laid(t *testing.T, h *hub.Hub, r *usbip.Reader) (devices.MRZ, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	type read struct {
		zone devices.MRZ
		err  error
	}
	got := make(chan read, 1)
	go func() {
		zone, err := h.MRZReader().ReadMRZ(ctx)
		got <- read{zone, err}
	}()
	state(t, h, "0077", devices.Busy)
	r.Show(specimen...)
	g := <-got
	return g.zone, g.err
}

// mishap is what goes wrong while a document or a symbol is read, and what the
// counter is told by either way.
type mishap struct {
	name        string
	trouble     usbip.Trouble
	serial, usb devices.Kind // KindNone where it is read all the same
}

// mishaps are all that a cable and a device do wrong. The kernel's serial driver
// asks again by itself after a damaged transfer; who takes a device from the kernel
// hears of it.
var mishaps = []mishap{
	{"a-short-pause", usbip.Trouble{Kind: usbip.Delay, Wait: 150 * time.Millisecond}, devices.KindNone, devices.KindNone},
	{"falls-silent", usbip.Trouble{Kind: usbip.Delay, Wait: time.Second}, devices.Timeout, devices.Timeout},
	{"in-two-pieces", usbip.Trouble{Kind: usbip.Short}, devices.KindNone, devices.KindNone},
	{"halts", usbip.Trouble{Kind: usbip.Stall}, devices.KindNone, devices.KindNone},
	{"bad-cable", usbip.Trouble{Kind: usbip.Noise}, devices.KindNone, devices.Protocol},
	{"babbles", usbip.Trouble{Kind: usbip.Babble}, devices.KindNone, devices.Protocol},
	{"pulled-out", usbip.Trouble{Kind: usbip.Unplug}, devices.Gone, devices.Gone},
}

// TestCounterReader: a reader that a site has described in a file is read through all
// that a counter has, as a serial line and taken from the kernel; whatever the cable
// does is told by its kind, and afterwards the next document is read. It runs alone.
func TestCounterReader(t *testing.T) {
	Enter(t)
	for way, profile := range ways {
		t.Run(way, func(t *testing.T) {
			r := documents("READER-" + way)
			cable := Attach(t, r.Device)
			h := told(t, profile)
			t.Logf("ready after %v", state(t, h, "0077", devices.Ready).Round(time.Millisecond))
			for _, m := range mishaps {
				want := map[string]devices.Kind{"serial": m.serial, "usb": m.usb}[way]
				m.trouble.Endpoint, m.trouble.At = 0x81, r.Moved(0x81)+20
				r.Script(m.trouble)
				began := time.Now()
				zone, err := laid(t, h, r)
				if devices.KindOf(err) != want || (want == devices.KindNone) != slices.Equal(zone.Lines, specimen) {
					t.Errorf("%s: %d lines and %v, want %q", m.name, len(zone.Lines), err, want)
				}
				t.Logf("%s: %q after %v", m.name, devices.KindOf(err), time.Since(began).Round(time.Millisecond))
				if m.trouble.Kind == usbip.Unplug {
					state(t, h, "0077", devices.Absent)
					cable.Plug(t)
				}
				r.Forget()
				began = time.Now()
				state(t, h, "0077", devices.Ready)
				t.Logf("%s: ready again after %v", m.name, time.Since(began).Round(time.Millisecond))
				if zone, err := laid(t, h, r); err != nil || !slices.Equal(zone.Lines, specimen) {
					t.Errorf("after %s: %d lines, %v", m.name, len(zone.Lines), err)
				}
			}
		})
	}
}

// TestCounterScanner: the same with a barcode scanner in its HID mode, which needs no
// file. It runs alone.
func TestCounterScanner(t *testing.T) {
	Enter(t)
	s := usbip.NewScanner(someone("COUNTERSCAN"))
	cable := Attach(t, s.Device)
	h := counter(t)
	state(t, h, "COUNTERSCAN", devices.Ready)
	scanned := func() (devices.Symbol, error) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		type read struct {
			symbol devices.Symbol
			err    error
		}
		got := make(chan read, 1)
		go func() {
			symbol, err := h.BarcodeReader().ReadBarcode(ctx)
			got <- read{symbol, err}
		}()
		state(t, h, "COUNTERSCAN", devices.Busy)
		s.Scan("]Q1", []byte("https://example.test/letter"))
		g := <-got
		return g.symbol, g.err
	}
	for _, m := range []struct {
		name string
		kind usbip.Kind
		want devices.Kind
	}{{"halts", usbip.Stall, devices.KindNone}, {"pulled-out", usbip.Unplug, devices.Gone}} {
		s.Script(usbip.Trouble{Endpoint: 0x81, At: s.Moved(0x81), Kind: m.kind})
		symbol, err := scanned()
		if devices.KindOf(err) != m.want || m.want == devices.KindNone && symbol.Symbology != "QR" {
			t.Errorf("%s: %q and %v, want %q", m.name, symbol.Symbology, err, m.want)
		}
		if m.kind == usbip.Unplug {
			state(t, h, "COUNTERSCAN", devices.Absent)
			cable.Plug(t)
		}
		s.Forget()
		state(t, h, "COUNTERSCAN", devices.Ready)
		if symbol, err := scanned(); err != nil || string(symbol.Bytes) != "https://example.test/letter" {
			t.Errorf("after %s: %d bytes, %v", m.name, len(symbol.Bytes), err)
		}
	}
}

// cycles is how often scanners are plugged in by TestPlugCycles, five at a time.
var cycles = flag.Int("cycles", 5, "how often TestPlugCycles plugs in")

// TestPlugCycles plugs five scanners in and out: each is ready each time, and
// nothing is left behind: no descriptor, no goroutine, no memory. It runs alone.
func TestPlugCycles(t *testing.T) {
	Enter(t)
	const scanners = 5
	h := counter(t)
	var cables []*Cable
	var all []*usbip.Scanner
	for i := range scanners {
		s := usbip.NewScanner(someone(fmt.Sprintf("CYCLE-%d", i)))
		all, cables = append(all, s), append(cables, Attach(t, s.Device))
	}
	ready := func() {
		for i := range all {
			state(t, h, fmt.Sprintf("CYCLE-%d", i), devices.Ready)
		}
	}
	gone := func() {
		for _, c := range cables {
			c.Unplug(t)
		}
		for i, c := range cables {
			state(t, h, fmt.Sprintf("CYCLE-%d", i), devices.Absent)
			c.Port().Empty(t)
		}
	}
	ready()
	gone()
	before := held(t)
	began := time.Now()
	for range *cycles / scanners {
		for _, c := range cables {
			c.Start(t)
		}
		ready()
		gone()
	}
	took := time.Since(began)
	after := held(t)
	t.Logf("%d times plugged in and out in %v: before %+v, after %+v", *cycles, took.Round(time.Millisecond), before, after)
	if after.descriptors > before.descriptors || after.goroutines > before.goroutines || after.heap > before.heap+1<<20 {
		t.Errorf("before %+v, after %+v", before, after)
	}
}

// holding is what a process holds.
type holding struct {
	descriptors, goroutines int
	heap                    uint64 // bytes
}

// held tells it.
func held(t *testing.T) holding {
	t.Helper()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return holding{descriptors(t), runtime.NumGoroutine(), m.HeapAlloc}
}

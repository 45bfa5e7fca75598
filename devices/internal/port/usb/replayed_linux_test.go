//go:build cgo

package usb

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/devicetest"
	"github.com/counterproof/counterproof/devices/record"
)

// The places of the devices on the bus that umockdev plays.
const (
	readerAt  = "1-2" // an MRZ reader with a protocol of its own
	printerAt = "1-3"
	twinAt    = "1-4" // equal to the reader
	gapAt     = "1-5" // its only interface has number 2
)

// played is a device as umockdev is told of it.
type played struct {
	at                           string
	address                      int
	vendor, product              uint16
	class                        uint8
	serial, manufacturer, called string
	interfaces                   [][]byte // descriptors, each with its endpoints
}

func descriptor(number, class, subclass, protocol byte, endpoints ...[]byte) []byte {
	out := []byte{9, 4, number, 0, byte(len(endpoints)), class, subclass, protocol, 0}
	return append(out, slices.Concat(endpoints...)...)
}

func endpoint(address, kind byte, size uint16) []byte {
	return []byte{7, 5, address, kind, byte(size), byte(size >> 8), 1}
}

// pair is a bulk endpoint each way. umockdev compares what is written only on
// endpoints with an odd number.
func pair(number, class, subclass, protocol byte) []byte {
	return descriptor(number, class, subclass, protocol, endpoint(0x82, 2, packetSize), endpoint(0x01, 2, packetSize))
}

// descriptors of the device and its configuration (USB 2.0 §9.6).
func (p played) descriptors() []byte {
	all := slices.Concat(p.interfaces...)
	total := 9 + len(all)
	return slices.Concat(
		[]byte{18, 1, 0, 2, p.class, 0, 0, 64, byte(p.vendor), byte(p.vendor >> 8), byte(p.product), byte(p.product >> 8), 0, 1, 1, 2, 3, 1},
		[]byte{9, 2, byte(total), byte(total >> 8), byte(len(p.interfaces)), 1, 0, 0x80, 50},
		all,
	)
}

// String is the device in the format of umockdev-record(1).
func (p played) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "P: /devices/pci0000:00/0000:00:14.0/usb1/%s\nN: bus/usb/001/%03d\n", p.at, p.address)
	for _, e := range []string{
		fmt.Sprintf("DEVNAME=/dev/bus/usb/001/%03d", p.address), "DEVTYPE=usb_device", "DRIVER=usb",
		fmt.Sprintf("PRODUCT=%x/%x/100", p.vendor, p.product), "TYPE=0/0/0", "BUSNUM=001", fmt.Sprintf("DEVNUM=%03d", p.address),
		"MAJOR=189", fmt.Sprintf("MINOR=%d", p.address-1), "SUBSYSTEM=usb",
	} {
		fmt.Fprintf(&b, "E: %s\n", e)
	}
	for _, a := range []string{
		`bConfigurationValue=1\n`, `bNumConfigurations=1\n`, `busnum=1\n`, fmt.Sprintf(`devnum=%d\n`, p.address), `speed=480\n`,
		fmt.Sprintf(`idVendor=%04x\n`, p.vendor), fmt.Sprintf(`idProduct=%04x\n`, p.product), `version= 2.00\n`,
		`manufacturer=` + p.manufacturer + `\n`, `product=` + p.called + `\n`, `serial=` + p.serial + `\n`,
	} {
		fmt.Fprintf(&b, "A: %s\n", a)
	}
	fmt.Fprintf(&b, "H: descriptors=%s\n\n", strings.ToUpper(hex.EncodeToString(p.descriptors())))
	return b.String()
}

// counter is what is plugged in, in every scene.
func counter() []played {
	reader := played{
		at: readerAt, address: 4, vendor: 0x1209, product: 1, class: 0xff, serial: "A7", manufacturer: "Counter Ltd", called: "Reader",
		interfaces: [][]byte{pair(0, 0xff, 0xff, 0xff)},
	}
	twin := reader
	twin.at, twin.address = twinAt, 6
	gap := played{at: gapAt, address: 7, vendor: 0x1209, product: 3, serial: "G", interfaces: [][]byte{
		descriptor(2, 0xff, 0, 0, endpoint(0x81, 3, packetSize)),
	}}
	return []played{reader, twin, gap, {
		at: printerAt, address: 5, vendor: 0x1209, product: 2, serial: "P", called: "Slips", interfaces: [][]byte{pair(0, Printer, 1, 2)},
	}}
}

// specimen is the ICAO specimen, as a reader with the framing "elyctis" sends
// it: a head of three bytes and two lines, longer than a packet.
const specimen = "I\x00\x5aP<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\r" + "L898902C36UTO7408122F1204159ZE184226B<<<<<10\r"

// scene is a device's part, and what is done with it.
type scene struct {
	at     string
	part   []record.Transfer
	lines  string // a recording, in place of a part
	add    []played
	action func(t *testing.T, h *Host)
}

func out(s string) record.Transfer {
	return record.Transfer{Kind: record.Bulk, Endpoint: 0x01, Asked: len(s), Data: []byte(s)}
}

func in(s string) record.Transfer {
	return record.Transfer{Kind: record.Bulk, Endpoint: 0x82, Asked: packetSize, Data: []byte(s)}
}

func fails(t record.Transfer, status int32) record.Transfer {
	t.Data, t.Status = nil, status
	return t
}

func asks(r Request, asked int, answer string) record.Transfer {
	return record.Transfer{
		Kind: record.Control, Endpoint: r.Type & 0x80, Asked: asked, Data: []byte(answer),
		Setup: [8]byte{r.Type, r.Request, byte(r.Value), byte(r.Value >> 8), byte(r.Index), byte(r.Index >> 8), byte(asked), byte(asked >> 8)},
	}
}

// Error numbers of Linux that the kernel ends transfers with.
const (
	stalls  = -32 // EPIPE
	babbles = -75 // EOVERFLOW
	breaks  = -71 // EPROTO
)

func scenes() map[string]scene {
	return map[string]scene{
		"list":        {at: readerAt, action: sceneList},
		"reader":      {at: readerAt, part: []record.Transfer{out("I\x00\x00"), in(specimen[:64]), in(specimen[64:])}, action: sceneReader},
		"whole":       {at: readerAt, part: []record.Transfer{in(specimen[:64])}, action: sceneWhole},
		"nothing":     {at: readerAt, part: []record.Transfer{in(""), in(""), in("line")}, action: sceneNothing},
		"gap":         {at: gapAt, part: []record.Transfer{{Kind: record.Interrupt, Endpoint: 0x81, Asked: packetSize, Data: []byte("line")}}, action: sceneGap},
		"printer":     {at: printerAt, part: printing(), action: scenePrinter},
		"stall":       {at: readerAt, part: stalling(), action: sceneStall},
		"babble":      {at: readerAt, part: []record.Transfer{fails(in(""), babbles)}, action: sceneBabble},
		"breaks":      {at: readerAt, part: []record.Transfer{fails(in(""), breaks)}, action: sceneBreaks},
		"unplugged":   {at: readerAt, part: []record.Transfer{in("line"), fails(in(""), breaks)}, action: sceneUnplugged},
		"deadlines":   {at: readerAt, action: sceneDeadlines},
		"suite":       {at: readerAt, action: sceneSuite},
		"cycles":      {at: readerAt, action: sceneCycles},
		"nonsense":    {at: readerAt, add: nonsense(), action: sceneNonsense},
		"recording":   {at: readerAt, lines: recorded, action: sceneRecording},
		"log-is-slog": {at: readerAt, add: doubled(), action: sceneLog},
	}
}

// TestReplayed drives libusb itself against devices that umockdev plays: each
// scene is a process of its own, which sees them and nothing else.
func TestReplayed(t *testing.T) {
	if name := os.Getenv("COUNTERPROOF_USB_SCENE"); name != "" {
		h, err := Config{Sys: os.Getenv("UMOCKDEV_DIR") + "/sys"}.Open()
		if err != nil {
			t.Fatal(err)
		}
		scenes()[name].action(t, h)
		if err := h.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
		return
	}
	umockdev, err := exec.LookPath("umockdev-run")
	if err != nil {
		t.Skip("SKIPPED: libusb is not tested against played devices: umockdev-run is missing (Debian: umockdev)")
	}
	for name, s := range scenes() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			world, part := filepath.Join(dir, "world.umockdev"), filepath.Join(dir, "part.pcap")
			stage(t, s, world, part)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, umockdev, "-d", world, "-p", "/sys/devices/pci0000:00/0000:00:14.0/usb1/"+s.at+"="+part,
				"--", os.Args[0], "-test.run=^TestReplayed$", "-test.v")
			cmd.Env = append(os.Environ(), "COUNTERPROOF_USB_SCENE="+name)
			said, err := cmd.CombinedOutput()
			if err != nil || !strings.Contains(string(said), "--- PASS: TestReplayed") {
				t.Errorf("%v\n%s", err, said)
			}
		})
	}
}

// stage writes what umockdev plays.
func stage(tb testing.TB, s scene, world, part string) {
	tb.Helper()
	var text strings.Builder
	address := 0
	for _, p := range append(counter(), s.add...) {
		text.WriteString(p.String())
		if p.at == s.at {
			address = p.address
		}
	}
	if err := os.WriteFile(world, []byte(text.String()), 0o600); err != nil {
		tb.Fatal(err)
	}
	f, err := os.Create(part)
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	for i := range s.part {
		s.part[i].At = time.Duration(i+1) * time.Millisecond
	}
	wire := record.Wire{Bus: 1, Address: uint8(address), In: 0x82, Out: 0x01, Packet: packetSize}
	if s.lines != "" {
		rec, err := record.Parse(strings.NewReader(s.lines))
		if err != nil {
			tb.Fatal(err)
		}
		if err := rec.Capture(f, wire); err != nil {
			tb.Fatal(err)
		}
		return
	}
	if err := record.WriteCapture(f, wire, s.part); err != nil {
		tb.Fatal(err)
	}
}

func openAt(tb testing.TB, h *Host, place string, number int) *Port {
	tb.Helper()
	p, err := h.Open(tb.Context(), place, number)
	if err != nil {
		tb.Fatalf("opening %s: %v", place, err)
	}
	return p
}

// wantRead reads until it has all, and no byte more.
func wantRead(tb testing.TB, p *Port, want string) {
	tb.Helper()
	b := make([]byte, 500)
	ctx, cancel := context.WithTimeout(tb.Context(), 5*time.Second)
	defer cancel()
	got := ""
	for len(got) < len(want) {
		n, err := p.Read(ctx, b)
		if err != nil {
			tb.Errorf("read %d bytes and %v, want %d", len(got), err, len(want))
			return
		}
		got += string(b[:n])
	}
	if got != want {
		tb.Errorf("read %q, want %q", got, want)
	}
}

func sceneList(t *testing.T, h *Host) {
	all, err := h.List()
	if err != nil || len(all) != 4 {
		t.Fatalf("got %+v and %v", all, err)
	}
	d := all[0]
	if d.PortPath != readerAt || d.Address != 4 || d.Vendor != 0x1209 || d.Product != 1 || d.Class != 0xff || d.Configuration != 1 {
		t.Errorf("got %+v", d)
	}
	if d.Serial != "A7" || d.Manufacturer != "Counter Ltd" || d.Name != "Reader" || all[2].Serial != d.Serial {
		t.Errorf("the reader calls itself %q, %q, %q", d.Serial, d.Manufacturer, d.Name)
	}
	if i := d.Interfaces[0]; i.In != (Endpoint{Address: 0x82, Packet: 64}) || i.Out != (Endpoint{Address: 0x01, Packet: 64}) {
		t.Errorf("its interface is %+v", i)
	}
	if i := all[3].Interfaces[0]; i.Number != 2 || !i.In.Interrupt || i.In.Interval == 0 || i.Out.Packet != 0 {
		t.Errorf("the interface of number 2 is %+v", i)
	}
	_, err = h.Open(t.Context(), "1-9", 0)
	wantKind(t, "opening nothing", err, devices.Missing)
	_, err = h.Open(t.Context(), readerAt, 1)
	wantKind(t, "opening no interface", err, devices.Unsupported)
	mine, other := openAt(t, h, readerAt, 0), openAt(t, h, twinAt, 0) // equal but for the place
	if mine.Device().Address != 4 || other.Device().Address != 6 {
		t.Errorf("opened %d and %d", mine.Device().Address, other.Device().Address)
	}
}

func sceneReader(t *testing.T, h *Host) {
	p := openAt(t, h, readerAt, 0)
	if err := p.Write(t.Context(), []byte("I\x00\x00")); err != nil {
		t.Error(err)
	}
	wantRead(t, p, specimen)
}

// recorded is what a counter sent in, for a reader that misbehaves.
const recorded = `{"recording":1,"clear":true}
{"t":1000,"dir":"out","hex":"490000","len":3}
{"t":31000,"dir":"in","hex":"49005a503c55544f","len":8}
{"t":32000,"dir":"out","hex":"43000101","len":4}
{"t":40000,"dir":"in","hex":"43000101","len":4}
`

// sceneRecording: a recording that is played to libusb gives the same recording.
func sceneRecording(t *testing.T, h *Host) {
	var to strings.Builder
	p := record.Wrap(openAt(t, h, readerAt, 0), &to, record.Options{Clear: true})
	b := make([]byte, 100)
	for _, command := range []string{"I\x00\x00", "C\x00\x01\x01"} {
		if err := p.Write(t.Context(), []byte(command)); err != nil {
			t.Error(err)
		}
		if _, err := p.Read(t.Context(), b); err != nil {
			t.Error(err)
		}
	}
	times := regexp.MustCompile(`"t":[0-9]+`)
	if got, want := times.ReplaceAllString(to.String(), ""), times.ReplaceAllString(recorded, ""); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

// sceneWhole: a message of just a packet does not wait for the next.
func sceneWhole(t *testing.T, h *Host) { wantRead(t, openAt(t, h, readerAt, 0), specimen[:64]) }

func sceneNothing(t *testing.T, h *Host) { wantRead(t, openAt(t, h, readerAt, 0), "line") }

func sceneGap(t *testing.T, h *Host) { wantRead(t, openAt(t, h, gapAt, 2), "line") }

const printerID = "MFG:Counter;CMD:ESC/POS;MDL:Slip;CLS:PRINTER;"

func printing() []record.Transfer {
	i := Interface{}
	return []record.Transfer{
		asks(DeviceIDRequest(i), MaxID, "\x00\x2f"+printerID), asks(PortStatusRequest(i), 1, "\x18"),
		asks(SoftResetRequest(i), 0, ""), out("\x1b@Slip\n"),
	}
}

func scenePrinter(t *testing.T, h *Host) {
	p := openAt(t, h, printerAt, 0)
	if id, err := p.DeviceID(t.Context()); err != nil || id != printerID {
		t.Errorf("it says that it is %q, %v", id, err)
	}
	if s, err := p.Status(t.Context()); err != nil || s != 0x18 {
		t.Errorf("it says that it is %#x, %v", s, err)
	}
	if err := errors.Join(p.SoftReset(t.Context()), p.Write(t.Context(), []byte("\x1b@Slip\n"))); err != nil {
		t.Error(err)
	}
}

func stalling() []record.Transfer {
	return []record.Transfer{
		fails(in(""), stalls), asks(Request{Type: 0x02, Request: 1, Index: 0x82}, 0, ""), in("line"),
		fails(in(""), stalls), asks(Request{Type: 0x02, Request: 1, Index: 0x82}, 0, ""), fails(in(""), stalls),
	}
}

func sceneStall(t *testing.T, h *Host) {
	p := openAt(t, h, readerAt, 0)
	wantRead(t, p, "line")
	_, err := p.Read(t.Context(), make([]byte, 64))
	wantKind(t, "a stall that stays", err, devices.Protocol)
}

func sceneBabble(t *testing.T, h *Host) {
	_, err := openAt(t, h, readerAt, 0).Read(t.Context(), make([]byte, 64))
	wantKind(t, "too much", err, devices.Protocol)
}

func sceneBreaks(t *testing.T, h *Host) {
	_, err := openAt(t, h, readerAt, 0).Read(t.Context(), make([]byte, 64))
	wantKind(t, "a broken transfer of a device that is there", err, devices.Protocol)
}

func sceneUnplugged(t *testing.T, h *Host) {
	p := openAt(t, h, readerAt, 0)
	wantRead(t, p, "line")
	if err := os.RemoveAll(filepath.Join(os.Getenv("UMOCKDEV_DIR"), "sys/devices/pci0000:00/0000:00:14.0/usb1", readerAt)); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	_, err := p.Read(t.Context(), make([]byte, 64))
	wantKind(t, "reading", err, devices.Gone)
	wantKind(t, "writing", p.Write(t.Context(), []byte("x")), devices.Gone)
	if took := time.Since(began); took > time.Second {
		t.Errorf("it took %v", took)
	}
}

func sceneDeadlines(t *testing.T, h *Host) {
	p := openAt(t, h, readerAt, 0)
	for _, wait := range []time.Duration{0, time.Millisecond, 100 * time.Millisecond} {
		ctx, cancel := context.WithTimeout(t.Context(), wait)
		began := time.Now()
		_, err := p.Read(ctx, make([]byte, 64))
		cancel()
		wantKind(t, "reading", err, devices.Cancelled)
		if took := time.Since(began); took < wait || took > wait+time.Second {
			t.Errorf("a deadline of %v took %v", wait, took)
		}
	}
}

// sceneSuite: nobody can let a played device act by program, so the suite looks
// at deadlines, closing and what is left behind.
func sceneSuite(t *testing.T, h *Host) {
	devicetest.RunPort(t, devicetest.Real, func(tb testing.TB) devicetest.PortRig {
		p := openAt(tb, h, readerAt, 0)
		tb.Cleanup(func() { _ = p.Close() })
		return devicetest.PortRig{Port: p}
	})
}

// sceneCycles: opening and closing leaves no descriptor and no goroutine, also
// where a Read waits.
func sceneCycles(t *testing.T, h *Host) {
	cycle := func() {
		p := openAt(t, h, readerAt, 0)
		ended := make(chan error, 1)
		go func() {
			_, err := p.Read(t.Context(), make([]byte, 64))
			ended <- err
		}()
		if _, err := h.List(); err != nil {
			t.Error(err)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		wantKind(t, "the Read", <-ended, devices.Gone)
	}
	cycle()
	files, goroutines := opened(t), runtime.NumGoroutine()
	for range 50 {
		cycle()
	}
	if now := opened(t); now > files {
		t.Errorf("%d descriptors are open, before it were %d", now, files)
	}
	if now := runtime.NumGoroutine(); now > goroutines {
		t.Errorf("%d goroutines run, before it were %d", now, goroutines)
	}
}

// opened counts this process's open descriptors.
func opened(tb testing.TB) int {
	tb.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		tb.Fatal(err)
	}
	return len(all)
}

// nonsense has an interface, another, and the first again: gousb panics on it.
func nonsense() []played {
	return []played{{at: "1-6", address: 8, vendor: 0x1209, product: 9, interfaces: [][]byte{
		descriptor(0, 0xff, 0, 0), descriptor(1, 0xff, 0, 0), descriptor(0, 0xff, 0, 0),
	}}}
}

// sceneNonsense: the program lives, and nothing is opened whose handle would be
// lost.
func sceneNonsense(t *testing.T, h *Host) {
	log.SetOutput(io.Discard)
	_, err := h.List()
	wantKind(t, "listing", err, devices.Protocol)
	_, err = h.Open(t.Context(), readerAt, 0)
	wantKind(t, "opening another beside it", err, devices.Protocol)
}

// doubled has an interface with a setting that is there twice.
func doubled() []played {
	return []played{{at: "1-6", address: 8, vendor: 0x1209, product: 9, interfaces: [][]byte{descriptor(0, 0xff, 0, 0), descriptor(0, 0xff, 0, 0)}}}
}

// sceneLog: what gousb tells the standard logger comes to a program's own.
func sceneLog(t *testing.T, h *Host) {
	var to strings.Builder
	slog.SetDefault(slog.New(slog.NewJSONHandler(&to, nil)))
	if _, err := h.List(); err != nil {
		t.Error(err)
	}
	if !strings.Contains(to.String(), "gousb will use only the first one") {
		t.Errorf("the program's log has %q", to.String())
	}
}

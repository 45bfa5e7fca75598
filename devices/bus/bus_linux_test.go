package bus

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/devicetest"
	"github.com/counterproof/counterproof/devices/profile"
)

// plugs is a folder that looks as the kernel's.
type plugs struct {
	t        testing.TB
	dir      string
	profiles string
	log      bytes.Buffer
}

func newPlugs(t testing.TB) *plugs {
	t.Helper()
	p := &plugs{t: t, dir: t.TempDir(), profiles: t.TempDir()}
	p.folder("bus/usb/devices")
	return p
}

func (p *plugs) folder(path string) string {
	p.t.Helper()
	dir := filepath.Join(p.dir, path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		p.t.Fatal(err)
	}
	return dir
}

func (p *plugs) write(path, text string) {
	p.t.Helper()
	p.folder(filepath.Dir(path))
	if err := os.WriteFile(filepath.Join(p.dir, path), []byte(text), 0o644); err != nil {
		p.t.Fatal(err)
	}
}

func (p *plugs) link(path, to string) {
	p.t.Helper()
	p.folder(filepath.Dir(path))
	target, err := filepath.Rel(filepath.Join(p.dir, filepath.Dir(path)), filepath.Join(p.dir, to))
	if err == nil {
		err = os.Symlink(target, filepath.Join(p.dir, path))
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

// gadget is a USB device with one interface, and the node that stands for it.
type gadget struct {
	port, vendor, product, serial, name string
	class                               string // "02/02/01"
	node                                string // "tty/ttyACM0", "" for none
	more                                map[string]string
}

// plug plugs a device in.
func (p *plugs) plug(g gadget) {
	p.t.Helper()
	device := "devices/pci0000:00/usb3/" + g.port
	for name, text := range map[string]string{
		"idVendor": g.vendor, "idProduct": g.product, "serial": g.serial, "product": g.name, "manufacturer": "Invented Works",
	} {
		p.write(device+"/"+name, text+"\n")
	}
	iface := device + "/" + g.port + ":1.0"
	p.write(iface+"/bInterfaceNumber", "00\n")
	for i, name := range []string{"bInterfaceClass", "bInterfaceSubClass", "bInterfaceProtocol"} {
		p.write(iface+"/"+name, strings.Split(g.class, "/")[i]+"\n")
	}
	p.link("bus/usb/devices/"+g.port, device)
	p.link("bus/usb/devices/"+g.port+":1.0", iface)
	holder := iface
	if strings.HasPrefix(g.node, "hidraw/") {
		holder = iface + "/0003:0001"
		p.folder(holder)
	}
	for name, text := range g.more {
		if strings.HasPrefix(name, "node/") {
			p.write(holder+"/"+g.node+"/"+strings.TrimPrefix(name, "node/"), text)
			continue
		}
		p.write(holder+"/"+name, text)
	}
	if g.node == "" {
		return
	}
	p.folder(holder + "/" + g.node)
	p.link(holder+"/"+g.node+"/device", holder)
	p.link("class/"+g.node, holder+"/"+g.node)
}

// pull pulls it out.
func (p *plugs) pull(g gadget) {
	p.t.Helper()
	err := os.RemoveAll(filepath.Join(p.dir, "devices/pci0000:00/usb3", g.port))
	for _, link := range []string{"bus/usb/devices/" + g.port, "bus/usb/devices/" + g.port + ":1.0", "class/" + g.node} {
		if g.node != "" || !strings.HasPrefix(link, "class/") {
			err = errors.Join(err, os.Remove(filepath.Join(p.dir, link)))
		}
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

// scannerDescriptor is the beginning of a barcode scanner's report descriptor.
const scannerDescriptor = "\x05\x8c\x09\x02\xa1\x01\x85\x02"

// The invented devices.
var (
	reader  = gadget{port: "3-1", vendor: "1234", product: "5678", serial: "R1", name: "Passport reader", class: "02/02/01", node: "tty/ttyACM0"}
	scanner = gadget{port: "3-2.4", vendor: "05f9", product: "2206", serial: "S/1 #\x01é", name: "Scanner", class: "03/00/00", node: "hidraw/hidraw0",
		more: map[string]string{"report_descriptor": scannerDescriptor}}
	camera = gadget{port: "3-3", vendor: "046d", product: "0825", name: "Camera", class: "0e/01/00", node: "video4linux/video0",
		more: map[string]string{"node/index": "0\n", "node/name": "Camera: a\n"}}
	figures = gadget{port: "3-8", vendor: "046d", product: "0825", name: "Camera's figures", class: "0e/01/00", node: "video4linux/video1",
		more: map[string]string{"node/index": "1\n"}}
	slips = gadget{port: "3-4", vendor: "04b8", product: "0202", serial: "P9", name: "TM-T20", class: "07/01/02", node: "usbmisc/lp0",
		more: map[string]string{"ieee1284_id": "MFG:EPSON;CMD:ESC/POS;MDL:TM-T20;"}}
	bare     = gadget{port: "3-5", vendor: "04b8", product: "0202", serial: "P10", name: "TM-T20", class: "07/01/02"}
	splitter = gadget{port: "3-6", vendor: "1d6b", product: "0002", name: "Hub", class: "09/00/00"}
	wedge    = gadget{port: "3-7", vendor: "0c2e", product: "0b61", name: "Wedge", class: "03/01/01", node: "hidraw/hidraw1",
		more: map[string]string{"report_descriptor": "\x05\x01\x09\x06\xa1\x01"}}
)

// opened is an opened device that can nothing but close.
type opened struct{ Thing }

func (opened) Close() error { return nil }

// source is a source of these plugs.
func (p *plugs) source() *Source {
	s := New(Config{Sys: p.dir, Dev: "/dev", Profiles: p.profiles, Log: slog.New(slog.NewTextHandler(&p.log, nil))})
	s.open = func(_ context.Context, t Thing) (io.Closer, error) { return opened{t}, nil }
	return s
}

// pin writes a site's profile.
func (p *plugs) pin(name, text string) {
	p.t.Helper()
	if err := os.WriteFile(filepath.Join(p.profiles, name), []byte(text), 0o644); err != nil {
		p.t.Fatal(err)
	}
}

const readerPin = `{"id": "our-reader", "like": "elyctis-idbox", "match": [{"bus": "serial", "vendor": "1234", "product": "5678"}]}`

// ids are the devices that may be used.
func ids(t testing.TB, s *Source) (out []devices.ID) {
	t.Helper()
	list, err := s.Devices(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range list {
		out = append(out, d.ID)
	}
	return out
}

func TestFinds(t *testing.T) {
	t.Parallel()
	p := newPlugs(t)
	for _, g := range []gadget{reader, scanner, camera, figures, slips, bare, splitter, wedge} {
		p.plug(g)
	}
	p.pin("reader.json", readerPin)
	s := p.source()
	want := []devices.ID{
		"usb:3-1/1234:5678/R1", "usb:3-2.4/05f9:2206/S1", "usb:3-3/046d:0825", "usb:3-4/04b8:0202/P9", "usb:3-5/04b8:0202/P10",
		"usb:3-7/0c2e:0b61", // which is refused
	}
	if got := ids(t, s); !slices.Equal(got, want) {
		t.Fatalf("found %q, want %q", got, want)
	}
	for id, c := range map[devices.ID]struct {
		profile, node string
		can           devices.Capability
	}{
		want[0]: {"our-reader", "/dev/ttyACM0", devices.CanReadMRZ}, want[1]: {"hidpos", "/dev/hidraw0", devices.CanReadBarcode},
		want[2]: {"uvc", "/dev/video0", devices.CanFilm}, want[3]: {"escpos", "/dev/usb/lp0", devices.CanPrint},
		want[4]: {"escpos", "", devices.CanPrint},
	} {
		o, err := s.Open(t.Context(), id)
		if err != nil {
			t.Errorf("%s: %v", id, err)
			continue
		}
		thing := o.(opened)
		if thing.Profile.ID != c.profile || thing.Node != c.node || thing.Profile.Can[0] != c.can {
			t.Errorf("%s is a %s at %q that can %s; want %+v", id, thing.Profile.ID, thing.Node, thing.Profile.Can, c)
		}
	}
	if d, err := s.Devices(t.Context()); err != nil || d[3].Name != "TM-T20" || d[3].Training {
		t.Errorf("the printer is %+v, %v", d[3], err)
	}
}

// TestNotOpened: what no profile fits, and what a profile refuses, is listed for
// the doctor and never opened.
func TestNotOpened(t *testing.T) {
	t.Parallel()
	p := newPlugs(t)
	p.plug(wedge)
	p.plug(reader) // nobody pinned it
	s := p.source()
	things, err := s.Things()
	if err != nil || len(things) != 2 {
		t.Fatalf("%d things, %v", len(things), err)
	}
	if things[0].Known || things[0].Vendor != 0x1234 || things[0].Manufacturer != "Invented Works" {
		t.Errorf("the reader is %+v", things[0])
	}
	if !things[1].Known || things[1].Profile.Hint == "" {
		t.Errorf("the wedge has no hint: %+v", things[1].Profile)
	}
	for _, thing := range things {
		o, err := s.Open(t.Context(), thing.ID)
		if o != nil || devices.KindOf(err) != devices.Unsupported || !strings.Contains(err.Error(), thing.Refused()) {
			t.Errorf("%s is opened, or does not say why not: %v", thing.ID, err)
		}
	}
	if a, b := things[0].Refused(), things[1].Refused(); a != "" || b != "keyboard_wedge_honeywell" {
		t.Errorf("they are refused by %q and %q", a, b)
	}
	list, err := s.Devices(t.Context())
	if err != nil || len(list) != 1 || list[0].ID != "usb:3-7/0c2e:0b61" || list[0].Kind != devices.Unsupported {
		t.Errorf("listed are %+v, %v; want the wedge alone, as one that cannot be used", list, err)
	}
}

// TestTwins: two equal readers with the same serial number are two devices, and
// stay who they are when the kernel counts them the other way round.
func TestTwins(t *testing.T) {
	t.Parallel()
	one, two := reader, reader
	two.port = "3-9"
	names := func(first, second gadget) (out []string) {
		p := newPlugs(t)
		p.pin("reader.json", readerPin)
		first.node, second.node = "tty/ttyACM0", "tty/ttyACM1"
		p.plug(first)
		p.plug(second)
		s := p.source()
		for _, id := range ids(t, s) {
			o, err := s.Open(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, fmt.Sprintf("%s at %s", id, o.(opened).PortPath))
		}
		return out
	}
	want := []string{"usb:3-1/1234:5678/R1 at 3-1", "usb:3-9/1234:5678/R1 at 3-9"}
	if a, b := names(one, two), names(two, one); !slices.Equal(a, want) || !slices.Equal(b, want) {
		t.Errorf("they are %q, the other way round %q; want %q", a, b, want)
	}
}

// TestMissingRule: a device that may not be opened names the rule that is
// missing.
func TestMissingRule(t *testing.T) {
	t.Parallel()
	p := newPlugs(t)
	p.plug(slips)
	s := p.source()
	s.open = func(context.Context, Thing) (io.Closer, error) { return nil, &devices.Fault{Kind: devices.Permission} }
	_, err := s.Open(t.Context(), "usb:3-4/04b8:0202/P9")
	f, ok := errors.AsType[*devices.Fault](err)
	if !ok || f.Kind != devices.Permission || f.Rule == "" || f.Device != "usb:3-4/04b8:0202/P9" {
		t.Errorf("got %+v", err)
	}
}

func TestSource(t *testing.T) {
	t.Parallel()
	devicetest.RunSource(t, devicetest.Real, func(tb testing.TB) devicetest.SourceRig {
		p := newPlugs(tb)
		p.plug(camera)
		s := p.source()
		s.open = func(context.Context, Thing) (io.Closer, error) { return film{}, nil }
		return devicetest.SourceRig{
			Source: s, ID: "usb:3-3/046d:0825", Unplug: func() { p.pull(camera) }, Plug: func() { p.plug(camera) },
		}
	})
}

// film is a camera that films nothing.
type film struct{ devices.NoDevice }

func (film) Close() error { return nil }

// TestProfileAtRunTime: a site's file works without a restart, and one that is
// wrong takes no other with it.
func TestProfileAtRunTime(t *testing.T) {
	t.Parallel()
	p := newPlugs(t)
	p.plug(reader)
	s := p.source()
	if got := ids(t, s); len(got) != 0 {
		t.Fatalf("without a profile there is %q", got)
	}
	told := make(chan devices.ID, 16)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- s.Watch(ctx, func(id devices.ID) { told <- id }) }()
	p.pin("broken.json", `{"id": "broken", "transport": "telepathy"}`)
	p.pin("reader.json", readerPin)
	select {
	case <-told:
	case <-time.After(10 * time.Second):
		t.Fatal("nobody is told of the new profile")
	}
	if got := ids(t, s); len(got) != 1 {
		t.Errorf("with a profile there is %q", got)
	}
	if _, problems := s.Profiles(); len(problems) != 1 || !strings.Contains(problems[0], "broken.json") {
		t.Errorf("the problems are %q", problems)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if !strings.Contains(p.log.String(), "broken.json") {
		t.Error("the broken file is not told")
	}
}

// TestNamedBySite: a scanner that no bus lists is there because the site names
// it, and only then.
func TestNamedBySite(t *testing.T) {
	t.Parallel()
	p := newPlugs(t)
	s := p.source()
	if got := ids(t, s); len(got) > 0 {
		t.Fatalf("without a name there is %q", got)
	}
	p.pin("net.json", `{"id": "our-flatbed", "like": "escl", "match": [{"bus": "net", "port_path": "192.0.2.7:80"}]}`)
	p.pin("sane.json", `{"id": "our-sheet-feeder", "like": "sane", "match": [{"bus": "sane", "name": "test:0"}]}`)
	if got, want := ids(t, s), []devices.ID{"net:192.0.2.7:80", "sane:test:0"}; !slices.Equal(got, want) {
		_, problems := s.Profiles()
		t.Fatalf("there is %q, want %q; %q", got, want, problems)
	}
	o, err := s.Open(t.Context(), "net:192.0.2.7:80")
	if err != nil || o.(opened).Node != "http://192.0.2.7:80/eSCL" {
		t.Errorf("opened %+v, %v", o, err)
	}
}

func TestFolderOfProfiles(t *testing.T) {
	t.Parallel()
	p := newPlugs(t)
	p.pin("large.json", strings.Repeat(" ", maxProfileFile+1))
	p.pin("notes.txt", "no profile")
	if own, problems := readProfiles(p.profiles); len(own) != 0 || len(problems) != 1 {
		t.Errorf("read %d, problems %q", len(own), problems)
	}
	if own, problems := readProfiles(filepath.Join(p.profiles, "none")); len(own)+len(problems) != 0 {
		t.Errorf("of no folder: %d, %q", len(own), problems)
	}
}

// TestHears: what the kernel tells is told of the devices at the place, and what
// this program causes is not.
func TestHears(t *testing.T) {
	t.Parallel()
	p := newPlugs(t)
	p.plug(slips)
	p.plug(camera)
	s := p.source()
	ids(t, s)
	hears := func(e uevent) (told []devices.ID) {
		s.hear(e, func(id devices.ID) { told = append(told, id) })
		return told
	}
	gone := uevent{"remove", "/devices/pci0000:00/usb3/3-4/3-4:1.0/usbmisc/lp0", "usbmisc"}
	if got := hears(gone); !slices.Equal(got, []devices.ID{"usb:3-4/04b8:0202/P9"}) {
		t.Errorf("told %q", got)
	}
	for name, e := range map[string]uevent{
		"unknown-place": {"add", "/devices/pci0000:00/usb3/3-77", "usb"},
		"no-usb":        {"add", "/devices/virtual/net/lo", "net"},
		"change":        {"change", gone.path, "usbmisc"},
	} {
		if got := hears(e); len(got) > 0 {
			t.Errorf("%s: told %q", name, got)
		}
	}
	s.Stirs("3-4")
	if got := hears(gone); len(got) > 0 {
		t.Errorf("of its own doing it tells %q", got)
	}
	s.ours["3-4"] = time.Now().Add(-time.Second)
	if got := hears(gone); len(got) != 1 {
		t.Errorf("later it tells %q", got)
	}
}

func TestUevents(t *testing.T) {
	t.Parallel()
	e, ok := parseUevent([]byte("remove@/devices/usb3/3-1.2/3-1.2:1.0/tty/ttyACM0\x00ACTION=remove\x00SUBSYSTEM=tty\x00DEVNAME=ttyACM0\x00"))
	if !ok || e.action != "remove" || e.subsystem != "tty" || e.portPath() != "3-1.2" || !e.matters() {
		t.Errorf("got %+v, %t, at %q", e, ok, e.portPath())
	}
	for name, b := range map[string]string{"empty": "", "of-udev": "libudev\x00\xfe\xed", "no-place": "add@", "relative": "add@devices"} {
		if e, ok := parseUevent([]byte(b)); ok {
			t.Errorf("%s: taken as %+v", name, e)
		}
	}
	if got := (uevent{path: "/devices/virtual/tty/tty1"}).portPath(); got != "" {
		t.Errorf("a console is at %q", got)
	}
}

func FuzzUevent(f *testing.F) {
	f.Add([]byte("add@/devices/usb3/3-1\x00SUBSYSTEM=usb\x00"))
	f.Add([]byte("add@/\x00=\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if e, ok := parseUevent(b); ok {
			if place := e.portPath(); place != "" && !port.MatchString(place) {
				t.Errorf("a place is %q", place)
			}
		}
	})
}

func TestUsage(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		descriptor string
		page, use  uint16
	}{
		"scanner":        {scannerDescriptor, 0x8c, 2},
		"keyboard":       {"\x05\x01\x09\x06\xa1\x01", 1, 6},
		"extended-usage": {"\x0b\x02\x00\x8c\x00\xa1\x01", 0x8c, 2},
		"long-item":      {"\xfe\x02\x10ab\x05\x8c\x09\x02\xa1\x01", 0x8c, 2},
		"no-collection":  {"\x05\x8c\x09\x02", 0, 0},
		"cut":            {"\x06\x8c", 0, 0},
		"cut-long":       {"\xfe\xff\x10", 0, 0},
		"empty":          {"", 0, 0},
	} {
		if page, use := usage([]byte(c.descriptor)); page != c.page || use != c.use {
			t.Errorf("%s: got %#x %#x, want %#x %#x", name, page, use, c.page, c.use)
		}
	}
}

func FuzzUsage(f *testing.F) {
	f.Add([]byte(scannerDescriptor))
	f.Add([]byte("\xfe\x02\x10ab"))
	f.Fuzz(func(t *testing.T, b []byte) { usage(b) })
}

// TestHostileDevice: what a device says of itself goes into no name as it is.
func TestHostileDevice(t *testing.T) {
	t.Parallel()
	f := profile.Found{Bus: profile.BusUSB, PortPath: "3-1", Vendor: 1, Product: 2, Interface: 3, Serial: strings.Repeat("../\x1b[2J\u202e", 99)}
	got := string(id(f))
	if len(got) > 120 || strings.ContainsAny(got, "\x1b\u202e ") || strings.Count(got, "/") != 2 || !strings.HasSuffix(got, "#3") {
		t.Errorf("it is named %q", got)
	}
	if got := id(profile.Found{Bus: profile.BusSerial, PortPath: "ttyS0"}); got != "serial:ttyS0" {
		t.Errorf("a soldered line is %q", got)
	}
	if got := id(profile.Found{Bus: profile.BusNet, PortPath: "192.0.2.7:80"}); got != "net:192.0.2.7:80" {
		t.Errorf("a scanner in the network is %q", got)
	}
}

func TestNoKernel(t *testing.T) {
	t.Parallel()
	s := New(Config{Sys: filepath.Join(t.TempDir(), "none")})
	if _, err := s.Devices(t.Context()); devices.KindOf(err) != devices.Unsupported {
		t.Errorf("got %v", err)
	}
	if _, err := s.Open(t.Context(), "usb:1-1"); devices.KindOf(err) != devices.Missing {
		t.Errorf("got %v", err)
	}
}

package profile

import (
	"fmt"
	"slices"
	"testing"

	"github.com/counterproof/counterproof/devices"
	"pgregory.net/rapid"
)

// TestEmbeddedMatches holds which thing is taken for what.
func TestEmbeddedMatches(t *testing.T) {
	t.Parallel()
	set := Embedded()
	printer := func(vendor uint16, id string) Found {
		return Found{Bus: BusUSB, PortPath: "1-4", Vendor: vendor, Product: 0x0202, Class: ClassOf(7, 1, 2), DeviceID: id}
	}
	scanner := func(vendor uint16, class Class, page, usage uint16) Found {
		return Found{Bus: BusHID, PortPath: "1-5", Vendor: vendor, Product: 0x0901, Class: class, UsagePage: page, Usage: usage}
	}
	const boot, plain = Class("03/01/01"), Class("03/00/00")
	for _, c := range []struct {
		name  string
		found Found
		want  string // id, "" for none
		hint  string
	}{
		{"scanner/any-maker", scanner(0x9999, plain, 0x8c, 2), "hidpos", ""},
		{"scanner/honeywell", scanner(0x0c2e, plain, 0x8c, 2), "honeywell-hidpos", ""},
		{"scanner/zebra", scanner(0x05e0, plain, 0x8c, 2), "hidpos", ""},
		{"scanner/access-is", scanner(0x0db5, plain, 0x8c, 2), "access-is", ""},
		{"scanner/access-is-module", Found{Bus: BusHID, Vendor: 0x0db5, Product: 0x013b, Class: plain}, "access-is", ""},
		{"scanner/symbol-own-report", Found{Bus: BusHID, Vendor: 0x05e0, Product: 0x0600, Class: plain, UsagePage: 0xff45}, "symbol-len0", ""},
		{"scanner/of-another-usage", scanner(0x9999, plain, 0x8c, 1), "", ""},
		{"keyboard/honeywell", scanner(0x0c2e, boot, 1, 6), "keyboard-wedge-honeywell", hintWedgeHoneywell},
		{"keyboard/honeywell-usb", Found{Bus: BusUSB, Vendor: 0x0c2e, Class: boot}, "keyboard-wedge-honeywell", hintWedgeHoneywell},
		{"keyboard/zebra-not-boot", scanner(0x05e0, plain, 1, 6), "keyboard-wedge-zebra", hintWedgeZebra},
		{"keyboard/zebra-of-the-own-report-model", Found{Bus: BusHID, Vendor: 0x05e0, Product: 0x0600, Class: boot, UsagePage: 1, Usage: 6}, "keyboard-wedge-zebra", hintWedgeZebra},
		{"keyboard/datalogic", scanner(0x05f9, boot, 1, 6), "keyboard-wedge-datalogic", hintWedgeDatalogic},
		{"keyboard/access-is", scanner(0x0db5, boot, 1, 6), "keyboard-wedge-access-is", hintWedgeAccessIS},
		{"keyboard/other-scanner-maker", scanner(0x23d0, boot, 1, 6), "keyboard-wedge", hintWedge},
		{"keyboard/of-the-counter", scanner(0x046d, boot, 1, 6), "", ""},
		{"mouse/of-the-counter", scanner(0x046d, "03/01/02", 1, 2), "", ""},
		{"printer/says-escpos", printer(0x9999, "MFG:ACME;CMD:ESC/POS;MDL:P1;"), "escpos", ""},
		{"printer/says-so-at-length", printer(0x9999, "MANUFACTURER:ACME;COMMAND SET: PCL, esc/pos ;"), "escpos", ""},
		{"printer/epson-receipt", printer(0x04b8, "MFG:EPSON;CMD:ESC/POS;MDL:TM-T20;"), "escpos", ""},
		{"printer/epson-silent", printer(0x04b8, ""), "escpos", ""},
		{"printer/epson-page", printer(0x04b8, "MFG:EPSON;CMD:ESCPL2,BDC,D4;MDL:XP-2100;"), "", ""},
		{"printer/star-own-commands", printer(0x0519, "MFG:Star;CMD:STAR;MDL:TSP143;"), "", ""},
		{"printer/laser", printer(0x03f0, "MFG:HP;CMD:PJL,PCL;"), "", ""},
		{"printer/silent-of-any-maker", printer(0x9999, ""), "", ""},
		{"printer/no-longer-word", printer(0x9999, "CMD:ESC/POSX;"), "", ""},
		{"camera/usb", Found{Bus: BusVideo, Vendor: 0x046d, Class: ClassOf(14, 1, 0)}, "uvc", ""},
		{"camera/pretended", Found{Bus: BusVideo, Name: "Dummy video device"}, "", ""},
		{"chip/listed", Found{Bus: BusPCSC, Name: "ACME Reader 00 00"}, "pcsc", ""},
		{"chip/usb", Found{Bus: BusUSB, Class: ClassOf(11, 0, 0)}, "pcsc", ""},
		{"document/network", Found{Bus: BusNet, PortPath: "192.0.2.7:80", Service: "_uscan._tcp"}, "escl", hintChooseDevice},
		{"document/sane", Found{Bus: BusSANE, Name: "epson2:libusb"}, "sane", hintChooseDevice},
		{"network/printer", Found{Bus: BusNet, Service: "_ipp._tcp"}, "", ""},
		{"serial/access-is-module", Found{Bus: BusSerial, Vendor: 0x0db5, Product: 0x0139}, "", ""},
		{"nothing", Found{}, "", ""},
	} {
		p, ok := set.Match(c.found)
		if p.ID != c.want || ok != (c.want != "") {
			t.Errorf("%s: got %q, want %q", c.name, p.ID, c.want)
		}
		if ok && (p.Hint != c.hint || p.Opens() != (c.hint == "")) {
			t.Errorf("%s: hint %q, opens %v; want %q", c.name, p.Hint, p.Opens(), c.hint)
		}
	}
}

// TestDeviceIDFields holds how a printer's id is read.
func TestDeviceIDFields(t *testing.T) {
	t.Parallel()
	for id, want := range map[string][]string{
		"":                            nil,
		"CMD:ESC/POS;":                {"ESC/POS"},
		"MFG:X;CMD:ESC/POS":           {"ESC/POS"},
		" cmd : A , B ;":              {"A", "B"},
		"COMMAND SET:A;CMD:B;":        {"A", "B"},
		"CMD:;":                       nil,
		"CMD":                         nil,
		"MFG:CMD;":                    nil,
		";;;:::CMD":                   nil,
		"XCMD:A;":                     nil,
		"CMD:A:B;":                    {"A:B"},
		"\x00\xff;CMD:A\x00;":         {"A\x00"},
		"COMMAND SET:PJL,ESC/POS,PCL": {"PJL", "ESC/POS", "PCL"},
	} {
		if got := field(id, "CMD"); !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", id, got, want)
		}
	}
}

func TestClassGroups(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		have, group Class
		want        bool
	}{
		{"07/01/02", "", true}, {"07/01/02", "07", true}, {"07/01/02", "07/01", true}, {"07/01/02", "07/01/02", true},
		{"07/01/02", "07/02", false}, {"07/01/02", "0", false}, {"07/01/02", "07/01/0", false}, {"", "07", false}, {"", "", true},
	} {
		if got := c.have.within(c.group); got != c.want {
			t.Errorf("%q within %q: got %v, want %v", c.have, c.group, got, c.want)
		}
	}
	if got := ClassOf(0x0e, 1, 0xff); got != "0e/01/ff" {
		t.Errorf("ClassOf: got %q", got)
	}
}

// word draws from few values, so that matches and things meet.
func word[T any](t *rapid.T, name string, values ...T) T {
	return rapid.SampledFrom(values).Draw(t, name)
}

func drawFound(t *rapid.T) Found {
	f := Found{
		Bus:       word(t, "bus", BusSerial, BusHID, BusUSB, BusVideo),
		PortPath:  word(t, "port", "1-1", "1-2", "2-1.4"),
		Vendor:    word[uint16](t, "vendor", 0x1001, 0x1002, 0x0403, 0x0c2e),
		Product:   word[uint16](t, "product", 0x2001, 0x2002, 0x6001),
		Serial:    word(t, "serial", "", "A", "B"),
		Class:     word(t, "class", Class("03/00/00"), "03/01/01", "07/01/02", "0e/01/00"),
		UsagePage: word[uint16](t, "page", 0, 0x8c, 1), Usage: word[uint16](t, "usage", 2, 6),
		DeviceID: word(t, "id", "", "CMD:ESC/POS;", "CMD:PCL;"),
	}
	return f
}

// drawMatch draws a part of what a thing says, so that it often fits it.
func drawMatch(t *rapid.T, f Found) Match {
	has := rapid.Bool()
	m := Match{Bus: f.Bus}
	if has.Draw(t, "by vendor") {
		m.Vendor = f.Vendor
		if has.Draw(t, "by product") {
			m.Product = f.Product
			if f.Serial != "" && has.Draw(t, "by number") {
				m.SerialNumber = f.Serial
			}
		}
	}
	if has.Draw(t, "by port") {
		m.PortPath = f.PortPath
	}
	if f.Bus != BusSerial && has.Draw(t, "by class") {
		m.Class = f.Class[:word(t, "class digits", 2, 5, 8)]
	}
	if f.Bus == BusHID && f.UsagePage != 0 && has.Draw(t, "by page") {
		m.UsagePage = f.UsagePage
		if has.Draw(t, "by usage") {
			m.Usage = f.Usage
		}
	}
	if f.Bus == BusUSB && f.DeviceID != "" && has.Draw(t, "by id") {
		m.DeviceID = f.DeviceID[:len(f.DeviceID)-1]
	}
	return m
}

// drawProfile draws a profile of a site; the set refuses some of them.
func drawProfile(t *rapid.T, i int, near Found) Profile {
	p := Profile{ID: fmt.Sprintf("site-%d", i), Name: "drawn", Status: Spec, Sources: []string{"drawn"}}
	switch near.Bus {
	case BusSerial:
		p.Transport, p.Can, p.Framing = OverSerial, []devices.Capability{devices.CanReadMRZ}, Framing{Name: "elyctis"}
	case BusHID:
		p.Transport, p.Can, p.Framing = OverHID, []devices.Capability{devices.CanReadBarcode}, Framing{Name: "hid-pos"}
	case BusUSB:
		p.Transport, p.Can, p.Framing = OverLP, []devices.Capability{devices.CanPrint}, Framing{Name: "escpos-status"}
	default:
		p.Transport, p.Can = OverVideo, []devices.Capability{devices.CanFilm}
	}
	for range rapid.IntRange(1, 3).Draw(t, "ways") {
		p.Match = append(p.Match, drawMatch(t, near))
	}
	return p
}

func drawSite(t *rapid.T) []Profile {
	var out []Profile
	for i := range rapid.IntRange(0, 6).Draw(t, "profiles") {
		out = append(out, drawProfile(t, i, drawFound(t)))
	}
	return out
}

// TestOrderNeverMatters holds that the same profiles in any order make the same
// set: the same answers, the same rules, the same problems.
func TestOrderNeverMatters(t *testing.T) {
	t.Parallel()
	base := Embedded()
	rapid.Check(t, func(t *rapid.T) {
		site := drawSite(t)
		if len(site) > 0 && rapid.Bool().Draw(t, "one twice") {
			again := site[0]
			again.Name = "drawn again"
			site = append(site, again)
		}
		site = append(site, Profile{ID: "site-0-like", Like: "site-0", Match: []Match{{Bus: BusSerial, PortPath: "1-1"}}})
		a, b := base.With(site...), base.With(rapid.Permutation(site).Draw(t, "order")...)
		if !slices.Equal(a.Problems(), b.Problems()) || string(a.Udev()) != string(b.Udev()) || a.Table() != b.Table() {
			t.Fatalf("another order is another set:\n%q\n%q", a.Problems(), b.Problems())
		}
		for range 8 {
			f := drawFound(t)
			p, pok := a.Match(f)
			q, qok := b.Match(f)
			if pok != qok || !same(p, q) {
				t.Fatalf("%+v is %q or %q", f, p.ID, q.ID)
			}
		}
	})
}

// TestMoreSpecificWins holds that of two that fit, the one that asks for all
// that the other asks and for more is taken, whoever wrote it and whatever it is
// called.
func TestMoreSpecificWins(t *testing.T) {
	t.Parallel()
	base := Embedded()
	rapid.Check(t, func(t *rapid.T) {
		f := drawFound(t)
		set := base.With(drawSite(t)...)
		p, ok := set.Match(f)
		if !ok {
			for _, q := range set.All() {
				if slices.ContainsFunc(q.Match, func(m Match) bool { return m.fits(f) }) {
					t.Fatalf("%q fits %+v and was not found", q.ID, f)
				}
			}
			return
		}
		for _, q := range set.All() {
			for _, m := range q.Match {
				if !m.fits(f) {
					continue
				}
				if !slices.ContainsFunc(p.Match, func(won Match) bool { return won.fits(f) && !asksMore(m, won) }) {
					t.Fatalf("%+v is %q, and %q asks for more: %+v", f, p.ID, q.ID, m)
				}
				if q.Site && !p.Site && slices.ContainsFunc(p.Match, func(won Match) bool { return won == m }) {
					t.Fatalf("%+v is %q, and the site's %q says the same", f, p.ID, q.ID)
				}
			}
		}
	})
}

// asksMore tells whether a asks for all that b asks for, and for more.
func asksMore(a, b Match) bool {
	covers := or(b.Vendor, a.Vendor) && or(b.Product, a.Product) && or(b.SerialNumber, a.SerialNumber) &&
		or(b.PortPath, a.PortPath) && or(b.UsagePage, a.UsagePage) && or(b.Usage, a.Usage) &&
		or(b.DeviceID, a.DeviceID) && or(b.NoCommandSet, a.NoCommandSet) && or(b.Service, a.Service) &&
		or(b.Name, a.Name) && a.Class.within(b.Class)
	return covers && a != b
}

// TestUnknownSerialPort holds the law that nothing is written to a port that no
// profile matched: neither the program nor any site's profile that is let
// through fits a port that it does not name.
func TestUnknownSerialPort(t *testing.T) {
	t.Parallel()
	base := Embedded()
	for _, vendor := range []uint16{0, 1, 0x0403, 0x067b, 0x0c2e, 0x0db5, 0x1a86, 0x10c4, 0xffff} {
		for _, product := range []uint16{0, 0x0139, 0x2303, 0x6001, 0x7523, 0xea60, 0xffff} {
			f := Found{Bus: BusSerial, Vendor: vendor, Product: product, PortPath: "1-1", Name: "USB Serial", Node: "/dev/ttyUSB0"}
			if p, ok := base.Match(f); ok {
				t.Errorf("%04x:%04x is taken for %q", vendor, product, p.ID)
			}
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		set := base.With(drawSite(t)...)
		f := drawFound(t)
		f.Bus = BusSerial
		p, ok := set.Match(f)
		if !ok {
			return
		}
		for _, m := range p.Match {
			_, cable := adapters[uint32(m.Vendor)<<16|uint32(m.Product)]
			if m.PortPath == "" && (m.Vendor == 0 || m.Product == 0 || cable && m.SerialNumber == "") {
				t.Fatalf("%+v fits ports that nobody named: %+v", p.ID, m)
			}
		}
	})
}

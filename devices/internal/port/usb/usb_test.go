package usb

import (
	"strings"
	"testing"
)

// reader is a device with a pair of bulk endpoints, in a place.
func reader(portPath string, address int) Device {
	return Device{
		PortPath: portPath, Address: address, Vendor: 0x1209, Product: 0x0001, Configuration: 1,
		Interfaces: []Interface{{
			Class: 0xff, In: Endpoint{Address: 0x81, Packet: packetSize}, Out: Endpoint{Address: 0x02, Packet: packetSize},
		}},
	}
}

func TestPortPath(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		bus   int
		ports []int
		want  string
	}{{1, []int{2}, "1-2"}, {3, []int{1, 4, 2}, "3-1.4.2"}, {12, []int{10}, "12-10"}, {1, nil, ""}} {
		if got := portPath(c.bus, c.ports); got != c.want {
			t.Errorf("bus %d, ports %v: got %q, want %q", c.bus, c.ports, got, c.want)
		}
	}
}

func TestPacket(t *testing.T) {
	t.Parallel()
	for told, want := range map[int]int{64: 64, 512: 512, 0: 0, 0x0c00 | 0x400: 2048, 0x1000 | 0x400: 3072, 0xffff: 0x7ff * 4} {
		if got := packet(told); got != want {
			t.Errorf("wMaxPacketSize %#x: got %d bytes, want %d", told, got, want)
		}
	}
}

func TestEndpoints(t *testing.T) {
	t.Parallel()
	bulk := func(a uint8) Endpoint { return Endpoint{Address: a, Packet: 64} }
	interrupt := func(a uint8) Endpoint { return Endpoint{Address: a, Packet: 64, Interrupt: true} }
	none := Endpoint{Address: 0x81}
	for name, c := range map[string]struct{ a, b, want Endpoint }{
		"bulk-before-interrupt": {interrupt(0x81), bulk(0x85), bulk(0x85)},
		"either-order":          {bulk(0x85), interrupt(0x81), bulk(0x85)},
		"lower-address":         {bulk(0x83), bulk(0x82), bulk(0x82)},
		"no-room":               {none, interrupt(0x83), interrupt(0x83)},
		"nothing-else":          {bulk(0x83), none, bulk(0x83)},
	} {
		if got := better(c.a, c.b); got != c.want {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}
}

// TestSettings: printers have one that only prints, one that answers too, and
// often a third with frames of its own (IEEE 1284.4).
func TestSettings(t *testing.T) {
	t.Parallel()
	in, out := Endpoint{Address: 0x82, Packet: 64}, Endpoint{Address: 0x01, Packet: 64}
	prints, both := Interface{Alternate: 0, Out: out}, Interface{Alternate: 1, In: in, Out: out}
	framed, sends := Interface{Alternate: 2, In: in, Out: out}, Interface{Alternate: 0, In: in}
	for name, c := range map[string]struct {
		settings []Interface
		want     int
	}{
		"both-ways":           {[]Interface{prints, both, framed}, 1},
		"any-order":           {[]Interface{framed, both, prints}, 1},
		"outward-then-inward": {[]Interface{{Alternate: 3, Out: out}, sends}, 3},
		"nothing":             {[]Interface{{Alternate: 0}, {Alternate: 4}}, 0},
	} {
		if got := choose(c.settings); got.Alternate != c.want {
			t.Errorf("%s: got setting %d, want %d", name, got.Alternate, c.want)
		}
	}
}

func TestConfiguration(t *testing.T) {
	t.Parallel()
	all := map[int]string{2: "", 1: "", 7: ""}
	for told, want := range map[int]int{0: 1, 2: 2, 7: 7, 9: 1} {
		if got := configuration(all, told); got != want {
			t.Errorf("told %d: got %d, want %d", told, got, want)
		}
	}
	if got := configuration(map[int]string{}, 3); got != 3 {
		t.Errorf("without any: got %d, want 3", got)
	}
}

func TestPrintable(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		" Slip Printer\n":             "Slip Printer",
		"A\x00B\x1b[31m\u202eC":       "AB[31mC",
		"caf\xc3\xa9 \xff":            "café",
		strings.Repeat("é", 200):      strings.Repeat("é", MaxText/2),
		strings.Repeat("\x01x", 1000): strings.Repeat("x", MaxText),
	} {
		if got := printable(in); got != want {
			t.Errorf("%.20q: got %q, want %q", in, got, want)
		}
	}
}

func FuzzPrintable(f *testing.F) {
	f.Add("Slip\x00")
	f.Add("\xff\u202e")
	f.Fuzz(func(t *testing.T, s string) {
		got := printable(s)
		if len(got) > MaxText || got != printable(got) || strings.ContainsAny(got, "\x00\x1b\n") {
			t.Errorf("%q gives %q", s, got)
		}
	})
}

package profile

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/counterproof/counterproof/devices"
)

// TestEmbedded holds what comes with the program: all of it readable, nothing
// that claims a trial that never was, nothing without a source.
func TestEmbedded(t *testing.T) {
	t.Parallel()
	set := Embedded()
	if bad := set.Problems(); len(bad) > 0 {
		t.Fatalf("profiles of the program are wrong: %q", bad)
	}
	var ids []string
	for _, p := range set.All() {
		ids = append(ids, p.ID)
		if p.Status != Spec {
			t.Errorf("%s: status %s, and no device has been seen", p.ID, p.Status)
		}
		if p.Site || p.Like != "" || len(p.Sources) == 0 {
			t.Errorf("%s: site %v, like %q, %d sources", p.ID, p.Site, p.Like, len(p.Sources))
		}
	}
	want := []string{
		"access-is", "desko-cute", "elyctis-idbox", "escl", "escpos", "hidpos", "honeywell-hidpos", "honeywell-ocr",
		"keyboard-wedge", "keyboard-wedge-access-is", "keyboard-wedge-datalogic", "keyboard-wedge-honeywell",
		"keyboard-wedge-zebra", "pcsc", "rte-native", "sane", "symbol-len0", "uvc",
	}
	if !slices.Equal(ids, want) {
		t.Errorf("got %q, want %q", ids, want)
	}
	files, err := os.ReadDir("readers")
	if err != nil || len(files) != len(want) {
		t.Errorf("%d files (%v), want one for each of %d profiles", len(files), err, len(want))
	}
	for _, f := range files {
		if p, ok := set.Find(strings.TrimSuffix(f.Name(), ".json")); !ok {
			t.Errorf("%s holds %q", f.Name(), p.ID)
		}
	}
}

// TestNothingInvented holds that readers whose ids no public list has wait for
// the site.
func TestNothingInvented(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"elyctis-idbox", "desko-cute", "rte-native", "honeywell-ocr"} {
		p, ok := Embedded().Find(id)
		if !ok || len(p.Match) > 0 {
			t.Errorf("%s is recognised by %+v, and nobody knows its ids", id, p.Match)
		}
	}
}

func TestPinned(t *testing.T) {
	t.Parallel()
	set := siteSet(t)
	f := Found{Bus: BusSerial, Vendor: 0x1234, Product: 0x5678, PortPath: "1-1"}
	p, ok := set.Match(f)
	model, _ := set.Find("elyctis-idbox")
	if !ok || p.ID != "site-elyctis" || !p.Site || p.Name != model.Name || p.Framing.Name != "elyctis" ||
		p.Status != Spec || p.Limits != model.Limits || !p.Has(Rearm) || len(p.Command("read")) != 1 {
		t.Errorf("got %+v, want the site's reader with all that the model has", p)
	}
	if p, ok := set.Match(Found{Bus: BusSerial, Vendor: 0x1234, Product: 0x5679, PortPath: "1-1"}); ok {
		t.Errorf("another product is %q", p.ID)
	}
	f.PortPath = "3-1.4"
	if p, _ := set.Match(f); p.ID != "site-desko" {
		t.Errorf("at a port that is pinned: got %q, want site-desko", p.ID)
	}
	cable := Found{Bus: BusSerial, Vendor: 0x0403, Product: 0x6001, Serial: "AB12", PortPath: "1-9"}
	if p, _ := set.Match(cable); p.ID != "site-cable" {
		t.Errorf("the cable with the number: got %q", p.ID)
	}
	cable.Serial = "AB13"
	if p, ok := set.Match(cable); ok {
		t.Errorf("the same cable with another number is %q", p.ID)
	}
	scanner := Found{Bus: BusNet, PortPath: "192.0.2.7:80", Service: "_uscan._tcp"}
	if p, _ := set.Match(scanner); p.ID != "site-scanner" || !p.Opens() {
		t.Errorf("the scanner that the site chose: got %q, opens %v", p.ID, p.Opens())
	}
	scanner.PortPath = "192.0.2.8:80"
	if p, _ := set.Match(scanner); p.ID != "escl" || p.Opens() {
		t.Errorf("another scanner: got %q, opens %v", p.ID, p.Opens())
	}
}

// TestPinChanges holds that a pin may change what the model says, and that the
// whole is checked.
func TestPinChanges(t *testing.T) {
	t.Parallel()
	p, err := Parse([]byte(`{"id": "desko-here", "like": "desko-cute", "name": "Desko at the left",
		"match": [{"bus": "serial", "port_path": "1-2"}],
		"serial": {"baud": 19200, "data_bits": 8, "parity": "none", "stop_bits": 1},
		"framing": {"name": "cute-ocr", "start": "1c"}, "limits": {"inter_byte_millis": 900}, "commands": {"init": ["05"]}}`))
	if err != nil {
		t.Fatal(err)
	}
	set := Embedded().With(p)
	got, ok := set.Find("desko-here")
	if !ok || got.Serial.Baud != 19200 || string(got.Framing.Start) != "\x1c" || got.Limits.InterByte != 900*time.Millisecond ||
		got.Limits.Total != 3*time.Second || got.Limits.MaxBytes != 1024 || got.Name != "Desko at the left" || len(got.Command("init")) != 1 {
		t.Errorf("got %+v (%q)", got, set.Problems())
	}
	for name, c := range map[string]struct{ file, says string }{
		"no-such-model":         {`{"id": "a", "like": "elyctis", "match": [{"bus": "serial", "port_path": "1-2"}]}`, `"a": like: there is no profile "elyctis"`},
		"bus-of-another":        {`{"id": "a", "like": "elyctis-idbox", "match": [{"bus": "hid", "vendor": "1234", "class": "03"}]}`, "match[0].bus: transport serial does not go to bus hid"},
		"setting-of-another":    {`{"id": "a", "like": "uvc", "match": [{"bus": "video", "vendor": "1234"}], "limits": {"max_bytes": 9}}`, "limits contradict transport video"},
		"commands-to-any-maker": {`{"id": "a", "like": "hidpos", "match": [{"bus": "hid", "usage_page": "008c"}], "commands": {"init": ["00"]}}`, "match[0] would send commands"},
		"reason-for-a-reader":   {`{"id": "a", "like": "uvc", "match": [{"bus": "video", "vendor": "1234"}], "hint": "makers_kit"}`, "hint makers_kit contradicts"},
	} {
		p, err := Parse([]byte(c.file))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		set := Embedded().With(p)
		if bad := set.Problems(); len(bad) != 1 || !strings.Contains(bad[0], c.says) {
			t.Errorf("%s: got %q, want %q", name, bad, c.says)
		}
		if _, ok := set.Find("a"); ok {
			t.Errorf("%s: it is in the set", name)
		}
	}
}

// TestReplaced holds that a site's profile with the id of one of the program
// takes its place.
func TestReplaced(t *testing.T) {
	t.Parallel()
	own, err := Parse(embedded(t, "uvc", "Our cameras only", "name"))
	if err != nil {
		t.Fatal(err)
	}
	base := Embedded()
	set := base.With(own)
	if p, _ := set.Match(Found{Bus: BusVideo, Class: "0e/01/00"}); p.Name != "Our cameras only" || !p.Site {
		t.Errorf("got %+v, want the site's", p)
	}
	if len(set.All()) != len(base.All()) {
		t.Errorf("%d profiles, want %d", len(set.All()), len(base.All()))
	}
	if p, _ := base.Find("uvc"); p.Site {
		t.Error("the set that was added to has changed")
	}
	self := pinned(t, "elyctis-idbox", "elyctis-idbox", `{"bus": "serial", "port_path": "1-2"}`)
	if p, ok := base.With(self).Match(Found{Bus: BusSerial, PortPath: "1-2"}); !ok || p.ID != "elyctis-idbox" || !p.Site {
		t.Errorf("a pin under the id of its model: got %+v", p)
	}
}

// TestSiteWins holds the order among equals: the site, then the id.
func TestSiteWins(t *testing.T) {
	t.Parallel()
	f := Found{Bus: BusVideo, Class: "0e/01/00"}
	var site []Profile
	for _, id := range []string{"zz-camera", "yy-camera"} {
		p, err := Parse(embedded(t, "uvc", id, "id"))
		if err != nil {
			t.Fatal(err)
		}
		site = append(site, p)
	}
	if p, _ := Embedded().With(site...).Match(f); p.ID != "yy-camera" {
		t.Errorf("got %q, want the site's first", p.ID)
	}
	if p, _ := Embedded().Match(f); p.ID != "uvc" {
		t.Errorf("got %q, want uvc", p.ID)
	}
}

// TestTwice holds that of two overrides with one id none is used.
func TestTwice(t *testing.T) {
	t.Parallel()
	a := pinned(t, "reader", "elyctis-idbox", `{"bus": "serial", "port_path": "1-1"}`)
	b := pinned(t, "reader", "desko-cute", `{"bus": "serial", "port_path": "1-1"}`)
	set := Embedded().With(a, b)
	if p, ok := set.Match(Found{Bus: BusSerial, PortPath: "1-1"}); ok {
		t.Errorf("got %q, want none: nobody knows which was meant", p.Framing.Name)
	}
	if bad := set.Problems(); len(bad) != 1 || !strings.Contains(bad[0], "2 site profiles have this id") {
		t.Errorf("problems: got %q", bad)
	}
}

// TestBuiltByHand holds that a profile that did not come from a file is checked
// like one that did.
func TestBuiltByHand(t *testing.T) {
	t.Parallel()
	good := Profile{
		ID: "made", Name: "Made", Status: Spec, Sources: []string{"a test"}, Transport: OverSerial,
		Match: []Match{{Bus: BusSerial, PortPath: "1-1"}}, Can: []devices.Capability{devices.CanReadMRZ}, Framing: Framing{Name: "crlf", Content: "mrz"},
	}
	if bad := Embedded().With(good).Problems(); len(bad) > 0 {
		t.Errorf("a good one: %q", bad)
	}
	for name, change := range map[string]func(*Profile){
		"any-port":     func(p *Profile) { p.Match = []Match{{Bus: BusSerial}} },
		"no-bus":       func(p *Profile) { p.Match = []Match{{}} },
		"two-lines":    func(p *Profile) { p.Name = "a\nSUBSYSTEM==\"tty\"" },
		"quote":        func(p *Profile) { p.Match[0].PortPath = `1-1", RUN+="x` },
		"command":      func(p *Profile) { p.Commands = map[string][]string{"init": {"no hex"}} },
		"no-transport": func(p *Profile) { p.Transport = "" },
		"no-id":        func(p *Profile) { p.ID = "" },
	} {
		p := good.clone()
		change(&p)
		if bad := Embedded().With(p).Problems(); len(bad) != 1 {
			t.Errorf("%s: got problems %q, want one", name, bad)
		}
	}
}

// TestNothingShared holds that what a set hands out is the caller's.
func TestNothingShared(t *testing.T) {
	t.Parallel()
	layout, err := Parse(embedded(t, "hidpos", object(t, `{"report_id": 2, "size": 64, "length": 1, "symbology": [2], "data": 5, "max": 56, "more": 63, "more_mask": 1}`), "framing", "layout"))
	if err != nil {
		t.Fatal(err)
	}
	set := Embedded().With(layout)
	spoil := func(p Profile) {
		p.Framing.Layout.Symbology[0], p.Framing.Layout.Size = 9, 9
		p.Match[0].Bus, p.Can[0], p.Sources[0] = "x", "x", "x"
	}
	f := Found{Bus: BusHID, UsagePage: 0x8c, Usage: 2, Class: "03/00/00"}
	p, _ := set.Match(f)
	spoil(p)
	p, _ = set.Find("hidpos")
	spoil(p)
	spoil(layout)
	spoil(set.All()[slices.IndexFunc(set.All(), func(p Profile) bool { return p.ID == "hidpos" })])
	if p, ok := set.Match(f); !ok || p.Framing.Layout.Size != 64 || p.Framing.Layout.Symbology[0] != 2 || p.Can[0] != devices.CanReadBarcode {
		t.Errorf("the set has changed: %+v", p)
	}
	h, _ := set.Find("honeywell-hidpos")
	h.Commands["trigger"][0] = "00"
	if h, _ := set.Find("honeywell-hidpos"); h.Commands["trigger"][0] == "00" {
		t.Error("the commands of the set have changed")
	}
}

func TestZeroSet(t *testing.T) {
	t.Parallel()
	var s Set
	if _, ok := s.Match(Found{Bus: BusUSB}); ok || len(s.All()) > 0 || len(s.Problems()) > 0 {
		t.Error("the zero set knows something")
	}
	if bad := faults(string(s.Udev())); len(bad) > 0 {
		t.Errorf("rules of nothing: %q", bad)
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	lines := strings.Split(strings.TrimSpace(siteSet(t).Table()), "\n")
	if len(lines) != 1+18+6 {
		t.Errorf("%d lines, want a head and one for each of 24 profiles", len(lines))
	}
	for _, want := range [][]string{
		{"elyctis-idbox", "spec", "program", "serial", "elyctis", "mrz_reader", "0", "until", "a", "site", "pins", "it"},
		{"site-elyctis", "spec", "site", "serial", "elyctis", "mrz_reader", "1", "-"},
		{"keyboard-wedge-zebra", "spec", "program", "none", "-", "barcode_reader", "3", "keyboard_wedge_zebra"},
	} {
		if !slices.ContainsFunc(lines, func(l string) bool { return slices.Equal(strings.Fields(l), want) }) {
			t.Errorf("no line %q", want)
		}
	}
}

// TestPin holds that a pin that is written fits the thing it was written for,
// and not its neighbour.
func TestPin(t *testing.T) {
	t.Parallel()
	set := Embedded()
	for _, c := range []struct {
		name, like string
		found      Found
		byPort     bool
		neighbour  func(*Found) // makes another thing of it
	}{
		{"model", "elyctis-idbox", Found{Bus: BusSerial, Vendor: 0x1234, Product: 0x5678, PortPath: "1-2", Node: "/dev/ttyACM0"}, false, func(f *Found) { f.Product++ }},
		{"port", "elyctis-idbox", Found{Bus: BusSerial, Vendor: 0x1234, Product: 0x5678, PortPath: "1-2"}, true, func(f *Found) { f.PortPath = "1-3" }},
		{"cable", "rte-native", Found{Bus: BusSerial, Vendor: 0x0403, Product: 0x6001, PortPath: "1-2"}, false, func(f *Found) { f.PortPath = "1-3" }},
		{"soldered", "desko-cute", Found{Bus: BusSerial, PortPath: "ttyS0"}, false, func(f *Found) { f.PortPath = "ttyS1" }},
		{"hid", "hidpos", Found{Bus: BusHID, Vendor: 0x1234, Product: 0x5678, Class: "03/00/00", UsagePage: 0x8c, Usage: 2}, false, func(f *Found) { f.UsagePage = 1 }},
		{"hid-without-usage", "hidpos", Found{Bus: BusHID, Vendor: 0x1234, Product: 0x5678, Class: "03/00/00"}, false, func(f *Found) { f.Class = "03/01/01" }},
		{"printer", "escpos", Found{Bus: BusUSB, Vendor: 0x1234, Product: 0x5678, Class: "07/01/02"}, false, func(f *Found) { f.Class = "ff/00/00" }},
		{"network", "escl", Found{Bus: BusNet, PortPath: "192.0.2.7:80", Service: "_uscan._tcp"}, false, func(f *Found) { f.PortPath = "192.0.2.8:80" }},
		{"sane", "sane", Found{Bus: BusSANE, Name: "epson2:libusb:001:004"}, false, func(f *Found) { f.Name = "v4l:/dev/video0" }},
		{"chip", "pcsc", Found{Bus: BusPCSC, Name: "ACME Reader 00 00"}, false, func(f *Found) { f.Name = "Other" }},
	} {
		raw, err := set.Pin("here", c.like, c.found, c.byPort)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		p, err := Parse(raw)
		if err != nil {
			t.Errorf("%s: %v\n%s", c.name, err, raw)
			continue
		}
		with := set.With(p)
		if got, ok := with.Match(c.found); !ok || got.ID != "here" || !got.Opens() {
			t.Errorf("%s: it is %q, opens %v\n%s", c.name, got.ID, got.Opens(), raw)
		}
		c.neighbour(&c.found)
		if got, _ := with.Match(c.found); got.ID == "here" {
			t.Errorf("%s: it fits %+v too\n%s", c.name, c.found, raw)
		}
	}
	for name, f := range map[string]Found{
		"says-nothing":   {Bus: BusSerial},
		"another-bus":    {Bus: BusHID, Vendor: 1, Product: 1, Class: "03/00/00"},
		"hostile-port":   {Bus: BusSerial, PortPath: "x\", RUN+=\"y"},
		"node-as-a-port": {Bus: BusSerial, PortPath: "ttyUSB0"},
	} {
		if raw, err := set.Pin("here", "elyctis-idbox", f, false); err == nil {
			t.Errorf("%s: it was written\n%s", name, raw)
		}
	}
}

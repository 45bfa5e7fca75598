package profile

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// full is a profile with every key that can stand together.
const full = `{
	"id": "full-one", "name": "Full reader", "status": "trace", "sources": ["a text"],
	"match": [{"bus": "serial", "vendor": "1234", "product": "00ff", "serial_number": "A1", "port_path": "1-2.3"}],
	"transport": "serial", "can": ["mrz_reader"],
	"serial": {"baud": 19200, "data_bits": 7, "parity": "even", "stop_bits": 2},
	"framing": {"name": "stx-etx", "start": "01", "end": "04", "content": "mrz"},
	"commands": {"init": ["1b40"], "read": ["05"], "trigger": ["06"], "untrigger": ["07"], "close": ["08", "09"]},
	"limits": {"max_bytes": 512, "inter_byte_millis": 250, "total_millis": 2000},
	"quirks": ["poll", "rearm"]
}`

// object reads JSON for a test to change.
func object(tb testing.TB, text string) map[string]any {
	tb.Helper()
	var out map[string]any
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		tb.Fatal(err)
	}
	return out
}

// changed is the text with the value at a path replaced; nil takes the key away.
func changed(tb testing.TB, text string, value any, path ...any) []byte {
	tb.Helper()
	root := object(tb, text)
	var at any = root
	for _, step := range path[:len(path)-1] {
		switch s := step.(type) {
		case string:
			at = at.(map[string]any)[s]
		case int:
			at = at.([]any)[s]
		}
	}
	switch last := path[len(path)-1].(type) {
	case string:
		if at.(map[string]any)[last] = value; value == nil {
			delete(at.(map[string]any), last)
		}
	case int:
		at.([]any)[last] = value
	}
	raw, err := json.Marshal(root)
	if err != nil {
		tb.Fatal(err)
	}
	return raw
}

func TestFull(t *testing.T) {
	t.Parallel()
	p, err := Parse([]byte(full))
	if err != nil {
		t.Fatal(err)
	}
	want := Profile{
		ID: "full-one", Name: "Full reader", Status: Trace, Sources: []string{"a text"},
		Match:     []Match{{Bus: BusSerial, Vendor: 0x1234, Product: 0xff, SerialNumber: "A1", PortPath: "1-2.3"}},
		Transport: OverSerial, Can: p.Can, Serial: Serial{19200, 7, "even", 2},
		Framing:  Framing{Name: "stx-etx", Start: []byte{1}, End: []byte{4}, Content: "mrz"},
		Commands: p.Commands, Limits: Limits{512, 250 * time.Millisecond, 2 * time.Second}, Quirks: []Quirk{Poll, Rearm},
	}
	if !reflect.DeepEqual(p, want) {
		t.Errorf("got\n%+v, want\n%+v", p, want)
	}
	if got := p.Command("close"); !reflect.DeepEqual(got, [][]byte{{8}, {9}}) {
		t.Errorf("commands.close: got %x", got)
	}
	if p.Command("dance") != nil || !p.Opens() || !p.Has(Poll) || p.Has(NoStatus) {
		t.Error("it has what the file does not say")
	}
}

// TestUsualValues holds what a file may leave out.
func TestUsualValues(t *testing.T) {
	t.Parallel()
	short := changed(t, string(changed(t, full, nil, "serial")), nil, "limits")
	p, err := Parse(short)
	if err != nil {
		t.Fatal(err)
	}
	if want := (Serial{9600, 8, "none", 1}); p.Serial != want {
		t.Errorf("line: got %+v, want %+v", p.Serial, want)
	}
	if want := (Limits{0, 500 * time.Millisecond, 3 * time.Second}); p.Limits != want {
		t.Errorf("limits: got %+v, want %+v", p.Limits, want)
	}
	for total, want := range map[int]time.Duration{100: 100 * time.Millisecond, 9000: 500 * time.Millisecond} {
		p, err := Parse(changed(t, full, map[string]any{"total_millis": total}, "limits"))
		if err != nil || p.Limits.InterByte != want || p.Limits.Total != time.Duration(total)*time.Millisecond {
			t.Errorf("total %d ms: got %+v (%v), want %v between bytes", total, p.Limits, err, want)
		}
	}
	p, err = Parse(changed(t, full, map[string]any{"inter_byte_millis": 9000}, "limits"))
	if err != nil || p.Limits.Total != 9*time.Second {
		t.Errorf("long pause between bytes: got %+v (%v), want a total of as much", p.Limits, err)
	}
}

// TestRefused holds that what is wrong is refused and that the error names the
// key as the file has it.
func TestRefused(t *testing.T) {
	t.Parallel()
	serialMatch := func(m map[string]any) []byte { m["bus"] = "serial"; return changed(t, full, []any{m}, "match") }
	hid := func(change ...any) []byte { return embedded(t, "hidpos", change...) }
	cases := []struct {
		name string
		raw  []byte
		says string // a part of the error
	}{
		{"not-json", []byte(`{`), "the profile"},
		{"not-an-object", []byte(`[]`), "an object"},
		{"not-utf8", []byte("{\"id\": \"\xff\"}"), "UTF-8"},
		{"text-behind", []byte(full + `{}`), "after the end"},
		{"too-long", []byte(strings.Repeat(" ", maxFile+1)), "longer than"},
		{"too-deep", []byte(strings.Repeat(`[`, 50)), "too deep"},
		{"key-twice", []byte(strings.Replace(full, `"status"`, `"status": "spec", "status"`, 1)), `"status" stands twice`},
		{"key-twice-within", []byte(strings.Replace(full, `"baud"`, `"baud": 9600, "baud"`, 1)), `serial: the key "baud"`},
		{"unknown-key", changed(t, full, 1, "baudrate"), "baudrate: there is no such key"},
		{"unknown-key-within", changed(t, full, 1, "serial", "bauds"), "serial.bauds: there is no such key; there are baud, data_bits"},
		{"key-in-capitals", changed(t, full, "x", "ID"), `"ID"`},
		{"key-with-a-newline", changed(t, full, "x", "a\nb"), `"a\nb"`},
		{"null", []byte(strings.Replace(full, `"trace"`, `null`, 1)), "status has to be"},
		{"wrong-type", changed(t, full, "serial", "match"), "match has to be a list"},
		{"id-with-a-slash", changed(t, full, "../x", "id"), "id has to be"},
		{"id-missing", changed(t, full, nil, "id"), "id is missing"},
		{"match-missing", changed(t, full, nil, "match"), "match is missing"},
		{"status-unknown", changed(t, full, "tested", "status"), "status has to be how far it was tried, one of spec, trace, bench"},
		{"status-missing", changed(t, full, nil, "status"), "status is missing"},
		{"sources-missing", changed(t, full, nil, "sources"), "sources is missing"},
		{"sources-empty", changed(t, full, []any{}, "sources"), "sources has to be"},
		{"transport-unknown", changed(t, full, "bluetooth", "transport"), "transport has to be one of serial"},
		{"can-unknown", changed(t, full, []any{"fly"}, "can"), "can[0] has to be one of mrz_reader"},
		{"can-twice", changed(t, full, []any{"mrz_reader", "mrz_reader"}, "can"), "can[1] stands in the list twice"},
		{"quirk-unknown", changed(t, full, []any{"slow"}, "quirks"), "quirks[0] has to be one of poll"},
		{"hint-unknown", changed(t, full, "buy_another", "hint"), "hint has to be"},
		{"framing-unknown", changed(t, full, "morse", "framing", "name"), "framing.name has to be one of elyctis"},
		{"command-unknown", changed(t, full, []any{"00"}, "commands", "reset"), "commands.reset: there is no such key"},
		{"hex-odd", changed(t, full, "1b4", "commands", "init", 0), "commands.init[0] has to be bytes"},
		{"hex-not", changed(t, full, "1g", "commands", "init", 0), "commands.init[0]"},
		{"hex-in-capitals", changed(t, full, "1B40", "commands", "init", 0), "lower-case"},
		{"hex-empty", changed(t, full, "", "commands", "init", 0), "commands.init[0]"},
		{"hex-too-long", changed(t, full, strings.Repeat("00", 257), "commands", "init", 0), "commands.init[0]"},
		{"framing-hex", changed(t, full, "zz", "framing", "start"), "framing.start has to be"},
		{"vendor-short", changed(t, full, "4b8", "match", 0, "vendor"), "match[0].vendor has to be the USB vendor id, four"},
		{"vendor-zero", changed(t, full, "0000", "match", 0, "vendor"), "match[0].vendor"},
		{"vendor-a-number", changed(t, full, 1208, "match", 0, "vendor"), "match[0].vendor"},
		{"port-with-a-quote", changed(t, full, `1-2", RUN+="x`, "match", 0, "port_path"), "match[0].port_path"},
		{"serial-number-with-a-star", changed(t, full, `*`, "match", 0, "serial_number"), "match[0].serial_number"},
		{"name-with-a-newline", changed(t, full, "a\nb", "name"), "name has to be"},
		{"baud-unknown", changed(t, full, 128000, "serial", "baud"), "serial.baud has to be one of 1200"},
		{"baud-broken", changed(t, full, 9600.5, "serial", "baud"), "serial.baud"},
		{"parity-mark", changed(t, full, "mark", "serial", "parity"), "serial.parity"},
		{"max-bytes-none", changed(t, full, 0, "limits", "max_bytes"), "limits.max_bytes"},
		{"max-bytes-too-many", changed(t, full, 65536, "limits", "max_bytes"), "limits.max_bytes"},
		{"pause-too-short", changed(t, full, 1, "limits", "inter_byte_millis"), "limits.inter_byte_millis"},
		{"total-below-pause", changed(t, full, 100, "limits", "total_millis"), "limits.total_millis is shorter"},

		{"serial-of-usb", hid(map[string]any{"baud": 9600, "data_bits": 8, "parity": "none", "stop_bits": 1}, "serial"), "serial contradicts transport hidraw"},
		{"framing-missing", changed(t, full, nil, "framing"), "framing is missing"},
		{"framing-of-a-camera", embedded(t, "uvc", map[string]any{"name": "crlf"}, "framing"), "framing contradicts transport video"},
		{"commands-of-a-camera", embedded(t, "uvc", map[string]any{"init": []any{"00"}}, "commands"), "commands contradict"},
		{"limits-of-a-camera", embedded(t, "uvc", map[string]any{"max_bytes": 9}, "limits"), "limits contradict"},
		{"framing-of-another-transport", hid("elyctis", "framing", "name"), "framing.name: elyctis does not go over transport hidraw"},
		{"framing-gives-nothing", changed(t, full, map[string]any{"name": "honeywell-menu"}, "framing"), "can[0]: framing honeywell-menu gives nothing"},
		{"content-of-another-kind", changed(t, full, nil, "framing", "content"), "can[0]: framing stx-etx gives nothing for a mrz_reader"},
		{"setting-of-another-framing", changed(t, full, map[string]any{"name": "elyctis", "start": "02"}, "framing"), "framing.start: framing elyctis has no such setting"},
		{"can-over-another-transport", embedded(t, "uvc", []any{"printer"}, "can"), "can[0]: transport video does not carry a printer"},
		{"role-of-another-kind", embedded(t, "escpos", []any{"face_camera"}, "roles"), "roles[0]"},
		{"layout-outside", hid(map[string]any{
			"report_id": 2, "size": 64, "length": 1, "symbology": []any{}, "data": 10, "max": 55, "more": 63, "more_mask": 1,
		}, "framing", "layout"), "framing.layout: offset 64 lies outside a report of 64 bytes"},
		{"refused-without-reason", embedded(t, "keyboard-wedge", nil, "hint"), "hint has to say why"},
		{"reason-without-refusal", changed(t, full, "makers_kit", "hint"), "hint makers_kit contradicts transport serial"},
		{"poll-without-read", changed(t, full, nil, "commands", "read"), "quirks: poll needs commands.read"},
		{"rearm-without-trigger", changed(t, full, map[string]any{"read": []any{"05"}}, "commands"), "quirks: rearm needs commands.trigger"},
		{"end-without-beginning", embedded(t, "honeywell-hidpos", nil, "commands", "trigger"), "commands.untrigger"},
		{"fallback-of-a-reader", changed(t, full, []any{"usb_fallback"}, "quirks"), "quirks: usb_fallback"},
		{"status-quirk-of-a-reader", changed(t, full, []any{"no_status"}, "quirks"), "quirks: no_status"},

		{"bus-of-another-transport", changed(t, full, []any{map[string]any{"bus": "video", "vendor": "1234"}}, "match"), "match[0].bus"},
		{"everything-serial", serialMatch(map[string]any{}), "match[0] says only bus serial, which fits everything"},
		{"vendor-alone", serialMatch(map[string]any{"vendor": "1234"}), "match[0] would fit serial ports that nobody knows"},
		{"adapter-cable", serialMatch(map[string]any{"vendor": "0403", "product": "6001"}), "adapter cable by FTDI"},
		{"a-node-for-a-port", serialMatch(map[string]any{"port_path": "ttyACM0"}), "match[0].port_path: ttyACM0 changes"},
		{"product-alone", serialMatch(map[string]any{"product": "5678", "port_path": "1-1"}), "match[0].product needs vendor"},
		{"serial-number-alone", serialMatch(map[string]any{"vendor": "1234", "serial_number": "1", "port_path": "1-1"}), "match[0].serial_number needs"},
		{"usage-on-serial", serialMatch(map[string]any{"usage_page": "008c", "port_path": "1-1"}), "match[0].usage_page means nothing on bus serial"},
		{"usage-without-page", hid([]any{map[string]any{"bus": "hid", "vendor": "1234", "class": "03", "usage": "0002"}}, "match"), "match[0].usage needs usage_page"},
		{"commands-to-any-scanner", embedded(t, "honeywell-hidpos", nil, "match", 0, "vendor"), "match[0] would send commands to devices that nobody knows"},
		{"keyboard-beside", hid([]any{map[string]any{"bus": "hid", "vendor": "0c2e"}}, "match"), "match[0] would fit a keyboard"},
		{"any-printer", embedded(t, "escpos", nil, "match", 0, "device_id"), "match[0] would fit devices that nobody knows"},
		{"silent-printer-of-any-maker", embedded(t, "escpos", nil, "match", 1, "vendor"), "match[1].no_command_set needs vendor"},
		{"silent-and-speaking", embedded(t, "escpos", "CMD:ESC/POS", "match", 1, "device_id"), "match[1].no_command_set contradicts"},
		{"any-camera", embedded(t, "uvc", nil, "match", 0, "class"), "match[0] says only bus video"},
		{"any-network-scanner", embedded(t, "escl", nil, "hint"), "match[0] would open whichever scanner announces itself"},
		{"any-sane-scanner", embedded(t, "sane", nil, "hint"), "match[0] would open whichever"},
		{"refuses-every-keyboard", embedded(t, "keyboard-wedge", nil, "match", 0, "vendor"), "match[0] would refuse devices that nobody knows"},
		{"match-twice", changed(t, full, []any{
			map[string]any{"bus": "serial", "port_path": "1-1"}, map[string]any{"port_path": "1-1", "bus": "serial"},
		}, "match"), "match[1] stands in the list twice"},
		{"pin-without-match", []byte(`{"id": "a", "like": "b", "match": []}`), "match is empty"},
		{"pin-of-any-serial", []byte(`{"id": "a", "like": "b", "match": [{"bus": "serial", "vendor": "1234"}]}`), "match[0] would fit"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := Parse(c.raw)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %q in it", err, c.says)
			}
			if err != nil && (len(err.Error()) > 500 || strings.ContainsAny(err.Error(), "\n\x00")) {
				t.Errorf("the error is no one line for people: %q", err)
			}
		})
	}
}

// embedded is a file of the program, with the value at a path replaced.
func embedded(tb testing.TB, id string, change ...any) []byte {
	tb.Helper()
	raw, err := os.ReadFile(filepath.Join("readers", id+".json"))
	if err != nil {
		tb.Fatal(err)
	}
	if len(change) == 0 {
		return raw
	}
	return changed(tb, string(raw), change[0], change[1:]...)
}

// TestAllowed holds what looks odd and is right.
func TestAllowed(t *testing.T) {
	t.Parallel()
	for name, raw := range map[string][]byte{
		"no-match":                  changed(t, full, []any{}, "match"),
		"command-new-to-framing":    embedded(t, "desko-cute", map[string]any{"init": []any{"ff00"}}, "commands"),
		"port-alone":                changed(t, full, []any{map[string]any{"bus": "serial", "port_path": "ttyS0"}}, "match"),
		"adapter-cable-by-number":   changed(t, full, []any{map[string]any{"bus": "serial", "vendor": "0403", "product": "6001", "serial_number": "A5"}}, "match"),
		"adapter-cable-by-port":     changed(t, full, []any{map[string]any{"bus": "serial", "vendor": "0403", "product": "6001", "port_path": "1-1"}}, "match"),
		"printer-by-serial-line":    changed(t, full, []any{"printer"}, "can"),
		"scanner-by-address":        embedded(t, "escl", []any{map[string]any{"bus": "net", "port_path": "192.0.2.7:80"}}, "match"),
		"honeywell-ocr-for-symbols": embedded(t, "honeywell-ocr"),
		"layout-to-the-last-byte": embedded(t, "hidpos", object(t, `{"report_id": 2, "size": 64, "length": 1,
			"symbology": [], "data": 10, "max": 54, "more": 63, "more_mask": 1}`), "framing", "layout"),
	} {
		if name == "printer-by-serial-line" {
			raw = changed(t, string(raw), map[string]any{"name": "escpos-status"}, "framing")
		}
		if name == "honeywell-ocr-for-symbols" {
			raw = changed(t, string(changed(t, string(raw), []any{"barcode_reader"}, "can")), "barcode", "framing", "content")
		}
		if _, err := Parse(raw); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(full))
	f.Add([]byte(`{"id":"a","like":"elyctis-idbox","match":[{"bus":"serial","port_path":"1-2.3"}]}`))
	files, err := filepath.Glob("readers/*.json")
	if err != nil || len(files) == 0 {
		f.Fatal(err)
	}
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	base := Embedded()
	f.Fuzz(func(t *testing.T, raw []byte) {
		p, err := Parse(raw)
		if err != nil {
			return
		}
		again, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		q, err := Parse(again)
		if err != nil || !same(p, q) {
			t.Fatalf("written and read again it is another (%v)\n%+v\n%+v", err, p, q)
		}
		set := base.With(p)
		if len(set.Problems()) == 0 {
			if _, ok := set.Find(p.ID); !ok {
				t.Fatal("it is lost without a word")
			}
		}
		if bad := faults(string(set.Udev())); len(bad) > 0 {
			t.Fatalf("it breaks the rules of udev: %v", bad)
		}
		if m, ok := set.Match(Found{Bus: BusSerial, PortPath: "9-9", Vendor: 0xfffe, Product: 0xfffe}); ok && m.Opens() && !names(m, 0xfffe, "9-9") {
			t.Fatalf("it would write to an unknown port: %+v", m)
		}
	})
}

// names tells whether a profile asks for this product or port.
func names(p Profile, product uint16, port string) bool {
	for _, m := range p.Match {
		if m.Product == product || m.PortPath == port {
			return true
		}
	}
	return false
}

// same compares profiles; a list of none is one that is not there.
func same(a, b Profile) bool {
	text := func(p Profile) map[string]any {
		raw, _ := json.Marshal(p)
		var out map[string]any
		_ = json.Unmarshal(raw, &out)
		maps.DeleteFunc(out, func(_ string, v any) bool { return v == nil })
		return out
	}
	return reflect.DeepEqual(text(a), text(b))
}

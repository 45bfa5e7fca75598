package usb

import (
	"strings"
	"testing"

	"github.com/counterproof/counterproof/devices"
)

func TestPrinterRequests(t *testing.T) {
	t.Parallel()
	i := Interface{Number: 1, Alternate: 2}
	for name, c := range map[string]struct{ got, want Request }{
		"device-id": {DeviceIDRequest(i), Request{0xa1, 0, 0, 0x0102}},
		"status":    {PortStatusRequest(i), Request{0xa1, 1, 0, 1}},
		"reset":     {SoftResetRequest(i), Request{0x21, 2, 0, 1}},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %+v, want %+v", name, c.got, c.want)
		}
	}
}

func TestStatus(t *testing.T) {
	t.Parallel()
	for status, want := range map[Status][3]bool{ // paper out, selected, failed
		0x18: {false, true, false}, 0x08: {false, false, false}, 0x30: {true, true, true}, 0x00: {false, false, true},
	} {
		if got := [3]bool{status.PaperOut(), status.Selected(), status.Failed()}; got != want {
			t.Errorf("%#02x: got %v, want %v", byte(status), got, want)
		}
	}
}

func TestParseDeviceID(t *testing.T) {
	t.Parallel()
	const id = "MFG:EPSON;CMD:ESC/POS;MDL:TM-T20;CLS:PRINTER;"
	told := func(n int, text string) string { return string([]byte{byte(n >> 8), byte(n)}) + text }
	for name, c := range map[string]struct {
		in, want string
		bad      bool
	}{
		"whole":             {told(len(id)+2, id), id, false},
		"zeros-after":       {told(len(id)+2, id+"\x00\x00old"), id, false},
		"told-too-much":     {told(0xffff, id), id, false},
		"told-too-little":   {told(8, id), "MFG:EP", false},
		"length-only":       {told(2, id), "", false},
		"length-is-one":     {told(1, id), "", true},
		"length-is-nothing": {told(0, id), "", true},
		"cut":               {"\x00", "", true},
		"nothing":           {"", "", true},
		"not-text":          {told(14, "MFG:\x1b[2J\xff\xc3\xa9;"), "MFG:[2J;", false},
		"longer-than-bound": {told(2000, strings.Repeat("A", 1998)), strings.Repeat("A", MaxID-2), false},
	} {
		got, err := ParseDeviceID([]byte(c.in))
		if got != c.want || (err != nil) != c.bad {
			t.Errorf("%s: got %q and %v, want %q", name, got, err, c.want)
		}
	}
}

func FuzzParseDeviceID(f *testing.F) {
	f.Add([]byte("\x00\x0fMFG:A;CMD:B;"))
	f.Add([]byte("\xff\xffMFG:\x1b\x00"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		id, err := ParseDeviceID(b)
		if len(id) > MaxID || err != nil && id != "" {
			t.Errorf("got %d bytes and %v", len(id), err)
		}
		for _, r := range id {
			if r < ' ' || r > '~' {
				t.Errorf("got %q", id)
			}
		}
	})
}

func TestPrinter(t *testing.T) {
	t.Parallel()
	const id = "MFG:Counter;CMD:ESC/POS;"
	p, f := open(t, func(d *Device) { d.Interfaces[0].Class = Printer })
	f.answer = func(r Request, data []byte) (int, error) {
		switch r.Request {
		case 0:
			return copy(data, "\x00\x1a"+id+"old bytes"), nil
		case 1:
			return copy(data, "\x18"), nil
		}
		return 0, nil
	}
	if got, err := p.DeviceID(t.Context()); err != nil || got != id {
		t.Errorf("got %q and %v", got, err)
	}
	if got, err := p.Status(t.Context()); err != nil || got != 0x18 {
		t.Errorf("got %#x and %v", got, err)
	}
	if err := p.SoftReset(t.Context()); err != nil || f.asked[2] != SoftResetRequest(p.Interface()) {
		t.Errorf("got %v and %+v", err, f.asked)
	}
	f.answer = func(Request, []byte) (int, error) { return 0, nil }
	if _, err := p.DeviceID(t.Context()); devices.KindOf(err) != devices.Protocol {
		t.Errorf("no id: got %v, want protocol", err)
	}
	if _, err := p.Status(t.Context()); devices.KindOf(err) != devices.Protocol {
		t.Errorf("no status: got %v, want protocol", err)
	}
	f.answer = nil // it stalls what it does not know
	if _, err := p.DeviceID(t.Context()); devices.KindOf(err) != devices.Unsupported {
		t.Errorf("an unknown request: got %v, want unsupported", err)
	}
}

func TestNoPrinter(t *testing.T) {
	t.Parallel()
	p, f := open(t, nil)
	_, idErr := p.DeviceID(t.Context())
	_, statusErr := p.Status(t.Context())
	for _, err := range []error{idErr, statusErr, p.SoftReset(t.Context())} {
		if devices.KindOf(err) != devices.Unsupported {
			t.Errorf("got %v, want unsupported", err)
		}
	}
	if len(f.asked) > 0 {
		t.Errorf("a reader was asked what only printers know: %+v", f.asked)
	}
}

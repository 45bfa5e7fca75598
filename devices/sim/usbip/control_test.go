package usbip

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"

	"github.com/counterproof/counterproof/devices/framing"
)

// models are all devices of this package.
func models() map[string]*Device {
	return map[string]*Device{
		"scanner": NewScanner(someone).Device,
		"reader":  newReader().Device,
		"printer": NewPrinter(someone, "MFG:Maker;MDL:Thing;CMD:ESC/POS;", nil).Device,
		"camera":  newCamera().Device,
	}
}

func newCamera() *Camera {
	return NewCamera(someone, CameraSpec{
		Width: 640, Height: 480, Every: 100 * time.Millisecond,
		Picture: func(n int) []byte { return bytes.Repeat([]byte{byte(n)}, 20_000) },
	})
}

// TestDescriptors walks through what each model says of itself: every length
// fits, and interfaces and endpoints are as many as announced.
func TestDescriptors(t *testing.T) {
	t.Parallel()
	for name, d := range models() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := plugged(t, d)
				device := h.request(0x80, getDescriptor, typeDevice<<8, 0, 18).data
				if len(device) != 18 || device[8] != 0x09 || device[9] != 0x12 || device[17] != 1 {
					t.Errorf("device descriptor % x", device)
				}
				head := h.request(0x80, getDescriptor, typeConfig<<8, 0, 9).data
				total := int(head[2]) | int(head[3])<<8
				all := h.request(0x80, getDescriptor, typeConfig<<8, 0, 4096).data
				if len(all) != total {
					t.Fatalf("configuration of %d bytes says %d", len(all), total)
				}
				interfaces, open := 0, 0
				for b := all; len(b) > 0; b = b[b[0]:] {
					if int(b[0]) < 2 || int(b[0]) > len(b) {
						t.Fatalf("a descriptor of %d bytes where %d are left", b[0], len(b))
					}
					switch b[1] {
					case typeInterface:
						interfaces, open = interfaces+1, open+int(b[4])
					case typeEndpoint:
						open--
					}
				}
				if interfaces != int(all[4]) || open != 0 {
					t.Errorf("%d interfaces of %d, %d endpoints missing", interfaces, all[4], open)
				}
			})
		})
	}
}

// TestRequests asks endpoint 0 what any host may ask.
func TestRequests(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name               string
		kind, request      byte
		value, index       uint16
		length             int
		status             int
		want               string
		toDevice, wrongWay bool
		before             func(h *host)
	}{
		{name: "languages", kind: 0x80, request: getDescriptor, value: typeString << 8, length: 255, want: "\x04\x03\x09\x04"},
		{name: "name", kind: 0x80, request: getDescriptor, value: typeString<<8 | 2, length: 255, want: "\x0c\x03T\x00h\x00i\x00n\x00g\x00"},
		{name: "name, first bytes", kind: 0x80, request: getDescriptor, value: typeString<<8 | 2, length: 2, want: "\x0c\x03"},
		{name: "a name it has not", kind: 0x80, request: getDescriptor, value: typeString<<8 | 9, length: 255, status: stalled},
		{name: "a second configuration", kind: 0x80, request: getDescriptor, value: typeConfig<<8 | 1, length: 9, status: stalled},
		{name: "full speed", kind: 0x80, request: getDescriptor, value: 6 << 8, length: 10, status: stalled},
		{name: "report descriptor", kind: 0x81, request: getDescriptor, value: typeReport << 8, length: 5, want: "\x05\x8c\x09\x02\xa1"},
		{name: "report descriptor of another interface", kind: 0x81, request: getDescriptor, value: typeReport << 8, index: 1, length: 5, status: stalled},
		{name: "status", kind: 0x80, request: getStatus, length: 2, want: "\x00\x00"},
		{name: "status of an endpoint", kind: 0x82, request: getStatus, index: HIDIn, length: 2, want: "\x00\x00"},
		{name: "status of a halted endpoint", kind: 0x82, request: getStatus, index: HIDIn, length: 2, want: "\x01\x00",
			before: func(h *host) { h.order(0x02, setFeature, 0, HIDIn, nil) }},
		{name: "alternative", kind: 0x81, request: getInterface, length: 1, want: "\x00"},
		{name: "configuration", kind: 0x80, request: getConfiguration, length: 1, want: "\x01",
			before: func(h *host) { h.order(0, setConfiguration, 1, 0, nil) }},
		{name: "setting a configuration it has not", request: setConfiguration, value: 2, status: stalled, toDevice: true},
		{name: "address", request: setAddress, value: 5, toDevice: true},
		{name: "interface", kind: 1, request: setInterface, toDevice: true},
		{name: "waking", request: setFeature, value: 1, toDevice: true},
		{name: "what nobody knows", kind: 0x80, request: 99, length: 2, status: stalled},
		{name: "the wrong way", kind: 0x00, request: getStatus, length: 2, status: stalled},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := plugged(t, NewScanner(someone).Device)
				if tt.before != nil {
					tt.before(h)
				}
				var g got
				if tt.toDevice {
					g = h.order(tt.kind, tt.request, tt.value, tt.index, nil)
				} else {
					g = h.request(tt.kind, tt.request, tt.value, tt.index, tt.length)
				}
				if g.status != tt.status || string(g.data) != tt.want {
					t.Errorf("status %d, % x; want %d, % x", g.status, g.data, tt.status, tt.want)
				}
			})
		})
	}
}

// TestNoSerial makes a device without a serial number: it does not name one.
func TestNoSerial(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		id := someone
		id.Serial = ""
		h := plugged(t, NewScanner(id).Device)
		if got := h.request(0x80, getDescriptor, typeDevice<<8, 0, 18).data[16]; got != 0 {
			t.Errorf("the serial number is string %d, want none", got)
		}
		if g := h.request(0x80, getDescriptor, typeString<<8|3, 0, 255); g.status != stalled {
			t.Errorf("the serial number is % x", g.data)
		}
	})
}

// TestBare asks a device that is nothing but its descriptors.
func TestBare(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := plugged(t, New(Spec{Interfaces: 1, Body: iface(0, 0, 0xff, 0, 0)}))
		if g := h.request(0xc1, 1, 0, 0, 4); g.status != stalled {
			t.Errorf("a request of a class it has not: status %d", g.status)
		}
		h.give(0x01, []byte("x"))
		if g := h.answer(); g.status != ok {
			t.Errorf("bytes for nobody: %+v", g)
		}
		h.ask(0x81, 64)
		h.silent()
	})
}

// TestReportLayout lets the decoders of bar codes read the scanner's report
// descriptor.
func TestReportLayout(t *testing.T) {
	t.Parallel()
	got, err := framing.ParseReportDescriptor(ScannerReports())
	if err != nil {
		t.Fatal(err)
	}
	if got.ReportID != scanReport || got.Size != 64 || got.Data != 5 || got.Max != scanBytes || got.More != 63 || got.MoreMask != 1 {
		t.Errorf("the layout is read as %+v", got)
	}
}

package devicetest

import (
	"testing"

	"github.com/counterproof/counterproof/devices"
)

// Everything has every capability.
type Everything interface {
	devices.MRZReader
	devices.ChipReader
	devices.Camera
	devices.DocumentScanner
	devices.BarcodeReader
	devices.Printer
}

// RunAbsent holds what stands for a device that is not there: every call is
// refused at once with a Fault of Kind Missing, and gives nothing.
func RunAbsent(t *testing.T, in Time, open func(testing.TB) Everything) {
	t.Helper()
	run(t, in, open, absentChecks)
}

var absentChecks = []check[Everything]{
	{"mrz-reader", refuses(func(tb testing.TB, e Everything) error {
		zone, err := e.ReadMRZ(tb.Context())
		nothing(tb, len(zone.Lines) == 0 && len(zone.Raw) == 0)
		return err
	})},
	{"chip-reader", refuses(func(tb testing.TB, e Everything) error {
		response, err := e.Transmit(tb.Context(), []byte{0x00, 0xa4, 0x04, 0x0c})
		nothing(tb, len(response) == 0)
		return err
	})},
	{"chip-reader-connects", refuses(func(tb testing.TB, e Everything) error { return e.Connect(tb.Context()) })},
	{"chip-reader-disconnects", refuses(func(tb testing.TB, e Everything) error { return e.Disconnect(tb.Context()) })},
	{"camera", refuses(func(tb testing.TB, e Everything) error {
		return e.Frames(tb.Context(), func(devices.Frame) bool {
			tb.Error("a frame came from a camera that is not there")
			return false
		})
	})},
	{"document-scanner", refuses(func(tb testing.TB, e Everything) error {
		pages, err := e.Scan(tb.Context(), []devices.Light{devices.White})
		nothing(tb, len(pages) == 0)
		return err
	})},
	{"barcode-reader", refuses(func(tb testing.TB, e Everything) error {
		symbol, err := e.ReadBarcode(tb.Context())
		nothing(tb, len(symbol.Bytes) == 0)
		return err
	})},
	{"printer", refuses(func(tb testing.TB, e Everything) error {
		return e.Print(tb.Context(), devices.Job{Title: "test", Kind: devices.Text, Data: []byte("test\n")})
	})},
	{"printer-accepts-nothing", func(tb testing.TB, e Everything) {
		if kinds := e.Accepts(); len(kinds) > 0 {
			tb.Errorf("a printer that is not there accepts %v", kinds)
		}
	}},
}

func nothing(tb testing.TB, empty bool) {
	tb.Helper()
	if !empty {
		tb.Error("something was read from a device that is not there")
	}
}

// refuses makes a check of a call that must come back at once.
func refuses(call func(testing.TB, Everything) error) func(testing.TB, Everything) {
	return func(tb testing.TB, e Everything) {
		err := within(tb, promptly, "the call", func() error { return call(tb, e) })
		wantKind(tb, "the call", err, devices.Missing)
	}
}

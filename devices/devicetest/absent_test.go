package devicetest

import (
	"context"
	"testing"
	"time"

	"github.com/counterproof/counterproof/devices"
)

// present answers every call as a device would that is there.
type present struct{}

func (present) ReadMRZ(context.Context) (devices.MRZ, error) {
	return devices.MRZ{Lines: []string{"<"}, Raw: []byte("<")}, nil
}
func (present) Connect(context.Context) error                    { return nil }
func (present) Disconnect(context.Context) error                 { return nil }
func (present) Transmit(context.Context, []byte) ([]byte, error) { return []byte{0x90, 0x00}, nil }
func (present) Frames(_ context.Context, deliver func(devices.Frame) bool) error {
	deliver(devices.Frame{Seq: 1})
	return nil
}
func (present) Scan(context.Context, []devices.Light) ([][]byte, error) { return [][]byte{{1}}, nil }
func (present) ReadBarcode(context.Context) (devices.Symbol, error) {
	return devices.Symbol{Bytes: []byte{1}}, nil
}
func (present) Accepts() []devices.JobKind               { return []devices.JobKind{devices.Text} }
func (present) Print(context.Context, devices.Job) error { return nil }

// hanging waits for the device to come.
type hanging struct{ devices.NoDevice }

func (hanging) ReadMRZ(context.Context) (devices.MRZ, error) {
	time.Sleep(time.Hour)
	return devices.MRZ{}, nil
}

// nameless does not say what was wanted.
type nameless struct{ devices.NoDevice }

func TestAbsentSuite(t *testing.T) {
	t.Parallel()
	good := func(testing.TB) Everything { return devices.NoDevice{Op: "reading"} }
	controls := []control[Everything]{
		{"mrz-reader", "hanging", "did not end within", func(testing.TB) Everything { return hanging{} }},
		{"mrz-reader", "nameless", "what was done", func(testing.TB) Everything { return nameless{} }},
	}
	for check, says := range map[string]string{
		"mrz-reader": "was read", "chip-reader": "was read",
		"chip-reader-connects": "want a Fault", "chip-reader-disconnects": "want a Fault", "camera": "a frame came", "document-scanner": "was read",
		"barcode-reader": "was read", "printer": "want a Fault", "printer-accepts-nothing": "accepts [text]",
	} {
		controls = append(controls, control[Everything]{check, "present", says, func(testing.TB) Everything { return present{} }})
	}
	prove(t, absentChecks, good, controls)
}

// TestRun runs a suite as others do, in real time.
func TestRun(t *testing.T) {
	t.Parallel()
	RunAbsent(t, Real, func(testing.TB) Everything { return devices.NoDevice{Op: "reading"} })
}

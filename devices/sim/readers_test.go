package sim_test

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/devicetest"
	"github.com/counterproof/counterproof/devices/sim"
)

// bubble runs checks in the time of a bubble.
func bubble(t *testing.T, check func(*testing.T)) { synctest.Test(t, check) }

func TestMRZReader(t *testing.T) {
	t.Parallel()
	devicetest.RunMRZReader(t, bubble, func(testing.TB) (devices.MRZReader, func() []string, devicetest.ReaderRig) {
		r, n := sim.NewMRZReader(sim.ReaderConfig{}), 0
		return r, func() []string {
			n++
			lines := []string{strings.Repeat("P", 44), fmt.Sprintf("%044d", n)}
			r.Lay(lines...)
			return lines
		}, devicetest.ReaderRig{Unplug: r.Unplug, Plug: r.Plug}
	})
}

func TestBarcodeReader(t *testing.T) {
	t.Parallel()
	devicetest.RunBarcodeReader(t, bubble, func(testing.TB) (devices.BarcodeReader, func() devices.Symbol, devicetest.ReaderRig) {
		r, n := sim.NewBarcodeReader(sim.ReaderConfig{ID: "sim:scanner"}), 0
		return r, func() devices.Symbol {
			n++
			s := devices.Symbol{Symbology: "QR", Bytes: []byte{0, 0xff, byte(n)}}
			r.Show(s.Symbology, s.Bytes)
			return s
		}, devicetest.ReaderRig{Unplug: r.Unplug, Plug: r.Plug}
	})
}

func TestDocumentScanner(t *testing.T) {
	t.Parallel()
	lights := []devices.Light{devices.White, devices.Infrared, devices.UV}
	devicetest.RunDocumentScanner(t, bubble, func(testing.TB) devicetest.ScannerRig {
		s := sim.NewScanner(sim.ScannerConfig{Lights: lights})
		return devicetest.ScannerRig{Scanner: s, Lights: lights, Unplug: s.Unplug}
	})
	if _, err := sim.NewScanner(sim.ScannerConfig{}).Scan(t.Context(), lights); devices.KindOf(err) != devices.Unsupported {
		t.Errorf("without infrared light: %v", err)
	}
}

// TestReadersOnABench: all capabilities come from one bench, as a hub uses it.
func TestReadersOnABench(t *testing.T) {
	t.Parallel()
	bench := sim.NewBench(sim.NewMRZReader(sim.ReaderConfig{}), sim.NewBarcodeReader(sim.ReaderConfig{}),
		sim.NewChipReader(sim.ReaderConfig{}), sim.NewScanner(sim.ScannerConfig{}))
	list, err := bench.Devices(t.Context())
	if err != nil || len(list) != 4 {
		t.Fatalf("%d devices, %v", len(list), err)
	}
	for _, d := range list {
		opened, err := bench.Open(t.Context(), d.ID)
		if err != nil || !d.Training {
			t.Fatalf("%s: %v, training %t", d.ID, err, d.Training)
		}
		var is bool
		switch d.Can[0] {
		case devices.CanReadMRZ:
			_, is = opened.(devices.MRZReader)
		case devices.CanReadBarcode:
			_, is = opened.(devices.BarcodeReader)
		case devices.CanReadChip:
			_, is = opened.(devices.ChipReader)
		case devices.CanScanDocument:
			_, is = opened.(devices.DocumentScanner)
		}
		if !is {
			t.Errorf("%s is not what it can: %s", d.ID, d.Can)
		}
		if err := opened.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestESCLRefuses: what is no request of a scanner's client is refused, and does
// not take the place of one.
func TestESCLRefuses(t *testing.T) {
	t.Parallel()
	h := sim.NewESCL(sim.NewScanner(sim.ScannerConfig{}))
	const ticket = `<ScanSettings><InputSource>Platen</InputSource><DocumentFormat>image/jpeg</DocumentFormat></ScanSettings>`
	for _, c := range []struct {
		method, path, body string
		want               int
	}{
		{"GET", "/eSCL/ScannerStatus", "", 200},
		{"GET", "/", "", 404},
		{"GET", "/eSCL/ScanJobs/1/NextDocument", "", 404},
		{"POST", "/eSCL/ScanJobs", "no ticket", 400},
		{"POST", "/eSCL/ScanJobs", strings.Replace(ticket, "Platen", "Feeder", 1), 400},
		{"POST", "/eSCL/ScanJobs", ticket + strings.Repeat(" ", 1<<17), 400},
		{"POST", "/eSCL/ScanJobs", ticket, 201},
		{"POST", "/eSCL/ScanJobs", ticket, 409},
		{"GET", "/eSCL/ScanJobs/9/NextDocument", "", 404},
		{"GET", "/eSCL/ScanJobs/1/NextDocument", "", 200},
		{"GET", "/eSCL/ScanJobs/1/NextDocument", "", 404},
		{"DELETE", "/eSCL/ScanJobs/9", "", 404},
		{"DELETE", "/eSCL/ScanJobs/1", "", 200},
		{"POST", "/eSCL/ScanJobs", ticket, 201},
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(c.method, c.path, strings.NewReader(c.body)))
		if w.Code != c.want {
			t.Errorf("%s %s: status %d, want %d", c.method, c.path, w.Code, c.want)
		}
	}
}

// TestESCLTrouble: a scanner that fails says so in the words of the protocol.
func TestESCLTrouble(t *testing.T) {
	t.Parallel()
	const ticket = `<ScanSettings><InputSource>Platen</InputSource><DocumentFormat>image/jpeg</DocumentFormat></ScanSettings>`
	for kind, want := range map[devices.Kind]struct {
		code int
		says string
	}{
		devices.InUse: {409, "Processing"}, devices.PaperOut: {409, "ScannerAdfEmpty"}, devices.CoverOpen: {409, "ScannerAdfHatchOpen"},
		devices.Cancelled: {201, "Canceled"}, devices.Protocol: {500, "Idle"}, devices.KindNone: {201, "Processing"},
	} {
		scanner := sim.NewScanner(sim.ScannerConfig{})
		h := sim.NewESCL(scanner)
		scanner.Fail(kind)
		ask := func(method, path, body string) *httptest.ResponseRecorder {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
			return w
		}
		if w := ask("POST", "/eSCL/ScanJobs", ticket); w.Code != want.code {
			t.Errorf("%q: status %d, want %d", kind, w.Code, want.code)
		}
		if said := ask("GET", "/eSCL/ScannerStatus", "").Body.String(); !strings.Contains(said, want.says) {
			t.Errorf("%q: it does not say %s", kind, want.says)
		}
		if w := ask("GET", "/eSCL/ScanJobs/1/NextDocument", ""); w.Code == 200 != (kind == devices.KindNone) {
			t.Errorf("%q: the page's status is %d", kind, w.Code)
		}
	}
}

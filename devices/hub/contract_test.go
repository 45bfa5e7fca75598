package hub_test

import (
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"

	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/devicetest"
	"github.com/counterproof/counterproof/devices/hub"
	"github.com/counterproof/counterproof/devices/sim"
)

// bench runs a hub over simulated devices.
func bench(tb testing.TB, things ...sim.Device) *hub.Hub {
	tb.Helper()
	return start(tb, hub.Config{Sources: []hub.Source{sim.NewBench(things...)}, Training: true})
}

// TestCameraContract holds the hub's handle to what a camera must do. The
// handle stays the same when the camera is plugged in again.
func TestCameraContract(t *testing.T) {
	t.Parallel()
	devicetest.RunCamera(t, synctest.Test, func(tb testing.TB) devicetest.CameraRig {
		c := sim.NewCamera(sim.CameraConfig{Roles: []devices.Role{devices.FaceCamera}})
		handle := bench(tb, c).Camera(devices.FaceCamera)
		return devicetest.CameraRig{
			Camera: handle, Unplug: c.Unplug, Plug: func() devices.Camera { c.Plug(); return handle },
		}
	})
}

func TestPrinterContract(t *testing.T) {
	t.Parallel()
	devicetest.RunPrinter(t, synctest.Test, func(tb testing.TB) devicetest.PrinterRig {
		dir := tb.TempDir()
		p := sim.NewPrinter(sim.PrinterConfig{Folder: dir, Accepts: []devices.JobKind{devices.Text, devices.PDF}})
		return devicetest.PrinterRig{
			Printer: bench(tb, p).Printer(devices.SlipPrinter),
			Printed: func() [][]byte { return printed(tb, dir) },
			Fail:    p.Fail,
			Unplug:  p.Unplug,
		}
	})
}

// printed reads the jobs of a folder; the names grow with the time and the
// counter.
func printed(tb testing.TB, dir string) [][]byte {
	tb.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		tb.Fatal(err)
	}
	var jobs [][]byte
	for _, n := range names {
		b, err := os.ReadFile(n)
		if err != nil {
			tb.Fatal(err)
		}
		jobs = append(jobs, b)
	}
	return jobs
}

// handles are all of a hub's.
type handles struct {
	devices.MRZReader
	devices.ChipReader
	devices.Camera
	devices.DocumentScanner
	devices.BarcodeReader
	devices.Printer
}

func all(h *hub.Hub) devicetest.Everything {
	return handles{
		h.MRZReader(), h.ChipReader(), h.Camera(devices.DocumentCamera), h.DocumentScanner(), h.BarcodeReader(),
		h.Printer(devices.SlipPrinter),
	}
}

// TestAbsentContract holds that handles work, politely, wherever there is no
// device behind them.
func TestAbsentContract(t *testing.T) {
	t.Parallel()
	tests := map[string]func(tb testing.TB) devicetest.Everything{
		"never-run": func(testing.TB) devicetest.Everything { return all(hub.New(hub.Config{})) },
		"no-source": func(tb testing.TB) devicetest.Everything { return all(start(tb, hub.Config{})) },
		"other-role": func(tb testing.TB) devicetest.Everything {
			roles := []devices.Role{devices.FaceCamera, devices.LetterPrinter}
			return all(start(tb, hub.Config{Sources: []hub.Source{newPorts(usb("1", roles...))}}))
		},
		"unplugged": func(tb testing.TB) devicetest.Everything {
			c := sim.NewCamera(sim.CameraConfig{})
			p := sim.NewPrinter(sim.PrinterConfig{Folder: tb.TempDir()})
			e := all(bench(tb, c, p))
			c.Unplug()
			p.Unplug()
			settle()
			return e
		},
		"no-training": func(tb testing.TB) devicetest.Everything {
			things := sim.NewBench(sim.NewCamera(sim.CameraConfig{}), sim.NewPrinter(sim.PrinterConfig{Folder: tb.TempDir()}))
			return all(start(tb, hub.Config{Sources: []hub.Source{things}}))
		},
		"after-run": func(tb testing.TB) devicetest.Everything {
			h, stop := startStop(tb, hub.Config{Sources: []hub.Source{newPorts(usb("1"))}})
			synctest.Wait()
			stop()
			return all(h)
		},
	}
	for name, open := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			devicetest.RunAbsent(t, synctest.Test, open)
		})
	}
}

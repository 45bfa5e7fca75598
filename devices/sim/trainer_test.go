package sim_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/sim"
)

// TestTrainer: a file pulls a device out, puts it into trouble, and nothing does
// for the others.
func TestTrainer(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		camera := sim.NewCamera(sim.CameraConfig{ID: "sim:document_camera"})
		printer := sim.NewPrinter(sim.PrinterConfig{ID: "sim:printer", Folder: dir})
		bench := sim.NewTrainer(dir, camera, printer)
		go func() { _ = bench.Watch(t.Context(), func(devices.ID) {}) }()
		write := func(name, text string) {
			whole := filepath.Join(dir, name)
			if err := errors.Join(os.WriteFile(whole+"~", []byte(text), 0o600), os.Rename(whole+"~", whole)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		remove := func(name string) {
			if err := os.Remove(filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		write("document_camera.unplugged", "")
		if camera.Device().State != devices.Absent || printer.Device().State == devices.Absent {
			t.Error("another device than the camera was pulled out")
		}
		remove("document_camera.unplugged")
		write("printer.fault", "paper_out\n")
		if camera.Device().State == devices.Absent || printer.Device().Kind != devices.PaperOut {
			t.Errorf("the printer is in %q", printer.Device().Kind)
		}
		write("printer.fault", "haunted")
		if printer.Device().Kind != devices.PaperOut {
			t.Errorf("a word that is none puts it into %q", printer.Device().Kind)
		}
		remove("printer.fault")
		if printer.Device().Kind != devices.KindNone {
			t.Errorf("the trouble stays: %q", printer.Device().Kind)
		}
	})
}

package daemon

import (
	"fmt"
	"strings"

	"github.com/counterproof/counterproof/agent/config"
	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/hub"
	"github.com/counterproof/counterproof/devices/sim"
)

// openHub makes the hub over the devices that the configuration names.
// Simulated ones count only in training.
func openHub(cfg config.Config, training bool) (*hub.Hub, error) {
	var bench []sim.Device
	for role, from := range map[devices.Role]string{devices.DocumentCamera: cfg.DocumentCamera, devices.FaceCamera: cfg.FaceCamera} {
		dir, ok := strings.CutPrefix(from, "sim:")
		if !ok {
			continue
		}
		pictures, err := sim.Directory(dir)
		if err != nil {
			return nil, fmt.Errorf("opening the simulated %s: %w", words(role), err)
		}
		bench = append(bench, sim.NewCamera(sim.CameraConfig{
			ID: devices.ID("sim:" + role), Name: "Simulated " + words(role), Roles: []devices.Role{role}, Pictures: pictures,
		}))
	}
	if dir, ok := strings.CutPrefix(cfg.Printer, "file:"); ok {
		bench = append(bench, sim.NewPrinter(sim.PrinterConfig{Folder: dir, Roles: []devices.Role{devices.SlipPrinter}}))
	}
	return hub.New(hub.Config{Sources: []hub.Source{sim.NewBench(bench...)}, Training: training}), nil
}

// words is a role as people say it.
func words(role devices.Role) string { return strings.ReplaceAll(string(role), "_", " ") }

package daemon

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/counterproof/counterproof/agent/config"
	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/bus"
	"github.com/counterproof/counterproof/devices/hub"
	"github.com/counterproof/counterproof/devices/sim"
)

// openHub makes the hub over what is plugged in and what the configuration names.
// Simulated devices count only in training.
func openHub(cfg config.Config, training bool) (*hub.Hub, error) {
	bench, err := simulated(cfg)
	if err != nil {
		return nil, err
	}
	sources := []hub.Source{sim.NewTrainer(filepath.Join(cfg.Data, trainerFolder), bench...)}
	if cfg.Plugs {
		sources = append(sources, bus.New(bus.Config{Profiles: cfg.ProfilesPath()}))
	}
	return hub.New(hub.Config{Sources: sources, Roles: pins(cfg), Training: training}), nil
}

// trainerFolder is where whoever trains the staff pulls simulated devices out, in
// the data folder.
const trainerFolder = "trainer"

// pins are the devices that the configuration names for a role.
func pins(cfg config.Config) map[devices.Role]devices.ID {
	return map[devices.Role]devices.ID{
		devices.DocumentCamera: devices.ID(config.Pinned(cfg.DocumentCamera)),
		devices.FaceCamera:     devices.ID(config.Pinned(cfg.FaceCamera)),
		devices.SlipPrinter:    devices.ID(config.Pinned(cfg.Printer)),
	}
}

// simulated are the devices of software that the configuration names.
func simulated(cfg config.Config) (bench []sim.Device, err error) {
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
	return bench, nil
}

// words is a role as people say it.
func words(role devices.Role) string { return strings.ReplaceAll(string(role), "_", " ") }

// Package bench puts the devices of a counter on its bench by the configuration:
// what is plugged in, what is simulated for training, and what chips are trusted
// by.
//
// It has no rules: which device serves is the hub's, what a chip is worth emrtd's.
//
// # The laws
//
//   - Simulated devices count only in training.
//   - A device that is missing is lived without; a folder that the configuration
//     names and that is not there is an error.
package bench

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/counterproof/counterproof/agent/chip/image"
	"github.com/counterproof/counterproof/agent/config"
	"github.com/counterproof/counterproof/agent/desk"
	"github.com/counterproof/counterproof/agent/emrtd"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/truststore"
	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/bus"
	"github.com/counterproof/counterproof/devices/hub"
	"github.com/counterproof/counterproof/devices/sim"
)

// Bench is the devices of one counter and what reads chips with them.
type Bench struct {
	*hub.Hub
	Trust  *truststore.Shelf
	reader *emrtd.Reader
}

// Open puts the bench together. Nothing is opened before its hub runs.
func Open(cfg config.Config, training bool) (*Bench, error) {
	all, err := simulated(cfg)
	if err != nil {
		return nil, err
	}
	sources := []hub.Source{sim.NewTrainer(filepath.Join(cfg.Data, TrainerFolder), all...)}
	if cfg.Plugs {
		plugs := bus.New(bus.Config{Profiles: cfg.ProfilesPath()})
		sources = append(sources, plugs, plugs.Chips())
	}
	if len(cfg.Queues) > 0 {
		sources = append(sources, bus.NewQueues(cfg.Queues...))
	}
	signer, err := cfg.Signer()
	if err != nil {
		return nil, fmt.Errorf("reading the key of trust bundles: %w", err)
	}
	b := &Bench{Hub: hub.New(hub.Config{Sources: sources, Roles: pins(cfg), Training: training})}
	if b.Trust, err = truststore.Open(cfg.TrustPath(), signer); err != nil {
		slog.Error("no chip can be verified", "kind", string(proof.KindDiskFails), "err", err)
	}
	b.reader = emrtd.New(emrtd.Config{Device: b.Hub.ChipReader(), Store: b.Trust.Store, Random: rand.Reader, Now: time.Now})
	return b, nil
}

// ReadChip reads the chip of the document on the reader, for the desk.
func (b *Bench) ReadChip(ctx context.Context, key desk.ChipKey, progress func(kind proof.Kind, percent int)) (desk.ChipTold, error) {
	if err := b.Trust.Look(); err != nil { // somebody may have brought a newer bundle
		slog.Warn("trust bundles cannot be looked through", "err", err.Error())
	}
	told, err := b.reader.Read(ctx, emrtd.Key{MRZInformation: key.MRZInformation, CAN: key.CAN}, progress)
	return desk.ChipTold{Fact: told.Fact, Portrait: told.Portrait, Files: told.Packed}, err
}

// TrainerFolder is where whoever trains the staff pulls simulated devices out, in
// the data folder.
const TrainerFolder = "trainer"

// ChipFile is where the chip that lies on a simulated reader is written down, in
// the folder that the configuration names.
const ChipFile = "chip.json"

// pins are the devices that the configuration names for a role.
func pins(cfg config.Config) map[devices.Role]devices.ID {
	return map[devices.Role]devices.ID{
		devices.DocumentCamera: devices.ID(config.Pinned(cfg.DocumentCamera)),
		devices.FaceCamera:     devices.ID(config.Pinned(cfg.FaceCamera)),
		devices.SlipPrinter:    devices.ID(config.Pinned(cfg.Printer)),
	}
}

// simulated are the devices of software that the configuration names.
func simulated(cfg config.Config) (all []sim.Device, err error) {
	for role, from := range map[devices.Role]string{devices.DocumentCamera: cfg.DocumentCamera, devices.FaceCamera: cfg.FaceCamera} {
		dir, ok := strings.CutPrefix(from, "sim:")
		if !ok {
			continue
		}
		pictures, err := sim.Directory(dir)
		if err != nil {
			return nil, fmt.Errorf("opening the simulated %s: %w", words(role), err)
		}
		all = append(all, sim.NewCamera(sim.CameraConfig{
			ID: devices.ID("sim:" + role), Name: "Simulated " + words(role), Roles: []devices.Role{role}, Pictures: pictures,
		}))
	}
	if dir, ok := strings.CutPrefix(cfg.ChipReader, "sim:"); ok {
		all = append(all, chipReader(dir))
	}
	if dir, ok := strings.CutPrefix(cfg.Printer, "file:"); ok {
		all = append(all, sim.NewPrinter(sim.PrinterConfig{Folder: dir, Roles: []devices.Role{devices.SlipPrinter}}))
	}
	return all, nil
}

// chipReader is a simulated reader on which the chip in a folder lies. Where there
// is none, whatever lies there is no document.
func chipReader(dir string) *sim.ChipReader {
	r := sim.NewChipReader(sim.ReaderConfig{ID: "sim:chip_reader"})
	r.Insert(func() sim.Card {
		b, err := os.ReadFile(filepath.Join(dir, ChipFile))
		if err != nil {
			return sim.Blank()
		}
		laid, err := image.Read(b)
		if err != nil {
			slog.Warn("what lies on the simulated chip reader is no chip", "err", err.Error())
			return sim.Blank()
		}
		return laid.Card(rand.Reader).Transmit
	})
	return r
}

// words is a role as people say it.
func words(role devices.Role) string { return strings.ReplaceAll(string(role), "_", " ") }

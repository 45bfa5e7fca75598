package sim

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/counterproof/counterproof/devices"
)

// look is how often a trainer's folder is looked at.
const look = 300 * time.Millisecond

// Trainer is a bench whose plugs are in the hands of somebody who trains the
// staff, by files in a folder: "document_camera.unplugged" pulls the device
// sim:document_camera out for as long as the file is there, and
// "document_camera.fault" puts it into the trouble that the file names.
type Trainer struct {
	*Bench
	dir string
}

// NewTrainer puts a bench into the hands of whoever may write to a folder, which
// need not be there yet.
func NewTrainer(dir string, things ...Device) *Trainer { return &Trainer{NewBench(things...), dir} }

// Watch tells changed what was plugged in or pulled out, until ctx ends. The
// files count while it runs.
func (t *Trainer) Watch(ctx context.Context, changed func(devices.ID)) error {
	for _, thing := range t.things {
		defer thing.watch(changed)()
	}
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		for _, thing := range t.things {
			t.handle(thing)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// troubles are the faults that a file may name.
var troubles = []devices.Kind{
	devices.InUse, devices.Permission, devices.Timeout, devices.Protocol, devices.Unsupported, devices.PaperOut, devices.CoverOpen,
}

// maxTrouble bounds a file that names a trouble, in bytes.
const maxTrouble = 64

// handle does to a device what the folder says.
func (t *Trainer) handle(thing Device) {
	hands, has := thing.(interface {
		Unplug()
		Plug()
		Fail(kind devices.Kind)
	})
	if !has {
		return
	}
	name := filepath.Base(strings.TrimPrefix(string(thing.Device().ID), "sim:"))
	if _, err := os.Stat(filepath.Join(t.dir, name+".unplugged")); err == nil {
		hands.Unplug()
		return
	}
	hands.Plug()
	kind := devices.KindNone
	if b, err := os.ReadFile(filepath.Join(t.dir, name+".fault")); err == nil && len(b) <= maxTrouble {
		kind = devices.Kind(bytes.TrimSpace(b))
	}
	if kind == devices.KindNone || slices.Contains(troubles, kind) {
		hands.Fail(kind)
	}
}

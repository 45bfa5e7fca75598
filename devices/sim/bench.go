package sim

import (
	"context"
	"io"

	"github.com/counterproof/counterproof/devices"
)

// Bench is a set of simulated devices in their ports. It is a source of devices
// for the hub.
type Bench struct{ things []Device }

// NewBench sets devices up. Each needs an ID of its own.
func NewBench(things ...Device) *Bench { return &Bench{things} }

// Watch tells changed which device was plugged in or pulled out, until ctx
// ends.
func (b *Bench) Watch(ctx context.Context, changed func(devices.ID)) error {
	for _, t := range b.things {
		defer t.watch(changed)()
	}
	<-ctx.Done()
	return nil
}

// Devices lists what is plugged in.
func (b *Bench) Devices(context.Context) ([]devices.Device, error) {
	var list []devices.Device
	for _, t := range b.things {
		if d := t.Device(); d.State != devices.Absent {
			list = append(list, d)
		}
	}
	return list, nil
}

// Open opens a device: what it returns has the methods of what the device can.
// A device that is not plugged in is a Fault of Kind Missing.
func (b *Bench) Open(_ context.Context, id devices.ID) (io.Closer, error) {
	for _, t := range b.things {
		if t.Device().ID == id {
			return t.open()
		}
	}
	return nil, &devices.Fault{Op: "opening", Kind: devices.Missing, Device: id}
}

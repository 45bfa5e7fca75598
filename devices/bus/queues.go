package bus

import (
	"context"
	"io"
	"slices"
	"time"

	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/internal/driver/printer"
)

// queueWatch is how often the print queues are looked at.
const queueWatch = 30 * time.Second

// queueID begins the names of print queues.
const queueID = "cups:"

// Queues is print queues of the system's CUPS as a source of devices of its own,
// for letters: those that the site names and no other, because whatever else the
// system can print on may stand in another room. Its methods may be called from any
// goroutine.
type Queues struct {
	names    []string
	programs string // where the programs of CUPS are; "" is the path
}

// NewQueues makes a source of the named queues.
func NewQueues(names ...string) *Queues { return &Queues{names: slices.Clone(names)} }

// QueueNames lists every print queue of the system, for the site to choose from.
// Without CUPS that is a Fault of Kind Unsupported.
func QueueNames(ctx context.Context) ([]string, error) { return printer.Queues(ctx, "") }

// Watch asks for a new list now and then, until ctx ends.
func (q *Queues) Watch(ctx context.Context, changed func(devices.ID)) error {
	tick := time.NewTicker(queueWatch)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			changed("")
		}
	}
}

// Devices lists the named queues that are there. Without CUPS there are none.
func (q *Queues) Devices(ctx context.Context) (list []devices.Device, err error) {
	if len(q.names) == 0 {
		return nil, nil
	}
	there, err := printer.Queues(ctx, q.programs)
	if devices.KindOf(err) == devices.Unsupported {
		return nil, nil
	}
	for _, name := range there {
		if slices.Contains(q.names, name) {
			list = append(list, devices.Device{
				ID: devices.ID(queueID + name), Name: name, Roles: []devices.Role{devices.LetterPrinter},
				Can: []devices.Capability{devices.CanPrint}, State: devices.Found,
			})
		}
	}
	return list, err
}

// Open opens a named queue.
func (q *Queues) Open(ctx context.Context, id devices.ID) (io.Closer, error) {
	i := slices.IndexFunc(q.names, func(name string) bool { return devices.ID(queueID+name) == id })
	if i < 0 {
		return nil, &devices.Fault{Op: opening, Kind: devices.Missing, Device: id}
	}
	opened, err := printer.OpenQueue(ctx, printer.QueueConfig{ID: id, Name: q.names[i], Programs: q.programs})
	if err != nil {
		return nil, err
	}
	return opened, nil
}

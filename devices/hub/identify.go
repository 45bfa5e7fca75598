package hub

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/counterproof/counterproof/devices"
)

// errNoTwin is why no device is identified.
var errNoTwin = errors.New("no reader of this kind is there")

// Identify tells which reader of a kind somebody uses now: one of two equal ones
// is told by laying something on it, or by pressing its trigger. It asks all that
// are free at once, takes the first that reads something, and forgets what that
// was. It knows readers of machine-readable zones and of barcodes.
func (h *Hub) Identify(ctx context.Context, can devices.Capability) (devices.ID, error) {
	const op = "finding out which reader it is"
	listen := listeners[can]
	if listen == nil {
		return "", &devices.Fault{Op: op, Kind: devices.Unsupported}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()
	type result struct {
		id  devices.ID
		err error
	}
	asked := h.able(can)
	results := make(chan result, len(asked))
	for _, id := range asked {
		all.Go(func() { results <- result{id, listen(ctx, h, want{op: op, can: can, id: id})} })
	}
	err := error(&devices.Fault{Op: op, Kind: devices.Missing, Err: errNoTwin})
	for range asked {
		r := <-results
		if r.err == nil {
			return r.id, nil
		}
		err = r.err
	}
	return "", err
}

// listeners wait until a device of a kind has read something.
var listeners = map[devices.Capability]func(context.Context, *Hub, want) error{
	devices.CanReadMRZ: func(ctx context.Context, h *Hub, w want) error {
		return use(ctx, h, w, func(ctx context.Context, d devices.MRZReader) error {
			_, err := d.ReadMRZ(ctx)
			return err
		})
	},
	devices.CanReadBarcode: func(ctx context.Context, h *Hub, w want) error {
		return use(ctx, h, w, func(ctx context.Context, d devices.BarcodeReader) error {
			_, err := d.ReadBarcode(ctx)
			return err
		})
	},
}

// able lists the devices that are there and can do something.
func (h *Hub) able(can devices.Capability) (ids []devices.ID) {
	for _, d := range h.Devices() {
		if d.State != devices.Absent && slices.Contains(d.Can, can) {
			ids = append(ids, d.ID)
		}
	}
	return ids
}

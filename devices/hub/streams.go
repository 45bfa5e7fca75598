package hub

import (
	"context"
	"time"

	"github.com/counterproof/counterproof/devices"
)

// again is how long a stream waits after a reader failed, before it asks the
// reader that is there then.
const again = time.Second

// Zones gives what readers of machine-readable zones read by themselves, until
// ctx has ended or the hub has; then the channel is closed. A reader that is
// plugged in meanwhile is used. A zone that nobody takes is dropped with ctx.
func (h *Hub) Zones(ctx context.Context) <-chan devices.MRZ {
	return stream(ctx, h, h.MRZReader().ReadMRZ)
}

// Codes gives what barcode readers read by themselves, as Zones does.
func (h *Hub) Codes(ctx context.Context) <-chan devices.Symbol {
	return stream(ctx, h, h.BarcodeReader().ReadBarcode)
}

// stream reads again and again.
func stream[T any](ctx context.Context, h *Hub, read func(context.Context) (T, error)) <-chan T {
	out := make(chan T)
	go func() {
		defer close(out)
		for ctx.Err() == nil && !h.ended() {
			thing, err := read(ctx)
			if err != nil {
				sleep(ctx, again)
				continue
			}
			select {
			case out <- thing:
			case <-ctx.Done():
			}
		}
	}()
	return out
}

// ended reports that Run has returned.
func (h *Hub) ended() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.phase == over
}

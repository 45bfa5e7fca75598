package bus

import (
	"context"
	"io"

	"github.com/counterproof/counterproof/devices"
)

// drive opens a thing as a driver of its profile.
func drive(context.Context, Thing) (io.Closer, error) {
	return nil, &devices.Fault{Op: opening, Kind: devices.Unsupported}
}

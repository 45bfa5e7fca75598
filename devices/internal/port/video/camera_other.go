//go:build !linux

package video

import (
	"context"

	"github.com/counterproof/counterproof/devices"
)

// Camera is a camera of a system that this port does not know.
type Camera struct{}

func unsupported() error { return fault("opening the camera", devices.Unsupported, nil) }

// Open refuses: cameras are filmed on Linux alone.
func Open(string, Wish) (*Camera, error) { return nil, unsupported() }

// Card is empty.
func (*Camera) Card() string { return "" }

// Mode is empty.
func (*Camera) Mode() Mode { return Mode{} }

// Next refuses.
func (*Camera) Next(context.Context) (Picture, error) { return Picture{}, unsupported() }

// Controls is empty.
func (*Camera) Controls() []Control { return nil }

// Value refuses.
func (*Camera) Value(ControlID) (int, error) { return 0, unsupported() }

// Set refuses.
func (*Camera) Set(ControlID, int) error { return unsupported() }

// Close does nothing.
func (*Camera) Close() error { return nil }

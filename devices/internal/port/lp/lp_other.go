//go:build !linux

package lp

import (
	"context"
	"errors"

	"github.com/counterproof/counterproof/devices"
)

// errSystem is that this driver is Linux's.
var errSystem = errors.New("printer nodes are driven on Linux alone")

// Port is a printer of a system that has no such nodes.
type Port struct{}

// Open refuses as Unsupported.
func Open(node string) (*Port, error) { return nil, openFault(node, errSystem) }

func openKind(error) devices.Kind { return devices.Unsupported }

// Read refuses.
func (*Port) Read(context.Context, []byte) (int, error) {
	return 0, fault(reading, devices.Unsupported, errSystem)
}

// Write refuses.
func (*Port) Write(context.Context, []byte) error {
	return fault(writing, devices.Unsupported, errSystem)
}

// Status refuses.
func (*Port) Status() (Status, error) { return 0, fault(asking, devices.Unsupported, errSystem) }

// DeviceID refuses.
func (*Port) DeviceID() (string, error) { return "", fault(naming, devices.Unsupported, errSystem) }

// Flush refuses.
func (*Port) Flush() error { return fault(flushing, devices.Unsupported, errSystem) }

// Close does nothing.
func (*Port) Close() error { return nil }

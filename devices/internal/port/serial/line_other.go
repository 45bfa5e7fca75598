//go:build !linux && !windows

package serial

import (
	"errors"

	"github.com/counterproof/counterproof/devices"
)

// errSystem is that serial lines are driven on Linux and Windows alone.
var errSystem = errors.New("serial lines are not driven on this system")

func openLine(string, Settings) (line, error) { return nil, errSystem }

func lock(string, Settings) (unlock func() error, err error) {
	return func() error { return nil }, nil
}

func holder(string) string { return "" }

func openKind(error) devices.Kind { return devices.Unsupported }

func lost(error) bool { return false }

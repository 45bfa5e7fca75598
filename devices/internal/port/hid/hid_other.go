//go:build !linux && !windows

package hid

import (
	"errors"

	"github.com/counterproof/counterproof/devices"
)

// errSystem is that HID devices are driven on Linux and Windows alone.
var errSystem = errors.New("HID devices are not driven on this system")

func openHandle(string) (handle, Info, []byte, error) { return nil, Info{}, nil, errSystem }

func openKind(error) devices.Kind { return devices.Unsupported }

func lost(error) bool { return false }

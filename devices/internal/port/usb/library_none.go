//go:build !cgo

package usb

import (
	"errors"

	"github.com/counterproof/counterproof/devices"
)

// errBuild is that libusb is a library of C.
var errBuild = errors.New("this program was built without libusb")

func newLibrary() (library, error) { return nil, errBuild }

func whyNot(error) devices.Kind { return devices.Unsupported }

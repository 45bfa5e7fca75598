//go:build !cgo

package usb

import (
	"testing"

	"github.com/counterproof/counterproof/devices"
)

// TestWithoutLibrary: a build without libusb says so and does nothing else.
func TestWithoutLibrary(t *testing.T) {
	t.Parallel()
	h, err := Open()
	if h != nil || devices.KindOf(err) != devices.Unsupported {
		t.Errorf("got %v, want unsupported", err)
	}
}

package driver

import (
	"errors"
	"testing"

	"github.com/counterproof/counterproof/devices"
)

// TestOpenChip: a reader that is not there is missing, whether there is a
// smart-card service or not, and the fault names it.
func TestOpenChip(t *testing.T) {
	t.Parallel()
	r, err := OpenChip(ChipConfig{ID: "pcsc:1", Reader: "No such reader 00 00"})
	f, is := errors.AsType[*devices.Fault](err)
	if !is || f.Kind != devices.Missing && f.Kind != devices.Unsupported || f.Device != "pcsc:1" || r != nil {
		t.Errorf("got %+v", err)
	}
}

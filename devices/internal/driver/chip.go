package driver

import (
	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/internal/port/pcsc"
)

// ChipConfig says which chip reader is opened.
type ChipConfig struct {
	ID     devices.ID
	Reader string // as the smart-card service calls it
}

// OpenChip opens a chip reader that is there. There is nothing between it and the
// port: the service moves whole commands, and what they mean is not this wing's.
func OpenChip(cfg ChipConfig) (*pcsc.Reader, error) {
	return pcsc.Open(pcsc.Config{ID: cfg.ID, Name: cfg.Reader})
}

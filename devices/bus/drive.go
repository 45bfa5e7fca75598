package bus

import (
	"context"
	"errors"
	"io"

	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/internal/driver"
	"github.com/counterproof/counterproof/devices/internal/port/video"
	"github.com/counterproof/counterproof/devices/profile"
)

// errNoDriver is why a thing whose profile is known is not opened.
var errNoDriver = errors.New("this program has no driver for its transport yet")

// drive opens a thing as a driver of its profile.
func drive(ctx context.Context, t Thing) (io.Closer, error) {
	switch t.Profile.Transport {
	case profile.OverVideo:
		return driven(driver.OpenCamera(driver.CameraConfig{ID: t.ID, Node: t.Node, Wish: video.Wish{}}))
	case profile.OverESCL:
		return driven(driver.OpenESCL(ctx, driver.ESCLConfig{ID: t.ID, Root: t.Node}))
	case profile.OverSANE:
		return driven(driver.OpenSANE(driver.SANEConfig{ID: t.ID, Name: t.Node, Total: t.Profile.Limits.Total}))
	}
	return nil, &devices.Fault{Op: opening, Kind: devices.Unsupported, Err: errNoDriver}
}

// driven keeps a driver that could not be opened from being one.
func driven[T io.Closer](d T, err error) (io.Closer, error) {
	if err != nil {
		return nil, err
	}
	return d, nil
}

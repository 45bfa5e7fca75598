// Package driver makes a device of a thing that was found: it picks the driver that
// the thing's profile asks for, over the port that its transport is. The drivers
// stand in rooms of their own, by capability.
//
// It finds no device and holds no policy of retries.
//
// # The laws
//
//   - What a profile refuses is not opened, and says by which word of the profile.
//   - A missing permission names the rule that would help.
//   - A driver that could not be opened leaves no port open.
package driver

import (
	"context"
	"errors"
	"io"

	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/internal/driver/camera"
	"github.com/counterproof/counterproof/devices/internal/driver/printer"
	"github.com/counterproof/counterproof/devices/internal/driver/reader"
	"github.com/counterproof/counterproof/devices/internal/driver/scanner"
	"github.com/counterproof/counterproof/devices/internal/driver/way"
	"github.com/counterproof/counterproof/devices/profile"
)

// What is being done, for a fault.
const opening = "opening the device"

// errNoDriver is why a thing whose profile is known is not opened.
var errNoDriver = errors.New("this program has no driver for what its profile says")

// Config says what is opened, and with which means.
type Config = way.Config

// USB is the process's libusb; its zero value is ready.
type USB = way.USB

// Refused is why a device that is recognised is not opened: a word of
// profile.Hints, for the screen.
type Refused string

// Error is the word.
func (r Refused) Error() string { return string(r) }

// Open opens a thing that was found as a driver of its profile: what it returns
// has the methods of what the profile says that the thing can do. What the
// profile refuses is a Fault of Kind Unsupported that wraps Refused; a missing
// permission names the rule that would help. Chip readers are the smart-card
// service's to open.
func Open(ctx context.Context, cfg Config) (io.Closer, error) {
	if !cfg.Profile.Opens() {
		return nil, &devices.Fault{Op: opening, Kind: devices.Unsupported, Device: cfg.ID, Err: Refused(cfg.Profile.Hint)}
	}
	opened, err := open(ctx, cfg)
	if err != nil {
		return nil, named(cfg, err)
	}
	return opened, nil
}

// named is the fault of a device that could not be opened.
func named(cfg Config, err error) *devices.Fault {
	f := devices.Fault{Kind: devices.Protocol, Err: err}
	if known, ok := errors.AsType[*devices.Fault](err); ok && known.Kind != devices.KindNone {
		f = *known
	}
	f.Op, f.Device = opening, cfg.ID
	if f.Kind == devices.Permission && f.Rule == "" {
		f.Rule = cfg.Profile.Rule()
	}
	return &f
}

// open goes by the transport.
func open(ctx context.Context, cfg Config) (io.Closer, error) {
	id, node := cfg.ID, cfg.Found.Node
	switch cfg.Profile.Transport {
	case profile.OverVideo:
		return opens(camera.Open(camera.Config{ID: id, Node: node}))
	case profile.OverESCL:
		return opens(scanner.OpenESCL(ctx, scanner.ESCLConfig{ID: id, Root: node}))
	case profile.OverSANE:
		return opens(scanner.OpenSANE(scanner.SANEConfig{ID: id, Name: node, Total: cfg.Profile.Limits.Total}))
	}
	w, err := way.Open(ctx, cfg)
	if err != nil {
		return nil, err
	}
	return serve(ctx, cfg, w)
}

// opens keeps a driver that could not be opened from being one.
func opens[T io.Closer](d T, err error) (io.Closer, error) {
	if err != nil {
		return nil, err
	}
	return d, nil
}

// serve opens the driver of the first thing that the device can do. A profile's
// framing gives either zones or barcodes, so there is one.
func serve(ctx context.Context, cfg Config, w way.Way) (io.Closer, error) {
	for _, can := range cfg.Profile.Can {
		reads := reader.Config{ID: cfg.ID, Profile: cfg.Profile, Port: w.Port, Descriptor: w.Descriptor}
		switch can {
		case devices.CanReadMRZ:
			return opens(reader.NewMRZ(ctx, reads))
		case devices.CanReadBarcode:
			return opens(reader.NewBarcode(ctx, reads))
		case devices.CanPrint:
			return opens(printer.NewReceipt(ctx, printer.Config{
				ID: cfg.ID, Profile: cfg.Profile, Port: w.Port, State: w.State, Reset: w.Reset,
			}))
		}
	}
	return nil, errors.Join(&devices.Fault{Kind: devices.Unsupported, Err: errNoDriver}, w.Close())
}

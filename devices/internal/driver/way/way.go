// Package way opens the port of a thing that was found, by the transport that its
// profile names, with what the port tells beside its bytes.
//
// It finds nothing, and sends nothing to what it opens.
//
// # The laws
//
//   - What a thing has no node for, and no other way to, is Missing.
//   - A process has one libusb: started with the first device that needs it, ended
//     with the last.
package way

import (
	"context"
	"errors"
	"fmt"

	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/internal/port/hid"
	"github.com/counterproof/counterproof/devices/internal/port/lp"
	"github.com/counterproof/counterproof/devices/internal/port/serial"
	"github.com/counterproof/counterproof/devices/internal/port/usb"
	"github.com/counterproof/counterproof/devices/profile"
)

// Why there is no way to a thing.
var (
	errTransport = errors.New("its transport carries no bytes")
	errNoUSB     = errors.New("this program takes no USB devices for itself")
	errNoNode    = errors.New("the system has no node for it")
)

// Config says what is to be reached, and with which means.
type Config struct {
	ID      devices.ID
	Profile profile.Profile
	Found   profile.Found
	USB     *USB   // of the process; nil takes no device over USB
	Locks   string // folder of the locks of serial lines; "" is the system's
}

// State is what a printer's port tells of it beside the stream of bytes: the port
// status of the USB printer class (1.1 §4.2.2).
type State = interface {
	PaperOut() bool
	Selected() bool
	Failed() bool
}

// Way is an opened port. Each of the others may be nil.
type Way struct {
	devices.Port
	Descriptor []byte                               // of the reports of a HID device
	State      func(context.Context) (State, error) // of a printer
	Reset      func(context.Context) error          // lets a printer forget what it has not printed
}

// Open opens the way to a thing. Errors are the port's.
func Open(ctx context.Context, cfg Config) (Way, error) {
	node := cfg.Found.Node
	switch t := cfg.Profile.Transport; {
	case t == profile.OverUSB, t == profile.OverLP && node == "" && cfg.Profile.Has(profile.USBFallback):
		return cfg.overUSB(ctx)
	case t != profile.OverSerial && t != profile.OverHID && t != profile.OverLP:
		return Way{}, &devices.Fault{Kind: devices.Unsupported, Err: errTransport}
	case node == "":
		return Way{}, &devices.Fault{Kind: devices.Missing, Err: errNoNode}
	case t == profile.OverSerial:
		return cfg.overSerial()
	case t == profile.OverHID:
		return cfg.overHID()
	}
	return cfg.overLP()
}

func (cfg Config) overSerial() (Way, error) {
	s := cfg.Profile.Serial
	port, err := serial.Open(cfg.Found.Node, serial.Settings{
		Baud: s.Baud, DataBits: s.DataBits, Parity: s.Parity, StopBits: s.StopBits, Device: cfg.ID, Locks: cfg.Locks,
	})
	if err != nil {
		return Way{}, err
	}
	return Way{Port: port}, nil
}

func (cfg Config) overHID() (Way, error) {
	port, err := hid.Open(cfg.Found.Node)
	if err != nil {
		return Way{}, err
	}
	return Way{Port: port, Descriptor: port.Descriptor()}, nil
}

func (cfg Config) overLP() (Way, error) {
	port, err := lp.Open(cfg.Found.Node)
	if err != nil {
		return Way{}, err
	}
	return Way{Port: port, State: func(context.Context) (State, error) {
		s, err := port.Status()
		return s, err
	}}, nil
}

// Requests of a HID interface (HID 1.11 §7.1.1).
const (
	hidClass         = 0x03
	getDescriptor    = 6
	fromInterface    = 0x81
	reportDescriptor = 0x22 << 8
)

// overUSB takes an interface. A HID device that keeps its descriptor to itself may
// have a layout in its profile.
func (cfg Config) overUSB(ctx context.Context) (Way, error) {
	if cfg.USB == nil {
		return Way{}, &devices.Fault{Kind: devices.Unsupported, Err: errNoUSB}
	}
	port, taken, err := cfg.USB.open(ctx, cfg.Found.PortPath, cfg.Found.Interface)
	if err != nil {
		return Way{}, fmt.Errorf("taking the USB interface: %w", err)
	}
	w := Way{Port: port}
	switch taken.Interface().Class {
	case usb.Printer:
		w.State = func(ctx context.Context) (State, error) {
			s, err := taken.Status(ctx)
			return s, err
		}
		w.Reset = taken.SoftReset
	case hidClass:
		descriptor := make([]byte, usb.MaxControl)
		n, err := taken.Control(ctx, usb.Request{
			Type: fromInterface, Request: getDescriptor, Value: reportDescriptor, Index: uint16(cfg.Found.Interface),
		}, descriptor)
		if err == nil {
			w.Descriptor = descriptor[:n]
		}
	}
	return w, nil
}

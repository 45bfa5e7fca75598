//go:build cgo

package usb

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/gousb"

	"github.com/counterproof/counterproof/devices"
)

// errConfigured is that a device's interfaces are not those that were listed.
var errConfigured = errors.New("another configuration is in use")

// stack is libusb's context.
type stack struct{ *gousb.Context }

// newLibrary starts libusb.
func newLibrary() (lib library, err error) {
	defer caught(&err)
	return stack{gousb.NewContext()}, nil
}

// whyNot is the kind of an error of newLibrary.
func whyNot(err error) devices.Kind {
	if k := troubleOf(err).kind(); k == devices.Permission {
		return k
	}
	return devices.Unsupported
}

// caught turns a panic of gousb into an error. It panics where libusb does not
// start, and on descriptors that it did not expect.
func caught(err *error) {
	switch r := recover().(type) {
	case nil:
	case gousb.Error:
		*err = errors.Join(r, *err)
	default:
		*err = errors.Join(errSense, *err)
	}
}

// list visits every device. gousb reads the descriptors of one after the other,
// so that what comes after one that it panics on is not seen.
func (s stack) list(inUse func(string) int) (found []Device, err error) {
	defer caught(&err)
	_, err = s.OpenDevices(func(d *gousb.DeviceDesc) bool {
		if at := portPath(d.Bus, d.Path); at != "" && len(found) < maxDevices {
			found = append(found, describe(d, inUse(at)))
		}
		return false
	})
	return found, err
}

// describe takes over what gousb read of the descriptors.
func describe(d *gousb.DeviceDesc, inUse int) Device {
	out := Device{
		PortPath: portPath(d.Bus, d.Path), Address: d.Address, Vendor: uint16(d.Vendor), Product: uint16(d.Product),
		Class: uint8(d.Class), Subclass: uint8(d.SubClass), Protocol: uint8(d.Protocol),
		Configuration: configuration(d.Configs, inUse),
	}
	for _, i := range d.Configs[out.Configuration].Interfaces {
		var settings []Interface
		for _, s := range i.AltSettings {
			settings = append(settings, setting(s))
		}
		if len(settings) > 0 {
			out.Interfaces = append(out.Interfaces, choose(settings))
		}
	}
	return out
}

// setting takes over one setting of an interface with the endpoints that suit. A
// hostile descriptor may ask to be polled at any pace.
func setting(s gousb.InterfaceSetting) Interface {
	out := Interface{
		Number: s.Number, Alternate: s.Alternate,
		Class: uint8(s.Class), Subclass: uint8(s.SubClass), Protocol: uint8(s.Protocol),
	}
	for _, e := range s.Endpoints {
		if e.TransferType != gousb.TransferTypeBulk && e.TransferType != gousb.TransferTypeInterrupt || e.Number == 0 {
			continue
		}
		point := Endpoint{Address: uint8(e.Address), Packet: packet(e.MaxPacketSize)}
		if e.TransferType == gousb.TransferTypeInterrupt {
			point.Interrupt, point.Interval = true, min(max(e.PollInterval, 0), time.Second)
		}
		if e.Direction == gousb.EndpointDirectionIn {
			out.In = better(out.In, point)
		} else {
			out.Out = better(out.Out, point)
		}
	}
	return out
}

// open takes an interface, or gives back what it took on the way.
func (s stack) open(d Device, i Interface, detach bool) (p pipe, err error) {
	c := &claim{}
	defer func() {
		if err != nil {
			p, err = nil, errors.Join(err, c.close())
		}
	}()
	defer caught(&err)
	if c.device, err = s.device(d); err != nil {
		return nil, err
	}
	if active, err := c.device.ActiveConfigNum(); err != nil || active != d.Configuration {
		return nil, errors.Join(err, errConfigured) // which gousb would change
	}
	if c.config, err = c.device.Config(d.Configuration); err != nil {
		return nil, err
	}
	c.config.Desc.Interfaces = numbered(c.config.Desc.Interfaces)
	// Only now: set before, gousb takes every interface of the device from the
	// kernel's drivers, and libusb gives only the one in use back.
	if detach {
		if err = c.device.SetAutoDetach(true); err != nil {
			return nil, err
		}
	}
	if c.iface, err = c.config.Interface(i.Number, i.Alternate); err != nil {
		return nil, err
	}
	return c, c.endpoints(i)
}

// numbered puts each interface where its number says, which gousb takes for
// granted. Interfaces need not be numbered from 0 without a gap.
func numbered(all []gousb.InterfaceDesc) []gousb.InterfaceDesc {
	out := make([]gousb.InterfaceDesc, 256)
	for i := range out {
		out[i].Number = -1
	}
	for _, i := range slices.Backward(all) { // of two with one number, the first
		if i.Number >= 0 && i.Number < len(out) {
			out[i.Number] = i
		}
	}
	return out
}

// device opens the one that was listed. gousb may give devices and an error
// together, and the error may be another device's.
func (s stack) device(d Device) (*gousb.Device, error) {
	all, err := s.OpenDevices(func(found *gousb.DeviceDesc) bool {
		return portPath(found.Bus, found.Path) == d.PortPath && found.Address == d.Address
	})
	if len(all) == 0 {
		if err == nil {
			err = gousb.ErrorNoDevice
		}
		return nil, err
	}
	var errs []error
	for _, other := range all[1:] { // of which there is none
		errs = append(errs, other.Close())
	}
	return all[0], errors.Join(errs...)
}

// close waits for the loop of libusb's events, which looks up every 0.1 s.
func (s stack) close() (err error) {
	defer caught(&err)
	return s.Context.Close()
}

// claim is an interface that was taken, or a part of the way to it.
type claim struct {
	device *gousb.Device
	config *gousb.Config
	iface  *gousb.Interface
	in     *gousb.InEndpoint
	out    *gousb.OutEndpoint
}

// endpoints opens those of an interface.
func (c *claim) endpoints(i Interface) (err error) {
	const number = 0x0f
	if i.In.Packet > 0 {
		if c.in, err = c.iface.InEndpoint(int(i.In.Address & number)); err != nil {
			return err
		}
	}
	if i.Out.Packet > 0 {
		c.out, err = c.iface.OutEndpoint(int(i.Out.Address & number))
	}
	return err
}

// read moves up to one packet; gousb cancels the transfer when ctx ends and waits
// until the kernel has given it back.
func (c *claim) read(ctx context.Context, p []byte) (n int, err error) {
	defer caught(&err)
	return c.in.ReadContext(ctx, p)
}

// write sends p, which gousb copies.
func (c *claim) write(ctx context.Context, p []byte) (n int, err error) {
	defer caught(&err)
	return c.out.WriteContext(ctx, p)
}

// control waits inside libusb, where no context reaches.
func (c *claim) control(r Request, data []byte, patience time.Duration) (n int, err error) {
	defer caught(&err)
	c.device.ControlTimeout = max(patience, time.Millisecond) // 0 is for ever
	return c.device.Control(r.Type, r.Request, r.Value, r.Index, data)
}

// clear asks the kernel, which knows of the host's side of the endpoint too.
// Where it cannot be asked, the device alone is told (USB 2.0 §9.4.1).
func (c *claim) clear(endpoint uint8) error {
	err := clearHalt(c.device.Desc.Bus, c.device.Desc.Address, endpoint)
	if err == nil {
		return nil
	}
	const toEndpoint, clearFeature, endpointHalt = 0x02, 1, 0
	halt := Request{Type: toEndpoint, Request: clearFeature, Value: endpointHalt, Index: uint16(endpoint)}
	if _, failed := c.control(halt, nil, patience); failed != nil {
		return fmt.Errorf("clearing a stall: %w", errors.Join(err, failed))
	}
	return nil
}

// close gives everything back that was taken, and the interface to the kernel's
// driver.
func (c *claim) close() (err error) {
	defer caught(&err)
	if c.iface != nil {
		c.iface.Close()
	}
	if c.config != nil {
		err = c.config.Close()
	}
	if c.device != nil {
		err = errors.Join(err, c.device.Close())
	}
	return err
}

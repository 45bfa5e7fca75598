//go:build cgo

package usb

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/gousb"
)

// TestTroublesOfLibrary: what troubleOf reads is what this gousb writes.
func TestTroublesOfLibrary(t *testing.T) {
	t.Parallel()
	for err, want := range map[error]trouble{
		gousb.ErrorIO: troubleIO, gousb.ErrorInvalidParam: troubleParameter, gousb.ErrorAccess: troubleAccess,
		gousb.ErrorNoDevice: troubleNoDevice, gousb.ErrorNotFound: troubleNotFound, gousb.ErrorBusy: troubleBusy,
		gousb.ErrorTimeout: troubleTimeout, gousb.ErrorOverflow: troubleOverflow, gousb.ErrorPipe: troubleStall,
		gousb.ErrorInterrupted: troubleInterrupted, gousb.ErrorNotSupported: troubleUnsupported, gousb.ErrorOther: troubleOther,
		gousb.TransferError: troubleIO, gousb.TransferTimedOut: troubleTimeout, gousb.TransferCancelled: troubleCancelled,
		gousb.TransferStall: troubleStall, gousb.TransferNoDevice: troubleNoDevice, gousb.TransferOverflow: troubleOverflow,
	} {
		if got := troubleOf(fmt.Errorf("doing it: %v", err)); got != want {
			t.Errorf("%v: got %d, want %d", err, got, want)
		}
	}
}

func TestPanicsAreErrors(t *testing.T) {
	t.Parallel()
	if err := panics(gousb.ErrorAccess); troubleOf(err) != troubleAccess {
		t.Errorf("libusb that does not start gives %v", err)
	}
	var all []int
	if err := panics(func() int { return all[len(t.Name())] }); !errors.Is(err, errSense) {
		t.Errorf("descriptors without sense give %v", err)
	}
	if err := panics(nil); err != nil {
		t.Errorf("nothing gives %v", err)
	}
}

func panics(with any) (err error) {
	defer caught(&err)
	switch w := with.(type) {
	case nil:
	case func() int:
		_ = w()
	default:
		panic(w)
	}
	return nil
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	point := func(a gousb.EndpointAddress, kind gousb.TransferType, size int) gousb.EndpointDesc {
		return gousb.EndpointDesc{
			Address: a, Number: int(a & 0x0f), Direction: gousb.EndpointDirection(a&0x80 != 0), TransferType: kind, MaxPacketSize: size,
		}
	}
	points := func(all ...gousb.EndpointDesc) map[gousb.EndpointAddress]gousb.EndpointDesc {
		out := map[gousb.EndpointAddress]gousb.EndpointDesc{}
		for _, e := range all {
			out[e.Address] = e
		}
		return out
	}
	d := &gousb.DeviceDesc{
		Bus: 3, Path: []int{1, 2}, Address: 9, Vendor: 0x04b8, Product: 0x0202,
		Configs: map[int]gousb.ConfigDesc{1: {Interfaces: []gousb.InterfaceDesc{
			{Number: 2, AltSettings: []gousb.InterfaceSetting{{Number: 2, Class: 3, Endpoints: points(
				point(0x83, gousb.TransferTypeInterrupt, 64), point(0x84, gousb.TransferTypeIsochronous, 1024), point(0x80, gousb.TransferTypeBulk, 64),
			)}}},
			{Number: 5, AltSettings: []gousb.InterfaceSetting{
				{Number: 5, Alternate: 0, Class: 7, Endpoints: points(point(0x01, gousb.TransferTypeBulk, 512))},
				{Number: 5, Alternate: 1, Class: 7, Protocol: 2, Endpoints: points(point(0x01, gousb.TransferTypeBulk, 512), point(0x82, gousb.TransferTypeBulk, 512))},
			}},
			{Number: 6},
		}}},
	}
	got := describe(d, 0)
	if got.PortPath != "3-1.2" || got.Address != 9 || got.Configuration != 1 || len(got.Interfaces) != 2 {
		t.Fatalf("got %+v", got)
	}
	if i := got.Interfaces[0]; i.In.Address != 0x83 || !i.In.Interrupt || i.Out.Packet != 0 {
		t.Errorf("the reader's interface is %+v", i)
	}
	if i, ok := got.find(5); !ok || i.Alternate != 1 || i.In.Address != 0x82 || i.Out.Packet != 512 || i.Protocol != 2 {
		t.Errorf("the printer's interface is %+v", i)
	}
	if _, ok := got.find(0); ok {
		t.Error("an interface was found that the device has not")
	}
}

// TestNumbered: gousb takes the interface of a number from the place of that
// number.
func TestNumbered(t *testing.T) {
	t.Parallel()
	all := numbered([]gousb.InterfaceDesc{{Number: 2}, {Number: 3, AltSettings: make([]gousb.InterfaceSetting, 2)}, {Number: 3}, {Number: 300}})
	if all[2].Number != 2 || len(all[3].AltSettings) != 2 || all[0].Number != -1 || len(all) != 256 {
		t.Errorf("got %+v", all[:4])
	}
}

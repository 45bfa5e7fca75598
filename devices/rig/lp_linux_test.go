package rig

import (
	"testing"

	"github.com/counterproof/counterproof/devices/devicetest"
	"github.com/counterproof/counterproof/devices/internal/port/lp"
	"github.com/counterproof/counterproof/devices/sim/usbip"
)

// TestLPPort holds the printer port to its contract on a real usblp, as far as
// a printer can keep it, and asks the printer who and how it is.
func TestLPPort(t *testing.T) {
	Enter(t)
	t.Parallel()
	const id = "MFG:Counter;CMD:ESC/POS;MDL:Slip;CLS:PRINTER;"
	var inbox Inbox
	printer := usbip.NewPrinter(someone("LPPORT"), id, func(b []byte) []byte {
		inbox.Put(b)
		return nil
	})
	cable := Attach(t, printer.Device)
	pulled := false
	open := func(tb testing.TB) *lp.Port {
		port, err := lp.Open(cable.Port().Node(tb, "usbmisc"))
		if err != nil {
			tb.Fatal(err)
		}
		return port
	}
	devicetest.RunPort(t, devicetest.Real, func(tb testing.TB) devicetest.PortRig {
		if pulled {
			cable.Plug(tb)
			pulled = false
		}
		printer.Forget()
		inbox.Empty()
		return devicetest.PortRig{
			Port: open(tb),
			Send: func(b []byte) error { printer.Say(b); return nil },
			Take: inbox.Take,
			Unplug: func() {
				pulled = true
				cable.Unplug(tb)
			},
		}
	})
	if pulled {
		cable.Plug(t)
	}
	port := open(t)
	defer port.Close()
	if got, err := port.DeviceID(); err != nil || got != id {
		t.Errorf("it says that it is %q, %v", got, err)
	}
	printer.SetStatus(usbip.PrinterPaperOut)
	if got, err := port.Status(); err != nil || !got.PaperOut() || got.Selected() || !got.Failed() {
		t.Errorf("without paper it says %#x, %v", got, err)
	}
}

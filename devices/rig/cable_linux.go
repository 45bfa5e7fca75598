package rig

import (
	"context"
	"strconv"
	"sync"
	"testing"

	"github.com/counterproof/counterproof/devices/sim/usbip"
)

// Cable plugs a device of Go code into the virtual host controller.
type Cable struct {
	device *usbip.Device
	number int // the controller's port, kept until the test ends
	port   Port
	ended  chan error // what Serve said; nil while unplugged
}

// Attach plugs a device in. It is pulled out when the test ends.
func Attach(tb testing.TB, d *usbip.Device) *Cable {
	tb.Helper()
	c := &Cable{device: d, number: take(tb)}
	c.port = rootPort(tb, "/sys/devices/platform/vhci_hcd.0", strconv.Itoa(c.number+1))
	tb.Cleanup(func() {
		c.Unplug(tb)
		c.port.Empty(tb)
		taken.Delete(c.number)
	})
	c.Plug(tb)
	return c
}

// taken holds the ports that tests have, also while nothing is plugged in.
var taken sync.Map

// take finds a port for a test.
func take(tb testing.TB) int {
	tb.Helper()
	free, err := usbip.FreePorts()
	if err != nil {
		tb.Fatal(err)
	}
	for _, n := range free {
		if _, was := taken.LoadOrStore(n, true); !was {
			return n
		}
	}
	tb.Fatal("the virtual host controller has no free port")
	return 0
}

// Plug plugs the device in and waits until the kernel has configured it; its
// driver may still be asking it this and that.
func (c *Cable) Plug(tb testing.TB) {
	tb.Helper()
	c.Start(tb)
	c.port.Here(tb)
}

// Start plugs the device in and does not wait: it may be one that the kernel will
// not like.
func (c *Cable) Start(tb testing.TB) {
	tb.Helper()
	if c.ended != nil {
		c.Unplug(tb)
	}
	c.port.Empty(tb)
	conn, err := usbip.Attach(c.number)
	if err != nil {
		tb.Fatal(err)
	}
	ended := make(chan error, 1)
	c.ended = ended
	go func() { ended <- c.device.Serve(context.Background(), conn) }()
}

// Unplug pulls the cable, if a script has not done so already.
func (c *Cable) Unplug(tb testing.TB) {
	tb.Helper()
	if c.ended == nil {
		return
	}
	c.device.Unplug()
	if err := <-c.ended; err != nil {
		tb.Errorf("the device was not pulled out but fell out: %v", err)
	}
	c.ended = nil
}

// Port is where the device is plugged in.
func (c *Cable) Port() Port { return c.port }

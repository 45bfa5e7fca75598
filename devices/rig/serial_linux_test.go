package rig

import (
	"sync"
	"testing"

	"github.com/counterproof/counterproof/devices/devicetest"
	"github.com/counterproof/counterproof/devices/internal/port/serial"
	"github.com/counterproof/counterproof/devices/sim/usbip"
)

// TestSerialPort holds the serial port to its contract on a real ttyACM. One
// device serves all checks; it is plugged in again where one has pulled it out.
func TestSerialPort(t *testing.T) {
	Enter(t)
	t.Parallel()
	var inbox Inbox
	reader := usbip.NewReader(someone("SERIALPORT"), usbip.ReaderSpec{
		Answer: func(heard []byte) ([]byte, int) {
			inbox.Put(heard)
			return nil, len(heard)
		},
	})
	cable := Attach(t, reader.Device)
	pulled := false
	devicetest.RunPort(t, devicetest.Real, func(tb testing.TB) devicetest.PortRig {
		if pulled {
			cable.Plug(tb)
			pulled = false
		}
		reader.Forget()
		inbox.Empty()
		port, err := serial.Open(cable.Port().Node(tb, "tty"), serial.Settings{Baud: 115200, Locks: tb.TempDir()})
		if err != nil {
			tb.Fatal(err)
		}
		return devicetest.PortRig{
			Port: port,
			Send: func(b []byte) error { reader.Say(b); return nil },
			Take: inbox.Take,
			Unplug: func() {
				pulled = true
				cable.Unplug(tb)
			},
		}
	})
}

// TestSerialTwice opens one line twice at once: the second one is told who has
// it.
func TestSerialTwice(t *testing.T) {
	Enter(t)
	cable := Attach(t, newReader("TWICE").Device)
	node, locks := cable.Port().Node(t, "tty"), t.TempDir()
	var opened, refused []error
	var mu sync.Mutex
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() {
			p, err := serial.Open(node, serial.Settings{Locks: locks})
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				refused = append(refused, err)
				return
			}
			opened = append(opened, nil)
			t.Cleanup(func() { p.Close() })
		})
	}
	all.Wait()
	if len(opened) != 1 || len(refused) != 1 {
		t.Errorf("%d opened it, %d were refused with %v; want one each", len(opened), len(refused), refused)
	}
}

// Package rig plugs devices made of software into a real kernel and lets the
// ports and drivers of the counter run on them: gadgets, which the kernel itself
// plays on a host controller without hardware (dummy_hcd), and devices of Go code
// behind the virtual host controller (vhci_hcd). Everything above the host
// controller is what a counter PC has.
//
// It runs inside the virtual machine that packaging/rig builds, and touches no
// other machine.
//
// # The laws
//
//   - Outside the virtual machine every test of this package is skipped and says
//     so.
//   - A test unplugs what it plugged in, and leaves no descriptor and no
//     goroutine behind.
//   - Nobody sleeps: who waits for the kernel waits for its uevents.
package rig

import (
	"os"
	"testing"
	"time"
)

// Inside is the environment variable that the virtual machine sets.
const Inside = "COUNTERPROOF_RIG"

// patience is how long the kernel may take to notice that a device came or went.
// The machine is emulated in software, on a computer that may be busy.
const patience = 20 * time.Second

// Enter skips a test outside the virtual machine.
func Enter(tb testing.TB) {
	tb.Helper()
	if os.Getenv(Inside) == "" {
		tb.Skip("not inside the virtual machine: real USB, serial, HID, printer and camera drivers are not tested here; make rig does it")
	}
}

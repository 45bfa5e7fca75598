// Package usb is the port of USB devices whose endpoints this program takes for
// itself through libusb: printers that no driver of the kernel has taken, and
// readers with a protocol of their makers'. It is the only door of gousb.
//
// It knows no device's language, starts no goroutine and repeats nothing that
// failed, but for a stall, which it clears once.
//
// # The laws
//
//   - A process opens one Host: libusb has one loop for its events.
//   - A device is the place that it is plugged into. Two equal ones are told
//     apart by nothing else; the number on the bus changes with each plugging.
//   - Listing opens no device: what one calls itself is read from the kernel.
//   - Only the interface in use is taken from the kernel's driver, and it is
//     given back. An account of that lets others pass over the kernel's messages
//     that follow.
//   - One transfer asks for one packet, so that a message as long as some whole
//     packets does not wait for more. A transfer of nothing is no message.
//   - A device is gone when a transfer failed and its place is empty or taken
//     anew. Which error a transfer fails with differs from one unplugging to the
//     next.
//   - What a device says is bounded, and where gousb panics on it, the call fails.
//   - gousb tells the standard logger when its loop fails and when a descriptor
//     names an interface twice. That logger is left as it is: once a program sets
//     its default of log/slog, such a line goes there and not to standard error.
package usb

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
)

// Bounds of what a device may say.
const (
	// MaxControl is the most that a control transfer carries, in bytes.
	MaxControl = 4096
	// MaxText is the longest text of a device that is kept, in bytes; a string
	// descriptor holds 126 characters (USB 2.0 §9.6.7).
	MaxText = 126

	maxDevices = 256
	hub        = 0x09 // the class of hubs
)

// Device is what was found in one place. All but the first two fields is what
// the device says, and may be a lie.
type Device struct {
	PortPath string // as the kernel writes it, bus and ports: "1-2.3"
	Address  int    // its number on the bus until it is plugged in again

	Vendor, Product            uint16
	Class, Subclass, Protocol  uint8 // 0, where each interface has its own
	Serial, Manufacturer, Name string
	Configuration              int         // the one in use
	Interfaces                 []Interface // of it, by number
}

// Interface is an interface with the one of its settings that suits a port best.
type Interface struct {
	Number, Alternate         int
	Class, Subclass, Protocol uint8
	In, Out                   Endpoint // zero where there is none
}

// Endpoint is a bulk or interrupt endpoint (USB 2.0 §9.6.6).
type Endpoint struct {
	Address   uint8         // 0x81 is inward, 0x01 outward
	Packet    int           // bytes of the longest packet
	Interrupt bool          // not bulk
	Interval  time.Duration // of asking, for interrupts
}

// printable is what a device says of itself, as it may stand on a screen.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, strings.ToValidUTF8(s[:min(len(s), 4*MaxText)], ""))
	return strings.TrimSpace(strings.ToValidUTF8(s[:min(len(s), MaxText)], ""))
}

// portPath writes a place as the kernel does; "" is a root hub, which is plugged
// into nothing.
func portPath(bus int, ports []int) string {
	var b strings.Builder
	for i, p := range ports {
		if i == 0 {
			fmt.Fprintf(&b, "%d-%d", bus, p)
			continue
		}
		fmt.Fprintf(&b, ".%d", p)
	}
	return b.String()
}

// configuration is the one that is told to be in use, else the lowest.
func configuration[C any](all map[int]C, told int) int {
	if _, ok := all[told]; ok || len(all) == 0 {
		return told
	}
	return slices.Min(slices.Collect(maps.Keys(all)))
}

// packet is the most bytes that an endpoint moves at once: the size of a packet,
// and how many more go with it in the same microframe (USB 2.0 table 9-13).
func packet(wMaxPacketSize int) int {
	return (wMaxPacketSize & 0x7ff) * (1 + wMaxPacketSize>>11&3)
}

// better is the endpoint to use of two: bulk before interrupt, and then the
// lower address. One without room for a byte is none.
func better(a, b Endpoint) Endpoint {
	switch {
	case a.Packet == 0:
		return b
	case b.Packet == 0:
		return a
	case a.Interrupt != b.Interrupt:
		if a.Interrupt {
			return b
		}
		return a
	case b.Address < a.Address:
		return b
	}
	return a
}

// choose picks the setting of an interface that moves most: both ways before
// outward before inward, and then the lowest.
func choose(settings []Interface) Interface {
	return slices.MinFunc(settings, func(a, b Interface) int {
		return cmp.Or(cmp.Compare(b.ways(), a.ways()), cmp.Compare(a.Alternate, b.Alternate))
	})
}

// ways weighs the ways in which an interface moves bytes.
// A device that only takes is of more use than one that only sends: it prints.
func (i Interface) ways() (n int) {
	if i.In.Packet > 0 {
		n++
	}
	if i.Out.Packet > 0 {
		n += 2
	}
	return n
}

// find is the device's interface of a number.
func (d Device) find(number int) (Interface, bool) {
	i := slices.IndexFunc(d.Interfaces, func(i Interface) bool { return i.Number == number })
	if i < 0 {
		return Interface{}, false
	}
	return d.Interfaces[i], true
}

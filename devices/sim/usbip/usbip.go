// Package usbip makes USB devices of Go code. A device answers the messages of
// USB/IP, which the kernel's virtual host controller (vhci_hcd) sends through a
// socket instead of a cable; above that controller the system's own drivers run
// as they do with real hardware. Four models come with it: a bar code scanner, a
// camera, a reader on a serial line and a receipt printer.
//
// It opens no port of the network, speaks nothing of the part of USB/IP that
// lends devices to other machines, and knows no isochronous transfers.
//
// Sources: Documentation/usb/usbip_protocol.rst of Linux for the messages, USB
// 2.0 chapter 9 for endpoint 0.
//
// # The laws
//
//   - A device moves only when it is served: New starts nothing, Serve is one
//     time of being plugged in.
//   - What the kernel's side says is bounded and checked; nonsense ends the
//     connection, which is the same as pulling the cable.
//   - A trouble is scripted by the byte at which it comes, never by chance, and
//     comes once.
//   - A model's functions are called by one goroutine at a time and never wait.
package usbip

import (
	"errors"
	"io"
	"sync"
	"time"
)

// Identity is how a device introduces itself.
type Identity struct {
	Vendor, Product     uint16
	Maker, Name, Serial string // ASCII; an empty Serial is a device without one
}

// Spec is what a device is made of. The zero value of each function is a device
// that has nothing to say there.
type Spec struct {
	Identity
	Class      [3]byte  // class, subclass, protocol; zero where the interfaces say it
	Interfaces int      // interfaces in Body
	Body       []byte   // descriptors of the one configuration, without its own nine bytes
	Reports    [][]byte // HID report descriptor of each interface

	// Control answers a request of a class or a vendor; data is what the host
	// sent with it. Without ok the request stalls.
	Control func(s Setup, data []byte) (answer []byte, ok bool)
	// Out takes what came for an endpoint and returns what the device says to it.
	Out func(endpoint byte, data []byte) []Transfer
	// Next gives what an IN endpoint has to say when nothing lies ready and the
	// host asks.
	Next func(endpoint byte) (Transfer, bool)
}

// Setup is a request on endpoint 0 (USB 2.0 §9.3).
type Setup struct {
	Type, Request        byte
	Value, Index, Length uint16
}

// Transfer is what a device says on an IN endpoint in one piece.
type Transfer struct {
	Endpoint byte // its address, with bit 7
	Data     []byte
	After    time.Duration // a pause before it
}

// Kind is a kind of trouble.
type Kind byte

// The kinds. Babble and Short come on IN endpoints alone; elsewhere they are Noise
// and nothing.
const (
	Stall  Kind = iota // the endpoint halts until the host clears it
	Babble             // the device sent more than was asked for
	Noise              // the packet came damaged, as on a bad cable
	Short              // what is sent is cut there; the rest comes as the next transfer
	Delay              // a pause of Wait
	Unplug             // the cable is pulled
)

// Trouble is something that goes wrong on an endpoint other than 0.
type Trouble struct {
	Endpoint byte // address; bit 7 for what the device sends
	At       int  // bytes that the endpoint has moved since it was plugged in
	Kind     Kind
	Wait     time.Duration // of Delay
}

// Conn is what a device is served on, such as a net.Conn. A deadline holds for a
// Read that waits, too.
type Conn interface {
	io.ReadWriteCloser
	SetReadDeadline(t time.Time) error
	SetWriteDeadline(t time.Time) error
}

// ErrPlugged is the answer to plugging in what is plugged in.
var ErrPlugged = errors.New("the device is plugged in already")

// Device is one USB device. Its methods may be called from any goroutine.
type Device struct {
	spec       Spec
	device     []byte
	config     []byte
	strings    []string
	mu         sync.Mutex
	conn       Conn      // nil while not plugged in
	broken     error     // why the connection is of no more use
	until      time.Time // when a pulled device is silent; zero while it is plugged in
	configured byte
	pipes      [2 * endpoints]pipe
	troubles   []Trouble
	plugged    int
}

// New makes a device, not yet plugged in.
func New(s Spec) *Device {
	d := &Device{spec: s, strings: []string{s.Maker, s.Name, s.Serial}}
	d.device = deviceDescriptor(s)
	d.config = configuration(s.Interfaces, s.Body)
	return d
}

// Send lets the device say something. What the host does not fetch before the
// cable is pulled is lost.
func (d *Device) Send(all ...Transfer) {
	d.change(func() { d.enqueue(all) })
}

// Forget drops what the device wanted to say and the host has not fetched.
func (d *Device) Forget() {
	d.change(func() {
		for i := range d.pipes {
			d.pipes[i].empty()
		}
	})
}

// Script adds troubles, which come in order of their bytes on each endpoint.
func (d *Device) Script(all ...Trouble) {
	d.change(func() { d.troubles = append(d.troubles, all...) })
}

// Hold lets an endpoint neither take nor give anything, or lets it go on.
func (d *Device) Hold(endpoint byte, on bool) {
	d.change(func() { d.at(endpoint).held = on })
}

// Unplug pulls the cable: every transfer fails from now on, and Serve returns.
func (d *Device) Unplug() {
	d.change(d.pull)
}

// Moved tells how many bytes an endpoint has moved since it was plugged in.
func (d *Device) Moved(endpoint byte) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.at(endpoint).moved
}

// Plugged tells how often the device was plugged in.
func (d *Device) Plugged() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.plugged
}

// change alters the device and then does what the host waits for.
func (d *Device) change(f func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f()
	d.settle()
}

// at returns the endpoint of an address.
func (d *Device) at(address byte) *pipe {
	return &d.pipes[index(address)]
}

// index is an address's place among the endpoints.
func index(address byte) int {
	return int(address&0x0f) + int(address>>7)*endpoints
}

// enqueue puts what the device says behind what it has said before on the same
// endpoint. The lock is held.
func (d *Device) enqueue(all []Transfer) {
	for _, t := range all {
		e := d.at(t.Endpoint)
		e.ready = append(e.ready, t)
	}
}

// Package sim holds devices that are made of software: a camera that films
// pictures from memory, files or a folder, and a printer that prints into a
// folder. They stand behind the same interfaces as real ones; the demo, the
// training rooms and the tests of other rooms use them.
//
// It never starts a goroutine, never invents a picture of a person and never
// touches a real device.
//
// # The laws
//
//   - A simulated device says Training, always: what it saw counts only there.
//   - It keeps the contract of its interface to the letter, and fails only as
//     it was told to: trouble is switched on and off by hand.
//   - One user at a time; a second is refused with a Fault of Kind InUse.
//   - An opened device belongs to one stay in its port: pulled out, it is Gone,
//     and stays so after it was plugged in again.
//   - What is printed is whole or not there, and readable by its owner alone.
package sim

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/counterproof/counterproof/devices"
)

// Device is a simulated device of this package: *Camera or *Printer.
type Device interface {
	// Device describes it. Its State is Found while it is plugged in, else
	// Absent; how it is used is the owner's to say.
	Device() devices.Device
	open() (io.Closer, error)
	watch(changed func(devices.ID)) (stop func())
}

// holder is who has a device that is in use, as a Fault tells it.
const holder = "another user of the simulated device"

// errClosed is why a closed device does nothing any more.
var errClosed = errors.New("it was closed")

// socket is what all simulated devices share: the port that it sits in, the
// trouble that it is in, and who uses it. Its methods may be called from any
// goroutine.
type socket struct {
	about devices.Device

	mu       sync.Mutex
	changed  chan struct{} // closed, and made anew, when anything below changes
	watchers map[*func(devices.ID)]bool
	plugged  bool
	stay     uint64 // grows each time it is plugged in
	since    time.Time
	trouble  devices.Kind
	used     bool
}

// newSocket gives a device that is plugged in.
func newSocket(about devices.Device) *socket {
	about.Training = true
	return &socket{
		about: about, changed: make(chan struct{}), watchers: map[*func(devices.ID)]bool{},
		plugged: true, stay: 1, since: time.Now(),
	}
}

// Device describes the device as it is now.
func (s *socket) Device() devices.Device {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.about
	d.Roles, d.Can = slices.Clone(d.Roles), slices.Clone(d.Can)
	d.State, d.Kind = devices.Absent, devices.Missing
	if s.plugged {
		d.State, d.Kind = devices.Found, s.trouble
	}
	return d
}

// Unplug pulls the device out: what is going on with it ends with a Fault of
// Kind Gone, and so does every later call on what was opened before.
func (s *socket) Unplug() { s.move(false) }

// Plug puts the device into its port again.
func (s *socket) Plug() { s.move(true) }

// move plugs in or out; what is so already is no change.
func (s *socket) move(in bool) {
	s.mu.Lock()
	if s.plugged == in {
		s.mu.Unlock()
		return
	}
	s.plugged = in
	if in {
		s.stay++
		s.since = time.Now()
	}
	s.wake()
	var tell []func(devices.ID)
	for w := range s.watchers {
		tell = append(tell, *w)
	}
	s.mu.Unlock()
	for _, changed := range tell { // unlocked: a watcher may look at the device
		changed(s.about.ID)
	}
}

// Fail puts the device into trouble until it is called with KindNone: opening
// and using it fail with a Fault of that Kind. PaperOut, CoverOpen and
// Unsupported let it be opened, as the real ones do.
func (s *socket) Fail(kind devices.Kind) {
	s.set(func() { s.trouble = kind })
}

// set changes the device and wakes whoever waits for a change.
func (s *socket) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
	s.wake()
}

// wake is called with the lock held.
func (s *socket) wake() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// watch tells changed about plugging, until stop is called.
func (s *socket) watch(changed func(devices.ID)) (stop func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := &changed
	s.watchers[w] = true
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.watchers, w)
	}
}

// opened is a device from its opening to its closing or unplugging.
type opened struct {
	*socket
	stay   uint64
	since  time.Time
	closed bool // under the socket's lock
}

// enter opens the device, for good or for one call of its own methods.
func (s *socket) enter() (*opened, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.plugged {
		return nil, s.fault("opening", devices.Missing)
	}
	switch s.trouble {
	case devices.KindNone, devices.PaperOut, devices.CoverOpen, devices.Unsupported:
		return &opened{socket: s, stay: s.stay, since: time.Now()}, nil
	}
	return nil, s.fault("opening", s.trouble)
}

// here is the device as it was opened by plugging it in: what its own methods
// work on, which nobody opened.
func (s *socket) here() *opened {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &opened{socket: s, stay: s.stay, since: s.since}
}

// Close ends what goes on with the opened device. It may be called twice.
func (o *opened) Close() error {
	o.set(func() { o.closed = true })
	return nil
}

// take makes the caller the one user of the device until it calls leave.
func (o *opened) take(op string) (leave func(), err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.well(op); err != nil {
		return nil, err
	}
	if o.used {
		return nil, o.fault(op, devices.InUse)
	}
	o.used = true
	return func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.used = false
	}, nil
}

// well is nil while the opened device is there and in no trouble. It is called
// with the lock held.
func (o *opened) well(op string) error {
	switch {
	case o.closed:
		f := o.fault(op, devices.Gone)
		f.Err = errClosed
		return f
	case !o.plugged || o.stay != o.socket.stay:
		return o.fault(op, devices.Gone)
	case o.trouble != devices.KindNone:
		return o.fault(op, o.trouble)
	}
	return nil
}

// fault makes a Fault of this device.
func (s *socket) fault(op string, kind devices.Kind) *devices.Fault {
	f := &devices.Fault{Op: op, Kind: kind, Device: s.about.ID}
	if kind == devices.InUse {
		f.Holder = holder
	}
	return f
}

// cancelled is nil until ctx ended.
func (s *socket) cancelled(ctx context.Context, op string) error {
	if ctx.Err() == nil {
		return nil
	}
	f := s.fault(op, devices.Cancelled)
	f.Err = context.Cause(ctx)
	return f
}

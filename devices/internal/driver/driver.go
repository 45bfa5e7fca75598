// Package driver turns transports into capabilities: a reader of
// machine-readable zones over a serial line, a barcode reader over HID reports, a
// camera over the system's video, a printer, a document scanner. What a device is
// like stands in its profile; what its bytes mean, in its framing.
//
// It finds no device, holds no policy of retries and keeps nothing of what it
// read.
//
// # The laws
//
//   - One call, one capture: nothing is repeated by itself.
//   - A total deadline and one between bytes are two things, and both come from
//     the profile.
//   - Nothing is sent that the profile does not name.
//   - One user at a time; a second is refused with a Fault of Kind InUse.
//   - Health counts; it never tells what was read.
package driver

import (
	"context"
	"errors"
	"sync"

	"github.com/counterproof/counterproof/devices"
)

// errClosed is why a closed device does nothing any more.
var errClosed = errors.New("it was closed")

// seat is the one place of a device's user, and its counters.
type seat struct {
	id devices.ID

	mu       sync.Mutex
	used     bool
	gone     bool
	firmware string
	details  map[string]int
}

// take makes the caller the one user until it calls leave.
func (s *seat) take(ctx context.Context, op string) (leave func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.gone:
		return nil, s.fault(op, devices.Gone, errClosed)
	case ctx.Err() != nil:
		return nil, s.fault(op, devices.Cancelled, context.Cause(ctx))
	case s.used:
		return nil, &devices.Fault{Op: op, Kind: devices.InUse, Device: s.id, Holder: "another user of this program"}
	}
	s.used = true
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.used = false
	}, nil
}

// count adds to a counter of the device's health.
func (s *seat) count(name string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.details == nil {
		s.details = map[string]int{}
	}
	s.details[name] += n
}

// Health is what the device counted since it was opened.
func (s *seat) Health() devices.Health {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := devices.Health{Firmware: s.firmware, Details: map[string]int{}}
	for name, n := range s.details {
		h.Details[name] = n
	}
	return h
}

// leave marks the device as closed; false if it was so already.
func (s *seat) leave() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := !s.gone
	s.gone = true
	return first
}

// fault makes a Fault of this device. An error that is one already keeps its
// kind.
func (s *seat) fault(op string, kind devices.Kind, err error) error {
	if known, ok := errors.AsType[*devices.Fault](err); ok && known.Kind != devices.KindNone {
		f := *known
		f.Op, f.Device = op, s.id
		return &f
	}
	return &devices.Fault{Op: op, Kind: kind, Device: s.id, Err: err}
}

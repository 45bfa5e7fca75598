// Package seat is what every driver of a device sits on: the one place of its
// user, its counters, and the faults that name it.
//
// It knows no device and holds nothing that one read.
//
// # The laws
//
//   - One user at a time; a second is refused with a Fault of Kind InUse.
//   - Closed is Gone, for good.
//   - Health counts; it never tells what was read.
package seat

import (
	"context"
	"errors"
	"sync"

	"github.com/counterproof/counterproof/devices"
)

// errClosed is why a closed device does nothing any more.
var errClosed = errors.New("it was closed")

// Seat is the one place of a device's user, and its counters. A driver has it
// embedded; ID is set before it is used.
type Seat struct {
	ID devices.ID

	mu       sync.Mutex
	used     bool
	gone     bool
	firmware string // as the device tells it
	details  map[string]int
}

// Take makes the caller the one user until it calls leave.
func (s *Seat) Take(ctx context.Context, op string) (leave func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.gone:
		return nil, s.Fault(op, devices.Gone, errClosed)
	case ctx.Err() != nil:
		return nil, s.Fault(op, devices.Cancelled, context.Cause(ctx))
	case s.used:
		return nil, &devices.Fault{Op: op, Kind: devices.InUse, Device: s.ID, Holder: "another user of this program"}
	}
	s.used = true
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.used = false
	}, nil
}

// Count adds to a counter of the device's health.
func (s *Seat) Count(name string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.details == nil {
		s.details = map[string]int{}
	}
	s.details[name] += n
}

// Health is what the device counted since it was opened.
func (s *Seat) Health() devices.Health {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := devices.Health{Firmware: s.firmware, Details: map[string]int{}}
	for name, n := range s.details {
		h.Details[name] = n
	}
	return h
}

// Leave marks the device as closed; false if it was so already.
func (s *Seat) Leave() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := !s.gone
	s.gone = true
	return first
}

// Fault makes a Fault of this device. An error that is one already keeps its
// kind.
func (s *Seat) Fault(op string, kind devices.Kind, err error) error {
	if known, ok := errors.AsType[*devices.Fault](err); ok && known.Kind != devices.KindNone {
		f := *known
		f.Op, f.Device = op, s.ID
		return &f
	}
	return &devices.Fault{Op: op, Kind: kind, Device: s.ID, Err: err}
}

// Tell notes what a device says of its firmware or its model.
func (s *Seat) Tell(firmware string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.firmware = firmware
}

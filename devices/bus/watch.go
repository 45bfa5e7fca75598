package bus

import (
	"context"
	"time"

	"github.com/counterproof/counterproof/devices"
)

// The backstop: how often the plugs and the site's profiles are looked at even
// though nobody said that something changed.
const backstop = 2 * time.Second

// stir is how long the kernel's own events may follow what this program does to
// a device: taking an interface from the kernel's driver and giving it back.
const stir = 3 * time.Second

// Watch tells changed what came or went: at once where the kernel says so, else
// at the next look. What this program causes itself is not told.
func (s *Source) Watch(ctx context.Context, changed func(devices.ID)) error {
	kernel, err := listen()
	defer kernel.close()
	if err != nil {
		s.log.Warn("the kernel does not tell of devices; they are looked for every two seconds", "err", err)
	}
	for next := time.Now(); ctx.Err() == nil; {
		e, heard := kernel.wait(ctx, time.Until(next))
		if heard {
			s.hear(e, changed)
		} else {
			next = time.Now().Add(backstop)
		}
		if s.stale() {
			changed("")
		}
	}
	return nil
}

// stale reports whether the plugs are not as they were listed last, so that
// nothing is missed between a listing and a watch.
func (s *Source) stale() bool {
	now := s.everything()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.listed { // who watches before listing hears of what comes from now on
		s.listed, s.seen = true, now
	}
	return now != s.seen
}

// everything changes when a device or a profile does.
func (s *Source) everything() string { return fingerprint(s.cfg.Sys) + "\n" + s.profileStamp() }

// hear tells of a device that came, went or came again between two looks. One
// that nobody knows yet is found by the look that follows.
func (s *Source) hear(e uevent, changed func(devices.ID)) {
	place := e.portPath()
	if !e.matters() || place == "" || s.own(place) {
		return
	}
	for _, id := range s.at(place) {
		changed(id)
	}
}

// at lists the things at a place.
func (s *Source) at(place string) (ids []devices.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.things {
		if t.PortPath == place {
			ids = append(ids, t.ID)
		}
	}
	return ids
}

// Stirs says that this program is about to do something to the device at a
// place that makes the kernel tell of comings and goings.
func (s *Source) Stirs(place string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ours[place] = time.Now().Add(stir)
}

// own reports whether what the kernel tells of a place is this program's doing.
func (s *Source) own(place string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	until, ours := s.ours[place]
	if ours && time.Now().After(until) {
		delete(s.ours, place)
		return false
	}
	return ours
}

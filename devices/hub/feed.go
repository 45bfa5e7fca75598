package hub

import (
	"context"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/counterproof/counterproof/devices"
)

// Pauses.
const (
	quiet    = 300 * time.Millisecond // without a change before a source is listed
	restless = 3 * time.Second        // after this it is listed although it still changes
	shortest = 250 * time.Millisecond
	longest  = 30 * time.Second
)

// backoff is the pause after the given number of failures in a row. jitter, from
// 0 to 1, lengthens it by up to a quarter, so that devices which failed together
// do not come back together.
func backoff(failures int, jitter float64) time.Duration {
	pause := longest * 4 / 5
	if failures < 7 {
		pause = min(pause, shortest<<failures)
	}
	return pause + time.Duration(jitter*float64(pause)/4)
}

// jittered is backoff with chance's jitter.
func jittered(failures int) time.Duration { return backoff(failures, rand.Float64()) }

// feed is what the hub remembers of a source.
type feed struct {
	source Source
	kick   chan struct{} // something changed

	mu      sync.Mutex
	changed map[devices.ID]bool
}

// maxChanges bounds the changes that are remembered between two listings; what
// is beyond it is still seen by the listing.
const maxChanges = 4 * maxDevices

func newFeed(s Source) *feed {
	return &feed{source: s, kick: make(chan struct{}, 1), changed: map[devices.ID]bool{}}
}

// note remembers a change. It never waits.
func (f *feed) note(id devices.ID) {
	f.mu.Lock()
	if id != "" && len(f.changed) < maxChanges {
		f.changed[id] = true
	}
	f.mu.Unlock()
	select {
	case f.kick <- struct{}{}:
	default: // one is waiting already
	}
}

// changes gives the changes since the last call.
func (f *feed) changes() map[devices.ID]bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := f.changed
	f.changed = map[devices.ID]bool{}
	return c
}

// watch keeps the source watching. Each time it gives up, it may have missed
// something, so the source is listed again.
func (h *Hub) watch(ctx context.Context, f *feed) {
	for failures := 0; ctx.Err() == nil; failures++ {
		began := time.Now()
		err := f.source.Watch(ctx, f.note)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			h.log.Warn("watching for devices ended", "kind", devices.KindOf(err), "attempt", failures)
		}
		if time.Since(began) > longest {
			failures = 0
		}
		sleep(ctx, jittered(failures))
		f.note("")
	}
}

// follow lists the source at the start and whenever it has changed and come to
// rest.
func (h *Hub) follow(ctx context.Context, f *feed) {
	for failures := 0; ctx.Err() == nil; {
		changed := f.changes()
		listing, cancel := context.WithTimeout(ctx, h.cfg.Patience)
		list, err := f.source.Devices(listing)
		cancel()
		if err == nil {
			failures = 0
			h.settle(ctx, f, list, changed)
			f.rest(ctx)
			continue
		}
		if ctx.Err() != nil {
			return
		}
		h.log.Warn("devices not listed", "kind", devices.KindOf(err), "attempt", failures)
		for id := range changed {
			f.note(id) // not dealt with yet
		}
		sleep(ctx, jittered(failures))
		failures++
	}
}

// rest waits for a change and then for quiet.
func (f *feed) rest(ctx context.Context) {
	select {
	case <-ctx.Done():
		return
	case <-f.kick:
	}
	for end := time.Now().Add(restless); ; {
		timer := time.NewTimer(min(quiet, time.Until(end)))
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-f.kick:
			timer.Stop()
		case <-timer.C:
			return
		}
	}
}

// sleep waits until ctx ends or the time has passed.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// settle compares what a source lists with what is known: what is new gets a
// supervisor, what is missing loses it, and what changed between two listings
// that both have it was plugged in again.
func (h *Hub) settle(ctx context.Context, f *feed, list []devices.Device, changed map[devices.ID]bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	listed := map[devices.ID]devices.Device{}
	for _, d := range list[:min(len(list), maxChanges)] {
		if d, ok := h.tidy(d); ok && len(listed) < maxDevices {
			listed[d.ID] = d
		}
	}
	for id, u := range h.units {
		_, there := listed[id]
		if u.feed == f && u.stay != nil && (!there || changed[id]) {
			u.stay.end(errUnplugged)
			u.stay = nil
		}
	}
	for _, id := range slices.Sorted(maps.Keys(listed)) {
		if u := h.admit(f, id); u != nil && u.stay == nil {
			h.begin(ctx, f, u, listed[id])
		}
	}
}

// admit gives the unit of a listed device, a new one if need be; nil if there is
// no room or another source has a device of this ID.
func (h *Hub) admit(f *feed, id devices.ID) *unit {
	if u := h.units[id]; u != nil {
		if u.stay != nil && u.feed != f {
			h.log.Warn("device of two sources left out of the second", "device", id)
			return nil
		}
		return u
	}
	if len(h.units) >= maxDevices && !h.forget() {
		h.log.Warn("device left out: there are too many", "device", id, "count", len(h.units))
		return nil
	}
	u := &unit{}
	h.units[id] = u
	return u
}

// forget drops the device that has been absent longest and that no role is
// pinned to. False means that there is none.
func (h *Hub) forget() bool {
	var oldest *unit
	for _, u := range h.units {
		gone := u.device.State == devices.Absent && u.stay == nil && len(h.pinned(u.device.ID)) == 0
		if gone && (oldest == nil || u.health.Since.Before(oldest.health.Since)) {
			oldest = u
		}
	}
	if oldest == nil {
		return false
	}
	delete(h.units, oldest.device.ID)
	return true
}

// begin starts the supervisor of a device that is there.
func (h *Hub) begin(ctx context.Context, f *feed, u *unit, d devices.Device) {
	staying, end := context.WithCancelCause(ctx)
	s := &stay{
		source: f.source, about: d, asks: make(chan ask), end: end, done: make(chan struct{}), before: u.last,
	}
	u.feed, u.stay, u.last = f, s, s
	if u.device.ID == "" { // known from now on, Found when its supervisor runs
		u.device = devices.Device{ID: d.ID, State: devices.Absent, Kind: devices.Missing}
	}
	u.device.Can = d.Can
	u.device.Name, u.device.Training = d.Name, d.Training
	u.device.Roles, u.free = h.assign(d)
	h.group.Go(func() {
		defer end(nil)
		h.supervise(staying, u, s)
	})
}

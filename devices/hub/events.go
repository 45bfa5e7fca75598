package hub

import (
	"context"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/counterproof/counterproof/devices"
)

// maxBehind is how many events a slow listener may fall behind. It is more than
// there are devices, so the newest event of each always has room.
const maxBehind = 2 * maxDevices

// Events yields first how every device stands and then each change, in one
// order for all devices, until ctx ends or Run has returned. The loop's body may
// take its time: who falls behind misses events that a later one of the same
// device has made old.
func (h *Hub) Events(ctx context.Context) iter.Seq[devices.Event] {
	return func(yield func(devices.Event) bool) {
		w := h.listen()
		defer h.unlisten(w)
		for {
			e, ok := h.next(ctx, w)
			if !ok || !yield(e) {
				return
			}
		}
	}
}

// watcher is one loop over Events. Its queue is under the hub's lock.
type watcher struct {
	queue []devices.Event
	news  chan struct{}
}

// wake tells the listener to look again. It never waits.
func (w *watcher) wake() {
	select {
	case w.news <- struct{}{}:
	default:
	}
}

// listen makes a listener whose first events are the present state.
func (h *Hub) listen() *watcher {
	h.mu.Lock()
	defer h.mu.Unlock()
	w := &watcher{news: make(chan struct{}, 1)}
	for _, id := range slices.Sorted(maps.Keys(h.units)) {
		w.queue = append(w.queue, h.event(h.units[id].device))
	}
	h.watchers[w] = true
	return w
}

func (h *Hub) unlisten(w *watcher) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.watchers, w)
}

// next waits for the listener's next event.
func (h *Hub) next(ctx context.Context, w *watcher) (devices.Event, bool) {
	for ctx.Err() == nil {
		h.mu.Lock()
		if len(w.queue) > 0 {
			e := w.queue[0]
			w.queue = w.queue[1:]
			h.mu.Unlock()
			return e, true
		}
		ended := h.phase == over
		h.mu.Unlock()
		if ended {
			break
		}
		select {
		case <-ctx.Done():
		case <-w.news:
		}
	}
	return devices.Event{}, false
}

// tell gives every listener the device as it is. It is called with the lock
// held and never waits.
func (h *Hub) tell(d devices.Device) {
	e := h.event(d)
	for w := range h.watchers {
		if len(w.queue) >= maxBehind {
			old := overtaken(w.queue, d.ID)
			w.queue = slices.Delete(w.queue, old, old+1)
		}
		w.queue = append(w.queue, e)
		w.wake()
	}
}

// overtaken finds the oldest event that is old news once the device called next
// has another: one that a later event of the same device follows.
func overtaken(queue []devices.Event, next devices.ID) int {
	last := map[devices.ID]int{next: len(queue)}
	for i, e := range queue {
		last[e.Device.ID] = max(last[e.Device.ID], i)
	}
	for i, e := range queue {
		if last[e.Device.ID] > i {
			return i
		}
	}
	return 0
}

// event stamps a device with both clocks: people read the one, and nobody can
// set back the other.
func (h *Hub) event(d devices.Device) devices.Event {
	e := devices.Event{At: time.Now(), Device: describe(d)}
	if !h.began.IsZero() {
		e.Mono = time.Since(h.began)
	}
	return e
}

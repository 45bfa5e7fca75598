// Package hub finds the counter's devices, owns them and heals them. Its
// sources tell it what is plugged in; each device has one supervisor that opens
// it, lends it to one user at a time and opens it again after a fault. The desk
// asks for a capability in a role and gets a handle that always works, whatever
// is plugged in.
//
// It knows no model, no protocol and no case, and it never reads or keeps what a
// device saw.
//
// # The laws
//
//   - Every handle is owned by one supervisor, which alone opens and closes it.
//   - A handle that is handed out never dies: without a device each call is
//     refused with a Fault of Kind Missing, and a device that comes later is
//     used by the next call.
//   - A call is made once. After a fault the device is opened again; the call is
//     not made again.
//   - One user at a time: a second is refused with a Fault of Kind InUse.
//   - A simulated device is left out unless the hub is in training.
//   - Telling of changes never waits for who listens.
//   - After Run has returned no goroutine of this package is left.
//
// # The life of a device
//
//	Absent → Found → Opening → Ready ⇄ Busy
//	            Opening, Busy → Faulted → Opening …
//
// and from anywhere to Absent. The pause in Faulted grows from 0.25 s to 30 s;
// plugging the device in again, or a user who asks for it, ends it at once.
package hub

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/counterproof/counterproof/devices"
)

// Source is a place where devices come and go: the USB ports, the cameras of
// the system, a bench of simulated devices. The hub calls its methods from
// several goroutines.
type Source interface {
	// Watch calls changed when a device came, went or came again, with its ID,
	// or with "" when it does not know which. changed returns at once and may
	// be called from any goroutine. Watch returns when ctx ended or it cannot
	// watch any longer; then the hub lists again and calls it again after a
	// pause, so a source that cannot watch at all is listed now and then. What
	// Open and Close of this program cause is no change.
	Watch(ctx context.Context, changed func(devices.ID)) error
	// Devices lists what is there now, with ID, Name, Roles, Can and Training
	// filled in. An error means that nobody knows, not that nothing is there.
	Devices(ctx context.Context) ([]devices.Device, error)
	// Open opens a listed device. What it returns has the methods of every
	// capability that the device was listed with; it may have a method Health,
	// whose Firmware and Details are shown. Close ends a call that waits. Open
	// gives up when ctx ends; a device that is not there is a Fault of Kind
	// Missing.
	Open(ctx context.Context, id devices.ID) (io.Closer, error)
}

// Config says where a hub looks and what it uses a device for.
type Config struct {
	Sources []Source
	// Roles pins roles to devices. A pinned device serves the roles that it is
	// pinned to and no other; a role that is pinned is served by no other
	// device.
	Roles map[devices.Role]devices.ID
	// Training takes simulated devices too.
	Training bool
	// Patience bounds one opening and one listing; zero is 10 s.
	Patience time.Duration
	// Log hears of devices that come, go and fail; nil is slog.Default.
	Log *slog.Logger
}

// Bounds on what sources may tell.
const (
	maxDevices = 64  // known at a time, present or not
	maxWords   = 16  // roles or capabilities of one device
	maxID      = 160 // bytes
	maxText    = 64  // characters of a name or a firmware
)

// Hub owns the devices of one counter. Its methods may be called from any
// goroutine, also before Run and after it.
type Hub struct {
	cfg   Config
	log   *slog.Logger
	group sync.WaitGroup // all goroutines of Run

	mu       sync.Mutex
	phase    phase
	began    time.Time
	units    map[devices.ID]*unit
	watchers map[*watcher]bool
}

// phase is how far the one Run of a hub is.
type phase int

const (
	idle phase = iota
	running
	over
)

// unit is one device that is or was there, or that a role is pinned to. Its
// fields are under the hub's lock.
type unit struct {
	feed    *feed
	device  devices.Device
	free    bool // it came without roles, and none is pinned to it
	health  devices.Health
	accepts []devices.JobKind // of the printer in it
	stay    *stay             // nil while it is not plugged in
	last    *stay             // the newest, which may still be ending
}

// New makes a hub; Run starts it.
func New(cfg Config) *Hub {
	cfg.Roles = maps.Clone(cfg.Roles)
	maps.DeleteFunc(cfg.Roles, func(r devices.Role, id devices.ID) bool { return r == devices.AnyRole || id == "" })
	cfg.Patience = cmp.Or(cfg.Patience, 10*time.Second)
	h := &Hub{
		cfg: cfg, log: cmp.Or(cfg.Log, slog.Default()),
		units: map[devices.ID]*unit{}, watchers: map[*watcher]bool{},
	}
	for _, id := range cfg.Roles {
		h.units[id] = &unit{device: devices.Device{
			ID: id, Roles: h.pinned(id), Can: []devices.Capability{}, State: devices.Absent, Kind: devices.Missing,
		}}
	}
	return h
}

// errRan tells a program that runs a hub twice.
var errRan = errors.New("a hub runs once")

// Run finds and owns devices until ctx ends. It returns nil then, when all are
// closed and every goroutine has ended. A hub runs once; a second Run is an
// error.
func (h *Hub) Run(ctx context.Context) error {
	h.mu.Lock()
	if h.phase != idle {
		h.mu.Unlock()
		return fmt.Errorf("running the devices: %w", errRan)
	}
	h.phase, h.began = running, time.Now()
	h.mu.Unlock()
	for _, s := range h.cfg.Sources {
		f := newFeed(s)
		h.group.Go(func() { h.follow(ctx, f) })
		h.group.Go(func() { h.watch(ctx, f) })
	}
	<-ctx.Done()
	h.group.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.phase = over
	for w := range h.watchers {
		w.wake()
	}
	return nil
}

// Devices lists every device that is there, that was there or that a role is
// pinned to, in the order of their IDs. One that is not there is Absent, of Kind
// Missing.
func (h *Hub) Devices() []devices.Device {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := []devices.Device{}
	for _, id := range slices.Sorted(maps.Keys(h.units)) {
		list = append(list, describe(h.units[id].device))
	}
	return list
}

// Health tells how a device has been doing; false if it is not known.
func (h *Hub) Health(id devices.ID) (devices.Health, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	u, ok := h.units[id]
	if !ok {
		return devices.Health{}, false
	}
	health := u.health
	health.Faults, health.Details = maps.Clone(health.Faults), maps.Clone(health.Details)
	return health, true
}

// describe copies a device, so that who is told may keep it.
func describe(d devices.Device) devices.Device {
	d.Roles, d.Can = slices.Clone(d.Roles), slices.Clone(d.Can)
	return d
}

// set moves a device on in its life and tells the watchers.
func (h *Hub) set(u *unit, state devices.State, kind devices.Kind) {
	h.mu.Lock()
	defer h.mu.Unlock()
	u.device.State, u.device.Kind = state, kind
	u.health.Since = time.Now()
	h.tell(u.device)
}

// note counts what a use or an opening came to.
func (h *Hub) note(u *unit, count func(*devices.Health)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	count(&u.health)
}

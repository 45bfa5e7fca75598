package hub

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"slices"
	"time"

	"github.com/counterproof/counterproof/devices"
)

// grace is how long a user of a device may take to notice that it was taken
// away, before it is closed under him.
const grace = 2 * time.Second

const opening = "opening the device"

// errUnplugged is why a stay ends while the hub runs on.
var errUnplugged = errors.New("it was unplugged")

// errNothing tells a source that opened a device and gave nothing.
var errNothing = errors.New("the source opened nothing")

// stay is one stay of a device in its port, from plugging in to pulling out.
// Its supervisor is the one goroutine that moves it on.
type stay struct {
	source Source
	about  devices.Device // as it was listed
	asks   chan ask
	end    context.CancelCauseFunc
	done   chan struct{} // closed when the supervisor has ended
	before *stay         // the one before in the same port
}

// ask is a user's wish to have a device.
type ask struct {
	ctx    context.Context
	op     string
	answer chan answer
}

// answer is what came of an ask: a loan or a refusal.
type answer struct {
	loan *loan
	err  error
}

// loan is a device in the hands of its user.
type loan struct {
	ctx    context.Context // ends with the user's and when the device is taken away
	opened io.Closer
	id     devices.ID
	back   chan error // given back, with what came of it
}

// reply answers an ask unless the user has left. It reports whether he took it.
func (a ask) reply(got answer) bool {
	select {
	case a.answer <- got:
		return true
	case <-a.ctx.Done():
		return false
	}
}

// supervise leads one stay of a device from Found to Absent: it opens the
// device, lends it, and opens it again after a fault. A user who asks while the
// device is faulted makes it try at once, and is told what came of it.
func (h *Hub) supervise(ctx context.Context, u *unit, s *stay) {
	defer close(s.done)
	if s.before != nil {
		<-s.before.done // one owner at a time
		s.before = nil
	}
	h.log.Info("device found", "device", s.about.ID)
	h.set(u, devices.Found, devices.KindNone)
	var waiting []ask // at most one
	kind, told := devices.KindNone, devices.KindNone
	for failures := 0; ctx.Err() == nil; {
		h.set(u, devices.Opening, kind) // the last fault shows until it is mended
		opened, err := h.open(ctx, u, s)
		if err == nil {
			failures, told = 0, devices.KindNone
			waiting, err = h.serve(ctx, u, s, opened, waiting)
		} else {
			failures++
			refuse(waiting, err)
			waiting = nil
		}
		if ctx.Err() == nil {
			kind = devices.KindOf(err)
			if kind != told { // what fails again and again alike is told once
				h.log.Warn("device faulted", "device", s.about.ID, "kind", kind)
				told = kind
			}
			h.set(u, devices.Faulted, kind)
			if len(waiting) == 0 {
				waiting = s.pause(ctx, jittered(max(0, failures-1)))
			}
		}
	}
	refuse(waiting, s.ended(ctx, opening))
	h.log.Info("device gone", "device", s.about.ID)
	h.leave(u, s)
}

// leave ends a stay whose device is closed.
func (h *Hub) leave(u *unit, s *stay) {
	h.mu.Lock()
	if u.stay == s { // it was not unplugged: the hub stops
		u.stay = nil
	}
	h.mu.Unlock()
	h.set(u, devices.Absent, devices.Missing)
}

// refuse tells those who wait that there is nothing to wait for.
func refuse(waiting []ask, err error) {
	for _, a := range waiting {
		a.reply(answer{err: err})
	}
}

// ended is the fault of a device whose stay has ended: unplugged, or the
// program stops.
func (s *stay) ended(ctx context.Context, op string) error {
	f := &devices.Fault{Op: op, Kind: devices.Cancelled, Device: s.about.ID, Err: context.Cause(ctx)}
	if errors.Is(f.Err, errUnplugged) {
		f.Kind = devices.Gone
	}
	return f
}

// pause waits until it is time to open the device again, or a user asks.
func (s *stay) pause(ctx context.Context, d time.Duration) []ask {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case a := <-s.asks:
		return []ask{a}
	}
	return nil
}

// open opens the device and asks it who it is.
func (h *Hub) open(ctx context.Context, u *unit, s *stay) (io.Closer, error) {
	within, cancel := context.WithTimeout(ctx, h.cfg.Patience)
	defer cancel()
	opened, err := s.source.Open(within, s.about.ID)
	if err == nil && opened == nil {
		err = errNothing
	}
	if err != nil {
		err = fault(opening, s.about.ID, err)
		if ctx.Err() == nil {
			h.note(u, func(now *devices.Health) { blame(now, err) })
		}
		return nil, err
	}
	h.greet(u, opened)
	return opened, nil
}

// greet remembers what an opened device says of itself.
func (h *Hub) greet(u *unit, opened io.Closer) {
	var accepts []devices.JobKind
	if p, ok := opened.(devices.Printer); ok {
		accepts = p.Accepts()
		accepts = slices.Clone(accepts[:min(len(accepts), maxWords)])
	}
	h.mu.Lock()
	u.accepts = accepts
	u.health.Opened++
	h.mu.Unlock()
	h.examine(u, opened)
}

// examine takes up what an opened device counts, bounded.
func (h *Hub) examine(u *unit, opened io.Closer) {
	d, ok := opened.(interface{ Health() devices.Health })
	if !ok {
		return
	}
	told := d.Health()
	details := map[string]int{}
	for name, n := range told.Details {
		if len(details) < maxWords {
			details[text(name)] = n
		}
	}
	h.note(u, func(now *devices.Health) { now.Firmware, now.Details = text(told.Firmware), details })
}

// blame counts a fault.
func blame(now *devices.Health, err error) {
	if now.Faults == nil {
		now.Faults = map[devices.Kind]int{}
	}
	now.Faults[devices.KindOf(err)]++
}

// serve lends an opened device until it fails or its stay ends, and closes it.
// It returns the fault, and the user who asked next.
func (h *Hub) serve(ctx context.Context, u *unit, s *stay, opened io.Closer, waiting []ask) ([]ask, error) {
	defer func() {
		if err := opened.Close(); err != nil {
			h.log.Warn("device not closed", "device", s.about.ID, "kind", devices.KindOf(err))
		}
	}()
	kind := devices.KindNone
	for {
		if len(waiting) == 0 {
			h.set(u, devices.Ready, kind)
			select {
			case <-ctx.Done():
				return nil, nil
			case a := <-s.asks:
				waiting = []ask{a}
			}
		}
		a := waiting[0]
		waiting = nil
		h.set(u, devices.Busy, kind)
		next, err := h.lend(ctx, s, opened, a)
		if ctx.Err() != nil {
			return next, nil
		}
		h.examine(u, opened)
		kind = h.result(u, kind, err)
		if broken(kind) {
			return next, err
		}
		waiting = next
	}
}

// result counts what came of a use and tells the Kind that the device has
// after it: that of a fault, none after a good use, and as before when the user
// gave up.
func (h *Hub) result(u *unit, before devices.Kind, err error) devices.Kind {
	kind := devices.KindOf(err)
	h.note(u, func(now *devices.Health) {
		switch {
		case err == nil:
			now.LastGood = time.Now()
		case kind != devices.Cancelled:
			blame(now, err)
		}
	})
	if kind == devices.Cancelled {
		return before
	}
	return kind
}

// broken tells the faults after which a device is closed and opened again. The
// others are no reason: paper is put in by hand.
func broken(kind devices.Kind) bool {
	switch kind {
	case devices.KindNone, devices.Unsupported, devices.PaperOut, devices.CoverOpen, devices.Cancelled:
		return false
	}
	return true
}

// lend gives the device to the one who asked and waits until he gives it back.
// Who asks in the meantime is refused.
func (h *Hub) lend(ctx context.Context, s *stay, opened io.Closer, a ask) (next []ask, err error) {
	lent, revoke := context.WithCancelCause(a.ctx)
	defer revoke(nil)
	l := &loan{ctx: lent, opened: opened, id: s.about.ID, back: make(chan error, 1)}
	if !a.reply(answer{loan: l}) {
		return nil, &devices.Fault{Op: a.op, Kind: devices.Cancelled, Device: l.id}
	}
	for {
		select {
		case err := <-l.back:
			return nil, err
		case <-ctx.Done():
			revoke(s.ended(ctx, a.op))
			l.await()
			return nil, nil
		case other := <-s.asks:
			select {
			case err := <-l.back: // it had been given back before
				return []ask{other}, err
			default:
			}
			other.reply(answer{err: &devices.Fault{
				Op: other.op, Kind: devices.InUse, Device: l.id, Holder: "this program, " + a.op,
			}})
		}
	}
}

// await gives the user the grace to give the device back.
func (l *loan) await() {
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-l.back:
	case <-timer.C:
	}
}

// fault makes a Fault of any error of a device, with the device's ID. What has
// no Kind is judged by what it wraps, and is Protocol where that tells nothing.
func fault(op string, id devices.ID, err error) *devices.Fault {
	if f, ok := errors.AsType[*devices.Fault](err); ok && f.Kind != devices.KindNone {
		known := *f
		if known.Device == "" {
			known.Device = id
		}
		return &known
	}
	f := &devices.Fault{Op: op, Kind: devices.Protocol, Device: id, Err: err}
	switch {
	case errors.Is(err, context.Canceled):
		f.Kind = devices.Cancelled
	case errors.Is(err, context.DeadlineExceeded):
		f.Kind = devices.Timeout
	case errors.Is(err, fs.ErrPermission):
		f.Kind = devices.Permission
	case errors.Is(err, fs.ErrNotExist):
		f.Kind = devices.Missing
	}
	return f
}

// Package clinic is the doctor at work in a counter that runs: it checks the
// computer and the devices, tries what a device can do, measures the light before
// a camera and prints what it found. It uses devices through the hub, as visits
// do, and so never takes one from a visit.
//
// # The laws
//
//   - What a trial reads, films or scans is forgotten; only that it was, and
//     figures of the light, are told.
//   - One trial at a time; a second one waits a moment for the first to end and is
//     refused then.
//   - A trial ends by itself after Patience.
//   - A device is tried because a person asked, never by itself.
package clinic

import (
	"bytes"
	"context"
	"image"
	_ "image/jpeg" // what cameras send
	_ "image/png"  // what scanners may send
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/config"
	"github.com/counterproof/counterproof/agent/desk"
	"github.com/counterproof/counterproof/agent/doctor"
	"github.com/counterproof/counterproof/agent/doctor/look"
	"github.com/counterproof/counterproof/agent/print"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/slip"
	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/hub"
)

// Patience is how long a trial waits for a person to lay something on a reader.
const Patience = 20 * time.Second

// Times of a camera's trial. A camera sets its own light first; that is not
// measured.
const (
	settling  = 700 * time.Millisecond
	measuring = 2 * time.Second
	telling   = 500 * time.Millisecond // between two figures of the meter
	firstLook = 10 * time.Second       // until the first frame
	remember  = 15 * time.Minute       // how long a measured light is a fact
	ending    = time.Second            // that a trial may take to end
)

// Config says whose doctor this is.
type Config struct {
	Hub *hub.Hub
	// Settings are the counter's; its folders and its devices' names are used.
	Settings config.Config
	// PC is where the computer shows what it has, instead of the usual places.
	PC look.PC
	// Standing tells how the counter's own program and its records stand; nil where
	// it is not this one, and Service is told.
	Standing func() api.Status
	Service  doctor.Service
	// Patience is how long a trial waits; zero is Patience.
	Patience time.Duration
}

// Clinic is the doctor of one counter. Its methods may be called from any
// goroutine.
type Clinic struct {
	cfg   Config
	trial chan struct{} // has room for the one that is under way

	mu     sync.Mutex
	lights map[string]seen // by role
}

// seen is a light and when it was measured.
type seen struct {
	api.Light
	at time.Time
}

// New makes a clinic; it looks at nothing yet.
func New(cfg Config) *Clinic {
	if cfg.Patience == 0 {
		cfg.Patience = Patience
	}
	cfg.PC = cfg.PC.Of(cfg.Settings)
	return &Clinic{cfg: cfg, trial: make(chan struct{}, 1), lights: map[string]seen{}}
}

// Checkup looks at the computer and the devices and says what is wrong. It opens
// nothing and takes some milliseconds.
func (c *Clinic) Checkup(ctx context.Context, now time.Time) api.Checkup {
	facts := look.Gather(ctx, c.cfg.PC, now)
	facts.Devices, facts.Complete, facts.Lights = c.cfg.Hub.Devices(), true, c.measured(now)
	var status api.Status
	facts.Service = c.cfg.Service
	if c.cfg.Standing != nil {
		status = c.cfg.Standing()
		facts.Service, facts.Queue = doctor.ServiceRuns, status.Queue
		if !status.Enrolled {
			facts.Service = doctor.ServiceUnenrolled
		}
	}
	return api.Checkup{
		At: now, Version: status.Version, Site: status.Site, Findings: doctor.Examine(facts), Devices: c.devices(facts.Things),
	}
}

// Doctor is Checkup now, as the counter's client has it.
func (c *Clinic) Doctor(ctx context.Context) (api.Checkup, error) {
	return c.Checkup(ctx, time.Now()), nil
}

// devices tells how the devices stand, with the profiles of the things that they
// are.
func (c *Clinic) devices(things []doctor.Thing) []api.CheckedDevice {
	all, h := []api.CheckedDevice{}, c.cfg.Hub
	for _, d := range h.Devices() {
		told := api.CheckedDevice{ID: string(d.ID), Name: d.Name, State: string(d.State), Training: d.Training, Can: []string{}}
		for _, can := range d.Can {
			told.Can = append(told.Can, string(can))
		}
		for _, role := range d.Roles {
			told.Roles = append(told.Roles, string(role))
		}
		if d.Kind != devices.KindNone {
			told.Problem = desk.DeviceKind(&devices.Fault{Kind: d.Kind})
		}
		if health, known := h.Health(d.ID); known {
			told.Opened, told.LastGood = health.Opened, health.LastGood
			for n := range maps.Values(health.Faults) {
				told.Faults += n
			}
		}
		for _, t := range things {
			if t.ID == d.ID && t.Known {
				told.Profile, told.Tried = t.Profile.ID, string(t.Profile.Status)
			}
		}
		all = append(all, told)
	}
	return all
}

// measured are the lights that were measured lately, in the order of their roles.
func (c *Clinic) measured(now time.Time) (all []api.Light) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, role := range slices.Sorted(maps.Keys(c.lights)) {
		if l := c.lights[role]; now.Sub(l.at) < remember {
			all = append(all, l.Light)
		}
	}
	return all
}

// keep remembers a light for the next checkup.
func (c *Clinic) keep(l api.Light) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lights[l.Role] = seen{l, time.Now()}
}

// begin makes the caller the one who tries a device, until end is called. A trial
// that was just given up may need a moment to end.
func (c *Clinic) begin(ctx context.Context) (end func(), err error) {
	timer := time.NewTimer(ending)
	defer timer.Stop()
	select {
	case c.trial <- struct{}{}:
		return func() { <-c.trial }, nil
	case <-timer.C:
		return nil, &proof.Error{Op: "trying a device", Kind: proof.KindDeviceBusy}
	case <-ctx.Done():
		return nil, &devices.Fault{Op: "trying a device", Kind: devices.Cancelled, Err: ctx.Err()}
	}
}

// Light films with the camera of a role and tells its light about twice a second,
// until tell fails, ctx ends or the camera fails.
func (c *Clinic) Light(ctx context.Context, role devices.Role, tell func(api.Light) error) error {
	end, err := c.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	return c.film(ctx, role, tell)
}

// film is Light for who has the trial.
func (c *Clinic) film(caller context.Context, role devices.Role, tell func(api.Light) error) (err error) {
	ctx, stop := context.WithCancel(caller)
	defer stop()
	impatient := time.AfterFunc(firstLook, stop)
	defer impatient.Stop()
	var meter doctor.Meter
	var began, told time.Duration
	seen := false
	failed := c.cfg.Hub.Camera(role).Frames(ctx, func(f devices.Frame) bool {
		impatient.Stop()
		if !seen {
			began, told, seen = f.At, f.At+settling, true
		}
		img, _, broken := image.Decode(bytes.NewReader(f.JPEG))
		if broken != nil || f.At-began < settling {
			return true // the next one may be whole
		}
		meter.Add(img, f.At)
		if f.At-told < telling {
			return true
		}
		told = f.At
		l := meter.Light(string(role))
		c.keep(l)
		err = tell(l)
		return err == nil
	})
	switch {
	case err != nil:
		return err
	case failed != nil && !seen && ctx.Err() != nil && caller.Err() == nil:
		return &devices.Fault{Op: "filming", Kind: devices.Timeout, Err: failed}
	}
	return failed
}

// Print prints what a checkup finds on the slip printer.
func (c *Clinic) Print(ctx context.Context, now time.Time) error {
	return c.print(ctx, doctor.Report(c.Checkup(ctx, now), doctor.Width))
}

// print prints lines.
func (c *Clinic) print(ctx context.Context, lines []string) error {
	var laid []slip.Line
	for _, l := range lines {
		laid = append(laid, slip.Line{Style: slip.Plain, Text: l})
	}
	printer := c.cfg.Hub.Printer(devices.SlipPrinter)
	job, err := print.Job(printer.Accepts(), laid)
	if err == nil {
		err = printer.Print(ctx, job)
	}
	if err != nil {
		return &proof.Error{Op: "printing the report", Kind: desk.DeviceKind(err), Err: err}
	}
	return nil
}

package usb

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/counterproof/counterproof/devices"
)

// Config says how a host looks at the system. The zero value is right.
type Config struct {
	// Sys and Proc are where the kernel shows devices and processes; "/sys" and
	// "/proc" if empty.
	Sys, Proc string
	// Stirs is told a port path just before an interface there is taken from the
	// kernel's driver or given back to it, whereupon the kernel tells of comings
	// and goings. It must return at once and not call the host. It may be nil.
	Stirs func(portPath string)
}

// stirring is how long an entry stays in the account of what was stirred.
const stirring = time.Minute

// Host is libusb. A process opens one. Its methods may be called from any
// goroutine.
type Host struct {
	cfg   Config
	plugs plugs
	start func() (library, error)

	mu      sync.Mutex
	ended   bool    // Close was called
	lib     library // nil after Close
	ports   map[seat]*Port
	stirred map[string]time.Time
}

// seat is an interface in a place, for one user.
type seat struct {
	portPath string
	number   int
}

// Open starts libusb on this system. It fails as Unsupported where libusb does
// not start, or the program was built without it.
func Open() (*Host, error) { return Config{}.Open() }

// Open starts libusb as configured.
func (c Config) Open() (*Host, error) { return c.open(newLibrary) }

// open starts a library, of which tests have their own.
func (c Config) open(start func() (library, error)) (*Host, error) {
	lib, err := start()
	if err != nil {
		return nil, fault(starting, whyNot(err), err)
	}
	return &Host{cfg: c, plugs: newPlugs(c), start: start, lib: lib, ports: map[seat]*Port{}, stirred: map[string]time.Time{}}, nil
}

// List gives what is plugged in, by port path, without hubs. With descriptors
// that make no sense a device may stop the listing of those after it: then List
// gives those before it, and a Fault.
func (h *Host) List() ([]Device, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	all, err := h.list()
	all = slices.DeleteFunc(all, func(d Device) bool { return d.Class == hub })
	for i := range all {
		h.plugs.called(&all[i])
	}
	slices.SortFunc(all, func(a, b Device) int { return cmp.Compare(a.PortPath, b.PortPath) })
	return all, err
}

// list asks libusb, under the lock.
func (h *Host) list() ([]Device, error) {
	if h.lib == nil {
		return nil, fault(listing, devices.Gone, errClosed)
	}
	all, err := h.lib.list(h.plugs.inUse)
	if err != nil {
		kind := troubleOf(err).kind()
		if kind == devices.Gone { // unplugged while it was listed: the others are there
			return all, nil
		}
		return all, fault(listing, kind, err)
	}
	return all, nil
}

// Open takes an interface of the device in a place. Its faults are Missing,
// Permission, InUse naming the holder as far as we may see, and Unsupported where
// the interface has neither a bulk nor an interrupt endpoint.
func (h *Host) Open(ctx context.Context, portPath string, number int) (*Port, error) {
	if err := cancelled(ctx, opening); err != nil {
		return nil, err
	}
	p, err := h.open(seat{portPath, number})
	if err != nil {
		return nil, err
	}
	if err := cancelled(ctx, opening); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// open finds the device anew, because it may have come again since it was listed,
// and takes its interface.
func (h *Host) open(at seat) (*Port, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ended {
		return nil, fault(opening, devices.Gone, errClosed)
	}
	if h.ports[at] != nil {
		return nil, &devices.Fault{Op: opening, Kind: devices.InUse, Holder: "this program", Err: errTaken}
	}
	d, err := h.find(at.portPath)
	if err != nil {
		return nil, err
	}
	i, ok := d.find(at.number)
	if !ok || i.ways() == 0 {
		return nil, fault(opening, devices.Unsupported, errInterface)
	}
	// On a system that shows nothing libusb is to find out whether there is a
	// driver; where none is, none is detached and nothing is stirred.
	driver := h.plugs.driver(d, at.number)
	detach := driver != "" && driver != usbfs || !h.plugs.shows()
	if detach {
		h.stir(at.portPath)
	}
	taken, err := h.lib.open(d, i, detach)
	if err != nil {
		return nil, h.refused(d, at.number, err)
	}
	p := newPort(h, d, i, taken)
	p.stirs = detach
	h.ports[at] = p
	return p, nil
}

// find is the device in a place. Where libusb has not heard that it came, which
// happens where no udev runs, libusb is started anew if nobody uses it.
func (h *Host) find(portPath string) (Device, error) {
	for range 2 {
		all, err := h.list()
		if errors.Is(err, errSense) { // opening would fail halfway and lose the handle
			return Device{}, err
		}
		address := h.plugs.address(portPath)
		i := slices.IndexFunc(all, func(d Device) bool {
			return d.PortPath == portPath && (address == 0 || d.Address == address)
		})
		switch {
		case i >= 0:
			return all[i], nil
		case address == 0 || len(h.ports) > 0:
			return Device{}, fault(opening, devices.Missing, errors.Join(errAbsent, err))
		}
		if err := h.restart(); err != nil {
			return Device{}, err
		}
	}
	return Device{}, fault(opening, devices.Missing, errAbsent)
}

// restart starts libusb anew.
func (h *Host) restart() error {
	err := h.lib.close()
	lib, failed := h.start()
	if err = errors.Join(err, failed); err != nil {
		return fault(starting, devices.Unsupported, err)
	}
	h.lib = lib
	return nil
}

// refused is the fault of opening a device.
func (h *Host) refused(d Device, number int, err error) error {
	f := &devices.Fault{Op: opening, Kind: troubleOf(err).kind(), Err: err}
	switch {
	// What was pulled out meanwhile fails in many ways, but a permission that is
	// missing is missing.
	case f.Kind == devices.Gone || f.Kind != devices.Permission && !h.here(d):
		f.Kind = devices.Missing
	case f.Kind == devices.InUse:
		f.Holder = h.plugs.holder(d, number)
	}
	return f
}

// there tells whether a device is still where it was.
func (h *Host) there(d Device) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.here(d)
}

// here is there, under the lock. The kernel knows best; libusb may hear late.
func (h *Host) here(d Device) bool {
	if h.plugs.shows() {
		return h.plugs.address(d.PortPath) == d.Address
	}
	all, err := h.list()
	if err != nil {
		return h.lib != nil
	}
	return slices.ContainsFunc(all, func(o Device) bool { return o.PortPath == d.PortPath && o.Address == d.Address })
}

// stir accounts for messages of the kernel that follow, under the lock.
func (h *Host) stir(portPath string) {
	now := time.Now()
	maps.DeleteFunc(h.stirred, func(_ string, at time.Time) bool { return now.Sub(at) > stirring })
	h.stirred[portPath] = now
	if h.cfg.Stirs != nil {
		h.cfg.Stirs(portPath)
	}
}

// Stirred is the account of where this host took an interface from a driver of
// the kernel, or gave it back, within the last minute, and when it did so last.
// What the kernel tells of such a place just after is its own doing.
func (h *Host) Stirred() map[string]time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return maps.Clone(h.stirred)
}

// leaving is called before a port gives its interface back.
func (h *Host) leaving(p *Port) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if p.stirs {
		h.stir(p.device.PortPath)
	}
}

// left is called after.
func (h *Host) left(p *Port) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.ports, seat{p.device.PortPath, p.iface.Number})
}

// Close closes every port and ends libusb. It waits for transfers to end: up to
// 0.1 s, and for a control transfer up to 2 s.
func (h *Host) Close() error {
	h.mu.Lock()
	h.ended = true
	ports := slices.Collect(maps.Values(h.ports))
	h.mu.Unlock()
	var errs []error
	for _, p := range ports {
		errs = append(errs, p.Close())
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.lib != nil {
		errs = append(errs, h.lib.close())
		h.lib = nil
	}
	return errors.Join(errs...)
}

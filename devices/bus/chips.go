package bus

import (
	"cmp"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/internal/driver"
	"github.com/counterproof/counterproof/devices/internal/port/pcsc"
	"github.com/counterproof/counterproof/devices/profile"
)

// Chips is the readers of the system's smart-card service, as a source of devices
// of its own: the service has the plugs, and this program asks it. Where the
// service is not installed or does not run there are none, and one that comes later
// is found. Its methods may be called from any goroutine.
type Chips struct {
	plugs   *Source
	service service

	mu     sync.Mutex
	listed bool
	seen   []string // when it was listed last
}

// service is what is asked of the smart-card service.
type service struct {
	readers func() ([]string, error)
	watch   func(ctx context.Context, changed func([]string)) error
	open    func(driver.ChipConfig) (io.Closer, error)
}

// Chips gives the chip readers, which go by the profiles of this source.
func (s *Source) Chips() *Chips {
	return &Chips{plugs: s, service: service{pcsc.Readers, pcsc.Watch, openChip}}
}

func openChip(cfg driver.ChipConfig) (io.Closer, error) { return driven(driver.OpenChip(cfg)) }

// OpenChipReader opens the chip reader that the smart-card service knows by a name;
// "" is the only one there is. Whoever opened it closes it.
func OpenChipReader(name string) (interface {
	devices.ChipReader
	io.Closer
}, error) {
	names, err := pcsc.Readers()
	if err != nil {
		return nil, err
	}
	if name == "" && len(names) == 1 {
		name = names[0]
	}
	r, err := driver.OpenChip(driver.ChipConfig{ID: chipID(name), Reader: name})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// ChipReaderNames lists the chip readers by the names that the smart-card service
// has for them.
func ChipReaderNames() ([]string, error) { return pcsc.Readers() }

// chipID names a reader: the service's name tells the model, the serial number
// where the device has one, and which of equal ones it is.
func chipID(name string) devices.ID {
	return devices.ID("pcsc:" + strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r > ' ' && r < 0x7f && r != '/' && r != '#':
			return r
		}
		return -1
	}, name))
}

// Watch tells changed that readers came or went.
func (c *Chips) Watch(ctx context.Context, changed func(devices.ID)) error {
	for ctx.Err() == nil {
		err := c.service.watch(ctx, func(now []string) {
			if c.stale(now) {
				changed("")
			}
		})
		if err != nil && devices.KindOf(err) != devices.Missing {
			return err
		}
		if err != nil && c.stale(nil) { // the service took its readers with it
			changed("")
		}
		timer := time.NewTimer(backstop)
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
	}
	return nil
}

// stale reports whether the readers are not those that were listed last.
func (c *Chips) stale(now []string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.listed { // who watches before listing hears of what comes from now on
		c.listed, c.seen = true, slices.Clone(now)
	}
	return !slices.Equal(now, c.seen)
}

// names lists the readers; none where there is no service.
func (c *Chips) names() ([]string, error) {
	names, err := c.service.readers()
	if errors.Is(err, pcsc.ErrService) || devices.KindOf(err) == devices.Unsupported {
		names, err = nil, nil
	}
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.listed, c.seen = true, slices.Clone(names)
	return names, nil
}

// Devices lists the readers that may be used: a site's profile may say that one
// is not.
func (c *Chips) Devices(context.Context) ([]devices.Device, error) {
	names, err := c.names()
	if err != nil {
		return nil, err
	}
	set, _ := c.plugs.Profiles()
	var list []devices.Device
	for _, name := range names {
		p, known := set.Match(profile.Found{Bus: profile.BusPCSC, Name: name})
		if known && p.Opens() {
			list = append(list, devices.Device{
				ID: chipID(name), Name: cmp.Or(strings.TrimSpace(name), p.Name), Roles: slices.Clone(p.Roles), Can: slices.Clone(p.Can),
				State: devices.Found,
			})
		}
	}
	return list, nil
}

// Open opens a reader.
func (c *Chips) Open(_ context.Context, id devices.ID) (io.Closer, error) {
	names, err := c.names()
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(names, func(name string) bool { return chipID(name) == id })
	if i < 0 {
		return nil, &devices.Fault{Op: opening, Kind: devices.Missing, Device: id}
	}
	return c.service.open(driver.ChipConfig{ID: id, Reader: names[i]})
}

// Trouble says why no chip reader can be seen: a Fault of Kind Missing where the
// smart-card service is not installed or does not run, Permission where it does not
// let this program in, with the rule. It is nil where readers would be seen.
func (c *Chips) Trouble() error {
	_, err := c.service.readers()
	return err
}

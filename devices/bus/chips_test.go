package bus

import (
	"context"
	"io"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/devicetest"
	"github.com/counterproof/counterproof/devices/internal/driver"
	"github.com/counterproof/counterproof/devices/internal/port/pcsc"
	"github.com/counterproof/counterproof/devices/profile"
	"github.com/counterproof/counterproof/devices/sim"
)

// desk is a smart-card service of software.
type desk struct {
	mu      sync.Mutex
	changed chan struct{}
	names   []string
	err     error
}

func (d *desk) set(err error, names ...string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.names, d.err = names, err
	close(d.changed)
	d.changed = make(chan struct{})
}

func (d *desk) now() (names []string, changed chan struct{}, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.names), d.changed, d.err
}

// over is a source over the desk.
func over(names ...string) (*Chips, *desk) {
	d := &desk{changed: make(chan struct{}), names: names}
	c := New(Config{Sys: "testdata/none"}).Chips()
	c.service = service{
		readers: func() ([]string, error) { names, _, err := d.now(); return names, err },
		watch: func(ctx context.Context, changed func([]string)) error {
			for ctx.Err() == nil {
				names, next, err := d.now()
				if err != nil {
					return err
				}
				slices.Sort(names)
				changed(names)
				select {
				case <-ctx.Done():
				case <-next:
				}
			}
			return nil
		},
		open: func(cfg driver.ChipConfig) (io.Closer, error) {
			r := sim.NewChipReader(sim.ReaderConfig{ID: cfg.ID})
			return sim.NewBench(r).Open(context.Background(), cfg.ID)
		},
	}
	return c, d
}

const twin = "ACME Reader [PICC] (0001) 00 00"

func TestChipsSource(t *testing.T) {
	t.Parallel()
	devicetest.RunSource(t, synctest.Test, func(testing.TB) devicetest.SourceRig {
		c, d := over("Other 00 00", twin)
		return devicetest.SourceRig{
			Source: c, ID: chipID(twin),
			Unplug: func() { d.set(nil, "Other 00 00") }, Plug: func() { d.set(nil, "Other 00 00", twin) },
		}
	})
}

func TestChipIDs(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]devices.ID{
		twin:                "pcsc:ACME-Reader-[PICC]-(0001)-00-00",
		"A/B#C\x01\u00e9 0": "pcsc:ABC-0",
		"":                  "pcsc:",
	} {
		if got := chipID(name); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}

// TestChipsWithoutService: where there is no service there are no readers, and one
// that comes is told; one that stops takes its readers with it.
func TestChipsWithoutService(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, d := over()
		missing := &devices.Fault{Op: "listing", Kind: devices.Missing, Err: pcsc.ErrService}
		d.set(missing)
		list, err := c.Devices(t.Context())
		if err != nil || len(list) != 0 || devices.KindOf(c.Trouble()) != devices.Missing {
			t.Errorf("without a service: %v, %v, %v", list, err, c.Trouble())
		}
		ctx, cancel := context.WithCancel(t.Context())
		told := make(chan devices.ID, 8)
		ended := make(chan error, 1)
		go func() { ended <- c.Watch(ctx, func(id devices.ID) { told <- id }) }()
		time.Sleep(time.Minute)
		if len(told) > 0 {
			t.Error("told of a change while there is no service")
		}
		for _, step := range []struct {
			err   error
			names []string
		}{{nil, []string{twin}}, {missing, nil}, {nil, []string{twin}}} {
			d.set(step.err, step.names...)
			<-told
			if list, err := c.Devices(t.Context()); err != nil || len(list) != len(step.names) {
				t.Errorf("%v, %v, want %q", list, err, step.names)
			}
		}
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("ended with %v", err)
		}
		d.set(&devices.Fault{Op: "listing", Kind: devices.Permission})
		if _, err := c.Devices(t.Context()); devices.KindOf(err) != devices.Permission {
			t.Errorf("not allowed: %v", err)
		}
		if err := c.Watch(t.Context(), func(devices.ID) {}); devices.KindOf(err) != devices.Permission {
			t.Errorf("watching, not allowed: %v", err)
		}
		if _, err := c.Open(t.Context(), chipID(twin)); devices.KindOf(err) != devices.Permission {
			t.Errorf("opening, not allowed: %v", err)
		}
	})
}

// TestChipsProfile: a site may say that a reader is not for documents, such as the
// one with the staff's own cards.
func TestChipsProfile(t *testing.T) {
	t.Parallel()
	c, _ := over("Staff Cards 00 00", twin)
	own, err := profile.Parse([]byte(`{"id":"staff","name":"Staff","status":"spec","sources":["the site"],"match":[{"bus":"pcsc","name":"Staff Cards"}],
		"transport":"none","can":["chip_reader"],"hint":"makers_kit"}`))
	if err != nil {
		t.Fatal(err)
	}
	own.Site = true
	c.plugs.set = profile.Embedded().With(own)
	list, err := c.Devices(t.Context())
	if err != nil || len(list) != 1 || list[0].ID != chipID(twin) || list[0].Name != twin {
		t.Errorf("got %+v, %v", list, err)
	}
}

// TestOpenChipReader: a reader that is not there is missing, and so is the service.
func TestOpenChipReader(t *testing.T) {
	t.Parallel()
	if _, err := OpenChipReader("No such reader 00 00"); devices.KindOf(err) != devices.Missing && devices.KindOf(err) != devices.Unsupported {
		t.Errorf("got %v", err)
	}
}

// TestChipReaderOnUSB: a chip reader's plug is recognised, and left to the
// smart-card service.
func TestChipReaderOnUSB(t *testing.T) {
	t.Parallel()
	thing := Thing{Found: profile.Found{Bus: profile.BusUSB, Class: profile.ClassOf(0x0b, 0, 0)}}
	thing.Profile, thing.Known = profile.Embedded().Match(thing.Found)
	if !thing.Known || thing.Opens() {
		t.Errorf("known %t, opened here %t", thing.Known, thing.Opens())
	}
}

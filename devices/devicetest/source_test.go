package devicetest

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"testing"
	"time"

	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/hub"
	"github.com/counterproof/counterproof/devices/sim"
)

func goodSource(testing.TB) SourceRig {
	c := sim.NewCamera(sim.CameraConfig{ID: "sim:a", Roles: []devices.Role{devices.FaceCamera}})
	return SourceRig{Source: sim.NewBench(c), ID: "sim:a", Plug: c.Plug, Unplug: c.Unplug}
}

// spoiltSource is a source of which some methods are replaced.
type spoiltSource struct {
	hub.Source
	watch func(context.Context, func(devices.ID)) error
	list  func([]devices.Device) ([]devices.Device, error)
	open  func(context.Context, devices.ID) (io.Closer, error)
}

func (s spoiltSource) Watch(ctx context.Context, changed func(devices.ID)) error {
	if s.watch != nil {
		return s.watch(ctx, changed)
	}
	return s.Source.Watch(ctx, changed)
}

func (s spoiltSource) Devices(ctx context.Context) ([]devices.Device, error) {
	list, err := s.Source.Devices(ctx)
	if s.list != nil {
		return s.list(list)
	}
	return list, err
}

func (s spoiltSource) Open(ctx context.Context, id devices.ID) (io.Closer, error) {
	if s.open != nil {
		return s.open(ctx, id)
	}
	return s.Source.Open(ctx, id)
}

// with gives a good source with one thing wrong.
func with(spoil func(*spoiltSource)) func(testing.TB) SourceRig {
	return func(tb testing.TB) SourceRig {
		rig := goodSource(tb)
		s := spoiltSource{Source: rig.Source}
		spoil(&s)
		rig.Source = s
		return rig
	}
}

// change gives a good source that changes each device of its list.
func change(spoil func(*devices.Device)) func(testing.TB) SourceRig {
	return with(func(s *spoiltSource) {
		s.list = func(list []devices.Device) ([]devices.Device, error) {
			for i := range list {
				spoil(&list[i])
			}
			return list, nil
		}
	})
}

// opens gives a good source whose Open is another.
func opens(open func(good hub.Source, id devices.ID) (io.Closer, error)) func(testing.TB) SourceRig {
	return with(func(s *spoiltSource) {
		good := s.Source
		s.open = func(_ context.Context, id devices.ID) (io.Closer, error) { return open(good, id) }
	})
}

// touchy is closed once only.
type touchy struct {
	devices.NoDevice
	closed *bool
}

func (t touchy) Close() error {
	if *t.closed {
		return errors.New("closed twice")
	}
	*t.closed = true
	return nil
}

// shell is an opened device without any capability.
type shell struct{}

func (shell) Close() error { return nil }

func TestSourceSuite(t *testing.T) {
	t.Parallel()
	listed := []devices.Device{{
		ID: "sim:a", Name: "A", Can: []devices.Capability{devices.CanFilm}, Roles: []devices.Role{devices.FaceCamera},
	}}
	always := with(func(s *spoiltSource) {
		s.list = func([]devices.Device) ([]devices.Device, error) { return listed, nil }
	})
	prove(t, sourceChecks, goodSource, []control[SourceRig]{
		{"lists-what-is-there", "error", "listing", with(func(s *spoiltSource) {
			s.list = func([]devices.Device) ([]devices.Device, error) { return nil, errors.New("bus error") }
		})},
		{"lists-what-is-there", "empty", "is not listed", with(func(s *spoiltSource) {
			s.list = func([]devices.Device) ([]devices.Device, error) { return nil, nil }
		})},
		{"lists-what-is-there", "twice", "stands twice", with(func(s *spoiltSource) {
			s.list = func(l []devices.Device) ([]devices.Device, error) { return append(l, l...), nil }
		})},
		{"lists-what-is-there", "no-id", "is empty", change(func(d *devices.Device) { d.ID = "" })},
		{"lists-what-is-there", "no-name", "no name", change(func(d *devices.Device) { d.Name = "" })},
		{"lists-what-is-there", "can-nothing", "can do nothing", change(func(d *devices.Device) { d.Can = nil })},
		{"lists-what-is-there", "can-juggle", "no capability", change(func(d *devices.Device) {
			d.Can = []devices.Capability{"juggler"}
		})},
		{"list-is-the-callers", "own-slices", "written over", always},
		{"opens-what-it-lists", "refuses", "opening", opens(func(hub.Source, devices.ID) (io.Closer, error) {
			return nil, &devices.Fault{Op: "opening", Kind: devices.Permission}
		})},
		{"opens-what-it-lists", "cannot-film", "has no methods", opens(func(hub.Source, devices.ID) (io.Closer, error) {
			return shell{}, nil
		})},
		{"opens-what-it-lists", "touchy", "closed twice", opens(func(hub.Source, devices.ID) (io.Closer, error) {
			return touchy{closed: new(bool)}, nil
		})},
		{"unknown-device-is-missing", "opens-anything", "was opened", opens(func(hub.Source, devices.ID) (io.Closer, error) {
			return shell{}, nil
		})},
		{"unknown-device-is-missing", "plain-error", "want a Fault", opens(func(hub.Source, devices.ID) (io.Closer, error) {
			return nil, errors.New("no such device")
		})},
		{"watch-ends-with-context", "deaf", "did not end", with(func(s *spoiltSource) {
			s.watch = func(context.Context, func(devices.ID)) error { time.Sleep(time.Hour); return nil }
		})},
		{"watch-tells-of-plugging", "dumb", "told of []", with(func(s *spoiltSource) {
			s.watch = func(ctx context.Context, _ func(devices.ID)) error { <-ctx.Done(); return nil }
		})},
		{"watch-tells-of-plugging", "always-listed", "listed is true", always},
		{"opening-is-no-change", "tells-of-itself", "told as a change", func(tb testing.TB) SourceRig {
			var tell atomic.Pointer[func(devices.ID)]
			return with(func(s *spoiltSource) {
				good := s.Source
				s.watch = func(ctx context.Context, changed func(devices.ID)) error {
					tell.Store(&changed)
					return good.Watch(ctx, changed)
				}
				s.open = func(ctx context.Context, id devices.ID) (io.Closer, error) {
					if changed := tell.Load(); changed != nil {
						(*changed)(id)
					}
					return good.Open(ctx, id)
				}
			})(tb)
		}},
		{"opening-is-no-change", "refuses", "opening", opens(func(hub.Source, devices.ID) (io.Closer, error) {
			return nil, &devices.Fault{Op: "opening", Kind: devices.Permission}
		})},
		{"unplugged-is-missing", "opens-anything", "want a Fault", opens(func(hub.Source, devices.ID) (io.Closer, error) {
			return shell{}, nil
		})},
	})
}

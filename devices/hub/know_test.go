package hub_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/hub"
	"github.com/counterproof/counterproof/devices/sim"
)

// TestRoles chooses a device for a role. Every device answers with its own
// fault, so that the one that was chosen is known.
func TestRoles(t *testing.T) {
	doc, face := devices.DocumentCamera, devices.FaceCamera
	tests := map[string]struct {
		here   []devices.Device
		pins   map[devices.Role]devices.ID
		broken devices.ID
		role   devices.Role
		want   devices.ID
	}{
		"named":                      {here: []devices.Device{usb("1", face), usb("2", doc)}, role: doc, want: "usb:2"},
		"named-before-free":          {here: []devices.Device{usb("1"), usb("2", doc)}, role: doc, want: "usb:2"},
		"free":                       {here: []devices.Device{usb("1", face), usb("2")}, role: doc, want: "usb:2"},
		"none-but-another-role":      {here: []devices.Device{usb("1", face)}, role: doc, want: ""},
		"two-roles":                  {here: []devices.Device{usb("1", face, doc)}, role: doc, want: "usb:1"},
		"any":                        {here: []devices.Device{usb("1", face)}, role: devices.AnyRole, want: "usb:1"},
		"first-of-equals":            {here: []devices.Device{usb("3", doc), usb("1", doc), usb("2", doc)}, role: doc, want: "usb:1"},
		"healthy-of-equals":          {here: []devices.Device{usb("1", doc), usb("2", doc)}, broken: "usb:1", role: doc, want: "usb:2"},
		"broken-keeps-its-role":      {here: []devices.Device{usb("1", doc), usb("2")}, broken: "usb:1", role: doc, want: "usb:1"},
		"pinned":                     {here: []devices.Device{usb("1", doc), usb("2")}, pins: pin(doc, "usb:2"), role: doc, want: "usb:2"},
		"pinned-against-its-own":     {here: []devices.Device{usb("1", face), usb("2")}, pins: pin(doc, "usb:1"), role: doc, want: "usb:1"},
		"pinned-serves-no-other":     {here: []devices.Device{usb("1", face)}, pins: pin(doc, "usb:1"), role: face, want: ""},
		"pinned-and-absent":          {here: []devices.Device{usb("1", doc), usb("3")}, pins: pin(doc, "usb:2"), role: doc, want: ""},
		"pinned-is-not-free":         {here: []devices.Device{usb("1"), usb("2")}, pins: pin(doc, "usb:1"), role: face, want: "usb:2"},
		"lost-its-role-is-not-free":  {here: []devices.Device{usb("1", doc)}, pins: pin(doc, "usb:2"), role: face, want: ""},
		"pinned-twice":               {here: []devices.Device{usb("1")}, pins: map[devices.Role]devices.ID{doc: "usb:1", face: "usb:1"}, role: face, want: "usb:1"},
		"a-pin-of-nothing-is-no-pin": {here: []devices.Device{usb("1", doc)}, pins: map[devices.Role]devices.ID{doc: "", "": "usb:9"}, role: doc, want: "usb:1"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			bubbled(t, func(t *testing.T) {
				p := newPorts(tt.here...)
				p.open = func(_ context.Context, id devices.ID, _ int) (io.Closer, error) {
					if id == tt.broken {
						return nil, &devices.Fault{Op: "opening", Kind: devices.Permission}
					}
					return &driver{frames: func(context.Context, func(devices.Frame) bool) error {
						return &devices.Fault{Op: "filming", Kind: devices.Unsupported}
					}}, nil
				}
				h := start(t, hub.Config{Sources: []hub.Source{p}, Roles: tt.pins})
				err := shot(t, h.Camera(tt.role))
				f, ok := err.(*devices.Fault)
				if !ok || f.Device != tt.want || tt.want == "" && f.Kind != devices.Missing {
					t.Errorf("got %v, want the device %q", err, tt.want)
				}
			})
		})
	}
}

func pin(role devices.Role, id devices.ID) map[devices.Role]devices.ID {
	return map[devices.Role]devices.ID{role: id}
}

// TestDevicesListed holds what the list tells: what is there, what was there and
// what a role waits for.
func TestDevicesListed(t *testing.T) {
	bubbled(t, func(t *testing.T) {
		pins := pin(devices.FaceCamera, "usb:9")
		p := newPorts(usb("1", devices.FaceCamera, devices.DocumentCamera, "", devices.DocumentCamera))
		h := start(t, hub.Config{Sources: []hub.Source{p}, Roles: pins})
		pins[devices.DocumentCamera] = "usb:8" // the caller's map is his own
		got := h.Devices()
		if len(got) != 2 || got[0].ID != "usb:1" || got[1].ID != "usb:9" {
			t.Fatalf("got %+v", got)
		}
		if d := got[0]; d.Name != "Device in 1" || d.State != devices.Ready || !slices.Equal(d.Roles, []devices.Role{devices.DocumentCamera}) {
			t.Errorf("what is there is %+v", d)
		}
		if d := got[1]; stands(d) != "absent/missing" || !slices.Equal(d.Roles, []devices.Role{devices.FaceCamera}) {
			t.Errorf("what a role waits for is %+v", d)
		}
		clear(got[0].Roles)
		clear(got[0].Can)
		if d := h.Devices()[0]; d.Roles[0] == "" || d.Can[0] == "" {
			t.Error("the list is not the caller's")
		}
		p.set(func() { p.here = nil }, "usb:1")
		settle()
		wantState(t, h, "usb:1", "absent/missing")
	})
}

func TestTraining(t *testing.T) {
	for name, training := range map[string]bool{"training": true, "earnest": false} {
		t.Run(name, func(t *testing.T) {
			bubbled(t, func(t *testing.T) {
				things := sim.NewBench(sim.NewCamera(sim.CameraConfig{}))
				real := newPorts(usb("1", devices.FaceCamera))
				h := start(t, hub.Config{Sources: []hub.Source{things, real}, Training: training})
				list := h.Devices()
				if got := len(list) == 2; got != training {
					t.Errorf("there are %d devices", len(list))
				}
				for _, d := range list {
					if d.Training != (d.ID == "sim:camera") {
						t.Errorf("%s says of training %v", d.ID, d.Training)
					}
				}
			})
		})
	}
}

// TestHostileListing holds the bounds on what a source may tell: plugs are built
// by strangers.
func TestHostileListing(t *testing.T) {
	bubbled(t, func(t *testing.T) {
		bad := usb("1")
		bad.Name = "Scan\x1b[2J\nner\u202e " + strings.Repeat("x", 1000) + "\xff"
		bad.Roles = slices.Repeat([]devices.Role{"r"}, 1000)
		bad.Can = slices.Repeat([]devices.Capability{devices.CanFilm}, 1000)
		here := []devices.Device{
			bad, usb("a\nb"), usb(strings.Repeat("y", 500)), usb("\xff"), {Can: bad.Can}, usb("1"),
		}
		d := &driver{health: devices.Health{
			Firmware: "1.0\x00\n" + strings.Repeat("z", 1000),
			Details:  map[string]int{"a\nb": 1},
		}}
		for i := range 100 {
			d.health.Details[fmt.Sprint(i)] = i
		}
		p := newPorts(here...)
		p.open = func(context.Context, devices.ID, int) (io.Closer, error) { return d, nil }
		h := start(t, hub.Config{Sources: []hub.Source{p}})
		list := h.Devices()
		if len(list) != 1 || list[0].ID != "usb:1" || len(list[0].Can) > 16 || len(list[0].Roles) > 16 {
			t.Fatalf("got %.300q", fmt.Sprint(list))
		}
		p.set(func() { p.here = []devices.Device{bad} }, "usb:1")
		settle()
		if name := h.Devices()[0].Name; len(name) > 64 || !strings.HasPrefix(name, "Scan[2Jner ") {
			t.Errorf("the name is %q", name)
		}
		health, ok := h.Health("usb:1")
		if !ok || len(health.Firmware) > 64 || !strings.HasPrefix(health.Firmware, "1.0z") || len(health.Details) > 16 {
			t.Errorf("the health is %.300q", fmt.Sprint(health))
		}
	})
}

// TestTooManyDevices fills the hub: what is there stays, what left longest ago
// makes room, a pinned device is never forgotten.
func TestTooManyDevices(t *testing.T) {
	bubbled(t, func(t *testing.T) {
		p := newPorts()
		h := start(t, hub.Config{Sources: []hub.Source{p}, Roles: pin(devices.FaceCamera, "usb:pinned")})
		plug := func(names ...string) {
			p.set(func() {
				p.here = nil
				for _, n := range names {
					p.here = append(p.here, usb(n))
				}
			}, "")
			settle()
		}
		for i := range 63 {
			plug(fmt.Sprint(i))
		}
		if n := len(h.Devices()); n != 64 {
			t.Fatalf("%d devices are known, want 64", n)
		}
		plug("new")
		known := map[devices.ID]bool{}
		for _, d := range h.Devices() {
			known[d.ID] = true
		}
		if len(known) != 64 || known["usb:0"] || !known["usb:1"] || !known["usb:new"] || !known["usb:pinned"] {
			t.Errorf("%d are known: the oldest %v, the next %v, the new %v, the pinned %v",
				len(known), known["usb:0"], known["usb:1"], known["usb:new"], known["usb:pinned"])
		}
		var crowd []string
		for i := range 1000 {
			crowd = append(crowd, fmt.Sprintf("crowd-%04d", i))
		}
		plug(crowd...)
		if n := len(h.Devices()); n != 64 {
			t.Errorf("of a crowd %d devices are known, want 64", n)
		}
		plug()
		plug("last")
		wantState(t, h, "usb:last", "ready")
	})
}

// TestTwoSources holds that an ID belongs to the source that listed it first,
// until it is gone there.
func TestTwoSources(t *testing.T) {
	bubbled(t, func(t *testing.T) {
		var log bytes.Buffer
		a, b := newPorts(usb("1")), newPorts()
		h := start(t, hub.Config{Sources: []hub.Source{a, b}, Log: slog.New(slog.NewTextHandler(&log, nil))})
		b.set(func() { b.here = []devices.Device{usb("1")} }, "usb:1")
		settle()
		if len(a.openings()) != 1 || len(b.openings()) != 0 {
			t.Errorf("opened %d and %d times, want by the first alone", len(a.openings()), len(b.openings()))
		}
		if !strings.Contains(log.String(), "device of two sources") {
			t.Error("the log does not say that the second was left out")
		}
		b.set(func() { b.here = nil }, "usb:1")
		settle()
		wantState(t, h, "usb:1", "ready")
		a.set(func() { a.here = nil }, "usb:1")
		settle()
		b.set(func() { b.here = []devices.Device{usb("1")} }, "usb:1")
		settle()
		wantState(t, h, "usb:1", "ready")
		if len(b.openings()) != 1 {
			t.Error("the second source may not have what the first gave up")
		}
	})
}

func TestHealth(t *testing.T) {
	bubbled(t, func(t *testing.T) {
		var answer error
		h, _ := over(t, &driver{
			frames: func(context.Context, func(devices.Frame) bool) error { return answer },
			health: devices.Health{Firmware: "2.1", Details: map[string]int{"frames": 7}, Opened: 99},
		})
		began := time.Now()
		time.Sleep(time.Minute)
		if err := shot(t, h.Camera("")); err != nil {
			t.Fatal(err)
		}
		good := time.Now()
		time.Sleep(time.Minute)
		answer = &devices.Fault{Op: "filming", Kind: devices.Timeout}
		for range 2 {
			wantKind(t, "filming", shot(t, h.Camera("")), devices.Timeout)
			time.Sleep(time.Minute)
		}
		got, ok := h.Health("usb:1")
		if !ok || got.Opened != 3 || !got.LastGood.Equal(good) || got.Faults[devices.Timeout] != 2 || len(got.Faults) != 1 {
			t.Errorf("got %+v", got)
		}
		if got.Firmware != "2.1" || got.Details["frames"] != 7 {
			t.Errorf("of itself it tells %q, %v", got.Firmware, got.Details)
		}
		if since := got.Since.Sub(began); since < 3*time.Minute-time.Second || since > 3*time.Minute+time.Second {
			t.Errorf("it is ready since %v, want some 3 minutes", since)
		}
		clear(got.Faults)
		clear(got.Details)
		if again, _ := h.Health("usb:1"); len(again.Faults) == 0 || len(again.Details) == 0 {
			t.Error("the answer is not the caller's")
		}
		if _, ok := h.Health("usb:7"); ok {
			t.Error("an unknown device has a health")
		}
	})
}

// TestEventsInOneOrder holds two listeners and the clock.
func TestEventsInOneOrder(t *testing.T) {
	bubbled(t, func(t *testing.T) {
		p := newPorts(usb("1"), usb("2"))
		h := start(t, hub.Config{Sources: []hub.Source{p}})
		a, b := listen(t, h), listen(t, h)
		for range 20 {
			time.Sleep(time.Second)
			p.set(func() {}, "usb:1", "usb:2")
		}
		settle()
		a.mu.Lock()
		var before devices.Event
		for _, e := range a.events {
			if e.Mono < before.Mono || e.At.Before(before.At) {
				t.Errorf("an event at %v follows one at %v", e.Mono, before.Mono)
			}
			before = e
		}
		if before.Mono < 20*time.Second || before.Mono > 22*time.Second {
			t.Errorf("the last event is from %v", before.Mono)
		}
		a.mu.Unlock()
		words := a.take()
		if len(words) < 2+20*8 {
			t.Errorf("there are %d events", len(words))
		}
		wantWords(t, "the other listener", b.take(), words...)
	})
}

// TestEventsBeginWithTheState holds that who comes late misses nothing.
func TestEventsBeginWithTheState(t *testing.T) {
	bubbled(t, func(t *testing.T) {
		h := start(t, hub.Config{Sources: []hub.Source{newPorts(usb("2"), usb("1"))}, Roles: pin(devices.FaceCamera, "usb:3")})
		wantWords(t, "late", listen(t, h).take(), "1 ready", "2 ready", "3 absent/missing")
	})
}

// TestSlowListener holds that a listener which stands still holds up nobody and
// then learns how every device stands.
func TestSlowListener(t *testing.T) {
	bubbled(t, func(t *testing.T) {
		p := newPorts(usb("1"), usb("2"), usb("3"))
		h := start(t, hub.Config{Sources: []hub.Source{p}})
		got := map[devices.ID]string{}
		n := 0
		for e := range h.Events(t.Context()) {
			n++
			if n == 1 {
				p.set(func() { p.here = []devices.Device{usb("1"), usb("2")} }, "usb:3")
				for range 200 {
					time.Sleep(time.Second)
					p.set(func() {}, "usb:1")
				}
				settle()
				wantState(t, h, "usb:1", "ready")
			}
			got[e.Device.ID] = stands(e.Device)
			if n == 129 {
				break
			}
		}
		want := map[devices.ID]string{"usb:1": "ready", "usb:2": "ready", "usb:3": "absent/missing"}
		for id, s := range want {
			if got[id] != s {
				t.Errorf("%s is %s for the slow listener, want %s", id, got[id], s)
			}
		}
	})
}

// TestEventsEnd holds the three ends of a listener: its context, its own wish
// and the hub's.
func TestEventsEnd(t *testing.T) {
	bubbled(t, func(t *testing.T) {
		h, stop := startStop(t, hub.Config{Sources: []hub.Source{newPorts(usb("1"))}})
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		for range h.Events(ctx) {
			cancel()
		}
		for range h.Events(ctx) {
			t.Error("an event came although the context had ended")
		}
		var last devices.Event
		time.AfterFunc(time.Second, stop)
		for e := range h.Events(t.Context()) {
			last = e
		}
		if stands(last.Device) != "absent/missing" {
			t.Errorf("the last event is %s", stands(last.Device))
		}
		settle() // until stop has looked around
		n := 0
		for range h.Events(t.Context()) {
			n++
		}
		if n != 1 {
			t.Errorf("after the end there are %d events, want how the one device stood", n)
		}
	})
}

// TestLog holds that the log tells of a device's troubles and of nothing that it
// said.
func TestLog(t *testing.T) {
	bubbled(t, func(t *testing.T) {
		var log bytes.Buffer
		p := newPorts(usb("1"))
		d := &driver{
			frames: func(context.Context, func(devices.Frame) bool) error {
				return fmt.Errorf("reading P<UTOERIKSSON: %w", &devices.Fault{Op: "filming ERIKSSON", Kind: devices.Protocol})
			},
			health: devices.Health{Firmware: "ERIKSSON"},
		}
		p.open = func(context.Context, devices.ID, int) (io.Closer, error) { return d, nil }
		h, stop := startStop(t, hub.Config{Sources: []hub.Source{p}, Log: slog.New(slog.NewTextHandler(&log, nil))})
		synctest.Wait()
		wantKind(t, "filming", shot(t, h.Camera("")), devices.Protocol)
		settle()
		stop()
		for _, want := range []string{"device found", "device faulted", "kind=protocol", "device gone", "device=usb:1"} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("the log does not say %q", want)
			}
		}
		if strings.Contains(log.String(), "ERIKSSON") {
			t.Errorf("the log repeats what the device said:\n%s", log.String())
		}
	})
}

// TestToldOnce: a device that fails again and again alike, as a scanner that types
// like a keyboard does for as long as it is there, is told of once, and again when
// it fails otherwise.
func TestToldOnce(t *testing.T) {
	bubbled(t, func(t *testing.T) {
		var log bytes.Buffer
		var locked atomic.Bool
		p := newPorts(usb("1"))
		p.open = func(context.Context, devices.ID, int) (io.Closer, error) {
			if locked.Load() {
				return nil, &devices.Fault{Op: "opening", Kind: devices.Permission}
			}
			return nil, &devices.Fault{Op: "opening", Kind: devices.Unsupported}
		}
		start(t, hub.Config{Sources: []hub.Source{p}, Log: slog.New(slog.NewTextHandler(&log, nil))})
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if got := strings.Count(log.String(), "device faulted"); got != 1 || len(p.openings()) < 5 {
			t.Errorf("told %d times of %d openings, want once", got, len(p.openings()))
		}
		locked.Store(true)
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if got := strings.Count(log.String(), "device faulted"); got != 2 {
			t.Errorf("told %d times, want twice", got)
		}
	})
}

package rig

import (
	"bytes"
	"context"
	"image/jpeg"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/bus"
	"github.com/counterproof/counterproof/devices/hub"
)

// counter is a hub over what is plugged into the machine, as a counter has it.
// No other test may plug anything in meanwhile: the hub opens what it finds.
func counter(t *testing.T) *hub.Hub {
	t.Helper()
	h := hub.New(hub.Config{
		Sources: []hub.Source{bus.New(bus.Config{Profiles: t.TempDir(), Log: slog.New(slog.DiscardHandler)})},
		Log:     slog.New(slog.DiscardHandler),
	})
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- h.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the hub ended: %v", err)
		}
	})
	return h
}

// state waits until a device of the hub is in a state, and tells how long it took.
func state(t *testing.T, h *hub.Hub, name string, want devices.State) time.Duration {
	t.Helper()
	began := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for e := range h.Events(ctx) {
		if strings.Contains(string(e.Device.ID), name) && e.Device.State == want {
			return time.Since(began)
		}
	}
	t.Fatalf("no device of %q is %s; there is %+v", name, want, h.Devices())
	return 0
}

// film takes pictures of a role's camera and gives what ended it.
func film(ctx context.Context, h *hub.Hub, n int) (pictures [][]byte, err error) {
	err = h.Camera(devices.DocumentCamera).Frames(ctx, func(f devices.Frame) bool {
		pictures = append(pictures, f.JPEG)
		return len(pictures) < n
	})
	return pictures, err
}

// TestCounterCamera: from the plug to the picture through everything that a
// counter has: a camera is found, films, is pulled out while it films, and films
// again when it is put back. It runs alone.
func TestCounterCamera(t *testing.T) {
	Enter(t)
	cable := Attach(t, newCamera(t).Device)
	h := counter(t)
	t.Logf("found and opened after %v", state(t, h, "CAMERA", devices.Ready).Round(time.Millisecond))
	pictures, err := film(t.Context(), h, 10)
	if err != nil || len(pictures) != 10 {
		t.Fatalf("%d pictures, %v", len(pictures), err)
	}
	if _, err := jpeg.Decode(bytes.NewReader(pictures[9])); err != nil {
		t.Errorf("the picture: %v", err)
	}
	gone := make(chan error, 1)
	go func() {
		_, err := film(t.Context(), h, 1<<20)
		gone <- err
	}()
	state(t, h, "CAMERA", devices.Busy)
	began := time.Now()
	cable.Unplug(t)
	if err := <-gone; devices.KindOf(err) != devices.Gone {
		t.Errorf("pulled out while filming: %v", err)
	}
	t.Logf("gone after %v", time.Since(began).Round(time.Millisecond))
	state(t, h, "CAMERA", devices.Absent)
	cable.Plug(t)
	t.Logf("ready %v after it was plugged in again", state(t, h, "CAMERA", devices.Ready).Round(time.Millisecond))
	if pictures, err := film(t.Context(), h, 3); err != nil || len(pictures) != 3 {
		t.Errorf("after it was plugged in again: %d pictures, %v", len(pictures), err)
	}
}

// TestIdleCost tells what a hub costs while nothing happens, with a pinned device
// absent. It runs alone.
func TestIdleCost(t *testing.T) {
	Enter(t)
	h := counter(t)
	_ = h.Devices()
	time.Sleep(time.Second) // of starting
	const while = 4 * time.Second
	before := busy(t)
	time.Sleep(while)
	share := float64(busy(t)-before) / float64(while)
	t.Logf("an idle hub takes %.2f %% of an emulated processor", 100*share)
	if share > 0.2 {
		t.Errorf("an idle hub takes %.0f %% of a processor", 100*share)
	}
}

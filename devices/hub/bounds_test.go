package hub

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/counterproof/counterproof/devices"
)

func TestBackoffBounds(t *testing.T) {
	t.Parallel()
	tests := []struct {
		failures    int
		least, most time.Duration
	}{
		{0, 250 * time.Millisecond, 312500 * time.Microsecond},
		{1, 500 * time.Millisecond, 625 * time.Millisecond},
		{4, 4 * time.Second, 5 * time.Second},
		{6, 16 * time.Second, 20 * time.Second},
		{7, 24 * time.Second, 30 * time.Second},
		{63, 24 * time.Second, 30 * time.Second},
		{1 << 40, 24 * time.Second, 30 * time.Second},
	}
	for _, tt := range tests {
		if got := backoff(tt.failures, 0); got != tt.least {
			t.Errorf("after %d failures at least %v, want %v", tt.failures, got, tt.least)
		}
		if got := backoff(tt.failures, 1); got != tt.most {
			t.Errorf("after %d failures at most %v, want %v", tt.failures, got, tt.most)
		}
		if got := jittered(tt.failures); got < tt.least || got > tt.most {
			t.Errorf("after %d failures %v, want from %v to %v", tt.failures, got, tt.least, tt.most)
		}
	}
}

// TestChangesBounded floods a feed that nobody listens to.
func TestChangesBounded(t *testing.T) {
	t.Parallel()
	f := newFeed(nil)
	for i := range 10 * maxChanges {
		f.note(devices.ID(fmt.Sprint(i)))
	}
	f.note("")
	if n := len(f.changes()); n != maxChanges {
		t.Errorf("%d changes are remembered, want %d", n, maxChanges)
	}
	if n := len(f.changes()); n != 0 {
		t.Errorf("%d changes are told twice", n)
	}
}

// TestListenersLeave holds that who stopped listening is forgotten.
func TestListenersLeave(t *testing.T) {
	t.Parallel()
	h := New(Config{Roles: map[devices.Role]devices.ID{devices.FaceCamera: "usb:1"}})
	for range h.Events(t.Context()) {
		break
	}
	if n := len(h.watchers); n != 0 {
		t.Errorf("%d listeners are left", n)
	}
}

func TestOvertaken(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		queue []devices.ID
		next  devices.ID
		want  int
	}{
		"by-the-next":           {[]devices.ID{"a", "b"}, "b", 1},
		"by-one-in-the-queue":   {[]devices.ID{"a", "b", "c", "b"}, "d", 1},
		"the-oldest-of-several": {[]devices.ID{"a", "b", "b", "a"}, "b", 0},
		"none":                  {[]devices.ID{"a", "b", "c"}, "d", 0},
	}
	for name, tt := range tests {
		queue := slices.Collect(func(yield func(devices.Event) bool) {
			for _, id := range tt.queue {
				yield(devices.Event{Device: devices.Device{ID: id}})
			}
		})
		if got := overtaken(queue, tt.next); got != tt.want {
			t.Errorf("%s: got %d, want %d", name, got, tt.want)
		}
	}
}

func FuzzTidy(f *testing.F) {
	f.Add("usb:1-2.3/04b8:0202/SERIAL", "TM-T20", 1)
	f.Add("usb:1\n2", "\x1b[2J\u202e\xff", 1000)
	f.Add("", "", 0)
	h := New(Config{})
	f.Fuzz(func(t *testing.T, id, name string, n int) {
		n = min(max(n, 0), 5000)
		d, ok := h.tidy(devices.Device{
			ID: devices.ID(id), Name: name, Roles: make([]devices.Role, n), Can: make([]devices.Capability, n),
		})
		if !ok {
			return
		}
		if len(d.ID) > maxID || len([]rune(d.Name)) > maxText || len(d.Roles) > maxWords || len(d.Can) > maxWords {
			t.Errorf("too much came through: %.200q", fmt.Sprint(d))
		}
		for _, s := range []string{string(d.ID), d.Name} {
			if slices.ContainsFunc([]rune(s), unprintable) {
				t.Errorf("%q cannot be printed", s)
			}
		}
	})
}

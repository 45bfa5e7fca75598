package devicetest

import (
	"context"
	"io"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/hub"
)

// SourceRig is a source that has at least one device, with hands on a plug.
type SourceRig struct {
	Source hub.Source
	// ID is a device of the source that Unplug pulls out and Plug puts back.
	ID devices.ID
	// Unplug and Plug are nil where nobody can do it by program.
	Unplug, Plug func()
}

// RunSource holds a source to the contract of hub.Source.
func RunSource(t *testing.T, in Time, open func(testing.TB) SourceRig) {
	t.Helper()
	run(t, in, open, sourceChecks)
}

var sourceChecks = []check[SourceRig]{
	{"lists-what-is-there", listsThere},
	{"list-is-the-callers", listKept},
	{"opens-what-it-lists", opensListed},
	{"unknown-device-is-missing", unknownMissing},
	{"watch-ends-with-context", watchEnds},
	{"watch-tells-of-plugging", watchTells},
	{"opening-is-no-change", openingQuiet},
	{"unplugged-is-missing", unpluggedMissing},
}

// capability says whether an opened device has the methods of what it can.
var capability = map[devices.Capability]func(io.Closer) bool{
	devices.CanReadMRZ:      func(c io.Closer) bool { _, ok := c.(devices.MRZReader); return ok },
	devices.CanReadChip:     func(c io.Closer) bool { _, ok := c.(devices.ChipReader); return ok },
	devices.CanFilm:         func(c io.Closer) bool { _, ok := c.(devices.Camera); return ok },
	devices.CanScanDocument: func(c io.Closer) bool { _, ok := c.(devices.DocumentScanner); return ok },
	devices.CanReadBarcode:  func(c io.Closer) bool { _, ok := c.(devices.BarcodeReader); return ok },
	devices.CanPrint:        func(c io.Closer) bool { _, ok := c.(devices.Printer); return ok },
}

// list lists in time.
func (rig SourceRig) list(tb testing.TB) []devices.Device {
	tb.Helper()
	var list []devices.Device
	err := within(tb, patience, "listing", func() (err error) {
		list, err = rig.Source.Devices(tb.Context())
		return err
	})
	if err != nil {
		tb.Fatalf("listing: %v", err)
	}
	return list
}

func (rig SourceRig) has(tb testing.TB) bool {
	tb.Helper()
	return slices.ContainsFunc(rig.list(tb), func(d devices.Device) bool { return d.ID == rig.ID })
}

func listsThere(tb testing.TB, rig SourceRig) {
	if !rig.has(tb) {
		tb.Errorf("%q is not listed", rig.ID)
	}
	seen := map[devices.ID]bool{}
	for _, d := range rig.list(tb) {
		switch {
		case d.ID == "" || seen[d.ID]:
			tb.Errorf("id %q is empty or stands twice", d.ID)
		case d.Name == "" || len(d.Can) == 0:
			tb.Errorf("%q has no name or can do nothing", d.ID)
		}
		seen[d.ID] = true
		for _, c := range d.Can {
			if capability[c] == nil {
				tb.Errorf("%q can %q, which is no capability", d.ID, c)
			}
		}
	}
}

func listKept(tb testing.TB, rig SourceRig) {
	for _, d := range rig.list(tb) {
		clear(d.Can)
		clear(d.Roles)
	}
	for _, d := range rig.list(tb) {
		if slices.Contains(d.Can, "") || slices.Contains(d.Roles, "") {
			tb.Errorf("%q changed when an older list was written over", d.ID)
		}
	}
}

// open opens in time.
func (rig SourceRig) open(tb testing.TB, id devices.ID) (io.Closer, error) {
	tb.Helper()
	var opened io.Closer
	err := within(tb, patience, "opening", func() (err error) {
		opened, err = rig.Source.Open(tb.Context(), id)
		return err
	})
	return opened, err
}

func opensListed(tb testing.TB, rig SourceRig) {
	for _, d := range rig.list(tb) {
		opened, err := rig.open(tb, d.ID)
		if err != nil {
			tb.Errorf("opening %q: %v", d.ID, err)
			continue
		}
		for _, c := range d.Can {
			if has := capability[c]; has != nil && !has(opened) {
				tb.Errorf("%q was opened and has no methods of %q", d.ID, c)
			}
		}
		for range 2 {
			if err := within(tb, promptly, "closing", opened.Close); err != nil {
				tb.Errorf("closing %q: %v", d.ID, err)
			}
		}
	}
}

func unknownMissing(tb testing.TB, rig SourceRig) {
	opened, err := rig.open(tb, "nowhere:there is no such device")
	wantKind(tb, "opening an unknown device", err, devices.Missing)
	if opened != nil {
		tb.Error("an unknown device was opened")
	}
}

// watch watches while f works, and returns what was told.
func (rig SourceRig) watch(tb testing.TB, f func()) []devices.ID {
	tb.Helper()
	ctx, cancel := context.WithCancel(tb.Context())
	defer cancel()
	var mu sync.Mutex
	var told []devices.ID
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = rig.Source.Watch(ctx, func(id devices.ID) {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, id)
		})
	}()
	wait(tb, promptly)
	f()
	wait(tb, promptly)
	cancel()
	_ = within(tb, promptly, "watching after its context had ended", func() error { <-ended; return nil })
	mu.Lock()
	defer mu.Unlock()
	return slices.Clone(told)
}

func watchEnds(tb testing.TB, rig SourceRig) {
	rig.watch(tb, func() {})
}

func watchTells(tb testing.TB, rig SourceRig) {
	if rig.Unplug == nil {
		tb.Skip("SKIPPED: nobody can pull a device of this source out by program")
	}
	for _, hand := range []struct {
		did  string
		do   func()
		want bool
	}{{"unplugging", rig.Unplug, false}, {"plugging in", rig.Plug, true}} {
		told := rig.watch(tb, hand.do)
		if !slices.Contains(told, rig.ID) && !slices.Contains(told, "") {
			tb.Errorf("%s: told of %q, want %q", hand.did, told, rig.ID)
		}
		if got := rig.has(tb); got != hand.want {
			tb.Errorf("%s: listed is %v, want %v", hand.did, got, hand.want)
		}
	}
}

func openingQuiet(tb testing.TB, rig SourceRig) {
	told := rig.watch(tb, func() {
		opened, err := rig.open(tb, rig.ID)
		if err != nil {
			tb.Errorf("opening %q: %v", rig.ID, err)
			return
		}
		if err := within(tb, promptly, "closing", opened.Close); err != nil {
			tb.Errorf("closing %q: %v", rig.ID, err)
		}
	})
	if len(told) > 0 {
		tb.Errorf("opening and closing was told as a change of %q", told)
	}
}

func unpluggedMissing(tb testing.TB, rig SourceRig) {
	if rig.Unplug == nil {
		tb.Skip("SKIPPED: nobody can pull a device of this source out by program")
	}
	rig.Unplug()
	wait(tb, time.Second)
	_, err := rig.open(tb, rig.ID)
	wantKind(tb, "opening what was pulled out", err, devices.Missing, devices.Gone)
}

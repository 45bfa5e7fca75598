package devicetest

import (
	"bytes"
	"context"
	"errors"
	"reflect"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/counterproof/counterproof/devices"
)

func portEnded(tb testing.TB, rig PortRig) {
	rig.opened(tb)
	if rig.Send != nil {
		rig.send(tb, rig.message(0))
		wait(tb, settle)
	}
	err := within(tb, promptly, "reading with an ended context", func() error {
		_, err := rig.once(gaveUp(tb), tb, make([]byte, 1024))
		return err
	})
	wantKind(tb, "reading with an ended context", err, devices.Cancelled)
	wantKind(tb, "writing with an ended context", rig.write(gaveUp(tb), tb, rig.message(1)), devices.Cancelled)
	if rig.Send != nil {
		rig.next(tb, rig.message(0)) // it was not taken away
	}
	if rig.Take != nil {
		if err := rig.write(tb.Context(), tb, rig.message(2)); err != nil {
			tb.Errorf("writing: %v", err)
		}
		rig.take(tb, rig.message(2)) // and not the other
	}
}

func portReadEnds(tb testing.TB, rig PortRig) {
	rig.opened(tb)
	for range 2 {
		ctx, cancel := context.WithTimeout(tb.Context(), time.Second)
		err := within(tb, time.Second+promptly, "a Read whose context ended", func() error {
			_, err := rig.once(ctx, tb, make([]byte, 1024))
			return err
		})
		cancel()
		wantKind(tb, "a Read whose context ended", err, devices.Cancelled)
	}
	ctx, cancel := context.WithCancel(tb.Context())
	ended := rig.reading(ctx, tb)
	cancel()
	err := within(tb, promptly, "a Read that was cancelled", func() error { return <-ended })
	wantKind(tb, "a Read that was cancelled", err, devices.Cancelled)
}

// portShortWaits reads with contexts that end all the time, as a driver does
// with its deadline between bytes, while the device sends.
func portShortWaits(tb testing.TB, rig PortRig) {
	rig.opened(tb)
	var want, got []byte
	for n := range 8 {
		want = append(want, rig.message(n)...)
	}
	rig.send(tb, rig.message(0))
	sent := make(chan error, 1)
	go func() {
		for n := 1; n < 8; n++ {
			time.Sleep(7 * time.Millisecond)
			if err := rig.Send(rig.message(n)); err != nil {
				sent <- err
				return
			}
		}
		sent <- nil
	}()
	err := within(tb, patience, "reading with short waits", func() error {
		p := make([]byte, 1024)
		for len(got) < len(want) {
			ctx, cancel := context.WithTimeout(tb.Context(), 3*time.Millisecond)
			n, err := rig.once(ctx, tb, p)
			cancel()
			got = append(got, p[:n]...)
			if err != nil && (devices.KindOf(err) != devices.Cancelled || tb.Context().Err() != nil) {
				return err
			}
		}
		return nil
	})
	if err := errors.Join(err, <-sent); err != nil || !bytes.Equal(got, want) {
		tb.Errorf("read %d bytes and %v with short waits, want the %d that were sent", len(got), err, len(want))
	}
}

func portWrites(tb testing.TB, rig PortRig) {
	rig.taking(tb)
	rig.opened(tb)
	for n := range 3 {
		if err := rig.write(tb.Context(), tb, rig.message(n)); err != nil {
			tb.Errorf("writing: %v", err)
		}
	}
	for n := range 3 {
		rig.take(tb, rig.message(n))
	}
}

// portEmptyWrite leaves a port the choice to refuse, as a report has at least
// its number; but nothing may come of it.
func portEmptyWrite(tb testing.TB, rig PortRig) {
	rig.opened(tb)
	err := within(tb, promptly, "writing nothing", func() error { return rig.Port.Write(tb.Context(), nil) })
	if err != nil {
		wantKind(tb, "writing nothing", err, devices.Unsupported)
	}
	if rig.Take == nil {
		return
	}
	if err := rig.write(tb.Context(), tb, rig.message(0)); err != nil {
		tb.Errorf("writing: %v", err)
	}
	rig.take(tb, rig.message(0))
}

// large is what a large write is made of: its pieces, each for one Write.
func (rig PortRig) large() (pieces [][]byte, all []byte) {
	size := rig.Large
	if size == 0 {
		size = 64 << 10
	}
	for n := 0; len(all) < size; n++ {
		pieces = append(pieces, rig.message(n))
		all = append(all, rig.message(n)...)
	}
	if rig.Report == 0 {
		return [][]byte{all}, all
	}
	return pieces, all
}

func portLargeWrite(tb testing.TB, rig PortRig) {
	rig.taking(tb)
	rig.opened(tb)
	pieces, all := rig.large()
	written := make(chan error, 1)
	go func() {
		var errs []error
		for _, p := range pieces {
			errs = append(errs, rig.Port.Write(tb.Context(), rig.numbered(p)))
		}
		written <- errors.Join(errs...)
	}()
	rig.take(tb, all)
	if err := within(tb, patience, "writing", func() error { return <-written }); err != nil {
		tb.Errorf("writing %d bytes: %v", len(all), err)
	}
}

// portWriteEnds writes to a device that takes nothing. What the system keeps
// for it is written well; what is too much ends with the context.
func portWriteEnds(tb testing.TB, rig PortRig) {
	rig.opened(tb)
	ctx, cancel := context.WithTimeout(tb.Context(), time.Second)
	defer cancel()
	pieces, _ := rig.large()
	err := within(tb, time.Second+patience, "writing to a device that takes nothing", func() error {
		for _, p := range pieces {
			if err := rig.Port.Write(ctx, rig.numbered(p)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		wantKind(tb, "writing to a device that takes nothing", err, devices.Cancelled)
	}
}

func portWriteKeeps(tb testing.TB, rig PortRig) {
	rig.taking(tb)
	rig.opened(tb)
	b := rig.numbered(rig.message(0))
	before := bytes.Clone(b)
	if err := within(tb, patience, "writing", func() error { return rig.Port.Write(tb.Context(), b) }); err != nil {
		tb.Errorf("writing: %v", err)
	}
	if !bytes.Equal(b, before) {
		tb.Error("the bytes to write were written over")
	}
	clear(b) // they are the caller's again
	rig.take(tb, rig.message(0))
}

func portBothWays(tb testing.TB, rig PortRig) {
	rig.taking(tb)
	rig.opened(tb)
	ended := rig.reading(tb.Context(), tb)
	if err := rig.write(tb.Context(), tb, rig.message(0)); err != nil {
		tb.Errorf("writing while a Read waits: %v", err)
	}
	rig.take(tb, rig.message(0))
	rig.send(tb, rig.message(1))
	if err := within(tb, patience, "reading", func() error { return <-ended }); !errors.Is(err, errRead) {
		tb.Errorf("a Read that waited while another wrote gave %v", err)
	}
}

func (rig PortRig) flush(tb testing.TB) {
	tb.Helper()
	if err := within(tb, promptly, "flushing", rig.Port.Flush); err != nil {
		tb.Errorf("flushing: %v", err)
	}
}

func portFlush(tb testing.TB, rig PortRig) {
	rig.opened(tb)
	rig.flush(tb) // of nothing
	rig.send(tb, rig.message(0))
	wait(tb, settle)
	rig.flush(tb)
	rig.send(tb, rig.message(1))
	rig.next(tb, rig.message(1))
}

func portFlushKeeps(tb testing.TB, rig PortRig) {
	rig.taking(tb)
	rig.opened(tb)
	if err := rig.write(tb.Context(), tb, rig.message(0)); err != nil {
		tb.Errorf("writing: %v", err)
	}
	rig.flush(tb)
	rig.take(tb, rig.message(0))
}

func portCloseEnds(tb testing.TB, rig PortRig) {
	ended := rig.reading(tb.Context(), tb)
	rig.close(tb)
	err := within(tb, promptly, "a Read of a port that was closed", func() error { return <-ended })
	wantKind(tb, "a Read of a port that was closed", err, devices.Gone)
	rig.close(tb)
}

// wantGone holds every call of a port to be Gone, at once and again.
func (rig PortRig) wantGone(tb testing.TB, what string) {
	tb.Helper()
	for range 3 {
		for _, call := range []struct {
			name string
			do   func() error
		}{
			{"Read", func() error { _, err := rig.once(tb.Context(), tb, make([]byte, 1024)); return err }},
			{"Write", func() error { return rig.Port.Write(tb.Context(), rig.numbered(rig.message(0))) }},
			{"Flush", rig.Port.Flush},
		} {
			wantKind(tb, call.name+" of a port that "+what, within(tb, promptly, call.name, call.do), devices.Gone)
		}
	}
}

func portClosed(tb testing.TB, rig PortRig) {
	rig.close(tb)
	rig.wantGone(tb, "was closed")
	rig.close(tb)
}

// portCloseBeside closes at no known moment of a Read; the race detector
// watches.
func portCloseBeside(tb testing.TB, rig PortRig) {
	ended := make(chan error, 1)
	go func() {
		p := make([]byte, 1024)
		for {
			if _, err := rig.Port.Read(tb.Context(), p); err != nil {
				ended <- err
				return
			}
		}
	}()
	if rig.Send != nil {
		rig.send(tb, rig.message(0))
	}
	rig.close(tb)
	err := within(tb, promptly, "reading from a port that was closed", func() error { return <-ended })
	wantKind(tb, "reading from a port that was closed", err, devices.Gone)
}

// goroutineNumber begins each goroutine of a stack dump.
var goroutineNumber = regexp.MustCompile(`^goroutine (\d+) `)

// methods lists the goroutines that run, or were started by, a method of the
// port's type.
func (rig PortRig) methods() map[string]bool {
	dump := make([]byte, 4<<20)
	dump = dump[:runtime.Stack(dump, true)]
	port := reflect.TypeOf(rig.Port)
	name := strings.TrimPrefix(port.String(), "*")
	_, name, _ = strings.Cut(name, ".")
	found := map[string]bool{}
	for _, g := range strings.Split(string(dump), "\n\n") {
		if m := goroutineNumber.FindStringSubmatch(g); m != nil && strings.Contains(g, "(*"+name+").") {
			found[m[1]] = true
		}
	}
	return found
}

func portLeavesNone(tb testing.TB, rig PortRig) {
	before := rig.methods()
	ctx, cancel := context.WithCancel(tb.Context())
	ended := rig.reading(ctx, tb)
	cancel()
	_ = within(tb, promptly, "a Read that was cancelled", func() error { return <-ended })
	closing := rig.reading(tb.Context(), tb)
	rig.close(tb)
	_ = within(tb, promptly, "a Read of a port that was closed", func() error { return <-closing })
	left := map[string]bool{}
	for range 20 {
		left = rig.methods()
		for g := range before {
			delete(left, g)
		}
		if len(left) == 0 {
			return
		}
		wait(tb, settle)
	}
	tb.Errorf("%d goroutines of the port are left after closing", len(left))
}

// unplugging skips where nobody can.
func (rig PortRig) unplugging(tb testing.TB) {
	tb.Helper()
	if rig.Unplug == nil {
		tb.Skip("SKIPPED: nobody can pull this device out by program")
	}
}

func portUnpluggedRead(tb testing.TB, rig PortRig) {
	rig.unplugging(tb)
	rig.opened(tb)
	ended := rig.reading(tb.Context(), tb)
	rig.Unplug()
	err := within(tb, time.Second, "a Read of a port that was pulled out", func() error { return <-ended })
	wantKind(tb, "a Read of a port that was pulled out", err, devices.Gone)
}

// portStaysGone pulls it out while nobody reads: the first call that can know
// is Gone, and so is all that follows.
func portStaysGone(tb testing.TB, rig PortRig) {
	rig.unplugging(tb)
	rig.Unplug()
	wait(tb, time.Second)
	err := within(tb, time.Second, "a Read after pulling it out", func() error {
		_, err := rig.once(tb.Context(), tb, make([]byte, 1024))
		return err
	})
	wantKind(tb, "a Read after pulling it out", err, devices.Gone)
	rig.wantGone(tb, "was pulled out")
	rig.close(tb)
	rig.close(tb)
	rig.wantGone(tb, "was pulled out and closed")
}

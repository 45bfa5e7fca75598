package usb

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/devicetest"
)

// host gives a host over a library made of software, on a system that shows
// nothing.
func host(tb testing.TB, b *fakeBus) *Host {
	tb.Helper()
	h, err := Config{Sys: tb.TempDir(), Proc: tb.TempDir()}.open(b.start)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = h.Close() })
	return h
}

// open gives a port and the device behind it, changed before.
func open(tb testing.TB, change func(*Device)) (*Port, *fakePipe) {
	tb.Helper()
	d := reader("1-2", 4)
	if change != nil {
		change(&d)
	}
	b := newBus(d)
	p, err := host(tb, b).Open(tb.Context(), "1-2", 0)
	if err != nil {
		tb.Fatal(err)
	}
	return p, b.fakes["1-2"]
}

func wantKind(tb testing.TB, what string, err error, want devices.Kind) {
	tb.Helper()
	if devices.KindOf(err) != want {
		tb.Errorf("%s: got %v, want a fault of kind %q", what, err, want)
	}
}

// TestPort is the suite of every port, in the time of the test.
func TestPort(t *testing.T) {
	for _, dying := range []trouble{troubleIO, troubleNoDevice, troubleOther} {
		devicetest.RunPort(t, synctest.Test, func(tb testing.TB) devicetest.PortRig {
			b := newBus(reader("1-2", 4))
			f := b.fakes["1-2"]
			f.dying = said(dying)
			h, err := Config{Sys: "absent", Proc: "absent"}.open(b.start)
			if err != nil {
				tb.Fatal(err)
			}
			p, err := h.Open(tb.Context(), "1-2", 0)
			if err != nil {
				tb.Fatal(err)
			}
			return devicetest.PortRig{Port: p, Send: f.send, Take: f.take, Unplug: func() { b.unplug("1-2") }}
		})
	}
}

// TestNothingIsNoMessage: a device may send packets without a byte.
func TestNothingIsNoMessage(t *testing.T) {
	t.Parallel()
	p, f := open(t, nil)
	f.script = []move{{}, {}, {bytes: "P<UTO"}}
	b := make([]byte, 100)
	if n, err := p.Read(t.Context(), b); err != nil || string(b[:n]) != "P<UTO" {
		t.Errorf("got %q and %v", b[:n], err)
	}
}

// TestBytesOfCancelled: what came while a transfer was taken back is not lost.
func TestBytesOfCancelled(t *testing.T) {
	t.Parallel()
	p, f := open(t, nil)
	f.script = []move{{"half", said(troubleCancelled)}, {" and half", said(troubleIO)}}
	b := make([]byte, 100)
	for _, want := range []string{"half", " and half"} {
		if n, err := p.Read(t.Context(), b); err != nil || string(b[:n]) != want {
			t.Errorf("got %q and %v, want %q", b[:n], err, want)
		}
	}
}

func TestStall(t *testing.T) {
	t.Parallel()
	stall, over := move{err: said(troubleStall)}, move{"too much", said(troubleOverflow)}
	for name, c := range map[string]struct {
		script  []move
		want    string
		kind    devices.Kind
		cleared int
	}{
		"once":                {[]move{stall, {bytes: "line"}}, "line", devices.KindNone, 1},
		"once-then-nothing":   {[]move{stall, {}, {bytes: "line"}}, "line", devices.KindNone, 1},
		"twice":               {[]move{stall, stall, {bytes: "line"}}, "", devices.Protocol, 1},
		"with-bytes":          {[]move{{"line", said(troubleStall)}}, "line", devices.KindNone, 1},
		"overflow-is-no-line": {[]move{over, {bytes: "line"}}, "", devices.Protocol, 0},
		"fails":               {[]move{{err: said(troubleIO)}}, "", devices.Protocol, 0},
		"times-out":           {[]move{{err: said(troubleTimeout)}}, "", devices.Timeout, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			p, f := open(t, nil)
			f.script = c.script
			b := make([]byte, 100)
			n, err := p.Read(t.Context(), b)
			if string(b[:n]) != c.want || devices.KindOf(err) != c.kind || len(f.cleared) != c.cleared {
				t.Errorf("%s: got %q, %v and %d endpoints cleared", name, b[:n], err, len(f.cleared))
			}
			if c.cleared > 0 && f.cleared[0] != 0x81 {
				t.Errorf("%s: endpoint %#x was cleared, want 0x81", name, f.cleared[0])
			}
		})
	}
}

// TestWriteStall: what was sent before a stall is not sent again.
func TestWriteStall(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		script []move
		kind   devices.Kind
		want   string
	}{
		"once":    {[]move{{"sl", said(troubleStall)}, {bytes: "i"}}, devices.KindNone, "slip"},
		"twice":   {[]move{{"sl", said(troubleStall)}, {"", said(troubleStall)}}, devices.Protocol, "sl"},
		"nothing": {[]move{{}}, devices.Protocol, ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			p, f := open(t, nil)
			f.script = c.script
			err := p.Write(t.Context(), []byte("slip"))
			var got []byte
			if c.want != "" {
				got, _ = f.take(t.Context(), 100)
			}
			if devices.KindOf(err) != c.kind || string(got) != c.want {
				t.Errorf("%s: got %q and %v, want %q", name, got, err, c.want)
			}
		})
	}
}

// TestOneWay: some printers only print, some readers only send.
func TestOneWay(t *testing.T) {
	t.Parallel()
	p, _ := open(t, func(d *Device) { d.Interfaces[0].In = Endpoint{} })
	_, err := p.Read(t.Context(), make([]byte, 8))
	wantKind(t, "reading what only prints", err, devices.Unsupported)
	if err := p.Flush(); err != nil {
		t.Errorf("flushing what only prints: %v", err)
	}
	p, _ = open(t, func(d *Device) { d.Interfaces[0].Out = Endpoint{} })
	wantKind(t, "writing to what only sends", p.Write(t.Context(), []byte("x")), devices.Unsupported)
}

// TestReplugged: another device in the same place is not the one that was opened.
func TestReplugged(t *testing.T) {
	t.Parallel()
	b := newBus(reader("1-2", 4))
	p, err := host(t, b).Open(t.Context(), "1-2", 0)
	if err != nil {
		t.Fatal(err)
	}
	b.plugged[0].Address = 5
	b.fakes["1-2"].script = []move{{err: said(troubleIO)}}
	_, err = p.Read(t.Context(), make([]byte, 8))
	wantKind(t, "reading", err, devices.Gone)
	wantKind(t, "writing after", p.Write(t.Context(), []byte("x")), devices.Gone)
	wantKind(t, "flushing after", p.Flush(), devices.Gone)
}

func TestControl(t *testing.T) {
	t.Parallel()
	p, f := open(t, nil)
	f.answer = func(_ Request, data []byte) (int, error) { return len(data) + 10, nil }
	if n, err := p.Control(t.Context(), Request{Type: 0xc0}, make([]byte, 8)); n != 8 || err != nil {
		t.Errorf("got %d and %v, want no more than there is room for", n, err)
	}
	if f.waited != patience {
		t.Errorf("it waits %v, want %v", f.waited, patience)
	}
	_, err := p.Control(t.Context(), Request{Type: 0xc0}, make([]byte, MaxControl+1))
	wantKind(t, "too long", err, devices.Unsupported)
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	f.answer = func(Request, []byte) (int, error) { <-ctx.Done(); return 0, said(troubleTimeout) }
	_, err = p.Control(ctx, Request{Type: 0xc0}, nil)
	wantKind(t, "a deadline that passes", err, devices.Cancelled)
	if f.waited < time.Millisecond || f.waited > patience {
		t.Errorf("it waits %v, which may be for ever", f.waited)
	}
	f.answer = func(Request, []byte) (int, error) { return 0, said(troubleTimeout) }
	_, err = p.Control(t.Context(), Request{Type: 0xc0}, nil)
	wantKind(t, "no answer", err, devices.Timeout)
}

// TestSecondCaller: a second reader is refused and does not wait.
func TestSecondCaller(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, _ := open(t, nil)
		var first sync.WaitGroup
		first.Go(func() { _, _ = p.Read(t.Context(), make([]byte, 8)) })
		synctest.Wait()
		_, err := p.Read(t.Context(), make([]byte, 8))
		wantKind(t, "a second Read", err, devices.InUse)
		wantKind(t, "a Flush besides", p.Flush(), devices.InUse)
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		first.Wait()
	})
}

// TestTwoContexts: the end of one call's context is nothing to the other's.
func TestTwoContexts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, f := open(t, nil)
		for len(f.out) < cap(f.out) {
			f.out <- 0
		}
		writes, stop := context.WithCancel(t.Context())
		var both sync.WaitGroup
		var read, written error
		both.Go(func() { _, read = p.Read(t.Context(), make([]byte, 8)) })
		both.Go(func() { written = p.Write(writes, []byte("x")) })
		synctest.Wait()
		stop()
		synctest.Wait()
		wantKind(t, "the Write", written, devices.Cancelled)
		if err := errors.Join(f.send([]byte("line"))); err != nil {
			t.Error(err)
		}
		both.Wait()
		if read != nil {
			t.Errorf("the Read: %v", read)
		}
	})
}

// TestFlushEnds: a device that never stops sending does not hold a Flush.
func TestFlushEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, f := open(t, nil)
		stop := make(chan struct{})
		var talk sync.WaitGroup
		talk.Go(func() {
			for {
				select {
				case f.in <- []byte("x"):
					time.Sleep(time.Millisecond)
				case <-stop:
					return
				}
			}
		})
		began := time.Now()
		if err := p.Flush(); err != nil || time.Since(began) > 2*drained {
			t.Errorf("got %v after %v", err, time.Since(began))
		}
		close(stop)
		talk.Wait()
	})
}

// TestNothingStays: a packet that was read does not stay in the port.
func TestNothingStays(t *testing.T) {
	t.Parallel()
	p, f := open(t, nil)
	f.script = []move{{bytes: "a person's line"}}
	packet := p.packet
	if _, err := p.Read(t.Context(), make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	if slices.ContainsFunc(packet, func(b byte) bool { return b != 0 }) {
		t.Errorf("the port still has %q", packet)
	}
}

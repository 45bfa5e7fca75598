package usbip

import (
	"bytes"
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

var someone = Identity{Vendor: 0x1209, Product: 0x0001, Maker: "Maker", Name: "Thing", Serial: "S1"}

// frame is what the reader of these tests sends: 93 bytes that all differ from
// their neighbours.
func frame() []byte {
	b := make([]byte, 93)
	for i := range b {
		b[i] = byte(i)
	}
	return b
}

func newReader() *Reader {
	return NewReader(someone, ReaderSpec{Frame: func([]string) []byte { return frame() }})
}

// hung is the status of a transfer that the end of the connection ended.
const hung = 1

// readAll reads transfers until total bytes came, a failure or the end.
func readAll(h *host, address byte, total int) (all []byte, status int) {
	for len(all) < total {
		h.ask(address, 512)
		g, open := <-h.answers
		if !open {
			return all, hung
		}
		all = append(all, g.data...)
		if g.status != ok {
			return all, g.status
		}
	}
	return all, ok
}

// TestTroublesIn lets each kind of trouble come at every byte of a frame that
// the device sends: what came before is right, and where the device goes on, no
// byte is lost.
func TestTroublesIn(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		kind  Kind
		first int // status at which the reading stops
		rest  bool
	}{
		{"stall", Stall, stalled, true},
		{"babble", Babble, babbled, true},
		{"noise", Noise, damaged, true},
		{"short packet", Short, ok, false},
		{"delay", Delay, ok, false},
		{"unplug", Unplug, damaged, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for at := range len(frame()) {
				synctest.Test(t, func(t *testing.T) {
					r := newReader()
					r.Script(Trouble{Endpoint: readerIn, At: at, Kind: tt.kind, Wait: time.Minute})
					h := plugged(t, r.Device)
					r.Show("")
					all, status := readAll(h, readerIn, len(frame()))
					if status != tt.first && (tt.kind != Unplug || status != hung) {
						t.Fatalf("byte %d: status %d, want %d", at, status, tt.first)
					}
					if tt.kind == Stall {
						if g := h.read(readerIn, 64); g.status != stalled {
							t.Errorf("byte %d: a halted endpoint answers %d", at, g.status)
						}
						h.clear(readerIn)
					}
					if tt.rest {
						more, _ := readAll(h, readerIn, len(frame())-len(all))
						all = append(all, more...)
					}
					want := frame()
					if tt.kind == Unplug {
						want = want[:at]
						if err := h.hungUp(); err != nil {
							t.Error(err)
						}
					}
					if !bytes.Equal(all, want) {
						t.Errorf("byte %d: got %d bytes, want %d", at, len(all), len(want))
					}
				})
			}
		})
	}
}

// TestTroublesOut does the same to what the host sends.
func TestTroublesOut(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		kind   Kind
		status int
		halted bool
	}{
		{"stall", Stall, stalled, true},
		{"noise", Noise, damaged, false},
		{"babble is noise", Babble, damaged, false},
		{"unplug", Unplug, damaged, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for at := range 20 {
				synctest.Test(t, func(t *testing.T) {
					p := NewPrinter(someone, "", nil)
					p.Script(Trouble{Endpoint: PrinterOut, At: at, Kind: tt.kind})
					h := plugged(t, p.Device)
					h.give(PrinterOut, frame()[:20])
					g, open := <-h.answers
					if open && g.status != tt.status || tt.kind != Unplug && g.moved != at {
						t.Errorf("byte %d: got %+v, want status %d", at, g, tt.status)
					}
					if got, _ := p.Printed(); !bytes.Equal(got, frame()[:at]) {
						t.Errorf("byte %d: the printer has %d bytes", at, len(got))
					}
					if tt.kind == Unplug {
						h.hungUp()
						return
					}
					if tt.halted {
						h.clear(PrinterOut)
					}
					h.give(PrinterOut, frame()[at:20])
					if g := h.answer(); g.status != ok || g.moved != 20-at {
						t.Errorf("byte %d: going on gave %+v", at, g)
					}
				})
			}
		})
	}
}

// TestDelayOut lets a printer pause in the middle of a transfer.
func TestDelayOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := NewPrinter(someone, "", nil)
		p.Script(Trouble{Endpoint: PrinterOut, At: 7, Kind: Delay, Wait: 3 * time.Second})
		h := plugged(t, p.Device)
		began := time.Now()
		h.give(PrinterOut, frame())
		if g := h.answer(); g.status != ok || g.moved != len(frame()) {
			t.Errorf("got %+v, want all bytes taken", g)
		}
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("it took %v, want 3s", took)
		}
		if got, _ := p.Printed(); !bytes.Equal(got, frame()) {
			t.Errorf("the printer has %d bytes, want every one once", len(got))
		}
	})
}

// TestTroublesComeOnce lets two troubles come to one frame, in order of their
// bytes and not of the script.
func TestTroublesComeOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newReader()
		r.Script(
			Trouble{Endpoint: readerIn, At: 60, Kind: Noise},
			Trouble{Endpoint: readerIn, At: 10, Kind: Short},
			Trouble{Endpoint: readerOut, At: 0, Kind: Stall},
		)
		h := plugged(t, r.Device)
		r.Show("")
		for _, want := range []got{{status: ok, moved: 10}, {status: ok, moved: 50}, {status: damaged}, {status: ok, moved: 33}} {
			if g := h.read(readerIn, 512); g.status != want.status || g.moved != want.moved {
				t.Errorf("got %+v, want %+v", g, want)
			}
		}
		r.Show("")
		if g := h.read(readerIn, 512); g.moved != len(frame()) {
			t.Errorf("the next frame came in pieces: %+v", g)
		}
		if n := r.Moved(readerIn); n != 2*len(frame()) {
			t.Errorf("%d bytes moved, want %d", n, 2*len(frame()))
		}
	})
}

// TestPause holds the pauses between pieces to their length, and lets them run
// only from when the host asks.
func TestPause(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := NewReader(someone, ReaderSpec{Frame: func([]string) []byte { return frame() }, SplitAt: 10, Pause: 30 * time.Millisecond})
		h := plugged(t, r.Device)
		r.Show("")
		if g := h.read(readerIn, 512); g.moved != 10 {
			t.Fatalf("the first piece has %d bytes, want 10", g.moved)
		}
		began := time.Now()
		if g := h.read(readerIn, 512); g.moved != len(frame())-10 {
			t.Errorf("the second piece has %d bytes", g.moved)
		}
		if took := time.Since(began); took != 30*time.Millisecond {
			t.Errorf("the pause was %v, want 30ms", took)
		}
	})
}

// TestRoom gives a long transfer to a host that asks in small pieces.
func TestRoom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newReader()
		h := plugged(t, r.Device)
		r.Show("")
		var all []byte
		for range 10 {
			all = append(all, h.read(readerIn, 10).data...)
		}
		if !bytes.Equal(all, frame()) {
			t.Errorf("got %d bytes, want the frame", len(all))
		}
	})
}

// TestUnlink takes transfers back: one that waits, and one that is done.
func TestUnlink(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newReader()
		h := plugged(t, r.Device)
		waiting := h.ask(readerIn, 512)
		number := h.unlink(waiting)
		if g := h.answer(); g.command != retUnlink || g.seq != number || g.status != unlinked {
			t.Errorf("got %+v, want a transfer that was taken back", g)
		}
		r.Show("")
		h.silent()
		done := h.ask(readerIn, 512)
		if g := h.answer(); g.seq != done || g.moved != len(frame()) {
			t.Errorf("got %+v, want the frame: it waited for who asks", g)
		}
		h.unlink(done)
		if g := h.answer(); g.command != retUnlink || g.status != ok {
			t.Errorf("got %+v, want nothing to take back", g)
		}
	})
}

// TestForget drops half a frame and a pause.
func TestForget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := NewReader(someone, ReaderSpec{Frame: func([]string) []byte { return frame() }, SplitAt: 10, Pause: time.Hour})
		h := plugged(t, r.Device)
		r.Show("")
		h.read(readerIn, 4)
		h.read(readerIn, 6)
		h.ask(readerIn, 512)
		h.silent() // the pause runs
		r.Forget()
		r.Say([]byte("new"))
		if g := h.answer(); string(g.data) != "new" {
			t.Errorf("got %d bytes, want the new ones at once", g.moved)
		}
	})
}

// TestHold lets a device be silent, and deaf, and go on.
func TestHold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := NewPrinter(someone, "", nil)
		p.Hold(PrinterOut, true)
		h := plugged(t, p.Device)
		h.give(PrinterOut, []byte("slip"))
		h.silent()
		if got, _ := p.Printed(); len(got) > 0 {
			t.Errorf("a held endpoint took %d bytes", len(got))
		}
		p.Hold(PrinterOut, false)
		if g := h.answer(); g.moved != 4 {
			t.Errorf("got %+v, want the bytes taken", g)
		}
	})
}

// TestEnds lists how a connection ends and what Serve says of it.
func TestEnds(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		end  func(h *host, d *Device, cancel func())
		fine bool
	}{
		{"its owner pulls the cable", func(_ *host, d *Device, _ func()) { d.Unplug() }, true},
		{"its owner gives up", func(_ *host, _ *Device, cancel func()) { cancel() }, true},
		{"the host lets go", func(h *host, _ *Device, _ func()) { h.conn.Close() }, false},
		{"the host talks nonsense", func(h *host, _ *Device, _ func()) { h.write(make([]byte, headerBytes)) }, false},
		{"the host asks for too much", func(h *host, _ *Device, _ func()) { h.ask(readerIn, maxTransfer+1) }, false},
		{"the host asks too often", func(h *host, _ *Device, _ func()) {
			for range maxWaiting + 1 {
				h.ask(readerIn, 1)
			}
		}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newReader()
				ours, theirs := net.Pipe()
				defer ours.Close()
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				h := &host{t: t, conn: ours, served: make(chan error, 1)}
				go func() { h.served <- r.Serve(ctx, theirs) }()
				synctest.Wait()
				if err := r.Serve(ctx, theirsToo(t)); !errors.Is(err, ErrPlugged) {
					t.Errorf("plugging in twice: %v", err)
				}
				tt.end(h, r.Device, cancel)
				if err := h.hungUp(); (err == nil) != tt.fine {
					t.Errorf("Serve ended with %v", err)
				}
			})
		})
	}
}

// theirsToo is a second cable.
func theirsToo(t *testing.T) net.Conn {
	a, b := net.Pipe()
	t.Cleanup(func() { a.Close() })
	return b
}

// TestFading asks a device that was pulled: everything fails, then it is silent.
func TestFading(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newReader()
		h := plugged(t, r.Device)
		waiting := h.ask(readerIn, 512)
		h.silent()
		r.Unplug()
		if g := h.answer(); g.seq != waiting || g.status != damaged {
			t.Errorf("what waited ended as %+v", g)
		}
		if g := h.request(0x80, getStatus, 0, 0, 2); g.status != damaged {
			t.Errorf("a request ended as %+v", g)
		}
		late := h.ask(readerIn, 512)
		h.silent()
		h.unlink(late)
		if g := h.answer(); g.status != unlinked {
			t.Errorf("a late transfer cannot be taken back: %+v", g)
		}
		began := time.Now()
		r.Unplug()
		if err := h.hungUp(); err != nil || time.Since(began) > fading {
			t.Errorf("it fell silent after %v: %v", time.Since(began), err)
		}
	})
}

// TestReplug pulls the cable and plugs it in again: what was halted, configured
// or not yet fetched is forgotten, what is scripted and not come yet is not.
func TestReplug(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newReader()
		h := plugged(t, r.Device)
		h.order(0, setConfiguration, 1, 0, nil)
		h.order(2, setFeature, 0, readerIn, nil)
		r.Show("")
		r.Unplug()
		if err := h.hungUp(); err != nil {
			t.Fatal(err)
		}
		r.Script(Trouble{Endpoint: readerIn, At: 5, Kind: Unplug})
		h = plugged(t, r.Device)
		if g := h.request(0x80, getConfiguration, 0, 0, 1); g.data[0] != 0 {
			t.Error("it is configured before the host has done so")
		}
		h.ask(readerIn, 512)
		h.silent()
		r.Show("")
		if g := h.answer(); g.status != ok || g.moved != 5 {
			t.Errorf("got %+v, want five bytes", g)
		}
		if err := h.hungUp(); err != nil {
			t.Error(err)
		}
		if r.Plugged() != 2 {
			t.Errorf("plugged in %d times, want 2", r.Plugged())
		}
	})
}

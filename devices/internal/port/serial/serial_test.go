package serial

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/counterproof/counterproof/devices"
)

// wire is a line of software that behaves as the library's.
type wire struct {
	reads, asked atomic.Int32
	hung         bool          // nothing comes, at once
	waits        time.Duration // before it says that nothing came
	err          error         // of each transfer
	missing      error
	quiet        bool // nothing comes without an error, as on Windows
	stuck        chan struct{}
	short        bool
}

func (w *wire) Read([]byte) (int, error) {
	w.reads.Add(1)
	if !w.hung {
		time.Sleep(w.waits)
	}
	switch {
	case w.err != nil:
		return 0, w.err
	case w.quiet:
		return 0, nil
	}
	return 0, io.EOF
}

func (w *wire) Write(p []byte) (int, error) {
	if w.stuck != nil {
		<-w.stuck
		return 0, errors.New("deadline")
	}
	if w.short {
		return len(p) - 1, nil
	}
	return len(p), w.err
}
func (w *wire) stop(now bool) {
	if w.stuck != nil && now {
		w.stuck <- struct{}{}
	}
}
func (w *wire) there() error { w.asked.Add(1); return w.missing }
func (w *wire) forget() error {
	return w.err
}
func (w *wire) Close() error { return nil }

// port gives a port on a line of software.
func (w *wire) port() *Port { return newPort(w, "sim:line", func() error { return nil }) }

// TestReads counts how often the library is asked in ten seconds.
func TestReads(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		wire     *wire
		kind     devices.Kind
		min, max int32 // Reads of the library
	}{
		"silence":                  {&wire{waits: silence}, devices.Cancelled, 95, 101},
		"silence/without-error":    {&wire{waits: silence, quiet: true}, devices.Cancelled, 95, 101},
		"hung-up":                  {&wire{hung: true, missing: io.ErrClosedPipe}, devices.Gone, 1, 1},
		"hung-up/node-gone":        {&wire{hung: true, missing: errors.New("no such file")}, devices.Gone, 1, 1},
		"time-out/more-than-half":  {&wire{waits: silence * 6 / 10, missing: io.ErrClosedPipe}, devices.Cancelled, 160, 170},
		"there-and-does-not-wait":  {&wire{hung: true}, devices.Cancelled, 95, 101},
		"there-and-nearly-at-once": {&wire{waits: silence / 4}, devices.Cancelled, 95, 101},
		"transfer-fails":           {&wire{err: errors.New("parity")}, devices.Protocol, 1, 1},
		"transfer-fails/gone":      {&wire{err: errors.New("parity"), missing: io.ErrClosedPipe}, devices.Gone, 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := c.wire
				p := w.port()
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				n, err := p.Read(ctx, make([]byte, 64))
				if got := devices.KindOf(err); n != 0 || got != c.kind {
					t.Errorf("read %d bytes and %v, want a Fault of kind %q", n, err, c.kind)
				}
				if got := w.reads.Load(); got < c.min || got > c.max {
					t.Errorf("the library was asked %d times, want %d to %d", got, c.min, c.max)
				}
				if c.kind != devices.Gone {
					return
				}
				before := w.reads.Load()
				for range 1000 {
					if _, err := p.Read(t.Context(), make([]byte, 1)); devices.KindOf(err) != devices.Gone {
						t.Fatalf("after gone: got %v", err)
					}
				}
				if got := w.reads.Load(); got != before {
					t.Errorf("the library was asked %d times of a line that is gone", got-before)
				}
			})
		})
	}
}

func TestWriteEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &wire{stuck: make(chan struct{})}
		p := w.port()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		began := time.Now()
		if err := p.Write(ctx, []byte("print")); devices.KindOf(err) != devices.Cancelled || time.Since(began) != time.Minute {
			t.Errorf("writing to a device that takes nothing: got %v after %v", err, time.Since(began))
		}
		ended := make(chan error)
		go func() { ended <- p.Write(t.Context(), []byte("print")) }()
		synctest.Wait()
		if err := p.Write(t.Context(), []byte("second")); devices.KindOf(err) != devices.InUse {
			t.Errorf("a second Write: got %v, want in use", err)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		if err := <-ended; devices.KindOf(err) != devices.Gone {
			t.Errorf("a Write of a port that was closed: got %v, want gone", err)
		}
	})
}

func TestSecondRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &wire{waits: silence}
		p := w.port()
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { _, err := p.Read(ctx, make([]byte, 1)); ended <- err }()
		synctest.Wait()
		if _, err := p.Read(ctx, make([]byte, 1)); devices.KindOf(err) != devices.InUse {
			t.Errorf("a second Read: got %v, want in use", err)
		}
		cancel()
		if _, err := p.Read(ctx, make([]byte, 1)); devices.KindOf(err) != devices.Cancelled {
			t.Errorf("a second Read that was cancelled: got %v", err)
		}
		if err := <-ended; devices.KindOf(err) != devices.Cancelled {
			t.Errorf("the first Read: got %v, want cancelled", err)
		}
	})
}

func TestWriteFaults(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		wire *wire
		kind devices.Kind
	}{
		"short":       {&wire{short: true}, devices.Protocol},
		"short/gone":  {&wire{short: true, missing: io.EOF}, devices.Gone},
		"fails":       {&wire{err: errors.New("no")}, devices.Protocol},
		"fails/gone":  {&wire{err: errors.New("no"), missing: io.EOF}, devices.Gone},
		"well/at-all": {&wire{}, devices.KindNone},
	} {
		p := c.wire.port()
		err := p.Write(t.Context(), []byte("I\x00\x00"))
		if got := devices.KindOf(err); got != c.kind {
			t.Errorf("%s: got %v, want a Fault of kind %q", name, err, c.kind)
		}
		if err := p.Flush(); c.kind != devices.KindNone && !strings.HasPrefix(name, "short/") && c.wire.err != nil && err == nil {
			t.Errorf("%s: flushing gave no error", name)
		}
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]Settings{
		"baud/negative": {Baud: -1}, "baud/slow": {Baud: 20}, "baud/fast": {Baud: 1 << 40}, "data-bits/4": {DataBits: 4},
		"data-bits/9": {DataBits: 9}, "parity/mark": {Parity: "mark"}, "parity/space": {Parity: "space"},
		"parity/unknown": {Parity: "N"}, "stop-bits/3": {StopBits: 3}, "stop-bits/1.5": {StopBits: 15},
	} {
		p, err := Open("no-such-line", s)
		f, ok := errors.AsType[*devices.Fault](err)
		if p != nil || !ok || f.Kind != devices.Unsupported || !strings.Contains(f.Error(), "no-such-line") {
			t.Errorf("%s: got %v, want an Unsupported that names the line", name, err)
		}
	}
	if got, want := (Settings{}).filled(), (Settings{Baud: 9600, DataBits: 8, Parity: "none", StopBits: 1}); got != want || got.check() != nil {
		t.Errorf("the zero value is %+v, want %+v", got, want)
	}
}

package devicetest

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/sim"
)

// simulated gives the rig of a simulated line.
func simulated(reports bool) PortRig {
	near, far := sim.NewPipe(reports)
	rig := PortRig{Port: near, Unplug: near.Unplug}
	rig.Send = func(b []byte) error { return far.Write(context.Background(), b) }
	rig.Take = func(ctx context.Context, most int) ([]byte, error) {
		b := make([]byte, most)
		n, err := far.Read(ctx, b)
		return b[:n], err
	}
	if reports {
		rig.Report = 64
	}
	return rig
}

// TestPort counts goroutines, so its parts run one after another.
func TestPort(t *testing.T) {
	for name, reports := range map[string]bool{"stream": false, "reports": true} {
		t.Run(name, func(t *testing.T) {
			RunPort(t, synctest.Test, func(testing.TB) PortRig { return simulated(reports) })
		})
	}
}

// wrongPort is a good port of which some methods are replaced.
type wrongPort struct {
	devices.Port
	read  func(ctx context.Context, p []byte) (int, error)
	write func(ctx context.Context, p []byte) error
	flush func() error
	close func() error
}

func (w *wrongPort) Read(ctx context.Context, p []byte) (int, error) { return w.read(ctx, p) }
func (w *wrongPort) Write(ctx context.Context, p []byte) error       { return w.write(ctx, p) }
func (w *wrongPort) Flush() error                                    { return w.flush() }
func (w *wrongPort) Close() error                                    { return w.close() }

// leaks starts a goroutine that stays.
func (w *wrongPort) leaks() { go func() { time.Sleep(time.Hour) }() }

// portWith gives a good port with something wrong.
func portWith(reports bool, spoil func(w *wrongPort, rig *PortRig)) func(testing.TB) PortRig {
	return func(testing.TB) PortRig {
		rig := simulated(reports)
		good := rig.Port
		w := &wrongPort{good, good.Read, good.Write, good.Flush, good.Close}
		spoil(w, &rig)
		rig.Port = w
		return rig
	}
}

func readWith(read func(good devices.Port, ctx context.Context, p []byte) (int, error)) func(testing.TB) PortRig {
	return portWith(false, func(w *wrongPort, _ *PortRig) {
		w.read = func(ctx context.Context, p []byte) (int, error) { return read(w.Port, ctx, p) }
	})
}

func writeWith(write func(good devices.Port, ctx context.Context, p []byte) error) func(testing.TB) PortRig {
	return portWith(false, func(w *wrongPort, _ *PortRig) {
		w.write = func(ctx context.Context, p []byte) error { return write(w.Port, ctx, p) }
	})
}

// readFault turns one kind of fault of a Read into another.
func readFault(from, to devices.Kind) func(testing.TB) PortRig {
	return readWith(func(good devices.Port, ctx context.Context, p []byte) (int, error) {
		n, err := good.Read(ctx, p)
		if devices.KindOf(err) == from {
			err = &devices.Fault{Op: "reading", Kind: to}
		}
		return n, err
	})
}

// deafRead reads without a context.
func deafRead(good devices.Port, ctx context.Context, p []byte) (int, error) {
	return good.Read(context.WithoutCancel(ctx), p)
}

// drops takes what came even where the context has ended.
func drops(good devices.Port, ctx context.Context, p []byte) (int, error) {
	if len(p) > 0 && ctx.Err() != nil {
		soon, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Millisecond)
		defer cancel()
		_, _ = good.Read(soon, p)
		return 0, &devices.Fault{Op: "reading", Kind: devices.Cancelled}
	}
	return good.Read(ctx, p)
}

// polls gives nothing when nothing came for a while, as some libraries do.
func polls(good devices.Port, ctx context.Context, p []byte) (int, error) {
	soon, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	n, err := good.Read(soon, p)
	if ctx.Err() == nil && devices.KindOf(err) == devices.Cancelled {
		return 0, nil
	}
	return n, err
}

// alone lets either a Read or a Write go on.
func alone(w *wrongPort, _ *PortRig) {
	turn := make(chan struct{}, 1)
	w.read = func(ctx context.Context, p []byte) (int, error) {
		turn <- struct{}{}
		defer func() { <-turn }()
		return w.Port.Read(ctx, p)
	}
	w.write = func(ctx context.Context, p []byte) error {
		turn <- struct{}{}
		defer func() { <-turn }()
		return w.Port.Write(ctx, p)
	}
}

// lateWrites sends what was written when it comes to write again.
func lateWrites() func(testing.TB) PortRig {
	return portWith(false, func(w *wrongPort, _ *PortRig) {
		var kept []byte
		w.write = func(ctx context.Context, p []byte) error {
			now := kept
			kept = p
			return w.Port.Write(ctx, now)
		}
	})
}

func TestPortSuite(t *testing.T) {
	fault := func(kind devices.Kind) error { return &devices.Fault{Op: "doing it", Kind: kind} }
	prove(t, portChecks, func(testing.TB) PortRig { return simulated(false) }, []control[PortRig]{
		{"reads-what-is-sent", "swaps", "want the 93", readWith(func(good devices.Port, ctx context.Context, p []byte) (int, error) {
			n, err := good.Read(ctx, p)
			slices.Reverse(p[:n])
			return n, err
		})},
		{"reads-what-is-sent", "too many", "more than there was room for", readWith(func(good devices.Port, ctx context.Context, p []byte) (int, error) {
			_, err := good.Read(ctx, p)
			return len(p) + 1, err
		})},
		{"reads-what-is-sent", "error too", "an error too", readWith(func(good devices.Port, ctx context.Context, p []byte) (int, error) {
			n, _ := good.Read(ctx, p)
			return n, errors.New("end of file")
		})},
		{"read-waits", "polls", "before anything was sent", readWith(polls)},
		{"small-buffer-loses-nothing", "drops the rest", "reading did not end", readWith(func(good devices.Port, ctx context.Context, p []byte) (int, error) {
			big := make([]byte, 1024)
			n, err := good.Read(ctx, big)
			return copy(p, big[:n]), err
		})},
		{"small-buffer-loses-nothing", "gives a part", "want a Fault", portWith(true, func(w *wrongPort, _ *PortRig) {
			w.read = func(ctx context.Context, p []byte) (int, error) {
				big := make([]byte, 1024)
				n, err := w.Port.Read(ctx, big)
				return copy(p, big[:n]), err
			}
		})},
		{"no-buffer-is-refused", "gives nothing", "0 bytes and gave no error", readWith(func(good devices.Port, ctx context.Context, p []byte) (int, error) {
			if len(p) == 0 {
				return 0, nil
			}
			return good.Read(ctx, p)
		})},
		{"no-buffer-is-refused", "waits", "did not end within", readWith(func(good devices.Port, ctx context.Context, p []byte) (int, error) {
			if len(p) == 0 {
				<-ctx.Done()
			}
			return good.Read(ctx, p)
		})},
		{"ended-context-does-nothing", "reads", "want a Fault", readWith(deafRead)},
		{"ended-context-does-nothing", "drops", "reading did not end", readWith(drops)},
		{"ended-context-does-nothing", "writes", "want a Fault", writeWith(func(good devices.Port, ctx context.Context, p []byte) error {
			return good.Write(context.WithoutCancel(ctx), p)
		})},
		{"read-ends-with-context", "sleeps on", "did not end within", readWith(deafRead)},
		{"read-ends-with-context", "says time-out", "want [\"cancelled\"]", readFault(devices.Cancelled, devices.Timeout)},
		{"short-waits-lose-nothing", "reads ahead", "with short waits", readWith(func(good devices.Port, ctx context.Context, p []byte) (int, error) {
			n, err := good.Read(context.WithoutCancel(ctx), p)
			if ctx.Err() != nil {
				return 0, fault(devices.Cancelled)
			}
			return n, err
		})},
		{"writes-arrive-in-order", "late", "the device was sent", lateWrites()},
		{"empty-write-is-nothing", "sends", "the device was sent", writeWith(func(good devices.Port, ctx context.Context, p []byte) error {
			return good.Write(ctx, append([]byte{0}, p...))
		})},
		{"empty-write-is-nothing", "odd fault", "want [\"unsupported\"]", writeWith(func(good devices.Port, ctx context.Context, p []byte) error {
			if len(p) == 0 {
				return fault(devices.Protocol)
			}
			return good.Write(ctx, p)
		})},
		{"large-write-arrives-whole", "a part", "the device was sent 4096 bytes", writeWith(func(good devices.Port, ctx context.Context, p []byte) error {
			return good.Write(ctx, p[:min(len(p), 4096)])
		})},
		{"write-ends-with-context", "writes on", "did not end within", writeWith(func(good devices.Port, ctx context.Context, p []byte) error {
			return good.Write(context.WithoutCancel(ctx), p)
		})},
		{"written-bytes-are-the-callers", "scribbles", "written over", writeWith(func(good devices.Port, ctx context.Context, p []byte) error {
			defer clear(p)
			return good.Write(ctx, p)
		})},
		{"written-bytes-are-the-callers", "keeps", "the device was sent", portWith(false, func(w *wrongPort, rig *PortRig) {
			var kept []byte
			w.write = func(_ context.Context, p []byte) error { kept = p; return nil }
			rig.Take = func(context.Context, int) ([]byte, error) { return bytes.Clone(kept), nil }
		})},
		{"both-ways-at-once", "one at a time", "writing did not end", portWith(false, alone)},
		{"flush-forgets-what-came", "keeps", "want the 93", portWith(false, func(w *wrongPort, _ *PortRig) {
			w.flush = func() error { return nil }
		})},
		{"flush-keeps-what-was-written", "takes back", "the device was sent", portWith(false, func(w *wrongPort, rig *PortRig) {
			var kept []byte
			w.write = func(_ context.Context, p []byte) error { kept = append(kept, p...); return nil }
			w.flush = func() error { kept = nil; return nil }
			rig.Take = func(ctx context.Context, _ int) ([]byte, error) {
				if kept == nil {
					<-ctx.Done()
				}
				return kept, ctx.Err()
			}
		})},
		{"close-ends-a-read", "sleeps on", "did not end within", portWith(false, func(w *wrongPort, _ *PortRig) {
			w.close = func() error { return nil }
		})},
		{"close-ends-a-read", "once only", "closed twice", portWith(false, func(w *wrongPort, _ *PortRig) {
			closed := false
			w.close = func() error {
				if closed {
					return errors.New("closed twice")
				}
				closed = true
				return w.Port.Close()
			}
		})},
		{"closed-is-gone", "writes still", "Write of a port that was closed", portWith(false, func(w *wrongPort, _ *PortRig) {
			w.write = func(context.Context, []byte) error { return nil }
		})},
		{"closed-is-gone", "another kind", "want [\"gone\"]", readFault(devices.Gone, devices.Cancelled)},
		{"close-beside-read", "end of file", "want a Fault", readWith(func(good devices.Port, ctx context.Context, p []byte) (int, error) {
			n, err := good.Read(ctx, p)
			if err != nil {
				err = errors.New("end of file")
			}
			return n, err
		})},
		{"leaves-no-goroutine", "leaks", "are left after closing", portWith(false, func(w *wrongPort, _ *PortRig) {
			w.read = func(ctx context.Context, p []byte) (int, error) { w.leaks(); return w.Port.Read(ctx, p) }
		})},
		{"unplugged-ends-a-read", "notices nothing", "did not end within", portWith(false, func(_ *wrongPort, rig *PortRig) {
			rig.Unplug = func() {}
		})},
		{"unplugged-ends-a-read", "another kind", "want [\"gone\"]", readFault(devices.Gone, devices.Protocol)},
		{"stays-gone", "comes back", "Write of a port that was pulled out", portWith(false, func(w *wrongPort, _ *PortRig) {
			w.write = func(context.Context, []byte) error { return nil }
		})},
		{"stays-gone", "flushes still", "Flush of a port that was pulled out", portWith(false, func(w *wrongPort, _ *PortRig) {
			w.flush = func() error { return nil }
		})},
	})
}

// TestPortWithoutHands: what no program can do is skipped, the rest is checked.
func TestPortWithoutHands(t *testing.T) {
	skips := map[string]bool{}
	for _, c := range portChecks {
		synctest.Test(t, func(t *testing.T) {
			r := record(t, func(tb testing.TB) { c.look(tb, PortRig{Port: simulated(false).Port}) })
			skips[c.name] = r.skipped
			if len(r.failures) > 0 {
				t.Errorf("%s: the failures are %q, want none", c.name, r.failures)
			}
		})
	}
	for _, name := range []string{"read-ends-with-context", "close-ends-a-read", "closed-is-gone", "write-ends-with-context"} {
		if skips[name] {
			t.Errorf("%s was skipped and needs no hands", name)
		}
	}
	if !skips["stays-gone"] || !skips["reads-what-is-sent"] {
		t.Error("a check that needs a hand was not skipped")
	}
}

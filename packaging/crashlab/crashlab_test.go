package crashlab

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"syscall"
	"testing"

	"github.com/counterproof/counterproof/packaging/crashlab/disk"
	"github.com/counterproof/counterproof/packaging/crashlab/tap"
	"github.com/counterproof/counterproof/packaging/crashlab/trade"
)

// The test binary is its own victim.
func TestMain(m *testing.M) {
	ours, err := Victim(context.Background(), anyTrade, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if ours {
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// anyTrade finds the product's trades and the controls.
func anyTrade(name string) (trade.Trade, error) {
	for _, mode := range syncModes {
		if name == "plain-"+mode {
			return plain(mode), nil
		}
	}
	return trade.Find(name)
}

// size says how much of the laboratory is run: a sample with the other tests,
// the short form by make crashlab, the full form with FULL=1.
func size(sample, short, full int) int {
	switch os.Getenv("COUNTERPROOF_CRASHLAB") {
	case "full":
		return full
	case "short":
		return short
	}
	return sample
}

// folder is where a laboratory works: in memory where that can be had, for the
// disk is modelled.
func folder(t *testing.T) string {
	t.Helper()
	if _, err := os.Stat("/dev/shm"); err != nil {
		return t.TempDir()
	}
	dir, err := os.MkdirTemp("/dev/shm", "crashlab-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// lab makes a laboratory, or skips where the machine shows no system calls.
func lab(t *testing.T, tr trade.Trade) *Lab {
	t.Helper()
	return NewLab(tr, folder(t))
}

// needs fails a test on an error, and skips where the tap is absent.
func needs(t *testing.T, err error) {
	t.Helper()
	if errors.Is(err, tap.ErrAbsent) {
		t.Skipf("SKIPPED: no program can be stopped at its writes here: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// steps counts what a victim does in a whole run, which must check.
func steps(t *testing.T, l *Lab) int {
	t.Helper()
	o, err := l.Run(t.Context(), func(int, tap.Operation) tap.Verdict { return tap.Verdict{} })
	needs(t, err)
	if err := l.Check(t.Context(), o); err != nil {
		t.Fatalf("%s, not even ended: %v", l.trade.Name, err)
	}
	if len(o.Said) == 0 || o.Steps < 20 {
		t.Fatalf("%s said %d things in %d steps", l.trade.Name, len(o.Said), o.Steps)
	}
	return o.Steps
}

// eachTrade runs a test of every trade.
func eachTrade(t *testing.T, test func(*testing.T, *Lab)) {
	t.Helper()
	for _, tr := range trade.All() {
		t.Run(tr.Name, func(t *testing.T) {
			t.Parallel()
			test(t, lab(t, tr))
		})
	}
}

// totals adds up what the laboratory did.
type totals struct {
	mu   sync.Mutex
	done map[string]int
}

func (c *totals) add(name string, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done == nil {
		c.done = map[string]int{}
	}
	c.done[name] += n
}

// Ended with kill -9 before any operation, or in the middle of a write: whatever
// was said is there, and the work goes on.
func TestKill(t *testing.T) {
	t.Parallel()
	var all totals
	t.Run("trades", func(t *testing.T) {
		eachTrade(t, func(t *testing.T, l *Lab) {
			last := steps(t, l)
			boundaries := size(8, 260, 2*last)
			for i := range boundaries {
				// Every second one in the middle of the operation.
				n := 1 + i*last/boundaries
				killAt(t, l, n, i%2 == 1)
			}
			all.add("boundaries", boundaries)
			t.Logf("%s: %d operations, killed at %d boundaries", l.trade.Name, last, boundaries)
		})
	})
	t.Logf("kill -9 at %d boundaries: nothing lost", all.done["boundaries"])
}

// killAt ends one victim and checks it.
func killAt(t *testing.T, l *Lab, n int, torn bool) {
	t.Helper()
	o, err := l.Run(t.Context(), func(i int, op tap.Operation) tap.Verdict {
		if i < n {
			return tap.Verdict{}
		}
		v := tap.Verdict{Kill: true}
		if torn {
			v.First = len(op.Data) / 2
		}
		return v
	})
	needs(t, err)
	if err := l.Check(t.Context(), o); err != nil {
		t.Errorf("%s killed at %d (%s), torn %v: %v", l.trade.Name, n, o.Last, torn, err)
	}
	if err := l.Drop(o); err != nil {
		t.Error(err)
	}
}

// The power cut after any operation: what was synced is there, of the rest
// anything may be. Whatever was said is there.
func TestPowerCut(t *testing.T) {
	t.Parallel()
	eachTrade(t, func(t *testing.T, l *Lab) {
		trace, err := l.Record(t.Context())
		needs(t, err)
		cuts := size(24, 300, 600)
		lost, example := cutMany(t, l, trace, cuts)
		t.Logf("%s: %d operations, %d cuts, %d lost something", l.trade.Name, trace.Len(), cuts, lost)
		if lost > 0 {
			t.Error(example)
		}
	})
}

// cutMany cuts the power many times and counts the cuts after which something
// that was said is not there.
func cutMany(t *testing.T, l *Lab, trace Trace, cuts int) (lost int, example error) {
	t.Helper()
	rng := rand.New(rand.NewPCG(uint64(cuts), 7))
	for i := range cuts {
		n, mode := 1+rng.IntN(trace.Len()), disk.Mode(i%disk.Modes)
		o, err := l.Cut(trace, n, mode, rng)
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Check(t.Context(), o); err != nil {
			if lost++; example == nil {
				example = fmt.Errorf("%s cut after %d of %d (%s), mode %d: %w", l.trade.Name, n, trace.Len(), trace.ops[n-1], mode, err)
			}
		}
		if err := l.Drop(o); err != nil {
			t.Fatal(err)
		}
	}
	return lost, example
}

// The laboratory can fail: a database that does not sync loses what was said,
// and one that does so in full loses nothing.
func TestPowerCutControls(t *testing.T) {
	t.Parallel()
	for _, mode := range syncModes {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			l := lab(t, plain(mode))
			trace, err := l.Record(t.Context())
			needs(t, err)
			cuts := size(40, 200, 600)
			lost, example := cutMany(t, l, trace, cuts)
			t.Logf("WAL %s: %d cuts, %d lost something", mode, cuts, lost)
			if mode == "FULL" && lost > 0 {
				t.Error(example)
			}
			if mode != "FULL" && lost == 0 {
				t.Errorf("WAL %s lost nothing: the laboratory is blind", mode)
			}
		})
	}
}

// A disk that is full, or fails, for a while: what could not be promised was not,
// and what was promised is there.
func TestDiskFails(t *testing.T) {
	t.Parallel()
	for name, errno := range map[string]syscall.Errno{"full": syscall.ENOSPC, "broken": syscall.EIO} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachTrade(t, func(t *testing.T, l *Lab) {
				last, runs, some := steps(t, l), size(4, 24, 120), 5
				if l.trade.Name == "uplink" { // it waits for seconds after each failure
					runs, some = runs/4, 1
				}
				for i := range runs {
					failAt(t, l, 1+i*last/runs, some, errno)
				}
				t.Logf("%s: a disk that is %s at %d places", l.trade.Name, name, runs)
			})
		})
	}
}

// failAt lets some operations fail, from the nth on.
func failAt(t *testing.T, l *Lab, n, some int, errno syscall.Errno) {
	t.Helper()
	o, err := l.Run(t.Context(), func(i int, op tap.Operation) tap.Verdict {
		// A full disk still renames and removes.
		names := op.Kind == tap.Rename || op.Kind == tap.Remove || op.Kind == tap.Truncate
		if i < n || i >= n+some || errno == syscall.ENOSPC && names {
			return tap.Verdict{}
		}
		return tap.Verdict{Fail: errno}
	})
	needs(t, err)
	if err := l.Check(t.Context(), o); err != nil {
		t.Errorf("%s, %v from %d on: %v", l.trade.Name, errno, n, err)
	}
	if err := l.Drop(o); err != nil {
		t.Error(err)
	}
}

// A disk that only says that it has synced loses something of every trade: it is
// the syncs that keep what was said, and each check can object.
func TestLyingDisk(t *testing.T) {
	t.Parallel()
	eachTrade(t, func(t *testing.T, l *Lab) {
		trace, err := l.Record(t.Context())
		needs(t, err)
		trace.ops = slices.DeleteFunc(trace.ops, func(op tap.Operation) bool { return op.Kind == tap.Sync })
		cuts := size(16, 40, 100)
		lost, _ := cutMany(t, l, trace, cuts)
		t.Logf("%s: %d cuts, %d lost something", l.trade.Name, cuts, lost)
		if lost == 0 {
			t.Error("nothing was lost: the check is blind")
		}
	})
}

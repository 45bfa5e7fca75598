// Package devicetest holds suites that any implementation of a device's
// interfaces must pass: simulated, replayed and real ones alike, and the hub's
// handles over them. A suite asks only what the interface's contract says.
//
// It never knows how a device is made; an open function gives it one, with what
// the suite needs to pull it out or to put it into trouble. Where a rig lacks
// that, the check is skipped and says so.
//
// # The laws
//
//   - Each check gets a device of its own and leaves no goroutine behind.
//   - Each check has a broken device among this package's tests that must fail
//     it.
//   - No picture and no line that a device gave is written to the test's log.
package devicetest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/counterproof/counterproof/devices"
)

// Time says in which time a check runs: synctest.Test for devices made of
// software, whose hours pass at once, or Real for those that have a life of
// their own.
type Time func(t *testing.T, check func(t *testing.T))

// Real runs checks in real time.
func Real(t *testing.T, check func(t *testing.T)) { check(t) }

// Limits of what a check waits for.
const (
	patience = 10 * time.Second // until a working device has done what it does
	promptly = 2 * time.Second  // until a call ends that was told to
)

// check is one rule of a contract.
type check[R any] struct {
	name string
	look func(tb testing.TB, rig R)
}

// run makes a subtest of each check.
func run[R any](t *testing.T, in Time, open func(testing.TB) R, checks []check[R]) {
	t.Helper()
	for _, c := range checks {
		t.Run(c.name, func(t *testing.T) {
			in(t, func(t *testing.T) { c.look(t, open(t)) })
		})
	}
}

// within calls f and waits for it, at most d; a call that does not come back
// ends the check.
func within(tb testing.TB, d time.Duration, what string, f func() error) error {
	tb.Helper()
	done := make(chan error, 1)
	go func() { done <- f() }()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case err := <-done:
		return err
	case <-timer.C:
		tb.Fatalf("%s did not end within %v", what, d)
		return nil
	}
}

// wantKind holds an error to be a Fault of one of the kinds, with its Op.
func wantKind(tb testing.TB, what string, err error, kinds ...devices.Kind) {
	tb.Helper()
	f, ok := errors.AsType[*devices.Fault](err)
	switch {
	case !ok:
		tb.Errorf("%s: got %v, want a Fault of kind %q", what, err, kinds)
	case !slices.Contains(kinds, f.Kind):
		tb.Errorf("%s: got a Fault of kind %q, want %q", what, f.Kind, kinds)
	case f.Op == "":
		tb.Errorf("%s: the Fault does not say what was done", what)
	}
}

// gaveUp is a context that has ended.
func gaveUp(tb testing.TB) context.Context {
	ctx, cancel := context.WithCancel(tb.Context())
	cancel()
	return ctx
}

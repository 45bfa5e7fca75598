package devicetest

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// recorder stands in for the testing.TB of a check and remembers how it went,
// so that a broken device can fail a check without failing the test.
type recorder struct {
	testing.TB
	ctx    context.Context
	cancel context.CancelFunc

	mu       sync.Mutex
	failures []string
	skipped  bool
	cleanups []func()
}

// record runs f as a test of its own, in the time of a bubble.
func record(t *testing.T, f func(tb testing.TB)) *recorder {
	r := &recorder{TB: t}
	r.ctx, r.cancel = context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		f(r)
	}()
	<-done
	r.cancel()
	for _, c := range slices.Backward(r.cleanups) {
		c()
	}
	time.Sleep(2 * time.Hour) // of the bubble's time: whoever hangs comes home
	return r
}

func (r *recorder) Context() context.Context { return r.ctx }
func (r *recorder) Helper()                  {}
func (r *recorder) Log(...any)               {}
func (r *recorder) Logf(string, ...any)      {}
func (r *recorder) Cleanup(f func())         { r.cleanups = append(r.cleanups, f) }
func (r *recorder) Error(args ...any)        { r.fail(fmt.Sprint(args...)) }
func (r *recorder) Errorf(format string, args ...any) {
	r.fail(fmt.Sprintf(format, args...))
}

func (r *recorder) Fatal(args ...any) {
	r.fail(fmt.Sprint(args...))
	runtime.Goexit()
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.fail(fmt.Sprintf(format, args...))
	runtime.Goexit()
}

func (r *recorder) Skip(...any) {
	r.mu.Lock()
	r.skipped = true
	r.mu.Unlock()
	runtime.Goexit()
}

func (r *recorder) fail(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failures = append(r.failures, text)
}

// control is a device that breaks a rule.
type control[R any] struct {
	check string // that must fail
	how   string
	says  string // part of a failure
	open  func(testing.TB) R
}

// prove holds a suite to its word: a good device passes every check, each check
// fails for its broken devices, and none is without one.
func prove[R any](t *testing.T, checks []check[R], good func(testing.TB) R, controls []control[R]) {
	byName := map[string]check[R]{}
	for _, c := range checks {
		byName[c.name] = c
		if !slices.ContainsFunc(controls, func(b control[R]) bool { return b.check == c.name }) {
			t.Errorf("%s: no broken device fails this check", c.name)
		}
		t.Run("good/"+c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := record(t, func(tb testing.TB) { c.look(tb, good(tb)) })
				if len(r.failures) > 0 || r.skipped {
					t.Errorf("a good device: skipped is %v, failures are %q", r.skipped, r.failures)
				}
			})
		})
	}
	for _, b := range controls {
		t.Run("broken/"+b.check+"/"+b.how, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := record(t, func(tb testing.TB) { byName[b.check].look(tb, b.open(tb)) })
				if !strings.Contains(strings.Join(r.failures, "\n"), b.says) || len(r.failures) == 0 {
					t.Errorf("the failures are %q, want one that says %q", r.failures, b.says)
				}
			})
		})
	}
}

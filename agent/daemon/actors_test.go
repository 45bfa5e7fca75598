package daemon

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

var errBroken = errors.New("it broke")

// obedient runs until it is told to stop, and notes that it was.
func obedient(stopped *bool) actor {
	return actor{"obedient", func(ctx context.Context) error {
		<-ctx.Done()
		*stopped = true
		return ctx.Err()
	}}
}

func TestTheFirstFailureStopsAll(t *testing.T) {
	t.Parallel()
	for name, ends := range map[string]error{
		"fails":          errBroken,
		"ends-quietly":   nil,
		"says-cancelled": context.Canceled,
		"says-too-late":  context.DeadlineExceeded,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				stopped := false
				began := time.Now()
				err := runAll(t.Context(), []actor{obedient(&stopped), {"weak", func(context.Context) error {
					<-time.After(time.Hour)
					return ends
				}}})
				if !errors.Is(err, errEnded) || ends != nil && !errors.Is(err, ends) || !strings.Contains(err.Error(), "weak") {
					t.Errorf("got %v, want the part that ended and why", err)
				}
				if !stopped || time.Since(began) != time.Hour {
					t.Errorf("stopped the other: %t, after %s", stopped, time.Since(began))
				}
			})
		})
	}
}

func TestStoppingIsNoFailure(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(context.Context) (context.Context, context.CancelFunc){
		"told": func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(time.Minute, cancel)
			return ctx, cancel
		},
		"deadline": func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, time.Minute)
		},
		"cause": func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancelCause(ctx)
			time.AfterFunc(time.Minute, func() { cancel(errBroken) })
			return ctx, func() { cancel(nil) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := end(t.Context())
				defer cancel()
				stopped := false
				// Parts that answer the end with an error have not failed.
				if err := runAll(ctx, []actor{obedient(&stopped)}); err != nil || !stopped {
					t.Errorf("got %v, stopped %t", err, stopped)
				}
			})
		})
	}
}

// TestStoppingHasADeadline is not parallel: it reads what is logged.
func TestStoppingHasADeadline(t *testing.T) {
	var logged bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewJSONHandler(&logged, nil)))
	defer slog.SetDefault(before)
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		release := make(chan struct{})
		defer close(release)
		cancel()
		began := time.Now()
		stopped := false
		err := runAll(ctx, []actor{obedient(&stopped), {"stubborn", func(context.Context) error {
			<-release
			return nil
		}}})
		if err != nil || time.Since(began) != stopWithin || !stopped {
			t.Errorf("a part that does not stop is waited for %s: %v", time.Since(began), err)
		}
	})
	if !strings.Contains(logged.String(), `"op":"stubborn"`) || strings.Contains(logged.String(), "obedient") {
		t.Errorf("not the part alone that does not stop is named: %s", logged.String())
	}
}

package rig

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestInbox takes pieces in order, in parts, and waits.
func TestInbox(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var b Inbox
		b.Put([]byte("abcde"))
		b.Put([]byte("f"))
		for _, want := range []string{"abc", "de", "f"} {
			if got, err := b.Take(t.Context(), 3); err != nil || string(got) != want {
				t.Errorf("got %q, %v; want %q", got, err, want)
			}
		}
		go func() {
			time.Sleep(time.Minute)
			b.Put([]byte("late"))
		}()
		if got, err := b.Take(t.Context(), 10); err != nil || string(got) != "late" {
			t.Errorf("got %q, %v; want what came late", got, err)
		}
		b.Put([]byte("old"))
		b.Empty()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := b.Take(ctx, 10); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("an empty box gave %v", err)
		}
	})
}

package group_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/counterproof/counterproof/sync/store/group"
)

// disk is a transaction's cost in the tests.
const disk = 10 * time.Millisecond

// errBad is what a bad piece fails with.
var errBad = errors.New("a bad piece")

// book runs pieces as a database would, and remembers how.
type book struct {
	mu      sync.Mutex
	runs    [][]int
	kept    []int
	overlap bool
	busy    bool
}

func (b *book) run(_ context.Context, pieces []int) error {
	b.mu.Lock()
	b.overlap, b.busy = b.overlap || b.busy, true
	b.runs = append(b.runs, slices.Clone(pieces))
	b.mu.Unlock()
	time.Sleep(disk)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.busy = false
	if slices.ContainsFunc(pieces, func(p int) bool { return p < 0 }) {
		return errBad
	}
	b.kept = append(b.kept, pieces...)
	return nil
}

// TestTogether: those who come while somebody leads share one transaction, in
// their order, and everybody's piece is kept once.
func TestTogether(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var b book
		g := group.New(8, b.run)
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() {
				if err := g.Do(t.Context(), i+1); err != nil {
					t.Errorf("piece %d: %v", i+1, err)
				}
			})
			synctest.Wait()
		}
		all.Wait()
		if len(b.runs) != 4 || len(b.runs[0]) != 1 || len(b.runs[1]) != 8 || b.overlap {
			t.Errorf("runs %v, overlapping %t", b.runs, b.overlap)
		}
		if !slices.IsSorted(b.kept) || len(b.kept) != 20 {
			t.Errorf("kept %v", b.kept)
		}
		if err := g.Do(t.Context(), 21); err != nil || len(b.kept) != 21 {
			t.Errorf("afterwards, alone: %v", err)
		}
	})
}

// TestBadPiece: what fails fails alone.
func TestBadPiece(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var b book
		g := group.New(100, b.run)
		var all sync.WaitGroup
		for _, p := range []int{1, 2, -3, 4} {
			all.Go(func() {
				if err := g.Do(t.Context(), p); (p < 0) != errors.Is(err, errBad) {
					t.Errorf("piece %d: %v", p, err)
				}
			})
			synctest.Wait()
		}
		all.Wait()
		if !slices.Equal(b.kept, []int{1, 2, 4}) {
			t.Errorf("kept %v", b.kept)
		}
	})
}

// TestGoneCaller: who goes away while waiting takes its piece along; who goes
// away while it runs does not stop the others, nor itself.
func TestGoneCaller(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var b book
		g := group.New(100, b.run)
		leader, stopLeader := context.WithCancel(t.Context())
		waiter, stopWaiter := context.WithCancel(t.Context())
		var all sync.WaitGroup
		all.Go(func() {
			if err := g.Do(leader, 1); err != nil {
				t.Errorf("the leader, whose work had begun: %v", err)
			}
		})
		synctest.Wait()
		all.Go(func() {
			if err := g.Do(waiter, 2); !errors.Is(err, context.Canceled) {
				t.Errorf("who left: %v", err)
			}
		})
		all.Go(func() {
			if err := g.Do(t.Context(), 3); err != nil {
				t.Errorf("who stayed: %v", err)
			}
		})
		synctest.Wait()
		stopLeader()
		stopWaiter()
		all.Wait()
		if !slices.Equal(b.kept, []int{1, 3}) {
			t.Errorf("kept %v", b.kept)
		}
		if err := g.Do(waiter, 4); !errors.Is(err, context.Canceled) {
			t.Errorf("who had gone before: %v", err)
		}
	})
}

// TestCrowd: whoever comes and goes, nobody waits for ever, and what was
// answered is kept.
func TestCrowd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var b book
		g := group.New(7, b.run)
		var all sync.WaitGroup
		var mu sync.Mutex
		var done []int
		for i := range 300 {
			ctx, stop := context.WithTimeout(t.Context(), time.Duration(i%11+1)*7*time.Millisecond)
			all.Go(func() {
				defer stop()
				time.Sleep(time.Duration(i%17) * time.Millisecond)
				if g.Do(ctx, i) == nil {
					mu.Lock()
					done = append(done, i)
					mu.Unlock()
				}
			})
		}
		all.Wait()
		slices.Sort(done)
		slices.Sort(b.kept)
		if !slices.Equal(done, b.kept) || b.overlap || len(done) == 0 {
			t.Errorf("%d answered, %d kept, overlapping %t", len(done), len(b.kept), b.overlap)
		}
	})
}

// Package group lets work of many callers share one transaction, because what a
// commit costs is the disk's answer and not the work in it. It starts no
// goroutine: of the callers that meet, one leads.
//
// It knows nothing of databases and never repeats work that has succeeded.
//
// # The laws
//
//   - A caller hears of success only after the transaction that held its work is
//     committed.
//   - One caller's failing work spoils nobody else's: when a shared run fails,
//     each piece runs again by itself. So work must bear being run twice, also
//     after a commit whose answer was lost.
//   - A caller who goes away before its work has begun takes it along; after that
//     its work goes on with the others'.
package group

import (
	"context"
	"slices"
	"sync"
)

// Group combines pieces of work. New makes it; it is safe for use by many
// goroutines.
type Group[P any] struct {
	most int
	run  func(ctx context.Context, pieces []P) error

	mu      sync.Mutex
	leading bool // somebody leads; what comes meanwhile waits
	waiting []*caller[P]
}

// caller waits with a piece.
type caller[P any] struct {
	piece P
	turn  chan turn // gets exactly one
}

// turn is what a waiting caller is told: what became of its piece, or that it is
// to lead.
type turn struct {
	lead bool
	err  error
}

// New makes a group that runs up to most pieces together. run does all of them
// in one transaction and commits it; its error means that nothing of them is
// known to be there. The order of the pieces is that of their callers.
func New[P any](most int, run func(ctx context.Context, pieces []P) error) *Group[P] {
	return &Group[P]{most: max(most, 1), run: run}
}

// Do runs a piece, by itself or with others', and returns after it was committed
// or failed. Where ctx ends before it has begun that is the error. The values of
// the leader's ctx, but not its end, reach run.
func (g *Group[P]) Do(ctx context.Context, piece P) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	own := &caller[P]{piece, make(chan turn, 1)}
	g.mu.Lock()
	if !g.leading {
		g.leading = true
		g.waiting = append(g.waiting, own)
		g.mu.Unlock()
		return g.lead(ctx, own)
	}
	g.waiting = append(g.waiting, own)
	g.mu.Unlock()
	select {
	case t := <-own.turn:
		return g.heed(ctx, own, t)
	case <-ctx.Done():
	}
	if g.leave(own) {
		return ctx.Err()
	}
	return g.heed(ctx, own, <-own.turn) // it has begun
}

// heed does what a waiting caller is told.
func (g *Group[P]) heed(ctx context.Context, own *caller[P], t turn) error {
	if t.lead {
		return g.lead(ctx, own)
	}
	return t.err
}

// leave takes a caller out of those who wait; false if it does not wait any more.
func (g *Group[P]) leave(own *caller[P]) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := slices.Index(g.waiting, own)
	if i < 0 || len(own.turn) > 0 {
		return false
	}
	g.waiting = slices.Delete(g.waiting, i, i+1)
	return true
}

// lead runs what waits, the leader's own piece first, and hands the lead on.
func (g *Group[P]) lead(ctx context.Context, own *caller[P]) error {
	g.mu.Lock()
	n := min(len(g.waiting), g.most)
	taken := slices.Clone(g.waiting[:n])
	g.waiting = slices.Delete(g.waiting, 0, n)
	g.mu.Unlock()

	errs := g.runAll(context.WithoutCancel(ctx), taken)

	g.mu.Lock()
	g.leading = len(g.waiting) > 0
	if g.leading {
		g.waiting[0].turn <- turn{lead: true}
	}
	g.mu.Unlock()
	var result error
	for i, c := range taken {
		if c == own {
			result = errs[i]
			continue
		}
		c.turn <- turn{err: errs[i]}
	}
	return result
}

// runAll runs the callers' pieces together, or each by itself if that fails.
func (g *Group[P]) runAll(ctx context.Context, callers []*caller[P]) []error {
	pieces := make([]P, len(callers))
	for i, c := range callers {
		pieces[i] = c.piece
	}
	errs := make([]error, len(callers))
	err := g.run(ctx, pieces)
	if err == nil || len(pieces) == 1 {
		errs[0] = err
		return errs
	}
	for i := range pieces {
		errs[i] = g.run(ctx, pieces[i:i+1])
	}
	return errs
}

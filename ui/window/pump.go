package window

import (
	"context"
	"sync"
	"time"

	"fyne.io/fyne/v2"
)

// pump carries work away from the toolkit's thread and what came of it back. It
// is the only place of the wing that starts a goroutine and the only one that
// calls fyne.Do.
type pump struct {
	ctx  context.Context
	post func(func()) // runs a function on the toolkit's thread, soon
	left sync.WaitGroup
}

// newPump makes a pump whose work ends with ctx.
func newPump(ctx context.Context) *pump { return &pump{ctx: ctx, post: func(f func()) { fyne.Do(f) }} }

// work runs f away from the toolkit's thread and what it returns, nil for
// nothing, on it.
func (p *pump) work(f func(ctx context.Context) func()) {
	p.left.Add(1)
	go func() {
		defer p.left.Done()
		if then := f(p.ctx); then != nil && p.ctx.Err() == nil {
			p.post(then)
		}
	}()
}

// wait waits for a time, a wake or the end.
func (p *pump) wait(d time.Duration, wake <-chan struct{}) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-wake:
	case <-p.ctx.Done():
	}
}

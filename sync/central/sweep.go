package central

import "context"

// sweeper is a store that can be left with objects that no blob names.
type sweeper interface {
	Sweep(ctx context.Context) (removed int, err error)
}

// sweeping removes, beside the serving, what a crash has left in the objects. end
// calls it off and waits until it has ended.
func (c *Central) sweeping(ctx context.Context) (end func()) {
	s, ok := c.store.(sweeper)
	if !ok {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	now, begin := context.WithCancel(context.WithoutCancel(ctx))
	context.AfterFunc(now, func() {
		defer close(ended)
		removed, err := s.Sweep(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			c.log.Error("the blobs could not be swept; it is done at the next start", "err", err)
		case removed > 0:
			c.log.Info("blobs that no record needs were removed", "count", removed)
		}
	})
	begin()
	return func() {
		cancel()
		<-ended
	}
}

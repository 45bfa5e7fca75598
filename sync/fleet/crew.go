package fleet

import (
	"sync"
	"time"
)

// crew does several things at the same time and waits for all of them. It is
// the one place where the fleet starts anything.
type crew struct{ group sync.WaitGroup }

// start begins a piece of work.
func (c *crew) start(work func()) {
	c.group.Add(1)
	time.AfterFunc(0, func() {
		defer c.group.Done()
		work()
	})
}

// wait waits until all that was started has ended.
func (c *crew) wait() { c.group.Wait() }

package fleet

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/counterproof/counterproof/sync/central"
	"github.com/counterproof/counterproof/sync/wire"
)

// tally counts what the whole fleet saw.
type tally struct {
	acked, shed, altered, forged, rewinds atomic.Int64

	life      atomic.Int64  // of the centre: how often it came back from an older copy
	kills     atomic.Int64  // of the centre
	outages   atomic.Int64  // of the database
	promotion time.Duration // how long the standby took to take over
	enrolling *http.Client  // who has no certificate yet
	due       chan struct{} // an event is due
	mu        sync.Mutex
	gone      []error // why counters gave up
}

// cost is what a phase took: time, and processor time of each part.
type cost struct{ wall, counters, centre, database time.Duration }

// invite makes a code for each agent, as a supervisor would, before anything
// is measured.
func (f *fleet) invite(ctx context.Context) error {
	s, err := openStore(ctx, f.cfg.Store, f.base.source, centreDir(f.cfg.Dir))
	if err != nil {
		return err
	}
	defer s.Close()
	c, err := central.Open(ctx, central.Config{Dir: centreDir(f.cfg.Dir), Training: true, Store: s})
	if err != nil {
		return err
	}
	for n := range f.cfg.Agents + f.cfg.Whole {
		i, err := c.Invite(ctx, central.Invitation{Site: wire.SiteID(fmt.Sprintf("FS%05d", n%100_000)), Address: "127.0.0.1:1"})
		if err != nil {
			return errors.Join(err, c.Close())
		}
		if n >= f.cfg.Agents {
			f.invites = append(f.invites, i)
			continue
		}
		f.agents = append(f.agents, &agent{fleet: f, invite: i, fork: n < f.cfg.Forks})
	}
	f.tally.enrolling = &http.Client{Transport: pinned(f.agents[0].invite), Timeout: patience}
	f.say("%d counters invited", f.cfg.Agents)
	return c.Close()
}

// live lets the fleet live: it enrols, makes its records, and sends them while
// befalls what is to befall it.
func (f *fleet) live(ctx context.Context) error {
	for _, phase := range []struct {
		name string
		cost *cost
		do   func(context.Context) error
	}{
		{"enrolled", &f.enrolling, f.enrol},
		{"filled", &f.making, f.prepare},
		{"heard", &f.sending, f.send},
		{"settled", new(cost), f.settle},
	} {
		var err error
		*phase.cost = f.during(func() { err = phase.do(ctx) })
		if err := errors.Join(err, ctx.Err()); err != nil {
			return err
		}
		f.say("all are %s", phase.name)
	}
	return nil
}

// enrol lets every counter spend its code.
func (f *fleet) enrol(ctx context.Context) error {
	if err := f.host.start(); err != nil {
		return err
	}
	f.each(ctx, (*agent).enrol)
	err := f.whole.Enrol(ctx, filepath.Join(f.cfg.Dir, "counters"), f.host.at(), f.invites, f.line.Over)
	f.tally.enrolling.CloseIdleConnections()
	f.host.stop()
	return err
}

// prepare lets every counter make its records.
func (f *fleet) prepare(ctx context.Context) error {
	f.each(ctx, (*agent).prepare)
	return f.whole.Fill(ctx, f.cfg.Rounds, newHeader, f.fill)
}

// send lets all counters send, and brings about meanwhile what is due.
func (f *fleet) send(ctx context.Context) error {
	if err := f.host.again(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := make(chan struct{})
	failed := make(chan error, 1)
	var others, wholes crew
	others.start(func() { f.tell(stop) })
	others.start(func() {
		err := f.befall(ctx, stop)
		if err != nil {
			cancel() // there is nobody left to speak to
		}
		failed <- err
	})
	begun := time.Now()
	wholes.start(func() { f.sendWhole(ctx) })
	f.each(ctx, speaking((*agent).live))
	f.speed = float64(f.tally.acked.Load()) / time.Since(begun).Seconds()
	wholes.wait()
	close(stop)
	others.wait()
	f.host.stop()
	return <-failed
}

// sendWhole lets the whole counters send, all at the same time.
func (f *fleet) sendWhole(ctx context.Context) {
	var all crew
	for _, c := range f.whole {
		all.start(func() {
			if err := c.Send(ctx); err != nil {
				f.giveUp(err)
			}
		})
	}
	all.wait()
}

// settle lets every counter look whether the centre has lost something, where it
// came back from an older copy.
func (f *fleet) settle(ctx context.Context) error {
	if !f.cfg.Restore {
		return nil
	}
	if err := f.host.again(); err != nil {
		return err
	}
	f.each(ctx, speaking((*agent).settle))
	f.each(ctx, speaking((*agent).restore))
	f.sendWhole(ctx)
	f.host.stop()
	return nil
}

// during measures a phase. What the centre spends is known when its process ends,
// so each phase begins and ends without one.
func (f *fleet) during(phase func()) cost {
	begun, own, database, centre := time.Now(), processor(), f.base.spent(), f.host.spent()
	phase()
	return cost{time.Since(begun), processor() - own, f.host.spent() - centre, f.base.spent() - database}
}

// each lets every counter that has not given up do something, some at a time.
func (f *fleet) each(ctx context.Context, do func(*agent, context.Context) error) {
	work := make(chan *agent)
	var workers crew
	for range min(f.cfg.Workers, f.cfg.Agents) {
		workers.start(func() {
			for a := range work {
				if err := do(a, ctx); err != nil {
					a.gone = true
					f.giveUp(err)
				}
			}
		})
	}
	for _, a := range f.agents {
		if !a.gone {
			work <- a
		}
	}
	close(work)
	workers.wait()
}

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

// giveUp notes why a counter ended before its time.
func (f *fleet) giveUp(err error) {
	f.tally.mu.Lock()
	defer f.tally.mu.Unlock()
	f.tally.gone = append(f.tally.gone, err)
}

// tell writes how far the fleet is, every two seconds.
func (f *fleet) tell(stop <-chan struct{}) {
	tick := time.NewTicker(2 * time.Second)
	defer tick.Stop()
	last := int64(0)
	for {
		select {
		case <-stop:
			return
		case <-tick.C:
			n := f.tally.acked.Load()
			f.say("%d acknowledged (%d/s), %d requests, %d shed", n, (n-last)/2, f.line.Seen().Requests, f.tally.shed.Load())
			last = n
		}
	}
}

package fleet

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/counterproof/counterproof/sync/central"
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// tally counts what the whole fleet saw.
type tally struct {
	acked, shed, altered, forged, rewinds atomic.Int64

	kills     atomic.Int64  // of the centre
	outages   atomic.Int64  // of the database
	promotion time.Duration // how long the standby took to take over
	enrolling *http.Client  // who has no certificate yet
	due       chan struct{} // a kill is due
	mu        sync.Mutex
	gone      []error // why counters gave up
}

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
	for n := range f.cfg.Agents {
		i, err := c.Invite(ctx, central.Invitation{Site: wire.SiteID(fmt.Sprintf("FS%05d", n%100_000)), Address: "127.0.0.1:1"})
		if err != nil {
			return errors.Join(err, c.Close())
		}
		f.agents = append(f.agents, &agent{fleet: f, invite: i, fork: n < f.cfg.Forks})
	}
	f.tally.enrolling = &http.Client{Transport: pinned(f.agents[0].invite), Timeout: patience}
	f.say("%d counters invited", f.cfg.Agents)
	return c.Close()
}

// pinned connects to the centre whose authority an invitation names.
func pinned(i store.Invite) http.RoundTripper {
	return connections(&tls.Config{
		MinVersion: tls.VersionTLS13, InsecureSkipVerify: true, // the pin verifies
		VerifyConnection: func(s tls.ConnectionState) error {
			for _, c := range s.PeerCertificates[1:] {
				if wire.HashOf(c.Raw) == i.CA {
					roots := x509.NewCertPool()
					roots.AddCert(c)
					_, err := s.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots})
					return err
				}
			}
			return x509.UnknownAuthorityError{}
		},
	})
}

// send lets the fleet live, and kills what is to be killed meanwhile.
func (f *fleet) send(ctx context.Context) error {
	if err := f.host.start(); err != nil {
		return err
	}
	f.say("the centre listens; %d counters at work at a time", f.cfg.Workers)
	f.tally.due = make(chan struct{}, f.cfg.Kills+f.cfg.DatabaseKills)
	begun, spent := time.Now(), processor()
	work := make(chan *agent)
	var workers, others crew
	for range min(f.cfg.Workers, f.cfg.Agents) {
		workers.start(func() {
			for a := range work {
				if err := a.live(ctx); err != nil {
					f.giveUp(err)
				}
			}
		})
	}
	stop := make(chan struct{})
	failed := make(chan error, 1)
	others.start(func() { f.tell(stop) })
	others.start(func() { failed <- f.reap(ctx, stop) })
	for _, a := range f.agents {
		work <- a
	}
	close(work)
	workers.wait()
	close(stop)
	others.wait()
	f.sending, f.cost = time.Since(begun), processor()-spent
	f.host.stop()
	return errors.Join(<-failed, ctx.Err())
}

// giveUp notes why a counter ended before its time.
func (f *fleet) giveUp(err error) {
	f.tally.mu.Lock()
	defer f.tally.mu.Unlock()
	f.tally.gone = append(f.tally.gone, err)
}

// acked counts one record and says when a kill is due: they come evenly over
// the run.
func (f *fleet) acked() {
	kills := f.cfg.Kills + f.cfg.DatabaseKills
	total := f.cfg.Agents * f.cfg.Rounds
	if n := int(f.tally.acked.Add(1)); kills > 0 && n*(kills+1)/total != (n-1)*(kills+1)/total && n < total {
		f.tally.due <- struct{}{}
	}
}

// reap kills the centre, or the database under it, whenever that is due, the
// two by turns.
func (f *fleet) reap(ctx context.Context, stop <-chan struct{}) error {
	centre, database := f.cfg.Kills, f.cfg.DatabaseKills
	for {
		select {
		case <-stop:
			return nil
		case <-f.tally.due:
		}
		if database > 0 && database >= centre {
			database--
			if err := f.outage(ctx, database == 0 && f.cfg.Failover); err != nil {
				return fmt.Errorf("bringing the database back: %w", err)
			}
			continue
		}
		centre--
		f.tally.kills.Add(1)
		f.say("the centre is killed")
		if err := f.host.crash(); err != nil {
			return fmt.Errorf("starting the centre again: %w", err)
		}
	}
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

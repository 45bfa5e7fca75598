package fleet

import (
	"context"
	"fmt"
)

// event is something that befalls the centre while the fleet sends.
type event string

// The events.
const (
	killCentre   event = "the centre is killed"
	killDatabase event = "the database is killed"
	takeOver     event = "the database is killed and its standby takes over"
	copyDisk     event = "the database is killed and its disk copied"
	restoreDisk  event = "the database comes back from the copy of its disk"
)

// plan is what befalls a fleet, in order: kills of the centre and of its database
// by turns. A copy of the disk is made first and comes back last, so that most
// is lost; a standby takes over at the last kill.
func plan(cfg Config) []event {
	var all []event
	if cfg.Restore {
		all = append(all, copyDisk)
	}
	for centre, database := cfg.Kills, cfg.DatabaseKills; centre+database > 0; {
		switch {
		case database < centre || database == 0:
			centre--
			all = append(all, killCentre)
		case database == 1 && cfg.Failover:
			database--
			all = append(all, takeOver)
		default:
			database--
			all = append(all, killDatabase)
		}
	}
	if cfg.Restore {
		all = append(all, restoreDisk)
	}
	return all
}

// acked counts one record and says when an event is due: they come evenly over
// the run.
func (f *fleet) acked() {
	events, total := len(f.events), f.cfg.Agents*f.cfg.Rounds
	if n := int(f.tally.acked.Add(1)); events > 0 && n*(events+1)/total != (n-1)*(events+1)/total && n < total {
		f.tally.due <- struct{}{}
	}
}

// befall brings about one event after the other, whenever the next is due.
func (f *fleet) befall(ctx context.Context, stop <-chan struct{}) error {
	for _, e := range f.events {
		select {
		case <-stop:
			return nil
		case <-f.tally.due:
		}
		f.say("%s", e)
		if err := f.happen(ctx, e); err != nil {
			return fmt.Errorf("when %s: %w", e, err)
		}
	}
	return nil
}

// happen brings about one event, and the centre back.
func (f *fleet) happen(ctx context.Context, e event) error {
	switch e {
	case killDatabase:
		f.tally.outages.Add(1)
		return f.base.outage(ctx)
	case takeOver:
		f.tally.outages.Add(1)
		took, err := f.base.takeOver(ctx)
		f.tally.promotion = took
		f.say("the standby took over in %v", took)
		return err
	}
	f.tally.kills.Add(1)
	f.host.kill()
	var err error
	switch e {
	case copyDisk:
		err = f.base.copy(ctx)
	case restoreDisk:
		f.tally.life.Add(1)
		err = f.base.restore(ctx)
	default:
		err = f.host.cut()
	}
	if err != nil {
		return err
	}
	return f.host.again()
}

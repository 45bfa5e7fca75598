package fleet

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/counterproof/counterproof/sync/fleet/cluster"
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/store/sqlite"
)

// opened is a central store that can be closed.
type opened interface {
	store.Store
	io.Closer
}

// openers open the central store of each engine: the one that a source names, or
// the one in the centre's folder.
var openers = map[Engine]func(ctx context.Context, source, dir string) (opened, error){
	SQLite: func(ctx context.Context, _, dir string) (opened, error) { return sqlite.Open(ctx, databaseFile(dir)) },
}

// openStore opens the central store of an engine.
func openStore(ctx context.Context, e Engine, source, dir string) (opened, error) {
	open, ok := openers[e]
	if !ok {
		return nil, fmt.Errorf("there is no store %q", e)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	return open(ctx, source, dir)
}

// base is what lies under the centre: for SQLite its own folder, else a
// database server.
type base struct {
	source string           // how the centre opens it; empty for SQLite
	server *cluster.Cluster // nil for SQLite
}

// openBase starts what the engine needs.
func openBase(ctx context.Context, cfg Config) (base, error) {
	if _, ok := openers[cfg.Store]; !ok {
		return base{}, fmt.Errorf("there is no store %q", cfg.Store)
	}
	if cfg.Store != Postgres {
		return base{}, nil
	}
	c, err := cluster.New(ctx, cfg.Failover)
	if err != nil {
		return base{}, err
	}
	return base{c.Source(), c}, nil
}

// close ends what was started.
func (b base) close() error {
	if b.server == nil {
		return nil
	}
	return b.server.Close()
}

// dirs are the folders with all that the centre and its base have written.
func (b base) dirs(own string) []string {
	if b.server == nil {
		return []string{own}
	}
	return append(b.server.Data(), own)
}

// outage kills the database server. It is started again, or its standby takes
// over for good.
func (f *fleet) outage(ctx context.Context, takeOver bool) error {
	f.say("the database is killed")
	f.tally.outages.Add(1)
	if err := f.base.server.Kill(); err != nil {
		return err
	}
	if !takeOver {
		return f.base.server.Restart(ctx)
	}
	took, err := f.base.server.Promote(ctx)
	f.tally.promotion = took
	f.say("the standby took over in %v", took)
	return err
}

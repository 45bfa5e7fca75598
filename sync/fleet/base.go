package fleet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/counterproof/counterproof/sync/fleet/cluster"
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/store/postgres"
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
	SQLite:   func(ctx context.Context, _, dir string) (opened, error) { return sqlite.Open(ctx, databaseFile(dir)) },
	Postgres: func(ctx context.Context, source, _ string) (opened, error) { return postgres.Open(ctx, source) },
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

// base is what lies under the centre: for SQLite a file of its own, else a
// database server.
type base struct {
	file   string           // of SQLite
	source string           // how the centre opens a server; empty for SQLite
	server *cluster.Cluster // nil for SQLite
}

// openBase starts what the engine needs.
func openBase(ctx context.Context, cfg Config) (base, error) {
	if _, ok := openers[cfg.Store]; !ok {
		return base{}, fmt.Errorf("there is no store %q", cfg.Store)
	}
	if cfg.Store != Postgres {
		return base{file: databaseFile(centreDir(cfg.Dir))}, nil
	}
	c, err := cluster.New(ctx, cfg.Failover)
	if err == nil && cfg.Break == BreakSync {
		err = c.Loosen(ctx)
	}
	if err != nil {
		return base{}, err
	}
	return base{source: c.Source(), server: c}, nil
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

// spent is the processor time of a database server so far.
func (b base) spent() time.Duration {
	if b.server == nil {
		return 0
	}
	return b.server.Spent()
}

// outage kills the database server and starts it again.
func (b base) outage(ctx context.Context) error {
	if err := b.server.Kill(); err != nil {
		return err
	}
	return b.server.Restart(ctx)
}

// takeOver kills the database server for good and promotes its standby.
func (b base) takeOver(ctx context.Context) (time.Duration, error) {
	if err := b.server.Kill(); err != nil {
		return 0, err
	}
	return b.server.Promote(ctx)
}

// The copy of SQLite's file lies beside it.
var companions = [...]string{"", "-wal", "-shm"}

// copy keeps what is on the disk now. The centre must be dead.
func (b base) copy(ctx context.Context) error {
	if b.server != nil {
		return b.server.Copy(ctx)
	}
	for _, suffix := range companions {
		if err := replace(b.file+".copy"+suffix, b.file+suffix); err != nil {
			return err
		}
	}
	return nil
}

// restore puts back what was copied. The centre must be dead.
func (b base) restore(ctx context.Context) error {
	if b.server != nil {
		return b.server.Restore(ctx)
	}
	for _, suffix := range companions {
		if err := replace(b.file+suffix, b.file+".copy"+suffix); err != nil {
			return err
		}
	}
	return nil
}

// replace makes one file the same as another, also in not being there.
func replace(to, from string) error {
	b, err := os.ReadFile(from)
	if errors.Is(err, os.ErrNotExist) {
		if err := os.Remove(to); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		return nil
	}
	if err != nil {
		return err
	}
	return os.WriteFile(to, b, 0o600)
}

package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/counterproof/counterproof/sync/fleet/line"
)

// ErrFound: the checker found what must not be.
var ErrFound = errors.New("the checker objects")

const usage = `fleetsim sends simulated counters to a real centre over TLS on this machine:
own keys, sealed and signed records, a line that loses, alters and doubles, a
centre that is killed and started again, counters restored from older disks.
Whole counters, with keys and a queue on a disk, may live among them.
It leaves with 1 unless nothing was lost, duplicated, altered or readable and
every planted fork was found.

  fleetsim --agents 2000 --rounds 5             the usual run
  fleetsim --agents 22000 --rounds 3 --kills 3 --whole 50
  fleetsim --store postgres --db-kills 3        kill the database server, too
  fleetsim --store postgres --standby           its synchronous standby takes over
  fleetsim --restore                            the centre comes back from an old copy
  fleetsim --break ack-before-commit            a broken centre; must be found out

`

// Command is the fleetsim command with its arguments. A run whose checker
// objects gives ErrFound.
func Command(ctx context.Context, args []string, out, progress io.Writer) error {
	cfg := Config{Faults: line.Usual(), Progress: progress}
	flags := flag.NewFlagSet("fleetsim", flag.ContinueOnError)
	flags.SetOutput(progress)
	flags.Usage = func() {
		fmt.Fprint(progress, usage)
		flags.PrintDefaults()
	}
	flags.IntVar(&cfg.Agents, "agents", 200, "simulated counters")
	flags.IntVar(&cfg.Whole, "whole", 0, "counters with keys and a queue on a disk, besides")
	flags.IntVar(&cfg.Rounds, "rounds", 5, "records that each makes")
	flags.IntVar(&cfg.Bytes, "bytes", 2000, "bytes of a record before it is sealed")
	flags.IntVar(&cfg.Blob, "blob", 0, "bytes of a large part beside each record, sent ahead of it")
	flags.IntVar(&cfg.Kills, "kills", 1, "how often the centre is killed (kill -9)")
	flags.IntVar(&cfg.DatabaseKills, "db-kills", 0, "how often the database server is killed (postgres)")
	flags.BoolVar(&cfg.Failover, "standby", false, "a synchronous standby takes over at the last kill of the database (postgres)")
	flags.BoolVar(&cfg.Restore, "restore", false, "bring the centre's database back from a copy that was made early in the run")
	flags.IntVar(&cfg.Forks, "forks", 20, "counters restored from an older disk image, at most all of them")
	flags.IntVar(&cfg.Workers, "workers", 64, "counters at work at the same time")
	flags.Uint64Var(&cfg.Seed, "seed", 1, "of the line's faults")
	flags.StringVar(&cfg.Dir, "dir", "", "folder for the centre; a temporary one, removed afterwards, by default")
	flags.StringVar((*string)(&cfg.Store), "store", string(SQLite), "sqlite or postgres")
	flags.StringVar((*string)(&cfg.Break), "break", "", fmt.Sprintf("build a fault into the centre: one of %v", Breaks()))
	whole := flags.Bool("whole-line", false, "a line without faults")
	asJSON := flags.Bool("json", false, "write the report as JSON")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	if *whole {
		cfg.Faults = line.Faults{}
	}
	cfg.Forks = min(cfg.Forks, cfg.Agents)
	if cfg.Failover && cfg.DatabaseKills == 0 {
		cfg.DatabaseKills = 1
	}
	if cfg.Dir == "" {
		dir, err := os.MkdirTemp("", "fleetsim-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		cfg.Dir = dir
	}
	return run(ctx, cfg, *asJSON, out)
}

// run runs the fleet and writes its report.
func run(ctx context.Context, cfg Config, asJSON bool, out io.Writer) error {
	r, err := Run(ctx, cfg)
	if err != nil {
		return err
	}
	if asJSON {
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		err = e.Encode(r)
	} else {
		err = r.Write(out)
	}
	if err == nil && !r.OK() {
		err = ErrFound
	}
	return err
}

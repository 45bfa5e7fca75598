// Package fleet is a nation of counters in one process, against a real centre
// in another: each has its own key, enrols with a code of its own, seals and
// signs real records and sends them over TLS, on a line that loses, alters,
// doubles and delays what it carries. Meanwhile the centre and its database are
// killed and started again, or come back from an older copy, and some counters
// go on from an older copy of their disk. In the end what the counters were told
// is held against what the centre has.
//
// It is a tool and a suite: no program of the counter or the centre imports it.
//
// # The laws
//
//   - The checker counts sets and believes nobody: what was acknowledged is
//     stored, what is stored was sent, each once, whole, under the log index of
//     its receipt, in chains without a hole.
//   - A fork that was planted and not found fails the run as a lost record does.
//   - The markers inside the sealed parts are searched for in all that the centre
//     wrote; a search that finds no sealed byte either has seen nothing and fails.
//   - A checker that cannot fail shows nothing: each Break is a centre with one
//     known fault, and the checker must object to it.
//   - A simulated counter waits a fraction of what a real one waits, enrols over a
//     whole line, and has sealed its records before it may send. Nothing else is
//     made easier for it.
package fleet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/counterproof/counterproof/sync/fleet/line"
	"github.com/counterproof/counterproof/sync/fleet/whole"
	"github.com/counterproof/counterproof/sync/seal"
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// Break is a fault that is built into the centre on purpose.
type Break string

// The breaks.
const (
	// BreakNone: the centre as it is.
	BreakNone Break = ""
	// BreakAck answers with a signed receipt first and stores some time later.
	BreakAck Break = "ack-before-commit"
	// BreakDedupe knows a repeated record by a random name, so by none.
	BreakDedupe Break = "random-dedupe"
	// BreakSync answers before the disk has a commit: SQLite as synchronous=NORMAL
	// does, so that what stands in the write-ahead log alone is gone after each
	// kill. PostgreSQL with synchronous_commit=off, which the centre refuses.
	BreakSync Break = "normal-sync"
)

// Breaks lists all faults that can be built in.
func Breaks() []Break { return []Break{BreakAck, BreakDedupe, BreakSync} }

// Config says how large a fleet is and what befalls it. Agents, Rounds and Dir
// are needed.
type Config struct {
	Agents  int    // counters
	Rounds  int    // records that each of them makes
	Dir     string // an empty folder for the centre and what belongs to it
	Store   Engine // SQLite if empty
	Bytes   int    // of a record before sealing; 2,000 if 0
	Blob    int    // bytes of a large part beside it, sent ahead; none if 0
	Kills   int    // how often the centre is killed, evenly over the run
	Forks   int    // counters that go on from an older copy of their disk
	Whole   int    // counters with keys and a queue on a disk, among the others
	Workers int    // counters at work at the same time; 64 if 0
	Faults  line.Faults
	Seed    uint64 // of the faults
	Break   Break
	// DatabaseKills is how often the database server is killed, and Failover
	// makes the last of them final: its synchronous standby takes over. Both
	// need the store postgres.
	DatabaseKills int
	Failover      bool
	// Restore brings the centre back from a copy of its disk that was made before
	// most records came: its counters must notice and send again.
	Restore bool
	// Command starts a centre of this program: it leads to Centre. The program
	// itself, with the environment that Run adds, if empty.
	Command  []string
	Progress io.Writer // a line now and then; nil for none
}

// Engine names a kind of central store.
type Engine string

// The engines.
const (
	SQLite   Engine = "sqlite"
	Postgres Engine = "postgres"
)

// check refuses what cannot run and fills in what was left open.
func (c *Config) check() error {
	if c.Agents < 1 || c.Rounds < 1 || c.Dir == "" {
		return errors.New("a fleet needs agents, rounds and a folder")
	}
	if c.Forks > c.Agents {
		return fmt.Errorf("%d forks need as many agents", c.Forks)
	}
	if c.Store == "" {
		c.Store = SQLite
	}
	if c.Store != Postgres && (c.DatabaseKills > 0 || c.Failover) {
		return errors.New("killing the database server needs the store postgres")
	}
	if c.Failover && c.Restore {
		return errors.New("a database that came back from a copy has no standby")
	}
	if c.Bytes == 0 {
		c.Bytes = 2000
	}
	if c.Workers == 0 {
		c.Workers = 64
	}
	if c.Progress == nil {
		c.Progress = io.Discard
	}
	return os.MkdirAll(c.Dir, 0o700)
}

// Run sends a fleet through its life and checks what became of it. The error
// means that the run itself failed; what the checker found is in the report.
func Run(ctx context.Context, cfg Config) (Report, error) {
	if err := cfg.check(); err != nil {
		return Report{}, fmt.Errorf("preparing the fleet: %w", err)
	}
	f, err := newFleet(ctx, cfg)
	if err != nil {
		return Report{}, fmt.Errorf("preparing the fleet: %w", err)
	}
	defer f.close()
	if err := f.live(ctx); err != nil {
		return Report{}, fmt.Errorf("running the fleet: %w", err)
	}
	report, err := f.judge(ctx)
	if err != nil {
		return Report{}, fmt.Errorf("checking the fleet: %w", err)
	}
	return report, nil
}

// fleet is a run under way.
type fleet struct {
	cfg    Config
	base   base
	host   *host // where the centre runs
	line   *line.Line
	key    seal.Key // opens what the fleet sealed
	to     wire.Recipient
	marks  [][]byte // stand inside every sealed part
	agents []*agent
	whole  whole.Group
	events []event
	tally  tally
	begun  time.Time

	invites []store.Invite // of the whole ones

	enrolling, making, sending cost
	speed                      float64 // records acknowledged in a second
}

// newFleet makes the centre's folder, one code for each agent, and the line.
func newFleet(ctx context.Context, cfg Config) (*fleet, error) {
	f := &fleet{cfg: cfg, begun: time.Now(), marks: marks(cfg.Seed), events: plan(cfg), line: line.New(cfg.Faults, cfg.Seed)}
	f.tally.due = make(chan struct{}, len(f.events))
	var err error
	if f.key, f.to, err = seal.GenerateKey(seal.Hybrid); err != nil {
		return nil, err
	}
	f.to.Part = wire.PartClaims
	if f.base, err = openBase(ctx, cfg); err != nil {
		return nil, err
	}
	f.host = newHost(cfg, f.base)
	if err := f.invite(ctx); err != nil {
		return nil, errors.Join(err, f.base.close())
	}
	return f, nil
}

// centreDir is the centre's data folder.
func centreDir(dir string) string { return filepath.Join(dir, "centre") }

// say writes a line of progress.
func (f *fleet) say(format string, args ...any) {
	fmt.Fprintf(f.cfg.Progress, "%6.1f s  "+format+"\n", append([]any{time.Since(f.begun).Seconds()}, args...)...)
}

// close ends what still runs.
func (f *fleet) close() {
	f.host.kill()
	_ = f.whole.Close()
	_ = f.base.close()
}

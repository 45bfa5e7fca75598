package fleet

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/counterproof/counterproof/sync/fleet/ledger"
	"github.com/counterproof/counterproof/sync/fleet/line"
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// The test binary is the centre, too, where a fleet starts it as one.
func TestMain(m *testing.M) {
	ours, err := Centre(context.Background(), os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if ours {
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// small is a fleet for a test, with every trouble.
func small(t *testing.T) Config {
	return Config{Agents: 40, Rounds: 4, Kills: 2, Forks: 6, Workers: 16, Faults: line.Usual(), Seed: 7, Dir: t.TempDir()}
}

// report runs a fleet.
func report(t *testing.T, cfg Config) Report {
	t.Helper()
	r, err := Run(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := r.Write(&text); err != nil {
		t.Fatal(err)
	}
	t.Log(text.String())
	return r
}

// A fleet on a bad line, whose centre is killed twice: nothing lost, doubled,
// altered or readable, every fork found.
func TestFleet(t *testing.T) {
	t.Parallel()
	cfg := small(t)
	r := report(t, cfg)
	if !r.OK() {
		t.Errorf("the checker objects: %+v", r)
	}
	if got, want := r.Findings.Stored, cfg.Agents*cfg.Rounds; got != want {
		t.Errorf("%d records are stored, want %d", got, want)
	}
	if r.Kills != cfg.Kills || r.Findings.Forks != cfg.Forks {
		t.Errorf("%d kills and %d forks, want %d and %d", r.Kills, r.Findings.Forks, cfg.Kills, cfg.Forks)
	}
	s := r.Line
	if s.Lost == 0 || s.Altered == 0 || s.Twice == 0 || s.AnswerLost == 0 || r.RefusedBytes == 0 {
		t.Errorf("the line was too good to show anything: %+v", s)
	}
}

// A centre that comes back from an older copy of its disk is given again what it
// has lost, by counters that had their receipts long before.
func TestFleetRestored(t *testing.T) {
	t.Parallel()
	cfg := small(t)
	cfg.Restore, cfg.Kills = true, 1
	r := report(t, cfg)
	if !r.OK() || r.Restored != 1 {
		t.Errorf("the checker objects: %+v", r)
	}
	if r.Rewinds == 0 {
		t.Error("nobody noticed that the centre was behind: nothing was lost")
	}
}

// Whole counters, with keys and a queue on a disk, live among the simulated ones
// and are held to the same.
func TestFleetWhole(t *testing.T) {
	t.Parallel()
	cfg := small(t)
	cfg.Whole, cfg.Restore, cfg.Kills = 3, true, 1
	r := report(t, cfg)
	if !r.OK() {
		t.Errorf("the checker objects: %+v", r)
	}
	if got, want := r.Findings.Stored, (cfg.Agents+cfg.Whole)*cfg.Rounds; got != want {
		t.Errorf("%d records are stored, want %d", got, want)
	}
}

// A large part goes ahead of each record.
func TestFleetWithBlobs(t *testing.T) {
	t.Parallel()
	cfg := small(t)
	cfg.Agents, cfg.Rounds, cfg.Kills, cfg.Blob = 6, 3, 1, 300_000
	if r := report(t, cfg); !r.OK() {
		t.Errorf("the checker objects: %+v", r)
	}
}

// Every fault that is built into the centre is found.
func TestBreaks(t *testing.T) {
	t.Parallel()
	for _, b := range Breaks() {
		t.Run(string(b), func(t *testing.T) {
			t.Parallel()
			cfg := small(t)
			cfg.Break = b
			r := report(t, cfg)
			f := r.Findings
			if r.OK() || f.OK() {
				t.Error("the checker does not object")
			}
			switch b {
			case BreakDedupe:
				if f.Duplicated == 0 {
					t.Error("no duplicate was found")
				}
			case BreakAck, BreakSync:
				if f.Lost+f.Moved+f.Altered == 0 {
					t.Error("nothing was found lost, moved or put in another's place")
				}
			}
		})
	}
}

// A marker that lies in clear on the centre's disk is found, and a search that
// sees no sealed byte does not count.
func TestSearch(t *testing.T) {
	t.Parallel()
	f := &fleet{cfg: Config{Dir: t.TempDir()}, marks: marks(9)}
	deep := filepath.Join(f.cfg.Dir, "a", "b")
	if err := os.MkdirAll(deep, 0o700); err != nil {
		t.Fatal(err)
	}
	sealed := bytes.Repeat([]byte{1, 2, 3, 4}, 32)
	var r Report
	if err := f.search(sealed, &r); err != nil || r.Sighted || r.Readable != 0 {
		t.Errorf("an empty disk: %+v, %v", r, err)
	}
	for n, mark := range append(f.marks, sealed) {
		text := append([]byte("before"), mark...)
		if err := os.WriteFile(filepath.Join(deep, fmt.Sprint(n)), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.search(sealed, &r); err != nil || !r.Sighted || r.Readable != len(f.marks) {
		t.Errorf("got %+v, %v; want all %d markers", r, err, len(f.marks))
	}
	if bytes.Equal(f.marks[0], marks(10)[0]) {
		t.Error("two runs have the same markers")
	}
}

// A record opens with the key that it was sealed to, and is held against what it
// must say; with another key, or with another record's parts, it does not open.
func TestOpen(t *testing.T) {
	t.Parallel()
	a, _ := newCounter(t, Config{Rounds: 2}, taken())
	other, _ := newCounter(t, Config{Rounds: 1}, taken())
	mixed := a.chain[0]
	mixed.Parts = a.chain[1].Parts
	for _, tt := range []struct {
		name     string
		fleet    *fleet
		record   wire.Envelope
		unopened int
	}{
		{"own", a.fleet, a.chain[0], 0},
		{"another key", other.fleet, a.chain[0], 1},
		{"another record's parts", a.fleet, mixed, 1},
		{"no parts", a.fleet, wire.Envelope{Header: a.chain[0].Header}, 1},
		{"nothing", a.fleet, wire.Envelope{}, 1},
	} {
		var r Report
		tt.fleet.open(store.Record{Envelope: tt.record}, &r)
		if r.Opened != 1 || r.Unopened != tt.unopened {
			t.Errorf("%s: %d looked at, %d did not open; want 1, %d", tt.name, r.Opened, r.Unopened, tt.unopened)
		}
	}
}

// What a report must not show, and what makes it good.
func TestReportOK(t *testing.T) {
	t.Parallel()
	good := Report{Agents: 1, Rounds: 1, Sighted: true, Opened: 1, Findings: ledger.Findings{Acked: 1, Stored: 1}}
	if !good.OK() {
		t.Fatal("a good report is not OK")
	}
	for name, spoil := range map[string]func(*Report){
		"readable": func(r *Report) { r.Readable = 1 },
		"blind":    func(r *Report) { r.Sighted = false },
		"gave up":  func(r *Report) { r.GaveUp = 1 },
		"unopened": func(r *Report) { r.Unopened = 1 },
		"unlooked": func(r *Report) { r.Opened = 0 },
		"unsent":   func(r *Report) { r.Findings.Acked = 0 },
		"lost":     func(r *Report) { r.Findings.Lost = 1 },
		"fork":     func(r *Report) { r.Findings.Forks = 1 },
	} {
		bad := good
		if spoil(&bad); bad.OK() {
			t.Errorf("%s: the report is OK", name)
		}
	}
}

// What cannot run is refused before anything is made.
func TestConfigRefused(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]Config{
		"nobody":            {Rounds: 1, Dir: "x"},
		"no rounds":         {Agents: 1, Dir: "x"},
		"no folder":         {Agents: 1, Rounds: 1},
		"more forks":        {Agents: 1, Rounds: 1, Dir: "x", Forks: 2},
		"database of none":  {Agents: 1, Rounds: 1, Dir: "x", DatabaseKills: 1},
		"failover of none":  {Agents: 1, Rounds: 1, Dir: "x", Failover: true},
		"restored standby":  {Agents: 1, Rounds: 1, Dir: "x", Store: Postgres, Failover: true, Restore: true},
		"a store of no one": {Agents: 1, Rounds: 1, Dir: filepath.Join(t.TempDir(), "x"), Store: "paper"},
	} {
		if _, err := Run(t.Context(), cfg); err == nil {
			t.Errorf("%s: it ran", name)
		}
	}
	if _, err := breakStore(nil, "sabotage", ""); err == nil {
		t.Error("an unknown break is taken")
	}
}

// The command: its help, its JSON, its refusal of a broken centre.
func TestCommand(t *testing.T) {
	t.Parallel()
	var out, progress bytes.Buffer
	if err := Command(t.Context(), []string{"--help"}, &out, &progress); err != nil {
		t.Error(err)
	}
	for _, word := range []string{"--agents 2000 --rounds 5", "-kills", "-standby", string(BreakDedupe)} {
		if !strings.Contains(progress.String(), word) {
			t.Errorf("the help does not say %q", word)
		}
	}
	if err := Command(t.Context(), []string{"--fleet"}, &out, &progress); err == nil {
		t.Error("an unknown flag is taken")
	}
	few := []string{"--agents", "4", "--rounds", "2", "--kills", "0", "--whole-line", "--json", "--dir", t.TempDir()}
	out.Reset()
	if err := Command(t.Context(), few, &out, &progress); err != nil {
		t.Error(err)
	}
	var r Report
	if err := json.Unmarshal(out.Bytes(), &r); err != nil || r.Findings.Stored != 8 || r.Line.Lost != 0 {
		t.Errorf("got %s, %v", out.String(), err)
	}
	bad := []string{"--agents", "12", "--rounds", "3", "--kills", "0", "--break", string(BreakDedupe)}
	if err := Command(t.Context(), bad, &out, &progress); !errors.Is(err, ErrFound) {
		t.Errorf("a broken centre: got %v, want %v", err, ErrFound)
	}
}

// Who is not started as a centre is none, and nonsense is refused.
func TestCentre(t *testing.T) {
	if ours, err := Centre(t.Context(), nil); ours || err != nil {
		t.Errorf("got %v, %v; want no centre", ours, err)
	}
	t.Setenv(centreEnv, "{")
	if ours, err := Centre(t.Context(), nil); !ours || err == nil {
		t.Errorf("got %v, %v; want an error", ours, err)
	}
}

package fleet

import (
	"errors"
	"strings"
	"testing"

	"github.com/counterproof/counterproof/sync/fleet/cluster"
)

// onPostgres runs a fleet on a database server of its own, or skips where there is
// none to be had.
func onPostgres(t *testing.T, cfg Config) (Report, error) {
	t.Helper()
	cfg.Store = Postgres
	r, err := Run(t.Context(), cfg)
	if errors.Is(err, cluster.ErrAbsent) {
		t.Skipf("SKIPPED: no fleet on PostgreSQL, for no server can be started here: %v", err)
	}
	if err == nil {
		var text strings.Builder
		_ = r.Write(&text)
		t.Log(text.String())
	}
	return r, err
}

// The same fleet on PostgreSQL: its server killed as well as the centre, a
// synchronous standby that takes over for good, a copy of its disk that comes
// back.
func TestPostgres(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		set  func(*Config)
		want func(Report) bool
	}{
		{"killed", func(c *Config) { c.Kills, c.DatabaseKills = 1, 2 }, func(r Report) bool { return r.DatabaseKills == 2 }},
		{"standby", func(c *Config) { c.Kills, c.DatabaseKills, c.Failover = 0, 1, true }, func(r Report) bool { return r.Promotion > 0 }},
		{"restored", func(c *Config) { c.Kills, c.Restore = 0, true }, func(r Report) bool { return r.Restored == 1 && r.Rewinds > 0 }},
		{"large parts", func(c *Config) { c.Agents, c.Kills, c.DatabaseKills, c.Blob = 8, 0, 1, 300_000 }, func(r Report) bool { return r.Blob > 0 }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cfg := small(t)
			tt.set(&cfg)
			r, err := onPostgres(t, cfg)
			if err != nil {
				t.Fatal(err)
			}
			if !r.OK() || !tt.want(r) {
				t.Errorf("the checker objects, or it did not come about: %+v", r)
			}
			if got, want := r.Findings.Stored, cfg.Agents*cfg.Rounds; got != want {
				t.Errorf("%d records are stored, want %d", got, want)
			}
			if r.Sending.Database == 0 {
				t.Error("the database server cost nothing: it was not used")
			}
		})
	}
}

// A fault that is built into the centre is found on PostgreSQL, too; and a server
// that answers before its disk has a commit is not even opened.
func TestPostgresBreaks(t *testing.T) {
	t.Parallel()
	for _, b := range Breaks() {
		t.Run(string(b), func(t *testing.T) {
			t.Parallel()
			cfg := small(t)
			cfg.Break, cfg.Forks = b, 2
			r, err := onPostgres(t, cfg)
			if b == BreakSync {
				if err == nil || !strings.Contains(err.Error(), "synchronous_commit=off") {
					t.Errorf("got %v, want the server refused", err)
				}
				return
			}
			if err != nil || r.OK() || r.Findings.OK() {
				t.Errorf("the checker does not object: %+v, %v", r, err)
			}
		})
	}
}

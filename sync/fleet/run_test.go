package fleet

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
)

// All that is started has ended when the wait ends.
func TestCrew(t *testing.T) {
	t.Parallel()
	var c crew
	var done atomic.Int32
	begin := make(chan struct{})
	for range 10 {
		c.start(func() { <-begin; done.Add(1) })
	}
	close(begin)
	if c.wait(); done.Load() != 10 {
		t.Errorf("%d pieces of work ended, want 10", done.Load())
	}
}

// Kills come evenly over the run, and never after its last record.
func TestKillsAreDueEvenly(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		agents, rounds, kills, outages int
		want                           []int
	}{
		{10, 1, 1, 0, []int{5}},
		{10, 2, 3, 0, []int{5, 10, 15}},
		{100, 1, 2, 2, []int{20, 40, 60, 80}},
		{10, 1, 0, 0, nil},
		{1, 2, 1, 0, []int{1}},
	} {
		cfg := Config{Agents: tt.agents, Rounds: tt.rounds, Kills: tt.kills, DatabaseKills: tt.outages}
		f := &fleet{cfg: cfg}
		f.tally.due = make(chan struct{}, tt.kills+tt.outages)
		var got []int
		for n := 1; n <= tt.agents*tt.rounds+5; n++ {
			before := len(f.tally.due)
			if f.acked(); len(f.tally.due) > before {
				got = append(got, n)
			}
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%+v: kills after %v", tt, got)
		}
	}
}

// A program that is no centre is told to be none, and one that is not there, too.
func TestHostNeedsACentre(t *testing.T) {
	t.Parallel()
	for _, command := range [][]string{{"/bin/true"}, {filepath.Join(t.TempDir(), "none")}} {
		h := newHost(Config{Dir: t.TempDir(), Command: command}, base{})
		if err := h.start(); err == nil {
			t.Errorf("%v listens", command)
		}
		h.kill()
		h.kill() // there is nothing left to kill
	}
}

// The disk of a database that does not sync has lost its log after a power cut,
// and that of another has not.
func TestPowerCutTakesTheLog(t *testing.T) {
	t.Parallel()
	for b, kept := range map[Break]bool{BreakNone: true, BreakAck: true, BreakSync: false} {
		h := newHost(Config{Dir: t.TempDir(), Break: b, Command: []string{"/bin/true"}}, base{})
		wal := databaseFile(h.task.Dir) + "-wal"
		if err := errors.Join(os.MkdirAll(h.task.Dir, 0o700), os.WriteFile(wal, []byte("log"), 0o600)); err != nil {
			t.Fatal(err)
		}
		if err := h.cut(); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(wal); (err == nil) != kept {
			t.Errorf("%q: the log is kept: %v, want %v", b, err == nil, kept)
		}
	}
}

// Only a store that is known is opened, and all that was written is searched.
func TestBase(t *testing.T) {
	t.Parallel()
	if _, err := openStore(t.Context(), "paper", "", t.TempDir()); err == nil {
		t.Error("a store of paper is opened")
	}
	b, err := openBase(t.Context(), Config{Store: SQLite})
	if err != nil || b.source != "" || !slices.Equal(b.dirs("own"), []string{"own"}) || b.close() != nil {
		t.Errorf("SQLite needs nothing: got %+v, %v", b, err)
	}
}

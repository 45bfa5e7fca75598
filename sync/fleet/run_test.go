package fleet

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
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

// Kills come by turns, a copy first and back last, and a takeover is the
// database's last.
func TestPlan(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		cfg  Config
		want []event
	}{
		{Config{}, nil},
		{Config{Kills: 2}, []event{killCentre, killCentre}},
		{Config{Kills: 1, DatabaseKills: 2}, []event{killDatabase, killDatabase, killCentre}},
		{Config{Kills: 2, DatabaseKills: 2}, []event{killDatabase, killCentre, killDatabase, killCentre}},
		{Config{Kills: 3, DatabaseKills: 1}, []event{killCentre, killCentre, killDatabase, killCentre}},
		{Config{DatabaseKills: 2, Failover: true}, []event{killDatabase, takeOver}},
		{Config{Kills: 1, Restore: true}, []event{copyDisk, killCentre, restoreDisk}},
	} {
		if got := plan(tt.cfg); !slices.Equal(got, tt.want) {
			t.Errorf("%+v:\ngot  %v\nwant %v", tt.cfg, got, tt.want)
		}
	}
}

// Events come evenly over the run, and never after its last record.
func TestEventsAreDueEvenly(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		agents, rounds, kills int
		want                  []int
	}{
		{10, 1, 1, []int{5}},
		{10, 2, 3, []int{5, 10, 15}},
		{100, 1, 4, []int{20, 40, 60, 80}},
		{10, 1, 0, nil},
		{1, 2, 1, []int{1}},
	} {
		cfg := Config{Agents: tt.agents, Rounds: tt.rounds, Kills: tt.kills}
		f := &fleet{cfg: cfg, events: plan(cfg)}
		f.tally.due = make(chan struct{}, tt.kills)
		var got []int
		for n := 1; n <= tt.agents*tt.rounds+5; n++ {
			before := len(f.tally.due)
			if f.acked(); len(f.tally.due) > before {
				got = append(got, n)
			}
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%+v: due after %v", tt, got)
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
	if err != nil || b.source != "" || b.spent() != 0 || !slices.Equal(b.dirs("own"), []string{"own"}) || b.close() != nil {
		t.Errorf("SQLite needs nothing: got %+v, %v", b, err)
	}
}

// A copy of the disk brings back what was there, and only that.
func TestBaseCopy(t *testing.T) {
	t.Parallel()
	b := base{file: filepath.Join(t.TempDir(), "centre.db")}
	write := func(suffix, text string) {
		if err := os.WriteFile(b.file+suffix, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("", "old")
	if err := b.copy(t.Context()); err != nil {
		t.Fatal(err)
	}
	write("", "new")
	write("-wal", "log")
	if err := b.restore(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(b.file); err != nil || string(got) != "old" {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := os.Stat(b.file + "-wal"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the log of later is there: %v", err)
	}
}

// Waits grow with the tries up to a most, are never in phase, and are at least
// what was asked for.
func TestWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, try := range []int{0, 3, 90} {
			begun := time.Now()
			if err := wait(t.Context(), try, time.Second); err != nil {
				t.Fatal(err)
			}
			most := time.Second + min(waitMin<<min(try, 20), waitMax)
			if took := time.Since(begun); took < time.Second || took > most {
				t.Errorf("try %d waited %v, want at most %v", try, took, most)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if err := wait(ctx, 0, time.Hour); err == nil {
			t.Error("it waited out its request")
		}
	})
}

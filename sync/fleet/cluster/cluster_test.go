package cluster

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// start starts a cluster, or skips where there is no PostgreSQL.
func start(t *testing.T, standby bool) *Cluster {
	t.Helper()
	c, err := New(t.Context(), standby)
	if errors.Is(err, ErrAbsent) {
		t.Skipf("SKIPPED: no database server can be started here: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// do runs statements that must succeed.
func do(t *testing.T, c *Cluster, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if err := c.SQL(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
}

// A killed server comes back with what it had committed.
func TestKill(t *testing.T) {
	t.Parallel()
	c := start(t, false)
	do(t, c, "CREATE TABLE t(n int)", "INSERT INTO t VALUES(1)")
	if err := c.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := c.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	do(t, c, "SELECT 1/count(*) FROM t")
	if err := c.SQL(t.Context(), "SELECT 1/count(*) FROM t WHERE n=2"); err == nil {
		t.Error("a statement that fails is told to have succeeded")
	}
	if _, err := c.Promote(t.Context()); err == nil {
		t.Error("a standby that is not there took over")
	}
	if n := len(c.Data()); n != 1 || strings.Contains(c.Source(), ",") {
		t.Errorf("%d folders, %s", n, c.Source())
	}
}

// A standby that takes over has what was committed, and its old primary stays
// dead.
func TestPromote(t *testing.T) {
	t.Parallel()
	c := start(t, true)
	do(t, c, "CREATE TABLE t(n int)", "INSERT INTO t VALUES(1)")
	before := c.Source()
	if err := c.Kill(); err != nil {
		t.Fatal(err)
	}
	took, err := c.Promote(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("the standby took over in %v", took)
	do(t, c, "SELECT 1/count(*) FROM t", "INSERT INTO t VALUES(2)")
	if _, err := c.Promote(t.Context()); err == nil {
		t.Error("a second standby took over, and there was but one")
	}
	if err := c.Restart(t.Context()); err == nil {
		t.Error("the old primary was started again")
	}
	if len(c.Data()) != 2 || strings.Count(before, "127.0.0.1:") != 2 {
		t.Errorf("%v, %s", c.Data(), before)
	}
}

// What makes a database safe is on, and nobody reaches it from elsewhere.
func TestSettings(t *testing.T) {
	t.Parallel()
	c := start(t, false)
	for name, want := range map[string]string{
		"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on", "data_checksums": "on", "listen_addresses": "127.0.0.1",
	} {
		do(t, c, "SELECT 1/(current_setting('"+name+"')='"+want+"')::int")
	}
	if err := c.SQL(t.Context(), "SELECT 1/(current_setting('fsync')='off')::int"); err == nil {
		t.Error("the question cannot fail")
	}
}

// With a standby a commit is answered by both disks: where the standby is dead it
// waits, and what the primary alone has is no answer.
func TestStandbyIsSynchronous(t *testing.T) {
	t.Parallel()
	c := start(t, true)
	do(t, c, "CREATE TABLE t(n int)", "INSERT INTO t VALUES(1)")
	if err := kill(c.standby); err != nil {
		t.Fatal(err)
	}
	hurried, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if err := c.SQL(hurried, "INSERT INTO t VALUES(2)"); err == nil {
		t.Error("a commit was answered that the standby does not have")
	}
	if err := c.start(t.Context(), c.standby); err != nil {
		t.Fatal(err)
	}
	do(t, c, "INSERT INTO t VALUES(3)")
}

// What is not there is neither killed nor promoted nor waited for.
func TestNothingThere(t *testing.T) {
	t.Parallel()
	c := start(t, false)
	dir, pid := c.dir, filepath.Join(c.primary.data, "postmaster.pid")
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder is left: %v", err)
	}
	if err := c.Kill(); err == nil {
		t.Error("a server that is gone was killed")
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Restart(ended); err == nil {
		t.Error("a server without its folder was started")
	}
	if err := c.until(ended, "SELECT 1"); err == nil {
		t.Error("a server that is gone answers")
	}
	if err := os.MkdirAll(filepath.Dir(pid), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	for _, text := range []string{"", "postmaster\n", "0\n", "-1\n", "1\n"} {
		if err := os.WriteFile(pid, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := c.Kill(); err == nil {
			t.Errorf("%q was killed", text)
		}
	}
}

// A disk that is put back has what it had when it was copied, and nothing since.
func TestCopy(t *testing.T) {
	t.Parallel()
	c := start(t, false)
	if err := c.Restore(t.Context()); err == nil {
		t.Error("what was never copied was put back")
	}
	do(t, c, "CREATE TABLE t(n int)", "INSERT INTO t VALUES(1)")
	if err := c.Copy(t.Context()); err != nil {
		t.Fatal(err)
	}
	do(t, c, "INSERT INTO t VALUES(2)")
	if err := c.Restore(t.Context()); err != nil {
		t.Fatal(err)
	}
	do(t, c, "SELECT 1/(sum(n)=1)::int FROM t")
	if c.Spent() == 0 {
		t.Error("all that cost nothing")
	}
}

// A loosened server loses what it has answered, sooner or later: the kills of the
// other tests are real ones.
func TestLoosen(t *testing.T) {
	t.Parallel()
	c := start(t, false)
	do(t, c, "CREATE TABLE t(n int)")
	if err := c.Loosen(t.Context()); err != nil {
		t.Fatal(err)
	}
	// Whole pages of its log go out soon; what stands in the last one may not.
	for range 8 {
		do(t, c, "TRUNCATE t", "INSERT INTO t VALUES(1)", "INSERT INTO t VALUES(2)", "INSERT INTO t VALUES(3)")
		if err := errors.Join(c.Kill(), c.Restart(t.Context())); err != nil {
			t.Fatal(err)
		}
		if c.SQL(t.Context(), "SELECT 1/(count(*)=3)::int FROM t") != nil {
			return
		}
	}
	t.Error("nothing was lost")
}

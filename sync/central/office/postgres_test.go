package office_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/counterproof/counterproof/sync/central"
	"github.com/counterproof/counterproof/sync/central/office"
	"github.com/counterproof/counterproof/sync/fleet/cluster"
)

// TestDatabase: with --database the centre's records are there and nowhere else,
// for every command alike.
func TestDatabase(t *testing.T) {
	t.Parallel()
	server, err := cluster.New(context.Background(), false)
	if errors.Is(err, cluster.ErrAbsent) {
		t.Skipf("SKIPPED: nothing is proved about commands on PostgreSQL: %v (apt-get install postgresql)", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	dir := t.TempDir()
	c, err := central.Open(t.Context(), central.Config{Dir: dir, Database: server.Source()})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	run := func(database string, args ...string) (string, error) {
		cmd := office.Command()
		var out bytes.Buffer
		cmd.SetOut(&out)
		cmd.SetErr(&out)
		cmd.SetArgs(append([]string{"--data", dir, "--database", database, "--by", "pat"}, args...))
		err := cmd.ExecuteContext(t.Context())
		return out.String(), err
	}
	for _, s := range []struct{ args, want string }{
		{"invite --opener --address centre.example:8443", "cpi1:"}, {"agents", "STATUS"}, {"settings --pace 600", "pace 600"},
		{"status", "version 2"}, {"flags", "NUMBER"}, {"migrate", "the database is sound"},
	} {
		if out, err := run(server.Source(), strings.Fields(s.args)...); err != nil || !strings.Contains(out, s.want) {
			t.Errorf("%s: got %q, %v", s.args, out, err)
		}
	}
	if out, err := run("", "migrate"); err == nil || !strings.Contains(err.Error(), "no database") {
		t.Errorf("a file was made beside it: %q, %v", out, err)
	}
	if out, err := run("postgres://user:secret@127.0.0.1:1/none", "agents"); err == nil || strings.Contains(err.Error()+out, "secret") {
		t.Errorf("a server that is away: %q, %v", out, err)
	}
}

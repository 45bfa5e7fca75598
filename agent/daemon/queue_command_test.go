package daemon_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/counterproof/counterproof/agent/api/client"
	"github.com/counterproof/counterproof/agent/outbox"
	"github.com/counterproof/counterproof/agent/packet"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/sync/central"
)

// sealed puts n invented records into a counter's queue, which must not run.
func (c *counter) sealed(n int) {
	c.t.Helper()
	box, err := outbox.Open(c.conf.Data, "test")
	if err != nil {
		c.t.Fatal(err)
	}
	for i := range n {
		_, err := box.Record(c.t.Context(), [16]byte{byte(i + 1)}, true, []packet.Part{{Name: packet.Claims, Bytes: []byte("PLANTED")}})
		if err != nil {
			c.t.Fatal(err)
		}
	}
	if err := box.Close(); err != nil {
		c.t.Fatal(err)
	}
}

// TestCarryByCommand: what waits goes out as a file, whether the counter runs or
// not, and into another counter, whether that runs or not.
func TestCarryByCommand(t *testing.T) {
	t.Parallel()
	centre := newCentre(t)
	newOpener(t, centre.invite(t, central.Invitation{Opener: true}))
	enrolled := func() *counter {
		c := &counter{t: t, conf: configure(t, folder(t))}
		if _, err := c.command(centre.invite(t, central.Invitation{Site: site})+"\n", "enrol"); err != nil {
			t.Fatal(err)
		}
		c.client = client.New(c.conf.SocketPath())
		return c
	}
	from, into := enrolled(), enrolled()
	from.sealed(3)
	file := filepath.Join(t.TempDir(), "counter.parcel")
	out, err := from.command("", "queue", "export", file)
	if err != nil || !strings.HasPrefix(out, "3 records") {
		t.Fatalf("exporting says %q: %v", out, err)
	}
	b, err := os.ReadFile(file)
	if err != nil || bytes.Contains(b, []byte("PLANTED")) {
		t.Errorf("the file shows what is in it: %v", err)
	}
	if _, err := from.command("", "queue", "export", file); err == nil {
		t.Error("a file was written over")
	}
	if _, err := from.command("", "queue", "export"); err == nil {
		t.Error("exported into nothing")
	}
	if out, err := into.command("", "queue", "import", file); err != nil || !strings.HasPrefix(out, "3 records") {
		t.Errorf("importing says %q: %v", out, err)
	}
	if out, err := into.command("", "queue", "list"); err != nil || strings.Count(out, "\n") != 3 {
		t.Errorf("the list is %q: %v", out, err)
	}
	running := enrolled()
	running.run()
	if out, err := running.command("", "queue", "import", file); err != nil || !strings.Contains(out, "within a minute") {
		t.Errorf("importing beside the daemon says %q: %v", out, err)
	}
	if out, err := running.command("", "queue", "export", file+".2"); err != nil || !strings.Contains(out, "records are in") {
		t.Errorf("exporting beside the daemon says %q: %v", out, err)
	}
	running.stop()
	none := &counter{t: t, conf: configure(t, folder(t))}
	if _, err := none.command("", "queue", "import", file); proof.KindOf(err) != proof.KindNotEnrolled {
		t.Errorf("into a counter that is not enrolled: %v", err)
	}
	if _, err := none.command("", "queue", "export", filepath.Join(t.TempDir(), "x")); err != nil {
		t.Errorf("an empty queue: %v", err)
	}
}

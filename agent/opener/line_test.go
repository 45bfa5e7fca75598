package opener

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/packet"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/route"
	"github.com/counterproof/counterproof/sync/central"
	"github.com/counterproof/counterproof/sync/custody"
	"github.com/counterproof/counterproof/sync/queue"
	"github.com/counterproof/counterproof/sync/seal"
	"github.com/counterproof/counterproof/sync/uplink"
	"github.com/counterproof/counterproof/sync/wire"
)

// realCentre serves a training centre until the test ends, and says where.
func realCentre(t *testing.T) (*central.Central, string) {
	t.Helper()
	c, err := central.Open(t.Context(), central.Config{Dir: t.TempDir(), Training: true})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := central.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- c.Serve(ctx, ln) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c, ln.Addr().String()
}

// invite makes an invitation.
func invite(t *testing.T, c *central.Central, i central.Invitation) string {
	t.Helper()
	got, err := c.Invite(t.Context(), i)
	if err != nil {
		t.Fatal(err)
	}
	return got.String()
}

// sendVisit enrols a counter and sends one visit on its way, until the test ends.
func sendVisit(t *testing.T, invitation string) {
	t.Helper()
	dir := t.TempDir()
	keeper, err := custody.Open(filepath.Join(dir, "identity"))
	if err != nil {
		t.Fatal(err)
	}
	q, _, err := queue.Open(filepath.Join(dir, "queue", "queue.db"))
	if err != nil {
		t.Fatal(err)
	}
	client := uplink.New(uplink.Config{Keeper: keeper, Queue: q})
	identity, err := client.Enrol(t.Context(), invitation)
	if err != nil {
		t.Fatal(err)
	}
	bundle, err := seal.VerifyBundle(identity.Bundle, identity.BundleKey)
	if err != nil {
		t.Fatal(err)
	}
	id := wire.RecordID{1, 2, 3}
	events := sealing{}.visit(t, id)
	// A page picture too large to travel with the record goes ahead of it.
	picture := func(proof.PictureID) ([]byte, error) { return make([]byte, 2*wire.MaxInline), nil }
	parts, err := packet.Build(route.Fold(events), events, picture)
	if err != nil {
		t.Fatal(err)
	}
	h := wire.Header{Version: 1, Agent: identity.Agent, Record: id, Wall: sealedAt, Training: true}
	sealed := sealAll(t, &h, bundle.Recipients, parts)
	_, err = q.Enqueue(t.Context(), id, func(seq wire.Seq, prev wire.Hash) (wire.Envelope, error) {
		h.Seq, h.Prev = seq, prev
		return seal.Envelope(h, sealed, keeper.Signer())
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- client.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := q.Close(); err != nil {
			t.Error(err)
		}
	})
}

// The whole line over real connections: keys, enrolment, a counter's record,
// the centre, and the record opened and scored again.
func TestLine(t *testing.T) {
	t.Parallel()
	c, address := realCentre(t)
	dir := t.TempDir()
	if _, err := command(t, "keygen", "--data", dir); err != nil {
		t.Fatal(err)
	}
	invitation := invite(t, c, central.Invitation{Opener: true, Address: address})
	if out, err := command(t, "enrol", "--data", dir, "--invite", invitation); err != nil || !strings.HasPrefix(out, "enrolled") {
		t.Fatalf("enrolling printed %q, %v", out, err)
	}
	if out, err := command(t, "run", "--data", dir, "--once"); err != nil || out != "" {
		t.Fatalf("an empty centre shows %q, %v", out, err)
	}
	sendVisit(t, invite(t, c, central.Invitation{Site: "FA123", Address: address}))
	out := ""
	for deadline := time.Now().Add(time.Minute); out == "" && time.Now().Before(deadline); {
		var err error
		if out, err = command(t, "run", "--data", dir, "--once", "--json"); err != nil {
			t.Fatal(err)
		}
	}
	var r Result
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatalf("one line of JSON: %v in %q", err, out)
	}
	if r.Level != proof.Low || r.Profile != "L1B" || !r.Agrees || !r.Training || r.Seq != 1 || r.LogIndex != 1 || len(r.Findings) != 0 {
		t.Errorf("the record came to %s", out)
	}
	if again, err := command(t, "run", "--data", dir, "--once"); err != nil || again != "" {
		t.Errorf("it was shown again after the cursor: %q, %v", again, err)
	}
	if err := os.Remove(filepath.Join(dir, cursorFile)); err != nil {
		t.Fatal(err)
	}
	// A result that reached nobody leaves the cursor where it was.
	cmd := Command()
	cmd.SetArgs([]string{"run", "--data", dir})
	cmd.SetOut(broken{})
	cmd.SetErr(io.Discard)
	if err := cmd.ExecuteContext(t.Context()); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("on a closed pipe: got %v", err)
	}
	named, err := command(t, "run", "--data", dir, "--once", "--show-claims")
	if err != nil || !strings.Contains(named, "shown again") || !strings.Contains(named, "SPECIMEN, MORGAN WREN") {
		t.Errorf("with its claims it shows %q, %v", named, err)
	}
	if found := search(t, dir, ""); len(found) > 0 {
		t.Errorf("personal data: %v", found)
	}
}

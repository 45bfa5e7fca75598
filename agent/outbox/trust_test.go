package outbox_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"io"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/chip/issue"
	"github.com/counterproof/counterproof/agent/chip/trust"
	"github.com/counterproof/counterproof/agent/outbox"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/truststore"
	"github.com/counterproof/counterproof/sync/central"
	"github.com/counterproof/counterproof/sync/central/office"
	"github.com/counterproof/counterproof/sync/wire"
)

// list is a publisher's list of whom to trust about chips.
func list(t *testing.T, key ed25519.PrivateKey, number int) []byte {
	t.Helper()
	state, err := issue.New(issue.Config{}, rand.NewChaCha8([32]byte{9}))
	if err != nil {
		t.Fatal(err)
	}
	made := time.Date(2026, 11, number, 0, 0, 0, 0, time.UTC)
	return trust.Contents{Number: number, Made: made, Anchors: [][]byte{state.Authority()}}.Seal(key)
}

// offered is what the counter's shelf said to a list.
type offered struct {
	number int // in use after it
	err    error
}

// TestTrustReachesTheCounter: a counter gets the list that the centre hands out,
// and a newer one; one that is older, or somebody else's, it refuses and keeps what
// it has. After a start it does not fetch again what it took.
func TestTrustReachesTheCounter(t *testing.T) {
	t.Parallel()
	z := open(t)
	o, _ := z.enrolled(t)
	_, publisher, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	_, stranger, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	shelf, err := truststore.Open(filepath.Join(t.TempDir(), "trust"), publisher.Public().(ed25519.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	told := make(chan offered, 10)
	o.TakeTrust(func(raw []byte) error {
		err := shelf.Put(raw)
		told <- offered{shelf.Store().Number(), err}
		return err
	})
	// one runs the counter until it was offered a list, or in vain for a moment.
	one := func(patience time.Duration) (got offered, any bool) {
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- o.Run(ctx) }()
		select {
		case got = <-told:
			any = true
		case <-time.After(patience):
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		return got, any
	}
	for _, s := range []struct {
		name string
		list []byte
		want offered
	}{
		{"first", list(t, publisher, 2), offered{2, nil}},
		{"newer", list(t, publisher, 4), offered{4, nil}},
		{"older", list(t, publisher, 3), offered{4, trust.ErrRollback}},
		{"another's", list(t, stranger, 9), offered{4, trust.ErrUnsigned}},
		{"newest", list(t, publisher, 5), offered{5, nil}},
	} {
		if _, err := z.centre.SetFile(t.Context(), wire.FileChips, s.list); err != nil {
			t.Fatal(err)
		}
		got, any := one(30 * time.Second)
		if !any || got.number != s.want.number || !errors.Is(got.err, s.want.err) {
			t.Errorf("%s: in use is %d, %v; want %d, %v", s.name, got.number, got.err, s.want.number, s.want.err)
		}
	}
	if got, any := one(time.Second); any {
		t.Errorf("after a start list %d was fetched again", got.number)
	}
}

// TestSecondPerson: an enrolment that waits says so in the words of the screens,
// and goes on once it is approved.
func TestSecondPerson(t *testing.T) {
	t.Parallel()
	z := open(t)
	o, err := outbox.Open(t.TempDir(), "test")
	if err != nil {
		t.Fatal(err)
	}
	defer closing(t, o)
	invite := z.invite(t, central.Invitation{Site: "FA123", By: "pat", Second: true})
	if _, err := o.Enrol(t.Context(), invite); proof.KindOf(err) != proof.KindEnrolPending {
		t.Fatalf("got %v, want kind enrol_pending", err)
	}
	if _, err := o.Identity(); proof.KindOf(err) != proof.KindNotEnrolled {
		t.Errorf("before the approval: got %v", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var agent string
	_, err = o.EnrolWaiting(ctx, invite, func(a string) { agent = a; stop() })
	if proof.KindOf(err) != proof.KindEnrolPending || agent == "" {
		t.Fatalf("interrupted while %q waits: %v", agent, err)
	}
	people, err := z.centre.Office()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (office.Staff{Office: people, By: "sam"}).Approve(t.Context(), wire.AgentID(agent)); err != nil {
		t.Fatal(err)
	}
	id, err := o.EnrolWaiting(t.Context(), invite, func(string) { t.Error("it still waits") })
	if err != nil || id.Agent != agent || id.Site != "FA123" {
		t.Errorf("got %+v, %v", id, err)
	}
}

// closing closes what a test has opened.
func closing(t *testing.T, c io.Closer) {
	t.Helper()
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

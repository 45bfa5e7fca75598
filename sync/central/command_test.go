package central_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/counterproof/counterproof/sync/central/office"
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// command runs counterproof-central with arguments.
func command(ctx context.Context, args ...string) (stdout, stderr string, err error) {
	cmd := office.Command()
	var out, errs bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetErr(&errs)
	cmd.SetArgs(args)
	err = cmd.ExecuteContext(ctx)
	return out.String(), errs.String(), err
}

// serving runs the serve command until stop is called.
func serving(t *testing.T, dir string, args ...string) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() {
		_, _, err := command(ctx, append([]string{"serve", "--data", dir, "--listen", "127.0.0.1:0"}, args...)...)
		ended <- err
	}()
	address := filepath.Join(dir, "address")
	for end := time.Now().Add(20 * time.Second); ; {
		if _, err := os.Stat(address); err == nil {
			break
		}
		if time.Now().After(end) {
			t.Fatal("the centre does not start")
		}
		<-time.After(10 * time.Millisecond)
	}
	return func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// TestCommands: a centre is started, invites a counter and an opener while it
// runs, stops, and its database is sound.
func TestCommands(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "centre")
	stop := serving(t, dir, "--training")
	text, _, err := command(t.Context(), "invite", "--data", dir, "--site", "FA123")
	if err != nil {
		t.Fatal(err)
	}
	invite, err := store.ParseInvite(text)
	if err != nil || !strings.HasPrefix(invite.Address, "127.0.0.1:") {
		t.Fatalf("got %q (%v)", text, err)
	}
	n, opener := newCounter(t, nil), newCounter(t, nil)
	if id, err := n.client.Enrol(t.Context(), text); err != nil || !id.Training || id.Site != "FA123" {
		t.Fatalf("got %+v (%v)", id.Agent, err)
	}
	if text, _, err = command(t.Context(), "invite", "--data", dir, "--opener"); err != nil {
		t.Fatal(err)
	}
	if _, err := opener.client.Enrol(t.Context(), text); err != nil {
		t.Fatal(err)
	}
	if err := opener.client.PutRecipients(t.Context(), recipients(t)); err != nil {
		t.Fatal(err)
	}
	if err := n.client.PutRecipients(t.Context(), recipients(t)); wire.KindOf(err) != wire.KindUnauthorised {
		t.Errorf("a counter handing in keys: got %v", err)
	}
	stop()
	text, _, err = command(t.Context(), "migrate", "--data", dir)
	if err != nil || text != "the database is sound; schema 3, was 3\n" {
		t.Errorf("got %q (%v)", text, err)
	}
	for _, name := range []string{"authority.pem", "receipt-key.pem", "centre.db", "mode", "address"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v (%v), want 600", name, info.Mode(), err)
		}
	}
	if _, _, err := command(t.Context(), "serve", "--data", dir, "--listen", "127.0.0.1:0"); err == nil || !strings.Contains(err.Error(), "training") {
		t.Errorf("a live centre on a training folder: got %v", err)
	}
}

package trade

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/counterproof/counterproof/sync/custody"
	"github.com/counterproof/counterproof/sync/uplink"
	"github.com/counterproof/counterproof/sync/wire"
)

// gate is a line that can be cut for as long as one likes.
type gate struct {
	inner http.RoundTripper
	shut  *atomic.Bool
	tries *atomic.Int64
}

// RoundTrip lets a request through where the gate is open.
func (g gate) RoundTrip(r *http.Request) (*http.Response, error) {
	if g.tries.Add(1); g.shut.Load() {
		return nil, errors.New("the centre is down")
	}
	return g.inner.RoundTrip(r)
}

// validUntil is when a counter's certificate runs out.
func validUntil(t *testing.T, k *custody.Keeper) time.Time {
	t.Helper()
	id, ok, err := k.Identity()
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	leaf, err := x509.ParseCertificate(id.Chain[0])
	if err != nil {
		t.Fatal(err)
	}
	return leaf.NotAfter
}

// A visit that is made while the centre is down arrives complete when it is back
// after thirty days, though the counter's certificate ran out after seven: it is
// renewed for up to ninety days more, and after that the record waits for a
// person and is not lost.
func TestThirtyDays(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		days    int
		arrives bool
	}{
		{"1 day", 1, true},
		{"30 days", 30, true},
		{"98 days", 98, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { outage(t, tt.days, tt.arrives) })
		})
	}
}

// outage makes a visit on the first day of an outage.
func outage(t *testing.T, days int, arrives bool) {
	dir := t.TempDir()
	if err := prepareHouse(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	c, err := openCentre(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	k, q := house(t, dir)
	id, _, err := k.Identity()
	if err != nil {
		t.Fatal(err)
	}
	var shut atomic.Bool
	var tries atomic.Int64
	shut.Store(true)
	client := uplink.New(uplink.Config{
		Keeper: k, Queue: q, Address: "centre.example:8443",
		Wrap: func(http.RoundTripper) http.RoundTripper { return gate{inside{c.Handler(), k}, &shut, &tries} },
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- client.Run(ctx) }()

	it, err := enqueue(t.Context(), q, k, id.Agent, 0) // with a part that goes ahead
	if err != nil {
		t.Fatal(err)
	}
	begun, ran := time.Now(), validUntil(t, k)
	time.Sleep(time.Duration(days) * 24 * time.Hour)
	if s, err := q.Status(t.Context()); err != nil || s.Waiting != 1 {
		t.Errorf("%d records wait, want the visit: %v", s.Waiting, err)
	}
	shut.Store(false)
	time.Sleep(24 * time.Hour)
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	records, err := log(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("down for %d days, %d requests; the certificate ran out after %v; %d records arrived", days, tries.Load(), ran.Sub(begun).Round(time.Hour), len(records))
	if arrives && len(records) == 1 {
		arrived(t, k, records[0].Envelope, it.Hash)
	} else if _, err := q.Envelope(t.Context(), it.Seq); err != nil || len(records) != 0 || arrives {
		t.Errorf("the record is not in the queue: %v; %d arrived", err, len(records))
	}
	if err := errors.Join(q.Close(), c.Close()); err != nil {
		t.Error(err)
	}
}

// arrived compares what came with what was made, and asks for a certificate that
// is good again.
func arrived(t *testing.T, k *custody.Keeper, e wire.Envelope, hash wire.Hash) {
	t.Helper()
	_, made := header(crashAgent, 0)
	if e.RecHash() != hash || len(e.Parts) != len(made) || len(made) < 2 {
		t.Fatalf("%s came with %d parts, want %s with %d", e.RecHash(), len(e.Parts), hash, len(made))
	}
	for i, p := range e.Parts {
		if !bytes.Equal(p.Sealed, made[i].Sealed) {
			t.Errorf("part %d came with other bytes", i)
		}
	}
	if until := validUntil(t, k); until.Before(time.Now()) {
		t.Errorf("the certificate ran out at %v and was not renewed", until)
	}
}

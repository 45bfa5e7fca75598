package trade

import (
	"context"
	"io"
	"net/http"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/counterproof/counterproof/sync/central"
	"github.com/counterproof/counterproof/sync/custody"
	"github.com/counterproof/counterproof/sync/seal"
	"github.com/counterproof/counterproof/sync/uplink"
	"github.com/counterproof/counterproof/sync/wire"
)

// served is a centre with the right clock on this machine's network, and the
// house of a counter that is enrolled with it.
func served(t *testing.T) (dir, address string) {
	t.Helper()
	dir = t.TempDir()
	c, err := openCentre(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := central.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- c.Serve(ctx, ln) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		_ = c.Close()
	})
	k, err := custody.Open(keysDir(dir))
	if err != nil {
		t.Fatal(err)
	}
	invite, err := c.Invite(t.Context(), central.Invitation{Site: "FA123", Address: ln.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := uplink.New(uplink.Config{Keeper: k}).Enrol(t.Context(), invite.String()); err != nil {
		t.Fatal(err)
	}
	return dir, ln.Addr().String()
}

// A counter whose clock is ten years wrong, either way, speaks over real TLS with
// a centre whose clock is right: by the counter's clock the centre's certificate
// has run out, or is not good yet. Its records arrive nevertheless.
func TestCounterTenYearsOff(t *testing.T) {
	t.Parallel()
	for name, years := range map[string]int{"right": 0, "ten years ahead": 10, "ten years behind": -10} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, address := served(t)
			right := time.Now()
			beat := beats(t)
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(time.Until(right.AddDate(years, 0, 0)))
				sendFrom(t, dir, address, beat)
			})
			records, err := log(t.Context(), dir)
			if err != nil || len(records) != 1 {
				t.Fatalf("%d records arrived, want 1: %v", len(records), err)
			}
			h, err := wire.DecodeHeader(records[0].Envelope.Header)
			if off := h.Wall.Sub(right.AddDate(years, 0, 0)).Abs(); err != nil || off > time.Hour {
				t.Errorf("the record says %v, %v from the counter's clock: %v", h.Wall, off, err)
			}
			if at := records[0].Receipt.At.Sub(right).Abs(); at > time.Hour {
				t.Errorf("the receipt says %v", records[0].Receipt.At)
			}
		})
	}
}

// beats gives a pipe that says something fifty times a second, for half a minute
// at most.
func beats(t *testing.T) io.Reader {
	t.Helper()
	near, far, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	tick := time.NewTicker(20 * time.Millisecond)
	t.Cleanup(tick.Stop)
	go func() {
		for range 1500 {
			<-tick.C
			if _, err := far.Write([]byte{1}); err != nil {
				break
			}
		}
		_ = far.Close()
	}()
	t.Cleanup(func() { _ = near.Close() })
	return near
}

// sendFrom queues a record by the bubble's clock and lets it be sent. That clock
// stands while the network is waited for, so the counter is woken by the beats.
func sendFrom(t *testing.T, dir, address string, beat io.Reader) {
	k, q := house(t, dir)
	id, _, err := k.Identity()
	if err != nil {
		t.Fatal(err)
	}
	h, parts := header(id.Agent, 0)
	h.Wall = time.Now().UTC().Truncate(time.Millisecond)
	_, err = q.Enqueue(t.Context(), h.Record, func(seq wire.Seq, prev wire.Hash) (wire.Envelope, error) {
		h.Seq, h.Prev = seq, prev
		return seal.Envelope(h, parts, k.Signer())
	})
	if err != nil {
		t.Fatal(err)
	}
	var lines sync.Map
	client := uplink.New(uplink.Config{
		Keeper: k, Queue: q, Address: address, Rand: func(int64) int64 { return 0 },
		Wrap: func(inner http.RoundTripper) http.RoundTripper { lines.Store(inner, nil); return inner },
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- client.Run(ctx) }()
	one := make([]byte, 1)
	for {
		if _, err := beat.Read(one); err != nil {
			t.Errorf("the record is not sent: %+v", client.Status())
			break
		}
		s, err := q.Status(t.Context())
		if err == nil && s.Waiting == 0 {
			break
		}
		client.Wake()
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	lines.Range(func(inner, _ any) bool { inner.(*http.Transport).CloseIdleConnections(); return true })
	if err := q.Close(); err != nil {
		t.Error(err)
	}
}

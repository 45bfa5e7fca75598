package whole

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/counterproof/counterproof/sync/central"
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// served is a centre on this machine's network, and an invitation to it.
func served(tb testing.TB) (c *central.Central, invite store.Invite) {
	tb.Helper()
	c, err := central.Open(tb.Context(), central.Config{Dir: filepath.Join(tb.TempDir(), "centre"), Training: true})
	if err != nil {
		tb.Fatal(err)
	}
	ln, err := central.Listen("127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- c.Serve(ctx, ln) }()
	tb.Cleanup(func() {
		cancel()
		<-ended
		_ = c.Close()
	})
	if invite, err = c.Invite(tb.Context(), central.Invitation{Site: "FA123", Address: ln.Addr().String()}); err != nil {
		tb.Fatal(err)
	}
	return c, invite
}

// plainly is a line that does nothing to what it carries.
func plainly(inner http.RoundTripper) http.RoundTripper { return inner }

// open makes a counter that is enrolled.
func open(tb testing.TB, wrap func(http.RoundTripper) http.RoundTripper) *Counter {
	tb.Helper()
	_, invite := served(tb)
	c, err := Open(filepath.Join(tb.TempDir(), "counter"), wrap)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = c.Close() })
	if err := c.Enrol(tb.Context(), invite); err != nil {
		tb.Fatal(err)
	}
	return c
}

// record queues the nth record, with a large part of so many bytes.
func (c *Counter) record(tb testing.TB, n, large int) {
	tb.Helper()
	h := wire.Header{Version: 1, Record: wire.RecordID{byte(n >> 8), byte(n), 7}, App: "whole", Training: true}
	err := c.Enqueue(tb.Context(), h, func(h *wire.Header) ([]wire.Part, error) {
		var parts []wire.Part
		for i, size := range []int{3000, large} {
			b := make([]byte, size)
			for k := range b {
				b[k] = byte(k*(n+3)>>3 + i)
			}
			p := wire.Part{Name: []wire.PartName{wire.PartClaims, wire.PartEvidence}[i], Sealed: b}
			parts = append(parts, p)
			h.Parts = append(h.Parts, wire.PartInfo{Name: p.Name, Recipient: "k", Len: uint64(size), SHA256: wire.HashOf(b)})
		}
		return parts, nil
	})
	if err != nil {
		tb.Fatal(err)
	}
}

// poor loses every ninth request before it arrives, and every seventh answer.
type poor struct {
	inner http.RoundTripper
	count *atomic.Int64
}

func (p poor) RoundTrip(r *http.Request) (*http.Response, error) {
	n := p.count.Add(1)
	if n%9 == 0 {
		return nil, errors.New("lost")
	}
	resp, err := p.inner.RoundTrip(r)
	if err == nil && n%7 == 0 {
		return nil, errors.Join(errors.New("the answer is lost"), resp.Body.Close())
	}
	return resp, err
}

// On a poor line every record arrives, and the counter knows which receipts it
// has.
func TestCounter(t *testing.T) {
	t.Parallel()
	var count atomic.Int64
	c := open(t, func(inner http.RoundTripper) http.RoundTripper { return poor{inner, &count} })
	for n := range 3 {
		c.record(t, n, 200_000)
	}
	before, err := c.Ledger(t.Context())
	if err != nil || len(before.Sent) != 3 || len(before.Acked) != 0 {
		t.Fatalf("before: %+v, %v", before, err)
	}
	if err := c.Send(t.Context()); err != nil {
		t.Fatal(err)
	}
	after, err := c.Ledger(t.Context())
	if err != nil || len(after.Acked) != 3 {
		t.Fatalf("%d receipts, want 3: %v", len(after.Acked), err)
	}
	for hash, seq := range after.Sent {
		if r := after.Acked[seq]; r.RecHash != hash || r.Agent != after.Agent || r.LogIndex != uint64(seq) {
			t.Errorf("number %d has the receipt %+v", seq, r)
		}
	}
	if count.Load() < 9 {
		t.Errorf("%d requests went over the line: it was not used", count.Load())
	}
}

// A group is filled evenly, and a member that fails is told.
func TestGroup(t *testing.T) {
	t.Parallel()
	c, first := served(t)
	second, err := c.Invite(t.Context(), central.Invitation{Site: "FA124", Address: "127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	var g Group
	dir := t.TempDir()
	if err := g.Enrol(t.Context(), dir, first.Address, []store.Invite{first, second}, plainly); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.Close() })
	n := byte(0)
	header := func() (wire.Header, error) {
		n++
		return wire.Header{Version: 1, Record: wire.RecordID{n, 9}, App: "whole", Training: true}, nil
	}
	none := func(*wire.Header) ([]wire.Part, error) { return nil, nil }
	if err := g.Fill(t.Context(), 3, header, none); err != nil {
		t.Fatal(err)
	}
	for _, c := range g {
		if err := c.Send(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	all, err := g.Ledgers(t.Context())
	if err != nil || len(all) != 2 || len(all[0].Acked) != 3 || len(all[1].Acked) != 3 || all[0].Agent == all[1].Agent {
		t.Errorf("got %d ledgers, %v; want two counters with three receipts each", len(all), err)
	}
	gone := errors.New("no header")
	if err := g.Fill(t.Context(), 1, func() (wire.Header, error) { return wire.Header{}, gone }, none); !errors.Is(err, gone) {
		t.Errorf("got %v", err)
	}
	if err := g.Enrol(t.Context(), t.TempDir(), first.Address, []store.Invite{first}, plainly); err == nil {
		t.Error("a spent code enrols")
	}
}

// What cannot be is told: a code that was spent, a folder that is a file, an end
// before the records are sent, parts that do not come about.
func TestRefused(t *testing.T) {
	t.Parallel()
	_, invite := served(t)
	for n, want := range []bool{true, false} {
		c, err := Open(filepath.Join(t.TempDir(), "counter"), plainly)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Enrol(t.Context(), invite); (err == nil) != want {
			t.Errorf("the code spent %d times before: %v", n, err)
		}
		_ = c.Close()
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(file, plainly); err == nil {
		t.Error("a file is a counter")
	}
	down := open(t, plainly)
	down.record(t, 1, 10)
	down.address = "127.0.0.1:1"
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := down.Send(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("nothing was sent and it says %v", err)
	}
	none := errors.New("no parts")
	if err := down.Enqueue(t.Context(), wire.Header{}, func(*wire.Header) ([]wire.Part, error) { return nil, none }); !errors.Is(err, none) {
		t.Errorf("got %v", err)
	}
}

// BenchmarkDrain measures how fast one counter sends what has waited in its queue:
// records of half a megabyte over TLS on this machine, each durable at the centre
// and noted by the queue before the next.
func BenchmarkDrain(b *testing.B) {
	const waiting = 50
	c := open(b, plainly)
	for i := 0; b.Loop(); i += waiting {
		b.StopTimer()
		for n := range waiting {
			c.record(b, i+n, 500_000)
		}
		b.StartTimer()
		if err := c.Send(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*waiting)/b.Elapsed().Seconds(), "rec/s")
	b.ReportMetric(0, "ns/op")
}

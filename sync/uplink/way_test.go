package uplink

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/counterproof/counterproof/sync/queue/durable"
	"github.com/counterproof/counterproof/sync/queue/parcel"
	"github.com/counterproof/counterproof/sync/seal"
	"github.com/counterproof/counterproof/sync/uplink/ask"
	"github.com/counterproof/counterproof/sync/uplink/network"
	"github.com/counterproof/counterproof/sync/uplink/post"
	"github.com/counterproof/counterproof/sync/wire"
)

// TestPortal: a page where an answer was to come has its own kind, changes
// nothing, and once it is gone the record goes on its way.
func TestPortal(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]struct {
		status   int
		kindType string
		body     string
		want     wire.Kind
	}{
		"html/by-type":     {200, "text/html; charset=utf-8", "Welcome", KindPortal},
		"html/by-body":     {200, "", "  <!doctype html><title>Wi-Fi</title>", KindPortal},
		"redirect":         {302, "", "", KindPortal},
		"511":              {511, "text/html", "<html>sign in</html>", KindPortal},
		"error-page":       {502, "text/html", "<html>Bad Gateway</html>", wire.KindUnreachable},
		"receipt/negative": {200, "application/json", "{}", wire.KindProtocol},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := newCentre(t)
				n := newEnrolled(t, c)
				c.before = func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
					if !strings.Contains(r.URL.Path, "/records/") {
						return false
					}
					w.Header().Set("Content-Type", s.kindType)
					w.WriteHeader(s.status)
					_, _ = io.WriteString(w, s.body)
					return true
				}
				it := n.enqueue(10)
				defer n.run()()
				time.Sleep(5 * time.Minute)
				if got := n.item(it.Seq); got.State == wire.Acked || got.Kind != s.want {
					t.Errorf("it is %s, kind %q, want %q", got.State, got.Kind, s.want)
				}
				c.set(func() { c.before = nil })
				time.Sleep(15 * time.Minute)
				if got := n.item(it.Seq); got.State != wire.Acked {
					t.Errorf("when the page is gone it is %s", got.State)
				}
			})
		})
	}
}

// tunnel is a proxy that connects to one address, whatever name is asked for.
func tunnel(t *testing.T, to string) (address string, asked func() int) {
	t.Helper()
	var mu sync.Mutex
	n := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		n++
		mu.Unlock()
		out, err := net.Dial("tcp", to)
		if err != nil || r.Method != http.MethodConnect {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		in, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = io.WriteString(in, "HTTP/1.1 200 OK\r\n\r\n")
		go func() { _, _ = io.Copy(out, in); _ = out.Close() }()
		_, _ = io.Copy(in, out)
		_ = in.Close()
	}))
	t.Cleanup(srv.Close)
	return srv.URL, func() int { mu.Lock(); defer mu.Unlock(); return n }
}

// TestProxy: the configured proxy is used, and the centre behind it is still
// held to its pinned authority; one that is no proxy is said, not passed over.
func TestProxy(t *testing.T) {
	t.Parallel()
	c := newCentre(t)
	address := c.overTLS(t, time.Now().Add(-time.Hour), time.Now().Add(time.Hour), c.ca.Raw)
	through, asked := tunnel(t, address)
	n := newCounter(t, nil)
	n.cfg.Proxy = through
	if _, err := n.Enrol(t.Context(), c.invite(named(address, "localhost"))); err != nil || asked() == 0 {
		t.Errorf("through the proxy: %v, asked %d times", err, asked())
	}
	stranger := newCentre(t)
	n = newCounter(t, nil)
	n.cfg.Proxy, _ = tunnel(t, stranger.overTLS(t, time.Now().Add(-time.Hour), time.Now().Add(time.Hour), stranger.ca.Raw))
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if _, err := n.Enrol(ctx, c.invite(named(address, "localhost"))); wire.KindOf(err) != wire.KindCertificate {
		t.Errorf("a proxy that leads elsewhere: %v", err)
	}
}

// TestSignInPage: a network that breaks TLS and answers a plain question with its
// own page is told as what it is; one that breaks TLS alone is not.
func TestSignInPage(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]struct {
		page bool
		err  error
		want wire.Kind
	}{
		"other-certificate": {true, x509.UnknownAuthorityError{}, KindPortal},
		"no-tls":            {true, http.ErrSchemeMismatch, KindPortal},
		"somebody-between":  {false, x509.UnknownAuthorityError{}, wire.KindCertificate},
		"unreachable":       {true, errors.New("refused"), wire.KindUnreachable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newEnrolled(t, newCentre(t))
			n.line = nil
			n.cfg.Wrap = func(http.RoundTripper) http.RoundTripper {
				return roundTrip(func(r *http.Request) (*http.Response, error) {
					if r.URL.Scheme == "https" || !s.page {
						return nil, s.err
					}
					return &http.Response{StatusCode: 302, Header: http.Header{"Location": {"http://login.example/"}}, Body: http.NoBody, Request: r}, nil
				})
			}
			k := care{failed: 1} // what failed before is tried once
			if got := n.tend(t.Context(), &k); got != s.want || n.Status().Kind != s.want {
				t.Errorf("got %q, status %q, want %q", got, n.Status().Kind, s.want)
			}
		})
	}
}

// TestDayLimit: on a metered line what is above the day's bytes goes the next day,
// and all of it in the end.
func TestDayLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCentre(t)
		n := newEnrolled(t, c)
		n.cfg.DayBytes = 250_000
		for range 5 {
			n.enqueue(100_000)
		}
		defer n.run()()
		acked := func() (k int) {
			for seq := range wire.Seq(5) {
				if n.item(seq+1).State == wire.Acked {
					k++
				}
			}
			return k
		}
		var days []int
		for range 3 {
			time.Sleep(time.Minute)
			days = append(days, acked())
			time.Sleep(24*time.Hour - time.Minute)
		}
		if days[0] != 2 || days[1] != 4 || days[2] != 5 {
			t.Errorf("after each day %v are there, want 2, 4, 5", days)
		}
	})
}

// TestWrongClock: this machine's clock is wrong by more than a certificate's life.
// The centre's own time is taken and the record goes; a stranger is not believed,
// and a certificate that has run out by the centre's clock, too, is not either.
func TestWrongClock(t *testing.T) {
	t.Parallel()
	later := time.Now().Add(48 * time.Hour)
	for name, s := range map[string]struct {
		says time.Time // the centre of its time
		from *centre   // who stands there in the end; nil for the centre
		want bool
	}{
		"centre-knows":    {says: later.Add(time.Hour), want: true},
		"centre-agrees":   {says: time.Now()},
		"somebody-else's": {says: later.Add(time.Hour), from: newCentre(t)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCentre(t)
			n := newEnrolled(t, c)
			it := n.enqueue(10)
			at := c
			if s.from != nil {
				at = s.from
			}
			at.state = func(st *wire.State) { st.Now = s.says }
			n.cfg.Wrap, n.line, n.address = nil, nil, at.overTLS(t, later, later.Add(72*time.Hour))
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			var k care
			first := n.tend(ctx, &k)
			if s.from != nil {
				if first != wire.KindCertificate && first != wire.KindClock {
					t.Errorf("got kind %q", first)
				}
			}
			n.pass(ctx, &k)
			if got := n.item(it.Seq).State == wire.Acked; got != s.want {
				t.Errorf("acknowledged %v, want %v; kind %q, status %+v", got, s.want, first, n.Status())
			}
		})
	}
}

// TestStandIn: a record that another key had to sign is signed by the counter's
// own before it is sent, and says who signed it first.
func TestStandIn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCentre(t)
		n := newEnrolled(t, c)
		first := n.enqueue(10)
		standIn, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		h := wire.Header{Version: 1, Agent: agent, Record: wire.RecordID{9}}
		it, err := n.queue.Enqueue(t.Context(), h.Record, func(seq wire.Seq, prev wire.Hash) (wire.Envelope, error) {
			h.Seq, h.Prev = seq, prev
			return seal.Envelope(h, nil, standIn)
		})
		if err != nil {
			t.Fatal(err)
		}
		last := n.enqueue(10)
		defer n.run()()
		time.Sleep(time.Minute)
		for _, was := range []uint64{uint64(first.Seq), uint64(it.Seq), uint64(last.Seq)} {
			got := n.item(wire.Seq(was))
			e, err := n.queue.Envelope(t.Context(), got.Seq)
			if err != nil {
				t.Fatal(err)
			}
			if got.State != wire.Acked || !post.Signed(e, n.keeper) || c.chain[was-1] != got.Hash {
				t.Errorf("record %d is %s, signed by us %v", was, got.State, post.Signed(e, n.keeper))
			}
			h, err := e.Check()
			if err != nil {
				t.Fatal(err)
			}
			if origin, carried := parcel.Origin(h); carried != (was > 1) || carried && bytes.Equal(origin.Header, e.Header) {
				t.Errorf("record %d: carried %v", was, carried)
			}
		}
	})
}

// TestBehindALoss: a record that is lost beyond saving does not hold up those
// behind it for ever.
func TestBehindALoss(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCentre(t)
		n := newEnrolled(t, c)
		for range 4 {
			n.enqueue(3000)
		}
		e, err := n.queue.Envelope(t.Context(), 2)
		if err != nil {
			t.Fatal(err)
		}
		if err := n.queue.Close(); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(n.file)
		if err != nil {
			t.Fatal(err)
		}
		i := bytes.LastIndex(b, e.Parts[0].Sealed[:16])
		if i < 0 {
			t.Fatal("the part is not in the file")
		}
		b[i] ^= 1
		if err := os.WriteFile(n.file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.RemoveAll(filepath.Join(filepath.Dir(n.file), "spool")); err != nil {
			t.Fatal(err)
		}
		if damage := n.start(c); damage == nil || damage.Missing != 1 {
			t.Fatalf("damage: %+v", damage)
		}
		defer n.run()()
		time.Sleep(30 * time.Minute)
		if len(c.chain) != 3 {
			t.Errorf("%d of the 3 that are left are at the centre", len(c.chain))
		}
		if s, err := n.queue.Status(t.Context()); err != nil || s.Waiting != 0 {
			t.Errorf("%+v, %v", s, err)
		}
	})
}

// TestDamagedWhileRunning: a record that goes bad under a running counter holds up
// none behind it, and is told.
func TestDamagedWhileRunning(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCentre(t)
		n := newEnrolled(t, c)
		for range 4 {
			n.enqueue(3000)
		}
		db := durable.Writer(n.file)
		if _, err := db.Exec(`UPDATE part SET sealed = zeroblob(3000) WHERE seq = 2`); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(db.Close(), os.RemoveAll(filepath.Join(filepath.Dir(n.file), "spool"))); err != nil {
			t.Fatal(err)
		}
		defer n.run()()
		time.Sleep(10 * time.Minute)
		if len(c.chain) != 3 {
			t.Errorf("%d of the 3 that are whole are at the centre", len(c.chain))
		}
		if s, err := n.queue.Status(t.Context()); err != nil || s.Waiting != 0 || s.Damaged.IsZero() {
			t.Errorf("%+v, %v", s, err)
		}
	})
}

// TestEnrolledAnewAfterAFork: a chain that is in doubt is left behind with its key.
func TestEnrolledAnewAfterAFork(t *testing.T) {
	t.Parallel()
	c := newCentre(t)
	n := newEnrolled(t, c)
	n.enqueue(10)
	before := n.keeper.Signer().Public().(*ecdsa.PublicKey)
	enrol := func() *ecdsa.PublicKey {
		if _, err := n.Enrol(t.Context(), c.invite("centre.example:8443")); err != nil {
			t.Fatal(err)
		}
		return n.keeper.Signer().Public().(*ecdsa.PublicKey)
	}
	if !enrol().Equal(before) {
		t.Error("without a fork the counter is another one")
	}
	if err := n.queue.MarkQuarantined(t.Context()); err != nil {
		t.Fatal(err)
	}
	if enrol().Equal(before) {
		t.Error("after a fork it goes on with the same key")
	}
}

// TestChore: what the caller has to do is done while nothing else is.
func TestChore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newEnrolled(t, newCentre(t))
		done := 0
		n.cfg.Chore = func(context.Context) { done++ }
		stop := n.run()
		time.Sleep(10*time.Minute + time.Second)
		stop()
		if done < 10 || done > 30 {
			t.Errorf("done %d times in ten minutes", done)
		}
	})
}

// herd has so many agents meet an outage of half an hour and counts, for each
// second after it, how many requests come.
func herd(t *testing.T, agents int, told string, try func(transport http.RoundTripper) func(context.Context, int) (time.Duration, bool)) (peak, total int) {
	t.Helper()
	const outage = 30 * time.Minute
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		var mu sync.Mutex
		seconds := map[int]int{}
		centre := roundTrip(func(r *http.Request) (*http.Response, error) {
			since := time.Since(begin)
			mu.Lock()
			seconds[int(since/time.Second)]++
			mu.Unlock()
			resp := &http.Response{StatusCode: 200, Header: http.Header{}, Body: http.NoBody, Request: r}
			switch {
			case since >= outage:
			case told == "":
				return nil, errors.New("connection refused")
			default:
				resp.StatusCode, resp.Header = 503, http.Header{"Retry-After": {told}}
			}
			return resp, nil
		})
		var group sync.WaitGroup
		for i := range agents {
			group.Go(func() {
				if told == "" { // work comes in its own time; who was told the same is in step
					time.Sleep(time.Duration(i) * 10 * time.Minute / time.Duration(agents))
				}
				once := try(centre)
				for failed := 0; ; failed++ {
					wait, done := once(t.Context(), failed)
					if done {
						return
					}
					time.Sleep(wait)
				}
			})
		}
		group.Wait()
		for s, n := range seconds {
			total += n
			if s >= int(outage/time.Second) {
				peak = max(peak, n)
			}
		}
	})
	return peak, total
}

// roundTrip is a function as a transport.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// ours tries as the client does: the request's own tries, then the queue's wait.
func ours(transport http.RoundTripper) func(context.Context, int) (time.Duration, bool) {
	c := New(Config{Wrap: func(http.RoundTripper) http.RoundTripper { return transport }})
	k := c.newCaller("centre.example", nil)
	return func(ctx context.Context, failed int) (time.Duration, bool) {
		var asked time.Duration
		r, err := k.Ask(ask.Sparing(ctx, failed), ask.Request{Method: http.MethodGet, Path: "/"})
		if err == nil {
			if r.Status == http.StatusOK {
				return 0, true
			}
			asked = network.RetryAfter(r.Header)
		}
		return network.Backoff(failed, asked, c.cfg.Rand), false
	}
}

// obedient does what it is told, to the second, as the module does by itself.
func obedient(transport http.RoundTripper) func(context.Context, int) (time.Duration, bool) {
	return func(ctx context.Context, _ int) (time.Duration, bool) {
		req := httptest.NewRequestWithContext(ctx, http.MethodGet, "https://centre.example/", nil)
		resp, err := transport.RoundTrip(req)
		if err != nil {
			return 2 * time.Second, false
		}
		return max(network.RetryAfter(resp.Header), 2*time.Second), resp.StatusCode == http.StatusOK
	}
}

// TestHerd: after an outage of half an hour the fleet comes back spread over
// minutes, whether the centre was gone or told all the same time to wait.
func TestHerd(t *testing.T) {
	t.Parallel()
	for name, told := range map[string]string{"refused": "", "told-a-minute": "60"} {
		peak, total := herd(t, 22_000, told, ours)
		t.Logf("%s: at most %d requests in a second, %d in all", name, peak, total)
		if peak > 120 {
			t.Errorf("%s: %d requests in one second, want 120 at most", name, peak)
		}
	}
	if peak, _ := herd(t, 2_000, "60", obedient); peak < 1_900 {
		t.Errorf("the control: 2,000 clients without jitter make only %d", peak)
	}
}

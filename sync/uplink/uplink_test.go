package uplink

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/counterproof/counterproof/sync/seal"
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/uplink/witness"
	"github.com/counterproof/counterproof/sync/wire"
)

// TestEnrol: an invitation gives an identity that is stored and used.
func TestEnrol(t *testing.T) {
	t.Parallel()
	c := newCentre(t)
	n := newCounter(t, c)
	if err := n.Refresh(t.Context()); wire.KindOf(err) != wire.KindNotEnrolled {
		t.Errorf("before: got %v, want kind not_enrolled", err)
	}
	got, err := n.Enrol(t.Context(), c.invite("centre.example:8443"))
	if err != nil {
		t.Fatal(err)
	}
	stored, ok, err := n.keeper.Identity()
	if err != nil || !ok || stored.Agent != agent || got.Agent != agent || got.Site != "FA123" {
		t.Errorf("got %s of %s, stored %s (%v)", got.Agent, got.Site, stored.Agent, err)
	}
	if err := n.Refresh(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestEnrolRefused: no answer that does not fit the invitation gives an
// identity.
func TestEnrolRefused(t *testing.T) {
	t.Parallel()
	stranger := newCentre(t)
	for name, s := range map[string]struct {
		invite func(*centre) string
		change func(*centre)
		kind   wire.Kind
	}{
		"no-invitation": {func(*centre) string { return "hello" }, nil, wire.KindCode},
		"spent": {nil, func(c *centre) {
			c.before = func(w http.ResponseWriter, _ *http.Request, _ []byte) bool { w.WriteHeader(403); return true }
		}, wire.KindCode},
		"no-chain":        {nil, func(c *centre) { c.enrolled = func(a *wire.EnrolAnswer) { a.Chain = nil } }, wire.KindProtocol},
		"other-authority": {nil, func(c *centre) { c.enrolled = func(a *wire.EnrolAnswer) { a.Chain[1] = stranger.ca.Raw } }, wire.KindProtocol},
		"other-key": {nil, func(c *centre) {
			key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
			c.enrolled = func(a *wire.EnrolAnswer) {
				a.Chain[0] = c.issue(key.Public(), nil, time.Now(), time.Now().AddDate(0, 0, 7))
			}
		}, wire.KindDisk},
		"bundle-unsigned": {nil, func(c *centre) { c.enrolled = func(a *wire.EnrolAnswer) { a.Bundle.Sig[0] ^= 1 } }, wire.KindProtocol},
		"bundle-no-json":  {nil, func(c *centre) { c.enrolled = func(a *wire.EnrolAnswer) { a.Bundle.Body = []byte("{") } }, wire.KindProtocol},
		"other-mode":      {nil, func(c *centre) { c.enrolled = func(a *wire.EnrolAnswer) { a.Training = true } }, wire.KindProtocol},
		"no-name":         {nil, func(c *centre) { c.enrolled = func(a *wire.EnrolAnswer) { a.Agent = "" } }, wire.KindDisk},
		"no-json": {nil, func(c *centre) {
			c.before = func(w http.ResponseWriter, _ *http.Request, _ []byte) bool {
				_, _ = io.WriteString(w, "no JSON")
				return true
			}
		}, wire.KindProtocol},
		"endless": {nil, func(c *centre) {
			c.before = func(w http.ResponseWriter, _ *http.Request, _ []byte) bool {
				_, _ = io.WriteString(w, strings.Repeat(" ", 2<<20))
				return true
			}
		}, wire.KindProtocol},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCentre(t)
			if s.change != nil {
				s.change(c)
			}
			invite := c.invite("centre.example:8443")
			if s.invite != nil {
				invite = s.invite(c)
			}
			n := newCounter(t, c)
			if _, err := n.Enrol(t.Context(), invite); wire.KindOf(err) != s.kind {
				t.Errorf("got %v, want kind %s", err, s.kind)
			}
			if _, ok, err := n.keeper.Identity(); ok || err != nil {
				t.Errorf("there is an identity (%v)", err)
			}
		})
	}
}

// overTLS serves the centre over TLS with a certificate of the given dates and
// names, and gives its address.
func (c *centre) overTLS(t *testing.T, from, to time.Time, chain ...[]byte) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewUnstartedServer(c)
	srv.Config.ErrorLog = nil
	srv.TLS = &tls.Config{
		MinVersion: tls.VersionTLS13, ClientAuth: tls.RequestClientCert,
		Certificates: []tls.Certificate{{Certificate: append([][]byte{c.issue(key.Public(), []string{"localhost"}, from, to)}, chain...), PrivateKey: key}},
	}
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return srv.Listener.Addr().String()
}

// TestPin: at enrolment the centre must show the authority of the invitation,
// a certificate from it that is good now, and the name that it was asked by.
func TestPin(t *testing.T) {
	t.Parallel()
	now := time.Now()
	before, after := now.Add(-time.Hour), now.Add(time.Hour)
	for name, s := range map[string]struct {
		address func(*centre) string
		kind    wire.Kind
	}{
		"good":            {func(c *centre) string { return c.overTLS(t, before, after, c.ca.Raw) }, ""},
		"no-authority":    {func(c *centre) string { return c.overTLS(t, before, after) }, wire.KindCertificate},
		"authority-alone": {func(c *centre) string { return newCentre(t).overTLS(t, before, after, c.ca.Raw) }, wire.KindCertificate},
		"other-authority": {func(*centre) string { o := newCentre(t); return o.overTLS(t, before, after, o.ca.Raw) }, wire.KindCertificate},
		"run-out":         {func(c *centre) string { return c.overTLS(t, before.Add(-time.Hour), before, c.ca.Raw) }, wire.KindClock},
		"not-yet":         {func(c *centre) string { return c.overTLS(t, after, after.Add(time.Hour), c.ca.Raw) }, wire.KindClock},
		"by-name":         {func(c *centre) string { return named(c.overTLS(t, before, after, c.ca.Raw), "localhost") }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCentre(t)
			n := newCounter(t, nil)
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			_, err := n.Enrol(ctx, c.invite(s.address(c)))
			if wire.KindOf(err) != s.kind {
				t.Errorf("got %v, want kind %q", err, s.kind)
			}
		})
	}
}

// named is an address with another host.
func named(address, host string) string { return host + address[strings.LastIndexByte(address, ':'):] }

// TestSends: a record with large parts goes parts first, once, and is
// acknowledged; the next one goes at once after a wake.
func TestSends(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCentre(t)
		n := newEnrolled(t, c)
		it := n.enqueue(100, 2_500_000)
		defer n.run()()
		synctest.Wait()
		time.Sleep(time.Millisecond)
		if got := n.item(it.Seq); got.State != wire.Acked || got.Receipt == nil {
			t.Fatalf("got %s", got.State)
		}
		asked := c.seen()
		blob := asked[2][strings.LastIndexByte(asked[2], '/')+1:]
		want := []string{"GET /v1/trust/bundle", "GET /v1/agents/agent-1/state", "HEAD /v1/blobs/" + blob, "PATCH /v1/blobs/" + blob,
			"PATCH /v1/blobs/" + blob, "PATCH /v1/blobs/" + blob, "POST /v1/agents/agent-1/records/1"}
		if strings.Join(asked, "\n") != strings.Join(want, "\n") {
			t.Errorf("asked:\n%s\nwant:\n%s", strings.Join(asked, "\n"), strings.Join(want, "\n"))
		}
		it = n.enqueue(100)
		n.Wake()
		n.Wake()
		time.Sleep(time.Millisecond)
		if got := n.item(it.Seq); got.State != wire.Acked {
			t.Errorf("after a wake: got %s", got.State)
		}
		if got := c.seen(); len(got) != 1 {
			t.Errorf("after a wake: asked %v", got)
		}
		s := n.Status()
		if s.Kind != wire.KindNone || s.Offset < 89*time.Second || s.Offset > 91*time.Second || s.Bundle != 1 || s.Reached.IsZero() {
			t.Errorf("the status is %+v", s)
		}
	})
}

// TestBlobResumes: an upload goes on where the centre says, also after an
// answer was lost, and an upload that never completes is told.
func TestBlobResumes(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]struct {
		change func(*centre)
		state  wire.RecordState
		kind   wire.Kind
	}{
		"lost-answers": {func(c *centre) {
			lost := 0
			c.before = func(w http.ResponseWriter, r *http.Request, body []byte) bool {
				if r.Method == http.MethodPatch && lost < 2 {
					lost++
					c.blob(httptest.NewRecorder(), r, body)
					w.WriteHeader(504)
					return true
				}
				return false
			}
		}, wire.Acked, ""},
		"never-complete": {func(c *centre) {
			c.before = func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
				if strings.HasPrefix(r.URL.Path, "/v1/blobs/") {
					w.Header().Set("Upload-Offset", "0")
					w.WriteHeader(400)
					return true
				}
				return false
			}
		}, wire.Sealed, wire.KindProtocol},
		"misses-one-part": {func(c *centre) {
			told := false
			c.before = func(w http.ResponseWriter, _ *http.Request, body []byte) bool {
				_, h, err := wire.ParseEnvelope(body)
				if err != nil || told {
					return false
				}
				told, c.blobs = true, map[string][]byte{}
				replyJSON(w, 424, wire.Answer{Verdict: wire.MissingBlobs, Missing: []wire.Hash{h.Parts[1].SHA256}})
				return true
			}
		}, wire.Acked, ""},
		"misses-for-ever": {func(c *centre) {
			c.before = func(w http.ResponseWriter, r *http.Request, body []byte) bool {
				if _, h, err := wire.ParseEnvelope(body); err == nil {
					replyJSON(w, 424, wire.Answer{Verdict: wire.MissingBlobs, Missing: []wire.Hash{h.Parts[1].SHA256}})
					return true
				}
				return false
			}
		}, wire.BlobsSent, wire.KindProtocol},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := newCentre(t)
				n := newEnrolled(t, c)
				c.set(func() { s.change(c) })
				it := n.enqueue(100, 2_500_000)
				defer n.run()()
				time.Sleep(time.Minute)
				if got := n.item(it.Seq); got.State != s.state || got.Kind != s.kind {
					t.Errorf("got %s, kind %q; want %s, %q", got.State, got.Kind, s.state, s.kind)
				}
			})
		})
	}
}

// TestShed: a busy centre is not asked again before it said.
func TestShed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCentre(t)
		n := newEnrolled(t, c)
		c.before = func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
			if r.Method != http.MethodPost {
				return false
			}
			w.Header().Set("Retry-After", "600")
			replyJSON(w, 503, wire.Answer{Verdict: wire.Shed, RetryAfter: 600})
			return true
		}
		it := n.enqueue(100)
		defer n.run()()
		time.Sleep(time.Second)
		c.seen()
		if got := n.item(it.Seq); got.Kind != wire.KindShed || time.Until(got.NextTry) < 590*time.Second {
			t.Errorf("got kind %q, next try in %v", got.Kind, time.Until(got.NextTry))
		}
		time.Sleep(590 * time.Second)
		for _, asked := range c.seen() {
			if strings.HasPrefix(asked, "POST") {
				t.Error("the record was sent before its time")
			}
		}
		c.set(func() { c.before = nil })
		time.Sleep(21 * time.Minute)
		if got := n.item(it.Seq); got.State != wire.Acked {
			t.Errorf("later: got %s", got.State)
		}
	})
}

// TestBundle: a newer bundle is taken; an older, a foreign and one of the other
// mode are refused, and sending goes on.
func TestBundle(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]struct {
		change func(*centre)
		want   uint64
		kind   wire.Kind
	}{
		"same":       {func(*centre) {}, 5, ""},
		"newer":      {func(c *centre) { c.version = 6 }, 6, ""},
		"older":      {func(c *centre) { c.version = 4 }, 5, wire.KindProtocol},
		"foreign":    {func(c *centre) { c.version, c.key = 6, newCentre(c.t).key }, 5, wire.KindProtocol},
		"other-mode": {func(c *centre) { c.version, c.training = 6, true }, 5, wire.KindProtocol},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCentre(t)
			c.version = 5
			n := newEnrolled(t, c)
			s.change(c)
			if err := n.Refresh(t.Context()); wire.KindOf(err) != s.kind {
				t.Errorf("got %v, want kind %q", err, s.kind)
			}
			id, _, err := n.keeper.Identity()
			if err != nil {
				t.Fatal(err)
			}
			if b, err := id.Bundle.Bundle(); err != nil || b.Version != s.want || n.Status().Bundle != s.want {
				t.Errorf("got version %d, status %d (%v), want %d", b.Version, n.Status().Bundle, err, s.want)
			}
		})
	}
}

// TestRenewRefused: a certificate for somebody else is not taken.
func TestRenewRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCentre(t)
		n := newEnrolled(t, c)
		c.enrolled = func(a *wire.EnrolAnswer) { a.Agent = "agent-2" }
		time.Sleep(4 * 24 * time.Hour)
		if err := n.Refresh(t.Context()); wire.KindOf(err) != wire.KindProtocol {
			t.Errorf("got %v, want kind protocol", err)
		}
		c.enrolled = nil
		if err := n.Refresh(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// TestStates: what the centre says of where it stands is brought into the
// queue, even while nothing waits.
func TestStates(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]struct {
		change func(*centre)
		want   string
		kind   wire.Kind
	}{
		"in-step":     {func(*centre) {}, "acked acked acked", ""},
		"behind":      {func(c *centre) { c.expect, c.chain = 2, c.chain[:1] }, "acked acked acked", ""},
		"quarantined": {func(c *centre) { c.state = func(s *wire.State) { s.Quarantined = true } }, "acked acked acked", wire.KindQuarantined},
		"ahead":       {func(c *centre) { c.expect = 9 }, "acked acked acked", wire.KindDamaged},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := newCentre(t)
				n := newEnrolled(t, c)
				defer n.run()()
				for range 3 {
					n.enqueue(10)
				}
				n.Wake()
				time.Sleep(time.Minute)
				c.set(func() { s.change(c) })
				time.Sleep(11 * time.Minute)
				states := ""
				for seq := range wire.Seq(3) {
					states += " " + string(n.item(seq+1).State)
				}
				if states[1:] != s.want || n.Status().Kind != s.kind {
					t.Errorf("got%s, kind %q; want %s, %q", states, n.Status().Kind, s.want, s.kind)
				}
				if name == "behind" && c.expect != 4 {
					t.Errorf("the centre still expects %d", c.expect)
				}
			})
		})
	}
}

// TestAdopt: a queue that lost everything to damage goes on after the centre's
// chain instead of forking it.
func TestAdopt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCentre(t)
		n := newEnrolled(t, c)
		stop := n.run()
		n.enqueue(10)
		n.enqueue(10)
		n.Wake()
		time.Sleep(time.Minute)
		stop()
		if err := n.queue.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(n.file, []byte(strings.Repeat("damage ", 1000)), 0o600); err != nil {
			t.Fatal(err)
		}
		if damage := n.start(c); damage == nil {
			t.Fatal("the damage is not noticed")
		}
		defer n.run()()
		time.Sleep(time.Minute)
		it := n.enqueue(10)
		n.Wake()
		time.Sleep(time.Minute)
		if got := n.item(it.Seq); it.Seq != 3 || got.State != wire.Acked {
			t.Errorf("number %d is %s, want 3 and acked", it.Seq, got.State)
		}
	})
}

// TestRunStops: Run ends with its context, in the middle of a wait and in the
// middle of a request, and one that cannot run says so.
func TestRunStops(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCentre(t)
		n := newEnrolled(t, c)
		n.run()()
		n.enqueue(10)
		n.cfg.Wrap = func(http.RoundTripper) http.RoundTripper {
			return hanging{}
		}
		n.line = nil
		stop := n.run()
		time.Sleep(time.Second)
		began := time.Now()
		stop()
		if d := time.Since(began); d > 5*time.Second {
			t.Errorf("it took %v to stop", d)
		}
		if got := n.item(1); got.Attempts != 0 || got.State != wire.Sealed {
			t.Errorf("an interrupted try is counted: %d, %s", got.Attempts, got.State)
		}
		if err := New(Config{Keeper: n.keeper}).Run(t.Context()); !errors.Is(err, errQueue) {
			t.Errorf("without a queue: got %v", err)
		}
	})
}

// hanging is a line on which nothing ever comes back.
type hanging struct{}

func (hanging) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// TestNotEnrolled: a counter without an identity waits and says so, and sends
// as soon as it has one.
func TestNotEnrolled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCentre(t)
		n := newCounter(t, c)
		defer n.run()()
		time.Sleep(time.Hour)
		if got := n.Status(); got.Kind != wire.KindNotEnrolled {
			t.Errorf("the status is %+v", got)
		}
		if got := c.seen(); len(got) > 0 {
			t.Errorf("it asked %v", got)
		}
		if _, err := n.Enrol(t.Context(), c.invite("centre.example:8443")); err != nil {
			t.Fatal(err)
		}
		it := n.enqueue(10)
		n.Wake()
		time.Sleep(time.Second)
		if got := n.item(it.Seq); got.State != wire.Acked {
			t.Errorf("after enrolment: got %s", got.State)
		}
	})
}

// TestQueueFails: a queue that cannot be read is not hammered, and told.
func TestQueueFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCentre(t)
		n := newEnrolled(t, c)
		if err := n.queue.Close(); err != nil {
			t.Fatal(err)
		}
		defer n.run()()
		time.Sleep(time.Hour)
		if got := n.Status().Kind; got != wire.KindDisk {
			t.Errorf("the status is %q, want disk", got)
		}
		if got := len(c.seen()); got > 1500 {
			t.Errorf("the centre was asked %d times", got)
		}
	})
}

// TestFetchBroken: what the opener gets is whole, in order, or an error.
func TestFetchBroken(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]struct {
		status int
		body   string
		kind   wire.Kind
	}{
		"forbidden":  {403, "", wire.KindUnauthorised},
		"no-end":     {200, "CPD1", wire.KindProtocol},
		"no-records": {200, "CPD1\x00\x00\x00\x00", ""},
		"html":       {200, "<html>", wire.KindProtocol},
	} {
		c := newCentre(t)
		n := newEnrolled(t, c)
		c.before = func(w http.ResponseWriter, _ *http.Request, _ []byte) bool {
			w.WriteHeader(s.status)
			_, _ = io.WriteString(w, s.body)
			return true
		}
		kind := wire.KindNone
		for _, err := range n.Fetch(t.Context(), 0) {
			kind = wire.KindOf(err)
		}
		if kind != s.kind {
			t.Errorf("%s: got kind %q, want %q", name, kind, s.kind)
		}
	}
	n := newCounter(t, newCentre(t))
	for _, err := range n.Fetch(t.Context(), 0) {
		if wire.KindOf(err) != wire.KindNotEnrolled {
			t.Errorf("not enrolled: got %v", err)
		}
	}
	if err := n.PutRecipients(t.Context(), nil); wire.KindOf(err) != wire.KindNotEnrolled {
		t.Errorf("not enrolled: got %v", err)
	}
	if _, err := n.State(t.Context()); wire.KindOf(err) != wire.KindNotEnrolled {
		t.Errorf("not enrolled: got %v", err)
	}
}

// TestFetchHole: a log with a hole in it is told, not passed over.
func TestFetchHole(t *testing.T) {
	t.Parallel()
	c := newCentre(t)
	n := newEnrolled(t, c)
	it := n.enqueue(10)
	e, err := n.queue.Envelope(t.Context(), it.Seq)
	if err != nil {
		t.Fatal(err)
	}
	c.before = func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
		d := store.NewDelivery(w)
		_ = d.Write(store.Record{Receipt: wire.Receipt{LogIndex: 2, RecHash: it.Hash}, Envelope: e})
		_ = d.Close()
		return true
	}
	var kinds []wire.Kind
	for _, err := range n.Fetch(t.Context(), 0) {
		kinds = append(kinds, wire.KindOf(err))
	}
	if len(kinds) != 1 || kinds[0] != wire.KindProtocol {
		t.Errorf("got %q, want one of kind protocol", kinds)
	}
}

// TestFetchDamaged: a record that the centre's disk has not kept is told under
// its place in the log, and the next one comes.
func TestFetchDamaged(t *testing.T) {
	t.Parallel()
	c := newCentre(t)
	n := newEnrolled(t, c)
	it := n.enqueue(10)
	e, err := n.queue.Envelope(t.Context(), it.Seq)
	if err != nil {
		t.Fatal(err)
	}
	l, err := n.open()
	if err != nil {
		t.Fatal(err)
	}
	good := c.delivered(t, e, it.Seq, l.leaf.RawSubjectPublicKeyInfo)
	good.Receipt.LogIndex = 3
	if good.Receipt, err = seal.SignReceipt(good.Receipt, c.key); err != nil {
		t.Fatal(err)
	}
	hollow := store.Record{Receipt: good.Receipt, Envelope: wire.Envelope{Header: e.Header, Signature: e.Signature, Parts: []wire.Part{{Name: "part-0"}}}}
	hollow.Receipt.LogIndex = 2 // and it does not say that it is damaged
	c.before = func(w http.ResponseWriter, _ *http.Request, _ []byte) bool {
		d := store.NewDelivery(w)
		for _, r := range []store.Record{{Receipt: wire.Receipt{LogIndex: 1}, Damaged: true}, hollow, good} {
			_ = d.Write(r)
		}
		_ = d.Close()
		return true
	}
	var got []wire.Kind
	for r, err := range n.Fetch(t.Context(), 0) {
		got = append(got, wire.KindOf(err))
		if r.Receipt.LogIndex != uint64(len(got)) {
			t.Errorf("place %d has index %d", len(got), r.Receipt.LogIndex)
		}
	}
	if !slices.Equal(got, []wire.Kind{wire.KindDamaged, wire.KindDamaged, ""}) {
		t.Errorf("got %q, want two damaged and one whole", got)
	}
}

// TestVerify: a record whose signatures do not hold is damaged, whichever it
// is.
func TestVerify(t *testing.T) {
	t.Parallel()
	c := newCentre(t)
	n := newEnrolled(t, c)
	it := n.enqueue(10)
	e, err := n.queue.Envelope(t.Context(), it.Seq)
	if err != nil {
		t.Fatal(err)
	}
	l, err := n.open()
	if err != nil {
		t.Fatal(err)
	}
	good := c.delivered(t, e, it.Seq, l.leaf.RawSubjectPublicKeyInfo)
	if err := witness.Record(good, l.receiptKey()); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*store.Record){
		"receipt":   func(r *store.Record) { r.Receipt.LogIndex++ },
		"no-key":    func(r *store.Record) { r.Origin.Public = nil },
		"other-key": func(r *store.Record) { r.Origin.Public = c.ca.RawSubjectPublicKeyInfo },
		"part":      func(r *store.Record) { r.Envelope.Parts[0].Sealed = []byte("other") },
		"damaged":   func(r *store.Record) { r.Damaged = true },
		"other-seq": func(r *store.Record) { *r = c.delivered(t, e, 9, l.leaf.RawSubjectPublicKeyInfo) },
	} {
		r := c.delivered(t, e, it.Seq, l.leaf.RawSubjectPublicKeyInfo)
		r.Envelope.Parts = append([]wire.Part{}, e.Parts...)
		change(&r)
		if err := witness.Record(r, l.receiptKey()); wire.KindOf(err) != wire.KindDamaged {
			t.Errorf("%s: got %v, want kind damaged", name, err)
		}
	}
}

// TestVerdicts: what each answer obliges to, and that the chain goes on behind
// it where it may.
func TestVerdicts(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]struct {
		answer func(c *centre, w http.ResponseWriter, e wire.Envelope, h wire.Header) (done bool)
		want   string
		kind   wire.Kind
	}{
		"refused": {func(c *centre, w http.ResponseWriter, e wire.Envelope, h wire.Header) bool {
			if h.Seq != 1 {
				return false
			}
			r, err := seal.SignRefusal(wire.Refusal{Agent: agent, Seq: 1, RecHash: e.RecHash(), Reason: "training", At: time.Now()}, c.key)
			if err != nil {
				t.Error(err)
			}
			c.expect = 2
			replyJSON(w, 422, wire.Answer{Verdict: wire.Refused, Refusal: &r})
			return true
		}, "refused acked acked", ""},
		"fork": {func(_ *centre, w http.ResponseWriter, _ wire.Envelope, h wire.Header) bool {
			if h.Seq != 2 {
				return false
			}
			replyJSON(w, 409, wire.Answer{Verdict: wire.Fork})
			return true
		}, "acked quarantined quarantined", wire.KindQuarantined},
		"gap": {func(c *centre, _ http.ResponseWriter, _ wire.Envelope, h wire.Header) bool {
			if h.Seq == 3 && c.version == 1 { // the centre loses all it had, once
				c.version, c.expect = 2, 1
			}
			return false
		}, "acked acked acked", ""},
		"upgrade": {func(_ *centre, w http.ResponseWriter, _ wire.Envelope, _ wire.Header) bool {
			replyJSON(w, 426, wire.Answer{Verdict: wire.Upgrade})
			return true
		}, "blobs_sent sealed sealed", wire.KindUpgrade},
		"altered-once": {func(c *centre, w http.ResponseWriter, _ wire.Envelope, _ wire.Header) bool {
			if c.version > 1 {
				return false
			}
			c.version = 2
			replyJSON(w, 400, wire.Answer{Verdict: wire.Altered})
			return true
		}, "acked acked acked", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := newCentre(t)
				n := newEnrolled(t, c)
				c.before = func(w http.ResponseWriter, _ *http.Request, body []byte) bool {
					e, h, err := wire.ParseEnvelope(body)
					return err == nil && s.answer(c, w, e, h)
				}
				for range 3 {
					n.enqueue(10)
				}
				defer n.run()()
				time.Sleep(time.Minute)
				states := ""
				for seq := range wire.Seq(3) {
					states += " " + string(n.item(seq+1).State)
				}
				if states[1:] != s.want || n.Status().Kind != s.kind {
					t.Errorf("got%s, kind %q; want %s, %q", states, n.Status().Kind, s.want, s.kind)
				}
				if name == "gap" && c.expect != 4 {
					t.Errorf("the centre expects %d, want 4", c.expect)
				}
			})
		})
	}
}

// TestPutRecipients hands in keys and takes the bundle that they are in.
func TestPutRecipients(t *testing.T) {
	t.Parallel()
	c := newCentre(t)
	n := newEnrolled(t, c)
	c.version = 2
	if err := n.PutRecipients(t.Context(), []wire.Recipient{}); err != nil {
		t.Fatal(err)
	}
	if got := n.Status().Bundle; got != 2 {
		t.Errorf("the bundle in force is %d, want 2", got)
	}
	c.before = func(w http.ResponseWriter, _ *http.Request, _ []byte) bool { w.WriteHeader(403); return true }
	if err := n.PutRecipients(t.Context(), nil); wire.KindOf(err) != wire.KindUnauthorised {
		t.Errorf("got %v, want kind unauthorised", err)
	}
}

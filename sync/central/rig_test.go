package central_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"time"

	mathrand "math/rand/v2"

	"github.com/counterproof/counterproof/sync/central"
	"github.com/counterproof/counterproof/sync/custody"
	"github.com/counterproof/counterproof/sync/queue"
	"github.com/counterproof/counterproof/sync/seal"
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/store/sqlite"
	"github.com/counterproof/counterproof/sync/uplink"
	"github.com/counterproof/counterproof/sync/wire"
)

// centre is a centre in a folder, which can be closed and opened again.
type centre struct {
	*central.Central
	t     testing.TB
	cfg   central.Config
	mu    sync.Mutex
	inner http.Handler
}

// newCentre opens a centre in a new folder. It is closed at the test's end.
func newCentre(t testing.TB, change func(*central.Config)) *centre {
	t.Helper()
	c := &centre{t: t, cfg: central.Config{Dir: filepath.Join(t.TempDir(), "centre")}}
	if change != nil {
		change(&c.cfg)
	}
	c.open()
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// open opens what lies in the folder.
func (c *centre) open() {
	c.t.Helper()
	opened, err := central.Open(context.Background(), c.cfg)
	if err != nil {
		c.t.Fatal(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.Central, c.inner = opened, opened.Handler()
}

// handler is the open centre's.
func (c *centre) handler() http.Handler {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.inner
}

// invite makes an invitation's text.
func (c *centre) invite(i central.Invitation) string {
	c.t.Helper()
	if i.Address == "" {
		i.Address = "centre.example:8443"
	}
	invite, err := c.Invite(context.Background(), i)
	if err != nil {
		c.t.Fatal(err)
	}
	return invite.String()
}

// records reads the centre's whole log.
func (c *centre) records() []store.Record {
	c.t.Helper()
	s, err := sqlite.Open(context.Background(), filepath.Join(c.cfg.Dir, "centre.db"))
	if err != nil {
		c.t.Fatal(err)
	}
	defer s.Close()
	all, err := s.Records(context.Background(), 0, 1_000_000)
	if err != nil {
		c.t.Fatal(err)
	}
	return all
}

// inside is a line without a network: it hands requests to a handler, with the
// certificate of the identity in force. Time may stand still around it.
type inside struct {
	handler func() http.Handler
	keeper  *custody.Keeper
}

func (l inside) RoundTrip(r *http.Request) (*http.Response, error) {
	in := r.Clone(r.Context())
	in.RequestURI, in.RemoteAddr, in.TLS = r.URL.RequestURI(), "192.0.2.1:1024", &tls.ConnectionState{}
	if in.Body == nil {
		in.Body = http.NoBody
	}
	if id, ok, err := l.keeper.Identity(); err == nil && ok {
		leaf, err := x509.ParseCertificate(id.Chain[0])
		if err != nil {
			return nil, err
		}
		in.TLS.PeerCertificates = []*x509.Certificate{leaf}
	}
	rec := httptest.NewRecorder()
	l.handler().ServeHTTP(rec, in)
	resp := rec.Result()
	resp.Request = r
	return resp, nil
}

// counter is a whole counter: keys, queue and client.
type counter struct {
	t      testing.TB
	keeper *custody.Keeper
	queue  *queue.Queue
	client *uplink.Client
	dir    string
}

// newCounter makes a counter that is not enrolled; wrap makes its line.
func newCounter(t testing.TB, wrap func(*custody.Keeper) func(http.RoundTripper) http.RoundTripper) *counter {
	t.Helper()
	c := &counter{t: t, dir: t.TempDir()}
	var err error
	if c.keeper, err = custody.Open(filepath.Join(c.dir, "keys")); err != nil {
		t.Fatal(err)
	}
	if c.queue, _, err = queue.Open(filepath.Join(c.dir, "queue", "queue.db")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.queue.Close() })
	cfg := uplink.Config{Keeper: c.keeper, Queue: c.queue}
	if wrap != nil {
		cfg.Wrap = wrap(c.keeper)
	}
	c.client = uplink.New(cfg)
	return c
}

// enrolled makes a counter of a site over an inside line, with faults on it if
// any are given.
func (c *centre) enrolled(faults ...func(http.RoundTripper) http.RoundTripper) *counter {
	c.t.Helper()
	return c.invited(central.Invitation{Site: "FA123"}, faults)
}

// invited enrols with an invitation.
func (c *centre) invited(i central.Invitation, faults []func(http.RoundTripper) http.RoundTripper) *counter {
	c.t.Helper()
	broken := false
	n := newCounter(c.t, func(k *custody.Keeper) func(http.RoundTripper) http.RoundTripper {
		return func(http.RoundTripper) http.RoundTripper {
			var line http.RoundTripper = inside{c.handler, k}
			if !broken { // enrolment goes over a whole line
				return line
			}
			for _, f := range faults {
				line = f(line)
			}
			return line
		}
	})
	if _, err := n.client.Enrol(context.Background(), c.invite(i)); err != nil {
		c.t.Fatal(err)
	}
	broken = true
	return n
}

// identity is the counter's, which must have one.
func (c *counter) identity() custody.Identity {
	c.t.Helper()
	id, ok, err := c.keeper.Identity()
	if err != nil || !ok {
		c.t.Fatal("no identity", err)
	}
	return id
}

// enqueue seals a record of random bytes in parts of the given sizes.
func (c *counter) enqueue(sizes ...int) queue.Item {
	c.t.Helper()
	id := c.identity()
	h := wire.Header{Version: 1, Agent: id.Agent, Training: id.Training, Wall: time.Now().UTC().Truncate(time.Millisecond), App: "1.0"}
	return c.put(h, sizes...)
}

// put enqueues a record with the given header.
func (c *counter) put(h wire.Header, sizes ...int) queue.Item {
	c.t.Helper()
	_, _ = rand.Read(h.Record[:])
	var parts []wire.Part
	for i, n := range sizes {
		p := wire.Part{Name: wire.PartName(fmt.Sprintf("part-%d", i)), Sealed: make([]byte, n)}
		_, _ = rand.Read(p.Sealed)
		parts = append(parts, p)
		h.Parts = append(h.Parts, wire.PartInfo{Name: p.Name, Recipient: "k1", Len: uint64(n), SHA256: wire.HashOf(p.Sealed)})
	}
	it, err := c.queue.Enqueue(context.Background(), h.Record, func(seq wire.Seq, prev wire.Hash) (wire.Envelope, error) {
		h.Seq, h.Prev = seq, prev
		return seal.Envelope(h, parts, c.keeper.Signer())
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return it
}

// run runs the client until stop is called; stop waits for its end.
func (c *counter) run() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- c.client.Run(ctx) }()
	return func() {
		cancel()
		if err := <-ended; err != nil {
			c.t.Error(err)
		}
	}
}

// until waits, in the test's own time, for a condition.
func (c *counter) until(limit time.Duration, what string, ok func(queue.Status) bool) {
	c.t.Helper()
	for end := time.Now().Add(limit); ; time.Sleep(limit / 500) {
		s, err := c.queue.Status(context.Background())
		if err != nil {
			c.t.Fatal(err)
		}
		if ok(s) {
			return
		}
		if time.Now().After(end) {
			c.t.Fatalf("%s did not happen in %v: %+v, %+v", what, limit, s, c.client.Status())
		}
	}
}

// sent waits until nothing is waiting.
func (c *counter) sent(limit time.Duration) {
	c.t.Helper()
	c.until(limit, "sending all", func(s queue.Status) bool { return s.Waiting == 0 })
}

// items are the counter's records, oldest first.
func (c *counter) items() []queue.Item {
	c.t.Helper()
	items, err := c.queue.Items(context.Background(), 1_000_000)
	if err != nil {
		c.t.Fatal(err)
	}
	for i, j := 0, len(items)-1; i < j; i, j = i+1, j-1 {
		items[i], items[j] = items[j], items[i]
	}
	return items
}

// check holds what counters believe against what the centre has: every
// acknowledged record is stored, once, with the bytes and the log index of its
// receipt; every chain is without a hole, and so is the log.
func check(stored []store.Record, counters ...*counter) error {
	type place struct {
		agent wire.AgentID
		seq   wire.Seq
	}
	var problems []error
	held := map[place]store.Record{}
	next := map[wire.AgentID]wire.Seq{}
	for i, r := range stored {
		p := place{r.Receipt.Agent, r.Receipt.Seq}
		if _, twice := held[p]; twice {
			problems = append(problems, fmt.Errorf("%v is stored twice", p))
		}
		held[p] = r
		next[p.agent]++
		if p.seq != next[p.agent] || r.Receipt.LogIndex != uint64(i+1) {
			problems = append(problems, fmt.Errorf("%v stands at %d of the log, index %d", p, i+1, r.Receipt.LogIndex))
		}
		if _, err := r.Envelope.Check(); err != nil || r.Envelope.RecHash() != r.Receipt.RecHash {
			problems = append(problems, fmt.Errorf("%v is not whole: %v", p, err))
		}
	}
	for _, c := range counters {
		agent := c.identity().Agent
		for _, it := range c.items() {
			r, ok := held[place{agent, it.Seq}]
			if it.State == wire.Acked && (!ok || r.Receipt.RecHash != it.Hash || r.Receipt.LogIndex != it.Receipt.LogIndex) {
				problems = append(problems, fmt.Errorf("%s %d is acknowledged and not held so", agent, it.Seq))
			}
			if ok && r.Receipt.RecHash != it.Hash {
				problems = append(problems, fmt.Errorf("%s %d is held with other bytes", agent, it.Seq))
			}
		}
	}
	return errors.Join(problems...)
}

// faulty is a line that loses requests, loses answers, alters what it carries
// and delivers it twice, as often as its seed says.
type faulty struct {
	inner http.RoundTripper
	mu    sync.Mutex
	rng   *mathrand.Rand
	seen  map[string]int
}

// faultyLine makes one with every fault a few times in a hundred.
func faultyLine(seed uint64) (*faulty, func(http.RoundTripper) http.RoundTripper) {
	f := &faulty{rng: mathrand.New(mathrand.NewPCG(seed, 1)), seen: map[string]int{}}
	return f, func(inner http.RoundTripper) http.RoundTripper {
		f.inner = inner
		return f
	}
}

// draw picks the fate of one request.
func (f *faulty) draw(n int) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	fate := "whole"
	switch p := f.rng.IntN(100); {
	case p < 6:
		fate = "request lost"
	case p < 12:
		fate = "answer lost"
	case p < 16 && n > 0:
		fate = "request altered"
	case p < 20:
		fate = "delivered twice"
	case p < 24:
		fate = "answer altered"
	}
	f.seen[fate]++
	return fate
}

func (f *faulty) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	fate := f.draw(len(body))
	if fate == "request lost" {
		return nil, errors.New("the line is down")
	}
	if fate == "request altered" {
		body[len(body)/2] ^= 1
	}
	if fate == "delivered twice" {
		if resp, err := f.carry(r, body); err == nil {
			_ = resp.Body.Close()
		}
	}
	resp, err := f.carry(r, body)
	switch {
	case err != nil:
		return nil, err
	case fate == "answer lost":
		_ = resp.Body.Close()
		return nil, errors.New("the connection was reset")
	case fate == "answer altered":
		return alter(resp)
	}
	return resp, nil
}

// carry sends a request with the given body.
func (f *faulty) carry(r *http.Request, body []byte) (*http.Response, error) {
	in := r.Clone(r.Context())
	in.Body = io.NopCloser(bytes.NewReader(body))
	return f.inner.RoundTrip(in)
}

// alter changes one bit in the middle of an answer.
func alter(resp *http.Response) (*http.Response, error) {
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if len(b) > 0 {
		b[len(b)/2] ^= 1
	}
	resp.Body = io.NopCloser(bytes.NewReader(b))
	return resp, nil
}

// with is a client of the same keys on another queue file.
func (c *counter) with(keeper *custody.Keeper, path string, centre *centre) *counter {
	c.t.Helper()
	q, _, err := queue.Open(path)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = q.Close() })
	client := uplink.New(uplink.Config{Keeper: keeper, Queue: q, Wrap: func(http.RoundTripper) http.RoundTripper {
		return inside{centre.handler, keeper}
	}})
	return &counter{t: c.t, keeper: keeper, queue: q, client: client, dir: filepath.Dir(path)}
}

// at is a client of the same counter that asks at another address.
func (c *counter) at(address string) *uplink.Client {
	return uplink.New(uplink.Config{Keeper: c.keeper, Queue: c.queue, Address: address})
}

package uplink

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/counterproof/counterproof/sync/custody"
	"github.com/counterproof/counterproof/sync/queue"
	"github.com/counterproof/counterproof/sync/seal"
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// agent is the one counter that the centre of these tests knows.
const agent = wire.AgentID("agent-1")

// centre is the other side as a test wants it: honest by default, and wrong in
// whatever way before or after says.
type centre struct {
	t        testing.TB
	ca       *x509.Certificate
	caKey    *ecdsa.PrivateKey
	key      ed25519.PrivateKey
	training bool

	mu       sync.Mutex
	version  uint64
	expect   wire.Seq
	chain    []wire.Hash
	blobs    map[string][]byte
	requests []string // method and path, in order
	before   func(w http.ResponseWriter, r *http.Request, body []byte) (done bool)
	state    func(*wire.State)
	enrolled func(*wire.EnrolAnswer)
	bundle   func(*wire.Bundle)
	answer   func(*wire.Answer)

	news  []wire.Placed // the counter's list
	acked uint64
	own   []wire.Placed // the opener's list
	page  func(*wire.NoticePage)
	runs  func(*wire.Answers)
}

// newCentre makes an honest one.
func newCentre(t testing.TB) *centre {
	t.Helper()
	c := &centre{t: t, version: 1, expect: 1, blobs: map[string][]byte{}}
	_, c.key, _ = ed25519.GenerateKey(rand.Reader)
	c.ca, c.caKey = authority(t)
	return c
}

// authority makes a self-signed certificate.
func authority(t testing.TB) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "centre"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(10, 0, 0), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert, key
}

// issue signs a certificate for a public key.
func (c *centre) issue(public any, names []string, from, to time.Time) []byte {
	c.t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), NotBefore: from, NotAfter: to, DNSNames: names, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		URIs:        []*url.URL{{Scheme: "spiffe", Host: "counterproof", Path: "/site/FA123/agent/" + string(agent)}},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, c.ca, public, c.caKey)
	if err != nil {
		c.t.Fatal(err)
	}
	return der
}

// invite is an invitation to this centre.
func (c *centre) invite(address string) string {
	return store.Invite{Address: address, Code: strings.Repeat("0", 26), CA: wire.HashOf(c.ca.Raw)}.String()
}

// signedBundle is the bundle in force.
func (c *centre) signedBundle() wire.Signed {
	b := wire.Bundle{Version: c.version, Issued: time.Now().UTC(), Training: c.training, ReceiptKey: c.key.Public().(ed25519.PublicKey)}
	if c.bundle != nil {
		c.bundle(&b)
	}
	s, err := seal.SignBundle(b, c.key)
	if err != nil {
		c.t.Error(err)
	}
	return s
}

// ServeHTTP answers as a centre does.
func (c *centre) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.requests = append(c.requests, r.Method+" "+r.URL.Path)
	if c.before != nil && c.before(w, r, body) {
		return
	}
	switch {
	case r.URL.Path == "/v1/enrol" || r.URL.Path == "/v1/renew":
		c.identity(w, body)
	case r.URL.Path == "/v1/trust/bundle" || r.URL.Path == "/v1/opener/recipients":
		reply200(w, c.signedBundle())
	case strings.HasSuffix(r.URL.Path, "/state"):
		s := wire.State{Agent: agent, Expect: c.expect, Now: time.Now().UTC().Add(90 * time.Second), NextSync: 600,
			Notices: uint64(len(c.news)), NoticesAcked: c.acked}
		if len(c.chain) > 0 {
			s.Head = c.chain[len(c.chain)-1]
		}
		if c.state != nil {
			c.state(&s)
		}
		reply200(w, s)
	case strings.HasPrefix(r.URL.Path, "/v1/blobs/"):
		c.blob(w, r, body)
	case strings.HasSuffix(r.URL.Path, "/notices/ack"):
		c.ack(w, body)
	case r.URL.Path == "/v1/opener/notices" && r.Method == http.MethodPost:
		c.post(w, body)
	case strings.HasSuffix(r.URL.Path, "/notices"):
		c.list(w, r)
	case strings.HasSuffix(r.URL.Path, "/records"):
		c.run(w, body)
	default:
		a, status := c.record(body)
		replyJSON(w, status, a)
	}
}

// run takes a run of records, up to the first that it cannot take.
func (c *centre) run(w http.ResponseWriter, body []byte) {
	records, err := wire.ParseRun(body)
	if err != nil {
		c.t.Error(err)
	}
	var all wire.Answers
	for _, one := range records {
		a, status := c.record(one)
		all.Answers = append(all.Answers, a)
		if status != http.StatusOK {
			break
		}
	}
	if c.runs != nil {
		c.runs(&all)
	}
	reply200(w, all)
}

// reply200 answers with JSON.
func reply200(w http.ResponseWriter, v any) { replyJSON(w, http.StatusOK, v) }

// replyJSON answers with JSON.
func replyJSON(w http.ResponseWriter, status int, v any) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// identity enrols or renews.
func (c *centre) identity(w http.ResponseWriter, body []byte) {
	var req wire.EnrolRequest
	if err := json.Unmarshal(body, &req); err != nil {
		c.t.Error(err)
	}
	csr, err := x509.ParseCertificateRequest(req.CSR)
	if err != nil {
		c.t.Error(err)
		return
	}
	leaf := c.issue(csr.PublicKey, nil, time.Now().Add(-time.Hour), time.Now().AddDate(0, 0, 7))
	a := wire.EnrolAnswer{Agent: agent, Site: "FA123", Training: c.training, Chain: [][]byte{leaf, c.ca.Raw}, Bundle: c.signedBundle()}
	if c.enrolled != nil {
		c.enrolled(&a)
	}
	reply200(w, a)
}

// blob keeps pieces.
func (c *centre) blob(w http.ResponseWriter, r *http.Request, body []byte) {
	name := strings.TrimPrefix(r.URL.Path, "/v1/blobs/")
	held := c.blobs[name]
	status, whole := http.StatusNoContent, wire.HashOf(held).String() == name
	offset, _ := strconv.Atoi(r.Header.Get("Upload-Offset"))
	switch {
	case r.Method == http.MethodHead || whole:
	case offset != len(held):
		status = http.StatusConflict
	default:
		held = append(held, body...)
		c.blobs[name] = held
		if whole = wire.HashOf(held).String() == name; whole {
			status = http.StatusCreated
		}
	}
	w.Header().Set("Upload-Offset", strconv.Itoa(len(held)))
	w.Header().Set("Upload-Complete", map[bool]string{true: "?1", false: "?0"}[whole])
	w.WriteHeader(status)
}

// record takes the next record of the chain.
func (c *centre) record(body []byte) (wire.Answer, int) {
	e, h, err := wire.ParseEnvelope(body)
	if err != nil {
		c.t.Error(err)
	}
	a, status := wire.Answer{Verdict: wire.Stored}, http.StatusOK
	switch {
	case h.Seq > c.expect:
		a, status = wire.Answer{Verdict: wire.Gap, Expect: c.expect}, http.StatusTooEarly
	case h.Seq < c.expect:
		a.Verdict = wire.Replayed
	default:
		c.chain, c.expect = append(c.chain, e.RecHash()), c.expect+1
	}
	if status == http.StatusOK {
		r, err := seal.SignReceipt(wire.Receipt{Agent: agent, Seq: h.Seq, RecHash: e.RecHash(), LogIndex: uint64(h.Seq), At: time.Now()}, c.key)
		if err != nil {
			c.t.Error(err)
		}
		a.Receipt = &r
	}
	if c.answer != nil {
		c.answer(&a)
	}
	return a, status
}

// list answers with a page of three of the list that was asked for.
func (c *centre) list(w http.ResponseWriter, r *http.Request) {
	all, acked := c.news, c.acked
	if r.URL.Path == "/v1/opener/notices" {
		all, acked = c.own, 0
	}
	after, err := strconv.Atoi(r.FormValue("after"))
	if err != nil {
		c.t.Error(err)
	}
	rest := all[min(after, len(all)):]
	page := wire.NoticePage{Notices: slices.Clone(rest[:min(3, len(rest))]), Last: uint64(len(all)), Acked: acked}
	if c.page != nil {
		c.page(&page)
	}
	reply200(w, page)
}

// ack notes what the counter says that it has.
func (c *centre) ack(w http.ResponseWriter, body []byte) {
	var ack wire.NoticeAck
	if err := json.Unmarshal(body, &ack); err != nil {
		c.t.Error(err)
	}
	if ack.N > uint64(len(c.news)) {
		replyJSON(w, http.StatusConflict, wire.Answer{Verdict: wire.Gap})
		return
	}
	c.acked = max(c.acked, ack.N)
	reply200(w, ack)
}

// acknowledged is up to which place the counter says that it has its news.
func (c *centre) acknowledged() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.acked
}

// post takes a run of an opener's notices, the next or those that are there.
func (c *centre) post(w http.ResponseWriter, body []byte) {
	var run []wire.Placed
	if err := json.Unmarshal(body, &run); err != nil || len(run) == 0 || len(run) > wire.MaxPosted {
		c.t.Errorf("posted %d: %v", len(run), err)
	}
	verdict := wire.Replayed
	for _, p := range run {
		if err := p.Check(); err != nil {
			c.t.Error(err)
		}
		last := uint64(len(c.own))
		switch {
		case p.N == last+1:
			c.own, verdict = append(c.own, p), wire.Stored
		case p.N > last:
			replyJSON(w, http.StatusTooEarly, wire.Answer{Verdict: wire.Gap, Expect: wire.Seq(last + 1)})
			return
		case c.own[p.N-1].Notice.Hash() != p.Notice.Hash():
			replyJSON(w, http.StatusConflict, wire.Answer{Verdict: wire.Fork})
			return
		}
	}
	reply200(w, wire.Answer{Verdict: verdict})
}

// seen lists what was asked, and forgets it.
func (c *centre) seen() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := c.requests
	c.requests = nil
	return all
}

// set changes the centre's ways between requests.
func (c *centre) set(change func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change()
}

// line is a line to a handler without a network.
type inside struct{ to http.Handler }

func (l inside) RoundTrip(r *http.Request) (*http.Response, error) {
	in := r.Clone(r.Context())
	if in.Body == nil {
		in.Body = http.NoBody
	}
	rec := httptest.NewRecorder()
	l.to.ServeHTTP(rec, in)
	resp := rec.Result()
	resp.Request = r
	return resp, nil
}

// counter is a client with its keys and its queue.
type counter struct {
	*Client
	t      testing.TB
	keeper *custody.Keeper
	queue  *queue.Queue
	file   string
}

// newCounter makes a counter that is not enrolled; to is the centre that it
// speaks with, over TLS if nil.
func newCounter(t testing.TB, to http.Handler) *counter {
	t.Helper()
	dir := t.TempDir()
	keeper, err := custody.Open(filepath.Join(dir, "keys"))
	if err != nil {
		t.Fatal(err)
	}
	n := &counter{t: t, keeper: keeper, file: filepath.Join(dir, "queue", "queue.db")}
	n.start(to)
	return n
}

// start opens the queue's file and makes the client.
func (n *counter) start(to http.Handler) *queue.Damage {
	n.t.Helper()
	q, damage, err := queue.Open(n.file)
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { _ = q.Close() })
	cfg := Config{Keeper: n.keeper, Queue: q, Address: "centre.example:8443"}
	if to != nil {
		cfg.Wrap = func(http.RoundTripper) http.RoundTripper { return inside{to} }
	}
	n.queue, n.Client = q, New(cfg)
	return damage
}

// newEnrolled makes a counter that the centre knows.
func newEnrolled(t testing.TB, c *centre) *counter {
	t.Helper()
	n := newCounter(t, c)
	if _, err := n.Enrol(context.Background(), c.invite("centre.example:8443")); err != nil {
		t.Fatal(err)
	}
	c.seen()
	return n
}

// enqueue seals a record with parts of the given sizes.
func (n *counter) enqueue(sizes ...int) queue.Item {
	n.t.Helper()
	h := wire.Header{Version: 1, Agent: agent}
	_, _ = rand.Read(h.Record[:])
	var parts []wire.Part
	for i, size := range sizes {
		p := wire.Part{Name: wire.PartName("part-" + strconv.Itoa(i)), Sealed: bytes.Repeat([]byte{byte(i + 1)}, size)}
		_, _ = rand.Read(p.Sealed[:min(size, 16)])
		parts = append(parts, p)
		h.Parts = append(h.Parts, wire.PartInfo{Name: p.Name, Recipient: "k", Len: uint64(size), SHA256: wire.HashOf(p.Sealed)})
	}
	it, err := n.queue.Enqueue(context.Background(), h.Record, func(seq wire.Seq, prev wire.Hash) (wire.Envelope, error) {
		h.Seq, h.Prev = seq, prev
		return seal.Envelope(h, parts, n.keeper.Signer())
	})
	if err != nil {
		n.t.Fatal(err)
	}
	return it
}

// run runs the client until stop is called.
func (n *counter) run() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- n.Run(ctx) }()
	return func() {
		cancel()
		if err := <-ended; err != nil {
			n.t.Error(err)
		}
	}
}

// item is the queue's word on a record.
func (n *counter) item(seq wire.Seq) queue.Item {
	n.t.Helper()
	it, err := n.queue.Item(context.Background(), seq)
	if err != nil {
		n.t.Fatal(err)
	}
	return it
}

// delivered is a record as the opener gets it, with a receipt for seq.
func (c *centre) delivered(t *testing.T, e wire.Envelope, seq wire.Seq, public []byte) store.Record {
	t.Helper()
	r, err := seal.SignReceipt(wire.Receipt{Agent: agent, Seq: seq, RecHash: e.RecHash(), LogIndex: 1, At: time.Now()}, c.key)
	if err != nil {
		t.Fatal(err)
	}
	return store.Record{Receipt: r, Origin: store.Origin{Site: "FA123", Public: public, Grade: "file"}, Envelope: e}
}

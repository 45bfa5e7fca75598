package central_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/counterproof/counterproof/sync/central"
	"github.com/counterproof/counterproof/sync/custody"
	"github.com/counterproof/counterproof/sync/seal"
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// call makes a request of the centre as the given certificate.
func (c *centre) call(cert []byte, method, path string, header http.Header, body []byte) *httptest.ResponseRecorder {
	c.t.Helper()
	r := httptest.NewRequest(method, path, bytes.NewReader(body))
	r.TLS = &tls.ConnectionState{}
	if cert != nil {
		leaf, err := x509.ParseCertificate(cert)
		if err != nil {
			c.t.Fatal(err)
		}
		r.TLS.PeerCertificates = []*x509.Certificate{leaf}
	}
	for name, values := range header {
		r.Header[name] = values
	}
	rec := httptest.NewRecorder()
	c.handler().ServeHTTP(rec, r)
	return rec
}

// post sends an envelope as a counter does.
func (c *centre) post(n *counter, e wire.Envelope, seq wire.Seq, body []byte) (int, wire.Answer) {
	c.t.Helper()
	id := n.identity()
	rec := c.call(id.Chain[0], "POST", fmt.Sprintf("/v1/agents/%s/records/%d", id.Agent, seq),
		http.Header{"Idempotency-Key": {e.RecHash().String()}}, body)
	var a wire.Answer
	if err := json.Unmarshal(rec.Body.Bytes(), &a); err != nil {
		c.t.Fatalf("status %d, no answer: %v", rec.Code, err)
	}
	return rec.Code, a
}

// sealed is one signed record of the counter's, not in its queue.
func (n *counter) sealed(h wire.Header, parts ...[]byte) wire.Envelope {
	n.t.Helper()
	id := n.identity()
	h.Version, h.Training = max(h.Version, 1), id.Training != h.Training
	if h.Agent == "" {
		h.Agent = id.Agent
	}
	var all []wire.Part
	for i, b := range parts {
		name := wire.PartName(fmt.Sprintf("part-%d", i))
		h.Parts = append(h.Parts, wire.PartInfo{Name: name, Recipient: "k", Len: uint64(len(b)), SHA256: wire.HashOf(b)})
		all = append(all, wire.Part{Name: name, Sealed: b})
	}
	e, err := seal.Envelope(h, all, n.keeper.Signer())
	if err != nil {
		n.t.Fatal(err)
	}
	return e
}

// TestAnswers: every answer of the table, with its status and what it says.
func TestAnswers(t *testing.T) {
	t.Parallel()
	c := newCentre(t, nil)
	n := c.enrolled()
	first := n.sealed(wire.Header{Seq: 1}, []byte("claims"))
	next := wire.Header{Seq: 2, Prev: first.RecHash()}
	second := n.sealed(next, []byte("claims"), []byte("picture"))
	marshalled := func(e wire.Envelope) []byte { return e.Marshal(nil) }
	altered := bytes.Replace(marshalled(second), []byte("picture"), []byte("PICTURE"), 1)
	unsigned := second
	unsigned.Signature = append([]byte{}, second.Signature...)
	unsigned.Signature[10] ^= 1
	for _, s := range []struct {
		name    string
		e       wire.Envelope
		seq     wire.Seq
		body    []byte
		status  int
		verdict wire.Verdict
		then    func(wire.Answer) bool
	}{
		{"stored", first, 1, marshalled(first), 200, wire.Stored, func(a wire.Answer) bool { return a.Receipt.LogIndex == 1 && a.Receipt.RecHash == first.RecHash() }},
		{"replayed", first, 1, marshalled(first), 200, wire.Replayed, func(a wire.Answer) bool { return a.Receipt.LogIndex == 1 }},
		{"gap", n.sealed(wire.Header{Seq: 5}), 5, nil, 425, wire.Gap, func(a wire.Answer) bool { return a.Expect == 2 }},
		{"missing", second, 2, second.Marshal(func(p wire.Part) bool { return p.Name == "part-0" }), 424, wire.MissingBlobs,
			func(a wire.Answer) bool { return len(a.Missing) == 1 && a.Missing[0] == wire.HashOf([]byte("picture")) }},
		{"altered/part", second, 2, altered, 400, wire.Altered, nil},
		{"altered/header", second, 2, bytes.Replace(marshalled(second), second.Header[30:40], make([]byte, 10), 1), 400, wire.Altered, nil},
		{"altered/cut", second, 2, marshalled(second)[:100], 400, wire.Altered, nil},
		{"altered/empty", second, 2, []byte{}, 400, wire.Altered, nil},
		{"altered/path", second, 3, marshalled(second), 400, wire.Altered, nil},
		{"altered/key", first, 2, marshalled(second), 400, wire.Altered, nil},
		{"too-large", second, 2, make([]byte, 2<<20), 413, wire.Altered, nil},
		{"upgrade", n.sealed(wire.Header{Version: 2, Seq: 2, Prev: first.RecHash()}), 2, nil, 426, wire.Upgrade, nil},
		{"refused/training", n.sealed(wire.Header{Seq: 2, Prev: first.RecHash(), Training: true}), 2, nil, 422, wire.Refused,
			func(a wire.Answer) bool { return a.Refusal.Reason == "training" && a.Refusal.Seq == 2 }},
	} {
		body := s.body
		if body == nil {
			body = marshalled(s.e)
		}
		status, a := c.post(n, s.e, s.seq, body)
		if status != s.status || a.Verdict != s.verdict || s.then != nil && !s.then(a) {
			t.Errorf("%s: got %d, %+v; want %d, %s", s.name, status, a, s.status, s.verdict)
		}
	}
	// The refusal has taken number 2, so a forged record can only take 3.
	status, a := c.post(n, second, 2, marshalled(second))
	if status != 409 || a.Verdict != wire.Fork {
		t.Errorf("fork: got %d, %s", status, a.Verdict)
	}
	third := n.sealed(wire.Header{Seq: 3, Prev: first.RecHash()})
	if status, a := c.post(n, third, 3, marshalled(third)); status != 409 || a.Verdict != wire.Fork {
		t.Errorf("quarantined: got %d, %s", status, a.Verdict)
	}
}

// TestMalformed: a record that arrived as it was named and can never be taken
// is refused, signed, and the chain goes on.
func TestMalformed(t *testing.T) {
	t.Parallel()
	c := newCentre(t, nil)
	huge := wire.Header{}
	for i := range 3 {
		huge.Parts = append(huge.Parts, wire.PartInfo{Name: wire.PartName(fmt.Sprintf("p%d", i)), Recipient: "k", Len: wire.MaxPart})
	}
	for name, forge := range map[string]func(n *counter) wire.Envelope{
		"signature": func(n *counter) wire.Envelope {
			e := n.sealed(wire.Header{Seq: 1})
			e.Signature[10] ^= 1
			return e
		},
		"other-agent": func(n *counter) wire.Envelope { return n.sealed(wire.Header{Agent: "agent-x", Seq: 1}) },
		"too-much": func(n *counter) wire.Envelope {
			h := huge
			h.Version, h.Agent, h.Seq = 1, n.identity().Agent, 1
			return wire.Envelope{Header: h.Encode(), Signature: []byte("none"), Parts: make([]wire.Part, 3)}
		},
	} {
		n := c.enrolled()
		e := forge(n)
		status, a := c.post(n, e, 1, e.Marshal(nil))
		if status != 422 || a.Refusal == nil || a.Refusal.Reason != "malformed" || a.Refusal.RecHash != e.RecHash() {
			t.Errorf("%s: got %d, %+v", name, status, a)
			continue
		}
		id := n.identity()
		b, err := id.Bundle.Bundle()
		if err != nil || seal.VerifyRefusal(*a.Refusal, b.ReceiptKey) != nil {
			t.Errorf("%s: the refusal is not signed", name)
		}
		good := n.sealed(wire.Header{Seq: 2, Prev: e.RecHash()})
		if status, a := c.post(n, good, 2, good.Marshal(nil)); status != 200 {
			t.Errorf("%s: after it got %d, %s", name, status, a.Verdict)
		}
	}
}

// TestStrangers: who is not enrolled, or not for this, gets nothing.
func TestStrangers(t *testing.T) {
	t.Parallel()
	c, elsewhere := newCentre(t, nil), newCentre(t, nil)
	n, other, stranger := c.enrolled(), c.enrolled(), elsewhere.enrolled()
	own, agent := n.identity().Chain[0], n.identity().Agent
	state := "/v1/agents/" + string(agent) + "/state"
	for name, s := range map[string]struct {
		cert         []byte
		method, path string
		status       int
	}{
		"own-state":          {own, "GET", state, 200},
		"nobody":             {nil, "GET", state, 403},
		"other-counter":      {other.identity().Chain[0], "GET", state, 403},
		"other-centre":       {stranger.identity().Chain[0], "GET", state, 403},
		"authority-itself":   {n.identity().CentreCA, "GET", state, 403},
		"counter-as-opener":  {own, "GET", "/v1/opener/records", 403},
		"counter-gives-keys": {own, "PUT", "/v1/opener/recipients", 403},
		"nobody-bundle":      {nil, "GET", "/v1/trust/bundle", 403},
		"nobody-renews":      {nil, "POST", "/v1/renew", 403},
		"nobody-blob":        {nil, "PATCH", "/v1/blobs/" + wire.HashOf(nil).String(), 403},
		"other-record":       {other.identity().Chain[0], "POST", "/v1/agents/" + string(agent) + "/records/1", 403},
		"no-such-path":       {own, "GET", "/v1/", 404},
		"wrong-method":       {own, "DELETE", state, 405},
	} {
		if rec := c.call(s.cert, s.method, s.path, nil, nil); rec.Code != s.status {
			t.Errorf("%s: got %d, want %d", name, rec.Code, s.status)
		}
	}
}

// TestState tells what a counter needs.
func TestState(t *testing.T) {
	t.Parallel()
	c := newCentre(t, func(cfg *central.Config) { cfg.Training = true })
	n := c.enrolled()
	id := n.identity()
	e := n.sealed(wire.Header{Seq: 1})
	if status, a := c.post(n, e, 1, e.Marshal(nil)); status != 200 {
		t.Fatal(status, a.Verdict)
	}
	var s wire.State
	rec := c.call(id.Chain[0], "GET", "/v1/agents/"+string(id.Agent)+"/state", nil, nil)
	if err := json.Unmarshal(rec.Body.Bytes(), &s); err != nil {
		t.Fatal(err)
	}
	if s.Agent != id.Agent || s.Expect != 2 || s.Head != e.RecHash() || s.Quarantined || !s.Training {
		t.Errorf("got %+v", s)
	}
	if d := time.Since(s.Now); d < 0 || d > time.Minute || s.NextSync < 300 || s.NextSync > 900 {
		t.Errorf("got the time %v and the next round in %d s", s.Now, s.NextSync)
	}
}

// patch sends a piece of a blob.
func (c *centre) patch(n *counter, sha wire.Hash, offset, complete string, body []byte) *httptest.ResponseRecorder {
	c.t.Helper()
	return c.call(n.identity().Chain[0], "PATCH", "/v1/blobs/"+sha.String(),
		http.Header{"Upload-Offset": {offset}, "Upload-Complete": {complete}}, body)
}

// TestBlobs: a resumable upload, step by step.
func TestBlobs(t *testing.T) {
	t.Parallel()
	c := newCentre(t, nil)
	n := c.enrolled()
	data := bytes.Repeat([]byte("sealed picture "), 200_000) // three pieces
	sha := wire.HashOf(data)
	for _, s := range []struct {
		name, offset, complete string
		body                   []byte
		status                 int
		at, whole              string
	}{
		{"first", "0", "?0", data[:1_500_000], 204, "1500000", "?0"},
		{"wrong-offset", "7", "?0", data[7:9], 409, "1500000", "?0"},
		{"empty-piece", "1500000", "?0", nil, 204, "1500000", "?0"},
		{"rest", "1500000", "?1", data[1_500_000:], 201, "3000000", "?1"},
		{"again", "0", "?1", data, 201, "3000000", "?1"},
	} {
		rec := c.patch(n, sha, s.offset, s.complete, s.body)
		if rec.Code != s.status || rec.Header().Get("Upload-Offset") != s.at || rec.Header().Get("Upload-Complete") != s.whole {
			t.Errorf("%s: got %d, %v", s.name, rec.Code, rec.Header())
		}
		rec = c.call(n.identity().Chain[0], "HEAD", "/v1/blobs/"+sha.String(), nil, nil)
		if rec.Code != 204 || rec.Header().Get("Upload-Offset") != s.at || rec.Header().Get("Upload-Complete") != s.whole {
			t.Errorf("%s: asked, got %d, %v", s.name, rec.Code, rec.Header())
		}
	}
}

// TestBlobsRefused: what cannot be a piece is told so before it is read.
func TestBlobsRefused(t *testing.T) {
	t.Parallel()
	c := newCentre(t, nil)
	n := c.enrolled()
	sha := wire.HashOf([]byte("picture"))
	for name, s := range map[string]struct {
		offset, complete string
		body             []byte
		status           int
	}{
		"altered":         {"0", "?1", []byte("PICTURE"), 400},
		"no-offset":       {"", "?1", []byte("picture"), 400},
		"negative-offset": {"-1", "?1", []byte("picture"), 400},
		"too-large":       {"0", "?1", make([]byte, wire.MaxPart+1), 413},
	} {
		if rec := c.patch(n, sha, s.offset, s.complete, s.body); rec.Code != s.status {
			t.Errorf("%s: got %d, want %d", name, rec.Code, s.status)
		}
	}
	if rec := c.call(n.identity().Chain[0], "HEAD", "/v1/blobs/short", nil, nil); rec.Code != 400 {
		t.Errorf("no hash: got %d", rec.Code)
	}
	r := httptest.NewRequest("PATCH", "/v1/blobs/"+sha.String(), io.MultiReader(strings.NewReader("picture")))
	leaf, err := x509.ParseCertificate(n.identity().Chain[0])
	if err != nil {
		t.Fatal(err)
	}
	r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{leaf}}
	r.Header.Set("Upload-Offset", "0")
	rec := httptest.NewRecorder()
	if c.handler().ServeHTTP(rec, r); rec.Code != http.StatusLengthRequired {
		t.Errorf("no length: got %d", rec.Code)
	}
}

// TestBlobCutLine: what arrived before the line was cut is kept.
func TestBlobCutLine(t *testing.T) {
	t.Parallel()
	c := newCentre(t, nil)
	n := c.enrolled()
	sha := wire.HashOf([]byte("whole picture"))
	r := httptest.NewRequest("PATCH", "/v1/blobs/"+sha.String(), strings.NewReader("whole"))
	r.ContentLength = 13
	leaf, err := x509.ParseCertificate(n.identity().Chain[0])
	if err != nil {
		t.Fatal(err)
	}
	r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{leaf}}
	r.Header.Set("Upload-Offset", "0")
	r.Header.Set("Upload-Complete", "?1")
	rec := httptest.NewRecorder()
	c.handler().ServeHTTP(rec, r)
	if rec.Code != 400 || rec.Header().Get("Upload-Offset") != "5" {
		t.Errorf("got %d, %v", rec.Code, rec.Header())
	}
	if rec := c.patch(n, sha, "5", "?1", []byte(" picture")); rec.Code != 201 {
		t.Errorf("the rest: got %d", rec.Code)
	}
}

// TestEnrolRefused: no identity without a good code and a proved key.
func TestEnrolRefused(t *testing.T) {
	t.Parallel()
	c := newCentre(t, nil)
	keeper, err := custody.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	csr, err := x509.CreateCertificateRequest(nil, &x509.CertificateRequest{}, keeper.Signer())
	if err != nil {
		t.Fatal(err)
	}
	forged := bytes.Clone(csr)
	forged[len(forged)-1] ^= 1
	code := func() string {
		i, err := store.ParseInvite(c.invite(central.Invitation{Site: "FA123"}))
		if err != nil {
			t.Fatal(err)
		}
		return i.Code
	}
	for name, s := range map[string]struct {
		req    any
		status int
	}{
		"good":         {wire.EnrolRequest{Code: code(), CSR: csr, Keep: "file"}, 200},
		"wrong-code":   {wire.EnrolRequest{Code: "0", CSR: csr, Keep: "file"}, 403},
		"forged-key":   {wire.EnrolRequest{Code: code(), CSR: forged, Keep: "file"}, 400},
		"no-key":       {wire.EnrolRequest{Code: code(), Keep: "file"}, 400},
		"unknown-keep": {wire.EnrolRequest{Code: code(), CSR: csr, Keep: "pocket"}, 400},
		"no-request":   {"words", 400},
		"too-long":     {strings.Repeat("x", 20<<10), 413},
	} {
		body, err := json.Marshal(s.req)
		if err != nil {
			t.Fatal(err)
		}
		if rec := c.call(nil, "POST", "/v1/enrol", nil, body); rec.Code != s.status {
			t.Errorf("%s: got %d, want %d: %s", name, rec.Code, s.status, rec.Body)
		}
	}
	n := c.enrolled()
	body, err := json.Marshal(wire.EnrolRequest{CSR: csr, Keep: "file"})
	if err != nil {
		t.Fatal(err)
	}
	if rec := c.call(n.identity().Chain[0], "POST", "/v1/renew", nil, body); rec.Code != 400 {
		t.Errorf("renewing for another key: got %d, want 400", rec.Code)
	}
}

// TestInviteRules: an invitation is for one counter with a site, or an opener.
func TestInviteRules(t *testing.T) {
	t.Parallel()
	c := newCentre(t, nil)
	for name, i := range map[string]central.Invitation{
		"nobody":     {Address: "a:1"},
		"both":       {Address: "a:1", Site: "FA123", Opener: true},
		"path":       {Address: "a:1", Site: "../x"},
		"too-long":   {Address: "a:1", Site: wire.SiteID(strings.Repeat("x", 33))},
		"no-address": {Site: "FA123"},
	} {
		if got, err := c.Invite(t.Context(), i); err == nil {
			t.Errorf("%s: got %+v, want an error", name, got)
		}
	}
}

// TestShed: above its slots the centre refuses at once and reads nothing.
func TestShed(t *testing.T) {
	t.Parallel()
	c := newCentre(t, func(cfg *central.Config) { cfg.InFlight = 1 })
	n := c.enrolled()
	started, release := make(chan struct{}), make(chan struct{})
	slow := &slowBody{started, release}
	done := make(chan struct{})
	id := n.identity()
	leaf, err := x509.ParseCertificate(id.Chain[0])
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(done)
		r := httptest.NewRequest("POST", "/v1/agents/"+string(id.Agent)+"/records/1", slow)
		r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{leaf}}
		c.handler().ServeHTTP(httptest.NewRecorder(), r)
	}()
	<-started
	body := &countingBody{}
	r := httptest.NewRequest("POST", "/v1/agents/"+string(id.Agent)+"/notices/ack", body)
	r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{leaf}}
	rec := httptest.NewRecorder()
	c.handler().ServeHTTP(rec, r)
	var a wire.Answer
	if err := json.Unmarshal(rec.Body.Bytes(), &a); err != nil {
		t.Fatal(err)
	}
	if rec.Code != 503 || a.Verdict != wire.Shed || rec.Header().Get("Retry-After") != fmt.Sprint(a.RetryAfter) || a.RetryAfter < 5 || a.RetryAfter > 30 {
		t.Errorf("got %d, %v, %+v", rec.Code, rec.Header(), a)
	}
	if body.n != 0 {
		t.Errorf("%d bytes were read of a request that was shed", body.n)
	}
	// Strangers have slots apart, so neither keeps the other out.
	if rec := c.call(nil, "GET", "/v1/openapi.json", nil, nil); rec.Code != 200 {
		t.Errorf("a stranger meanwhile: got %d", rec.Code)
	}
	close(release)
	<-done
	if rec := c.call(id.Chain[0], "GET", "/v1/trust/bundle", nil, nil); rec.Code != 200 {
		t.Errorf("afterwards: got %d", rec.Code)
	}
}

// slowBody waits in the middle of a request.
type slowBody struct{ started, release chan struct{} }

func (b *slowBody) Read([]byte) (int, error) {
	close(b.started)
	<-b.release
	return 0, io.EOF
}

// countingBody counts what is read of it.
type countingBody struct{ n int }

func (b *countingBody) Read(p []byte) (int, error) {
	b.n += len(p)
	return len(p), nil
}

// failing is a store that fails wherever it is asked to.
type failing struct{ store.Store }

var errDisk = errors.New("the disk is full")

func (failing) Accept(context.Context, store.Submission) (wire.Answer, error) {
	return wire.Answer{}, errDisk
}
func (failing) PutBlob(context.Context, store.Piece) (store.Progress, error) {
	return store.Progress{}, errDisk
}
func (failing) Blob(context.Context, wire.AgentID, wire.Hash) (store.Progress, error) {
	return store.Progress{}, errDisk
}
func (failing) Enrol(context.Context, store.Enrolment) (store.Agent, error) {
	return store.Agent{}, errDisk
}
func (failing) Records(context.Context, uint64, int) ([]store.Record, error) { return nil, errDisk }

// TestStoreFails: where it is unclear what was written the answer is 503 and
// the client asks again; never a receipt, never a verdict.
func TestStoreFails(t *testing.T) {
	t.Parallel()
	good := newCentre(t, nil)
	n, opener := good.enrolled(), good.opener()
	e := n.sealed(wire.Header{Seq: 1})
	csr, err := x509.CreateCertificateRequest(nil, &x509.CertificateRequest{}, n.keeper.Signer())
	if err != nil {
		t.Fatal(err)
	}
	enrol, err := json.Marshal(wire.EnrolRequest{Code: "x", CSR: csr, Keep: "file"})
	if err != nil {
		t.Fatal(err)
	}
	c := newCentre(t, func(cfg *central.Config) {
		cfg.Dir = good.cfg.Dir
		cfg.Store = failing{openStore(t, good)}
	})
	if status, a := c.post(n, e, 1, e.Marshal(nil)); status != 503 || a.Verdict != wire.Shed || a.Receipt != nil {
		t.Errorf("a record: got %d, %+v", status, a)
	}
	if rec := c.patch(n, wire.HashOf(nil), "0", "?1", []byte("x")); rec.Code != 503 {
		t.Errorf("a blob: got %d", rec.Code)
	}
	if rec := c.call(n.identity().Chain[0], "HEAD", "/v1/blobs/"+wire.HashOf(nil).String(), nil, nil); rec.Code != 503 {
		t.Errorf("a question: got %d", rec.Code)
	}
	if rec := c.call(nil, "POST", "/v1/enrol", nil, enrol); rec.Code != 503 {
		t.Errorf("an enrolment: got %d", rec.Code)
	}
	rec := c.call(opener.identity().Chain[0], "GET", "/v1/opener/records", nil, nil)
	for _, err := range store.ReadDelivery(rec.Body) {
		if err == nil {
			t.Error("a delivery that failed has records")
		}
	}
}

// TestLogLines: every line's keys are from the list, and no line holds a
// record's bytes or an invitation's code.
func TestLogLines(t *testing.T) {
	t.Parallel()
	var lines bytes.Buffer
	c := newCentre(t, func(cfg *central.Config) { cfg.Log = slog.New(slog.NewJSONHandler(&lines, nil)) })
	n := c.enrolled()
	e := n.sealed(wire.Header{Seq: 1}, []byte("SECRETMARKER"))
	c.post(n, e, 1, e.Marshal(nil))
	c.call(nil, "GET", "/v1/trust/bundle", nil, nil)
	c.call(nil, "POST", "/v1/enrol", nil, []byte(`{"code":"CODEMARKER"}`))
	allowed := map[string]bool{}
	for _, k := range strings.Fields("time level msg agent seq code kind status millis addr path err") {
		allowed[k] = true
	}
	text := lines.String()
	for line := range strings.Lines(text) {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatal(err)
		}
		for k := range m {
			if !allowed[k] {
				t.Errorf("the key %s is logged", k)
			}
		}
	}
	if strings.Contains(text, "MARKER") {
		t.Error("what was sent is logged")
	}
	if !strings.Contains(text, string(n.identity().Agent)) || !strings.Contains(text, `"code":"stored"`) {
		t.Error("the agent or the verdict is not logged")
	}
}

// FuzzPostRecord: whatever a counter sends as a record, the answer is one of
// the table's, and only a whole record that names itself is stored.
func FuzzPostRecord(f *testing.F) {
	c := newCentre(f, nil)
	n := c.enrolled()
	e := n.sealed(wire.Header{Seq: 1}, []byte("claims"))
	f.Add("1", e.RecHash().String(), e.Marshal(nil))
	f.Add("2", e.RecHash().String(), e.Marshal(nil))
	f.Add("1", "x", []byte("CPR1"))
	id := n.identity()
	f.Fuzz(func(t *testing.T, seq, key string, body []byte) {
		path := "/v1/agents/" + string(id.Agent) + "/records/" + url.PathEscape(seq)
		r := &http.Request{
			Method: "POST", URL: &url.URL{Path: path}, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
			Header: http.Header{"Idempotency-Key": {key}}, TLS: &tls.ConnectionState{},
		}
		leaf, err := x509.ParseCertificate(id.Chain[0])
		if err != nil {
			t.Fatal(err)
		}
		r.TLS.PeerCertificates = []*x509.Certificate{leaf}
		rec := httptest.NewRecorder()
		c.handler().ServeHTTP(rec, r)
		switch rec.Code {
		case 200:
			if got, _, err := wire.ParseEnvelope(body); err != nil || got.RecHash() != e.RecHash() {
				t.Fatal("a record that was never signed is stored")
			}
		case 301, 307, 400, 404, 409, 413, 422, 424, 425, 426:
		default:
			t.Fatalf("status %d", rec.Code)
		}
	})
}

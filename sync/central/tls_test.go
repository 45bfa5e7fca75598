package central_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/counterproof/counterproof/sync/central"
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// serve answers on a free port of this machine until the test ends, and gives
// its address.
func (c *centre) serve() string {
	c.t.Helper()
	ln, err := central.Listen("127.0.0.1:0")
	if err != nil {
		c.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- c.Serve(ctx, ln) }()
	c.t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			c.t.Error(err)
		}
	})
	return ln.Addr().String()
}

// TestWholeLine: over real connections, a counter enrols, sends a record with
// large parts, and an opener fetches it.
func TestWholeLine(t *testing.T) {
	t.Parallel()
	c := newCentre(t, func(cfg *central.Config) { cfg.Training = true })
	address := c.serve()
	n, opener := newCounter(t, nil), newCounter(t, nil)
	id, err := n.client.Enrol(t.Context(), c.invite(central.Invitation{Site: "FA123", Address: address}))
	if err != nil {
		t.Fatal(err)
	}
	if id.Site != "FA123" || !id.Training || !strings.HasPrefix(string(id.Agent), "agent-") {
		t.Errorf("got the identity %s of %s, training %v", id.Agent, id.Site, id.Training)
	}
	if _, err := opener.client.Enrol(t.Context(), c.invite(central.Invitation{Opener: true, Address: address})); err != nil {
		t.Fatal(err)
	}
	keys := recipients(t)
	if err := opener.client.PutRecipients(t.Context(), keys); err != nil {
		t.Fatal(err)
	}
	defer n.run()()
	n.enqueue(2_000, 2_500_000, 70_000)
	n.client.Wake()
	n.sent(time.Minute)
	count := 0
	for r, err := range opener.client.Fetch(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		count++
		if len(r.Envelope.Parts) != 3 || len(r.Envelope.Parts[1].Sealed) != 2_500_000 {
			t.Errorf("got %d parts", len(r.Envelope.Parts))
		}
	}
	if count != 1 {
		t.Errorf("the opener got %d records, want 1", count)
	}
	if err := check(c.records(), n); err != nil {
		t.Error(err)
	}
	if got := n.client.Status(); got.Kind != wire.KindNone || got.Bundle != 2 {
		t.Errorf("the status is %+v", got)
	}
}

// TestInviteOnce: an invitation is for one counter; the same one may ask
// again, as after a lost answer.
func TestInviteOnce(t *testing.T) {
	t.Parallel()
	c := newCentre(t, nil)
	invite := c.invite(central.Invitation{Site: "FA123", Address: c.serve()})
	first, second := newCounter(t, nil), newCounter(t, nil)
	id, err := first.client.Enrol(t.Context(), invite)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := first.client.Enrol(t.Context(), invite); err != nil || again.Agent != id.Agent {
		t.Errorf("the same counter again: got %s (%v), want %s", again.Agent, err, id.Agent)
	}
	if _, err := second.client.Enrol(t.Context(), invite); wire.KindOf(err) != wire.KindCode {
		t.Errorf("another counter: got %v, want kind code", err)
	}
	if _, enrolled, err := second.keeper.Identity(); err != nil || enrolled {
		t.Errorf("a refused counter has an identity (%v)", err)
	}
}

// TestWrongCentre: a counter speaks with no centre but its own, at enrolment
// and after it.
func TestWrongCentre(t *testing.T) {
	t.Parallel()
	c, impostor := newCentre(t, nil), newCentre(t, nil)
	address, other := c.serve(), impostor.serve()
	invite, err := store.ParseInvite(c.invite(central.Invitation{Site: "FA123", Address: address}))
	if err != nil {
		t.Fatal(err)
	}
	misled := invite
	misled.Address = other
	n := newCounter(t, nil)
	if _, err := n.client.Enrol(t.Context(), misled.String()); wire.KindOf(err) != wire.KindCertificate {
		t.Errorf("enrolling with an impostor: got %v, want kind certificate", err)
	}
	named := newCentre(t, func(cfg *central.Config) { cfg.Names = []string{"centre.example"} })
	wrongName := named.invite(central.Invitation{Site: "FA123", Address: named.serve()})
	if _, err := n.client.Enrol(t.Context(), wrongName); wire.KindOf(err) != wire.KindCertificate {
		t.Errorf("enrolling under another name: got %v, want kind certificate", err)
	}
	if _, err := n.client.Enrol(t.Context(), invite.String()); err != nil {
		t.Fatal(err)
	}
	moved := n.at(other)
	if err := moved.Refresh(t.Context()); wire.KindOf(err) != wire.KindCertificate {
		t.Errorf("asking an impostor: got %v, want kind certificate", err)
	}
	if got := moved.Status().Kind; got != wire.KindCertificate {
		t.Errorf("the status is %q, want certificate", got)
	}
	if err := n.at(address).Refresh(t.Context()); err != nil {
		t.Errorf("asking the own centre: %v", err)
	}
}

// TestForgedCertificate: a client certificate of a stranger's authority with the
// right names is nobody.
func TestForgedCertificate(t *testing.T) {
	t.Parallel()
	c := newCentre(t, nil)
	n := c.enrolled()
	leaf, err := x509.ParseCertificate(n.identity().Chain[0])
	if err != nil {
		t.Fatal(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: leaf.Subject, URIs: leaf.URIs, NotBefore: leaf.NotBefore, NotAfter: leaf.NotAfter,
		ExtKeyUsage: leaf.ExtKeyUsage,
	}
	forged, err := x509.CreateCertificate(rand.Reader, template, &x509.Certificate{Subject: pkix.Name{CommonName: "Counterproof centre"}}, leaf.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	state := "/v1/agents/" + string(n.identity().Agent) + "/state"
	if rec := c.call(forged, "GET", state, nil, nil); rec.Code != http.StatusForbidden {
		t.Errorf("got %d, want 403", rec.Code)
	}
}

// TestProtocolVersions: TLS 1.3 alone, and HTTP/1.1 alone.
func TestProtocolVersions(t *testing.T) {
	t.Parallel()
	c := newCentre(t, nil)
	address := c.serve()
	for version, want := range map[uint16]bool{tls.VersionTLS12: false, tls.VersionTLS13: true} {
		conn, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true, MaxVersion: version, NextProtos: []string{"h2", "http/1.1"}})
		if (err == nil) != want {
			t.Errorf("version %x: got %v", version, err)
		}
		if err != nil {
			continue
		}
		if got := conn.ConnectionState().NegotiatedProtocol; got != "http/1.1" {
			t.Errorf("got the protocol %q", got)
		}
		_ = conn.Close()
	}
}

// TestNoCentre: where nobody or something else answers, the kind says which.
func TestNoCentre(t *testing.T) {
	t.Parallel()
	c := newCentre(t, nil)
	address := c.serve()
	n := newCounter(t, nil)
	if _, err := n.client.Enrol(t.Context(), c.invite(central.Invitation{Site: "FA123", Address: address})); err != nil {
		t.Fatal(err)
	}
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	if err := n.at(plain.Listener.Addr().String()).Refresh(t.Context()); wire.KindOf(err) != wire.KindProtocol {
		t.Errorf("a server without TLS: got %v, want kind protocol", err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = ln.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond) // the first try is enough
	defer cancel()
	gone := n.at(ln.Addr().String())
	if err := gone.Refresh(ctx); err == nil {
		t.Error("a closed port answered")
	}
	if got := gone.Status().Kind; got != wire.KindUnreachable {
		t.Errorf("a closed port: the status is %q, want unreachable", got)
	}
}

// TestSecondCentre: a second centre on the same port says so.
func TestSecondCentre(t *testing.T) {
	t.Parallel()
	c := newCentre(t, nil)
	address := c.serve()
	if _, err := central.Listen(address); err == nil || !strings.Contains(err.Error(), address) {
		t.Errorf("got %v, want an error that names the address", err)
	}
}

package fleet

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	mathrand "math/rand/v2"
	"net/http"
	"time"

	"github.com/counterproof/counterproof/sync/fleet/ledger"
	"github.com/counterproof/counterproof/sync/seal"
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// The waits of a simulated counter: a real one's, divided by hurry.
const (
	hurry    = 100
	waitMin  = 2 * time.Second / hurry
	waitMax  = 2 * time.Minute / hurry
	patience = 30 * time.Second // for one answer
)

// enrol spends the agent's code and makes its line.
func (a *agent) enrol(ctx context.Context) error {
	var err error
	if a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return err
	}
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, a.key)
	if err != nil {
		return err
	}
	body, err := json.Marshal(wire.EnrolRequest{Code: a.invite.Code, CSR: csr, Keep: "file"})
	if err != nil {
		return err
	}
	for try := range tries {
		var answer wire.EnrolAnswer
		r, err := a.fleet.ask(ctx, a.fleet.tally.enrolling, request{method: http.MethodPost, path: "/v1/enrol", body: body}, &answer)
		if err == nil && r.status == http.StatusOK {
			return a.become(answer)
		}
		if r.status == http.StatusForbidden {
			return errStopped
		}
		if err := wait(ctx, try, 0); err != nil {
			return err
		}
	}
	return errSilent
}

// become takes the identity that the centre gave.
func (a *agent) become(answer wire.EnrolAnswer) error {
	n := len(answer.Chain)
	if n < 2 || wire.HashOf(answer.Chain[n-1]) != a.invite.CA {
		return errors.New("the certificates do not end at the centre's authority")
	}
	if _, err := x509.ParseCertificate(answer.Chain[n-1]); err != nil {
		return err
	}
	b, err := answer.Bundle.Bundle()
	if err != nil {
		return err
	}
	if _, err := seal.VerifyBundle(answer.Bundle, b.ReceiptKey); err != nil {
		return err
	}
	a.id, a.centre, a.certificates = answer.Agent, b.ReceiptKey, answer.Chain
	a.ledger = ledger.New(a.id, &a.key.PublicKey)
	return nil
}

// connect makes the counter's line, over which one TLS session lasts as long as
// it may. Thousands of them at once would fill the memory, so a counter has one
// while it speaks.
func (a *agent) connect() error {
	if a.client != nil {
		return nil
	}
	authority, err := x509.ParseCertificate(a.certificates[len(a.certificates)-1])
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	roots.AddCert(authority)
	a.conns = connections(&tls.Config{
		MinVersion: tls.VersionTLS13, RootCAs: roots, ClientSessionCache: tls.NewLRUClientSessionCache(1),
		Certificates: []tls.Certificate{{Certificate: a.certificates[:1], PrivateKey: a.key}},
	})
	a.client = &http.Client{Transport: a.fleet.line.Over(a.conns), Timeout: patience}
	return nil
}

// over hangs up, and does away with the records where nothing can ask for them
// again.
func (a *agent) over() {
	a.conns.CloseIdleConnections()
	a.conns, a.client = nil, nil
	if !a.fleet.cfg.Restore {
		a.chain = nil
	}
}

// speaking lets a counter do something on its line.
func speaking(do func(*agent, context.Context) error) func(*agent, context.Context) error {
	return func(a *agent, ctx context.Context) error {
		if err := a.connect(); err != nil {
			return err
		}
		defer a.over()
		return do(a, ctx)
	}
}

// pinned connects to the centre whose authority an invitation names.
func pinned(i store.Invite) http.RoundTripper {
	return connections(&tls.Config{
		MinVersion: tls.VersionTLS13, InsecureSkipVerify: true, // the pin verifies
		VerifyConnection: func(s tls.ConnectionState) error {
			for _, c := range s.PeerCertificates[1:] {
				if wire.HashOf(c.Raw) == i.CA {
					roots := x509.NewCertPool()
					roots.AddCert(c)
					_, err := s.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots})
					return err
				}
			}
			return x509.UnknownAuthorityError{}
		},
	})
}

// kept is how many connections that nobody uses are kept open: one is enough for
// a counter, and those who enrol share theirs.
const kept = 64

// connections is a pool of connections.
func connections(config *tls.Config) *http.Transport {
	return &http.Transport{TLSClientConfig: config, MaxIdleConnsPerHost: kept, IdleConnTimeout: time.Minute, TLSHandshakeTimeout: patience}
}

// maxAnswer bounds an answer's body.
const maxAnswer = 1 << 20

// request is one question to the centre.
type request struct {
	method, path string
	header       http.Header
	body         []byte
}

// reply is an answer without its body.
type reply struct {
	status int
	header http.Header
}

// ask sends a request and reads a JSON answer of any status into into, unless
// that is nil.
func (f *fleet) ask(ctx context.Context, c *http.Client, q request, into any) (reply, error) {
	req, err := http.NewRequestWithContext(ctx, q.method, "https://"+f.host.at()+q.path, bytes.NewReader(q.body))
	if err != nil {
		return reply{}, err
	}
	for name, values := range q.header {
		req.Header[name] = values
	}
	resp, err := c.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer resp.Body.Close()
	r := reply{resp.StatusCode, resp.Header}
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil || into == nil {
		return r, err
	}
	return r, json.Unmarshal(text, into)
}

// wait waits with full jitter, longer with every try, and at least floor.
func wait(ctx context.Context, try int, floor time.Duration) error {
	most := min(waitMin<<min(try, 20), waitMax)
	timer := time.NewTimer(floor + time.Duration(mathrand.Int64N(int64(most))))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

package uplink

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/counterproof/counterproof/sync/custody"
	"github.com/counterproof/counterproof/sync/seal"
	"github.com/counterproof/counterproof/sync/uplink/meter"
	"github.com/counterproof/counterproof/sync/uplink/network"
	"github.com/counterproof/counterproof/sync/wire"
)

// Patience with one try of a request.
const (
	dialTime  = 10 * time.Second
	quickTime = 30 * time.Second // a record, a question
	slowTime  = 2 * time.Minute  // a piece of a blob, at 9 kB/s
	fetchTime = time.Hour        // a delivery to the opener
)

// maxAnswer bounds an answer's body; a bundle with many keys is the largest.
const maxAnswer = 1 << 20

// line is the connection of one identity.
type line struct {
	id     custody.Identity
	leaf   *x509.Certificate
	bundle wire.Bundle
	caller
}

// caller makes requests of one centre, over one pool of connections.
type caller struct {
	base               string
	spent              *meter.Meter
	quick, slow, fetch *retryablehttp.Client
}

// open returns the connection of the identity in force.
func (c *Client) open() (*line, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.line != nil {
		return c.line, nil
	}
	id, enrolled, err := c.cfg.Keeper.Identity()
	if err != nil {
		return nil, fault("reading the identity", wire.KindDisk, err)
	}
	if !enrolled {
		return nil, &wire.Error{Op: "opening the way to the centre", Kind: wire.KindNotEnrolled}
	}
	l, err := c.newLine(id)
	if err != nil {
		return nil, fault("opening the way to the centre", wire.KindDamaged, err)
	}
	c.line, c.status.Bundle = l, l.bundle.Version
	return l, nil
}

// newLine makes the connection that an identity allows.
func (c *Client) newLine(id custody.Identity) (*line, error) {
	bundle, err := seal.VerifyBundle(id.Bundle, id.BundleKey)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(id.Chain[0])
	if err != nil {
		return nil, fmt.Errorf("reading the own certificate: %w", err)
	}
	authority, err := x509.ParseCertificate(id.CentreCA)
	if err != nil {
		return nil, fmt.Errorf("reading the centre's authority: %w", err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(authority)
	own := tls.Certificate{Certificate: id.Chain[:1], PrivateKey: c.cfg.Keeper.Signer(), Leaf: leaf}
	return &line{id: id, leaf: leaf, bundle: bundle, caller: c.newCaller(c.address, &tls.Config{
		MinVersion: tls.VersionTLS13, RootCAs: roots, Certificates: []tls.Certificate{own}, Time: c.clock(),
		ClientSessionCache: tls.NewLRUClientSessionCache(4),
	})}, nil
}

// amend changes the stored identity, whatever it is by now, and lets the next
// request use it.
func (c *Client) amend(change func(*custody.Identity)) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	id, _, err := c.cfg.Keeper.Identity()
	if err == nil {
		change(&id)
		err = c.cfg.Keeper.SaveIdentity(id)
	}
	if err != nil {
		return fault("storing the identity", wire.KindDisk, err)
	}
	if c.line != nil {
		c.line.quick.HTTPClient.CloseIdleConnections()
	}
	c.line = nil
	return nil
}

// newCaller makes the clients for one centre. They share their connections and
// differ in patience.
func (c *Client) newCaller(address string, config *tls.Config) caller {
	dialer := &net.Dialer{Timeout: dialTime, KeepAlive: 30 * time.Second}
	var transport http.RoundTripper = &http.Transport{
		Proxy:                  network.Proxy(c.cfg.Proxy),
		DialContext:            dialer.DialContext,
		TLSClientConfig:        config,
		TLSHandshakeTimeout:    dialTime,
		ResponseHeaderTimeout:  slowTime,
		IdleConnTimeout:        90 * time.Second,
		MaxIdleConnsPerHost:    2,
		MaxResponseHeaderBytes: 16 << 10,
	}
	if c.cfg.Wrap != nil {
		transport = c.cfg.Wrap(transport)
	}
	return caller{
		base: "https://" + address, spent: &c.spent,
		quick: c.retrying(transport, quickTime), slow: c.retrying(transport, slowTime), fetch: c.retrying(transport, fetchTime),
	}
}

// request is one question to the centre.
type request struct {
	method, path string
	header       http.Header
	body         []byte
	client       *retryablehttp.Client
}

// reply is the centre's answer, whole.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// start asks and returns the response, whose body is the receiver's to close.
func (k caller) start(ctx context.Context, q request) (*http.Response, error) {
	var body any
	if q.body != nil {
		body = q.body
	}
	req, err := retryablehttp.NewRequestWithContext(ctx, q.method, k.base+q.path, body)
	if err != nil {
		return nil, fmt.Errorf("making a request: %w", err)
	}
	for name, values := range q.header {
		req.Header[name] = values
	}
	k.spent.Add(time.Now(), int64(len(q.body)))
	resp, err := q.client.Do(req)
	if err != nil {
		return nil, &wire.Error{Op: "asking the centre", Kind: network.KindOf(err), Err: err}
	}
	return resp, nil
}

// ask asks and reads the answer whole.
func (k caller) ask(ctx context.Context, q request) (reply, error) {
	resp, err := k.start(ctx, q)
	if err != nil {
		return reply{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return reply{}, &wire.Error{Op: "reading the centre's answer", Kind: network.KindOf(err), Err: err}
	}
	if network.IsPage(resp, body) {
		return reply{}, &wire.Error{Op: "reading the centre's answer", Kind: KindPortal, Err: errPortal}
	}
	if len(body) > maxAnswer {
		return reply{}, &wire.Error{Op: "reading the centre's answer", Kind: wire.KindProtocol, Err: errors.New("it has no end")}
	}
	return reply{resp.StatusCode, resp.Header, body}, nil
}

// askJSON asks with a JSON body, if v is not nil, and reads a JSON answer of
// status 200 into into.
func (k caller) askJSON(ctx context.Context, q request, v, into any) error {
	if v != nil {
		body, err := json.Marshal(v)
		if err != nil {
			return fmt.Errorf("making a request: %w", err)
		}
		q.body, q.header = body, http.Header{"Content-Type": {"application/json"}}
	}
	q.client = k.quick
	r, err := k.ask(ctx, q)
	if err != nil {
		return err
	}
	if r.status != http.StatusOK {
		return &wire.Error{Op: "asking the centre", Kind: network.KindOfStatus(r.status), Err: fmt.Errorf("status %d", r.status)}
	}
	if err := json.NewDecoder(bytes.NewReader(r.body)).Decode(into); err != nil {
		return &wire.Error{Op: "reading the centre's answer", Kind: wire.KindProtocol, Err: err}
	}
	return nil
}

// receiptKey is the key that receipts and refusals are signed with.
func (l *line) receiptKey() ed25519.PublicKey { return l.bundle.ReceiptKey }

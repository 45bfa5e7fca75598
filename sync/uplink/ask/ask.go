// Package ask puts questions to one centre over HTTP: with the identity that it
// is given, tried again by our rules, and with every answer bounded. It is the
// only place that knows the module behind it.
//
// It never decides what an answer obliges to, and keeps nothing.
//
// # The laws
//
//   - Only what passes by itself is tried again, a few times, with full jitter and
//     the centre's own wait as a floor; what takes longer is the asker's to repeat.
//   - No redirect is followed, and a page for people is no answer.
//   - An answer is bounded before it is read, and a body that nobody reads is
//     closed.
package ask

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/counterproof/counterproof/sync/uplink/network"
	"github.com/counterproof/counterproof/sync/wire"
)

// Patience is how long one try of a question may take.
type Patience int

// The patiences.
const (
	Quick Patience = iota // a record, a question: 30 s
	Slow                  // a piece of a blob, at 9 kB/s: 2 min
	Long                  // a delivery to the opener: 1 h
)

// patiences are the times, by Patience.
var patiences = [...]time.Duration{Quick: 30 * time.Second, Slow: 2 * time.Minute, Long: time.Hour}

// dialTime is how long a connection may take to be made.
const dialTime = 10 * time.Second

// MaxAnswer bounds an answer's body, in bytes; a bundle with many keys is the
// largest.
const MaxAnswer = 1 << 20

// Config says whom to ask and how. Address and TLS are needed.
type Config struct {
	Address string // host:port
	TLS     *tls.Config
	Proxy   string                                    // as uplink.Config has it
	Wrap    func(http.RoundTripper) http.RoundTripper // stands before the connection, if set
	Rand    func(n int64) int64                       // draws waits from [0, n); the standard library's if nil
	Spent   *Meter                                    // counts what is sent, if set
	Log     *slog.Logger                              // silent if nil
	Note    func(wire.Kind)                           // told of every try that failed, if set
}

// Caller asks one centre, over one pool of connections. New makes it.
type Caller struct {
	base    string
	spent   *Meter
	clients [len(patiences)]*retryablehttp.Client
}

// New makes a caller. It opens no connection.
func New(cfg Config) Caller {
	dialer := &net.Dialer{Timeout: dialTime, KeepAlive: 30 * time.Second}
	var transport http.RoundTripper = &http.Transport{
		Proxy:                  network.Proxy(cfg.Proxy),
		DialContext:            dialer.DialContext,
		TLSClientConfig:        cfg.TLS,
		TLSHandshakeTimeout:    dialTime,
		ResponseHeaderTimeout:  patiences[Slow],
		IdleConnTimeout:        90 * time.Second,
		MaxIdleConnsPerHost:    2,
		MaxResponseHeaderBytes: 16 << 10,
	}
	if cfg.Wrap != nil {
		transport = cfg.Wrap(transport)
	}
	if cfg.Rand == nil {
		cfg.Rand = rand.Int64N
	}
	if cfg.Note == nil {
		cfg.Note = func(wire.Kind) {}
	}
	cfg.Log = cmp.Or(cfg.Log, slog.New(slog.DiscardHandler))
	k := Caller{base: "https://" + cfg.Address, spent: cfg.Spent}
	for i, patience := range patiences {
		k.clients[i] = retrying(cfg, transport, patience)
	}
	return k
}

// CloseIdle lets go of connections that are not in use.
func (k Caller) CloseIdle() { k.clients[Quick].HTTPClient.CloseIdleConnections() }

// Request is one question.
type Request struct {
	Method, Path string
	Header       http.Header
	Body         []byte
	Patience     Patience
}

// Reply is the centre's answer, whole.
type Reply struct {
	Status int
	Header http.Header
	Body   []byte
}

// Start asks and returns the response, whose body is the receiver's to close.
func (k Caller) Start(ctx context.Context, q Request) (*http.Response, error) {
	var body any
	if q.Body != nil {
		body = q.Body
	}
	req, err := retryablehttp.NewRequestWithContext(ctx, q.Method, k.base+q.Path, body)
	if err != nil {
		return nil, fmt.Errorf("making a request: %w", err)
	}
	for name, values := range q.Header {
		req.Header[name] = values
	}
	if k.spent != nil {
		k.spent.Add(time.Now(), int64(len(q.Body)))
	}
	resp, err := k.clients[q.Patience].Do(req)
	if err != nil {
		return nil, &wire.Error{Op: "asking the centre", Kind: network.KindOf(err), Err: err}
	}
	return resp, nil
}

// errPortal is why a page is no answer.
var errPortal = errors.New("a page came in place of an answer: the network may want somebody to sign in")

// Ask asks and reads the answer whole. A page for people is network.KindPortal.
func (k Caller) Ask(ctx context.Context, q Request) (Reply, error) {
	const op = "reading the centre's answer"
	resp, err := k.Start(ctx, q)
	if err != nil {
		return Reply{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, MaxAnswer+1))
	if err != nil {
		return Reply{}, &wire.Error{Op: op, Kind: network.KindOf(err), Err: err}
	}
	if network.IsPage(resp, body) {
		return Reply{}, &wire.Error{Op: op, Kind: network.KindPortal, Err: errPortal}
	}
	if len(body) > MaxAnswer {
		return Reply{}, &wire.Error{Op: op, Kind: wire.KindProtocol, Err: errors.New("it has no end")}
	}
	return Reply{resp.StatusCode, resp.Header, body}, nil
}

// JSON asks with a JSON body, if v is not nil, and reads a JSON answer of status
// 200 into into.
func (k Caller) JSON(ctx context.Context, q Request, v, into any) error {
	if v != nil {
		body, err := json.Marshal(v)
		if err != nil {
			return fmt.Errorf("making a request: %w", err)
		}
		q.Body, q.Header = body, http.Header{"Content-Type": {"application/json"}}
	}
	r, err := k.Ask(ctx, q)
	if err != nil {
		return err
	}
	if r.Status != http.StatusOK {
		return &wire.Error{Op: "asking the centre", Kind: network.KindOfStatus(r.Status), Err: fmt.Errorf("status %d", r.Status)}
	}
	if err := json.NewDecoder(bytes.NewReader(r.Body)).Decode(into); err != nil {
		return &wire.Error{Op: "reading the centre's answer", Kind: wire.KindProtocol, Err: err}
	}
	return nil
}

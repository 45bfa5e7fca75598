// Package provision is the client of NHS login's Provision Account interface:
// the way staff give a patient, who proved who they are in person, an account of
// level P9 (NHS login, Provision Account interface specification 1.0, a draft).
//
// It proves nobody and decides on no level: it hands over what was decided. It
// keeps nothing on disk, waits for nothing and tries nothing again by itself
// (but for a token that the service no longer takes): what to do next comes back
// as a Disposition, and whoever calls keeps the request until it is done, final
// or put right.
//
// # The laws
//
//   - Done is a positive word of the service: create, uplift, or one of the two
//     codes that say the account or the request is there already. An answer that
//     nobody understands is never Done and never Final.
//   - Asking twice is safe. A request whose answer got lost is asked again and
//     comes back as a duplicate.
//   - No error, and nothing else that this package returns beside the normalised
//     details, has a patient's detail in it, whatever the service wrote.
//   - The service's answers are hostile: bounded, and read for a few closed words
//     only.
package provision

import (
	"bytes"
	"context"
	"crypto"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// Limits of one exchange.
const (
	maxAnswer      = 64 << 10
	defaultTimeout = 30 * time.Second
)

// Config is what the service gave its client, and what tests replace.
type Config struct {
	// TokenURL is where tokens are asked for. It is the audience of assertions as
	// it stands here.
	TokenURL string
	// ProvisionURL takes the requests, …/provision-account.
	ProvisionURL string
	// ClientID is the name under which the service knows us.
	ClientID string
	// KeyID names the key to the service, for the assertion's header; may be "".
	KeyID string
	// Key signs assertions. It is an RSA key of 2048 bits or more.
	Key crypto.Signer

	// Transport carries the exchanges; nil is one of its own with TLS 1.2 or later.
	Transport http.RoundTripper
	// Now is the clock of tokens and assertions; nil is the machine's.
	Now func() time.Time
	// Timeout bounds each exchange; 0 is 30 seconds.
	Timeout time.Duration
}

// Validate refuses a configuration that could not work or would send details of
// patients in clear. Plain http is for this machine only.
func (c Config) Validate() error {
	for _, u := range []string{c.TokenURL, c.ProvisionURL} {
		if err := checkURL(u); err != nil {
			return err
		}
	}
	if c.ClientID == "" {
		return errors.New("there is no client id")
	}
	if c.Timeout < 0 {
		return errors.New("the timeout is negative")
	}
	return checkKey(c.Key)
}

// checkURL takes https, and http to this machine, without anything that would
// end up in an error or a log by way of the address.
func checkURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "":
		return errors.New("an address of the service is not a URL")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return errors.New("an address of the service has more than host and path")
	case u.Scheme == "https":
		return nil
	case u.Scheme == "http" && local(u.Hostname()):
		return nil
	}
	return errors.New("an address of the service is not https")
}

// local reports this machine.
func local(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Client asks the service for accounts. Its methods may be called at the same
// time; they share one token.
type Client struct {
	cfg  Config
	http *http.Client

	mu    sync.Mutex // held while a token is asked for, so that one is
	token token
}

// New makes a client. It asks for nothing yet.
func New(c Config) (*Client, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("configuring the provisioning of accounts: %w", err)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
	}
	if c.Transport == nil {
		c.Transport = &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
			MaxResponseHeaderBytes: maxAnswer,
			ForceAttemptHTTP2:      true,
			IdleConnTimeout:        time.Minute,
		}
	}
	return &Client{cfg: c, http: &http.Client{
		Transport: c.Transport,
		Timeout:   c.Timeout,
		// A redirect would carry a patient's details to wherever it points.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Provision asks for an account. It sends nothing where the request itself is
// at fault. Every way that it ends is in the Answer; see Disposition.
func (c *Client) Provision(ctx context.Context, r Request) Answer {
	body, fault := r.encode(c.cfg.Now())
	if fault != nil {
		return *fault
	}
	for again := true; ; again = false {
		bearer, reused, fault := c.bearer(ctx)
		if fault != nil {
			return *fault
		}
		status, header, answer, err := c.post(ctx, c.cfg.ProvisionURL, http.Header{
			"Authorization": {"Bearer " + bearer},
			"Content-Type":  {"application/json"},
		}, body)
		if err != nil {
			return unanswered("asking for an account", err)
		}
		if status == http.StatusUnauthorized && reused && again {
			c.forget(bearer)
			continue
		}
		return judge(status, retryAfter(header, c.cfg.Now()), answer)
	}
}

// unanswered is the answer that did not come. Whether the request arrived is not
// known, so it is asked again.
func unanswered(doing string, err error) Answer {
	return Answer{Disposition: Retry, Err: fmt.Errorf("%s: %w", doing, err)}
}

// errTooLong: an answer is cut off rather than read on.
var errTooLong = errors.New("the answer is too long")

// post sends a body and reads a bounded answer.
func (c *Client) post(ctx context.Context, to string, header http.Header, body []byte) (int, http.Header, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return 0, nil, nil, fmt.Errorf("making the request: %w", err)
	}
	req.Header = header
	req.Header.Set("Accept", "application/json")
	resp, err := c.http.Do(req)
	if err != nil {
		return 0, nil, nil, fmt.Errorf("sending: %w", plain(err))
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return 0, nil, nil, fmt.Errorf("reading the answer: %w", plain(err))
	}
	if len(answer) > maxAnswer {
		return 0, nil, nil, errTooLong
	}
	return resp.StatusCode, resp.Header, answer, nil
}

// errExchange stands for every failure whose own words may quote the service.
var errExchange = errors.New("the exchange failed")

// plain keeps of a failed exchange what tells about the line. net/http quotes
// what it could not read, such as a header that repeats a patient's details, so
// everything else is left out.
func plain(err error) error {
	for _, known := range []error{context.Canceled, context.DeadlineExceeded, io.ErrUnexpectedEOF, io.EOF} {
		if errors.Is(err, known) {
			return known
		}
	}
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op
	}
	if bad, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return bad
	}
	return errExchange
}

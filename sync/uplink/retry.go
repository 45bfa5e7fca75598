package uplink

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/counterproof/counterproof/sync/wire"
)

// Waits before trying again. The queue's and a request's follow the same rule;
// a request gives up after tries and leaves the rest to the queue.
const (
	waitMin       = 2 * time.Second
	waitMax       = 10 * time.Minute
	retryAfterMax = 15 * time.Minute
	retries       = 3
	// patience is the longest wait that a request keeps in memory.
	patience = 30 * time.Second
)

// backoff is how long to wait after the given number of failed tries: full
// jitter between waitMin and a ceiling that doubles up to waitMax. What the
// centre asked for is a floor below that, up to retryAfterMax, and widens the
// jitter, so that those who were told the same do not return together.
func backoff(failed int, asked time.Duration, rand func(int64) int64) time.Duration {
	ceiling := waitMax
	if failed < 16 {
		ceiling = min(waitMax, waitMin<<(max(failed, 0)+1))
	}
	asked = min(max(asked, 0), retryAfterMax)
	spread := max(ceiling-waitMin, asked)
	return max(waitMin, asked) + time.Duration(rand(int64(spread)+1))
}

// retryAfter reads what a busy centre asks for, in seconds or as a date (RFC 9110
// §10.2.3); anything else is nothing.
func retryAfter(h http.Header) time.Duration {
	n, err := strconv.Atoi(h.Get("Retry-After"))
	until, dated := http.ParseTime(h.Get("Retry-After"))
	sent, told := http.ParseTime(h.Get("Date"))
	if dated == nil && told == nil { // by the sender's own clock, whatever ours says
		n, err = int(min(until.Sub(sent), retryAfterMax)/time.Second), nil
	}
	if err != nil || n < 0 {
		return 0
	}
	return time.Duration(min(n, int(retryAfterMax/time.Second))) * time.Second
}

// retrying makes a client with our rules in place of the module's: its own wait
// has no jitter, takes any Retry-After at its word and loses the last answer.
func (c *Client) retrying(transport http.RoundTripper, timeout time.Duration) *retryablehttp.Client {
	return &retryablehttp.Client{
		HTTPClient: &http.Client{
			Transport: transport, Timeout: timeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		Logger:       quiet{c.log},
		RetryWaitMin: waitMin,
		RetryWaitMax: waitMax,
		RetryMax:     retries,
		CheckRetry:   c.checkRetry,
		Backoff: func(_, _ time.Duration, failed int, resp *http.Response) time.Duration {
			var asked time.Duration
			if resp != nil {
				asked = retryAfter(resp.Header)
			}
			return backoff(failed, asked, c.cfg.Rand)
		},
		ErrorHandler: lastAnswer,
	}
}

// lastAnswer hands on the last answer of a request that was tried in vain. An
// answer that comes together with an error, as when the context ended while it
// arrived, is nobody's to read: its body is closed, or its connection would
// never be given back.
func lastAnswer(resp *http.Response, err error, _ int) (*http.Response, error) {
	if err == nil {
		return resp, nil
	}
	if resp != nil {
		_ = resp.Body.Close()
	}
	return nil, err
}

// onceKey marks a context whose requests are tried once.
type onceKey struct{}

// sparing is the context for a request whose like failed before: the queue's
// waits do the rest, and an outage is not answered with many tries.
func sparing(ctx context.Context, failed int) context.Context {
	if failed == 0 {
		return ctx
	}
	return context.WithValue(ctx, onceKey{}, true)
}

// checkRetry says whether the same request is worth another try at once. What
// the centre has decided never is; a certificate that is wrong does not mend
// itself in seconds.
func (c *Client) checkRetry(ctx context.Context, resp *http.Response, err error) (bool, error) {
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if err != nil {
		kind := kindOf(err)
		c.note(kind)
		return kind == wire.KindUnreachable && ctx.Value(onceKey{}) == nil, nil
	}
	if !passing(resp.StatusCode) {
		return false, nil
	}
	c.note(kindOfStatus(resp.StatusCode))
	return retryAfter(resp.Header) <= patience && ctx.Value(onceKey{}) == nil, nil
}

// passing reports whether a status tells of a trouble that passes by itself.
func passing(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// kindOf says in one word why a connection failed.
func kindOf(err error) wire.Kind {
	if known := wire.KindOf(err); known != wire.KindNone {
		return known
	}
	if e, ok := errors.AsType[x509.CertificateInvalidError](err); ok && e.Reason == x509.Expired {
		return wire.KindClock
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok || isX509(err) {
		return wire.KindCertificate
	}
	if _, ok := errors.AsType[tls.AlertError](err); ok {
		return wire.KindUnauthorised
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok || errors.Is(err, http.ErrSchemeMismatch) {
		return wire.KindProtocol // something that speaks no TLS
	}
	return wire.KindUnreachable
}

// isX509 reports whether err is a verdict of certificate verification.
func isX509(err error) bool {
	_, invalid := errors.AsType[x509.CertificateInvalidError](err)
	_, name := errors.AsType[x509.HostnameError](err)
	_, authority := errors.AsType[x509.UnknownAuthorityError](err)
	return invalid || name || authority
}

// kindOfStatus says in one word what a status other than success means.
func kindOfStatus(status int) wire.Kind {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return wire.KindUnauthorised
	case http.StatusUpgradeRequired:
		return wire.KindUpgrade
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return wire.KindShed
	case http.StatusRequestTimeout, http.StatusBadGateway, http.StatusGatewayTimeout, http.StatusInternalServerError:
		return wire.KindUnreachable
	}
	return wire.KindProtocol
}

// quiet passes the module's messages on as debug lines, without their values,
// which may hold whole URLs and errors that are logged elsewhere.
type quiet struct{ log *slog.Logger }

func (q quiet) Error(msg string, _ ...any) { q.log.Debug("a try", "event", msg) }
func (q quiet) Warn(msg string, _ ...any)  { q.log.Debug("a try", "event", msg) }
func (q quiet) Info(msg string, _ ...any)  { q.log.Debug("a try", "event", msg) }
func (q quiet) Debug(msg string, _ ...any) { q.log.Debug("a try", "event", msg) }

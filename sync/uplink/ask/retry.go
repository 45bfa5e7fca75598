package ask

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/counterproof/counterproof/sync/uplink/network"
	"github.com/counterproof/counterproof/sync/wire"
)

// Of a request: how often it is tried again, and the longest wait that it keeps
// in memory. The rest is left to the queue.
const (
	retries  = 3
	patience = 30 * time.Second
)

// retrying makes a client with our rules in place of the module's: its own wait
// has no jitter, takes any Retry-After at its word and loses the last answer.
func retrying(cfg Config, transport http.RoundTripper, timeout time.Duration) *retryablehttp.Client {
	return &retryablehttp.Client{
		HTTPClient: &http.Client{
			Transport: transport, Timeout: timeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		Logger:       quiet{cfg.Log},
		RetryWaitMin: network.WaitMin,
		RetryWaitMax: network.WaitMax,
		RetryMax:     retries,
		CheckRetry:   checkRetry(cfg.Note),
		Backoff: func(_, _ time.Duration, failed int, resp *http.Response) time.Duration {
			var asked time.Duration
			if resp != nil {
				asked = network.RetryAfter(resp.Header)
			}
			return network.Backoff(failed, asked, cfg.Rand)
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

// Sparing is the context for a request whose like failed before: the queue's
// waits do the rest, and an outage is not answered with many tries.
func Sparing(ctx context.Context, failed int) context.Context {
	if failed == 0 {
		return ctx
	}
	return context.WithValue(ctx, onceKey{}, true)
}

// checkRetry says whether the same request is worth another try at once, and tells
// of what failed. What the centre has decided never is; a certificate that is
// wrong does not mend itself in seconds.
func checkRetry(note func(wire.Kind)) retryablehttp.CheckRetry {
	return func(ctx context.Context, resp *http.Response, err error) (bool, error) {
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		if err != nil {
			kind := network.KindOf(err)
			note(kind)
			return kind == wire.KindUnreachable && ctx.Value(onceKey{}) == nil, nil
		}
		if !network.Passing(resp.StatusCode) {
			return false, nil
		}
		note(network.KindOfStatus(resp.StatusCode))
		return network.RetryAfter(resp.Header) <= patience && ctx.Value(onceKey{}) == nil, nil
	}
}

// quiet passes the module's messages on as debug lines, without their values,
// which may hold whole URLs and errors that are logged elsewhere.
type quiet struct{ log *slog.Logger }

func (q quiet) Error(msg string, _ ...any) { q.log.Debug("a try", "event", msg) }
func (q quiet) Warn(msg string, _ ...any)  { q.log.Debug("a try", "event", msg) }
func (q quiet) Info(msg string, _ ...any)  { q.log.Debug("a try", "event", msg) }
func (q quiet) Debug(msg string, _ ...any) { q.log.Debug("a try", "event", msg) }

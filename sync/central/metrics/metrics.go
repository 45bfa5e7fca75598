// Package metrics counts what the centre decides and whom it refuses, for
// Prometheus to collect on an address of this machine alone.
//
// It never counts by agent, site or record: the figures tell how the centre
// fares, never who was where.
//
// # The laws
//
//   - Every counter of the closed lists is there from the start, at zero, so that
//     an alarm can be set before the first of its kind.
//   - The figures are given on a loopback address only.
package metrics

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/counterproof/counterproof/sync/wire"
)

// Cause is why a request was refused before anything was decided about it.
type Cause string

// The causes.
const (
	Unauthenticated Cause = "unauthenticated" // no certificate of an enrolled agent
	Expired         Cause = "expired"         // a certificate past its end
	Revoked         Cause = "revoked"         // an agent that may not speak any more, or not yet
	OtherSite       Cause = "other_site"      // another agent's path, role or site
	Oversized       Cause = "oversized"       // a body above its bound
	Malformed       Cause = "malformed"       // a body or a field that is not what it should be
	Shed            Cause = "shed"            // more at the same time than there are slots
	Slow            Cause = "slow"            // a body that did not come in time
	Gone            Cause = "gone"            // whoever asked went away before the answer
	Failed          Cause = "failed"          // the centre itself failed
)

// Causes lists every cause.
func Causes() []Cause {
	return []Cause{Unauthenticated, Expired, Revoked, OtherSite, Oversized, Malformed, Shed, Slow, Gone, Failed}
}

// Counters are the figures of one centre. They are safe for use by many
// goroutines. New makes them.
type Counters struct {
	registry *prometheus.Registry
	verdicts *prometheus.CounterVec
	refusals *prometheus.CounterVec
}

// New makes the counters, all at zero.
func New() *Counters {
	c := &Counters{
		registry: prometheus.NewRegistry(),
		verdicts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "counterproof_verdicts_total", Help: "Answers by what the centre decided.",
		}, []string{"verdict"}),
		refusals: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "counterproof_refusals_total", Help: "Requests refused before anything was decided, by cause.",
		}, []string{"cause"}),
	}
	c.registry.MustRegister(c.verdicts, c.refusals)
	for _, v := range []wire.Verdict{
		wire.Stored, wire.Replayed, wire.MissingBlobs, wire.Gap, wire.Fork, wire.Altered, wire.Refused,
		wire.Unauthorised, wire.Upgrade, wire.Pending,
	} {
		c.verdicts.WithLabelValues(string(v))
	}
	for _, cause := range Causes() {
		c.refusals.WithLabelValues(string(cause))
	}
	return c
}

// Decided counts a verdict; an empty one is none.
func (c *Counters) Decided(v wire.Verdict) {
	if v != "" {
		c.verdicts.WithLabelValues(string(v)).Inc()
	}
}

// Refused counts a refusal; an empty cause is none.
func (c *Counters) Refused(cause Cause) {
	if cause != "" {
		c.refusals.WithLabelValues(string(cause)).Inc()
	}
}

// Handler answers GET /metrics in Prometheus' text format.
func (c *Counters) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(c.registry, promhttp.HandlerOpts{}))
	return mux
}

// ErrNotLocal says that an address is not this machine's alone.
var ErrNotLocal = errors.New("the figures are given on a loopback address only, as 127.0.0.1:9464")

// Listen opens a loopback address, whose host is a number.
func Listen(address string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("listening for figures: %w", err)
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return nil, fmt.Errorf("listening for figures on %s: %w", address, ErrNotLocal)
	}
	ln, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listening for figures: %w", err)
	}
	return ln, nil
}

// patience is how long a collector may take for its question or its answer.
const patience = 10 * time.Second

// Serve answers on ln until ctx ends, and returns nil then. It closes ln.
func (c *Counters) Serve(ctx context.Context, ln net.Listener) error {
	srv := &http.Server{Handler: c.Handler(), ReadTimeout: patience, WriteTimeout: patience, MaxHeaderBytes: 16 << 10}
	stop := context.AfterFunc(ctx, func() { _ = srv.Close() })
	defer stop()
	if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("giving figures: %w", err)
	}
	return nil
}

// Package pds asks the NHS Personal Demographics Service (PDS FHIR API, R4) for
// the record of a proved person: it searches, retrieves by NHS number, compares
// what it got with what was proved, and says what that comes to.
//
// It never lists people, never shows what it found to a counter, never writes to
// a record, and never takes silence or a page that it cannot read for "no such
// record".
//
// # The laws
//
//   - At most three requests are made for one person, in a fixed order. Sending
//     the same request again because no answer came is not another one: it
//     carries the same X-Request-ID.
//   - A status of 200 is not always a list. Every outcome is told apart by what
//     the answer says of itself; a 404 counts only with its code.
//   - A score below 1, a name that only sounds alike or a postcode that only
//     shares its first half is a partial match and proves nothing by itself.
//   - A birth date that differs is another person.
//   - Records that are restricted, withdrawn or of the dead stop automatic
//     release: they become nhs.Stopped, which looks like no match to everybody
//     but the people who review.
//   - No error and no log line carries a name, a number, a date or any other
//     value of a question or an answer, nor the address of a request. Codes come
//     from a closed list.
//   - Answers are hostile: bounded, and refused whole where they make no sense.
package pds

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Kind says in one word why there is no answer to use.
type Kind string

// The kinds. Only Later is worth asking again.
const (
	Later       Kind = "later"       // 408, 429, 5xx, no token or no line: keep it and ask again
	Refused     Kind = "refused"     // 401, 403: a matter of configuration
	Input       Kind = "input"       // 400: the question breaks the service's rules
	NotFound    Kind = "not_found"   // 404 RESOURCE_NOT_FOUND: the number was never given out
	Invalidated Kind = "invalidated" // 404 INVALIDATED_RESOURCE: the record was withdrawn
	Unreadable  Kind = "unreadable"  // anything that is no answer of this service
)

// Fault is why a question has no answer. It carries no value of the question.
type Fault struct {
	Op     string        // what was being done
	Kind   Kind          // what to do about it
	Status int           // of the answer; 0 if there was none
	Code   string        // the service's own code, from its published list; "" for any other
	After  time.Duration // how long the service asks to be left alone; 0 if it does not say
	Err    error         // the cause, where there is one without an address in it
}

// Error says what was being done and why it failed.
func (f *Fault) Error() string {
	var s strings.Builder
	fmt.Fprintf(&s, "%s: %s", f.Op, f.Kind)
	if f.Status != 0 {
		fmt.Fprintf(&s, " (status %d", f.Status)
		if f.Code != "" {
			fmt.Fprintf(&s, ", %s", f.Code)
		}
		s.WriteByte(')')
	}
	if f.Err != nil {
		fmt.Fprintf(&s, ": %v", f.Err)
	}
	return s.String()
}

// Unwrap returns the cause.
func (f *Fault) Unwrap() error { return f.Err }

// KindOf tells the kind of an error of this package, "" for any other.
func KindOf(err error) Kind {
	if f, ok := errors.AsType[*Fault](err); ok {
		return f.Kind
	}
	return ""
}

// Defaults of Config.
const (
	defaultRate    = 5 // requests a second that the service allows an application
	defaultTimeout = 10 * time.Second
)

// Config says where the service is and how to speak with it. Address is needed.
type Config struct {
	// Address is the base of the interface, up to but without /Patient. It is
	// https, or http on this machine's loopback.
	Address string
	// Token gives the access token of the moment; nil sends none, as the public
	// sandbox asks for none. The source renews it in time.
	Token func(context.Context) (string, error)
	Site  string // ODS code of the organisation asked for, where a Claim names none; "" sends none

	Rate      int               // requests a second; 5 if 0
	Timeout   time.Duration     // of one request; 10 s if 0
	Transport http.RoundTripper // the standard one if nil
	Log       *slog.Logger      // silent if nil

	// Now and Wait are the clock: time.Now and a timer if nil. Wait ends early
	// with the context's error.
	Now  func() time.Time
	Wait func(context.Context, time.Duration) error
}

// Client asks one service. It is safe for use by many goroutines, which share
// its rate.
type Client struct {
	cfg   Config
	base  *url.URL
	http  *http.Client
	log   *slog.Logger
	limit *limiter
}

// New makes a client. It asks nothing yet. An address that would send personal
// data in the clear over a network is refused.
func New(cfg Config) (*Client, error) {
	base, err := url.Parse(strings.TrimRight(cfg.Address, "/"))
	if err != nil {
		return nil, errors.New("making a PDS client: the address is none")
	}
	if base.Host == "" || base.RawQuery != "" || base.User != nil ||
		base.Scheme != "https" && !(base.Scheme == "http" && loopback(base.Hostname())) {
		return nil, errors.New("making a PDS client: the address is not https with a host and a path only")
	}
	if cfg.Rate < 0 || cfg.Timeout < 0 {
		return nil, errors.New("making a PDS client: rate and timeout are not below zero")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Wait == nil {
		cfg.Wait = wait
	}
	return &Client{
		cfg: cfg, base: base, log: cmp.Or(cfg.Log, slog.New(slog.DiscardHandler)),
		limit: &limiter{gap: time.Second / time.Duration(cmp.Or(cfg.Rate, defaultRate))},
		http: &http.Client{
			Transport: cfg.Transport, Timeout: cmp.Or(cfg.Timeout, defaultTimeout),
			// A redirect would carry the question to somebody else.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// loopback reports a host that no network lies before.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// wait waits on the real clock.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

package central

import (
	"cmp"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/counterproof/counterproof/sync/central/api"
	"github.com/counterproof/counterproof/sync/central/authority"
	"github.com/counterproof/counterproof/sync/central/metrics"
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// Handler is the centre's HTTP interface. It must be served as Serve does:
// who speaks is read from the connection.
func (c *Central) Handler() http.Handler {
	mux := http.NewServeMux()
	open, closed := c.open(), c.closed()
	for _, r := range api.Routes() {
		if h, ok := open[r.Name]; ok {
			mux.HandleFunc(r.Pattern(), h)
			continue
		}
		mux.Handle(r.Pattern(), c.only(r, closed[r.Name]))
	}
	return c.logged(c.shed(mux))
}

// open are the handlers of the routes that decide themselves who may ask, by the
// routes' names.
func (c *Central) open() map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{"enrol": c.enrol, "renew": c.renew, "openapi": c.openapi}
}

// closed are the handlers of the routes for enrolled agents.
func (c *Central) closed() map[string]agentHandler {
	return map[string]agentHandler{
		"blobProgress": c.blobProgress, "putBlob": c.putBlob, "postRecord": c.postRecord, "postRun": c.postRun, "state": c.state,
		"notices": c.notices, "ackNotices": c.ackNotices, "bundle": c.bundle, "trustFile": c.trustFile,
		"openerRecords": c.openerRecords, "putRecipients": c.putRecipients, "openerNotices": c.openerNotices,
		"postNotices": c.postNotices, "postFlags": c.postFlags,
		"proofs": c.proofs, "checkpoint": c.logCheckpoint, "postLeaves": c.postLeaves,
	}
}

// openapi answers with the interface's description.
func (c *Central) openapi(w http.ResponseWriter, r *http.Request) {
	text, err := c.document()
	if err != nil {
		c.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", api.JSON)
	_, _ = w.Write(text)
}

// shed refuses what is above the number of slots, before anything is read.
// Whoever shows no certificate of ours has slots apart, and little time to say
// what it wants: strangers keep no counter out.
func (c *Central) shed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		slots := c.slots
		if !c.ours(r) {
			slots = c.strangers
			// Where there is no connection, as in a test, there is no deadline.
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(strangerTime))
		}
		select {
		case slots <- struct{}{}:
			defer func() { <-slots }()
			next.ServeHTTP(w, r)
		default:
			note(w).cause = metrics.Shed
			answerShed(w)
		}
	})
}

// strangers is how many requests of strangers are worked on at the same time,
// and strangerTime how long the body of one may take: an enrolment is small.
const (
	strangers    = 16
	strangerTime = 5 * time.Second
)

// ours reports whether the other side holds a certificate that this centre
// issued and that has not run out. Whether it may do anything is asked later.
func (c *Central) ours(r *http.Request) bool {
	cert := peer(r)
	if cert == nil {
		return false
	}
	_, err := c.keys.Check(cert, time.Now())
	return err == nil
}

// Retry-After of a shed request, in seconds, drawn evenly between them so that
// those who were refused together do not come back together.
const shedMin, shedMax = 5, 30

// answerShed tells the client to come back.
func answerShed(w http.ResponseWriter) {
	after := shedMin + rand.IntN(shedMax-shedMin+1)
	w.Header().Set("Retry-After", strconv.Itoa(after))
	writeJSON(w, http.StatusServiceUnavailable, wire.Answer{Verdict: wire.Shed, RetryAfter: after})
}

// agentHandler answers one enrolled agent.
type agentHandler func(http.ResponseWriter, *http.Request, store.Agent)

// only lets the enrolled agents through that a route is for. Where the path names
// an agent it must be the one who speaks.
func (c *Central) only(route api.Route, next agentHandler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who := c.speaker
		if sends[route.Name] {
			who = c.sender
		}
		a, err := who(r, time.Now())
		if err == nil && !route.May(a.Role) {
			err = errOther
		}
		if named := r.PathValue("agent"); err == nil && named != "" && named != string(a.ID) {
			err = errOther
		}
		if err != nil {
			c.turnAway(w, r, err)
			return
		}
		note(w).agent = a.ID
		next(w, r, a)
	})
}

// turnAway answers somebody who is not spoken to.
func (c *Central) turnAway(w http.ResponseWriter, r *http.Request, err error) {
	if !errors.Is(err, authority.ErrCertificate) {
		c.fail(w, r, err)
		return
	}
	note(w).cause = causeOf(err)
	c.log.Warn("nobody enrolled speaks", "err", err, "path", r.Pattern, "addr", r.RemoteAddr)
	writeJSON(w, http.StatusForbidden, wire.Answer{Verdict: wire.Unauthorised})
}

// sends are the routes on which records come. Who speaks there is read from the
// certificate alone: the store looks the agent up all the same, in the transaction
// that takes the record, and knows best whether it still may.
var sends = map[string]bool{"postRecord": true, "postRun": true}

// sender finds who speaks on the connection, by the certificate.
func (c *Central) sender(r *http.Request, at time.Time) (store.Agent, error) {
	cert := peer(r)
	if cert == nil {
		return store.Agent{}, authority.ErrCertificate
	}
	a, err := c.keys.Counter(cert, at)
	if errors.Is(err, authority.ErrCertificate) { // an opener's, perhaps: who it is tells why it is refused
		return c.speaker(r, at)
	}
	return a, err
}

// former answers a sender of whom the store knows otherwise than its certificate.
func (c *Central) former(w http.ResponseWriter, r *http.Request) {
	_, err := c.speaker(r, time.Now())
	if err == nil { // it is all right again by now
		answerShed(w)
		return
	}
	c.turnAway(w, r, err)
}

// speaker finds who speaks on the connection, as of the given time: an active
// agent whose certificate names it as it is enrolled now.
func (c *Central) speaker(r *http.Request, at time.Time) (store.Agent, error) {
	a, cert, err := c.known(r, at)
	if err == nil && !authority.Matches(cert, a) {
		err = errMoved
	}
	return a, err
}

// Why an enrolled agent is not spoken to, for the log and the figures.
var (
	errRevoked = fmt.Errorf("%w: it was revoked", authority.ErrCertificate)
	errMoved   = fmt.Errorf("%w: it stands elsewhere now", authority.ErrCertificate)
	errOther   = fmt.Errorf("%w: what was asked is another's", authority.ErrCertificate)
)

// causeOf says in a closed word why nobody is spoken to.
func causeOf(err error) metrics.Cause {
	invalid, ok := errors.AsType[x509.CertificateInvalidError](err)
	switch {
	case errors.Is(err, errRevoked):
		return metrics.Revoked
	case errors.Is(err, errMoved), errors.Is(err, errOther):
		return metrics.OtherSite
	case ok && invalid.Reason == x509.Expired:
		return metrics.Expired
	}
	return metrics.Unauthenticated
}

// known finds the active agent whose key the connection's certificate is for,
// whatever site it names.
func (c *Central) known(r *http.Request, at time.Time) (store.Agent, *x509.Certificate, error) {
	cert := peer(r)
	if cert == nil {
		return store.Agent{}, nil, authority.ErrCertificate
	}
	id, err := c.keys.Check(cert, at)
	if err != nil {
		return store.Agent{}, cert, err
	}
	a, err := c.store.Agent(r.Context(), id)
	switch {
	case errors.Is(err, store.ErrUnknown), err == nil && !authority.Holds(cert, a):
		return store.Agent{}, cert, authority.ErrCertificate
	case err == nil && a.Status != store.Active:
		return a, cert, errRevoked
	}
	return a, cert, err
}

// peer is the certificate that the client proved to hold the key of.
func peer(r *http.Request) *x509.Certificate {
	if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
		return nil
	}
	return r.TLS.PeerCertificates[0]
}

// fail answers a failure of the centre itself: it is unclear what was done,
// so the client asks again.
func (c *Central) fail(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil { // whoever asked is gone, and the work was called off
		note(w).cause = metrics.Gone
		c.log.Info("the other side is gone", "path", r.Pattern)
		answerShed(w)
		return
	}
	note(w).cause = metrics.Failed
	c.log.Error("the centre failed", "err", err, "path", r.Pattern, "kind", string(wire.KindDisk))
	answerShed(w)
}

// writeJSON writes an answer. A client that is gone is no failure here.
func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// readBody reads a bounded body; ok is false if the request was answered.
func readBody(w http.ResponseWriter, r *http.Request, limit int64) (body []byte, ok bool) {
	if r.ContentLength > limit {
		writeJSON(w, http.StatusRequestEntityTooLarge, wire.Answer{Verdict: wire.Altered})
		return nil, false
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if err != nil {
		if errors.Is(err, os.ErrDeadlineExceeded) {
			note(w).cause = metrics.Slow
		}
		writeJSON(w, http.StatusBadRequest, wire.Answer{Verdict: wire.Altered})
		return nil, false
	}
	return body, true
}

// readJSON reads a bounded JSON body; ok is false if the request was answered.
func readJSON(w http.ResponseWriter, r *http.Request, limit int64, v any) (ok bool) {
	body, ok := readBody(w, r, limit)
	if ok && json.Unmarshal(body, v) != nil {
		writeJSON(w, http.StatusBadRequest, wire.Answer{Verdict: wire.Altered})
		return false
	}
	return ok
}

// logged writes one line for each request and counts how it ended.
func (c *Central) logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begin := time.Now()
		n := &noted{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(n, r)
		c.count(n)
		c.log.Info("answered", "path", r.Pattern, "agent", string(n.agent), "seq", n.seq, "code", string(n.verdict),
			"status", n.status, "millis", time.Since(begin).Milliseconds())
	})
}

// refused are the causes that a status tells of where nothing else did.
var refused = map[int]metrics.Cause{
	http.StatusBadRequest: metrics.Malformed, http.StatusLengthRequired: metrics.Malformed,
	http.StatusForbidden: metrics.Unauthenticated, http.StatusRequestEntityTooLarge: metrics.Oversized,
}

// count counts a verdict or, where nothing was decided, a refusal.
func (c *Central) count(n *noted) {
	if n.verdict != "" {
		c.figures.Decided(n.verdict)
		return
	}
	c.figures.Refused(cmp.Or(n.cause, refused[n.status]))
}

// Figures are what the centre counts.
func (c *Central) Figures() *metrics.Counters { return c.figures }

// noted remembers what a request's log line says.
type noted struct {
	http.ResponseWriter
	status  int
	agent   wire.AgentID
	seq     wire.Seq
	verdict wire.Verdict
	cause   metrics.Cause // why it was refused, if the status does not tell
}

// WriteHeader notes the status.
func (n *noted) WriteHeader(status int) {
	n.status = status
	n.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController through.
func (n *noted) Unwrap() http.ResponseWriter { return n.ResponseWriter }

// note is where a handler writes what its log line says.
func note(w http.ResponseWriter) *noted {
	if n, ok := w.(*noted); ok {
		return n
	}
	return new(noted)
}

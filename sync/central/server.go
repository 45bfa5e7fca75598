package central

import (
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// Handler is the centre's HTTP interface. It must be served over TLS with
// Central.TLS: who speaks is read from the connection.
func (c *Central) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/enrol", c.enrol)
	mux.HandleFunc("POST /v1/renew", c.renew)
	mux.Handle("HEAD /v1/blobs/{sha256}", c.only(store.Counter, c.blobProgress))
	mux.Handle("PATCH /v1/blobs/{sha256}", c.only(store.Counter, c.putBlob))
	mux.Handle("POST /v1/agents/{agent}/records/{seq}", c.only(store.Counter, c.postRecord))
	mux.Handle("GET /v1/agents/{agent}/state", c.only(store.Counter, c.state))
	mux.Handle("GET /v1/agents/{agent}/notices", c.only(store.Counter, c.notices))
	mux.Handle("POST /v1/agents/{agent}/notices/ack", c.only(store.Counter, c.ackNotices))
	mux.Handle("GET /v1/trust/bundle", c.only("", c.bundle))
	mux.Handle("GET /v1/opener/records", c.only(store.Opener, c.openerRecords))
	mux.Handle("PUT /v1/opener/recipients", c.only(store.Opener, c.putRecipients))
	mux.Handle("GET /v1/opener/notices", c.only(store.Opener, c.openerNotices))
	mux.Handle("POST /v1/opener/notices", c.only(store.Opener, c.postNotices))
	return c.logged(c.shed(mux))
}

// shed refuses what is above the number of slots, before anything is read.
func (c *Central) shed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case c.slots <- struct{}{}:
			defer func() { <-c.slots }()
			next.ServeHTTP(w, r)
		default:
			answerShed(w)
		}
	})
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

// only lets enrolled agents of a role through, any role if it is empty. Where
// the path names an agent it must be the one who speaks.
func (c *Central) only(role store.Role, next agentHandler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a, err := c.speaker(r, time.Now())
		if err == nil && role != "" && a.Role != role {
			err = errCertificate
		}
		if named := r.PathValue("agent"); err == nil && named != "" && named != string(a.ID) {
			err = errCertificate
		}
		switch {
		case errors.Is(err, errCertificate):
			c.log.Warn("nobody enrolled speaks", "err", err, "path", r.Pattern, "addr", r.RemoteAddr)
			writeJSON(w, http.StatusForbidden, wire.Answer{Verdict: wire.Unauthorised})
		case err != nil:
			c.fail(w, r, err)
		default:
			note(w).agent = a.ID
			next(w, r, a)
		}
	})
}

// speaker finds who speaks on the connection, as of the given time.
func (c *Central) speaker(r *http.Request, at time.Time) (store.Agent, error) {
	cert := peer(r)
	if cert == nil {
		return store.Agent{}, errCertificate
	}
	id, err := c.checkCertificate(cert, at)
	if err != nil {
		return store.Agent{}, err
	}
	a, err := c.store.Agent(r.Context(), id)
	if errors.Is(err, store.ErrUnknown) || err == nil && !matches(cert, a) {
		return store.Agent{}, errCertificate
	}
	return a, err
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

// logged writes one line for each request.
func (c *Central) logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begin := time.Now()
		n := &noted{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(n, r)
		c.log.Info("answered", "path", r.Pattern, "agent", string(n.agent), "seq", n.seq, "code", string(n.verdict),
			"status", n.status, "millis", time.Since(begin).Milliseconds())
	})
}

// noted remembers what a request's log line says.
type noted struct {
	http.ResponseWriter
	status  int
	agent   wire.AgentID
	seq     wire.Seq
	verdict wire.Verdict
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

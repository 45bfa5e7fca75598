package central

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	crand "crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/counterproof/counterproof/sync/central/api"
	"github.com/counterproof/counterproof/sync/central/authority"
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// codeLife is how long an enrolment code may be used.
const codeLife = 24 * time.Hour

// Invitation says whom a supervisor invites.
type Invitation struct {
	Site    wire.SiteID // of a counter
	Opener  bool        // an opener instead of a counter
	Address string      // host:port; where the centre was last reached if empty
	By      string      // sign-in name of the supervisor; empty if nobody says
	Second  bool        // a second person must approve whoever enrols
	Grades  []string    // how the key may be kept: tpm, dpapi, file; any way if empty
}

// Invite makes a one-time code, good for 24 hours, and the invitation that
// carries it.
func (c *Central) Invite(ctx context.Context, i Invitation) (store.Invite, error) {
	code, err := i.code(time.Now())
	if err != nil {
		return store.Invite{}, fmt.Errorf("inviting: %w", err)
	}
	if i.Address == "" {
		if i.Address, err = lastAddress(c.cfg.Dir); err != nil {
			return store.Invite{}, fmt.Errorf("inviting: %w", err)
		}
	}
	text, err := store.NewCode(crand.Reader)
	if err != nil {
		return store.Invite{}, fmt.Errorf("inviting: %w", err)
	}
	code.Hash = store.HashCode(text)
	if err := c.store.AddCode(ctx, code); err != nil {
		return store.Invite{}, fmt.Errorf("inviting: %w", err)
	}
	c.log.Info("a code was made", "kind", string(code.Role))
	return store.Invite{Address: i.Address, Code: text, CA: c.keys.Fingerprint()}, nil
}

// Address is where the centre was last reached.
func (c *Central) Address() (string, error) { return lastAddress(c.cfg.Dir) }

// ReceiptKey is the key that its receipts and checkpoints verify with, Ed25519.
func (c *Central) ReceiptKey() []byte { return c.keys.Public() }

// lastAddress is where the centre in dir was last reached.
func lastAddress(dir string) (string, error) {
	text, err := os.ReadFile(filepath.Join(dir, addressFile))
	if errors.Is(err, os.ErrNotExist) {
		return "", errors.New("the centre's address is not known yet: start it, or give --address")
	}
	return strings.TrimSpace(string(text)), err
}

// code is what the invitation allows, without its secret.
func (i Invitation) code(now time.Time) (store.Code, error) {
	code := store.Code{
		Site: i.Site, Role: store.Counter, Expires: now.Add(codeLife), By: i.By, Second: i.Second, Grades: i.Grades,
	}
	if i.Opener {
		code.Role = store.Opener
	}
	if i.Opener != (i.Site == "") {
		return code, errors.New("either a counter with its site or an opener without one")
	}
	for _, g := range i.Grades {
		if !knownGrade(g) {
			return code, errors.New("a key is kept as tpm, dpapi or file")
		}
	}
	if i.Second && i.By == "" {
		return code, errors.New("a second person can only be told from a first one who gives a name")
	}
	return code, CheckSite(i.Site)
}

// knownGrade reports whether a word says how a key is kept.
func knownGrade(word string) bool { return word == "tpm" || word == "dpapi" || word == "file" }

// CheckSite holds a site's name to letters, digits and hyphens: it goes into
// names and paths.
func CheckSite(site wire.SiteID) error {
	if len(site) > 32 {
		return errors.New("a site's name has at most 32 characters")
	}
	for _, c := range site {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' {
			return errors.New("a site's name is of letters, digits and hyphens")
		}
	}
	return nil
}

// enrol spends a code and gives a new agent its identity.
func (c *Central) enrol(w http.ResponseWriter, r *http.Request) {
	var req wire.EnrolRequest
	if !readJSON(w, r, api.MaxEnrol, &req) {
		return
	}
	public, err := checkRequest(req)
	if err != nil {
		writeJSON(w, http.StatusBadRequest, wire.Answer{Verdict: wire.Altered})
		return
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	a, err := c.store.Enrol(r.Context(), store.Enrolment{
		Code: store.HashCode(req.Code), Agent: agentID(public), Public: public, Grade: req.Keep, At: now,
	})
	if errors.Is(err, store.ErrCode) {
		c.log.Warn("a code was refused", "kind", string(wire.KindCode), "addr", r.RemoteAddr)
		writeJSON(w, http.StatusForbidden, wire.Answer{Verdict: wire.Unauthorised})
		return
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	note(w).agent = a.ID
	if a.Status == store.Pending {
		c.answerPending(w, a)
		return
	}
	c.answerIdentity(w, r, a, now)
}

// Retry-After of an enrolment that waits for a second person, in seconds, drawn
// evenly between them.
const pendingMin, pendingMax = 20, 40

// answerPending tells an agent that it is enrolled and must wait.
func (c *Central) answerPending(w http.ResponseWriter, a store.Agent) {
	note(w).verdict = wire.Pending
	w.Header().Set("Retry-After", strconv.Itoa(pendingMin+rand.IntN(pendingMax-pendingMin+1)))
	writeJSON(w, http.StatusAccepted, wire.EnrolAnswer{Agent: a.ID, Site: a.Site, Training: c.cfg.Training})
}

// agentID names an agent after its key: the same counter gets the same name
// again, even from a centre that was restored to a time before it was enrolled,
// and its queue still fits.
func agentID(public []byte) wire.AgentID {
	return wire.AgentID("agent-" + wire.KeyIDOf(public))
}

// renew gives an agent a new certificate for the same key. One that has run
// out is good for this alone, for ninety days; so is one that names the site
// from which the agent was moved.
func (c *Central) renew(w http.ResponseWriter, r *http.Request) {
	now := time.Now().UTC()
	a, _, err := c.known(r, authority.RenewalTime(peer(r), now))
	if errors.Is(err, authority.ErrCertificate) {
		note(w).cause = causeOf(err)
		writeJSON(w, http.StatusForbidden, wire.Answer{Verdict: wire.Unauthorised})
		return
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	note(w).agent = a.ID
	var req wire.EnrolRequest
	if !readJSON(w, r, api.MaxEnrol, &req) {
		return
	}
	if public, err := checkRequest(req); err != nil || string(public) != string(a.Public) {
		writeJSON(w, http.StatusBadRequest, wire.Answer{Verdict: wire.Altered})
		return
	}
	c.answerIdentity(w, r, a, now)
}

// checkRequest reads the key that asks for a certificate: P-256, proved to be
// held, kept in a known way.
func checkRequest(req wire.EnrolRequest) (public []byte, err error) {
	csr, err := x509.ParseCertificateRequest(req.CSR)
	if err != nil {
		return nil, err
	}
	if err := csr.CheckSignature(); err != nil {
		return nil, err
	}
	key, ok := csr.PublicKey.(*ecdsa.PublicKey)
	if !ok || key.Curve != elliptic.P256() {
		return nil, errors.New("not a P-256 key")
	}
	if !knownGrade(req.Keep) {
		return nil, errors.New("a key kept in no known way")
	}
	return x509.MarshalPKIXPublicKey(key)
}

// answerIdentity issues a certificate and answers with all that an agent
// needs.
func (c *Central) answerIdentity(w http.ResponseWriter, r *http.Request, a store.Agent, now time.Time) {
	leaf, err := c.keys.Issue(a, now)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	bundle, err := c.freshBundle(r.Context())
	if err != nil {
		c.fail(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, wire.EnrolAnswer{
		Agent: a.ID, Site: a.Site, Training: c.cfg.Training,
		Chain: [][]byte{leaf, c.keys.Raw()}, Bundle: bundle,
	})
}

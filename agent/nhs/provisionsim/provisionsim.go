// Package provisionsim is NHS login's Provision Account service on one's own
// machine, for demonstrations and tests (NHS login, Provision Account interface
// specification 1.0). It answers from a table of invented patients by the rules
// of the specification: assertions are verified, tokens run out, a second
// request is a duplicate for seven days, an organisation that asks too often is
// slowed down.
//
// It is not the service: which of the final codes stands for what is not
// published, so it has an assignment of its own (see Refusal), and the names of
// the keys in its answers are its own too. It never sends an e-mail and never
// takes a real person's details anywhere.
package provisionsim

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Limits and lives.
const (
	tokenLife   = 300 * time.Second
	pendingLife = 7 * 24 * time.Hour
	maxBody     = 64 << 10
	maxKept     = 10_000 // tokens, assertions and requests that are remembered
)

// Config is a service and its clients' organisations.
type Config struct {
	ClientID string         // the one client that is known
	Key      *rsa.PublicKey // of the client
	TokenURL string         // the audience of assertions
	// Enabled are the ODS codes that may provision.
	Enabled []string
	// Limit is how many requests one ODS code may make within Window; 0 is no
	// limit.
	Limit  int
	Window time.Duration
	// Patients are the records and accounts that there are.
	Patients []Patient
	// Now is the service's clock; nil is the machine's.
	Now func() time.Time
}

// Patient is an invented person: the record and, where they have one, the
// account.
type Patient struct {
	NHSNumber string // ten digits
	Birth     string // YYYY-MM-DD
	Record    Record
	Level     Level  // of the account
	Email     string // of the account
	Suspended bool   // the account is
}

// Record is how a patient's record stands.
type Record string

// The states of a record.
const (
	Active      Record = ""
	Deceased    Record = "deceased"
	Restricted  Record = "restricted"
	Invalidated Record = "invalidated"
)

// Level is the level of an account.
type Level string

// The levels.
const (
	NoAccount Level = ""
	P0        Level = "P0"
	P5        Level = "P5"
	P9        Level = "P9"
)

// Service is the simulated service. Its methods may be called at the same time.
type Service struct {
	cfg Config
	mux *http.ServeMux

	mu       sync.Mutex // held while an answer is made
	down     bool
	slow     time.Duration
	patients map[string]*Patient    // by NHS number
	tokens   map[string]time.Time   // until when each is good
	spent    map[string]time.Time   // assertions that were used, until they run out
	open     map[string]pending     // requests, by NHS number
	asked    map[string][]time.Time // times of requests, by ODS code
}

// pending is a request that the patient has not claimed yet.
type pending struct {
	email, phone string
	until        time.Time
}

// New makes a service at POST /token and POST /provision-account. The patients of
// the configuration are copied, so that two services with one table do not change
// each other's. It starts nothing; the caller serves it.
func New(c Config) (*Service, error) {
	if c.ClientID == "" || c.Key == nil || c.TokenURL == "" {
		return nil, errors.New("simulating account provisioning: client id, key and token address are needed")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	s := &Service{
		cfg: c, mux: http.NewServeMux(), patients: map[string]*Patient{}, tokens: map[string]time.Time{},
		spent: map[string]time.Time{}, open: map[string]pending{}, asked: map[string][]time.Time{},
	}
	for i, p := range c.Patients {
		if _, twice := s.patients[p.NHSNumber]; twice || len(p.NHSNumber) != 10 {
			return nil, fmt.Errorf("simulating account provisioning: patient %d has no number of their own", i+1)
		}
		s.patients[p.NHSNumber] = &p
	}
	s.mux.HandleFunc("POST /token", s.serveToken)
	s.mux.HandleFunc("POST /provision-account", s.serveRequest)
	return s, nil
}

// SetDown makes the service answer nothing but that it is down, or stops that.
func (s *Service) SetDown(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
}

// SetSlow makes every answer wait.
func (s *Service) SetSlow(wait time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slow = wait
}

// Revoke makes all tokens run out now.
func (s *Service) Revoke() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.tokens)
}

// Claim is the patient who follows the e-mail's link, enters the code and sets a
// password: the account is P9 then. It reports false where no request is open.
func (s *Service) Claim(number string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, open := s.open[number]
	if !open || !s.cfg.Now().Before(p.until) {
		return false
	}
	delete(s.open, number)
	s.patients[number].Level, s.patients[number].Email = P9, p.email
	return true
}

// ServeHTTP answers after the wait that SetSlow set; who goes away meanwhile gets
// no answer, and nothing is done for them. A service that is down gives its code
// for tokens too.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	down, slow := s.down, s.slow
	s.mu.Unlock()
	if slow > 0 {
		late := time.NewTimer(slow)
		defer late.Stop()
		select {
		case <-late.C:
		case <-r.Context().Done():
			return
		}
	}
	if down {
		answer(w, http.StatusServiceUnavailable, failure{Code: codeDown})
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	s.mux.ServeHTTP(w, r)
}

// failure is an answer that is none of success.
type failure struct {
	Code  string `json:"error_code,omitempty"`
	Error string `json:"error,omitempty"` // of the token's side (RFC 6749 §5.2)
	Field string `json:"field,omitempty"`
}

// answer writes an answer.
func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	// Who went away does not hear the rest.
	_ = json.NewEncoder(w).Encode(body)
}

// serveToken gives a token for an assertion. Every fault of an assertion gets the
// same answer, as a stranger learns nothing from it.
func (s *Service) serveToken(w http.ResponseWriter, r *http.Request) {
	if r.ParseForm() != nil {
		answer(w, http.StatusBadRequest, failure{Error: "invalid_request"})
		return
	}
	if r.PostForm.Get("grant_type") != "client_credentials" {
		answer(w, http.StatusBadRequest, failure{Error: "unsupported_grant_type"})
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.cfg.Now()
	claims, err := verify(r.PostForm.Get("client_assertion"), s.cfg.Key)
	if err == nil {
		err = claims.check(s.cfg, now)
	}
	if err == nil {
		err = s.spend(claims, now)
	}
	if err != nil || r.PostForm.Get("client_assertion_type") != assertionType {
		answer(w, http.StatusUnauthorized, failure{Error: "invalid_client"})
		return
	}
	prune(s.tokens, now)
	if len(s.tokens) >= maxKept {
		answer(w, http.StatusServiceUnavailable, failure{Error: "temporarily_unavailable"})
		return
	}
	bearer := rand.Text()
	s.tokens[bearer] = now.Add(tokenLife)
	answer(w, http.StatusOK, map[string]any{
		"access_token": bearer, "token_type": "Bearer", "expires_in": int(tokenLife / time.Second)})
}

// spend takes an assertion's jti once.
func (s *Service) spend(c claims, now time.Time) error {
	prune(s.spent, now)
	if _, used := s.spent[c.ID]; used || len(s.spent) >= maxKept {
		return errors.New("the assertion was used before")
	}
	s.spent[c.ID] = time.Unix(c.Expires, 0)
	return nil
}

// prune forgets what has run out.
func prune(kept map[string]time.Time, now time.Time) {
	for key, until := range kept {
		if !now.Before(until) {
			delete(kept, key)
		}
	}
}

// serveRequest answers a request for an account. What the patient's details are
// wrong in is told by the name of a field, never by repeating it.
func (s *Service) serveRequest(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.cfg.Now()
	bearer, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if until, known := s.tokens[bearer]; !known || !now.Before(until) {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		answer(w, http.StatusUnauthorized, failure{Error: "invalid_token"})
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		answer(w, http.StatusBadRequest, failure{Code: codeData})
		return
	}
	done, refused := s.provision(body, now)
	switch {
	case refused.Code == "":
		answer(w, http.StatusOK, map[string]string{"result": done, "provisioning_id": rand.Text()})
	case refused.Code == codeTooMany:
		w.Header().Set("Retry-After", fmt.Sprint(int(s.cfg.Window/time.Second)))
		answer(w, http.StatusTooManyRequests, refused)
	default:
		answer(w, http.StatusBadRequest, refused)
	}
}

// limited reports an organisation that asked too often, and counts this time. A
// request that was refused for that does not count, so that waiting helps.
func (s *Service) limited(ods string, now time.Time) bool {
	if s.cfg.Limit == 0 {
		return false
	}
	recent := slices.DeleteFunc(s.asked[ods], func(at time.Time) bool { return now.Sub(at) >= s.cfg.Window })
	if len(recent) >= s.cfg.Limit {
		s.asked[ods] = recent
		return true
	}
	s.asked[ods] = append(recent, now)
	return false
}

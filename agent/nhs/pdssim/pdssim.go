// Package pdssim is a Personal Demographics Service for demonstrations, training
// and tests: it answers searches and retrievals (PDS FHIR API, R4) from a table
// of people who do not exist, by the service's rules.
//
// It never asks the real service, never knows a real person and never answers
// from a script: every answer is worked out from the table.
//
// # The laws
//
//   - It is strict: what the service would refuse is refused, so that a client's
//     mistake is seen here first. One rule is its own: an X-Request-ID that comes
//     again with another question is refused.
//   - A restricted record shows no address, contact or practice, and is not found
//     by a postcode or a practice. A withdrawn record is never found; a replaced
//     one is answered with its successor.
//   - A search shows what is so today, also where a former name or address was
//     what fitted.
//   - The scores are its own scale. They are set so that the published examples
//     come out as published; only 1, below 1 and their order mean anything.
//   - It keeps no log.
package pdssim

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Config says which service to be. The zero value is one for applications' own
// tests: any token, five requests a second, up to 50 records a search.
type Config struct {
	Patients []Patient // the table; the built-in one if nil
	// Token is the only access token that is taken; any is if it is empty.
	Token string
	// Open asks for no token and lets an X-Request-ID come again, as the public
	// sandbox does.
	Open bool
	// Application is the application-restricted mode: one record a search at
	// most, and only if it is the only one.
	Application bool
	Rate        int              // requests a second; 5 if 0, no bound below 0
	Now         func() time.Time // the clock of the rate and of the lists; time.Now if nil
}

// Trouble is what goes wrong with every request until it is set otherwise.
type Trouble struct {
	Delay      time.Duration // how long an answer takes
	Status     int           // 408, 429 or 5xx instead of an answer; 0 for none
	RetryAfter time.Duration // beside the status, in whole seconds; none if 0
	Times      int           // how many requests it holds for; 0 for all
}

// Service answers as PDS would. It is an http.Handler for any number of requests
// at once; its paths are /Patient and /Patient/{number}.
type Service struct {
	cfg   Config
	table table

	mu      sync.Mutex
	trouble Trouble
	recent  []time.Time // of the last second
	asked   map[string][sha256.Size]byte
}

// maxAsked bounds how many request ids are remembered; then all are forgotten.
const maxAsked = 10_000

// New makes a service. A table that contradicts itself is refused.
func New(cfg Config) (*Service, error) {
	patients := cfg.Patients
	if patients == nil {
		var err error
		if patients, err = Patients(); err != nil {
			return nil, err
		}
	}
	t, err := newTable(patients)
	if err != nil {
		return nil, err
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Service{cfg: cfg, table: t, asked: map[string][sha256.Size]byte{}}, nil
}

// Set makes trouble, or with the zero Trouble ends it.
func (s *Service) Set(t Trouble) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trouble = t
}

// ServeHTTP answers one request.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for _, name := range []string{"X-Request-ID", "X-Correlation-ID"} {
		if id := r.Header.Get(name); id != "" {
			w.Header().Set(name, id)
		}
	}
	// Trouble and rate come before everything else, as a gateway's do: such an
	// answer says nothing of the question.
	t := s.current()
	if t.Delay > 0 && !pause(r, t.Delay) {
		return
	}
	if t.Status != 0 {
		busy(w, t.Status, t.RetryAfter)
		return
	}
	if !s.within() {
		busy(w, http.StatusTooManyRequests, time.Second)
		return
	}
	if p := s.headers(r); p != nil {
		p.write(w)
		return
	}
	number, one := strings.CutPrefix(r.URL.Path, "/Patient/")
	switch {
	case r.Method != http.MethodGet && (one || r.URL.Path == "/Patient"):
		refuse(http.StatusMethodNotAllowed, "INVALID_METHOD", "").write(w)
	case one:
		s.retrieve(w, r, number)
	case r.URL.Path == "/Patient":
		s.search(w, r)
	default:
		http.NotFound(w, r) // some other server's page, as for a wrong address
	}
}

// current is the trouble of the moment, counted down.
func (s *Service) current() Trouble {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.trouble
	if s.trouble.Times == 1 {
		s.trouble = Trouble{}
	} else if s.trouble.Times > 1 {
		s.trouble.Times--
	}
	return t
}

// pause waits; false says that the client went away.
func pause(r *http.Request, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-r.Context().Done():
		return false
	case <-timer.C:
		return true
	}
}

// within counts a request and says whether the rate allows it.
// The second slides, so a client that counts by the full second is seen.
func (s *Service) within() bool {
	rate := cmp.Or(s.cfg.Rate, 5)
	if rate < 0 {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.cfg.Now()
	for len(s.recent) > 0 && now.Sub(s.recent[0]) >= time.Second {
		s.recent = s.recent[1:]
	}
	if len(s.recent) >= rate {
		return false
	}
	s.recent = append(s.recent, now)
	return true
}

// uuid and site are what headers must look like.
var (
	uuid = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
	site = regexp.MustCompile(`^[A-Z0-9]{3,10}$`)
)

// headers checks the headers of a request, in the service's order: the id before
// the token, so that a client without either hears of the id first.
func (s *Service) headers(r *http.Request) *problem {
	id := r.Header.Get("X-Request-ID")
	switch {
	case id == "":
		return refuse(http.StatusBadRequest, "MISSING_VALUE",
			"Invalid request with error - X-Request-ID header must be supplied to access this resource")
	case !uuid.MatchString(id):
		return invalid(id, "header", "X-Request-ID")
	}
	if s.cfg.Open {
		return nil
	}
	if why := s.token(r.Header.Get("Authorization")); why != "" {
		return refuse(http.StatusUnauthorized, "ACCESS_DENIED", why)
	}
	if c := r.Header.Get("X-Correlation-ID"); c != "" && !uuid.MatchString(c) {
		return invalid(c, "header", "X-Correlation-ID")
	}
	const organisation = "NHSD-End-User-Organisation-ODS"
	if o := r.Header.Get(organisation); o != "" && !site.MatchString(o) {
		return invalid(o, "header", organisation)
	}
	if !s.fresh(id, r.URL.String()) {
		return invalid(id, "header", "X-Request-ID")
	}
	return nil
}

// token says what is wrong with an Authorization header, "" for nothing.
func (s *Service) token(header string) string {
	token, bearer := strings.CutPrefix(header, "Bearer ")
	switch {
	case header == "":
		return "Missing Authorization header"
	case !bearer || token == "":
		return "Missing access token"
	case s.cfg.Token != "" && token != s.cfg.Token:
		return "Invalid Access Token"
	}
	return ""
}

// fresh remembers which question a request id came with; it may come again with
// the same one only. The real service does not say so, but an id that means two
// things is of no use when a request has to be found in its records.
func (s *Service) fresh(id, question string) bool {
	sum := sha256.Sum256([]byte(question))
	s.mu.Lock()
	defer s.mu.Unlock()
	if known, again := s.asked[id]; again {
		return known == sum
	}
	if len(s.asked) >= maxAsked {
		clear(s.asked)
	}
	s.asked[id] = sum
	return true
}

// retrieve answers with one record: that of the number, or the one that took its
// place, under its own number. It says nothing of the replacement; a client sees
// it by the number.
func (s *Service) retrieve(w http.ResponseWriter, r *http.Request, number string) {
	q := r.URL.Query()
	if len(q) > 0 {
		unexpected(q, nil).write(w)
		return
	}
	if !checked(number) {
		refuse(http.StatusBadRequest, "INVALID_RESOURCE_ID", "").write(w)
		return
	}
	p, known := s.table.successor(number)
	switch {
	case !known:
		refuse(http.StatusNotFound, "RESOURCE_NOT_FOUND", "").write(w)
	case p.Invalidated:
		refuse(http.StatusNotFound, "INVALIDATED_RESOURCE", "").write(w)
	default:
		w.Header().Set("ETag", `W/"`+strconv.Itoa(p.Version)+`"`)
		write(w, http.StatusOK, resource(p.Patient, true))
	}
}

// search answers with a list, or with the word that there are too many. That
// word is no error: its status is 200, and nobody is told of.
func (s *Service) search(w http.ResponseWriter, r *http.Request) {
	if r.URL.RawQuery == "" {
		refuse(http.StatusBadRequest, "UNSUPPORTED_SERVICE", "").write(w)
		return
	}
	q, p := readQuestion(r.URL.RawQuery, s.cfg.Application)
	if p != nil {
		p.write(w)
		return
	}
	hits := s.table.search(q)
	if len(hits) > q.max {
		tooMany.write(w)
		return
	}
	write(w, http.StatusOK, list(hits, s.cfg.Now()))
}

// busy answers with a trouble.
func busy(w http.ResponseWriter, status int, after time.Duration) {
	if after > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(after/time.Second)))
	}
	code := "UNABLE_TO_CALL_SERVICE"
	if status == http.StatusTooManyRequests {
		code = "TOO_MANY_REQUESTS"
	}
	refuse(status, code, "").write(w)
}

// errTable is what a table is refused with.
var errTable = errors.New("the table of patients contradicts itself")

package provision

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/nhs"
	"github.com/counterproof/counterproof/agent/nhs/provisionsim"
	"github.com/counterproof/counterproof/agent/proof"
)

// Addresses of a service that is reached in memory only.
const (
	tokenURL     = "https://login.example/token"
	provisionURL = "https://login.example/provision-account"
	clientID     = "counterproof-test"
)

// start is when the tests begin.
var start = time.Date(2026, 11, 22, 9, 30, 0, 0, time.UTC)

// clock is a clock that tests move.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// line carries requests to a handler in memory, as the real transport would.
type line struct {
	to http.Handler
	// lose drops answers on their way back.
	lose bool

	mu       sync.Mutex
	tokens   []string // assertions that asked for tokens
	requests []string // bodies
}

var errLost = errors.New("the line broke: anna@example.org +447700900123")

func (l *line) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := r.GetBody()
	if err != nil {
		return nil, err
	}
	text := make([]byte, r.ContentLength)
	if _, err := body.Read(text); err != nil {
		return nil, err
	}
	l.mu.Lock()
	if strings.HasSuffix(r.URL.Path, "/token") {
		l.tokens = append(l.tokens, string(text))
	} else {
		l.requests = append(l.requests, string(text))
	}
	l.mu.Unlock()
	w := httptest.NewRecorder()
	l.to.ServeHTTP(w, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	if l.lose && strings.HasSuffix(r.URL.Path, "/provision-account") {
		return nil, errLost
	}
	return w.Result(), nil
}

// counts says how many tokens and accounts were asked for.
func (l *line) counts() (tokens, requests int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.tokens), len(l.requests)
}

// testKey makes one key for all tests: keys of 2048 bits take a while.
var testKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil
	}
	return key
})

// patients are invented; their numbers are not issued.
var patients = []provisionsim.Patient{
	{NHSNumber: "9000000009", Birth: "1984-02-29"},
	{NHSNumber: "9000000017", Birth: "1990-05-05", Level: provisionsim.P5, Email: "ben@example.org"},
	{NHSNumber: "9000000025", Birth: "1961-12-31", Level: provisionsim.P9, Email: "cleo@example.org"},
	{NHSNumber: "9000000033", Birth: "1950-01-01", Record: provisionsim.Deceased},
	{NHSNumber: "9000000041", Birth: "1970-07-07", Record: provisionsim.Restricted},
	{NHSNumber: "9000000068", Birth: "1971-07-07", Record: provisionsim.Invalidated},
	{NHSNumber: "9000000076", Birth: "2012-03-03"},
	{NHSNumber: "9000000084", Birth: "1980-08-08", Level: provisionsim.P0, Email: "dora@example.org", Suspended: true},
	{NHSNumber: "9000000092", Birth: "1999-09-09"},
}

// rig is a client and the simulated service at the other end of a line.
type rig struct {
	*Client
	clock *clock
	line  *line
	sim   *provisionsim.Service
}

// newRig makes one; change may change the service's configuration.
func newRig(t testing.TB, change func(*provisionsim.Config)) *rig {
	t.Helper()
	c := &clock{at: start}
	cfg := provisionsim.Config{
		ClientID: clientID, Key: &testKey().PublicKey, TokenURL: tokenURL,
		Enabled: []string{"FWC87", "A20047"}, Patients: patients, Now: c.now,
	}
	if change != nil {
		change(&cfg)
	}
	sim, err := provisionsim.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	l := &line{to: sim}
	return &rig{Client: newClient(t, c, l), clock: c, line: l, sim: sim}
}

// newClient makes a client on a transport.
func newClient(t testing.TB, c *clock, transport http.RoundTripper) *Client {
	t.Helper()
	client, err := New(Config{
		TokenURL: tokenURL, ProvisionURL: provisionURL, ClientID: clientID, KeyID: "test-1",
		Key: testKey(), Transport: transport, Now: c.now,
	})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// anna is a request that can be granted.
func anna() Request {
	return Request{
		NHSNumber: "9000000009", Birth: proof.Date{Year: 1984, Month: 2, Day: 29},
		Email: "anna@example.org", Phone: "07700 900123", ProvisionerODS: "FWC87",
	}
}

// of is a request for another patient.
func of(number nhs.Number, year, month, day int) Request {
	r := anna()
	r.NHSNumber, r.Birth = number, proof.Date{Year: year, Month: month, Day: day}
	return r
}

// service is a stand-in that gives tokens and answers requests as told.
func service(status int, header http.Header, body string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/token") {
			_, _ = w.Write([]byte(`{"access_token":"t0ken","token_type":"Bearer","expires_in":300}`))
			return
		}
		for key, values := range header {
			w.Header()[key] = values
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	})
}

// ask asks a service for anna's account.
func ask(t testing.TB, to http.Handler) Answer {
	t.Helper()
	return newClient(t, &clock{at: start}, &line{to: to}).Provision(context.Background(), anna())
}

// table reads a testdata file of lines; "#" starts a comment.
func table(t testing.TB, name string) [][]string {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var rows [][]string
	for l := range strings.Lines(string(text)) {
		if l = strings.TrimRight(l, "\n"); l != "" && l[0] != '#' {
			rows = append(rows, strings.Fields(l))
		}
	}
	return rows
}

// typed reads a testdata file of a word and a quoted string on each line.
func typed(t testing.TB, name string) [][2]string {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var rows [][2]string
	for l := range strings.Lines(string(text)) {
		first, rest, _ := strings.Cut(strings.TrimRight(l, "\n"), " ")
		if first == "#" || first == "" {
			continue
		}
		s, err := strconv.Unquote(rest)
		if err != nil {
			t.Fatalf("%s: line %q: %v", name, l, err)
		}
		rows = append(rows, [2]string{first, s})
	}
	return rows
}

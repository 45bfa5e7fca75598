package provision

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/counterproof/counterproof/agent/nhs/provisionsim"
)

func TestProvision(t *testing.T) {
	t.Parallel()
	young := of("9000000076", 2012, 3, 3)
	inUse := of("9000000092", 1999, 9, 9)
	inUse.Email = "Ben@Example.org"
	site := anna()
	site.ProvisionerODS = "0123456" // a post office's own code
	for _, c := range []struct {
		name    string
		request Request
		prepare func(*rig)
		want    Answer
	}{
		{"no-account/create", anna(), nil, Answer{Disposition: Done, Result: Created}},
		{"account-of-P5/uplift", of("9000000017", 1990, 5, 5), nil, Answer{Disposition: Done, Result: Uplifted}},
		{"account-of-P9", of("9000000025", 1961, 12, 31), nil, Answer{Disposition: Done, Result: AlreadyP9, Code: "11005"}},
		{"asked-before", anna(), func(r *rig) { r.Provision(t.Context(), anna()) },
			Answer{Disposition: Done, Result: Duplicate, Code: "11003"}},
		{"asked-before/claimed-since", anna(), func(r *rig) {
			r.Provision(t.Context(), anna())
			r.sim.Claim("9000000009")
		}, Answer{Disposition: Done, Result: AlreadyP9, Code: "11005"}},
		{"asked-before/seven-days-over", anna(), func(r *rig) {
			r.Provision(t.Context(), anna())
			r.clock.move(7 * 24 * time.Hour)
		}, Answer{Disposition: Done, Result: Created}},
		{"e-mail-in-use", inUse, nil, Answer{Disposition: FixField, Field: Email, Code: "11004"}},
		{"phone-in-another-request", of("9000000092", 1999, 9, 9), func(r *rig) {
			other := anna()
			other.Email = "other@example.org"
			r.Provision(t.Context(), other)
		}, Answer{Disposition: Final, Code: "11019"}},
		{"no-record", of("9000000106", 1999, 9, 9), nil, Answer{Disposition: Final, Code: "11001"}},
		{"other-birth-date", of("9000000009", 1984, 2, 28), nil, Answer{Disposition: Final, Code: "11002"}},
		{"deceased", of("9000000033", 1950, 1, 1), nil, Answer{Disposition: Final, Code: "11006"}},
		{"restricted", of("9000000041", 1970, 7, 7), nil, Answer{Disposition: Final, Code: "11007"}},
		{"invalidated", of("9000000068", 1971, 7, 7), nil, Answer{Disposition: Final, Code: "11008"}},
		{"under-16", young, nil, Answer{Disposition: Final, Code: "11009"}},
		{"suspended", of("9000000084", 1980, 8, 8), nil, Answer{Disposition: Final, Code: "11018"}},
		{"site-code-is-no-provisioner", site, nil, Answer{Disposition: ConfigAlarm, Field: ODSCode, Code: "11021"}},
		{"down", anna(), func(r *rig) { r.Provision(t.Context(), young); r.sim.SetDown(true) },
			Answer{Disposition: Retry, Code: "11000"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			if c.prepare != nil {
				c.prepare(r)
			}
			if got := r.Provision(t.Context(), c.request); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

// TestEveryCodeIsReached: each code of the specification comes out of the
// simulator by its rules and is taken by the client as the table says. Bad data
// that our own checks would hold back is sent past them.
func TestEveryCodeIsReached(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *provisionsim.Config) { c.Limit, c.Window = 14, time.Hour })
	reached := map[string]Answer{}
	note := func(a Answer) { reached[a.Code] = a }
	used, shared := of("9000000092", 1999, 9, 9), of("9000000092", 1999, 9, 9)
	used.Email, shared.Email = "ben@example.org", "eva@example.org"
	none := anna()
	none.ProvisionerODS = "ZZZ99"
	for _, request := range []Request{
		anna(), anna(), used, shared, none, of("9000000025", 1961, 12, 31), of("9000000106", 1999, 9, 9),
		of("9000000009", 1984, 3, 1), of("9000000033", 1950, 1, 1), of("9000000041", 1970, 7, 7),
		of("9000000068", 1971, 7, 7), of("9000000076", 2012, 3, 3), of("9000000084", 1980, 8, 8),
		// The rest is one too many.
		anna(), anna(), anna(),
	} {
		note(r.Provision(t.Context(), request))
	}
	bearer, _, _ := r.bearer(t.Context())
	status, header, body, err := r.post(t.Context(), provisionURL,
		http.Header{"Authorization": {"Bearer " + bearer}}, []byte(`{"nhs_number":"9000000009"}`))
	if err != nil {
		t.Fatal(err)
	}
	note(judge(status, retryAfter(header, start), body))
	r.sim.SetDown(true)
	note(r.Provision(t.Context(), anna()))

	rows := table(t, "codes.txt")
	for _, row := range rows {
		got, ok := reached[row[0]]
		if !ok {
			t.Errorf("code %s was not reached", row[0])
			continue
		}
		if string(got.Disposition) != row[1] {
			t.Errorf("code %s: got %q, want %s", row[0], got.Disposition, row[1])
		}
	}
	if len(rows) != len(meanings) {
		t.Errorf("the table has %d codes, the client %d", len(rows), len(meanings))
	}
	if got := reached["11010"].Field; got != Email {
		t.Errorf("bad data: got field %q, want the first that is missing, %q", got, Email)
	}
	if got := reached["11011"].Wait; got != time.Hour {
		t.Errorf("too many: got a wait of %s, want an hour", got)
	}
}

// TestLostAnswer: the service took the request and the line broke before its
// answer arrived.
func TestLostAnswer(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.line.lose = true
	a := r.Provision(t.Context(), anna())
	if a.Disposition != Retry || a.Err == nil {
		t.Errorf("got %+v, want a retry with its reason", a)
	}
	r.line.lose = false
	if a := r.Provision(t.Context(), anna()); a.Disposition != Done || a.Result != Duplicate {
		t.Errorf("asked again: got %+v, want a duplicate, done", a)
	}
	first, again := r.line.requests[0], r.line.requests[1]
	if first != again {
		t.Errorf("the second request differs: %s and %s", first, again)
	}
	if want := `{"nhs_number":"9000000009","email_address":"anna@example.org","date_of_birth":"1984-02-29","phone_number":"+447700900123","ods_code":"FWC87"}`; first != want {
		t.Errorf("sent %s, want %s", first, want)
	}
}

func TestTokenIsReused(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	ask := func(wantTokens int) {
		t.Helper()
		if a := r.Provision(t.Context(), anna()); a.Disposition != Done {
			t.Fatalf("got %+v, want done", a)
		}
		if got, _ := r.line.counts(); got != wantTokens {
			t.Errorf("%d tokens were asked for, want %d", got, wantTokens)
		}
	}
	ask(1)
	r.clock.move(289 * time.Second)
	ask(1)
	r.clock.move(time.Second)
	ask(2)
	// A token that the service forgot is asked for once more, with the request.
	r.sim.Revoke()
	ask(3)
	if _, requests := r.line.counts(); requests != 5 {
		t.Errorf("%d requests were sent, want 5: one of them with a token that was forgotten", requests)
	}
}

// TestForget: a call whose token was refused does not take away the one that
// another call has fetched since.
func TestForget(t *testing.T) {
	t.Parallel()
	c := newRig(t, nil).Client
	first, _, _ := c.bearer(t.Context())
	c.forget("an older one")
	if again, reused, _ := c.bearer(t.Context()); again != first || !reused {
		t.Error("a good token was forgotten")
	}
	c.forget(first)
	if again, reused, _ := c.bearer(t.Context()); again == first || reused {
		t.Error("a bad token was kept")
	}
}

// TestRefusedForGood: a service that takes no token at all is asked once for
// each new token, not for ever.
func TestRefusedForGood(t *testing.T) {
	t.Parallel()
	l := &line{to: service(http.StatusUnauthorized, nil, `{"error":"invalid_token"}`)}
	c := newClient(t, &clock{at: start}, l)
	for range 2 {
		if a := c.Provision(t.Context(), anna()); a.Disposition != ConfigAlarm {
			t.Errorf("got %+v, want an alarm", a)
		}
	}
	if tokens, requests := l.counts(); tokens != 2 || requests != 3 {
		t.Errorf("got %d tokens and %d requests, want 2 and 3", tokens, requests)
	}
}

func TestNoToken(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		status int
		body   string
		want   Disposition
	}{
		{"client-not-known", 401, `{"error":"invalid_client"}`, ConfigAlarm},
		{"bad-request", 400, `{"error":"invalid_request"}`, ConfigAlarm},
		{"moved", 307, ``, ConfigAlarm},
		{"too-many", 429, ``, SlowDown},
		{"down", 503, `{"error_code":"11000"}`, Retry},
		{"gateway", 502, `<html>`, Retry},
		{"done-is-not-for-tokens", 503, `{"error_code":"11005"}`, Retry},
		{"empty", 200, ``, Retry},
		{"no-token", 200, `{"token_type":"Bearer"}`, Retry},
		{"other-kind", 200, `{"access_token":"a","token_type":"mac"}`, Retry},
		{"breaks-the-header", 200, `{"access_token":"a\r\nX-Evil: 1","token_type":"Bearer"}`, Retry},
		{"too-long", 200, `{"token_type":"Bearer","access_token":"` + strings.Repeat("a", maxToken+1) + `"}`, Retry},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := &line{to: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(c.body))
			})}
			a := newClient(t, &clock{at: start}, l).Provision(t.Context(), anna())
			if a.Disposition != c.want || a.Err == nil {
				t.Errorf("got %+v, want %s with its reason", a, c.want)
			}
			if _, requests := l.counts(); requests != 0 {
				t.Error("the request was sent without a token")
			}
		})
	}
}

func TestSlowService(t *testing.T) {
	t.Parallel()
	testKey() // outside the bubble
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.sim.SetSlow(time.Hour)
		begun := time.Now()
		a := r.Provision(t.Context(), anna())
		if took := time.Since(begun); took != defaultTimeout {
			t.Errorf("gave up after %s, want %s", took, defaultTimeout)
		}
		if a.Disposition != Retry || !errors.Is(a.Err, context.DeadlineExceeded) {
			t.Errorf("got %+v, want a retry because of the time", a)
		}
		r.sim.SetSlow(time.Second)
		if a := r.Provision(t.Context(), anna()); a.Result != Created {
			t.Errorf("a slow answer: got %+v, want an account", a)
		}
	})
}

func TestCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if a := newRig(t, nil).Provision(ctx, anna()); a.Disposition != Retry || !errors.Is(a.Err, context.Canceled) {
		t.Errorf("got %+v, want a retry because of the cancelling", a)
	}
}

// TestRealLine goes over TLS on this machine, and to a port where nobody is.
func TestRealLine(t *testing.T) {
	t.Parallel()
	c := &clock{at: start}
	server := httptest.NewUnstartedServer(nil)
	host := "https://" + server.Listener.Addr().String()
	sim, err := provisionsim.New(provisionsim.Config{
		ClientID: clientID, Key: &testKey().PublicKey, TokenURL: host + "/token",
		Enabled: []string{"FWC87"}, Patients: patients, Now: c.now,
	})
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = sim
	server.StartTLS()
	defer server.Close()
	cfg := Config{TokenURL: host + "/token", ProvisionURL: host + "/provision-account", ClientID: clientID, Key: testKey(), Now: c.now}

	stranger, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if a := stranger.Provision(t.Context(), anna()); a.Disposition != Retry || !strings.Contains(fmt.Sprint(a.Err), "certificate") {
		t.Errorf("a certificate of nobody: got %+v, want a retry that says so", a)
	}
	cfg.Transport = server.Client().Transport
	client, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if a := client.Provision(t.Context(), anna()); a.Result != Created {
		t.Errorf("got %+v, want an account", a)
	}
	server.Close()
	if a := client.Provision(t.Context(), anna()); a.Disposition != Retry || a.Err == nil {
		t.Errorf("nobody there: got %+v, want a retry", a)
	}
}

// TestRedirectIsNotFollowed: what it would carry is a patient's details.
func TestRedirectIsNotFollowed(t *testing.T) {
	t.Parallel()
	l := &line{to: service(http.StatusTemporaryRedirect, http.Header{"Location": {"https://elsewhere.example/provision-account"}}, "")}
	a := newClient(t, &clock{at: start}, l).Provision(t.Context(), anna())
	if _, requests := l.counts(); requests != 1 || a.Disposition != ConfigAlarm {
		t.Errorf("got %+v after %d requests, want an alarm after one", a, requests)
	}
}

// TestNothingPersonalComesBack: whatever the service writes, and whichever way an
// exchange fails, no detail of the patient is in what the caller may log.
func TestNothingPersonalComesBack(t *testing.T) {
	t.Parallel()
	details := []string{"9000000009", "anna", "example.org", "7700", "900123", "1984", "02-29", "t0ken"}
	body := `{"error":"anna@example.org","error_code":"9000000009","field":"anna","result":"+447700900123 1984-02-29","type":9000000009}`
	answers := map[string]Answer{}
	for _, status := range []int{200, 302, 400, 401, 403, 404, 409, 422, 429, 500, 503} {
		answers[fmt.Sprint(status)] = ask(t, service(status, http.Header{"Retry-After": {"anna"}}, body))
	}
	r := newRig(t, nil)
	r.line.lose = true
	answers["lost"] = r.Provision(t.Context(), anna())
	answers["malformed"] = malformed(t, "HTTP/1.1 anna@example.org 9000000009\r\n\r\n")
	answers["malformed header"] = malformed(t, "HTTP/1.1 200 OK\r\nanna@example.org 9000000009\r\n\r\n")
	for _, bad := range []func(*Request){
		func(r *Request) { r.NHSNumber = "9000000008" },
		func(r *Request) { r.Birth.Month = 13 },
		func(r *Request) { r.Email = "anna@example.org@" },
		func(r *Request) { r.Phone = "07700 900123x" },
	} {
		request := anna()
		bad(&request)
		a := newRig(t, nil).Provision(t.Context(), request)
		answers["local "+string(a.Field)] = a
	}
	for name, a := range answers {
		text := fmt.Sprintf("%+v", a)
		if a.Disposition == "" || a.Disposition == Done {
			t.Errorf("%s: got %q", name, a.Disposition)
		}
		for _, detail := range details {
			if strings.Contains(text, detail) {
				t.Errorf("%s: %q has %q in it", name, text, detail)
			}
		}
	}
}

// malformed asks a server of this machine that answers requests for accounts with
// given bytes.
func malformed(t *testing.T, answer string) Answer {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/token") {
			service(200, nil, "").ServeHTTP(w, r)
			return
		}
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = io.WriteString(conn, answer)
		_ = conn.Close()
	}))
	defer server.Close()
	c, err := New(Config{TokenURL: server.URL + "/token", ProvisionURL: server.URL + "/provision-account",
		ClientID: clientID, Key: testKey()})
	if err != nil {
		t.Fatal(err)
	}
	a := c.Provision(t.Context(), anna())
	if !errors.Is(a.Err, errExchange) {
		t.Errorf("%q: got %v, want the plain failure", answer, a.Err)
	}
	return a
}

// endless is a body that never ends.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	e.read += len(p)
	return len(p), nil
}

func (e *endless) Close() error { return nil }

type transportFunc func(*http.Request) (*http.Response, error)

func (f transportFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestEndlessAnswer(t *testing.T) {
	t.Parallel()
	body := &endless{}
	c := newClient(t, &clock{at: start}, transportFunc(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: body}, nil
	}))
	a := c.Provision(t.Context(), anna())
	if a.Disposition != Retry || !errors.Is(a.Err, errTooLong) || body.read > 4*maxAnswer {
		t.Errorf("got %+v after %d bytes, want a retry after few", a, body.read)
	}
}

func TestPlain(t *testing.T) {
	t.Parallel()
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
	for _, c := range []struct {
		in   error
		want error
	}{
		{fmt.Errorf("anna: %w", context.Canceled), context.Canceled},
		{fmt.Errorf("anna: %w", io.ErrUnexpectedEOF), io.ErrUnexpectedEOF},
		{fmt.Errorf("anna: %w", refused), refused},
		{errors.New("anna"), errExchange},
	} {
		if got := plain(c.in); got != c.want {
			t.Errorf("%v: got %v, want %v", c.in, got, c.want)
		}
	}
}

// TestConcurrentCalls share one token.
func TestConcurrentCalls(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	results := make(chan Result, 8)
	for range cap(results) {
		go func() { results <- r.Provision(context.Background(), anna()).Result }()
	}
	var got []Result
	for range cap(results) {
		got = append(got, <-results)
	}
	slices.Sort(got)
	if got[0] != Created || slices.Index(got, Duplicate) != 1 {
		t.Errorf("got %v, want one account and seven duplicates", got)
	}
	if tokens, _ := r.line.counts(); tokens != 1 {
		t.Errorf("%d tokens were asked for, want 1", tokens)
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	good := Config{TokenURL: tokenURL, ProvisionURL: provisionURL, ClientID: clientID, Key: testKey()}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*Config){
		"no-token-url":     func(c *Config) { c.TokenURL = "" },
		"no-url":           func(c *Config) { c.ProvisionURL = "provision-account" },
		"in-clear":         func(c *Config) { c.ProvisionURL = "http://login.example/provision-account" },
		"clear-lookalike":  func(c *Config) { c.TokenURL = "http://localhost.login.example/token" },
		"user-in-url":      func(c *Config) { c.TokenURL = "https://me:secret@login.example/token" },
		"query-in-url":     func(c *Config) { c.ProvisionURL += "?nhs_number=1" },
		"file":             func(c *Config) { c.TokenURL = "file:///token" },
		"control-in-url":   func(c *Config) { c.TokenURL = "https://login.example/\x7f" },
		"no-client":        func(c *Config) { c.ClientID = "" },
		"no-key":           func(c *Config) { c.Key = nil },
		"negative-timeout": func(c *Config) { c.Timeout = -1 },
	} {
		bad := good
		spoil(&bad)
		if err := bad.Validate(); err == nil {
			t.Errorf("%s passes", name)
		}
		if _, err := New(bad); err == nil {
			t.Errorf("%s makes a client", name)
		}
	}
	for _, here := range []string{"http://127.0.0.1:8080/token", "http://[::1]/token", "http://localhost/token"} {
		good.TokenURL = here
		if err := good.Validate(); err != nil {
			t.Errorf("%s: %v", here, err)
		}
	}
}

package pds

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/counterproof/counterproof/agent/nhs"
	"github.com/counterproof/counterproof/agent/proof"
)

// rig is a client with a clock that only waiting moves, and a service that
// answers from a list.
type rig struct {
	*Client
	now     time.Time
	begun   time.Time
	waits   []time.Duration
	seen    []*http.Request
	at      []time.Duration // when each request went out
	answers []*http.Response
	log     bytes.Buffer
}

// reply makes an answer; header is names and values in turn.
func reply(status int, body string, header ...string) *http.Response {
	h := http.Header{}
	for i := 0; i < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body))}
}

const (
	smith  = `{"resourceType":"Patient","id":"9000000009","meta":{"security":[{"code":"U"}]}}`
	nobody = `{"resourceType":"Bundle","type":"searchset","total":0}`
)

func newRig(t *testing.T, cfg Config, answers ...*http.Response) *rig {
	t.Helper()
	r := &rig{now: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC), answers: answers}
	r.begun = r.now
	cfg.Address = "https://pds.invalid/personal-demographics/FHIR/R4/"
	cfg.Now = func() time.Time { return r.now }
	cfg.Wait = func(ctx context.Context, d time.Duration) error {
		if d > 0 {
			r.waits = append(r.waits, d)
			r.now = r.now.Add(d)
		}
		return ctx.Err()
	}
	cfg.Log = slog.New(slog.NewTextHandler(&r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	cfg.Transport = r
	var err error
	if r.Client, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	return r
}

// RoundTrip takes the next answer; a nil one is a line that is down.
func (r *rig) RoundTrip(req *http.Request) (*http.Response, error) {
	r.seen, r.at = append(r.seen, req), append(r.at, r.now.Sub(r.begun))
	if len(r.answers) == 0 {
		return reply(200, smith), nil
	}
	a := r.answers[0]
	r.answers = r.answers[1:]
	if a == nil {
		return nil, errors.New("connection refused")
	}
	return a, nil
}

const number nhs.Number = "9000000009"

func TestHeaders(t *testing.T) {
	t.Parallel()
	r := newRig(t, Config{Site: "FWC87", Token: func(context.Context) (string, error) { return "a.b.c", nil }})
	p, err := r.Retrieve(t.Context(), number)
	if err != nil || p.Number != number {
		t.Fatalf("got %v, %v", p.Number, err)
	}
	req := r.seen[0]
	if got := req.URL.String(); got != "https://pds.invalid/personal-demographics/FHIR/R4/Patient/9000000009" {
		t.Errorf("asked at %s", got)
	}
	if id := req.Header.Get("X-Request-ID"); !isUUID(id) || id[14] != '4' {
		t.Errorf("X-Request-ID %q", id)
	}
	for name, want := range map[string]string{
		"NHSD-End-User-Organisation-ODS": "FWC87", "Authorization": "Bearer a.b.c", "Accept": "application/fhir+json", "X-Correlation-ID": "",
	} {
		if got := req.Header.Get(name); got != want {
			t.Errorf("%s %q, want %q", name, got, want)
		}
	}
	if _, err := r.Retrieve(t.Context(), number); err != nil || r.seen[1].Header.Get("X-Request-ID") == req.Header.Get("X-Request-ID") {
		t.Errorf("another question has the same id (%v)", err)
	}
}

func TestNoTokenNoSite(t *testing.T) {
	t.Parallel()
	r := newRig(t, Config{})
	if _, err := r.Retrieve(t.Context(), number); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"Authorization", "NHSD-End-User-Organisation-ODS"} {
		if _, sent := r.seen[0].Header[http.CanonicalHeaderKey(name)]; sent {
			t.Errorf("%s is sent", name)
		}
	}
}

// TestSentAgain: what passes by itself is sent again under the same id, three
// times in all; what the service has decided is not.
func TestSentAgain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answers []*http.Response
		sent    int
		kind    Kind
	}{
		"503-then-good":    {[]*http.Response{reply(503, "")}, 2, ""},
		"408-429-then":     {[]*http.Response{reply(408, ""), reply(429, "", "Retry-After", "1")}, 3, ""},
		"line-down-once":   {[]*http.Response{nil}, 2, ""},
		"down-for-good":    {[]*http.Response{nil, nil, nil, nil}, 3, Later},
		"500-for-good":     {[]*http.Response{reply(500, ""), reply(502, ""), reply(504, ""), reply(503, "")}, 3, Later},
		"400":              {[]*http.Response{reply(400, "")}, 1, Input},
		"401":              {[]*http.Response{reply(401, "")}, 1, Refused},
		"403":              {[]*http.Response{reply(403, "")}, 1, Refused},
		"404-page":         {[]*http.Response{reply(404, "not found")}, 1, Unreadable},
		"html":             {[]*http.Response{reply(200, "<html>")}, 1, Unreadable},
		"redirect":         {[]*http.Response{reply(302, "", "Location", "https://other.invalid/")}, 1, Unreadable},
		"list-for-record":  {[]*http.Response{reply(200, nobody)}, 1, Unreadable},
		"429-for-too-long": {[]*http.Response{reply(429, "", "Retry-After", "60")}, 1, Later},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, Config{}, c.answers...)
			_, err := r.Retrieve(t.Context(), number)
			if KindOf(err) != c.kind || len(r.seen) != c.sent {
				t.Fatalf("%d sent, %v; want %d, %q", len(r.seen), err, c.sent, c.kind)
			}
			for _, req := range r.seen {
				if req.Header.Get("X-Request-ID") != r.seen[0].Header.Get("X-Request-ID") || req.URL.String() != r.seen[0].URL.String() {
					t.Error("the repetition is another request")
				}
			}
		})
	}
}

// TestRetryAfter: the service is left alone for as long as it asks, by everybody.
func TestRetryAfter(t *testing.T) {
	t.Parallel()
	r := newRig(t, Config{}, reply(429, "", "Retry-After", "3"))
	if _, err := r.Retrieve(t.Context(), number); err != nil || r.at[1] != 3*time.Second {
		t.Errorf("sent again after %v (%v), want 3s", r.at[1:], err)
	}
	r = newRig(t, Config{}, reply(429, "", "Retry-After", "60"))
	_, err := r.Retrieve(t.Context(), number)
	if f, _ := errors.AsType[*Fault](err); f == nil || f.After != time.Minute || f.Status != 429 {
		t.Fatalf("got %v", err)
	}
	r.now = r.now.Add(20 * time.Second)
	_, err = r.Retrieve(t.Context(), number)
	if f, _ := errors.AsType[*Fault](err); f == nil || f.Kind != Later || f.After != 40*time.Second || len(r.seen) != 1 {
		t.Fatalf("20 s later: %d sent, %v", len(r.seen), err)
	}
	r.now = r.now.Add(40 * time.Second)
	if _, err = r.Retrieve(t.Context(), number); err != nil {
		t.Errorf("60 s later: %v", err)
	}
}

func TestRetryAfterForms(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"": 0, "0": 0, "7": 7 * time.Second, "-7": 0, "1.5": 0, "soon": 0, "99999": maxAfter, "99999999999999999999": 0,
		now.Add(time.Minute).Format(http.TimeFormat): time.Minute, now.Add(-time.Minute).Format(http.TimeFormat): 0,
		now.Add(48 * time.Hour).Format(http.TimeFormat): maxAfter,
	} {
		if got := retryAfter(text, now); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

// TestRate: in no second do more requests go out than the rate.
func TestRate(t *testing.T) {
	t.Parallel()
	for rate, per := range map[int]int{0: 5, 2: 2, 50: 50} {
		r := newRig(t, Config{Rate: rate})
		for range 120 {
			if _, err := r.Retrieve(t.Context(), number); err != nil {
				t.Fatal(err)
			}
		}
		for i, at := range r.at {
			if i >= per && at-r.at[i-per] < time.Second {
				t.Fatalf("rate %d: request %d goes out %v after the one %d before it", rate, i, at-r.at[i-per], per)
			}
		}
		if got, want := r.at[len(r.at)-1], time.Duration(119)*time.Second/time.Duration(per); got > want {
			t.Errorf("rate %d: 120 requests take %v, want %v", rate, got, want)
		}
	}
}

// TestRealClock waits on the timer of the standard library, and not longer than
// its caller does.
func TestRealClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sent := 0
		c, err := New(Config{Address: "http://localhost:1", Rate: 1, Transport: roundTrip(func(*http.Request) (*http.Response, error) {
			sent++
			return reply(200, smith), nil
		})})
		if err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		for range 3 {
			if _, err := c.Retrieve(t.Context(), number); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(begun); took != 2*time.Second {
			t.Errorf("three requests took %v, want 2s", took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		_, err = c.Retrieve(ctx, number)
		if KindOf(err) != Later || !errors.Is(err, context.DeadlineExceeded) || sent != 3 {
			t.Errorf("%d sent, %v", sent, err)
		}
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestHostileAnswers: too long, cut off, meant for somebody else.
func TestHostileAnswers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer *http.Response
		kind   Kind
	}{
		"too-long":       {reply(200, smith+strings.Repeat(" ", maxAnswer)), Unreadable},
		"just-fits":      {reply(200, smith+strings.Repeat(" ", maxAnswer-len(smith))), ""},
		"broken-off":     {&http.Response{StatusCode: 200, Body: io.NopCloser(io.MultiReader(strings.NewReader(smith), broken{}))}, Later},
		"other-request":  {reply(200, smith, "X-Request-ID", "c0ffee00-0000-4000-8000-000000000000"), Unreadable},
		"long-version":   {reply(200, smith, "ETag", strings.Repeat("W", maxHeaders+1)), Unreadable},
		"version":        {reply(200, smith, "ETag", `W/"2"`), ""},
		"other-language": {reply(200, "\xff\xfe"), Unreadable},
	} {
		r := newRig(t, Config{}, c.answer, nil, nil)
		if _, err := r.Retrieve(t.Context(), number); KindOf(err) != c.kind {
			t.Errorf("%s: %v, want %q", name, err, c.kind)
		}
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("reset by peer") }

func TestListWanted(t *testing.T) {
	t.Parallel()
	r := newRig(t, Config{}, reply(200, smith))
	if _, err := r.Search(t.Context(), Query{Family: "Smith"}); KindOf(err) != Unreadable {
		t.Errorf("a record instead of a list: %v", err)
	}
}

// TestNumberInPath: nothing but ten digits becomes a part of the address.
func TestNumberInPath(t *testing.T) {
	t.Parallel()
	for _, n := range []nhs.Number{"", "../Patient", "900000000", "90000000090", "900000000?", "９0000000", "900 000 00"} {
		r := newRig(t, Config{})
		if _, err := r.Retrieve(t.Context(), n); KindOf(err) != Input || len(r.seen) != 0 {
			t.Errorf("%q: %d sent, %v", n, len(r.seen), err)
		}
	}
}

// TestToken: no token is no answer yet; the reason is passed on.
func TestToken(t *testing.T) {
	t.Parallel()
	down := errors.New("the token source is down")
	r := newRig(t, Config{Token: func(context.Context) (string, error) { return "", down }})
	if _, err := r.Retrieve(t.Context(), number); KindOf(err) != Later || !errors.Is(err, down) || len(r.seen) != 0 {
		t.Errorf("%d sent, %v", len(r.seen), err)
	}
}

// TestNothingTold: whatever happens, neither errors nor logs hold anything of
// the question or the answer.
func TestNothingTold(t *testing.T) {
	t.Parallel()
	day := proof.Date{Year: 1987, Month: 6, Day: 5}
	q := Query{Family: "Zzfamily", Given: []string{"Zzgiven"}, Birth: Span{day, day}, Postcode: "ZZ1 1ZZ", Email: "zz@example.com", Phone: "0777777"}
	outcome := `{"resourceType":"OperationOutcome","issue":[{"details":{"coding":[{"code":"Zzcode"}]},"diagnostics":"Invalid value - 'Zzfamily'"}]}`
	record := `{"resourceType":"Bundle","total":1,"entry":[{"resource":{"resourceType":"Patient","id":"9000000009","name":[{"family":"Zzother"}]}}]}`
	for name, a := range map[string]*http.Response{
		"down": nil, "400": reply(400, outcome), "401": reply(401, outcome), "404": reply(404, outcome), "429": reply(429, outcome, "Retry-After", "99"),
		"500": reply(500, outcome), "page": reply(200, "<p>Zzfamily 9000000009"), "no-score": reply(200, record), "302": reply(302, "", "Location", "https://x.invalid/?family=Zzfamily"),
		"echo": reply(200, record, "X-Request-ID", "Zzecho"), "broken-json": reply(200, `{"resourceType":"Patient","id":"Zzid","birthDate":7}`),
	} {
		r := newRig(t, Config{}, a, a, a)
		_, err := r.Search(t.Context(), q)
		if err == nil {
			t.Fatalf("%s: no error", name)
		}
		text := err.Error() + r.log.String()
		for _, secret := range []string{"zz", "zZ", "Zz", "1987", "9000000", "0777", "pds.invalid", "x.invalid"} {
			if strings.Contains(text, secret) {
				t.Errorf("%s: %q is told: %s", name, secret, text)
			}
		}
	}
}

// TestOverNetwork asks a server on this machine: the address is kept out of the
// errors of the standard library too, and redirects are not followed.
func TestOverNetwork(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	}))
	c, err := New(Config{Address: server.URL, Rate: 1000, Wait: func(context.Context, time.Duration) error { return nil }})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Search(t.Context(), Query{Family: "Zzfamily"}); KindOf(err) != Unreadable {
		t.Errorf("a redirect: %v", err)
	}
	server.Close()
	_, err = c.Search(t.Context(), Query{Family: "Zzfamily"})
	if KindOf(err) != Later || strings.Contains(err.Error(), "Zzfamily") {
		t.Errorf("a server that is gone: %v", err)
	}
}

func TestNew(t *testing.T) {
	t.Parallel()
	for address, good := range map[string]bool{
		"https://api.service.nhs.uk/personal-demographics/FHIR/R4": true, "http://127.0.0.1:8080": true, "http://[::1]:8080": true, "http://localhost": true,
		"http://pds.invalid": false, "ftp://localhost": false, "pds.invalid": false, "": false, "https://": false, "https://u:p@pds.invalid": false,
		"https://pds.invalid/?key=1": false, "https://%zz": false, "http://localhost.invalid": false,
	} {
		if _, err := New(Config{Address: address}); (err == nil) != good {
			t.Errorf("%q: %v", address, err)
		}
	}
	for _, cfg := range []Config{{Rate: -1}, {Timeout: -1}} {
		cfg.Address = "https://pds.invalid"
		if _, err := New(cfg); err == nil {
			t.Errorf("%+v is taken", cfg)
		}
	}
}

func TestFaultWords(t *testing.T) {
	t.Parallel()
	cause := errors.New("why")
	for _, c := range []struct {
		fault Fault
		want  string
	}{
		{Fault{Op: "asking", Kind: Later}, "asking: later"},
		{Fault{Op: "asking", Kind: Later, Status: 503}, "asking: later (status 503)"},
		{Fault{Op: "asking", Kind: Input, Status: 400, Code: "INVALID_VALUE"}, "asking: input (status 400, INVALID_VALUE)"},
		{Fault{Op: "asking", Kind: Later, Err: cause}, "asking: later: why"},
	} {
		if got := c.fault.Error(); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
	if KindOf(cause) != "" || KindOf(nil) != "" {
		t.Error("another error has a kind")
	}
}

func TestQueryValues(t *testing.T) {
	t.Parallel()
	day := func(y, m, d int) proof.Date { return proof.Date{Year: y, Month: m, Day: d} }
	for name, c := range map[string]struct {
		q    Query
		want string
	}{
		"nothing":    {Query{}, ""},
		"day":        {Query{Family: "Smith", Birth: Span{day(2010, 10, 22), day(2010, 10, 22)}}, "birthdate=eq2010-10-22&family=Smith"},
		"range":      {Query{Birth: Span{day(2010, 10, 21), day(2010, 10, 23)}}, "birthdate=ge2010-10-21&birthdate=le2010-10-23"},
		"from":       {Query{Birth: Span{From: day(980, 1, 2)}}, "birthdate=ge0980-01-02"},
		"to":         {Query{Death: Span{To: day(2019, 2, 28)}}, "death-date=le2019-02-28"},
		"given":      {Query{Given: []string{"John Paul", "James"}}, "given=John+Paul&given=James"},
		"flags":      {Query{Fuzzy: true, Exact: true, History: true, Max: 1}, "_exact-match=true&_fuzzy-match=true&_history=true&_max-results=1"},
		"place":      {Query{Gender: "female", Postcode: "LS1 6AE", Practice: "A20047"}, "address-postalcode=LS1+6AE&gender=female&general-practitioner=A20047"},
		"contacts":   {Query{Email: "a+b@example.com", Phone: "0044 1632"}, "email=a%2Bb%40example.com&phone=0044+1632"},
		"characters": {Query{Family: "Ö&given=x#"}, "family=%C3%96%26given%3Dx%23"},
	} {
		if got := c.q.values().Encode(); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
}

func TestSpanOf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		date     proof.Date
		from, to string
	}{
		{proof.Date{Year: 1990, Month: 5, Day: 7}, "1990-05-07", "1990-05-07"},
		{proof.Date{Year: 1990}, "1990-01-01", "1990-12-31"},
		{proof.Date{Year: 1990, Month: 4}, "1990-04-01", "1990-04-30"},
		{proof.Date{Year: 1992, Month: 2}, "1992-02-01", "1992-02-29"},
		{proof.Date{Year: 1990, Month: 2}, "1990-02-01", "1990-02-28"},
	} {
		s := spanOf(c.date)
		if iso(s.From) != c.from || iso(s.To) != c.to {
			t.Errorf("%s: %s to %s", c.date, iso(s.From), iso(s.To))
		}
	}
}

// TestRequestIDs: each try of a trace has its own id, always the same.
func TestRequestIDs(t *testing.T) {
	t.Parallel()
	const trace = "6c1f6a3e-95b5-4c1b-8a0e-0d6f5f1f8f11"
	ids := map[string]bool{}
	for _, try := range []Try{ByNumber, ByDetails, ByRecipe, NoPostcode} {
		id := requestID(trace, try)
		if !isUUID(id) || id[14] != '8' || id != requestID(strings.ToUpper(trace), try) {
			t.Errorf("%s: %s", try, id)
		}
		ids[id] = true
	}
	ids[requestID("6c1f6a3e-95b5-4c1b-8a0e-0d6f5f1f8f12", ByNumber)] = true
	if len(ids) != 5 {
		t.Errorf("ids are not different: %v", slices.Sorted(maps.Keys(ids)))
	}
	for _, bad := range []string{"", trace[1:], trace + "0", strings.ReplaceAll(trace, "-", ""), strings.ReplaceAll(trace, "-", "_"), "6c1f6a3e95b5-4c1b-8a0e-0d6f5f1f8f1-1"} {
		if isUUID(bad) {
			t.Errorf("%q is a UUID", bad)
		}
	}
}

// plan writes what a claim makes Match ask.
func plan(c Claim) []string {
	var out []string
	for _, a := range c.attempts() {
		text := string(a.try)
		if a.try != ByNumber {
			v := a.query.values()
			v.Del("_history")
			v.Del("_max-results")
			text, _ = url.QueryUnescape(text + " " + v.Encode())
		}
		out = append(out, text)
	}
	return out
}

func TestPlan(t *testing.T) {
	t.Parallel()
	lines := lines(t, "plans.txt")
	for _, line := range lines {
		t.Run(line[0], func(t *testing.T) {
			c := claimOf(t, line[1])
			c.Number = nhs.Number(line[2])
			want := line[3:]
			if want[0] == "" {
				want = nil
			}
			if got := plan(c); !slices.Equal(got, want) {
				t.Errorf("got %s", strings.Join(got, " | "))
			}
			for _, a := range c.attempts() {
				if a.try != ByNumber && (!a.query.History || a.query.Max != 1 || a.query.Fuzzy || a.query.Gender != "") {
					t.Errorf("%+v", a.query)
				}
			}
		})
	}
}

func BenchmarkCompare(b *testing.B) {
	c := Claim{Person: proof.Person{Surname: proof.Name{Printed: "Müller-Lüdenscheidt"}, Given: proof.Name{Printed: "Jörg"}, Birth: proof.Date{Year: 1990, Month: 1, Day: 2}}}
	p := Patient{Birth: c.Person.Birth, Names: []Name{{Family: "Mueller Luedenscheidt", Given: []string{"Joerg", "Karl"}}}}
	for b.Loop() {
		if Compare(c, p).Verdict() != Equal {
			b.Fatal("different " + strconv.Itoa(b.N))
		}
	}
}

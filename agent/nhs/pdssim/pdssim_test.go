package pdssim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/counterproof/counterproof/agent/nhs"
	"github.com/counterproof/counterproof/agent/nhs/pds"
	"github.com/counterproof/counterproof/agent/proof"
)

// cases reads a testdata file: id, question, answer.
func cases(t testing.TB, name string) [][3]string {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var all [][3]string
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		asked, answer, ok := strings.Cut(line, "->")
		id, question, _ := strings.Cut(strings.TrimSpace(asked), " ")
		if !ok || question == "" {
			t.Fatalf("line %q is no case", line)
		}
		all = append(all, [3]string{id, question, strings.TrimSpace(answer)})
	}
	return all
}

// service makes one that no rate bounds, unless the test says otherwise.
func service(t testing.TB, cfg Config) *Service {
	t.Helper()
	if cfg.Rate == 0 {
		cfg.Rate = -1
	}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const someID = "c0ffee00-0000-4000-8000-000000000000"

// get asks a service without a network.
func get(s *Service, path string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Header.Set("X-Request-ID", someID)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// encoded writes a question as a client does.
func encoded(question string) string {
	path, query, found := strings.Cut(question, "?")
	if !found {
		return path
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return question
	}
	return path + "?" + values.Encode()
}

// told is an answer in the words of the case files.
func told(t testing.TB, w *httptest.ResponseRecorder) string {
	t.Helper()
	var b struct {
		Type  string `json:"resourceType"`
		Issue []struct {
			Severity string
			Details  struct{ Coding []struct{ Code string } }
		}
		Total *int
		Entry []struct {
			Search   struct{ Score float64 }
			Resource struct{ ID string }
		}
		ID   string
		Meta struct{ Security []struct{ Code string } }
	}
	if err := json.Unmarshal(w.Body.Bytes(), &b); err != nil {
		t.Fatalf("the answer is no JSON: %v", err)
	}
	switch b.Type {
	case "OperationOutcome":
		code := b.Issue[0].Details.Coding[0].Code
		if code == "TOO_MANY_MATCHES" && w.Code == http.StatusOK && b.Issue[0].Severity == "information" {
			return "many"
		}
		return fmt.Sprintf("%d %s", w.Code, code)
	case "Bundle":
		out := "list"
		if *b.Total != len(b.Entry) || w.Code != http.StatusOK {
			t.Errorf("status %d, %d entries of %d", w.Code, len(b.Entry), *b.Total)
		}
		for _, e := range b.Entry {
			out += fmt.Sprintf(" %s=%v", e.Resource.ID, e.Search.Score)
		}
		return out
	}
	var parts map[string]any
	_ = json.Unmarshal(w.Body.Bytes(), &parts)
	out := fmt.Sprintf("record %s %s %s", b.ID, b.Meta.Security[0].Code, w.Header().Get("ETag"))
	dead := parts["deceasedDateTime"] != nil || strings.Contains(w.Body.String(), "death notice")
	for _, has := range []struct {
		name string
		yes  bool
	}{
		{"dead", dead}, {"address", parts["address"] != nil}, {"contact", parts["telecom"] != nil},
		{"practice", parts["generalPractitioner"] != nil},
	} {
		if has.yes {
			out += " " + has.name
		}
	}
	return out
}

func TestQuestions(t *testing.T) {
	t.Parallel()
	s := service(t, Config{Open: true})
	for _, c := range cases(t, "questions.txt") {
		t.Run(c[0], func(t *testing.T) {
			w := get(s, encoded(c[1]))
			if got := told(t, w); got != c[2] {
				t.Errorf("got %s\nwant %s", got, c[2])
			}
			if got := w.Header().Get("Content-Type"); got != "application/fhir+json" {
				t.Errorf("content type %s", got)
			}
			if got := w.Header().Get("X-Request-ID"); got != someID {
				t.Errorf("the request id comes back as %q", got)
			}
		})
	}
}

// inProcess is a connection to a service without a network.
type inProcess struct{ s http.Handler }

func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	p.s.ServeHTTP(w, r)
	return w.Result(), nil
}

func client(t testing.TB, s http.Handler) *pds.Client {
	t.Helper()
	c, err := pds.New(pds.Config{
		Address: "https://pds.invalid", Rate: 1e6, Transport: inProcess{s},
		Token: func(context.Context) (string, error) { return "secret", nil },
		Wait:  func(context.Context, time.Duration) error { return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// query makes the client's question of a case; ok is false where the client has
// no way to ask such a thing.
func query(values url.Values) (q pds.Query, ok bool) {
	for name, all := range values {
		repeats := name == "given" || name == "birthdate"
		if times[name] == 0 || len(all) > 1 && !repeats || all[0] == "" {
			return q, false
		}
	}
	date := func(text string) proof.Date {
		var d proof.Date
		fmt.Sscanf(text, "%d-%d-%d", &d.Year, &d.Month, &d.Day)
		return d
	}
	span := func(texts []string) (s pds.Span) {
		for _, text := range texts {
			switch {
			case strings.HasPrefix(text, "ge"):
				s.From = date(text[2:])
			case strings.HasPrefix(text, "le"):
				s.To = date(text[2:])
			default:
				s.From = date(strings.TrimPrefix(text, "eq"))
				s.To = s.From
			}
			ok = ok && len(strings.TrimLeft(text, "gleq")) == 10
		}
		return s
	}
	ok = true
	is := func(name string) bool { ok = ok && values.Get(name) != "yes"; return values.Get(name) == "true" }
	q = pds.Query{
		Family: values.Get("family"), Given: values["given"], Gender: values.Get("gender"),
		Birth: span(values["birthdate"]), Death: span(values["death-date"]),
		Postcode: values.Get("address-postcode") + values.Get("address-postalcode"),
		Practice: values.Get("general-practitioner"), Email: values.Get("email"), Phone: values.Get("phone"),
		Fuzzy: is("_fuzzy-match"), Exact: is("_exact-match"), History: is("_history"),
	}
	q.Max, _ = strconv.Atoi(values.Get("_max-results"))
	both := values.Get("address-postcode") != "" && values.Get("address-postalcode") != ""
	return q, ok && !both && (len(values["birthdate"]) < 2 || q.Birth.From != q.Birth.To) && len(values["birthdate"]) < 3 && values.Get("_max-results") != "0"
}

// TestQuestionsByClient puts the same questions through the client.
func TestQuestionsByClient(t *testing.T) {
	t.Parallel()
	c := client(t, service(t, Config{Token: "secret"}))
	asked := 0
	for _, line := range cases(t, "questions.txt") {
		path, raw, _ := strings.Cut(line[1], "?")
		values, err := url.ParseQuery(raw)
		number, one := strings.CutPrefix(path, "/Patient/")
		q, can := query(values)
		if err != nil || one && raw != "" || !can || path == "/Patient" && raw == "" {
			continue
		}
		asked++
		t.Run(line[0], func(t *testing.T) {
			if one {
				p, err := c.Retrieve(t.Context(), nhs.Number(number))
				checkRecord(t, p, err, line[2])
				return
			}
			found, err := c.Search(t.Context(), q)
			checkFound(t, found, err, line[2])
		})
	}
	if asked < 70 {
		t.Errorf("only %d questions were put", asked)
	}
}

// checkFault holds an error to an answer such as "400 MISSING_VALUE".
func checkFault(t *testing.T, err error, want string) {
	t.Helper()
	f, ok := errors.AsType[*pds.Fault](err)
	if !ok {
		t.Fatalf("got %v, want %s", err, want)
	}
	kinds := map[int]pds.Kind{400: pds.Input, 404: pds.NotFound}
	kind := kinds[f.Status]
	if f.Code == "INVALIDATED_RESOURCE" {
		kind = pds.Invalidated
	}
	if got := fmt.Sprintf("%d %s", f.Status, f.Code); f.Status != 0 && (got != want || f.Kind != kind) {
		t.Errorf("got %s (%s), want %s (%s)", got, f.Kind, want, kind)
	}
	if f.Status == 0 && f.Kind != pds.Input {
		t.Errorf("got %v", err)
	}
}

func checkRecord(t *testing.T, p pds.Patient, err error, want string) {
	t.Helper()
	if !strings.HasPrefix(want, "record ") {
		checkFault(t, err, want)
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	mark := map[bool]string{true: "R", false: "U"}[p.Restricted]
	got := fmt.Sprintf("record %s %s %s", p.Number, mark, p.ETag)
	if p.Deceased {
		got += " dead"
	}
	if len(p.Postcodes) > 0 {
		got += " address"
	}
	if p.Practice != "" {
		got += " practice"
	}
	if want = strings.Replace(want, " contact", "", 1); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func checkFound(t *testing.T, f pds.Found, err error, want string) {
	t.Helper()
	if want != "many" && !strings.HasPrefix(want, "list") {
		checkFault(t, err, want)
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	got := "list"
	for _, h := range f.Hits {
		got += fmt.Sprintf(" %s=%v", h.Patient.Number, h.Score)
	}
	if f.Many && len(f.Hits) == 0 {
		got = "many"
	}
	if got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	record := map[int]nhs.Record{0: nhs.NoMatch, 1: nhs.OnePartial}[len(f.Hits)]
	switch {
	case want == "many" || len(f.Hits) > 1:
		record = nhs.Many
	case strings.HasSuffix(want, "=1"):
		record = nhs.OneExact
	}
	if f.Record() != record {
		t.Errorf("it comes to %s, want %s", f.Record(), record)
	}
}

// TestBehaviour asks fuzzily, as an application that gets one record at most,
// by the client.
func TestBehaviour(t *testing.T) {
	t.Parallel()
	c := client(t, service(t, Config{Application: true}))
	for _, line := range cases(t, "behaviour.txt") {
		t.Run(line[0], func(t *testing.T) {
			values, err := url.ParseQuery(line[1])
			if err != nil {
				t.Fatal(err)
			}
			q, _ := query(values)
			q.Fuzzy = true
			found, err := c.Search(t.Context(), q)
			if err != nil || found.Many {
				t.Fatalf("many %t, %v", found.Many, err)
			}
			var got []string
			for _, h := range found.Hits {
				got = append(got, string(h.Patient.Number))
			}
			if strings.Join(got, " ") != line[2] {
				t.Errorf("got %v, want %s", got, line[2])
			}
		})
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	const path = "/Patient/9000000009"
	for name, c := range map[string]struct {
		header []string
		want   string
	}{
		"all":                    {[]string{"Authorization", "Bearer secret"}, "record"},
		"correlation-and-site":   {[]string{"Authorization", "Bearer secret", "X-Correlation-ID", someID, "NHSD-End-User-Organisation-ODS", "FWC87"}, "record"},
		"no-request-id":          {[]string{"Authorization", "Bearer secret", "X-Request-ID", ""}, "400 MISSING_VALUE"},
		"request-id-no-uuid":     {[]string{"Authorization", "Bearer secret", "X-Request-ID", "1234"}, "400 INVALID_VALUE"},
		"no-authorization":       {nil, "401 ACCESS_DENIED"},
		"no-token":               {[]string{"Authorization", "Bearer "}, "401 ACCESS_DENIED"},
		"no-bearer":              {[]string{"Authorization", "Basic c2VjcmV0"}, "401 ACCESS_DENIED"},
		"another-token":          {[]string{"Authorization", "Bearer other"}, "401 ACCESS_DENIED"},
		"correlation-id-no-uuid": {[]string{"Authorization", "Bearer secret", "X-Correlation-ID", "visit-7"}, "400 INVALID_VALUE"},
		"site-no-code":           {[]string{"Authorization", "Bearer secret", "NHSD-End-User-Organisation-ODS", "a pharmacy"}, "400 INVALID_VALUE"},
	} {
		t.Run(name, func(t *testing.T) {
			got := told(t, get(service(t, Config{Token: "secret"}), path, c.header...))
			if !strings.HasPrefix(got, c.want) {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// TestRequestIDAgain: the same question may come again under its id, another one
// may not.
func TestRequestIDAgain(t *testing.T) {
	t.Parallel()
	s := service(t, Config{})
	ask := func(path string) string { return told(t, get(s, path, "Authorization", "Bearer x")) }
	for _, path := range []string{"/Patient/9000000009", "/Patient/9000000009"} {
		if got := ask(path); !strings.HasPrefix(got, "record") {
			t.Fatalf("got %s", got)
		}
	}
	if got := ask("/Patient/9000000033"); got != "400 INVALID_VALUE" {
		t.Errorf("another question under the same id: %s", got)
	}
}

func TestApplication(t *testing.T) {
	t.Parallel()
	s := service(t, Config{Open: true, Application: true})
	for question, want := range map[string]string{
		"/Patient?family=YOUDS&birthdate=1970-01-24":                  "many",
		"/Patient?family=Massam&birthdate=1920-08-11":                 "list 9693632966=1",
		"/Patient?family=Massam&birthdate=1920-08-11&_max-results=1":  "list 9693632966=1",
		"/Patient?family=Massam&birthdate=1920-08-11&_max-results=2":  "403 INVALID_VALUE",
		"/Patient?family=Massam&birthdate=1920-08-11&_max-results=99": "400 INVALID_VALUE",
	} {
		if got := told(t, get(s, question)); got != want {
			t.Errorf("%s: got %s, want %s", question, got, want)
		}
	}
}

func TestRate(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	s := service(t, Config{Open: true, Rate: 5, Now: func() time.Time { return now }})
	for i := range 5 {
		if w := get(s, "/Patient/9000000009"); w.Code != http.StatusOK {
			t.Fatalf("request %d: %d", i+1, w.Code)
		}
	}
	w := get(s, "/Patient/9000000009")
	if got := told(t, w); got != "429 TOO_MANY_REQUESTS" || w.Header().Get("Retry-After") != "1" {
		t.Errorf("the sixth: %s, retry after %q", got, w.Header().Get("Retry-After"))
	}
	now = now.Add(time.Second)
	if w := get(s, "/Patient/9000000009"); w.Code != http.StatusOK {
		t.Errorf("a second later: %d", w.Code)
	}
}

func TestTrouble(t *testing.T) {
	t.Parallel()
	s := service(t, Config{Open: true})
	s.Set(Trouble{Status: 503, Times: 2})
	for _, want := range []int{503, 503, 200} {
		if w := get(s, "/Patient/9000000009"); w.Code != want {
			t.Errorf("got %d, want %d", w.Code, want)
		}
	}
	s.Set(Trouble{Status: 429, RetryAfter: 7 * time.Second})
	for range 3 {
		w := get(s, "/Patient/9000000009")
		if got := told(t, w); got != "429 TOO_MANY_REQUESTS" || w.Header().Get("Retry-After") != "7" {
			t.Errorf("got %s, retry after %q", got, w.Header().Get("Retry-After"))
		}
	}
	s.Set(Trouble{Status: 408})
	if got := told(t, get(s, "/Patient/9000000009")); got != "408 UNABLE_TO_CALL_SERVICE" {
		t.Errorf("got %s", got)
	}
	s.Set(Trouble{})
	if w := get(s, "/Patient/9000000009"); w.Code != http.StatusOK {
		t.Errorf("after the trouble: %d", w.Code)
	}
}

// TestSlow: a slow answer comes in the end, and a client that goes away is not
// waited for.
func TestSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := service(t, Config{Open: true})
		s.Set(Trouble{Delay: time.Minute})
		begun := time.Now()
		if w := get(s, "/Patient/9000000009"); w.Code != http.StatusOK || time.Since(begun) != time.Minute {
			t.Errorf("status %d after %v", w.Code, time.Since(begun))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/Patient/9000000009", nil)
		begun = time.Now()
		s.ServeHTTP(httptest.NewRecorder(), r)
		if time.Since(begun) != time.Second {
			t.Errorf("it waited %v", time.Since(begun))
		}
	})
}

func TestOtherPaths(t *testing.T) {
	t.Parallel()
	s := service(t, Config{Open: true})
	for _, path := range []string{"/", "/patient", "/Patients", "/FHIR/R4/Patient"} {
		if w := get(s, path); w.Code != http.StatusNotFound || strings.Contains(w.Body.String(), "RESOURCE_NOT_FOUND") {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	r := httptest.NewRequest(http.MethodPost, "/Patient", nil)
	r.Header.Set("X-Request-ID", someID)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if got := told(t, w); got != "405 INVALID_METHOD" {
		t.Errorf("a POST: %s", got)
	}
}

// TestHidden: what must not be told is in no answer.
func TestHidden(t *testing.T) {
	t.Parallel()
	s := service(t, Config{Open: true})
	for question, secrets := range map[string][]string{
		"/Patient/9991000852":                                                     {"QY5", "01632960102", "Q99002"},
		"/Patient?family=Wrayburn&birthdate=1983-06-30":                           {"QY5", "01632960102", "Q99002"},
		"/Patient?family=Birtwhistle&birthdate=1986-10-10&_history=true":          {"Birtwhistle", "QZ2"},
		"/Patient/9991001417":                                                     {"Birtwhistle", "QZ2"},
		"/Patient?family=Smith&birthdate=2010-10-22&email=jane.smith@example.com": {`"temp"`},
	} {
		body := get(s, question).Body.String()
		if !strings.Contains(body, `"Patient"`) {
			t.Errorf("%s finds nobody", question)
		}
		for _, secret := range secrets {
			if strings.Contains(body, secret) {
				t.Errorf("%s tells %s", question, secret)
			}
		}
	}
}

func TestTables(t *testing.T) {
	t.Parallel()
	good := Patient{Number: "9991000011", Names: []Name{{Family: "Quillfeather"}}, Birth: "1941-10-24"}
	change := func(f func(*Patient)) []Patient { p := good; f(&p); return []Patient{p} }
	for name, rows := range map[string][]Patient{
		"number/short":       change(func(p *Patient) { p.Number = "999100001" }),
		"number/letters":     change(func(p *Patient) { p.Number = "99910000I1" }),
		"number/twice":       {good, good},
		"birth/no-date":      change(func(p *Patient) { p.Birth = "1941-10" }),
		"gender/unknown":     change(func(p *Patient) { p.Gender = "f" }),
		"notice/unknown":     change(func(p *Patient) { p.DeathNotice = "3" }),
		"use/unknown":        change(func(p *Patient) { p.Names = []Name{{Use: "maiden"}} }),
		"address/unknown":    change(func(p *Patient) { p.Addresses = []Address{{Use: "work"}} }),
		"contact/unknown":    change(func(p *Patient) { p.Contacts = []Contact{{System: "fax"}} }),
		"certainty/too-high": change(func(p *Patient) { p.Certainty = 2 }),
		"replaced/by-nobody": change(func(p *Patient) { p.ReplacedBy = "9991000089" }),
		"replaced/by-itself": change(func(p *Patient) { p.ReplacedBy = p.Number }),
	} {
		if _, err := New(Config{Patients: rows}); !errors.Is(err, errTable) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := New(Config{Patients: []Patient{good}}); err != nil {
		t.Errorf("a good table: %v", err)
	}
}

// TestOwnTable: a service with a table of its own knows nobody else.
func TestOwnTable(t *testing.T) {
	t.Parallel()
	s := service(t, Config{Open: true, Patients: []Patient{}})
	if got := told(t, get(s, "/Patient/9000000009")); got != "404 RESOURCE_NOT_FOUND" {
		t.Errorf("got %s", got)
	}
}

func TestGlob(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"SMITH", "SMITH", true}, {"SMITH", "SMITHE", false}, {"SM*", "SMITH", true}, {"SM*", "SM", true}, {"SM*", "S", false},
		{"SM*TH", "SMITH", true}, {"SM*TH", "SMTH", true}, {"SM*TH", "SMT", false}, {"SM*T*H", "SMITH", true}, {"SM*X*H", "SMITH", false},
		{"SMI*MITH", "SMITH", false},
	} {
		if got := glob(c.pattern, c.text); got != c.want {
			t.Errorf("%s and %s: got %t, want %t", c.pattern, c.text, got, c.want)
		}
	}
}

// FuzzQuestion: whatever is asked, the answer is one of the service's own, and a
// question that is not allowed finds nobody.
func FuzzQuestion(f *testing.F) {
	for _, c := range cases(f, "questions.txt") {
		if _, raw, found := strings.Cut(encoded(c[1]), "?"); found {
			f.Add(raw)
		}
	}
	s := service(f, Config{Open: true})
	f.Fuzz(func(t *testing.T, raw string) {
		r := httptest.NewRequest(http.MethodGet, "/Patient", nil)
		r.URL.RawQuery = raw
		r.Header.Set("X-Request-ID", someID)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		values, _ := url.ParseQuery(raw)
		got := told(t, w)
		if strings.HasPrefix(got, "list ") && len(values["birthdate"]) == 0 {
			t.Fatalf("%q finds people without a birth date: %s", raw, got)
		}
		if w.Code != http.StatusOK && w.Code != http.StatusBadRequest {
			t.Fatalf("%q: status %d", raw, w.Code)
		}
	})
}

package pds_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/nhs"
	"github.com/counterproof/counterproof/agent/nhs/pds"
	"github.com/counterproof/counterproof/agent/nhs/pdssim"
	"github.com/counterproof/counterproof/agent/proof"
)

// line is a connection to a simulated service without a network; it remembers
// what went over it.
type line struct {
	service *pdssim.Service
	seen    []*http.Request
}

func (l *line) RoundTrip(r *http.Request) (*http.Response, error) {
	l.seen = append(l.seen, r)
	w := httptest.NewRecorder()
	l.service.ServeHTTP(w, r)
	return w.Result(), nil
}

// open makes a client of a strict service in application mode, and its line.
func open(t *testing.T) (*pds.Client, *line) {
	t.Helper()
	s, err := pdssim.New(pdssim.Config{Application: true, Token: "secret", Rate: -1})
	if err != nil {
		t.Fatal(err)
	}
	l := &line{service: s}
	c, err := pds.New(pds.Config{
		Address: "https://pds.invalid", Transport: l, Site: "FWC87",
		Token: func(context.Context) (string, error) { return "secret", nil },
		Wait:  func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	})
	if err != nil {
		t.Fatal(err)
	}
	return c, l
}

// claim reads a claim: surname; given; birth; postcode; room in the zone.
func claim(text string) pds.Claim {
	f := append(strings.Split(text, ";"), "", "")
	for i := range f {
		f[i] = strings.TrimSpace(f[i])
		if s, err := strconv.Unquote(f[i]); err == nil {
			f[i] = s
		}
	}
	c := pds.Claim{Postcode: f[3], Person: proof.Person{Surname: proof.Name{Printed: f[0]}, Given: proof.Name{Printed: f[1]}}}
	if f[4] != "" {
		c.Zone, _ = strconv.Atoi(f[4])
		c.Person.Surname, c.Person.Given = proof.NewName(f[0]), proof.NewName(f[1])
	}
	for i, part := range strings.Split(f[2], "-") {
		n, _ := strconv.Atoi(part)
		*[]*int{&c.Person.Birth.Year, &c.Person.Birth.Month, &c.Person.Birth.Day}[i] = n
	}
	return c
}

// told writes a result as the cases do.
func told(r pds.Result) (tries, record string) {
	var steps []string
	for _, s := range r.Tries {
		steps = append(steps, string(s.Try)+":"+s.Outcome)
	}
	words := []string{string(r.Record)}
	if r.Patient.Number != "" {
		words = append(words, string(r.Patient.Number))
	}
	for _, is := range []struct {
		name string
		yes  bool
	}{
		{"restricted", r.Restricted}, {"deceased", r.Deceased}, {"invalidated", r.Invalidated}, {"superseded", r.Superseded},
		{"other", r.OtherNumber}, {"odd", r.Odd},
	} {
		if is.yes {
			words = append(words, is.name)
		}
	}
	return strings.Join(steps, " "), strings.Join(words, " ")
}

func TestMatch(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/matches.txt")
	if err != nil {
		t.Fatal(err)
	}
	for row := range strings.Lines(string(text)) {
		if row = strings.TrimSpace(row); row == "" || row[0] == '#' {
			continue
		}
		f := strings.Split(row, "|")
		t.Run(strings.TrimSpace(f[0]), func(t *testing.T) {
			c, l := open(t)
			asked := claim(f[1])
			asked.Number = nhs.Number(strings.TrimSpace(f[2]))
			r, err := c.Match(t.Context(), asked)
			if err != nil {
				t.Fatal(err)
			}
			tries, record := told(r)
			if want := strings.TrimSpace(f[3]); tries != want {
				t.Errorf("tried %s\nwant  %s", tries, want)
			}
			if want := strings.TrimSpace(f[4]); record != want {
				t.Errorf("got  %s\nwant %s", record, want)
			}
			if len(l.seen) != len(r.Tries) || len(l.seen) > 3 {
				t.Errorf("%d requests for %d tries", len(l.seen), len(r.Tries))
			}
			hasPatient := slices.Contains([]nhs.Record{nhs.OneExact, nhs.OnePartial}, r.Record)
			if hasPatient != (r.Patient.Number != "") && r.Record != nhs.Stopped {
				t.Errorf("record %s with the patient %q", r.Record, r.Patient.Number)
			}
			if r.Record == nhs.OneExact && r.Comparison.Verdict() != pds.Equal {
				t.Error("exact, and the details are not equal")
			}
		})
	}
}

// TestVersion: a record that came by its number tells its version.
func TestVersion(t *testing.T) {
	t.Parallel()
	c, _ := open(t)
	asked := claim("Quillfeather; Marlow; 1941-10-24; QX15 8JY")
	asked.Number = "9991000011"
	r, err := c.Match(t.Context(), asked)
	if err != nil || r.Patient.ETag != `W/"3"` || r.Patient.Practice != "Q99001" {
		t.Errorf("version %s, practice %s, %v", r.Patient.ETag, r.Patient.Practice, err)
	}
	asked.Number = ""
	if r, err = c.Match(t.Context(), asked); err != nil || r.Score != 1 || r.Record != nhs.OneExact {
		t.Errorf("score %v, %s, %v", r.Score, r.Record, err)
	}
}

const trace = "6c1f6a3e-95b5-4c1b-8a0e-0d6f5f1f8f11"

// TestTrace: a repetition sends the same ids, so that the service knows it, and
// every try has its own.
func TestTrace(t *testing.T) {
	t.Parallel()
	c, l := open(t)
	asked := claim("Wrayburn; Isolde; 1983-06-30; QY5 4RB")
	asked.Trace, asked.Site = trace, "A20047"
	ids := func() (all []string) {
		for _, r := range l.seen {
			all = append(all, r.Header.Get("X-Request-ID"))
			if got := r.Header.Get("X-Correlation-ID"); got != trace {
				t.Errorf("X-Correlation-ID %q", got)
			}
			if got := r.Header.Get("NHSD-End-User-Organisation-ODS"); got != "A20047" {
				t.Errorf("asked for %q", got)
			}
		}
		l.seen = nil
		return all
	}
	if _, err := c.Match(t.Context(), asked); err != nil {
		t.Fatal(err)
	}
	first := ids()
	if _, err := c.Match(t.Context(), asked); err != nil {
		t.Fatal(err)
	}
	if again := ids(); !slices.Equal(first, again) || len(first) != 3 {
		t.Errorf("first %v, then %v", first, again)
	}
	if slices.Sort(first); len(slices.Compact(first)) != 3 {
		t.Error("two tries have one id")
	}
	asked.Trace = "visit-7"
	if _, err := c.Match(t.Context(), asked); pds.KindOf(err) != pds.Input || len(l.seen) != 0 {
		t.Errorf("a trace that is no UUID: %v", err)
	}
	asked.Trace, asked.Site = "", ""
	if _, err := c.Match(t.Context(), asked); err != nil || l.seen[0].Header.Get("X-Correlation-ID") == "" {
		t.Errorf("a trace of its own: %v", err)
	}
}

// TestLater: a service in trouble leaves the question open, whichever try it is,
// and it can be asked again.
func TestLater(t *testing.T) {
	t.Parallel()
	for name, trouble := range map[string]pdssim.Trouble{
		"down": {Status: 503}, "late": {Status: 408}, "busy": {Status: 429, RetryAfter: time.Minute}, "bad-gateway": {Status: 502},
	} {
		c, l := open(t)
		asked := claim("Wrayburn; Isolde; 1983-06-30; QY5 4RB")
		l.service.Set(trouble)
		r, err := c.Match(t.Context(), asked)
		f, _ := errors.AsType[*pds.Fault](err)
		if f == nil || f.Kind != pds.Later || f.Status != trouble.Status || f.After != trouble.RetryAfter || r.Record != nhs.NotAsked {
			t.Errorf("%s: %s, %v", name, r.Record, err)
		}
		if tries, _ := told(r); tries != "details:later" {
			t.Errorf("%s: tried %s", name, tries)
		}
	}
	c, l := open(t)
	l.service.Set(pdssim.Trouble{Status: 503, Times: 2})
	r, err := c.Match(t.Context(), claim("Thackwray; Annabel; 1979-11-03;"))
	if err != nil || r.Record != nhs.OneExact || len(l.seen) != 3 {
		t.Errorf("twice down: %s after %d requests, %v", r.Record, len(l.seen), err)
	}
}

// TestNotForgiven: a client that is refused does not take that for "no record".
func TestNotForgiven(t *testing.T) {
	t.Parallel()
	s, err := pdssim.New(pdssim.Config{Token: "another", Rate: -1})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		handler http.Handler
		kind    pds.Kind
	}{
		"token":   {s, pds.Refused},
		"address": {http.StripPrefix("/nowhere", s), pds.Unreadable},
		"page":    {http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("<html>")) }), pds.Unreadable},
	} {
		server := httptest.NewServer(c.handler)
		defer server.Close()
		client, err := pds.New(pds.Config{Address: server.URL, Token: func(context.Context) (string, error) { return "secret", nil }})
		if err != nil {
			t.Fatal(err)
		}
		asked := claim("Thackwray; Annabel; 1979-11-03; QY11 6AD")
		asked.Number = "9991000437"
		r, err := client.Match(t.Context(), asked)
		if pds.KindOf(err) != c.kind || r.Record != nhs.NotAsked {
			t.Errorf("%s: %s, %v", name, r.Record, err)
		}
	}
}

// TestAnotherBirthDate: a service that answers with somebody of another birth
// date has found nobody, whatever score it gives.
func TestAnotherBirthDate(t *testing.T) {
	t.Parallel()
	body := `{"resourceType":"Bundle","total":1,"entry":[{"search":{"score":1},"resource":{"resourceType":"Patient","id":"9991000437",` +
		`"meta":{"security":[{"code":"U"}]},"name":[{"family":"Thackwray","given":["Annabel"]}],"birthDate":"1979-11-04"}}]}`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(body)) }))
	defer server.Close()
	c, err := pds.New(pds.Config{Address: server.URL, Rate: 1000})
	if err != nil {
		t.Fatal(err)
	}
	r, err := c.Match(t.Context(), claim("Thackwray; Annabel; 1979-11-03;"))
	if tries, record := told(r); err != nil || record != "none" || tries != "details:different recipe:different" {
		t.Errorf("%s, %s, %v", record, tries, err)
	}
}

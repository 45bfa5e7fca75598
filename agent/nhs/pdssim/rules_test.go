package pdssim

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/nhs"
	"github.com/counterproof/counterproof/agent/nhs/pds"
	"github.com/counterproof/counterproof/agent/proof"
	"pgregory.net/rapid"
)

// TestEverybodyIsFound matches every row by what it says of itself, as an
// application does: nobody of the table is out of reach, and nobody is found who
// must not be.
func TestEverybodyIsFound(t *testing.T) {
	t.Parallel()
	rows, err := Patients()
	if err != nil {
		t.Fatal(err)
	}
	s := service(t, Config{Application: true})
	c := client(t, s)
	counts := map[nhs.Record]int{}
	for _, p := range rows {
		if len(p.Names) == 0 {
			continue
		}
		var claim pds.Claim
		claim.Person.Surname, claim.Person.Given = proof.Name{Printed: p.Names[0].Family}, proof.Name{Printed: strings.Join(p.Names[0].Given, " ")}
		fmt.Sscanf(p.Birth, "%d-%d-%d", &claim.Person.Birth.Year, &claim.Person.Birth.Month, &claim.Person.Birth.Day)
		claim.Number = nhs.Number(p.Number)
		r, err := c.Match(t.Context(), claim)
		if err != nil && p.Number != "9000000015" {
			t.Fatalf("%s: %v", p.Number, err)
		}
		want := nhs.OneExact
		switch {
		case p.Number == "9000000015": // its check digit is wrong: the number is refused
			want = nhs.NotAsked
		case p.Restricted || p.Death != "" || p.DeathNotice == "1" || p.DeathNotice == "2" || p.Invalidated && p.ReplacedBy == "":
			want = nhs.Stopped
		case p.ReplacedBy != "" && !strings.EqualFold(string(p.Names[0].Family), "cuff"):
			want = nhs.OnePartial // its successor goes by another name
		}
		if r.Record != want {
			t.Errorf("%s: %s, want %s", p.Number, r.Record, want)
		}
		counts[r.Record]++
	}
	for _, some := range []nhs.Record{nhs.OneExact, nhs.OnePartial, nhs.Stopped} {
		if counts[some] == 0 {
			t.Errorf("nobody of the table is %s", some)
		}
	}
}

// oracle says which rows a plain search finds, by another way: regular
// expressions over texts. It knows names, birth date, gender and postcode.
func oracle(rows []Patient, q url.Values) []string {
	expression := func(pattern string) *regexp.Regexp {
		parts := strings.Split(pattern, "*")
		for i, p := range parts {
			parts[i] = regexp.QuoteMeta(strings.ToUpper(strings.ReplaceAll(p, " ", "")))
		}
		return regexp.MustCompile("^" + strings.Join(parts, ".*") + "$")
	}
	upper := func(s string) string { return strings.ToUpper(strings.ReplaceAll(s, " ", "")) }
	var out []string
	for _, p := range rows {
		named := slices.ContainsFunc(p.Names, func(n Name) bool {
			if n.Former || !expression(q.Get("family")).MatchString(upper(n.Family)) {
				return false
			}
			given := q.Get("given")
			if strings.Contains(given, "*") {
				return len(n.Given) > 0 && expression(given).MatchString(upper(n.Given[0]))
			}
			return given == "" || slices.ContainsFunc(n.Given, func(g string) bool { return upper(g) == upper(given) })
		})
		placed := q.Get("address-postalcode") == "" || slices.ContainsFunc(p.Addresses, func(a Address) bool {
			return !a.Former && expression(q.Get("address-postalcode")).MatchString(upper(a.Postcode))
		})
		if named && placed && p.Birth == q.Get("birthdate") && (q.Get("gender") == "" || q.Get("gender") == p.Gender) &&
			!p.Invalidated && p.ReplacedBy == "" && !(p.Restricted && q.Get("address-postalcode") != "") {
			out = append(out, p.Number)
		}
	}
	slices.Sort(out)
	return out
}

// TestAgainstOracle puts questions about people of the table, more or less whole
// and with wildcards, to the service and to the oracle.
func TestAgainstOracle(t *testing.T) {
	t.Parallel()
	all, err := Patients()
	if err != nil {
		t.Fatal(err)
	}
	// The oracle folds no accents and follows no replacement.
	rows := slices.DeleteFunc(all, func(p Patient) bool {
		text, _ := json.Marshal(p.Names)
		return p.Birth == "" || p.ReplacedBy != "" || strings.ContainsAny(string(text), "åèéóöü'-")
	})
	s := service(t, Config{Open: true, Patients: rows})
	found := 0
	rapid.Check(t, func(rt *rapid.T) {
		p := rapid.SampledFrom(rows).Draw(rt, "row")
		other := rapid.SampledFrom(rows).Draw(rt, "other")
		part := func(text, name string) string {
			n := rapid.IntRange(2, 30).Draw(rt, name)
			if n >= len(text) || strings.HasSuffix(text[:n], " ") {
				return text
			}
			return text[:n] + "*"
		}
		maybe := func(name string) bool { return rapid.Bool().Draw(rt, name) }
		q := url.Values{"family": {part(p.Names[0].Family, "family")}, "birthdate": {p.Birth}}
		if maybe("with given") && len(p.Names[0].Given) > 0 {
			q.Set("given", part(p.Names[0].Given[0], "given"))
		}
		if maybe("with gender") && p.Gender != "" {
			q.Set("gender", p.Gender)
		}
		if maybe("with postcode") && len(p.Addresses) > 0 {
			q.Set("address-postalcode", part(p.Addresses[0].Postcode, "postcode"))
		}
		if rapid.IntRange(0, 4).Draw(rt, "of another") == 0 {
			q.Set("birthdate", other.Birth)
		}
		want := oracle(rows, q)
		got := strings.Fields(told(t, get(s, "/Patient?"+q.Encode())))
		if len(got) == 0 || got[0] != "list" {
			rt.Fatalf("%v gives %v", q, got)
		}
		var numbers []string
		for _, hit := range got[1:] {
			number, score, _ := strings.Cut(hit, "=")
			numbers = append(numbers, number)
			whole := !strings.Contains(q.Encode(), "%2A") && !strings.Contains(q.Get("given"), " ")
			if (score == "1") != whole {
				rt.Fatalf("%v finds %s with %s", q, number, score)
			}
		}
		slices.Sort(numbers)
		if !slices.Equal(numbers, want) {
			rt.Fatalf("%v finds %v, want %v", q, numbers, want)
		}
		found += len(want)
	})
	if found == 0 {
		t.Error("nobody was found at all")
	}
}

// TestOrder: best first, the same score by number.
func TestOrder(t *testing.T) {
	t.Parallel()
	s := service(t, Config{Open: true})
	for _, c := range cases(t, "questions.txt") {
		words := strings.Fields(told(t, get(s, encoded(c[1]))))
		if words[0] != "list" {
			continue
		}
		if !slices.IsSortedFunc(words[1:], func(a, b string) int {
			var x, y struct {
				number string
				score  float64
			}
			x.number, y.number = a[:10], b[:10]
			fmt.Sscan(a[11:], &x.score)
			fmt.Sscan(b[11:], &y.score)
			return cmp.Or(cmp.Compare(y.score, x.score), cmp.Compare(x.number, y.number))
		}) {
			t.Errorf("%s: %v", c[0], words[1:])
		}
	}
}

func TestNearFamily(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		asked, held string
		want        float64
	}{
		{"SMITH", "SMITH", 1}, {"SMITH", "SMYTHE", sameSound}, {"SMITH", "JONES", 0}, {"", "SMITH", 0}, {"SMITH", "", 0},
		{"ATTSON", "ATTISON", sameSound}, {"SMITH", "TMITH", 0},
	} {
		if got := nearFamily(c.asked, c.held); got != c.want {
			t.Errorf("%s and %s: %v, want %v", c.asked, c.held, got, c.want)
		}
	}
}

func TestNearGivens(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		asked, held string
		want        float64
	}{
		{"JANE", "JANE", 1},
		{"JANE", "JAYNE", nearGiven},
		{"J", "JANE", nearGiven},
		{"JANE", "J", nearGiven},
		{"MAT", "MATTHIAS", nearGiven},
		{"MA", "MATTHIAS", 0},
		{"JANE", "JANE ANNE", moreGiven},
		{"ANNE", "JANE ANNE", laterGiven},
		{"MAT", "SAM MATT", laterGiven * nearGiven},
		{"JANE ANNE", "JANE ANNE", 1},
		{"JANE RUTH", "JANE ANNE", otherGiven},
		{"JANE ANNE", "JANE", otherGiven},
		{"ANNE MARIE", "ANNEMARIE", 1},
		{"ANNE JANE", "JANE ANNE", laterGiven},
		{"RUTH", "JANE ANNE", 0},
		{"", "JANE", 0},
		{"JANE", "", 0},
	} {
		got := nearGivens(strings.Fields(c.asked), strings.Fields(c.held))
		if math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%s and %s: %v, want %v", c.asked, c.held, got, c.want)
		}
	}
}

func TestNearPostcode(t *testing.T) {
	t.Parallel()
	r := row{Patient: Patient{Addresses: []Address{{Postcode: "QX15 8JY"}, {Postcode: "ZZ1 1ZZ", Former: true}}}}
	for asked, want := range map[string]float64{
		"": 1, "QX158JY": 1, "QX15258JY": nearPostcode, "QX188JY": nearPostcode, "QX1": farPostcode, "LS16AE": farPostcode, "ZZ11ZZ": 1,
	} {
		if got := r.nearPostcode(question{postcode: asked}); got != want {
			t.Errorf("%s: %v, want %v", asked, got, want)
		}
	}
	if got := (row{}).nearPostcode(question{postcode: "LS16AE"}); got != farPostcode {
		t.Errorf("no address: %v", got)
	}
}

func TestSpan(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		s    *span
		day  string
		want bool
	}{
		{nil, "", true}, {nil, "1990-01-02", true},
		{&span{"1990-01-02", "1990-01-02"}, "1990-01-02", true}, {&span{"1990-01-02", "1990-01-02"}, "1990-01-03", false},
		{&span{"1990-01-02", ""}, "2990-01-02", true}, {&span{"1990-01-02", ""}, "1990-01-01", false},
		{&span{"", "1990-01-02"}, "0001-01-01", true}, {&span{"", "1990-01-02"}, "1990-01-03", false},
		{&span{"", "1990-01-02"}, "", false}, {&span{"1991-01-01", "1990-01-01"}, "1990-06-01", false},
	} {
		if got := c.s.holds(c.day); got != c.want {
			t.Errorf("%+v and %s: %t", c.s, c.day, got)
		}
	}
}

// TestFaultsInOrder: of several faults the service names the one that it looks
// for first.
func TestFaultsInOrder(t *testing.T) {
	t.Parallel()
	s := service(t, Config{Open: true})
	for _, c := range [][2]string{
		{"?year=1&birthdate=x&family=S*", "ADDITIONAL_PROPERTIES"},
		{"?birthdate=x&gender=female", "INVALID_VALUE"},
		{"?death-date=x", "INVALID_VALUE"},
		{"?family=S*&gender=female", "MISSING_VALUE"},
		{"?birthdate=2010-10-22&given=J*", "INVALID_SEARCH_DATA"},
		{"?family=Smith&_fuzzy-match=true", "MISSING_VALUE"},
	} {
		if got := told(t, get(s, "/Patient"+c[0])); got != "400 "+c[1] {
			t.Errorf("%s: got %s, want %s", c[0], got, c[1])
		}
	}
}

// TestDiagnostics are worded as the service words them.
func TestDiagnostics(t *testing.T) {
	t.Parallel()
	s := service(t, Config{Open: true})
	for question, want := range map[string]string{
		"/Patient?email=j.smith@example.com&phone=0163":            "Missing value - 'birth_date/birth_date_range_start/birth_date_range_end'",
		"/Patient?family=Smith&birthdate=20101022":                 "Invalid value - '20101022' in field 'birthdate'",
		"/Patient?family=Smith&death-date=20101022":                "Invalid value - '20101022' in field 'death-date'",
		"/Patient?family=Smith&birthdate=2010-10-22&gender=mal":    "Invalid value - 'mal' in field 'gender'",
		"/Patient?family=Smith&birthdate=eq2010-10-22&year=2003":   "Invalid request with error - Additional properties are not allowed ('year' was unexpected)",
		"/Patient?manufacturer=Ford&model=focus":                   "Invalid request with error - Additional properties are not allowed ('manufacturer', 'model' were unexpected)",
		"/Patient?birthdate=eq2010-10-22":                          "Invalid search data provided - 'No searches were performed as the search criteria did not meet the minimum requirements'",
		"/Patient?family=A&birthdate=2010-10-22&_fuzzy-match=true": fuzzyCriteria,
	} {
		var o struct {
			Issue []struct{ Severity, Diagnostics string }
		}
		if err := json.Unmarshal(get(s, question).Body.Bytes(), &o); err != nil {
			t.Fatal(err)
		}
		if got := o.Issue[0]; got.Diagnostics != want || got.Severity != "error" {
			t.Errorf("%s: %s %q, want %q", question, got.Severity, got.Diagnostics, want)
		}
	}
	for code, words := range displays {
		if words[0] == "" || words[1] == "" {
			t.Errorf("%s has no words", code)
		}
	}
}

// TestResource: a record has what the service's profile says that it has.
func TestResource(t *testing.T) {
	t.Parallel()
	p := Patient{
		Number: "9991000011", Version: 3, Gender: "male", Birth: "1941-10-24", Death: "2024-01-02", DeathNotice: "1", Practice: "Q99001",
		Names:     []Name{{Family: "Quillfeather", Given: []string{"Marlow"}}, {Use: "nickname", Family: "Q"}, {Family: "Old", Former: true}},
		Addresses: []Address{{Line: []string{"1 Lane"}, Postcode: "QX15 8JY"}, {Use: "temp", Postcode: "QX1 1AA"}, {Postcode: "QX9 9ZZ", Former: true}},
		Contacts:  []Contact{{System: "phone", Value: "01632960101"}, {System: "email", Value: "old@example.com", Former: true}},
	}
	write := func(o object) string {
		text, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	has := func(text string, parts ...string) {
		t.Helper()
		for _, part := range parts {
			if !strings.Contains(text, part) {
				t.Errorf("%s is not in %s", part, text)
			}
		}
	}
	hasNot := func(text string, parts ...string) {
		t.Helper()
		for _, part := range parts {
			if strings.Contains(text, part) {
				t.Errorf("%s is in %s", part, text)
			}
		}
	}
	whole, found := write(resource(p, true)), write(resource(p, false))
	for _, text := range []string{whole, found} {
		has(text, `"id":"9991000011"`, `"value":"9991000011"`, `"code":"01"`, `"versionId":"3"`, `"code":"U"`, `"family":"Quillfeather"`, `"use":"nickname"`,
			`"birthDate":"1941-10-24"`, `"deceasedDateTime":"2024-01-02T00:00:00+00:00"`, `"code":"1"`, `"line":["1 Lane"]`, `"value":"01632960101"`, `"value":"Q99001"`)
		hasNot(text, "Old", "QX9", "old@")
	}
	has(whole, "QX1 1AA")
	hasNot(found, "QX1 1AA")
	p.Restricted = true
	hidden := write(resource(p, true))
	has(hidden, `"code":"R"`, "Quillfeather", "deceasedDateTime")
	hasNot(hidden, "QX", "01632960101", "Q99001", `"address"`, `"telecom"`, `"generalPractitioner"`)
}

// TestManyAtOnce: requests and troubles from all sides count exactly.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	s := service(t, Config{Open: true, Rate: 40, Now: func() time.Time { return now }})
	s.Set(Trouble{Status: 503, Times: 10})
	var wait sync.WaitGroup
	var mu sync.Mutex
	counts := map[int]int{}
	for range 100 {
		wait.Go(func() {
			w := get(s, "/Patient/9000000009")
			mu.Lock()
			defer mu.Unlock()
			counts[w.Code]++
		})
	}
	wait.Wait()
	if counts[503] != 10 || counts[200] != 40 || counts[429] != 50 {
		t.Errorf("statuses %v", counts)
	}
}

// TestMemoryOfIDs is bounded, and after it is full ids still count.
func TestMemoryOfIDs(t *testing.T) {
	t.Parallel()
	s := service(t, Config{})
	for i := range maxAsked + 10 {
		if !s.fresh(fmt.Sprint(i), "/Patient/9000000009") {
			t.Fatalf("id %d is not fresh", i)
		}
	}
	if len(s.asked) > maxAsked {
		t.Errorf("%d ids are remembered", len(s.asked))
	}
	if s.fresh(fmt.Sprint(maxAsked+9), "/Patient/9000000033") {
		t.Error("the last id may come with another question")
	}
}

// TestOverNetwork: the handler answers over a real connection too.
func TestOverNetwork(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(service(t, Config{Open: true}))
	defer server.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/Patient/9000000009", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Request-ID", someID)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK || resp.Header.Get("ETag") != `W/"2"` {
		t.Errorf("over a network: %d, version %s", resp.StatusCode, resp.Header.Get("ETag"))
	}
}

func BenchmarkSearch(b *testing.B) {
	s := service(b, Config{Open: true})
	for b.Loop() {
		get(s, "/Patient?family=Smythe&given=Mat&birthdate=ge2000-05-03&gender=male&address-postalcode=DN174AA&_fuzzy-match=true")
	}
}

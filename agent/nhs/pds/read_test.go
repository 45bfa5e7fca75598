package pds

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/counterproof/counterproof/agent/nhs"
)

// made is what was made of an answer, in the words of the case file.
func made(a answer, f *Fault) string {
	switch {
	case f != nil:
		return strings.TrimSpace(string(f.Kind) + " " + f.Code)
	case a.found != nil:
		out := "list"
		if a.found.Many {
			out = "many"
		}
		for _, h := range a.found.Hits {
			out += fmt.Sprintf(" %s=%v", h.Patient.Number, h.Score)
		}
		return out
	}
	p := *a.patient
	words := []string{"record", string(p.Number), p.Gender, p.Birth.String()}
	for _, n := range p.Names {
		words = append(words, n.Family)
	}
	words = append(append(words, p.Postcodes...), p.Practice)
	for _, is := range []struct {
		name string
		yes  bool
	}{
		{"restricted", p.Restricted}, {"invalidated", p.Invalidated}, {"deceased", p.Deceased}, {"unchecked", !p.Checked},
	} {
		if is.yes {
			words = append(words, is.name)
		}
	}
	return strings.Join(strings.Fields(strings.Join(words, " ")), " ")
}

func TestReadAnswer(t *testing.T) {
	t.Parallel()
	for _, c := range lines(t, "answers.txt") {
		t.Run(c[0], func(t *testing.T) {
			status, err := strconv.Atoi(c[1])
			if err != nil {
				t.Fatal(err)
			}
			a, f := readAnswer(status, `W/"2"`, []byte(c[2]))
			if got := made(a, f); got != c[3] {
				t.Errorf("got %s, want %s", got, c[3])
			}
			if f != nil && (f.Status != status || strings.Contains(f.Error(), "Smith") || strings.Contains(f.Error(), "9000000")) {
				t.Errorf("the error says %s", f)
			}
			if a.patient != nil && a.patient.ETag != `W/"2"` {
				t.Errorf("version %s", a.patient.ETag)
			}
			if a.patient != nil && a.patient.Stops() != (a.patient.Restricted || a.patient.Deceased || a.patient.Invalidated) {
				t.Error("what stops does not")
			}
		})
	}
}

// TestBounds: an answer that is larger than the service gives is no answer.
func TestBounds(t *testing.T) {
	t.Parallel()
	entry := `{"search":{"score":1},"resource":{"resourceType":"Patient","id":"9000000009"}}`
	many := func(n int) string {
		return fmt.Sprintf(`{"resourceType":"Bundle","total":%d,"entry":[%s]}`, n, strings.TrimSuffix(strings.Repeat(entry+",", n), ","))
	}
	long := strings.Repeat("a", maxText+1)
	record := func(fields string) string { return `{"resourceType":"Patient","id":"9000000009",` + fields + `}` }
	for name, c := range map[string]struct {
		body string
		good bool
	}{
		"fifty-records":   {many(maxHits), true},
		"fifty-one":       {many(maxHits + 1), false},
		"long-family":     {record(`"name":[{"family":"` + long + `"}]`), false},
		"long-given":      {record(`"name":[{"given":["` + long + `"]}]`), false},
		"many-names":      {record(`"name":[` + strings.Repeat(`{},`, maxParts) + `{}]`), false},
		"many-given":      {record(`"name":[{"given":[` + strings.Repeat(`"a",`, maxParts) + `"a"]}]`), false},
		"many-addresses":  {record(`"address":[` + strings.Repeat(`{},`, maxParts) + `{}]`), false},
		"long-gender":     {record(`"gender":"` + long + `"`), false},
		"long-postcode":   {record(`"address":[{"postalCode":"` + long + `"}]`), true},
		"deep-extensions": {record(`"extension":[` + strings.Repeat(`{"extension":[`, 900) + strings.Repeat(`]}`, 900) + `]`), true},
		"deeper":          {record(`"extension":[` + strings.Repeat(`{"extension":[`, 20000) + strings.Repeat(`]}`, 20000) + `]`), false},
	} {
		a, f := readAnswer(200, "", []byte(c.body))
		if (f == nil) != c.good {
			t.Errorf("%s: %v", name, f)
		}
		if a.patient != nil && len(a.patient.Postcodes) > 0 {
			t.Errorf("%s: the postcode is kept", name)
		}
	}
}

func TestFoundRecord(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		found Found
		want  nhs.Record
	}{
		{Found{}, nhs.NoMatch},
		{Found{Hits: []Hit{{Score: 1}}}, nhs.OneExact},
		{Found{Hits: []Hit{{Score: 0.9999}}}, nhs.OnePartial},
		{Found{Hits: []Hit{{Score: 0}}}, nhs.OnePartial},
		{Found{Many: true}, nhs.Many},
		{Found{Many: true, Hits: []Hit{{Score: 1}, {Score: 1}}}, nhs.Many},
	} {
		if got := c.found.Record(); got != c.want {
			t.Errorf("%+v: got %s, want %s", c.found, got, c.want)
		}
	}
}

// FuzzReadAnswer: an answer is a record, a list or a fault, never two of them,
// and a record has a number and a birth date of the calendar.
func FuzzReadAnswer(f *testing.F) {
	for _, c := range lines(f, "answers.txt") {
		status, _ := strconv.Atoi(c[1])
		f.Add(status, []byte(c[2]))
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		a, fault := readAnswer(status, "", body)
		if (fault == nil) == (a.patient == nil && a.found == nil) || a.patient != nil && a.found != nil {
			t.Fatalf("%v, %v", a, fault)
		}
		if fault == nil && status != 200 || fault != nil && fault.Kind == "" {
			t.Fatalf("status %d gives %v, %v", status, a, fault)
		}
		var all []Patient
		if a.patient != nil {
			all = append(all, *a.patient)
		} else if a.found != nil {
			if len(a.found.Hits) > maxHits || len(a.found.Hits) > 1 && !a.found.Many {
				t.Fatalf("%d records", len(a.found.Hits))
			}
			for _, h := range a.found.Hits {
				all = append(all, h.Patient)
			}
		}
		for _, p := range all {
			if len(p.Number) != numberSize || p.Birth.Year != 0 && !p.Birth.Valid() {
				t.Fatalf("a record that is none: %+v", p)
			}
		}
	})
}

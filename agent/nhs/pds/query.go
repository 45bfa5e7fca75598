package pds

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/counterproof/counterproof/agent/proof"
)

// Span is a range of dates, both ends included. Two equal ends are one day, a
// zero end is open, and the zero Span is not asked for.
type Span struct{ From, To proof.Date }

// Query is a search. The service takes names of 35 characters, and "*" in names
// and postcode after the first two characters unless Fuzzy; it wants Family and
// Birth, or with Fuzzy a fuller set. What it does not take it refuses, and that
// comes back as a Fault of kind Input.
type Query struct {
	Family   string
	Given    []string
	Birth    Span
	Death    Span
	Gender   string // male, female, other, unknown; better not asked for
	Postcode string
	Practice string // ODS code
	Email    string
	Phone    string

	Fuzzy   bool // names that sound alike, transposed and former names
	Exact   bool // a score of 1 only
	History bool // former names, addresses and contacts too
	Max     int  // 1 to 50 records; 0 leaves it to the service
}

// values writes a query as the service reads it.
func (q Query) values() url.Values {
	v := url.Values{}
	set := func(key, value string) {
		if value != "" {
			v.Add(key, value)
		}
	}
	set("family", q.Family)
	for _, g := range q.Given {
		set("given", g)
	}
	for key, span := range map[string]Span{"birthdate": q.Birth, "death-date": q.Death} {
		for _, text := range span.texts() {
			set(key, text)
		}
	}
	set("gender", q.Gender)
	set("address-postalcode", q.Postcode)
	set("general-practitioner", q.Practice)
	set("email", q.Email)
	set("phone", q.Phone)
	for key, on := range map[string]bool{"_fuzzy-match": q.Fuzzy, "_exact-match": q.Exact, "_history": q.History} {
		if on {
			set(key, "true")
		}
	}
	if q.Max != 0 {
		set("_max-results", strconv.Itoa(q.Max))
	}
	return v
}

// texts writes a span: eq for a day, ge and le for a range.
func (s Span) texts() []string {
	switch {
	case s.From == s.To && s.From.Year != 0:
		return []string{"eq" + iso(s.From)}
	case s.To.Year == 0 && s.From.Year != 0:
		return []string{"ge" + iso(s.From)}
	case s.From.Year == 0 && s.To.Year != 0:
		return []string{"le" + iso(s.To)}
	case s.From.Year != 0:
		return []string{"ge" + iso(s.From), "le" + iso(s.To)}
	}
	return nil
}

// iso writes a whole date.
func iso(d proof.Date) string { return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day) }

// spanOf is the days that a date with unknown parts may stand for.
func spanOf(d proof.Date) Span {
	s := Span{d, d}
	if d.Month == 0 {
		s.From.Month, s.To.Month = 1, 12
	}
	if d.Day != 0 {
		return s
	}
	s.From.Day = 1
	for s.To.Day = 31; !s.To.Valid() && s.To.Day > 28; {
		s.To.Day--
	}
	return s
}

// wildcard stands for any letters at the end of a value.
const wildcard = "*"

// begins is the search for all that begins with the first n characters of a
// value; a value of one character is asked for as it is, as the service takes no
// wildcard in the first two places.
func begins(value string, n int) string {
	rs := []rune(strings.TrimSpace(value))
	if len(rs) < 2 {
		return string(rs)
	}
	return string(rs[:min(n, len(rs))]) + wildcard
}

// held is a name as the service can hold it: a longer one is asked for by its
// beginning.
func held(name string) (asked string, cut bool) {
	if len([]rune(name)) <= maxHeld {
		return name, false
	}
	return begins(name, maxHeld-1), true
}

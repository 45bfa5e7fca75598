package pdssim

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// genders are those that the service has.
var genders = []string{"male", "female", "other", "unknown"}

// times says how often a parameter may come.
var times = map[string]int{
	"_fuzzy-match": 1, "_exact-match": 1, "_history": 1, "_max-results": 1,
	"family": 1, "given": 10, "gender": 1, "birthdate": 2, "death-date": 2,
	"address-postcode": 1, "address-postalcode": 1, "general-practitioner": 1, "email": 1, "phone": 1,
}

// Bounds of a question.
const (
	maxName    = 35 // characters of a name
	maxResults = 50 // records of a list
	star       = "*"
	freeStart  = 2 // characters before a wildcard
)

// question is a search that was found to be allowed. What is not asked for is
// empty or nil.
type question struct {
	family, postcode       string // the postcode in capitals, without spaces
	given                  []string
	gender, practice       string
	email, phone           string
	birth, death           *span
	fuzzy, exact, history  bool // history is set where fuzzy is
	max                    int  // more than so many is too many
	byPostcode, byPractice bool // such a search never finds a restricted record
}

// span is a range of days, ends included, as YYYY-MM-DD; "" is open.
type span struct{ from, to string }

// holds reports a day in the range. A record without the date is in none.
func (s *span) holds(day string) bool {
	return s == nil || day != "" && day >= s.from && (s.to == "" || day <= s.to)
}

// reader takes a question apart; the first thing that is wrong stays.
type reader struct {
	values url.Values
	wrong  *problem
}

// readQuestion reads a search, in the order in which the service finds fault:
// unknown parameters, then values, then a missing birth date, then too little to
// go by, then wildcards.
func readQuestion(raw string, application bool) (question, *problem) {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return question{}, refuse(http.StatusBadRequest, "INVALID_VALUE", "Invalid value in the query")
	}
	known := func(name string) bool { return times[name] > 0 }
	if slices.ContainsFunc(slices.Collect(maps.Keys(values)), func(k string) bool { return !known(k) }) {
		return question{}, unexpected(values, known)
	}
	r := reader{values: values}
	r.repeats()
	q := question{
		birth: r.span("birthdate"), death: r.span("death-date"),
		fuzzy: r.flag("_fuzzy-match"), exact: r.flag("_exact-match"), history: r.flag("_history"),
		family: values.Get("family"), given: values["given"], gender: strings.ToLower(values.Get("gender")),
		practice: values.Get("general-practitioner"), email: values.Get("email"), phone: values.Get("phone"),
	}
	if q.gender != "" && !slices.Contains(genders, q.gender) {
		r.fail(invalid(values.Get("gender"), "field", "gender"))
	}
	r.names(q)
	q.max = r.limit(application)
	q.postcode = r.postcode()
	q.byPostcode, q.byPractice = q.postcode != "", q.practice != ""
	if r.wrong == nil {
		r.fail(q.enough())
	}
	if r.wrong == nil {
		r.fail(q.wildcards())
	}
	q.history = q.history || q.fuzzy
	return q, r.wrong
}

func (r *reader) fail(p *problem) {
	if r.wrong == nil {
		r.wrong = p
	}
}

// repeats refuses parameters that come too often or say nothing.
func (r *reader) repeats() {
	for _, name := range slices.Sorted(maps.Keys(r.values)) {
		all := r.values[name]
		if len(all) > times[name] || slices.Contains(all, "") {
			r.fail(invalid(strings.Join(all, ","), "field", name))
		}
	}
}

// span reads a date or a range: one day, one end, or a beginning and an end. A
// date without a sign is one day, and one day cannot be half of a range.
func (r *reader) span(name string) *span {
	given := r.values[name]
	if len(given) == 0 {
		return nil
	}
	var s span
	for _, text := range given {
		order, day := "eq", text
		if len(text) > 2 && slices.Contains([]string{"eq", "ge", "le"}, text[:2]) {
			order, day = text[:2], text[2:]
		}
		if _, err := time.Parse(time.DateOnly, day); err != nil || len(given) > 1 && order == "eq" {
			r.fail(invalid(text, "field", name))
			return nil
		}
		if order != "le" {
			s.from = max(s.from, day)
		}
		if order != "ge" && (s.to == "" || day < s.to) {
			s.to = day
		}
	}
	return &s
}

func (r *reader) flag(name string) bool {
	text := r.values.Get(name)
	if text != "" && text != "true" && text != "false" {
		r.fail(invalid(text, "field", name))
	}
	return text == "true"
}

// names refuses names that are too long.
func (r *reader) names(q question) {
	long := func(name string) bool { return utf8.RuneCountInString(name) > maxName }
	if long(q.family) {
		r.fail(invalid(q.family, "field", "family"))
	}
	if i := slices.IndexFunc(q.given, long); i >= 0 {
		r.fail(invalid(q.given[i], "field", "given"))
	}
}

// limit reads how many records are wanted. An application gets one, and may not
// ask for more.
func (r *reader) limit(application bool) int {
	text := r.values.Get("_max-results")
	n, err := strconv.Atoi(text)
	switch {
	case text == "" && application:
		return 1
	case text == "":
		return maxResults
	case err != nil || n < 1 || n > maxResults:
		r.fail(invalid(text, "field", "_max-results"))
	case application && n != 1:
		r.fail(refuse(http.StatusForbidden, "INVALID_VALUE", fmt.Sprintf("Invalid value - '%s' in field '_max-results'", text)))
	}
	return n
}

// postcode reads the postcode under either of its names, not both.
func (r *reader) postcode() string {
	a, b := r.values.Get("address-postcode"), r.values.Get("address-postalcode")
	if a != "" && b != "" {
		r.fail(refuse(http.StatusBadRequest, "INVALID_SEARCH_DATA",
			"Invalid search data provided - 'address-postcode and address-postalcode cannot both be given'"))
	}
	return strings.ToUpper(strings.ReplaceAll(a+b, " ", ""))
}

// enough refuses a question that asks for too many people: a plain search needs
// family name and birth date; a fuzzy one both names, or one of them with gender
// and postcode, and the birth date.
func (q question) enough() *problem {
	if q.birth == nil {
		return refuse(http.StatusBadRequest, "MISSING_VALUE", "Missing value - 'birth_date/birth_date_range_start/birth_date_range_end'")
	}
	named, placed := len(q.given) > 0, q.gender != "" && q.postcode != ""
	switch {
	case !q.fuzzy && q.family == "":
		return refuse(http.StatusBadRequest, "INVALID_SEARCH_DATA",
			"Invalid search data provided - 'No searches were performed as the search criteria did not meet the minimum requirements'")
	case q.fuzzy && !(q.family != "" && named) && !(placed && (q.family != "" || named)):
		return refuse(http.StatusBadRequest, "INVALID_SEARCH_DATA", fuzzyCriteria)
	}
	return nil
}

// fuzzyCriteria is how the service says that a fuzzy search is not one.
const fuzzyCriteria = "Invalid search data provided - " +
	"'A fuzzy search was requested however the data given did not meet the fuzzy search criteria'"

// wildcards refuses wildcards where there may be none.
func (q question) wildcards() *problem {
	wild, early := false, false
	for _, value := range append([]string{q.family, q.postcode}, q.given...) {
		if before, _, found := strings.Cut(value, star); found {
			wild = true
			early = early || utf8.RuneCountInString(before) < freeStart
		}
	}
	switch {
	case wild && q.fuzzy:
		return refuse(http.StatusBadRequest, "INVALID_SEARCH_DATA", fuzzyCriteria)
	case early:
		return refuse(http.StatusBadRequest, "INVALID_SEARCH_DATA",
			"Invalid search data provided - 'a wildcard is not allowed in the first two characters'")
	case q.exact && (wild || q.fuzzy):
		return refuse(http.StatusBadRequest, "INVALID_SEARCH_DATA",
			"Invalid search data provided - 'an exact match cannot be fuzzy or have wildcards'")
	}
	return nil
}

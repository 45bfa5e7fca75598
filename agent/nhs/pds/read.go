package pds

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/counterproof/counterproof/agent/nhs"
	"github.com/counterproof/counterproof/agent/proof"
)

// Bounds of an answer. A search gives 50 records at most.
const (
	maxAnswer  = 2 << 20 // bytes
	maxHits    = 50
	maxParts   = 100 // names, addresses, given names of one record
	maxText    = 400 // bytes of one value that is kept
	numberSize = 10
)

// Name is a name of a record as the service gives it.
type Name struct {
	Use    string // usual, temp, nickname, old, maiden; "" if the service does not say
	Family string
	Given  []string
}

// usual reports the name that a person goes by.
func (n Name) usual() bool { return n.Use == "" || n.Use == "usual" || n.Use == "official" }

// Patient is what is kept of a record: enough to compare it and to name its
// version.
type Patient struct {
	// Number is the record's NHS number. It is not shown to anybody who did not
	// give it. Checked says whether its check digit is right: the service's word
	// counts all the same, and a wrong one is only worth a warning.
	Number  nhs.Number
	Checked bool
	ETag    string // version, as the service wants it back; from a retrieval only

	Names     []Name
	Birth     proof.Date // parts may be unknown
	Gender    string     // male, female, other, unknown; "" if not told
	Postcodes []string   // of every address told; none of a restricted record
	Practice  string     // ODS code of the GP practice; "" if none is told

	Restricted  bool // anything but "unrestricted" in the record's confidentiality
	Deceased    bool // a date of death, or a death notice
	Invalidated bool // the record is marked as withdrawn
}

// Stops reports a record that ends automatic release.
func (p Patient) Stops() bool { return p.Restricted || p.Deceased || p.Invalidated }

// Hit is a record that a search found.
type Hit struct {
	Patient Patient
	Score   float64 // 0 to 1; 1 is exact
}

// Found is the answer to a search.
type Found struct {
	Many bool  // more than one, or more than were asked for; Hits may be empty then
	Hits []Hit // best first
}

// Record is what the search came to by itself.
func (f Found) Record() nhs.Record {
	switch {
	case f.Many:
		return nhs.Many
	case len(f.Hits) == 0:
		return nhs.NoMatch
	case f.Hits[0].Score == 1:
		return nhs.OneExact
	}
	return nhs.OnePartial
}

// codes are the service's published error codes; no other is passed on.
var codes = []string{
	"ACCESS_DENIED", "ADDITIONAL_PROPERTIES", "INVALIDATED_RESOURCE", "INVALID_RESOURCE_ID", "INVALID_SEARCH_DATA",
	"INVALID_VALUE", "MISSING_VALUE", "RESOURCE_NOT_FOUND", "TOO_MANY_MATCHES", "TOO_MANY_REQUESTS",
	"UNABLE_TO_CALL_SERVICE", "UNSUPPORTED_SERVICE",
}

// answer is one of the two things that the service can say yes with.
type answer struct {
	patient *Patient
	found   *Found
}

// fhir is as much of a resource as is read.
type fhir struct {
	Type  string    `json:"resourceType"`
	Issue []issue   `json:"issue"`
	Total *int      `json:"total"`
	Entry []hitFHIR `json:"entry"`
	patientFHIR
}

type issue struct {
	Code    string  `json:"code"`
	Details concept `json:"details"`
}

type concept struct {
	Coding []coding `json:"coding"`
}

type coding struct {
	Code string `json:"code"`
}

type hitFHIR struct {
	Search struct {
		Score *float64 `json:"score"`
	} `json:"search"`
	Resource struct {
		Type string `json:"resourceType"`
		patientFHIR
	} `json:"resource"`
}

type patientFHIR struct {
	ID   string `json:"id"`
	Meta struct {
		Security []coding `json:"security"`
	} `json:"meta"`
	Name []struct {
		Use    string   `json:"use"`
		Family string   `json:"family"`
		Given  []string `json:"given"`
	} `json:"name"`
	Gender   string          `json:"gender"`
	Birth    string          `json:"birthDate"`
	DiedAt   string          `json:"deceasedDateTime"`
	Died     bool            `json:"deceasedBoolean"`
	Address  []addressFHIR   `json:"address"`
	Practice []practiceFHIR  `json:"generalPractitioner"`
	More     []extensionFHIR `json:"extension"`
}

type addressFHIR struct {
	Postcode string `json:"postalCode"`
}

type practiceFHIR struct {
	Identifier struct {
		Value string `json:"value"`
	} `json:"identifier"`
}

type extensionFHIR struct {
	URL     string          `json:"url"`
	Concept concept         `json:"valueCodeableConcept"`
	More    []extensionFHIR `json:"extension"`
}

// readAnswer reads what the service answered. It returns a Fault without Op for
// everything but a record or a list of them.
func readAnswer(status int, etag string, body []byte) (answer, *Fault) {
	var r fhir
	bad := json.Unmarshal(body, &r)
	if bad != nil {
		r = fhir{} // nothing of it counts
	}
	code := r.code()
	if status != http.StatusOK {
		return answer{}, &Fault{Kind: kindOf(status, code), Status: status, Code: code}
	}
	unreadable := func(why error) (answer, *Fault) {
		return answer{}, &Fault{Kind: Unreadable, Status: status, Code: code, Err: why}
	}
	switch {
	case bad != nil:
		return unreadable(errors.New("the answer is not JSON of the right shape"))
	case r.Type == "OperationOutcome" && code == "TOO_MANY_MATCHES":
		return answer{found: &Found{Many: true}}, nil
	case r.Type == "Patient":
		p, err := r.patient()
		if err != nil {
			return unreadable(err)
		}
		p.ETag = etag
		return answer{patient: &p}, nil
	case r.Type == "Bundle":
		f, err := r.found()
		if err != nil {
			return unreadable(err)
		}
		return answer{found: &f}, nil
	}
	return unreadable(errors.New("neither a record nor a list of records"))
}

// code is the first code of an outcome that is on the list.
func (r fhir) code() string {
	if r.Type != "OperationOutcome" {
		return ""
	}
	for _, i := range r.Issue {
		for _, c := range i.Details.Coding {
			if slices.Contains(codes, c.Code) {
				return c.Code
			}
		}
	}
	return ""
}

// kindOf tells what a status other than success means. A 404 without its code
// is some other server's, or a wrong address, and says nothing of a record.
func kindOf(status int, code string) Kind {
	switch {
	case status == http.StatusBadRequest:
		return Input
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return Refused
	case status == http.StatusNotFound && code == "RESOURCE_NOT_FOUND":
		return NotFound
	case status == http.StatusNotFound && code == "INVALIDATED_RESOURCE":
		return Invalidated
	case status == http.StatusRequestTimeout, status == http.StatusTooManyRequests, status >= 500:
		return Later
	}
	return Unreadable
}

// found reads a list. What it says of its own length must be so.
func (r fhir) found() (Found, error) {
	if r.Total == nil || *r.Total != len(r.Entry) || len(r.Entry) > maxHits {
		return Found{}, errors.New("the list is not as long as it says")
	}
	f := Found{Many: len(r.Entry) > 1}
	for _, e := range r.Entry {
		if e.Resource.Type != "Patient" {
			return Found{}, errors.New("the list holds something that is no record")
		}
		p, err := e.Resource.patient()
		if err != nil {
			return Found{}, err
		}
		score := e.Search.Score
		if score == nil || *score < 0 || *score > 1 {
			return Found{}, errors.New("a record of the list has no score from 0 to 1")
		}
		f.Hits = append(f.Hits, Hit{p, *score})
	}
	slices.SortStableFunc(f.Hits, func(a, b Hit) int {
		switch {
		case a.Score > b.Score:
			return -1
		case a.Score < b.Score:
			return 1
		}
		return 0
	})
	return f, nil
}

// patient reads a record.
func (r patientFHIR) patient() (Patient, error) {
	if len(r.ID) != numberSize || strings.Trim(r.ID, "0123456789") != "" {
		return Patient{}, errors.New("a record without an NHS number")
	}
	birth, ok := readDate(r.Birth)
	names, sound := r.names()
	if !ok || !sound || len(r.Address) > maxParts || !kept(r.Gender) {
		return Patient{}, errors.New("a record with values that make no sense")
	}
	_, err := nhs.NormaliseNumber(r.ID)
	p := Patient{
		Number: nhs.Number(r.ID), Checked: err == nil, Names: names, Birth: birth, Gender: r.Gender,
		Restricted: r.restricted(), Invalidated: r.marked("REDACTED"),
		Deceased: r.Died || r.DiedAt != "" || deathNotice(r.More, 0),
	}
	for _, a := range r.Address {
		if a.Postcode != "" && kept(a.Postcode) {
			p.Postcodes = append(p.Postcodes, a.Postcode)
		}
	}
	for _, g := range r.Practice {
		if p.Practice == "" && kept(g.Identifier.Value) {
			p.Practice = g.Identifier.Value
		}
	}
	return p, nil
}

// names reads the names of a record; sound is false where they are no names.
func (r patientFHIR) names() (names []Name, sound bool) {
	if len(r.Name) > maxParts {
		return nil, false
	}
	for _, n := range r.Name {
		if len(n.Given) > maxParts || !kept(n.Use, n.Family) || !kept(n.Given...) {
			return nil, false
		}
		names = append(names, Name(n))
	}
	return names, true
}

// marked reports a confidentiality code (HL7 v3 Confidentiality).
func (r patientFHIR) marked(code string) bool {
	return slices.Contains(r.Meta.Security, coding{code})
}

// restricted reports a record that may not be released by itself: every one that
// is not plainly marked unrestricted. Codes that are not known yet, and a record
// without any, count as restricted.
func (r patientFHIR) restricted() bool {
	return slices.ContainsFunc(r.Meta.Security, func(c coding) bool { return c.Code != "U" && c.Code != "REDACTED" }) ||
		len(r.Meta.Security) == 0
}

// maxDeep bounds how far extensions are followed into each other.
const maxDeep = 4

// deathNotice looks for a death notification status of 1 (informal) or 2
// (formal); U is one that was taken back.
func deathNotice(more []extensionFHIR, depth int) bool {
	return depth < maxDeep && slices.ContainsFunc(more, func(e extensionFHIR) bool {
		notice := e.URL == "deathNotificationStatus" && slices.ContainsFunc(e.Concept.Coding, func(c coding) bool {
			return c.Code == "1" || c.Code == "2"
		})
		return notice || deathNotice(e.More, depth+1)
	})
}

// kept reports texts that are short and UTF-8.
func kept(texts ...string) bool {
	return !slices.ContainsFunc(texts, func(s string) bool { return len(s) > maxText || !utf8.ValidString(s) })
}

// readDate reads a FHIR date: YYYY, YYYY-MM or YYYY-MM-DD; "" is no date.
func readDate(text string) (d proof.Date, ok bool) {
	if text == "" {
		return d, true
	}
	parts := []*int{&d.Year, &d.Month, &d.Day}
	fields := strings.Split(text, "-")
	if len(fields) > len(parts) {
		return d, false
	}
	for i, field := range fields {
		n, err := strconv.ParseUint(field, 10, 16)
		if err != nil || n == 0 || len(field) != []int{4, 2, 2}[i] {
			return proof.Date{}, false
		}
		*parts[i] = int(n)
	}
	return d, d.Valid()
}

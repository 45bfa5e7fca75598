package provision

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Disposition is what to do about a request, a closed list.
type Disposition string

// The dispositions.
const (
	Retry       Disposition = "retry"        // nothing is known to have happened; ask the same again, later and later
	SlowDown    Disposition = "slow_down"    // too many of this organisation: ask again after Wait, and less often
	FixField    Disposition = "fix_field"    // the patient's detail Field must change before it is asked again
	ConfigAlarm Disposition = "config_alarm" // people must look at our set-up; the request waits
	Final       Disposition = "final"        // never; the patient hears no reason
	Done        Disposition = "done"         // Result says what is there
)

// Result is what a request that is Done came to.
type Result string

// The results.
const (
	Created   Result = "create"     // an account can be claimed: the patient has an e-mail
	Uplifted  Result = "uplift"     // an account can be raised to P9: the patient has an e-mail
	AlreadyP9 Result = "already_p9" // there is nothing to do
	// Duplicate: a request of the last seven days is still open. It is ours where
	// an answer got lost, and then has our details; it may be an older one, with
	// the e-mail address of that time.
	Duplicate Result = "duplicate"
)

// Answer is what a request came to. Disposition is always set.
type Answer struct {
	Disposition Disposition
	Result      Result        // where Done
	Code        string        // of the service, five digits; "" where it gave none that is known
	Field       Field         // where FixField; "" where the service did not name it
	Wait        time.Duration // at least so long until the next try; 0 where nothing was asked for
	Err         error         // for the log: why, where no known code tells it
}

// meaning is what a code of the service stands for.
type meaning struct {
	disposition Disposition
	result      Result
	field       Field
}

// meanings are the codes of the interface specification (Provision Account 1.0).
var meanings = map[string]meaning{
	"11000": {disposition: Retry}, // service down
	"11001": {disposition: Final},
	"11002": {disposition: Final},
	"11003": {disposition: Done, result: Duplicate},
	"11004": {disposition: FixField, field: Email}, // in use
	"11005": {disposition: Done, result: AlreadyP9},
	"11006": {disposition: Final},
	"11007": {disposition: Final},
	"11008": {disposition: Final},
	"11009": {disposition: Final},
	"11010": {disposition: FixField}, // bad data; never asked again unchanged
	"11011": {disposition: SlowDown}, // too many for this ODS code
	"11018": {disposition: Final},
	"11019": {disposition: Final},
	"11021": {disposition: ConfigAlarm, field: ODSCode}, // not enabled
}

// said is what an answer's body says, in closed words.
type said struct {
	code   string
	result Result
	field  Field
}

// Keys under which the words are looked for. The specification shows the words
// and no full answer, so a few usual keys are taken; the words themselves are
// closed.
var (
	codeKeys   = []string{"error_code", "errorCode", "code", "error"}
	resultKeys = []string{"result", "outcome", "action", "status", "type"}
	fieldKeys  = []string{"field", "error_field", "parameter"}
)

// readAnswer reads a body. What it does not know it leaves out.
func readAnswer(body []byte) said {
	var object map[string]json.RawMessage
	if json.Unmarshal(body, &object) != nil {
		return said{}
	}
	var s said
	for _, key := range codeKeys {
		if _, known := meanings[word(object[key])]; known && s.code == "" {
			s.code = word(object[key])
		}
	}
	for _, key := range resultKeys {
		if r := Result(word(object[key])); (r == Created || r == Uplifted) && s.result == "" {
			s.result = r
		}
	}
	for _, key := range fieldKeys {
		if f := Field(word(object[key])); slices.Contains(fields, f) && s.field == "" {
			s.field = f
		}
	}
	return s
}

// word is a short string or whole number of JSON, "" for anything else.
func word(raw json.RawMessage) string {
	const longest = 40
	if len(raw) == 0 || len(raw) > longest {
		return ""
	}
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	if strings.Trim(string(raw), "0123456789") == "" {
		return string(raw)
	}
	return ""
}

// judge decides about an answer to a request.
func judge(status int, wait time.Duration, body []byte) Answer {
	s := readAnswer(body)
	good := status >= 200 && status < 300
	m, known := meanings[s.code]
	a := Answer{Code: s.code, Wait: wait}
	switch {
	case known && m.disposition == Done && status >= 500:
		// A failing service that also says all is well is not believed.
		a.Disposition = Retry
		a.Err = fmt.Errorf("asking for an account: code %s with status %d", s.code, status)
	case known:
		a.Disposition, a.Result, a.Field = m.disposition, m.result, m.field
		if a.Disposition == FixField && a.Field == "" {
			a.Field = s.field
		}
	case good && s.result != "":
		a.Disposition, a.Result = Done, s.result
	case good:
		// It may have been taken. Asked again, it is a duplicate then.
		a.Disposition, a.Err = Retry, fmt.Errorf("asking for an account: status %d says nothing that is known", status)
	default:
		a = byStatus(status)
		a.Wait, a.Err = wait, fmt.Errorf("asking for an account: status %d without a known code", status)
	}
	return a
}

// byStatus is what a failure without a known code comes to. A refusal that
// nobody understands is for people: a patient is not turned away by it, and it
// is not asked over and over.
func byStatus(status int) Answer {
	switch {
	case status == http.StatusTooManyRequests:
		return Answer{Disposition: SlowDown}
	case status >= 500, status == http.StatusRequestTimeout:
		return Answer{Disposition: Retry}
	}
	return Answer{Disposition: ConfigAlarm}
}

// maxWait is the longest wait that is believed.
const maxWait = 24 * time.Hour

// retryAfter reads how long the service asks to wait, in seconds or as a date
// (RFC 9110 §10.2.3); anything else is nothing.
func retryAfter(h http.Header, now time.Time) time.Duration {
	text := h.Get("Retry-After")
	if seconds, err := strconv.ParseUint(text, 10, 32); err == nil {
		return min(time.Duration(seconds)*time.Second, maxWait)
	}
	if at, err := http.ParseTime(text); err == nil {
		return min(max(at.Sub(now), 0), maxWait)
	}
	return 0
}

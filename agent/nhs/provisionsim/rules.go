package provisionsim

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Codes of the specification whose meaning is published.
const (
	codeDown       = "11000"
	codePending    = "11003" // a request of the last seven days
	codeEmailUsed  = "11004"
	codeP9         = "11005"
	codeData       = "11010"
	codeTooMany    = "11011"
	codeNotEnabled = "11021"
)

// Refusal is a code of the specification that says no more than that an account
// cannot be provisioned.
type Refusal string

// The refusals, in this simulator's own assignment.
const (
	NoRecord       Refusal = "11001"
	OtherBirth     Refusal = "11002" // the record has another date of birth
	RecordDeceased Refusal = "11006"
	RecordHidden   Refusal = "11007" // restricted
	RecordInvalid  Refusal = "11008"
	TooYoung       Refusal = "11009" // under 16
	AccountStopped Refusal = "11018" // the account is suspended
	PhoneUsed      Refusal = "11019" // another patient's open request has the number
)

// minAge is from which age an account of level P9 is given.
const minAge = 16

// request is the body of a request, whose five fields are all mandatory. Pointers
// tell a field that is missing from an empty one.
type request struct {
	Number *string `json:"nhs_number"`
	Email  *string `json:"email_address"`
	Birth  *string `json:"date_of_birth"`
	Phone  *string `json:"phone_number"`
	ODS    *string `json:"ods_code"`
}

// rule is what one field must look like.
type rule struct {
	field string
	value *string
	shape *regexp.Regexp
}

// Shapes of the fields. Dates are parsed as well. The specification's own rule for
// ODS codes contradicts its sample, so any code of 3 to 10 signs has the shape,
// and whether it is enabled decides.
var (
	numberShape = regexp.MustCompile(`^[0-9]{10}$`)
	emailShape  = regexp.MustCompile(`^[!-~]+@[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)+$`)
	dateShape   = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}$`)
	phoneShape  = regexp.MustCompile(`^\+[1-9][0-9]{7,14}$`)
	odsShape    = regexp.MustCompile(`^[0-9A-Z]{3,10}$`)
)

// fault names the first field that is missing or wrong, "" for none.
func (r request) fault() string {
	for _, rule := range []rule{
		{"nhs_number", r.Number, numberShape}, {"email_address", r.Email, emailShape},
		{"date_of_birth", r.Birth, dateShape}, {"phone_number", r.Phone, phoneShape}, {"ods_code", r.ODS, odsShape},
	} {
		if rule.value == nil || len(*rule.value) > 254 || !rule.shape.MatchString(*rule.value) {
			return rule.field
		}
	}
	switch _, err := time.Parse(time.DateOnly, *r.Birth); {
	case err != nil:
		return "date_of_birth"
	case !passes(*r.Number):
		return "nhs_number"
	}
	return ""
}

// passes checks the last of ten digits by modulus 11.
func passes(number string) bool {
	sum := 0
	for i, d := range []byte(number[:9]) {
		sum += int(d-'0') * (10 - i)
	}
	return (11-sum%11)%11 == int(number[9]-'0')
}

// provision decides about a request: create or uplift, or why not. The order is
// that of what it costs: the request itself, the organisation, the record, the
// account, and last whether others stand in the way. An account of P9 and an open
// request are told before an e-mail address in use, so that asking again after a
// lost answer never comes back as a fault of the patient's details.
func (s *Service) provision(body []byte, now time.Time) (done string, refused failure) {
	var r request
	if json.Unmarshal(body, &r) != nil {
		return "", failure{Code: codeData}
	}
	if field := r.fault(); field != "" {
		return "", failure{Code: codeData, Field: field}
	}
	switch {
	case !slices.Contains(s.cfg.Enabled, *r.ODS):
		return "", failure{Code: codeNotEnabled}
	case s.limited(*r.ODS, now):
		return "", failure{Code: codeTooMany}
	}
	p := s.patients[*r.Number]
	if why := unfit(p, *r.Birth, now); why != "" {
		return "", failure{Code: string(why)}
	}
	open, waiting := s.open[*r.Number]
	switch {
	case p.Level == P9:
		return "", failure{Code: codeP9}
	case waiting && now.Before(open.until):
		return "", failure{Code: codePending}
	}
	if code := s.taken(r, now); code != "" {
		return "", failure{Code: code}
	}
	s.open[*r.Number] = pending{email: *r.Email, phone: *r.Phone, until: now.Add(pendingLife)}
	if p.Level == NoAccount {
		return "create", failure{}
	}
	return "uplift", failure{}
}

// unfit is why a patient's record cannot have an account, "" where it can.
func unfit(p *Patient, birth string, now time.Time) Refusal {
	switch {
	case p == nil:
		return NoRecord
	case p.Birth != birth:
		return OtherBirth
	case p.Record == Deceased:
		return RecordDeceased
	case p.Record == Restricted:
		return RecordHidden
	case p.Record == Invalidated:
		return RecordInvalid
	case p.Suspended:
		return AccountStopped
	}
	// A date of birth that the table has is one that parsed.
	if born, err := time.Parse(time.DateOnly, birth); err != nil || born.AddDate(minAge, 0, 0).After(now) {
		return TooYoung
	}
	return ""
}

// taken is the code for an e-mail address or a number that is another
// patient's, "" where neither is.
func (s *Service) taken(r request, now time.Time) string {
	for number, p := range s.patients {
		if number != *r.Number && p.Level != NoAccount && strings.EqualFold(p.Email, *r.Email) {
			return codeEmailUsed
		}
	}
	code := ""
	for number, o := range s.open {
		switch {
		case number == *r.Number || !now.Before(o.until):
		case strings.EqualFold(o.email, *r.Email):
			return codeEmailUsed
		case o.phone == *r.Phone:
			code = string(PhoneUsed)
		}
	}
	return code
}

package provision

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/counterproof/counterproof/agent/nhs"
	"github.com/counterproof/counterproof/agent/proof"
)

// Field names a detail of a request, in the words of the service.
type Field string

// The fields; all are mandatory.
const (
	NHSNumber   Field = "nhs_number"
	Email       Field = "email_address"
	DateOfBirth Field = "date_of_birth"
	Phone       Field = "phone_number"
	ODSCode     Field = "ods_code"
)

// fields are all of them.
var fields = []Field{NHSNumber, Email, DateOfBirth, Phone, ODSCode}

// Request asks for one patient's account.
type Request struct {
	NHSNumber nhs.Number
	Birth     proof.Date // a whole date
	Email     string     // as the patient gave it; see NormaliseEmail
	Phone     string     // ditto; see NormalisePhone
	// ProvisionerODS is the ODS code of the organisation that provisions. A
	// counter's own site code is never taken for it: that of a post office is no
	// ODS code, and the organisation that it acts for has another.
	ProvisionerODS string
}

// wireRequest is a request as it is sent.
type wireRequest struct {
	NHSNumber string `json:"nhs_number"`
	Email     string `json:"email_address"`
	Birth     string `json:"date_of_birth"` // YYYY-MM-DD
	Phone     string `json:"phone_number"`
	ODS       string `json:"ods_code"`
}

// encode writes a request, or answers why it need not be sent.
func (r Request) encode(now time.Time) ([]byte, *Answer) {
	w, field, err := r.normalise(now)
	if err != nil {
		a := Answer{Disposition: FixField, Field: field, Err: fmt.Errorf("asking for an account: %s: %w", field, err)}
		if field == ODSCode {
			a.Disposition = ConfigAlarm
		}
		return nil, &a
	}
	body, err := json.Marshal(w)
	if err != nil {
		return nil, &Answer{Disposition: ConfigAlarm, Err: errors.New("asking for an account: it cannot be written")}
	}
	return body, nil
}

// Reasons why a request is not sent.
var (
	errNumber = errors.New("it is not a valid NHS number")
	errBirth  = errors.New("it is not a whole date of the past")
	errODS    = errors.New("it is not 3 to 10 letters and digits")
)

// normalise brings all fields into the form that the service takes, or names the
// first that cannot be.
func (r Request) normalise(now time.Time) (wireRequest, Field, error) {
	number, err := nhs.NormaliseNumber(string(r.NHSNumber))
	if err != nil || number.Repeated() {
		return wireRequest{}, NHSNumber, errNumber
	}
	year, month, day := now.Date()
	today := proof.Date{Year: year, Month: int(month), Day: day}
	if !r.Birth.Valid() || r.Birth.Precision() != "day" || today.Before(r.Birth) {
		return wireRequest{}, DateOfBirth, errBirth
	}
	email, err := NormaliseEmail(r.Email)
	if err != nil {
		return wireRequest{}, Email, err
	}
	phone, err := NormalisePhone(r.Phone)
	if err != nil {
		return wireRequest{}, Phone, err
	}
	// The specification's own rule, letter and six digits, contradicts its sample
	// A00002, so the shape is held loosely and the service decides.
	ods := nhs.Rules{}.ODS(strings.TrimSpace(r.ProvisionerODS))
	if !ods.NominatedPharmacy {
		return wireRequest{}, ODSCode, errODS
	}
	return wireRequest{string(number), email, r.Birth.String(), phone, ods.Code}, "", nil
}

// What may be wrong with a telephone number.
var (
	ErrPhoneSigns   = errors.New("a telephone number has digits, a plus in front, spaces, hyphens, dots and brackets only")
	ErrPhoneLength  = errors.New("a telephone number with its country code has 8 to 15 digits")
	ErrPhoneCountry = errors.New("the country code is missing")
	ErrPhoneMobile  = errors.New("it is not a British mobile number; the code is sent to a mobile")
)

// NormalisePhone brings a telephone number into international form, "+" and 8 to
// 15 digits (ITU-T E.164). A number that begins with a single 0 is British, as
// the counter is; of those and of +44 only mobile numbers pass, since the
// patient gets a code there. Digits of other scripts are not forgiven.
func NormalisePhone(input string) (string, error) {
	number, err := dialled(input)
	switch {
	case err != nil:
		return "", err
	case strings.HasPrefix(number, "00"):
		number = "+" + number[2:]
	case strings.HasPrefix(number, "0"):
		number = "+44" + number[1:]
	case !strings.HasPrefix(number, "+"):
		return "", ErrPhoneCountry
	}
	if british, ok := strings.CutPrefix(number, "+44"); ok {
		// A trunk 0 after the country code, with or without brackets, is a habit.
		british = strings.TrimPrefix(british, "0")
		if !mobile(british) {
			return "", ErrPhoneMobile
		}
		number = "+44" + british
	}
	digits := number[1:]
	if len(digits) < 8 || len(digits) > 15 || digits[0] == '0' {
		return "", ErrPhoneLength
	}
	return number, nil
}

// dialled leaves the digits of a number and its plus.
func dialled(input string) (string, error) {
	const longest = 40
	if len(input) > longest {
		return "", ErrPhoneLength
	}
	input = strings.TrimSpace(input)
	if strings.HasPrefix(input, "+") || strings.HasPrefix(input, "00") {
		input = strings.Replace(input, "(0)", "", 1)
	}
	digits := make([]byte, 0, len(input))
	for i := range len(input) {
		c := input[i]
		switch {
		case '0' <= c && c <= '9', c == '+' && i == 0:
			digits = append(digits, c)
		case !strings.ContainsRune(" -.()", rune(c)):
			return "", ErrPhoneSigns
		}
	}
	return string(digits), nil
}

// mobile reports the ten digits of a British mobile number (Ofcom, National
// Telephone Numbering Plan): 71–75 and 77–79. 70 is for personal numbers and 76
// for pagers, but for 7624 on the Isle of Man.
func mobile(digits string) bool {
	if len(digits) != 10 || digits[0] != '7' {
		return false
	}
	return strings.ContainsRune("12345789", rune(digits[1])) || strings.HasPrefix(digits, "7624")
}

// ErrEmail is an e-mail address that cannot be one.
var ErrEmail = errors.New("it is not an e-mail address of letters, digits and the usual signs")

// NormaliseEmail takes the spaces around an e-mail address away and checks its
// form (RFC 5321 §4.1.2, without quoted names and bare hosts). Letters are left
// as they are; signs beyond ASCII are refused, as a reader cannot tell the ones
// that look alike.
func NormaliseEmail(input string) (string, error) {
	address := strings.TrimSpace(input)
	name, host, ok := strings.Cut(address, "@")
	if !ok || len(address) > 254 || len(name) > 64 || !dotted(name, nameSigns) || !hosted(host) {
		return "", ErrEmail
	}
	return address, nil
}

// Signs of the two sides of an address.
const (
	letters   = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	nameSigns = letters + "!#$%&'*+/=?^_`{|}~-"
	hostSigns = letters + "-"
)

// dotted reports parts of given signs with single dots between them.
func dotted(s, signs string) bool {
	return !slices.ContainsFunc(strings.Split(s, "."), func(part string) bool {
		return part == "" || strings.Trim(part, signs) != ""
	})
}

// hosted reports a name of the domain name system with two labels or more, the
// last of them not a number.
func hosted(host string) bool {
	labels := strings.Split(host, ".")
	last := labels[len(labels)-1]
	if len(labels) < 2 || !dotted(host, hostSigns) || strings.Trim(last, "0123456789") == "" {
		return false
	}
	return !slices.ContainsFunc(labels, func(l string) bool {
		return len(l) > 63 || l[0] == '-' || l[len(l)-1] == '-'
	})
}

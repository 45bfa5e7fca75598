// Package nhs knows the numbers, codes and proofing levels of the NHS in
// England: NHS numbers, ODS codes, and which of P0, P5 and P9 (DAPB3051, NHS
// login) a proofing comes to. It is an output of its own beside the GPG 45
// level and never arithmetic on it.
//
// It asks nobody: whether a record exists comes in as a fact. It never finds an
// NHS number, only checks one that a person gave.
//
// # The laws
//
//   - P5 and P9 need a matching record, so a counter without a line gives them
//     only provisionally.
//   - Contact details never lower a proofing.
//   - Nothing found by tracing is shown; a record that must stay hidden looks
//     like no match.
//   - Under 16 nobody gets a level of their own.
package nhs

import (
	"cmp"
	"errors"
	"strings"
)

// Number is a valid NHS number: ten ASCII digits that pass modulus 11 (NHS Data
// Dictionary, NHS NUMBER). That it passes does not say it was ever issued.
type Number string

// What may be wrong with an NHS number.
var (
	ErrNumberSigns  = errors.New("an NHS number has digits, spaces and hyphens only")
	ErrNumberLength = errors.New("an NHS number has ten digits")
	ErrNumberCheck  = errors.New("the check digit does not agree")
)

// numberLength is how many digits an NHS number has.
const numberLength = 10

// NormaliseNumber takes the spaces and hyphens of people's habits out of a
// number and checks it. Nothing else is forgiven: digits of other scripts, full
// width ones among them, are ErrNumberSigns, as a reader that takes them for
// digits does not see what the record holds.
func NormaliseNumber(input string) (Number, error) {
	digits := make([]byte, 0, numberLength+1)
	for i := range len(input) {
		c := input[i]
		switch {
		case c == ' ' || c == '-':
		case c < '0' || c > '9':
			return "", ErrNumberSigns
		case len(digits) <= numberLength:
			digits = append(digits, c)
		}
	}
	if len(digits) != numberLength {
		return "", ErrNumberLength
	}
	if !passes(digits) {
		return "", ErrNumberCheck
	}
	return Number(digits), nil
}

// passes checks the last digit by modulus 11: weights 10 to 2, and a remainder
// of 1 has no check digit at all.
func passes(digits []byte) bool {
	sum := 0
	for i, d := range digits[:numberLength-1] {
		sum += int(d-'0') * (numberLength - i)
	}
	return (11-sum%11)%11 == int(digits[numberLength-1]-'0')
}

// Repeated reports whether all ten digits are the same. Such numbers pass the
// check and were never issued: a caller warns and does not trust them.
func (n Number) Repeated() bool {
	return n != "" && strings.Count(string(n), string(n[:1])) == len(n)
}

// Display is the number as people read it, 3-3-4.
func (n Number) Display() string {
	if len(n) != numberLength {
		return string(n)
	}
	return string(n[:3] + " " + n[3:6] + " " + n[6:])
}

// Warnings of a number, as codes.
const (
	WarnRepeated = "repeated_digit"  // valid, but never issued
	WarnSigns    = "not_only_digits" // invalid
	WarnLength   = "not_ten_digits"  // invalid
	WarnCheck    = "check_digit"     // invalid
)

// Warnings says what there is to say about a number that NormaliseNumber gave
// back, and about its error; none for a number without fault.
func Warnings(n Number, err error) []string {
	switch {
	case errors.Is(err, ErrNumberSigns):
		return []string{WarnSigns}
	case errors.Is(err, ErrNumberLength):
		return []string{WarnLength}
	case err != nil:
		return []string{WarnCheck}
	case n.Repeated():
		return []string{WarnRepeated}
	}
	return nil
}

// ODS is an organisation code of the Organisation Data Service and what its
// shape tells. Whether the organisation exists only the service knows.
type ODS struct {
	Code string // ASCII letters in upper case, otherwise as given
	// NominatedPharmacy: PDS takes it where a nominated pharmacy is written,
	// 3 to 10 alphanumerics. It is also what this counter stores.
	NominatedPharmacy bool
	GP                bool // PDS takes it where a GP practice is named, ^[0-9A-Z]+$
	Kind              Kind
}

// Kind is the usual kind of organisation behind a code's shape: a hint for
// people, never a permission.
type Kind string

// The kinds.
const (
	Practice Kind = "practice" // letter and five digits
	Pharmacy Kind = "pharmacy" // F and four alphanumerics
	Trust    Kind = "trust"    // three, R or T first
	Site     Kind = "site"     // a trust's three and two more
	Other    Kind = "other"
)

// maxStored is the longest code that is stored.
const maxStored = 10

// ODS tells what the shape of a code says; codes that only stand for "no
// practice" are kind other. Lower-case ASCII letters are taken as upper case,
// and no other letter is: the dotless ı does not become an I.
func (r Rules) ODS(code string) ODS {
	up := []byte(code)
	plain := len(up) > 0
	for i, c := range up {
		if 'a' <= c && c <= 'z' {
			up[i] = c - 'a' + 'A'
		}
		plain = plain && alphanumeric(up[i])
	}
	o := ODS{Code: string(up), GP: plain, Kind: Other}
	o.NominatedPharmacy = plain && len(up) >= 3 && len(up) <= maxStored
	if plain && !r.noPractice(o.Code) {
		o.Kind = kind(o.Code)
	}
	return o
}

// kind tells the usual kind of an upper-case alphanumeric code.
func kind(code string) Kind {
	first := cmp.Or(code, " ")[0]
	trust := first == 'R' || first == 'T'
	switch {
	case len(code) == 6 && letter(first) && strings.Trim(code[1:], "0123456789") == "":
		return Practice
	case len(code) == 5 && first == 'F':
		return Pharmacy
	case len(code) == 3 && trust:
		return Trust
	case len(code) == 5 && trust:
		return Site
	}
	return Other
}

// letter reports an upper-case ASCII letter.
func letter(c byte) bool { return 'A' <= c && c <= 'Z' }

// alphanumeric reports an upper-case ASCII letter or a digit.
func alphanumeric(c byte) bool { return letter(c) || '0' <= c && c <= '9' }

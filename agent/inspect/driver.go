package inspect

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/counterproof/counterproof/agent/licence"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/spf13/cobra"
)

// maxDetail bounds a text of a person's details, in characters.
const maxDetail = 1000

// driverInput is a driver number and whom it is compared with; what is null or
// absent is not compared.
type driverInput struct {
	Number  *string `json:"number"`
	Surname string  `json:"surname"`
	Given   string  `json:"given"`
	Birth   string  `json:"dob"`
	Sex     string  `json:"sex"`
}

// driverVerdict is what a driver number comes to.
type driverVerdict struct {
	Valid    bool         `json:"structure_valid"`
	Match    bool         `json:"match"`
	Problems []proof.Code `json:"problems"`
}

// driverNumber checks one driver number of the United Kingdom.
func driverNumber(in json.RawMessage) (any, error) {
	var q driverInput
	if err := decode(in, &q); err != nil {
		return nil, err
	}
	if q.Number == nil {
		return nil, errors.New(`"number" is missing`)
	}
	p, err := q.person()
	if err != nil {
		return nil, err
	}
	v := licence.CheckNumber(*q.Number, p)
	return driverVerdict{v.Valid, v.Match, append([]proof.Code{}, v.Problems...)}, nil
}

// person are the details to compare.
func (in driverInput) person() (proof.Person, error) {
	var p proof.Person
	for _, detail := range []struct{ key, text string }{{"surname", in.Surname}, {"given", in.Given}} {
		if utf8.RuneCountInString(detail.text) > maxDetail {
			return p, fmt.Errorf("%q has more than %d characters", detail.key, maxDetail)
		}
	}
	p.Surname, _ = licence.ReadName(in.Surname)
	p.Given, _ = licence.ReadName(in.Given)
	var ok bool
	if p.Birth, ok = plainDate(in.Birth); !ok {
		return p, errors.New(`"dob" is not of the form YYYY-MM-DD`)
	}
	if p.Sex, ok = plainSex(in.Sex); !ok {
		return p, errors.New(`"sex" is none of M, F and X`)
	}
	return p, nil
}

// plainDate reads YYYY-MM-DD, also of a day that no calendar has: that is a
// verdict and no misunderstanding. Zeros become -1, since 0 would leave a part
// open. An empty text is no date.
func plainDate(text string) (d proof.Date, ok bool) {
	if text == "" {
		return d, true
	}
	_, err := fmt.Sscanf(text, "%4d-%2d-%2d", &d.Year, &d.Month, &d.Day)
	if err != nil || fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day) != text {
		return d, false
	}
	for _, part := range []*int{&d.Year, &d.Month, &d.Day} {
		if *part == 0 {
			*part = -1
		}
	}
	return d, true
}

// plainSex reads the words for a sex; an empty text is none.
func plainSex(text string) (sex string, ok bool) {
	switch strings.ToUpper(text) {
	case "":
		return "", true
	case "M", "MALE":
		return "M", true
	case "F", "FEMALE":
		return "F", true
	case "X":
		return "X", true
	}
	return "", false
}

// driverCommand is "inspect driver-number".
func driverCommand() *cobra.Command {
	return question{
		use: "driver-number", short: "Check a driver number of the United Kingdom",
		long: `Checks the form of a driver number and compares it with surname, given names,
birth date and sex. What is null or absent is not compared. Nothing is looked up.

A number of Northern Ireland holds nothing to compare with: "number_silent".`,
		example: `  echo '{"number":"MORGA657054SM9IJ","surname":"Morgan","given":"Sarah Meredyth","dob":"1964-07-05","sex":"F"}' | counterproofd inspect driver-number`,
		answer:  func() (answerer, error) { return driverNumber, nil },
	}.command()
}

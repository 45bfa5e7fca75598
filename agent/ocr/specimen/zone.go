package specimen

import (
	"strings"

	"github.com/counterproof/counterproof/agent/mrz"
)

// zone is the lines of the machine-readable zone.
func (o Options) zone() []string {
	if len(o.Lines) > 0 {
		return o.Lines
	}
	return mrz.Compose(fields(o.Person, o.Format), o.Format)
}

// fields puts a person's details into the words of a zone.
func fields(p Person, f mrz.Format) mrz.Fields {
	code := map[mrz.Format]string{mrz.TD3: "P", mrz.MRVA: "V", mrz.MRVB: "V", mrz.FRID: "ID", mrz.DL30: "D1"}[f]
	if code == "" {
		code = "I"
	}
	return mrz.Fields{
		DocumentCode: code, IssuingState: p.State, Surname: plain(p.Surname), GivenNames: plain(p.Given),
		DocumentNumber: p.Number, Nationality: p.Nationality, BirthDate: p.Birth, Sex: p.Sex,
		ExpiryDate: p.Expiry, OptionalData: p.Optional,
	}
}

// plain turns a printed name into letters and spaces.
func plain(name string) string {
	return strings.ToUpper(strings.ReplaceAll(name, "-", " "))
}

package mrz

import (
	"strings"

	"github.com/counterproof/counterproof/agent/proof"
)

// Fields are what a zone says, without fillers: capitals, digits and single
// spaces, and "?" for a character that no zone has. A field that the format
// lacks is empty.
type Fields struct {
	DocumentCode   string // "P", "ID", "VB", …
	IssuingState   string // ICAO 9303-3 §5; "D" is Germany
	Surname        string // primary identifier; may be empty (ICAO 9303-3 §4.6)
	GivenNames     string // secondary identifier
	DocumentNumber string // whole, also where it goes on in the optional data
	Nationality    string // ICAO 9303-3 §5
	Sex            string // M, F or X; "" is unspecified, printed as "<"
	// BirthDate and ExpiryDate are zero where the document leaves them unknown,
	// and where Parse had no reference date. What is printed but is not a date,
	// such as 30 February, is a Date with a Year that is not Valid.
	BirthDate, ExpiryDate           proof.Date
	BirthDateValid, ExpiryDateValid bool
	IssueDate                       proof.Date // FRID: year and month
	OptionalData                    string     // TD1: of the first line, without the rest of a long number
	OptionalData2                   string     // TD1: of the second line
	Office                          string     // FRID: department and office of issue
	Language                        string     // CHDL: D, F, I or R
	PIN                             string     // CHDL
	Version                         string     // CHDL and Dutch DL30
	// MRZInformation is the secret of the chip's access key: number, birth and
	// expiry with their digits as printed (ICAO 9303-11 §9.7.2). Empty unless
	// the format may have a chip and the three digits agree.
	MRZInformation string
	// NamesTruncated says that a name fills its field to the last place, so more
	// of it may be missing (ICAO 9303-4 §4.2.3).
	NamesTruncated               bool
	StateKnown, NationalityKnown bool // on the list of ICAO 9303-3 §5
}

// fields reads the fields of a zone.
func (z zone) fields(ref proof.Date) Fields {
	l := z.layout
	f := Fields{
		DocumentCode: z.field(l.code), IssuingState: z.field(l.state), Nationality: z.field(l.nationality),
		DocumentNumber: z.field(l.number), Sex: z.field(l.sex),
		OptionalData: z.field(l.optional), OptionalData2: z.field(l.optional2),
		Office: z.field(l.office), Language: z.field(l.language), PIN: z.field(l.pin), Version: z.field(l.version),
	}
	if r, ok := l.rule(checkNumber); ok {
		if n, ok := z.longNumber(r); ok {
			f.DocumentNumber, f.OptionalData = plain(n.head+n.tail), plain(n.rest)
		}
	}
	f.Surname, f.GivenNames, f.NamesTruncated = z.names()
	if !l.birth.empty() {
		f.BirthDate, f.BirthDateValid = past(z.text(l.birth), ref)
	}
	if !l.expiry.empty() {
		f.ExpiryDate, f.ExpiryDateValid = nearest(z.text(l.expiry), ref)
	}
	if !l.issued.empty() {
		f.IssueDate, _ = past(z.text(l.issued)+"<<", ref)
	}
	f.StateKnown, f.NationalityKnown = StateKnown(f.IssuingState), StateKnown(f.Nationality)
	f.MRZInformation = z.mrzInformation()
	return f
}

// names reads surname and given names, which two fillers part. Without those
// the whole is the primary identifier; two fillers at the start leave it empty.
func (z zone) names() (surname, given string, truncated bool) {
	l := z.layout
	full := func(s span) bool { return !s.empty() && !strings.HasSuffix(z.text(s), "<") }
	if l.name.empty() {
		return z.field(l.surname), z.field(l.given), full(l.surname) || full(l.given)
	}
	primary, secondary, _ := strings.Cut(z.text(l.name), "<<")
	return plain(primary), plain(secondary), full(l.name)
}

// mrzInformation joins what the chip's access key is made from.
func (z zone) mrzInformation() string {
	if !z.layout.chip {
		return ""
	}
	var out strings.Builder
	for _, name := range [...]string{checkNumber, checkBirth, checkExpiry} {
		r, ok := z.layout.rule(name)
		if !ok || !z.agrees(r) {
			return ""
		}
		if n, ok := z.longNumber(r); ok {
			out.WriteString(n.head + n.tail + string(n.digit))
			continue
		}
		out.WriteString(z.text(r.cover[0]) + z.text(r.digit))
	}
	return out.String()
}

// Map gives the fields under the keys in which other programs know them. A key
// is there where the format has the field:
//
//	document_code, issuing_state, icao_state_known, specimen   every format
//	surname, given_names, names_truncated
//	document_number, nationality, nationality_known
//	sex                     M, F or X, "<" where unspecified
//	birth_date              1970-01-??; ????-??-?? where unknown, "" where impossible
//	birth_date_precision    day, month, year or none
//	birth_date_valid        false where the characters are no date
//	expiry_date, expiry_date_precision, expiry_date_valid      likewise
//	optional_data           TD2, TD3, visas, licences
//	optional_data_1, _2     TD1
//	mrz_information         where the chip's access key can be made
//	issue_date, administrative_code                            FRID
//	language, pin, version                                     CHDL, Dutch licences
//
// It is empty for Unknown.
func (d Document) Map() map[string]any {
	m := map[string]any{}
	f := d.Fields
	l, ok := layoutOf(d.Format, f.IssuingState)
	if !ok {
		return m
	}
	put := func(s span, key string, value any) {
		if !s.empty() {
			m[key] = value
		}
	}
	m["document_code"], m["issuing_state"] = f.DocumentCode, f.IssuingState
	m["icao_state_known"], m["specimen"] = f.StateKnown, d.Specimen
	put(l.number, "document_number", f.DocumentNumber)
	put(l.nationality, "nationality", f.Nationality)
	put(l.nationality, "nationality_known", f.NationalityKnown)
	put(l.sex, "sex", printedSex(f.Sex))
	put(l.optional2, "optional_data_2", f.OptionalData2)
	put(l.issued, "issue_date", printedDate(f.IssueDate, f.IssueDate.Valid()))
	put(l.office, "administrative_code", f.Office)
	put(l.language, "language", f.Language)
	put(l.pin, "pin", f.PIN)
	put(l.version, "version", f.Version)
	d.mapNames(m, l)
	d.mapDates(m, l)
	key := "optional_data"
	if !l.optional2.empty() {
		key = "optional_data_1"
	}
	put(l.optional, key, f.OptionalData)
	if f.MRZInformation != "" {
		m["mrz_information"] = f.MRZInformation
	}
	return m
}

// mapNames adds the names that the layout has.
func (d Document) mapNames(m map[string]any, l *layout) {
	if !l.hasNames() {
		return
	}
	m["surname"], m["names_truncated"] = d.Fields.Surname, d.Fields.NamesTruncated
	if !l.name.empty() || !l.given.empty() {
		m["given_names"] = d.Fields.GivenNames
	}
}

// mapDates adds the dates that the layout has.
func (d Document) mapDates(m map[string]any, l *layout) {
	add := func(s span, key string, date proof.Date, valid bool) {
		if s.empty() {
			return
		}
		precision := "none"
		if valid {
			precision = date.Precision()
		}
		m[key], m[key+"_precision"], m[key+"_valid"] = printedDate(date, valid), precision, valid
	}
	add(l.birth, "birth_date", d.Fields.BirthDate, d.Fields.BirthDateValid)
	add(l.expiry, "expiry_date", d.Fields.ExpiryDate, d.Fields.ExpiryDateValid)
}

// printedDate writes a date for Map.
func printedDate(d proof.Date, valid bool) string {
	if !valid {
		return ""
	}
	if d.Year == 0 {
		return "????-??-??"
	}
	return d.String()
}

// printedSex writes the sex for Map, as ICAO 9303-4 §4.2.2.2 prints it.
func printedSex(sex string) string {
	if sex == "" {
		return "<"
	}
	return sex
}

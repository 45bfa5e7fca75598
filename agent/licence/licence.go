// Package licence reads driving licences: driver numbers of the United Kingdom,
// the numbered fields of European licences (Directive 2006/126/EC, annex I) and
// the bar code of American ones (AAMVA DL/ID Card Design Standard, annex D). It
// says at once which of the details that a clerk keyed, or a picture or a
// scanner filled in, contradict each other.
//
// It never decides whether a licence counts, never asks a register and never
// reads a picture: lines and texts come in, fields and codes go out. The day of
// the visit comes in as a value.
//
// # The laws
//
//   - A contradiction is a code with the field that it is about, for a person to
//     look at. It is no refusal: names change, and a married name may be newer
//     than the card.
//   - What is not told is not compared, and what cannot be compared says so.
//   - A reading changes only where the place leaves one possibility, and then
//     says that it did.
//   - A letter that only looks like another is never taken for it.
//   - Whatever comes in is hostile: bounded, never a panic. No code and no error
//     holds what a document says.
package licence

import (
	"slices"
	"strings"

	"github.com/counterproof/counterproof/agent/mrz"
	"github.com/counterproof/counterproof/agent/proof"
)

// What may be wrong with a licence, beside the codes of driver numbers and
// proof.DateImpossible, proof.DocExpired, proof.DocSpecimen, proof.NameTransposed.
const (
	FieldMissing   proof.Code = "field_missing"         // a field that every licence has is empty
	NameOddLetters proof.Code = "name_odd_letters"      // see ReadName
	DateIncomplete proof.Code = "date_incomplete"       // a licence prints whole dates
	DateFuture     proof.Code = "date_future"           // after the day of the visit
	IssuedLate     proof.Code = "issued_after_expiry"   // 4a is not before 4b
	IssuedUnborn   proof.Code = "issued_before_birth"   // 4a is before 3
	HolderTooYoung proof.Code = "holder_too_young"      // at the date of issue
	HolderTooOld   proof.Code = "holder_too_old"        // today
	TermTooLong    proof.Code = "validity_too_long"     // longer than the issuer grants
	AuthorityOther proof.Code = "authority_number"      // number and authority of two parts of the United Kingdom
	CategoryOdd    proof.Code = "category_unknown"      // no category of vehicles
	CenturyAssumed proof.Code = "century_assumed"       // the year was printed with two digits
	Repaired       proof.Code = "repaired"              // a character that its place did not allow was read as its lookalike
	PayloadOdd     proof.Code = "payload_odd"           // header and content of a bar code disagree
	ElementTwice   proof.Code = "element_contradictory" // an element comes twice with two values
)

// Licence is what is printed on a licence, by the numbers of Directive
// 2006/126/EC, annex I. A field that was not read is zero.
type Licence struct {
	Issuer     string     // ICAO 9303-3 §5 code of the state: GBR, D, FRA, USA
	Surname    proof.Name // 1
	Given      proof.Name // 2, without a title
	Birth      proof.Date // 3
	BirthPlace string     // 3
	Issued     proof.Date // 4a
	Expires    proof.Date // 4b
	Authority  string     // 4c
	Personal   string     // 4d, a number for administration
	Number     string     // 5
	Signed     bool       // 7, which only a person can see; not judged
	Address    string     // 8
	Categories []string   // 9
	Sex        string     // M, F or X; European licences do not print it
}

// Problem is one thing that is wrong, with the field of Directive 2006/126/EC
// that shows it: "1", "2", "3", "4a", "4b", "4c", "5" or "9".
type Problem struct {
	Field string     `json:"field"`
	Code  proof.Code `json:"code"`
}

// Person is the identity that the licence claims.
func (l Licence) Person() proof.Person {
	return proof.Person{Surname: l.Surname, Given: l.Given, Birth: l.Birth, Sex: l.Sex}
}

// Check compares the fields with each other and with the day of the visit, in
// Europe/London. Problems come in the order of the fields, each once.
func (l Licence) Check(today proof.Date) []Problem {
	out := slices.Concat(l.checkNames(), l.checkBirth(today), l.checkTerm(today), l.checkNumber(), l.checkCategories())
	slices.SortStableFunc(out, func(a, b Problem) int { return strings.Compare(a.Field, b.Field) })
	return slices.Compact(out)
}

// found collects a problem if there is one.
func found(out []Problem, odd bool, field string, code proof.Code) []Problem {
	if odd {
		return append(out, Problem{field, code})
	}
	return out
}

// checkNames judges the names by themselves. Some people have one name only, so
// field 2 may be empty.
func (l Licence) checkNames() []Problem {
	out := found(nil, !told(l.Surname), "1", FieldMissing)
	out = found(out, oddName(l.Surname), "1", NameOddLetters)
	out = found(out, oddName(l.Given), "2", NameOddLetters)
	specimen := mrz.Specimen(mrz.Document{Fields: mrz.Fields{
		IssuingState: l.Issuer, Surname: l.Surname.ICAO, GivenNames: l.Given.ICAO, DocumentNumber: l.Number,
	}})
	return found(out, specimen || slices.Contains(specimenNumbers, squeeze(l.Number)), "5", proof.DocSpecimen)
}

// specimenNumbers are those of licences that are shown in public: the British
// samples and that of the American standard.
var specimenNumbers = []string{"MORGA657054SM9IJ", "MORGA753116SM9IJ", "T64235789"}

// Ages of holders, in years. Fourteen is the lowest that a member state may set
// for mopeds (Directive 2006/126/EC art. 4) and that a learner has in America.
const (
	youngest   = 14
	youngestGB = 15 // provisional licences are issued before the birthday that counts
	oldest     = 120
)

// checkBirth judges the birth date against today and the date of issue.
func (l Licence) checkBirth(today proof.Date) []Problem {
	out := checkDate(l.Birth, "3")
	if len(out) > 0 {
		return out
	}
	out = found(out, today.Before(l.Birth), "3", DateFuture)
	out = found(out, age(l.Birth, today) > oldest, "3", HolderTooOld)
	if len(checkDate(l.Issued, "4a")) > 0 {
		return out
	}
	unborn := l.Issued.Before(l.Birth)
	out = found(out, unborn, "4a", IssuedUnborn)
	atLeast := youngest
	if l.british() {
		atLeast = youngestGB
	}
	return found(out, !unborn && age(l.Birth, l.Issued) < atLeast, "4a", HolderTooYoung)
}

// checkTerm judges the dates of issue and expiry.
func (l Licence) checkTerm(today proof.Date) []Problem {
	issued, expires := checkDate(l.Issued, "4a"), checkDate(l.Expires, "4b")
	out := slices.Concat(issued, expires)
	out = found(out, len(issued) == 0 && today.Before(l.Issued), "4a", DateFuture)
	out = found(out, len(expires) == 0 && l.Expires.Before(today), "4b", proof.DocExpired)
	if len(issued)+len(expires) > 0 {
		return out
	}
	out = found(out, !l.Issued.Before(l.Expires), "4b", IssuedLate)
	years := l.longest()
	return found(out, years > 0 && later(l.Issued, years).Before(l.Expires), "4b", TermTooLong)
}

// checkDate judges a date by itself.
func checkDate(d proof.Date, field string) []Problem {
	switch {
	case d == proof.Date{}:
		return []Problem{{field, FieldMissing}}
	case !d.Valid():
		return []Problem{{field, proof.DateImpossible}}
	case d.Precision() != "day":
		return []Problem{{field, DateIncomplete}}
	}
	return nil
}

// union are the states whose licences follow Directive 2006/126/EC: the European
// Union, Iceland, Liechtenstein and Norway.
const union = "AUT BEL BGR HRV CYP CZE DNK EST FIN FRA D DEU GRC HUN IRL ITA LVA LTU LUX MLT NLD POL PRT ROU SVK SVN ESP SWE ISL LIE NOR"

// longest is for how many years an issuer makes licences out at most: ten in the
// United Kingdom (photocard), fifteen by Directive 2006/126/EC art. 7; 0 is not
// known.
func (l Licence) longest() int {
	switch {
	case l.british():
		return 10
	case l.european():
		return 15
	}
	return 0
}

// later is the day a number of years and a month after d; the month is leave for
// offices that count from another day.
func later(d proof.Date, years int) proof.Date {
	d.Year += years
	if d.Month++; d.Month > 12 {
		d.Year, d.Month = d.Year+1, 1
	}
	return d
}

// age is the full years of life on a day; who was born on 29 February comes of
// age on 1 March.
func age(birth, on proof.Date) int {
	years := on.Year - birth.Year
	birth.Year = on.Year
	if on.Before(birth) {
		years--
	}
	return years
}

// british reports a licence of the United Kingdom. Where the issuer is not told,
// the number tells: no other state has its form.
func (l Licence) british() bool {
	if l.Issuer != "" {
		return l.Issuer == "GBR"
	}
	_, wrong := ParseGBNumber(l.Number)
	return len(wrong) == 0
}

// european reports a licence by Directive 2006/126/EC.
func (l Licence) european() bool {
	return slices.Contains(strings.Fields(union), l.Issuer)
}

// euLicence is the type of a licence by Directive 2006/126/EC (policy file).
const euLicence proof.EvidenceType = "eu_dl"

// Evidence is the type of evidence that a licence of this issuer is; licences of
// other parts of the world are proof.OtherDocument.
func (l Licence) Evidence() proof.EvidenceType {
	switch {
	case l.british():
		return proof.UKLicence
	case l.european():
		return euLicence
	}
	return proof.OtherDocument
}

// Authorities of the United Kingdom, as field 4c prints them.
const (
	authorityGB = "DVLA"
	authorityNI = "DVA"
)

// checkNumber compares the driver number with the other fields; only those of
// the United Kingdom tell anything.
func (l Licence) checkNumber() []Problem {
	if strings.TrimSpace(l.Number) == "" {
		return []Problem{{"5", FieldMissing}}
	}
	if !l.british() {
		return found(nil, !plainNumber(l.Number), "5", NumberPlaces)
	}
	var out []Problem
	for _, code := range CheckNumber(l.Number, l.Person()).Problems {
		if field := fieldOf(code); field != "" {
			out = append(out, Problem{field, code})
		}
	}
	_, irish := ParseNINumber(l.Number)
	office := strings.ToUpper(l.Authority)
	other := irish && strings.Contains(office, authorityGB) || !irish && strings.Contains(office, authorityNI)
	return found(out, other, "4c", AuthorityOther)
}

// fieldOf is the field that a code of CheckNumber is shown at; "" for those that
// the field itself was judged by already.
func fieldOf(code proof.Code) string {
	switch code {
	case proof.NameTransposed:
		return "1"
	case NameOddLetters, proof.DateImpossible, NumberSilent:
		return ""
	}
	return "5"
}

// plainNumber reports what the number of any licence may consist of.
func plainNumber(s string) bool {
	const longest = 25
	text := squeeze(s)
	return text != "" && len(text) <= longest && strings.Trim(text, capitals+"0123456789/.*") == ""
}

// maxCategory is the length of the longest category: C1E, D1E, and national ones.
const maxCategory = 4

// checkCategories judges field 9 by the form of its entries: states have
// categories of their own beside those of Directive 2006/126/EC art. 4.
func (l Licence) checkCategories() []Problem {
	odd := slices.ContainsFunc(l.Categories, func(c string) bool {
		c = strings.ToUpper(c)
		if c == "" || len(c) > maxCategory || !letter(c[0]) {
			return true
		}
		return strings.Trim(c, capitals+"0123456789") != ""
	})
	return found(nil, odd, "9", CategoryOdd)
}

package licence

import (
	"slices"
	"strings"

	"github.com/counterproof/counterproof/agent/proof"
)

// What a driver number may contradict or lack. None of them is a refusal: names
// change, and a married name may wait years for its licence.
const (
	NumberLength   proof.Code = "number_length"   // neither sixteen characters nor eight digits
	NumberPlaces   proof.Code = "number_places"   // a character that its place does not allow
	NumberDate     proof.Code = "number_date"     // holds no day of the calendar
	NumberSurname  proof.Code = "number_surname"  // made from another surname
	NumberInitials proof.Code = "number_initials" // made from other given names
	NumberBirth    proof.Code = "number_birth"    // made from another birth date
	NumberSex      proof.Code = "number_sex"      // made for the other sex
	NumberSilent   proof.Code = "number_silent"   // holds nothing to compare with (Northern Ireland)
)

// Lengths of driver numbers, in characters.
const (
	lengthGB  = 16
	lengthNI  = 8
	maxTyped  = 64 // of a number with its spaces
	issueTail = 2  // digits of the issue number, printed after a GB number
)

// GBNumber is a driver number of Great Britain (DVLA, INF1D "driver number").
// It has no public check digit: its last two letters are the issuer's own, and
// only their form can be judged.
type GBNumber struct {
	Text     string // sixteen capitals and digits
	Issue    string // the two digits of the issue number, which is no part of it; "" where not given
	Surname  string // first five letters of the surname, MAC as MC, filled with 9
	Initials string // of the first two given names, 9 where there is none
	// Year is the last two digits of the year of birth; the century is not told.
	Year, Month, Day int
	Female           bool // month + 50
}

// ParseGBNumber reads a number as a person types it: spaces, hyphens and lower
// case are forgiven, an issue number after it is set apart. problems is empty
// where the number is well formed, else one of NumberLength, NumberPlaces and
// NumberDate, and only Text tells what was read.
func ParseGBNumber(typed string) (n GBNumber, problems []proof.Code) {
	text := squeeze(typed)
	if len(text) == lengthGB+issueTail && digits(text[lengthGB:]) {
		text, n.Issue = text[:lengthGB], text[lengthGB:]
	}
	n.Text = text
	if len(text) != lengthGB {
		return GBNumber{Text: text}, []proof.Code{NumberLength}
	}
	if !inPlace(text) {
		return GBNumber{Text: text}, []proof.Code{NumberPlaces}
	}
	n.Surname, n.Initials = text[:5], text[11:13]
	n.Year, n.Day = number(text[5:6]+text[10:11]), number(text[8:10])
	n.Month = number(text[6:8])
	if n.Female = n.Month > 50; n.Female {
		n.Month -= 50
	}
	// Year 00 is read as 2000, a leap year; nobody born in 1900 drives.
	if n.Month == 0 || n.Day == 0 || !(proof.Date{Year: 2000 + n.Year, Month: n.Month, Day: n.Day}).Valid() {
		return GBNumber{Text: text}, []proof.Code{NumberDate}
	}
	return n, nil
}

// specimens are driver numbers of the samples that the DVLA shows in public.
var specimens = []string{"MORGA657054SM9IJ", "MORGA753116SM9IJ"}

// Specimen reports a driver number that is on a public sample and nobody's.
func Specimen(typed string) bool {
	text := squeeze(typed)
	return len(text) >= lengthGB && slices.Contains(specimens, text[:lengthGB])
}

// ParseNINumber reads a driver number of Northern Ireland (DVA): eight digits
// that hold nothing about the holder. Spaces and hyphens are forgiven.
func ParseNINumber(typed string) (text string, ok bool) {
	text = squeeze(typed)
	return text, len(text) == lengthNI && digits(text)
}

// squeeze takes the spaces, the hyphens and the lower case of people's habits
// out of a number. Letters of other alphabets stay, so that they are refused.
func squeeze(typed string) string {
	if len(typed) > maxTyped {
		return ""
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ' || r == '\t' || r == '\u00a0' || r == '-':
			return -1
		case 'a' <= r && r <= 'z':
			return r - 'a' + 'A'
		}
		return r
	}, typed)
}

// placesGB is the alphabet of each place of a GB number: n a letter of a name or
// the filler 9, d a digit, a arbitrary, l a letter.
const placesGB = "nnnnnddddddnnall"

// arbitrary are the characters of the fourteenth place: normally 9, lowered
// where two drivers would share a number, and never one that is easily misread.
const arbitrary = "23456789ABCDEFGHJKLMNPRSTUVWX"

// inPlace reports whether every character of a GB number is one that its place
// allows, with no letter after a filler and at least one letter of a surname.
func inPlace(text string) bool {
	for i := range len(text) {
		if !allows(placesGB[i], text[i]) {
			return false
		}
	}
	surname, given := strings.TrimRight(text[:5], "9"), strings.TrimRight(text[11:13], "9")
	return surname != "" && !strings.Contains(surname+given, "9")
}

// allows reports whether a kind of place takes a character.
func allows(place, c byte) bool {
	switch place {
	case 'n':
		return letter(c) || c == '9'
	case 'd':
		return '0' <= c && c <= '9'
	case 'a':
		return strings.IndexByte(arbitrary, c) >= 0
	}
	return letter(c)
}

// letter reports a capital A to Z.
func letter(c byte) bool { return 'A' <= c && c <= 'Z' }

// digits reports ASCII digits and nothing else.
func digits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// number reads a few ASCII digits.
func number(s string) int {
	n := 0
	for _, c := range []byte(s) {
		n = n*10 + int(c-'0')
	}
	return n
}

// Compare says what of a person the number was not made from. What the person
// leaves open (an empty name, a date or a part of one, a sex other than M and F)
// is not compared. Surname and given names that fit only when they change places
// are proof.NameTransposed instead of two mismatches.
func (n GBNumber) Compare(p proof.Person) []proof.Code {
	out := n.compareNames(p)
	if p.Birth.Year != 0 && !n.born(p.Birth) {
		out = append(out, NumberBirth)
	}
	if p.Sex == "M" && n.Female || p.Sex == "F" && !n.Female {
		out = append(out, NumberSex)
	}
	return out
}

// compareNames compares the names alone.
func (n GBNumber) compareNames(p proof.Person) []proof.Code {
	var out []proof.Code
	if told(p.Surname) && !n.hasSurname(p.Surname) {
		out = append(out, NumberSurname)
	}
	if told(p.Given) && !slices.Contains(initials(p.Given), n.Initials) {
		out = append(out, NumberInitials)
	}
	both := told(p.Surname) && told(p.Given)
	if len(out) > 0 && both && n.hasSurname(p.Given) && slices.Contains(initials(p.Surname), n.Initials) {
		return []proof.Code{proof.NameTransposed}
	}
	return out
}

// hasSurname reports whether the number was made from a surname.
func (n GBNumber) hasSurname(name proof.Name) bool {
	return slices.ContainsFunc(keys(name), func(key string) bool { return surnameGB(key) == n.Surname })
}

// surnameGB writes the first five places for a surname in A to Z.
func surnameGB(key string) string {
	if rest, ok := strings.CutPrefix(key, "MAC"); ok {
		key = "MC" + rest
	}
	return (key + "99999")[:5]
}

// born compares the parts of a birth date that are known.
func (n GBNumber) born(d proof.Date) bool {
	return d.Year%100 == n.Year && (d.Month == 0 || d.Month == n.Month) && (d.Day == 0 || d.Day == n.Day)
}

// Verdict is what a driver number of the United Kingdom comes to.
type Verdict struct {
	Valid bool // well formed, of Great Britain or Northern Ireland
	// Match: well formed, and nothing that was compared contradicts it. Of a
	// number of Northern Ireland that is all that can be said, and Problems say
	// NumberSilent.
	Match    bool
	Problems []proof.Code
}

// CheckNumber judges a driver number of the United Kingdom against a person.
func CheckNumber(typed string, p proof.Person) Verdict {
	_, irish := ParseNINumber(typed)
	v := Verdict{Valid: true}
	if !irish {
		n, wrong := ParseGBNumber(typed)
		v.Valid, v.Problems = len(wrong) == 0, wrong
		if v.Valid {
			v.Problems = n.Compare(p)
		}
	}
	v.Problems = append(v.Problems, oddPerson(p)...)
	v.Match = v.Valid && len(v.Problems) == 0
	if irish {
		v.Problems = append(v.Problems, NumberSilent)
	}
	return v
}

// oddPerson says what is wrong with a person's details by themselves.
func oddPerson(p proof.Person) []proof.Code {
	var out []proof.Code
	if oddName(p.Surname) || oddName(p.Given) {
		out = append(out, NameOddLetters)
	}
	if p.Birth != (proof.Date{}) && !p.Birth.Valid() {
		out = append(out, proof.DateImpossible)
	}
	return out
}

// Package mrz parses, checks, repairs and composes machine-readable zones: the
// lines of capitals, digits and "<" on passports, cards, visas and some driving
// licences (ICAO Doc 9303 parts 3 to 7, ISO/IEC 18013, and two national forms).
//
// It never reads a picture or a device, never asks the clock and never decides
// whether a document counts: it says what the lines say, which check digits
// agree and what is odd about them.
//
// # The laws
//
//   - Parse never fails. Lines that are no zone are a [Document] of format
//     [Unknown].
//   - Checks judge the lines as they were given. A repair changes what Fields
//     say, never what a check digit says.
//   - Fields change only where a check digit agrees or the alphabet of the place
//     leaves one possibility, such as a digit in a name. Everything else is only
//     suggested, by [Repair].
//   - Lines must have exactly the length of their format. Where lines differ by
//     trailing fillers, which clerks and old readers drop, the zone is refused
//     and the filled lines are suggested.
//   - No text of this package but the lines and the fields holds what a document
//     says: names of checks and problems are words of closed lists.
package mrz

import (
	"strings"

	"github.com/counterproof/counterproof/agent/proof"
)

// Format is a layout of machine-readable zone.
type Format string

// The formats, with their lines and characters a line.
const (
	TD1     Format = "TD1"  // cards, 3 × 30 (ICAO 9303-5)
	TD2     Format = "TD2"  // cards and sheets, 2 × 36 (ICAO 9303-6)
	TD3     Format = "TD3"  // passports, 2 × 44 (ICAO 9303-4)
	MRVA    Format = "MRVA" // visas, 2 × 44 (ICAO 9303-7)
	MRVB    Format = "MRVB" // visas, 2 × 36 (ICAO 9303-7)
	FRID    Format = "FRID" // French identity cards until 2021, 2 × 36
	CHDL    Format = "CHDL" // Swiss driving licences, 9 + 30 + 30
	DL30    Format = "DL30" // driving licences, 1 × 30 (ISO/IEC 18013-3)
	Unknown Format = "?"    // no zone
)

// Formats lists every format but Unknown.
func Formats() []Format {
	return []Format{TD3, TD1, TD2, MRVA, MRVB, FRID, CHDL, DL30}
}

// Names of checks, as FailingChecks tells them.
const (
	checkNumber    = "document_number"
	checkBirth     = "birth_date"
	checkExpiry    = "expiry_date"
	checkOptional  = "optional_data"
	checkComposite = "composite"
	checkCharset   = "charset" // a character that no zone has
)

// Words for what is odd about a zone; Document.Problems explains them.
const (
	problemNoMRZ       = "no_mrz"
	problemLength      = "line_length"
	problemCharset     = "charset"
	problemPosition    = "position"
	problemState       = "issuing_state_unknown"
	problemNationality = "nationality_unknown"
	problemBirth       = "birth_date_impossible"
	problemExpiry      = "expiry_date_impossible"
	problemOrder       = "expiry_before_birth"
	problemName        = "name_missing"
	problemReference   = "no_reference_date"
	problemRepaired    = "repaired"
	problemSpecimen    = "specimen"
)

// Check is one check of a zone.
type Check struct {
	Name  string // document_number, birth_date, expiry_date, optional_data, composite or charset
	Valid bool
}

// Document is what a zone says.
type Document struct {
	Format Format
	// Lines are the lines as given, without spaces at their ends and without
	// empty lines.
	Lines []string
	// Settled are the lines that Fields were read from: Lines where nothing was
	// repaired, nil for Unknown. A character that no zone has is "?".
	Settled []string
	Fields  Fields
	// Checks are those that the format has, over Lines. A character that no
	// zone has makes one failing check, charset, and no other is tried.
	Checks []Check
	// Problems are words of a closed list:
	//
	//	no_mrz                  the lines are no zone
	//	line_length             they would be one, were fillers added or cut at the end
	//	charset                 a character that no zone has
	//	position                a character that its place does not allow
	//	issuing_state_unknown   not on the list of ICAO 9303-3 §5, no specimen code
	//	nationality_unknown     the same of the nationality
	//	birth_date_impossible   not a date
	//	expiry_date_impossible  not a date
	//	expiry_before_birth     the dates contradict each other
	//	name_missing            no letter of a name
	//	no_reference_date       Parse was given none, so centuries are not told
	//	repaired                Fields differ from Lines; see Settled
	//	specimen                see Specimen
	Problems []string
	// Specimen says that the document is a known specimen (see Specimen).
	Specimen bool
}

// Parse reads the lines of a zone. The reference date, normally the day of the
// visit, settles centuries: a birth is in the latest year that is not after it,
// an expiry in the nearest year. With a zero date years are not told.
func Parse(lines []string, ref proof.Date) Document {
	d := Document{Format: Unknown, Lines: trimmed(lines)}
	z, ok := read(d.Lines)
	if !ok {
		d.Problems = []string{problemNoMRZ}
		if _, ok := refit(d.Lines); ok {
			d.Problems = append(d.Problems, problemLength)
		}
		return d
	}
	settled := z.settle()
	d.Format = z.format
	d.Settled = settled.lines()
	d.Fields = settled.fields(ref)
	d.Checks = z.checks()
	d.Specimen = Specimen(d)
	d.Problems = z.problems(d, settled, ref)
	return d
}

// ChecksValid tells whether every check agrees; known is false where the format
// has no check digits (CHDL). A zone of format Unknown is known not to be valid.
func (d Document) ChecksValid() (valid, known bool) {
	if d.Format == Unknown {
		return false, true
	}
	return len(d.FailingChecks()) == 0, len(d.Checks) > 0
}

// FailingChecks names the checks that do not agree, in the order of the zone.
func (d Document) FailingChecks() []string {
	var names []string
	for _, c := range d.Checks {
		if !c.Valid {
			names = append(names, c.Name)
		}
	}
	return names
}

// problems collects what is odd about a zone.
func (z zone) problems(d Document, settled zone, ref proof.Date) []string {
	f, l := d.Fields, z.layout
	var out []string
	add := func(odd bool, word string) {
		if odd {
			out = append(out, word)
		}
	}
	foul := z.foul()
	add(foul, problemCharset)
	add(!foul && settled.outOfPlace(), problemPosition)
	add(!f.StateKnown && !specimenState(f.IssuingState), problemState)
	add(!l.nationality.empty() && !f.NationalityKnown && !specimenState(f.Nationality), problemNationality)
	add(!l.birth.empty() && !f.BirthDateValid, problemBirth)
	add(!l.expiry.empty() && !f.ExpiryDateValid, problemExpiry)
	add(f.BirthDate.Valid() && f.ExpiryDate.Valid() && f.ExpiryDate.Before(f.BirthDate), problemOrder)
	add(l.hasNames() && f.Surname+f.GivenNames == "", problemName)
	add(ref.Year == 0, problemReference)
	add(!foul && strings.Join(d.Lines, "") != strings.Join(d.Settled, ""), problemRepaired)
	add(d.Specimen, problemSpecimen)
	return out
}

// trimmed drops spaces and line ends around lines, and empty lines: readers
// send them, and no zone has a space.
func trimmed(lines []string) []string {
	out := make([]string, 0, len(lines))
	for _, l := range lines {
		if l = strings.Trim(l, " \t\r\n"); l != "" {
			out = append(out, l)
		}
	}
	return out
}

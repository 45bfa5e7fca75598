package mrz

import (
	"fmt"
	"strings"

	"github.com/counterproof/counterproof/agent/proof"
)

// Compose writes the zone of a document, with its check digits; nil for Unknown.
// Texts are put into capitals; an apostrophe is dropped, and any other character
// that no zone has becomes a filler (ICAO 9303-3 §4.6), so names should come in
// ICAO form. What is too long is cut, names so that the cut shows. A number of
// more than nine characters goes on in the optional data of TD1 and TD2; Sex X
// is printed as "<". The fields that Parse derives are not looked at.
//
// It is for specimens, simulators and tests.
func Compose(f Fields, format Format) []string {
	l, ok := layoutOf(format, f.IssuingState)
	if !ok {
		return nil
	}
	z := zone{format: format, layout: l}
	for _, n := range format.Lines() {
		z.rows = append(z.rows, []byte(strings.Repeat("<", n)))
	}
	z.put(l.code, f.DocumentCode)
	z.put(l.state, f.IssuingState)
	z.put(l.nationality, f.Nationality)
	z.put(l.office, f.Office)
	z.put(l.pin, f.PIN)
	z.put(l.version, f.Version)
	z.put(l.optional, f.OptionalData)
	z.put(l.optional2, f.OptionalData2)
	z.put(l.issued, stamp(f.IssueDate)[:4])
	number := printable(f.DocumentNumber)
	if len(number) > l.number.to-l.number.from {
		number = strings.ReplaceAll(number, "<", "")
	}
	z.put(l.number, number)
	if f.Language != "" {
		z.put(l.language, f.Language) // in CHDL a part of the number
	}
	z.put(l.birth, stamp(f.BirthDate))
	z.put(l.expiry, stamp(f.ExpiryDate))
	z.put(l.sex, strings.ReplaceAll(f.Sex, "X", ""))
	z.put(l.surname, f.Surname)
	z.put(l.given, f.GivenNames)
	if !l.name.empty() {
		z.put(l.name, fitNames(printable(f.Surname), printable(f.GivenNames), l.name.to-l.name.from))
	}
	z.digits(number, printable(f.OptionalData))
	return z.lines()
}

// put writes a text into a span and cuts what is too long.
func (z zone) put(s span, text string) {
	if s.empty() {
		return
	}
	copy(z.rows[s.line][s.from:s.to], printable(text))
}

// printable puts a text into the alphabet of a zone.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\'' || r == '’':
			return -1
		case r < 0x80 && Any.Allows(byte(r)):
			return r
		}
		return '<'
	}, strings.ToUpper(text))
}

// fitNames joins the names within a width. Where they must be cut, both are
// represented and the last place holds a letter (ICAO 9303-4 §4.2.3).
func fitNames(surname, given string, width int) string {
	if given == "" {
		return surname
	}
	if room := width - len("<<") - 1; len(surname) > room {
		surname = surname[:room]
	}
	for {
		name := surname + "<<" + given
		if len(name) <= width || name[width-1] != '<' || len(surname) < 2 {
			return name
		}
		surname = surname[:len(surname)-1]
	}
}

// digits writes the check digits, in the order of the rules, of which the
// composite is the last.
func (z zone) digits(number, optional string) {
	for _, r := range z.layout.rules {
		if z.putLongNumber(r, number, optional) {
			continue
		}
		var cover strings.Builder
		for _, s := range r.cover {
			cover.WriteString(z.text(s))
		}
		z.put(r.digit, string(CheckDigit(cover.String())))
	}
}

// putLongNumber writes a number that its field cannot hold, where the format
// lets it go on; what else the optional data hold follows after a filler.
func (z zone) putLongNumber(r rule, number, optional string) bool {
	head := z.layout.number.to - z.layout.number.from
	if r.overflow.empty() || len(number) <= head {
		return false
	}
	z.put(r.digit, "<")
	room := r.overflow.to - r.overflow.from
	number = number[:min(len(number), head+room-1)]
	tail := number[head:] + string(CheckDigit(number))
	z.put(r.overflow, tail+"<"+optional+strings.Repeat("<", room))
	return true
}

// stamp writes a date as YYMMDD with fillers for what is not known.
func stamp(d proof.Date) string {
	two := func(n int) string {
		if n < 1 {
			return "<<"
		}
		return fmt.Sprintf("%02d", n%100)
	}
	if d.Year < 1 {
		return "<<<<<<"
	}
	return fmt.Sprintf("%02d", d.Year%100) + two(d.Month) + two(d.Day)
}

package lds

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/counterproof/counterproof/agent/proof"
)

// Name is a name as the chip has it. A chip that does not part the name puts it
// whole into Surname.
type Name struct {
	Surname, Given string
}

// text reads a field of text: UTF-8 (§4.6.2), or Latin-1 as some states have it.
// What would not show, or would turn the writing, is shown as a sign of its own.
func text(b []byte) (string, bool) {
	if len(b) > MaxText {
		return "", false
	}
	rs := []rune(string(b))
	if !utf8.Valid(b) {
		rs = rs[:0]
		for _, c := range b {
			rs = append(rs, rune(c))
		}
	}
	for i, r := range rs {
		switch {
		case unicode.IsSpace(r):
			rs[i] = ' '
		case hidden(r):
			rs[i] = unicode.ReplacementChar
		}
	}
	return strings.Join(strings.Fields(string(rs)), " "), true
}

// blankPattern is a sign of Braille without a dot: a letter that shows nothing.
const blankPattern = '\u2800'

// hidden reports a sign that shows nothing or turns the direction of writing.
func hidden(r rune) bool {
	return !unicode.IsPrint(r) || r == blankPattern || unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// name reads a name, whose parts are set apart as in the zone: two fillers
// between surname and given names, one between words.
func name(b []byte) (Name, bool) {
	s, ok := text(b)
	surname, given, _ := strings.Cut(s, "<<")
	return Name{words(surname), words(given)}, ok
}

// words is a text with spaces for its fillers.
func words(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '<' || r == ' ' }), " ")
}

// lines reads text whose parts are set apart by fillers: an address, a place.
func lines(b []byte) ([]string, bool) {
	s, ok := text(b)
	var all []string
	for part := range strings.SplitSeq(s, "<") {
		if part = strings.TrimSpace(part); part != "" {
			all = append(all, part)
		}
	}
	return all, ok
}

// digits reads so many digits, written as characters or two to a byte (§4.7.11:
// states have written both).
func digits(b []byte, n int) (string, bool) {
	if len(b) == n/2 {
		var wide []byte
		for _, c := range b {
			wide = append(wide, '0'+c>>4, '0'+c&15)
		}
		b = wide
	}
	if len(b) != n || slices.ContainsFunc(b, func(c byte) bool { return c < '0' || c > '9' }) {
		return "", false
	}
	return string(b), true
}

// date reads a date YYYYMMDD. Months and days of zeros are unknown.
func date(b []byte) (proof.Date, bool) {
	s, ok := digits(b, len("YYYYMMDD"))
	if !ok {
		return proof.Date{}, false
	}
	n := 0
	for _, c := range s {
		n = 10*n + int(c-'0')
	}
	d := proof.Date{Year: n / 10000, Month: n / 100 % 100, Day: n % 100}
	if !d.Valid() {
		return proof.Date{}, false
	}
	return d, true
}

// moment reads the day of a moment YYYYMMDDhhmmss.
func moment(b []byte) (proof.Date, bool) {
	s, ok := digits(b, len("YYYYMMDDhhmmss"))
	if !ok {
		return proof.Date{}, false
	}
	return date([]byte(s[:8]))
}

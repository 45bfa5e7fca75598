package entry

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/counterproof/counterproof/agent/licence"
	"github.com/counterproof/counterproof/agent/nhs"
	"github.com/counterproof/counterproof/agent/proof"
)

// maxText bounds a line of text, in characters.
const maxText = 120

// text tidies a line of text: bounded, spaces folded, nothing that does not show.
func text(typed string) (string, bool) {
	typed = strings.Join(strings.Fields(typed), " ")
	ok := utf8.ValidString(typed) && utf8.RuneCountInString(typed) <= maxText && !strings.ContainsFunc(typed, hidden)
	if !ok {
		return "", false
	}
	return typed, true
}

// blankPattern is a sign of Braille without a dot: a letter that shows nothing.
const blankPattern = '\u2800'

// hidden reports a sign that shows nothing or turns the direction of writing:
// controls, format characters with the bidi controls among them, private and
// unused places of Unicode, and letters and marks that have no shape.
func hidden(r rune) bool {
	return !unicode.IsPrint(r) || r == blankPattern ||
		unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// upper writes small letters of ASCII as capitals. No other letter becomes one:
// a dotless i is no I, and a long s is no S.
func upper(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			return r - 'a' + 'A'
		}
		return r
	}, s)
}

// squeezed is a text without its spaces.
func squeezed(s string) string { return strings.Join(strings.Fields(s), "") }

// lastDigits is how much of an account's number is kept.
const lastDigits = 4

// number tidies the number of a document, in ASCII: a letter that only looks
// like another would make two documents of one.
func number(typed string, of proof.EvidenceType) (string, proof.Kind) {
	s := upper(squeezed(typed))
	switch {
	case strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }):
		return "", proof.KindOddLetters
	case len(s) > maxText:
		return "", proof.KindNumberWrong
	case s == "" && slices.Contains(numbered, of):
		return "", proof.KindDetailsMissing
	case slices.Contains(accounts, of):
		s = strings.Map(onlyPlain, s)
		s = s[max(0, len(s)-lastDigits):]
	case of == proof.UKLicence:
		s = driver(s)
	}
	return s, proof.KindNone
}

// driver is the number of a British licence as it names the holder: without the
// hyphens of people's habits, and without the issue number that is printed behind
// it. Otherwise one licence would be three documents.
func driver(typed string) string {
	if gb, wrong := licence.ParseGBNumber(typed); len(wrong) == 0 {
		return gb.Text
	}
	if ni, ok := licence.ParseNINumber(typed); ok {
		return ni
	}
	return typed
}

// onlyPlain drops what is no letter or digit of ASCII.
func onlyPlain(r rune) rune {
	if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
		return r
	}
	return -1
}

// plain reports letters and digits of ASCII, so many of them.
func plain(s string, least, most int) bool {
	return len(s) >= least && len(s) <= most && strings.Map(onlyPlain, s) == s
}

// organisation tidies the code of an organisation: 3 to 10 capitals and digits
// (PDS, nominated pharmacy).
func organisation(typed string) (string, bool) {
	o := nhs.Rules{}.ODS(strings.TrimSpace(typed))
	return o.Code, o.NominatedPharmacy
}

// tag reports the tag of a language (BCP 47), or none.
func tag(s string) bool {
	const longest, longestPart = 20, 8
	language, _, _ := strings.Cut(s, "-")
	if s == "" {
		return true
	}
	if len(s) > longest || len(language) < 2 || len(language) > 3 || strings.ContainsAny(language, "0123456789") {
		return false
	}
	return !slices.ContainsFunc(strings.Split(s, "-"), func(part string) bool { return !plain(part, 1, longestPart) })
}

// maxVersion bounds the name of a version, in bytes.
const maxVersion = 40

// Version is the name of the text that somebody agreed to, such as consent-cy-2;
// none is allowed. Auditors read it, so it is no place for free words: false for
// what is no letter, digit, hyphen, stop or underscore of ASCII.
func Version(typed string) (string, bool) {
	name := strings.TrimSpace(typed)
	odd := func(r rune) bool { return onlyPlain(r) < 0 && !strings.ContainsRune("-._", r) }
	return name, len(name) <= maxVersion && !strings.ContainsFunc(name, odd)
}

// among reports whether all words are on a list, and none of them twice.
func among[C ~string](words, list []C) bool {
	for i, w := range words {
		if !slices.Contains(list, w) || slices.Contains(words[:i], w) {
			return false
		}
	}
	return true
}

// postcode checks a British postcode (Royal Mail PAF: one or two letters, one or
// two digits or a digit and a letter, then a digit and two letters) and writes it
// with its space; none is allowed.
func postcode(typed string) (string, proof.Kind) {
	code := upper(squeezed(typed))
	if code == "" {
		return "", proof.KindNone
	}
	n := len(code)
	if n < 5 || n > 7 || !shaped(code[n-3:], "9AA") || !outward(code[:n-3]) {
		return "", proof.KindNumberWrong
	}
	return code[:n-3] + " " + code[n-3:], proof.KindNone
}

// outward reports the first half of a postcode.
func outward(s string) bool {
	shapes := []string{"A9", "A99", "AA9", "AA99", "A9A", "AA9A"}
	return slices.ContainsFunc(shapes, func(shape string) bool { return shaped(s, shape) })
}

// shaped compares a text with a shape: A is a letter, 9 a digit.
func shaped(s, shape string) bool {
	if len(s) != len(shape) {
		return false
	}
	for i := range len(s) {
		letter, digit := s[i] >= 'A' && s[i] <= 'Z', s[i] >= '0' && s[i] <= '9'
		if shape[i] == 'A' && !letter || shape[i] == '9' && !digit {
			return false
		}
	}
	return true
}

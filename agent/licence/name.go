package licence

import (
	"cmp"
	"strings"
	"unicode"

	"github.com/counterproof/counterproof/agent/proof"
)

// Bounds of a typed name.
const (
	maxName  = 200 // characters; no document prints more
	maxMarks = 2   // accents on one letter; Vietnamese has two
)

// Signs of names that are no letters. Apostrophes and stops leave no trace in a
// key; hyphens part the words of a name.
const (
	droppedSigns = "'’‘ʼʻ`´.·"
	hyphens      = "-‐‑‒–—"
)

// capitals are the letters of a name in ICAO form.
const capitals = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

// ReadName makes a Name of a name as a person typed it or a picture showed it:
// ICAO form by the transliterations of ICAO 9303-3 §6 (Ö is OE), hyphens as
// spaces, apostrophes left out. odd is true where something is no Latin letter
// of a European or Vietnamese name, nor a sign of names: letters of other
// scripts that look alike, digits, marks that turn the writing direction or
// show nothing. Such characters have no part in the ICAO form or the key, and
// those that would not show are U+FFFD in Printed.
func ReadName(printed string) (n proof.Name, odd bool) {
	f := fold(printed)
	n = proof.NewName(strings.Join(strings.Fields(f.icao), " "))
	n.Printed = shown(printed)
	return n, f.odd
}

// folded is a name in capitals A to Z.
type folded struct {
	plain string // accents dropped (Ö is O), hyphens kept
	icao  string // transliterated (Ö is OE), hyphens as spaces
	odd   bool
}

// fold puts a name into capitals A to Z, both ways.
func fold(printed string) folded {
	var plain, icao strings.Builder
	odd, marks := false, maxMarks // a mark needs a letter before it
	var last string
	for i, r := range []rune(strings.TrimSpace(printed)) {
		if i == maxName {
			odd = true
			break
		}
		switch {
		case unicode.Is(unicode.Mn, r):
			marks++
			odd = odd || marks > maxMarks || !accent(r)
			icao.WriteString(decomposed[last+string(r)])
			continue
		case unicode.IsSpace(r) && !unicode.IsControl(r):
			plain.WriteByte(' ')
			icao.WriteByte(' ')
		case strings.ContainsRune(hyphens, r):
			plain.WriteByte('-')
			icao.WriteByte(' ')
		case strings.ContainsRune(droppedSigns, r):
		default:
			letters, ok := latin(r)
			odd = odd || !ok
			plain.WriteString(letters)
			icao.WriteString(cmp.Or(transliterated[unicode.ToUpper(r)], letters))
			last, marks = letters, 0
			continue
		}
		last, marks = "", maxMarks
	}
	return folded{plain.String(), icao.String(), odd}
}

// accent reports a mark that Latin letters carry.
func accent(r rune) bool { return 0x300 <= r && r <= 0x36f }

// shown is a text as it may stand on a screen: nothing in it is invisible or
// turns the writing, and spaces are single ones.
func shown(printed string) string {
	rs := []rune(strings.TrimSpace(printed))
	text := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Co, r) {
			return unicode.ReplacementChar
		}
		return r
	}, string(rs[:min(len(rs), maxName)]))
	return strings.Join(strings.Fields(text), " ")
}

// oddName judges a name that is already a Name.
func oddName(n proof.Name) bool {
	if n.Printed != "" {
		return fold(n.Printed).odd
	}
	return strings.Trim(n.ICAO, capitals+" ") != ""
}

// told reports whether a name says anything.
func told(n proof.Name) bool { return n.Printed != "" || n.ICAO != "" || n.Key != "" }

// keys are the ways that an issuer may have put a name into A to Z.
func keys(n proof.Name) []string {
	icao := cmp.Or(n.Key, onlyLetters(n.ICAO))
	if n.Printed == "" {
		return []string{icao}
	}
	return []string{icao, onlyLetters(fold(n.Printed).plain)}
}

// onlyLetters drops everything but A to Z.
func onlyLetters(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 'A' || r > 'Z' {
			return -1
		}
		return r
	}, s)
}

// titles stand before the given names on British licences.
const titles = " MR MRS MISS MS MX DR REV SIR LADY LORD DAME PROF "

// withoutTitle drops a title before other names; an only word is a name.
func withoutTitle(words []string) []string {
	if len(words) > 1 && strings.Contains(titles, " "+strings.Trim(strings.ToUpper(words[0]), ".")+" ") {
		return words[1:]
	}
	return words
}

// initials are the pairs of initials that an issuer may have taken from given
// names, "9" for one that is not there. A hyphenated name may count once or
// twice, and what looks like a title may be a name.
func initials(n proof.Name) []string {
	plain := n.ICAO
	if n.Printed != "" {
		plain = fold(n.Printed).plain
	}
	var out []string
	words := strings.Fields(plain)
	for _, given := range [][]string{words, withoutTitle(words)} {
		whole := strings.Join(given, " ")
		out = append(out, twoInitials(whole), twoInitials(strings.ReplaceAll(whole, "-", " ")))
	}
	return out
}

// twoInitials takes the first letters of the first two words.
func twoInitials(names string) string {
	out := ""
	for word := range strings.FieldsSeq(names) {
		if letters := onlyLetters(word); letters != "" && len(out) < 2 {
			out += letters[:1]
		}
	}
	return (out + "99")[:2]
}

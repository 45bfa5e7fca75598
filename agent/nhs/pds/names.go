package pds

import (
	"strings"

	"github.com/counterproof/counterproof/agent/licence"
	"github.com/counterproof/counterproof/agent/proof"
)

// spelled is a name in every way that a record may have it: each form is its
// words in A to Z.
type spelled struct {
	forms [][]string
	odd   bool // there is something in it that no name has
}

// spell reads a name. What was printed counts twice, with umlauts written out
// and dropped; the machine-readable zone knows one of the two.
func spell(n proof.Name) spelled {
	var s spelled
	icao := strings.ToUpper(strings.ReplaceAll(n.ICAO, "<", " "))
	if strings.Trim(icao, capitals+" ") != "" {
		s.odd = true
		return s
	}
	s.add(icao)
	if n.Printed != "" {
		plain, written, odd := Letters(n.Printed)
		s.add(written)
		s.add(plain)
		s.odd = odd
	}
	return s
}

// add takes in a form that has words.
func (s *spelled) add(text string) {
	if words := strings.Fields(text); len(words) > 0 {
		s.forms = append(s.forms, words)
	}
}

// capitals are what is left of a name that was folded.
const capitals = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

// Letters writes a printed name in A to Z and single spaces, in two ways:
// plain drops accents (Ö is O), written transliterates as ICAO 9303-3 §6 (Ö is
// OE). Hyphens part words, apostrophes vanish, full-width letters count as the
// letters they are (NFKD). odd tells of letters of other scripts that look
// alike, digits, and marks that turn the writing or show nothing: such a name is
// compared with nobody's.
func Letters(printed string) (plain, written string, odd bool) {
	printed = strings.Map(narrow, printed)
	full, odd := licence.ReadName(printed)
	bare, _ := licence.ReadName(strings.Map(bareLetter, printed))
	return bare.ICAO, full.ICAO, odd
}

// narrow turns a full-width letter or hyphen into the ordinary one.
func narrow(r rune) rune {
	if '！' <= r && r <= '～' {
		return r - '！' + '!'
	}
	if r == '\u3000' {
		return ' '
	}
	return r
}

// bareLetter drops what makes one letter two in ICAO's table, composed or not.
func bareLetter(r rune) rune {
	switch r {
	case 'Ä', 'ä', 'Å', 'å':
		return 'A'
	case 'Ö', 'ö', 'Ø', 'ø', 'Ǿ', 'ǿ':
		return 'O'
	case 'Ü', 'ü':
		return 'U'
	case '\u0308', '\u030a': // the marks alone
		return -1
	}
	return r
}

// Soundex is the sound of a word in A to Z: its first letter and three digits
// (American Soundex, as PDS uses it for names that sound alike). "" has none.
func Soundex(word string) string {
	if word == "" {
		return ""
	}
	code := []byte{word[0]}
	last := sound(word[0])
	for i := 1; i < len(word) && len(code) < 4; i++ {
		c := sound(word[i])
		switch {
		case c == '-': // H and W do not part two letters of one sound
			continue
		case c != '0' && c != last:
			code = append(code, c)
		}
		last = c
	}
	return (string(code) + "000")[:4]
}

// sound is the digit of a letter, '0' for a vowel.
func sound(letter byte) byte {
	const sounds = "01230120022455012623010202" // A to Z; H and W apart
	switch {
	case letter == 'H' || letter == 'W':
		return '-'
	case 'A' <= letter && letter <= 'Z':
		return sounds[letter-'A']
	}
	return '0'
}

// maxWord bounds what is compared letter by letter.
const maxWord = 200

// Distance is how many letters one has to put in, take out or change to make
// one word the other (Levenshtein). Words beyond 200 bytes are cut.
func Distance(a, b string) int {
	a, b = a[:min(len(a), maxWord)], b[:min(len(b), maxWord)]
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// alike reports two words that sound alike and differ by one letter.
func alike(a, b string) bool {
	return a != "" && b != "" && Soundex(a) == Soundex(b) && Distance(a, b) <= 1
}

// asked is a name as the service is asked for it: as printed, for it knows
// accents, or as the machine-readable zone has it.
func asked(n proof.Name) string {
	if n.Printed != "" {
		return strings.Join(strings.Fields(strings.Map(narrow, n.Printed)), " ")
	}
	return strings.Join(strings.Fields(strings.ReplaceAll(n.ICAO, "<", " ")), " ")
}

// firstWord is the first of several names.
func firstWord(names string) string {
	words := strings.Fields(names)
	if len(words) == 0 {
		return ""
	}
	return words[0]
}

package pdssim

import (
	"math"
	"slices"
	"strings"

	"github.com/counterproof/counterproof/agent/nhs/pds"
)

// The scale of a fuzzy search. Scores are multiplied, so that several small
// differences come to a large one.
const (
	sameSound    = 0.9317  // a family name that sounds alike
	nearGiven    = 0.9634  // a given name that sounds alike, is an initial or a beginning
	laterGiven   = 0.98341 // a further given name in the place of the first
	moreGiven    = 0.97424 // the record has given names that were not asked for
	otherGiven   = 0.95    // a further given name that the record does not have
	swapped      = 0.9     // family and given name in each other's place
	strayName    = 0.66    // a name that is another one, where place and gender agree
	nearPostcode = 0.95    // a postcode with a slip of the pen
	farPostcode  = 0.6     // another postcode
	otherGP      = 0.9
	otherDeath   = 0.9
	threshold    = 0.64 // what scores less is not told: it would be a guess
)

// slips is how many letters of a postcode may be wrong for it to be a slip of the
// pen, and beginning how many of a given name are enough.
const (
	slips     = 2
	beginning = 3
)

// contactDoubt is what is left of the doubt about a record's own details where
// none, one and both of telephone number and e-mail address agree.
var contactDoubt = [3]float64{1, 0.219, 0.1145}

// fuzzy scores a row by a fuzzy search; 0 is no match. A birth date, a gender or
// a contact that differs finds nobody. Both names must be near, or one of them
// with gender and postcode as they are: then the other may be anything, which is
// how a shortened name is found, and a twin.
func (r row) fuzzy(q question) float64 {
	if !q.birth.holds(r.Birth) || q.gender != "" && q.gender != r.Gender || !r.reached(q) {
		return 0
	}
	family, given, both := r.nearName(q)
	place := r.nearPostcode(q)
	placed := place == 1 && q.postcode != "" && q.gender != ""
	names := both
	switch {
	case both > 0:
	case placed && family > 0:
		names = family * stray(len(q.given) > 0)
	case placed && given > 0:
		names = given * stray(q.family != "")
	default:
		return 0
	}
	score := names * place * r.asides(q) * r.trust(q)
	if score < threshold {
		return 0
	}
	return score
}

// stray is the cost of a name that was asked for and is another one.
func stray(asked bool) float64 {
	if asked {
		return strayName
	}
	return 1
}

// asides scores what a fuzzy search does not filter by: practice and date of
// death only lower the score.
func (r row) asides(q question) float64 {
	score := 1.0
	if q.practice != "" && q.practice != r.Practice {
		score *= otherGP
	}
	if q.death != nil && !q.death.holds(r.Death) {
		score *= otherDeath
	}
	return score
}

// trust is how far the record's own details go.
func (r row) trust(q question) float64 {
	if r.Certainty == 0 {
		return 1
	}
	agree := 0
	for _, asked := range []string{q.phone, q.email} {
		if asked != "" {
			agree++
		}
	}
	return 1 - (1-r.Certainty)*contactDoubt[agree]
}

// nearPostcode scores the postcode: 1 where none is asked for. It needs not be
// one at all; a slip of the pen is told from another place by its distance alone.
func (r row) nearPostcode(q question) float64 {
	if q.postcode == "" {
		return 1
	}
	near := math.MaxInt
	for _, a := range r.Addresses {
		near = min(near, pds.Distance(q.postcode, squeeze(a.Postcode)))
	}
	switch {
	case near == 0:
		return 1
	case near <= slips:
		return nearPostcode
	}
	return farPostcode
}

// nearName scores the names, former ones too: the family name and the given names
// each by itself, and both together.
func (r row) nearName(q question) (family, given, both float64) {
	askedFamily, askedGiven := words(q.family), words(strings.Join(q.given, " "))
	for _, n := range r.names {
		f := nearFamily(strings.Join(askedFamily, ""), n.family)
		g := nearGivens(askedGiven, n.words)
		both = max(both, f*g, swapped*n.turned(askedFamily, askedGiven))
		family, given = max(family, f), max(given, g)
	}
	return family, given, max(both, family*given*mixedNames)
}

// turned scores the names in each other's place.
func (n folded) turned(askedFamily, askedGiven []string) float64 {
	return nearFamily(strings.Join(askedGiven, ""), n.family) * nearGivens(askedFamily, n.words)
}

// nearFamily scores a family name.
func nearFamily(asked, held string) float64 {
	switch {
	case asked == "" || held == "":
		return 0
	case asked == held:
		return 1
	case pds.Soundex(asked) == pds.Soundex(held):
		return sameSound
	}
	return 0
}

// nearGivens scores given names, word by word. The first that is asked for
// decides; it may be any of the record's, as people go by their middle names.
func nearGivens(asked, held []string) float64 {
	if len(asked) == 0 || len(held) == 0 {
		return 0
	}
	if strings.Join(asked, "") == strings.Join(held, "") {
		return 1
	}
	score := nearWord(asked[0], held[0])
	if score > 0 && len(held) > len(asked) {
		score *= moreGiven
	}
	for _, later := range held[1:] {
		score = max(score, laterGiven*nearWord(asked[0], later))
	}
	for _, further := range asked[1:] {
		if !slices.ContainsFunc(held, func(h string) bool { return nearWord(further, h) > 0 }) {
			score *= otherGiven
		}
	}
	return score
}

// nearWord scores one given name by another: alike in sound, an initial, or the
// first three letters and more.
func nearWord(asked, held string) float64 {
	begins := func(a, b string) bool { return strings.HasPrefix(b, a) && (len(a) == 1 || len(a) >= beginning) }
	switch {
	case asked == held:
		return 1
	case pds.Soundex(asked) == pds.Soundex(held), begins(asked, held), begins(held, asked):
		return nearGiven
	}
	return 0
}

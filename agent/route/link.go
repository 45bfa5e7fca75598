package route

import (
	"slices"
	"strings"

	"github.com/counterproof/counterproof/agent/proof"
)

// leastCut is the length from which a surname counts as cut off at the end of
// its zone rather than as another name (ICAO 9303-3 §4.6).
const leastCut = 20

// Linked says whether a piece of evidence tells of the identity that is claimed:
// "" when it does, UnlinkedEvidence or NameTransposed when it does not. Birth
// dates must be equal as far as both are known; surnames equal, or joined by a
// certificate that tells both; of the given names the first, or its initial.
func (p Subject) Linked(piece Piece) proof.Code {
	who, holder := p.Claimed(), piece.Holder()
	if holder == (proof.Person{}) {
		return "" // it names nobody, such as a vouch, which is checked by itself
	}
	switch {
	case !sameDay(who.Birth, holder.Birth):
		return proof.UnlinkedEvidence
	case transposed(who, holder):
		return proof.NameTransposed
	case !slices.ContainsFunc(p.surnames(), func(n string) bool { return sameSurname(n, holder.Surname.Key) }):
		return proof.UnlinkedEvidence
	case !sameGiven(who.Given.ICAO, holder.Given.ICAO):
		return proof.UnlinkedEvidence
	}
	return ""
}

// surnames are the keys of every surname that certificates join to the claimed
// one. Certificates are taken in turn until none adds any.
func (p Subject) surnames() []string {
	known := []string{p.Claimed().Surname.Key}
	for range MaxPieces {
		before := len(known)
		for _, piece := range p.Pieces() {
			if e := piece.Entered; e != nil && e.Former.Key != "" && !piece.failed() {
				known = join(known, e.Person.Surname.Key, e.Former.Key)
			}
		}
		if len(known) == before {
			break
		}
	}
	return known
}

// join adds both of two names where one of them is known.
func join(known []string, a, b string) []string {
	if !slices.Contains(known, a) && !slices.Contains(known, b) {
		return known
	}
	for _, n := range []string{a, b} {
		if !slices.Contains(known, n) {
			known = append(known, n)
		}
	}
	return known
}

// sameDay compares two dates as far as both are known.
func sameDay(a, b proof.Date) bool {
	agree := func(x, y int) bool { return x == 0 || y == 0 || x == y }
	return a.Year == 0 || b.Year == 0 || a.Year == b.Year && agree(a.Month, b.Month) && agree(a.Day, b.Day)
}

// sameSurname compares two keys; one may be the other cut off.
func sameSurname(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	return a != "" && (a == b || len(a) >= leastCut && strings.HasPrefix(b, a))
}

// sameGiven compares given names by the first of each: equal, or one the
// initial of the other. Documents that tell no given name do not differ.
func sameGiven(a, b string) bool {
	x, y := first(a), first(b)
	if len(x) > len(y) {
		x, y = y, x
	}
	return x == "" || x == y || len(x) == 1 && strings.HasPrefix(y, x)
}

// first is the first word of a name in ICAO form.
func first(icao string) string {
	word, _, _ := strings.Cut(strings.TrimSpace(icao), " ")
	return word
}

// transposed reports names that have changed places.
func transposed(a, b proof.Person) bool {
	return a.Surname.Key != b.Surname.Key && a.Surname.Key != "" &&
		a.Surname.Key == b.Given.Key && a.Given.Key == b.Surname.Key
}

// SamePerson reports two identities that are told as one: same birth date and
// same names.
func SamePerson(a, b proof.Person) bool {
	return a.Birth.Precision() == "day" && a.Birth == b.Birth && sameSurname(a.Surname.Key, b.Surname.Key) &&
		sameGiven(a.Given.ICAO, b.Given.ICAO)
}

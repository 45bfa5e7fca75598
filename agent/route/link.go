package route

import (
	"slices"
	"strings"

	"github.com/counterproof/counterproof/agent/proof"
)

// leastCut is the length from which a surname counts as cut off at the end of
// its zone rather than as another name (ICAO 9303-3 §4.6).
const leastCut = 20

// identity is who somebody is said to be, with every surname that is theirs.
type identity struct {
	proof.Person
	surnames []string // keys; the claimed one first
}

// identity joins what is claimed with what the evidence tells, piece by piece: a
// birth date or a given name that the first piece left open the next one tells,
// and those after it must agree with both. So no initial joins two people. A
// certificate may join a name that an earlier piece told, hence more than once.
func (p Subject) identity() identity {
	who := identity{Person: p.said()}
	who.surnames = []string{who.Surname.Key}
	pieces := slices.DeleteFunc(p.Pieces(), Piece.failed)
	for range pieces {
		for _, piece := range pieces {
			who = who.renamed(piece)
			if piece.Vouch == nil && who.link(piece.Holder()) == "" {
				who.Person = filled(who.Person, piece.Holder())
			}
		}
	}
	return who
}

// said is who somebody says they are, else who the first piece says: one that
// failed its examination, such as a copy, only where there is no other.
func (p Subject) said() proof.Person {
	if p.Claim != nil {
		return p.Claim.Person
	}
	pieces := p.Pieces()
	for _, piece := range slices.Concat(slices.DeleteFunc(slices.Clone(pieces), Piece.failed), pieces) {
		if holder := piece.Holder(); holder != (proof.Person{}) {
			return holder
		}
	}
	return proof.Person{}
}

// filled is an identity with what a holder tells beyond it.
func filled(who, holder proof.Person) proof.Person {
	switch {
	case who.Birth.Year == 0:
		who.Birth = holder.Birth
	case who.Birth.Month == 0 && holder.Birth.Year != 0:
		who.Birth = holder.Birth
	case who.Birth.Day == 0 && holder.Birth.Month != 0:
		who.Birth.Day = holder.Birth.Day
	}
	if len(first(who.Given.ICAO)) < len(first(holder.Given.ICAO)) {
		who.Given = holder.Given
	}
	return who
}

// Linked says whether a piece of evidence tells of the identity that is claimed:
// "" when it does, UnlinkedEvidence or NameTransposed when it does not. Birth
// dates must be equal as far as both are known; surnames equal, or joined by a
// certificate that tells both; of the given names the first, or its initial. A
// vouch names nobody and is checked by itself.
func (p Subject) Linked(piece Piece) proof.Code {
	if piece.Vouch != nil {
		return ""
	}
	return p.identity().link(piece.Holder())
}

// link compares an identity with a holder.
func (who identity) link(holder proof.Person) proof.Code {
	switch {
	case !sameDay(who.Birth, holder.Birth):
		return proof.UnlinkedEvidence
	case transposed(who.Person, holder):
		return proof.NameTransposed
	case !slices.ContainsFunc(who.surnames, func(n string) bool { return sameSurname(n, holder.Surname.Key) }):
		return proof.UnlinkedEvidence
	case !sameGiven(who.Given.ICAO, holder.Given.ICAO):
		return proof.UnlinkedEvidence
	}
	return ""
}

// renamed adds the names that a certificate of the same person joins.
func (who identity) renamed(piece Piece) identity {
	e := piece.Entered
	if e != nil && e.Former.Key != "" && sameDay(who.Birth, e.Person.Birth) && sameGiven(who.Given.ICAO, e.Person.Given.ICAO) {
		who.surnames = join(who.surnames, e.Person.Surname.Key, e.Former.Key)
	}
	return who
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

package pds

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/counterproof/counterproof/agent/nhs"
	"github.com/counterproof/counterproof/agent/proof"
)

// Claim is the proved person whose record is wanted.
type Claim struct {
	Person proof.Person
	// Zone is how many characters the name had room for in the machine-readable
	// zone that it was read from: 39 in a passport, 31 or 30 on a card. A name
	// that fills it may be cut. 0 says that it was not read from a zone.
	Zone     int
	Postcode string     // as given; "" if not
	Number   nhs.Number // as the person gave it; "" if not, and never one found by tracing
	Site     string     // ODS code of the counter's organisation; Config.Site if empty
	// Trace is a UUID for this person and these details. A repetition of Match
	// with the same Trace sends the same X-Request-IDs. One is made up if empty.
	Trace string
}

// Verdict is how two details compare.
type Verdict string

// The verdicts. Unknown is a detail that one side does not have.
const (
	Unknown   Verdict = ""
	Equal     Verdict = "equal"
	Partial   Verdict = "partial"
	Different Verdict = "different"
)

// Comparison is how a claim and a record compare, detail by detail.
type Comparison struct {
	Birth, Family, Given, Postcode Verdict
	// Odd says that the claim's name holds what no name has: letters of another
	// script that look alike, marks that turn the writing. No name is compared then.
	Odd bool
}

// Verdict is what the details come to. Equal needs birth date and both names to
// be so, and no postcode that speaks against it; a birth date or a name that
// differs is another person.
func (c Comparison) Verdict() Verdict {
	names := []Verdict{c.Family, c.Given}
	switch {
	case c.Odd || c.Birth == Different || c.Birth == Unknown || slices.Contains(names, Different):
		return Different
	case c.Family == Unknown:
		return Different
	case c.Birth == Equal && c.Family == Equal && c.Given == Equal && (c.Postcode == Equal || c.Postcode == Unknown):
		return Equal
	}
	return Partial
}

// Compare compares a claim with a record, without asking anybody. Of several
// names or addresses of the record the best counts, but a name that is not the
// usual one is a partial match at best.
func Compare(c Claim, p Patient) Comparison {
	out := Comparison{Birth: compareBirth(c.Person.Birth, p.Birth), Postcode: comparePostcodes(c.Postcode, p.Postcodes)}
	claimed := person{spell(c.Person.Surname), spell(c.Person.Given), c.cut()}
	if claimed.family.odd || claimed.given.odd {
		out.Odd = true
		return out
	}
	for _, n := range p.Names {
		family, given := claimed.compare(n)
		if !n.usual() {
			family, given = atMost(family, Partial), atMost(given, Partial)
		}
		if weight(family, given) > weight(out.Family, out.Given) {
			out.Family, out.Given = family, given
		}
	}
	return out
}

// rank orders verdicts: a name that agrees in part tells more than one that is
// not there.
func rank(v Verdict) int { return slices.Index([]Verdict{Unknown, Different, Partial, Equal}, v) }

// weight orders pairs of names: by the worse of the two, then by the better.
func weight(family, given Verdict) int {
	a, b := rank(family), rank(given)
	return 10*min(a, b) + max(a, b)
}

// atMost lowers a verdict to a ceiling.
func atMost(v, ceiling Verdict) Verdict {
	if rank(v) > rank(ceiling) {
		return ceiling
	}
	return v
}

// compareBirth compares birth dates. A claim whose document does not tell month
// or day agrees in part with every date that it may stand for.
func compareBirth(claimed, held proof.Date) Verdict {
	known := func(a, b int) bool { return a == b || a == 0 || b == 0 }
	switch {
	case claimed.Year == 0 || held.Year == 0:
		return Unknown
	case claimed == held && claimed.Precision() == "day":
		return Equal
	case claimed.Year == held.Year && known(claimed.Month, held.Month) && known(claimed.Day, held.Day):
		return Partial
	}
	return Different
}

// person is a claim's name, read once.
type person struct {
	family, given spelled
	cut           bool
}

// cut reports whether the name filled its place in the machine-readable zone.
func (c Claim) cut() bool {
	words := func(n proof.Name) string {
		return strings.Join(strings.FieldsFunc(n.ICAO, func(r rune) bool { return r == ' ' || r == '<' }), "<")
	}
	name := words(c.Person.Surname)
	if given := words(c.Person.Given); given != "" {
		name += "<<" + given
	}
	return c.Zone > 0 && len(name) >= c.Zone
}

// maxHeld is the longest name that PDS keeps, in characters; one of that length
// may be cut.
const maxHeld = 35

// compare compares with one name of a record. A name that holds what no name has
// is nobody's.
func (p person) compare(n Name) (family, given Verdict) {
	heldFamily := spell(proof.Name{Printed: n.Family})
	heldGiven := spell(proof.Name{Printed: strings.Join(n.Given, " ")})
	if heldFamily.odd || heldGiven.odd {
		return Different, Different
	}
	heldCut := utf8.RuneCountInString(n.Family) >= maxHeld
	family = best(p.family, heldFamily, func(a, b []string) Verdict {
		return compareFamily(a, b, p.cut, heldCut)
	})
	given = best(p.given, heldGiven, func(a, b []string) Verdict { return compareGiven(a, b, p.cut) })
	if len(p.given.forms) == 0 && len(heldGiven.forms) == 0 {
		given = Equal // people of one name
	}
	if family != Equal && given != Equal && transposed(p, heldFamily, heldGiven) {
		family, given = Partial, Partial
	}
	return family, given
}

// best compares every form of one name with every form of the other.
func best(a, b spelled, compare func(a, b []string) Verdict) Verdict {
	out := Unknown
	for _, x := range a.forms {
		for _, y := range b.forms {
			if v := compare(x, y); rank(v) > rank(out) {
				out = v
			}
		}
	}
	return out
}

// transposed reports names that stand in each other's place.
func transposed(p person, family, given spelled) bool {
	asFamily := func(a, b []string) Verdict { return compareFamily(a, b, false, false) }
	asGiven := func(a, b []string) Verdict { return compareGiven(a, b, false) }
	return best(p.given, family, asFamily) == Equal && best(p.family, given, asGiven) == Equal
}

func joined(words []string) string { return strings.Join(words, "") }

// compareFamily compares family names as words in A to Z. Spaces and hyphens do
// not count.
func compareFamily(claimed, held []string, cut, heldCut bool) Verdict {
	a, b := joined(claimed), joined(held)
	switch {
	case a == b, cut && abbreviates(claimed, held), heldCut && abbreviates(held, claimed):
		return Equal
	case alike(a, b):
		return Partial
	}
	return Different
}

// prefixLetters is how many letters of a name have to be there for the rest to
// be taken on trust.
const prefixLetters = 3

// compareGiven compares given names as words in A to Z. Further names may be
// missing on one side, or be initials; those that are there must not
// contradict for the match to be more than partial.
func compareGiven(claimed, held []string, cut bool) Verdict {
	a, b := claimed[0], held[0]
	switch {
	case leads(claimed, held), leads(held, claimed), cut && abbreviates(claimed, held):
		return Equal
	case a == b && agree(claimed[1:], held[1:]):
		return Equal
	case a == b, a[:1] == b[:1] && (len(a) == 1 || len(b) == 1):
		return Partial
	case min(len(a), len(b)) >= prefixLetters && (strings.HasPrefix(a, b) || strings.HasPrefix(b, a)):
		return Partial
	case alike(a, b), alike(joined(claimed), joined(held)):
		return Partial
	}
	return Different
}

// leads reports whether all of the first name's letters are the first words of
// the second: ANNE MARIE and ANNEMARIE LOUISE.
func leads(first, second []string) bool {
	all := joined(first)
	for i := range second {
		if joined(second[:i+1]) == all {
			return true
		}
	}
	return false
}

// agree reports whether further names are the same or initials of each other,
// as far as both sides have them.
func agree(a, b []string) bool {
	for i := range min(len(a), len(b)) {
		if !strings.HasPrefix(a[i], b[i][:1]) || a[i] != b[i] && len(a[i]) > 1 && len(b[i]) > 1 {
			return false
		}
	}
	return true
}

// abbreviates reports whether short is what is left of full after a cut (ICAO
// 9303-3 §4.6): every word the beginning of the word in its place, the first
// with three letters at least, later words missing.
func abbreviates(short, full []string) bool {
	if len(short) > len(full) || len(short[0]) < min(prefixLetters, len(full[0])) {
		return false
	}
	for i, word := range short {
		if !strings.HasPrefix(full[i], word) {
			return false
		}
	}
	return true
}

// postcode is a British postcode in two halves.
type postcode struct{ outward, inward string }

// inwardLetters is the length of a postcode's second half: a digit and two
// letters.
const inwardLetters = 3

// readPostcode reads a postcode as people write it, in either case and with or
// without spaces; ok is false for what cannot be one (BS 7666-0).
func readPostcode(text string) (p postcode, ok bool) {
	text = strings.ToUpper(strings.Map(func(r rune) rune {
		if r == ' ' {
			return -1
		}
		return r
	}, text))
	if len(text) < 5 || len(text) > 7 {
		return postcode{}, false
	}
	p = postcode{text[:len(text)-inwardLetters], text[len(text)-inwardLetters:]}
	return p, fits(p.outward, "A9", "A99", "A9A", "AA9", "AA99", "AA9A") && fits(p.inward, "9AA")
}

// fits reports whether a text is letters and digits in one of the orders.
func fits(text string, orders ...string) bool {
	shape := strings.Map(func(r rune) rune {
		switch {
		case 'A' <= r && r <= 'Z':
			return 'A'
		case '0' <= r && r <= '9':
			return '9'
		}
		return '?'
	}, text)
	return slices.Contains(orders, shape)
}

// comparePostcodes compares the full postcode, then its first half, with all
// that a record has.
func comparePostcodes(claimed string, held []string) Verdict {
	c, ok := readPostcode(claimed)
	if !ok {
		return Unknown
	}
	out := Unknown
	for _, text := range held {
		h, ok := readPostcode(text)
		v := Different
		switch {
		case !ok:
			continue
		case h == c:
			v = Equal
		case h.outward == c.outward:
			v = Partial
		}
		if rank(v) > rank(out) {
			out = v
		}
	}
	return out
}

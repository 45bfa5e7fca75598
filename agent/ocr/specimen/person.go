package specimen

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/counterproof/counterproof/agent/mrz"
	"github.com/counterproof/counterproof/agent/proof"
)

// Person is who a document is made out to. Names are as printed; the zone's
// form of them follows from these.
type Person struct {
	Surname, Given string
	Sex            string // M, F, X
	Birth          proof.Date
	Issued, Expiry proof.Date
	State          string // issuing state, ICAO 9303-3 §5
	Nationality    string
	Number         string // of the document
	Optional       string // second number in the zone, if any
	Place          string // of birth
}

// Words of invented people. The surnames and given names hold every letter, and
// those that cameras confuse more than once.
var (
	surnames = [...]string{
		"Specimen", "Adebayo", "Bwlchllan", "Castellanos", "Dziewonski", "Ekwueme", "Fforde", "Grzybowska",
		"Hawthorne", "Iqbal", "Jaworski", "Kvaratskhelia", "Llewellyn", "Mbeki", "Nakamura", "O Quigley", "Pryce-Jones",
		"Quist", "Rhydderch", "Szymborska", "Thistlethwaite", "Uzoma", "van der Vlugt", "Wozniak", "Xavier", "Yilmaz", "Zhou",
	}
	givenNames = [...]string{
		"Anwen", "Bjorn", "Cerys", "Dafydd", "Eilidh", "Fatima", "Grzegorz", "Hywel", "Ifeoma", "Joaquin", "Kwame",
		"Lowri", "Maxim", "Niamh", "Olumide", "Philippa", "Quentin", "Rhiannon", "Siobhan", "Tomasz", "Ursula",
		"Vaclav", "Wilhelmina", "Xenia", "Yusuf", "Zsofia",
	}
	states = [...]string{
		"UTO", "GBR", "FRA", "D", "USA", "IND", "PAK", "POL", "ROU", "IRL", "NGA", "CHN", "ESP", "ITA", "PRT", "BGD",
		"LTU", "BGR", "ZAF", "AUS", "UTO", "UTO",
	}
	places = [...]string{"Zenith", "Port Amity", "Eastmere", "Upper Lode", "Castell Newydd"}
)

// Invent makes up a person with a document of the format. The issuing state is
// a real code for most, so that the zone's alphabet is well used; the document
// itself never looks like that state's.
func Invent(seed uint64, f mrz.Format) Person {
	r := Options{Seed: seed}.random(forPerson)
	state := states[r.IntN(len(states))]
	p := Person{
		Surname: surnames[r.IntN(len(surnames))], Given: inventGiven(r),
		Sex:   string("FMFMX"[r.IntN(5)]),
		Birth: date(r, 1930, 2007), Expiry: date(r, 2027, 2036),
		State: state, Nationality: state,
		Number: inventNumber(r), Place: places[r.IntN(len(places))],
	}
	p.Issued = proof.Date{Year: p.Expiry.Year - 10, Month: p.Expiry.Month, Day: p.Expiry.Day}
	if r.IntN(10) < 3 {
		p.Optional = inventNumber(r)
	}
	if f == mrz.FRID { // year and month of issue, département and office, serial
		p.State, p.Nationality = "FRA", "FRA"
		p.Number = fmt.Sprintf("%02d%02d75%06d", p.Issued.Year%100, p.Issued.Month, r.IntN(1_000_000))
	}
	return p
}

// Utopian makes up a citizen of Utopia named Specimen with a passport that is
// valid on the day given, for visits that must be known as training.
func Utopian(seed uint64, today proof.Date) Person {
	p := Invent(seed, mrz.TD3)
	p.Surname, p.State, p.Nationality = surnames[0], "UTO", "UTO"
	r := Options{Seed: seed}.random(forPerson + 1<<7)
	p.Birth = date(r, today.Year-80, today.Year-20)
	p.Issued, p.Expiry = date(r, today.Year-4, today.Year-1), date(r, today.Year+2, today.Year+5)
	return p
}

// inventGiven joins one to three names.
func inventGiven(r *rand.Rand) string {
	n := 1 + r.IntN(5)/2
	names := make([]string, n)
	for i := range names {
		names[i] = givenNames[r.IntN(len(givenNames))]
	}
	return strings.Join(names, " ")
}

// inventNumber makes a document number of one of the usual shapes.
func inventNumber(r *rand.Rand) string {
	const letters, digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"
	shape := [...]string{"999999999", "AA9999999", "A99999999", "XXXXXXXXX", "XXXXXXXX"}[r.IntN(5)]
	return strings.Map(func(c rune) rune {
		switch c {
		case '9':
			return rune(digits[r.IntN(len(digits))])
		case 'A':
			return rune(letters[r.IntN(len(letters))])
		}
		both := letters + digits
		return rune(both[r.IntN(len(both))])
	}, shape)
}

// date picks a day between two years.
func date(r *rand.Rand, from, to int) proof.Date {
	return proof.Date{Year: from + r.IntN(to-from+1), Month: 1 + r.IntN(12), Day: 1 + r.IntN(28)}
}

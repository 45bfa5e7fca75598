package pdssim

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/counterproof/counterproof/agent/nhs"
	"github.com/counterproof/counterproof/agent/nhs/pds"
)

// Patient is a row of the table. Former names, addresses and contacts are found
// by a search of the history only and never shown.
type Patient struct {
	Number      string    `json:"number"`  // ten digits
	Version     int       `json:"version"` // of the record, from 1
	Names       []Name    `json:"names"`
	Gender      string    `json:"gender,omitempty"` // male, female, other, unknown
	Birth       string    `json:"birth,omitempty"`  // YYYY-MM-DD
	Death       string    `json:"death,omitempty"`  // YYYY-MM-DD
	DeathNotice string    `json:"death_notice,omitempty"`
	Addresses   []Address `json:"addresses,omitempty"`
	Contacts    []Contact `json:"contacts,omitempty"`
	Practice    string    `json:"practice,omitempty"` // ODS code

	Restricted  bool   `json:"restricted,omitempty"`
	Invalidated bool   `json:"invalidated,omitempty"` // withdrawn
	ReplacedBy  string `json:"replaced_by,omitempty"` // number of the record that took its place
	// Certainty is how far the record's own details are trusted, above 0 to 1; a
	// fuzzy search counts it, and contacts that agree make up for it. 0 is 1.
	Certainty float64 `json:"certainty,omitempty"`
}

// Name is a name of a Patient.
type Name struct {
	Use    string   `json:"use,omitempty"` // usual if empty, or nickname or temp
	Family string   `json:"family,omitempty"`
	Given  []string `json:"given,omitempty"`
	Former bool     `json:"former,omitempty"`
}

// Address is an address of a Patient.
type Address struct {
	Use      string   `json:"use,omitempty"` // home if empty, or temp
	Line     []string `json:"line,omitempty"`
	Postcode string   `json:"postcode"`
	Former   bool     `json:"former,omitempty"`
}

// Contact is a telephone number or an e-mail address.
type Contact struct {
	System string `json:"system"` // phone or email
	Value  string `json:"value"`
	Former bool   `json:"former,omitempty"`
}

//go:embed patients.json
var patients []byte

// Patients reads the built-in table: the published test patients that the
// sandbox answers with, and invented people who show one rule each.
func Patients() ([]Patient, error) {
	var rows []Patient
	if err := json.Unmarshal(patients, &rows); err != nil {
		return nil, fmt.Errorf("reading the table of patients: %w", err)
	}
	return rows, nil
}

// table is the rows with their names folded, by number.
type table struct {
	rows   []row
	number map[string]int
}

// row is a patient as a search sees one.
type row struct {
	Patient
	names []folded
}

// folded is a name in A to Z. Accents are dropped and not written out: the
// service compares letters and knows no language.
type folded struct {
	family string
	given  []string // one for each given name of the row, without spaces
	words  []string // of all given names
	former bool
}

func fold(n Name) folded {
	f := folded{family: key(n.Family), former: n.Former}
	for _, g := range n.Given {
		f.given = append(f.given, key(g))
		f.words = append(f.words, words(g)...)
	}
	return f
}

// words writes a name in A to Z without accents, word by word.
func words(name string) []string {
	plain, _, _ := pds.Letters(name)
	return strings.Fields(plain)
}

// key writes a name in A to Z without accents, spaces and hyphens.
func key(name string) string { return strings.Join(words(name), "") }

// newTable checks the rows and folds their names.
func newTable(patients []Patient) (table, error) {
	t := table{number: map[string]int{}}
	for i, p := range patients {
		if _, twice := t.number[p.Number]; twice || !p.sound() {
			return table{}, fmt.Errorf("row %d: %w", i+1, errTable)
		}
		t.number[p.Number] = i
		r := row{Patient: p}
		for _, n := range p.Names {
			r.names = append(r.names, fold(n))
		}
		t.rows = append(t.rows, r)
	}
	for i, p := range patients {
		if _, ends := t.successor(p.Number); !ends {
			return table{}, fmt.Errorf("row %d is replaced by no record: %w", i+1, errTable)
		}
	}
	return t, nil
}

// sound reports a row whose values are of the right shape. The check digit is
// not looked at: one of the published patients has a wrong one.
func (p Patient) sound() bool {
	use := func(u string, allowed ...string) bool { return u == "" || slices.Contains(allowed, u) }
	date := func(d string) bool { _, err := time.Parse(time.DateOnly, d); return d == "" || err == nil }
	return len(p.Number) == 10 && strings.Trim(p.Number, "0123456789") == "" &&
		use(p.Gender, genders...) && date(p.Birth) && date(p.Death) && use(p.DeathNotice, "1", "2", "U") &&
		p.Certainty >= 0 && p.Certainty <= 1 &&
		!slices.ContainsFunc(p.Names, func(n Name) bool { return !use(n.Use, "usual", "nickname", "temp") }) &&
		!slices.ContainsFunc(p.Addresses, func(a Address) bool { return !use(a.Use, "home", "temp") }) &&
		!slices.ContainsFunc(p.Contacts, func(c Contact) bool { return c.System != "phone" && c.System != "email" })
}

// successor finds a record, or the one that took its place in the end. known is
// false for a number that nobody has, and for records that replace each other in
// a circle.
func (t table) successor(number string) (r row, known bool) {
	for range len(t.rows) {
		i, ok := t.number[number]
		if !ok {
			return row{}, false
		}
		if t.rows[i].ReplacedBy == "" {
			return t.rows[i], true
		}
		number = t.rows[i].ReplacedBy
	}
	return row{}, false
}

// checked reports an NHS number that can exist, without separators.
func checked(number string) bool {
	n, err := nhs.NormaliseNumber(number)
	return err == nil && string(n) == number
}

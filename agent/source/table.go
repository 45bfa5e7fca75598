package source

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/counterproof/counterproof/agent/nhs"
	"github.com/counterproof/counterproof/agent/proof"
)

// Table is the world of a Simulator: invented people, their documents and the
// letters that practices wrote to them. Simulators of other services may be fed
// from the same table, so that all tell of one world.
type Table struct {
	People    []Person `json:"people"`
	Documents []Issued `json:"documents"`
	Letters   []Letter `json:"letters"`
}

// Person is an invented person. Somebody who is in no table is on no list and
// has left no traces.
type Person struct {
	Surname string `json:"surname"`
	Given   string `json:"given"`
	Birth   string `json:"birth"` // YYYY-MM-DD
	// Since is from when an organisation knows them, "" for none; Keeping is how
	// it checks whom it knows.
	Since   string  `json:"since,omitempty"`
	Keeping Keeping `json:"keeping,omitempty"`
	Lists   []Check `json:"lists,omitempty"`     // fraud checks that hit
	Nowhere bool    `json:"nowhere,omitempty"`   // no authoritative source applies to them
	Number  string  `json:"nhs_number,omitzero"` // "" for no NHS record
	// Postcode and Record are those of the NHS record; Record is "" for an
	// ordinary one, or restricted, deceased or withdrawn.
	Postcode string `json:"postcode,omitempty"`
	Record   string `json:"record,omitempty"`
}

// States of a document beside being in order.
const (
	stateLost      = "lost"
	stateCancelled = "cancelled"
)

// Issued is a document that an issuer knows.
type Issued struct {
	Type    proof.EvidenceType `json:"type"`
	Issuer  string             `json:"issuer"`
	Number  string             `json:"number"`
	Surname string             `json:"surname"`
	Birth   string             `json:"birth"`
	State   string             `json:"state,omitempty"` // "" in order, lost or cancelled
}

// Letter is a letter that a practice wrote.
type Letter struct {
	ODS     string `json:"ods"`
	Account string `json:"account"`
	Key     string `json:"key"`
	Number  string `json:"nhs_number"`
	Surname string `json:"surname"`
	Birth   string `json:"birth"`
}

//go:embed table.json
var table []byte

// BuiltIn reads the table that comes with the program: the people of the
// demonstration and of the tests, one for each thing that a source may say, and
// the published fictitious letters of NHS login's test data.
func BuiltIn() (Table, error) {
	var t Table
	if err := json.Unmarshal(table, &t); err != nil {
		return Table{}, fmt.Errorf("reading the table of invented people: %w", err)
	}
	return t, t.check()
}

// check refuses a table with what nobody could be.
func (t Table) check() error {
	for i, p := range t.People {
		if err := p.check(); err != nil {
			return fmt.Errorf("person %d of the table: %w", i+1, err)
		}
	}
	for i, d := range t.Documents {
		if d.Number == "" || !isDay(d.Birth) || !slices.Contains([]string{"", stateLost, stateCancelled}, d.State) {
			return fmt.Errorf("document %d of the table is none", i+1)
		}
	}
	for i, l := range t.Letters {
		if l.Account == "" || l.Key == "" || !isDay(l.Birth) {
			return fmt.Errorf("letter %d of the table is none", i+1)
		}
	}
	return nil
}

// check refuses somebody whom nobody could be.
func (p Person) check() error {
	known := p.Since == "" || isDay(p.Since) && p.Keeping.ceiling() > 0
	if !isDay(p.Birth) || !known || p.Surname == "" {
		return errors.New("it is nobody")
	}
	if p.Number == "" {
		return nil
	}
	_, err := nhs.NormaliseNumber(p.Number)
	return err
}

// isDay reports a date as YYYY-MM-DD.
func isDay(text string) bool {
	_, err := time.Parse(time.DateOnly, text)
	return err == nil
}

// dayOf reads a date as YYYY-MM-DD; the zero date is none.
func dayOf(text string) proof.Date {
	at, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return proof.Date{}
	}
	return proof.Date{Year: at.Year(), Month: int(at.Month()), Day: at.Day()}
}

// find finds a person by birth date, surname and the first given name.
func (t Table) find(p proof.Person) (Person, bool) {
	for _, row := range t.People {
		if row.Birth == p.Birth.String() && same(p.Surname, row.Surname) && same(first(p.Given), firstWord(row.Given)) {
			return row, true
		}
	}
	return Person{}, false
}

// same compares a name by its key.
func same(n proof.Name, text string) bool { return n.Key == proof.NewName(text).Key }

// first is the first of given names.
func first(n proof.Name) proof.Name { return proof.NewName(firstWord(n.ICAO)) }

func firstWord(text string) string {
	word, _, _ := strings.Cut(text, " ")
	return word
}

package source_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/source"
)

// somebody is a person by surname, given names and birth date.
func somebody(surname, given string, birth proof.Date) proof.Person {
	return proof.Person{Surname: proof.NewName(surname), Given: proof.NewName(given), Birth: birth}
}

var (
	wren = somebody("SPECIMEN", "WREN", day(1985, 3, 12))
	weir = somebody("WEIR", "AILSA", day(1954, 6, 14))
)

func world(t testing.TB) *source.Simulator {
	t.Helper()
	s, err := source.NewSimulator(source.Table{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// ask asks all sources of a world everything about a person and one document.
func ask(t testing.TB, w *source.Simulator, p proof.Person, d source.Document) []source.Answer {
	t.Helper()
	var questions []source.Question
	for _, c := range source.OfPerson() {
		questions = append(questions, source.Question{Check: c, Person: p, Today: today})
	}
	for _, c := range source.OfDocument() {
		questions = append(questions, source.Question{Check: c, Person: p, Today: today, Document: d, Event: 3})
	}
	return source.Ask(t.Context(), w.Sources(), questions)
}

func TestPeopleOfTheTable(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name            string
		person          proof.Person
		activity, fraud int
		hits            []proof.Code
	}{
		{"ordinary", wren, 3, 3, nil},
		{"further-given-names", somebody("SPECIMEN", "WREN ALEX", day(1985, 3, 12)), 3, 3, nil},
		{"in-no-table", somebody("NOBODY", "ANN", day(1990, 1, 1)), 0, 3, nil},
		{"another-birth-date", somebody("SPECIMEN", "WREN", day(1985, 3, 13)), 0, 3, nil},
		{"stolen", somebody("LINDGREEN", "ASA", day(1971, 10, 30)), 2, 0, []proof.Code{source.CodeTheft}},
		{"dead", somebody("MARLOWE", "QUILL", day(1938, 1, 19)), 2, 0, []proof.Code{source.CodeDeceased}},
		{"made-up", somebody("HOLLOW", "EBEN", day(1990, 7, 4)), 0, 0, []proof.Code{source.CodeSynthetic}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			answers := ask(t, world(t), c.person, source.Document{})
			s, _ := source.Scores(answers, unconfirmed(t))
			if s.Activity != c.activity || s.Fraud != c.fraud || !slices.Equal(s.Hits, c.hits) || source.AnyDown(answers) {
				t.Errorf("activity %d, fraud %d, hits %v; want %d, %d, %v", s.Activity, s.Fraud, s.Hits, c.activity, c.fraud, c.hits)
			}
		})
	}
}

func TestNoSourceApplies(t *testing.T) {
	t.Parallel()
	w, err := source.NewSimulator(source.Table{People: []source.Person{{Surname: "AWAY", Given: "FAR", Birth: "1980-01-01", Nowhere: true}}})
	if err != nil {
		t.Fatal(err)
	}
	s, _ := source.Scores(ask(t, w, somebody("AWAY", "FAR", day(1980, 1, 1)), source.Document{}), unconfirmed(t))
	if s.Fraud != 0 || len(s.Hits) != 0 {
		t.Errorf("fraud %d, hits %v where no source applies", s.Fraud, s.Hits)
	}
}

func TestDocumentsOfTheTable(t *testing.T) {
	t.Parallel()
	passport := func(number string) source.Document {
		return source.Document{Type: proof.Passport, Issuer: "UTO", Number: number}
	}
	pike, fenwick := somebody("PIKE", "ROAN", day(1982, 8, 8)), somebody("FENWICK", "ODA", day(1966, 4, 25))
	cases := []struct {
		name                string
		person              proof.Person
		doc                 source.Document
		matched, clear, hit bool
	}{
		{"in-order", wren, passport("U1234567"), true, true, false},
		{"spaces-and-case", wren, source.Document{Type: proof.Passport, Issuer: "uto", Number: "u123 4567"}, true, true, false},
		{"of-another-person", pike, passport("U1234567"), false, true, false},
		{"not-known", wren, passport("U9999999"), false, true, false},
		{"of-another-state", wren, source.Document{Type: proof.Passport, Issuer: "GBR", Number: "U1234567"}, false, true, false},
		{"lost", pike, passport("U0000022"), true, false, true},
		{"cancelled", fenwick, passport("U0000033"), true, false, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, docs := source.Scores(ask(t, world(t), c.person, c.doc), unconfirmed(t))
			if got := docs[3]; got.Matched != c.matched || got.Clear != c.clear || got.Hit != c.hit {
				t.Errorf("got %+v, want matched %t, clear %t, hit %t", got, c.matched, c.clear, c.hit)
			}
		})
	}
}

func TestPractice(t *testing.T) {
	t.Parallel()
	good := source.Details{ODS: "B85036", Account: "9422353604", Key: "YCRPyPSEUARw5", Person: weir}
	change := func(f func(*source.Details)) source.Details {
		d := good
		f(&d)
		return d
	}
	cases := []struct {
		name string
		in   source.Details
		want source.Acceptance
	}{
		{"right", good, source.Accepted},
		{"code-in-small-letters", change(func(d *source.Details) { d.ODS = "b85036" }), source.Accepted},
		{"another-practice", change(func(d *source.Details) { d.ODS = "A20047" }), source.Refused},
		{"another-account", change(func(d *source.Details) { d.Account = "9422353605" }), source.Refused},
		{"key-of-another-patient", change(func(d *source.Details) { d.Key = "YCRPyPSEUARu6" }), source.Refused},
		{"key-in-another-case", change(func(d *source.Details) { d.Key = strings.ToLower(d.Key) }), source.Refused},
		{"no-key", change(func(d *source.Details) { d.Key = "" }), source.Refused},
		{"another-surname", change(func(d *source.Details) { d.Person.Surname = proof.NewName("POLAND") }), source.Refused},
		{"another-birth-date", change(func(d *source.Details) { d.Person.Birth = day(1954, 6, 15) }), source.Refused},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := world(t).Practice().Verify(t.Context(), c.in)
			if got.Acceptance != c.want || (got.Number == "9686368450") != (c.want == source.Accepted) {
				t.Errorf("got %s with number %t, want %s", got.Acceptance, got.Number != "", c.want)
			}
		})
	}
}

func TestKnobs(t *testing.T) {
	t.Parallel()
	w := world(t)
	for _, part := range []string{source.SimRegister, source.SimSecond, source.SimPractice, source.SimContacts, source.SimWishes} {
		w.SetDown(part, true)
	}
	for _, a := range ask(t, w, wren, source.Document{}) {
		if a.Verdict != source.Down || a.Source == "" || a.Asked != today {
			t.Errorf("%s answers %+v while down", a.Check, a)
		}
	}
	if got := w.Practice().Verify(t.Context(), source.Details{Person: weir}); got.Acceptance != source.Silent {
		t.Errorf("the practice says %s while down", got.Acceptance)
	}
	if _, ok := w.Confirmed(t.Context(), "wren@example.org", "+447700900123"); ok {
		t.Error("contact details are confirmed while down")
	}
	if w.PassOn(t.Context(), "9992000007", proof.PreferencesGiven{}) || len(w.Wishes()) != 0 {
		t.Error("wishes are taken while down")
	}
	w.SetDown(source.SimWishes, false)
	if !w.PassOn(t.Context(), "9992000007", proof.PreferencesGiven{}) || len(w.Wishes()) != 1 {
		t.Error("wishes are not taken when up again")
	}
}

func TestConfirmed(t *testing.T) {
	t.Parallel()
	w := world(t)
	for _, c := range []struct {
		email, mobile string
		want          bool
	}{
		{"wren@example.org", "+447700900123", true}, {"", "+447700900123", false}, {"wren@example.org", "", false},
		{"wren@unconfirmed.example", "+447700900123", false},
	} {
		if got, ok := w.Confirmed(t.Context(), c.email, c.mobile); !ok || got != c.want {
			t.Errorf("%q and %q are confirmed: %t, want %t", c.email, c.mobile, got, c.want)
		}
	}
}

func TestSlow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := world(t)
		w.SetSlow(time.Minute)
		begun := time.Now()
		if got := w.Practice().Verify(t.Context(), source.Details{Person: weir}); got.Acceptance != source.Refused || time.Since(begun) != time.Minute {
			t.Errorf("got %s after %s", got.Acceptance, time.Since(begun))
		}
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if got := w.Practice().Verify(short, source.Details{Person: weir}); got.Acceptance != source.Silent {
			t.Errorf("somebody who went away hears %s", got.Acceptance)
		}
		if w.Asked() != 2 {
			t.Errorf("%d questions were counted, want 2", w.Asked())
		}
	})
}

func TestBadTables(t *testing.T) {
	t.Parallel()
	ok := source.Person{Surname: "A", Given: "B", Birth: "1980-01-01"}
	change := func(f func(*source.Person)) source.Table {
		p := ok
		f(&p)
		return source.Table{People: []source.Person{p}}
	}
	if _, err := source.NewSimulator(source.Table{People: []source.Person{ok}}); err != nil {
		t.Errorf("a good table: %v", err)
	}
	for name, table := range map[string]source.Table{
		"no surname":       change(func(p *source.Person) { p.Surname = "" }),
		"no birth date":    change(func(p *source.Person) { p.Birth = "1980-02-30" }),
		"no such keeping":  change(func(p *source.Person) { p.Since, p.Keeping = "2000-01-01", "hearsay" }),
		"no such day":      change(func(p *source.Person) { p.Since, p.Keeping = "yesterday", source.KeepsOwn }),
		"no NHS number":    change(func(p *source.Person) { p.Number = "9992000008" }),
		"no document":      {Documents: []source.Issued{{Type: proof.Passport, Birth: "1980-01-01"}}},
		"no such state":    {Documents: []source.Issued{{Number: "1", Birth: "1980-01-01", State: "st can"}}},
		"letter without a": {Letters: []source.Letter{{Account: "1", Birth: "1980-01-01"}}},
	} {
		if _, err := source.NewSimulator(table); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// No answer, printed any way, tells who was asked about.
func TestAnswersNameNobody(t *testing.T) {
	t.Parallel()
	for _, a := range ask(t, world(t), wren, source.Document{Type: proof.Passport, Issuer: "UTO", Number: "U1234567"}) {
		text := fmt.Sprintf("%+v", a)
		for _, secret := range []string{"SPECIMEN", "WREN", "1985", "U1234567", "9992000074"} {
			if strings.Contains(text, secret) {
				t.Errorf("%s tells %s", text, secret)
			}
		}
	}
}

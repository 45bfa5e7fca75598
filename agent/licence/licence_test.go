package licence

import (
	"strings"
	"testing"

	"github.com/counterproof/counterproof/agent/proof"
)

// visit is the day that the tests take for today.
var visit = day(2026, 11, 23)

// british is a licence of Great Britain without fault, of an invented person.
func british(t testing.TB) Licence {
	t.Helper()
	p := named(t, "Winterbourne", "Agnes Kate")
	return Licence{
		Issuer: "GBR", Surname: p.Surname, Given: p.Given, Birth: day(1971, 2, 9), BirthPlace: "UNITED KINGDOM",
		Issued: day(2019, 3, 2), Expires: day(2029, 3, 1), Authority: "DVLA", Number: "WINTE752091AK9ZZ",
		Address: "4 EXAMPLE ROW, SAMPLETOWN, ZZ99 3WZ", Categories: []string{"AM", "A", "B1", "B", "f", "k", "q"}, Sex: "F",
	}
}

// german is a licence of Germany without fault, of an invented person.
func german(t testing.TB) Licence {
	t.Helper()
	p := named(t, "Blümel", "Jörg")
	return Licence{
		Issuer: "D", Surname: p.Surname, Given: p.Given, Birth: day(1980, 2, 29), BirthPlace: "Musterstadt",
		Issued: day(2014, 5, 6), Expires: day(2029, 5, 5), Authority: "Landratsamt", Number: "B072RRE2I55",
		Categories: []string{"AM", "B", "L"},
	}
}

// list writes problems as "field:code".
func list(problems []Problem) string {
	words := make([]string, len(problems))
	for i, p := range problems {
		words[i] = p.Field + ":" + string(p.Code)
	}
	return strings.Join(words, " ")
}

func TestCheckGood(t *testing.T) {
	t.Parallel()
	irish := british(t)
	irish.Number, irish.Authority = "12345678", "DVA"
	single := german(t)
	single.Given = proof.Name{}
	american := Licence{
		Issuer: "USA", Surname: single.Surname, Birth: day(1982, 1, 2), Issued: day(2000, 1, 2), Expires: day(2055, 1, 2),
		Number: "w 123-456*7", Categories: []string{"D"},
	}
	for name, l := range map[string]Licence{
		"british": british(t), "german": german(t), "northern-irish": irish, "one-name": single, "fifty-years-in-Arizona": american,
	} {
		if got := l.Check(visit); len(got) > 0 {
			t.Errorf("%s: %s", name, list(got))
		}
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	tests := []struct {
		rule   string
		change func(l *Licence)
		want   string
	}{
		{"nothing", func(l *Licence) { *l = Licence{} }, "1:field_missing 3:field_missing 4a:field_missing 4b:field_missing 5:field_missing"},
		{"surname/missing", func(l *Licence) { l.Surname = proof.Name{} }, "1:field_missing"},
		{"surname/other", func(l *Licence) { l.Surname, _ = ReadName("Summers") }, "5:number_surname"},
		{"surname/lookalike", func(l *Licence) { l.Surname, _ = ReadName("Winterbоurne") }, "1:name_odd_letters"},
		{"given/lookalike", func(l *Licence) { l.Given, _ = ReadName("Αgnes Kate") }, "2:name_odd_letters 5:number_initials"},
		{"given/other", func(l *Licence) { l.Given, _ = ReadName("Mary Kate") }, "5:number_initials"},
		{"names/transposed", func(l *Licence) { l.Surname, l.Given = l.Given, l.Surname }, "1:name_transposed"},
		{"names/specimen", func(l *Licence) {
			l.Surname, _ = ReadName("Specimen")
			l.Number = "SPECI752091AK9ZZ"
		}, "5:doc_specimen"},
		{"number/specimen", func(l *Licence) {
			l.Surname, _ = ReadName("Morgan")
			l.Given, _ = ReadName("Sarah Meredyth")
			l.Number, l.Birth = "morga 657054 sm9ij", day(1964, 7, 5)
		}, "5:doc_specimen"},
		{"birth/other", func(l *Licence) { l.Birth = day(1971, 2, 19) }, "5:number_birth"},
		{"birth/missing", func(l *Licence) { l.Birth = proof.Date{} }, "3:field_missing"},
		{"birth/29-February", func(l *Licence) { l.Birth = day(1971, 2, 29) }, "3:date_impossible 5:number_birth"},
		{"birth/partial", func(l *Licence) { l.Birth = day(1971, 2, 0) }, "3:date_incomplete"},
		{"birth/future", func(l *Licence) { l.Birth = day(2071, 2, 9) }, "3:date_future 4a:issued_before_birth"},
		{"birth/after-issue", func(l *Licence) { l.Birth, l.Number = day(2021, 2, 9), "WINTE252091AK9ZZ" }, "4a:issued_before_birth"},
		{"birth/other-century", func(l *Licence) { l.Birth = day(1871, 2, 9) }, "3:holder_too_old"},
		{"age/at-issue-14", func(l *Licence) {
			l.Birth, l.Number = day(2004, 3, 3), "WINTE053034AK9ZZ"
		}, "4a:holder_too_young"},
		{"age/at-issue-15", func(l *Licence) { l.Birth, l.Number = day(2004, 3, 2), "WINTE053024AK9ZZ" }, ""},
		{"age/120", func(l *Licence) {
			l.Birth, l.Number = day(1905, 11, 24), "WINTE061245AK9ZZ"
		}, ""},
		{"age/121", func(l *Licence) { l.Birth, l.Number = day(1905, 11, 23), "WINTE061235AK9ZZ" }, "3:holder_too_old"},
		{"issue/today", func(l *Licence) { l.Issued, l.Expires = visit, day(2036, 11, 22) }, ""},
		{"issue/tomorrow", func(l *Licence) { l.Issued, l.Expires = day(2026, 11, 24), day(2036, 11, 22) }, "4a:date_future"},
		{"issue/missing", func(l *Licence) { l.Issued = proof.Date{} }, "4a:field_missing"},
		{"issue/31-April", func(l *Licence) { l.Issued = day(2019, 4, 31) }, "4a:date_impossible"},
		{"expiry/today", func(l *Licence) { l.Expires = visit }, ""},
		{"expiry/yesterday", func(l *Licence) { l.Expires = day(2026, 11, 22) }, "4b:doc_expired"},
		{"expiry/same-as-issue", func(l *Licence) { l.Expires = l.Issued }, "4b:doc_expired 4b:issued_after_expiry"},
		{"expiry/before-issue", func(l *Licence) { l.Issued, l.Expires = day(2026, 5, 2), day(2026, 5, 1) }, "4b:doc_expired 4b:issued_after_expiry"},
		{"expiry/year-10-and-a-month", func(l *Licence) { l.Expires = day(2029, 4, 2) }, ""},
		{"expiry/eleven-years", func(l *Licence) { l.Expires = day(2030, 3, 1) }, "4b:validity_too_long"},
		{"expiry/impossible", func(l *Licence) { l.Expires = proof.Date{Year: 2029, Month: 13, Day: 1} }, "4b:date_impossible"},
		{"number/missing", func(l *Licence) { l.Number = " " }, "5:field_missing"},
		{"number/malformed", func(l *Licence) { l.Number = "WINTE752331AK9ZZ" }, "5:number_date"},
		{"number/spaced", func(l *Licence) { l.Number = "winte 752091 ak9zz 02" }, ""},
		{"number/other-sex", func(l *Licence) { l.Sex = "M" }, "5:number_sex"},
		{"authority/other-part", func(l *Licence) { l.Authority = "DVA" }, "4c:authority_number"},
		{"authority/other-number", func(l *Licence) { l.Number = "12345678" }, "4c:authority_number"},
		{"authority/written-out", func(l *Licence) { l.Authority = "dvla, Swansea" }, ""},
		{"category/empty", func(l *Licence) { l.Categories = []string{""} }, "9:category_unknown"},
		{"category/long", func(l *Licence) { l.Categories = []string{"B", "CLASS"} }, "9:category_unknown"},
		{"category/digit", func(l *Licence) { l.Categories = []string{"8"} }, "9:category_unknown"},
		{"category/sign", func(l *Licence) { l.Categories = []string{"B+E"} }, "9:category_unknown"},
		{"several", func(l *Licence) {
			l.Given, _ = ReadName("X4vier")
			l.Expires, l.Sex = day(2020, 1, 1), "M"
		}, "2:name_odd_letters 4b:doc_expired 5:number_initials 5:number_sex"},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			l := british(t)
			tt.change(&l)
			if got := list(l.Check(visit)); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestCheckElsewhere(t *testing.T) {
	t.Parallel()
	tests := []struct {
		rule   string
		change func(l *Licence)
		want   string
	}{
		{"sixteen-years", func(l *Licence) { l.Expires = day(2030, 7, 1) }, "4b:validity_too_long"},
		{"fifteen-years-and-a-month", func(l *Licence) { l.Expires = day(2029, 6, 6) }, ""},
		{"turn-of-year", func(l *Licence) { l.Issued, l.Expires = day(2014, 12, 6), day(2030, 1, 6) }, ""},
		{"turn-of-year/later", func(l *Licence) { l.Issued, l.Expires = day(2014, 12, 6), day(2030, 1, 7) }, "4b:validity_too_long"},
		{"moped-at-14", func(l *Licence) { l.Birth = day(2000, 5, 6) }, ""},
		{"at-13", func(l *Licence) { l.Birth = day(2000, 5, 7) }, "4a:holder_too_young"},
		{"leap-day-at-14", func(l *Licence) {
			l.Birth, l.Issued, l.Expires = day(2000, 2, 29), day(2014, 3, 1), day(2029, 2, 1)
		}, ""},
		{"leap-day-before-14", func(l *Licence) {
			l.Birth, l.Issued, l.Expires = day(2000, 2, 29), day(2014, 2, 28), day(2029, 2, 1)
		}, "4a:holder_too_young"},
		{"number-with-signs", func(l *Licence) { l.Number = "AB<12>" }, "5:number_places"},
		{"number-of-other-letters", func(l *Licence) { l.Number = "В072RRE2I55" }, "5:number_places"},
		{"number-too-long", func(l *Licence) { l.Number = strings.Repeat("A", 26) }, "5:number_places"},
		{"number-huge", func(l *Licence) { l.Number = strings.Repeat("A", 1000) }, "5:number_places"},
		{"british-number-is-not-compared", func(l *Licence) { l.Number = "WINTE752091AK9ZZ" }, ""},
		{"issuer-not-told/british-number", func(l *Licence) { l.Issuer, l.Number = "", "WINTE752091AK9ZZ" },
			"4b:validity_too_long 5:number_surname 5:number_initials 5:number_birth"},
		{"utopia", func(l *Licence) { l.Issuer = "UTO" }, "5:doc_specimen"},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			l := german(t)
			tt.change(&l)
			if got := list(l.Check(visit)); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestEvidence(t *testing.T) {
	t.Parallel()
	for issuer, want := range map[string]proof.EvidenceType{
		"GBR": "uk_dl", "FRA": "eu_dl", "D": "eu_dl", "NOR": "eu_dl", "USA": "other", "CHE": "other", "": "other", "FR": "other", "AUT BEL": "other",
	} {
		if got := (Licence{Issuer: issuer}).Evidence(); got != want {
			t.Errorf("%q is %s, want %s", issuer, got, want)
		}
	}
	if got := (Licence{Number: "WINTE752091AK9ZZ"}).Evidence(); got != "uk_dl" {
		t.Errorf("a British number is %s", got)
	}
}

// TestProblemsSayNothingPersonal: codes are words of a closed list.
func TestProblemsSayNothingPersonal(t *testing.T) {
	t.Parallel()
	l := british(t)
	l.Number, l.Birth = "SECRE752331AK9ZZ", day(1971, 2, 30)
	l.Surname, _ = ReadName("S3CRET")
	for _, p := range l.Check(visit) {
		if strings.Trim(string(p.Code), "abcdefghijklmnopqrstuvwxyz_") != "" || strings.Contains(string(p.Code), "secre") {
			t.Errorf("code %q", p.Code)
		}
	}
}

package mrz

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/counterproof/counterproof/agent/proof"
)

// visit is the day on which the documents of these tests are shown.
func visit() proof.Date { return day(2026, 11, 22) }

// invent makes up the fields of a document of any format that Compose and Parse
// must agree on.
func invent(r *rand.Rand, f Format) Fields {
	word := func(from string, least, most int) string {
		b := make([]byte, least+r.IntN(most-least+1))
		for i := range b {
			b[i] = from[r.IntN(len(from))]
		}
		return string(b)
	}
	const letters, digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"
	states := StateCodes()
	state := func() string { return states[r.IntN(len(states))] }
	d := func(from, to int) proof.Date {
		return day(from+r.IntN(to-from), 1+r.IntN(12), 1+r.IntN(28))
	}
	out := Fields{IssuingState: state(), Surname: word(letters, 1, 12), GivenNames: word(letters, 1, 6) + " " + word(letters, 1, 6)}
	switch f {
	case FRID:
		out.DocumentCode, out.IssuingState, out.GivenNames = "ID", "FRA", word(letters, 1, 13)
		out.DocumentNumber, out.Office = "1710"+word(digits, 8, 8), word(digits, 6, 6)
		out.BirthDate, out.Sex, out.IssueDate = d(1927, 2026), "F", day(2017, 10, 0)
	case CHDL:
		out.DocumentCode, out.IssuingState, out.Language = "FA", "CHE", word("DFIR", 1, 1)
		out.DocumentNumber = word(letters, 3, 3) + word(digits, 3, 3) + out.Language
		out.PIN, out.Version, out.BirthDate = word(digits, 9, 9), word(digits, 3, 3), d(1927, 2026)
	case DL30:
		out = Fields{DocumentCode: "D1", IssuingState: "NLD", Version: "1", DocumentNumber: word(digits, 10, 10), OptionalData: word(letters+digits, 0, 13)}
	default:
		out.DocumentCode = map[Format]string{TD3: "P", MRVA: "V", MRVB: "V"}[f]
		if out.DocumentCode == "" {
			out.DocumentCode = word("ACI", 1, 1) + word(letters, 0, 1)
		}
		long := map[Format]int{TD1: 22, TD2: 14}[f]
		out.DocumentNumber, out.Nationality = word(letters+digits, 5, max(9, long)), state()
		out.BirthDate, out.ExpiryDate, out.Sex = d(1927, 2026), d(1980, 2070), word("MF", 0, 1)
		if len(out.DocumentNumber) <= 9 {
			out.OptionalData = word(letters+digits, 0, 7)
		}
		if f == TD1 {
			out.OptionalData2 = word(letters+digits, 0, 11)
		}
	}
	return out
}

// withDerived takes over from the parsed fields what Compose does not look at.
func withDerived(given, parsed Fields) Fields {
	given.BirthDateValid, given.ExpiryDateValid = parsed.BirthDateValid, parsed.ExpiryDateValid
	given.MRZInformation, given.NamesTruncated = parsed.MRZInformation, parsed.NamesTruncated
	given.StateKnown, given.NationalityKnown = parsed.StateKnown, parsed.NationalityKnown
	return given
}

func TestComposeIsReadBack(t *testing.T) {
	t.Parallel()
	for _, f := range Formats() {
		t.Run(string(f), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(1, uint64(len(f))))
			for range 800 {
				fields := invent(r, f)
				lines := Compose(fields, f)
				d := Parse(lines, visit())
				if valid, known := d.ChecksValid(); d.Format != f || known && !valid {
					t.Fatalf("%s: failing %v\n%s", d.Format, d.FailingChecks(), strings.Join(lines, "\n"))
				}
				if want := withDerived(fields, d.Fields); d.Fields != want {
					t.Fatalf("read back\n%+v\nwant\n%+v\n%s", d.Fields, want, strings.Join(lines, "\n"))
				}
				if fixed := Repair(lines, f); !slices.Equal(fixed, lines) || !slices.Equal(d.Settled, lines) {
					t.Fatalf("a right zone was repaired:\n%s\n%s", strings.Join(lines, "\n"), strings.Join(fixed, "\n"))
				}
			}
		})
	}
}

// TestComposedChangesAreFound changes one digit under a check digit: whatever
// repair makes of the fields, the checks fail.
func TestComposedChangesAreFound(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(2, 2))
	for _, f := range []Format{TD1, TD2, TD3, MRVA, MRVB, FRID, DL30} {
		l := layouts[f]
		for range 500 {
			lines := Compose(invent(r, f), f)
			rule := l.rules[r.IntN(len(l.rules))]
			at := rule.digit
			row := []byte(lines[at.line])
			if row[at.from] == '<' {
				continue // a long number
			}
			row[at.from] = '0' + (row[at.from]-'0'+1+byte(r.IntN(9)))%10
			lines[at.line] = string(row)
			if got := Parse(lines, visit()).FailingChecks(); !slices.Contains(got, rule.name) {
				t.Fatalf("%s: failing %v, want %s\n%s", f, got, rule.name, strings.Join(lines, "\n"))
			}
		}
	}
}

// TestRepairsStayInBounds confuses up to four characters of a right zone, as a
// camera does, and holds every repair to its bound. Zones that come back whole
// must read as the right one did.
func TestRepairsStayInBounds(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 3))
	restored := 0
	for _, f := range Formats() {
		for range 300 {
			lines := Compose(invent(r, f), f)
			right := Parse(lines, visit())
			confused := slices.Clone(lines)
			for range 1 + r.IntN(4) {
				i := r.IntN(len(confused))
				row := []byte(confused[i])
				if j := r.IntN(len(row)); lookalike(row[j]) != 0 {
					row[j] = lookalike(row[j])
				}
				confused[i] = string(row)
			}
			d := Parse(confused, visit())
			if d.Format != f {
				continue // a first letter was confused
			}
			checkRepairs(t, d)
			if slices.Equal(d.Settled, lines) {
				restored++
				if d.Fields != right.Fields {
					t.Fatalf("%s restored reads\n%+v\nwant\n%+v", f, d.Fields, right.Fields)
				}
			}
		}
	}
	if restored < 1000 {
		t.Errorf("only %d of 2400 zones were restored", restored)
	}
}

func TestCompose(t *testing.T) {
	t.Parallel()
	icao := Fields{
		DocumentCode: "P", IssuingState: "UTO", Surname: "Eriksson", GivenNames: "Anna Maria", DocumentNumber: "L898902C3",
		Nationality: "UTO", Sex: "F", BirthDate: day(1974, 8, 12), ExpiryDate: day(2012, 4, 15), OptionalData: "ZE184226B",
	}
	with := func(change func(f *Fields)) Fields {
		f := icao
		change(&f)
		return f
	}
	tests := []struct {
		rule   string
		fields Fields
		format Format
		want   []string
	}{
		{"icao-specimen", icao, TD3, []string{
			"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10",
		}},
		{"icao-long-number", Fields{
			DocumentCode: "I", IssuingState: "UTO", Surname: "STEVENSON", GivenNames: "PETER JOHN", DocumentNumber: "D23145890734",
			Nationality: "UTO", Sex: "M", BirthDate: day(1934, 7, 12), ExpiryDate: day(1995, 7, 12),
		}, TD1, []string{"I<UTOD23145890<7349<<<<<<<<<<<", "3407127M9507122UTO<<<<<<<<<<<2", "STEVENSON<<PETER<JOHN<<<<<<<<<"}},
		{"partial-dates-and-sex-x", with(func(f *Fields) {
			f.BirthDate, f.ExpiryDate, f.Sex, f.OptionalData = day(1970, 1, 0), proof.Date{}, "X", ""
		}), TD3, []string{"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7001<<6<<<<<<<0<<<<<<<<<<<<<<00"}},
		{"marks-in-names", with(func(f *Fields) { f.Surname, f.GivenNames = "O'Connor-Smith", "Zoé" }), TD3, []string{
			"P<UTOOCONNOR<SMITH<<ZO<<<<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10",
		}},
		{"visa", with(func(f *Fields) { f.DocumentCode = "V" }), MRVB, []string{
			"V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226",
		}},
		{"dutch-licence", Fields{
			DocumentCode: "D1", IssuingState: "NLD", Version: "1", DocumentNumber: "1234567890", OptionalData: "AG5R98GT5IN2L",
		}, DL30, []string{"D1NLD11234567890AG5R98GT5IN2L4"}},
		{"no-format", icao, Unknown, nil},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			if got := Compose(tt.fields, tt.format); !slices.Equal(got, tt.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
		})
	}
}

// TestComposeCutsNames keeps both names represented and the cut visible (ICAO
// 9303-4 §4.2.3).
func TestComposeCutsNames(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ rule, surname, given string }{
		{"long-given", "NILAVADHANANANDA", "CHAYAPA DEJTHAMRONG KRASUANG"},
		{"long-surname", strings.Repeat("BENNELONG ", 5), "DINGO POTOROO"},
		{"cut-between-names", "AAAAAAAAAAAAAAAAAAAA", "BBBBBBBBBBBBBBBB CCCC"},
		{"all-of-it-surname", strings.Repeat("A", 60), ""},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			for _, f := range []Format{TD1, TD2, TD3} {
				d := Parse(Compose(Fields{DocumentCode: "P", Surname: tt.surname, GivenNames: tt.given}, f), visit())
				if !d.Fields.NamesTruncated {
					t.Errorf("%s: the cut does not show in %v", f, d.Lines)
				}
				if d.Fields.Surname == "" || tt.given != "" && d.Fields.GivenNames == "" {
					t.Errorf("%s: a name is missing in %v", f, d.Lines)
				}
			}
		})
	}
}

// TestComposeNeverPanics gives it what no document has.
func TestComposeNeverPanics(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("Ü<é'9\x00\xff", 40)
	f := Fields{
		DocumentCode: long, IssuingState: long, Surname: long, GivenNames: long, DocumentNumber: long, Nationality: long,
		Sex: long, BirthDate: day(-5, -7, 400), ExpiryDate: day(123456, 99, 123), OptionalData: long, OptionalData2: long,
		Office: long, Language: long, PIN: long, Version: long, IssueDate: day(7, 0, 1),
	}
	for _, format := range Formats() {
		for i, l := range Compose(f, format) {
			if len(l) != format.Lines()[i] || strings.Trim(l, alphabet) != "" {
				t.Errorf("%s: line %d is %q", format, i, l)
			}
		}
	}
}

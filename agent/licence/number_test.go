package licence

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/counterproof/counterproof/agent/proof"
	"pgregory.net/rapid"
)

// table reads a testdata file of lines; "#" starts a comment.
func table(t testing.TB, name string) []string {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimRight(line, "\n"); line != "" && line[0] != '#' {
			lines = append(lines, line)
		}
	}
	return lines
}

// quoted takes a Go string off the front of a line.
func quoted(t testing.TB, line string) (text, rest string) {
	t.Helper()
	prefix, err := strconv.QuotedPrefix(strings.TrimSpace(line))
	if err != nil {
		t.Fatalf("line %q: %v", line, err)
	}
	if text, err = strconv.Unquote(prefix); err != nil {
		t.Fatalf("line %q: %v", line, err)
	}
	return text, strings.TrimSpace(line)[len(prefix):]
}

// codes writes a list of codes as one text.
func codes(cs []proof.Code) string {
	words := make([]string, len(cs))
	for i, c := range cs {
		words[i] = string(c)
	}
	return strings.Join(words, " ")
}

// day is a date.
func day(y, m, d int) proof.Date { return proof.Date{Year: y, Month: m, Day: d} }

// named is a person by the names as printed.
func named(t testing.TB, surname, given string) proof.Person {
	t.Helper()
	var p proof.Person
	p.Surname, _ = ReadName(surname)
	p.Given, _ = ReadName(given)
	return p
}

func TestParseGBNumber(t *testing.T) {
	t.Parallel()
	for _, line := range table(t, "numbers.txt") {
		want, rest, _ := strings.Cut(line, " ")
		typed, rest := quoted(t, rest)
		kept, _ := quoted(t, rest)
		t.Run(want+"/"+typed, func(t *testing.T) {
			n, wrong := ParseGBNumber(typed)
			if got := codes(wrong); got != strings.TrimPrefix(want, "ok") {
				t.Errorf("problems %q, want %s", got, want)
			}
			if n.Text != kept {
				t.Errorf("kept as %q, want %q", n.Text, kept)
			}
			if len(wrong) > 0 && n != (GBNumber{Text: kept}) {
				t.Errorf("a malformed number tells %+v", n)
			}
		})
	}
}

func TestGBNumberParts(t *testing.T) {
	t.Parallel()
	n, _ := ParseGBNumber("morga 657054 sm9ij 35")
	want := GBNumber{
		Text: "MORGA657054SM9IJ", Issue: "35", Surname: "MORGA", Initials: "SM",
		Year: 64, Month: 7, Day: 5, Female: true,
	}
	if n != want {
		t.Errorf("got %+v, want %+v", n, want)
	}
}

func TestCompareNames(t *testing.T) {
	t.Parallel()
	tests := []struct{ rule, number, surname, given, want string }{
		{"as-printed", "MORGA657054SM9IJ", "Morgan", "Sarah Meredyth", ""},
		{"other-surname", "MORGA657054SM9IJ", "Meredyth", "Sarah Meredyth", "number_surname"},
		{"other-given", "MORGA657054SM9IJ", "Morgan", "Kate Meredyth", "number_initials"},
		{"second-initial", "MORGA657054SM9IJ", "Morgan", "Sarah", "number_initials"},
		{"second-initial-missing", "MORGA657054S99IJ", "Morgan", "Sarah Meredyth", "number_initials"},
		{"three-given-names", "MORGA657054SM9IJ", "Morgan", "Sarah Meredyth Kate", ""},
		{"beyond-five-letters", "SMITH001010JJ9AA", "Smithson", "John James", ""},
		{"short-filled", "LI999610240A99AA", "Li", "An", ""},
		{"short-not-a-prefix", "LI999610240A99AA", "Liu", "An", "number_surname"},
		{"exactly-five", "SMITH001010JJ9AA", "SMITH", "John James", ""},
		{"four-letters", "LEES9610240A99AA", "Lees", "An", ""},
		{"fifth-letter-beyond-filler", "LEES9610240A99AA", "Leesa", "An", "number_surname"},
		{"Mac", "MCDON610240A99AA", "MacDonald", "An", ""},
		{"Mac-space", "MCDON610240A99AA", "Mac Donald", "An", ""},
		{"Mac-without-a", "MCDON610240A99AA", "McDonald", "An", ""},
		{"Mac-whatever-follows", "MCK99610240A99AA", "Mack", "An", ""},
		{"Mac-alone", "MC999610240A99AA", "Mac", "An", ""},
		{"Mac-uncoded", "MACDO610240A99AA", "MacDonald", "An", "number_surname"},
		{"Mac-inside", "TARMA610240A99AA", "Tarmac", "An", ""},
		{"apostrophe", "OBRIE610240A99AA", "O'Brien", "An", ""},
		{"curly-apostrophe", "OBRIE610240A99AA", "O’Brien", "An", ""},
		{"hyphen", "LEEJO610240A99AA", "Lee-Jones", "An", ""},
		{"space", "DELAC610240A99AA", "de la Cruz", "An", ""},
		{"stop", "STJOH610240A99AA", "St. John", "An", ""},
		{"accent", "NUNEZ610240A99AA", "Núñez", "An", ""},
		{"accent-composed-later", "NUNEZ610240A99AA", "Nu\u0301n\u0303ez", "An", ""},
		{"umlaut-dropped", "MULLE610240A99AA", "Müller", "An", ""},
		{"umlaut-transliterated", "MUELL610240A99AA", "Müller", "An", ""},
		{"umlaut-neither", "MILLE610240A99AA", "Müller", "An", "number_surname"},
		{"hyphenated-given-once", "MORGA657054A99IJ", "Morgan", "Anne-Marie", ""},
		{"hyphenated-given-twice", "MORGA657054AM9IJ", "Morgan", "Anne-Marie", ""},
		{"hyphenated-given-and-more", "MORGA657054AL9IJ", "Morgan", "Anne-Marie Louise", ""},
		{"apostrophe-in-given", "MORGA657054D99IJ", "Morgan", "D'Arcy", ""},
		{"title", "MORGA657054SM9IJ", "Morgan", "MISS Sarah Meredyth", ""},
		{"title-with-stop", "MORGA657054SM9IJ", "Morgan", "Mrs. Sarah Meredyth", ""},
		{"title-is-a-name", "MORGA657054DA9IJ", "Morgan", "Dame Agnes", ""},
		{"no-title-alone", "MORGA657054D99IJ", "Morgan", "Dame", ""},
		{"no-given", "MORGA657054SM9IJ", "Morgan", "", ""},
		{"no-given-on-number", "MORGA657054999IJ", "Morgan", "Sarah", "number_initials"},
		{"no-surname", "MORGA657054SM9IJ", "", "Sarah Meredyth", ""},
		{"nothing", "MORGA657054SM9IJ", "", "", ""},
		{"transposed", "MORGA657054SM9IJ", "Sarah Meredyth", "Morgan", "name_transposed"},
		{"transposed-one-given", "MORGA657054S99IJ", "Sarah", "Morgan", "name_transposed"},
		{"transposed-none", "MORGA657054S99IJ", "Sarah", "Kate", "number_surname number_initials"},
		{"transposed-palindrome", "SARAH657054S99IJ", "Sarah", "Sarah", ""},
		{"no-letters", "MORGA657054SM9IJ", "-", "Sarah Meredyth", "number_surname"},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			n, wrong := ParseGBNumber(tt.number)
			if len(wrong) > 0 {
				t.Fatal(wrong)
			}
			if got := codes(n.Compare(named(t, tt.surname, tt.given))); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestCompareICAO: names from a machine-readable zone have no printed form.
func TestCompareICAO(t *testing.T) {
	t.Parallel()
	n, _ := ParseGBNumber("MUELL657054AM9IJ")
	p := proof.Person{Surname: proof.NewName("MUELLER"), Given: proof.NewName("ANNE MARIE")}
	if got := n.Compare(p); len(got) > 0 {
		t.Errorf("got %v, want none", got)
	}
	p.Surname = proof.Name{ICAO: "MULLER"}
	if got := codes(n.Compare(p)); got != "number_surname" {
		t.Errorf("got %q, want number_surname", got)
	}
}

func TestCompareBirthAndSex(t *testing.T) {
	t.Parallel()
	tests := []struct {
		rule, number string
		birth        proof.Date
		sex, want    string
	}{
		{"same", "MORGA657054SM9IJ", day(1964, 7, 5), "F", ""},
		{"decade", "MORGA757054SM9IJ", day(1964, 7, 5), "F", "number_birth"},
		{"month", "MORGA653054SM9IJ", day(1964, 7, 5), "F", "number_birth"},
		{"day", "MORGA657064SM9IJ", day(1964, 7, 5), "F", "number_birth"},
		{"year", "MORGA657055SM9IJ", day(1964, 7, 5), "F", "number_birth"},
		{"sex", "MORGA607054SM9IJ", day(1964, 7, 5), "F", "number_sex"},
		{"sex-other-way", "MORGA657054SM9IJ", day(1964, 7, 5), "M", "number_sex"},
		{"man-in-december", "MORGA612054SM9IJ", day(1964, 12, 5), "M", ""},
		{"woman-in-december", "MORGA662054SM9IJ", day(1964, 12, 5), "F", ""},
		{"both", "MORGA653054SM9IJ", day(1964, 7, 5), "M", "number_birth number_sex"},
		{"sex-X", "MORGA657054SM9IJ", day(1964, 7, 5), "X", ""},
		{"nothing", "MORGA657054SM9IJ", proof.Date{}, "", ""},
		{"century-1904", "MORGA057054SM9IJ", day(1904, 7, 5), "F", ""},
		{"century-2004", "MORGA057054SM9IJ", day(2004, 7, 5), "F", ""},
		{"leap-day", "MORGA002290SM9IJ", day(2000, 2, 29), "M", ""},
		{"leap-day/day-before", "MORGA002290SM9IJ", day(2000, 2, 28), "M", "number_birth"},
		{"year-only", "MORGA657054SM9IJ", day(1964, 0, 0), "F", ""},
		{"year-only/other", "MORGA657054SM9IJ", day(1965, 0, 0), "F", "number_birth"},
		{"month-only/other", "MORGA657054SM9IJ", day(1964, 8, 0), "F", "number_birth"},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			n, _ := ParseGBNumber(tt.number)
			if got := codes(n.Compare(proof.Person{Birth: tt.birth, Sex: tt.sex})); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestCheckNumber(t *testing.T) {
	t.Parallel()
	morgan := named(t, "Morgan", "Sarah Meredyth")
	morgan.Birth, morgan.Sex = day(1964, 7, 5), "F"
	cyrillic := named(t, "Mоrgan", "Sarah Meredyth") // the second letter is Cyrillic
	hidden := named(t, "Morgan\u200b", "Sarah Meredyth")
	unborn := proof.Person{Birth: day(1965, 2, 29)}
	tests := []struct {
		rule, number string
		person       proof.Person
		valid, match bool
		want         string
	}{
		{"same", "MORGA657054SM9IJ", morgan, true, true, ""},
		{"nothing-told", "MORGA657054SM9IJ", proof.Person{}, true, true, ""},
		{"one-differs", "MORGA657055SM9IJ", morgan, true, false, "number_birth"},
		{"all-differ", "SMITH001010JJ9AA", morgan, true, false, "number_surname number_initials number_birth number_sex"},
		{"malformed", "MORGA657324SM9IJ", morgan, false, false, "number_date"},
		{"malformed/nothing-compared", "ABC", proof.Person{}, false, false, "number_length"},
		{"Northern-Ireland", "12345678", morgan, true, true, "number_silent"},
		{"Northern-Ireland/spaces", " 1234 5678 ", proof.Person{}, true, true, "number_silent"},
		{"Northern-Ireland/seven", "1234567", morgan, false, false, "number_length"},
		{"Northern-Ireland/nine", "123456789", morgan, false, false, "number_length"},
		{"Northern-Ireland/letter", "1234567A", morgan, false, false, "number_length"},
		{"Northern-Ireland/other-digits", "１2345678", morgan, false, false, "number_length"},
		{"lookalike", "MORGA657054SM9IJ", cyrillic, true, false, "number_surname name_odd_letters"},
		{"hidden-mark", "MORGA657054SM9IJ", hidden, true, false, "name_odd_letters"},
		{"no-such-day", "MORGA602285SM9IJ", unborn, true, false, "number_birth date_impossible"},
		{"Northern-Ireland/no-such-day", "12345678", unborn, true, false, "date_impossible number_silent"},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			v := CheckNumber(tt.number, tt.person)
			if v.Valid != tt.valid || v.Match != tt.match || codes(v.Problems) != tt.want {
				t.Errorf("got valid %v, match %v, %v; want %v, %v, %s", v.Valid, v.Match, v.Problems, tt.valid, tt.match, tt.want)
			}
		})
	}
}

// holder draws an invented person, and the first thirteen characters of their
// number as the DVLA's leaflet tells to make them.
func holder(t *rapid.T) (p proof.Person, made string) {
	word := rapid.StringMatching(`[A-Z]{1,9}`)
	surname, one, two := word.Draw(t, "surname"), word.Draw(t, "given"), rapid.StringMatching(`[A-Z]{0,9}`).Draw(t, "second")
	p.Surname, _ = ReadName(surname)
	p.Given, _ = ReadName(one + " " + two)
	p.Birth = day(rapid.IntRange(1930, 2008).Draw(t, "year"), rapid.IntRange(1, 12).Draw(t, "month"), rapid.IntRange(1, 28).Draw(t, "day"))
	p.Sex = rapid.SampledFrom([]string{"M", "F"}).Draw(t, "sex")
	coded := surname
	if strings.HasPrefix(surname, "MAC") {
		coded = "MC" + surname[3:]
	}
	initial := "9"
	if two != "" {
		initial = two[:1]
	}
	month := p.Birth.Month + map[string]int{"M": 0, "F": 50}[p.Sex]
	year := fmt.Sprintf("%04d", p.Birth.Year)
	made = (coded + "9999")[:5] + year[2:3] + fmt.Sprintf("%02d%02d", month, p.Birth.Day) + year[3:] + one[:1] + initial
	return p, made
}

// TestEveryChangeShows: a number made from a person fits, and a person who
// differs in anything that it holds does not.
func TestEveryChangeShows(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p, made := holder(t)
		if v := CheckNumber(made+"9AA", p); !v.Match {
			t.Fatalf("%s of %+v: %v", made, p, v.Problems)
		}
		other, differently := holder(t)
		v := CheckNumber(made+"9AA", other)
		if v.Match != (made == differently) {
			t.Fatalf("%s against %s: match %v", made, differently, v.Match)
		}
		if slices.Contains(v.Problems, NumberSex) != (p.Sex != other.Sex) {
			t.Fatalf("%s against %s: %v", made, differently, v.Problems)
		}
	})
}

func FuzzParseGBNumber(f *testing.F) {
	for _, line := range table(f, "numbers.txt") {
		_, rest, _ := strings.Cut(line, " ")
		typed, _ := quoted(f, rest)
		f.Add(typed, "Morgan", "Sarah Meredyth")
	}
	f.Fuzz(func(t *testing.T, typed, surname, given string) {
		n, wrong := ParseGBNumber(typed)
		v := CheckNumber(typed, named(t, surname, given))
		if len(wrong) > 0 {
			if _, irish := ParseNINumber(typed); v.Valid != irish {
				t.Fatalf("%q is malformed (%v) and valid", typed, wrong)
			}
			return
		}
		if v.Match && len(v.Problems) > 0 || !v.Valid {
			t.Fatalf("%q gives %+v", typed, v)
		}
		if len(n.Text) != 16 || n.Month < 1 || n.Month > 12 || n.Day < 1 || n.Day > 31 {
			t.Fatalf("%q gives %+v", typed, n)
		}
		if again, wrong := ParseGBNumber(n.Text + n.Issue); len(wrong) > 0 || again != n {
			t.Fatalf("%q gives %+v and then %+v", typed, n, again)
		}
	})
}

func TestSpecimen(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]bool{
		"MORGA657054SM9IJ": true, "morga 657054 sm9ij 35": true, "MORGA753116SM9IJ": true,
		"MORGA657054SM9IK": false, "MORGA": false, "": false,
	} {
		if got := Specimen(typed); got != want {
			t.Errorf("%q: %t, want %t", typed, got, want)
		}
	}
}

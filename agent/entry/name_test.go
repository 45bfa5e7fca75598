package entry_test

import (
	"strings"
	"testing"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/entry"
	"github.com/counterproof/counterproof/agent/proof"
)

// surname is how a surname is taken.
func surname(typed string) (proof.Name, proof.Kind) {
	fact, kind := entry.Identity(api.Identity{Surname: typed, Birth: day(1985, 3, 12)}, proof.Patient, today)
	got, _ := fact.(proof.IdentityClaimed)
	return got.Person.Surname, kind
}

// TestNames holds the transliteration of ICAO 9303-3 §6 for what people of these
// islands and their guests are called.
func TestNames(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]proof.Name{
		"Morgan":              {Printed: "Morgan", ICAO: "MORGAN", Key: "MORGAN"},
		"  van \t der  Berg ": {Printed: "van der Berg", ICAO: "VAN DER BERG", Key: "VANDERBERG"},
		"O’Neill":             {Printed: "O’Neill", ICAO: "ONEILL", Key: "ONEILL"},
		"Ŵyn-Ŷnys":            {Printed: "Ŵyn-Ŷnys", ICAO: "WYN YNYS", Key: "WYNYNYS"},
		"Müller":              {Printed: "Müller", ICAO: "MUELLER", Key: "MUELLER"},
		"Mu\u0308ller":        {Printed: "Mu\u0308ller", ICAO: "MUELLER", Key: "MUELLER"},
		"Größ":                {Printed: "Größ", ICAO: "GROESS", Key: "GROESS"},
		"Åse Ærø Œuvre":       {Printed: "Åse Ærø Œuvre", ICAO: "AASE AEROE OEUVRE", Key: "AASEAEROEOEUVRE"},
		"Þórð":                {Printed: "Þórð", ICAO: "THORD", Key: "THORD"},
		"Łukaş":               {Printed: "Łukaş", ICAO: "LUKAS", Key: "LUKAS"},
		"Nguyễn":              {Printed: "Nguyễn", ICAO: "NGUYEN", Key: "NGUYEN"},
		"Ñuñez Žižka":         {Printed: "Ñuñez Žižka", ICAO: "NUNEZ ZIZKA", Key: "NUNEZZIZKA"},
	} {
		if got, kind := surname(typed); kind != proof.KindNone || got != want {
			t.Errorf("%q is %+q (%q), want %+q", typed, got, kind, want)
		}
	}
	longest := strings.Repeat("ŵ", 100)
	if got, kind := surname(longest); kind != proof.KindNone || got.Printed != longest {
		t.Errorf("100 letters: %q", kind)
	}
	for rule, typed := range map[string]string{
		"Cyrillic among Latin": "Nеill", "Greek among Latin": "Ηughes", "all Cyrillic": "Морган", "Hebrew": "כהן", "Arabic": "محمد",
		"full width": "Ｎeill", "ligature": "ﬁnn", "long s": "Jonaſ", "Armenian": "ՕNeill", "mathematical": "𝐌organ",
		"override": "Wren\u202egro", "embedding": "\u202bWren", "isolate": "Wren\u2067", "Arabic mark": "Wren\u061c", "mark of direction": "Wren\u200f",
		"zero width space": "Wr\u200ben", "zero width joiner": "Wr\u200den", "byte order mark": "\ufeffWren", "soft hyphen": "Wr\u00aden",
		"grapheme joiner": "Wr\u034fen", "variation": "Wren\ufe0f", "filler": "Wr\u3164en", "blank Braille": "Wr\u2800en", "tag": "Wren\U000e0041",
		"private use": "Wr\ue000en", "control": "Wr\x00en", "no character": "Wr\ufffden", "broken": "Wr\xffen",
		"a digit": "Wr3n", "other digits": "Wren٣", "a sign": "Wren;", "markup": "<b>", "only signs": "-'-", "a mark alone": "\u0301Wren",
		"a heap of marks": "W\u0301\u0302\u0303\u0304ren", "endless": strings.Repeat("a", 101), "endless signs": strings.Repeat("'", 1<<16),
	} {
		if got, kind := surname(typed); kind != proof.KindOddLetters {
			t.Errorf("%s: taken as %+q (%q)", rule, got, kind)
		}
	}
	for _, typed := range []string{"", " ", "\t\n", "\u00a0"} {
		if _, kind := surname(typed); kind != proof.KindDetailsMissing {
			t.Errorf("%q: %q, want %q", typed, kind, proof.KindDetailsMissing)
		}
	}
}

func TestColleague(t *testing.T) {
	t.Parallel()
	who := func(given, surname string) proof.Person {
		return proof.Person{Surname: proof.NewName(surname), Given: proof.NewName(given)}
	}
	wyn := who("SAM ALEX", "VAUGHN WYN")
	for _, c := range []struct {
		rule, known string
		patient     proof.Person
		want        bool
	}{
		{"same", "Sam Vaughn-Ŵyn", wyn, true},
		{"capitals", "SAM VAUGHN-WYN", wyn, true},
		{"title", "Dr. Sam Vaughn-Ŵyn", wyn, true},
		{"given-names-between", "Sam Jo Vaughn Wyn", wyn, true},
		{"surname-first", "Vaughn-Ŵyn, Sam", wyn, true},
		{"number-behind", "Sam Vaughn-Ŵyn (2)", wyn, true},
		{"job-behind", "Sam Vaughn-Ŵyn, pharmacist", wyn, true},
		{"hyphen-in-given", "Anne-Marie O'Neill", who("ANNE MARIE", "ONEILL"), true},
		{"apostrophe", "Anne O’Neill", who("ANNE", "ONEILL"), true},
		{"only-first-name", "Sam", wyn, false},
		{"title-is-no-first-name", "Dr Vaughn-Ŵyn", wyn, false},
		{"half-a-surname", "Sam Vaughn", wyn, false},
		{"half-a-surname-of-theirs", "Sam Vaughn-Ŵyn", who("SAM", "VAUGHN"), false},
		{"other-first-name", "Jo Sam Vaughn Wyn", wyn, false},
		{"initial-is-not-enough", "S Vaughn Wyn", wyn, false},
		{"no-given-name-told", "Sam Vaughn-Ŵyn", who("", "VAUGHN WYN"), false},
		{"no-surname-told", "Sam Vaughn-Ŵyn", who("SAM", ""), false},
		{"nobody-told", "Sam Vaughn-Ŵyn", proof.Person{}, false},
		{"no-display-name", "", wyn, false},
	} {
		clerks := []proof.Operator{{ID: "robin", Name: "Robin"}, {ID: "sam", Name: c.known}}
		id, yes := entry.Colleague(c.patient, clerks)
		if yes != c.want || yes != (id == "sam") {
			t.Errorf("%s: %q %t, want %t", c.rule, id, yes, c.want)
		}
	}
	if id, yes := entry.Colleague(wyn, nil); yes {
		t.Errorf("a colleague where there are none: %q", id)
	}
}

// FuzzColleague compares whatever stands in an account with whatever was read.
func FuzzColleague(f *testing.F) {
	f.Add("Robin Hughes", "ROBIN", "HUGHES")
	f.Add("Hughes, Dr Robin", "", "\u202e")
	f.Add(",", "A", "B")
	f.Fuzz(func(t *testing.T, display, given, surname string) {
		p := proof.Person{Surname: proof.NewName(surname), Given: proof.NewName(given)}
		id, yes := entry.Colleague(p, []proof.Operator{{ID: "x", Name: display}})
		if yes != (id == "x") || yes && (p.Surname.Key == "" || p.Given.Key == "") {
			t.Errorf("%q and %q %q: %q %t", display, given, surname, id, yes)
		}
	})
}

package licence

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/counterproof/counterproof/agent/proof"
)

func TestReadName(t *testing.T) {
	t.Parallel()
	tests := []struct{ rule, printed, icao, key string }{
		{"plain", "Morgan", "MORGAN", "MORGAN"},
		{"spaces", "  de  la\u00a0Cruz ", "DE LA CRUZ", "DELACRUZ"},
		{"hyphen", "Anne-Marie", "ANNE MARIE", "ANNEMARIE"},
		{"long-hyphen", "Anne–Marie", "ANNE MARIE", "ANNEMARIE"},
		{"apostrophes", "O'Neill D’Arcy", "ONEILL DARCY", "ONEILLDARCY"},
		{"stop", "St. John", "ST JOHN", "STJOHN"},
		{"umlauts", "Jürgen Größe Äöü", "JUERGEN GROESSE AEOEUE", "JUERGENGROESSEAEOEUE"},
		{"umlaut-in-two", "Mu\u0308ller", "MUELLER", "MUELLER"},
		{"ring-in-two", "A\u030aberg", "AABERG", "AABERG"},
		{"accent-in-two", "Rene\u0301", "RENE", "RENE"},
		{"Nordic", "Åse Sørby Æbel Þór Ðeil", "AASE SOERBY AEBEL THOR DEIL", "AASESOERBYAEBELTHORDEIL"},
		{"Polish", "Łukasz Żółw", "LUKASZ ZOLW", "LUKASZZOLW"},
		{"Turkish", "İpek Yıldız", "IPEK YILDIZ", "IPEKYILDIZ"},
		{"Welsh", "Siân Ŵyn", "SIAN WYN", "SIANWYN"},
		{"Vietnamese", "Nguyễn", "NGUYEN", "NGUYEN"},
		{"Vietnamese-in-three", "Nguye\u0302\u0303n", "NGUYEN", "NGUYEN"},
		{"Catalan", "Gal·la", "GALLA", "GALLA"},
		{"nothing", "", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			n, odd := ReadName(tt.printed)
			if odd {
				t.Error("odd letters")
			}
			if n.ICAO != tt.icao || n.Key != tt.key {
				t.Errorf("got %q and %q, want %q and %q", n.ICAO, n.Key, tt.icao, tt.key)
			}
			if want := strings.Join(strings.Fields(tt.printed), " "); n.Printed != want {
				t.Errorf("printed %q, want %q", n.Printed, want)
			}
		})
	}
}

func TestReadNameOdd(t *testing.T) {
	t.Parallel()
	tests := []struct{ rule, printed, shown string }{
		{"Cyrillic-lookalike", "Mоrgan", "Mоrgan"},
		{"Greek-lookalike", "Μorgan", "Μorgan"},
		{"all-Cyrillic", "Морган", "Морган"},
		{"full-width", "Ｍorgan", "Ｍorgan"},
		{"mathematical", "𝐌organ", "𝐌organ"},
		{"click-letter", "ǀan", "ǀan"},
		{"small-capital", "Morgaɴ", "Morgaɴ"},
		{"long-s", "Moſs", "Moſs"},
		{"Kelvin-sign", "\u212aelvin", "\u212aelvin"},
		{"digit-zero", "M0rgan", "M0rgan"},
		{"digit-one", "Wi11iam", "Wi11iam"},
		{"right-to-left-override", "Morgan\u202enagroM", "Morgan\ufffdnagroM"},
		{"isolate", "\u2067Morgan\u2069", "\ufffdMorgan\ufffd"},
		{"direction-mark", "Morgan\u200f", "Morgan\ufffd"},
		{"Arabic", "مورغان", "مورغان"},
		{"Hebrew-in-Latin", "Morganא", "Morganא"},
		{"zero-width", "Mor\u200bgan", "Mor\ufffdgan"},
		{"joiner", "Mor\u200dgan", "Mor\ufffdgan"},
		{"soft-hyphen", "Mor\u00adgan", "Mor\ufffdgan"},
		{"byte-order-mark", "\ufeffMorgan", "\ufffdMorgan"},
		{"control", "Mor\x00gan", "Mor\ufffdgan"},
		{"tab", "Mor\tgan", "Mor\ufffdgan"},
		{"line-end", "Mor\ngan", "Mor\ufffdgan"},
		{"not-text", "Mor\xffgan", "Mor\ufffdgan"},
		{"mark-alone", "\u0301Morgan", "\u0301Morgan"},
		{"marks-heaped", "M\u0301\u0302\u0303organ", "M\u0301\u0302\u0303organ"},
		{"mark-of-another-script", "Mo\u0651rgan", "Mo\u0651rgan"},
		{"comma", "Morgan, Sarah", "Morgan, Sarah"},
		{"sign", "Morgan@home", "Morgan@home"},
		{"emoji", "Morgan 😀", "Morgan 😀"},
		{"too-long", strings.Repeat("A", 201), strings.Repeat("A", 200)},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			n, odd := ReadName(tt.printed)
			if !odd {
				t.Errorf("%q is no odd name", tt.printed)
			}
			if n.Printed != tt.shown {
				t.Errorf("printed %q, want %q", n.Printed, tt.shown)
			}
			if !oddName(n) && tt.rule != "too-long" {
				t.Error("it is no longer odd once it is a name")
			}
		})
	}
}

// TestAccentedTable holds the table of letters against Unicode's own tables.
func TestAccentedTable(t *testing.T) {
	t.Parallel()
	seen := map[rune]bool{}
	for _, r := range accented {
		if r == ' ' || r == '\n' {
			continue
		}
		if seen[r] || !unicode.IsUpper(r) || !unicode.Is(unicode.Latin, r) {
			t.Errorf("%c stands twice or is no capital of the Latin script", r)
		}
		seen[r] = true
		small, ok := latin(unicode.ToLower(r))
		if capital, _ := latin(r); !ok || small != capital {
			t.Errorf("%c reads %q, its small letter %q", r, capital, small)
		}
	}
	for r := 'A'; r <= 'Z'; r++ {
		if got, ok := latin(r); got != string(r) || !ok {
			t.Errorf("%c reads %q", r, got)
		}
	}
}

func TestOddICAO(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{"ERIKSSON ANNA": false, "": false, "ERIK?SON": true, "ERIKSSON<<ANNA": true, "MORGAN 2": true} {
		if got := oddName(proof.NewName(name)); got != want {
			t.Errorf("%q: odd %v, want %v", name, got, want)
		}
	}
}

func FuzzReadName(f *testing.F) {
	for _, s := range []string{"Morgan", "Müller-Lüdenscheidt", "Mu\u0308ller", "O’Brien", "M\u202eorgan", "Мorgan", "\xff", "Nguyễn", strings.Repeat("é", 300)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, printed string) {
		n, odd := ReadName(printed)
		if strings.Trim(n.ICAO, capitals+" ") != "" || strings.Trim(n.Key, capitals) != "" {
			t.Fatalf("%q gives %+v", printed, n)
		}
		if !utf8.ValidString(n.Printed) || strings.ContainsFunc(n.Printed, unicode.IsControl) || utf8.RuneCountInString(n.Printed) > maxName {
			t.Fatalf("%q is shown as %q", printed, n.Printed)
		}
		again, oddAgain := ReadName(n.Printed)
		if again.Printed != n.Printed || !odd && (oddAgain || again != n) {
			t.Fatalf("%q gives %+v and then %+v", printed, n, again)
		}
	})
}

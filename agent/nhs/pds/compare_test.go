package pds

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/counterproof/counterproof/agent/proof"
	"pgregory.net/rapid"
)

// lines reads a testdata file of lines with "|" between their columns.
func lines(t testing.TB, name string) [][]string {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var all [][]string
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			all = append(all, split(line, "|"))
		}
	}
	return all
}

// split parts a text and trims the parts; a quoted part is a Go string.
func split(text, sign string) []string {
	parts := strings.Split(text, sign)
	for i, p := range parts {
		parts[i] = strings.TrimSpace(p)
		if s, err := strconv.Unquote(parts[i]); err == nil {
			parts[i] = s
		}
	}
	return parts
}

// claimOf reads the claim of a case.
func claimOf(t testing.TB, text string) Claim {
	t.Helper()
	f := append(split(text, ";"), "", "")
	birth, ok := readDate(f[2])
	if !ok {
		t.Fatalf("no date: %s", f[2])
	}
	c := Claim{Postcode: f[3]}
	c.Person.Birth = birth
	if f[4] == "" {
		c.Person.Surname, c.Person.Given = proof.Name{Printed: f[0]}, proof.Name{Printed: f[1]}
		return c
	}
	c.Zone, _ = strconv.Atoi(f[4])
	c.Person.Surname, c.Person.Given = proof.NewName(f[0]), proof.NewName(f[1])
	return c
}

// recordOf reads the record of a case.
func recordOf(t testing.TB, text string) Patient {
	t.Helper()
	f := append(split(text, ";"), "", "")
	birth, ok := readDate(f[2])
	if !ok {
		t.Fatalf("no date: %s", f[2])
	}
	p := Patient{Birth: birth, Names: []Name{{Use: f[4], Family: f[0], Given: strings.Fields(f[1])}}}
	if f[3] != "" {
		p.Postcodes = split(f[3], ",")
	}
	return p
}

// said writes a comparison as the cases do.
func said(c Comparison) string {
	out := ""
	if c.Odd {
		out = "odd "
	}
	for _, v := range []Verdict{c.Birth, c.Family, c.Given, c.Postcode} {
		if v == Unknown {
			v = "-"
		}
		out += string(v) + " "
	}
	return out + "-> " + string(c.Verdict())
}

func TestCompare(t *testing.T) {
	t.Parallel()
	for _, c := range lines(t, "compare.txt") {
		t.Run(c[0], func(t *testing.T) {
			if got := said(Compare(claimOf(t, c[1]), recordOf(t, c[2]))); got != c[3] {
				t.Errorf("got %s, want %s", got, c[3])
			}
		})
	}
}

// TestBestName: of several names the best counts, and one that is not the usual
// one never makes the match whole.
func TestBestName(t *testing.T) {
	t.Parallel()
	claim := claimOf(t, "Merriweather; Bob; 1972-09-15;")
	usual, nick := Name{Use: "usual", Family: "Merriweather", Given: []string{"Robert"}}, Name{Use: "nickname", Family: "Merriweather", Given: []string{"Bob"}}
	for name, c := range map[string]struct {
		names []Name
		want  Verdict
	}{
		"usual-only": {[]Name{usual}, Different},
		"nickname":   {[]Name{usual, nick}, Partial},
		"order":      {[]Name{nick, usual}, Partial},
		"none":       {nil, Different},
	} {
		p := Patient{Names: c.names, Birth: claim.Person.Birth}
		if got := Compare(claim, p).Verdict(); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
}

// TestCompareBothForms: a name that is known as printed and from the zone agrees
// where either of them does.
func TestCompareBothForms(t *testing.T) {
	t.Parallel()
	c := Claim{Person: proof.Person{
		Surname: proof.Name{Printed: "Đorđević", ICAO: "DJORDJEVIC", Key: "DJORDJEVIC"}, Given: proof.Name{Printed: "Ana", ICAO: "ANA"},
		Birth: proof.Date{Year: 1990, Month: 1, Day: 2},
	}}
	for _, family := range []string{"Djordjevic", "Dordevic", "Đorđević"} {
		p := Patient{Birth: c.Person.Birth, Names: []Name{{Family: family, Given: []string{"Ana"}}}}
		if got := Compare(c, p).Verdict(); got != Equal {
			t.Errorf("%s: %s", family, got)
		}
	}
}

// TestCompareLaws: a birth date that differs is never anything but another
// person, everybody is themselves, and nothing panics.
func TestCompareLaws(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[A-Za-zÀ-ÿ' -]{0,40}`)
		a := Patient{Names: []Name{{Family: name.Draw(t, "family"), Given: []string{name.Draw(t, "given")}}},
			Birth: proof.Date{Year: 1980, Month: rapid.IntRange(1, 12).Draw(t, "month"), Day: rapid.IntRange(1, 28).Draw(t, "day")}}
		claim := Claim{Person: proof.Person{
			Surname: proof.Name{Printed: a.Names[0].Family}, Given: proof.Name{Printed: a.Names[0].Given[0]}, Birth: a.Birth,
		}, Zone: rapid.IntRange(0, 39).Draw(t, "zone")}
		c := Compare(claim, a)
		if own := c.Verdict(); own != Equal && c.Family != Unknown && !c.Odd {
			t.Fatalf("somebody is not themselves: %s", said(c))
		}
		claim.Person.Birth.Year++
		if other := Compare(claim, a).Verdict(); other != Different {
			t.Fatalf("another birth date is %s", other)
		}
	})
}

func TestSoundex(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]string{
		"ROBERT": "R163", "RUPERT": "R163", "RUBIN": "R150", "ASHCRAFT": "A261", "TYMCZAK": "T522", "PFISTER": "P236",
		"HONEYMAN": "H555", "SMITH": "S530", "SMYTHE": "S530", "A": "A000", "LEE": "L000", "": "", "GUTIERREZ": "G362",
	} {
		if got := Soundex(word); got != want {
			t.Errorf("%s sounds %s, want %s", word, got, want)
		}
	}
}

func TestDistance(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"A", "", 1}, {"", "ABC", 3}, {"SMITH", "SMITH", 0}, {"SMITH", "SMYTH", 1}, {"SMITH", "SMYTHE", 2},
		{"KITTEN", "SITTING", 3}, {"QX158JY", "QX15258JY", 2}, {"AB", "BA", 2},
	} {
		if got := Distance(c.a, c.b); got != c.want {
			t.Errorf("%s and %s: %d, want %d", c.a, c.b, got, c.want)
		}
		if got := Distance(c.b, c.a); got != c.want {
			t.Errorf("%s and %s: %d, want %d", c.b, c.a, got, c.want)
		}
	}
	if got := Distance(strings.Repeat("A", 1e6), strings.Repeat("B", 1e6)); got != maxWord {
		t.Errorf("long words are cut: %d", got)
	}
}

func TestLetters(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		printed, plain, written string
		odd                     bool
	}{
		{"Müller-Lüdenscheidt", "MULLER LUDENSCHEIDT", "MUELLER LUEDENSCHEIDT", false},
		{"Åse Ødegård", "ASE ODEGARD", "AASE OEDEGAARD", false},
		{"O’Neil", "ONEIL", "ONEIL", false},
		{"ｓｍｉｔｈ－Ｊｏｎｅｓ", "SMITH JONES", "SMITH JONES", false},
		{"Smith\u3000Jones", "SMITH JONES", "SMITH JONES", false},
		{"Sm\u0456th", "SMTH", "SMTH", true},
		{"９Lives", "LIVES", "LIVES", true},
		{"", "", "", false},
	} {
		plain, written, odd := Letters(c.printed)
		if plain != c.plain || written != c.written || odd != c.odd {
			t.Errorf("%q: %q, %q, odd %t", c.printed, plain, written, odd)
		}
	}
}

func TestReadPostcode(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"LS1 6AE": "LS1 6AE", "m11aa": "M1 1AA", "EC1A 1BB": "EC1A 1BB", "W1A0AX": "W1A 0AX", "DN55 1PT": "DN55 1PT", "B33 8TH": "B33 8TH",
		"LS1 6A": "", "LS1 6AEE": "", "1LS 6AE": "", "LS1 AAE": "", "LS*": "", "": "", "LS1\u00a06AE": "", "ＬＳ１ 6AE": "",
	} {
		p, ok := readPostcode(text)
		if got := strings.TrimSpace(p.outward + " " + p.inward); ok != (want != "") || ok && got != want {
			t.Errorf("%q: %q, %t", text, got, ok)
		}
	}
}

func FuzzCompare(f *testing.F) {
	for _, c := range lines(f, "compare.txt") {
		claim, record := claimOf(f, c[1]), recordOf(f, c[2])
		name := claim.Person.Surname
		f.Add(name.Printed+name.ICAO, claim.Person.Given.Printed, record.Names[0].Family, strings.Join(record.Names[0].Given, " "), claim.Postcode, claim.Zone)
	}
	f.Fuzz(func(t *testing.T, surname, given, family, names, postcode string, zone int) {
		birth := proof.Date{Year: 1990, Month: 1, Day: 2}
		for _, n := range [][2]proof.Name{{{Printed: surname}, {Printed: given}}, {proof.NewName(surname), proof.NewName(given)}} {
			c := Claim{Person: proof.Person{Surname: n[0], Given: n[1], Birth: birth}, Postcode: postcode, Zone: zone}
			got := Compare(c, Patient{Birth: birth, Names: []Name{{Family: family, Given: []string{names}}}, Postcodes: []string{postcode}})
			if got.Odd && got.Verdict() != Different {
				t.Fatalf("an odd name is %s", got.Verdict())
			}
			for _, a := range c.attempts() {
				q := a.query
				if len([]rune(q.Family)) > maxHeld || strings.Contains(q.Family+strings.Join(q.Given, ""), "**") {
					t.Fatalf("a question that is refused: %q %q", q.Family, q.Given)
				}
			}
		}
	})
}

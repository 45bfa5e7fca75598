package licence

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/counterproof/counterproof/agent/proof"
)

// part is a subfile to compose.
type part struct {
	kind     string
	elements []string
}

// compose writes a payload as the standard has it: separators LF, RS and CR,
// offsets and lengths that are right, and a jurisdiction version from 2003 on.
func compose(version int, parts ...part) string {
	fileType, jurisdiction := "ANSI ", "01"
	if version < 2 {
		fileType, jurisdiction = "AAMVA", ""
	}
	head := fmt.Sprintf("@\n\x1e\r%s636000%02d%s%02d", fileType, version, jurisdiction, len(parts))
	at, names, bodies := len(head)+10*len(parts), "", ""
	for _, p := range parts {
		body := p.kind + strings.Join(p.elements, "\n") + "\r"
		names += fmt.Sprintf("%s%04d%04d", p.kind, at, len(body))
		at, bodies = at+len(body), bodies+body
	}
	return head + names + bodies
}

// agnes are the elements of an invented holder's card of 2020.
func agnes() part {
	return part{"DL", []string{
		"DAQA11223344", "DCSWINTERBOURNE", "DDEN", "DACAGNES", "DDFN", "DADKATE", "DDGN", "DCUNONE", "DCAD", "DBD03022019",
		"DBB02091971", "DBA03012029", "DBC2", "DAG4 EXAMPLE ROW", "DAISAMPLETOWN", "DAJVA", "DAK999990000  ", "DCGUSA",
	}}
}

// changed is agnes with elements in the place of others of their code, or added.
func changed(elements ...string) part {
	p := agnes()
	for _, e := range elements {
		if i := slices.IndexFunc(p.elements, func(o string) bool { return o[:3] == e[:3] }); i >= 0 {
			p.elements[i] = e
			continue
		}
		p.elements = append(p.elements, e)
	}
	return p
}

// without is agnes with an element left out.
func without(code string) part {
	p := agnes()
	p.elements = slices.DeleteFunc(p.elements, func(e string) bool { return e[:3] == code })
	return p
}

// readCard parses a payload that has a header.
func readCard(t testing.TB, payload string) Card {
	t.Helper()
	c, err := ParseAAMVA(payload)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// wantAgnes fails where a card does not say what agnes does.
func wantAgnes(t testing.TB, c Card) {
	t.Helper()
	for code, want := range map[string]string{
		"DAQ": "A11223344", "DCS": "WINTERBOURNE", "DAC": "AGNES", "DAK": "999990000", "DCG": "USA", "DDG": "N", "XXX": "",
	} {
		if got := c.Value(code); got != want {
			t.Errorf("%s is %q, want %q", code, got, want)
		}
	}
	if d, ok := c.Date("DBB"); !ok || d != day(1971, 2, 9) {
		t.Errorf("born %v (%v)", d, ok)
	}
	if c.Sex() != "female" {
		t.Errorf("sex %q", c.Sex())
	}
}

func TestParseAAMVA(t *testing.T) {
	t.Parallel()
	zv := part{"ZV", []string{"ZVA01", "ZVBX"}}
	good := compose(10, agnes(), zv)
	c := readCard(t, good)
	wantAgnes(t, c)
	if c.IIN != "636000" || c.Version != 10 || !slices.Equal(c.Subfiles, []string{"DL", "ZV"}) || len(c.Problems) > 0 {
		t.Errorf("got %+v", c)
	}
	if c.Value("ZVA") != "01" || c.Value("ZVB") != "X" || len(c.Elements) != 20 {
		t.Errorf("%d elements: %+v", len(c.Elements), c.Elements)
	}
}

// TestJurisdictionElements: an element of a jurisdiction need not have the
// letters of its subfile, and only the first of a subfile has the type before it.
func TestJurisdictionElements(t *testing.T) {
	t.Parallel()
	zn := part{"ZN", []string{"ZSAYpmt/+uS1A==", "ZNDAJX", "ZNZSAX"}}
	c := readCard(t, compose(10, agnes(), zn))
	wantAgnes(t, c)
	for code, want := range map[string]string{"ZSA": "Ypmt/+uS1A==", "ZND": "AJX", "ZNZ": "SAX"} {
		if got := c.Value(code); got != want {
			t.Errorf("%s is %q, want %q", code, got, want)
		}
	}
	undeclared := strings.Replace(compose(10, agnes()), "\r", "\n", -1) + "ZVZVA01\n"
	if c = readCard(t, undeclared); c.Value("ZVA") != "01" {
		t.Errorf("a subfile that is not announced: %+v", c.Elements)
	}
}

// TestShapes: what scanners and issuers make of one card. "fits" says nothing,
// "odd" says that the header and the content disagree; both read the same.
func TestShapes(t *testing.T) {
	t.Parallel()
	zv := part{"ZV", []string{"ZVA01"}}
	good := compose(10, agnes(), zv)
	replaced := func(old, with string) string { return strings.ReplaceAll(good, old, with) }
	tests := []struct {
		rule, payload string
		fits          bool
	}{
		{"as-standard", good, true},
		{"LF-for-CR", replaced("\r", "\n"), true},
		{"CR-for-LF", replaced("\n", "\r"), true},
		{"CRLF-for-LF", replaced("\n", "\r\n"), true},
		{"CRLF-for-all", strings.ReplaceAll(replaced("\r", "\n"), "\n", "\r\n"), true},
		{"record-separator-lost", replaced("\x1e", ""), true},
		{"header-separators-lost", "@" + good[4:], true},
		{"indicator-lost", good[4:], true},
		{"symbology-identifier", "]L2" + good, true},
		{"line-end-after", good + "\r\n", true},
		{"line-end-before", "\n" + good, true},
		{"subfile-end-lost", strings.TrimRight(good, "\r"), false},
		{"space-lost", replaced("ANSI ", "ANSI"), false},
		{"pipes", replaced("\n", "|"), true},
		{"tildes", replaced("\n", "~"), true},
		{"group-separators", replaced("\n", "\x1d"), true},
		{"empty-lines", replaced("\n", "\n\n"), false},
		{"jurisdiction-lost", replaced("100102", "1002"), false},
		{"one-entry-for-two", replaced("100102", "100101"), false},
		{"nine-entries-for-two", replaced("100102", "100109"), false},
		{"designators-lost", good[:21] + good[41:], false},
		{"offset-wrong", replaced("DL0041", "DL0039"), false},
		{"offset-beyond", replaced("DL0041", "DL9999"), false},
		{"offset-zero", replaced("DL0041", "DL0000"), false},
		{"length-short", replaced(fmt.Sprintf("DL0041%04d", len(good)-41-8), "DL00410010"), false},
		{"length-zero", replaced(fmt.Sprintf("DL0041%04d", len(good)-41-8), "DL00410000"), false},
		{"length-beyond", replaced(fmt.Sprintf("DL0041%04d", len(good)-41-8), "DL00419999"), false},
		{"type-left-out", replaced("DLDAQ", "DAQ"), false},
		{"type-on-own-line", replaced("DLDAQ", "DL\nDAQ"), false},
		{"another-order", compose(10, zv, agnes()), true},
		{"identity-card", replaced("DL", "ID"), true},
		{"enhanced", replaced("DL", "EN"), true},
		{"line-that-is-no-element", replaced("DAJVA", "DAJVA\nhello"), false},
		{"control-characters", replaced("WINTERBOURNE", "\x07WINTERBOURNE\x08"), false},
		{"right-to-left-mark", replaced("WINTERBOURNE", "\u202eWINTERBOURNE"), false},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			c := readCard(t, tt.payload)
			wantAgnes(t, c)
			if c.Value("ZVA") != "01" {
				t.Errorf("ZVA is %q", c.Value("ZVA"))
			}
			if got := codes(c.Problems); got != map[bool]string{false: "payload_odd"}[tt.fits] {
				t.Errorf("problems %q, fits: %v", got, tt.fits)
			}
		})
	}
}

// TestNoAAMVA: other texts are no licence, and the error does not quote them.
func TestNoAAMVA(t *testing.T) {
	t.Parallel()
	good := compose(10, agnes())
	for name, payload := range map[string]string{
		"nothing": "", "link": "https://example.org/SECRET", "zone": "P<UTOSECRET<<ANNA<MARIA",
		"header-cut": good[:14], "version-cut": good[:16], "issuer-of-letters": strings.Replace(good, "636000", "63600A", 1),
		"other-type": strings.Replace(good, "ANSI", "ISOI", 1), "elements-alone": "DAQSECRET\nDCSSECRET\n", "late": strings.Repeat("SECRET ", 9) + good,
		"huge": good + strings.Repeat("\nZZZSECRET", 1000), "endless": "@\n\x1e\rANSI " + strings.Repeat("6", 1<<20),
	} {
		c, err := ParseAAMVA(payload)
		if err == nil || c.IIN != "" || c.Elements != nil {
			t.Errorf("%s: %+v", name, c)
			continue
		}
		if strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%s: the error quotes it: %v", name, err)
		}
		if long := name == "huge" || name == "endless"; errors.Is(err, ErrNotAAMVA) == long {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestTruncated: a payload that ends anywhere behind its header gives whole
// elements and says that something is missing.
func TestTruncated(t *testing.T) {
	t.Parallel()
	good := compose(10, agnes())
	whole := readCard(t, good)
	for n := 21; n < len(good)-1; n++ {
		c := readCard(t, good[:n])
		if !slices.Contains(c.Problems, PayloadOdd) && !slices.Contains(c.Problems, FieldMissing) {
			t.Errorf("cut at %d of %d: %v", n, len(good), c.Problems)
		}
		for i, e := range c.Elements {
			if last := i == len(c.Elements)-1; e != whole.Elements[i] && (!last || !strings.HasPrefix(whole.Elements[i].Value, e.Value)) {
				t.Errorf("cut at %d: %s", n, e.Code)
			}
		}
	}
}

func TestCardProblems(t *testing.T) {
	t.Parallel()
	tests := []struct {
		rule string
		part part
		want string
	}{
		{"none", agnes(), ""},
		{"no-number", changed("DAQ"), "field_missing"},
		{"no-surname", changed("DCSNONE"), "field_missing"},
		{"no-birth", without("DBB"), "field_missing"},
		{"no-expiry", without("DBA"), "field_missing"},
		{"birth-not-available", changed("DBBunavl"), "field_missing"},
		{"30-February", changed("DBB02301971"), "date_impossible"},
		{"29-February-1971", changed("DBB02291971"), "date_impossible"},
		{"29-February-1972", changed("DBB02291972"), ""},
		{"month-13", changed("DBA13012029"), "date_impossible"},
		{"short-date", changed("DBA0301202"), "date_impossible"},
		{"letters-in-date", changed("DBAO3012029"), "date_impossible"},
		{"no-endorsement", changed("DDCNONE"), ""},
		{"date-of-zeros", changed("DDC00000000"), ""},
		{"again-the-same", part{"DL", append(agnes().elements, "DAQA11223344")}, ""},
		{"again-another", part{"DL", append(agnes().elements, "DAQB55667788")}, "element_contradictory"},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			c := readCard(t, compose(10, tt.part))
			if got := codes(c.Problems); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if tt.rule == "again-another" && c.Value("DAQ") != "A11223344" {
				t.Errorf("the second number counts: %s", c.Value("DAQ"))
			}
		})
	}
}

// TestElementLimit: a payload of nothing but elements is bounded.
func TestElementLimit(t *testing.T) {
	t.Parallel()
	p := agnes()
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			p.elements = append(p.elements, "Z"+string(a)+string(b))
		}
	}
	c := readCard(t, compose(10, p))
	if len(c.Elements) != maxElements || !slices.Contains(c.Problems, PayloadOdd) {
		t.Errorf("%d elements, %v", len(c.Elements), c.Problems)
	}
	var many []part
	for range maxSubfiles + 5 {
		many = append(many, part{"ZZ", []string{"ZZA"}})
	}
	if c = readCard(t, compose(10, many...)); len(c.Subfiles) != maxSubfiles {
		t.Errorf("%d subfiles", len(c.Subfiles))
	}
}

func TestCardDate(t *testing.T) {
	t.Parallel()
	tests := []struct {
		rule, value string
		want        proof.Date
	}{
		{"United-States", "02091971", day(1971, 2, 9)},
		{"Canada", "19710209", day(1971, 2, 9)},
		{"Canada/this-century", "20020209", day(2002, 2, 9)},
		{"December", "12102024", day(2024, 12, 10)},
		{"ambiguous-is-not", "12121212", proof.Date{}},
		{"leap-day", "02292000", day(2000, 2, 29)},
		{"leap-day/1900", "02291900", proof.Date{}},
		{"Canada/leap-day", "20010229", proof.Date{}},
		{"with-hyphens", "1971-02-09", day(1971, 2, 9)},
		{"with-slashes", "02/09/1971", day(1971, 2, 9)},
		{"month-00", "00091971", proof.Date{}},
		{"day-00", "02001971", proof.Date{}},
		{"day-first", "23021971", proof.Date{}},
		{"month-17", "17091971", proof.Date{}},
		{"short", "020971", proof.Date{}},
		{"other-digits", "０2091971", proof.Date{}},
		{"words", "NONE", proof.Date{}},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			d, ok := readCard(t, compose(8, changed("DBB"+tt.value))).Date("DBB")
			if d != tt.want || ok != (tt.want != proof.Date{}) {
				t.Errorf("got %v (%v), want %v", d, ok, tt.want)
			}
		})
	}
}

func TestCardSex(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"1": "male", "2": "female", "9": "not_specified", "M": "male", "f": "female", "X": "not_specified", "0": "unknown", "7": "unknown", "": "",
	} {
		if got := readCard(t, compose(10, changed("DBC"+value))).Sex(); got != want {
			t.Errorf("%q is %q, want %q", value, got, want)
		}
	}
}

func TestCardNames(t *testing.T) {
	t.Parallel()
	tests := []struct {
		rule     string
		version  int
		elements []string
		want     string // surname/given/suffix
	}{
		{"1/DAA", 1, []string{"DAAPUBLIC,JOHN,QUINCY,2ND"}, "PUBLIC/JOHN QUINCY/2ND"},
		{"1/DAA/no-suffix", 1, []string{"DAAPUBLIC,JOHN,QUINCY"}, "PUBLIC/JOHN QUINCY/"},
		{"1/DAA/no-middle", 1, []string{"DAAPUBLIC,JOHN"}, "PUBLIC/JOHN/"},
		{"1/DAA/empty-middle", 1, []string{"DAAPUBLIC,JOHN,,JR"}, "PUBLIC/JOHN/JR"},
		{"1/DAA/suffix-in-third", 1, []string{"DAAPUBLIC,JOHN,JR"}, "PUBLIC/JOHN/JR"},
		{"1/DAA/initial-in-third", 1, []string{"DAAPUBLIC,JOHN,V"}, "PUBLIC/JOHN V/"},
		{"1/DAA/own-suffix-in-fourth", 1, []string{"DAAPUBLIC,JOHN,Q,ESQ"}, "PUBLIC/JOHN Q/ESQ"},
		{"1/DAA/trailing-comma", 1, []string{"DAAPUBLIC,JOHN,"}, "PUBLIC/JOHN/"},
		{"1/DAA/spaces", 1, []string{"DAA PUBLIC , JOHN  PAUL , Q "}, "PUBLIC/JOHN PAUL Q/"},
		{"1/DAA/two-words", 1, []string{"DAAVAN DER BERG,ANNA MARIA"}, "VAN DER BERG/ANNA MARIA/"},
		{"1/DAA/hyphen", 1, []string{"DAAAL-PUBLIC,ANNA"}, "AL-PUBLIC/ANNA/"},
		{"1/DAA/stripe", 1, []string{"DAAPUBLIC$JOHN$Q$SR"}, "PUBLIC/JOHN Q/SR"},
		{"1/DAA/at", 1, []string{"DAAPUBLIC@JOHN@Q@III"}, "PUBLIC/JOHN Q/III"},
		{"1/DAA/only-spaces", 1, []string{"DAAPUBLIC JOHN QUINCY"}, "PUBLIC/JOHN QUINCY/"},
		{"1/DAA/only-spaces/suffix", 1, []string{"DAAPUBLIC JOHN QUINCY JR."}, "PUBLIC/JOHN QUINCY/JR."},
		{"1/DAA/one-name", 1, []string{"DAAPUBLIC"}, "PUBLIC//"},
		{"1/DAA/no-surname", 1, []string{"DAA,JOHN"}, "/JOHN/"},
		{"1/DAA/signs-only", 1, []string{"DAA,,,"}, "//"},
		{"1/in-parts", 1, []string{"DABPUBLIC", "DACJOHN", "DADQUINCY", "DAEJR"}, "PUBLIC/JOHN QUINCY/JR"},
		{"1/both", 1, []string{"DAAOTHER,NAME", "DABPUBLIC", "DACJOHN"}, "PUBLIC/JOHN/"},
		{"2/given-in-one", 2, []string{"DCSPUBLIC", "DCTJOHN,QUINCY", "DCUJR"}, "PUBLIC/JOHN QUINCY/JR"},
		{"3/given-in-one", 3, []string{"DCSPUBLIC", "DCTJOHN QUINCY"}, "PUBLIC/JOHN QUINCY/"},
		{"4/middle-none", 4, []string{"DCSPUBLIC", "DACJOHN", "DADNONE", "DCUNONE"}, "PUBLIC/JOHN/"},
		{"10/one-name", 10, []string{"DCSPUBLIC", "DACunavl", "DADunavl"}, "PUBLIC//"},
		{"10/suffix", 10, []string{"DCSPUBLIC", "DACJOHN", "DADQ", "DCU2ND"}, "PUBLIC/JOHN Q/2ND"},
		{"none", 10, []string{"DAQ1"}, "//"},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			c := readCard(t, compose(tt.version, part{"DL", tt.elements}))
			surname, given, suffix := c.Names()
			if got := surname + "/" + given + "/" + suffix; got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			if c.Version != tt.version {
				t.Errorf("version %d", c.Version)
			}
			if one := strings.Contains(tt.rule, "DAA"); c.NameInOne() != one && tt.rule != "1/both" {
				t.Errorf("name in one: %v", c.NameInOne())
			}
		})
	}
}

// TestLatin1: cards before Unicode are ISO 8859-1, and an offset counts
// characters.
func TestLatin1(t *testing.T) {
	t.Parallel()
	payload := compose(8, changed("DCSMU\xd1OZ"), part{"ZV", []string{"ZVA01"}})
	for name, text := range map[string]string{"bytes": payload, "text": string(characters(payload))} {
		c := readCard(t, text)
		if c.Value("DCS") != "MUÑOZ" || len(c.Problems) > 0 {
			t.Errorf("%s: %q, %v", name, c.Value("DCS"), c.Problems)
		}
	}
}

func TestCardLicence(t *testing.T) {
	t.Parallel()
	l := readCard(t, compose(10, agnes())).Licence()
	if got := l.Check(visit); len(got) > 0 {
		t.Errorf("a good card: %s", list(got))
	}
	want := []string{
		"surname WINTERBOURNE", "given AGNES KATE", "birth 1971-02-09", "term 2019-03-02 2029-03-01", "office USA VA",
		"number A11223344", "address 4 EXAMPLE ROW, SAMPLETOWN, VA, 999990000", "categories D", "problems",
	}
	if got := l.told(nil); !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
	if l.Sex != "F" || l.Evidence() != proof.OtherDocument || l.Person().Given.Key != "AGNESKATE" {
		t.Errorf("got %+v", l)
	}
	odd := readCard(t, compose(10, changed("DCSW1NTER", "DBA03012020", "DBB02302000", "DCAM D"))).Licence()
	if got := list(odd.Check(visit)); got != "1:name_odd_letters 3:field_missing 4b:doc_expired" {
		t.Errorf("a bad card: %s", got)
	}
	sample := readCard(t, compose(10, changed("DAQT64235789"))).Licence()
	if got := list(sample.Check(visit)); got != "5:doc_specimen" {
		t.Errorf("the standard's sample: %s", got)
	}
}

// seedCards gives every payload of testdata with its verdict.
func seedCards(t testing.TB) (payloads []string, fit []bool) {
	t.Helper()
	for _, line := range table(t, "cards.txt") {
		verdict, rest, _ := strings.Cut(line, " ")
		payload, _ := quoted(t, rest)
		payloads, fit = append(payloads, payload), append(fit, verdict == "fits")
	}
	return payloads, fit
}

func TestCards(t *testing.T) {
	t.Parallel()
	payloads, fit := seedCards(t)
	for i, payload := range payloads {
		c, err := ParseAAMVA(payload)
		if odd := err != nil || slices.Contains(c.Problems, PayloadOdd); odd == fit[i] {
			t.Errorf("payload %d: odd %v (%v, %v)", i+1, odd, err, c.Problems)
		}
	}
}

func FuzzParseAAMVA(f *testing.F) {
	payloads, _ := seedCards(f)
	for _, p := range payloads {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, payload string) {
		c, err := ParseAAMVA(payload)
		if err != nil {
			return
		}
		if len(c.IIN) != 6 || !digits(c.IIN) || c.Version < 0 || c.Version > 99 {
			t.Fatalf("header %q %d", c.IIN, c.Version)
		}
		if len(c.Elements) > maxElements || len(c.Subfiles) > maxSubfiles || len(c.Problems) > 4 {
			t.Fatalf("%d elements, %d subfiles, %v", len(c.Elements), len(c.Subfiles), c.Problems)
		}
		seen := map[string]bool{}
		for _, e := range c.Elements {
			if len(e.Code) != 3 || seen[e.Code] || strings.ContainsFunc(e.Value, unicode.IsControl) || e.Value != strings.TrimSpace(e.Value) {
				t.Fatalf("element %q %q", e.Code, e.Value)
			}
			seen[e.Code] = true
			if d, ok := c.Date(e.Code); ok && (!d.Valid() || d.Precision() != "day") {
				t.Fatalf("%s is %v", e.Code, d)
			}
		}
		c.Licence().Check(visit)
	})
}

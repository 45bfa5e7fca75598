package entry_test

import (
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/entry"
	"github.com/counterproof/counterproof/agent/proof"
)

var today = day(2026, 11, 22)

func day(y, m, d int) proof.Date { return proof.Date{Year: y, Month: m, Day: d} }

// wren is an invented patient as a clerk types her.
func wren() api.Identity {
	return api.Identity{Surname: "O’Neill-Ŵyn", Given: "Wren  Morgan", Birth: day(1985, 3, 12), Sex: "F", Postcode: "ls1 4ap", NHSNumber: "968 636 7403"}
}

func TestIdentity(t *testing.T) {
	t.Parallel()
	fact, kind := entry.Identity(wren(), proof.Patient, today)
	got, ok := fact.(proof.IdentityClaimed)
	if kind != proof.KindNone || !ok {
		t.Fatalf("refused: %s", kind)
	}
	if got.Person.Surname.Key != "ONEILLWYN" || got.Person.Given.ICAO != "WREN MORGAN" || got.Postcode != "LS1 4AP" || got.NHSNumber != "9686367403" {
		t.Errorf("taken as %+v", got)
	}
}

func TestIdentityOfFewWords(t *testing.T) {
	t.Parallel()
	fact, kind := entry.Identity(api.Identity{Surname: "Wren", Birth: day(2024, 2, 29)}, proof.Proxy, today)
	got, ok := fact.(proof.IdentityClaimed)
	if kind != proof.KindNone || !ok || got.Party != proof.Proxy || got.Person.Given != (proof.Name{}) || got.Postcode != "" || got.NHSNumber != "" {
		t.Errorf("one name, born on a leap day: %q %+v", kind, fact)
	}
}

func TestPostcodes(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"m11ae": "M1 1AE", "B338TH": "B33 8TH", " cr2  6xh ": "CR2 6XH", "DN551PT": "DN55 1PT", "w1a 0ax": "W1A 0AX", "EC1A1BB": "EC1A 1BB",
		"": "", "M1": "", "M1 1A": "", "1M1 1AE": "", "MMM1 1AE": "", "EC1A 1BBB": "", "M1-1AE": "", "M1 1A3": "",
	} {
		fact, kind := entry.Identity(api.Identity{Surname: "Wren", Birth: day(1985, 3, 12), Postcode: typed}, proof.Patient, today)
		got, ok := fact.(proof.IdentityClaimed)
		if ok != (want != "" || typed == "") || got.Postcode != want || !ok && kind != proof.KindNumberWrong {
			t.Errorf("%q is %q (%q), want %q", typed, got.Postcode, kind, want)
		}
	}
}

// refused is a change of a form that is good otherwise, and the Kind it must give.
type refused[F any] struct {
	rule   string
	change func(*F)
	want   proof.Kind
}

func TestIdentityRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []refused[api.Identity]{
		{"no surname", func(i *api.Identity) { i.Surname = "" }, proof.KindDetailsMissing},
		{"no birth date", func(i *api.Identity) { i.Birth = proof.Date{} }, proof.KindDetailsMissing},
		{"half a birth date", func(i *api.Identity) { i.Birth.Day = 0 }, proof.KindDetailsMissing},
		{"29 February of no leap year", func(i *api.Identity) { i.Birth = day(1985, 2, 29) }, proof.KindDateWrong},
		{"born tomorrow", func(i *api.Identity) { i.Birth = day(2026, 11, 23) }, proof.KindDateWrong},
		{"older than anybody", func(i *api.Identity) { i.Birth = day(1885, 1, 1) }, proof.KindDateWrong},
		{"a month without a year", func(i *api.Identity) { i.Birth = proof.Date{Month: 3} }, proof.KindDateWrong},
		{"a surname in other letters", func(i *api.Identity) { i.Surname = "Nеill" }, proof.KindOddLetters},
		{"given names in other letters", func(i *api.Identity) { i.Given = "Wren\u202egro" }, proof.KindOddLetters},
		{"a postcode of nowhere", func(i *api.Identity) { i.Postcode = "LS1 4A" }, proof.KindNumberWrong},
		{"a postcode with a dotless i", func(i *api.Identity) { i.Postcode = "\u0131P1 4AP" }, proof.KindNumberWrong},
		{"an NHS number in full-width digits", func(i *api.Identity) { i.NHSNumber = "９６８６３６７４０３" }, proof.KindNumberWrong},
		{"an NHS number with a slip", func(i *api.Identity) { i.NHSNumber = "9686367404" }, proof.KindNumberWrong},
		{"ten times the same digit", func(i *api.Identity) { i.NHSNumber = "1111111111" }, proof.KindNumberWrong},
		{"a word that is no sex", func(i *api.Identity) { i.Sex = "Q" }, proof.KindBadRequest},
	} {
		in := wren()
		c.change(&in)
		if _, kind := entry.Identity(in, proof.Patient, today); kind != c.want {
			t.Errorf("%s: %q, want %q", c.rule, kind, c.want)
		}
	}
}

// The published example of a British licence, of an invented holder.
func licence() api.Fields {
	return api.Fields{
		Identity: api.Identity{Surname: "Morgan", Given: "Sarah Meredyth", Birth: day(1976, 3, 11), Sex: "F"},
		Number:   "MORGA 753116 SM9IJ", Issuer: "GBR", Issued: day(2022, 1, 5), Expires: day(2032, 1, 4),
	}
}

var photocard = proof.EvidenceChosen{Type: proof.UKLicence, Form: proof.ByField, Photo: true}

func TestFields(t *testing.T) {
	t.Parallel()
	in := licence()
	in.Number = "morga 753116 sm9ij"
	in.Identity.Sex = ""
	in.Birth = day(1976, 3, 11)
	fact, kind := entry.Fields(in, proof.EvidenceChosen{Type: "bus_pass", Form: proof.ByField, Photo: true},
		&proof.EvidenceScanned{Page: "page-4", Portrait: "portrait-4"}, today)
	got, ok := fact.(proof.EvidenceEntered)
	if kind != proof.KindNone || !ok || got.Number != "MORGA753116SM9IJ" || got.Page != "page-4" || got.Portrait != "portrait-4" {
		t.Errorf("%q: %+v", kind, got)
	}
}

func TestFieldsRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []refused[api.Fields]{
		{"no name", func(f *api.Fields) { f.Surname = "" }, proof.KindDetailsMissing},
		{"no birth date on a card with a photograph", func(f *api.Fields) { f.Birth = proof.Date{} }, proof.KindDetailsMissing},
		{"issued after it ends", func(f *api.Fields) { f.Expires = day(2021, 1, 1) }, proof.KindDateWrong},
		{"issued on its last day", func(f *api.Fields) { f.Expires = f.Issued }, proof.KindDateWrong},
		{"issued tomorrow", func(f *api.Fields) { f.Issued = day(2026, 11, 23) }, proof.KindDateWrong},
		{"issued before the birth", func(f *api.Fields) { f.Issued = day(1960, 1, 1) }, proof.KindDateWrong},
		{"no day of the calendar", func(f *api.Fields) { f.Expires = day(2031, 2, 30) }, proof.KindDateWrong},
		{"a number of somebody else", func(f *api.Fields) { f.Surname = "Hughes" }, proof.KindNumberWrong},
		{"a number of another birth date", func(f *api.Fields) { f.Birth.Day = 12 }, proof.KindNumberWrong},
		{"a number of the other sex", func(f *api.Fields) { f.Sex = "M" }, proof.KindNumberWrong},
		{"a number in no form", func(f *api.Fields) { f.Number = "MORGA753116SM9" }, proof.KindNumberWrong},
		{"no number, and the clerk is sure", func(f *api.Fields) { f.Number, f.Sure = " ", true }, proof.KindDetailsMissing},
		{"a Cyrillic letter in a number", func(f *api.Fields) { f.Number, f.Sure = "МORGA753116SM9IJ", true }, proof.KindOddLetters},
		{"a dotless i in a number", func(f *api.Fields) { f.Number, f.Sure = "MORGA753116SM9\u0131J", true }, proof.KindOddLetters},
		{"a number that turns round", func(f *api.Fields) { f.Number, f.Sure = "MORGA\u202e753116SM9IJ", true }, proof.KindOddLetters},
		{"an endless number", func(f *api.Fields) { f.Number, f.Sure = strings.Repeat("1", 500), true }, proof.KindNumberWrong},
		{"signs that do not show", func(f *api.Fields) { f.Issuer = "G\u200bBR" }, proof.KindOddLetters},
		{"letters that do not show", func(f *api.Fields) { f.Issuer = "G\u3164BR" }, proof.KindOddLetters},
		{"a variation of nothing", func(f *api.Fields) { f.Issuer = "G\ufe0fBR" }, proof.KindOddLetters},
		{"half a character", func(f *api.Fields) { f.Issuer = "G\xc3" }, proof.KindOddLetters},
		{"an endless issuer", func(f *api.Fields) { f.Issuer = strings.Repeat("A", 121) }, proof.KindOddLetters},
		{"a former name that looks Latin", func(f *api.Fields) { f.Former = "Ηughes" }, proof.KindOddLetters},
		{"a postcode of nowhere", func(f *api.Fields) { f.Postcode = "LS1 4A\u0131" }, proof.KindNumberWrong},
	} {
		in := licence()
		c.change(&in)
		if _, kind := entry.Fields(in, photocard, nil, today); kind != c.want {
			t.Errorf("%s: %q, want %q", c.rule, kind, c.want)
		}
	}
	for rule, change := range map[string]func(*api.Fields){
		"as printed":                    func(*api.Fields) {},
		"of Northern Ireland":           func(f *api.Fields) { f.Number = "1234 5678" },
		"contradicts, and was seen":     func(f *api.Fields) { f.Surname, f.Sure = "Hughes", true },
		"in no form, and was seen":      func(f *api.Fields) { f.Number, f.Sure = "MORGA753116SM9", true },
		"expired, which the route says": func(f *api.Fields) { f.Issued, f.Expires = day(2012, 1, 5), day(2022, 1, 4) },
	} {
		in := licence()
		change(&in)
		if fact, kind := entry.Fields(in, photocard, nil, today); kind != proof.KindNone || fact == nil {
			t.Errorf("%s: refused as %q", rule, kind)
		}
	}
}

// TestFieldsByType holds what a kind of evidence needs, and what of it is kept.
func TestFieldsByType(t *testing.T) {
	t.Parallel()
	who := api.Identity{Surname: "Morgan", Given: "Sarah", Birth: day(1976, 3, 11)}
	noBirth := api.Identity{Surname: "Morgan", Given: "Sarah"}
	for _, c := range []struct {
		rule   string
		of     proof.EvidenceType
		photo  bool
		in     api.Fields
		number string
		want   proof.Kind
	}{
		{"account/whole-number-is-not-kept", "bank_account", false, api.Fields{Identity: noBirth, Number: "12-34-56 12345678"}, "5678", ""},
		{"account/four-digits", "utility_account", false, api.Fields{Identity: noBirth, Number: "678"}, "678", ""},
		{"account/no-number", "mortgage", false, api.Fields{Identity: noBirth}, "", ""},
		{"certificate/whole-number", "birth_cert", false, api.Fields{Identity: who, Number: "bxcd 123456"}, "BXCD123456", ""},
		{"bus-pass/prints-no-birth-date", "bus_pass", true, api.Fields{Identity: noBirth}, "", ""},
		{"forces-card/needs-birth-date", "forces_id", true, api.Fields{Identity: noBirth}, "", proof.KindDetailsMissing},
		{"european-licence/needs-number", "eu_dl", true, api.Fields{Identity: who}, "", proof.KindDetailsMissing},
		{"unique-reference/needs-it", "pass_ref", true, api.Fields{Identity: who}, "", proof.KindDetailsMissing},
		{"no-unique-reference/needs-none", "pass_card", true, api.Fields{Identity: who}, "", ""},
	} {
		fact, kind := entry.Fields(c.in, proof.EvidenceChosen{Type: c.of, Form: proof.ByField, Photo: c.photo}, nil, today)
		if kind != c.want {
			t.Errorf("%s: %q, want %q", c.rule, kind, c.want)
		}
		if f, ok := fact.(proof.EvidenceEntered); ok && (f.Number != c.number || f.Source != proof.FromKeys) {
			t.Errorf("%s: number %q by %s, want %q", c.rule, f.Number, f.Source, c.number)
		}
	}
}

func TestLines(t *testing.T) {
	t.Parallel()
	good := []string{"p<utospecimen<<morgan<wren<<<<<<<<<<<<<<<<<<", " U1234567<6UTO8503127X3106305<<<<<<<<<<<<<<04 "}
	if lines, kind := entry.Lines(good, today); kind != proof.KindNone || len(lines) != 2 || strings.ToUpper(good[0]) != lines[0] {
		t.Errorf("%q: %q", kind, lines)
	}
	for _, typed := range [][]string{{"NOT A ZONE"}, nil, {"", " "}, {strings.Repeat("<", 1<<16)}, slices.Repeat([]string{good[0]}, 99)} {
		if lines, kind := entry.Lines(typed, today); kind != proof.KindNoMRZ || lines != nil {
			t.Errorf("%.40q is no zone: %q %q", typed, kind, lines)
		}
	}
	bad := slices.Clone(good)
	bad[1] = strings.Replace(bad[1], "1234567<6", "1234568<6", 1)
	if _, kind := entry.Lines(bad, today); kind != proof.KindChecksFailed {
		t.Errorf("a wrong digit: %q", kind)
	}
}

func TestPrefillAndForm(t *testing.T) {
	t.Parallel()
	card := "@\n\x1e\rANSI 636000100002DL00410278ZV03190008DLDAQT64235789\nDCSSAMPLE\nDACMICHAEL\nDBD06062019\nDBB06061986\nDBA12102034\nDBC1\nDCGUSA\r"
	f, ok := entry.Prefill(proof.EvidenceScanned{Symbology: "PDF417", Text: card}, today)
	if !ok || f.Surname != "SAMPLE" || f.Birth != day(1986, 6, 6) || f.Number != "T64235789" {
		t.Errorf("%t: %+v", ok, f)
	}
	for _, none := range []proof.EvidenceScanned{{Symbology: "QR", Text: "hello"}, {Text: "hello"}, {Text: card}, {Page: "page-1"}} {
		if f, ok := entry.Prefill(none, today); ok {
			t.Errorf("%q is taken for a licence: %+v", none, f)
		}
	}
	nameless := "@\n\x1e\rANSI 636000100002DL00410278ZV03190008DLDAQT64235789\n"
	if f, ok := entry.Prefill(proof.EvidenceScanned{Symbology: "PDF417", Text: nameless}, today); !ok || f.Number != "T64235789" {
		t.Errorf("a number alone: %t: %+v", ok, f)
	}
	turned := strings.Replace(strings.Replace(card, "T64235789", "T6423\u202e5789", 1), "USA", strings.Repeat("U", 200), 1)
	f, ok = entry.Prefill(proof.EvidenceScanned{Symbology: "PDF417", Text: turned}, today)
	if !ok || !shows(f.Number) || f.Issuer != "" || f.Surname != "SAMPLE" {
		t.Errorf("a number that turns round or an endless issuer is filled in: %t %+v", ok, f)
	}
	printed := "1. MORGAN\n2. MRS SARAH MEREDYTH\n3. 11.03.1976 UNITED KINGDOM\n4a. 05.01.2022 4c. DVLA\n4b. 04.01.2032\n5. MORGA753116SM9IJ"
	f, ok = entry.Prefill(proof.EvidenceScanned{Text: printed}, today)
	if !ok || f.Number != "MORGA753116SM9IJ" || f.Surname != "MORGAN" || f.Birth != day(1976, 3, 11) || f.Issuer != "GBR" {
		t.Errorf("lines of print: %t: %+v", ok, f)
	}
	for kind, want := range map[proof.EvidenceType]proof.Form{
		proof.Passport: proof.ByZone, proof.EEAIdentityCard: proof.ByZone, "ho_travel": proof.ByZone, "us_passport_card": proof.ByZone,
		proof.Vouch: proof.ByVouch, proof.UKLicence: proof.ByField, "birth_cert": proof.ByField, "": proof.ByField,
	} {
		if got := entry.Form(kind); got != want {
			t.Errorf("%s comes in by %s, want %s", kind, got, want)
		}
	}
}

func TestContinues(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]proof.Kind{"": "", "  ": "", "ABCD-EFGH-JKM": proof.KindRefWrong, strings.Repeat("A", 999): proof.KindRefWrong,
		"0000-0000-000" + strings.Repeat(" ", 120) + "9": proof.KindRefWrong, "0000" + strings.Repeat("-", 120) + "0000-000": proof.KindRefWrong} {
		if ref, kind := entry.Continues(typed); kind != want || ref != "" {
			t.Errorf("%.20q: %q %q, want %q", typed, ref, kind, want)
		}
	}
	if ref, kind := entry.Continues("0000 0000 ooo"); kind != proof.KindNone || ref != "0000-0000-000" {
		t.Errorf("a good reference: %q %q", ref, kind)
	}
}

// FuzzFields types whatever comes: nothing panics, and what is taken is bounded
// and shows as it is.
func FuzzFields(f *testing.F) {
	f.Add("Morgan", "Sarah", "MORGA753116SM9IJ", "GBR", "LS1 4AP", 1976, 3, 11)
	f.Add("Nеill", "\u202e", "\x00", "G\u200bBR", "!", 0, 2, 30)
	f.Add("O’Neill-Ŵyn", "A\u0301\u034f", " 12 34", "\u3164", "m11ae", -1, 13, 99)
	f.Fuzz(func(t *testing.T, surname, given, number, issuer, code string, y, m, d int) {
		in := api.Fields{
			Identity: api.Identity{Surname: surname, Given: given, Birth: day(y, m, d), Postcode: code, NHSNumber: number},
			Former:   issuer, Number: number, Issuer: issuer, Issued: day(y+20, m, d), Expires: day(y+30, m, d), Sure: true,
		}
		for _, of := range []proof.EvidenceType{proof.UKLicence, "bank_account"} {
			fact, kind := entry.Fields(in, proof.EvidenceChosen{Type: of, Form: proof.ByField}, nil, today)
			if kind != proof.KindNone {
				continue
			}
			got := fact.(proof.EvidenceEntered)
			for _, n := range []proof.Name{got.Person.Surname, got.Person.Given, got.Former} {
				if utf8.RuneCountInString(n.Printed) > 100 || !shows(n.Printed) || strings.Trim(n.ICAO, "ABCDEFGHIJKLMNOPQRSTUVWXYZ ") != "" {
					t.Errorf("taken as a name: %q", n)
				}
			}
			if len(got.Number) > 120 || utf8.RuneCountInString(got.Issuer) > 120 || len(got.Postcode) > 8 || !shows(got.Number+got.Issuer) {
				t.Errorf("taken: %q", got)
			}
			if of == "bank_account" && len(got.Number) > 4 {
				t.Errorf("of an account is kept: %q", got.Number)
			}
			if b := got.Person.Birth; b != (proof.Date{}) && (!b.Valid() || today.Before(b)) {
				t.Errorf("born on %v", b)
			}
		}
		entry.Identity(in.Identity, proof.Patient, today)
		entry.Lines([]string{surname, given, number}, today)
	})
}

// shows reports a text that has no sign that turns the writing or shows nothing.
func shows(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs, unicode.Bidi_Control) || r == '\u034f' || r == '\u3164' || r == '\u2800'
	})
}

// FuzzPrefill scans whatever comes: what is filled in shows as it is.
func FuzzPrefill(f *testing.F) {
	f.Add("PDF417", "@\n\x1e\rANSI 636000100002DL00410278ZV03190008DLDAQT64235789\nDCSSAMPLE\nDACMICHAEL\nDBB06061986\r")
	f.Add("", "1. MORGAN\n2. SARAH\n3. 11.03.1976\n5. MORGA753116SM9IJ")
	f.Add("PDF417", "ANSI 636000100002DL\nDAQ\u202e1\nDCS\u200bX\n")
	f.Fuzz(func(t *testing.T, symbology, read string) {
		got, ok := entry.Prefill(proof.EvidenceScanned{Symbology: symbology, Text: read}, today)
		if text := got.Surname + got.Given + got.Number + got.Issuer; !shows(text) {
			t.Errorf("filled in (%t): %q", ok, text)
		}
	})
}

// TestACardIsGoodToTheEndOfItsMonth types the expiry of a bank card, which prints
// no day.
func TestACardIsGoodToTheEndOfItsMonth(t *testing.T) {
	t.Parallel()
	chosen := proof.EvidenceChosen{Type: "bank_account", Form: proof.ByField}
	for typed, want := range map[proof.Date]proof.Date{
		{Year: 2026, Month: 11}: day(2026, 11, 30), {Year: 2028, Month: 2}: day(2028, 2, 29), {Year: 2026, Month: 12}: day(2026, 12, 31),
		{Year: 2027}: day(2027, 12, 31), day(2026, 11, 5): day(2026, 11, 5), {}: {},
	} {
		in := api.Fields{Identity: api.Identity{Surname: "Quill"}, Expires: typed}
		fact, kind := entry.Fields(in, chosen, nil, today)
		if f, ok := fact.(proof.EvidenceEntered); !ok || f.Expires != want {
			t.Errorf("%v is %v (%q), want %v", typed, f.Expires, kind, want)
		}
	}
	for _, typed := range []proof.Date{{Year: 2026, Month: 13}, {Month: 5}, {Year: 2026, Day: 3}} {
		if _, kind := entry.Fields(api.Fields{Identity: api.Identity{Surname: "Quill"}, Expires: typed}, chosen, nil, today); kind != proof.KindDateWrong {
			t.Errorf("%v: %q", typed, kind)
		}
	}
}

// TestOneLicenceIsOneDocument types one licence in the ways in which people do:
// the opener must not take it for several.
func TestOneLicenceIsOneDocument(t *testing.T) {
	t.Parallel()
	holder := api.Identity{Surname: "Quill", Given: "Ira Wren", Birth: day(1976, 5, 7), Sex: "F"}
	chosen := proof.EvidenceChosen{Type: proof.UKLicence, Form: proof.ByField, Photo: true}
	for typed, want := range map[string]string{
		"QUILL755076IW9IJ": "QUILL755076IW9IJ", "quill 755076 iw9ij": "QUILL755076IW9IJ", "QUILL755076IW9IJ 35": "QUILL755076IW9IJ",
		"QUILL-755076-IW9IJ": "QUILL755076IW9IJ", "QUILL755076IW9IJ08": "QUILL755076IW9IJ", "1234-5678": "12345678", "1234 5678": "12345678",
	} {
		fact, kind := entry.Fields(api.Fields{Identity: holder, Number: typed}, chosen, nil, today)
		if f, ok := fact.(proof.EvidenceEntered); !ok || f.Number != want {
			t.Errorf("%q is %q (%q), want %q", typed, f.Number, kind, want)
		}
	}
	odd := api.Fields{Identity: holder, Number: "QUILL 1", Sure: true}
	if f, ok := first(entry.Fields(odd, chosen, nil, today)).(proof.EvidenceEntered); !ok || f.Number != "QUILL1" {
		t.Errorf("a number in no form, of which the clerk is sure: %q", f.Number)
	}
}

// first is the fact of two results.
func first(f proof.Fact, _ proof.Kind) proof.Fact { return f }

// One licence is one document however the clerk writes the state that issued it.
func TestIssuerOfALicence(t *testing.T) {
	t.Parallel()
	who := api.Identity{Surname: "Moreau", Given: "Lise", Birth: proof.Date{Year: 1988, Month: 4, Day: 2}}
	for _, c := range []struct {
		of          proof.EvidenceType
		typed, want string
	}{{"eu_dl", "f", "FRA"}, {"eu_dl", "FRA", "FRA"}, {"eu_dl", "fr", "FRA"}, {"bank_card", "Barclays", "Barclays"}} {
		in := api.Fields{Identity: who, Number: "880402 75 1234", Issuer: c.typed}
		fact, kind := entry.Fields(in, proof.EvidenceChosen{Type: c.of, Form: proof.ByField}, nil, proof.Date{Year: 2026, Month: 11, Day: 22})
		got, is := fact.(proof.EvidenceEntered)
		if !is || kind != proof.KindNone || got.Issuer != c.want {
			t.Errorf("%s of %q: %q, %q; want %q", c.of, c.typed, got.Issuer, kind, c.want)
		}
	}
}

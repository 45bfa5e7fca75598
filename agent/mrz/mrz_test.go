package mrz

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/counterproof/counterproof/agent/proof"
)

func ExampleParse() {
	d := Parse([]string{
		"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
		"L898902C36UTO7408122F1204159ZE184226B<<<<<10",
	}, proof.Date{Year: 2010, Month: 1, Day: 1})
	valid, _ := d.ChecksValid()
	fmt.Println(d.Format, valid, d.Fields.Surname, d.Fields.BirthDate, d.Problems)
	// Output: TD3 true ERIKSSON 1974-08-12 [specimen]
}

func ExampleRepair() {
	for _, line := range Repair([]string{
		"I<UTOERIK55ON<<ANNA<MAR1A<<<<<<<<<<<",
		"D231458907UT0740BIZZF12O4IS9<<<<<<<G",
	}, TD2) {
		fmt.Println(line)
	}
	// Output:
	// I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<
	// D231458907UTO7408122F1204159<<<<<<<6
}

// british composes a valid British passport and applies changes to its lines.
func british(changes ...string) []string {
	lines := Compose(Fields{
		DocumentCode: "P", IssuingState: "GBR", Surname: "PRYCE", GivenNames: "NIA", DocumentNumber: "123456780",
		Nationality: "GBR", Sex: "F", BirthDate: day(1980, 10, 20), ExpiryDate: day(2030, 1, 2),
	}, TD3)
	return strings.Split(strings.NewReplacer(changes...).Replace(strings.Join(lines, "\n")), "\n")
}

func TestUnknown(t *testing.T) {
	t.Parallel()
	for _, lines := range [][]string{
		nil, {}, {""}, {"", " \r\n"}, {strings.Repeat("P", 1<<20)}, make([]string, 1000), {"\xff\xfe"},
		slices.Repeat([]string{strings.Repeat("<", 44)}, 4),
	} {
		d := Parse(lines, visit())
		valid, known := d.ChecksValid()
		if d.Format != Unknown || valid || !known || len(d.Map()) != 0 || d.Settled != nil || d.Specimen {
			t.Errorf("%.50q: %s valid %v known %v fields %v", lines, d.Format, valid, known, d.Map())
		}
	}
}

func TestLinesAreTrimmed(t *testing.T) {
	t.Parallel()
	want := british()
	d := Parse([]string{"", want[0] + "\r\n", "\t" + want[1] + " ", ""}, visit())
	if valid, _ := d.ChecksValid(); !valid || !slices.Equal(d.Lines, want) {
		t.Errorf("valid %v, lines %q", valid, d.Lines)
	}
	if d := Parse([]string{strings.Replace(want[0], "<<NIA", " <NIA", 1), want[1]}, visit()); !slices.Equal(d.FailingChecks(), []string{"charset"}) {
		t.Errorf("a space inside is no filler: failing %v", d.FailingChecks())
	}
}

// TestChecksJudgeTheLinesGiven keeps a repair from hiding that a digit failed.
func TestChecksJudgeTheLinesGiven(t *testing.T) {
	t.Parallel()
	d := Parse(british("801020", "8O1O2O"), visit())
	if d.Fields.BirthDate != day(1980, 10, 20) {
		t.Errorf("birth %v, want it repaired", d.Fields.BirthDate)
	}
	if valid, known := d.ChecksValid(); valid || !known || !slices.Contains(d.Problems, "repaired") {
		t.Errorf("valid %v known %v problems %v", valid, known, d.Problems)
	}
	if again := Parse(d.Settled, visit()); len(again.FailingChecks()) != 0 || again.Fields != d.Fields {
		t.Errorf("the settled lines read %+v, want %+v", again.Fields, d.Fields)
	}
}

// TestNumberRepairIsBounded leaves a number alone unless one correction, and
// one only, makes its digit and the composite agree.
func TestNumberRepairIsBounded(t *testing.T) {
	t.Parallel()
	tests := []struct {
		rule  string
		lines []string
		want  string
	}{
		{"one-lookalike", british("123456780", "12345678O"), "123456780"},
		{"digit-right", british(), "123456780"},
		{"two-lookalikes", british("123456780", "I2345678O"), "I2345678O"},
		{"no-lookalike", british("123456780", "123456Q80"), "123456Q80"},
		{"composite-disagrees", british("123456780", "12345678O", "801020", "801021"), "12345678O"},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			if got := Parse(tt.lines, visit()).Fields.DocumentNumber; got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
	visa := Compose(Fields{DocumentCode: "V", IssuingState: "GBR", DocumentNumber: "123456780", Nationality: "GBR"}, MRVA)
	visa[1] = "12345678O" + visa[1][9:]
	if got := Parse(visa, visit()).Fields.DocumentNumber; got != "12345678O" {
		t.Errorf("a visa has no composite, but its number became %s", got)
	}
}

// TestRepairAsFormat corrects by the format that the caller knows, also where
// the lines do not show it.
func TestRepairAsFormat(t *testing.T) {
	t.Parallel()
	line := "D1NLD1123456789OAG5R98GT5IN2LA"
	if got := Repair([]string{line}, DL30); got[0] != line {
		t.Errorf("got %s, want %s: those places allow letters", got[0], line)
	}
	if got := Repair([]string{"D1NLD11234567890AG5R98GT5IN2LS"}, Unknown); got[0] != "D1NLD11234567890AG5R98GT5IN2L5" {
		t.Errorf("got %s", got[0])
	}
	lines := british("PRYCE", "PRYC€", "NIA", "N1A")
	want := british("PRYCE", "PRYC€")
	if got := Repair(lines, TD3); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q: what no zone has stays", got, want)
	}
	if got := Repair(british(), TD1); !slices.Equal(got, british()) {
		t.Errorf("a passport was corrected as a card: %q", got)
	}
}

func TestStates(t *testing.T) {
	t.Parallel()
	for _, code := range strings.Fields("GBR FRA D DEU USA GBD GBN GBO GBP GBS UNO UNA UNK XXA XXB XXC XXX XOM XPO XCC RKS EUE XBA XIM XMP XDC XES XCE XCO XEC") {
		if !StateKnown(code) {
			t.Errorf("%s is not known", code)
		}
	}
	for _, code := range []string{"UTO", "BDR", "COU", "ASU", "BOS", "D<<", "gbr", "GB", "", "XCT", "ENG"} {
		if StateKnown(code) {
			t.Errorf("%s is known", code)
		}
	}
	codes := StateCodes()
	if !slices.IsSorted(codes) || len(slices.Compact(slices.Clone(codes))) != len(codes) || len(codes) < 270 {
		t.Errorf("%d codes, sorted %v, or some twice", len(codes), slices.IsSorted(codes))
	}
	for _, code := range codes {
		if !StateKnown(code) && !specimenState(code) || len(code) > 3 || strings.Trim(code, allowed[Letter]) != "" {
			t.Errorf("%s is listed", code)
		}
	}
	if !slices.Contains(codes, "UTO") {
		t.Error("UTO is missing, but readers meet it on specimens")
	}
}

func TestSpecimen(t *testing.T) {
	t.Parallel()
	real := Fields{IssuingState: "GBR", Nationality: "GBR", Surname: "PRYCE", GivenNames: "NIA", DocumentNumber: "512345678"}
	tests := []struct {
		rule   string
		change func(f *Fields)
		want   bool
	}{
		{"real", func(*Fields) {}, false},
		{"utopia-issues", func(f *Fields) { f.IssuingState = "UTO" }, true},
		{"utopian", func(f *Fields) { f.Nationality = "UTO" }, true},
		{"german-printer", func(f *Fields) { f.IssuingState = "BDR" }, true},
		{"british-sample", func(f *Fields) { f.Nationality = "COU" }, true},
		{"asu", func(f *Fields) { f.IssuingState = "ASU" }, true},
		{"unspecified-nationality-is-real", func(f *Fields) { f.Nationality = "XXX" }, false},
		{"no-state", func(f *Fields) { f.IssuingState, f.Nationality = "", "" }, false},
		{"specimen", func(f *Fields) { f.Surname = "SPECIMEN" }, true},
		{"specimen-among-given-names", func(f *Fields) { f.GivenNames = "NIA SPECIMEN" }, true},
		{"mustermann", func(f *Fields) { f.Surname = "MUSTERMANN" }, true},
		{"vzor", func(f *Fields) { f.Surname = "VZOR" }, true},
		{"sample", func(f *Fields) { f.Surname = "SAMPLE" }, true},
		{"sampler-is-a-name", func(f *Fields) { f.Surname = "SAMPLER" }, false},
		{"eriksson-is-a-name", func(f *Fields) { f.Surname, f.IssuingState = "ERIKSSON", "SWE" }, false},
		{"icao-number", func(f *Fields) { f.DocumentNumber = "L898902C3" }, true},
		{"dutch-number", func(f *Fields) { f.DocumentNumber = "SPECI2014" }, true},
		{"zeros", func(f *Fields) { f.DocumentNumber = "000000000" }, true},
		{"no-number", func(f *Fields) { f.DocumentNumber = "" }, false},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			f := real
			tt.change(&f)
			if got := Specimen(Document{Fields: f}); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// TestMapKeys fixes which keys a format has, since other programs rely on them.
func TestMapKeys(t *testing.T) {
	t.Parallel()
	const every = "document_code issuing_state icao_state_known specimen"
	const person = " surname given_names names_truncated"
	const birth = " birth_date birth_date_precision birth_date_valid"
	const expiry = " expiry_date expiry_date_precision expiry_date_valid"
	const travel = every + person + birth + expiry + " document_number nationality nationality_known sex"
	want := map[Format]string{
		TD3: travel + " optional_data mrz_information", TD2: travel + " optional_data mrz_information",
		TD1:  travel + " optional_data_1 optional_data_2 mrz_information",
		MRVA: travel + " optional_data", MRVB: travel + " optional_data",
		FRID: every + person + birth + " document_number sex issue_date administrative_code",
		CHDL: every + person + birth + " document_number language pin version",
		DL30: every + " document_number version optional_data",
	}
	for f, keys := range want {
		fields := Fields{DocumentCode: "I", IssuingState: "NLD", DocumentNumber: "123", Surname: "A", GivenNames: "B"}
		fields.DocumentCode = string(map[Format]byte{TD3: 'P', MRVA: 'V', MRVB: 'V', DL30: 'D'}[f])
		if f == FRID {
			fields.DocumentCode, fields.IssuingState = "ID", "FRA"
		}
		d := Parse(Compose(fields, f), visit())
		var got []string
		for key := range d.Map() {
			got = append(got, key)
		}
		slices.Sort(got)
		sorted := strings.Fields(keys)
		slices.Sort(sorted)
		if !slices.Equal(got, sorted) {
			t.Errorf("%s (read as %s): keys\n%v\nwant\n%v", f, d.Format, got, sorted)
		}
	}
}

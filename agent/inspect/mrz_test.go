package inspect

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/counterproof/counterproof/agent/proof"
)

// mrzDay is the day that the tests of zones take for today.
var mrzDay = proof.Date{Year: 2026, Month: 11, Day: 22}

// The example of ICAO 9303-4 appendix B, as JSON strings.
const (
	icaoUpper = `"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<"`
	icaoLower = `"L898902C36UTO7408122F1204159ZE184226B<<<<<10"`
)

// answerZone runs inspect mrz over one input.
func answerZone(in string) (string, error) {
	var out bytes.Buffer
	err := jsonLines(strings.NewReader(in), &out, mrzAnswer(mrzDay))
	return out.String(), err
}

func TestMRZAnswers(t *testing.T) {
	t.Parallel()
	tests := []struct {
		rule, in string
		has      []string // parts of the answer
		lacks    []string
	}{
		{
			"specimen", `{"lines":[` + icaoUpper + `,` + icaoLower + `],"reference_date":"2010-01-01"}`,
			[]string{`"format":"TD3"`, `"checks_valid":true`, `"failing_checks":[]`, `"surname":"ERIKSSON"`, `"birth_date":"1974-08-12"`, `"problems":["specimen"]`},
			[]string{"autocorrects_to", "\n{"},
		},
		{
			"date-absent", `{"lines":[` + icaoUpper + `,"L898902C36UTO2608122F1204159ZE184226B<<<<<10"]}`,
			[]string{`"birth_date":"2026-08-12"`}, nil,
		},
		{
			"date-null", `{"lines":[` + icaoUpper + `,"L898902C36UTO2611232F1204159ZE184226B<<<<<10"],"reference_date":null}`,
			[]string{`"birth_date":"1926-11-23"`}, nil,
		},
		{
			"wrong-digits", `{"lines":[` + icaoUpper + `,"L898902C36UTO7408122F1204159ZE184226C<<<<<10"]}`,
			[]string{`"checks_valid":false`, `"failing_checks":["optional_data","composite"]`}, nil,
		},
		{
			"no-zone", `{"lines":["HELLO"]}`,
			[]string{`"format":"?"`, `"checks_valid":false`, `"failing_checks":[]`, `"fields":{}`, `"problems":["no_mrz"]`},
			[]string{"autocorrects_to"},
		},
		{"no-lines", `{"lines":[]}`, []string{`"format":"?"`, `"checks_valid":false`}, []string{"autocorrects_to"}},
		{
			"no-check-digits", `{"lines":["AAAOO1D<<","FACHE305142128097<<800126<<<<<","MARCHAND<<FABIENNE<<<<<<<<<<<<"]}`,
			[]string{`"format":"CHDL"`, `"checks_valid":null`, `"autocorrects_to":["AAA001D<<",`}, nil,
		},
		{
			"fillers-missing", `{"lines":["P<UTOERIKSSON<<ANNA<MARIA",` + icaoLower + `]}`,
			[]string{`"format":"?"`, `"checks_valid":false`, `"autocorrects_to":[` + icaoUpper + `,` + icaoLower + `]`, `"line_length"`}, nil,
		},
		{
			"as-many-as-allowed", `{"lines":[` + strings.Repeat(`"`+strings.Repeat("Ñ", maxCharacters)+`",`, maxLines-1) + `""]}`,
			[]string{`"format":"?"`}, nil,
		},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			got, err := answerZone(tt.in)
			if err != nil {
				t.Fatal(err)
			}
			if !json.Valid([]byte(got)) {
				t.Errorf("no JSON: %s", got)
			}
			for _, part := range tt.has {
				if !strings.Contains(got, part) {
					t.Errorf("%s is missing in %s", part, got)
				}
			}
			for _, part := range tt.lacks {
				if strings.Contains(got, part) {
					t.Errorf("%q is in %s", part, got)
				}
			}
		})
	}
}

// TestMRZNotUnderstood refuses what is no zone at all, and never quotes it.
func TestMRZNotUnderstood(t *testing.T) {
	t.Parallel()
	const secret = "SECRETNAME"
	tests := []struct{ rule, in, says string }{
		{"not-json", `{"lines":[` + secret, "JSON"},
		{"lines-missing", `{"reference_date":"2026-11-22"}`, `"lines" is missing`},
		{"lines-null", `{"lines":null}`, `"lines" is missing`},
		{"lines-one-string", `{"lines":"` + secret + `"}`, "lines"},
		{"lines-numbers", `{"lines":[1,2]}`, "lines"},
		{"not-an-object", `["` + secret + `"]`, "array"},
		{"misspelt", `{"line":["` + secret + `"]}`, `"lines" is missing`},
		{"too-many-lines", `{"lines":[` + strings.Repeat(`"",`, maxLines) + `""]}`, "9 lines"},
		{"line-too-long", `{"lines":["A","` + strings.Repeat("A", maxCharacters+1) + `"]}`, "line 2"},
		{"date-no-date", `{"lines":[],"reference_date":"2026-02-30"}`, `"reference_date"`},
		{"date-partial", `{"lines":[],"reference_date":"2026-02-??"}`, `"reference_date"`},
		{"date-other-form", `{"lines":[],"reference_date":"22/11/2026"}`, `"reference_date"`},
		{"date-and-more", `{"lines":[],"reference_date":"2026-11-22T00:00:00Z"}`, `"reference_date"`},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			_, err := answerZone(tt.in)
			if _, ok := errors.AsType[*NotUnderstood](err); !ok {
				t.Fatalf("got %v, want it not understood", err)
			}
			if text := err.Error(); !strings.Contains(text, tt.says) || strings.Contains(text, secret) {
				t.Errorf("it says %q, want %q in it", text, tt.says)
			}
		})
	}
}

func TestMRZKeepsTheOrder(t *testing.T) {
	t.Parallel()
	got, err := answerZone(`{"lines":[]} {"lines":["AAA001D<<","FACHE305142128097<<800126<<<<<","MARCHAND<<FABIENNE<<<<<<<<<<<<"]}` +
		"\n" + `{"lines":["D1NLD11234567890AG5R98GT5IN2L4"]}`)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(got), "\n")
	for i, format := range []string{`"?"`, `"CHDL"`, `"DL30"`} {
		if i >= len(lines) || !strings.HasPrefix(lines[i], `{"format":`+format) {
			t.Fatalf("answer %d of %d is not %s", i+1, len(lines), format)
		}
	}
}

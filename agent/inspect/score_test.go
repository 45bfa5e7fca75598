package inspect

import (
	"strings"
	"testing"
)

// TestQuestions asks the parts over standard input, as a shell does.
func TestQuestions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, part, in, want string }{
		{"score/match", "score", `{"evidence":[{"strength":4,"validity":3}],"activity":0,"fraud":1,"verification":4}`,
			`{"confidence":"high","best":"H1A","matching":["H1A","H1C","M1A","M1C","L1A","L1B"]}`},
		{"score/none", "score", `{"evidence":[],"activity":4,"fraud":3,"verification":4}`,
			`{"confidence":"none","best":null,"matching":[]}`},
		{"score/other-keys-left-alone", "score", `{"id":"x","name":"y","evidence":[{"strength":3,"validity":2,"doc":"z"}],"verification":1,"expect":{}}`,
			`{"confidence":"low","best":"L1B","matching":["L1B"]}`},
		{"score/gap", "score", `{"have":{"evidence":[[1,1],[2,2]],"activity":3,"fraud":1,"verification":3},"profile":"M1B"}`,
			`{"missing":{"evidence":[[3,2]],"activity":0,"fraud":2,"verification":0}}`},
		{"score/no-gap", "score", `{"have":{"evidence":[[3,3]],"activity":3,"fraud":3,"verification":3},"profile":"M1B"}`,
			`{"missing":{"evidence":[],"activity":0,"fraud":0,"verification":0}}`},
		{"score/pieces", "score", `{"pieces":[{"doc":"passport","strength":4,"validity":2},{"doc":null,"fraud":1},{"doc":"passport","strength":4,"validity":3}]}`,
			`{"evidence":[[4,3]],"activity":0,"fraud":1,"verification":0}`},
		{"score/no-pieces", "score", `{"pieces":[]}`, `{"evidence":[],"activity":0,"fraud":0,"verification":0}`},
		{"nhs-number/valid", "nhs-number", `{"input":"900 000 0009"}`, `{"valid":true,"normalised":"9000000009","warnings":[]}`},
		{"nhs-number/repeated", "nhs-number", `{"input":"0000000000"}`, `{"valid":true,"normalised":"0000000000","warnings":["repeated_digit"]}`},
		{"nhs-number/check-digit", "nhs-number", `{"input":"1234567890"}`, `{"valid":false,"normalised":null,"warnings":["check_digit"]}`},
		{"nhs-number/full-width", "nhs-number", `{"input":"９000000009"}`, `{"valid":false,"normalised":null,"warnings":["not_only_digits"]}`},
		{"ods/pharmacy", "ods", `{"code":"fwc87"}`, `{"code":"FWC87","nominated_pharmacy_pattern":true,"pds_gp_pattern":true,"kind":"pharmacy"}`},
		{"ods/empty", "ods", `{"code":""}`, `{"code":"","nominated_pharmacy_pattern":false,"pds_gp_pattern":false,"kind":"other"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, err := runCommand(t, c.in, c.part)
			if err != nil || strings.TrimSpace(out) != c.want {
				t.Errorf("got  %s(%v)\nwant %s", out, err, c.want)
			}
		})
	}
}

func TestQuestionsNotUnderstood(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, part, in, says string }{
		{"score/nothing-asked", "score", `{}`, `none of "evidence", "have" and "pieces"`},
		{"score/null", "score", `null`, `none of`},
		{"score/a-list", "score", `[]`, "it is a JSON array where an object is expected"},
		{"score/out-of-range", "score", `{"evidence":[{"strength":5,"validity":2}]}`, "strength of piece 1 is 5"},
		{"score/strength-missing", "score", `{"evidence":[{"validity":2}]}`, "strength of piece 1 is 0"},
		{"score/half-a-point", "score", `{"evidence":[],"fraud":1.5}`, "fraud is a JSON number where a whole number"},
		{"score/no-such-profile", "score", `{"have":{"evidence":[]},"profile":"Z9Z"}`, "no profile"},
		{"score/no-profile", "score", `{"have":{"evidence":[]}}`, "no profile"},
		{"score/pair-of-one", "score", `{"have":{"evidence":[[3]]},"profile":"M1A"}`, "a pair"},
		{"score/pair-of-three", "score", `{"have":{"evidence":[[3,2,1]]},"profile":"M1A"}`, "a pair"},
		{"score/gap-out-of-range", "score", `{"have":{"evidence":[[3,2]],"fraud":9},"profile":"M1A"}`, "fraud is 9"},
		{"score/piece-out-of-range", "score", `{"pieces":[{"doc":"x","strength":9}]}`, "piece 1"},
		{"nhs-number/no-input", "nhs-number", `{}`, `no "input"`},
		{"nhs-number/a-number", "nhs-number", `{"input":9000000009}`, "input is a JSON number where a string"},
		{"ods/no-code", "ods", `{"kode":"x"}`, `no "code"`},
		{"ods/a-flag", "ods", `{"code":true}`, "code is a JSON bool where a string"},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, err := runCommand(t, c.in, c.part)
			if ExitCode(err) != 2 || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want a sentence with %q", err, c.says)
			}
			if out != "" {
				t.Errorf("answered %s", out)
			}
		})
	}
}

// TestBadInputsAreNotQuoted: what was typed may be somebody's number.
func TestBadInputsAreNotQuoted(t *testing.T) {
	t.Parallel()
	for _, in := range []string{`{"input":["9686367403"]}`, `9686367403 secret`, `{"input":"9686367403"`} {
		_, err := runCommand(t, in, "nhs-number")
		if err == nil || strings.Contains(err.Error(), "9686367403") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", in, err)
		}
	}
}

// TestPolicyFile asks by the rules of a file instead of the program's.
func TestPolicyFile(t *testing.T) {
	t.Parallel()
	const file = "../gpg45/policy/gpg45-0.4.json"
	out, err := runCommand(t, `{"evidence":[{"strength":3,"validity":3}],"verification":3}`, "score", "--policy-file", file)
	if err != nil || !strings.Contains(out, `"best":"M1C"`) {
		t.Errorf("got %s (%v)", out, err)
	}
	if _, err := runCommand(t, "", "score", "--policy-file", "score_test.go"); ExitCode(err) != 2 {
		t.Errorf("a file that is no policy: %v", err)
	}
}

// FuzzQuestions feeds the parts anything: they answer or refuse, one line each.
func FuzzQuestions(f *testing.F) {
	f.Add(`{"evidence":[{"strength":4,"validity":3}],"activity":0,"fraud":1,"verification":4}`)
	f.Add(`{"have":{"evidence":[[3,2]]},"profile":"M1B"}`)
	f.Add(`{"pieces":[{"doc":null,"strength":4}]}`)
	f.Add(`{"input":"900 000 0009"}{"code":"FWC87"}`)
	f.Fuzz(func(t *testing.T, in string) {
		for _, part := range []string{"score", "nhs-number", "ods"} {
			out, err := runCommand(t, in, part)
			if err != nil && ExitCode(err) != 2 {
				t.Fatalf("%s: %v", part, err)
			}
			if out != "" && !strings.HasSuffix(out, "}\n") {
				t.Fatalf("%s answered %q", part, out)
			}
		}
	})
}

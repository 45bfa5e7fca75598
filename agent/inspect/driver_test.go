package inspect

import (
	"strings"
	"testing"
)

func TestDriverNumber(t *testing.T) {
	t.Parallel()
	const agnes = `"surname":"Winterbourne","given":"Agnes Kate","dob":"1971-02-09","sex":"F"`
	tests := []struct{ rule, in, want string }{
		{"match", `{"number":"WINTE752091AK9ZZ",` + agnes + `}`, `{"structure_valid":true,"match":true,"problems":[]}`},
		{"lower-case-and-spaces", `{"number":"winte 752091 ak9zz 01",` + agnes + `}`, `{"structure_valid":true,"match":true,"problems":[]}`},
		{"absent", `{"number":"WINTE752091AK9ZZ"}`, `{"structure_valid":true,"match":true,"problems":[]}`},
		{"null", `{"number":"WINTE752091AK9ZZ","surname":null,"given":null,"dob":null,"sex":null}`, `{"structure_valid":true,"match":true,"problems":[]}`},
		{"one-compared", `{"number":"WINTE752091AK9ZZ","sex":"M"}`, `{"structure_valid":true,"match":false,"problems":["number_sex"]}`},
		{"sex-in-a-word", `{"number":"WINTE752091AK9ZZ","sex":"female"}`, `{"structure_valid":true,"match":true,"problems":[]}`},
		{"sex-X-is-not-compared", `{"number":"WINTE752091AK9ZZ","sex":"x"}`, `{"structure_valid":true,"match":true,"problems":[]}`},
		{"transposed", `{"number":"WINTE752091AK9ZZ","surname":"Agnes Kate","given":"Winterbourne"}`, `{"structure_valid":true,"match":false,"problems":["name_transposed"]}`},
		{"lookalike", `{"number":"WINTE752091AK9ZZ","surname":"Winterbоurne"}`, `{"structure_valid":true,"match":false,"problems":["name_odd_letters"]}`},
		{"malformed", `{"number":"WINTE752321AK9ZZ",` + agnes + `}`, `{"structure_valid":false,"match":false,"problems":["number_date"]}`},
		{"nothing", `{"number":""}`, `{"structure_valid":false,"match":false,"problems":["number_length"]}`},
		{"Northern-Ireland", `{"number":"12345678",` + agnes + `}`, `{"structure_valid":true,"match":true,"problems":["number_silent"]}`},
		{"29-February-of-no-leap-year", `{"number":"12345678","dob":"1971-02-29"}`, `{"structure_valid":true,"match":false,"problems":["date_impossible","number_silent"]}`},
		{"month-00", `{"number":"WINTE752091AK9ZZ","dob":"1971-00-00"}`, `{"structure_valid":true,"match":false,"problems":["number_birth","date_impossible"]}`},
		{"year-0000", `{"number":"WINTE752091AK9ZZ","dob":"0000-00-00"}`, `{"structure_valid":true,"match":false,"problems":["number_birth","date_impossible"]}`},
		{"more-keys", `{"number":"WINTE752091AK9ZZ","match":false,"source":"x"}`, `{"structure_valid":true,"match":true,"problems":[]}`},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			got, err := runCommand(t, tt.in, "driver-number")
			if err != nil {
				t.Fatal(err)
			}
			if got != tt.want+"\n" {
				t.Errorf("got %s want %s", got, tt.want)
			}
		})
	}
}

// TestDriverNumberNotUnderstood: what is no question at all, never quoted.
func TestDriverNumberNotUnderstood(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, says string }{
		{`{}`, `"number" is missing`},
		{`{"number":null,"surname":"SECRET"}`, `"number" is missing`},
		{`{"number":12345678}`, "number is a JSON number"},
		{`{"number":"SECRET","dob":"09/02/1971"}`, `"dob"`},
		{`{"number":"SECRET","dob":"1971-2-9"}`, `"dob"`},
		{`{"number":"SECRET","dob":"1971-02-09T00:00:00Z"}`, `"dob"`},
		{`{"number":"SECRET","dob":"SECRET"}`, "YYYY-MM-DD"},
		{`{"number":"SECRET","sex":"SECRET"}`, `"sex"`},
		{`{"number":"1","surname":"` + strings.Repeat("SECRET", 200) + `"}`, `"surname"`},
		{`{"number":"1","given":["SECRET"]}`, "given"},
	} {
		got, err := runCommand(t, tt.in, "driver-number")
		if ExitCode(err) != 2 || got != "" {
			t.Errorf("%.60s: %q, %v", tt.in, got, err)
			continue
		}
		if !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("it says %q, want %q in it", err, tt.says)
		}
	}
}

func TestDriverNumberOrder(t *testing.T) {
	t.Parallel()
	got, err := runCommand(t, `{"number":"ABC"}{"number":"12345678"}`+"\n"+`{"number":"WINTE752091AK9ZZ"}{"number":1}`, "driver-number")
	if ExitCode(err) != 2 || !strings.Contains(err.Error(), "input 4") {
		t.Errorf("got %v", err)
	}
	if n := strings.Count(got, "\n"); n != 3 || !strings.HasPrefix(got, `{"structure_valid":false`) {
		t.Errorf("answers %q", got)
	}
}

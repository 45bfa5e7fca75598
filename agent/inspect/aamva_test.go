package inspect

import (
	"encoding/json"
	"strings"
	"testing"
)

// cardOf asks about one payload and gives the answer as an object.
func cardOf(t *testing.T, payload string) map[string]any {
	t.Helper()
	in, err := json.Marshal(map[string]string{"payload": payload})
	if err != nil {
		t.Fatal(err)
	}
	out, err := runCommand(t, string(in), "aamva")
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(out), &got); err != nil || strings.Count(out, "\n") != 1 {
		t.Fatalf("answer %q: %v", out, err)
	}
	return got
}

func TestAAMVA(t *testing.T) {
	t.Parallel()
	const (
		of2020 = "@\n\x1e\rANSI 636000100102DL00410083ZV01240008DLDAQA11223344\nDCSWINTERBOURNE\nDACAGNES\nDBB02091971\nDBA03012029\nDBC2\nDBDNONE\rZVZVA01\r"
		of2000 = "@\n\x1e\rAAMVA6360060101DL00290069DLDAAWINTERBOURNE,AGNES,KATE,JR\nDAQ112233445\nDBA20290301\nDBB19710209\r"
	)
	tests := []struct {
		rule, payload string
		want          map[string]any
		lacks         string
	}{
		{"2020", of2020, map[string]any{
			"iin": "636000", "version": 10.0, "DAQ": "A11223344", "DCS": "WINTERBOURNE", "DAC": "AGNES", "DBB": "1971-02-09",
			"DBA": "2029-03-01", "DBC": "female", "DBD": nil, "ZVA": "01",
		}, "surname"},
		{"2000", of2000, map[string]any{
			"iin": "636006", "version": 1.0, "DAA": "WINTERBOURNE,AGNES,KATE,JR", "surname": "WINTERBOURNE", "given": "AGNES KATE",
			"suffix": "JR", "DBB": "1971-02-09", "DBA": "2029-03-01",
		}, "DCS"},
		{"no-suffix", strings.Replace(of2000, ",KATE,JR", "", 1), map[string]any{"surname": "WINTERBOURNE", "given": "AGNES", "suffix": ""}, "DCS"},
		{"date-that-is-none", strings.Replace(of2020, "02091971", "02301971", 1), map[string]any{"DBB": nil}, "surname"},
		{"jurisdiction-cannot-name-keys", strings.Replace(of2020, "ZVA01", "ZZV9", 1), map[string]any{"version": 10.0, "iin": "636000"}, "surname"},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			got := cardOf(t, tt.payload)
			for key, want := range tt.want {
				if value, there := got[key]; !there || value != want {
					t.Errorf("%s is %v, want %v", key, value, want)
				}
			}
			if _, there := got[tt.lacks]; there {
				t.Errorf("%s is there", tt.lacks)
			}
		})
	}
}

func TestAAMVAProblems(t *testing.T) {
	t.Parallel()
	for payload, want := range map[string]string{
		"@\n\x1e\rANSI 636000100101DL00310052DLDAQ1\nDCSWINTERBOURNE\nDBB02091971\nDBA03012029\nDBC9\r":           "[]",
		"@\n\x1e\rANSI 636000100101DL00310010DLDAQ1\nDAQ2\r":                                                      `["payload_odd","element_contradictory","field_missing"]`,
		"@\n\x1e\rANSI 636000100101DL00310052DLDAQ1\nDCSWINTERBOURNE\nDBB02301971\nDBA03012029\nDBC9\r\x1e hello": `["payload_odd","date_impossible"]`,
	} {
		problems, err := json.Marshal(cardOf(t, payload)["problems"])
		if err != nil || string(problems) != want {
			t.Errorf("got %s (%v), want %s", problems, err, want)
		}
	}
}

// TestAAMVANotUnderstood: texts that are no card, never quoted.
func TestAAMVANotUnderstood(t *testing.T) {
	t.Parallel()
	for in, says := range map[string]string{
		`{}`:                     `"payload" is missing`,
		`{"payload":null}`:       `"payload" is missing`,
		`{"payload":["SECRET"]}`: "payload",
		`{"payload":""}`:         "does not begin as",
		`{"payload":"https://example.org/SECRET"}`:             "does not begin as",
		`{"payload":"` + strings.Repeat("SECRET", 2000) + `"}`: "longer than",
	} {
		got, err := runCommand(t, in, "aamva")
		if ExitCode(err) != 2 || got != "" {
			t.Errorf("%.60s: %q, %v", in, got, err)
			continue
		}
		if !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("it says %q, want %q in it", err, says)
		}
	}
}

package inspect

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"
)

// passiveCase is a case of testdata/passive.txt.
type passiveCase struct {
	name                string
	at, class, reason   string
	verdict             string
	files               map[string]string
	authorities, signed []string
}

// passiveCases reads testdata/passive.txt.
func passiveCases(t *testing.T) []passiveCase {
	t.Helper()
	text, err := os.ReadFile("testdata/passive.txt")
	if err != nil {
		t.Fatal(err)
	}
	var all []passiveCase
	known := map[string]string{} // a case's name and the key: the value
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#':
			continue
		case line[0] == '[':
			all = append(all, passiveCase{name: strings.Trim(line, "[]"), files: map[string]string{}})
			continue
		}
		key, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		c := &all[len(all)-1]
		if from, ok := strings.CutPrefix(value, "="); ok {
			value = known[from+key]
		}
		known[c.name+key] = value
		c.set(key, value)
	}
	return all
}

// set takes one line of a case.
func (c *passiveCase) set(key, value string) {
	switch key {
	case "at":
		c.at = value
	case "verdict":
		c.verdict = value
	case "class":
		c.class = value
	case "reason":
		c.reason = value
	case "csca":
		c.authorities = append(c.authorities, value)
	case "crl":
		c.signed = append(c.signed, value)
	default:
		c.files[key] = value
	}
}

// input is the case as it is asked.
func (c *passiveCase) input(t *testing.T) string {
	t.Helper()
	b, err := json.Marshal(map[string]any{
		"files_base64": c.files, "trusted_csca_base64": c.authorities, "crls_base64": c.signed, "evaluate_at": c.at, "id": c.name,
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestPassive(t *testing.T) {
	t.Parallel()
	cases := passiveCases(t)
	if len(cases) != 8 {
		t.Fatalf("%d cases, want 8", len(cases))
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := runCommand(t, c.input(t), "passive")
			if err != nil {
				t.Fatal(err)
			}
			want := `{"verdict":"` + c.verdict + `","class":"` + c.class + `","reason":"` + c.reason + `"}` + "\n"
			if got != want {
				t.Errorf("got %s want %s", got, want)
			}
		})
	}
}

// TestPassiveNegative: what passes stops passing when one thing is taken or changed.
func TestPassiveNegative(t *testing.T) {
	t.Parallel()
	flip := func(text string) string {
		b, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		b[len(b)-1] ^= 1
		return base64.StdEncoding.EncodeToString(b)
	}
	for _, c := range []struct {
		rule, class string
		change      func(*passiveCase)
	}{
		{"nothing", "genuine", func(*passiveCase) {}},
		{"file-changed", "integrity_failed", func(c *passiveCase) { c.files["DG2"] = flip(c.files["DG2"]) }},
		{"file-added", "integrity_failed", func(c *passiveCase) { c.files["DG11"] = c.files["DG2"] }},
		{"signature-changed", "signature_failed", func(c *passiveCase) { c.files["SOD"] = flip(c.files["SOD"]) }},
		{"no-authority", "issuer_unknown", func(c *passiveCase) { c.authorities = nil }},
		{"no-object", "integrity_failed", func(c *passiveCase) { delete(c.files, "SOD") }},
		{"no-files", "integrity_failed", func(c *passiveCase) { c.files = map[string]string{} }},
		{"object-of-nothing", "integrity_failed", func(c *passiveCase) { c.files["SOD"] = "dwA=" }},
	} {
		for _, base := range passiveCases(t) {
			if base.name != "ok-crl-lists-another" {
				continue
			}
			c.change(&base)
			got, err := runCommand(t, base.input(t), "passive")
			if err != nil || !strings.Contains(got, `"class":"`+c.class+`"`) {
				t.Errorf("%s: got %s %v, want %s", c.rule, got, err, c.class)
			}
		}
	}
}

func TestPassiveNotUnderstood(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, in, says string }{
		{"no-files", `{}`, `"files_base64" is missing`},
		{"not-base64", `{"files_base64":{"DG1":"!GBRSMITH"}}`, "is not base64"},
		{"not-a-time", `{"files_base64":{},"evaluate_at":"yesterday"}`, `"evaluate_at" is not a time`},
		{"not-an-object", `{"files_base64":[]}`, "where an object is expected"},
	} {
		var out bytes.Buffer
		err := jsonLines(strings.NewReader(c.in), &out, passiveAnswer(time.Unix(0, 0)))
		if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "SMITH") {
			t.Errorf("%s: got %v, want %q", c.name, err, c.says)
		}
		if ExitCode(err) != 2 {
			t.Errorf("%s: exit code %d", c.name, ExitCode(err))
		}
	}
}

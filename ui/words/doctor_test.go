package words_test

import (
	"os"
	"strings"
	"testing"

	"github.com/counterproof/counterproof/ui/words"
)

// TestEveryFindingHasWords counts what the doctor can find and what a trial can
// come to.
func TestEveryFindingHasWords(t *testing.T) {
	const vocabulary = "../../agent/api/doctor.go"
	findings, trials, weights := constsIn(t, vocabulary, "FindingCode"), constsIn(t, vocabulary, "TrialCode"), constsIn(t, vocabulary, "Weight")
	if len(findings) < 40 || len(trials) < 9 || len(weights) != 3 {
		t.Fatalf("%d findings, %d trials, %d weights", len(findings), len(trials), len(weights))
	}
	for _, tag := range words.Languages() {
		w := words.In(tag)
		for _, code := range findings {
			for _, part := range []string{"what", "why", "do"} {
				key := "doctor." + code + "." + part
				if !w.Has(key) || strings.Count(w.Say(key), "`")%2 != 0 {
					t.Errorf("%s: %s is %q", tag, key, w.Say(key))
				}
			}
		}
		for _, code := range trials {
			if !w.Has("trial." + code) {
				t.Errorf("%s has no words for trial %s", tag, code)
			}
		}
		for _, code := range weights {
			if !w.Has("doctor." + code) {
				t.Errorf("%s has no words for weight %s", tag, code)
			}
		}
		for prefix, typ := range map[string]string{"devstate": "State", "can": "Capability"} {
			for _, code := range constsIn(t, "../../devices/devices.go", typ) {
				if !w.Has(prefix + "." + code) {
					t.Errorf("%s has no words for %s %s", tag, typ, code)
				}
			}
		}
	}
}

// TestTheShellSaysTheSame: what the doctor says in a shell and on a screen are the
// same sentences, and the commands in them are the same in every language.
func TestTheShellSaysTheSame(t *testing.T) {
	b, err := os.ReadFile("../../agent/doctor/en.txt")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	en, cy := words.In("en"), words.In("cy")
	for line := range strings.Lines(string(b)) {
		key, text, ok := strings.Cut(strings.TrimRight(line, "\n"), ": ")
		if !ok || strings.HasPrefix(key, "#") {
			continue
		}
		n++
		key = "doctor." + key
		if got := en.Say(key); got != text {
			t.Errorf("%s is %q here and %q in the shell", key, got, text)
		}
		a, c := strings.Split(text, "`"), strings.Split(cy.Say(key), "`")
		for i := 1; i < len(a); i += 2 {
			if i >= len(c) || a[i] != c[i] {
				t.Errorf("%s: the command %q is another in Welsh", key, a[i])
			}
		}
	}
	if n < 120 {
		t.Errorf("only %d sentences", n)
	}
}

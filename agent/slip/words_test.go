package slip

import (
	"reflect"
	"testing"

	"github.com/counterproof/counterproof/agent/proof"
)

// missing lists what a catalogue lacks.
func missing(w words) []string {
	var out []string
	v := reflect.ValueOf(w)
	for i := range v.NumField() {
		if v.Field(i).IsZero() {
			out = append(out, v.Type().Field(i).Name)
		}
	}
	for _, r := range []proof.Result{proof.Proved, proof.Review, proof.NotProved, proof.Abandoned} {
		if w.result[r] == "" || len(w.next[r]) == 0 {
			out = append(out, string(r))
		}
	}
	for _, l := range []proof.Level{proof.NoLevel, proof.Low, proof.Medium, proof.High, proof.VeryHigh} {
		if w.levels[l] == "" {
			out = append(out, string(l))
		}
	}
	return out
}

func TestCataloguesAreWhole(t *testing.T) {
	t.Parallel()
	for name, w := range map[string]words{"en": english, "cy": welsh} {
		if lacks := missing(w); len(lacks) > 0 {
			t.Errorf("%s lacks %v", name, lacks)
		}
	}
	if len(missing(words{title: "only this"})) == 0 {
		t.Error("an empty catalogue passes: the check is blind")
	}
}

package licence

import "testing"

func TestIssuer(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"D": "DEU", "de": "DEU", " DEU ": "DEU", "gb": "GBR", "UK": "GBR", "GBR": "GBR", "FIN": "FIN", "EST": "EST", "SLO": "SVN",
		"USA": "USA", "Hertfordshire": "HERTFORDSHIRE", "": "",
	} {
		if got := Issuer(typed); got != want {
			t.Errorf("%q is %q, want %q", typed, got, want)
		}
	}
	for sign, code := range signs {
		if len(code) != 3 || Issuer(code) != code {
			t.Errorf("%s means %q, which is no code of its own", sign, code)
		}
	}
}

package mrz

import (
	"slices"
	"strings"
	"testing"
)

func TestCheckDigit(t *testing.T) {
	t.Parallel()
	tests := []struct {
		rule, text string
		want       byte
	}{
		{"icao-date", "520727", '3'},                                       // ICAO 9303-3 §4.9, example 1
		{"icao-number", "AB2134<<<", '5'},                                  // ICAO 9303-3 §4.9, example 2
		{"icao-composite", "HA672242<658022549601086<<<<<<<<<<<<<<0", '8'}, // example 4
		{"empty", "", '0'},
		{"fillers", "<<<<<<", '0'},
		{"letters-count-from-ten", "A", '0'},
		{"last-letter", "Z", '5'},
		{"lower-case", "a", '?'},
		{"space", "A 1", '?'},
		{"not-ascii", "Ñ", '?'},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			if got := CheckDigit(tt.text); got != tt.want {
				t.Errorf("got %c, want %c", got, tt.want)
			}
		})
	}
}

// TestCheckDigitFindsEveryChange is why check digits exist: one digit taken for
// another is always found, whatever its place.
func TestCheckDigitFindsEveryChange(t *testing.T) {
	t.Parallel()
	const number = "123456789"
	for i := range number {
		for d := byte('0'); d <= '9'; d++ {
			other := number[:i] + string(d) + number[i+1:]
			if other != number && CheckDigit(other) == CheckDigit(number) {
				t.Errorf("%s has the digit of %s", other, number)
			}
		}
	}
}

func TestFormatLines(t *testing.T) {
	t.Parallel()
	want := map[Format][]int{
		TD1: {30, 30, 30}, TD2: {36, 36}, TD3: {44, 44}, MRVA: {44, 44}, MRVB: {36, 36},
		FRID: {36, 36}, CHDL: {9, 30, 30}, DL30: {30}, Unknown: nil, "no such": nil,
	}
	for f, lengths := range want {
		if got := f.Lines(); !slices.Equal(got, lengths) {
			t.Errorf("%s: %v, want %v", f, got, lengths)
		}
	}
	if got := len(Formats()); got != len(want)-2 {
		t.Errorf("%d formats, want %d", got, len(want)-2)
	}
}

func TestFormatClass(t *testing.T) {
	t.Parallel()
	tests := []struct {
		rule      string
		format    Format
		line, col int
		allows    string
		refuses   string
	}{
		{"TD3/first-letter", TD3, 0, 0, "P", "VI<1"},
		{"TD3/second-letter", TD3, 0, 1, "<DS", "1"},
		{"TD3/name", TD3, 0, 43, "AZ<", "09"},
		{"TD3/number", TD3, 1, 0, "A9<", "?a"},
		{"TD3/number-digit", TD3, 1, 9, "09", "<O"},
		{"TD3/nationality", TD3, 1, 10, "D<", "0"},
		{"TD3/birth", TD3, 1, 13, "0<", "O"},
		{"TD3/sex", TD3, 1, 20, "MFX<", "1N"},
		{"TD3/optional-digit", TD3, 1, 42, "0<", "O"},
		{"TD3/composite", TD3, 1, 43, "0", "<"},
		{"TD1/first-letter", TD1, 0, 0, "ACI", "P1"},
		{"TD1/american-second", TD1, 0, 1, "1<D", "?"},
		{"TD1/long-number", TD1, 0, 14, "0<", "O"},
		{"TD2/long-number", TD2, 1, 9, "0<", "O"},
		{"MRVA/first-letter", MRVA, 0, 0, "V", "P"},
		{"MRVA/optional", MRVA, 1, 43, "A0<", "?"},
		{"FRID/issue", FRID, 1, 0, "0", "O"},
		{"FRID/office", FRID, 0, 30, "0A<", "?"},
		{"CHDL/separator", CHDL, 1, 17, "<", "0A"},
		{"CHDL/serial", CHDL, 0, 3, "0", "O"},
		{"DL30/first-letter", DL30, 0, 0, "D", "0"},
		{"outside/line", TD3, 2, 0, "", "A0<"},
		{"outside/column", TD3, 0, 44, "", "A0<"},
		{"outside/negative", TD3, -1, -1, "", "A0<"},
		{"outside/no-format", Unknown, 0, 0, "", "A0<"},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			class := tt.format.Class(tt.line, tt.col)
			for _, b := range []byte(tt.allows) {
				if !class.Allows(b) {
					t.Errorf("refuses %c", b)
				}
			}
			for _, b := range []byte(tt.refuses) {
				if class.Allows(b) {
					t.Errorf("allows %c", b)
				}
			}
		})
	}
	if Class(200).Allows('A') {
		t.Error("a class that does not exist allows something")
	}
}

// TestClassesKnowOnlyTheAlphabet keeps a reader's mask inside the alphabet.
func TestClassesKnowOnlyTheAlphabet(t *testing.T) {
	t.Parallel()
	for c := range Class(len(allowed)) {
		for b := range 256 {
			if c.Allows(byte(b)) && !strings.Contains(alphabet, string(rune(b))) {
				t.Errorf("class %d allows %q", c, rune(b))
			}
		}
	}
}

// TestLookalikes proves that each character has one lookalike at most, on the
// other side of the border of letters and digits.
func TestLookalikes(t *testing.T) {
	t.Parallel()
	pairs := 0
	for _, b := range []byte(alphabet) {
		other := lookalike(b)
		if other == 0 {
			continue
		}
		pairs++
		if lookalike(other) != b || Numeral.Allows(b) == Numeral.Allows(other) {
			t.Errorf("%c looks like %c, which looks like %c", b, other, lookalike(other))
		}
	}
	if pairs != 12 {
		t.Errorf("%d characters have a lookalike, want 12", pairs)
	}
}

// TestRulesLieInTheirLines guards the tables: every span of every layout is a
// part of its line, and every check digit may hold a digit.
func TestRulesLieInTheirLines(t *testing.T) {
	t.Parallel()
	all := map[string]*layout{}
	for f, l := range layouts {
		all[string(f)] = l
	}
	for state, l := range stateLicences {
		all["DL30 "+state] = l
	}
	for name, l := range all {
		spans := []span{
			l.code, l.state, l.number, l.nationality, l.name, l.surname, l.given, l.birth, l.sex, l.expiry, l.issued,
			l.optional, l.optional2, l.office, l.language, l.pin, l.version,
		}
		for _, r := range l.rules {
			spans = append(append(spans, r.cover...), r.digit, r.overflow)
			if c := l.class(r.digit.line, r.digit.from); !c.Allows('7') || c.Allows('A') || r.digit.to != r.digit.from+1 {
				t.Errorf("%s: the digit of %s is in a place of class %d", name, r.name, c)
			}
		}
		for _, s := range spans {
			if !s.empty() && (l.class(s.line, s.from) == nothing || l.class(s.line, s.to-1) == nothing) {
				t.Errorf("%s: the span %v is not in its line", name, s)
			}
		}
	}
}

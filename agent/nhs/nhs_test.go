package nhs

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/counterproof/counterproof/agent/proof"
	"pgregory.net/rapid"
)

// rules are those of the default policy.
var rules = Rules{P9Level: proof.Medium, P9Verification: 3, P5Age: 13, P9Age: 16, NoPracticeCodes: []string{"V81997"}}

// table reads a testdata file of lines; "#" starts a comment.
func table(t testing.TB, name string) []string {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimRight(line, "\n"); line != "" && line[0] != '#' {
			lines = append(lines, line)
		}
	}
	return lines
}

// quoted takes a Go string off the front of a line.
func quoted(t testing.TB, line string) (string, string) {
	t.Helper()
	prefix, err := strconv.QuotedPrefix(line)
	if err != nil {
		t.Fatalf("line %q: %v", line, err)
	}
	s, err := strconv.Unquote(prefix)
	if err != nil {
		t.Fatalf("line %q: %v", line, err)
	}
	return s, strings.TrimSpace(strings.TrimPrefix(line, prefix))
}

func TestNormaliseNumber(t *testing.T) {
	t.Parallel()
	for _, line := range table(t, "numbers.txt") {
		verdict, rest, _ := strings.Cut(line, " ")
		input, digits := quoted(t, rest)
		t.Run(verdict+"/"+input, func(t *testing.T) {
			n, err := NormaliseNumber(input)
			if digits == "-" {
				digits = ""
			}
			if string(n) != digits || (err == nil) != (digits != "") {
				t.Errorf("got %q (%v), want %q", n, err, digits)
			}
			if got := strings.Join(Warnings(n, err), ","); got != strings.TrimPrefix(verdict, "ok") {
				t.Errorf("warnings %q, want %s", got, verdict)
			}
		})
	}
}

func TestDisplay(t *testing.T) {
	t.Parallel()
	for n, want := range map[Number]string{"9000000009": "900 000 0009", "": "", "12": "12"} {
		if got := n.Display(); got != want {
			t.Errorf("%q reads %q, want %q", n, got, want)
		}
	}
	if Number("").Repeated() {
		t.Error("nothing is a repeated digit")
	}
}

// TestCheckDigitIsTheOnlyOne: of the ten numbers with the same first nine
// digits at most one is valid, and none where the remainder asks for ten.
func TestCheckDigitIsTheOnlyOne(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		nine := fmt.Sprintf("%09d", rapid.IntRange(0, 999999999).Draw(t, "nine"))
		valid, sum := 0, 0
		for i, d := range nine {
			sum += int(d-'0') * (10 - i)
		}
		for last := range 10 {
			if _, err := NormaliseNumber(nine + strconv.Itoa(last)); err == nil {
				valid++
				if (sum+last)%11 != 0 {
					t.Fatalf("%s%d is no multiple of eleven", nine, last)
				}
			}
		}
		want := 1
		if sum%11 == 1 {
			want = 0
		}
		if valid != want {
			t.Fatalf("%d numbers begin %s, want %d", valid, nine, want)
		}
	})
}

// TestOneWrongDigitIsFound: modulus 11 finds every single wrong digit and every
// swap of neighbours.
func TestOneWrongDigitIsFound(t *testing.T) {
	t.Parallel()
	good := []byte("9686367403")
	for i := range good {
		for d := byte('0'); d <= '9'; d++ {
			bad := append([]byte{}, good...)
			bad[i] = d
			if _, err := NormaliseNumber(string(bad)); (err == nil) != (d == good[i]) {
				t.Errorf("%s: %v", bad, err)
			}
		}
		if i > 0 && good[i] != good[i-1] {
			bad := append([]byte{}, good...)
			bad[i], bad[i-1] = bad[i-1], bad[i]
			if _, err := NormaliseNumber(string(bad)); !errors.Is(err, ErrNumberCheck) {
				t.Errorf("%s with two digits swapped: %v", bad, err)
			}
		}
	}
}

func TestODS(t *testing.T) {
	t.Parallel()
	yes := map[bool]string{true: "yes", false: "no"}
	for _, line := range table(t, "codes.txt") {
		code, rest := quoted(t, line)
		t.Run(code, func(t *testing.T) {
			kept, rest, _ := strings.Cut(rest, " ")
			if strings.HasPrefix(kept, `"`) {
				kept, rest = quoted(t, line[len(strconv.Quote(code))+1:])
			}
			o := rules.ODS(code)
			if o.Code != kept {
				t.Errorf("kept as %q, want %q", o.Code, kept)
			}
			if got := fmt.Sprintf("%s %s %s", yes[o.NominatedPharmacy], yes[o.GP], o.Kind); got != rest {
				t.Errorf("got %s, want %s", got, rest)
			}
		})
	}
}

func FuzzNormaliseNumber(f *testing.F) {
	for _, line := range table(f, "numbers.txt") {
		_, rest, _ := strings.Cut(line, " ")
		input, _ := quoted(f, rest)
		f.Add(input)
	}
	f.Fuzz(func(t *testing.T, input string) {
		n, err := NormaliseNumber(input)
		if err != nil {
			if n != "" {
				t.Fatalf("%q gave %q and %v", input, n, err)
			}
			return
		}
		if want := strings.NewReplacer(" ", "", "-", "").Replace(input); string(n) != want || len(n) != 10 {
			t.Fatalf("%q became %q", input, n)
		}
		again, err := NormaliseNumber(n.Display())
		if err != nil || again != n {
			t.Fatalf("%q reads %q and comes back as %q (%v)", n, n.Display(), again, err)
		}
	})
}

func FuzzODS(f *testing.F) {
	for _, line := range table(f, "codes.txt") {
		code, _ := quoted(f, line)
		f.Add(code)
	}
	f.Fuzz(func(t *testing.T, code string) {
		o := rules.ODS(code)
		if len(o.Code) != len(code) || !strings.EqualFold(o.Code, code) {
			t.Fatalf("%q is kept as %q", code, o.Code)
		}
		if again := rules.ODS(o.Code); again != o {
			t.Fatalf("%q gives %+v and then %+v", code, o, again)
		}
		if o.NominatedPharmacy && !o.GP || o.Kind != Other && !o.NominatedPharmacy {
			t.Fatalf("%q gives %+v", code, o)
		}
	})
}

package licence

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/counterproof/counterproof/agent/proof"
)

// prints are the files of testdata/print: lines as a reader gives them, then
// what they say after "= ". "#" starts a comment.
func prints(t testing.TB) (names []string, lines, want map[string][]string) {
	t.Helper()
	lines, want = map[string][]string{}, map[string][]string{}
	files, err := filepath.Glob("testdata/print/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no prints: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(file), ".txt")
		names = append(names, name)
		for line := range strings.Lines(string(text)) {
			line = strings.TrimRight(line, "\n")
			switch said, ok := strings.CutPrefix(line, "= "); {
			case ok:
				want[name] = append(want[name], said)
			case !strings.HasPrefix(line, "#"):
				lines[name] = append(lines[name], line)
			}
		}
	}
	return names, lines, want
}

// words joins what is there.
func words(ws ...string) string { return strings.Join(strings.Fields(strings.Join(ws, " ")), " ") }

// told writes a licence as the files of testdata/print do.
func (l Licence) told(problems []Problem) []string {
	return []string{
		words("surname", l.Surname.Printed), words("given", l.Given.Printed),
		words("birth", l.Birth.String(), l.BirthPlace), words("term", l.Issued.String(), l.Expires.String()),
		words("office", l.Issuer, l.Authority), words("number", l.Number), words("address", l.Address),
		words("categories", strings.Join(l.Categories, " ")), words("problems", list(problems)),
	}
}

func TestFromLines(t *testing.T) {
	t.Parallel()
	names, lines, want := prints(t)
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, problems := FromLines(lines[name], visit)
			got := l.told(problems)
			for i, said := range want[name] {
				if said = strings.Replace(said, "office - ", "office ", 1); got[i] != said {
					t.Errorf("got %q, want %q", got[i], said)
				}
			}
		})
	}
}

// TestFromLinesChecks: what was read of a good card passes the same checks as
// what a clerk keys, and what was misread shows.
func TestFromLinesChecks(t *testing.T) {
	t.Parallel()
	_, lines, _ := prints(t)
	good, _ := FromLines(lines["gb"], visit)
	if got := good.Check(visit); len(got) > 0 {
		t.Errorf("a good card: %s", list(got))
	}
	wrong := slices.Clone(lines["gb"])
	wrong[4] = "3. 08.02.1971 UNITED KINGDOM"
	bad, _ := FromLines(wrong, visit)
	if got := list(bad.Check(visit)); got != "5:number_birth" {
		t.Errorf("a misread day: %q", got)
	}
}

func TestCenturies(t *testing.T) {
	t.Parallel()
	tests := []struct{ rule, line, want string }{
		{"birth/last-century", "3. 01.01.64", "birth 1964-01-01"},
		{"birth/old-enough-today", "3. 23.11.12", "birth 2012-11-23"},
		{"birth/old-enough-tomorrow", "3. 24.11.12", "birth 1912-11-24"},
		{"birth/this-year-is-a-century-ago", "3. 01.01.26", "birth 1926-01-01"},
		{"birth/00", "3. 01.01.00", "birth 2000-01-01"},
		{"birth/leap-day", "3. 29.02.00", "birth 2000-02-29"},
		{"birth/whole", "3. 01.01.1926", "birth 1926-01-01"},
		{"issue/today", "4a. 23.11.26", "term 2026-11-23"},
		{"issue/tomorrow-is-a-century-ago", "4a. 24.11.26", "term 1926-11-24"},
		{"issue/99", "4a. 01.02.99", "term 1999-02-01"},
		{"expiry/future", "4b. 01.02.31", "term 2031-02-01"},
		{"expiry/past", "4b. 01.02.99", "term 1999-02-01"},
		{"expiry/fifty-years", "4b. 23.11.76", "term 2076-11-23"},
		{"expiry/more-than-fifty-years", "4b. 24.11.76", "term 1976-11-24"},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			l, problems := FromLines([]string{tt.line}, visit)
			if got := l.told(nil); !slices.Contains(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			assumed := slices.ContainsFunc(problems, func(p Problem) bool { return p.Code == CenturyAssumed })
			if whole := strings.HasSuffix(tt.rule, "whole"); assumed == whole {
				t.Errorf("century assumed: %v", assumed)
			}
		})
	}
}

// TestFromLinesBounds: whatever a reader sends, only so much of it counts.
func TestFromLinesBounds(t *testing.T) {
	t.Parallel()
	long := []string{"1. " + strings.Repeat("A", 10000)}
	l, _ := FromLines(long, visit)
	if n := utf8.RuneCountInString(l.Surname.Printed); n > maxLine {
		t.Errorf("a name of %d characters", n)
	}
	many := append(slices.Repeat([]string{"x"}, maxLines), "1. WINTERBOURNE")
	if l, _ = FromLines(many, visit); l.Surname != (proof.Name{}) {
		t.Errorf("line %d was read: %+v", len(many), l.Surname)
	}
	many = append(slices.Repeat([]string{"x"}, maxLines-1), "1. WINTERBOURNE")
	if l, _ = FromLines(many, visit); l.Surname.Key != "WINTERBOURNE" {
		t.Errorf("line %d was not read", len(many))
	}
	if l, problems := FromLines(nil, proof.Date{}); len(l.Check(proof.Date{})) == 0 || problems != nil {
		t.Errorf("no lines give %+v and %v", l, problems)
	}
}

func FuzzFromLines(f *testing.F) {
	names, lines, _ := prints(f)
	for _, name := range names {
		f.Add(strings.Join(lines[name], "\n"), 2026)
	}
	f.Add("3. 29.02.00\n4a 4a 4b. 4c\n5", 0)
	f.Add("3. 00.00.00 4a. 99.99.99 4b. 31.12.9999", -5)
	f.Fuzz(func(t *testing.T, text string, year int) {
		today := day(year, 2, 28)
		l, problems := FromLines(strings.Split(text, "\n"), today)
		for _, p := range problems {
			if !strings.Contains(" 1 2 3 4a 4b 5 ", " "+p.Field+" ") {
				t.Errorf("problem %v", p)
			}
		}
		for _, s := range append(l.told(problems), l.Personal) {
			if !utf8.ValidString(s) || utf8.RuneCountInString(s) > maxLines*maxLine {
				t.Errorf("field %.100q", s)
			}
		}
		l.Check(today)
		if n, wrong := ParseGBNumber(l.Number); len(wrong) == 0 && n.Text != l.Number {
			t.Errorf("number %q is not kept as %q", l.Number, n.Text)
		}
	})
}

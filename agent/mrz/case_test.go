package mrz

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/counterproof/counterproof/agent/proof"
)

// zoneCase is one case of testdata: lines, and what they must come to. Blocks
// are parted by empty lines; a key that is not known fails the test.
type zoneCase struct {
	rule      string
	reference proof.Date
	lines     []string
	format    Format
	checks    string // valid, invalid or none
	failing   []string
	fields    map[string]string
	problems  []string // nil where the case does not say
	corrected []string // nil where correction must change nothing
}

// loadCases reads every case of testdata.
func loadCases(t testing.TB) []zoneCase {
	t.Helper()
	files, err := filepath.Glob("testdata/*.case")
	if err != nil || len(files) == 0 {
		t.Fatalf("no case files: %v", err)
	}
	var cases []zoneCase
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for block := range strings.SplitSeq(string(text), "\n\n") {
			c, err := parseCase(block)
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			if c.rule != "" {
				cases = append(cases, c)
			}
		}
	}
	return cases
}

// parseCase reads one block.
func parseCase(block string) (zoneCase, error) {
	c := zoneCase{fields: map[string]string{}}
	for line := range strings.Lines(block) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		key, value, ok := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		if !ok || !c.set(key, value) {
			return c, fmt.Errorf("the line %q is not understood", line)
		}
	}
	return c, nil
}

// set takes one key of a block.
func (c *zoneCase) set(key, value string) bool {
	if name, ok := strings.CutPrefix(key, "field "); ok {
		c.fields[name] = value
		return true
	}
	switch key {
	case "rule":
		c.rule = value
	case "reference":
		_, err := fmt.Sscanf(value, "%d-%d-%d", &c.reference.Year, &c.reference.Month, &c.reference.Day)
		return err == nil
	case "line":
		c.lines = append(c.lines, value)
	case "format":
		c.format = Format(value)
	case "checks":
		c.checks = value
	case "failing":
		c.failing = strings.Fields(value)
	case "problems":
		c.problems = append([]string{}, strings.Fields(value)...)
	case "corrected":
		c.corrected = append(c.corrected, value)
	default:
		return false
	}
	return true
}

// verdict names what ChecksValid says, as case files do.
func verdict(d Document) string {
	valid, known := d.ChecksValid()
	if !known {
		return "none"
	}
	if valid {
		return "valid"
	}
	return "invalid"
}

func TestParse(t *testing.T) {
	t.Parallel()
	for _, c := range loadCases(t) {
		t.Run(c.rule, func(t *testing.T) {
			t.Parallel()
			d := Parse(c.lines, c.reference)
			if d.Format != c.format {
				t.Errorf("format %s, want %s", d.Format, c.format)
			}
			if got := verdict(d); got != c.checks {
				t.Errorf("checks %s, want %s", got, c.checks)
			}
			if got := d.FailingChecks(); !slices.Equal(got, c.failing) {
				t.Errorf("failing %v, want %v", got, c.failing)
			}
			if c.problems != nil && !slices.Equal(d.Problems, c.problems) {
				t.Errorf("problems %v, want %v", d.Problems, c.problems)
			}
			m := d.Map()
			for key, want := range c.fields {
				if got := fmt.Sprint(m[key]); got != want {
					t.Errorf("%s %q, want %q", key, got, want)
				}
			}
		})
	}
}

func TestRepair(t *testing.T) {
	t.Parallel()
	for _, c := range loadCases(t) {
		t.Run(c.rule, func(t *testing.T) {
			t.Parallel()
			want := c.corrected
			if want == nil {
				want = c.lines
			}
			for _, format := range []Format{Unknown, c.format} {
				got := Repair(c.lines, format)
				if !slices.Equal(got, want) {
					t.Errorf("as %s:\n%s\nwant\n%s", format, strings.Join(got, "\n"), strings.Join(want, "\n"))
				}
				if again := Repair(got, format); !slices.Equal(again, got) {
					t.Errorf("as %s, repairing twice gave %v", format, again)
				}
			}
		})
	}
}

// TestCaseFiles holds the loader to its word: a misspelt key must fail.
func TestCaseFiles(t *testing.T) {
	t.Parallel()
	for _, block := range []string{"rule: x\nlines: A", "rule: x\nno colon", "rule: x\nreference: soon"} {
		if _, err := parseCase(block); err == nil {
			t.Errorf("no complaint about %q", block)
		}
	}
	seen := map[string]bool{}
	for _, c := range loadCases(t) {
		if seen[c.rule] {
			t.Errorf("the rule %s has two cases", c.rule)
		}
		seen[c.rule] = true
	}
}

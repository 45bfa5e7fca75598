package mrz

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/counterproof/counterproof/agent/proof"
)

// seed gives a fuzz target every case of testdata, as one text.
func seed(f *testing.F) {
	for _, c := range loadCases(f) {
		f.Add(strings.Join(c.lines, "\n"), 2024, 6)
	}
	f.Add(strings.Repeat("<", 44)+"\n"+strings.Repeat("<", 44), 0, 0)
	f.Add("Ñ\xff\x00", -1, 99)
}

// FuzzParse holds what must be true of any bytes: no panic, fields inside the
// alphabet, and repairs that stay in their bounds.
func FuzzParse(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, text string, year, month int) {
		d := Parse(strings.Split(text, "\n"), proof.Date{Year: year, Month: month, Day: 15})
		valid, known := d.ChecksValid()
		if valid && known && len(d.Checks) == 0 {
			t.Error("valid without a check")
		}
		for key, value := range d.Map() {
			s, ok := value.(string)
			if ok && !strings.HasSuffix(key, "_precision") && strings.Trim(s, alphabet+" ?-") != "" {
				t.Errorf("%s is %q", key, s)
			}
		}
		if d.Format == Unknown {
			return
		}
		checkRepairs(t, d)
		if again := Parse(d.Settled, proof.Date{Year: year, Month: month, Day: 15}); !slices.Contains(d.Problems, "charset") && again.Fields != d.Fields {
			t.Errorf("settled lines read\n%+v\nwant\n%+v", again.Fields, d.Fields)
		}
	})
}

// checkRepairs proves the bound of repairs: a place changes only to a lookalike,
// and where a digit guards it, only if that digit then agrees.
func checkRepairs(t *testing.T, d Document) {
	before, _ := newZone(d.Format, places(d.Lines))
	after, _ := newZone(d.Format, places(d.Settled))
	for i, row := range before.rows {
		for j, b := range row {
			a := after.rows[i][j]
			if a == b {
				continue
			}
			if lookalike(b) != a {
				t.Errorf("%c became %c", b, a)
			}
			for _, r := range after.layout.rules {
				guards := slices.ContainsFunc(r.guards(), func(s span) bool { return s.holds(i, j) })
				if guards && !after.agrees(r) {
					t.Errorf("%s was changed but does not agree", r.name)
				}
			}
		}
	}
}

// FuzzRepair holds that correcting twice changes nothing more, that lines keep
// their number, and that a zone of a known format stays one.
func FuzzRepair(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, text string, pick, _ int) {
		lines := strings.Split(text, "\n")
		formats := append(Formats(), Unknown)
		format := formats[mod(pick, len(formats))]
		fixed := Repair(lines, format)
		if again := Repair(fixed, format); !slices.Equal(again, fixed) {
			t.Errorf("repairing %q twice gave %q", fixed, again)
		}
		before, after := Parse(lines, proof.Date{}), Parse(fixed, proof.Date{})
		if len(fixed) != len(before.Lines) {
			t.Errorf("%d lines became %d", len(before.Lines), len(fixed))
		}
		if format == Unknown && before.Format != Unknown && after.Format != before.Format {
			t.Errorf("%s became %s", before.Format, after.Format)
		}
		if utf8.ValidString(text) && !utf8.ValidString(strings.Join(fixed, "")) {
			t.Error("a character was torn apart")
		}
	})
}

func BenchmarkParse(b *testing.B) {
	lines := british()
	for b.Loop() {
		Parse(lines, visit())
	}
}

func BenchmarkClass(b *testing.B) {
	for b.Loop() {
		TD3.Class(1, 43).Allows('7')
	}
}

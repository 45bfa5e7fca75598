package mrz

import (
	"testing"

	"github.com/counterproof/counterproof/agent/proof"
)

// day makes a date.
func day(year, month, d int) proof.Date { return proof.Date{Year: year, Month: month, Day: d} }

func TestPast(t *testing.T) {
	t.Parallel()
	ref := day(2024, 6, 1)
	tests := []struct {
		rule, raw string
		ref, want proof.Date
		valid     bool
	}{
		{"this-century", "000101", ref, day(2000, 1, 1), true},
		{"last-century", "250101", ref, day(1925, 1, 1), true},
		{"same-year-before", "240531", ref, day(2024, 5, 31), true},
		{"same-day", "240601", ref, ref, true},
		{"same-year-after", "240602", ref, day(1924, 6, 2), true},
		{"same-year-month-unknown", "24<<<<", ref, day(2024, 0, 0), true},
		{"same-month-day-unknown", "2406<<", ref, day(2024, 6, 0), true},
		{"later-month-day-unknown", "2407<<", ref, day(1924, 7, 0), true},
		{"reference-in-last-century", "340712", day(1994, 1, 1), day(1934, 7, 12), true},
		{"leap-day", "000229", ref, day(2000, 2, 29), true},
		{"no-leap-day", "010229", ref, day(2001, 2, 29), false},
		{"30-february", "900230", ref, day(1990, 2, 30), false},
		{"month-13", "901301", ref, day(1990, 13, 1), false},
		{"month-00", "900001", ref, day(1990, -1, 1), false},
		{"day-00", "900100", ref, day(1990, 1, -1), false},
		{"zeros-after-the-year", "900000", ref, day(1990, -1, -1), false},
		{"day-of-no-month", "90<<01", ref, day(1990, 0, 1), false},
		{"half-unknown-day", "90010<", ref, day(1990, 1, -1), false},
		{"no-year", "<<0101", ref, day(-1, 1, 1), false},
		{"letters", "ABCDEF", ref, day(-1, -1, -1), false},
		{"unknown", "<<<<<<", ref, proof.Date{}, true},
		{"no-reference", "900101", proof.Date{}, proof.Date{}, true},
		{"no-reference-impossible", "901301", proof.Date{}, day(2090, 13, 1), false},
		{"reference-of-antiquity", "900101", day(50, 1, 1), day(-1, 1, 1), false},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			got, valid := past(tt.raw, tt.ref)
			if got != tt.want || valid != tt.valid {
				t.Errorf("got %v %v, want %v %v", got, valid, tt.want, tt.valid)
			}
			if !valid && (got.Valid() || got.Year == 0) {
				t.Errorf("%v is impossible but can be taken for a date, or for none", got)
			}
		})
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	ref := day(2024, 6, 1)
	tests := []struct {
		rule, raw string
		want      proof.Date
		valid     bool
	}{
		{"same-year", "241231", day(2024, 12, 31), true},
		{"ahead", "340101", day(2034, 1, 1), true},
		{"over-the-century", "991231", day(1999, 12, 31), true},
		{"49-ahead", "730101", day(2073, 1, 1), true},
		{"49-ago", "750101", day(1975, 1, 1), true},
		{"50-nearer-ahead", "740101", day(2074, 1, 1), true},
		{"50-nearer-ago", "741231", day(1974, 12, 31), true},
		{"50-on-the-day-is-past", "740601", day(1974, 6, 1), true},
		{"impossible", "300230", day(2030, 2, 30), false},
		{"none", "<<<<<<", proof.Date{}, true},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			if got, valid := nearest(tt.raw, ref); got != tt.want || valid != tt.valid {
				t.Errorf("got %v %v, want %v %v", got, valid, tt.want, tt.valid)
			}
		})
	}
}

// TestCenturies tries every year against every reference year of three
// centuries.
func TestCenturies(t *testing.T) {
	t.Parallel()
	for year := 1900; year < 2200; year++ {
		ref := day(year, 6, 15)
		for yy := range 100 {
			raw := stamp(day(2000+yy, 6, 15))
			born, _ := past(raw, ref)
			if born.Year > year || born.Year <= year-100 || mod(born.Year, 100) != yy {
				t.Fatalf("born %s in the light of %d: %d", raw, year, born.Year)
			}
			ends, _ := nearest(raw, ref)
			if ends.Year > year+expiryReach || ends.Year < year-expiryReach || mod(ends.Year, 100) != yy {
				t.Fatalf("expires %s in the light of %d: %d", raw, year, ends.Year)
			}
		}
	}
}

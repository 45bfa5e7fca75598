package gpg45

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/counterproof/counterproof/agent/proof"
	"pgregory.net/rapid"
)

// current is the default policy.
func current(t testing.TB) *Policy {
	t.Helper()
	p, err := Load("")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// pieces makes evidence from "3/2 2/2", none from "-".
func pieces(t testing.TB, text string) []proof.Evidence {
	t.Helper()
	var out []proof.Evidence
	for _, f := range strings.Fields(strings.TrimPrefix(text, "-")) {
		var e proof.Evidence
		if _, err := fmt.Sscanf(f, "%d/%d", &e.Strength, &e.Validity); err != nil {
			t.Fatalf("piece %q: %v", f, err)
		}
		out = append(out, e)
	}
	return out
}

// scores makes scores from their text: pieces, and "activity fraud verification".
func scores(t testing.TB, evidence, parts string) proof.Scores {
	t.Helper()
	s := proof.Scores{Evidence: pieces(t, evidence)}
	if _, err := fmt.Sscanf(parts, "%d %d %d", &s.Activity, &s.Fraud, &s.Verification); err != nil {
		t.Fatalf("parts %q: %v", parts, err)
	}
	return s
}

func TestMatchWorkedScores(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/scores.txt")
	if err != nil {
		t.Fatal(err)
	}
	p, cases := current(t), 0
	for line := range strings.Lines(string(text)) {
		fields := strings.Split(strings.TrimSpace(line), " | ")
		if len(fields) != 5 {
			continue
		}
		cases++
		t.Run(fields[0], func(t *testing.T) {
			r, err := p.Match(scores(t, fields[1], fields[2]))
			if err != nil {
				t.Fatal(err)
			}
			if string(r.Level) != fields[3] {
				t.Errorf("level %s, want %s", r.Level, fields[3])
			}
			want := strings.Fields(strings.TrimPrefix(fields[4], "-"))
			if !slices.Equal(r.Matching, want) {
				t.Errorf("met %v, want %v", r.Matching, want)
			}
			if len(want) > 0 && r.Best != want[0] || len(want) == 0 && r.Best != "" {
				t.Errorf("best %q, want the first of %v", r.Best, want)
			}
		})
	}
	if cases < 30 {
		t.Fatalf("%d worked scores", cases)
	}
}

// TestMatchAtTheCounter holds what a counter can reach, with and without a line.
func TestMatchAtTheCounter(t *testing.T) {
	t.Parallel()
	p := current(t)
	for _, c := range []struct{ name, evidence, parts, best string }{
		{"chip-passport/offline", "4/3", "0 0 3", "M1C"},
		{"chip-passport/fraud-after-sync", "4/3", "0 1 3", "H1A"},
		{"optical/offline", "3/2", "0 0 3", "L1B"},
		{"licence/fraud-and-activity", "3/2", "1 2 3", "M1B"},
		{"licence-uvir/offline", "3/3", "0 0 3", "M1C"},
		{"chip-passport-and-licence-uvir/offline", "4/3 3/3", "0 0 3", "H2E"},
		{"vouch", "2/2", "0 1 1", "L1A"},
		{"nino-and-bank", "3/2 2/2", "1 1 2", "M2B"},
		{"no-document", "-", "4 3 4", ""},
		{"assignment/strongest-first-is-wrong", "4/2 3/3", "0 1 3", "H2D"},
		{"nothing-checked", "4/0", "0 0 4", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := p.Match(scores(t, c.evidence, c.parts))
			if err != nil || r.Best != c.best {
				t.Errorf("best %q (%v), want %q", r.Best, err, c.best)
			}
		})
	}
}

func TestMatchRefusesScoresOutsideTheirRange(t *testing.T) {
	t.Parallel()
	p := current(t)
	for _, c := range []struct{ name, evidence, parts string }{
		{"strength/0", "0/2", "0 0 0"},
		{"strength/5", "5/2", "0 0 0"},
		{"validity/-1", "3/-1", "0 0 0"},
		{"validity/5", "3/5", "0 0 0"},
		{"activity/5", "3/2", "5 0 0"},
		{"fraud/4", "3/2", "0 4 0"},
		{"fraud/-1", "3/2", "0 -1 0"},
		{"verification/5", "3/2", "0 0 5"},
		{"pieces/too-many", strings.Repeat("3/2 ", maxPieces+1), "0 0 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := scores(t, c.evidence, c.parts)
			if r, err := p.Match(s); err == nil {
				t.Errorf("Match gave %+v", r)
			}
			if m, err := p.Gap(s, "L1A"); err == nil {
				t.Errorf("Gap gave %+v", m)
			}
			if m, err := p.NextGaps(s); err == nil {
				t.Errorf("NextGaps gave %+v", m)
			}
		})
	}
	if _, err := p.Match(scores(t, "4/4 1/0", "4 3 4")); err != nil {
		t.Errorf("the ends of the ranges are refused: %v", err)
	}
}

func TestCombine(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		readings []Reading
		want     string
	}{
		{"same-type/best-kept", []Reading{
			{Doc: "driving_licence", Strength: 3, Validity: 1, Activity: 1, Verification: 3},
			{Doc: "driving_licence", Strength: 3, Validity: 2, Activity: 1, Verification: 3},
			{Doc: "driving_licence", Strength: 1, Validity: 1, Verification: 3}}, "[3/2] 1 0 3"},
		{"same-type/strength-before-validity", []Reading{
			{Doc: "passport", Strength: 3, Validity: 4}, {Doc: "passport", Strength: 4, Validity: 1}}, "[4/1] 0 0 0"},
		{"other-parts/maximum", []Reading{
			{Doc: "passport", Strength: 4, Validity: 2}, {Fraud: 1}, {Verification: 2}, {Verification: 1}}, "[4/2] 0 1 2"},
		{"no-document/no-evidence", []Reading{{Strength: 4, Validity: 4}}, "[] 0 0 0"},
		{"no-strength/no-evidence", []Reading{{Doc: "address", Activity: 1}}, "[] 1 0 0"},
		{"types/in-order", []Reading{
			{Doc: "bank", Strength: 3, Validity: 2}, {Doc: "passport", Strength: 4, Validity: 3}}, "[3/2 4/3] 0 0 0"},
		{"nothing", nil, "[] 0 0 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := Combine(c.readings)
			var got []string
			for _, e := range s.Evidence {
				got = append(got, fmt.Sprintf("%d/%d", e.Strength, e.Validity))
			}
			if have := fmt.Sprintf("%v %d %d %d", got, s.Activity, s.Fraud, s.Verification); have != c.want || err != nil {
				t.Errorf("got %s (%v), want %s", have, err, c.want)
			}
		})
	}
	for _, r := range []Reading{{Doc: "x", Strength: 5}, {Doc: "x", Strength: 1, Validity: -1}, {Activity: 5}, {Fraud: 4}, {Verification: -1}} {
		if s, err := Combine([]Reading{r}); err == nil {
			t.Errorf("%+v gave %+v", r, s)
		}
	}
}

// drawScores draws any scores in range.
func drawScores(t *rapid.T) proof.Scores {
	piece := rapid.Custom(func(t *rapid.T) proof.Evidence {
		return proof.Evidence{Strength: rapid.IntRange(1, 4).Draw(t, "strength"), Validity: rapid.IntRange(0, 4).Draw(t, "validity")}
	})
	return proof.Scores{
		Evidence:     rapid.SliceOfN(piece, 0, 5).Draw(t, "evidence"),
		Activity:     rapid.IntRange(0, 4).Draw(t, "activity"),
		Fraud:        rapid.IntRange(0, 3).Draw(t, "fraud"),
		Verification: rapid.IntRange(0, 4).Draw(t, "verification"),
	}
}

// assignments calls yield with every way to give different pieces, or none
// (-1), to the slots.
func assignments(pieces, slots int, yield func([]int)) {
	chosen := make([]int, 0, slots)
	var next func()
	next = func() {
		if len(chosen) == slots {
			yield(chosen)
			return
		}
		for i := -1; i < pieces; i++ {
			if i >= 0 && slices.Contains(chosen, i) {
				continue
			}
			chosen = append(chosen, i)
			next()
			chosen = chosen[:len(chosen)-1]
		}
	}
	next()
}

// fewestEmpty is the smallest number of empty slots, and of those with so many
// the least that they ask for, by trying everything.
func fewestEmpty(evidence []proof.Evidence, slots []Slot) (empty, asks int) {
	empty = len(slots) + 1
	assignments(len(evidence), len(slots), func(chosen []int) {
		n, sum := 0, 0
		for i, piece := range chosen {
			if piece < 0 {
				n++
				sum += slots[i].Strength + slots[i].Validity
				continue
			}
			e := evidence[piece]
			if e.Strength < slots[i].Strength || e.Validity < slots[i].Validity {
				return
			}
		}
		if n < empty || n == empty && sum < asks {
			empty, asks = n, sum
		}
	})
	return empty, asks
}

func TestMatchAgreesWithBruteForce(t *testing.T) {
	t.Parallel()
	p := current(t)
	rapid.Check(t, func(t *rapid.T) {
		s := drawScores(t)
		r, err := p.Match(s)
		if err != nil {
			t.Fatal(err)
		}
		for _, profile := range p.Profiles() {
			empty, _ := fewestEmpty(s.Evidence, profile.Evidence)
			want := empty == 0 && s.Activity >= profile.Activity && s.Fraud >= profile.Fraud && s.Verification >= profile.Verification
			if got := slices.Contains(r.Matching, profile.Name); got != want {
				t.Fatalf("%s met: %v, want %v, for %+v", profile.Name, got, want, s)
			}
		}
	})
}

func TestGapAgreesWithBruteForce(t *testing.T) {
	t.Parallel()
	p := current(t)
	rapid.Check(t, func(t *rapid.T) {
		s := drawScores(t)
		profile := rapid.SampledFrom(p.Profiles()).Draw(t, "profile")
		m, err := p.Gap(s, profile.Name)
		if err != nil {
			t.Fatal(err)
		}
		empty, asks := fewestEmpty(s.Evidence, profile.Evidence)
		if len(m.Evidence) != empty || asked(m.Evidence) != asks {
			t.Fatalf("empty slots %v, want %d that ask for %d, for %+v", m.Evidence, empty, asks, s)
		}
		r, err := p.Match(s)
		if err != nil || m.Nothing() != slices.Contains(r.Matching, profile.Name) {
			t.Fatalf("missing %+v, but met: %v (%v)", m, r.Matching, err)
		}
		// What is missing is enough: with it the profile is met.
		for _, e := range m.Evidence {
			s.Evidence = append(s.Evidence, proof.Evidence{Strength: e.Strength, Validity: e.Validity})
		}
		s.Activity, s.Fraud, s.Verification = max(s.Activity, m.Activity), max(s.Fraud, m.Fraud), max(s.Verification, m.Verification)
		after, err := p.Gap(s, profile.Name)
		if err != nil || !after.Nothing() {
			t.Fatalf("%+v is still missing (%v)", after, err)
		}
	})
}

func TestMoreNeverHurts(t *testing.T) {
	t.Parallel()
	p := current(t)
	rapid.Check(t, func(t *rapid.T) {
		s := drawScores(t)
		before, err := p.Match(s)
		if err != nil {
			t.Fatal(err)
		}
		more := s
		more.Evidence = append(slices.Clone(s.Evidence), proof.Evidence{Strength: rapid.IntRange(1, 4).Draw(t, "more strength"), Validity: rapid.IntRange(0, 4).Draw(t, "more validity")})
		more.Fraud = min(s.Fraud+rapid.IntRange(0, 1).Draw(t, "more fraud"), maxFraud)
		after, err := p.Match(more)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range before.Matching {
			if !slices.Contains(after.Matching, name) {
				t.Fatalf("%s was met by %+v and is not by %+v", name, s, more)
			}
		}
	})
}

func TestGap(t *testing.T) {
	t.Parallel()
	p := current(t)
	for _, c := range []struct{ name, evidence, parts, profile, want string }{
		{"met", "3/3", "3 3 3", "M1B", "[] 0 0 0"},
		{"piece/no-one-fits", "1/1 2/2", "3 3 3", "M1B", "[{3 2}] 0 0 0"},
		{"parts/their-minimum", "3/2", "0 0 2", "M1B", "[] 1 2 0"},
		{"pieces/easiest-left-over", "3/3", "3 2 3", "H2C", "[{2 2}] 0 0 0"},
		{"pieces/weak-one-placed", "2/2", "0 1 3", "H2D", "[{3 3}] 0 0 0"},
		{"pieces/crosswise", "4/2 3/3", "0 0 0", "H2C", "[] 1 1 3"},
		{"pieces/none", "-", "4 3 4", "V3A", "[{3 3} {2 2} {2 2}] 0 0 0"},
		{"pieces/one-for-one", "4/4", "4 3 4", "V2D", "[{4 4}] 0 0 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := p.Gap(scores(t, c.evidence, c.parts), c.profile)
			if got := fmt.Sprint(m.Evidence, m.Activity, m.Fraud, m.Verification); got != c.want || err != nil {
				t.Errorf("missing %s (%v), want %s", got, err, c.want)
			}
		})
	}
	if m, err := p.Gap(proof.Scores{}, "X9Z"); err == nil {
		t.Errorf("a profile that is not there gave %+v", m)
	}
}

func TestNextGaps(t *testing.T) {
	t.Parallel()
	p := current(t)
	for _, c := range []struct {
		name, evidence, parts string
		level                 proof.Level
		nearest               string
	}{
		{"nothing/to-low", "-", "0 0 0", proof.Low, "L1B"},
		{"L1B/to-medium", "3/2", "0 0 3", proof.Medium, "M1C"},
		{"M1C/to-high", "4/3", "0 0 3", proof.High, "H1A"},
		{"very-high/nowhere", "4/4", "0 1 3", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			gaps, err := p.NextGaps(scores(t, c.evidence, c.parts))
			if err != nil {
				t.Fatal(err)
			}
			if c.nearest == "" {
				if len(gaps) > 0 {
					t.Errorf("got %+v", gaps)
				}
				return
			}
			if gaps[0].Profile != c.nearest {
				t.Errorf("nearest %+v, want %s", gaps[0], c.nearest)
			}
			for _, g := range gaps {
				if g.Level != c.level || g.Nothing() {
					t.Errorf("%+v among the gaps to %s", g, c.level)
				}
			}
		})
	}
}

func BenchmarkAssess(b *testing.B) {
	p := current(b)
	f := passportFacts()
	for b.Loop() {
		if _, err := p.Assess(f); err != nil {
			b.Fatal(err)
		}
	}
}

// TestBruteForceCanFail keeps the yardstick honest.
func TestBruteForceCanFail(t *testing.T) {
	t.Parallel()
	if n, _ := fewestEmpty([]proof.Evidence{{Strength: 4, Validity: 2}}, []Slot{{3, 3}}); n != 1 {
		t.Fatal("the brute force accepts anything")
	}
	if n, asks := fewestEmpty([]proof.Evidence{{Strength: 3, Validity: 3}}, []Slot{{3, 3}, {2, 2}}); n != 1 || asks != 4 {
		t.Fatal("the brute force accepts anything")
	}
}

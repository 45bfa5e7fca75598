package gpg45

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/counterproof/counterproof/agent/proof"
)

// Missing is what scores lack for one profile: the profile's minimum in every
// part that is not met, 0 in the parts that are, and the slots that no piece
// fills.
type Missing struct {
	Profile      string
	Level        proof.Level
	Evidence     []Slot // in the profile's order
	Activity     int
	Fraud        int
	Verification int
}

// Nothing reports whether the profile is met.
func (m Missing) Nothing() bool {
	return len(m.Evidence) == 0 && m.Activity == 0 && m.Fraud == 0 && m.Verification == 0
}

// Gap says what the scores lack for a profile. The pieces are assigned so that
// as few slots as possible stay empty, and of those the easiest.
func (p *Policy) Gap(s proof.Scores, profile string) (Missing, error) {
	if err := inRange(s); err != nil {
		return Missing{}, err
	}
	i := slices.IndexFunc(p.profiles, func(q Profile) bool { return q.Name == profile })
	if i < 0 {
		return Missing{}, fmt.Errorf("policy %s has no profile %.40q", p.version, profile)
	}
	return p.profiles[i].gap(s), nil
}

// NextGaps says what the scores lack for each profile of the next level above
// the one they meet, the nearest first: fewest parts missing, then the smallest
// distance. There are none above the highest level.
func (p *Policy) NextGaps(s proof.Scores) ([]Missing, error) {
	r, err := p.Match(s)
	if err != nil {
		return nil, err
	}
	var next []Missing
	for _, profile := range slices.Backward(p.profiles) { // lowest level first
		if profile.Level.Above(r.Level) && (len(next) == 0 || next[0].Level == profile.Level) {
			next = append(next, profile.gap(s))
		}
	}
	slices.SortFunc(next, func(a, b Missing) int {
		return cmp.Or(a.parts()-b.parts(), a.distance(s)-b.distance(s), strings.Compare(a.Profile, b.Profile))
	})
	return next, nil
}

// gap says what the scores lack for the profile.
func (p Profile) gap(s proof.Scores) Missing {
	return Missing{
		Profile: p.Name, Level: p.Level,
		Evidence:     unfilled(s.Evidence, p.Evidence),
		Activity:     short(s.Activity, p.Activity),
		Fraud:        short(s.Fraud, p.Fraud),
		Verification: short(s.Verification, p.Verification),
	}
}

// short is the minimum where it is not met, else 0.
func short(have, want int) int {
	if have >= want {
		return 0
	}
	return want
}

// unfilled is the slots that stay empty in the best assignment: as few as
// possible, and of those the ones that ask for least. A policy allows so few
// slots that trying every choice of empty ones is cheap.
func unfilled(pieces []proof.Evidence, slots []Slot) []Slot {
	best := slices.Clone(slots)
	for choice := range 1 << len(slots) {
		var filled, empty []Slot
		for i, s := range slots {
			if choice>>i&1 == 0 {
				filled = append(filled, s)
				continue
			}
			empty = append(empty, s)
		}
		if cheaper(empty, best) && fills(pieces, filled) {
			best = empty
		}
	}
	return best
}

// cheaper orders lists of empty slots by number and then by what they ask for.
func cheaper(a, b []Slot) bool {
	return cmp.Or(len(a)-len(b), asked(a)-asked(b)) < 0
}

// asked is the sum of what slots ask for. It ranks choices and is no score.
func asked(slots []Slot) int {
	sum := 0
	for _, s := range slots {
		sum += s.Strength + s.Validity
	}
	return sum
}

// parts counts the missing parts and pieces.
func (m Missing) parts() int {
	n := len(m.Evidence)
	for _, part := range []int{m.Activity, m.Fraud, m.Verification} {
		if part > 0 {
			n++
		}
	}
	return n
}

// distance is how far the scores are from what is missing. It ranks gaps and
// is no score.
func (m Missing) distance(s proof.Scores) int {
	d := asked(m.Evidence)
	d += max(m.Activity-s.Activity, 0)
	d += max(m.Fraud-s.Fraud, 0)
	d += max(m.Verification-s.Verification, 0)
	return d
}

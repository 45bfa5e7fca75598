// Package gpg45 scores an identity check by Good Practice Guide 45: which
// profiles and which level the checks of a visit come to, why, and what is
// missing for another. What to do about it package plan says.
//
// Every number comes from a versioned policy file; the package knows the shape
// of the rules only. It reads no clock, no file and no device, and it never
// decides on an NHS level (package nhs does).
//
// # The laws
//
//   - Scores are never added or averaged. A profile is met when every part
//     reaches its minimum and different pieces of evidence fill its slots.
//   - What was not checked scores 0. A date that is missing, unreadable or in
//     the future counts against the score, never for it.
//   - A machine's comparison of faces scores nothing. It can only withhold a
//     level.
//   - A vouch is no comparison with a photo, and one that anything speaks against
//     counts for nothing.
//   - A withheld level keeps its computed profile, for the people who look next.
//   - Every score names its check, who made it, the event and the policy version.
//   - A score outside its range is an error, never clamped.
package gpg45

import (
	"fmt"
	"slices"

	"github.com/counterproof/counterproof/agent/proof"
)

// Ranges of the five parts (GPG 45; policy file).
const (
	maxStrength     = 4
	maxValidity     = 4
	maxActivity     = 4
	maxFraud        = 3
	maxVerification = 4
)

// maxPieces bounds the evidence of one identity.
const maxPieces = 64

// Slot is one minimum of a profile, or one piece that is missing: strength 1–4
// and validity 1–4.
type Slot struct{ Strength, Validity int }

// Profile is one way to reach a level: minimums for every part.
type Profile struct {
	Name         string
	Level        proof.Level
	Evidence     []Slot
	Activity     int
	Fraud        int
	Verification int
}

// Result is what scores come to.
type Result struct {
	Level    proof.Level
	Best     string   // "" where no profile is met
	Matching []string // every profile met, best first
	Policy   string
}

// Match finds every profile that the scores meet. Best is the highest level,
// then the fewest pieces, then the first letter.
func (p *Policy) Match(s proof.Scores) (Result, error) {
	if err := inRange(s); err != nil {
		return Result{}, err
	}
	r := Result{Level: proof.NoLevel, Matching: []string{}, Policy: p.version}
	for _, profile := range p.profiles {
		if profile.met(s) {
			r.Matching = append(r.Matching, profile.Name)
		}
	}
	if len(r.Matching) > 0 {
		r.Best = r.Matching[0]
		r.Level = p.level(r.Best)
	}
	return r, nil
}

// Reading is one check's contribution to an identity before pieces of the same
// document type are brought together. A reading without Doc or without Strength
// adds no evidence, whatever its other scores.
type Reading struct {
	Doc                           string // document type; "" for a check of no document
	Strength, Validity            int
	Activity, Fraud, Verification int
}

// Combine brings readings together: one piece for each document type, the best
// by strength and then validity, in the order in which the types came; of the
// other parts the maximum over all readings.
func Combine(readings []Reading) (proof.Scores, error) {
	s := proof.Scores{Evidence: []proof.Evidence{}}
	for i, r := range readings {
		if r.Strength < 0 || r.Strength > maxStrength || r.Validity < 0 || r.Validity > maxValidity {
			return proof.Scores{}, fmt.Errorf("piece %d: strength is 1 to %d and validity 0 to %d", i+1, maxStrength, maxValidity)
		}
		parts := proof.Scores{Activity: r.Activity, Fraud: r.Fraud, Verification: r.Verification}
		if err := inRange(parts); err != nil {
			return proof.Scores{}, fmt.Errorf("piece %d: %w", i+1, err)
		}
		s.Activity = max(s.Activity, r.Activity)
		s.Fraud = max(s.Fraud, r.Fraud)
		s.Verification = max(s.Verification, r.Verification)
		if r.Doc != "" && r.Strength > 0 {
			s.Evidence = keepBest(s.Evidence, proof.Evidence{Type: proof.EvidenceType(r.Doc), Strength: r.Strength, Validity: r.Validity})
		}
	}
	return s, nil
}

// keepBest adds a piece, or replaces a worse one of its type.
func keepBest(kept []proof.Evidence, e proof.Evidence) []proof.Evidence {
	i := slices.IndexFunc(kept, func(k proof.Evidence) bool { return k.Type == e.Type })
	if i < 0 {
		return append(kept, e)
	}
	if better(e, kept[i]) {
		kept[i] = e
	}
	return kept
}

// better orders pieces by strength and then validity.
func better(a, b proof.Evidence) bool {
	return a.Strength > b.Strength || a.Strength == b.Strength && a.Validity > b.Validity
}

// inRange refuses scores that GPG 45 does not have.
func inRange(s proof.Scores) error {
	if len(s.Evidence) > maxPieces {
		return fmt.Errorf("more than %d pieces of evidence", maxPieces)
	}
	for i, e := range s.Evidence {
		if e.Strength < 1 || e.Strength > maxStrength {
			return fmt.Errorf("strength of piece %d is %d, not 1 to %d", i+1, e.Strength, maxStrength)
		}
		if e.Validity < 0 || e.Validity > maxValidity {
			return fmt.Errorf("validity of piece %d is %d, not 0 to %d", i+1, e.Validity, maxValidity)
		}
	}
	for _, part := range []struct {
		name     string
		got, top int
	}{
		{"activity", s.Activity, maxActivity},
		{"fraud", s.Fraud, maxFraud},
		{"verification", s.Verification, maxVerification},
	} {
		if part.got < 0 || part.got > part.top {
			return fmt.Errorf("%s is %d, not 0 to %d", part.name, part.got, part.top)
		}
	}
	return nil
}

// met reports whether the scores reach the profile.
func (p Profile) met(s proof.Scores) bool {
	return s.Activity >= p.Activity && s.Fraud >= p.Fraud && s.Verification >= p.Verification &&
		fills(s.Evidence, p.Evidence)
}

// fills reports whether different pieces fill all slots, whichever piece goes
// where. Taking the strongest piece first would be wrong: 4/2 and 3/3 fill 3/3
// and 2/2.
func fills(pieces []proof.Evidence, slots []Slot) bool {
	taken := make([]int, len(pieces)) // slot that a piece fills, from 1
	for i := range slots {
		if !place(i, pieces, slots, taken, make([]bool, len(pieces))) {
			return false
		}
	}
	return true
}

// place finds a piece for one slot, moving pieces of other slots where that
// helps (an augmenting path of a bipartite matching).
func place(slot int, pieces []proof.Evidence, slots []Slot, taken []int, tried []bool) bool {
	for i, e := range pieces {
		if tried[i] || !fits(e, slots[slot]) {
			continue
		}
		tried[i] = true
		if taken[i] == 0 || place(taken[i]-1, pieces, slots, taken, tried) {
			taken[i] = slot + 1
			return true
		}
	}
	return false
}

// fits reports whether a piece reaches a slot.
func fits(e proof.Evidence, s Slot) bool { return e.Strength >= s.Strength && e.Validity >= s.Validity }

package gpg45

import (
	"cmp"
	"math/bits"
	"slices"
	"strings"

	"github.com/counterproof/counterproof/agent/proof"
)

// maxRaises and maxSteps bound what is suggested: nobody reads more.
const (
	maxRaises = 6
	maxSteps  = 3
)

// step is something that could still be done. It changes the facts to those
// after it went well, or reports that it does not apply.
type step struct {
	code    proof.Code
	trouble int  // how hard it is at a counter; it ranks suggestions
	central bool // happens by itself once, when the record is opened
	take    func(p *Policy, f *Facts) bool
}

// steps lists what could still be done, in the order in which it is done.
var steps = []step{
	{stepShowDocument, 3, false, (*Policy).takeFirst},
	{stepSecondDocument, 4, false, (*Policy).takeSecond},
	{stepExamine, 1, false, (*Policy).takeExamination},
	{stepReadChip, 2, false, (*Policy).takeChip},
	{stepUVIR, 8, false, (*Policy).takeUVIR},
	{stepCompare, 1, false, (*Policy).takeComparison},
	{stepTraining, 7, false, (*Policy).takeTraining},
	{stepFraud, 5, true, takeFraud},
	{stepActivity, 6, true, takeActivity},
}

// suggestion is a set of steps and what they lead to.
type suggestion struct {
	set     int // bits of steps
	level   proof.Level
	profile string
}

// raise finds which steps would raise the level, by assessing the facts as they
// would be: the smallest sets, the easiest first.
func (p *Policy) raise(f Facts, a Assessment) ([]proof.Reason, error) {
	var found []suggestion
	for _, set := range setsOfSteps() {
		after, ok := p.after(f, set)
		if !ok {
			continue
		}
		b, err := p.assess(after)
		if err != nil {
			return nil, err
		}
		wide := implied(set)
		if b.Level.Above(a.Level) && !slices.ContainsFunc(found, func(s suggestion) bool {
			return s.set&wide == s.set && !b.Level.Above(s.level)
		}) {
			found = append(found, suggestion{set, b.Level, b.Profile})
		}
	}
	reasons := make([]proof.Reason, 0, maxRaises)
	for _, s := range found[:min(len(found), maxRaises)] {
		reasons = append(reasons, s.reason())
	}
	return reasons, nil
}

// setsOfSteps lists the sets of at most maxSteps steps: small ones first, then
// those of less trouble.
func setsOfSteps() []int {
	var sets []int
	for set := 1; set < 1<<len(steps); set++ {
		if bits.OnesCount(uint(set)) <= maxSteps {
			sets = append(sets, set)
		}
	}
	slices.SortStableFunc(sets, func(a, b int) int {
		return cmp.Or(bits.OnesCount(uint(a))-bits.OnesCount(uint(b)), trouble(a)-trouble(b))
	})
	return sets
}

// trouble is the sum of the trouble of a set of steps.
func trouble(set int) int {
	sum := 0
	for i, step := range steps {
		sum += (set >> i & 1) * step.trouble
	}
	return sum
}

// after is the facts after a set of steps; false where one does not apply.
func (p *Policy) after(f Facts, set int) (Facts, bool) {
	asked := f.Sources != nil
	f.Documents = slices.Clone(f.Documents)
	for i, step := range steps {
		if set>>i&1 == 0 {
			continue
		}
		if step.central && asked || !step.take(p, &f) {
			return f, false
		}
	}
	return f, true
}

// implied is a set of steps with the easier ones that its harder ones include:
// an operator trained lately is a trained one, and whoever examines a document
// under ultraviolet sees it in ordinary light too.
func implied(set int) int {
	for hard, easy := range map[proof.Code]proof.Code{stepTraining: stepCompare, stepUVIR: stepExamine} {
		if set&bit(hard) != 0 {
			set |= bit(easy)
		}
	}
	return set
}

// bit is the set of one step alone.
func bit(code proof.Code) int {
	return 1 << slices.IndexFunc(steps, func(s step) bool { return s.code == code })
}

// reason is the suggestion as data.
func (s suggestion) reason() proof.Reason {
	var codes []string
	for i, step := range steps {
		if s.set>>i&1 == 1 {
			codes = append(codes, string(step.code))
		}
	}
	return reason(proof.Code(codes[0]), 0, "level", string(s.level), "profile", s.profile, "steps", strings.Join(codes, ","))
}

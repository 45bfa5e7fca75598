package plan

import (
	"slices"
	"strings"

	"github.com/counterproof/counterproof/agent/gpg45"
	"github.com/counterproof/counterproof/agent/proof"
)

// maxRaises and maxRaiseSteps bound what is suggested.
const (
	maxRaises     = 6
	maxRaiseSteps = 3
)

// raise is a set of steps in broad words and what they lead to.
type raise struct {
	codes []proof.Code // in the order of raiseOrder
	cost
	way Way
}

// raiseOrder lists the steps in broad words, in the order in which they are said.
var raiseOrder = []proof.Code{
	raiseShow, raiseSecond, raiseExamine, raiseChip, raiseUVIR, raiseCompare, raiseTraining, raiseRecord, raiseFraud, raiseActivity,
}

// broad is a step in the broad words of what raises a level.
var broad = map[proof.Code]proof.Code{
	stepShow: raiseShow, stepKey: raiseShow, stepDetails: raiseExamine, stepExamine: raiseExamine, stepChip: raiseChip,
	stepUVIRColleague: raiseUVIR, stepCompare: raiseCompare, stepCompareColleague: raiseTraining,
	stepRecord: raiseRecord, stepFraud: raiseFraud, stepActivity: raiseActivity,
}

// Raise says what would raise the level of an assessment at a counter that has
// everything, easiest first: never nil, and empty for a withheld level, which
// nothing raises at a counter.
func Raise(policy *gpg45.Policy, f gpg45.Facts, a gpg45.Assessment) []proof.Reason {
	reasons := []proof.Reason{}
	set, err := parse(embedded)
	if err != nil || len(a.Hold) > 0 {
		return reasons
	}
	p, fresh, err := ideal(policy, set, f)
	if err != nil {
		return reasons
	}
	var all []raise
	for _, level := range []proof.Level{proof.Low, proof.Medium, proof.High, proof.VeryHigh} {
		if !level.Above(a.Level) {
			continue
		}
		for _, w := range p.ways(p.pieces, target{level: level}, maxKept) {
			all = append(all, p.inBroadWords(w, fresh))
		}
	}
	for _, r := range easiest(all) {
		reasons = append(reasons, r.reason())
	}
	return reasons
}

// ideal is a planner for a counter that has everything, with one more document
// on the table, whose kind it returns too. The operator's training is not of the
// latest, a colleague's is.
func ideal(policy *gpg45.Policy, set settings, f gpg45.Facts) (*planner, proof.EvidenceType, error) {
	today := f.Today
	trained := ago(today, policy.Months().Compared-1)
	if !trained.Valid() {
		trained.Day = 1
	}
	q := Question{Facts: f, Failed: []Step{{Code: stepConfirm}}, Desk: Desk{
		Camera: true, ChipReader: true, UVIR: true, Line: true, Training: proof.Training{Impostor: trained, Document: today},
		Colleagues: []proof.Training{{Impostor: today, Document: today, UVIR: today}},
	}}
	p, err := newPlanner(policy, set, q)
	if err != nil {
		return nil, "", err
	}
	kind := p.another()
	if pc, ok := p.fresh(kind, false); ok {
		p.pieces = append(p.pieces, pc)
	}
	return p, kind, nil
}

// another is the strongest kind of photo document that was not shown yet; beside
// a valid document no second chip is hoped for.
func (p *planner) another() proof.EvidenceType {
	valid := p.valid()
	var best gpg45.TypeInfo
	for _, t := range p.policy.Types() {
		kind := p.policy.Type(t)
		if kind.Photo && kind.Features != "" && !kind.NeedsChip && !kind.Refused && !p.used(kind.Family) &&
			!(valid && kind.Chip != "") && kind.Strength > best.Strength {
			best = kind
		}
	}
	return best.Type
}

// valid reports whether any evidence was found valid at all.
func (p *planner) valid() bool {
	return slices.ContainsFunc(p.pieces, func(pc piece) bool { return !pc.fresh && pc.now.validity > 0 })
}

// inBroadWords says a way in broad words. A further document is shown and looked
// at in one.
func (p *planner) inBroadWords(w Way, fresh proof.EvidenceType) raise {
	r := raise{cost: costOf(w.Steps), way: w}
	for _, s := range w.Steps {
		code := broad[s.Code]
		if code == raiseExamine && s.Type == fresh {
			code = raiseShow
		}
		if code == raiseShow && p.valid() {
			code = raiseSecond
		}
		if !slices.Contains(r.codes, code) {
			r.codes = append(r.codes, code)
		}
	}
	slices.SortFunc(r.codes, func(a, b proof.Code) int { return slices.Index(raiseOrder, a) - slices.Index(raiseOrder, b) })
	r.steps = len(r.codes)
	return r
}

// easiest are the easiest of all, none of which includes another that leads as
// high.
func easiest(all []raise) []raise {
	slices.SortStableFunc(all, func(a, b raise) int { return a.compare(b.cost) })
	var out []raise
	for _, r := range all {
		needless := r.steps > maxRaiseSteps || slices.ContainsFunc(out, func(o raise) bool {
			return !r.way.Level.Above(o.way.Level) && r.includes(o)
		})
		if !needless && len(out) < maxRaises {
			out = append(out, r)
		}
	}
	return out
}

// includes reports whether r takes at least the steps of another: an operator
// trained lately is a trained one, and whoever examines a document under
// ultraviolet sees it in ordinary light too.
func (r raise) includes(o raise) bool {
	for _, code := range o.codes {
		hard := map[proof.Code]proof.Code{raiseCompare: raiseTraining, raiseExamine: raiseUVIR}[code]
		if !slices.Contains(r.codes, code) && !slices.Contains(r.codes, hard) {
			return false
		}
	}
	return true
}

// reason is the suggestion as data.
func (r raise) reason() proof.Reason {
	var codes []string
	for _, c := range r.codes {
		codes = append(codes, string(c))
	}
	return proof.Reason{Code: r.codes[0], Params: map[string]string{
		"level": string(r.way.Level), "profile": r.way.Profile, "steps": strings.Join(codes, ","),
	}}
}

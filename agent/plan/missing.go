package plan

import (
	"slices"

	"github.com/counterproof/counterproof/agent/gpg45"
	"github.com/counterproof/counterproof/agent/proof"
)

// maxTogether bounds what is missing together: whoever lacks three things is
// better served elsewhere.
const maxTogether = 2

// ability is something that a desk may lack.
type ability struct {
	code proof.Code
	give func(*Desk)
}

// lack is a set of what would make a target possible, and the way it opens.
type lack struct {
	reasons []proof.Reason
	cost
}

// lacks are the abilities that this desk does not have, or has of the operator
// alone.
func (p *planner) lacks() []ability {
	today := p.q.Facts.Today
	call := func(d *Desk, t proof.Training) { d.Colleagues = append(slices.Clone(d.Colleagues), t) }
	called := func(code proof.Code) int { return p.crew[code][1].grade } // the operator may have failed
	var out []ability
	add := func(lacking bool, code proof.Code, give func(*Desk)) {
		if lacking {
			out = append(out, ability{code, give})
		}
	}
	add(!p.q.Desk.ChipReader, lacksChipReader, func(d *Desk) { d.ChipReader = true })
	add(called(stepExamine) < 1 || called(stepCompare) < 2, lacksColleague, func(d *Desk) { call(d, proof.Training{Impostor: today, Document: today}) })
	add(!p.q.Desk.Line, lacksLine, func(d *Desk) { d.Line = true })
	add(!p.q.Desk.UVIR || called(stepUVIR) < 1, lacksUVIR, func(d *Desk) { d.UVIR = true; call(d, proof.Training{UVIR: today}) })
	return out
}

// missing are the smallest sets of evidence and abilities that would make a
// target possible, the easiest first.
func (p *planner) missing(t target) [][]proof.Reason {
	var found []lack
	for size := 1; size <= maxTogether && len(found) == 0; size++ {
		for _, able := range subsets(p.lacks(), size) {
			found = append(found, p.withAbilities(t, able, size-len(able))...)
		}
	}
	slices.SortStableFunc(found, func(a, b lack) int { return a.compare(b.cost) })
	var out [][]proof.Reason
	for _, l := range found[:min(len(found), maxMissing)] {
		out = append(out, l.reasons)
	}
	return out
}

// withAbilities are the ways that open with more abilities and so many more
// kinds of evidence.
func (p *planner) withAbilities(t target, able []ability, evidence int) []lack {
	q := p.q
	var reasons []proof.Reason
	for _, a := range able {
		a.give(&q.Desk)
		reasons = append(reasons, proof.Reason{Code: a.code})
	}
	more, err := p.asked(q)
	if err != nil {
		return nil
	}
	var brought []piece
	for _, kind := range p.set.Bring {
		if pc, ok := more.fresh(kind, true); ok && !slices.Contains(q.Here, kind) && !slices.Contains(q.Home, kind) {
			brought = append(brought, pc)
		}
	}
	if more.hopeless(slices.Concat(more.pieces, brought), t) {
		return nil
	}
	var out []lack
	for _, set := range subsets(brought, evidence) {
		pieces := slices.Concat(more.pieces, set)
		if len(set) < evidence || more.hopeless(pieces, t) {
			continue
		}
		ways := more.ways(pieces, t, 1)
		if len(ways) == 0 {
			continue
		}
		l := lack{slices.Clone(reasons), costOf(ways[0].Steps)}
		for _, pc := range set {
			l.reasons = append(l.reasons, lacking(pc.name))
		}
		out = append(out, l)
	}
	return out
}

// hopeless reports whether not even everything done with every piece can reach a
// target. It judges each part by itself, so that what it lets through may still
// fail.
func (p *planner) hopeless(pieces []piece, t target) bool {
	all := worth{activity: p.outside()}
	fraud := p.now.Scores.Fraud
	if p.asks() {
		all.activity, fraud = max(all.activity, p.set.HopedActivity), max(fraud, p.set.HopedFraud)
	}
	var each []worth
	for _, pc := range pieces {
		most := pc.now
		for _, o := range pc.options {
			most = most.and(o.worth)
		}
		all, each = all.and(most), append(each, most)
	}
	fills := func(e gpg45.Slot) bool {
		return slices.ContainsFunc(each, func(w worth) bool { return w.strength >= e.Strength && w.validity >= e.Validity })
	}
	least := slices.Index(levels, t.level)
	return !slices.ContainsFunc(p.ladder, func(r rung) bool {
		return r.rank >= least && fraud >= r.Fraud && all.activity >= r.Activity && all.verification >= r.Verification &&
			(!t.p9 || all.compared >= p.policy.NHS().P9Verification) &&
			!slices.ContainsFunc(r.Evidence, func(e gpg45.Slot) bool { return !fills(e) })
	})
}

// lacking says that evidence is missing.
func lacking(t proof.EvidenceType) proof.Reason {
	if t == proof.Vouch {
		return proof.Reason{Code: lacksVoucher}
	}
	return proof.Reason{Code: lacksEvidence, Params: map[string]string{"type": string(t)}}
}

// subsets lists the subsets of a list with at most so many members, small ones
// first and in its order.
func subsets[E any](list []E, most int) [][]E {
	out := [][]E{nil}
	from := []int{0} // where the members that may follow begin
	for i := 0; i < len(out); i++ {
		for n := from[i]; n < len(list) && len(out[i]) < most; n++ {
			out, from = append(out, append(slices.Clone(out[i]), list[n])), append(from, n+1)
		}
	}
	return out
}

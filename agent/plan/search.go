package plan

import (
	"cmp"
	"slices"

	"github.com/counterproof/counterproof/agent/gpg45"
	"github.com/counterproof/counterproof/agent/proof"
)

// maxKept bounds the ways that are weighed against each other.
const maxKept = 64

// candidate is a choice for every piece that is said to reach a target.
type candidate struct {
	cost
	picks   []int // option of each piece, -1 for nothing more
	central []Step
}

// compare orders candidates: by cost, then those that need the centre less, then
// by what is picked, so that the order of the table changes nothing.
func (c candidate) compare(d candidate) int {
	return cmp.Or(c.cost.compare(d.cost), slices.CompareFunc(c.central, d.central, func(a, b Step) int {
		return cmp.Compare(a.Code, b.Code)
	}), slices.CompareFunc(c.picks, d.picks, func(a, b int) int {
		return cmp.Compare(uint(a), uint(b)) // nothing comes last
	}))
}

// search looks for what fills one profile.
type search struct {
	pieces []piece
	goals  []goal
	wanted []worth // of each piece
	least  []cost  // what that costs at least
	slots  []bool  // pieces that fill a slot
	touch  []int   // how many goals each piece serves
	now    candidate
	kept   *[]candidate
}

// goal is what one piece must have; pieces that fill slots are different ones.
type goal struct {
	worth
	slot bool
}

// ways are the ways to a target with given pieces, the best first.
func (p *planner) ways(pieces []piece, t target, most int) []Way {
	var kept []candidate
	least := slices.Index(levels, t.level)
	for _, r := range p.ladder {
		if r.rank >= least {
			p.profile(pieces, r.Profile, t, &kept)
		}
	}
	var out []Way
	for _, c := range kept {
		steps := c.steps(pieces)
		if len(out) == most {
			break
		}
		if slices.ContainsFunc(out, func(w Way) bool { return contains(steps, w.Steps) }) {
			continue
		}
		if w, ok := p.way(pieces, c, t); ok {
			out = append(out, w)
		}
	}
	return out
}

// profile looks for what fills a profile. The centre is asked only for what the
// facts do not give.
func (p *planner) profile(pieces []piece, profile gpg45.Profile, t target, kept *[]candidate) {
	n := len(pieces)
	s := search{pieces: pieces, kept: kept, wanted: make([]worth, n), least: make([]cost, n), slots: make([]bool, n), touch: make([]int, n)}
	s.now.picks = slices.Repeat([]int{-1}, n)
	if profile.Verification > 0 {
		s.goals = append(s.goals, goal{worth: worth{verification: profile.Verification}})
	}
	if t.p9 {
		s.goals = append(s.goals, goal{worth: worth{compared: p.policy.NHS().P9Verification}})
	}
	for _, e := range profile.Evidence { // last, as most pieces would do
		s.goals = append(s.goals, goal{worth{strength: e.Strength, validity: e.Validity}, true})
	}
	if have := p.now.Scores.Fraud; have < profile.Fraud && !s.ask(p, stepFraud, p.set.HopedFraud, profile.Fraud) {
		return
	}
	if profile.Activity > p.outside() {
		byPiece := s
		byPiece.goals = append([]goal{{worth: worth{activity: profile.Activity}}}, s.goals...)
		byPiece.assign(0)
		if !s.ask(p, stepActivity, p.set.HopedActivity, profile.Activity) {
			return
		}
	}
	s.assign(0)
}

// outside is the activity that outside sources told.
func (p *planner) outside() int {
	if s := p.q.Facts.Sources; s != nil {
		return s.Activity
	}
	return 0
}

// ask adds a check of the centre; false where it cannot bring enough.
func (s *search) ask(p *planner, code proof.Code, hoped, wanted int) bool {
	step, ok := p.step(code, "")
	if !ok || !p.asks() || hoped < wanted {
		return false
	}
	s.now.central = append(slices.Clone(s.now.central), step)
	s.now.cost = s.now.plus(costOf([]Step{step}))
	return true
}

// assign gives the goals from the n-th on to pieces, in every way that is not
// dearer than the ways kept.
func (s *search) assign(n int) {
	if n == len(s.goals) {
		s.pick(0)
		return
	}
	g := s.goals[n]
	for i := range s.pieces {
		if g.slot && s.clashes(i) || !s.free(i) {
			continue
		}
		wanted, least := s.wanted[i], s.least[i]
		s.wanted[i] = wanted.and(g.worth)
		can := false
		if s.least[i], can = s.pieces[i].least(s.wanted[i]); can && !s.dear() {
			s.touch[i]++
			s.slots[i] = s.slots[i] || g.slot
			s.assign(n + 1)
			s.slots[i] = s.slots[i] && !g.slot
			s.touch[i]--
		}
		s.wanted[i], s.least[i] = wanted, least
	}
}

// dear reports whether what is wanted already costs more than the ways kept.
func (s *search) dear() bool {
	if len(*s.kept) < maxKept {
		return false
	}
	sum := s.now.cost
	for _, c := range s.least {
		sum = sum.plus(c)
	}
	return sum.compare((*s.kept)[maxKept-1].cost) > 0
}

// least is what it costs at least that a piece has what is wanted, if it can.
func (pc piece) least(wanted worth) (cost, bool) {
	if pc.now.atLeast(wanted) {
		return cost{}, true
	}
	i := slices.IndexFunc(pc.options, func(o option) bool { return o.atLeast(wanted) })
	if i < 0 {
		return cost{}, false
	}
	return pc.options[i].cost, true
}

// clashes reports whether a slot is filled by the piece or its family already.
func (s *search) clashes(i int) bool {
	for j, filled := range s.slots {
		if filled && s.pieces[j].family == s.pieces[i].family {
			return true
		}
	}
	return false
}

// free reports whether no other new piece of the family is used: evidence is
// asked for once.
func (s *search) free(i int) bool {
	for j, n := range s.touch {
		if j != i && n > 0 && s.pieces[j].fresh && s.pieces[j].family == s.pieces[i].family {
			return false
		}
	}
	return true
}

// pick chooses for every piece, from the i-th on, what gives it what is wanted,
// in every way that is not dearer than the ways kept.
func (s *search) pick(i int) {
	if kept := *s.kept; len(kept) == maxKept && s.now.cost.compare(kept[maxKept-1].cost) > 0 {
		return
	}
	if i == len(s.pieces) {
		s.keep()
		return
	}
	if s.pieces[i].now.atLeast(s.wanted[i]) {
		s.pick(i + 1)
		return
	}
	before := s.now.cost
	for n, o := range s.pieces[i].options {
		if !o.atLeast(s.wanted[i]) {
			continue
		}
		s.now.cost, s.now.picks[i] = before.plus(o.cost), n
		s.pick(i + 1)
		if s.pieces[i].family == string(proof.Vouch) {
			break // nobody is proved higher than they must be
		}
	}
	s.now.cost, s.now.picks[i] = before, -1
}

// keep remembers the choice, if it is new.
func (s *search) keep() {
	c := candidate{s.now.cost, slices.Clone(s.now.picks), s.now.central}
	i, known := slices.BinarySearchFunc(*s.kept, c, candidate.compare)
	if known {
		return
	}
	*s.kept = slices.Insert(*s.kept, i, c)
	*s.kept = (*s.kept)[:min(len(*s.kept), maxKept)]
}

// steps are the steps of a candidate, in the order in which they are taken.
func (c candidate) steps(pieces []piece) []Step {
	var out []Step
	for i, n := range c.picks {
		if n >= 0 {
			out = append(out, pieces[i].options[n].steps...)
		}
	}
	slices.SortStableFunc(out, func(a, b Step) int { return phase(a) - phase(b) })
	return append(out, c.central...)
}

// phase orders steps: what is brought, the checks piece by piece, and at the
// end what the centre does.
func phase(s Step) int {
	switch {
	case s.Code == stepBring || s.Code == stepBringVoucher:
		return 0
	case s.Central:
		return 2
	}
	return 1
}

// way has a candidate assessed as if all of it had been done; false where that
// does not lead to the target after all.
func (p *planner) way(pieces []piece, c candidate, t target) (Way, bool) {
	f := p.q.Facts
	f.Documents, f.Vouches = slices.Clone(f.Documents), slices.Clone(f.Vouches)
	for i, n := range c.picks {
		if n >= 0 {
			pieces[i].options[n].do(&f)
		}
	}
	for _, s := range c.central {
		answer := gpg45.Sources{}
		if f.Sources != nil {
			answer = *f.Sources
		}
		if s.Code == stepFraud {
			answer.Fraud = p.set.HopedFraud
		} else {
			answer.Activity = p.set.HopedActivity
		}
		f.Sources = &answer
	}
	a, err := p.policy.Assess(f)
	if err != nil || t.level.Above(a.Level) || a.Level == proof.NoLevel || t.p9 && compared(a) < p.policy.NHS().P9Verification {
		return Way{}, false
	}
	w := Way{Steps: c.steps(pieces), Minutes: c.minutes, Trip: c.trips > 0, Level: a.Level, Profile: a.Profile, NHS: proof.P5}
	if rules := p.policy.NHS(); !rules.P9Level.Above(a.Level) && compared(a) >= rules.P9Verification {
		w.NHS = proof.P9
	}
	return w, true
}

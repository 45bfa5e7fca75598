package plan

import (
	"slices"
	"strings"

	"github.com/counterproof/counterproof/agent/gpg45"
	"github.com/counterproof/counterproof/agent/proof"
)

// piece is one piece of evidence, shown already or on the table, with what can
// still be done with it.
type piece struct {
	name    proof.EvidenceType
	family  string
	fresh   bool     // not shown yet
	now     worth    // what it counts already
	options []option // the cheapest first; none contains another of no more worth
}

// worth is what a piece counts.
type worth struct {
	strength, validity int
	verification       int // by this piece, in any way
	compared           int // the same, by a person present who compared its photo
	activity           int
}

// atLeast reports whether w has all that is wanted.
func (w worth) atLeast(wanted worth) bool {
	return w.strength >= wanted.strength && w.validity >= wanted.validity && w.verification >= wanted.verification &&
		w.compared >= wanted.compared && w.activity >= wanted.activity
}

// and is all that either wants.
func (w worth) and(x worth) worth {
	return worth{max(w.strength, x.strength), max(w.validity, x.validity), max(w.verification, x.verification),
		max(w.compared, x.compared), max(w.activity, x.activity)}
}

// option is something to do with a piece, and what the piece then counts.
type option struct {
	worth
	cost
	steps []Step
	do    func(*gpg45.Facts) // changes facts to those after it
}

// worthOf is what facts about a single piece count.
func (p *planner) worthOf(f gpg45.Facts) worth {
	a, err := p.policy.Assess(f)
	if err != nil || len(a.Hold) > 0 {
		return worth{}
	}
	w := worth{verification: a.Scores.Verification, activity: a.Scores.Activity, compared: compared(a)}
	if e := a.Scores.Evidence; len(e) > 0 {
		w.strength, w.validity = e[0].Strength, e[0].Validity
	}
	return w
}

// compared is the best score of a person present who compared the photo.
func compared(a gpg45.Assessment) int {
	best := 0
	for _, c := range a.Checks {
		if c.Method == proof.PersonInPerson {
			best = max(best, c.Score)
		}
	}
	return best
}

// alone is facts about one piece of the visit.
func (p *planner) alone() gpg45.Facts {
	return gpg45.Facts{Today: p.q.Facts.Today, Training: p.q.Facts.Training}
}

// shown are the pieces that the facts tell of, in an order of their own.
func (p *planner) shown() []piece {
	var out []piece
	for i, d := range p.q.Facts.Documents {
		pc := piece{name: d.Type, family: p.policy.Type(d.Type).Family, now: p.counted(d)}
		pc.options = p.options(pc.now, at(d.Event, p.documents(d, nil)), p.counted, func(f *gpg45.Facts, after gpg45.Document) { f.Documents[i] = after })
		out = append(out, pc)
	}
	for i, v := range p.q.Facts.Vouches {
		f := p.alone()
		f.Vouches = []gpg45.Vouch{v}
		pc := piece{name: proof.Vouch, family: string(proof.Vouch), now: p.worthOf(f)}
		if s, ok := p.step(stepConfirm, proof.Vouch); ok && !v.Confirmed {
			v.Confirmed, s.Event = true, v.Event
			pc.options = p.vouches(pc.now, []vouched{{v, []Step{s}}}, func(f *gpg45.Facts, after gpg45.Vouch) { f.Vouches[i] = after })
		}
		out = append(out, pc)
	}
	slices.SortStableFunc(out, func(a, b piece) int { return strings.Compare(string(a.name), string(b.name)) })
	return out
}

// table are the pieces on the table and at home that were not shown.
func (p *planner) table() []piece {
	var out []piece
	for _, t := range sorted(p.q.Here) {
		if pc, ok := p.fresh(t, false); ok {
			out = append(out, pc)
		}
	}
	for _, t := range sorted(p.q.Home) {
		if pc, ok := p.fresh(t, true); ok && !slices.Contains(p.q.Here, t) {
			out = append(out, pc)
		}
	}
	return out
}

// sorted is a list in order, each once.
func sorted(types []proof.EvidenceType) []proof.EvidenceType {
	out := slices.Clone(types)
	slices.Sort(out)
	return slices.Compact(out)
}

// fresh is a piece of a kind that was not shown; false where there is nothing to
// do with it.
func (p *planner) fresh(t proof.EvidenceType, home bool) (piece, bool) {
	kind := p.policy.Type(t)
	pc := piece{name: kind.Type, family: kind.Family, fresh: true}
	vouch := t == VouchLetter || kind.Form == proof.ByVouch
	if vouch {
		pc.name, pc.family = t, string(proof.Vouch)
	}
	if t == PracticeDetails || kind.Refused || p.used(pc.family) {
		return pc, false
	}
	var lead []Step
	if home {
		code := stepBring
		if pc.name == proof.Vouch {
			code = stepBringVoucher
		}
		s, ok := p.step(code, pc.name)
		if !ok {
			return pc, false
		}
		lead = append(lead, s)
	}
	if vouch {
		pc.options = p.vouches(pc.now, p.freshVouches(t, lead), func(f *gpg45.Facts, after gpg45.Vouch) { f.Vouches = append(f.Vouches, after) })
		return pc, len(pc.options) > 0
	}
	d, read, ok := p.read(kind)
	if !ok {
		return pc, false
	}
	pc.options = p.options(pc.now, p.documents(d, append(lead, read)), p.recalled, func(f *gpg45.Facts, after gpg45.Document) { f.Documents = append(f.Documents, after) })
	return pc, len(pc.options) > 0
}

// used reports whether evidence of a family was shown.
func (p *planner) used(family string) bool {
	return family == string(proof.Vouch) && len(p.q.Facts.Vouches) > 0 ||
		slices.ContainsFunc(p.q.Facts.Documents, func(d gpg45.Document) bool { return p.policy.Type(d.Type).Family == family })
}

// options of a document are what makes it worth more and contains no other that
// does as much.
func (p *planner) options(now worth, all []documented, count func(gpg45.Document) worth, put func(*gpg45.Facts, gpg45.Document)) []option {
	var out []option
	for _, d := range all {
		out = append(out, option{count(d.doc), costOf(d.steps), d.steps, func(f *gpg45.Facts) { put(f, d.doc) }})
	}
	return best(now, out)
}

// counted is what one document counts.
func (p *planner) counted(d gpg45.Document) worth {
	f := p.alone()
	f.Documents = []gpg45.Document{d}
	return p.worthOf(f)
}

// state is all that tells documents apart that were not shown.
type state struct {
	kind         proof.EvidenceType
	source       proof.Source
	exam         exam
	by, comparer proof.Training
	chip, record bool
	compared     bool
}

// exam is how far a planned examination goes.
type exam struct{ done, features, uvir bool }

// recalled is what a document counts that was not shown. Many plans share it, so
// it is remembered.
func (p *planner) recalled(d gpg45.Document) worth {
	s := state{kind: d.Type, source: d.Source, chip: d.Chip != nil, record: d.Record != nil, compared: d.Person != nil}
	if e := d.Exam; e != nil {
		s.exam, s.by = exam{true, len(e.Features) > 0, e.UVIR}, e.Trained
	}
	if d.Person != nil {
		s.comparer = d.Person.Trained
	}
	w, known := p.memory[s]
	if !known {
		w = p.counted(d)
		p.memory[s] = w
	}
	return w
}

// vouches are the options of a vouch.
func (p *planner) vouches(now worth, all []vouched, put func(*gpg45.Facts, gpg45.Vouch)) []option {
	var out []option
	for _, v := range all {
		f := p.alone()
		f.Vouches = []gpg45.Vouch{v.vouch}
		out = append(out, option{p.worthOf(f), costOf(v.steps), v.steps, func(f *gpg45.Facts) { put(f, v.vouch) }})
	}
	return best(now, out)
}

// best are the options that are worth more than now, none of which contains
// another of as much worth, the cheapest first.
func best(now worth, all []option) []option {
	slices.SortStableFunc(all, func(a, b option) int { return a.compare(b.cost) })
	var out []option
	for _, o := range all {
		needless := now.atLeast(o.worth) || !o.atLeast(now) || slices.ContainsFunc(out, func(less option) bool {
			return less.atLeast(o.worth) && contains(o.steps, less.steps)
		})
		if !needless {
			out = append(out, o)
		}
	}
	return out
}

package plan

import (
	"slices"

	"github.com/counterproof/counterproof/agent/gpg45"
	"github.com/counterproof/counterproof/agent/proof"
)

// documented is a document after some steps.
type documented struct {
	doc   gpg45.Document
	steps []Step
}

// deed is one step with what it does to a document.
type deed struct {
	step Step
	do   func(*gpg45.Document)
}

// documents are a document after every set of steps that can be taken with it:
// at most one examination, then the chip, a comparison and a record check.
func (p *planner) documents(d gpg45.Document, lead []Step) []documented {
	kind := p.policy.Type(d.Type)
	all := []documented{{d, lead}}
	for _, deeds := range [][]deed{p.examinations(d, kind), p.chips(d, kind), p.comparisons(d, kind), p.records(d, kind)} {
		for _, before := range slices.Clone(all) {
			for _, deed := range deeds {
				after := documented{before.doc, append(slices.Clone(before.steps), deed.step)}
				deed.do(&after.doc)
				all = append(all, after)
			}
		}
	}
	return all
}

// read brings in a piece that was not shown: its zone by the camera, or else its
// details by keys. That it is in date is hoped.
func (p *planner) read(kind gpg45.TypeInfo) (gpg45.Document, Step, bool) {
	d := gpg45.Document{Type: kind.Type, Source: proof.FromKeys, Expiry: p.q.Facts.Today}
	zone := kind.Form == proof.ByZone
	if zone {
		d.Digits = gpg45.GoodDigits
	}
	if s, ok := p.step(stepShow, kind.Type); ok && zone && p.q.Desk.Camera {
		d.Source = proof.FromCamera
		return d, s, true
	}
	s, ok := p.step(stepKey, kind.Type)
	return d, s, ok
}

// examinations of the original: its details by anybody, its features and its
// look under ultraviolet by those who were trained. What an examination found
// wrong no other puts right, and what it did not find the same operator is not
// asked to find again.
func (p *planner) examinations(d gpg45.Document, kind gpg45.TypeInfo) []deed {
	exam, spent := proof.DocumentExamined{Original: true, Details: proof.Agree}, false
	if e := d.Exam; e != nil {
		if !e.Original || e.Details != proof.Agree && e.Details != "" {
			return nil
		}
		spent = e.Details == proof.Agree && e.Trained == p.q.Desk.Training
	}
	var out []deed
	add := func(s Step, e gpg45.Exam) {
		out = append(out, deed{s, func(d *gpg45.Document) { d.Exam = &e }})
	}
	if s, ok := p.step(stepDetails, d.Type); ok && (d.Exam == nil || d.Exam.Details == "") {
		add(s, gpg45.Exam{DocumentExamined: exam})
	}
	if kind.Features == "" {
		return out
	}
	exam.Features = p.policy.Features(d.Type)
	for _, w := range p.workers(stepExamine, d.Type, !spent) {
		exam.Trained = w.training
		add(w.step, gpg45.Exam{DocumentExamined: exam})
	}
	exam.UVIR = true
	for _, w := range p.workers(stepUVIR, d.Type, true) {
		if exam.Trained = w.training; p.q.Desk.UVIR {
			add(w.step, gpg45.Exam{Templates: p.q.Facts.Today, DocumentExamined: exam})
		}
	}
	return out
}

// chips is reading a chip that was not read.
func (p *planner) chips(d gpg45.Document, kind gpg45.TypeInfo) []deed {
	s, ok := p.step(stepChip, d.Type)
	if !ok || !p.q.Desk.ChipReader || d.Chip != nil || kind.Chip == "" && !kind.NeedsChip {
		return nil
	}
	return []deed{{s, func(d *gpg45.Document) {
		d.Chip = &gpg45.ChipCheck{Verdict: proof.ChipGenuine, Revocation: proof.RevocationGood, Clone: proof.CloneExcluded}
	}}}
}

// comparisons of the person with the photo. An operator who was not sure does
// not compare again; a colleague may.
func (p *planner) comparisons(d gpg45.Document, kind gpg45.TypeInfo) []deed {
	if !kind.Photo {
		return nil
	}
	var out []deed
	unsure := d.Person != nil && d.Person.Answer != proof.Same
	for _, w := range p.workers(stepCompare, d.Type, !unsure) {
		out = append(out, deed{w.step, func(d *gpg45.Document) {
			d.Person = &gpg45.PersonCheck{PersonCompared: proof.PersonCompared{Answer: proof.Same, Method: proof.PersonInPerson, Trained: w.training}}
		}})
	}
	return out
}

// records is asking an authoritative source, which the centre does.
func (p *planner) records(d gpg45.Document, kind gpg45.TypeInfo) []deed {
	s, ok := p.step(stepRecord, d.Type)
	if !ok || !p.asks() || d.Record != nil || !p.set.record(kind.Type) {
		return nil
	}
	return []deed{{s, func(d *gpg45.Document) { d.Record = &gpg45.RecordCheck{Matched: true, Clear: true} }}}
}

// asks reports whether the centre can still be asked.
func (p *planner) asks() bool { return p.q.Desk.Line && p.q.Facts.Sources == nil }

// at says of which event's document the steps are.
func at(event int, all []documented) []documented {
	for _, d := range all {
		for i := range d.steps {
			d.steps[i].Event = event
		}
	}
	return all
}

// vouched is a vouch after some steps.
type vouched struct {
	vouch gpg45.Vouch
	steps []Step
}

// freshVouches are the vouches that a letter or a voucher in person can give. A
// voucher is proved like anybody, by what vouchers are taken to have, before
// the declaration.
func (p *planner) freshVouches(t proof.EvidenceType, lead []Step) []vouched {
	today := p.q.Facts.Today
	v := gpg45.Vouch{Paper: t == VouchLetter, Proved: proof.NoLevel, Given: today, KnownSince: proof.Date{Year: max(today.Year-101, 1)}}
	code := stepStatement
	if v.Paper {
		code = stepLetter
	}
	last, ok := p.step(code, t)
	if !ok {
		return nil
	}
	all := []vouched{{v, append(slices.Clone(lead), last)}}
	if v.Paper {
		return all
	}
	confirm, ok := p.step(stepConfirm, t)
	for rank, level := range levels[1:4] { // low to high
		steps, can := p.prove(level)
		if !can {
			break
		}
		last.proved = rank + 1
		v.Proved, v.Confirmed = level, false
		all = append(all, vouched{v, append(slices.Concat(lead, steps), last)})
		if ok {
			v.Confirmed = true
			all = append(all, vouched{v, append(slices.Concat(lead, steps), last, confirm)})
		}
	}
	return all
}

// prove is the best way to prove a voucher to a level at this desk, at once.
func (p *planner) prove(level proof.Level) ([]Step, bool) {
	q := Question{Facts: p.alone(), Desk: p.q.Desk, Here: p.set.VoucherBrings}
	q.Desk.Line = false
	for _, f := range p.q.Failed {
		if f.Voucher || f.Type == "" {
			f.Voucher = false
			q.Failed = append(q.Failed, f)
		}
	}
	sub, err := p.asked(q)
	if err != nil {
		return nil, false
	}
	ways := sub.ways(sub.pieces, target{level: level}, 1)
	if len(ways) == 0 {
		return nil, false
	}
	steps := slices.Clone(ways[0].Steps)
	for i := range steps {
		steps[i].Voucher = true
	}
	return steps, true
}

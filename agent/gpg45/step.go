package gpg45

import (
	"slices"

	"github.com/counterproof/counterproof/agent/proof"
)

// What a step is taken to bring where it is not known before: both sets of
// fraud checks, and three months of a known life.
const (
	hopedFraud    = 2
	hopedActivity = 1
)

// valid reports whether any document was found valid at all.
func (p *Policy) valid(f *Facts) bool {
	return slices.ContainsFunc(f.Documents, func(d Document) bool {
		t, ok := p.counts(d, &finding{})
		return ok && p.validity(d, t, *f).score > 0
	})
}

// takeFirst shows a photo document where none was found valid.
func (p *Policy) takeFirst(f *Facts) bool {
	return !p.valid(f) && p.add(f, func(evidenceType) bool { return true })
}

// takeSecond shows a photo document of another kind beside a valid one. No
// second chip is hoped for.
func (p *Policy) takeSecond(f *Facts) bool {
	return p.valid(f) && p.add(f, func(t evidenceType) bool { return t.Chip == "" })
}

// add adds an examined photo document of the strongest kind that will do, that
// needs no chip and was not shown yet.
func (p *Policy) add(f *Facts, willDo func(evidenceType) bool) bool {
	var shown []string
	for _, d := range f.Documents {
		shown = append(shown, p.known(d.Type).Family)
	}
	var best evidenceType
	for _, name := range p.Types() {
		t := p.types[name]
		fresh := t.Photo && t.Features != "" && !t.NeedChip && !t.Refused && !slices.Contains(shown, t.Family)
		if fresh && willDo(t) && t.Strength > best.Strength {
			best = t
		}
	}
	if best.Type == "" {
		return false
	}
	d := Document{Type: best.Type, Expiry: f.Today}
	d.Exam = p.wellExamined(Exam{}, best, f.Today)
	f.Documents = append(f.Documents, d)
	return true
}

// wellExamined is an examination after it was done by a trained operator.
func (p *Policy) wellExamined(e Exam, t evidenceType, today proof.Date) *Exam {
	e.Original, e.Details = true, proof.Agree
	e.Features = p.features[t.Features]
	e.Trained.Document = today
	if e.Templates != (proof.Date{}) {
		e.Templates = today
	}
	return &e
}

// takeExamination has a trained operator examine documents that were not.
func (p *Policy) takeExamination(f *Facts) bool {
	return p.each(f, func(d *Document, t evidenceType) bool {
		if t.Features == "" || p.examined(*d, t, f.Today).score >= 2 {
			return false
		}
		var e Exam
		if d.Exam != nil {
			e = *d.Exam
		}
		d.Exam = p.wellExamined(e, t, f.Today)
		return true
	})
}

// takeUVIR has a document examined under ultraviolet and infrared.
func (p *Policy) takeUVIR(f *Facts) bool {
	return p.each(f, func(d *Document, t evidenceType) bool {
		if t.Features == "" || p.lit(*d, t, f.Today).score > 0 {
			return false
		}
		d.Exam = p.wellExamined(Exam{Templates: f.Today}, t, f.Today)
		d.Exam.UVIR = true
		d.Exam.Trained.UVIR = f.Today
		return true
	})
}

// takeChip reads and verifies a chip that was not read.
func (p *Policy) takeChip(f *Facts) bool {
	return p.each(f, func(d *Document, t evidenceType) bool {
		if t.Chip == "" || d.Chip != nil {
			return false
		}
		d.Chip = &ChipCheck{Verdict: ChipGenuine, Revocation: RevocationGood, Clone: CloneExcluded}
		return true
	})
}

// takeComparison has an operator whose training is not too old compare.
func (p *Policy) takeComparison(f *Facts) bool {
	month := f.Today.Month - 1 + 12*f.Today.Year - (p.rules.Verifying.ComparedMonths - 1)
	trained := proof.Date{Year: month / 12, Month: month%12 + 1, Day: f.Today.Day}
	if !trained.Valid() {
		trained.Day = 1
	}
	return p.compare(f, trained)
}

// takeTraining has an operator trained within the year compare.
func (p *Policy) takeTraining(f *Facts) bool { return p.compare(f, f.Today) }

// compare has an operator of a training compare the person with every photo.
func (p *Policy) compare(f *Facts, trained proof.Date) bool {
	return p.each(f, func(d *Document, t evidenceType) bool {
		after := *d
		after.Person = &PersonCheck{PersonCompared: proof.PersonCompared{Answer: proof.Same, Method: proof.PersonInPerson,
			Trained: proof.Training{Impostor: trained}}}
		const genuine = maxValidity // whether it is, the other steps tell
		if p.verification(after, t, f.Today, genuine).score <= p.verification(*d, t, f.Today, genuine).score {
			return false
		}
		*d = after
		return true
	})
}

// each takes a step with every document that counts as evidence; true where it
// applied to any.
func (p *Policy) each(f *Facts, take func(d *Document, t evidenceType) bool) bool {
	any := false
	for i := range f.Documents {
		if t, ok := p.counts(f.Documents[i], &finding{}); ok && take(&f.Documents[i], t) {
			any = true
		}
	}
	return any
}

// takeFraud asks the fraud sources.
func takeFraud(_ *Policy, f *Facts) bool {
	f.Sources = &Sources{Fraud: hopedFraud}
	return true
}

// takeActivity asks for a known life, after the fraud sources.
func takeActivity(_ *Policy, f *Facts) bool {
	s := Sources{Activity: hopedActivity}
	if f.Sources != nil {
		s.Fraud = f.Sources.Fraud
	}
	f.Sources = &s
	return true
}

package plan

import (
	"slices"

	"github.com/counterproof/counterproof/agent/gpg45"
	"github.com/counterproof/counterproof/agent/proof"
)

// byColleague is the same step taken by a colleague.
var byColleague = map[proof.Code]proof.Code{
	stepExamine: stepExamineColleague, stepUVIR: stepUVIRColleague, stepCompare: stepCompareColleague,
}

// harder lists the steps that do at least what easier ones do.
var harder = map[proof.Code][]proof.Code{
	stepExamine:          {stepDetails},
	stepExamineColleague: {stepDetails, stepExamine},
	stepUVIR:             {stepDetails, stepExamine},
	stepUVIRColleague:    {stepDetails, stepExamine, stepExamineColleague, stepUVIR},
	stepCompareColleague: {stepCompare},
}

// includes reports whether a step does at least what another does. A comparison
// is one with whatever photo.
func includes(hard, easy Step) bool {
	if hard.Voucher != easy.Voucher || hard.Code != easy.Code && !slices.Contains(harder[hard.Code], easy.Code) {
		return false
	}
	return hard.Type == easy.Type && hard.Event == easy.Event || easy.Code == stepCompare || easy.Code == stepCompareColleague
}

// contains reports whether steps do at least what others do. A voucher who is
// proved to a level is so to those below, whatever was shown for it.
func contains(steps, others []Step) bool {
	proved := proved(steps) >= proved(others)
	return !slices.ContainsFunc(others, func(o Step) bool {
		return !(o.Voucher && proved) && !slices.ContainsFunc(steps, func(s Step) bool { return includes(s, o) })
	})
}

// proved is the rank of the level to which steps prove a voucher.
func proved(steps []Step) int {
	most := 0
	for _, s := range steps {
		most = max(most, s.proved)
	}
	return most
}

// hand is somebody who may take a step that needs a training. The grade is 0
// where their training does not count, and more where it counts for more.
type hand struct {
	training  proof.Training
	colleague int // from 1; 0 is the operator
	grade     int
}

// crew is who takes the steps that need a training: the operator, and the best
// of the colleagues.
type crew map[proof.Code][2]hand

// crewOf finds who takes what on a day.
func crewOf(d Desk, months gpg45.Months, today proof.Date) crew {
	out := crew{}
	find := func(code proof.Code, date func(proof.Training) proof.Date, ages ...int) {
		grade := func(t proof.Training) int {
			n := 0
			for _, age := range ages {
				if d := date(t); d.Valid() && !today.Before(d) && !d.Before(ago(today, age)) {
					n++
				}
			}
			return n
		}
		both := [2]hand{{d.Training, 0, grade(d.Training)}}
		for i, t := range d.Colleagues {
			if g := grade(t); g > both[1].grade {
				both[1] = hand{t, i + 1, g}
			}
		}
		out[code] = both
	}
	find(stepExamine, func(t proof.Training) proof.Date { return t.Document }, months.Examined)
	find(stepUVIR, func(t proof.Training) proof.Date { return t.UVIR }, months.UVIR)
	find(stepCompare, func(t proof.Training) proof.Date { return t.Impostor }, months.Compared, months.Recent)
	return out
}

// ago is the day so many months before another, for comparing: the month may be
// too short for it.
func ago(d proof.Date, months int) proof.Date {
	month := d.Month - 1 + 12*d.Year - months
	return proof.Date{Year: month / 12, Month: month%12 + 1, Day: d.Day}
}

// worker is who could take a step.
type worker struct {
	step     Step
	training proof.Training
}

// workers are who could take a step that needs a training: the operator, if they
// may, and a colleague where that counts for more.
func (p *planner) workers(code proof.Code, t proof.EvidenceType, operator bool) []worker {
	var out []worker
	least := 0
	own, called := p.crew[code][0], p.crew[code][1]
	if s, ok := p.step(code, t); ok && operator && own.grade > 0 {
		out, least = append(out, worker{s, own.training}), own.grade
	}
	if s, ok := p.step(byColleague[code], t); ok && called.grade > least {
		s.Colleague = called.colleague
		out = append(out, worker{s, called.training})
	}
	return out
}

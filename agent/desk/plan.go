package desk

import (
	"log/slog"
	"slices"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/plan"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/route"
	"github.com/counterproof/counterproof/agent/verdict"
	"github.com/counterproof/counterproof/devices"
)

// plans are the ways to the level that is wanted next, from what was shown, what
// lies on the table, and what this desk and its people can do. d.mu is held.
func (d *Desk) plans() []api.Plan {
	s := d.state
	wanted := proof.Medium
	facts := verdict.Facts(s, d.cfg.Policy)
	if a, err := d.cfg.Policy.Assess(facts); err == nil && !wanted.Above(a.Level) {
		wanted = proof.High
	}
	question := plan.Question{Facts: facts, Desk: d.able(), Level: wanted}
	if s.Table != nil {
		question.Here, question.Home = notShown(s, s.Table.Here), notShown(s, s.Table.Home)
	}
	question.Failed = failed(s)
	found, err := plan.Find(d.cfg.Policy, question)
	if err != nil {
		slog.Warn("no plan was made", "err", err.Error())
		return nil
	}
	out := []api.Plan{}
	for _, way := range found.Ways {
		p := api.Plan{Level: way.Level, Profile: way.Profile, Minutes: way.Minutes, Steps: []api.PlanStep{}}
		for _, step := range way.Steps {
			p.Steps = append(p.Steps, api.PlanStep{Code: step.Code, Type: step.Type, Minutes: step.Minutes, Central: step.Central,
				Voucher: step.Voucher, Colleague: step.Colleague > 0})
		}
		out = append(out, p)
	}
	return out
}

// notShown leaves out what was shown already, also where it counts for nothing:
// nobody is asked for the same document twice.
func notShown(s route.State, types []proof.EvidenceType) []proof.EvidenceType {
	return slices.DeleteFunc(slices.Clone(types), func(t proof.EvidenceType) bool {
		return slices.ContainsFunc(s.Pieces(), func(p route.Piece) bool { return p.Type() == t })
	})
}

// camerasChances is after how many failures a plan no longer counts on the camera
// over the document.
const camerasChances = 3

// failed are the steps that this visit has seen fail.
func failed(s route.State) (steps []plan.Step) {
	if s.DocumentFails >= camerasChances {
		steps = append(steps, plan.Step{Code: "step_show"})
	}
	if s.ChipFails >= route.ChipTries {
		steps = append(steps, plan.Step{Code: "step_chip"})
	}
	for _, p := range s.Pieces() {
		if p.Person != nil && p.Person.Answer == proof.NotSure {
			steps = append(steps, plan.Step{Code: "step_compare", Type: p.Type()})
		}
	}
	return steps
}

// templateDays is how long pictures under ultraviolet light are fresh enough to
// plan with; the policy judges them to the month.
const templateDays = 365

// able is what this desk and its people can do now.
func (d *Desk) able() plan.Desk {
	able := plan.Desk{
		ChipReader: d.hasChips(),
		Camera:     d.has(devices.CanFilm, devices.DocumentCamera, true), Line: true, Training: d.state.Trained,
		UVIR: d.cfg.Templates.Year != 0 && !d.cfg.Templates.AddDays(templateDays).Before(d.state.Today()),
	}
	if d.cfg.Clerks == nil {
		return able
	}
	for _, op := range d.cfg.Clerks() {
		if op.ID != d.state.Operator {
			able.Colleagues = append(able.Colleagues, op.Training)
		}
	}
	return able
}

// Package plan answers "what else have you got?": from what lies on the table,
// what the patient has at home, and what this desk and its people can do, the
// best legal way to a wanted level, the ways beside it, and what is missing
// where there is none. It also says what would raise a level.
//
// It knows no score: whatever it plans it has package gpg45 assess as if it had
// been done well, and what gpg45 does not give, it does not promise. It reads
// no clock, device or file, and it decides nothing.
//
// # The laws
//
//   - A way that the patient can finish at this visit comes before one that
//     needs something from home; then the fewest steps, then the fewest minutes.
//   - A step counts as one whoever takes it, the centre's too: its answer is a
//     hope, and a voucher is asked for every step that proves them.
//   - No evidence twice: one piece of a family, shown ones included.
//   - No step that this desk and its people cannot take, none that failed.
//   - No way contains another: leaving out a step of a way, or having it taken by
//     somebody less trained, no longer reaches the level.
//   - More on the table never makes a plan worse, and its order changes nothing.
//   - A withheld level is not planned for: people look first.
package plan

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/counterproof/counterproof/agent/gpg45"
	"github.com/counterproof/counterproof/agent/proof"
)

// Bounds of what is told and asked.
const (
	maxWays    = 5  // nobody reads more
	maxMissing = 5  // likewise
	maxTable   = 64 // kinds of evidence here and at home
)

// Types of the table that are no evidence by a document.
const (
	// VouchLetter is a letter by somebody who is not here.
	VouchLetter proof.EvidenceType = "vouch_letter"
	// PracticeDetails are the codes that a GP practice issued.
	PracticeDetails proof.EvidenceType = "practice_details"
)

// Desk is what a counter has and who works there. The zero value is a keyboard
// and an operator without training.
type Desk struct {
	Camera     bool // reads machine-readable zones
	ChipReader bool
	UVIR       bool // lamp and templates for ultraviolet and infrared
	Line       bool // the centre's checks come soon
	Training   proof.Training
	Colleagues []proof.Training // of others who can be called
}

// Question is what is planned for.
type Question struct {
	Facts gpg45.Facts // so far
	Desk  Desk
	// Here lies on the table and Home is where the patient lives: types of the
	// policy, VouchLetter and PracticeDetails. proof.Vouch is a voucher in person.
	Here, Home []proof.EvidenceType
	Level      proof.Level // wanted
	// NHS P9 is wanted beside the level: the person compared with a photo, and at
	// least the GPG 45 level that P9 needs. Other NHS levels need no step here.
	NHS proof.NHSLevel
	// Failed are steps that failed or were refused. One without Type failed for
	// every type, and for the voucher too.
	Failed []Step
}

// Step is one thing to do.
type Step struct {
	Code      proof.Code
	Type      proof.EvidenceType // what it is done with, "" for the centre's checks of the person
	Event     int                // of that piece of the facts, 0 for one that was not shown yet
	Voucher   bool               // done to prove the voucher
	Colleague int                // who does it, from 1 in Desk.Colleagues; 0 is the operator
	Minutes   int
	Central   bool // done by the centre, once the record is sent

	proved int // rank of the level to which a voucher who declares was proved
}

// Way is one way to a level.
type Way struct {
	Steps   []Step // in the order in which they are taken; none where nothing is left to do
	Minutes int
	Trip    bool // something is brought from home
	Level   proof.Level
	Profile string
	NHS     proof.NHSLevel // if the record matches
}

// Plans is the answer.
type Plans struct {
	Reached bool // whether the wanted level can be reached
	// Ways to the wanted level, or to the best that can be reached instead; the
	// best first, none where no level can be.
	Ways []Way
	// Practice is the way by a practice's codes, which gives P9 and no GPG 45
	// level; nil where they are not there.
	Practice *Way
	// Missing are sets of what would make the wanted level possible, the smallest
	// and easiest first.
	Missing [][]proof.Reason
}

// Find plans by a policy. It refuses a question without a wanted level, a table
// of more than 64 kinds, and facts that no visit can have.
func Find(policy *gpg45.Policy, q Question) (Plans, error) {
	set, err := parse(embedded)
	if err != nil {
		return Plans{}, err
	}
	return find(policy, set, q)
}

// find plans by a policy and settings.
func find(policy *gpg45.Policy, set settings, q Question) (Plans, error) {
	goal := q.target(policy)
	if !goal.level.Above(proof.NoLevel) {
		return Plans{}, errors.New("planning: no level is wanted")
	}
	if len(q.Here)+len(q.Home) > maxTable {
		return Plans{}, fmt.Errorf("planning: more than %d kinds on the table", maxTable)
	}
	p, err := newPlanner(policy, set, q)
	if err != nil {
		return Plans{}, err
	}
	out := p.reach(goal)
	if !out.Reached && len(p.now.Hold) == 0 {
		out.Missing = p.missing(goal)
	}
	return out, nil
}

// reach finds the ways to a target or, where there is none, to the best below.
func (p *planner) reach(t target) Plans {
	out := Plans{Practice: p.practice()}
	for i, less := range t.orLess() {
		if len(p.now.Hold) > 0 {
			break
		}
		if out.Ways = p.ways(p.pieces, less, maxWays); len(out.Ways) > 0 {
			out.Reached = i == 0
			break
		}
	}
	return out
}

// target is what a way leads to.
type target struct {
	level proof.Level
	p9    bool // with a comparison that P9 takes
}

// target is what is asked for.
func (q Question) target(policy *gpg45.Policy) target {
	t := target{q.Level, q.NHS == proof.P9}
	if least := policy.NHS().P9Level; t.p9 && !t.level.Above(least) {
		t.level = least
	}
	return t
}

// orLess is the target and then those below it, the best first.
func (t target) orLess() []target {
	out := []target{t}
	if t.p9 {
		out = append(out, target{level: t.level})
	}
	for i := slices.Index(levels, t.level) - 1; i > 0; i-- {
		out = append(out, target{level: levels[i]})
	}
	return out
}

// planner plans for one question.
type planner struct {
	policy *gpg45.Policy
	set    settings
	q      Question
	now    gpg45.Assessment // of the facts as they are
	crew   crew
	pieces []piece
	ladder []rung          // the profiles, lowest level first
	memory map[state]worth // shared by the planners of one question
}

// rung is a profile with the rank of its level.
type rung struct {
	gpg45.Profile
	rank int
}

// levels in their order.
var levels = []proof.Level{proof.NoLevel, proof.Low, proof.Medium, proof.High, proof.VeryHigh}

// newPlanner finds what can be done with every piece.
func newPlanner(policy *gpg45.Policy, set settings, q Question) (*planner, error) {
	p := &planner{policy: policy, set: set, memory: map[state]worth{}}
	for _, profile := range slices.Backward(policy.Profiles()) {
		p.ladder = append(p.ladder, rung{profile, slices.Index(levels, profile.Level)})
	}
	return p.asked(q)
}

// asked is a planner for another question of the same visit.
func (p *planner) asked(q Question) (*planner, error) {
	now, err := p.policy.Assess(q.Facts)
	if err != nil {
		return nil, fmt.Errorf("planning: %w", err)
	}
	p = &planner{policy: p.policy, set: p.set, q: q, now: now, ladder: p.ladder, memory: p.memory}
	p.crew = crewOf(q.Desk, p.policy.Months(), q.Facts.Today)
	p.pieces = append(p.shown(), p.table()...)
	return p, nil
}

// step makes a step; false where it failed before.
func (p *planner) step(code proof.Code, t proof.EvidenceType) (Step, bool) {
	s := Step{Code: code, Type: t, Minutes: p.set.Minutes[code], Central: central(code)}
	failed := slices.ContainsFunc(p.q.Failed, func(f Step) bool {
		return f.Code == code && (f.Type == "" || f.Type == t && !f.Voucher)
	})
	return s, !failed
}

// central reports a step that the centre takes.
func central(code proof.Code) bool {
	return slices.Contains([]proof.Code{stepRecord, stepFraud, stepActivity, stepPractice}, code)
}

// practice is the way by a practice's codes, nil where there is none. The
// practice answers later, with a line or without.
func (p *planner) practice() *Way {
	home := !slices.Contains(p.q.Here, PracticeDetails)
	if home && !slices.Contains(p.q.Home, PracticeDetails) {
		return nil
	}
	codes := []proof.Code{stepPracticeDetails, stepPractice}
	if home {
		codes = append([]proof.Code{stepBring}, codes...)
	}
	w := Way{Level: p.now.Level, Profile: p.now.Profile, NHS: proof.P9, Trip: home}
	for _, code := range codes {
		s, ok := p.step(code, PracticeDetails)
		if !ok {
			return nil
		}
		w.Steps, w.Minutes = append(w.Steps, s), w.Minutes+s.Minutes
	}
	return &w
}

// cost orders ways: within this visit first, then by steps, then by minutes.
type cost struct{ trips, steps, minutes int }

// costOf is what steps cost; several things are brought on one trip.
func costOf(steps []Step) cost {
	c := cost{steps: len(steps)}
	for _, s := range steps {
		c.minutes += s.Minutes
		if s.Code == stepBring || s.Code == stepBringVoucher {
			c.trips = 1
		}
	}
	return c
}

// plus is the cost of both.
func (c cost) plus(d cost) cost {
	return cost{max(c.trips, d.trips), c.steps + d.steps, c.minutes + d.minutes}
}

// compare orders costs.
func (c cost) compare(d cost) int {
	return cmp.Or(c.trips-d.trips, c.steps-d.steps, c.minutes-d.minutes)
}

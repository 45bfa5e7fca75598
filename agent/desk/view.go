package desk

import (
	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/entry"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/route"
	"github.com/counterproof/counterproof/agent/verdict"
)

// view folds the visit for a screen. d.mu is held.
func (d *Desk) view() api.Visit {
	s := d.state
	turn := route.Turn(s)
	who := s.Of(turn)
	v := api.Visit{
		ID: s.Visit.Case, Route: s.Visit.Route, Language: s.Visit.Language, Events: s.Seq, Operator: s.Operator,
		Training: s.Visit.Training, Asks: route.Asks(s), Party: turn, Chosen: who.Chosen.Type, Outcome: s.Outcome, Ref: s.Ref, Ended: s.Ended,
	}
	if who.Document != nil || who.Entered != nil {
		v.Document = d.documentView(who)
	}
	if who.Live != "" || who.Person != nil {
		v.Face = faceView(who)
	}
	for _, p := range s.Parties() {
		v.People = append(v.People, personView(p))
	}
	for i, ask := range v.Asks {
		switch ask.Kind {
		case proof.ChooseEvidence:
			v.Choices = d.offered()
			if i == 0 {
				v.Plans = d.plans()
			}
		case proof.EnterEvidence:
			v.Prefill = d.prefill(who)
		case proof.GivePractice:
			v.Letter = letter(s.Scan)
		case proof.RequestProxy:
			v.Bases = verdict.Bases(verdict.Age(s.Claimed().Birth, s.Today()))
		}
	}
	if s.Ref != "" {
		v.Slip = &api.Slip{Lines: d.cfg.Slips.Lines(s)}
		if s.Slip != nil {
			v.Slip.Printed, v.Slip.Problem = s.Slip.Kind == "", s.Slip.Kind
		}
	}
	return v
}

// documentView shows what was read and what to look for on the original.
func (d *Desk) documentView(p route.Subject) *api.Document {
	v := &api.Document{
		Type: p.Type(), Issuer: p.Issuer(), Number: p.Number(), Person: p.Holder(), Expiry: p.Expiry(),
		Portrait: p.Portrait(), Features: d.cfg.Policy.Features(p.Type()), Examined: p.Exam != nil, Chip: chipView(p.Piece),
	}
	if m := p.Document; m != nil {
		v.Source, v.Format, v.Lines, v.Page = m.Source, string(m.MRZ.Format), m.MRZ.Lines, m.Page
	}
	if e := p.Entered; e != nil {
		v.Source, v.Page = e.Source, e.Page
	}
	return v
}

// faceView shows how the comparison stands.
func faceView(p route.Subject) *api.Face {
	v := &api.Face{Live: p.Live}
	if p.Machine != nil {
		v.Decision, v.Score = p.Machine.Decision, p.Machine.Score
	}
	if p.Person != nil {
		v.Clerk = p.Person.Answer
	}
	return v
}

// personView shows one person and the evidence that they showed, with what
// keeps a piece from counting.
func personView(p route.Subject) api.Person {
	v := api.Person{Party: p.Party, Person: p.Claimed(), Evidence: []api.Piece{}}
	for _, piece := range p.Pieces() {
		shown := api.Piece{Type: piece.Type(), Examined: piece.Exam != nil, Compared: piece.Person != nil, Problems: piece.Problems()}
		if code := p.Linked(piece); code != "" {
			shown.Problems = append(shown.Problems, code)
		}
		v.Evidence = append(v.Evidence, shown)
	}
	return v
}

// letter is what a camera read of a practice's letter, nil for nothing.
func letter(scan *route.Scan) *api.Practice {
	if scan == nil {
		return nil
	}
	p, ok := entry.PracticeCode(scan.Text)
	if !ok {
		return nil
	}
	return &p
}

// prefill is what a camera read for the fields that are asked, nil for nothing.
func (d *Desk) prefill(p route.Subject) *api.Fields {
	if p.Scan == nil {
		return nil
	}
	fields, ok := entry.Prefill(p.Scan.EvidenceScanned, d.state.Today())
	if !ok {
		return nil
	}
	return &fields
}

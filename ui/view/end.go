package view

import (
	"strings"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/ui/words"
)

// Result is what the visit came to.
type Result struct {
	Frame
	Lines   []Line
	People  []Person
	Heading string // of the people
	Why     string // heading
	Reasons []string
	Raise   string // heading
	Steps   []string
}

// Person is one of the people of a visit and what they showed.
type Person struct {
	Name   string
	Pieces []string
}

// Slip is what the patient takes home.
type Slip struct {
	Frame
	Label string // of the reference
	Ref   string
	Paper string // heading of the text
	Lines []string
}

// step is a step of the daemon's own that did not come to its end.
func step(s State, ask proof.AskKind) Screen {
	w, f := s.Words, asked(s, "step")
	f.Title = w.Or("step", string(ask), "other")
	if s.Busy {
		f.Lead = []string{w.Say("word.working")}
		return Notice{f}
	}
	f.Lead = []string{w.Say("step.stopped")}
	retry := act(w.Say("act.retry"), Primary, DoReload)
	if ask != "" {
		retry = answer(w.Say("act.retry"), Primary, api.Answer{Ask: ask})
	}
	f.Actions = append([]Action{retry}, asides(s)...)
	if s.Visit.Outcome == nil {
		f = passable(s, f)
	}
	return Notice{f}
}

// result shows the level, why, and what would raise it.
func result(s State) Screen {
	w, f := s.Words, asked(s, "result")
	out := s.Visit.Outcome
	if out == nil {
		return step(s, proof.Decide)
	}
	f.Title = w.Or("result.title", string(out.Result), string(proof.NotProved))
	if key := "result." + string(out.Result); w.Has(key) {
		f.Lead = []string{w.Say(key)}
	}
	f.Actions = []Action{answer(w.Say("result.do"), Primary, api.Answer{Ask: proof.ConfirmResult})}
	f.Actions = append(f.Actions, ways(s)...)
	f.Actions = append(f.Actions, reopens(s, proof.ComparePerson, proof.CaptureFace, proof.ExamineDocument, proof.CaptureDocument,
		proof.EnterEvidence, proof.GiveVouch, proof.GivePractice, proof.RequestProxy, proof.RedeemClaim, proof.ClaimIdentity)...)
	f = passable(s, f)
	r := Result{
		Frame: f, Lines: resultLines(w, out), Heading: w.Say("people.title"), People: people(w, s.Visit.People),
		Why: w.Say("result.reasons"), Raise: w.Say("result.raise"),
	}
	for _, reason := range out.Reasons {
		r.Reasons = append(r.Reasons, w.Reason(reason))
	}
	for _, plan := range out.Raise {
		r.Steps = append(r.Steps, w.Reason(plan))
	}
	if len(r.Steps) == 0 {
		r.Steps = []string{w.Say("result.noraise")}
	}
	return r
}

// party names one of the people of a visit.
func party(w words.Words, p proof.Party) string {
	if p == proof.Patient {
		return w.Say("party.patient")
	}
	return w.Or("party", string(p), "patient")
}

// people says who showed what, and why a piece may not count.
func people(w words.Words, list []api.Person) []Person {
	var out []Person
	for _, p := range list {
		who := Person{Name: party(w, p.Party)}
		if name := strings.TrimSpace(p.Person.Surname.ICAO + " " + p.Person.Given.ICAO); name != "" {
			who.Name = w.Say("people.name", "party", who.Name, "name", name)
		}
		for _, e := range p.Evidence {
			state := "people.shown"
			switch {
			case e.Compared:
				state = "people.compared"
			case e.Examined:
				state = "people.examined"
			}
			said := w.Say("people.piece", "type", w.Type(e.Type), "state", w.Say(state))
			for _, code := range e.Problems {
				said += ". " + w.Reason(proof.Reason{Code: code})
			}
			who.Pieces = append(who.Pieces, said)
		}
		if len(who.Pieces) == 0 {
			who.Pieces = []string{w.Say("people.none")}
		}
		out = append(out, who)
	}
	return out
}

// resultLines are the result in figures.
func resultLines(w words.Words, out *proof.Outcome) []Line {
	profile := out.Profile
	if profile == "" {
		profile = w.Say("result.none")
	}
	nhs := w.Or("nhs", string(out.NHS), "none")
	if out.Provisional {
		nhs = w.Say("result.provisional", "level", nhs)
	}
	lines := []Line{{w.Say("result.level"), w.Or("level", string(out.Level), "none")}, {w.Say("result.profile"), profile}}
	if out.Computed != "" {
		lines = append(lines, Line{w.Say("result.computed"), out.Computed})
	}
	for _, p := range out.Parties {
		level := w.Or("level", string(p.Level), "none")
		if p.Profile != "" {
			level += " (" + p.Profile + ")"
		}
		lines = append(lines, Line{w.Say("people.level", "party", party(w, p.Party)), level})
	}
	if out.Request != "" {
		lines = append(lines, Line{w.Say("result.request"), w.Or("request", string(out.Request), "draft")})
	}
	return append(lines, Line{w.Say("result.nhs"), nhs}, Line{w.Say("result.policy"), out.Policy})
}

// slip is the end of a visit. An abandoned one has no slip.
func slip(s State) Screen {
	w, f := s.Words, asked(s, "slip")
	end := answer(w.Say("slip.do"), Primary, api.Answer{Ask: proof.EndVisit})
	if out := s.Visit.Outcome; out != nil && out.Result == proof.Abandoned {
		f.Name, f.Title, f.Lead = "ended", w.Say("ended.title"), []string{w.Say("ended.lead")}
		f.Actions = []Action{end}
		return Notice{f}
	}
	f.Title = w.Say("slip.title")
	v := Slip{Label: w.Say("slip.reference"), Ref: string(s.Visit.Ref), Paper: w.Say("slip.text")}
	if s.Visit.Slip != nil {
		v.Lines = s.Visit.Slip.Lines
	}
	for _, ask := range s.Visit.Asks {
		switch ask.Kind {
		case proof.EndVisit:
			f.Actions = append(f.Actions, end)
		case proof.PrintSlip:
			f.Actions = append(f.Actions, answer(w.Say("slip.again"), Secondary, api.Answer{Ask: proof.PrintSlip}))
		}
	}
	f.Actions[0].Style = Primary
	f.Lead = []string{w.Say(slipState(s.Visit))}
	v.Frame = f
	return v
}

// slipState is the key of the sentence on how the slip stands.
func slipState(v *api.Visit) string {
	switch {
	case v.Slip != nil && v.Slip.Problem != proof.KindNone || v.Asks[0].Problem != proof.KindNone:
		return "slip.failed"
	case v.Slip != nil && v.Slip.Printed:
		return "slip.printed"
	}
	return "slip.waiting"
}

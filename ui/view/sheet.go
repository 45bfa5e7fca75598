package view

import (
	"slices"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/ui/form"
	"github.com/counterproof/counterproof/ui/words"
)

// Sheet is a form to fill in.
type Sheet struct {
	Frame
	Parts []form.Part
}

// sheet is the form of the first ask. The patient's own is in their language.
func sheet(s State) Screen {
	ask, w := s.Visit.Asks[0].Kind, s.Words
	if ask == proof.GiveFeedback {
		w = words.In(s.Visit.Language)
	}
	key, kind := "ask."+string(ask), chosen(s)
	f := asked(s, string(ask))
	f.Title, f.Lead = w.Say(key+".title", "type", w.Type(kind)), []string{w.Say(key + ".lead")}
	switch ask {
	case proof.EnterEvidence:
		if kind == "" {
			f.Title = w.Say(key + ".any")
		}
		f.Title = whose(s, w, f.Title)
		if s.Visit.Prefill != nil {
			f.Lead = append(f.Lead, w.Say(key+".prefill"))
		}
	case proof.ClaimIdentity:
		f.Title = whose(s, w, f.Title)
	}
	f.Actions = append(sheetActions(w, ask), ways(s)...)
	f.Actions = append(f.Actions, reopens(s, proof.ClaimIdentity)...)
	f.Actions = append(f.Actions, asides(s)...)
	parts := form.Parts(form.Question{Words: s.Words, Visit: s.Visit, Ask: ask, Chosen: kind, Problem: s.Problem, Hint: s.Hint})
	if label := form.LabelOf(parts, s.Hint.Field); label != "" {
		for i, b := range f.Banners {
			if b.Texts[0] == s.Words.Say(s.Hint.Key) {
				f.Banners[i].Texts = []string{label + ": " + b.Texts[0]}
			}
		}
	}
	if f = passable(s, f); ask == proof.GiveFeedback { // the patient's hands: the key alone
		f.Actions = f.Actions[:len(f.Actions)-1]
	}
	return Sheet{f, parts}
}

// sheetActions are what can be done with a form itself.
func sheetActions(w words.Words, ask proof.AskKind) []Action {
	do := w.Say("ask." + string(ask) + ".do")
	switch ask {
	case proof.SecondPerson:
		return []Action{act(do, Primary, DoSecond)}
	case proof.RequestProxy:
		end := api.Answer{Ask: ask, Proxy: &proof.ProxyRequested{Withdraw: true}}
		return []Action{answer(do, Primary, api.Answer{Ask: ask}), answer(w.Say("ask.request_proxy.withdraw"), Secondary, end)}
	}
	return []Action{answer(do, Primary, api.Answer{Ask: ask})}
}

// chosen is the kind of evidence in hand: what the counter says, else what the
// clerk chose last, and at first what the route begins with.
func chosen(s State) proof.EvidenceType {
	if s.Visit.Chosen != "" {
		return s.Visit.Chosen
	}
	shown := slices.ContainsFunc(s.Visit.People, func(p api.Person) bool { return len(p.Evidence) > 0 })
	if s.Chosen == "" && s.Visit.Route == proof.DrivingLicence && !shown {
		return proof.UKLicence
	}
	return s.Chosen
}

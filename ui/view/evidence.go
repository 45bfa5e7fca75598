package view

import (
	"slices"
	"strconv"
	"strings"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/ui/form"
	"github.com/counterproof/counterproof/ui/words"
)

// Evidence is what somebody may show: what they have, the ways from there and
// what to begin with.
type Evidence struct {
	Frame
	Heading string // of the ways, "" without any
	Ways    []Way
	List    string // heading of the kinds
	Kinds   []Kind
}

// Way is one way to a level.
type Way struct {
	Title string
	Steps []string
}

// Kind is one kind of evidence, with the boxes that say where it is. Home has
// no key where that is not asked.
type Kind struct {
	Name, Note string
	Here, Home form.Option
}

// likely are the kinds that people have most, in the order of the list. The rare
// ones come when they are asked for.
var likely = []proof.EvidenceType{
	proof.Passport, proof.UKLicence, proof.EEAIdentityCard, "eu_dl", "bank_account", "birth_cert", "marriage_cert",
	"utility_account", "bus_pass", "pass_ref", "forces_id", "nino_record", proof.Vouch, "tenancy",
}

// evidence asks what else there is.
func evidence(s State) Screen {
	w, f := s.Words, asked(s, "choose_evidence")
	patient := s.Visit.Asks[0].Party == proof.Patient
	f.Title, f.Lead = whose(s, w, w.Say("ask.choose_evidence.title")), []string{w.Say("ask.choose_evidence.lead")}
	v := Evidence{List: w.Say("ask.choose_evidence.list")}
	if !patient {
		f.Lead = []string{w.Say("ask.choose_evidence.lead.other")}
	}
	if s.Side == SideAllKinds {
		f.Escape = Intent{Verb: DoClose}
	}
	if s.Said == "plan.none" {
		f.Banners[0].Tone, f.Banners[0].Title = Info, w.Say("word.important")
	}
	if len(s.Visit.Plans) > 0 {
		v.Heading = w.Say("plan.heading")
	}
	for i, p := range s.Visit.Plans {
		v.Ways = append(v.Ways, way(w, i+1, p))
	}
	all := offered(s.Visit)
	for _, c := range all {
		if s.Side == SideAllKinds || slices.Contains(likely, c.Type) {
			v.Kinds = append(v.Kinds, kind(w, c, patient))
		}
	}
	if patient {
		f.Actions = append(f.Actions, answer(w.Say("ask.choose_evidence.do"), Primary, api.Answer{Ask: proof.ChooseEvidence, Do: api.DoTable}))
	}
	for _, t := range firsts(s.Visit) {
		label := w.Say("ask.choose_evidence.with", "type", w.Type(t))
		f.Actions = append(f.Actions, answer(label, Primary, api.Answer{Ask: proof.ChooseEvidence, Type: t}))
	}
	f.Actions = append(f.Actions, answer(w.Say("ask.choose_evidence.begin"), Primary, api.Answer{Ask: proof.ChooseEvidence}))
	if len(v.Kinds) < len(all) {
		f.Actions = append(f.Actions, open(w.Say("ask.choose_evidence.more"), SideAllKinds, Secondary))
	}
	f.Actions = append(append(f.Actions, ways(s)...), reopens(s, proof.ClaimIdentity)...)
	f.Actions = append(f.Actions, asides(s)...)
	v.Frame = passable(s, f)
	return v
}

// offered are the kinds that may be shown now, the likely ones first. Somebody
// who vouches is not vouched for.
func offered(v *api.Visit) []api.Choice {
	list := slices.Clone(v.Choices)
	if v.Asks[0].Party != proof.Patient {
		list = slices.DeleteFunc(list, func(c api.Choice) bool { return c.Type == proof.Vouch })
	}
	place := func(c api.Choice) int {
		if i := slices.Index(likely, c.Type); i >= 0 {
			return i
		}
		return len(likely)
	}
	slices.SortStableFunc(list, func(a, b api.Choice) int { return place(a) - place(b) })
	return list
}

// kind is a row of the list.
func kind(w words.Words, c api.Choice, home bool) Kind {
	name := w.Type(c.Type)
	var notes []string
	if c.Strength > 0 {
		notes = append(notes, w.Say("evidence.strength", "strength", strconv.Itoa(c.Strength)))
	}
	if c.Photo {
		notes = append(notes, w.Say("evidence.photo"))
	}
	tick := func(prefix, label string) form.Option {
		label = w.Say(label)
		return form.Option{Key: prefix + string(c.Type), Label: label, Spoken: w.Say("evidence.spoken", "type", name, "where", label)}
	}
	k := Kind{Name: name, Note: strings.Join(notes, ", "), Here: tick(form.HereTick, "evidence.here")}
	if home {
		k.Home = tick(form.HomeTick, "evidence.home")
	}
	return k
}

// way says a plan.
func way(w words.Words, n int, p api.Plan) Way {
	out := Way{Title: w.Say("plan.title", "n", strconv.Itoa(n), "level", w.Or("level", string(p.Level), "none"),
		"profile", p.Profile, "minutes", w.Count("minutes", p.Minutes))}
	for _, step := range p.Steps {
		said := w.Reason(proof.Reason{Code: step.Code, Params: map[string]string{"type": string(step.Type)}})
		if step.Voucher {
			said = w.Say("title.party", "party", party(w, proof.Voucher), "title", said)
		}
		if step.Central {
			out.Steps = append(out.Steps, w.Say("plan.central", "step", said))
			continue
		}
		out.Steps = append(out.Steps, w.Say("plan.step", "step", said, "minutes", w.Count("minutes", step.Minutes)))
	}
	return out
}

// mostFirsts bounds the kinds that have a button of their own.
const mostFirsts = 4

// firsts are what the ways begin with, the best first: kinds that the person may
// show now and need not be brought.
func firsts(v *api.Visit) []proof.EvidenceType {
	var out []proof.EvidenceType
	for _, p := range v.Plans {
		for _, step := range p.Steps {
			if strings.HasPrefix(string(step.Code), "step_bring") {
				break
			}
			here := slices.ContainsFunc(v.Choices, func(c api.Choice) bool { return c.Type == step.Type })
			if step.Central || step.Voucher || !here {
				continue
			}
			if !slices.Contains(out, step.Type) && len(out) < mostFirsts {
				out = append(out, step.Type)
			}
			break
		}
	}
	return out
}

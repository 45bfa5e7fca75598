package form

import (
	"cmp"
	"slices"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/proof"
)

// shape is what a kind of paper or card tells, in the order of its print. Its
// name is the end of the keys of labels that are its own.
type shape struct {
	name   string
	fields []string
}

// shapes of evidence. What is not listed has anyShape.
var (
	licenceShape  = shape{"licence", []string{"surname", "given", "birth", "sex", "issued", "expires", "issuer", "number", "postcode"}}
	cardShape     = shape{"card", []string{"surname", "given", "birth", "number", "issuer", "expires"}}
	birthShape    = shape{"certificate", []string{"surname", "given", "birth", "sex", "issued", "number", "issuer"}}
	marriageShape = shape{"marriage", []string{"surname", "former", "given", "birth", "issued", "number", "issuer"}}
	accountShape  = shape{"account", []string{"surname", "given", "number", "issuer", "issued", "postcode"}}
	recordShape   = shape{"nino", []string{"surname", "given", "birth", "number", "postcode"}}
	paperShape    = shape{"paper", []string{"surname", "given", "birth", "number", "issuer", "issued", "postcode"}}
	anyShape      = shape{"any", []string{
		"surname", "given", "former", "birth", "sex", "number", "issuer", "issued", "expires", "postcode",
	}}
)

// shapeOf is the shape of a kind of evidence.
func shapeOf(t proof.EvidenceType) shape {
	switch t {
	case proof.UKLicence, "eu_dl":
		return licenceShape
	case "ni_electoral", "us_passport_card", "tacho_card", "forces_id", "pass_ref", "pass_card", "bus_pass", "freedom_pass", "firearm_cert":
		return cardShape
	case "birth_cert", "adoption_cert":
		return birthShape
	case "marriage_cert":
		return marriageShape
	case "bank_account", "student_loan", "credit_account", "mortgage", "loan", "utility_account":
		return accountShape
	case "nino_record":
		return recordShape
	case "education_cert", "tenancy", "insurance", "eidas_high", "eidas_sub":
		return paperShape
	}
	return anyShape
}

// capitals are the fields that are typed in capitals of one width: characters
// that are compared one by one.
var capitals = []string{"number", "postcode", "proofing", "token", "ods"}

// notes are what stands below fields, by their key.
var notes = map[string]string{
	"birth": "note.date", "issued": "note.date", "expires": "note.date", "given_on": "note.given_on", "until": "note.until",
	"known_since": "note.date.part", "mobile": "note.mobile", "text": "note.feedback", "postcode": "note.optional",
	"nhs": "note.optional", "proofing": "note.optional", "register": "note.optional",
}

// text makes a field to type, with a label of the shape's own where it has one.
func (q Question) text(key, of string) Field {
	w := q.Words
	label := cmp.Or(own(w.Has, "field."+key, of), "field."+key)
	f := Field{Key: key, Label: w.Say(label), Mono: slices.Contains(capitals, key)}
	if note := own(w.Has, "note."+key, of); note != "" {
		f.Note = w.Say(note)
	} else if notes[key] != "" {
		f.Note = w.Say(notes[key])
	}
	return f
}

// own is a key that only a shape has, "" where it has none.
func own(has func(string) bool, key, of string) string {
	if of == "" || !has(key+"."+of) {
		return ""
	}
	return key + "." + of
}

// texts makes fields to type.
func (q Question) texts(of string, keys ...string) []Part {
	var parts []Part
	for _, key := range keys {
		if key == "sex" {
			parts = append(parts, q.sex())
			continue
		}
		parts = append(parts, q.text(key, of))
	}
	return parts
}

// sex is what a paper tells of the holder's sex; nothing told is chosen.
func (q Question) sex() Choice {
	w := q.Words
	return Choice{Key: "sex", Label: w.Say("identity.sex"), Options: []Option{
		{Key: "", Label: w.Say("sex.none")}, {Key: "F", Label: w.Say("sex.F")},
		{Key: "M", Label: w.Say("sex.M")}, {Key: "X", Label: w.Say("sex.X")},
	}}
}

// claimParts asks who somebody says they are.
func claimParts(q Question) []Part {
	return q.texts("", "surname", "given", "birth", "sex", "postcode", "nhs")
}

// disputable are the problems that the paper itself may have: looked at again,
// it may well say so.
var disputable = []proof.Kind{proof.KindNumberWrong}

// evidenceParts asks for the printed fields of a piece of evidence. What a
// camera read stands in them already.
func evidenceParts(q Question) []Part {
	of := shapeOf(q.Chosen)
	parts := q.texts(of.name, of.fields...)
	if slices.Contains(disputable, q.Problem) {
		parts = append(parts, Option{Key: "sure", Label: q.Words.Say("ask.enter_evidence.sure")})
	}
	if q.Visit.Prefill == nil {
		return parts
	}
	read := prefilled(*q.Visit.Prefill)
	for i, p := range parts {
		switch p := p.(type) {
		case Field:
			p.Preset = read[p.Key]
			parts[i] = p
		case Choice:
			p.Preset = read[p.Key]
			parts[i] = p
		}
	}
	return parts
}

// prefilled is what a camera read, by the fields' keys.
func prefilled(f api.Fields) map[string]string {
	return map[string]string{
		"surname": f.Surname, "given": f.Given, "birth": writeDate(f.Birth), "sex": f.Sex, "postcode": f.Postcode,
		"former": f.Former, "number": f.Number, "issuer": f.Issuer, "issued": writeDate(f.Issued), "expires": writeDate(f.Expires),
	}
}

// identity reads who somebody says they are.
func (r *reader) identity() *api.Identity {
	return &api.Identity{
		Surname: r.trimmed("surname"), Given: r.trimmed("given"), Birth: r.date("birth"), Sex: r.Text("sex"),
		Postcode: r.trimmed("postcode"), NHSNumber: r.trimmed("nhs"),
	}
}

// fields reads the printed fields of a piece of evidence.
func (r *reader) fields() *api.Fields {
	return &api.Fields{
		Identity: *r.identity(), Former: r.trimmed("former"), Number: r.trimmed("number"), Issuer: r.trimmed("issuer"),
		Issued: r.date("issued"), Expires: r.date("expires"), Sure: r.Ticked("sure"),
	}
}

// onTable are the kinds of evidence that are ticked under a prefix.
func onTable(t *Typed, v *api.Visit, prefix string) []proof.EvidenceType {
	out := []proof.EvidenceType{}
	for _, c := range v.Choices {
		if t.Ticked(prefix + string(c.Type)) {
			out = append(out, c.Type)
		}
	}
	return out
}

// Keys of the ticks of what lies on the table and what is at home, before the
// kind of evidence.
const (
	HereTick = "here."
	HomeTick = "home."
)

// table tells what the patient has; what is ticked twice is here.
func table(a api.Answer, t *Typed, v *api.Visit) (api.Answer, Hint) {
	here, home := onTable(t, v, HereTick), onTable(t, v, HomeTick)
	home = slices.DeleteFunc(home, func(e proof.EvidenceType) bool { return slices.Contains(here, e) })
	if len(here)+len(home) == 0 {
		return a, Hint{Key: "form.evidence.none"}
	}
	a.Table = &proof.EvidenceTable{Here: here, Home: home}
	return a, Hint{}
}

// chosen begins with the kind that the answer names, else with the only one that
// is ticked as here.
func chosen(a api.Answer, t *Typed, v *api.Visit) (api.Answer, Hint) {
	if a.Type != "" {
		return a, Hint{}
	}
	switch here := onTable(t, v, HereTick); len(here) {
	case 0:
		return a, Hint{Key: "form.evidence.none"}
	case 1:
		a.Type = here[0]
		return a, Hint{}
	}
	return a, Hint{Key: "form.evidence.one"}
}

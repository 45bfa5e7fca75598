package form

import (
	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/ui/words"
)

// practiceParts asks for the codes of a practice's letter, in its order.
func practiceParts(q Question) []Part {
	parts := q.texts("", "ods", "account", "key")
	if q.Visit.Letter == nil {
		return parts
	}
	read := map[string]string{"ods": q.Visit.Letter.ODS, "account": q.Visit.Letter.Account, "key": q.Visit.Letter.Key}
	for i, p := range parts {
		if field, ok := p.(Field); ok {
			field.Preset = read[field.Key]
			parts[i] = field
		}
	}
	return parts
}

// practice reads the codes. The key is passed on as it was typed but for the
// blanks around it: some practices' keys tell capitals from small letters.
func (r *reader) practice() *api.Practice {
	return &api.Practice{ODS: r.need("ods"), Account: r.need("account"), Key: r.need("key")}
}

// claim reads a claim code and the contact details.
func (r *reader) claim() *proof.ClaimRedeemed {
	return &proof.ClaimRedeemed{Token: r.need("token"), Email: r.need("email"), Mobile: r.need("mobile")}
}

// redeemParts asks for a claim code and the contact details of the account.
func redeemParts(q Question) []Part {
	return q.texts("", "token", "email", "mobile")
}

// proxyParts is a request to act for the patient (DAPB3051, proxy use case):
// what the patient is told, on which ground, and what is asked for.
func proxyParts(q Question) []Part {
	w, p := q.Words, q.patient()
	basis := Choice{Key: "basis", Label: w.Say("proxy.basis")}
	for _, code := range q.Visit.Bases {
		basis.Options = append(basis.Options, Option{Key: string(code), Label: w.Named("basis", string(code))})
	}
	so := Group{Label: w.Say("proxy.ticks")}
	for _, key := range []string{"agreed", "alone", "interpreter"} {
		so.Options = append(so.Options, Option{Key: key, Label: w.Say("proxy." + key)})
	}
	return []Part{
		Says{p.Say("proxy.text"), sayAll(p, "proxy")},
		choice(w, "relationship", "proxy.relationship", "relationship"),
		basis,
		ticks(w, "proxy.seen", "seen"),
		ticks(w, "proxy.actions", "action"),
		q.text("until", ""),
		so,
	}
}

// proxy reads the request. One that ends access needs nothing else.
func (r *reader) proxy(patient words.Words, begun *proof.ProxyRequested) *proof.ProxyRequested {
	out := proof.ProxyRequested{
		Seen: ticked[proof.EvidenceType](r.Typed, patient, "seen"), Actions: ticked[proof.Code](r.Typed, patient, "action"),
		Agreed: r.Ticked("agreed"), Alone: r.Ticked("alone"), Interpreter: r.Ticked("interpreter"),
		Text: patient.Say("proxy.version"), Language: patient.Language(),
	}
	if begun != nil && begun.Withdraw {
		return &proof.ProxyRequested{
			Withdraw: true, Text: out.Text, Language: out.Language, Alone: out.Alone, Interpreter: out.Interpreter,
		}
	}
	out.Relationship, out.Basis = proof.Code(r.need("relationship")), proof.Code(r.need("basis"))
	if len(out.Actions) == 0 && r.hint == (Hint{}) {
		r.hint = Hint{Key: "form.actions"}
	}
	out.Until = r.date("until")
	return &out
}

// wishParts asks for the patient's wishes. Below P5 only the contact details of
// an account can be kept (NHS login; PDS writes need P5).
func wishParts(q Question) []Part {
	w := q.Words
	parts := q.texts("", "email", "mobile")
	if out := q.Visit.Outcome; out == nil || out.NHS != proof.P5 && out.NHS != proof.P9 {
		return parts
	}
	yesNo := func(key string) Choice {
		return keeping(w, Choice{Key: key, Label: w.Say("wish." + key), Options: []Option{
			{Key: "yes", Label: w.Say("wish.yes")}, {Key: "no", Label: w.Say("wish.no")},
		}})
	}
	return append(parts,
		keeping(w, choice(w, "contact", "wish.contact", "contact")), keeping(w, choice(w, "written", "wish.written", "written")),
		keeping(w, choice(w, "tongue", "wish.language", "tongue")), yesNo("interpreter"),
		q.text("pharmacy", ""), yesNo("opt_out"),
	)
}

// wishes reads the wishes; what was left as it is says nothing.
func wishes(t *Typed) *proof.PreferencesGiven {
	return &proof.PreferencesGiven{
		Email: t.trimmed("email"), Mobile: t.trimmed("mobile"), Contact: proof.Code(t.Text("contact")),
		Written: proof.Code(t.Text("written")), Language: t.Text("tongue"), Interpreter: proof.Code(t.Text("interpreter")),
		Pharmacy: t.trimmed("pharmacy"), OptOut: proof.Code(t.Text("opt_out")),
	}
}

// feedbackParts asks the patient, in their language, how it was. The scores are
// words: digits are the keys of the actions.
func feedbackParts(q Question) []Part {
	q.Words = q.patient()
	return []Part{choice(q.Words, "score", "ask.give_feedback.score", "feedback"), q.text("text", "")}
}

// feedback reads what the patient thought.
func (r *reader) feedback() *proof.FeedbackGiven {
	score := r.need("score")
	out := proof.FeedbackGiven{Text: r.trimmed("text")}
	if score != "" {
		out.Score = int(score[0] - '0')
	}
	return &out
}

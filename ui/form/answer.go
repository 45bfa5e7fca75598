package form

import (
	"strings"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/ui/words"
)

// Answer completes an answer with what was typed and the number of events that
// the clerk saw. A Hint says what is still missing; nothing is sent then.
func Answer(a api.Answer, t *Typed, v *api.Visit) (api.Answer, Hint) {
	a.Seen = v.Events
	switch a.Do {
	case api.DoAbandon:
		a.Reason = proof.Code(t.Text("reason"))
		if a.Reason == "" {
			return a, Hint{Key: "abandon.choose"}
		}
	case api.DoTable:
		return table(a, t, v)
	case api.DoAnswer:
		return filled(a, t, v)
	}
	return a, Hint{}
}

// filled completes the answer to an ask that has a form.
func filled(a api.Answer, t *Typed, v *api.Visit) (api.Answer, Hint) {
	r := &reader{Typed: t}
	switch a.Ask {
	case proof.KeyDocument:
		a.Lines = lines(t)
	case proof.ReadChip:
		a.CAN = strings.ReplaceAll(strings.TrimSpace(t.Text("can")), " ", "")
	case proof.ExamineDocument:
		return examination(a, t, v)
	case proof.ChooseEvidence:
		return chosen(a, t, v)
	case proof.ClaimIdentity:
		r.need("surname")
		r.need("birth")
		a.Identity = r.identity()
	case proof.EnterEvidence:
		r.need("surname")
		a.Fields = r.fields()
	case proof.GiveVouch:
		a.Vouch = r.vouch(words.In(v.Language))
	case proof.GivePractice:
		a.Practice = r.practice()
	case proof.RequestProxy:
		a.Proxy = r.proxy(words.In(v.Language), a.Proxy)
	case proof.RedeemClaim:
		a.Claim = r.claim()
	case proof.SetPreferences:
		a.Preferences = wishes(t)
	case proof.GiveFeedback:
		a.Feedback = r.feedback()
	}
	return a, r.hint
}

// examination reads the ticks of an examination.
func examination(a api.Answer, t *Typed, v *api.Visit) (api.Answer, Hint) {
	exam := api.Examination{
		Original: t.Ticked("original"), Details: proof.Agreement(t.Text("details")), Features: []string{}, UVIR: t.Ticked("uvir"),
	}
	if exam.Details == "" {
		return a, Hint{Key: "exam.choose"}
	}
	if v.Document != nil {
		for _, code := range v.Document.Features {
			seen, wrong := t.Ticked("seen."+code), t.Ticked("wrong."+code)
			switch {
			case seen && wrong:
				return a, Hint{Key: "exam.both"}
			case seen:
				exam.Features = append(exam.Features, code)
			case wrong:
				exam.Doubts = append(exam.Doubts, code)
			}
		}
	}
	a.Exam = &exam
	return a, Hint{}
}

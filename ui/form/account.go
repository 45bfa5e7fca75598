package form

import (
	"strconv"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/ui/words"
)

// SignIn reads a clerk's name and secret.
func SignIn(t *Typed) api.SignIn {
	return api.SignIn{Operator: proof.OperatorID(t.trimmed("operator")), Secret: t.Text("secret")}
}

// Unlock reads a supervisor's sign-in and the clerk to unlock.
func Unlock(t *Typed) api.Unlock {
	return api.Unlock{Supervisor: SignIn(t), Operator: proof.OperatorID(t.trimmed("locked"))}
}

// First reads the first clerk.
func First(t *Typed) (api.FirstClerk, Hint) {
	if t.Text("secret") != t.Text("again") {
		return api.FirstClerk{}, Hint{"first.differs", "again"}
	}
	r := reader{Typed: t}
	return api.FirstClerk{
		Code: t.trimmed("code"), Name: t.trimmed("name"), Secret: t.Text("secret"),
		Training: proof.Training{Impostor: r.date("impostor"), Document: r.date("document")},
	}, r.hint
}

// Visit reads how a visit is to begin: its language, and the slip that the
// patient brings back.
func Visit(t *Typed, route proof.RouteName) api.NewVisit {
	return api.NewVisit{Route: route, Language: words.In(t.Text("language")).Language(), Continues: t.trimmed("continues")}
}

// Second reads another clerk's sign-in beside the first's, and what they say.
func Second(t *Typed, v *api.Visit) (api.SecondSignIn, Hint) {
	r := reader{Typed: t}
	says := r.need("second")
	return api.SecondSignIn{SignIn: SignIn(t), Seen: v.Events, Confirms: says == "yes"}, r.hint
}

// NoticeKey is the name of the chosen piece of news in Typed.
const NoticeKey = "notice"

// Notice reads which piece of news was chosen.
func Notice(t *Typed, slip bool) (api.NoticeSeen, Hint) {
	id, err := strconv.ParseUint(t.Text(NoticeKey), 10, 64)
	if err != nil {
		return api.NoticeSeen{}, Hint{Key: "notices.choose.first"}
	}
	return api.NoticeSeen{ID: id, Print: slip}, Hint{}
}

// secondParts is where another clerk signs. Neither answer is suggested.
func secondParts(q Question) []Part {
	w := q.Words
	return []Part{
		Choice{Key: "second", Label: w.Say("second.answer"), Options: []Option{
			{Key: "yes", Label: w.Say("second.yes")}, {Key: "no", Label: w.Say("second.no")},
		}},
		Field{Key: "operator", Label: w.Say("second.operator")},
		Field{Key: "secret", Label: w.Say("second.secret"), Secret: true},
	}
}

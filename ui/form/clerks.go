package form

import (
	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/ui/words"
)

// ClerkKey is the name of the chosen clerk in Typed.
const ClerkKey = "clerk"

// Clerk reads which clerk was chosen.
func Clerk(t *Typed) (proof.OperatorID, Hint) {
	id := proof.OperatorID(t.Text(ClerkKey))
	if id == "" {
		return "", Hint{Key: "clerks.first"}
	}
	return id, Hint{}
}

// ClerkParts asks for a clerk's role and days of training; for a new one, nil,
// for the name too.
func ClerkParts(w words.Words, of *proof.Operator, hint Hint, problem proof.Kind) []Part {
	role := choice(w, "role", "clerk.role", "opright")
	q := Question{Words: w, Hint: hint, Problem: problem}
	parts := []Part{}
	var trained proof.Training
	if of == nil {
		parts = append(parts, q.Judged(Field{Key: "name", Label: w.Say("clerk.name")}))
	} else {
		role.Preset, trained = string(of.Role), of.Training
	}
	day := func(key string, d proof.Date) Part {
		return q.Judged(Field{Key: key, Label: w.Say("clerk." + key), Note: w.Say("clerk.day"), Preset: writeDate(d)})
	}
	return append(parts, role, day("impostor", trained.Impostor), day("document", trained.Document), day("uvir", trained.UVIR))
}

// training reads the days of training.
func (r *reader) training() proof.Training {
	return proof.Training{Impostor: r.date("impostor"), Document: r.date("document"), UVIR: r.date("uvir")}
}

// ClerkChange reads a clerk's role and days of training.
func ClerkChange(t *Typed) (api.ClerkChange, Hint) {
	r := reader{Typed: t}
	in := api.ClerkChange{Do: api.DoChangeClerk, Role: proof.Role(r.need("role")), Training: r.training()}
	return in, r.hint
}

// NewClerk reads a further clerk, who sets an own secret later.
func NewClerk(t *Typed) (api.NewClerk, Hint) {
	r := reader{Typed: t}
	in := api.NewClerk{Name: r.need("name"), Role: proof.Role(r.need("role")), Training: r.training()}
	return in, r.hint
}

// CodeSignIn reads a one-time code and the own secret that it sets.
func CodeSignIn(t *Typed) (api.CodeSignIn, Hint) {
	if t.Text("secret") != t.Text("again") {
		return api.CodeSignIn{}, Hint{"first.differs", "again"}
	}
	return api.CodeSignIn{Operator: proof.OperatorID(t.trimmed("operator")), Code: t.trimmed("code"), Secret: t.Text("secret")}, Hint{}
}

// NewSecret reads a change of the own secret.
func NewSecret(t *Typed) (api.NewSecret, Hint) {
	if t.Text("secret") != t.Text("again") {
		return api.NewSecret{}, Hint{"first.differs", "again"}
	}
	return api.NewSecret{Old: t.Text("old"), Secret: t.Text("secret")}, Hint{}
}

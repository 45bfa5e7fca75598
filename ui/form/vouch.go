package form

import (
	"slices"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/ui/words"
)

// VoucherProved reports whether the voucher has shown evidence at this desk.
func VoucherProved(v *api.Visit) bool {
	return slices.ContainsFunc(v.People, func(p api.Person) bool { return p.Party == proof.Voucher && len(p.Evidence) > 0 })
}

// sayAll are the numbered sentences of a text, as many as there are.
func sayAll(w words.Words, prefix string) []string {
	var out []string
	for _, n := range []string{".1", ".2", ".3", ".4", ".5", ".6"} {
		if w.Has(prefix + n) {
			out = append(out, w.Say(prefix+n))
		}
	}
	return out
}

// vouchParts is the declaration of somebody who knows the patient (GPG 45
// vouching guidance): what they declare, who they are and where they work.
func vouchParts(q Question) []Part {
	w, p := q.Words, q.patient()
	parts := []Part{Says{p.Say("vouch.statement"), sayAll(p, "vouch")}}
	if VoucherProved(q.Visit) {
		parts = append(parts, Says{"", []string{w.Say("vouch.proved")}})
	} else {
		parts = append(parts, Says{"", []string{w.Say("vouch.details")}})
		parts = append(parts, q.texts("", "surname", "given", "birth", "given_on", "proofing")...)
	}
	parts = append(parts, choice(w, "occupation", "vouch.occupation", "occupation"))
	parts = append(parts, q.texts("", "organisation", "work_contact", "register", "known_since")...)
	tick := Group{Label: w.Say("vouch.ticks")}
	for _, key := range []string{"present", "signed", "related", "same_address"} {
		tick.Options = append(tick.Options, Option{Key: key, Label: w.Say("vouch." + key)})
	}
	call := Choice{Key: "call_back", Label: w.Say("vouch.call")}
	for _, code := range []proof.Code{proof.CallNotMade, proof.CallConfirmed, proof.CallFailed} {
		call.Options = append(call.Options, Option{Key: string(code), Label: w.Or("vouch.call", string(code), "none")})
	}
	return append(parts, tick, call)
}

// vouch reads the declaration. Whether it is one on paper the daemon knows.
func (r *reader) vouch(patient words.Words) *api.VouchForm {
	return &api.VouchForm{
		Voucher:  api.Identity{Surname: r.trimmed("surname"), Given: r.trimmed("given"), Birth: r.date("birth")},
		Proofing: r.trimmed("proofing"),
		VouchGiven: proof.VouchGiven{
			Occupation: proof.Code(r.need("occupation")), Organisation: r.need("organisation"),
			Contact: r.need("work_contact"), Register: r.trimmed("register"), Related: r.Ticked("related"),
			SameAddress: r.Ticked("same_address"), KnownSince: r.date("known_since"), Given: r.date("given_on"),
			Statement: patient.Say("vouch.version"), Signed: r.Ticked("signed"), Present: r.Ticked("present"),
			CallBack: proof.Code(r.Text("call_back")),
		},
	}
}

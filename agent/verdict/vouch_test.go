package verdict_test

import (
	"slices"
	"testing"

	"github.com/counterproof/counterproof/agent/gpg45"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/verdict"
)

// declared is a good declaration by an invented teacher.
var declared = proof.VouchGiven{Occupation: "teacher", Organisation: "Afon School", Contact: "01632 960001", KnownSince: day(2019, 9, 1),
	Statement: "1", Signed: true, Present: true}

// vouched is a visit in which somebody vouches; proved by a forces card or, with
// none, by nothing.
func vouched(t *testing.T, voucher proof.Person, number string, v proof.VouchGiven) []proof.Fact {
	facts := []proof.Fact{proof.IdentityClaimed{Person: wren}}
	if number != "" {
		facts = append(facts, proof.WayChosen{Way: proof.ChooseEvidence})
		facts = append(facts, card(t, "forces_id", voucher, number)...)
	} else {
		facts = append(facts, proof.WayChosen{Way: proof.GiveVouch})
	}
	return append(facts, v)
}

func TestVouches(t *testing.T) {
	t.Parallel()
	change := func(f func(*proof.VouchGiven)) proof.VouchGiven {
		v := declared
		f(&v)
		return v
	}
	for _, c := range []struct {
		rule    string
		voucher proof.Person
		number  string
		given   proof.VouchGiven
		result  proof.Result // once the sources have answered well
		profile string
		reason  proof.Code
	}{
		{"by a teacher proved to low here", tal, "F1", declared, proof.NotProved, "", ""},
		{"on paper", proof.Person{}, "", declared, proof.NotProved, "", ""},
		{"by a relative", tal, "F1", change(func(v *proof.VouchGiven) { v.Related = true }), proof.NotProved, "", proof.VouchRelated},
		{"of the same address", tal, "F1", change(func(v *proof.VouchGiven) { v.SameAddress = true }), proof.NotProved, "", proof.VouchRelated},
		{"not signed", tal, "F1", change(func(v *proof.VouchGiven) { v.Signed = false }), proof.NotProved, "", proof.VouchNotSigned},
		{"without a position", tal, "F1", change(func(v *proof.VouchGiven) { v.Organisation = "" }), proof.NotProved, "", proof.VouchNoPosition},
		{"by the patient", wren, "F1", declared, proof.Review, "", proof.SentToTeam},
		{"by the patient, on paper", proof.Person{}, "", change(func(v *proof.VouchGiven) { v.Voucher = wren }), proof.Review, "", proof.SentToTeam},
		{"denied on the telephone", proof.Person{}, "", change(func(v *proof.VouchGiven) { v.CallBack = proof.CallFailed }), proof.Review, "", proof.SentToTeam},
	} {
		t.Run(c.rule, func(t *testing.T) {
			s := visit(proof.Vouching, vouched(t, c.voucher, c.number, c.given)...)
			if s.Vouch == nil {
				t.Fatal("the vouch was not taken")
			}
			out := verdict.Final(s, policy(t), verdict.Known{Sources: &gpg45.Sources{Fraud: 2}})
			if out.Result != c.result || out.Profile != c.profile || c.reason != "" && !tells(out, c.reason) {
				t.Errorf("%s %s, want %s %s: %+v", out.Result, out.Profile, c.result, c.profile, out.Reasons)
			}
		})
	}
}

// TestAVouchersOwnVisit raises a vouch by a visit of the voucher's own, which
// only the opener can know of.
func TestAVouchersOwnVisit(t *testing.T) {
	t.Parallel()
	s := visit(proof.Vouching, vouched(t, tal, "F1", declared)...)
	known := verdict.Known{Sources: &gpg45.Sources{Fraud: 1}, Vouchers: map[int]proof.Level{s.Vouch.Event: proof.Medium}}
	out := verdict.Final(s, policy(t), known)
	if out.Profile != "L1A" || !slices.ContainsFunc(out.Scores.Evidence, func(e proof.Evidence) bool { return e.Type == proof.Vouch && e.Validity == 2 }) {
		t.Errorf("by a voucher proved to medium elsewhere: %s %+v", out.Profile, out.Scores)
	}
	known.Vouchers = map[int]proof.Level{s.Vouch.Event + 1: proof.High}
	if out := verdict.Final(s, policy(t), known); out.Level != proof.NoLevel {
		t.Errorf("another vouch's voucher raises this one: %s", out.Profile)
	}
}

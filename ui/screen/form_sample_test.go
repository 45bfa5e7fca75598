package screen_test

import (
	"time"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/ui/form"
	"github.com/counterproof/counterproof/ui/view"
)

// choices are the kinds of evidence of the policy.
func choices() []api.Choice {
	var all []api.Choice
	for _, t := range []proof.EvidenceType{
		"adoption_cert", "bank_account", "birth_cert", "bus_pass", "credit_account", "education_cert", "eea_id", "eidas_high", "eidas_sub",
		"eu_dl", "firearm_cert", "forces_id", "freedom_pass", "ho_travel", "insurance", "loan", "marriage_cert", "mortgage", "ni_electoral",
		"nino_record", "other", "pass_card", "pass_ref", "passport", "student_loan", "tacho_card", "tenancy", "uk_dl", "us_passport_card",
		"utility_account",
	} {
		all = append(all, api.Choice{Type: t, Strength: 2, Photo: t == "passport" || t == "uk_dl"})
	}
	return append(all, api.Choice{Type: proof.Vouch})
}

// plans are two ways to a level.
func plans() []api.Plan {
	return []api.Plan{
		{Level: proof.Medium, Profile: "M1C", Minutes: 21, Steps: []api.PlanStep{
			{Code: "step_key", Type: "uk_dl", Minutes: 3}, {Code: "step_uv_ir_colleague", Type: "uk_dl", Minutes: 7},
			{Code: "step_compare", Type: "uk_dl", Minutes: 1}, {Code: "step_fraud", Minutes: 10, Central: true},
		}},
		{Level: proof.Low, Profile: "L1A", Minutes: 64, Steps: []api.PlanStep{
			{Code: "step_bring_voucher", Type: proof.Vouch, Minutes: 60}, {Code: "step_statement", Type: proof.Vouch, Minutes: 3},
			{Code: "step_confirm", Type: proof.Vouch, Minutes: 1},
		}},
	}
}

// people are a patient and somebody who vouches.
func people() []api.Person {
	voucher := document().Person
	voucher.Surname, voucher.Given = proof.NewName("EXAMPLE"), proof.NewName("SAM")
	return []api.Person{
		{Person: document().Person, Evidence: []api.Piece{{Type: "bank_account", Examined: true, Problems: []proof.Code{proof.UnlinkedEvidence}}, {Type: proof.Vouch}}},
		{Party: proof.Voucher, Person: voucher, Evidence: []api.Piece{{Type: proof.Passport, Examined: true, Compared: true}}},
	}
}

// news are two pieces of news, one unseen.
func news() []api.Notice {
	return []api.Notice{
		{ID: 7, Ref: "CP-7K2M-49QX", Kind: "final_lowered", At: now},
		{ID: 3, Ref: "CP-1AAA-22BB", Kind: "proxy_suspended", At: now.Add(-48 * time.Hour), Seen: true},
	}
}

// formSamples are states that lead to the forms and to what belongs to them.
func formSamples(tag string, with func(view.State, func(*view.State)) view.State, ask func(...proof.Ask) view.State) []sample {
	end := proof.Ask{Kind: proof.Finish, Why: proof.NoSuitableDocument}
	of := func(change func(*view.State), asks ...proof.Ask) view.State { return with(ask(asks...), change) }
	home := of(func(s *view.State) { s.Visit, s.Notices = nil, news() })
	return []sample{
		{"claim_identity", of(func(s *view.State) {
			s.Visit.Route, s.Hint = proof.Vouching, form.Hint{Key: "form.date", Field: "birth"}
		}, proof.Ask{Kind: proof.ClaimIdentity})},
		{"choose_evidence", of(func(s *view.State) {
			s.Visit.Choices, s.Visit.Plans, s.Said = choices(), plans(), "ask.choose_evidence.said"
		}, proof.Ask{Kind: proof.ChooseEvidence}, end)},
		{"choose_evidence", of(func(s *view.State) {
			s.Visit.Route, s.Visit.Choices, s.Side = proof.Vouching, choices(), view.SideAllKinds
		}, proof.Ask{Kind: proof.ChooseEvidence, Party: proof.Voucher}, proof.Ask{Kind: proof.GiveVouch}, end)},
		{"capture_evidence", of(func(s *view.State) { s.Visit.Route = proof.DrivingLicence },
			proof.Ask{Kind: proof.ScanEvidence, Problem: proof.KindNoSymbol}, proof.Ask{Kind: proof.EnterEvidence}, proof.Ask{Kind: proof.ChooseEvidence}, end)},
		{"enter_evidence", of(func(s *view.State) {
			s.Chosen, s.Problem, s.Visit.Prefill = proof.UKLicence, proof.KindNumberWrong, &api.Fields{
				Identity: api.Identity{Surname: "MORGAN", Given: "SARAH MEREDYTH", Birth: proof.Date{Year: 1976, Month: 3, Day: 11}, Sex: "F"},
				Number:   "MORGA753116SM9IJ", Expires: proof.Date{Year: 2029, Month: 4, Day: 30},
			}
		}, proof.Ask{Kind: proof.EnterEvidence, Why: proof.DocMisread}, proof.Ask{Kind: proof.ScanEvidence}, proof.Ask{Kind: proof.ChooseEvidence}, end)},
		{"give_vouch", of(func(s *view.State) { s.Visit.Route = proof.Vouching }, proof.Ask{Kind: proof.GiveVouch}, proof.Ask{Kind: proof.ChooseEvidence}, end)},
		{"give_practice", of(func(s *view.State) { s.Visit.Route, s.Problem = proof.PracticeDetails, proof.KindPracticeCodes },
			proof.Ask{Kind: proof.GivePractice}, proof.Ask{Kind: proof.ScanEvidence}, proof.Ask{Kind: proof.ChooseEvidence}, end)},
		{"request_proxy", of(func(s *view.State) {
			s.Visit.Route, s.Visit.Bases = proof.ProxyAccess, []proof.Code{"best_interests", "child_consent", "no_record_access_nominee", "parental_responsibility"}
		}, proof.Ask{Kind: proof.RequestProxy}, end)},
		{"second_person", of(func(s *view.State) { s.Problem = proof.KindSameOperator },
			proof.Ask{Kind: proof.SecondPerson, Why: proof.NeedsSecondPerson}, proof.Ask{Kind: proof.Finish, Why: proof.NeedsSecondPerson})},
		{"redeem_claim", of(func(s *view.State) { s.Visit.Route, s.Problem = proof.ClaimAccount, proof.KindTokenWrong }, proof.Ask{Kind: proof.RedeemClaim}, end)},
		{"set_preferences", of(func(s *view.State) { s.Visit.Outcome = outcome() },
			proof.Ask{Kind: proof.SetPreferences}, proof.Ask{Kind: proof.ConfirmResult}, proof.Ask{Kind: proof.GiveFeedback})},
		{"give_feedback", of(func(s *view.State) { s.Visit.Outcome = outcome() }, proof.Ask{Kind: proof.GiveFeedback}, proof.Ask{Kind: proof.ConfirmResult})},
		{"result", of(func(s *view.State) {
			s.Visit.Route, s.Visit.People = proof.Vouching, people()
			s.Visit.Outcome = &proof.Outcome{
				Result: proof.Pending, Level: proof.NoLevel, Computed: "L1A", NHS: proof.P5, Provisional: true, Policy: "gpg45-0.4",
				Parties: []proof.PartyOutcome{{Party: proof.Voucher, Level: proof.Medium, Profile: "M1C"}},
				Reasons: []proof.Reason{{Code: "vouch_digital", Params: map[string]string{"strength": "2", "score": "2"}}, {Code: proof.UnlinkedEvidence}},
				Raise:   []proof.Reason{{Code: "fraud_check_after_sync", Params: map[string]string{"level": "low", "profile": "L1A", "steps": "fraud_check_after_sync"}}},
			}
		}, proof.Ask{Kind: proof.ConfirmResult}, proof.Ask{Kind: proof.ChooseEvidence}, proof.Ask{Kind: proof.SetPreferences}, proof.Ask{Kind: proof.GiveFeedback})},
		{"result", of(func(s *view.State) {
			s.Visit.Route = proof.ProxyAccess
			s.Visit.Outcome = &proof.Outcome{
				Result: proof.Requested, Level: proof.Low, Profile: "L1B", NHS: proof.NHSNone, Provisional: true, Policy: "gpg45-0.4", Request: proof.ProxySent,
				Parties: []proof.PartyOutcome{{Party: proof.Proxy, Level: proof.Low, Profile: "L1B"}},
				Reasons: []proof.Reason{{Code: proof.ProxySubmitted}, {Code: proof.ProxySuspendsAt, Params: map[string]string{"age": "16"}}, {Code: proof.ProxyNeedsHigh}},
			}
		}, proof.Ask{Kind: proof.ConfirmResult}, proof.Ask{Kind: proof.GiveFeedback})},
		{"examine", of(func(s *view.State) {
			s.Visit.Route, s.Visit.Document, s.Said = proof.Vouching, document(), "concern.said"
		}, proof.Ask{Kind: proof.ExamineDocument, Party: proof.Voucher})},
		{"home", with(home, func(s *view.State) { s.Problem = proof.KindRefWrong })},
		{"notices", with(home, func(s *view.State) { s.Side = view.SideNotices })},
	}
}

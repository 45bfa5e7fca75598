package entry

import (
	"slices"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/proof"
)

// Occupations are the positions in which somebody may vouch (the "official
// records" list of PASS schemes).
func Occupations() []proof.Code {
	return []proof.Code{
		"gp", "dentist", "nurse", "practice_administrator", "teacher", "tutor", "school_administrator", "social_worker", "solicitor",
		"bank_staff", "prison_officer", "probation_officer", "work_coach", "immigration_adviser", "employer_large", "public_authority",
	}
}

// Relationships are what a proxy may be to the patient (DAPB3051, proxy use case).
func Relationships() []proof.Code {
	return []proof.Code{
		"parent", "guardian", "carer_consented", "attorney_hw", "deputy_pw", "care_home_staff", "nominated_person",
	}
}

// Bases are the grounds for proxy access, for patients of every age (DAPB3051,
// proxy use case); package verdict says which of them fit an age.
func Bases() []proof.Code {
	return []proof.Code{
		"child_consent", "parental_responsibility", "best_interests", "consent", "lasting_power_attorney", "personal_welfare_deputy",
		"no_record_access_nominee",
	}
}

// Papers are the evidence of a ground that may be seen (DAPB3051, proxy use
// case); no copies are kept.
func Papers() []proof.EvidenceType {
	return []proof.EvidenceType{
		"birth_cert", "adoption_cert", "parental_order", "responsibility_agreement", "lpa_certified", "lpa_online", "court_order",
	}
}

// Actions are what a proxy may ask to do.
func Actions() []proof.Code {
	return []proof.Code{"appointments", "prescriptions", "record_summary", "record_full", "collect_results"}
}

// Vouch is a declaration. Of a voucher who was proved here the evidence tells
// who they are, and they declare today; of another the name is needed, or an own
// visit's reference, and an empty day of the letter or the call is today.
func Vouch(in api.VouchForm, here bool, today proof.Date) (proof.Fact, proof.Kind) {
	f := in.VouchGiven
	f.Voucher, f.Proofing = proof.Person{}, ""
	var kind proof.Kind
	if !here {
		if f.Voucher, kind = person(in.Voucher, today); kind != proof.KindNone {
			return nil, kind
		}
		f.Paper = true
	}
	if f.Given == (proof.Date{}) || !f.Paper {
		f.Given = today
	}
	if f.Proofing, kind = Continues(in.Proofing); kind != proof.KindNone {
		return nil, kind
	}
	if !here && f.Voucher.Surname.Key == "" && f.Proofing == "" {
		return nil, proof.KindDetailsMissing
	}
	var named bool
	if f.Statement, named = Version(f.Statement); !named {
		return nil, proof.KindBadRequest
	}
	for _, field := range []*string{&f.Organisation, &f.Register, &f.Contact} {
		tidy, ok := text(*field)
		if !ok {
			return nil, proof.KindOddLetters
		}
		*field = tidy
	}
	if kind := position(f, today); kind != proof.KindNone {
		return nil, kind
	}
	return f, proof.KindNone
}

// position checks what the vouch rests on: the voucher's position, how long they
// know the patient, and what a call back came to.
func position(f proof.VouchGiven, today proof.Date) proof.Kind {
	wrong := func(d proof.Date) bool { return !d.Valid() || today.Before(d) }
	switch {
	case !slices.Contains(Occupations(), f.Occupation), f.Organisation == "", f.Contact == "", f.KnownSince.Year == 0:
		return proof.KindDetailsMissing
	case wrong(f.KnownSince), wrong(f.Given), f.Given.Precision() != "day":
		return proof.KindDateWrong
	case f.Given.Before(f.KnownSince), f.Voucher.Birth.Year != 0 && f.KnownSince.Year < f.Voucher.Birth.Year:
		return proof.KindDateWrong
	case !slices.Contains([]proof.Code{proof.CallNotMade, proof.CallConfirmed, proof.CallFailed}, f.CallBack):
		return proof.KindBadRequest
	}
	return proof.KindNone
}

// Proxy is a request for somebody to act for the patient. Whether the ground
// fits the patient's age the verdict says. To withdraw takes no reason.
func Proxy(in proof.ProxyRequested, today proof.Date) (proof.Fact, proof.Kind) {
	explained, ok := Version(in.Text)
	if !ok || !tag(in.Language) {
		return nil, proof.KindBadRequest
	}
	in.Text = explained
	if in.Withdraw {
		return proof.ProxyRequested{Withdraw: true, Text: in.Text, Language: in.Language, Interpreter: in.Interpreter, Alone: in.Alone}, proof.KindNone
	}
	switch {
	case in.Relationship == "", in.Basis == "", len(in.Actions) == 0:
		return nil, proof.KindDetailsMissing
	case !slices.Contains(Relationships(), in.Relationship), !slices.Contains(Bases(), in.Basis):
		return nil, proof.KindBadRequest
	case !among(in.Actions, Actions()), !among(in.Seen, Papers()):
		return nil, proof.KindBadRequest
	case in.Until != (proof.Date{}) && (!in.Until.Valid() || in.Until.Precision() != "day" || in.Until.Before(today)):
		return nil, proof.KindDateWrong
	}
	return in, proof.KindNone
}

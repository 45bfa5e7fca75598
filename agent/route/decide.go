package route

import (
	"github.com/counterproof/counterproof/agent/gpg45"
	"github.com/counterproof/counterproof/agent/nhs"
	"github.com/counterproof/counterproof/agent/proof"
)

// Decide says what a visit came to, by a policy. It is a function of the state,
// so that the opener, which has the same events, finds the same.
func Decide(s State, p *gpg45.Policy) proof.Outcome {
	out := proof.Outcome{
		Result: proof.NotProved, Level: proof.NoLevel, NHS: proof.NHSNone, Policy: p.Version(), Training: s.Visit.Training,
		Scores: proof.Scores{Evidence: []proof.Evidence{}}, Checks: []proof.Check{}, Raise: []proof.Reason{},
		Reasons: []proof.Reason{},
	}
	if s.Abandoned {
		out.Result, out.Reasons = proof.Abandoned, []proof.Reason{{Code: s.Reason}}
		return out
	}
	a, err := p.Assess(Facts(s))
	if err != nil {
		// Facts that no visit can have: people look at it, no level is given.
		out.Result, out.Reasons = proof.Review, []proof.Reason{{Code: proof.ClerkStopped}}
		return out
	}
	out.Level, out.Profile, out.Computed, out.Scores = a.Level, a.Profile, a.Computed, a.Scores
	out.Provisional, out.Checks, out.Raise = a.Provisional, a.Checks, a.Raise
	out.Result = result(s, a)
	if out.Result != proof.Proved {
		out.Level, out.Profile = proof.NoLevel, ""
	}
	out.Reasons = append(ownReasons(s, a), a.Reasons...)
	return withNHS(s, p, out, len(a.Hold) > 0 || out.Result == proof.Review)
}

// result sorts a visit: what the assessment holds back, or a machine called
// another person, people look at; the rest is proved if it has a level.
func result(s State, a gpg45.Assessment) proof.Result {
	switch {
	case len(a.Hold) > 0 || s.Differs():
		return proof.Review
	case a.Level == proof.NoLevel:
		return proof.NotProved
	}
	return proof.Proved
}

// ownReasons are the reasons that only the route knows, the assessment's holds
// among them where no sentence of its own says them.
func ownReasons(s State, a gpg45.Assessment) []proof.Reason {
	var out []proof.Reason
	said := func(c proof.Code) bool {
		for _, r := range append(out, a.Reasons...) {
			if r.Code == c {
				return true
			}
		}
		return false
	}
	add := func(c proof.Code) {
		if c != "" && !said(c) {
			out = append(out, proof.Reason{Code: c})
		}
	}
	add(s.Reason)
	if s.Document == nil {
		add(s.Rejected)
	}
	if s.Differs() {
		add(proof.FaceDifferent)
	}
	for _, c := range a.Hold {
		add(c)
	}
	return out
}

// withNHS adds the NHS level, which is an output of its own.
func withNHS(s State, p *gpg45.Policy, out proof.Outcome, review bool) proof.Outcome {
	standing := p.NHS().Assess(nhs.Facts{
		Birth: s.Claimed().Birth, Today: Today(s.Started.At), Level: out.Level, Checks: out.Checks, Review: review,
	})
	if out.Result == proof.NotProved {
		return out
	}
	out.NHS = standing.Level
	out.Provisional = out.Provisional || standing.Provisional
	out.Reasons = append(out.Reasons, standing.Reasons...)
	return out
}

// Facts are what a visit knows, for scoring. A machine's "another person" that
// nothing took back is told whatever else happened since.
func Facts(s State) gpg45.Facts {
	f := gpg45.Facts{Today: Today(s.Started.At), Training: s.Visit.Training}
	if s.Document == nil {
		return f
	}
	doc := gpg45.Document{
		Type: s.EvidenceType(), Event: s.Document.Event, Source: s.Document.Source, Digits: digits(s),
		Expiry: s.Document.MRZ.Fields.ExpiryDate, Specimen: s.Document.MRZ.Specimen,
	}
	if s.Exam != nil {
		doc.Exam = &gpg45.Exam{Event: s.Exam.Event, By: s.Exam.By, DocumentExamined: s.Exam.DocumentExamined}
	}
	if s.Person != nil {
		doc.Person = &gpg45.PersonCheck{Event: s.Person.Event, By: s.Person.By, PersonCompared: s.Person.PersonCompared}
	}
	switch {
	case s.Machine != nil:
		doc.Machine = &gpg45.MachineCheck{Event: s.Machine.Event, Decision: s.Machine.Decision}
	case s.Differs():
		doc.Machine = &gpg45.MachineCheck{Decision: proof.NoMatch}
	}
	f.Documents = []gpg45.Document{doc}
	return f
}

// digits tells how the check digits came out.
func digits(s State) gpg45.Digits {
	valid, known := s.Document.MRZ.ChecksValid()
	switch {
	case !known:
		return gpg45.NoDigits
	case valid:
		return gpg45.GoodDigits
	}
	return gpg45.BadDigits
}

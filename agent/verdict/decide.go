// Package verdict says what a visit came to: it turns the state of a visit into
// facts, has package gpg45 score them and package nhs tell the NHS level, and
// sorts the visit by its result, with every reason.
//
// It asks nobody and keeps nothing. At the counter it knows the visit's own
// events; where records are opened it is told what else is known.
//
// # The laws
//
//   - The same state, policy and knowledge give the same outcome, wherever it is
//     asked: the opener must find what the counter found.
//   - It has no scores of its own: they come from the policy.
//   - Whatever anybody or anything held against a visit goes to people and gives
//     no level, whatever else was shown.
//   - Every result is explained in words.
package verdict

import (
	"slices"
	"strings"

	"github.com/counterproof/counterproof/agent/gpg45"
	"github.com/counterproof/counterproof/agent/nhs"
	"github.com/counterproof/counterproof/agent/plan"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/route"
)

// Known is what is known beside the visit's own events, where records are
// opened; the zero value is the counter, which knows nothing of it.
type Known struct {
	Sources   *gpg45.Sources            // fraud and activity
	Documents map[int]gpg45.RecordCheck // what a source says of a document, by the event that told it
	Vouchers  map[int]proof.Level       // what a voucher's own visit proved, by the event of the vouch
	Earlier   []route.State             // visits that this one continues
	Record    nhs.Record
	Details   nhs.GPDetails
	Refused   bool // the practice's system does not know the details
	Contact   bool // e-mail address and mobile number are confirmed
	Hold      []proof.Code
}

// Decide says what a visit came to, by a policy. It is a function of the state,
// so that the opener, which has the same events, finds the same.
func Decide(s route.State, p *gpg45.Policy) proof.Outcome { return Final(s, p, Known{}) }

// Final is Decide with what else is known where records are opened.
func Final(s route.State, p *gpg45.Policy, k Known) proof.Outcome {
	out := proof.Outcome{
		Result: proof.NotProved, Level: proof.NoLevel, NHS: proof.NHSNone, Policy: p.Version(), Training: s.Visit.Training,
		Scores: proof.Scores{Evidence: []proof.Evidence{}}, Checks: []proof.Check{}, Raise: []proof.Reason{},
		Reasons: []proof.Reason{},
	}
	if s.Abandoned {
		out.Result, out.Reasons = proof.Abandoned, []proof.Reason{{Code: s.Reason}}
		return out
	}
	facts := known(s, p, k)
	a, err := p.Assess(facts)
	if err != nil {
		// Facts that no visit can have: people look at it, no level is given.
		out.Result, out.Reasons = proof.Review, []proof.Reason{{Code: proof.ClerkStopped}}
		return out
	}
	out.Level, out.Profile, out.Computed, out.Scores = a.Level, a.Profile, a.Computed, a.Scores
	out.Provisional, out.Checks = a.Provisional, a.Checks
	out.Raise = plan.Raise(p, facts, a)
	held := slices.Concat(a.Hold, k.Hold, holds(s), unlinked(s, p, k))
	var theirs []proof.Code
	out.Parties, theirs = others(s, p)
	held = append(held, theirs...)
	request := requested(s, p, out)
	out.Request, held = request.State, append(held, request.Hold...)
	out.Result = result(s, out, held, request, k)
	if out.Result == proof.Review {
		out, a = withheld(out, a)
	}
	out.Reasons = append(reasons(s, a, held, request, k), a.Reasons...)
	return withNHS(s, p, out, k)
}

// levelWithheld is the code of an assessment that people look at first.
const levelWithheld proof.Code = "level_withheld"

// withheld takes the level from everybody of a visit that people look at first,
// and from what is said of it; what was computed is kept for those people.
func withheld(out proof.Outcome, a gpg45.Assessment) (proof.Outcome, gpg45.Assessment) {
	out.Raise = []proof.Reason{} // at the counter nothing raises a withheld level
	for i := range out.Parties {
		out.Parties[i].Level, out.Parties[i].Profile = proof.NoLevel, ""
	}
	if out.Level == proof.NoLevel {
		return out, a
	}
	out.Computed, out.Level, out.Profile = out.Profile, proof.NoLevel, ""
	a.Reasons[0] = proof.Reason{Code: levelWithheld, Params: map[string]string{"policy": a.Policy}}
	return out, a
}

// holds are the reasons of the visit itself for people to look first.
func holds(s route.State) []proof.Code {
	var out []proof.Code
	if s.Concern {
		out = append(out, proof.SentToTeam)
	}
	if s.Colleague != nil && (s.Second == nil || !s.Second.Confirms) {
		out = append(out, proof.NeedsSecondPerson)
	}
	if s.Differs() || s.Voucher.Differs() || s.Proxy.Differs() {
		out = append(out, proof.FaceDifferent)
	}
	if route.SamePerson(s.Proxy.Claimed(), s.Claimed()) { // nobody acts for themselves
		out = append(out, proof.SentToTeam)
	}
	if twice(s) {
		out = append(out, proof.SameDocumentTwice)
	}
	for _, piece := range s.Pieces() {
		if piece.Vouch != nil && slices.ContainsFunc(vouchProblems(s, *piece.Vouch), grave) {
			out = append(out, proof.SentToTeam)
		}
	}
	return out
}

// unlinked is what speaks against evidence that tells of somebody else. It counts
// for nothing, and that it is a forgery, or another person's, is not forgotten.
func unlinked(s route.State, p *gpg45.Policy, k Known) []proof.Code {
	f := gpg45.Facts{Today: s.Today(), Training: s.Visit.Training}
	for _, who := range s.Parties() {
		for _, piece := range who.Pieces() {
			if who.Linked(piece) == "" {
				continue
			}
			doc := document(piece)
			if record, found := k.Documents[doc.Event]; found {
				doc.Record = &record
			}
			f.Documents = append(f.Documents, doc)
		}
	}
	a, err := p.Assess(f)
	if err != nil {
		return []proof.Code{proof.SentToTeam}
	}
	return a.Hold
}

// grave reports a problem of a vouch that people must look at; the others only
// make it worth nothing.
func grave(c proof.Code) bool { return c == proof.VouchBySelf || c == proof.VouchContradicted }

// twice reports one document that was shown for two people.
func twice(s route.State) bool {
	seen := map[string]proof.Party{}
	for _, who := range s.Parties() {
		for _, piece := range who.Pieces() {
			name := string(piece.Type()) + " " + piece.Issuer() + " " + piece.Number()
			if piece.Number() == "" {
				continue
			}
			if first, found := seen[name]; found && first != who.Party {
				return true
			}
			seen[name] = who.Party
		}
	}
	return false
}

// others are the results of the other people, and what holds them back.
func others(s route.State, p *gpg45.Policy) ([]proof.PartyOutcome, []proof.Code) {
	var out []proof.PartyOutcome
	var held []proof.Code
	for _, who := range s.Parties()[1:] {
		a, err := p.Assess(facts(s, who, p))
		if err != nil {
			return out, append(held, proof.SentToTeam)
		}
		held = append(held, a.Hold...)
		out = append(out, proof.PartyOutcome{Party: who.Party, Level: a.Level, Profile: a.Profile, Scores: a.Scores, Checks: a.Checks})
	}
	return out, held
}

// result sorts a visit: what anything holds back people look at; a request and
// what only the centre can check come to no level by themselves.
func result(s route.State, out proof.Outcome, held []proof.Code, r standing, k Known) proof.Result {
	switch {
	case len(held) > 0:
		return proof.Review
	case r.Refused != "":
		return proof.NotProved
	case r.State == proof.ProxySent:
		return proof.Requested
	case out.Level != proof.NoLevel, s.Practice != nil && k.Details == nhs.DetailsAccepted:
		return proof.Proved
	case s.Practice != nil && !k.Refused, s.Redeemed != nil, slices.ContainsFunc(out.Raise, central):
		return proof.Pending
	}
	return proof.NotProved
}

// central reports a way to a level that needs nobody at the counter.
func central(r proof.Reason) bool {
	for code := range strings.SplitSeq(r.Params["steps"], ",") {
		if !strings.HasSuffix(code, "_after_sync") {
			return false
		}
	}
	return r.Params["steps"] != ""
}

// reasons are those that only the route knows, and the holds where no sentence
// of the assessment says them.
func reasons(s route.State, a gpg45.Assessment, held []proof.Code, r standing, k Known) []proof.Reason {
	var out []proof.Reason
	add := func(reason proof.Reason) {
		said := func(other proof.Reason) bool { return other.Code == reason.Code }
		if reason.Code != "" && !slices.ContainsFunc(out, said) && !slices.ContainsFunc(a.Reasons, said) {
			out = append(out, reason)
		}
	}
	add(proof.Reason{Code: s.Reason})
	if s.Document == nil {
		add(proof.Reason{Code: s.Rejected})
	}
	for _, c := range held {
		add(proof.Reason{Code: c})
	}
	for _, piece := range s.Pieces() {
		add(proof.Reason{Code: s.Linked(piece), Event: piece.Event()})
	}
	switch {
	case s.Practice != nil && k.Refused:
		add(proof.Reason{Code: proof.DetailsRefused, Event: s.Practice.Event})
	case s.Practice != nil && k.Details != nhs.DetailsAccepted:
		add(proof.Reason{Code: proof.DetailsPending, Event: s.Practice.Event})
	}
	if s.Redeemed != nil {
		add(proof.Reason{Code: proof.ClaimPending})
	}
	if s.TakenBack {
		add(proof.Reason{Code: proof.FindingTakenBack})
	}
	for _, reason := range r.Reasons {
		add(reason)
	}
	return out
}

// withNHS adds the NHS level, which is an output of its own.
func withNHS(s route.State, p *gpg45.Policy, out proof.Outcome, k Known) proof.Outcome {
	if out.Result == proof.NotProved || s.Redeemed != nil {
		return out
	}
	facts := nhs.Facts{
		Birth: s.Claimed().Birth, Today: s.Today(), Level: out.Level, Checks: out.Checks,
		Review: out.Result == proof.Review, Record: k.Record, Details: k.Details, Contact: k.Contact,
	}
	if s.Practice != nil && k.Details == "" && !k.Refused {
		facts.Details = nhs.DetailsPending
	}
	standing := p.NHS().Assess(facts)
	out.NHS = standing.Level
	out.Provisional = out.Provisional || standing.Provisional
	out.Reasons = append(out.Reasons, standing.Reasons...)
	return out
}

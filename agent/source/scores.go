package source

import (
	"slices"

	"github.com/counterproof/counterproof/agent/gpg45"
	"github.com/counterproof/counterproof/agent/proof"
)

// Codes of hits that block release.
const (
	CodeTheft     proof.Code = "theft_flag"
	CodeDeceased  proof.Code = "deceased_flag"
	CodeSynthetic proof.Code = "synthetic_flag"
)

// blocking are the codes of the checks whose hit blocks release.
var blocking = map[Check]proof.Code{
	IdentityTheft: CodeTheft, Impersonation: CodeTheft, Mortality: CodeDeceased, Synthetic: CodeSynthetic,
}

// Sets of fraud checks: one of them complete and clear is a score of 1, both
// are 2 (GPG 45, identity fraud).
var (
	theftSet  = []Check{IdentityTheft, Impersonation}
	recordSet = []Check{Mortality, Synthetic}
)

// byRemote is who makes the checks of this package.
var byRemote = proof.Actor{Kind: proof.ByRemote}

// Scores says what answers are worth: of the identity, and of each document by
// the event that told it. Answers that are Down count as not given. Where nobody
// was asked, the scores are 0 and final: there is no source to raise them.
func Scores(answers []Answer, u gpg45.Unconfirmed) (*gpg45.Sources, map[int]gpg45.RecordCheck) {
	s := &gpg45.Sources{Fraud: fraud(answers), Activity: activity(answers, u)}
	for _, a := range answers {
		code, blocks := blocking[a.Check]
		if blocks && a.Verdict == Hit && !slices.Contains(s.Hits, code) {
			s.Hits = append(s.Hits, code)
		}
	}
	slices.Sort(s.Hits)
	return s, documents(answers)
}

// fraud is the score (0–3) of the fraud checks. A hit, or no source that applies
// and can be asked, gives none.
func fraud(answers []Answer) int {
	said := func(c Check, v Verdict) bool {
		return slices.ContainsFunc(answers, func(a Answer) bool { return a.Check == c && a.Verdict == v })
	}
	if said(Applicable, Miss) || said(Available, Miss) {
		return 0
	}
	passed := func(set []Check) bool {
		return !slices.ContainsFunc(set, func(c Check) bool { return said(c, Hit) || !said(c, Miss) })
	}
	hit := slices.ContainsFunc(slices.Concat(theftSet, recordSet), func(c Check) bool { return said(c, Hit) })
	theft, record := passed(theftSet), passed(recordSet)
	switch {
	case hit:
		return 0
	case theft && record && independent(answers):
		return 3
	case theft && record:
		return 2
	case theft || record:
		return 1
	}
	return 0
}

// independent reports whether the fraud checks came from more than one source,
// none of them the team that proofs.
func independent(answers []Answer) bool {
	var sources []string
	for _, a := range answers {
		if _, fraud := blocking[a.Check]; !fraud || a.Verdict != Miss {
			continue
		}
		if !a.Independent {
			return false
		}
		if !slices.Contains(sources, a.Source) {
			sources = append(sources, a.Source)
		}
	}
	return len(sources) > 1
}

// activity is the best score (0–4) of what is known of the identity over time:
// for how long, and no more than how the organisation checks whom it knows
// allows.
func activity(answers []Answer, u gpg45.Unconfirmed) int {
	best := 0
	for _, a := range answers {
		if a.Check == Activity && a.Verdict == Hit {
			best = max(best, min(u.Activity(a.Since, a.Asked), a.Keeping.ceiling()))
		}
	}
	return best
}

// documents joins the answers about each document.
func documents(answers []Answer) map[int]gpg45.RecordCheck {
	out := map[int]gpg45.RecordCheck{}
	missed := map[int][]Check{}
	for _, a := range answers {
		if !slices.Contains(OfDocument(), a.Check) || a.Verdict != Hit && a.Verdict != Miss {
			continue
		}
		r := out[a.Event]
		r.Event, r.By = a.Event, byRemote
		switch {
		case a.Check == Record:
			r.Matched = r.Matched || a.Verdict == Hit
		case a.Verdict == Hit:
			r.Hit = true
		default:
			missed[a.Event] = append(missed[a.Event], a.Check)
		}
		out[a.Event] = r
	}
	for event, r := range out {
		r.Clear = !r.Hit && slices.Contains(missed[event], Cancelled) && slices.Contains(missed[event], LostStolen)
		out[event] = r
	}
	return out
}

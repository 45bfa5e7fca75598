// Package source asks the outside sources that stand behind a proofing: whether
// an identity is known to be stolen, impersonated, made up or dead, how long it
// has been known, whether a document is on a list of lost or cancelled ones, and
// whether a GP practice's system knows the details that the practice issued.
// Sources that one can do without a contract come with it as a simulator.
//
// It decides nothing and keeps nothing. Only where records are opened is
// anything asked.
//
// # The laws
//
//   - An answer is hit, miss or down. Down is no answer: nothing is scored, and it
//     is asked again.
//   - A score needs every check of its set answered. What was not asked scores 0.
//   - Scores is pure: the same answers give the same scores.
//   - An answer holds nothing of the person: what is kept of a case may hold it.
package source

import (
	"context"
	"slices"

	"github.com/counterproof/counterproof/agent/proof"
)

// Check is what is asked, in the words of the GOV.UK One Login vocabulary
// (fraudCheck and dataCheck) where that has one.
type Check string

// The checks. What a hit means stands behind each.
const (
	IdentityTheft Check = "identity_theft_check"            // the identity was reported stolen
	Impersonation Check = "impersonation_risk_check"        // it is at risk of being impersonated
	Mortality     Check = "mortality_check"                 // its holder is recorded as dead
	Synthetic     Check = "synthetic_identity_check"        // it should have left records and has not
	Applicable    Check = "applicable_authoritative_source" // there is a source for such a person
	Available     Check = "available_authoritative_source"  // and it can be asked
	Activity      Check = "activity_history"                // the identity is known, since Answer.Since
	Record        Check = "record_check"                    // the issuer has the document with these details
	Cancelled     Check = "cancelled_check"                 // it was cancelled
	LostStolen    Check = "lost_stolen_check"               // it was reported lost or stolen
)

// OfPerson lists the checks about a person.
func OfPerson() []Check {
	return []Check{IdentityTheft, Impersonation, Mortality, Synthetic, Applicable, Available, Activity}
}

// OfDocument lists the checks about a document.
func OfDocument() []Check { return []Check{Record, Cancelled, LostStolen} }

// Verdict is what a source answers.
type Verdict string

// The verdicts.
const (
	Hit  Verdict = "hit"
	Miss Verdict = "miss" // asked, and not so
	Down Verdict = "down" // nobody answered
)

// Keeping is how an organisation checks the identities whose activity it knows
// (GOV.UK One Login vocabulary, identityCheckPolicy).
type Keeping string

// The keepings, weakest first.
const (
	KeepsOwn       Keeping = "none"                           // an own identity process
	KeepsPublished Keeping = "published"                      // against an authoritative source
	KeepsMLR       Keeping = "money_laundering_regulations"   // as banks must
	KeepsOfficial  Keeping = "physical_or_biometric_official" // and compared with an official image
)

// ceiling is the highest activity score that an organisation's word gives; 0 for
// a keeping that is not known.
func (k Keeping) ceiling() int {
	return 1 + slices.Index([]Keeping{KeepsOwn, KeepsPublished, KeepsMLR, KeepsOfficial}, k)
}

// Document is a document that is asked about.
type Document struct {
	Type   proof.EvidenceType
	Issuer string // ICAO 9303-3 §5 code, or the body's name
	Number string
}

// Question asks one thing of a source.
type Question struct {
	Check    Check
	Person   proof.Person
	Postcode string     // as the person gave it; "" if not
	Today    proof.Date // civil date in Europe/London
	Document Document   // of the checks about one
	Event    int        // Seq of the event that told the document, 0 otherwise
}

// Answer is what a source said. It names no person.
type Answer struct {
	Check       Check      `json:"check"`
	Verdict     Verdict    `json:"verdict"`
	Source      string     `json:"source"`                // its name, a short word
	Independent bool       `json:"independent,omitempty"` // of whoever proofs
	Event       int        `json:"event,omitempty"`       // of the question
	Asked       proof.Date `json:"asked"`
	// Since and Keeping are of a hit of Activity.
	Since   proof.Date `json:"since,omitzero"`
	Keeping Keeping    `json:"keeping,omitempty"`
}

// About is what a source is.
type About struct {
	Name        string // a short word, for records
	Independent bool   // of whoever proofs
	Checks      []Check
}

// Source answers questions of the checks that it covers.
type Source interface {
	// About tells what the source is; it is the same each time.
	About() About
	// Ask answers one question. It asks once: a failure, whatever its cause, is
	// Down, and whoever asks tries again later. Asking twice changes nothing.
	Ask(ctx context.Context, q Question) Answer
}

// Ask puts every question to every source that covers it, in order.
func Ask(ctx context.Context, sources []Source, questions []Question) []Answer {
	var answers []Answer
	for _, s := range sources {
		about := s.About()
		for _, q := range questions {
			if !slices.Contains(about.Checks, q.Check) {
				continue
			}
			a := s.Ask(ctx, q)
			a.Check, a.Event, a.Asked = q.Check, q.Event, q.Today
			a.Source, a.Independent = about.Name, about.Independent
			answers = append(answers, a)
		}
	}
	return answers
}

// AnyDown reports whether a source did not answer, so that all is asked again.
func AnyDown(answers []Answer) bool {
	return slices.ContainsFunc(answers, func(a Answer) bool { return a.Verdict != Hit && a.Verdict != Miss })
}

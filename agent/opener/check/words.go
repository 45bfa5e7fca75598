package check

import (
	"slices"

	"github.com/counterproof/counterproof/agent/proof"
)

// Kind says in one word why a record could not be opened. Add only at the end:
// the defects file speaks these words.
type Kind string

// The kinds.
const (
	KindNone       Kind = ""
	KindSignature  Kind = "signature"         // the counter's signature or the centre's receipt does not hold
	KindDamaged    Kind = "damaged"           // a part does not open, or is not the one that the header names
	KindUnknownKey Kind = "unknown_key"       // a part that the score rests on is sealed to a key that is not here
	KindTraining   Kind = "training_mismatch" // made in training and opened outside it, or the other way round
	KindUnreadable Kind = "unreadable"        // it opened, but no visit of a known schema is inside
	KindOtherVisit Kind = "other_visit"       // the visit inside was to be another record
	KindErased     Kind = "erased"            // a part that the score rests on was destroyed on purpose
)

// Finding is something that speaks against a record that opened. A record with
// one is held for people. Add only at the end.
type Finding string

// The findings.
const (
	// RescoredDifferently: the events come to something else than the counter
	// said.
	RescoredDifferently Finding = "rescored_differently"
	// PolicyUnknown: the policy that the visit names did not come with this
	// program, so it could not be scored again.
	PolicyUnknown Finding = "policy_unknown"
	// NotDecided: the events do not lead to a decided, confirmed visit.
	NotDecided Finding = "not_decided"
	// ClaimsDiffer: the claims tell another person, document or outcome than
	// the events.
	ClaimsDiffer Finding = "claims_differ"
	// EvidenceMissing: a picture that the visit speaks of is not in the record.
	EvidenceMissing Finding = "evidence_missing"
	// DuplicateVisit: the same visit came before, in another record.
	DuplicateVisit Finding = "duplicate_visit"
	// ClockDoubtful: the times of the visit cannot be, so that no date that was
	// judged by them holds.
	ClockDoubtful Finding = "clock_doubtful"
	// ChipNotConfirmed: the files of a chip do not bear out what the counter said
	// of it.
	ChipNotConfirmed Finding = "chip_not_confirmed"
	// ChainBroken: the record does not follow the one before it of its counter, or
	// stands where another one stood.
	ChainBroken Finding = "chain_broken"
	// KeyTooWeak: the visit comes to a high level, and its counter's key is not kept
	// as the centre asks of those that reach one.
	KeyTooWeak Finding = "key_too_weak"
)

// Verdict is what a visit comes to, in the words of package proof.
type Verdict struct {
	Result      proof.Result   `json:"result"`
	Level       proof.Level    `json:"level"`
	Profile     string         `json:"profile"` // "" where none is met or a level is withheld
	NHS         proof.NHSLevel `json:"nhs"`
	Provisional bool           `json:"provisional"`
}

// Held is the verdict of a record in doubt: people look at it, nothing counts.
func Held() Verdict {
	return Verdict{Result: proof.Review, Level: proof.NoLevel, NHS: proof.NHSNone}
}

// verdictOf is an outcome's verdict.
func verdictOf(o proof.Outcome) Verdict {
	return Verdict{o.Result, o.Level, o.Profile, o.NHS, o.Provisional}
}

// Report is what came of looking at one record. As JSON it holds no personal data.
type Report struct {
	// Kind says why the record could not be opened; then nothing below counts.
	Kind Kind `json:"error_kind,omitempty"`
	// Verdict is the counter's outcome where the opener's own agrees; where
	// anything was found, it is a review without a level.
	Verdict
	Agrees   bool         `json:"agrees"` // both outcomes are the same
	Policy   string       `json:"policy"` // by which it was scored again
	Reasons  []proof.Code `json:"reasons"`
	Findings []Finding    `json:"findings,omitempty"`
	// Counter and Rescored are both outcomes where they are not the same.
	Counter  *Verdict `json:"counter,omitempty"`
	Rescored *Verdict `json:"rescored,omitempty"`
	// Cause is behind Kind, for the log; it names nobody.
	Cause error `json:"-"`
}

// Defective is the report of a record that did not open.
func Defective(kind Kind, cause error) Report {
	return Report{Kind: kind, Cause: cause, Verdict: Held(), Reasons: []proof.Code{}}
}

// With holds the record back because of a finding.
func (r Report) With(f Finding) Report {
	if !slices.Contains(r.Findings, f) {
		r.Findings = append(slices.Clone(r.Findings), f)
	}
	r.Verdict = Held()
	return r
}

package opener

import (
	"slices"

	"github.com/counterproof/counterproof/agent/packet"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/sync/wire"
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
)

// Verdict is what a visit comes to, in the words of package proof.
type Verdict struct {
	Result      proof.Result   `json:"result"`
	Level       proof.Level    `json:"level"`
	Profile     string         `json:"profile"` // "" where none is met or a level is withheld
	NHS         proof.NHSLevel `json:"nhs"`
	Provisional bool           `json:"provisional"`
}

// held is the verdict of a record in doubt: people look at it, nothing counts.
var held = Verdict{Result: proof.Review, Level: proof.NoLevel, NHS: proof.NHSNone}

// verdictOf is an outcome's verdict.
func verdictOf(o proof.Outcome) Verdict {
	return Verdict{o.Result, o.Level, o.Profile, o.NHS, o.Provisional}
}

// Result is what came of one record. As JSON and as text it holds no personal
// data; Visit does.
type Result struct {
	LogIndex uint64       `json:"log_index"` // its place in the centre's log
	Seq      wire.Seq     `json:"seq"`       // its place in the counter's chain
	Agent    wire.AgentID `json:"agent"`
	Ref      wire.Ref     `json:"ref"` // the code on the patient's slip
	RecHash  wire.Hash    `json:"rec_hash"`
	Training bool         `json:"training"`        // proves nobody
	Again    bool         `json:"again,omitempty"` // its result was stored before
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
	// Shut are the parts whose keys are kept elsewhere.
	Shut []wire.PartName `json:"shut,omitempty"`

	record string // the record's random name, hexadecimal
	cause  error
	visit  *packet.Visit
}

// Visit is the opened visit with its personal data, for account linking; false
// where the record did not open.
func (r Result) Visit() (packet.Visit, bool) {
	if r.visit == nil {
		return packet.Visit{}, false
	}
	return *r.visit, true
}

// defective is a record that did not open.
func (r Result) defective(kind Kind, cause error) Result {
	r.Kind, r.cause = kind, cause
	r.Verdict, r.Reasons = held, []proof.Code{}
	return r
}

// with holds the record back because of a finding.
func (r Result) with(f Finding) Result {
	if !slices.Contains(r.Findings, f) {
		r.Findings = append(slices.Clone(r.Findings), f)
	}
	r.Verdict = held
	return r
}

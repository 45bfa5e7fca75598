package opener

import (
	"github.com/counterproof/counterproof/agent/opener/check"
	"github.com/counterproof/counterproof/agent/packet"
	"github.com/counterproof/counterproof/sync/wire"
)

// Words of package check that a result is told in.
type (
	Kind    = check.Kind    // why a record could not be opened
	Finding = check.Finding // what speaks against one that opened
	Verdict = check.Verdict // what a visit comes to
)

// The kinds and findings that others act on, by their names in package check.
const (
	KindNone            = check.KindNone
	KindSignature       = check.KindSignature
	KindDamaged         = check.KindDamaged
	KindUnknownKey      = check.KindUnknownKey
	KindTraining        = check.KindTraining
	KindUnreadable      = check.KindUnreadable
	KindOtherVisit      = check.KindOtherVisit
	KindErased          = check.KindErased
	RescoredDifferently = check.RescoredDifferently
	DuplicateVisit      = check.DuplicateVisit
)

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
	check.Report
	// Shut are the parts whose keys are kept elsewhere.
	Shut []wire.PartName `json:"shut,omitempty"`
	// Erased are the parts whose keys were destroyed on purpose.
	Erased []wire.PartName `json:"erased,omitempty"`

	header wire.Header // zero where it does not read
	first  wire.Hash   // the record that the visit came in before, zero for none
	visit  *packet.Visit
}

// record is the record's random name, hexadecimal.
func (r Result) record() string { return r.header.Record.String() }

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
	r.Report = check.Defective(kind, cause)
	return r
}

// with holds the record back because of a finding.
func (r Result) with(f Finding) Result {
	r.Report = r.Report.With(f)
	return r
}

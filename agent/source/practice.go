package source

import (
	"context"

	"github.com/counterproof/counterproof/agent/nhs"
	"github.com/counterproof/counterproof/agent/proof"
)

// Details are what a GP practice issued for its online services, with who says
// that they are theirs. The key is a secret: it is neither logged nor kept.
type Details struct {
	ODS     string // of the practice
	Account string
	Key     string // linkage key
	Person  proof.Person
}

// Acceptance is how a practice's system answers.
type Acceptance string

// The answers. Silent is no answer: it is asked again.
const (
	Accepted Acceptance = "accepted"
	Refused  Acceptance = "refused" // it does not say what was wrong
	Silent   Acceptance = "silent"
)

// Verified is a practice's answer.
type Verified struct {
	Acceptance Acceptance
	Number     nhs.Number // of the patient, where Accepted. It is shown to nobody
}

// Practice asks the systems of GP practices.
type Practice interface {
	// Verify asks whether the practice issued these details to this person. It
	// asks once; every failure is Silent. Asking twice changes nothing.
	Verify(ctx context.Context, d Details) Verified
}

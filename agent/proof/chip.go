package proof

// ChipVerdict is what the data of a document's chip came to: passive
// authentication (ICAO 9303-11 §5.1) and what the document itself says.
type ChipVerdict string

// The verdicts. An unknown issuer says nothing against the document; what is
// below it does.
const (
	ChipGenuine          ChipVerdict = "genuine"
	ChipIssuerUnknown    ChipVerdict = "issuer_unknown"
	ChipIntegrityFailed  ChipVerdict = "integrity_failed"
	ChipSignatureFailed  ChipVerdict = "signature_failed"
	ChipCertificateUnfit ChipVerdict = "certificate_unfit"
	ChipRevoked          ChipVerdict = "revoked"
	// ChipOtherDocument is a chip whose number or dates are not those of the
	// document that it lies in.
	ChipOtherDocument ChipVerdict = "other_document"
)

// Revocation is what is known of the signer's certificate.
type Revocation string

// The states; the zero value is not known. Stale is a list past its next update
// but within the age of the trust bundle; NotPublished is a fresh bundle that
// says the state publishes no list.
const (
	RevocationUnknown      Revocation = ""
	RevocationGood         Revocation = "good"
	RevocationStale        Revocation = "stale"
	RevocationNotPublished Revocation = "not_published"
)

// Clone is whether the chip was shown not to be a copy (ICAO 9303-11 §6).
type Clone string

// The states; the zero value is not done. NoProtection is a security object
// that lists neither DG14 nor DG15.
const (
	CloneNotChecked   Clone = ""
	CloneExcluded     Clone = "excluded"
	CloneNoProtection Clone = "no_protection"
	CloneFailed       Clone = "failed"
)

// ChipRead tells what the chip of the document in hand gave and what it is worth.
type ChipRead struct {
	Verdict    ChipVerdict `json:"verdict"`
	Reason     Code        `json:"reason,omitempty"` // the check that decided it
	Revocation Revocation  `json:"revocation,omitempty"`
	Clone      Clone       `json:"clone,omitempty"`
	Access     Code        `json:"access"` // how it was opened: PACE or BAC
	Downgraded bool        `json:"downgraded,omitempty"`
	Lines      []string    `json:"lines,omitempty"`    // of DG1
	Portrait   PictureID   `json:"portrait,omitempty"` // of DG2, as JPEG
	Files      PictureID   `json:"files,omitempty"`    // as read, for whoever judges again
	Trust      Date        `json:"trust,omitzero"`     // day of the trust data that it was judged by
}

// ChipFailed tells that the chip was not read.
type ChipFailed struct {
	Kind Kind `json:"kind"`
}

// FactKind names the fact on disk and on the wire.
func (ChipRead) FactKind() FactKind { return "chip_read" }

// FactKind names the fact on disk and on the wire.
func (ChipFailed) FactKind() FactKind { return "chip_failed" }

// Emptied keeps what it came to.
func (f ChipRead) Emptied() Fact {
	f.Lines = nil
	return f
}

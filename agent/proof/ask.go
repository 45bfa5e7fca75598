package proof

// AskKind is what the route wants next.
type AskKind string

// The asks. Those marked clerk or patient wait for a person; the rest the desk
// performs by itself.
const (
	AskProofingConsent AskKind = "ask_proofing_consent" // patient
	AskFaceConsent     AskKind = "ask_face_consent"     // patient
	CaptureDocument    AskKind = "capture_document"     // clerk, with the camera
	KeyDocument        AskKind = "key_document"         // clerk types the lines
	ReadChip           AskKind = "read_chip"            // clerk, with the chip reader
	ExamineDocument    AskKind = "examine_document"     // clerk
	CaptureFace        AskKind = "capture_face"         // clerk and patient, with the camera
	CompareFaces       AskKind = "compare_faces"
	ComparePerson      AskKind = "compare_person" // clerk
	Decide             AskKind = "decide"
	ConfirmResult      AskKind = "confirm_result" // clerk
	SealRecord         AskKind = "seal_record"
	PrintSlip          AskKind = "print_slip"
	EndVisit           AskKind = "end_visit" // clerk
	Finish             AskKind = "finish"    // clerk: end with what there is

	ClaimIdentity  AskKind = "claim_identity"  // clerk types who the party says they are
	ChooseEvidence AskKind = "choose_evidence" // clerk: what else have they got
	ScanEvidence   AskKind = "scan_evidence"   // clerk, with the camera
	EnterEvidence  AskKind = "enter_evidence"  // clerk types or confirms the fields
	GiveVouch      AskKind = "give_vouch"      // clerk and voucher
	GivePractice   AskKind = "give_practice"   // clerk: the codes of the practice's letter
	RequestProxy   AskKind = "request_proxy"   // clerk, patient and proxy
	SecondPerson   AskKind = "second_person"   // another operator
	RedeemClaim    AskKind = "redeem_claim"    // clerk: the token and the contact details
	SetPreferences AskKind = "set_preferences" // clerk and patient
	GiveFeedback   AskKind = "give_feedback"   // patient
	MakeClaim      AskKind = "make_claim"      // a token for an account to claim later
)

// Ask is one thing the route wants. Several asks at a time are alternatives,
// the recommended one first.
type Ask struct {
	Kind    AskKind `json:"kind"`
	Party   Party   `json:"party,omitempty"`   // whom it is about; empty is the patient
	Why     Code    `json:"why,omitempty"`     // why it is asked again or instead of another
	Problem Kind    `json:"problem,omitempty"` // the failure that led here
	Attempt int     `json:"attempt,omitempty"` // how often it was tried already
	Left    int     `json:"left,omitempty"`    // how often it may still be tried; 0 is unlimited
}

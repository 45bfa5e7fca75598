package proof

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Event is one thing that happened in a visit.
type Event struct {
	Seq    int           `json:"seq"` // from 1, without gaps
	At     time.Time     `json:"at"`
	Mono   time.Duration `json:"mono"` // since the program that wrote it started
	By     Actor         `json:"by"`
	Device string        `json:"device,omitempty"`
	Fact   Fact          `json:"-"`
}

// Fact is what an event tells. The types that implement it are those of this
// package; FactKind is the word they travel under.
type Fact interface{ FactKind() FactKind }

// FactKind is the word of a kind of fact.
type FactKind string

// Personal is a fact that tells about a person. Emptied is the same fact
// without it, which is all that auditors see.
type Personal interface {
	Fact
	Emptied() Fact
}

// VisitStarted opens a case.
type VisitStarted struct {
	Case     CaseID    `json:"case"`
	Record   string    `json:"record"` // random name of the record to be, hexadecimal
	Route    RouteName `json:"route"`
	Language string    `json:"language"` // BCP 47, of the patient
	Site     string    `json:"site"`
	Training bool      `json:"training"`
	Policy   string    `json:"policy"`
	App      string    `json:"app"`
	Operator Training  `json:"operator"` // of the clerk who starts
	// Chips says that a chip reader is there, so that chips are asked for first.
	Chips bool `json:"chips,omitempty"`
	// Continues is the reference of an earlier visit of the same patient, as
	// their slip tells it; "" begins anew.
	Continues Ref `json:"continues,omitempty"`
}

// Purpose is what a patient is asked to agree to.
type Purpose string

// The purposes; each is asked on its own and may be refused on its own.
const (
	ForProofing Purpose = "proofing" // that this visit is recorded and sent
	ForFace     Purpose = "face"     // that a machine compares the face
)

// ConsentAnswered is the patient's answer to one purpose.
type ConsentAnswered struct {
	Purpose  Purpose `json:"purpose"`
	Given    bool    `json:"given"`
	Text     string  `json:"text"` // version of the text that was shown
	Language string  `json:"language"`
}

// Source is how a document's lines came in.
type Source string

// The sources.
const (
	FromCamera Source = "camera"
	FromReader Source = "reader"
	FromKeys   Source = "keys"
)

// DocumentRead tells the machine-readable lines of a document.
type DocumentRead struct {
	Source   Source    `json:"source"`
	Lines    []string  `json:"lines"`
	Score    float64   `json:"score,omitempty"` // mean log-probability a character
	Page     PictureID `json:"page,omitempty"`
	Portrait PictureID `json:"portrait,omitempty"` // empty where none could be cut out
}

// DocumentFailed tells that a capture gave no document.
type DocumentFailed struct {
	Kind Kind `json:"kind"`
}

// Agreement is what the clerk says of printed details against those read.
type Agreement string

// The agreements. Misread blames our reading and leads to another; Contradicts
// blames the document.
const (
	Agree       Agreement = "agree"
	Misread     Agreement = "misread"
	Contradicts Agreement = "contradicts"
)

// DocumentExamined is the clerk's examination of the original.
type DocumentExamined struct {
	Original bool      `json:"original"` // in hand, not a copy or a screen
	Details  Agreement `json:"details"`
	Features []string  `json:"features"`         // security features seen, by policy code
	Doubts   []string  `json:"doubts,omitempty"` // features that looked wrong
	UVIR     bool      `json:"uvir,omitempty"`
	Trained  Training  `json:"trained"` // of the clerk who examined, on that day
	// Templates is when the pictures that it was compared with under UV and
	// infrared were last refreshed; zero without such light.
	Templates Date `json:"templates,omitzero"`
}

// FaceTaken tells that the patient was photographed.
type FaceTaken struct {
	Picture PictureID `json:"picture"`
}

// FaceFailed tells that no usable photograph came about.
type FaceFailed struct {
	Kind Kind `json:"kind"`
}

// FaceDecision is a machine's view of two faces, by the thresholds of its
// profile. It scores nothing; it can only stop a visit.
type FaceDecision string

// The decisions.
const (
	Match        FaceDecision = "match"
	MatchConfirm FaceDecision = "match_confirm"
	ClerkDecides FaceDecision = "clerk_decides"
	NoMatch      FaceDecision = "no_match"
	NoFace       FaceDecision = "no_face"
	ManyFaces    FaceDecision = "many_faces"
)

// FacesCompared is the machine's comparison of portrait and live face.
type FacesCompared struct {
	Score    float64      `json:"score"`
	Decision FaceDecision `json:"decision"`
	Portrait PictureID    `json:"portrait"`
	Live     PictureID    `json:"live"`
	Profile  string       `json:"profile"` // of the matcher
}

// CompareFailed tells that the machine could not compare.
type CompareFailed struct {
	Kind Kind `json:"kind"`
}

// Sameness is an operator's own comparison of person and portrait.
type Sameness string

// The answers; NotSure and NotTrained give no score and no blame.
const (
	Same       Sameness = "same"
	Different  Sameness = "different"
	NotSure    Sameness = "not_sure"
	NotTrained Sameness = "not_trained"
)

// PersonCompared is an operator's own comparison.
type PersonCompared struct {
	Answer  Sameness    `json:"answer"`
	Method  CheckMethod `json:"method"` // pvp or pvr
	Trained Training    `json:"trained"`
}

// StepReopened takes back a step, at the clerk's wish, before the record is
// sealed: what was done stays in the events, what follows from it is void.
type StepReopened struct {
	Step AskKind `json:"step"`
}

// HandedOver gives the visit to another operator.
type HandedOver struct {
	To      OperatorID `json:"to"`
	Trained Training   `json:"trained"`
}

// WayChosen leaves an ask open and takes another way, named by the ask that it
// leads to; Finish ends with what there is.
type WayChosen struct {
	Way AskKind `json:"way"`
}

// VisitAbandoned ends a visit without a result.
type VisitAbandoned struct {
	Reason Code `json:"reason"`
}

// VisitDecided is the result, recorded before it is shown.
type VisitDecided struct {
	Outcome Outcome `json:"outcome"`
}

// ResultConfirmed says that the clerk has seen the result and wants it sealed.
type ResultConfirmed struct{}

// RecordQueued tells that the sealed record is on disk.
type RecordQueued struct {
	Ref Ref `json:"ref"`
}

// SlipMade tells how the slip came out; an empty Kind is printed.
type SlipMade struct {
	Kind Kind `json:"kind,omitempty"`
}

// VisitEnded closes the case; its draft may go.
type VisitEnded struct{}

// EvidenceChosen begins a piece of evidence: what the clerk was shown, or who
// is to vouch. Form and Photo are what the policy says of the type.
type EvidenceChosen struct {
	Type  EvidenceType `json:"type"`
	Form  Form         `json:"form"`
	Photo bool         `json:"photo,omitempty"` // carries a photograph of the holder
}

// EvidenceTable tells what lies on the table or is at the patient's home, for
// planning. It is evidence of nothing.
type EvidenceTable struct {
	Here []EvidenceType `json:"here"`
	Home []EvidenceType `json:"home,omitempty"`
}

// IdentityClaimed is who a party says they are, before any evidence or beside it.
type IdentityClaimed struct {
	Party     Party  `json:"party,omitempty"`
	Person    Person `json:"person"`
	Postcode  string `json:"postcode,omitempty"`
	NHSNumber string `json:"nhs_number,omitempty"` // as the patient gave it, never a traced one
}

// EvidenceScanned tells what a camera read of a piece whose fields are keyed:
// they are filled in for the clerk, who confirms them.
type EvidenceScanned struct {
	Page      PictureID `json:"page"`
	Portrait  PictureID `json:"portrait,omitempty"`
	Symbology string    `json:"symbology,omitempty"`
	Text      string    `json:"text,omitempty"` // of the symbol, or the lines of print
}

// EvidenceEntered is the printed fields of a piece, as the clerk confirmed them.
type EvidenceEntered struct {
	Source   Source    `json:"source"`
	Person   Person    `json:"person"`
	Former   Name      `json:"former,omitzero"`  // surname before a marriage or a deed
	Number   string    `json:"number,omitempty"` // of the document; of an account its last four digits
	Issuer   string    `json:"issuer,omitempty"` // ICAO 9303-3 §5 code, or the body's name
	Issued   Date      `json:"issued,omitzero"`
	Expires  Date      `json:"expires,omitzero"`
	Postcode string    `json:"postcode,omitempty"`
	Page     PictureID `json:"page,omitempty"`
	Portrait PictureID `json:"portrait,omitempty"`
}

// VouchGiven is a declaration that the voucher knows the patient as the claimed
// identity (GPG 45 vouching guidance).
type VouchGiven struct {
	Paper        bool   `json:"paper,omitempty"`   // a letter or a call: the voucher is not here
	Voucher      Person `json:"voucher,omitzero"`  // as declared; proved here, their evidence tells
	Proofing     Ref    `json:"proofing,omitzero"` // own earlier visit of the voucher
	Occupation   Code   `json:"occupation"`
	Organisation string `json:"organisation"`
	Register     string `json:"register,omitempty"` // professional register and number
	Contact      string `json:"contact"`            // published business contact
	Related      bool   `json:"related,omitempty"`  // or a partner
	SameAddress  bool   `json:"same_address,omitempty"`
	KnownSince   Date   `json:"known_since"`
	Given        Date   `json:"given,omitzero"` // day of the letter; today where the voucher is here
	Statement    string `json:"statement"`      // version of the text that was declared
	Signed       bool   `json:"signed"`
	Present      bool   `json:"present"` // the voucher confirms that the person here is the patient
	CallBack     Code   `json:"call_back,omitempty"`
}

// Answers to a call back to the voucher's published contact.
const (
	CallConfirmed Code = "call_confirmed"
	CallFailed    Code = "call_failed"
	CallNotMade   Code = ""
)

// PracticeDetailsGiven are the codes of a practice's letter (NHS login, GP
// online services). The linkage key is a secret.
type PracticeDetailsGiven struct {
	Source  Source `json:"source"`
	ODS     string `json:"ods"`
	Account string `json:"account"`
	Key     string `json:"key"`
}

// ProxyRequested is what is asked for somebody who acts for the patient.
type ProxyRequested struct {
	Withdraw     bool           `json:"withdraw,omitempty"` // the patient ends access that was given
	Relationship Code           `json:"relationship"`
	Basis        Code           `json:"basis"`
	Seen         []EvidenceType `json:"seen,omitempty"` // evidence of the basis; no copies are kept
	Actions      []Code         `json:"actions"`
	Until        Date           `json:"until,omitzero"`
	Agreed       bool           `json:"agreed"` // the patient, where the basis is their consent
	Text         string         `json:"text"`   // version of the text that was explained
	Language     string         `json:"language"`
	Interpreter  bool           `json:"interpreter,omitempty"`
	Alone        bool           `json:"alone"` // somebody spoke with the patient alone
}

// ConcernRaised says that somebody may be under pressure or at risk. It shows
// nowhere at the counter; the visit goes to people.
type ConcernRaised struct{}

// ColleagueNoticed says that patient and clerk seem to be colleagues or one
// person.
type ColleagueNoticed struct {
	Self bool `json:"self,omitempty"`
}

// SecondPersonAnswered is another operator who signed in beside the first and
// confirms what was seen.
type SecondPersonAnswered struct {
	Operator OperatorID `json:"operator"`
	Confirms bool       `json:"confirms"`
}

// PreferencesGiven are wishes, applied once the final level allows it. Nothing
// is told that was not asked for; "" leaves a preference as it is.
type PreferencesGiven struct {
	Email       string `json:"email,omitempty"`
	Mobile      string `json:"mobile,omitempty"` // E.164
	Contact     Code   `json:"contact,omitempty"`
	Written     Code   `json:"written,omitempty"`
	Language    string `json:"language,omitempty"`
	Interpreter Code   `json:"interpreter,omitempty"` // yes or no
	Pharmacy    string `json:"pharmacy,omitempty"`    // ODS code, chosen by the patient
	OptOut      Code   `json:"opt_out,omitempty"`     // of data use for research and planning: yes or no
}

// FeedbackGiven is what the patient thought of the visit.
type FeedbackGiven struct {
	Score int    `json:"score"` // 1 to 5
	Text  string `json:"text,omitempty"`
}

// ClaimMade is the token under which the patient claims an account later,
// where no e-mail address and mobile number were given. It is a secret.
type ClaimMade struct {
	Token string `json:"token"`
	Until Date   `json:"until"`
}

// ClaimRedeemed is a token that somebody brings, with the contact details that
// the account needs.
type ClaimRedeemed struct {
	Token  string `json:"token"`
	Email  string `json:"email"`
	Mobile string `json:"mobile"`
}

// FactKind names the fact on disk and on the wire.
func (VisitStarted) FactKind() FactKind { return "visit_started" }

// FactKind names the fact on disk and on the wire.
func (ConsentAnswered) FactKind() FactKind { return "consent_answered" }

// FactKind names the fact on disk and on the wire.
func (DocumentRead) FactKind() FactKind { return "document_read" }

// FactKind names the fact on disk and on the wire.
func (DocumentFailed) FactKind() FactKind { return "document_failed" }

// FactKind names the fact on disk and on the wire.
func (DocumentExamined) FactKind() FactKind { return "document_examined" }

// FactKind names the fact on disk and on the wire.
func (FaceTaken) FactKind() FactKind { return "face_taken" }

// FactKind names the fact on disk and on the wire.
func (FaceFailed) FactKind() FactKind { return "face_failed" }

// FactKind names the fact on disk and on the wire.
func (FacesCompared) FactKind() FactKind { return "faces_compared" }

// FactKind names the fact on disk and on the wire.
func (CompareFailed) FactKind() FactKind { return "compare_failed" }

// FactKind names the fact on disk and on the wire.
func (PersonCompared) FactKind() FactKind { return "person_compared" }

// FactKind names the fact on disk and on the wire.
func (StepReopened) FactKind() FactKind { return "step_reopened" }

// FactKind names the fact on disk and on the wire.
func (HandedOver) FactKind() FactKind { return "handed_over" }

// FactKind names the fact on disk and on the wire.
func (WayChosen) FactKind() FactKind { return "way_chosen" }

// FactKind names the fact on disk and on the wire.
func (VisitAbandoned) FactKind() FactKind { return "visit_abandoned" }

// FactKind names the fact on disk and on the wire.
func (VisitDecided) FactKind() FactKind { return "visit_decided" }

// FactKind names the fact on disk and on the wire.
func (ResultConfirmed) FactKind() FactKind { return "result_confirmed" }

// FactKind names the fact on disk and on the wire.
func (RecordQueued) FactKind() FactKind { return "record_queued" }

// FactKind names the fact on disk and on the wire.
func (SlipMade) FactKind() FactKind { return "slip_made" }

// FactKind names the fact on disk and on the wire.
func (VisitEnded) FactKind() FactKind { return "visit_ended" }

// FactKind names the fact on disk and on the wire.
func (EvidenceChosen) FactKind() FactKind { return "evidence_chosen" }

// FactKind names the fact on disk and on the wire.
func (EvidenceTable) FactKind() FactKind { return "evidence_table" }

// FactKind names the fact on disk and on the wire.
func (IdentityClaimed) FactKind() FactKind { return "identity_claimed" }

// FactKind names the fact on disk and on the wire.
func (EvidenceScanned) FactKind() FactKind { return "evidence_scanned" }

// FactKind names the fact on disk and on the wire.
func (EvidenceEntered) FactKind() FactKind { return "evidence_entered" }

// FactKind names the fact on disk and on the wire.
func (VouchGiven) FactKind() FactKind { return "vouch_given" }

// FactKind names the fact on disk and on the wire.
func (PracticeDetailsGiven) FactKind() FactKind { return "practice_details_given" }

// FactKind names the fact on disk and on the wire.
func (ProxyRequested) FactKind() FactKind { return "proxy_requested" }

// FactKind names the fact on disk and on the wire.
func (ConcernRaised) FactKind() FactKind { return "concern_raised" }

// FactKind names the fact on disk and on the wire.
func (ColleagueNoticed) FactKind() FactKind { return "colleague_noticed" }

// FactKind names the fact on disk and on the wire.
func (SecondPersonAnswered) FactKind() FactKind { return "second_person_answered" }

// FactKind names the fact on disk and on the wire.
func (PreferencesGiven) FactKind() FactKind { return "preferences_given" }

// FactKind names the fact on disk and on the wire.
func (FeedbackGiven) FactKind() FactKind { return "feedback_given" }

// FactKind names the fact on disk and on the wire.
func (ClaimMade) FactKind() FactKind { return "claim_made" }

// FactKind names the fact on disk and on the wire.
func (ClaimRedeemed) FactKind() FactKind { return "claim_redeemed" }

// Emptied keeps how it was read and drops the lines.
func (f DocumentRead) Emptied() Fact {
	f.Lines = nil
	return f
}

// Emptied keeps whose claim it is.
func (f IdentityClaimed) Emptied() Fact {
	return IdentityClaimed{Party: f.Party}
}

// Emptied drops what was read.
func (f EvidenceScanned) Emptied() Fact {
	f.Text = ""
	return f
}

// Emptied keeps the dates of the document.
func (f EvidenceEntered) Emptied() Fact {
	return EvidenceEntered{Source: f.Source, Issued: f.Issued, Expires: f.Expires, Page: f.Page, Portrait: f.Portrait}
}

// Emptied keeps what the vouch is worth by.
func (f VouchGiven) Emptied() Fact {
	return VouchGiven{
		Paper: f.Paper, Occupation: f.Occupation, Related: f.Related, SameAddress: f.SameAddress, KnownSince: f.KnownSince,
		Given: f.Given, Statement: f.Statement, Signed: f.Signed, Present: f.Present, CallBack: f.CallBack,
	}
}

// Emptied keeps how they came in.
func (f PracticeDetailsGiven) Emptied() Fact {
	return PracticeDetailsGiven{Source: f.Source}
}

// Emptied keeps which text was explained.
func (f ProxyRequested) Emptied() Fact {
	return ProxyRequested{Withdraw: f.Withdraw, Text: f.Text, Language: f.Language, Interpreter: f.Interpreter}
}

// Emptied keeps nothing.
func (PreferencesGiven) Emptied() Fact {
	return PreferencesGiven{}
}

// Emptied keeps the score.
func (f FeedbackGiven) Emptied() Fact {
	return FeedbackGiven{Score: f.Score}
}

// Emptied keeps how long the token is good for.
func (f ClaimMade) Emptied() Fact {
	return ClaimMade{Until: f.Until}
}

// Emptied keeps nothing.
func (ClaimRedeemed) Emptied() Fact {
	return ClaimRedeemed{}
}

// readers decode each kind of fact; it is also the list of the kinds.
var readers = map[FactKind]func([]byte) (Fact, error){
	"visit_started":          read[VisitStarted],
	"consent_answered":       read[ConsentAnswered],
	"document_read":          read[DocumentRead],
	"document_failed":        read[DocumentFailed],
	"document_examined":      read[DocumentExamined],
	"chip_read":              read[ChipRead],
	"chip_failed":            read[ChipFailed],
	"face_taken":             read[FaceTaken],
	"face_failed":            read[FaceFailed],
	"faces_compared":         read[FacesCompared],
	"compare_failed":         read[CompareFailed],
	"person_compared":        read[PersonCompared],
	"step_reopened":          read[StepReopened],
	"handed_over":            read[HandedOver],
	"way_chosen":             read[WayChosen],
	"visit_abandoned":        read[VisitAbandoned],
	"visit_decided":          read[VisitDecided],
	"result_confirmed":       read[ResultConfirmed],
	"record_queued":          read[RecordQueued],
	"slip_made":              read[SlipMade],
	"visit_ended":            read[VisitEnded],
	"evidence_chosen":        read[EvidenceChosen],
	"evidence_table":         read[EvidenceTable],
	"identity_claimed":       read[IdentityClaimed],
	"evidence_scanned":       read[EvidenceScanned],
	"evidence_entered":       read[EvidenceEntered],
	"vouch_given":            read[VouchGiven],
	"practice_details_given": read[PracticeDetailsGiven],
	"proxy_requested":        read[ProxyRequested],
	"concern_raised":         read[ConcernRaised],
	"colleague_noticed":      read[ColleagueNoticed],
	"second_person_answered": read[SecondPersonAnswered],
	"preferences_given":      read[PreferencesGiven],
	"feedback_given":         read[FeedbackGiven],
	"claim_made":             read[ClaimMade],
	"claim_redeemed":         read[ClaimRedeemed],
}

// read decodes one fact.
func read[F Fact](b []byte) (Fact, error) {
	var f F
	err := json.Unmarshal(b, &f)
	return f, err
}

// plainEvent is Event without its methods, for encoding/json.
type plainEvent Event

// writtenEvent is an event as it is written.
type writtenEvent struct {
	plainEvent
	Kind FactKind        `json:"kind"`
	Body json.RawMessage `json:"fact"`
}

// MarshalJSON writes the event with its fact under its kind.
func (e Event) MarshalJSON() ([]byte, error) {
	if e.Fact == nil {
		return nil, errors.New("an event without a fact")
	}
	body, err := json.Marshal(e.Fact)
	if err != nil {
		return nil, fmt.Errorf("writing a fact: %w", err)
	}
	return json.Marshal(writtenEvent{plainEvent(e), e.Fact.FactKind(), body})
}

// UnmarshalJSON reads an event; a kind that this version does not know is an
// error, because a case must never be folded without one of its events.
func (e *Event) UnmarshalJSON(b []byte) error {
	var w writtenEvent
	if err := json.Unmarshal(b, &w); err != nil {
		return fmt.Errorf("reading an event: %w", err)
	}
	fact, err := ReadFact(w.Kind, w.Body)
	if err != nil {
		return fmt.Errorf("reading an event: %w", err)
	}
	*e = Event(w.plainEvent)
	e.Fact = fact
	return nil
}

// ReadFact reads the JSON of a fact of a kind. Its error never holds what was
// read.
func ReadFact(kind FactKind, body []byte) (Fact, error) {
	read, ok := readers[kind]
	if !ok {
		return nil, fmt.Errorf("a fact of kind %.40q is not known", kind)
	}
	fact, err := read(body)
	if err != nil {
		return nil, fmt.Errorf("a fact of kind %s does not read", kind)
	}
	return fact, nil
}

// Package proof holds the words of in-person identity proofing: the visit and
// its events, the document, the checks and what they are worth, the questions
// that the counter asks next and every failure that a person is shown. It has
// no rules and no I/O; the rooms above speak these words to each other, to the
// screen and to the opener.
//
// # The laws
//
//   - A case is its events. Whatever a visit has become is a fold over them;
//     nothing else is stored, and the same events give the same state.
//   - An event says what happened, when (wall clock and monotonic), who said so
//     (a person, the system, somebody remote) and by which device. Failure,
//     refusal and time-out are events too.
//   - Nothing counts that was not done: a level names the checks it rests on,
//     who made them and under which policy.
//   - A face is compared only after a ConsentAnswered event that allows it.
//   - Names are kept three ways and dates are civil dates.
//   - Every Kind has a sentence and a next step in every language. Kinds, codes
//     and words are only ever added, since records of the past speak them.
//   - No word of this package is logged with a person's data in it: Lines,
//     Person and Name have no String method that a logger could call.
package proof

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// CaseID names one visit on this counter: 26 letters and digits, random.
type CaseID string

// OperatorID names a clerk's account at this counter.
type OperatorID string

// PictureID names a picture inside one case, such as "page-1".
type PictureID string

// Ref is the code on the patient's slip.
type Ref string

// Actor says who caused an event.
type Actor struct {
	Kind ActorKind  `json:"kind"`
	ID   OperatorID `json:"id,omitempty"` // of a person
}

// ActorKind is a person at the counter, the system itself, or somebody remote.
type ActorKind string

// The kinds of actor.
const (
	ByPerson ActorKind = "person"
	BySystem ActorKind = "system"
	ByRemote ActorKind = "remote"
)

// Name is a name three ways: as printed on the document (empty when only the
// machine-readable zone was read), in ICAO form (A to Z and spaces, ICAO
// 9303-3 §6) and as a key for comparing (A to Z only).
type Name struct {
	Printed string `json:"printed,omitempty"`
	ICAO    string `json:"icao"`
	Key     string `json:"key"`
}

// NewName makes a Name from its ICAO form.
func NewName(icao string) Name {
	key := strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r
		}
		return -1
	}, strings.ToUpper(icao))
	return Name{ICAO: icao, Key: key}
}

// Person is the claimed identity as the evidence tells it.
type Person struct {
	Surname     Name   `json:"surname"`
	Given       Name   `json:"given"`
	Birth       Date   `json:"birth"`
	Sex         string `json:"sex,omitempty"`         // M, F, X or "" where not told
	Nationality string `json:"nationality,omitempty"` // ICAO 9303-3 §5 code
}

// Training is when an operator was last trained; a zero date is never. The
// dates cap what the operator's checks are worth (GPG 45, policy file).
type Training struct {
	Impostor Date `json:"impostor"` // telling impostors by the face
	Document Date `json:"document"` // examining documents in ordinary light
	UVIR     Date `json:"uvir"`     // examining documents under UV and infrared
}

// Role is what an operator may do.
type Role string

// The roles.
const (
	Clerk      Role = "clerk"
	Supervisor Role = "supervisor"
)

// Operator is a clerk as the visit knows one.
type Operator struct {
	ID       OperatorID `json:"id"`
	Name     string     `json:"name"` // as colleagues know them; shown, never sealed
	Role     Role       `json:"role"`
	Training Training   `json:"training"`
}

// RouteName names a way to prove an identity.
type RouteName string

// PhotoDocument is the route by a passport or identity card with a
// machine-readable zone and a portrait.
const PhotoDocument RouteName = "photo_document"

// EvidenceType is a kind of document or record, by the codes of the policy file.
type EvidenceType string

// Evidence types that the photo-document route tells apart by the zone's first
// letters.
const (
	Passport        EvidenceType = "passport"
	EEAIdentityCard EvidenceType = "eea_id"
	OtherDocument   EvidenceType = "other"
)

// CheckMethod is how a check was made (OpenID Identity Assurance, check_method).
type CheckMethod string

// The check methods used at a counter.
const (
	PhysicalInPerson CheckMethod = "vpip"   // document inspected in ordinary light
	PhysicalUVIR     CheckMethod = "vpiruv" // document inspected under UV or infrared
	Cryptographic    CheckMethod = "vcrypt" // chip verified
	RecordData       CheckMethod = "data"   // an authoritative source was asked
	PersonInPerson   CheckMethod = "pvp"    // person compared by an operator, present
	PersonRemote     CheckMethod = "pvr"    // person compared by an operator, remote
	BiometricPresent CheckMethod = "bvp"    // person compared by a machine, present
)

// Check is one check that was made and what it is worth.
type Check struct {
	Method CheckMethod `json:"method"`
	Part   string      `json:"part"` // validity, verification, activity or fraud
	Score  int         `json:"score"`
	By     Actor       `json:"by"`
	Event  int         `json:"event"` // Seq of the event it rests on
	Reason Code        `json:"reason"`
}

// Evidence is one piece of evidence with its scores (GPG 45).
type Evidence struct {
	Type     EvidenceType `json:"type"`
	Strength int          `json:"strength"` // 1–4
	Validity int          `json:"validity"` // 0–4
}

// Scores are the five parts of GPG 45.
type Scores struct {
	Evidence     []Evidence `json:"evidence"`
	Activity     int        `json:"activity"`     // 0–4
	Fraud        int        `json:"fraud"`        // 0–3
	Verification int        `json:"verification"` // 0–4
}

// Level is a GPG 45 level of confidence.
type Level string

// The levels, lowest first.
const (
	NoLevel       Level = "none"
	Low           Level = "low"
	Medium        Level = "medium"
	High          Level = "high"
	VeryHigh      Level = "very_high"
	levelsOrdered       = "none low medium high very_high"
)

// Above reports whether l is a higher level than m; unknown words are below none.
func (l Level) Above(m Level) bool {
	return slices.Index(strings.Fields(levelsOrdered), string(l)) > slices.Index(strings.Fields(levelsOrdered), string(m))
}

// NHSLevel is a proofing level of NHS login, an output of its own (DAPB3051).
type NHSLevel string

// The NHS levels; ParentAttested stands where somebody under 16 gets none.
const (
	NHSNone        NHSLevel = "none"
	P0             NHSLevel = "P0"
	P5             NHSLevel = "P5"
	P9             NHSLevel = "P9"
	ParentAttested NHSLevel = "parent_attested"
)

// Code is a reason or a finding in one word; screens, slips and reports say it
// in their own language. Codes of the policy file join these.
type Code string

// Codes that the route itself knows.
const (
	DocExpired          Code = "doc_expired"
	DocSpecimen         Code = "doc_specimen"
	DocCounterfeit      Code = "doc_counterfeit"
	DataMismatch        Code = "data_mismatch"
	ChecksFailed        Code = "mrz_checks_failed"
	DateImpossible      Code = "date_impossible"
	DocMisread          Code = "doc_misread"
	FaceDifferent       Code = "face_different"
	FaceUnsure          Code = "face_unsure"
	FaceRefused         Code = "face_refused"
	FaceNotCompared     Code = "face_not_compared"
	OperatorNotTrained  Code = "operator_not_trained"
	NoSuitableDocument  Code = "no_suitable_document"
	PatientLeft         Code = "patient_left"
	ConsentRefused      Code = "consent_refused"
	ClerkStopped        Code = "clerk_stopped"
	CaptureKeepsFailing Code = "capture_keeps_failing"
	DeviceNotThere      Code = "device_not_there"
)

// Reason is one sentence's worth of why, as data.
type Reason struct {
	Code   Code              `json:"code"`
	Params map[string]string `json:"params,omitempty"` // numbers, dates of training, versions: never a person's data
	Event  int               `json:"event,omitempty"`
}

// Result is how a visit ended.
type Result string

// The results. Review means that people look at it centrally: nothing is said
// against the patient and no level is given at the desk.
const (
	Proved    Result = "proved"
	Review    Result = "review"
	NotProved Result = "not_proved"
	Abandoned Result = "abandoned"
)

// Outcome is what a visit came to, with its reasons.
type Outcome struct {
	Result      Result   `json:"result"`
	Level       Level    `json:"level"`
	Profile     string   `json:"profile,omitempty"`  // best GPG 45 profile met, "L1B"
	Computed    string   `json:"computed,omitempty"` // profile met when a level is withheld
	Scores      Scores   `json:"scores"`
	NHS         NHSLevel `json:"nhs"`
	Provisional bool     `json:"provisional"`
	Checks      []Check  `json:"checks"`
	Reasons     []Reason `json:"reasons"`
	Raise       []Reason `json:"raise"`  // what would raise it, easiest first
	Policy      string   `json:"policy"` // policy version
	Training    bool     `json:"training"`
}

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

// readers decode each kind of fact; it is also the list of the kinds.
var readers = map[FactKind]func([]byte) (Fact, error){
	"visit_started":     read[VisitStarted],
	"consent_answered":  read[ConsentAnswered],
	"document_read":     read[DocumentRead],
	"document_failed":   read[DocumentFailed],
	"document_examined": read[DocumentExamined],
	"face_taken":        read[FaceTaken],
	"face_failed":       read[FaceFailed],
	"faces_compared":    read[FacesCompared],
	"compare_failed":    read[CompareFailed],
	"person_compared":   read[PersonCompared],
	"step_reopened":     read[StepReopened],
	"handed_over":       read[HandedOver],
	"way_chosen":        read[WayChosen],
	"visit_abandoned":   read[VisitAbandoned],
	"visit_decided":     read[VisitDecided],
	"result_confirmed":  read[ResultConfirmed],
	"record_queued":     read[RecordQueued],
	"slip_made":         read[SlipMade],
	"visit_ended":       read[VisitEnded],
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
	read, ok := readers[w.Kind]
	if !ok {
		return fmt.Errorf("reading an event: kind %.40q is not known", w.Kind)
	}
	fact, err := read(w.Body)
	if err != nil {
		return fmt.Errorf("reading a fact of kind %s: %w", w.Kind, err)
	}
	*e = Event(w.plainEvent)
	e.Fact = fact
	return nil
}

// AskKind is what the route wants next.
type AskKind string

// The asks. Those marked clerk or patient wait for a person; the rest the desk
// performs by itself.
const (
	AskProofingConsent AskKind = "ask_proofing_consent" // patient
	AskFaceConsent     AskKind = "ask_face_consent"     // patient
	CaptureDocument    AskKind = "capture_document"     // clerk, with the camera
	KeyDocument        AskKind = "key_document"         // clerk types the lines
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
)

// Ask is one thing the route wants. Several asks at a time are alternatives,
// the recommended one first.
type Ask struct {
	Kind    AskKind `json:"kind"`
	Why     Code    `json:"why,omitempty"`     // why it is asked again or instead of another
	Problem Kind    `json:"problem,omitempty"` // the failure that led here
	Attempt int     `json:"attempt,omitempty"` // how often it was tried already
	Left    int     `json:"left,omitempty"`    // how often it may still be tried; 0 is unlimited
}

// Date is a civil date in Europe/London as documents print it; no time zone
// ever touches it (ICAO 9303-3 §4.8 allows unknown parts). Month and Day are 0
// where the document does not tell them; a Date with Year 0 says nothing.
type Date struct {
	Year, Month, Day int
}

// Precision tells how much of a Date is known: "day", "month", "year" or
// "none".
func (d Date) Precision() string {
	switch {
	case d.Year == 0:
		return "none"
	case d.Month == 0:
		return "year"
	case d.Day == 0:
		return "month"
	}
	return "day"
}

// Valid reports whether d is a date of the calendar, unknown parts allowed.
func (d Date) Valid() bool {
	if d.Year < 1 || d.Year > 9999 || d.Month < 0 || d.Month > 12 || d.Day < 0 {
		return false
	}
	if d.Month == 0 {
		return d.Day == 0
	}
	return d.Day <= daysIn(d.Year, d.Month)
}

// daysIn counts the days of a month of the Gregorian calendar.
func daysIn(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// Compare orders two dates; an unknown month or day counts as the first, so a
// partial date is never later than any day it may stand for.
func (d Date) Compare(e Date) int {
	return d.ordinal() - e.ordinal()
}

// Before reports whether d is earlier than e.
func (d Date) Before(e Date) bool { return d.Compare(e) < 0 }

// ordinal maps a date to a number that grows with it; months and days count
// from 1 where unknown.
func (d Date) ordinal() int {
	return d.Year*372 + max(d.Month-1, 0)*31 + max(d.Day-1, 0)
}

// String writes the date as YYYY-MM-DD with ?? for an unknown part, "" for
// none.
func (d Date) String() string {
	part := func(n int) string {
		if n == 0 {
			return "??"
		}
		return fmt.Sprintf("%02d", n)
	}
	if d.Year == 0 {
		return ""
	}
	return fmt.Sprintf("%04d-%s-%s", d.Year, part(d.Month), part(d.Day))
}

// Kind says in one word why something failed that a person at the counter must
// know of. ui/words has a sentence and a next step for every one of them, in
// every language. Add only at the end of a group.
type Kind string

// Kinds of document pictures.
const (
	KindNone           Kind = ""
	KindNoDocument     Kind = "no_document"
	KindTooSmall       Kind = "too_small"
	KindCutOff         Kind = "cut_off"
	KindTilted         Kind = "tilted"
	KindGlare          Kind = "glare"
	KindTooDark        Kind = "too_dark"
	KindBlurred        Kind = "blurred"
	KindHoldStill      Kind = "hold_still"
	KindNoMRZ          Kind = "no_mrz"
	KindChecksFailed   Kind = "mrz_checks_failed"
	KindExpired        Kind = "document_expired"
	KindDateImpossible Kind = "date_impossible"
	KindSpecimen       Kind = "document_specimen"
	KindPictureCorrupt Kind = "picture_corrupt"
	KindPictureHuge    Kind = "picture_too_large"
	KindPictureTiny    Kind = "picture_too_small"
	KindNotPicture     Kind = "not_a_picture"
	KindNoPortrait     Kind = "no_portrait"
)

// Kinds of faces.
const (
	KindNoFace          Kind = "no_face"
	KindManyFaces       Kind = "many_faces"
	KindFaceTooSmall    Kind = "face_too_small"
	KindFaceBlurred     Kind = "face_blurred"
	KindFaceDark        Kind = "face_too_dark"
	KindFaceTurned      Kind = "face_turned"
	KindFaceUnavailable Kind = "face_unavailable" // no matcher on this counter
)

// Kinds of devices.
const (
	KindDeviceMissing     Kind = "device_missing"
	KindDeviceGone        Kind = "device_gone"
	KindDeviceBusy        Kind = "device_busy"
	KindDevicePermission  Kind = "device_permission"
	KindDeviceTimeout     Kind = "device_timeout"
	KindDeviceProtocol    Kind = "device_protocol"
	KindDeviceUnsupported Kind = "device_unsupported"
	KindPaperOut          Kind = "paper_out"
	KindCoverOpen         Kind = "cover_open"
	KindCancelled         Kind = "cancelled"
)

// Kinds of the disk, the queue and the centre.
const (
	KindDiskFull           Kind = "disk_full"
	KindDiskFails          Kind = "disk_fails"
	KindDraftDamaged       Kind = "draft_damaged"
	KindQueueDamaged       Kind = "queue_damaged"
	KindCentreUnreachable  Kind = "centre_unreachable"
	KindCentreCertificate  Kind = "centre_certificate"
	KindClock              Kind = "clock_suspect"
	KindCentreUnauthorised Kind = "centre_unauthorised"
	KindQuarantined        Kind = "quarantined"
	KindCentreRefused      Kind = "centre_refused"
	KindCentreBusy         Kind = "centre_busy"
	KindUpgrade            Kind = "upgrade_needed"
	KindCentreProtocol     Kind = "centre_protocol"
	KindNotEnrolled        Kind = "not_enrolled"
	KindEnrolCode          Kind = "enrol_code"
)

// Kinds of clerks, visits and the program itself.
const (
	KindSignIn         Kind = "sign_in_wrong"
	KindLockedOut      Kind = "locked_out"
	KindSessionEnded   Kind = "session_ended"
	KindNotAllowed     Kind = "not_allowed"
	KindWeakPIN        Kind = "weak_pin"
	KindNoClerks       Kind = "no_clerks"
	KindVisitOpen      Kind = "visit_open"
	KindNoVisit        Kind = "no_visit"
	KindAskNotOpen     Kind = "ask_not_open"
	KindNoConsent      Kind = "no_consent"
	KindSocketTaken    Kind = "socket_taken"
	KindAlreadyRunning Kind = "already_running"
	KindPeerRefused    Kind = "peer_refused"
	KindDaemonAway     Kind = "daemon_away"
	KindBadRequest     Kind = "bad_request"
	KindInternal       Kind = "internal"
)

// Kinds lists every Kind but KindNone, in the order of this file, for the tests
// that count their sentences.
func Kinds() []Kind {
	return []Kind{
		KindNoDocument, KindTooSmall, KindCutOff, KindTilted, KindGlare, KindTooDark, KindBlurred, KindHoldStill,
		KindNoMRZ, KindChecksFailed, KindExpired, KindDateImpossible, KindSpecimen, KindPictureCorrupt,
		KindPictureHuge, KindPictureTiny, KindNotPicture, KindNoPortrait,
		KindNoFace, KindManyFaces, KindFaceTooSmall, KindFaceBlurred, KindFaceDark, KindFaceTurned, KindFaceUnavailable,
		KindDeviceMissing, KindDeviceGone, KindDeviceBusy, KindDevicePermission, KindDeviceTimeout,
		KindDeviceProtocol, KindDeviceUnsupported, KindPaperOut, KindCoverOpen, KindCancelled,
		KindDiskFull, KindDiskFails, KindDraftDamaged, KindQueueDamaged, KindCentreUnreachable, KindCentreCertificate,
		KindClock, KindCentreUnauthorised, KindQuarantined, KindCentreRefused, KindCentreBusy, KindUpgrade,
		KindCentreProtocol, KindNotEnrolled, KindEnrolCode,
		KindSignIn, KindLockedOut, KindSessionEnded, KindNotAllowed, KindWeakPIN, KindNoClerks, KindVisitOpen,
		KindNoVisit, KindAskNotOpen, KindNoConsent, KindSocketTaken, KindAlreadyRunning, KindPeerRefused,
		KindDaemonAway, KindBadRequest, KindInternal,
	}
}

// Error is a failure with the Kind that a person is shown. Its text goes to
// logs, so it never holds what was read from a document or typed by a person.
type Error struct {
	Op   string
	Kind Kind
	Err  error
}

// Error writes the failure for a log.
func (e *Error) Error() string {
	if e.Err == nil {
		return e.Op + ": " + string(e.Kind)
	}
	return e.Op + ": " + string(e.Kind) + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf finds the Kind of an error: KindNone for nil, KindInternal for an error
// that names none.
func KindOf(err error) Kind {
	if err == nil {
		return KindNone
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return KindInternal
}

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

// The routes. They differ in what is asked first; every one of them takes any
// further evidence, and what it comes to is decided alike.
const (
	PhotoDocument   RouteName = "photo_document"   // passport or identity card with a machine-readable zone
	DrivingLicence  RouteName = "licence"          // photocard licence, its fields keyed or scanned
	AnyEvidence     RouteName = "evidence"         // whatever lies on the table; a planner helps
	Vouching        RouteName = "vouch"            // somebody who knows the patient declares so
	PracticeDetails RouteName = "practice_details" // codes that the GP practice issued
	ProxyAccess     RouteName = "proxy"            // somebody asks to act for the patient
	ClaimAccount    RouteName = "claim"            // a claim token of an earlier visit is redeemed
)

// Party is one of the people of a visit. The zero value is the patient.
type Party string

// The parties.
const (
	Patient Party = ""
	Voucher Party = "voucher" // declares to know the patient
	Proxy   Party = "proxy"   // is to act for the patient
)

// Form is how the details of a piece of evidence come in.
type Form string

// The forms.
const (
	ByZone  Form = "zone"  // its machine-readable zone is read
	ByField Form = "field" // its printed fields are keyed, or scanned and confirmed
	ByVouch Form = "vouch" // a person declares it
)

// EvidenceType is a kind of document or record, by the codes of the policy file.
type EvidenceType string

// Evidence types that the routes themselves tell apart; the policy file has all.
const (
	Passport        EvidenceType = "passport"
	EEAIdentityCard EvidenceType = "eea_id"
	OtherDocument   EvidenceType = "other"
	UKLicence       EvidenceType = "uk_dl"
	Vouch           EvidenceType = "vouch"
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
	ChipDiffers         Code = "chip_differs" // from what was read of the page, in what no check digit covers
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

	UnlinkedEvidence   Code = "unlinked_evidence"    // another name or birth date than the identity's
	NameTransposed     Code = "name_transposed"      // surname and given names seem to have changed places
	SameDocumentTwice  Code = "same_document_twice"  // one document for two people
	FindingTakenBack   Code = "finding_taken_back"   // by whoever found it, before the result was confirmed
	SentToTeam         Code = "sent_to_team"         // says nothing of why; a concern looks no different
	NeedsSecondPerson  Code = "needs_second_person"  // patient and clerk know each other
	VouchRelated       Code = "vouch_related"        // related, a partner, or of the same address
	VouchBySelf        Code = "vouch_by_self"        // voucher and patient are one person
	VouchNotSigned     Code = "vouch_not_signed"     //
	VouchContradicted  Code = "vouch_contradicted"   // the call-back did not confirm it
	VouchNoPosition    Code = "vouch_no_position"    // occupation or organisation is not told
	DetailsPending     Code = "details_pending"      // the practice's system is asked later
	DetailsRefused     Code = "details_refused"      // the practice's system does not know them
	ClaimPending       Code = "claim_pending"        // the token is checked later
	ProxySubmitted     Code = "proxy_submitted"      // the clinician decides
	ProxyWithdrawn     Code = "proxy_withdrawn"      // the patient ends somebody's access
	ProxyNotAlone      Code = "proxy_not_alone"      // nobody spoke with the patient alone
	ProxyBasisUnfit    Code = "proxy_basis_unfit"    // the basis is not for this age, or lacks its evidence
	ProxyNoConsent     Code = "proxy_no_consent"     // the patient did not agree
	ProxyNeedsHigh     Code = "proxy_needs_high"     // both must be verified higher before it is granted
	ProxyReviewAt      Code = "proxy_review_at"      // params age: reviewed between 11 and 13
	ProxySuspendsAt    Code = "proxy_suspends_at"    // params age: must stop at 16
	ProxyNotIdentified Code = "proxy_not_identified" // one of the two is not identified
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
	Pending   Result = "pending"   // nothing yet: what was brought is checked centrally
	Requested Result = "requested" // a request was made, people decide on it
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
	// Parties are the other people of the visit, each with an own result.
	Parties []PartyOutcome `json:"parties,omitempty"`
	// Request is how far a request for proxy access got, "" without one.
	Request ProxyState `json:"request,omitempty"`
}

// PartyOutcome is what the checks of a voucher or a proxy came to.
type PartyOutcome struct {
	Party   Party   `json:"party"`
	Level   Level   `json:"level"`
	Profile string  `json:"profile,omitempty"`
	Scores  Scores  `json:"scores"`
	Checks  []Check `json:"checks"`
}

// ProxyState is how far a request for proxy access got (DAPB3051, proxy use
// case). The counter writes no state after Submitted; the rest comes back.
type ProxyState string

// The states, in their order.
const (
	ProxyDraft      ProxyState = "draft"
	ProxyIdentified ProxyState = "identities_verified"
	ProxyConsented  ProxyState = "consent_recorded"
	ProxyEvidenced  ProxyState = "basis_evidenced"
	ProxySent       ProxyState = "submitted"
)

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

// AddDays is the day so many days later. d is a whole day.
func (d Date) AddDays(days int) Date {
	t := time.Date(d.Year, time.Month(d.Month), d.Day+days, 0, 0, 0, 0, time.UTC)
	return Date{Year: t.Year(), Month: int(t.Month()), Day: t.Day()}
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

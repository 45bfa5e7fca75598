// Package api holds the types of the counter's local interface: HTTP and JSON
// over a Unix socket, events as server-sent events, the camera's preview as
// multipart JPEG. The window, the demo and other programs on the counter speak
// it; the daemon answers it. It has no I/O and no rules.
//
// # The laws
//
//   - What the daemon answered is on disk. A request that failed or was cut off
//     may be repeated: an answer names the ask it is for and the number of
//     events it has seen, so that nothing happens twice.
//   - Every failure is a Problem with a Kind of package proof; the program that
//     shows it finds the words in its own language.
//   - Every request but Status, sign-in, unlock, first-clerk and the doctor's
//     carries a session's token. A session ends after a time without requests, and with its shift; the
//     visit stays open.
//   - Nothing here is written to disk by a client. Pictures are fetched when
//     they are shown and forgotten with the screen.
package api

import (
	"time"

	"github.com/counterproof/counterproof/agent/proof"
)

// Path is one of the interface's paths, as net/http writes a pattern.
type Path = string

// Paths of the interface. {id} is the case, {picture} a proof.PictureID.
const (
	PathStatus   Path = "/v1/status"                         // GET → Status
	PathFirst    Path = "/v1/first-clerk"                    // POST FirstClerk → Session
	PathSessions Path = "/v1/sessions"                       // POST SignIn → Session; DELETE ends it
	PathClerks   Path = "/v1/clerks"                         // GET → ClerkList; POST NewClerk → ClerkList, by a supervisor
	PathUnlock   Path = "/v1/unlock"                         // POST Unlock, by a supervisor
	PathVisits   Path = "/v1/visits"                         // POST NewVisit → Visit
	PathVisit    Path = "/v1/visits/{id}"                    // GET → Visit; id "current" is the open one
	PathAnswers  Path = "/v1/visits/{id}/answers"            // POST Answer → Visit
	PathPictures Path = "/v1/visits/{id}/pictures/{picture}" // GET → image/jpeg
	PathHandOver Path = "/v1/visits/{id}/hand-over"          // POST SignIn of the other clerk → Session
	PathSecond   Path = "/v1/visits/{id}/second"             // POST SecondSignIn of another clerk → Visit
	PathNotices  Path = "/v1/notices"                        // GET → NoticeList; POST NoticeSeen
	PathLook     Path = "/v1/notices/look"                   // POST asks the centre for news now → NoticeList
	PathPreview  Path = "/v1/preview"                        // GET → multipart/x-mixed-replace of JPEG
	PathEvents   Path = "/v1/events"                         // GET → text/event-stream of Event
	PathQueue    Path = "/v1/queue"                          // GET → QueueList
	PathDevices  Path = "/v1/devices"                        // GET → DeviceList
)

// TokenHeader carries the session's token.
const TokenHeader = "Counterproof-Session"

// Problem is the body of every answer that is no success.
type Problem struct {
	Kind proof.Kind `json:"kind"`
	// Until says when trying again makes sense, zero where that is not known.
	Until time.Time `json:"until,omitzero"`
}

// Status is what may be shown before anyone signed in.
type Status struct {
	Version   string       `json:"version"`
	Site      string       `json:"site"`
	Enrolled  bool         `json:"enrolled"`
	Training  bool         `json:"training"`
	NoClerks  bool         `json:"no_clerks"` // the first one is still to be made
	OpenVisit proof.CaseID `json:"open_visit,omitempty"`
	Queue     Queue        `json:"queue"`
	Devices   []Device     `json:"devices"`
	Face      bool         `json:"face"` // a machine can compare faces here
	Languages []string     `json:"languages"`
}

// Queue is how the records on this counter stand.
type Queue struct {
	Waiting  int        `json:"waiting"`         // not yet acknowledged by the centre
	Oldest   time.Time  `json:"oldest,omitzero"` // of those waiting
	Acked    int        `json:"acked"`           // held by the centre, receipt verified
	Alarms   int        `json:"alarms"`          // refused or quarantined
	LastSent time.Time  `json:"last_sent,omitzero"`
	Problem  proof.Kind `json:"problem,omitempty"` // of the last try, none when it went well
	SafeOff  bool       `json:"safe_off"`          // nothing is lost by switching off now
}

// QueueList is the queue record by record, newest first.
type QueueList struct {
	Queue Queue       `json:"queue"`
	Items []QueueItem `json:"items"`
}

// QueueItem is one record of the queue; nothing in it tells who it is about.
type QueueItem struct {
	Seq      uint64    `json:"seq"`
	Ref      proof.Ref `json:"ref"`
	At       time.Time `json:"at"`
	State    string    `json:"state"` // as sync/wire names it
	Size     int64     `json:"size"`
	Attempts int       `json:"attempts"`
	NextTry  time.Time `json:"next_try,omitzero"`
}

// Device is one device as the screen shows it.
type Device struct {
	Name     string     `json:"name"`
	Role     string     `json:"role"` // document_camera, face_camera, slip_printer …
	Ready    bool       `json:"ready"`
	Training bool       `json:"training"` // simulated
	Problem  proof.Kind `json:"problem,omitempty"`
}

// DeviceList is every device of the counter.
type DeviceList struct {
	Devices []Device `json:"devices"`
}

// SignIn is a clerk's name and secret.
type SignIn struct {
	Operator proof.OperatorID `json:"operator"`
	Secret   string           `json:"secret"` // PIN of 6 digits or a passphrase
}

// FirstClerk makes the first account with the supervisor's one-time code that
// enrolment printed.
type FirstClerk struct {
	Code     string         `json:"code"`
	Name     string         `json:"name"`
	Secret   string         `json:"secret"`
	Training proof.Training `json:"training"`
}

// NewClerk makes a further account.
type NewClerk struct {
	Name string `json:"name"`
	// Secret is "" where the clerk sets it with a one-time code, which is the rule.
	Secret   string         `json:"secret,omitempty"`
	Role     proof.Role     `json:"role"`
	Training proof.Training `json:"training"`
}

// Unlock lets a locked clerk in again; a supervisor's sign-in goes with it.
type Unlock struct {
	Supervisor SignIn           `json:"supervisor"`
	Operator   proof.OperatorID `json:"operator"`
}

// Session is a signed-in clerk.
type Session struct {
	Token    string         `json:"token"`
	Operator proof.Operator `json:"operator"`
	// Until is when it ends at the latest, whatever is done in it.
	Until time.Time `json:"until,omitzero"`
}

// NewVisit starts a visit.
type NewVisit struct {
	Route    proof.RouteName `json:"route"`
	Language string          `json:"language"` // of the patient, BCP 47
	// Continues is the reference of the slip that the patient brings back, as
	// it was typed; "" begins anew.
	Continues string `json:"continues,omitempty"`
}

// SecondSignIn is another clerk beside the first, who confirms what was seen.
type SecondSignIn struct {
	SignIn
	Seen     int  `json:"seen"` // as in Answer
	Confirms bool `json:"confirms"`
}

// Notice is news of an earlier visit; nothing in it tells who it is about.
type Notice struct {
	ID   uint64    `json:"id"`
	Ref  proof.Ref `json:"ref"`
	Kind string    `json:"kind"` // as sync/wire names it
	At   time.Time `json:"at"`
	Seen bool      `json:"seen"`
	// Slip is the second slip that goes with it, in the counter's language.
	Slip []string `json:"slip,omitempty"`
}

// NoticeList is the news, unseen first and the newest first among them.
type NoticeList struct {
	Notices []Notice `json:"notices"`
}

// NoticeSeen says what was done with a notice.
type NoticeSeen struct {
	ID    uint64 `json:"id"`
	Print bool   `json:"print,omitempty"` // print the second slip too
}

// Visit is the open visit as a screen shows it: folded, never the events.
type Visit struct {
	ID       proof.CaseID       `json:"id"`
	Route    proof.RouteName    `json:"route"`
	Language string             `json:"language"`
	Events   int                `json:"events"` // how many there are; goes back in Answer.Seen
	Operator proof.OperatorID   `json:"operator"`
	Training bool               `json:"training"`
	Asks     []proof.Ask        `json:"asks"`            // what may be answered now, the recommended first
	Party    proof.Party        `json:"party,omitempty"` // whose turn it is; Document and Face are theirs
	People   []Person           `json:"people,omitempty"`
	Choices  []Choice           `json:"choices,omitempty"` // kinds of evidence that may be chosen now
	Plans    []Plan             `json:"plans,omitempty"`   // ways to a level, the best first
	Chosen   proof.EvidenceType `json:"chosen,omitempty"`  // kind of the piece in hand, where it was chosen
	Prefill  *Fields            `json:"prefill,omitempty"` // what a camera read for the fields that are asked
	Letter   *Practice          `json:"letter,omitempty"`  // what a camera read of a practice's letter
	Bases    []proof.Code       `json:"bases,omitempty"`   // grounds for proxy access that fit the patient's age
	Document *Document          `json:"document,omitempty"`
	Face     *Face              `json:"face,omitempty"`
	Outcome  *proof.Outcome     `json:"outcome,omitempty"`
	Ref      proof.Ref          `json:"ref,omitempty"` // once the record is on disk
	Slip     *Slip              `json:"slip,omitempty"`
	Ended    bool               `json:"ended"`
}

// Document is what was read of the document.
type Document struct {
	Source   proof.Source       `json:"source"`
	Format   string             `json:"format"`
	Type     proof.EvidenceType `json:"type"`
	Issuer   string             `json:"issuer"`
	Number   string             `json:"number"`
	Person   proof.Person       `json:"person"`
	Expiry   proof.Date         `json:"expiry"`
	Lines    []string           `json:"lines"`
	Problems []proof.Kind       `json:"problems,omitempty"`
	Page     proof.PictureID    `json:"page,omitempty"`
	Portrait proof.PictureID    `json:"portrait,omitempty"`
	Features []string           `json:"features"` // security features to look for, by policy code
	Examined bool               `json:"examined"`
	Chip     *Chip              `json:"chip,omitempty"` // nil where it was not read
}

// Chip is what a document's chip came to.
type Chip struct {
	Verdict    proof.ChipVerdict `json:"verdict"`
	Clone      proof.Clone       `json:"clone,omitempty"`
	Revocation proof.Revocation  `json:"revocation,omitempty"`
	Access     proof.Code        `json:"access"`
	Downgraded bool              `json:"downgraded,omitempty"`
	Trust      proof.Date        `json:"trust,omitzero"` // day of the trust data
	// Differs says that the details here are the chip's, and that the page was
	// read otherwise.
	Differs bool `json:"differs,omitempty"`
}

// Person is one of the people of a visit and the evidence they showed.
type Person struct {
	Party    proof.Party  `json:"party,omitempty"`
	Person   proof.Person `json:"person"`
	Evidence []Piece      `json:"evidence"`
}

// Piece is one piece of evidence that was shown.
type Piece struct {
	Type     proof.EvidenceType `json:"type"`
	Examined bool               `json:"examined"`
	Compared bool               `json:"compared"`
	Problems []proof.Code       `json:"problems,omitempty"` // why it may not count
}

// Choice is a kind of evidence that may be shown.
type Choice struct {
	Type     proof.EvidenceType `json:"type"`
	Strength int                `json:"strength"`
	Photo    bool               `json:"photo,omitempty"`
}

// Plan is a way to a level, as steps.
type Plan struct {
	Level   proof.Level `json:"level"`
	Profile string      `json:"profile"`
	Minutes int         `json:"minutes"`
	Steps   []PlanStep  `json:"steps"`
}

// PlanStep is one step of a plan.
type PlanStep struct {
	Code    proof.Code         `json:"code"`
	Type    proof.EvidenceType `json:"type,omitempty"`
	Minutes int                `json:"minutes"`
	Central bool               `json:"central,omitempty"` // happens after the record is sent
	// Voucher says that it is done to prove the voucher, Colleague that another
	// operator does it.
	Voucher   bool `json:"voucher,omitempty"`
	Colleague bool `json:"colleague,omitempty"`
}

// Face is how the comparison stands.
type Face struct {
	Live     proof.PictureID    `json:"live,omitempty"`
	Decision proof.FaceDecision `json:"decision,omitempty"`
	Score    float64            `json:"score,omitempty"`
	Clerk    proof.Sameness     `json:"clerk,omitempty"`
}

// Slip is what the patient takes home.
type Slip struct {
	Lines   []string   `json:"lines"` // as printed, 42 characters at most
	Problem proof.Kind `json:"problem,omitempty"`
	Printed bool       `json:"printed"`
}

// Answer is what a person did about one ask.
type Answer struct {
	// Seen is Visit.Events as the one who answers saw it; an older number is
	// answered with KindAskNotOpen and the visit is read again.
	Seen int `json:"seen"`
	// Ask is the open ask that this answers, or for Reopen the step taken back.
	Ask proof.AskKind `json:"ask"`
	// Do says what was done; the zero value answers the ask itself.
	Do     Doing          `json:"do,omitempty"`
	Given  bool           `json:"given,omitempty"`  // consents
	Text   string         `json:"text,omitempty"`   // consents: version of the text shown
	Lines  []string       `json:"lines,omitempty"`  // key_document
	Exam   *Examination   `json:"exam,omitempty"`   // examine_document
	Same   proof.Sameness `json:"same,omitempty"`   // compare_person
	CAN    string         `json:"can,omitempty"`    // read_chip: the card access number, where it is typed
	Reason proof.Code     `json:"reason,omitempty"` // abandon

	Identity    *Identity               `json:"identity,omitempty"`    // claim_identity
	Type        proof.EvidenceType      `json:"type,omitempty"`        // choose_evidence
	Table       *proof.EvidenceTable    `json:"table,omitempty"`       // choose_evidence: what lies there, for the plans
	Fields      *Fields                 `json:"fields,omitempty"`      // enter_evidence
	Vouch       *VouchForm              `json:"vouch,omitempty"`       // give_vouch
	Practice    *Practice               `json:"practice,omitempty"`    // give_practice
	Proxy       *proof.ProxyRequested   `json:"proxy,omitempty"`       // request_proxy
	Claim       *proof.ClaimRedeemed    `json:"claim,omitempty"`       // redeem_claim
	Preferences *proof.PreferencesGiven `json:"preferences,omitempty"` // set_preferences
	Feedback    *proof.FeedbackGiven    `json:"feedback,omitempty"`    // give_feedback
}

// Identity is who somebody says they are, as it was typed.
type Identity struct {
	Surname   string     `json:"surname"`
	Given     string     `json:"given"`
	Birth     proof.Date `json:"birth"`
	Sex       string     `json:"sex,omitempty"`
	Postcode  string     `json:"postcode,omitempty"`
	NHSNumber string     `json:"nhs_number,omitempty"`
}

// Fields are the printed fields of a piece of evidence, as they were typed.
type Fields struct {
	Identity
	Former  string     `json:"former,omitempty"` // surname before a marriage or a deed
	Number  string     `json:"number,omitempty"`
	Issuer  string     `json:"issuer,omitempty"`
	Issued  proof.Date `json:"issued,omitzero"`
	Expires proof.Date `json:"expires,omitzero"`
	// Sure says that the clerk has looked again and the fields are as printed,
	// also where they contradict each other.
	Sure bool `json:"sure,omitempty"`
}

// VouchForm is a vouch, as it was declared and typed.
type VouchForm struct {
	Voucher  Identity `json:"voucher"`  // where they were not proved here
	Proofing string   `json:"proofing"` // reference of the voucher's own visit
	proof.VouchGiven
}

// Practice is the codes of a practice's letter, as they were typed, and whose
// letter it is.
type Practice struct {
	ODS     string `json:"ods"`
	Account string `json:"account"`
	Key     string `json:"key"`
}

// Doing is what was done with an ask.
type Doing string

// What may be done. A capture runs in the daemon, with guidance as events,
// until a picture is good, it is cancelled or its time is over.
const (
	DoAnswer  Doing = ""        // answer it; for a capture: start it and wait
	DoCancel  Doing = "cancel"  // end the capture that is running
	DoChoose  Doing = "choose"  // take this way instead of the recommended one
	DoReopen  Doing = "reopen"  // take the step back
	DoAbandon Doing = "abandon" // end the visit without a result
	DoConcern Doing = "concern" // somebody may be under pressure: people look at it, silently
	DoTable   Doing = "table"   // tell what lies on the table, for the plans
)

// Examination is the clerk's look at the original document.
type Examination struct {
	Original bool            `json:"original"`
	Details  proof.Agreement `json:"details"`
	Features []string        `json:"features"`
	Doubts   []string        `json:"doubts,omitempty"`
	UVIR     bool            `json:"uvir,omitempty"`
}

// EventKind is the kind of a server-sent event.
type EventKind string

// The event kinds. Each tells that something changed; all but guidance carry
// what it is now.
const (
	EventGuidance EventKind = "guidance" // the one thing to change at the camera
	EventVisit    EventKind = "visit"    // the open visit changed: read it again
	EventQueue    EventKind = "queue"
	EventDevices  EventKind = "devices"
	EventSession  EventKind = "session" // the session ended
)

// Event is one server-sent event.
type Event struct {
	Kind     EventKind    `json:"kind"`
	Guidance proof.Kind   `json:"guidance,omitempty"` // none: it is good, hold still
	Role     string       `json:"role,omitempty"`     // camera that the guidance is about
	Percent  int          `json:"percent,omitempty"`  // of a chip that was read, with guidance
	Queue    *Queue       `json:"queue,omitempty"`
	Devices  []Device     `json:"devices,omitempty"`
	Visit    proof.CaseID `json:"visit,omitempty"`
	Why      proof.Kind   `json:"why,omitempty"` // the session ended
}

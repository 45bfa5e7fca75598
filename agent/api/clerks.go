package api

import (
	"time"

	"github.com/counterproof/counterproof/agent/proof"
)

// Paths of the accounts and of the record of who did what. {id} is an operator.
const (
	PathClerk    Path = "/v1/clerks/{id}"     // POST ClerkChange → ClerkList, by a supervisor
	PathCode     Path = "/v1/sessions/code"   // POST CodeSignIn → Session
	PathSecret   Path = "/v1/secret"          // POST NewSecret, of whoever is signed in
	PathActivity Path = "/v1/activity"        // GET ?from=RFC 3339 → Activity
	PathReport   Path = "/v1/activity/report" // POST Report prints the same
)

// Account is one clerk's account. Everybody sees the operator; the rest only a
// supervisor does.
type Account struct {
	proof.Operator
	State AccountState `json:"state,omitempty"`
	// Until is when the lock opens or the one-time code expires; zero for a lock
	// that only a supervisor opens.
	Until time.Time `json:"until,omitzero"`
	// Changed and By tell of the last change by a supervisor.
	Changed time.Time        `json:"changed,omitzero"`
	By      proof.OperatorID `json:"by,omitempty"`
}

// AccountState is how an account stands.
type AccountState string

// The states.
const (
	AccountReady  AccountState = "ready"
	AccountLocked AccountState = "locked" // too many wrong tries
	AccountCode   AccountState = "code"   // waits until its one-time code is used
	AccountVoid   AccountState = "void"   // has neither a secret nor a code that is good
	AccountOff    AccountState = "off"    // switched off by a supervisor
)

// ClerkList is everybody who has an account here, also those who left.
type ClerkList struct {
	Clerks []Account `json:"clerks"`
	// Issued is the one-time code that was just made. It is told once.
	Issued *Issued `json:"issued,omitempty"`
}

// Issued is a one-time code with which a clerk sets an own secret.
type Issued struct {
	Operator proof.OperatorID `json:"operator"`
	Code     string           `json:"code"`
	Until    time.Time        `json:"until"`
}

// ClerkChange is what a supervisor does with another's account.
type ClerkChange struct {
	Do       ClerkDoing     `json:"do"`
	Role     proof.Role     `json:"role,omitempty"`    // for DoChangeClerk
	Training proof.Training `json:"training,omitzero"` // for DoChangeClerk
}

// ClerkDoing says what is done with an account.
type ClerkDoing string

// What may be done.
const (
	DoDisable     ClerkDoing = "disable" // no sign-in any more; open sessions end at once
	DoEnable      ClerkDoing = "enable"
	DoReset       ClerkDoing = "reset" // the secret is void, a one-time code is issued
	DoUnlockClerk ClerkDoing = "unlock"
	DoChangeClerk ClerkDoing = "change" // role and days of training
)

// CodeSignIn signs in with a one-time code, which is good only to set a secret.
type CodeSignIn struct {
	Operator proof.OperatorID `json:"operator"`
	Code     string           `json:"code"`
	Secret   string           `json:"secret"` // the new one
}

// NewSecret changes the own secret.
type NewSecret struct {
	Old    string `json:"old"`
	Secret string `json:"secret"`
}

// Deed is one line of the record of who did what. Nothing in it tells who a
// patient is: a visit is named by its case and its slip's reference.
type Deed struct {
	At   time.Time        `json:"at"`
	Who  proof.OperatorID `json:"who,omitempty"` // "" where nobody was signed in
	Did  DeedKind         `json:"did"`
	Whom proof.OperatorID `json:"whom,omitempty"` // the other account that it is about
	Case proof.CaseID     `json:"case,omitempty"`
	Ref  proof.Ref        `json:"ref,omitempty"`
	// Role and Training are what an account was given.
	Role     proof.Role      `json:"role,omitempty"`
	Training *proof.Training `json:"training,omitempty"`
}

// DeedKind is what was done.
type DeedKind string

// What is recorded.
const (
	DidSignIn     DeedKind = "sign_in"
	DidFail       DeedKind = "sign_in_failed" // Whom is the account, if there is one of that name
	DidSignOut    DeedKind = "sign_out"
	DidIdle       DeedKind = "session_idle"
	DidShift      DeedKind = "session_shift"
	DidClosed     DeedKind = "session_closed"
	DidUnlock     DeedKind = "clerk_unlocked"
	DidFirst      DeedKind = "clerk_first"
	DidAdd        DeedKind = "clerk_added"
	DidDisable    DeedKind = "clerk_disabled"
	DidEnable     DeedKind = "clerk_enabled"
	DidReset      DeedKind = "pin_reset"
	DidSetSecret  DeedKind = "pin_set" // with a one-time code
	DidNewSecret  DeedKind = "pin_changed"
	DidChange     DeedKind = "clerk_changed"
	DidBegin      DeedKind = "visit_begun"
	DidContinue   DeedKind = "visit_continued"
	DidHandOver   DeedKind = "visit_handed_over" // from Who to Whom
	DidConfirm    DeedKind = "second_confirmed"
	DidDeny       DeedKind = "second_denied"
	DidEnd        DeedKind = "visit_ended"
	DidSeeNews    DeedKind = "news_seen"
	DidPrintNews  DeedKind = "news_printed"
	DidPrintSlip  DeedKind = "slip_printed"
	DidPrintDeeds DeedKind = "activity_printed"
)

// Activity is who did what, newest first. A supervisor sees everybody's; others
// what they did and what was done with their account.
type Activity struct {
	Deeds []Deed `json:"deeds"`
	More  bool   `json:"more,omitempty"` // there are older ones that fit no more
	// Problem is KindLogDamaged where lines are missing or were changed.
	Problem proof.Kind `json:"problem,omitempty"`
}

// Report asks for the printed record.
type Report struct {
	From     time.Time `json:"from"`
	Language string    `json:"language"` // BCP 47
}
